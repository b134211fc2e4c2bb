"""Independent computations of the answers of the samples in ASDiv's style."""

from datetime import datetime, timedelta
from math import gcd

from sympy import Rational, ceiling, lcm, solve, symbols

x = symbols("x")


def ratio(reference):
    common = gcd(120, 96)
    return reference == f"{120 // common}:{96 // common}"


def end_of_film(reference):
    end = datetime(2026, 1, 1, 18, 45) + timedelta(hours=1, minutes=50)
    return reference == f"{end.hour - 12}:{end.minute:02} p.m."


def taller():
    heights = {"Paula": 142, "Rosa": 142 + 9}
    return max(heights, key=heights.get)


CHECKS = {
    "sample.1": lambda: 8 + 17,
    "sample.2": lambda: Rational(300, 25),
    "sample.5": taller,
    "sample.6": lambda: ceiling(Rational(100, 12)),
    "sample.7": lambda: sum(9 for _ in range(14)),
    "sample.8": lambda: lcm([6, 8, 9]),
    "sample.9": lambda: solve(2 * x + 15 - 47, x)[0],
    "sample.10": lambda: sum((156, 98)),
}
COMPARE = {"sample.3": ratio, "sample.4": end_of_film}
