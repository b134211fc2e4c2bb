"""Perimeter, area, surface and volume of simple shapes, and their reverses."""

from fractions import Fraction

from .base import Work, family, person, say, step_range

PLOTS = "rectangle|rectangular garden|rectangular field|rectangular room|rectangular playground|rectangular piece of land|rectangular carpet"
UNITS = ["meters", "centimeters", "cm", "m", "feet", "decimeters"]


@family(2.0)
def rectangles(rng):
    """Rectangles: area, perimeter, missing sides, yield and tiles."""
    work = Work(rng, "rectangles")
    u = rng.choice(UNITS)
    a, b = rng.randint(3, 60), rng.randint(2, 30)
    if a <= b:
        a = b + rng.randint(1, 20)
    shape = f"[{PLOTS}]"
    values = dict(a=a, b=b, u=u, s=a * b, p=2 * (a + b))
    lead = f"[A {shape} is {{a}} {{u}} long and {{b}} {{u}} wide|The length of a {shape} is {{a}} {{u}} and its width is {{b}} {{u}}|A {shape} has a length of {{a}} {{u}} and a width of {{b}} {{u}}]. "
    kind = rng.choice(["area", "perimeter", "both_side", "side_perimeter", "yield", "relation", "tiles", "fence"])
    if kind == "area":
        return work.problem(say(rng, lead + "[What is its area|Find the area|How large is its area in square {u}]?", **values).replace("area?", "area?"), work.mul("Area", a, b))
    if kind in ("perimeter", "fence"):
        total = rng.choice(["[What is its perimeter|Find the perimeter]?", "[How many {u} of fence are needed [to go around it|around it]|How long is the fence around it]?"])
        half = None
        text = say(rng, lead + total, **values)
        half = work.add("Half", a, b)
        return work.problem(text, work.mul("Perimeter", half, 2))
    if kind == "both_side":
        text = say(rng, f"[The area of a {shape} is {{s}} square {{u}} and its [length|one side] is {{a}} {{u}}. What is [its|the] [width|other side]|A {shape} has an area of {{s}} square {{u}} and is {{b}} {{u}} wide. How long is it]?", **values)
        if "How long" in text:
            return work.problem(text, work.div("Length", a * b, b))
        return work.problem(text, work.div("Width", a * b, a))
    if kind == "side_perimeter":
        area = rng.random() < 0.5
        text = say(rng, f"[The perimeter of a {shape} is {{p}} {{u}} and its length is {{a}} {{u}}|A {shape} has a perimeter of {{p}} {{u}} and a length of {{a}} {{u}}]. What is its " + ("area?" if area else "width?"), **values)
        half = work.div("Half", 2 * (a + b), 2)
        width = work.sub("Width", half, a)
        return work.problem(text, work.mul("Area", a, width) if area else width)
    if kind == "yield":
        y = rng.randint(2, 20)
        text = say(rng, lead + "Each square {v} [gives|yields|needs|produces] {y} {g} of {x}. How many {g} [of {x} |]is that [in all|altogether]?", y=y, v=u.rstrip("s") if u != "feet" else "foot", g=rng.choice(["kilograms", "grams"]), x=rng.choice(["vegetables", "seed", "wheat", "corn", "fertilizer"]), **values)
        s = work.mul("Area", a, b)
        return work.problem(text, work.mul("Total", s, y))
    if kind == "relation":
        k = rng.randint(2, 4)
        more = rng.random() < 0.5
        area = rng.random() < 0.6
        length = b * k if more else b + k
        text = say(rng, f"[The width of a {shape} is {{b}} {{u}} and the length is {{r}} the width|A {shape} is {{b}} {{u}} wide and its length is {{r}} its width]. [What is|Find] its " + ("area?" if area else "perimeter?"), r=({2: "twice", 3: "three times", 4: "4 times"}[k] if more else f"{k} {u} more than"), **values)
        length = work.mul("Length", b, k) if more else work.add("Length", b, k)
        if area:
            return work.problem(text, work.mul("Area", length, b))
        half = work.add("Half", length, b)
        return work.problem(text, work.mul("Perimeter", half, 2))
    t = rng.choice([2, 3, 4, 5])
    a, b = rng.randint(2, 15) * t, rng.randint(2, 10) * t
    text = say(rng, "[A floor is {a} decimeters long and {b} decimeters wide. How many square tiles with a side of {t} decimeters are needed|How many squares with a side of {t} cm can be cut from a rectangle {a} cm long and {b} cm wide]?", a=a, b=b, t=t)
    s = work.mul("Area", a, b)
    one = work.mul("One square", t, t)
    return work.problem(text, work.div("Count", s, one))


