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


def product_of_two_numbers():
    return sum(48 for _time in range(25))


def sum_of_quotient_and_product():
    return Rational(630, 9) + 28 * 5


def three_fifths_of_a_number():
    return Rational(3, 5) * 45


def percentage_of_a_number():
    return solve(Eq(x / 350, Rational(20, 100)), x)[0]


def sum_of_decimals():
    return sum(Rational(term) for term in ("12.6", "7.4", "-8.5"))


def books_in_the_bookcase():
    return sum(32 for _shelf in range(4))


def price_of_twelve_pens():
    return solve(Eq(x / 12, Rational(40, 5)), x)[0]


def distance_to_the_school():
    return solve(Eq(x / 70, 12), x)[0]


def larger_number():
    return solve([Eq(x + y, 96), Eq(x - y, 18)], [x, y])[x]


def calligraphy_group():
    girls = solve(Eq(24 - x, 8), x)[0]
    return 24 + girls


def volume_of_the_cube():
    return len([(i, j, k) for i in range(5) for j in range(5) for k in range(5)])


def area_of_the_parallelogram():
    triangle = Rational(1, 2) * 15 * 8
    return 2 * triangle


def ducks_on_the_farm():
    return Rational("2.5") * 120


def price_of_the_kettle():
    return 80 - Rational(10, 100) * 80


def days_to_make_the_dolls():
    return solve(Eq(Rational(450, 5) * x, 1080), x)[0]


def age_difference():
    grandson = solve(Eq(7 * x, 63), x)[0]
    return 63 - grandson


def minutes_in_the_time():
    return sum([60, 60, 60, 25])


def apples_left_over():
    apples = 87
    while apples >= 9:
        apples -= 9
    return apples


def average_weight():
    return Rational(32 + 35 + 30 + 39, 4)


def difference_of_fractions():
    return solve(Eq(x + Rational(1, 2), Rational(4, 5)), x)[0]


def trees_still_to_plant():
    return solve(Eq(148 + x, 6 * 35), x)[0]


def pass_rate():
    return 1 - Rational(200 - 196, 200)


def root_of_the_second_equation():
    return solve(Eq(5 * x - 12, 48), x)[0]


def hours_for_the_way_back():
    return solve(Eq(45 * x, 60 * 3), x)[0]


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
    "sample.25": product_of_two_numbers,
    "sample.26": sum_of_quotient_and_product,
    "sample.27": three_fifths_of_a_number,
    "sample.28": percentage_of_a_number,
    "sample.29": sum_of_decimals,
    "sample.30": books_in_the_bookcase,
    "sample.31": price_of_twelve_pens,
    "sample.32": distance_to_the_school,
    "sample.33": larger_number,
    "sample.34": calligraphy_group,
    "sample.35": volume_of_the_cube,
    "sample.36": area_of_the_parallelogram,
    "sample.37": ducks_on_the_farm,
    "sample.38": price_of_the_kettle,
    "sample.39": days_to_make_the_dolls,
    "sample.40": age_difference,
    "sample.41": minutes_in_the_time,
    "sample.42": apples_left_over,
    "sample.43": average_weight,
    "sample.44": difference_of_fractions,
    "sample.45": trees_still_to_plant,
    "sample.46": pass_rate,
    "sample.47": root_of_the_second_equation,
    "sample.48": hours_for_the_way_back,
}
