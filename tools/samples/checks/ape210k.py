"""Independent computations of the answers of the Ape210K-style samples."""

from sympy import Eq, Rational, solve, symbols

x, y = symbols("x y")

PI_AS_TAUGHT = Rational("3.14")


def sum_of_products():
    return sum(Rational("7.5") * Rational(factor) for factor in ("4.3", "5.9", "-0.2"))


def characters_left_to_type():
    return solve(Eq(75 * 16 + x, 3000), x)[0]


def books_in_the_library():
    books = solve([Eq(7 * x, 5 * y), Eq(x + 40, y)], [x, y])
    return books[x] + books[y]


def sum_of_product_and_quotient():
    return Rational(3, 4) * Rational(2, 3) + Rational(5, 6) / Rational(5, 2)


def apples_left():
    return 320 * (1 - Rational(35, 100))


def page_digits():
    return sum(len(str(page)) for page in range(1, 236 + 1))


def root_of_the_equation():
    return solve(Eq(4 * x + Rational("1.8"), Rational("15.4")), x)[0]


def rope_left():
    length = Rational("3.6")
    return length - length / 4 - Rational("0.8")


def speed_of_the_current():
    """x is the speed of the boat in still water, y that of the current."""
    return solve([Eq(4 * (x + y), 96), Eq(6 * (x - y), 96)], [x, y])[y]


def equal_side_of_the_triangle():
    return solve(Eq(2 * x + 12, 42), x)[0]


def iron_sheet():
    bottom, long_side, short_side = 12 * 8, 12 * 5, 8 * 5
    return bottom + 2 * long_side + 2 * short_side


def hours_to_fill_the_pool():
    return solve(Eq(x / 10 + x / 15 - x / 12, 1), x)[0]


def distance_of_the_towns():
    return solve(Eq(x / Rational("8.4"), Rational(150, 6)), x)[0]


def simple_interest():
    return sum(8000 * Rational("2.75") / 100 for _year in range(3))


def multiples_of_six_or_nine():
    return sum(1 for number in range(1, 200 + 1) if number % 6 == 0 or number % 9 == 0)


def walking_speed():
    return (4 + Rational(1, 2)) / (1 + Rational(1, 5))


def water_saved():
    return Rational(450 - 396, 450)


def pages_of_the_book():
    return solve(Eq(Rational(25, 100) * x + x / 3 + 75, x), x)[0]


def smaller_number():
    return solve([Eq(x + y, 84), Eq(y, 2 * x + 12)], [x, y])[x]


def sand_left():
    return 1 - Rational(2, 9) - Rational(1, 3)


def perimeter_of_the_semicircle():
    diameter = 8
    return PI_AS_TAUGHT * diameter / 2 + diameter


def price_of_a_can():
    return Rational(624, 6 * 8)


def salt_content():
    return Rational(15, 15 + 60)


def difference_of_mixed_numbers():
    return (2 + Rational(1, 3)) - Rational("0.5") * (1 + Rational(2, 3))


CHECKS = {
    "sample.1": sum_of_products,
    "sample.2": characters_left_to_type,
    "sample.3": books_in_the_library,
    "sample.4": sum_of_product_and_quotient,
    "sample.5": apples_left,
    "sample.6": page_digits,
    "sample.7": root_of_the_equation,
    "sample.8": rope_left,
    "sample.9": speed_of_the_current,
    "sample.10": equal_side_of_the_triangle,
    "sample.11": iron_sheet,
    "sample.12": hours_to_fill_the_pool,
    "sample.13": distance_of_the_towns,
    "sample.14": simple_interest,
    "sample.15": multiples_of_six_or_nine,
    "sample.16": walking_speed,
    "sample.17": water_saved,
    "sample.18": pages_of_the_book,
    "sample.19": smaller_number,
    "sample.20": sand_left,
    "sample.21": perimeter_of_the_semicircle,
    "sample.22": price_of_a_can,
    "sample.23": salt_content,
    "sample.24": difference_of_mixed_numbers,
}
