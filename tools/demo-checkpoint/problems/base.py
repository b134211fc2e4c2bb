"""Building blocks of the problem generator: wording, numbers and worked steps.

A *family* is a function that takes a `random.Random` and returns a `Problem`.
It draws the numbers, words the question with `say`, and records its solution
with `Work`, which keeps the arithmetic of every step right by construction.
"""

import random
import re
from dataclasses import dataclass
from fractions import Fraction

FAMILIES = []


@dataclass(frozen=True)
class Problem:
    """One word problem with its worked solution."""

    family: str
    question: str
    solution: str
    answer: str


def family(weight=1.0):
    """Register a generator function; `weight` is its share among the families."""

    def register(function):
        FAMILIES.append((function, weight))
        return function

    return register


def number(value):
    """Write a number the way solutions do: 12, 2.5 or, if endless, 2/3."""
    value = Fraction(value)
    if value.denominator == 1:
        return str(value.numerator)
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1 or value.denominator > 1000:
        return f"{value.numerator}/{value.denominator}"
    return f"{float(value):.6f}".rstrip("0")


def ratio(value):
    """Write a fraction as numerator/denominator."""
    value = Fraction(value)
    return f"{value.numerator}/{value.denominator}"


def spoken(rng, share):
    """A share as 3/4 or, now and then, "three quarters"."""
    words = {
        Fraction(1, 2): "half", Fraction(1, 3): "one third", Fraction(1, 4): "a quarter", Fraction(3, 4): "three quarters",
        Fraction(2, 3): "two thirds", Fraction(1, 5): "one fifth", Fraction(2, 5): "two fifths", Fraction(3, 5): "three fifths",
    }
    if share in words and rng.random() < 0.4:
        return words[share]
    return ratio(share)


_ALTERNATIVES = re.compile(r"\[([^\[\]]*)\]")


def say(rng, template, **values):
    """Word a text: pick one of each `[a|b|c]`, then fill in `{names}`."""
    while True:
        text = _ALTERNATIVES.sub(lambda m: rng.choice(m.group(1).split("|")), template)
        if text == template:
            break
        template = text
    shown = {
        key: number(value) if isinstance(value, (int, Fraction)) else value
        for key, value in values.items()
    }
    text = text.format(**shown)
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"([.?!] )([a-z])", lambda m: m.group(1) + m.group(2).upper(), text[0].upper() + text[1:])


def is_short(value):
    """True if the number has at most one digit that is not a trailing zero."""
    digits = number(value).replace(".", "").strip("0")
    return len(digits) <= 1


def split_tens(value):
    """Split 47 into 40 and 7, 125 into 100 and 25."""
    value = int(value)
    power = 10 ** (len(str(value)) - 1)
    head = value // power * power
    return head, value - head


