"""Factories, road building, reading plans, pipes and shared work."""

from fractions import Fraction

from .base import Work, amount, family, number, person, say, step_range

MAKERS = [
    ("A factory", "make", "made", "parts"), ("A workshop", "produce", "produced", "machines"),
    ("A clothing factory", "make", "made", "shirts"), ("A worker", "make", "made", "parts"),
    ("A toy factory", "produce", "produced", "toys"), ("A road team", "build", "built", "meters of road"),
    ("An engineering team", "repair", "repaired", "meters of road"), ("A farmer", "plow", "plowed", "hectares of land"),
    ("A printer", "print", "printed", "books"), ("A shoe factory", "make", "made", "pairs of shoes"),
    ("A canteen", "burn", "burned", "kilograms of coal"), ("A school", "use", "used", "sheets of paper"),
    ("A team", "dig", "dug", "meters of a canal"), ("A class", "plant", "planted", "trees"),
    ("A baker", "bake", "baked", "cakes"), ("A tailor", "sew", "sewed", "sets of clothes"),
]
EVERY = "a day|per day|every day|each day|daily"


@family(3.0)
def plan(rng):
    """A job is planned and partly done; ask the rest, the pace or the time."""
    work = Work(rng, "plan")
    who, do, did, items = rng.choice(MAKERS)
    if rng.random() < 0.3:
        p = person(rng)
        who, do, did, items = str(p), *rng.choice([("read", "read", "pages of a book"), ("type", "typed", "pages"), ("make", "made", "paper flowers"), ("write", "written", "characters"), ("solve", "solved", "problems")])
    a, t, b, u = rng.randint(2, 120), rng.randint(2, 12), rng.randint(2, 120), rng.randint(2, 15)
    words = dict(w=who, do=do, did=did, o=items, a=a, t=t, b=b, u=u)
    start = "[{w} [plans|has|wants|needs] to {do} {n} {o}|{w} must {do} {n} {o}]. "
    kind = rng.choice(["left", "pace", "time", "ahead", "ahead", "rate", "total", "new_pace", "actual", "extra"])
    if kind == "left":
        n = a * t + amount(rng, 5, 500)
        text = say(rng, start + "[It has worked for {t} days, {a} [every|each|per] day|In the first {t} days, {a} were {did} [" + EVERY + "]|After {t} days at {a} [" + EVERY + "]]. How many [are|{o} are] [left|still to do|left to {do}]?", n=n, **words)
        done = work.mul("Done", a, t)
        return work.problem(text, work.sub("Left", n, done))
    if kind in ("pace", "time"):
        n = a * t + b * u
        ask = "[The rest [must|has to|should|will] be [finished|done|completed] in {u} days. How many [must be {did}|{o}] [" + EVERY + "][| on average]|If the rest is to be finished in {u} days, how many should be {did} [" + EVERY + "]]?" if kind == "pace" else "[The rest is {did} at {b} [" + EVERY + "]. How many [more |]days [are needed|does it take]|If {b} are {did} [" + EVERY + "] from then on, how many more days are needed]?"
        text = say(rng, start + "[[{a} were {did} [" + EVERY + "] for [the first |]{t} days|In the first {t} days, {a} were {did} [" + EVERY + "]]|{t} days have passed with {a} {did} [" + EVERY + "]]. " + ask, n=n, **words)
        done = work.mul("Done", a, t)
        rest = work.sub("Left", n, done)
        return work.problem(text, work.div("Per day" if kind == "pace" else "Days", rest, u if kind == "pace" else b))
    base, t1, t2 = rng.randint(1, 12), rng.randint(4, 15), rng.randint(2, 12)
    if t1 <= t2:
        t2 = t1 - rng.randint(1, 3)
    n = base * t1 * t2
    slow, fast = base * t2, base * t1
    words.update(n=n, t=t1, a=slow, f=fast, d=fast - slow, u=t2)
    if kind == "ahead":
        text = say(rng, "[{w} planned to {do} {a} {o} [" + EVERY + "] and finish in {t} days. [In fact|Actually], {f} were {did} [" + EVERY + "]. How many days [did it actually take|were actually needed]|{w} planned to {do} {a} {o} [" + EVERY + "] for {t} days. The work was finished in {u} days. How many were [actually |]{did} [" + EVERY + "]]?", **words)
        total = work.mul("Total", slow, t1)
        if "The work was" in text:
            return work.problem(text, work.div("Per day", total, t2))
        return work.problem(text, work.div("Days", total, fast))
    if kind == "extra":
        text = say(rng, start + "[The plan was|It was planned] to finish in {t} days. Actually, {d} more were {did} [" + EVERY + "] than planned. [How many days did it [actually |]take|In how many days was it finished|How many days earlier was it finished]?", **words)
        planned = work.div("Planned per day", n, t1)
        real = work.add("Actual per day", planned, fast - slow)
        days = work.div("Days", n, real)
        if "earlier" in text:
            days = work.sub("Earlier", t1, days)
        return work.problem(text, days)
    if kind == "actual":
        text = say(rng, start + "[The plan was|It was planned] to finish in {t} days, but it took only {u} days. How many more were {did} [" + EVERY + "] than planned?", **words)
        planned = work.div("Planned per day", n, t1)
        real = work.div("Actual per day", n, t2)
        return work.problem(text, work.sub("More", real, planned))
    c = rng.randint(2, 30)
    words = dict(w=who, do=do, did=did, o=items, a=b, t=t, c=c, n=b * t, m=b * c)
    if kind == "rate":
        text = say(rng, "[{w} {did} {n} {o} in {t} days|In {t} days, {w2} {did} {n} {o}]. [At this [rate|speed|pace], how|How] many {o} [can|will] be {did} in {c} days?", w2=who[0].lower() + who[1:] if who.startswith(("A ", "An ")) else who, **words)
        day = work.div("Per day", b * t, t)
        return work.problem(text, work.mul("Total", day, c))
    if kind == "total":
        text = say(rng, "{w} {did} {n} {o} in {t} days. [At this [rate|speed|pace], how|How] many days [are needed|does it take] [to {do}|for] {m} {o}?", **words)
        day = work.div("Per day", b * t, t)
        return work.problem(text, work.div("Days", b * c, day))
    extra = rng.randint(1, 40)
    text = say(rng, "{w} {did} {n} {o} in {t} days. [If {e} more are {did} [" + EVERY + "]|With {e} more [" + EVERY + "]], how many [are|{o} can be] {did} in {c} days?", e=extra, **words)
    day = work.div("Per day", b * t, t)
    new = work.add("New per day", day, extra)
    return work.problem(text, work.mul("Total", new, c))


