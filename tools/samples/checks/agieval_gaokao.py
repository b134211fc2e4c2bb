"""Independent computations for datasets/agieval_gaokao/sample.jsonl."""

from itertools import permutations, product
from math import cos as float_cos, sin as float_sin, tan as float_tan, prod

from sympy import (
    FiniteSet,
    I,
    Interval,
    Matrix,
    Rational,
    S,
    Symbol,
    conjugate,
    expand,
    factor,
    latex,
    maximum,
    minimum,
    oo,
    pi,
    simplify,
    sin,
    solve,
    solveset,
    sqrt,
    summation,
    symbols,
)

x, y = symbols("x y", real=True)
n, j = symbols("n j", integer=True, positive=True)
positive = Symbol("positive", positive=True)


def bare(text):
    """Drop everything from a LaTeX answer that does not change its meaning."""
    for mark in ("$", r"\left", r"\right"):
        text = text.replace(mark, "")
    return "".join(text.split())


def written_as(compute):
    """Return a test that a reference is written like the LaTeX of compute()."""
    return lambda reference: bare(reference) == bare(compute())


def median_and_sine():
    vertex = 4 * Matrix([Rational(2, 3), sqrt(5) / 3, 0])
    midpoint = Matrix([3, 0, 0])
    to_vertex, to_b = vertex - midpoint, -midpoint
    length = simplify(to_vertex.norm())
    sine = simplify(to_vertex.cross(to_b).norm() / (length * to_b.norm()))
    return f"{latex(length)};{latex(sine)}"


def domain():
    logarithm = Interval.open(-2, oo) - FiniteSet(*solve(x + 2 - 1, x))
    root = solveset(abs(x) < 5, x, S.Reals)
    return latex(logarithm.intersect(root))


def directrix():
    (coefficient,) = solve(16 * x + 2, x)
    return f"y={latex(-1 / (4 * coefficient))}"


def conjugate_of_quotient():
    real, imaginary = conjugate(expand((7 + I) ** 2) / (3 + 4 * I)).as_real_imag()
    return rf"{simplify(real)}+{simplify(imaginary)}\mathrm{{i}}"


def inequality_parameter():
    # Only t = |x| > 0 restricts the parameter, which must stay below (t^2 + 4) / t.
    bound = minimum((x**2 + 4) / x, x, Interval.open(0, oo))
    return latex(Interval.open(-oo, bound))


def shelf_arrangements():
    count = 0
    for row in permutations("DEbcef"):
        first, second = sorted((row.index("D"), row.index("E")))
        count += second - first > 1 and first > 0 and second < 5
    return count


def removed_by_filter():
    left = 100 * Rational(70, 100) ** 3
    return rf"{float(100 - left):g} \%"


def vector_between_sides():
    side, other = Matrix([1, 0]), Matrix([0, 1])
    corner = side + other
    point_e = side + Rational(2, 3) * (corner - side)
    point_f = (corner + other) / 2
    first, second = point_f - point_e
    return rf"{latex(first)} \vec{{a}}+{latex(second)} \vec{{b}}"


def order_at_one_radian():
    values = {"a": float_sin(1), "b": float_cos(1), "c": float_tan(1)}
    return "<".join(sorted(values, key=values.get))


def smallest_translation():
    # An odd function vanishes at 0, and a sine that does so is odd.
    shifts = solveset(sin(pi / 5 - 3 * x), x, Interval.Lopen(0, 2 * pi / 3))
    return min(shifts)


def eccentricity():
    # With a = 1, e = c and b^2 = 1 - e^2; the distance from O to AB is ab / |AB|.
    squared = 1 - x**2
    roots = solve(squared - x**2 * (1 + squared), x)
    (value,) = (root for root in roots if 0 < root < 1)
    return simplify(value)


def powers_of_two():
    small = {v for v in range(20) if v * v < 20}
    exponents = {v for v in range(-20, 20) if Rational(2) ** v in (1, 4, 16, 64)}
    return latex(FiniteSet(*(small & exponents)))


def union_of_solutions():
    # The fraction is at least 1 where the product with (x - 1)^2 says so, x != 1.
    fraction = solveset(2 * (x - 1) >= (x - 1) ** 2, x, S.Reals) - FiniteSet(1)
    union = fraction.union(solveset(x**2 < 4, x, S.Reals))
    assert union == Interval.Lopen(union.start, union.end)
    return rf"\{{x \mid {union.start}<x \leq {union.end}\}}"


def mirror_image():
    on_line = (1 + x) / 2 - 2 * (4 + y) / 2 + 2
    perpendicular = Matrix([x - 1, y - 4]).dot(Matrix([2, 1]))
    image = solve([on_line, perpendicular], (x, y))
    return f"({image[x]},{image[y]})"


def hyperbola():
    # b is positive and a^2 = 13 - b^2; the asymptotes are bx - ay = 0, bx + ay = 0.
    other = sqrt(13 - positive**2)
    distance = positive * sqrt(13) / sqrt(positive**2 + other**2)
    (b,) = solve(distance - 2, positive)
    return rf"\frac{{x^{{2}}}}{{{13 - b**2}}}-\frac{{y^{{2}}}}{{{b**2}}}=1"


def alarm_probability():
    chances = (Rational(8, 10), Rational(5, 10), Rational(6, 10))
    return sum(
        prod(p if hit else 1 - p for p, hit in zip(chances, hits))
        for hits in product((True, False), repeat=3)
        if sum(hits) >= 2
    )


def equal_coefficients():
    power = expand((x + y) ** 5)
    values = [v for v in solve(power.coeff(x, 2) - power.coeff(x, 4), y) if v != 0]
    assert len(values) == 2 and sum(values) == 0
    return rf"\pm {latex(max(values))}"


def light_distance():
    mantissa, exponent = f"{3 * 10**5 * 25 * 60:e}".split("e")
    return rf"{float(mantissa):g} \times 10^{{{int(exponent)}}} \mathrm{{~km}}"


CHECKS = {
    "sample.7": shelf_arrangements,
    "sample.11": smallest_translation,
    "sample.12": eccentricity,
    "sample.17": alarm_probability,
    "sample.20": lambda: maximum(sin(2 * x) - x, x, Interval(0, pi / 2)),
}

COMPARE = {
    "sample.1": written_as(median_and_sine),
    "sample.2": written_as(domain),
    "sample.3": written_as(directrix),
    "sample.4": written_as(conjugate_of_quotient),
    "sample.5": written_as(inequality_parameter),
    "sample.6": written_as(lambda: latex(factor(summation(j * (j + 1), (j, 1, n))))),
    "sample.8": written_as(removed_by_filter),
    "sample.9": written_as(vector_between_sides),
    "sample.10": written_as(order_at_one_radian),
    "sample.13": written_as(powers_of_two),
    "sample.14": written_as(union_of_solutions),
    "sample.15": written_as(mirror_image),
    "sample.16": written_as(hyperbola),
    "sample.18": written_as(equal_coefficients),
    "sample.19": written_as(light_distance),
}