class Work:
    """The worked solution of one problem, grown step by step."""

    def __init__(self, rng, name):
        self.rng = rng
        self.name = name
        self.steps = []

    def _step(self, label, text):
        self.steps.append(f"{label}: {text}.")

    def add(self, label, *terms):
        total = sum(Fraction(t) for t in terms)
        text = " + ".join(number(t) for t in terms)
        if len(terms) > 2:
            first = Fraction(terms[0]) + Fraction(terms[1])
            text += " = " + " + ".join(number(t) for t in (first, *terms[2:]))
            if len(terms) > 3:
                text += f" = {number(first + Fraction(terms[2]))} + " + " + ".join(
                    number(t) for t in terms[3:]
                )
        self._step(label, f"{text} = {number(total)}")
        return total

    def sub(self, label, a, b):
        result = Fraction(a) - Fraction(b)
        self._step(label, f"{number(a)} - {number(b)} = {number(result)}")
        return result

    def mul(self, label, a, b):
        self._step(label, product_text(a, b))
        return Fraction(a) * Fraction(b)

    def mul3(self, label, a, b, c):
        first = Fraction(a) * Fraction(b)
        text = f"{number(a)} * {number(b)} * {number(c)} = {product_text(first, c)}"
        self._step(label, text)
        return first * Fraction(c)

    def div(self, label, a, b):
        result = Fraction(a) / Fraction(b)
        self._step(label, f"{number(a)} / {number(b)} = {number(result)}")
        return result

    def part(self, label, whole, share):
        """`whole * 3/4`, worked as division and multiplication."""
        share = Fraction(share)
        whole = Fraction(whole)
        unit = whole / share.denominator
        text = f"{number(whole)} * {ratio(share)} = "
        if share.numerator == 1:
            text += number(unit)
        else:
            text += product_text(unit, share.numerator)
        self._step(label, text)
        return whole * share

    def whole(self, label, part, share):
        """The number of which `share` is `part`."""
        share = Fraction(share)
        unit = Fraction(part) / share.numerator
        text = f"{number(part)} / {ratio(share)} = "
        text += product_text(unit, share.denominator)
        self._step(label, text)
        return Fraction(part) / share

    def percent(self, label, whole, percent):
        """`percent` % of `whole`, by way of one percent."""
        one = Fraction(whole) / 100
        text = f"{number(whole)} * {number(percent)}% = {product_text(one, percent)}"
        self._step(label, text)
        return one * percent

    def note(self, text):
        self.steps.append(text)

    def problem(self, question, answer):
        """Close the solution with the answer and return the problem."""
        shown = answer if isinstance(answer, str) else number(answer)
        question = tidy(vary(self.rng, question, wordy=self.name != "calculate"))
        solution = " ".join([*self.steps, f"The answer is {shown}."])
        return Problem(self.name, question, solution, shown)


NUMBER_WORDS = dict(enumerate("two three four five six seven eight nine ten eleven twelve".split(), 2))
NUMBER_WORD_SET = set(NUMBER_WORDS.values()) | {"one", "dozen", "hundred", "zero"}
FILLERS = """It is a sunny day.|{p} likes mathematics.|School is out for the summer.|It is the first week of spring.
{p} is {n} years old.|There are {n} people in the family of {p}.|Every day starts at {n} o'clock here.
{p} lives in a small town.|Everybody is happy today.|{p} has a lot to do this week.""".replace("\n", "|").split("|")


LEADS = """Yesterday|Last week|In the evening|On Saturday morning|During the holidays|One day|This year|At first|In the afternoon
At the market|For a party|At school|In spring|For the school fair|On the way home|At the end of the month|In a small town|Today""".replace("\n", "|").split("|")
TAILS = """for {his} sister|for a friend|with {his} brother|at the market|on the way home|in the garden|for the whole family
very carefully|with a smile|near the river|in the city|after school|during the break""".replace("\n", "|").split("|")


COMMON_STARTS = """A An The There He She Each Every Two Three Four Five Twice Half One Of If In After Last I Their It They
Both""".split()


def decorate(rng, question):
    """Put in words of place, time or manner that do not change what is asked."""
    sentences = re.split(r"(?<=[a-z0-9]\. )(?=[A-Z])", question)
    index = rng.randrange(len(sentences))
    sentence = sentences[index]
    if "?" in sentence or len(sentence) < 12:
        return question
    if rng.random() < 0.6:
        first = sentence.split(" ", 1)[0]
        if first in COMMON_STARTS:
            sentence = sentence[0].lower() + sentence[1:]
        sentence = f"{rng.choice(LEADS)}{rng.choice([',', ''])} {sentence}"
    elif sentence.rstrip().endswith(".") and not sentence.rstrip(". ")[-1].isdigit():
        sentence = f"{sentence.rstrip('. ')} {rng.choice(TAILS).format(his=rng.choice(['his', 'her']))}. "
    sentences[index] = sentence
    return "".join(sentences).strip()


