"""Independent computations of the answers of the samples in the style of MAWPS."""

from fractions import Fraction

from sympy import solve, symbols

x = symbols("x")


def ten_places(fraction):
    """A fraction whose decimal does not end, rounded to ten places as MAWPS writes it."""

    def matches(reference):
        whole = (fraction * 10**10 + Fraction(1, 2)).__floor__()
        return reference == f"0.{whole:010}"

    return matches


CHECKS = {
    "sample.1": lambda: solve(x + 18 - 46, x)[0],
    "sample.2": lambda: Fraction("7.45") + Fraction("3.80"),
    "sample.3": lambda: sum(26 for _ in range(9)),
    "sample.4": lambda: solve(x + Fraction("0.5") - Fraction("0.75"), x)[0],
    "sample.6": lambda: 15 - 4 + sum((6, 6, 6)),
    "sample.7": lambda: Fraction("2.5") + Fraction("1.75"),
    "sample.8": lambda: Fraction(84, 6),
    "sample.9": lambda: solve(31 + x - 50, x)[0],
}
COMPARE = {
    "sample.5": ten_places(Fraction(7, 21)),
    "sample.10": ten_places(Fraction(10, 12)),
}
