"""Unknown numbers, sums and differences, ages, heads and legs, weights, time."""

from fractions import Fraction

from .base import Work, amount, family, number, people, person, say, step_range, things

PAIRS = [("storybooks", "science books", "A library has"), ("apple trees", "pear trees", "An orchard has"), ("boys", "girls", "A school has"), ("ducks", "chickens", "A farm has"), ("red balls", "blue balls", "A box has"), ("tables", "chairs", "A hall has"), ("pencils", "pens", "A shop has"), ("sheep", "goats", "A farmer has")]


@family(1.8)
def sum_and_relation(rng):
    """Two amounts from their sum or difference and how they compare."""
    work = Work(rng, "sum_and_relation")
    a, b, lead = rng.choice(PAIRS)
    if rng.random() < 0.4:
        p, q = people(rng, 2)
        o = things(rng)
        both = f"{p} and {q} have {{s}} {o} {rng.choice(['together', 'in all', 'altogether'])}. "
        more = f"{p} has {{d}} more {rng.choice([o + ' ', ''])}than {q}. "
        times = f"{p} has {{k}} times as many {rng.choice([o + ' ', ''])}as {q}. "
        ask = [f"How many {o} does {p} have?", f"How many {o} does {q} have?"]
        a, b = str(p), str(q)
    else:
        both = rng.choice([f"{lead} {{s}} {a} and {b}. ", f"{lead} {{s}} {a} and {b} in all. "])
        more = rng.choice([f"There are {{d}} more {a} than {b}. "])
        times = rng.choice([f"There are {{k}} times as many {a} as {b}. ", f"The number of {a} is {{k}} times the number of {b}. "])
        ask = [f"How many {a} are there?", f"How many {b} are there?"]
    small, k, d = rng.randint(3, 90), rng.randint(2, 6), rng.randint(2, 60)
    want = rng.randint(0, 1)
    big_name, small_name = a[0].upper() + a[1:], b[0].upper() + b[1:]
    kind = rng.choice(["difference", "times", "times_difference"])
    if kind == "difference":
        total = 2 * small + d
        text = say(rng, both + " " + more + " " + ask[want], s=total, d=d)
        double = work.sub("Double", total, d)
        low = work.div(small_name, double, 2)
        return work.problem(text, low if want else work.add(big_name, low, d))
    if kind == "times":
        total = small * (k + 1)
        text = say(rng, both + " " + times + " " + ask[want], s=total, k=k)
        parts = work.add("Parts", k, 1)
        low = work.div(small_name, total, parts)
        return work.problem(text, low if want else work.mul(big_name, low, k))
    text = say(rng, times + " " + more + " " + ask[want], k=k, d=small * (k - 1))
    parts = work.sub("Parts", k, 1)
    low = work.div(small_name, small * (k - 1), parts)
    return work.problem(text, low if want else work.mul(big_name, low, k))


