"""Independent computations of the answers of the samples in AQuA's style."""

from fractions import Fraction
from itertools import combinations

from sympy import solve, symbols

t = symbols("t")


def letter(value, options):
    """The letter of the one option that is the value."""
    (place,) = [place for place, option in enumerate(options) if option == value]
    return "ABCDE"[place]


def smallest_number():
    number = next(n for n in range(3, 10**6) if all(n % m == 2 for m in (5, 6, 8)))
    return letter(number, [62, 92, 118, 122, 242])


CHECKS = {
    "sample.1": lambda: letter(180 / (Fraction(54000, 3600)), [10, 12, 15, 18, 20]),
    "sample.2": lambda: letter(640 * Fraction(115, 100), [704, 720, 736, 744]),
    "sample.3": lambda: letter(solve(t / 12 + t / 24 - 1, t)[0], [6, 7, 8, 9, 10]),
    "sample.4": lambda: letter(
        solve(1500 * t * 8 / 100 - 360, t)[0], [2, Fraction(5, 2), 3, Fraction(7, 2), 4]
    ),
    "sample.5": lambda: letter(Fraction(7 * 18 - 30, 6), [14, 15, 16, 17, 18]),
    "sample.6": lambda: letter(96 * Fraction(5, 3 + 5), [36, 45, 54, 60, 64]),
    "sample.7": lambda: letter(len(list(combinations(range(9), 3))), [27, 72, 84, 504, 729]),
    "sample.8": lambda: letter(solve(t / 6 - t / 9 - 1, t)[0], [12, 15, 18, 20, 24]),
    "sample.9": lambda: letter((Fraction(110, 100) ** 2 - 1) * 100, [10, 11, 20, 21, 25]),
    "sample.10": smallest_number,
}
