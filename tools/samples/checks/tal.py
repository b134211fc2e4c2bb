"""Independent computations of the answers of the TAL-style samples."""

from datetime import date
from itertools import permutations, product

from sympy import (
    Eq,
    Point,
    Polygon,
    Rational,
    cos,
    gcd,
    integrate,
    lcm,
    pi,
    simplify,
    sin,
    solve,
    symbols,
)

x, y = symbols("x y")


def numbers_with_digit_sum_five():
    return sum(1 for n in range(100, 1000) if sum(map(int, str(n))) == 5)


def ones_digit_of_sum_of_powers():
    return (3**50 + 7**31) % 10


def area_of_triangle_def():
    vertex_a, vertex_b, vertex_c, vertex_d = map(Point, [(0, 0), (8, 0), (8, 6), (0, 6)])
    point_e = vertex_a.midpoint(vertex_b)
    point_f = vertex_b + (vertex_c - vertex_b) * Rational(2, 6)
    return abs(Polygon(vertex_d, point_e, point_f).area)


def probability_of_multiple_of_six():
    rolls = list(product(range(1, 7), repeat=2))
    return Rational(sum(1 for a, b in rolls if a * b % 6 == 0), len(rolls))


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


def weekday_of_june_first():
    """Search all years in which March 5 is a Tuesday; they must agree."""
    weekdays = {
        date(year, 6, 1).strftime("%A")
        for year in range(2000, 2400)
        if date(year, 3, 5).strftime("%A") == "Tuesday"
    }
    assert len(weekdays) == 1
    return weekdays.pop()


def sum_of_fourth_powers():
    values = {simplify(root**4 + 1 / root**4) for root in solve(Eq(x - 1 / x, 3), x)}
    assert len(values) == 1
    return values.pop()


def area_of_inscribed_triangle():
    corners = [Point(4 * cos(t), 4 * sin(t)) for t in (0, 2 * pi / 3, 4 * pi / 3)]
    return abs(Polygon(*corners).area)


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


def smallest_sum_for_gcd_and_lcm():
    return min(
        a + b
        for a in range(1, 181)
        for b in range(a, 181)
        if gcd(a, b) == 6 and lcm(a, b) == 180
    )


def two_digit_number():
    matches = [
        10 * a + b
        for a, b in product(range(1, 10), repeat=2)
        if a - b == 5 and (10 * a + b) + (10 * b + a) == 143
    ]
    assert len(matches) == 1
    return matches[0]


def socks_for_four_of_a_color():
    """One more than the largest selection without four equal socks."""
    largest = max(
        sum(taken)
        for taken in product(range(10), range(8), range(6), range(3))
        if max(taken) < 4
    )
    return largest + 1


def hours_for_the_wall():
    return solve(Eq(x / 4 + x / 6, 1), x)[0]


def divisible_by_neither_four_nor_six():
    return sum(1 for n in range(1, 201) if n % 4 and n % 6)


def angle_of_the_clock_hands():
    hour_hand = Rational(360, 12) * (4 + Rational(40, 60))
    minute_hand = Rational(360, 60) * 40
    difference = abs(hour_hand - minute_hand)
    return min(difference, 360 - difference)


def repeating_decimal():
    return solve(Eq(100 * x, 27 + x), x)[0]


def sides_of_the_polygon():
    return solve(Eq(180 * (x - 2) / x, 156), x)[0]


def crossing_of_the_axis():
    slope = Rational(-3 - 5, 6 - 2)
    return solve(Eq(5 + slope * (x - 2), 0), x)[0]


def strings_beginning_with_c():
    return sum(1 for letters in set(permutations("COCOON")) if letters[0] == "C")


def original_price_of_the_lamp():
    return solve(Eq(x * Rational(120, 100) * Rational(80, 100), 72), x)[0]


CHECKS = {
    "sample.1": numbers_with_digit_sum_five,
    "sample.2": ones_digit_of_sum_of_powers,
    "sample.3": area_of_triangle_def,
    "sample.4": probability_of_multiple_of_six,
    "sample.5": operand_of_star,
    "sample.6": sum_of_unit_fractions,
    "sample.7": ways_up_the_staircase,
    "sample.8": second_runner,
    "sample.9": weekday_of_june_first,
    "sample.10": sum_of_fourth_powers,
    "sample.11": area_of_inscribed_triangle,
    "sample.12": area_outside_the_circle,
    "sample.13": base_five_to_base_seven,
    "sample.14": smallest_sum_for_gcd_and_lcm,
    "sample.15": two_digit_number,
    "sample.16": socks_for_four_of_a_color,
    "sample.17": hours_for_the_wall,
    "sample.18": divisible_by_neither_four_nor_six,
    "sample.19": angle_of_the_clock_hands,
    "sample.20": repeating_decimal,
    "sample.21": sides_of_the_polygon,
    "sample.22": crossing_of_the_axis,
    "sample.23": strings_beginning_with_c,
    "sample.24": original_price_of_the_lamp,
}