@family(2.0)
def unknown_number(rng):
    """Find a number from what was done to it."""
    work = Work(rng, "unknown_number")
    x, k, b = rng.randint(2, 90), rng.randint(2, 9), rng.randint(2, 90)
    kind = rng.choice(["plus", "minus", "times_plus", "times_minus", "plus_times", "equals_times", "sum_times", "divide", "quotient", "fraction", "compare"])
    n = rng.choice(["a number", "a certain number", "some number"])
    N = n.capitalize()
    find = "[What is the number|Find the number|What is this number]?".replace("Find the number]?", "What is it]?")
    if kind == "plus":
        text = say(rng, "[{N} plus {b} [is|equals] {s}|If {b} is added to {n}, the result is {s}|When {b} is added to {n}, the sum is {s}]. " + find, N=N, n=n, b=b, s=x + b)
        return work.problem(text, work.sub("Number", x + b, b))
    if kind == "minus":
        text = say(rng, "[{N} minus {b} [is|equals] {s}|If {b} is [subtracted|taken away] from {n}, the result is {s}]. " + find, N=N, n=n, b=b, s=x)
        return work.problem(text, work.add("Number", x, b))
    if kind in ("times_plus", "times_minus"):
        plus = kind == "times_plus" or k * x <= b
        s = k * x + b if plus else k * x - b
        w = {2: rng.choice(["twice", "2 times"]), 3: rng.choice(["three times", "3 times"])}.get(k, f"{k} times")
        text = say(rng, ("[{W} {n} plus {b} [is|equals] {s}|{b} more than {w} {n} is {s}|{s} is {b} more than {w} {n}]. " if plus else "[{W} {n} minus {b} [is|equals] {s}|{b} less than {w} {n} is {s}|{s} is {b} less than {w} {n}]. ") + find, W=w.capitalize(), w=w, n=n, b=b, s=s)
        y = work.sub("Multiple", s, b) if plus else work.add("Multiple", s, b)
        return work.problem(text, work.div("Number", y, k))
    if kind == "plus_times":
        text = say(rng, "[{N} is increased by {b} and then multiplied by {k}. The result is {s}|If you add {b} to {n} and multiply the sum by {k}, you get {s}]. " + find, N=N, n=n, b=b, k=k, s=(x + b) * k)
        y = work.div("Sum", (x + b) * k, k)
        return work.problem(text, work.sub("Number", y, b))
    if kind == "equals_times":
        b = (k - 1) * x
        text = say(rng, "{N} plus {b} [is|equals] {k} times [the number|itself]. " + find, N=N, b=b, k=k)
        y = work.sub("Parts", k, 1)
        return work.problem(text, work.div("Number", b, y))
    if kind == "divide":
        r = rng.randint(0, k - 1)
        if r == 0:
            text = say(rng, "[{N} divided by {k} [is|equals] {x}|When {n} is divided by {k}, the result is {x}]. " + find, N=N, n=n, k=k, x=x)
            return work.problem(text, work.mul("Number", x, k))
        text = say(rng, "[When {n} is divided by {k}, the quotient is {x} and the remainder is {r}|{N} divided by {k} gives {x} with remainder {r}]. " + find, N=N, n=n, k=k, x=x, r=r)
        y = work.mul("Product", x, k)
        return work.problem(text, work.add("Number", y, r))
    if kind == "quotient":
        text = say(rng, "[The product of two numbers is {p}. One of them is {k}. What is the other|The sum of two numbers is {s}. One of them is {k}. What is the other|What number multiplied by {k} gives {p}|The difference of two numbers is {x} and the smaller one is {k}. What is the larger]?", p=x * k, k=k, s=x + k, x=x)
        if "sum" in text:
            return work.problem(text, work.sub("Other", x + k, k))
        if "difference" in text:
            return work.problem(text, work.add("Larger", x, k))
        return work.problem(text, work.div("Other", x * k, k))
    if kind == "fraction":
        f = Fraction(rng.randint(1, k - 1), k)
        n0 = f.denominator * x
        text = say(rng, "[{f} of {n} is {p}|If {f} of {n} equals {p}, what is it]. " + find, f=f"{f.numerator}/{f.denominator}", n=n, p=n0 * f).replace("what is it.", "then:").replace("If ", "").replace(", then:", ".")
        return work.problem(text, work.whole("Number", n0 * f, f))
    if kind == "compare":
        p, q = people(rng, 2)
        o = rng.choice(["stamps", "books", "points", "cards", "kilograms", "meters"])
        k = rng.randint(2, 5)
        s = k * x + b
        text = say(rng, "[{p} has {s} {o}, which is {b} more than {k} times [what|as many as] {q} has. How many {o} does {q} have|A school has {s} boys, {b} more than {k} times the number of girls. How many girls are there|A farm has {s} ducks, which is {b} more than {k} times the number of geese. How many geese are there]?", p=p, q=q, o=o, s=s, b=b, k=k)
        y = work.sub("Multiple", s, b)
        return work.problem(text, work.div("Number", y, k))
    big = x * k
    text = say(rng, "The sum of two numbers is {s}. The larger is {k} times the smaller. What is the {w}?", s=x + big, k=k, w=(w := rng.choice(["smaller number", "larger number"])))
    parts = work.add("Parts", k, 1)
    low = work.div("Smaller", x + big, parts)
    return work.problem(text, low if w.startswith("s") else work.mul("Larger", low, k))