CUES = set("""a an and are as at average box by did do does double each equal every fewer fifth first for from half has have he
he his how if in is it leave less left long longer many meet more most much needs of off on one other others out per percent rest
second she than that the their them then there they third third thirds quarter quarters three times to together twice was were
what with would remain remaining remains still some same sum product difference quotient number area perimeter volume ratio
speed faster older younger bigger smaller cheaper plus minus divided multiplied shared share equally spends spent gave gives sold
sells lost used bought got added takes took discount tax interest decreased increased toward apart opposite""".split())


def blur(rng, question):
    """Replace words that tell little about the operation, as an unknown wording would, and put some in."""
    words = question.split(" ")
    pool = [word for word in words if word.isalpha() and word.islower()]
    blurred = []
    for word in words:
        bare = word.strip(".,?;:'")
        replaceable = bare.isalpha() and bare.lower() not in CUES and bare.lower() not in NUMBER_WORD_SET
        if replaceable and rng.random() < 0.15:
            new = made_up(rng) if rng.random() < 0.6 else rng.choice(THINGS)
            word = word.replace(bare, new.capitalize() if bare[0].isupper() else new)
        blurred.append(word)
        if rng.random() < 0.03 and word.isalpha():
            blurred.append(rng.choice(pool or ["the"]) if rng.random() < 0.3 else made_up(rng))
    return " ".join(blurred)


def condition(question):
    """Join the last two sentences: "If …, how many …?"."""
    match = re.fullmatch(r"(.*\. )?([^.?]{10,120})\. (How|What)(.*\?)", question)
    if not match:
        return question
    lead, fact, asked, rest = match.groups()
    first = fact.split(" ", 1)[0]
    fact = fact[0].lower() + fact[1:] if first in COMMON_STARTS else fact
    return f"{lead or ''}If {fact}, {asked.lower()}{rest}"


def vary(rng, question, wordy):
    """Spell numbers differently now and then, and add words that do not matter."""
    if wordy and rng.random() < 0.15:
        question = decorate(rng, question)
    if wordy and rng.random() < 0.08:
        question = condition(question)
    if wordy and rng.random() < 0.4:
        question = blur(rng, question)
    if rng.random() < 0.2:
        question = re.sub(r"(?<![\d,.])(\d+)(\d{3})(?![\d])", r"\1,\2", question)
    if wordy and rng.random() < 0.3:
        question = re.sub(r"(?<![\d.,$:/-])\b(\d+)\b(?![\d%:/-]|[.,]\d)", lambda m: NUMBER_WORDS.get(int(m.group(1)), m.group(1)), question)
        question = question[0].upper() + question[1:]
    if wordy and rng.random() < 0.08:
        filler = rng.choice(FILLERS).format(p=rng.choice(PEOPLE), n=rng.randint(3, 14))
        question = f"{filler} {question}"
    return question


def tidy(question):
    """Mend the seams of a text put together from parts."""
    question = re.sub(r"\s+([.,?])", r"\1", question)
    question = re.sub(r"\b([Aa]) (?=apple|orange|egg|onion|eraser|umbrella|hour|uncle)", r"\1n ", question)
    question = re.sub(r"([.?])([A-Z])", r"\1 \2", question)
    return re.sub(r"([.?] )([a-z])", lambda m: m.group(1) + m.group(2).upper(), question)


def product_text(a, b):
    """`a * b = ...`, with partial products where both factors are long."""
    a, b = Fraction(a), Fraction(b)
    text = f"{number(a)} * {number(b)}"
    result = number(a * b)
    if is_short(a) or is_short(b):
        return f"{text} = {result}"
    if b.denominator != 1 or (a.denominator == 1 and b > a):
        a, b = b, a
    if b.denominator != 1:
        return f"{text} = {result}"
    head, tail = split_tens(b)
    partial = f"{number(a)} * {head} + {number(a)} * {tail}"
    return f"{text} = {partial} = {number(a * head)} + {number(a * tail)} = {result}"


# --- words -----------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """A name with its pronouns."""

    name: str
    he: str
    him: str
    his: str

    def __str__(self):
        return self.name

    def __format__(self, spec):
        return self.name


