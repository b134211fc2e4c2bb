"""Independent computations for datasets/agieval_math/sample.jsonl."""

from datetime import date, timedelta
from itertools import product

from sympy import (
    I,
    Matrix,
    Rational,
    S,
    acos,
    cos,
    cot,
    csc,
    deg,
    expand,
    integrate,
    latex,
    oo,
    pi,
    sec,
    sin,
    solve,
    solveset,
    sqrt,
    summation,
    symbols,
    tan,
)

x, y, t = symbols("x y t", real=True)
n = symbols("n", integer=True, positive=True)


def bare(text):
    """Drop everything from a LaTeX answer that does not change its meaning."""
    for mark in (r"\left", r"\right"):
        text = text.replace(mark, "")
    return "".join(text.split())


def written_as(compute):
    """Return a test that a reference is written like the LaTeX of compute()."""
    return lambda reference: bare(reference) == bare(compute())


def no_real_roots():
    discriminant = (x**2 + t * x + t + 3).as_poly(x).discriminant()
    return latex(solveset(discriminant < 0, t, S.Reals))


def base_six_double():
    value, digits = 2 * int("1203", 4), ""
    while value:
        value, digit = divmod(value, 6)
        digits = f"{digit}{digits}"
    return f"{digits}_6"


def transformation_matrix():
    """Use the images of the unit vectors as columns."""
    columns = []
    for first, second in ((1, 0), (0, 1)):
        reflected = (second, first)
        columns.append([2 * reflected[0], -3 * reflected[1]])
    return latex(Matrix(columns).T, mat_str="pmatrix", mat_delim="")


def multiple_of_five():
    rolls = list(product(range(1, 9), range(1, 7)))
    return Rational(sum(sum(roll) % 5 == 0 for roll in rolls), len(rolls))


def median_length():
    # B = (0, 0) and C = (8, 0); A follows from its distances to B and C.
    apex = solve([x**2 + y**2 - 81, (x - 8) ** 2 + y**2 - 121], (x, y), dict=True)[0]
    return sqrt((apex[x] - 4) ** 2 + apex[y] ** 2)


def region_around_segment():
    half_disk = integrate(2 * sqrt(4 - x**2), (x, 0, 2))
    rational, multiple_of_pi = (5 * 4 + 2 * half_disk).as_coeff_Add()
    return f"{rational}+{latex(multiple_of_pi)}"


def nonagon_angle():
    # Unit sides: B at the origin, A at (1, 0), P and C on the same side of AB.
    point_p = Matrix([cos(pi / 3), sin(pi / 3)])
    interior = 7 * pi / 9
    point_c = Matrix([cos(interior), sin(interior)])
    to_b, to_c = -point_p, point_c - point_p
    cosine = to_b.dot(to_c) / (to_b.norm() * to_c.norm())
    degrees = deg(acos(cosine)).evalf(30)
    assert abs(degrees - round(degrees)) < 1e-20
    return rf"{round(degrees)}^\circ"


def absolute_value_solutions():
    roots = set(solve(x**2 - 10 - 6, x)) | set(solve(x**2 - 10 + 6, x))
    return ",".join(map(str, sorted(roots)))


def fifth_power():
    real, imaginary = expand((2 + I) ** 5).as_real_imag()
    return f"{real}{int(imaginary):+}i"


def line_meets_plane():
    start, end = Matrix([1, 0, 2]), Matrix([3, 1, 5])
    point = start + t * (end - start)
    (parameter,) = solve(sum(point) - 15, t)
    return f"({','.join(map(str, point.subs(t, parameter)))})"


def perpendicular_bisector():
    to_first = (x - 1) ** 2 + (y - 2) ** 2
    to_second = (x - 7) ** 2 + (y + 2) ** 2
    (line,) = solve(expand(to_first - to_second), y)
    slope, constant = line.coeff(x, 1), line.coeff(x, 0)
    return f"y={latex(slope)}x{int(constant):+}"


def quadratic_with_difference(reference):
    """Solve for the coefficients from p(0), p(1) - p(0) and p(2) - p(1)."""
    a, b, c = symbols("a b c")
    values = [a * v**2 + b * v + c for v in range(3)]
    conditions = [values[0] - 2, values[1] - values[0] + 1, values[2] - values[1] - 3]
    found = solve(conditions, (a, b, c))
    expected = latex((a * x**2 + b * x + c).subs(found))
    return bare(reference) == bare(expected).replace("^{2}", "^2")


def simultaneous_remainders():
    return sum(v % 6 == 2 and v % 7 == 3 for v in range(1, 500))


def notebook_price():
    equations = [3 * x + 5 * y - Rational(1475, 100), 2 * x + 2 * y - Rational(850, 100)]
    return rf"\${float(solve(equations, (x, y))[x]):.2f}"


def mixed_number_average():
    average = (Rational(5, 2) + Rational(15, 4) + Rational(16, 3)) / 3
    whole = int(average)
    return f"{whole}{latex(average - whole)}"


def area_growth():
    return rf"{100 * Rational(140, 100) * Rational(75, 100) - 100}\%"


def single_function():
    """Find the one basic function that agrees with the quotient at many points."""
    quotient = (sin(x) + sin(2 * x)) / (1 + cos(x) + cos(2 * x))
    points = [Rational(i, 7) for i in range(1, 20)]
    agreeing = [
        name
        for name, function in {
            "sin": sin, "cos": cos, "tan": tan, "cot": cot, "sec": sec, "csc": csc
        }.items()
        if all(abs((quotient - function(x)).subs(x, v).evalf()) < 1e-9 for v in points)
    ]
    (name,) = agreeing
    return rf"\{name} x"


def codes_without_repeats():
    count = sum(
        all(first != second for first, second in zip(code, code[1:]))
        for code in product(range(10), repeat=5)
    )
    return f"{count:,}".replace(",", r",\!")


def weekday_later():
    sunday = date(2023, 1, 1)
    assert sunday.strftime("%A") == "Sunday"
    return rf"\text{{{(sunday + timedelta(days=1000)).strftime('%A')}}}"


CHECKS = {
    "sample.4": multiple_of_five,
    "sample.5": median_length,
    "sample.13": simultaneous_remainders,
    "sample.19": lambda: summation((n + 1) / 6**n, (n, 1, oo)),
}

COMPARE = {
    "sample.1": written_as(no_real_roots),
    "sample.2": written_as(base_six_double),
    "sample.3": written_as(transformation_matrix),
    "sample.6": written_as(region_around_segment),
    "sample.7": written_as(nonagon_angle),
    "sample.8": written_as(absolute_value_solutions),
    "sample.9": written_as(fifth_power),
    "sample.10": written_as(line_meets_plane),
    "sample.11": written_as(perpendicular_bisector),
    "sample.12": quadratic_with_difference,
    "sample.14": written_as(notebook_price),
    "sample.15": written_as(mixed_number_average),
    "sample.16": written_as(area_growth),
    "sample.17": written_as(single_function),
    "sample.18": written_as(codes_without_repeats),
    "sample.20": written_as(weekday_later),
}