@family(1.2)
def machines(rng):
    """Several machines or workers for several hours."""
    work = Work(rng, "machines")
    unit = rng.choice(["machines", "workers", "tractors", "printers", "cows", "people", "trucks", "hens"])
    items = {"cows": "kilograms of milk", "tractors": "hectares", "hens": "eggs", "trucks": "tons of goods"}.get(unit, "parts")
    time = rng.choice(["hours", "days"])
    a, t, x = rng.randint(2, 9), rng.randint(2, 9), rng.randint(2, 12)
    b, u = rng.randint(2, 12), rng.randint(2, 12)
    kind = rng.choice(["normalise", "normalise", "one", "forward"])
    verb = rng.choice(["make", "produce", "finish"]) if items == "parts" else {"cows": "give", "tractors": "plow", "hens": "lay", "trucks": "carry"}[unit]
    if kind == "forward":
        text = say(rng, "[Each|Every|One] {m} can {v} {x} {o} [an {h}|per {h}|in one {h}]. How many {o} can {a} {ms} {v} in {t} {hs}?", m={"people": "person"}.get(unit, unit[:-1]), ms=unit, v=verb, x=x, o=items, h=time[:-1], hs=time, a=a, t=t).replace("an day", "a day")
        one = work.mul("Together", x, a)
        return work.problem(text, work.mul("Total", one, t))
    text = say(rng, "{a} {ms} [can |]{v} {n} {o} in {t} {hs}. ", a=a, ms=unit, v=verb, n=a * t * x, o=items, t=t, hs=time)
    each = work.div(f"Per {time[:-1]}", a * t * x, t)
    each = work.div("Each", each, a)
    if kind == "one":
        return work.problem(text + say(rng, " How many {o} [does|can] [one|each] {m} {v} [in one {h}|per {h}]?", o=items, m={"people": "person"}.get(unit, unit[:-1]), v=verb, h=time[:-1]), each)
    text += say(rng, " [At this rate, how|How] many {o} can {b} {ms} {v} in {u} {hs}?", o=items, b=b, u=u, ms=unit, v=verb, hs=time)
    new = work.mul("Together", each, b)
    return work.problem(text, work.mul("Total", new, u))