@family(1.6)
def ages(rng):
    """Ages of relatives now, before and later."""
    work = Work(rng, "ages")
    p, q = people(rng, 2)
    a, k, d, y = rng.randint(3, 30), rng.randint(2, 5), rng.randint(1, 30), rng.randint(1, 20)
    rel = rng.choice(["mother", "father", "uncle", "teacher", "grandmother", "brother", "sister", "cousin"])
    other = rng.choice([f"{p}'s {rel}", str(q)])
    Other = other
    kind = rng.choice(["times", "older", "future", "sum", "past", "ratio", "three", "twice_future"])
    kw = {2: "twice", 3: "three times", 4: "four times", 5: "five times"}[k]
    old = rng.choice(["old", "years old"])
    if kind == "times":
        n = rng.randint(1, 9)
        more = rng.choice(["", "more", "less"])
        text = say(rng, "{p} is {a} years old. {o} is " + {"": "{k} as old as {p}", "more": "{n} years older than {k} {p}'s age", "less": "{n} years younger than {k} {p}'s age"}[more] + ". How old is {o}?", p=p, a=a + 2, o=other, k=kw, n=n)
        base = work.mul("Multiple", a + 2, k)
        return work.problem(text, base if not more else work.add("Age", base, n) if more == "more" else work.sub("Age", base, n))
    if kind == "older":
        text = say(rng, "{p} is {a} years old. {o} is {d} years [older|younger] than {p}. How old " + rng.choice(["is {o}", "will {o} be in {y} years"]) + "?", p=p, a=a + d, o=other, d=d, y=y)
        age = work.add("Age", a + d, d) if "older" in text else work.sub("Age", a + d, d)
        return work.problem(text, work.add("Later", age, y) if "will" in text else age)
    if kind == "future":
        text = say(rng, "[In {y} years, {p} will be {s} years old. How old is {p} now|{y} years ago {p} was {a} years old. How old [is {p} now|will {p} be in {d} years]]?", p=p, y=y, s=a + y, a=a, d=d)
        if text.startswith("In"):
            return work.problem(text, work.sub("Now", a + y, y))
        now = work.add("Now", a, y)
        return work.problem(text, work.add("Later", now, d) if "will" in text else now)
    if kind == "sum":
        times = rng.random() < 0.5
        if times:
            text = say(rng, "The sum of the ages of {p} and {o} is {s}. {o} is {k} as old as {p}. How old is {w}?", p=p, o=other, s=a * (k + 1), k=kw, w=(w := rng.choice([str(p), other])))
            parts = work.add("Parts", k, 1)
            low = work.div(p.name, a * (k + 1), parts)
            return work.problem(text, low if w == str(p) else work.mul("Older", low, k))
        text = say(rng, "The [sum of the ages|total age] of {p} and {o} is {s}. {o} is {d} years older than {p}. How old is {p}?", p=p, o=other, s=2 * a + d, d=d)
        double = work.sub("Double", 2 * a + d, d)
        return work.problem(text, work.div("Age", double, 2))
    if kind == "past":
        text = say(rng, "{p} is {a} years old and {o} is {b}. [How many years ago was {o} {k} as old as {p}|In how many years will {o} be twice as old as {p}]?", p=p, a=a + y, b=a * k + y, o=other, k=kw)
        if "ago" in text:
            diff = work.sub("Difference", a * k + y, a + y)
            parts = work.sub("Parts", k, 1)
            then = work.div("Age then", diff, parts)
            return work.problem(text, work.sub("Years", a + y, then))
        young, later = a, rng.randint(1, 12)
        text = say(rng, "{p} is {a} years old and {o} is {b}. In how many years will {o} be twice as old as {p}?", p=p, a=young, b=2 * young + later, o=other)
        diff = work.sub("Difference", 2 * young + later, young)
        return work.problem(text, work.sub("Years", diff, young))
    if kind == "ratio":
        m, n = rng.sample(range(2, 8), 2)
        text = say(rng, "The ages of {p} and {o} are in the ratio {m}:{n}. The sum of their ages is {s}. How old is {p}?", p=p, o=other, m=m, n=n, s=(m + n) * a)
        parts = work.add("Parts", m, n)
        one = work.div("One part", (m + n) * a, parts)
        return work.problem(text, work.mul("Age", one, m))
    if kind == "three":
        r = people(rng, 1)[0]
        text = say(rng, "{p} is {a} years old. {q} is {k} as old as {p}, and {r} is {d} years older than {q}. [How old is {r}|What is the sum of their ages]?", p=p, q="Max" if str(q) == str(p) else q, r="Ada" if r in (p, q) else r, a=a, k=kw, d=d)
        b = work.mul("Second", a, k)
        c = work.add("Third", b, d)
        return work.problem(text, work.add("Sum", a, b, c) if "sum" in text else c)
    text = say(rng, "{p} is {a} years old now. {o} is {k} as old as {p}. How old will {o} be in {y} years?", p=p, a=a, o=other, k=kw, y=y)
    now = work.mul("Now", a, k)
    return work.problem(text, work.add("Later", now, y))


