"""Independent computations of the answers of the samples in the style of the AIME of 2024."""

from itertools import combinations, product
from math import factorial, isqrt

from sympy import Point, Rational, divisors, integer_nthroot, solve, symbols

x = symbols("x")


def sum_and_product():
    return sum(
        1
        for a in range(1, 61)
        for b in range(a, 61)
        if (a + b) % 7 == 0 and a * b % 5 == 0
    )


def square_and_cube():
    number = 1
    while not (integer_nthroot(12 * number, 2)[1] and integer_nthroot(18 * number, 3)[1]):
        number += 1
    return number


def heads_apart():
    tosses = ["".join(toss) for toss in product("HT", repeat=10)]
    chance = Rational(sum("HH" not in toss for toss in tosses), len(tosses))
    return chance.p + chance.q


def median():
    # B and C on the axis, A above it.
    b, c = Point(0, 0), Point(14, 0)
    a = Point(5, 12)
    assert a.distance(b) == 13 and a.distance(c) == 15
    return a.distance(b.midpoint(c)) ** 2


def logarithms():
    # In powers of two: x is 2 to the p, y is 2 to the q.
    p, q = symbols("p q")
    powers = solve([p + q / 2 - 7, p / 2 + q - 5], [p, q])
    return 2 ** powers[p] + 2 ** powers[q]


def differences_of_squares():
    squares = [number**2 for number in range(501)]
    found = {a - b for a in squares for b in squares if 1 <= a - b <= 1000}
    return len(found)


def frog():
    def ways(place):
        if place == 12:
            return 1
        return sum(ways(place + jump) for jump in (1, 2, 3) if place + jump <= 12 and place + jump != 5)

    return ways(0)


def square_products():
    pairs = combinations(divisors(2**4 * 3**3 * 5), 2)
    return sum(isqrt(a * b) ** 2 == a * b for a, b in pairs)


CHECKS = {
    "sample.1": sum_and_product,
    "sample.2": square_and_cube,
    "sample.3": heads_apart,
    "sample.4": median,
    "sample.5": lambda: sum(k * factorial(k) for k in range(1, 2025)) % 1000,
    "sample.6": logarithms,
    "sample.7": differences_of_squares,
    "sample.8": frog,
    "sample.9": square_products,
    # The product of (r + 1) is minus the polynomial at -1.
    "sample.10": lambda: -(x**3 - 9 * x**2 + 23 * x - 14).subs(x, -1),
}
