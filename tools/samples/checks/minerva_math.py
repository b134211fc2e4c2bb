"""Independent computations of the answers of the samples in the style of OCWCourses."""

import re
from fractions import Fraction

from sympy import Function, Rational, diff, dsolve, exp, log, solve, sqrt, symbols

t, s, P = symbols("t s P")


def significant(value, digits):
    """A positive number rounded to so many digits, as `1.6e5`."""
    mantissa, exponent = f"{float(value):.{digits - 1}e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def written_as(value, digits):
    return lambda reference: reference == significant(value, digits)


def initial_value():
    y = Function("y")
    return dsolve(diff(y(t), t) + 2 * y(t), y(t), ics={y(0): 5}).rhs


def is_solution(reference):
    assert initial_value() == 5 * exp(-2 * t)
    return re.sub(r"\s", "", reference) == "5e^{-2t}"


def is_characteristic(reference):
    roots = sorted(solve(s**2 + 5 * s + 6, s))
    factors = {f"(s+{-root})" for root in roots}
    return {factor + ")" for factor in reference.split(")") if factor} == factors


def entropy():
    chances = [Rational(1, 2), Rational(1, 4), Rational(1, 8), Rational(1, 8)]
    return sum(chance * -log(chance, 2) for chance in chances)


CHECKS = {
    "sample.2": lambda: Fraction(1240, 500),
    "sample.3": lambda: diff(t**3 - 6 * t**2 + 9 * t, t, 2).subs(t, 4),
    "sample.6": lambda: 1 / sqrt(1 - Rational(6, 10) ** 2),
    "sample.7": lambda: solve(120 - 4 * P - 2 * P, P)[0],
    "sample.8": entropy,
    "sample.9": lambda: sqrt(Rational(9, 4)),
}
COMPARE = {
    "sample.1": written_as(Fraction(2400, 6) ** 2, 2),
    "sample.4": is_solution,
    # One atom in a cube with an edge of 3 angstroms, which are 3e-8 cm.
    "sample.5": written_as(1 / Fraction(3, 10**8) ** 3, 2),
    "sample.10": is_characteristic,
}
