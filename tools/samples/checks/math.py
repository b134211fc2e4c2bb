"""Independent computations for datasets/math/sample.jsonl."""

import cmath
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import combinations, permutations, product
from math import degrees, factorial, gcd, isclose, lcm, radians
from operator import mul

from sympy import (
    Abs,
    Circle,
    Eq,
    I,
    Interval,
    Line,
    Matrix,
    Point,
    Poly,
    Polygon,
    Rational,
    RegularPolygon,
    S,
    Segment,
    Triangle,
    acos,
    arg,
    atan,
    cos,
    cot,
    csc,
    deg,
    diff,
    div,
    divisors,
    expand,
    integrate,
    latex,
    limit,
    nsimplify,
    oo,
    pi,
    real_roots,
    root,
    sec,
    simplify,
    sin,
    solve,
    solveset,
    sqrt,
    summation,
    symbols,
    tan,
)
from sympy.calculus.util import minimum

x, y, z, t, k, m, b, c = symbols("x y z t k m b c", real=True)


def bare(text):
    """Drop the blanks and sizing commands of a LaTeX answer."""
    return "".join(text.replace(r"\left", "").replace(r"\right", "").split())


def written_as(compute):
    """Return a test that a reference is written like the LaTeX that compute() returns."""
    return lambda reference: bare(reference) == bare(compute())


def pmatrix(matrix):
    """Write a matrix in LaTeX, with fractions in the form a/b."""
    rows = [" & ".join(map(str, row)) for row in matrix.tolist()]
    return r"\begin{pmatrix} " + r" \\ ".join(rows) + r" \end{pmatrix}"


def only(values):
    """Return the single element of a collection."""
    (value,) = values
    return value


def smallest(condition):
    """Return the smallest positive integer that satisfies a condition."""
    number = 1
    while not condition(number):
        number += 1
    return number


# --- Algebra ------------------------------------------------------------------------------


def scone_boxes():
    return only(scones for scones in range(32) if 4 * (31 - scones) + 7 * scones == 160)


def perpendicular_line():
    line = Line(Point(6, -4), Point(6, -4) + Point(3, -5))
    assert line.is_perpendicular(Line(Eq(3 * x - 5 * y, 11), x="x", y="y"))
    return solve(line.equation(x, y), y)[0]


def interval_of_inequality():
    return solveset(x**2 - 3 * x <= 2 * (x + 3), x, S.Reals)


def garden_side():
    return only(side for side in solve(Eq(x * (x + 6), 2 * (x - 3) ** 2), x) if side > 3)


def expanded_product():
    return expand((2 * t - 1) * (t**2 + 4 * t - 3) - 2 * t**3)


def continuity_parameter():
    left = limit(k * x + 7, x, 4, "-")
    right = limit(x**2 - 3 * k, x, 4, "+")
    return only(solve(Eq(left, right), k))


def kayak_rental():
    prices = solve([Eq(b + 3 * m, Rational("41.75")), Eq(b + 5 * m, Rational("60.25"))], [b, m])
    return prices[b] + 2 * prices[m]


def integers_near_half_of_nine():
    return sum(abs(2 * n - 9) < 14 for n in range(-100, 100))


def logarithm():
    return only(solve(Eq(27**x, 9 * root(3, 4)), x))


def system_of_reciprocals():
    return only(solve([Eq(2 / x + 3 / y, 4), Eq(4 / x - 9 / y, -2)], [x, y]))


# --- Counting & Probability ---------------------------------------------------------------


def repeated_sock_color():
    socks = "b" * 5 + "g" * 4 + "k" * 3
    draws = list(combinations(socks, 3))
    return Fraction(sum(len(set(draw)) < 3 for draw in draws), len(draws))


def increasing_digits_with_even_sum():
    return sum(
        list(digits) == sorted(set(digits)) and sum(digits) % 2 == 0
        for digits in (tuple(map(int, str(number))) for number in range(1000, 10000))
    )


