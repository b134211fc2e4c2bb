"""Word problems put together from knowledge points, each with its worked solution.

A problem is a story about a number of things. Every knowledge point is one sentence of it and one or
two steps of arithmetic, and any selection of them makes a story: openers say how many things there
are, changes alter the number, comparisons go over to another person, and the last ones change what
is counted. `FAMILIES` are the selections that people would write. The names are those of the
generator behind the demo checkpoint, `tools/demo-checkpoint/problems`.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools" / "demo-checkpoint"))
from problems.base import PEOPLE  # noqa: E402

NAMED = [person for person in PEOPLE if person.name.isalpha()][::8]
MAX_TRIES = 6000
# Greatest number on the way to an answer: the first is tried for a while, then the next.
MAX_NUMBERS = (100, 200, 999)

SETTINGS = {
    "School": "pencils erasers notebooks crayons rulers folders",
    "Farm": "eggs apples pears melons pumpkins carrots",
    "Kitchen": "cookies muffins rolls pancakes dumplings plates",
    "Garden": "roses tulips seeds bulbs daisies leaves",
    "Toys": "marbles blocks dolls kites puzzles robots",
    "Sports": "balls cards medals caps badges tickets",
    "Beach": "shells stones buckets towels pearls corals",
    "Workshop": "nails screws bolts boards hooks tiles",
    "Party": "balloons candles cupcakes hats ribbons streamers",
    "Library": "books magazines comics maps stamps posters",
    "Pets": "bones biscuits collars bowls brushes baskets",
    "Crafts": "beads buttons stickers sequins patches strings",
}
SETTINGS = {name: things.split() for name, things in SETTINGS.items()}
ADDITION, MULTIPLICATION, FRACTIONS = "Addition and Subtraction", "Multiplication and Division", "Fractions"
COMPARISON, MONEY = "Comparison", "Money and Goals"
OPENER, CHANGE, COMPARE, PACK, SELL, GOAL = range(6)


@dataclass(frozen=True)
class Point:
    """A knowledge point: where it stands in a story, how it is worded, and what it computes.

    `steps` are formulas over `n` (the number so far), `m` (the result of the step before), `a` and
    `b`; the last one gives the new number. `a` and `b` are ranges, both ends included.
    """

    name: str
    topic: str
    place: int
    wordings: tuple
    steps: tuple
    a: tuple = None
    b: tuple = None
    counts: str = None

    @property
    def moves(self):
        """Whether the story goes on with the other person."""
        return self.place == COMPARE


def point(name, topic, place, wordings, steps, **rest):
    return Point(name, topic, place, tuple(wordings), tuple(steps), **rest)


GIVEN = point("Given", ADDITION, OPENER, ["{P} has {a} {o}.", "There are {a} {o} in the room of {P}."], [], a=(4, 50))
# What an opener says and computes when the story has a number already.
ALSO = {
    "Equal Groups": point("Equal Groups", MULTIPLICATION, OPENER, ["{He} also has {a} bags with {b} {o} each."], ["a*b", "n+m"], a=(2, 9), b=(2, 9)),
    "Combining Two Kinds": point("Combining Two Kinds", ADDITION, OPENER, ["{He} also has {a} small {o} and {b} large {o}."], ["n+a", "m+b"], a=(2, 20), b=(2, 20)),
    "Rate and Time": point("Rate and Time", MULTIPLICATION, OPENER, ["{He} also makes {a} {o} a day for {b} days."], ["a*b", "n+m"], a=(2, 9), b=(2, 7)),
}
POINTS = [
    point("Equal Groups", MULTIPLICATION, OPENER, ["{P} has {a} bags with {b} {o} each.", "There are {a} boxes of {b} {o} for {P}."], ["a*b"], a=(2, 9), b=(2, 9)),
    point("Combining Two Kinds", ADDITION, OPENER, ["{P} has {a} small {o} and {b} large {o}.", "{P} finds {a} old {o} and {b} new {o}."], ["a+b"], a=(3, 30), b=(3, 30)),
    point("Rate and Time", MULTIPLICATION, OPENER, ["{P} makes {a} {o} a day for {b} days.", "For {b} days {P} collects {a} {o} a day."], ["a*b"], a=(2, 9), b=(2, 7)),
    point("Receiving More", ADDITION, CHANGE, ["{Q} gives {him} {a} more.", "{He} gets {a} more from {Q}."], ["n+a"], a=(2, 20)),
    point("Giving Away", ADDITION, CHANGE, ["{He} gives {a} of them to {Q}.", "{He} lets {Q} have {a} of them."], ["n-a"], a=(2, 20)),
    point("Losing Some", ADDITION, CHANGE, ["{He} loses {a} of them.", "Then {a} of them break."], ["n-a"], a=(2, 20)),
    point("Buying More", ADDITION, CHANGE, ["{He} buys {a} more {o}.", "Later {he} buys another {a}."], ["n+a"], a=(2, 20)),
    point("Doubling", MULTIPLICATION, CHANGE, ["Then the number of {o} doubles.", "Soon {he} has twice as many."], ["n*2"]),
    point("Halving", FRACTIONS, CHANGE, ["{He} gives half of them to {Q}.", "Half of them get lost."], ["n/2"]),
    point("Keeping a Third", FRACTIONS, CHANGE, ["{He} keeps only a third of them."], ["n/3"]),
    point("Losing a Quarter", FRACTIONS, CHANGE, ["A quarter of them are stolen."], ["n/4", "n-m"]),
    point("Buying Packs", MULTIPLICATION, CHANGE, ["{He} buys {a} packs of {b} {o}.", "{Q} brings {him} {a} packs of {b}."], ["a*b", "n+m"], a=(2, 6), b=(2, 9)),
    point("Using Up Daily", MULTIPLICATION, CHANGE, ["{He} uses {a} a day for {b} days.", "For {b} days {he} sells {a} a day."], ["a*b", "n-m"], a=(2, 6), b=(2, 6)),
    point("Sharing Equally", MULTIPLICATION, CHANGE, ["{P} is one of {a} children who share them equally."], ["n/a"], a=(2, 9)),
    point("More Than Another", COMPARISON, COMPARE, ["{Q} has {a} {o} more than {P}."], ["n+a"], a=(2, 20)),
    point("Fewer Than Another", COMPARISON, COMPARE, ["{Q} has {a} {o} less than {P}."], ["n-a"], a=(2, 20)),
    point("Times as Many", COMPARISON, COMPARE, ["{Q} has {a} times as many {o} as {P}."], ["n*a"], a=(2, 5)),
    point("Packing", MULTIPLICATION, PACK, ["{He} packs them into crates of {a}."], ["n/a"], a=(2, 9), counts="crates"),
    point("Selling", MONEY, SELL, ["{He} sells all of them for {a} dollars each."], ["n*a"], a=(2, 9), counts="dollars"),
    point("Reaching a Goal", MONEY, GOAL, ["{He} wants to have {a} {o}."], ["a-n"], a=(10, 99)),
]
BY_NAME = {each.name: each for each in POINTS}
QUESTIONS = ["How many {o} does {he} have now?", "How many {o} does {P} have in the end?"]
MORE_QUESTION = "How many more {o} does {he} need?"
OPERATIONS = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "/": lambda x, y: x // y if y and x % y == 0 else None,
}

# The families: knowledge points that belong together. Every point alone, and what people combine.
COMBINED = """
Equal Groups, Giving Away|Equal Groups, Buying More|Equal Groups, Losing Some|Equal Groups, Selling|Rate and Time, Selling
Rate and Time, Giving Away|Rate and Time, Packing|Rate and Time, Reaching a Goal|Combining Two Kinds, Giving Away
Combining Two Kinds, Sharing Equally|Combining Two Kinds, Packing|Receiving More, Giving Away|Receiving More, Halving
Giving Away, Selling|Buying More, Sharing Equally|Buying Packs, Giving Away|Buying Packs, Reaching a Goal|Losing a Quarter, Selling
Keeping a Third, Buying More|Doubling, Giving Away|Times as Many, Giving Away|Using Up Daily, Buying More|Halving, Reaching a Goal
Receiving More, More Than Another|Losing Some, Fewer Than Another
Equal Groups, Giving Away, Selling|Equal Groups, Losing Some, Packing|Rate and Time, Giving Away, Reaching a Goal
Combining Two Kinds, Giving Away, Sharing Equally|Combining Two Kinds, Buying More, Packing|Receiving More, Halving, Selling
Buying Packs, Using Up Daily, Reaching a Goal|Doubling, Giving Away, Times as Many|Losing a Quarter, Buying More, Selling
Keeping a Third, Receiving More, Fewer Than Another
Rate and Time, Using Up Daily, Selling|Equal Groups, Halving, Times as Many
"""
FAMILIES = [(each.name,) for each in POINTS]
FAMILIES += [tuple(names.split(", ")) for names in COMBINED.strip().replace("\n", "|").split("|")]


@dataclass(frozen=True)
class Problem:
    """A question, its worked solution, and the final answer."""

    question: str
    solution: str
    answer: int


def drawn(rng, each, number, most):
    """The numbers of a point's sentence: for a division one that goes, where there is one."""
    if each is GIVEN:
        return rng.randint(each.a[0], each.a[1] * most // MAX_NUMBERS[0]), 0
    if each.steps == ("n/a",):
        fitting = [a for a in range(each.a[0], each.a[1] + 1) if number % a == 0]
        return rng.choice(fitting or [each.a[0]]), 0
    return tuple(rng.randint(*span) if span else 0 for span in (each.a, each.b))


def compute(each, number, a, b, most):
    """The steps of a point as (left, sign, right, result), or None where a number does not suit."""
    values, done = {"n": number, "a": a, "b": b, "m": None}, []
    for formula in each.steps:
        left, sign, right = re.fullmatch(r"(\w)([-+*/])(\w)", formula).groups()
        left, right = (values[x] if x in values else int(x) for x in (left, right))
        result = OPERATIONS[sign](left, right)
        if result is None or not 1 <= result <= most:
            return None
        values["m"] = result
        done.append((left, sign, right, result))
    return done


def telling(rng, points):
    """The points of a story in an order that it can be told in; the first says how many there are."""
    points = list(points)
    rng.shuffle(points)
    points.sort(key=lambda each: each.place)
    told = [ALSO[each.name] if each.place == OPENER and i else each for i, each in enumerate(points)]
    return told if told[0].place == OPENER else [GIVEN, *told]


def numbers(rng, told):
    """The steps of a whole story and the numbers of each sentence."""
    for attempt in range(MAX_TRIES):
        most = MAX_NUMBERS[attempt * len(MAX_NUMBERS) // MAX_TRIES]
        number, steps, operands = None, [], []
        for each in told:
            a, b = drawn(rng, each, number, most)
            done = compute(each, number, a, b, most) if each.steps else [(None, "", None, a)]
            if done is None:
                break
            number = done[-1][3]
            operands.append((a, b))
            steps += [step for step in done if step[1]]
        else:
            return steps, operands, number
    raise ValueError("no numbers suit " + ", ".join(each.name for each in told))


def worded(rng, told, operands, things):
    """The question."""
    owner, *others = rng.sample(NAMED, 1 + len(told))
    thing, sentences, named = rng.choice(things), [], False
    for each, (a, b), other in zip(told, operands, others):
        # A pronoun would be the other person's where the sentence before names one.
        he = owner.name if named else owner.he.capitalize()
        words = dict(P=owner.name, Q=other.name, he=owner.he, He=he, him=owner.him, o=thing, a=a, b=b)
        wording = rng.choice(each.wordings)
        sentences.append(wording.format(**words))
        named = "{Q}" in wording and not each.moves
        owner = other if each.moves else owner
        thing = each.counts or thing
    moved = any(each.moves for each in told)
    ask = MORE_QUESTION if told[-1].place == GOAL else QUESTIONS[1] if moved else rng.choice(QUESTIONS)
    sentences.append(ask.format(P=owner.name, he=owner.he, o=thing))
    return " ".join(sentences)


def worked(steps, slip=0):
    """The solution and its answer; with `slip` the last result is wrong by so much."""
    answer = steps[-1][3] + slip
    results = [step[3] for step in steps[:-1]] + [answer]
    lines = [f"{left} {sign} {right} = {result}." for (left, sign, right, _), result in zip(steps, results)]
    return " ".join([*lines, f"The answer is {answer}."]), answer


def problem(rng, names, settings, slip=False):
    """A problem of these knowledge points, in one of these settings (any without one)."""
    told = telling(rng, [BY_NAME[name] for name in names])
    steps, operands, _ = numbers(rng, told)
    things = [thing for name in settings or SETTINGS for thing in SETTINGS[name]]
    question = worded(rng, told, operands, things)
    return Problem(question, *worked(steps, rng.choice([-1, 1, 2, 10]) if slip else 0))


def of_families(rng, count):
    """`count` problems of the families, each with its family and concepts, every length equally often."""
    lengths = sorted({len(family) for family in FAMILIES})
    for i in range(count):
        family = rng.choice([each for each in FAMILIES if len(each) == lengths[i % len(lengths)]])
        setting = rng.choice(list(SETTINGS))
        topics = sorted({BY_NAME[name].topic for name in family} | {setting})
        yield problem(rng, family, [setting]), topics, family


# --- reading a question back -------------------------------------------------------------------

SLOTS = {
    "P": r"[A-Z][a-z]+", "Q": r"[A-Z][a-z]+", "he": "(?:he|she)", "He": "[A-Z][a-z]+", "him": "(?:him|her)",
    "o": "[a-z]+", "a": r"(?P<a>\d+)", "b": r"(?P<b>\d+)",
}


def pattern(wording):
    return re.compile(re.sub(r"\{(\w+)\}", lambda slot: SLOTS[slot.group(1)], wording.replace(".", r"\.").replace("?", r"\?")))


PATTERNS = [(pattern(wording), each) for each in [GIVEN, *POINTS, *ALSO.values()] for wording in each.wordings]
ASKING = [pattern(text) for text in [*QUESTIONS, MORE_QUESTION]]


def solve(question):
    """The worked solution of a question by its sentences alone, or None where one is unknown."""
    number, steps = None, []
    *sentences, asked = re.split(r"(?<=[.?]) ", question.strip())
    if not any(each.fullmatch(asked) for each in ASKING):
        return None
    for sentence in sentences:
        found = [(match, each) for form, each in PATTERNS if (match := form.fullmatch(sentence))]
        if not found:
            return None
        match, each = found[0]
        a, b = (int(match.groupdict().get(name) or 0) for name in "ab")
        done = compute(each, number, a, b, 10**9) if each.steps else [(None, "", None, a)]
        if done is None:
            return None
        number = done[-1][3]
        steps += [step for step in done if step[1]]
    return worked(steps)[0] if steps else None
