"""Independent computations of the answers of the samples in the style of the AMC of 2023."""

from itertools import combinations, product
from math import prod

from sympy import Rational, solve, sqrt, symbols

t = symbols("t", positive=True)


def largest_of_five():
    sets = (
        (a, b, 7, d, 50 - a - b - 7 - d)
        for a, b in combinations(range(1, 7), 2)
        for d in range(8, 50)
    )
    return max(numbers[4] for numbers in sets if numbers[4] > numbers[3])


def equal_digits():
    times = [f"{hour}{minute:02}" for hour in range(1, 13) for minute in range(60)]
    return sum(len(set(time)) == 1 for time in times)


def triangle_of_equal_perimeter():
    perimeter = 4 * sqrt(144)
    area = (perimeter / 3) ** 2 * sqrt(3) / 4
    return area**2 / 48


def from_logarithms():
    # The product is 32 and the quotient 2.
    y = solve(2 * t**2 - 32, t)[0]
    return 3 * y


CHECKS = {
    "sample.1": lambda: 18 / (Rational(5, 2) + Rational(7, 2)),
    "sample.2": lambda: sum(n if n % 2 else -n for n in range(1, 102)),
    "sample.3": largest_of_five,
    "sample.4": lambda: sum(9 * x + 12 * y < 108 for x in range(1, 12) for y in range(1, 9)),
    "sample.5": equal_digits,
    "sample.6": lambda: (3**2023 + 8**2023) % 10,
    "sample.7": lambda: sum(n * n - 10 * n + 16 < 0 for n in range(-100, 100)),
    "sample.8": lambda: sum(
        prod(dice) % 2 == 1 and sum(dice) > 16 for dice in product(range(1, 7), repeat=4)
    ),
    "sample.9": triangle_of_equal_perimeter,
    "sample.10": from_logarithms,
}