def separated_letters():
    return sum("RR" not in "".join(word) for word in set(permutations("TERRACE")))


def larger_of_two_rolls():
    rolls = list(product(range(1, 9), repeat=2))
    return Fraction(sum(map(max, rolls)), len(rolls))


def cubic_coefficient():
    return expand((1 + 2 * x) ** 5 * (1 - x) ** 4).coeff(x, 3)


def two_heads():
    head = {True: Fraction(60, 100), False: Fraction(40, 100)}
    tosses = product([True, False], repeat=3)
    return sum(head[i] * head[j] * head[n] for i, j, n in tosses if i + j + n == 2)


def near_a_vertex():
    """The area within a corner quarter of the square, which is nearest to its own vertex."""
    near = integrate(sqrt(4 - x**2), (x, 0, 2))
    return near / 3**2


def robot_paths():
    count = {}
    for right, up in product(range(7), range(5)):
        if (right, up) == (0, 0):
            count[right, up] = 1
        elif (right, up) == (2, 2):
            count[right, up] = 0
        else:
            count[right, up] = count.get((right - 1, up), 0) + count.get((right, up - 1), 0)
    return count[6, 4]


def round_table():
    """Ana keeps seat 0, which counts every class of rotations once."""
    ben, cal = 0, 1
    return sum(not {seats[0], seats[-1]} & {ben, cal} for seats in permutations(range(6)))


def student_majorities():
    people = ["teacher"] * 6 + ["student"] * 5
    return sum(committee.count("student") > 2 for committee in combinations(people, 5))


# --- Geometry -----------------------------------------------------------------------------


def altitude_triangle():
    a, b, d = Point(0, 0), Point(9, 0), Point(4, 0)
    height = symbols("height", positive=True)
    right_angle = (a - Point(d.x, height)).dot(b - Point(d.x, height))
    return Triangle(a, b, Point(d.x, only(solve(right_angle, height)))).area


def surface_of_revolution(profile, start, end):
    return integrate(simplify(2 * pi * profile * sqrt(1 + diff(profile, x) ** 2)), (x, start, end))


def wooden_top():
    radius, length = 5, 17
    height = length - radius
    cone = surface_of_revolution(Rational(radius, height) * x, 0, height)
    return cone + surface_of_revolution(sqrt(radius**2 - x**2), 0, radius)


def angle_between_bisectors(angle_at_r):
    """Angle PIQ, in degrees, of a triangle PQR with RP = 2, RQ = 3 and the given angle at R."""
    p, q, r = 2 + 0j, 3 * cmath.exp(1j * radians(angle_at_r)), 0j
    opposite_sides = abs(q - r), abs(r - p), abs(p - q)
    incenter = sum(map(mul, opposite_sides, (p, q, r))) / sum(opposite_sides)
    return degrees(abs(cmath.phase((p - incenter) / (q - incenter))))


def angle_of_triangle():
    return only(angle for angle in range(1, 180) if isclose(angle_between_bisectors(angle), 118))


def diagonals_of_polygon():
    sides = smallest(lambda n: n > 2 and Fraction(180 * (n - 2), n) == 11 * Fraction(360, n))
    corners = range(sides)
    return sum((j - i) % sides not in (1, sides - 1) for i, j in combinations(corners, 2))


def trapezoid_of_chords():
    circle = Circle(Point(0, 0), 13)
    height = symbols("height", positive=True)
    above = only(solve(height**2 + 5**2 - circle.radius**2, height))
    below = -only(solve(height**2 + 12**2 - circle.radius**2, height))
    return Polygon((-5, above), (-12, below), (12, below), (5, above)).area


def circle_center():
    center = Circle(Point(1, 2), Point(9, 2), Point(3, 8)).center
    return (center.x, center.y)


def ratio_on_cevian():
    a, b, c = Point(0, 0), Point(5, 0), Point(1, 7)
    d = a + (b - a) * Rational(2, 5)
    e = b + (c - b) * Rational(3, 4)
    f = only(Segment(a, e).intersection(Segment(c, d)))
    return a.distance(f) / f.distance(e)


