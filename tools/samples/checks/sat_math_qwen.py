"""Independent computations of the answers of the samples in the style of the SAT."""

from fractions import Fraction

from sympy import expand, pi, solve, symbols

x, h, k = symbols("x h k")


def letter(value, options):
    """The letter of the one option that is the value."""
    (place,) = [place for place, option in enumerate(options) if option == value]
    return "ABCD"[place]


def intercept():
    slope = Fraction(9 - 1, 6 - 2)
    return letter(1 - slope * 2, [-3, -2, 2, 3])


def neither():
    without_bus = 250 - 250 * Fraction(40, 100)
    return letter(without_bus - 30, [100, 120, 130, 150])


def number_of_solutions():
    difference = expand(6 * (x - 2) - 2 * (3 * x - 6))
    return "D" if difference == 0 else "ABC"[len(solve(difference, x))]


CHECKS = {
    "sample.1": lambda: letter(2 * solve(4 * x + 9 - 33, x)[0] - 5, [1, 6, 7, 12]),
    "sample.2": lambda: letter(3 * 2**4, [24, 48, 96, 1296]),
    "sample.3": lambda: letter(expand((x + 5) ** 2 - (x - 5) ** 2), [0, 50, 10 * x, 20 * x]),
    "sample.4": intercept,
    "sample.5": neither,
    "sample.6": number_of_solutions,
    "sample.7": lambda: letter(solve(pi * 9 * h - 72 * pi, h)[0], [4, 8, 12, 24]),
    "sample.8": lambda: letter(25000 * Fraction(80, 100) ** 2, [15000, 16000, 20000, 24000]),
    "sample.9": lambda: letter(sum(solve(x**2 - 9 * x + 14, x)), [-9, 5, 9, 14]),
    "sample.10": lambda: letter(solve((4 + 9 + 11 + k) / 4 - 10, k)[0], [8, 10, 14, 16]),
}