@family(1.4)
def shared_work(rng):
    """Two workers finish one job together."""
    work = Work(rng, "shared_work")
    pairs = [(3, 6), (4, 12), (6, 12), (10, 15), (20, 30), (12, 24), (5, 20), (6, 30), (12, 6), (15, 30), (30, 20), (15, 10), (8, 24), (18, 9), (12, 36), (20, 5), (40, 10), (10, 40), (2, 2), (4, 4), (6, 6), (8, 8), (10, 10), (30, 15), (9, 18), (24, 8), (60, 30), (12, 4), (8, 12), (10, 12), (4, 6), (5, 10), (6, 8)]
    a, b = rng.choice(pairs)
    unit = rng.choice(["days", "hours"])
    names = rng.choice([("A", "B"), ("Team A", "team B"), ("Person A", "person B"), ("Pipe A", "pipe B"), ("Master Wang", "Master Li"), ("The first team", "the second team")])
    job = "[a project|a job|a road|the work|a piece of work|a batch of parts]" if "Pipe" not in names[0] else "[a pool|a tank]"
    text = say(rng, "[{x} [alone |]can [finish|do|complete] " + job + " in {a} {u} and {y} [alone |]in {b} {u}|" + job + " takes {x} {a} {u} alone and {y} {b} {u} alone|It takes {x} {a} {u} to finish " + job + " and {y} {b} {u}]. ", x=names[0], y=names[1], a=a, b=b, u=unit)
    if "Pipe" in names[0]:
        text = text.replace("finish", "fill").replace("complete", "fill").replace("do ", "fill ")
    work.note(f"Per {unit[:-1]}: 1/{a} + 1/{b} = {number_ratio(Fraction(1, a) + Fraction(1, b))}.")
    rate = Fraction(1, a) + Fraction(1, b)
    if rng.random() < 0.7:
        time = 1 / rate
        text += say(rng, " [How many {u} does it take them together|How many {u} do they need [working |]together|If they work together, how many {u} [are needed|does it take]|How many {u} will it take if both work together]?", u=unit)
        work.note(f"Time: 1 / {number_ratio(rate)} = {number(time)}.")
        return work.problem(text, time)
    n = rng.randint(1, max(1, int(1 / rate) - 1))
    text += say(rng, " What fraction of [the work|it|the job] do they finish together in {n} {u}?", n=n, u=unit if n > 1 else unit[:-1])
    done = rate * n
    work.note(f"Done: {number_ratio(rate)} * {n} = {number_ratio(done)}.")
    return work.problem(text, number_ratio(done))


def number_ratio(value):
    """A fraction as a/b, whole numbers plainly."""
    return number(value) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"


@family(1.5)
def reading(rng):
    """Pages of a book over days."""
    work = Work(rng, "reading")
    who = person(rng)
    a, t, left = rng.randint(4, 60), rng.randint(2, 14), rng.randint(5, 150)
    kind = rng.choice(["days", "left", "pace", "total", "halves", "next"])
    if kind == "days":
        text = say(rng, "[A book has {n} pages. {p} reads {a} pages [" + EVERY + "]. [In how|How] many days does {he} [need to finish|take to read] [it|the book]|{p} reads {a} pages [" + EVERY + "]. How many days does {he} need for a book of {n} pages]?", n=a * t, a=a, p=who, he=who.he).replace("In how many days does", "How many days does")
        return work.problem(text, work.div("Days", a * t, a))
    if kind == "left":
        text = say(rng, "{p} is reading a [{n}-page book|book with {n} pages|book of {n} pages]. {He} [has read|reads|read] {a} pages [" + EVERY + "] for {t} days. How many pages [are left|remain|does {he} still have to read|has {he} not read yet]?", n=a * t + left, a=a, t=t, p=who, he=who.he, He=who.he)
        read = work.mul("Read", a, t)
        return work.problem(text, work.sub("Left", a * t + left, read))
    if kind == "pace":
        text = say(rng, "{p} [has read|read] {l} pages of a [{n}-page book|book with {n} pages]. {He} wants to [finish|read] the rest in {t} days. How many pages [must|should] {he} read [" + EVERY + "]?", n=a * t + left, l=left, t=t, p=who, he=who.he, He=who.he)
        rest = work.sub("Left", a * t + left, left)
        return work.problem(text, work.div("Per day", rest, t))
    if kind == "total":
        text = say(rng, "{p} reads {a} pages [" + EVERY + "]. After {t} days {l} pages [are left|remain]. How many pages does the book have?", a=a, t=t, l=left, p=who)
        read = work.mul("Read", a, t)
        return work.problem(text, work.add("Book", read, left))
    if kind == "halves":
        d = rng.choice([2, 3, 4])
        n = a * d * 2
        n2 = rng.randint(1, n // 4)
        text = say(rng, "A book has {n} pages. {p} read {f} of it [yesterday|on Monday|on the first day] and {b} pages [today|on Tuesday|on the second day]. How many pages [are left|remain][| to read]?", n=n, p=who, f="half" if d == 2 else f"1/{d}", b=n2)
        first = work.part("First", n, Fraction(1, d))
        done = work.add("Read", first, n2)
        return work.problem(text, work.sub("Left", n, done))
    k = rng.choice([2, 3])
    text = say(rng, "[A book has {n} pages. {p} reads {a} pages on the first day and {k} as many on the second day|{p} has a book of {n} pages and reads {a} pages on Monday and {k} as many on Tuesday]. [How many pages [are left|remain]|How many pages [has {he} read|did {he} read] in [all|the two days]]?", n=a * (1 + k) + left, p=who, he=who.he, a=a, k="twice" if k == 2 else "three times")
    second = work.mul("Second day", a, k)
    read = work.add("Read", a, second)
    if "are left" in text or "remain" in text:
        return work.problem(text, work.sub("Left", a * (1 + k) + left, read))
    return work.problem(text, read)