def hexagon_without_sectors():
    hexagon = RegularPolygon(Point(0, 0), 4, 6)
    assert hexagon.length == 4
    sectors = sum(angle / 2 * 2**2 for angle in hexagon.angles.values())
    return abs(hexagon.area) - sectors


def rhombus_area():
    half = symbols("half", positive=True)
    side = Point(12, 0).distance(Point(0, half))
    other = only(solve(Eq(4 * side, 52), half))
    return f"{Polygon((12, 0), (0, other), (-12, 0), (0, -other)).area} cm^2"


def obtuse_triangles():
    def obtuse(sides):
        short, middle, long = sorted(sides)
        return short + middle > long and short**2 + middle**2 < long**2

    return sum(obtuse((7, 8, third)) for third in range(1, 100))


# --- Intermediate Algebra -----------------------------------------------------------------


def complex_square_roots():
    real_and_imaginary_parts = expand((x + I * y) ** 2 - (5 - 12 * I)).as_real_imag()
    return {u + v * I for u, v in solve(real_and_imaginary_parts, [x, y])}


def roots_of_cubic():
    return set(real_roots(3 * x**3 - 11 * x**2 - 6 * x + 8))


def rational_inequality():
    return solveset((x - 1) / (x + 4) >= 2 / (x - 2), x, S.Reals)


def remainder_of_polynomial():
    """Divide one polynomial with the two given remainders by the product."""
    example = only(solve([(8 + 2 * b + c) - 5, (-1 - b + c) + 4], [b, c], dict=True))
    return div((x**3 + b * x + c).subs(example), expand((x - 2) * (x + 1)), x)[1]


def telescoping_sum():
    n = symbols("n", integer=True, positive=True)
    return summation(1 / (n**2 + 4 * n + 3), (n, 1, oo))


def minimum_of_sum():
    return minimum(4 * x + 9 / (x + 1), x, Interval.open(-1, oo))


def distance_of_foci():
    ellipse = 2 * x**2 + 5 * y**2 - 12 * x + 20 * y + 28
    center = solve([diff(ellipse, x), diff(ellipse, y)], [x, y])
    semiaxes_squared = [
        only({(end - center[axis]) ** 2 for end in solve(ellipse.subs(other, center[other]), axis)})
        for axis, other in ((x, y), (y, x))
    ]
    return 2 * sqrt(abs(semiaxes_squared[0] - semiaxes_squared[1]))


def polynomial_of_root_sums():
    """Expand the product over the numerical roots, and round its coefficients."""
    r, s, t = Poly(x**3 - 4 * x**2 + 2 * x + 5).nroots(n=30)
    product_of_factors = expand((x - r - s) * (x - s - t) * (x - t - r))
    return sum(round(product_of_factors.coeff(x, power).as_real_imag()[0]) * x**power for power in range(4))


def odd_function():
    choices = {
        "A": x**3 + 1,
        "B": x * Abs(x),
        "C": x**2 - 1 / x**2,
        "D": 2**x + 2**-x,
        "E": x / (x - 1),
    }
    return f"({only(name for name, f in choices.items() if simplify(f.subs(x, -x) + f) == 0)})"


def number_plus_modulus():
    return only(u + 4 * I for u in solve(Eq(x + sqrt(x**2 + 4**2), 8), x))


# --- Number Theory ------------------------------------------------------------------------


def base_seven_sum():
    total, digits = int("345", 7) + int("264", 7), ""
    while total:
        total, digit = divmod(total, 7)
        digits = f"{digit}{digits}"
    return f"{digits}_7"


def remainder_of_powers():
    return (3**100 + 5**100) % 26


def restricted_divisors():
    return sum(divisor % 12 == 0 and divisor % 25 != 0 for divisor in divisors(10800))


def library_books():
    return only(books for books in range(1, 400) if (books % 5, books % 7, books % 11) == (3, 4, 6))


