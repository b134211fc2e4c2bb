"""Everyday problems of one to four steps, worded in `everyday.txt`."""

import os
import random
import re
from fractions import Fraction

from .base import (
    GOODS, Work, amount, family, made_up, number, people, plural, proper_fraction, ratio, say, spoken, thing,
)

TRIES = 400
# Phrases that occur as <name>; an alternative is drawn anew at each place.
PHRASES = {
    "all": "[in all|altogether|in total|together|all together]",
    "aday": "[a day|per day|each day|every day]",
    "each": "[each|apiece|per piece|a piece|for each one]",
    "left": "[are left|remain|were left|are still left|are left over|are there now]",
    "moneyleft": "[is left|remains|does {he} have left|does {he} still have|was left]",
    "had": "[had|has|bought|collected|picked|got|found|started with|owned|made|has got|had saved up]",
    "gave": "[gave away|sold|lost|used|used up|donated|handed out|gives away|sells|uses|loses|passed on|threw out|ate|gave]",
    "got": "[got|found|bought|received|was given|won|made|gets|finds|buys|receives|picked up|picked]",
    "still": "[still has|has|had|still had]",
    "shelf": "[shelf|table|page|branch|tray|wall]",
    "Container": "[A box|A basket|A jar|A bag|A drawer|A crate|A bucket]",
    "buys": "[lunch|books|a shirt|a ticket|toys|food|groceries|a bus ride|breakfast|paint]",
    "buys2": "[shoes|a present|a magazine|snacks|drinks|a haircut|a game|stamps|dinner|tools]",
    "day": "[Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday]",
    "place": "[the park|the school|the museum|a village|the garden|the library|a club|the hall|a store|the zoo|the camp|a park|a factory|a hotel|the office|the kitchen|{made_up}]",
}
# Phrases that belong together; one row is drawn for a whole problem.
ROWS = [
    (("before", "after"), [
        ("before lunch", "after lunch"), ("in the morning", "in the afternoon"), ("on Monday", "on Tuesday"),
        ("yesterday", "today"), ("on the first day", "on the second day"), ("last week", "this week"),
        ("on Saturday", "on Sunday"), ("in May", "in June"), ("first", "then"), ("before noon", "in the evening"),
    ]),
    (("kids1", "kids2"), [
        ("boys", "girls"), ("girls", "boys"), ("men", "women"), ("students", "teachers"), ("children", "adults"),
        ("adults", "children"), ("players", "fans"), ("guests", "waiters"), ("runners", "swimmers"),
        ("pupils", "parents"), ("visitors", "guides"), ("workers", "drivers"), ("women", "men"),
    ]),
    (("group", "members"), [
        ("students", "girls"), ("students", "boys"), ("workers", "women"), ("people", "children"), ("trees", "oaks"),
        ("animals", "sheep"), ("books", "novels"), ("players", "beginners"), ("visitors", "tourists"),
        ("fish", "goldfish"), ("flowers", "roses"), ("teachers", "men"), ("cars", "taxis"), ("balls", "footballs"),
    ]),
    (("box", "boxes"), [
        ("box", "boxes"), ("bag", "bags"), ("basket", "baskets"), ("jar", "jars"), ("packet", "packets"),
        ("crate", "crates"), ("carton", "cartons"), ("tray", "trays"), ("pack", "packs"), ("case", "cases"),
        ("bucket", "buckets"), ("shelf", "shelves"), ("bowl", "bowls"), ("sack", "sacks"), ("drawer", "drawers"),
    ]),
    (("km", "kmone"), [("km", "km"), ("kilometers", "kilometer"), ("miles", "mile"), ("meters", "meter")]),
    (("one", "two"), [
        ("ducks", "geese"), ("sheep", "goats"), ("apple trees", "pear trees"), ("boys", "girls"), ("red balls", "blue balls"),
        ("men", "women"), ("novels", "comics"), ("roses", "tulips"), ("cats", "dogs"), ("chairs", "tables"), ("cars", "trucks"),
        ("sixth graders", "fifth graders"), ("pens", "pencils"), ("cows", "pigs"), ("apples", "oranges"), ("girls", "boys"),
    ]),
    (("unit",), [("meters",), ("m",), ("cm",), ("feet",), ("km",), ("centimeters",), ("decimeters",)]),
    (("weight",), [("kg",), ("pounds",), ("grams",), ("kilograms",), ("ounces",)]),
    (("time",), [("minutes",), ("hours",), ("days",)]),
    (("period",), [("week",), ("month",), ("year",)]),
    (("makers",), [("workers",), ("machines",), ("people",), ("robots",)]),
    (("gone",), [("sold",), ("eaten",), ("given away",), ("used",), ("lost",)]),
    (("color3",), [("gray",), ("brown",), ("pink",), ("purple",)]),
    (("kid",), [("child",), ("student",), ("pupil",), ("worker",), ("player",), ("guest",), ("person",), ("dog",), ("bird",)]),
    (("color", "color2"), [
        ("red", "blue"), ("green", "yellow"), ("white", "black"), ("big", "small"), ("new", "old"), ("blue", "orange"),
    ]),
]
VEHICLES = "A car|A bus|A truck|A train|A cyclist|A ship|{P}|{P}"
TIMES = {2: ["twice", "two times", "2 times", "double"], 3: ["three times", "3 times"], 4: ["four times", "4 times"]}
PERCENTS = [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 60, 65, 70, 75, 80, 90]
FORMS = ["${}", "${}", "${}", "{} yuan", "{} dollars", "{} cents"]


