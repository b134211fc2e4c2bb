"""Independent computations of the answers of the samples in the style of the AIME of 2025."""

from itertools import combinations, product

from sympy import Polygon, Rational, cos, pi, sin, sqrt


def triangle_in_hexagon():
    corners = [(6 * cos(k * pi / 3), 6 * sin(k * pi / 3)) for k in (0, 2, 4)]
    area = abs(Polygon(*corners).area)
    assert area == 27 * sqrt(3)
    return 27 + 3


def colorings():
    rows = product("RWB", repeat=8)
    return sum(
        row[0] == row[-1] == "R" and all(a != b for a, b in zip(row, row[1:])) for row in rows
    )


def recurrence():
    terms = [1, 3]
    while len(terms) < 6:
        terms.append(5 * terms[-1] - 6 * terms[-2])
    return terms[-1]


def two_cards():
    pairs = list(combinations(range(1, 11), 2))
    chance = Rational(sum(b >= 2 * a for a, b in pairs), len(pairs))
    return chance.p + chance.q


def box():
    return min(
        2 * (a * b + b * c + a * c)
        for a in range(1, 181)
        for b in range(1, 181)
        if 180 % (a * b) == 0
        for c in [180 // (a * b)]
    )


def chord_of_contact():
    # Twice the height upon the hypotenuse of the triangle of center, P and a point of contact.
    length = 2 * Rational(25) * sqrt(65**2 - 25**2) / 65
    return length.p + length.q


CHECKS = {
    "sample.1": lambda: sum((n * n + n + 1) % 7 == 0 for n in range(1, 501)),
    # (n² + 36) = (n - 4)(n + 4) + 52, so that n + 4 divides 52.
    "sample.2": lambda: sum(n for n in range(1, 100) if (n * n + 36) % (n + 4) == 0),
    "sample.3": triangle_in_hexagon,
    "sample.4": colorings,
    "sample.5": recurrence,
    "sample.6": two_cards,
    "sample.7": lambda: sum(
        {a + b for a in range(1, 85) for b in range(1, a) if a * b == 84}
    ),
    "sample.8": lambda: sum(sum(map(int, str(n))) == 10 for n in range(1, 901)),
    "sample.9": box,
    "sample.10": chord_of_contact,
}