@family(1.2)
def heads_and_legs(rng):
    """Chickens and rabbits, bills, vehicles: two kinds from two totals."""
    work = Work(rng, "heads_and_legs")
    x, y = rng.randint(2, 40), rng.randint(2, 30)
    kind = rng.choice(["animals", "animals", "money", "wheels", "score", "tables"])
    if kind == "score":
        right, wrong, gain, loss = rng.randint(5, 18), rng.randint(1, 8), rng.choice([5, 10, 4, 8]), rng.choice([1, 2, 3])
        n = right + wrong
        total = right * gain - wrong * loss
        text = say(rng, "[In a contest there are|A test has] {n} problems. Each correct answer [gives|is worth] {g} points and each wrong one loses {l}. {p} answered all and [got|scored] {t} points. How many did {he} get [right|wrong]?", n=n, g=gain, l=loss, p=(w := person(rng)), he=w.he, t=total)
        full = work.mul("All right", n, gain)
        lost = work.sub("Lost", full, total)
        each = work.add("Per wrong", gain, loss)
        bad = work.div("Wrong", lost, each)
        return work.problem(text, work.sub("Right", n, bad) if text.endswith("right?") else bad)
    big, small = {"animals": (4, 2), "wheels": (4, 2), "money": rng.choice([(5, 2), (10, 5), (5, 1), (20, 10), (50, 20)]), "tables": (6, 4)}[kind]
    if kind == "animals":
        a, b = rng.choice([("rabbits", "chickens"), ("rabbits", "chickens"), ("cows", "ducks"), ("pigs", "geese")])
        text = say(rng, "[There are {b} and {a} in a [cage|yard]. Together they have|On a farm there are {b} and {a} with|A farmer has {b} and {a}. They have] {n} heads and {t} [legs|feet]. How many {w} are there?", a=a, b=b, n=x + y, t=4 * x + 2 * y, w=(w := rng.choice([a, b])))
    elif kind == "wheels":
        a, b = "cars", rng.choice(["motorcycles", "bikes"])
        text = say(rng, "[A parking lot has|There are] {n} {a} and {b}[| in a parking lot]. They have {t} wheels [in all|altogether]. How many {w} are there?", a=a, b=b, n=x + y, t=4 * x + 2 * y, w=(w := rng.choice([a, b])))
    elif kind == "tables":
        a, b = "big boats", "small boats"
        text = say(rng, "{t} [students|people] go boating in {n} boats. A big boat holds 6 and a small boat holds 4, and all are full. How many {w} are there?", n=x + y, t=6 * x + 4 * y, w=(w := rng.choice([a, b])))
    else:
        unit = rng.choice(["yuan", "dollar"])
        a, b = f"{big}-{unit} notes", f"{small}-{unit} notes"
        text = say(rng, "{p} has {n} notes of {s} {u} and {b} {u}, {t} {us} in all. How many {w} are there?", p=person(rng), n=x + y, s=small, b=big, u=unit, us=unit + ("s" if unit == "dollar" else ""), t=big * x + small * y, w=(w := rng.choice([a, b])))
    total = big * x + small * y
    least = work.mul(f"If all are {b}", x + y, small)
    extra = work.sub("Extra", total, least)
    step = work.sub("Step", big, small)
    many = work.div(a.capitalize(), extra, step)
    return work.problem(text, many if w == a else work.sub(b.capitalize(), x + y, many))


