"""Independent computations of the answers of the samples in the style of Gaokao 2023 En."""

import re
from itertools import permutations

from sympy import I, Interval, Poly, Rational, acos, conjugate, diff, expand, solve, sqrt, symbols

x, d = symbols("x d")


def common_elements():
    return {number for number in (-2, -1, 0, 3, 5) if number**2 - 3 * number - 4 <= 0}


def common_difference():
    # S_5 is five times a_3.
    return solve(5 * 7 + (7 + 3 * d) - 51, d)[0]


def apart():
    rows = ("".join(row) for row in permutations("ABCDE"))
    return sum("AB" not in row and "BA" not in row for row in rows)


def tangent(reference):
    curve = x**3 - 2 * x
    slope = diff(curve, x).subs(x, 1)
    line = expand(slope * (x - 1) + curve.subs(x, 1))
    return re.sub(r"[$\s]", "", reference) == f"y={line}".replace(" ", "")


def contrapositive():
    """Of the four statements the one that is true exactly where the given one is, whatever is
    true of its parts."""
    cases = [(p, q) for p in (False, True) for q in (False, True)]

    def implies(one, other):
        return not one or other

    options = {
        "A": lambda p, q: implies(q, p),
        "B": lambda p, q: implies(not p, not q),
        "C": lambda p, q: implies(not q, not p),
        "D": lambda p, q: implies(p, not q),
    }
    given = [implies(p, q) for p, q in cases]
    return "".join(
        letter
        for letter, statement in options.items()
        if [statement(p, q) for p, q in cases] == given
    )


CHECKS = {
    "sample.1": common_elements,
    "sample.2": lambda: conjugate(solve((1 + 2 * I) * x - 5, x)[0]).simplify(),
    "sample.3": common_difference,
    "sample.4": lambda: Poly((2 * x - 1) ** 6, x).coeff_monomial(x**3),
    "sample.5": lambda: sqrt(1 + Rational(4, 3) ** 2),
    "sample.6": lambda: Interval(1, 4, left_open=True),
    "sample.7": apart,
    "sample.8": lambda: acos(Rational(25 + 9 - 49, 30)),
    "sample.10": contrapositive,
}
COMPARE = {"sample.9": tangent}