def repeating_decimal():
    return summation(Rational(27, 1000) * Rational(1, 100) ** m, (m, 0, oo)) + Rational(4, 10)


def positive_solutions():
    return sum(7 * first + 11 * second == 500 for first, second in product(range(1, 100), repeat=2))


def smallest_sum():
    pairs = combinations(range(12, 721, 12), 2)
    return min(sum(pair) for pair in pairs if gcd(*pair) == 12 and lcm(*pair) == 720)


def zeros_in_base_six():
    return smallest(lambda exponent: factorial(50) % 6**exponent != 0) - 1


def linear_congruence():
    return smallest(lambda number: 17 * number % 43 == 4)


def digits_for_divisibility():
    return {digit for digit in range(10) if int(f"3{digit}5{digit}4") % 12 == 0}


# --- Prealgebra ---------------------------------------------------------------------------


def missing_flour():
    return (3 + Fraction(1, 6)) - (1 + Fraction(3, 4))


def price_reduction():
    return 1 - Fraction(120, 100) * Fraction(65, 100)


def pens_and_notebooks():
    return 9 // 3 * Fraction("2.40") + 4 * Fraction("1.85")


def lowest_score():
    return 5 * 84 - 4 * Fraction("87.5")


def decimal_arithmetic():
    return Fraction("0.6") * Fraction("0.35") + Fraction("1.2") / Fraction("0.08")


def arrival_time():
    departure = datetime(2001, 1, 1, 9, 47)
    arrival = departure + timedelta(minutes=int(Fraction(156, 72) * 60))
    return f"{arrival.hour}:{arrival.minute} a.m." if arrival.hour < 12 else "in the afternoon"


def red_to_white():
    ratio = Fraction(2, 3) * Fraction(4, 5)
    return f"{ratio.numerator}:{ratio.denominator}"


def smaller_supplementary_angle():
    return only(angle for angle in range(1, 90) if Fraction(angle, 180 - angle) == Fraction(7, 11))


def quotient_of_fractions():
    return (Fraction(2, 3) - Fraction(1, 4)) / (Fraction(5, 6) + Fraction(5, 8))


def weekday_of_august():
    """August 1 in all the years in which March 1 is a Tuesday."""
    tuesday = 1
    years = [year for year in range(1950, 2050) if date(year, 3, 1).weekday() == tuesday]
    return only({f"{date(year, 8, 1):%A}" for year in years})


# --- Precalculus --------------------------------------------------------------------------


def matrix_power():
    return pmatrix(Matrix([[2, -3], [1, -1]]) ** 100)


def closest_multiple():
    direction, target = Matrix([2, 1, -2]), Matrix([4, 7, -3])
    distance_squared = (t * direction - target).dot(t * direction - target)
    return pmatrix(direction * only(solve(diff(distance_squared, t), t)))


def polar_midpoint():
    p = 6 * (cos(pi / 2) + I * sin(pi / 2))
    q = 2 * sqrt(3) * (cos(pi) + I * sin(pi))
    midpoint = expand((p + q) / 2)
    return (Abs(midpoint), arg(midpoint))


def angles_of_equation():
    solutions = solveset(2 * sin(x) ** 2 - 3 * cos(x), x, Interval.Ropen(0, 2 * pi))
    return {deg(solution) for solution in solutions}


def sum_of_arctangents():
    value = atan(Rational(1, 4)) + atan(Rational(3, 5))
    multiple = nsimplify((value / pi).evalf(30), rational=True, tolerance=1e-20)
    return multiple * pi


def plane_of_line():
    normal = Matrix([2, -1, 3]).cross(Matrix([1, 0, 1]))
    normal = normal / normal[0]
    plane = normal.dot(Matrix([x, y, z]) - Matrix([1, 2, 3]))
    return latex(plane) + "=0"


def power_of_complex_number():
    return expand((sqrt(3) + I) ** 7)