@family(1.2)
def weights(rng):
    """Weights and lengths of several things, containers and leftovers."""
    work = Work(rng, "weights")
    kg = rng.choice(["kilograms", "kg", "grams", "tons", "pounds"])
    a, b, c, d = rng.randint(2, 20), rng.randint(2, 50), rng.randint(2, 15), rng.randint(2, 40)
    o, q = rng.sample(["rice", "flour", "apples", "pears", "cement", "sugar", "potatoes", "oil", "cabbage", "corn"], 2)
    kind = rng.choice(["two", "left", "more", "each", "truck", "bottle"])
    if kind == "two":
        text = say(rng, "[A [store|canteen|school|truck] [bought|received|carries]|There are] {a} bags of {o} [weighing|of] {b} {u} each and {c} bags of {q} [weighing|of] {d} {u} each. How many {u} is that [altogether|in all|in total]?", a=a, b=b, c=c, d=d, o=o, q=q, u=kg)
        x, y = work.mul(o.capitalize(), a, b), work.mul(q.capitalize(), c, d)
        return work.problem(text, work.add("Total", x, y))
    if kind == "more":
        text = say(rng, "[A [store|canteen|school|truck] [bought|received|carries]|There are] {a} bags of {o} [weighing|of] {b} {u} each and {c} bags of {q} [weighing|of] {d} {u} each. How many more {u} of {m} than {l} are there?", a=a, b=b, c=c, d=d, o=o, q=q, u=kg, m=o if a * b >= c * d else q, l=q if a * b >= c * d else o)
        x, y = work.mul(o.capitalize(), a, b), work.mul(q.capitalize(), c, d)
        return work.problem(text, work.sub("More", max(x, y), min(x, y)))
    if kind == "left":
        n = a * b + rng.randint(5, 200)
        text = say(rng, "[A [store|canteen|school|kitchen] has|There are] {n} {u} of {o}. It uses {b} {u} [a|each|every|per] day. How many {u} are left after {a} days?", n=n, u=kg, o=o, a=a, b=b)
        used = work.mul("Used", b, a)
        return work.problem(text, work.sub("Left", n, used))
    if kind == "each":
        text = say(rng, "{a} {k} of {o} weigh {n} {u}. [How much does each weigh|How many {u} do {c} {k} weigh]?", k=rng.choice(["bags", "boxes", "baskets", "sacks"]), a=a, o=o, n=a * b, u=kg, c=c)
        one = work.div("Each", a * b, a)
        return work.problem(text, one if "does each" in text else work.mul("Weight", one, c))
    if kind == "truck":
        load = rng.randint(2, 12)
        n = load * a + c * load
        text = say(rng, "{n} tons of [goods|coal|sand] must be moved. {a} trips of {k} tons each have been made. How many more trips [of {k} tons |]are needed?", n=n, a=a, k=load)
        done = work.mul("Done", a, load)
        rest = work.sub("Left", n, done)
        return work.problem(text, work.div("Trips", rest, load))
    oil = rng.randint(2, 20) * 2
    jar = rng.randint(1, 9)
    text = say(rng, "A {k} full of oil weighs {n} {u}. With half of the oil it weighs {m} {u}. How many {u} [of oil were there|does the [empty |]{k} weigh]?", k=rng.choice(["barrel", "bottle", "bucket", "can"]), n=oil + jar, m=oil // 2 + jar, u="kilograms")
    half = work.sub("Half the oil", oil + jar, oil // 2 + jar)
    full = work.mul("Oil", half, 2)
    return work.problem(text, full if "were there" in text else work.sub("Empty", oil + jar, full))


@family(1.2)
def clock_and_units(rng):
    """Time spans and unit conversions."""
    work = Work(rng, "clock_and_units")
    who = person(rng)
    n, k = rng.randint(2, 24), rng.randint(2, 12)
    kind = rng.choice(["convert", "times", "per", "left", "weeks", "dozen", "practice"])
    if kind == "convert":
        big, small, f = rng.choice([("hours", "minutes", 60), ("minutes", "seconds", 60), ("days", "hours", 24), ("weeks", "days", 7), ("years", "months", 12), ("meters", "centimeters", 100), ("kilometers", "meters", 1000), ("kilograms", "grams", 1000), ("feet", "inches", 12), ("dozen", "pieces", 12), ("tons", "kilograms", 1000), ("liters", "milliliters", 1000)])
        back = rng.random() < 0.4
        if back:
            return work.problem(say(rng, "[How many {b} are {n} {s}|Convert {n} {s} to {b}][?]", n=n * f, b=big, s=small), work.div(big.capitalize(), n * f, f))
        return work.problem(say(rng, "[How many {s} are [there |]in {n} {b}|Convert {n} {b} to {s}][?]", n=n, b=big, s=small), work.mul(small.capitalize(), n, f))
    if kind == "times":
        h = rng.randint(1, 5)
        text = say(rng, "{p} [reads|practices|works|runs|exercises] {n} minutes [a|every|each] day. How many [hours|minutes] is that in {d} days?", p=who, n=n * 5, d=12 * k)
        total = work.mul("Minutes", n * 5, 12 * k)
        return work.problem(text, work.div("Hours", total, 60) if "hours" in text else total)
    if kind == "per":
        text = say(rng, "{p} can [type|read|write] {n} words [a|per] minute. How many [minutes does {he} need for {t} words|words can {he} manage in {k} minutes]?", p=who, he=who.he, n=n * 5, t=n * 5 * k, k=k)
        return work.problem(text, work.div("Minutes", n * 5 * k, n * 5) if "need" in text else work.mul("Words", n * 5, k))
    if kind == "left":
        a, b, h = rng.randint(5, 50), rng.randint(5, 50), rng.randint(2, 5)
        text = say(rng, "{p} has {h} hours [for homework|to clean the house|before dinner]. {He} spends {a} minutes on [math|the kitchen|cooking] and {b} minutes on [reading|the garden|shopping]. How many minutes are left?", p=who, He=who.he, h=h, a=a, b=b)
        total = work.mul("Minutes", h, 60)
        used = work.add("Used", a, b)
        return work.problem(text, work.sub("Left", total, used))
    if kind == "weeks":
        a, b = rng.randint(1, 6), rng.randint(1, 5)
        text = say(rng, "{p} [trains|practices|studies|works|swims] {a} hours [a|every|each] day, {b} days a week. How many hours is that in {k} weeks?", p=who, a=a, b=b, k=k)
        week = work.mul("Week", a, b)
        return work.problem(text, work.mul("Total", week, k))
    if kind == "dozen":
        price = rng.randint(2, 30)
        text = say(rng, "{p} [buys|orders|bought] {n} dozen {o}[ at ${c} a dozen. How much does {he} pay|. How many {o} is that|, and {k} of them are broken. How many are good]?", p=who, he=who.he, n=k, o=rng.choice(["eggs", "roses", "donuts", "pencils", "cookies"]), c=price, k=n)
        if "$" in text:
            return work.problem(text, work.mul("Cost", price, k))
        total = work.mul("Pieces", k, 12)
        return work.problem(text, work.sub("Good", total, n) if "broken" in text else total)
    a = rng.randint(10, 60)
    text = say(rng, "{p} [ran|practiced|studied|walked] {a} minutes on Monday and twice as long on Tuesday. On Wednesday it was {n} minutes more than on Monday. How many minutes is that [in all|altogether]?", p=who, a=a, n=n)
    b = work.mul("Tuesday", a, 2)
    c = work.add("Wednesday", a, n)
    return work.problem(text, work.add("Total", a, b, c))
