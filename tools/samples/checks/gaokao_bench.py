"""Independent computations for datasets/gaokao_bench/sample.jsonl."""

from itertools import combinations
from statistics import NormalDist

from sympy import (
    Abs,
    FiniteSet,
    I,
    Interval,
    Matrix,
    Rational,
    S,
    Symbol,
    acos,
    conjugate,
    deg,
    diff,
    exp,
    expand,
    latex,
    log,
    minimum,
    oo,
    pi,
    real_roots,
    simplify,
    solve,
    solveset,
    sqrt,
    symbols,
    sympify,
    tan,
)

x, y, a, b, m, n, k = symbols("x y a b m n k", real=True)


def bare(text):
    """Drop everything from a LaTeX answer that does not change its meaning."""
    for mark in ("$", r"\left", r"\right"):
        text = text.replace(mark, "")
    return "".join(text.split())


def written_as(compute):
    """Return a test that a reference is written like the LaTeX of compute()."""
    return lambda reference: bare(reference) == bare(compute())


def odd_integers_near_one():
    return latex(FiniteSet(*(v for v in range(-20, 21) if abs(v - 1) <= 3 and v % 2)))


def complement_and_root_inequality():
    outside = solveset(x**2 - 2 * x - 8 >= 0, x, S.Reals)
    # A square root is at least 1 exactly when its radicand is.
    root_at_least_one = solveset(x - 1 >= 1, x, S.Reals)
    common = outside.complement(S.Reals).intersect(root_at_least_one)
    assert common == Interval.Ropen(common.start, common.end)
    return rf"\{{x \mid {common.start} \leq x<{common.end}\}}"


def conjugate_equation():
    z = a + b * I
    equation = expand(z + 2 * conjugate(z) - (9 - 4 * I))
    parts = solve(equation.as_real_imag(), (a, b))
    quotient = simplify(z.subs(parts) / (1 + I))
    real, imaginary = quotient.as_real_imag()
    return rf"{latex(real)}+{latex(imaginary)} \mathrm{{i}}"


def different_color_and_number():
    cards = [("red", v) for v in range(1, 5)] + [("blue", v) for v in range(1, 6)]
    draws = list(combinations(cards, 2))
    good = [(p, q) for p, q in draws if p[0] != q[0] and p[1] != q[1]]
    return Rational(len(good), len(draws))


def increasing_cubic():
    derivative = diff(x**3 - 3 * a * x**2 + 12 * x + 1, x)
    (bound,) = solve(derivative, a)
    return latex(Interval(-oo, minimum(bound, x, Interval.open(1, oo))))


def sphere_around_cone():
    slant = 6
    base_radius = slant * (2 * pi / 3) / (2 * pi)
    height = sqrt(slant**2 - base_radius**2)
    # The center is on the axis, equally far from the apex and the base circle.
    (center,) = solve((height - y) ** 2 - (y**2 + base_radius**2), y)
    return 4 * pi * (height - center) ** 2


def tangent_line():
    curve = (x + 2) * log(x) + x**2
    slope = diff(curve, x).subs(x, 1)
    return "y=" + latex(expand(slope * (x - 1) + curve.subs(x, 1)))


def asymptotes():
    positive = Symbol("positive", positive=True)
    (semi_axis,) = solve(Rational(4, 2) ** 2 - 9 / positive**2 - 1, positive)
    return rf"y=\pm {latex(semi_axis / 2)} x"


def angle_in_cube():
    to_center = Matrix([Rational(1, 2), Rational(1, 2), 1])
    to_vertex = Matrix([1, 0, 1])
    cosine = to_center.dot(to_vertex) / (to_center.norm() * to_vertex.norm())
    return latex(deg(acos(simplify(cosine)))) + r"^{\circ}"


def perpendicular_and_parallel():
    u, v, w = Matrix([3, -1]), Matrix([1, 2]), Matrix([x, y])
    found = solve([w.dot(u - v), Matrix.hstack(w - u, v).det()], (x, y))
    return f"({latex(found[x])},{latex(found[y])})"


