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
}
