"""Independent computations of the answers of the GSM8K-style samples."""

from sympy import Eq, Rational, solve, symbols

x, y = symbols("x y")


def change_at_the_bakery():
    return 2 * 20 - (6 * 3 + 2 * 7)


def pages_left_for_omar():
    friday = 38
    return solve(Eq(friday + 2 * friday + x, 264), x)[0]


def catching_up_with_fern():
    """x is the time in hours since 9:00, y the distance from Elmdale."""
    meeting = solve([Eq(y, 12 * x), Eq(y, 20 * (x - Rational(3, 2)))], [x, y])
    return meeting[y]


def van_distance():
    return sum(speed * hours for speed, hours in [(45, 3), (60, 2)])


def plums_in_a_basket():
    return solve(Eq(6 * x + 12, 58 + 47 + 63), x)[0]


def seashells_at_the_start():
    def remaining(start):
        after_sister = start - Rational(start, 2) - 3
        return after_sister - after_sister / 3

    matches = [start for start in range(1, 1000) if remaining(start) == 20]
    assert len(matches) == 1
    return matches[0]


def weekly_wage():
    return sum(hours * rate for hours, rate in [(25, 14), (6, 21)])


def price_of_the_bicycle():
    return 240 * (1 - Rational(15, 100)) - 20


def child_tickets():
    return solve([Eq(x + y, 150), Eq(9 * x + 5 * y, 1070)], [x, y])[y]


def milo_in_seven_years():
    return solve(Eq(4 * x + 4, 68), x)[0] + 7


def garden_fence():
    width, gate = 18 - 7, 2
    return sum([18, width, 18, width]) - gate


def lamp_profit():
    cost = 15
    sales = [cost * Rational(160, 100)] * 30 + [cost - 5] * 10
    assert len(sales) == 40 and Rational(30, 40) == Rational(3, 4)
    return sum(sales) - 40 * cost


def woodwind_players():
    return 96 * (1 - Rational(3, 8) - Rational(1, 4))


def recycling_money():
    return Rational(28 * 15 * 5, 100)


def printing_time():
    """x is the length of the whole job in minutes."""
    rate_a, rate_b = Rational(300, 20), Rational(300, 30)
    return solve(Eq(rate_a * x + rate_b * (x - 8), 495), x)[0]


def fifth_quiz_score():
    return solve(Eq(Rational(82 + 91 + 77 + 86, 5) + x / 5, 85), x)[0]


def unpainted_boards():
    unpainted = 250
    for _hour in range(4):
        unpainted -= 24 + 18
    return unpainted


def bracelets():
    part = solve(Eq(5 * x - 3 * x, 24), x)[0]
    beads = (4 + 5 + 3) * part
    assert beads % 9 == 0
    return beads / 9


def stickers_left_for_carla():
    counts = solve([Eq(x, 3 * y), Eq(x + y, 112)], [x, y])
    return counts[x] - 10


def flowers_left():
    planted = 9 * 16 + 7 * 12
    assert planted % 4 == 0
    return planted * Rational(3, 4)


def age_of_aunt_greta():
    ages = solve([Eq(x - 5, 3 * (y - 5)), Eq(x + 7, 2 * (y + 7))], [x, y])
    return ages[x]


def minutes_to_fill_the_tank():
    minutes, liters = 0, 140
    while liters < 500:
        minutes, liters = minutes + 1, liters + 12 - 3
    assert liters == 500
    return minutes


def egg_money_left():
    assert 540 % 12 == 0
    return 540 // 12 * 4 - 55


def minutes_on_the_phone():
    return solve(Eq(18 + Rational(10, 100) * (x - 200), 27), x)[0]


def notebooks_and_pens():
    return sum(count * price for count, price in [(5, 2), (4, 1)])


def marbles_left_for_toby():
    return solve(Eq(x + 12 + 5, 45), x)[0]


def miles_left_for_mrs_quinn():
    remaining = 210
    for _hour in range(3):
        remaining -= 50
    return remaining


def stamps_together():
    counts = solve([Eq(x, 14), Eq(y, 3 * x)], [x, y])
    return counts[x] + counts[y]


def pencils_for_each_student():
    return solve(Eq(8 * 3 * x, 72), x)[0]


