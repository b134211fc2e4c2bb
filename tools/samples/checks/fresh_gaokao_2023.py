"""Independent computations for datasets/fresh_gaokao_2023/sample.jsonl."""

from itertools import permutations

from sympy import (
    FiniteSet,
    I,
    Interval,
    Matrix,
    Rational,
    S,
    Symbol,
    atan,
    cos,
    deg,
    diff,
    expand,
    expand_trig,
    latex,
    log,
    oo,
    pi,
    rad,
    simplify,
    sin,
    solve,
    solveset,
    sqrt,
    symbols,
)
from sympy.calculus.util import function_range

x, a, first, step = symbols("x a first step", real=True)


def bare(text):
    """Drop everything from a LaTeX answer that does not change its meaning."""
    for mark in (r"\(", r"\)", r"\[", r"\]", r"\left", r"\right"):
        text = text.replace(mark, "")
    return "".join(text.split())


def written_as(compute):
    """Return a test that a reference is written like the LaTeX of compute()."""
    return lambda reference: bare(reference) == bare(compute())


def intersection():
    return latex(FiniteSet(*(v for v in (-1, 0, 1, 2, 3) if v * v < 2 * v + 1)))


def rotated_number():
    real_part, imaginary_part = symbols("real_part imaginary_part", real=True)
    conditions = [2 * real_part + 6, real_part**2 + imaginary_part**2 - 25]
    solutions = solve(conditions, (real_part, imaginary_part))
    ((u, v),) = (pair for pair in solutions if pair[1] > 0)
    real, imaginary = expand(I * (u + v * I)).as_real_imag()
    return f"{real}{int(imaginary):+}i"


def arithmetic_sum():
    (start,) = solve((first + step) + (first + 6 * step) - 13, first)
    return expand(sum(start + i * step for i in range(8)))


def third_angle():
    angles = [atan(root) for root in solve(6 * x**2 - 5 * x + 1, x)]
    angle = pi - sum(angles)
    degrees = deg(angle).evalf(30)
    assert abs(degrees - round(degrees)) < 1e-20
    return rad(round(degrees))


def increasing_parameter():
    # The derivative is nonnegative exactly when a is at most this bound.
    (bound,) = solve(diff(log(x) + x**2 - a * x, x), a)
    return latex(Interval(-oo, function_range(bound, x, Interval.open(1, 2)).inf))


def ellipse():
    # The vertex (w, 0) has the distance sum 10 to the two foci.
    w = Symbol("w", positive=True)
    (half_width,) = solve(2 * sqrt(w**2 + 9) - 10, w)
    squares = (half_width**2, Rational(10, 2) ** 2)
    terms = (rf"\frac{{{v}^2}}{{{d}}}" for v, d in zip("xy", squares))
    return "+".join(terms) + "=1"


def absolute_value_inequality():
    # |u| >= x means u >= x or -u >= x.
    right = solveset(2 * x - 3 >= x, x, S.Reals)
    left = solveset(-(2 * x - 3) >= x, x, S.Reals)
    assert (left, right) == (Interval(-oo, left.end), Interval(right.start, oo))
    return rf"\{{x|x \leq {left.end} \text{{or}} x \geq {right.start}\}}"


def tangent_expression():
    angle = atan(2)
    return simplify(expand_trig(sin(2 * angle)) / (1 + cos(angle) ** 2))


def vector_length():
    u = Matrix([1, 0])
    v = Matrix([cos(2 * pi / 3), sin(2 * pi / 3)])
    return simplify((3 * u + 5 * v).norm())


def odd_numbers():
    return sum(
        thousands > 0 and units % 2 == 1 and tens > units
        for thousands, _, tens, units in permutations(range(6), 4)
    )


CHECKS = {
    "sample.3": arithmetic_sum,
    "sample.4": third_angle,
    "sample.8": tangent_expression,
    "sample.9": vector_length,
    "sample.10": odd_numbers,
}

COMPARE = {
    "sample.1": written_as(intersection),
    "sample.2": written_as(rotated_number),
    "sample.5": written_as(increasing_parameter),
    "sample.6": written_as(ellipse),
    "sample.7": written_as(absolute_value_inequality),
}