def axis_of_symmetry():
    """The candidates are the multiples of pi/60 at which the graph is its own mirror image."""

    def symmetric(a):
        mirrored = cos(3 * (2 * pi / 5 - x) - a)
        return all(
            abs((mirrored - cos(3 * x - a)).subs(x, Rational(point, 7)).evalf()) < 1e-12
            for point in range(1, 8)
        )

    return smallest(lambda n: symmetric(n * pi / 60)) * pi / 60


def angle_of_vectors():
    cosine = only(solve(Eq(3**2 - 2 * 3 * 5 * c + 5**2, 7**2), c))
    return deg(acos(cosine))


def single_function():
    """The one basic function that agrees with the quotient at many points."""
    quotient = (1 - cos(2 * x)) / (sin(x) * sin(2 * x))
    return only(
        f"{function.__name__} x"
        for function in (sin, cos, tan, cot, sec, csc)
        if all(abs((quotient - function(x)).subs(x, Rational(i, 7)).evalf()) < 1e-9 for i in range(1, 20))
    )


CHECKS = {
    "sample.1": scone_boxes,
    "sample.2": perpendicular_line,
    "sample.3": interval_of_inequality,
    "sample.4": garden_side,
    "sample.5": expanded_product,
    "sample.6": continuity_parameter,
    "sample.7": kayak_rental,
    "sample.8": integers_near_half_of_nine,
    "sample.9": logarithm,
    "sample.10": system_of_reciprocals,
    "sample.11": repeated_sock_color,
    "sample.12": increasing_digits_with_even_sum,
    "sample.13": separated_letters,
    "sample.14": larger_of_two_rolls,
    "sample.15": cubic_coefficient,
    "sample.16": two_heads,
    "sample.17": near_a_vertex,
    "sample.18": robot_paths,
    "sample.19": round_table,
    "sample.20": student_majorities,
    "sample.21": altitude_triangle,
    "sample.22": wooden_top,
    "sample.23": angle_of_triangle,
    "sample.24": diagonals_of_polygon,
    "sample.25": trapezoid_of_chords,
    "sample.26": circle_center,
    "sample.27": ratio_on_cevian,
    "sample.28": hexagon_without_sectors,
    "sample.29": rhombus_area,
    "sample.30": obtuse_triangles,
    "sample.31": complex_square_roots,
    "sample.32": roots_of_cubic,
    "sample.33": rational_inequality,
    "sample.34": remainder_of_polynomial,
    "sample.35": telescoping_sum,
    "sample.36": minimum_of_sum,
    "sample.37": distance_of_foci,
    "sample.38": polynomial_of_root_sums,
    "sample.39": odd_function,
    "sample.40": number_plus_modulus,
    "sample.41": base_seven_sum,
    "sample.42": remainder_of_powers,
    "sample.43": restricted_divisors,
    "sample.44": library_books,
    "sample.45": repeating_decimal,
    "sample.46": positive_solutions,
    "sample.47": smallest_sum,
    "sample.48": zeros_in_base_six,
    "sample.49": linear_congruence,
    "sample.50": digits_for_divisibility,
    "sample.51": missing_flour,
    "sample.52": price_reduction,
    "sample.53": pens_and_notebooks,
    "sample.54": lowest_score,
    "sample.55": decimal_arithmetic,
    "sample.56": arrival_time,
    "sample.57": red_to_white,
    "sample.58": smaller_supplementary_angle,
    "sample.59": quotient_of_fractions,
    "sample.60": weekday_of_august,
    "sample.63": polar_midpoint,
    "sample.64": angles_of_equation,
    "sample.65": sum_of_arctangents,
    "sample.67": power_of_complex_number,
    "sample.68": axis_of_symmetry,
    "sample.69": angle_of_vectors,
    "sample.70": single_function,
}

COMPARE = {
    "sample.61": written_as(matrix_power),
    "sample.62": written_as(closest_multiple),
    "sample.66": written_as(plane_of_line),
}
