"""Independent computations of the answers of the samples in MATH-500's style."""

from fractions import Fraction
from itertools import combinations

from sympy import Matrix, Poly, Rational, Symbol, cos, pi, sin, solve, sqrt, symbols

x, k = symbols("x k")


def orthogonal():
    a, b = Matrix([2, -1, 3]), Matrix([4, k, -1])
    return solve(a.dot(b), k)[0]


def absolute_values():
    # The left side is linear between the places where one of the two changes its sign.
    real = Symbol("real", real=True)
    found = set()
    for first in (1, -1):
        for second in (1, -1):
            for root in solve(first * (2 * real - 5) + second * (real + 1) - 9, real):
                if abs(2 * root - 5) + abs(root + 1) == 9:
                    found.add(root)
    return found


def three_colors():
    bag = "RRRRBBBGG"
    draws = list(combinations(range(len(bag)), 3))
    wanted = [draw for draw in draws if len({bag[index] for index in draw}) == 3]
    return Fraction(len(wanted), len(draws))


def even_coefficients():
    coefficients = Poly((3 * x**2 - 5 * x + 1) ** 7, x).all_coeffs()[::-1]
    return sum(coefficients[::2])


CHECKS = {
    "sample.1": lambda: 7**2027 % 13,
    "sample.2": lambda: solve((3 * x - 2) / (x + 4) - 2, x)[0],
    "sample.3": absolute_values,
    "sample.4": orthogonal,
    # Area over half of the perimeter.
    "sample.5": lambda: Rational(9 * 40, 2) / (Rational(9 + 40 + 41) / 2),
    "sample.6": lambda: sum(1 for d in range(12, 7201, 12) if 7200 % d == 0),
    "sample.7": three_colors,
    "sample.8": lambda: (
        6 * sin(pi / 6) * cos(pi / 2),
        6 * sin(pi / 6) * sin(pi / 2),
        6 * cos(pi / 6),
    ),
    "sample.9": lambda: sqrt(45) - 2 * sqrt(20) + sqrt(125),
    "sample.10": even_coefficients,
}