_WOMEN = """Anna Maria Lily Emma Grace Sofia Julia Clara Nora Alice Ruth Mia Zoe Ella
Hannah Laura Rosa Diana Fatima Priya Amy Betty Carla Wendy Tina Sara Jane Olivia Kate
Natalia Mary Sally Linda Maya Susan Jenny Leah Rachel Elena Ava Chloe Mei Lucy Helen
Janet Emily Nina Beth Ivy Tara Xiao Hong|Xiao Fang|Xiao Li|Li Na|Wang Fang|Aunt Zhang
Mrs. Lee|Ms. Chen""".replace("\n", "|")
_MEN = """Tom Jack Peter Leo Ben Omar David Sam Paul Victor Hugo Ivan Ken Luis Max Noah
Oscar Raj Simon Tim Walter Adam Carlos Daniel Eric Frank George Henry James John Mark
Mike Bob Bill Josh Kevin Alex Ryan Mohamed Liam Ethan Arjun Felix Jacob Nathan Andy
Marcus Will Tony Xiao Ming|Xiao Gang|Xiao Hua|Xiao Jun|Li Ming|Wang Gang|Uncle Li
Mr. Smith|Master Wang|Mr. Wilson""".replace("\n", "|")


def _names(text):
    names = []
    for piece in text.split("|"):
        words = piece.split()
        if words and words[0] in ("Li", "Wang", "Aunt", "Uncle", "Mrs.", "Mr.", "Ms.", "Master"):
            names.append(piece.strip())
            continue
        index = 0
        while index < len(words):
            step = 2 if words[index] == "Xiao" else 1
            names.append(" ".join(words[index : index + step]))
            index += step
    return names


_MORE_WOMEN = """Abby Agnes Alma Angela Ayesha Becky Bella Bianca Carmen Cora Daisy Dana Edith Esther Eva Faith
Farah Flora Gina Gloria Grete Hazel Heidi Holly Ida Ines Irene Iris Jade Jasmine Jill Joan Joyce June Kara Karen
Kim Lara Leila Lena Lola Luna Mabel Marta Megan Molly Nadine Naomi Nicole Norma Olga Paula Pearl Petra Rita Robin
Rosie Ruby Sandra Selma Sheila Silvia Stella Thea Tess Uma Vera Viola Wanda Yara Yasmin Zara""".split()
_MORE_MEN = """Aaron Abel Ahmed Albert Ali Anton Axel Basil Boris Brian Bruno Calvin Cedric Chad Clark Colin Dan Dean
Derek Dylan Edgar Edwin Elias Elliot Erik Ezra Fabian Fred Gary Gavin Glen Hans Harry Hassan Isaac Jake Jason Jim
Jonas Jorge Karl Keith Kurt Lars Lewis Lucas Malik Marvin Mateo Miles Milan Neil Nick Nico Omid Otto Owen Pablo
Pedro Ralph Reza Rick Robert Roy Rudi Samir Scott Sean Seth Steve Ted Theo Toby Troy Vince Wade Wyatt Yusuf Zack""".split()
PEOPLE = [Person(n, "she", "her", "her") for n in _names(_WOMEN) + _MORE_WOMEN]
PEOPLE += [Person(n, "he", "him", "his") for n in _names(_MEN) + _MORE_MEN]

THINGS = """apple orange pear banana peach lemon egg cookie cupcake muffin candle marble
sticker stamp card coin button bead pencil pen notebook book magazine toy ball balloon
flower rose tulip tree seashell stone brick bottle box bag cup plate chair table lamp
shirt hat sock key ticket photo card candy chocolate sandwich pizza donut cake pie
tomato potato carrot onion melon mango plum cherry kite robot puzzle doll car bike
crayon eraser ruler ribbon bracelet block fish duck chicken rabbit goose bird sheep
cow goat horse cat dog pastry pear fig grape kiwi lime bun roll bagel waffle pancake cracker
pretzel nut almond bean pepper cucumber pumpkin pea leaf seed acorn feather shell pebble rock gem pearl
postcard poster painting drawing letter envelope folder marker paintbrush button badge medal
trophy token bell drum whistle helmet glove mitten sweater blanket pillow towel spoon fork bowl jar mug
vase basket tile nail screw plank log shovel rope hook wheel tire bulb battery magnet lens phone camera
clock tablet game tent lantern flashlight sled skateboard scooter boat truck train plane rocket wagon
frog turtle ant bee butterfly snail lamb pig hen pony puppy kitten parrot pigeon""".split()