def order_of_logarithms():
    values = {"a": log(3, 2), "b": log(10, 4), "c": Rational(3, 2)}
    return "<".join(sorted(values, key=lambda name: values[name].evalf()))


def general_term_fits(reference):
    """Compare the general term with the first terms of the recurrence."""
    name, formula = bare(reference).split("=")
    formula = formula.replace(r"\cdot", "*").replace("^{", "**(").replace("}", ")")
    term = sympify(formula, locals={"n": n})
    expected = 1
    for index in range(1, 13):
        if term.subs(n, index) != expected:
            return False
        expected = 3 * expected + 2
    return name == "a_{n}"


def circumradius():
    side = Symbol("side", positive=True)
    q, r = 3, 5
    cos_a = (q**2 + r**2 - side**2) / (2 * q * r)
    cos_b = (side**2 + r**2 - q**2) / (2 * side * r)
    cos_c = (side**2 + q**2 - r**2) / (2 * side * q)
    (length,) = solve(r * cos_b + q * cos_c - 2 * side * cos_a, side)
    p = (length + q + r) / 2
    area = sqrt(expand(p * (p - length) * (p - q) * (p - r)))
    return simplify(length * q * r / (4 * area))


def shifted_tangent():
    sine = Symbol("sine", positive=True)
    (value,) = solve(1 - 2 * sine**2 - Rational(7, 25), sine)
    tangent = value / sqrt(1 - value**2)
    return (tangent + tan(pi / 4)) / (1 - tangent * tan(pi / 4))


def minimum_of_exponential(reference):
    """Compare the reference with the value at the only stationary point."""
    function = exp(2 * x) - 6 * x
    (lowest,) = solveset(diff(function, x), x, S.Reals)
    value = sympify(bare(reference).replace(r"\ln3", "*log(3)"))
    return simplify(function.subs(x, lowest) - value) == 0


def expected_bags():
    spread = -5 / NormalDist().inv_cdf(0.15)
    mass = NormalDist(500, spread)
    return Rational(str(round(3 * (mass.cdf(505) - mass.cdf(500)), 9)))


def tangent_values():
    # The line meets the circle once: the quadratic in x has discriminant 0.
    quadratic = expand((x - 1) ** 2 + (m - x - 2) ** 2 - 2).as_poly(x)
    return " or ".join(map(str, sorted(real_roots(quadratic.discriminant(), m))))


def tangent_circle():
    solutions = solve((-3 - k) ** 2 + (4 - 2 * k) ** 2 - (2 * k) ** 2, k)
    (center,) = solutions
    left = latex((x - center) ** 2) + "+" + latex((y - 2 * center) ** 2)
    return f"{left}={(2 * center) ** 2}"


CHECKS = {
    "sample.4": lambda: simplify(Abs((5 + I**7) / (2 - I))),
    "sample.5": different_color_and_number,
    "sample.7": sphere_around_cone,
    "sample.14": lambda: expand((1 - x) ** 3 * (1 + 2 * x) ** 5).coeff(x, 2),
    "sample.15": circumradius,
    "sample.16": shifted_tangent,
    "sample.18": expected_bags,
}

COMPARE = {
    "sample.1": written_as(odd_integers_near_one),
    "sample.2": written_as(complement_and_root_inequality),
    "sample.3": written_as(conjugate_equation),
    "sample.6": written_as(increasing_cubic),
    "sample.8": written_as(tangent_line),
    "sample.9": written_as(asymptotes),
    "sample.10": written_as(angle_in_cube),
    "sample.11": written_as(perpendicular_and_parallel),
    "sample.12": written_as(order_of_logarithms),
    "sample.13": general_term_fits,
    "sample.17": minimum_of_exponential,
    "sample.19": written_as(tangent_values),
    "sample.20": written_as(tangent_circle),
}
