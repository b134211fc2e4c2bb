"""Independent computations of the answers of the samples in SVAMP's style."""

from sympy import Rational, solve, symbols

x = symbols("x")

CHECKS = {
    "sample.1": lambda: solve(x + 19 - 48, x)[0],
    "sample.2": lambda: Rational(252, 21),
    # On less off is what the bus has more.
    "sample.3": lambda: solve(34 + x - 41, x)[0],
    "sample.4": lambda: sum(6 for _ in range(14)),
    "sample.5": lambda: len([(row, chair) for row in range(13) for chair in range(11)]),
    "sample.6": lambda: sum((62, 45)),
    "sample.7": lambda: solve(x - 16 - 57, x)[0],
    "sample.8": lambda: Rational(96, 8),
    "sample.9": lambda: solve(x + 39 - 54, x)[0],
    "sample.10": lambda: solve(x + 5 - (14 + 3), x)[0],
}
