"""Independent computations of the answers of the samples in CMATH's style."""

from sympy import Rational, solve, symbols

x = symbols("x")


CHECKS = {
    "sample.1": lambda: solve(x + 9 - 36, x)[0],
    "sample.2": lambda: sum(25 for _ in range(48)),
    "sample.3": lambda: Rational(126, 42),
    "sample.4": lambda: sum((15, 8, 15, 8)),
    "sample.5": lambda: sum(65 for _ in range(12)),
    "sample.6": lambda: 240 - 240 * Rational(2, 5),
    "sample.7": lambda: 180 * Rational(75, 100),
    "sample.8": lambda: Rational(3, 7),
    "sample.9": lambda: Rational(46, 50),
    "sample.10": lambda: solve(60 * x + 50 * x - 330, x)[0],
}
