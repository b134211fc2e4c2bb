"""Independent computations of the answers of the samples in OlympiadBench's style."""

from fractions import Fraction

from sympy import Interval, S, Union, cos, maximum, pi, sin, solve, summation, symbols

x, y, n, k, a, b = symbols("x y n k a b")


def unit_fractions(reference):
    pairs = [(p, q) for p in range(7, 13) for q in range(p, 43) if 6 * (p + q) == p * q]
    return reference.strip("$") == ",".join(f"({p},{q})" for p, q in pairs)


def rounded_percentage(reference):
    percent = Fraction(100 * sum(number % 7 == 0 for number in range(1, 601)), 600)
    tenths = (percent * 10 + Fraction(1, 2)).__floor__()
    return reference == f"{tenths // 10}.{tenths % 10} (tolerance 0.1)"


def linear_functions(reference):
    solutions = solve([a**2 - 9, a * b + b + 8], [a, b])
    texts = [f"f(x)={slope}x{int(shift):+}" for slope, shift in sorted(solutions, reverse=True)]
    return reference.strip("$") == ",".join(texts)


def two_real_roots():
    # The discriminant t² - 4t is positive.
    return Union(Interval.open(-S.Infinity, 0), Interval.open(4, S.Infinity))


def digit_sums():
    def digits(number):
        return sum(map(int, str(number)))

    number = 1
    while digits(number) % 7 or digits(number + 1) % 7:
        number += 1
    return number


def largest_ratio():
    # The legs are c·sin and c·cos of an angle.
    return maximum(sin(x) + cos(x), x, Interval(0, pi / 2))


CHECKS = {
    "sample.1": lambda: {m for m in range(1, 100) if (3 * m + 12) % (m * m + 2) == 0},
    "sample.3": lambda: set(solve(x**4 - 13 * x**2 + 36, x)),
    "sample.4": lambda: next(m for m in range(3, 100) if m * (m - 3) == 70),
    "sample.5": largest_ratio,
    "sample.8": two_real_roots,
    "sample.9": digit_sums,
    "sample.10": lambda: summation(k * (k + 1), (k, 1, n)).factor(),
}
COMPARE = {
    "sample.2": unit_fractions,
    "sample.6": rounded_percentage,
    "sample.7": linear_functions,
}