def wage_at_the_grocery_store():
    return sum(4 * 12 for _day in range(5))


def boys_in_the_swimming_class():
    return 30 * (1 - Rational(3, 5))


def jacket_on_sale():
    return solve(Eq(x + Rational(25, 100) * 60, 60), x)[0]


def age_of_the_mother():
    return solve(Eq((x - 6) / 9, 4), x)[0]


def pages_in_two_weeks():
    return sum(15 for _night in range(2 * 7))


def bare_floor():
    squares = [(column, row) for column in range(9) for row in range(7)]
    return len(squares) - 24


def fish_per_day():
    return solve(Eq(3 * x, 4 + 7 + 10), x)[0]


def apples_left_for_the_farmer():
    return solve(Eq((x + 75) / 20, 6), x)[0]


def change_for_wendy():
    return solve(Eq(3 * 11 + x, 50), x)[0]


def bags_of_rolls():
    bags, rest = divmod(12 * 8, 6)
    assert rest == 0
    return bags


def miles_run_by_pia():
    monday = 3
    return sum([monday, 2 * monday, 4])


def people_on_the_train():
    return solve(Eq(x - 9, 52 - 17), x)[0]


def weeks_until_the_skateboard():
    weeks, dollars = 0, 24
    while dollars < 78:
        weeks, dollars = weeks + 1, dollars + 6
    return weeks


def hours_with_the_dog():
    return 30 * (Rational(15, 60) + Rational(25, 60))


def trading_cards_together():
    counts = solve([Eq(y, 27), Eq(x - y, 18)], [x, y])
    return counts[x] + counts[y]


def price_of_the_juice_boxes():
    return 48 * Rational(3, 6)


def eggs_left_for_the_cook():
    return solve(Eq(Rational(1, 2) * 36 + 8 + x, 36), x)[0]


def hens_on_the_farm():
    roosters = 80 * Rational(15, 100)
    return 80 - roosters


def more_apple_trees_than_pear_trees():
    return solve(Eq(38 + x, 9 * 14), x)[0]


CHECKS = {
    "sample.1": change_at_the_bakery,
    "sample.2": pages_left_for_omar,
    "sample.3": catching_up_with_fern,
    "sample.4": van_distance,
    "sample.5": plums_in_a_basket,
    "sample.6": seashells_at_the_start,
    "sample.7": weekly_wage,
    "sample.8": price_of_the_bicycle,
    "sample.9": child_tickets,
    "sample.10": milo_in_seven_years,
    "sample.11": garden_fence,
    "sample.12": lamp_profit,
    "sample.13": woodwind_players,
    "sample.14": recycling_money,
    "sample.15": printing_time,
    "sample.16": fifth_quiz_score,
    "sample.17": unpainted_boards,
    "sample.18": bracelets,
    "sample.19": stickers_left_for_carla,
    "sample.20": flowers_left,
    "sample.21": age_of_aunt_greta,
    "sample.22": minutes_to_fill_the_tank,
    "sample.23": egg_money_left,
    "sample.24": minutes_on_the_phone,
    "sample.25": notebooks_and_pens,
    "sample.26": marbles_left_for_toby,
    "sample.27": miles_left_for_mrs_quinn,
    "sample.28": stamps_together,
    "sample.29": pencils_for_each_student,
    "sample.30": wage_at_the_grocery_store,
    "sample.31": boys_in_the_swimming_class,
    "sample.32": jacket_on_sale,
    "sample.33": age_of_the_mother,
    "sample.34": pages_in_two_weeks,
    "sample.35": bare_floor,
    "sample.36": fish_per_day,
    "sample.37": apples_left_for_the_farmer,
    "sample.38": change_for_wendy,
    "sample.39": bags_of_rolls,
    "sample.40": miles_run_by_pia,
    "sample.41": people_on_the_train,
    "sample.42": weeks_until_the_skateboard,
    "sample.43": hours_with_the_dog,
    "sample.44": trading_cards_together,
    "sample.45": price_of_the_juice_boxes,
    "sample.46": eggs_left_for_the_cook,
    "sample.47": hens_on_the_farm,
    "sample.48": more_apple_trees_than_pear_trees,
}
