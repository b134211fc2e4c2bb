"""Independent computations of the answers of the Math23K-style samples."""

from sympy import Eq, Rational, solve, symbols

x, y = symbols("x y")

PI_AS_TAUGHT = Rational("3.14")


def toy_cars_per_day():
    return solve(Eq(8 * 45 + 6 * x, 720), x)[0]


def poplars_on_the_road():
    positions = range(0, 300 + 1, 6)
    assert positions[-1] == 300
    return len(positions)


def unfinished_part_of_the_project():
    return 1 - 6 * (Rational(1, 16) + Rational(1, 24))


def rice_harvest():
    return Rational(1, 2) * (24 + 36) * 15 * Rational("0.8")


def saving_on_the_coat():
    return 360 - Rational(85, 100) * 360


def rings_on_a_peg():
    matches = [hits for hits in range(26) if 8 * hits - 3 * (25 - hits) == 134]
    assert len(matches) == 1
    return matches[0]


def hours_until_car_and_truck_meet():
    return solve(Eq(86 * x, 675 - 64 * x), x)[0]


def fruit_trees():
    return 96 + Rational(5, 8) * 96


def oil_in_the_barrel():
    after_first = x - Rational(40, 100) * x
    return solve(Eq(after_first - after_first / 3, 18), x)[0]


def attendance_rate():
    return Rational(180 - 9, 180)


def years_until_twice_as_old_as_both():
    return solve(Eq(66 + x, 2 * ((9 + x) + (12 + x))), x)[0]


def length_of_the_tunnel():
    """The rear enters at time 0 with the front 240 m ahead; the front leaves after 35 s."""
    front_at_first = 240
    return front_at_first + 16 * 35


def mathematics_score():
    return solve(Eq((88 + 91 + x) / 3, 92), x)[0]


def vegetable_plot_area():
    sides = solve([Eq(2 * (x + y), 54), Eq(x, y + 5)], [x, y])
    return sides[x] * sides[y]


def grain_to_move():
    return solve(Eq(3 * (150 - x), 2 * (90 + x)), x)[0]


def price_of_the_balls():
    return 6 * Rational("58.5") + 4 * 45


def cloth_for_forty_sets():
    return solve(Eq(Rational(60, 25), x / 40), x)[0]


def area_of_the_path():
    inner = Rational(20, 2)
    outer = inner + 1
    return PI_AS_TAUGHT * outer**2 - PI_AS_TAUGHT * inner**2


def days_saved_reading():
    pages = 24 * 15
    assert pages % 30 == 0
    return 15 - pages // 30


def length_of_the_road():
    return solve(Eq(x - Rational(3, 5) * x, 480), x)[0]


def height_of_the_cone():
    """Displaced water 10^2 * 3 and cone 6^2 * x / 3, both times pi."""
    return solve(Eq(Rational(1, 3) * 6**2 * x, 10**2 * 3), x)[0]


def excess_over_the_plan():
    return Rational(1380 - 1200, 1200)


def number_from_product():
    return solve(Eq(5 * x - Rational("18.5"), Rational("4.5") * 9), x)[0]


def number_from_a_third_and_a_quarter():
    return solve(Eq(x / 3 + x / 4, 49), x)[0]


def speed_of_the_bus():
    return solve(Eq(5 * x, 365), x)[0]


def price_of_the_clothes():
    return sum([85, 85, 85, 120])


def tulips_in_the_flower_bed():
    return solve(Eq(x / 45, 3), x)[0]


def coal_left():
    return 64 * (1 - Rational(3, 8))


def chalk_for_each_class():
    return solve(Eq(6 * x, 5 * 48), x)[0]


def parts_made_by_master_wang():
    return sum(35 for _hour in range(8))


def stamps_of_xiaoli():
    return solve(Eq(x - 14, 56), x)[0]


def unread_pages():
    unread = 180
    for _day in range(6):
        unread -= 20
    return unread


def perimeter_of_the_rectangle():
    return sum([25, 16, 25, 16])


def vegetable_harvest():
    squares = [(column, row) for column in range(12) for row in range(12)]
    return sum(5 for _square in squares)


def price_of_a_kilogram_of_apples():
    return solve(Eq(4 * x, 26), x)[0]


def price_of_a_chair():
    return solve(Eq(x / 150, Rational(40, 100)), x)[0]


def average_of_three_tests():
    return solve(Eq((88 - x) + (95 - x) + (90 - x), 0), x)[0]


def percentage_of_female_workers():
    return Rational(66, 84 + 66)


def age_of_the_father():
    years = solve(Eq(11 + x, 20), x)[0]
    return 38 + years


def length_of_rope_left():
    return solve(Eq(8 * 6 + x, 72), x)[0]


def trips_of_the_truck():
    trips, carried = 0, 0
    while carried < 96:
        trips, carried = trips + 1, carried + 8
    return trips


def students_in_class_one():
    return solve(Eq(Rational(3, 4) * x, 36), x)[0]


def fruit_received():
    return 15 * 20 + 12 * 20


def length_of_the_road_walked():
    return solve(Eq(x / (65 + 75), 6), x)[0]


def number_less_than_a_multiple():
    return solve(Eq(x + 24, 5 * 18), x)[0]


def area_of_the_flag():
    return Rational(1, 2) * 14 * 9


def days_of_using_rice():
    return solve(Eq(500 - 35 * x, 150), x)[0]


def part_of_the_road_repaired():
    return Rational(1, 4) + Rational(3, 8)


CHECKS = {
    "sample.1": toy_cars_per_day,
    "sample.2": poplars_on_the_road,
    "sample.3": unfinished_part_of_the_project,
    "sample.4": rice_harvest,
    "sample.5": saving_on_the_coat,
    "sample.6": rings_on_a_peg,
    "sample.7": hours_until_car_and_truck_meet,
    "sample.8": fruit_trees,
    "sample.9": oil_in_the_barrel,
    "sample.10": attendance_rate,
    "sample.11": years_until_twice_as_old_as_both,
    "sample.12": length_of_the_tunnel,
    "sample.13": mathematics_score,
    "sample.14": vegetable_plot_area,
    "sample.15": grain_to_move,
    "sample.16": price_of_the_balls,
    "sample.17": cloth_for_forty_sets,
    "sample.18": area_of_the_path,
    "sample.19": days_saved_reading,
    "sample.20": length_of_the_road,
    "sample.21": height_of_the_cone,
    "sample.22": excess_over_the_plan,
    "sample.23": number_from_product,
    "sample.24": number_from_a_third_and_a_quarter,
    "sample.25": speed_of_the_bus,
    "sample.26": price_of_the_clothes,
    "sample.27": tulips_in_the_flower_bed,
    "sample.28": coal_left,
    "sample.29": chalk_for_each_class,
    "sample.30": parts_made_by_master_wang,
    "sample.31": stamps_of_xiaoli,
    "sample.32": unread_pages,
    "sample.33": perimeter_of_the_rectangle,
    "sample.34": vegetable_harvest,
    "sample.35": price_of_a_kilogram_of_apples,
    "sample.36": price_of_a_chair,
    "sample.37": average_of_three_tests,
    "sample.38": percentage_of_female_workers,
    "sample.39": age_of_the_father,
    "sample.40": length_of_rope_left,
    "sample.41": trips_of_the_truck,
    "sample.42": students_in_class_one,
    "sample.43": fruit_received,
    "sample.44": length_of_the_road_walked,
    "sample.45": number_less_than_a_multiple,
    "sample.46": area_of_the_flag,
    "sample.47": days_of_using_rice,
    "sample.48": part_of_the_road_repaired,
}
