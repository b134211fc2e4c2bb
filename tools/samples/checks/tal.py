"""Independent computations of the answers of the TAL-style samples."""

from datetime import date, timedelta
from itertools import combinations, permutations, product

from sympy import (
    Eq,
    Point,
    Polygon,
    Rational,
    acos,
    cos,
    deg,
    integrate,
    isprime,
    pi,
    sin,
    solve,
    sqrt,
    symbols,
)

x, y = symbols("x y")


def numbers_with_digit_sum_five():
    return sum(1 for n in range(100, 1000) if sum(map(int, str(n))) == 5)


def remainder_of_repeated_digits():
    return int("27" * 13) % 11


def area_of_triangle_def():
    vertex_a, vertex_b, vertex_c, vertex_d = map(Point, [(0, 0), (8, 0), (8, 6), (0, 6)])
    point_e = vertex_a.midpoint(vertex_b)
    point_f = vertex_b + (vertex_c - vertex_b) * Rational(2, 6)
    return abs(Polygon(vertex_d, point_e, point_f).area)


def probability_of_prime_sum():
    draws = list(combinations(range(1, 10), 2))
    return Rational(sum(1 for draw in draws if isprime(sum(draw))), len(draws))


def operand_of_star():
    return solve(Eq(3 * x - 2 * 3 + x, 18), x)[0]


def sum_of_unit_fractions():
    return sum(Rational(1, k * (k + 2)) for k in range(1, 20, 2))


def ways_up_the_staircase(steps=8):
    if steps < 0:
        return 0
    if steps == 0:
        return 1
    return ways_up_the_staircase(steps - 1) + ways_up_the_staircase(steps - 3)


def second_runner():
    orders = [
        order
        for order in permutations(["Ada", "Ben", "Cleo", "Dev"])
        if order.index("Dev") < order.index("Ben") < order.index("Cleo")
        and order.index("Ada") == order.index("Cleo") + 1
    ]
    assert len(orders) == 1
    return orders[0][1]


def weekday_of_the_eighteenth_watering():
    first = date(2024, 1, 1)
    assert first.strftime("%A") == "Monday"
    waterings = [first + timedelta(days=5 * index) for index in range(18)]
    return waterings[-1].strftime("%A")


def sum_of_cubes():
    pairs = solve([Eq(x + y, 7), Eq(1 / x + 1 / y, Rational(7, 10))], [x, y])
    sums = {a**3 + b**3 for a, b in pairs}
    assert len(sums) == 1
    return sums.pop()


def hexagon(side):
    """The vertices of a regular hexagon in counterclockwise order."""
    return [Point(side * cos(k * pi / 3), side * sin(k * pi / 3)) for k in range(6)]


def area_of_triangle_in_hexagon():
    return abs(Polygon(*hexagon(Rational(24, 6))[::2]).area)


def area_outside_the_circle():
    r, t = symbols("r t")
    circle = integrate(r, (r, 0, 5), (t, 0, 2 * pi))
    return 10**2 - circle


def base_five_to_base_seven():
    number, digits = int("213", 5), ""
    while number:
        number, digit = divmod(number, 7)
        digits = str(digit) + digits
    return int(digits)


def rectangles_with_area_twice_the_perimeter():
    """With a <= b, ab = 4(a + b) <= 8b bounds a by 8, and a = 5 gives the largest b, 20."""
    return sum(1 for a in range(1, 9) for b in range(a, 200) if a * b == 2 * 2 * (a + b))


def two_digit_number():
    matches = [
        10 * a + b
        for a, b in product(range(1, 10), repeat=2)
        if a - b == 5 and (10 * a + b) + (10 * b + a) == 143
    ]
    assert len(matches) == 1
    return matches[0]


def numbers_that_force_a_difference_of_five():
    """One more than the largest choice without such a pair; bit k stands for the number k + 1."""
    largest = max(chosen.bit_count() for chosen in range(1 << 20) if not chosen & (chosen >> 5))
    return largest + 1


def hours_for_the_wall():
    return solve(Eq(x / 4 + x / 6, 1), x)[0]


def divisible_by_neither_four_nor_six():
    return sum(1 for n in range(1, 201) if n % 4 and n % 6)


def true_minutes_of_the_slow_clock():
    return solve(Eq(x - 4 * x / 60, (15 - 8) * 60), x)[0]


def digit_sum_of_five_thirty_sevenths():
    return sum(map(int, str(10**50 * 5 // 37).zfill(50)))


def angle_in_square_and_hexagon():
    """The center of the hexagon lies on the same side of AB as the square."""
    vertex_a, vertex_b, vertex_c = hexagon(1)[:3]
    side = vertex_b - vertex_a
    point_p = vertex_b + Point(-side.y, side.x)
    assert point_p.distance(Point(0, 0)) < vertex_b.distance(Point(0, 0))
    to_b, to_c = vertex_b - point_p, vertex_c - point_p
    cosine = to_b.dot(to_c) / sqrt(to_b.dot(to_b) * to_c.dot(to_c))
    angle = round(deg(acos(cosine)).evalf())
    assert (cos(angle * pi / 180) - cosine).equals(0)
    return angle


def crossing_of_the_axis():
    slope = Rational(-3 - 5, 6 - 2)
    return solve(Eq(5 + slope * (x - 2), 0), x)[0]


def strings_beginning_with_c():
    return sum(1 for letters in set(permutations("COCOON")) if letters[0] == "C")


def original_price_of_the_lamp():
    return solve(Eq(x * Rational(120, 100) * Rational(80, 100), 72), x)[0]


CHECKS = {
    "sample.1": numbers_with_digit_sum_five,
    "sample.2": remainder_of_repeated_digits,
    "sample.3": area_of_triangle_def,
    "sample.4": probability_of_prime_sum,
    "sample.5": operand_of_star,
    "sample.6": sum_of_unit_fractions,
    "sample.7": ways_up_the_staircase,
    "sample.8": second_runner,
    "sample.9": weekday_of_the_eighteenth_watering,
    "sample.10": sum_of_cubes,
    "sample.11": area_of_triangle_in_hexagon,
    "sample.12": area_outside_the_circle,
    "sample.13": base_five_to_base_seven,
    "sample.14": rectangles_with_area_twice_the_perimeter,
    "sample.15": two_digit_number,
    "sample.16": numbers_that_force_a_difference_of_five,
    "sample.17": hours_for_the_wall,
    "sample.18": divisible_by_neither_four_nor_six,
    "sample.19": true_minutes_of_the_slow_clock,
    "sample.20": digit_sum_of_five_thirty_sevenths,
    "sample.21": angle_in_square_and_hexagon,
    "sample.22": crossing_of_the_axis,
    "sample.23": strings_beginning_with_c,
    "sample.24": original_price_of_the_lamp,
}