@family(1.6)
def other_shapes(rng):
    """Squares, triangles, parallelograms, trapezoids and circles."""
    work = Work(rng, "other_shapes")
    u = rng.choice(UNITS)
    a, b, h = rng.randint(2, 40), rng.randint(2, 40), rng.randint(1, 15) * 2
    kind = rng.choice(["square_area", "square_perimeter", "square_side", "square_wire", "triangle", "triangle_height", "parallelogram", "trapezoid", "circle", "circle_length", "angles"])
    if kind == "square_area":
        return work.problem(say(rng, "[The side of a square is {a} {u}|A square [garden|room|table] has a side of {a} {u}]. What is its area?", a=a, u=u), work.mul("Area", a, a))
    if kind == "square_perimeter":
        return work.problem(say(rng, "[The side of a square is {a} {u}|A square [garden|field|pool] has sides of {a} {u}]. What is its perimeter?", a=a, u=u), work.mul("Perimeter", a, 4))
    if kind in ("square_side", "square_wire"):
        area = kind == "square_wire"
        text = say(rng, "[The perimeter of a square is {p} {u}|A wire of {p} {u} is bent into a square]. What is its [AREA]?".replace("[AREA]", "area" if area else "side length"), p=4 * a, u=u)
        side = work.div("Side", 4 * a, 4)
        return work.problem(text, work.mul("Area", side, side) if area else side)
    if kind == "triangle":
        text = say(rng, "[A triangle has a base of {a} {u} and a height of {h} {u}|The base of a triangle is {a} {u} and its height is {h} {u}|A triangular [field|flag|piece of paper] has a base of {a} {u} and a height of {h} {u}]. What is its area?", a=a, h=h, u=u)
        s = work.mul("Product", a, h)
        return work.problem(text, work.div("Area", s, 2))
    if kind == "triangle_height":
        text = say(rng, "The area of a triangle is {s} square {u} and its base is {a} {u}. What is its height?", s=a * h // 2, a=a, u=u)
        double = work.mul("Double area", a * h // 2, 2)
        return work.problem(text, work.div("Height", double, a))
    if kind == "parallelogram":
        text = say(rng, "[A parallelogram has a base of {a} {u} and a height of {h} {u}|The base of a parallelogram is {a} {u} and its height is {h} {u}]. What is its area?", a=a, h=h, u=u)
        return work.problem(text, work.mul("Area", a, h))
    if kind == "trapezoid":
        text = say(rng, "[A trapezoid has an upper base of {a} {u}, a lower base of {b} {u} and a height of {h} {u}|The upper base of a trapezoid is {a} {u}, the lower base is {b} {u} and the height is {h} {u}]. What is its area?", a=a, b=b, h=h, u=u)
        s = work.add("Bases", a, b)
        s = work.mul("Product", s, h)
        return work.problem(text, work.div("Area", s, 2))
    r = rng.randint(1, 10)
    pi = Fraction(314, 100)
    if kind == "circle":
        text = say(rng, "[A circle has a radius of {r} {u}|The radius of a [circle|round pond|round table] is {r} {u}]. What is its area? (Use 3.14 for pi.)", r=r, u=u)
        s = work.mul("Square", r, r)
        return work.problem(text, work.mul("Area", pi, s))
    if kind == "circle_length":
        diameter = rng.random() < 0.5
        text = say(rng, "[A circle has a {k} of {r} {u}|The {k} of a [circle|wheel|round pond] is {r} {u}]. What is its circumference? (Use 3.14 for pi.)", k="diameter" if diameter else "radius", r=r, u=u)
        d = r if diameter else work.mul("Diameter", r, 2)
        return work.problem(text, work.mul("Circumference", pi, d))
    x, y = rng.randint(20, 80), rng.randint(20, 90)
    text = say(rng, "Two angles of a triangle are {x} degrees and {y} degrees. [How many degrees is|What is] the third angle?", x=x, y=y)
    s = work.add("Two angles", x, y)
    return work.problem(text, work.sub("Third", 180, s))


@family(1.5)
def solids(rng):
    """Boxes, cubes, cylinders and cones."""
    work = Work(rng, "solids")
    u = rng.choice(["cm", "meters", "centimeters", "decimeters", "m"])
    a, b, c = rng.randint(2, 15), rng.randint(2, 12), rng.randint(2, 10)
    kind = rng.choice(["box", "box", "cube", "surface_cube", "surface_box", "height", "base", "cone", "edges", "fill"])
    box = "[box|cuboid|water tank|rectangular pool|rectangular box|swimming pool|carton]"
    lead = f"[A {box} is {{a}} {{u}} long, {{b}} {{u}} wide and {{c}} {{u}} [high|tall|deep]|The length, width and height of a {box} are {{a}} {{u}}, {{b}} {{u}} and {{c}} {{u}}]. "
    if kind == "box":
        return work.problem(say(rng, lead + "[What is its volume|Find the volume|How many cubic {u} [is its volume|does it hold]]?", a=a, b=b, c=c, u=u), work.mul3("Volume", a, b, c))
    if kind == "cube":
        return work.problem(say(rng, "[A cube has an edge of {a} {u}|The edge of a cube is {a} {u}|A cube has a side length of {a} {u}]. What is its volume?", a=a, u=u), work.mul3("Volume", a, a, a))
    if kind == "surface_cube":
        text = say(rng, "[A cube has an edge of {a} {u}|The edge of a cube is {a} {u}]. What is its surface area?", a=a, u=u)
        face = work.mul("One face", a, a)
        return work.problem(text, work.mul("Surface", face, 6))
    if kind == "surface_box":
        text = say(rng, lead + "What is its surface area?", a=a, b=b, c=c, u=u)
        x, y, z = work.mul("First face", a, b), work.mul("Second face", a, c), work.mul("Third face", b, c)
        s = work.add("Sum", x, y, z)
        return work.problem(text, work.mul("Surface", s, 2))
    if kind == "height":
        text = say(rng, f"[A {box} has a volume of {{v}} cubic {{u}}|The volume of a {box} is {{v}} cubic {{u}}]. It is {{a}} {{u}} long and {{b}} {{u}} wide. [How [high|deep] is it|What is its height]?", v=a * b * c, a=a, b=b, u=u)
        base = work.mul("Base", a, b)
        return work.problem(text, work.div("Height", a * b * c, base))
    if kind == "base":
        s = rng.randint(5, 90)
        back = rng.random() < 0.4
        body = "[cylinder|cuboid|prism|bucket]"
        if back:
            text = say(rng, f"The volume of a {body} is {{v}} cubic {{u}} and its base area is {{s}} square {{u}}. What is its height?", v=s * c, s=s, u=u)
            return work.problem(text, work.div("Height", s * c, s))
        text = say(rng, f"[A {body} has a base area of {{s}} square {{u}} and a height of {{c}} {{u}}|The base area of a {body} is {{s}} square {{u}} and its height is {{c}} {{u}}]. What is its volume?", s=s, c=c, u=u)
        return work.problem(text, work.mul("Volume", s, c))
    if kind == "cone":
        c *= 3
        s = rng.randint(3, 40)
        text = say(rng, "[A cone has a base area of {s} square {u} and a height of {c} {u}|The base area of a cone is {s} square {u} and its height is {c} {u}]. What is its volume?", s=s, c=c, u=u)
        v = work.mul("Product", s, c)
        return work.problem(text, work.div("Volume", v, 3))
    if kind == "edges":
        text = say(rng, "[The edge of a cube is {a} {u}. What is the total length of its edges|A wire of {t} {u} is bent into a cube frame. How long is each edge]?", a=a, u=u, t=12 * a)
        return work.problem(text, work.div("Edge", 12 * a, 12) if "wire" in text else work.mul("Edges", a, 12))
    f = rng.randint(1, 6)
    text = say(rng, lead + "[Each|One] cubic {u} [holds|weighs] {f} [tons|kilograms]. How many is that [in all|altogether]?", a=a, b=b, c=c, u=u, f=f)
    v = work.mul3("Volume", a, b, c)
    return work.problem(text, work.mul("Total", v, f))