def _rows():
    """The lines of everyday.txt as (question, numbers, steps)."""
    with open(os.path.join(os.path.dirname(__file__), "everyday.txt"), encoding="utf-8") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                question, lets, steps = (part.strip() for part in line.split("::"))
                lets = [let.split("=") for let in lets.split(",") if let]
                yield question, lets, [tuple(step.strip().split("=", 1)) for step in steps.split(" ; ")]


EVERYDAY = list(_rows())


def _draw(rng, lets):
    """One value for every letter."""
    f = proper_fraction(rng, 8)
    values = {
        "a": rng.choice([rng.randint(5, 60), rng.randint(20, 95), amount(rng, 50, 400)]),
        "b": rng.choice([rng.randint(2, 40), rng.randint(10, 95)]),
        "c": rng.randint(2, 12), "d": rng.randint(2, 20), "e": rng.randint(2, 9), "k": rng.randint(2, 5),
        "h": Fraction(rng.choice([rng.randint(3, 25), rng.randint(11, 99)]), rng.choice([2, 10])),
        "m": rng.choice([rng.randint(2, 12), rng.randint(3, 40), Fraction(rng.randint(3, 30), 2)]),
        "p": rng.choice(PERCENTS), "fn": f.numerator, "fd": f.denominator,
    }
    values = {name: Fraction(value) for name, value in values.items()}
    for name, formula in lets:
        values[name.strip()] = Fraction(eval(formula, {}, values))
    return {**values, "f": f}


def _work(rng, values, steps, words, suits):
    """Work the steps; None if a number on the way does not suit the story."""
    work, results = Work(rng, "everyday"), []

    def operand(text):
        if text.startswith("#"):
            return results[int(text[1:]) - 1]
        return Fraction(text) if text.isdigit() else values[text]

    for label, formula in steps:
        label = label.format(**words, **{name: number(value) for name, value in values.items()})
        label = label if label == "x" else label[0].upper() + label[1:]
        if " of " in formula:
            result = work.part(label, operand(formula.split(" of ")[1]), values["f"])
        elif "% " in formula:
            result = work.percent(label, operand(formula.split("% ")[1]), values["p"])
        elif formula.endswith("/f"):
            result = work.whole(label, operand(formula[:-2]), values["f"])
        else:
            parts = re.split(r"([-+*/])", formula)
            terms, sign = [operand(part) for part in parts[::2]], parts[1]
            operation = {"+": work.add, "-": work.sub, "*": work.mul, "/": work.div}[sign]
            if sign == "/" and terms[1] == 0:
                return None
            result = operation(label, *terms)
        results.append(result)
    return (work, results[-1]) if all(map(suits, results)) else None


def _words(rng):
    """The names and nouns of one problem."""
    first, second, third = people(rng, 3)
    one, two = rng.sample(GOODS, 2)
    o, o2 = (plural(thing(rng)) for _ in range(2))
    if rng.random() < 0.15:
        o, one = made_up(rng) + "s", made_up(rng)
    words = dict(
        P=first.name, Q=second.name, R=third.name, he=first.he, He=first.he.capitalize(), His=first.his.capitalize(), his=first.his, him=first.him,
        o=o, o2=o2, thing=one, thing2=two, things=plural(one), things2=plural(two), made_up=made_up(rng).capitalize(),
        Things=plural(one).capitalize(), Things2=plural(two).capitalize(), Thing2=two.capitalize(),
    )
    if rng.random() < 0.15:
        words["P"], words["Q"] = made_up(rng).capitalize(), made_up(rng).capitalize()
    for names, rows in ROWS:
        words.update(zip(names, rng.choice(rows)))
    words["Who"] = rng.choice(VEHICLES.split("|")).format(**words)
    return words


def _shown(rng, values):
    """The numbers as the question writes them, plainly and as money."""
    form = rng.choice(FORMS)
    shown = {name: number(value) for name, value in values.items()}
    shown.update({f"${name}": form.format(text) for name, text in shown.items()})
    f, k = values["f"], int(values["k"])
    shown["f"] = rng.choice([ratio(f), ratio(f), f"({ratio(f)})", spoken(rng, f)])
    shown["k_times"] = rng.choice(TIMES.get(k, [f"{k} times", "five times" if k == 5 else f"{k} times"]))
    return shown


@family(38.0)
def everyday(rng):
    """A line of everyday.txt with numbers that suit it."""
    question, lets, steps = rng.choice(EVERYDAY)
    words = _words(rng)
    fill = lambda text: re.sub(r"<(\w+)>", lambda m: PHRASES.get(m.group(1)) or words[m.group(1)], text)
    steps = [(fill(label), formula) for label, formula in steps]
    for _ in range(TRIES):
        values = _draw(rng, lets)
        if values["m"].denominator > 1 and "$" not in question:
            continue
        decimal = "{h" in question or "{$h" in question or values["m"].denominator > 1
        suits = lambda v: 0 < v <= 100000 and v.denominator in ((1, 2, 4, 5, 10, 20) if decimal else (1,))
        if not all(suits(v) for name, v in values.items() if name not in ("f", "h", "m")):
            continue
        worked = _work(random.Random(0), values, steps, words, suits)
        if worked:
            break
    else:
        raise ValueError(f"no numbers suit: {question}")
    work, answer = worked
    work.rng = rng
    text = say(rng, fill(question).replace("{$", "{money_"), **words, **{k.replace("$", "money_"): v for k, v in _shown(rng, values).items()})
    return work.problem(text, answer)