IRREGULAR = {
    "cherry": "cherries", "tomato": "tomatoes", "potato": "potatoes", "box": "boxes",
    "fish": "fish", "goose": "geese", "sheep": "sheep", "peach": "peaches",
    "sandwich": "sandwiches", "candy": "candies", "mango": "mangoes", "dress": "dresses",
    "brush": "brushes", "watch": "watches", "scarf": "scarves", "pastry": "pastries", "leaf": "leaves", "battery": "batteries", "lens": "lenses", "butterfly": "butterflies", "puppy": "puppies", "loaf of bread": "loaves of bread",
}
ANIMALS = {"fish", "duck", "chicken", "rabbit", "goose", "bird", "sheep", "cow", "goat", "horse", "cat", "dog", "frog", "turtle", "ant", "bee", "butterfly", "snail", "lamb", "pig", "hen", "pony", "puppy", "kitten", "parrot", "pigeon"}
SMALL_THINGS = [t for t in THINGS if t not in ANIMALS and t not in {"car", "tree", "bike", "table", "truck", "train", "plane", "boat", "phone"}]
GOODS = """pen pencil notebook book shirt hat scarf toy ball basketball football kite cake
sandwich pizza coffee drink apple melon ticket magazine lamp chair table desk bag
backpack dress jacket brush watch puzzle doll game plant mug umbrella racket
pair of shoes|pair of socks|loaf of bread|bottle of water|box of crayons|jump rope
bottle of milk|bag of rice|pair of gloves""".replace("\n", "|")
GOODS = [
    g.strip()
    for piece in GOODS.split("|")
    for g in ([piece] if " of " in piece or "jump" in piece else piece.split())
]


def plural(thing):
    """The plural of a noun from the lists above."""
    if thing in IRREGULAR:
        return IRREGULAR[thing]
    head, of, tail = thing.partition(" of ")
    return head + ("es" if head.endswith(("x", "sh", "ch")) else "s") + of + tail


SYLLABLE_STARTS = "b c d f g h j k l m n p r s t v w br ch cl dr gr pl sh st th tr".split()
VOWELS = "a e i o u ai ea ee oo ou".split()
ENDINGS = "n r l t k m s d p nd rt lk x".split() + [""] * 4


def made_up(rng):
    """A word that does not exist: real questions are full of words never met in training."""
    syllables = [rng.choice(SYLLABLE_STARTS) + rng.choice(VOWELS) for _ in range(rng.randint(1, 3))]
    return "".join(syllables) + rng.choice(ENDINGS)


def person(rng):
    return rng.choice(PEOPLE)


def people(rng, count):
    return rng.sample(PEOPLE, count)


def thing(rng):
    return made_up(rng) if rng.random() < 0.08 else rng.choice(SMALL_THINGS)


def things(rng):
    return plural(thing(rng))


def step_range(rng, low, high, step=1):
    """A random multiple of `step` between `low` and `high`."""
    return rng.randrange(low, high + 1, step)


def proper_fraction(rng, biggest=8):
    """A fraction between 0 and 1 in lowest terms."""
    while True:
        bottom = rng.randint(2, biggest)
        value = Fraction(rng.randint(1, bottom - 1), bottom)
        if value.denominator == bottom:
            return value


def amount(rng, low, high):
    """A number of natural size: often round when large."""
    value = rng.randint(low, high)
    if value > 100 and rng.random() < 0.6:
        value = max(low, value // 10 * 10)
    return value
