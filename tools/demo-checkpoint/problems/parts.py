"""Fractions and percentages of quantities, ratios, averages and concentration."""

from fractions import Fraction

from .base import Work, amount, family, number, people, person, proper_fraction, ratio, say, spoken, step_range, things

SCENES = [
    ("A school has {n} students", "students", "are [boys|girls|in the first grade|members of a club]", "are not"),
    ("An orchard has {n} trees", "trees", "are [apple|pear|peach] trees", "are not"),
    ("A library has {n} books", "books", "are [storybooks|science books|novels]", "are other books"),
    ("There are {n} kilograms of rice in a store", "kilograms", "[were|have been] sold", "are left"),
    ("A road is {n} meters long", "meters", "[has|have] been [built|repaired]", "are left"),
    ("A pile of coal weighs {n} tons", "tons", "[has|have] been [used|carried away|burned]", "are left"),
    ("A book has {n} pages", "pages", "have been read", "are left"),
    ("{p} has {n} dollars", "dollars", "were spent on [books|food|clothes]", "are left"),
    ("A farm has {n} animals", "animals", "are [cows|sheep|pigs]", "are not"),
    ("A rope is {n} meters long", "meters", "[were|have been] cut off", "are left"),
    ("A truck carries {n} boxes of fruit", "boxes", "are [apples|pears]", "are not"),
    ("A factory must make {n} parts", "parts", "[are|have been] [finished|completed|made]", "are still to be made"),
    ("A tank holds {n} liters of water", "liters", "have been used", "are left"),
    ("A class has {n} pupils", "pupils", "are [girls|boys]", "are not"),
    ("A theater has {n} seats", "seats", "are taken", "are free"),
    ("A baker made {n} rolls", "rolls", "were sold [in the morning|]", "are left"),
    ("A bag has {n} candies", "candies", "are [red|green]", "are not"),
    ("A shop received {n} kilograms of fruit", "kilograms", "[were|are] sold [on the first day|]", "are left"),
]


@family(3.0)
def fraction_of(rng):
    """A fraction of a quantity, the remainder, or the next fraction of it."""
    work = Work(rng, "fraction_of")
    share = proper_fraction(rng, 8)
    n = share.denominator * rng.choice([rng.randint(2, 30), rng.randint(2, 12) * 10])
    lead, items, verb, rest_verb = rng.choice(SCENES)
    lead = say(rng, lead, n=n, p=person(rng))
    f = spoken(rng, share)
    kind = rng.choice(["part", "rest", "rest", "second", "second_of_rest", "whole", "whole_rest", "two_people", "percent", "percent_rest", "percent_whole", "plus"])
    rest_ask = f"How many {items} {rest_verb}?" if rest_verb != "are not" else f"How many {items} are {rng.choice(['left', 'the others', 'in the rest'])}?"
    if kind == "part":
        text = say(rng, lead + ". {f} of [them|the {o}] " + verb + ". How many {o} is that?", f=f, o=items)
        return work.problem(text, work.part("Part", n, share))
    if kind == "rest":
        text = say(rng, lead + ". {f} of [them|the {o}|it] " + verb + ". " + rest_ask, f=f, o=items)
        gone = work.part("Part", n, share)
        return work.problem(text, work.sub("Rest", n, gone))
    if kind.startswith("percent"):
        p = rng.choice([5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 60, 65, 70, 75, 80, 90])
        n = step_range(rng, 20, 800, 20)
        lead, items, verb, rest_verb = rng.choice(SCENES)
        lead = say(rng, lead, n=n, p=person(rng))
        if kind == "percent":
            text = say(rng, lead + ". {k}% of [them|the {o}] " + verb + ". How many {o} is that?", k=p, o=items)
            return work.problem(text, work.percent("Part", n, p))
        if kind == "percent_rest":
            ask = f"How many {items} {rest_verb}?" if rest_verb != "are not" else f"How many {items} are the others?"
            text = say(rng, lead + ". {k}% of [them|the {o}|it] " + verb + ". " + ask, k=p, o=items)
            gone = work.percent("Part", n, p)
            return work.problem(text, work.sub("Rest", n, gone))
        part = Fraction(n) * p / 100
        text = say(rng, "[{w} [has read|spent|has finished|has used] {x} {o}, [which is|that is]|In a [school|town|group|store] {x} {o} " + verb + ", which is] {k}% of [the total|all {o}|all]. How many {o} are there [in all|altogether|in total]?", w=person(rng), x=part, k=p, o=items)
        one = work.div("1%", part, p)
        return work.problem(text, work.mul("Total", one, 100))
    if kind == "second":
        other = proper_fraction(rng, 6)
        if share + other >= 1:
            share, other = Fraction(1, 4), Fraction(1, 2)
        n = share.denominator * other.denominator * rng.randint(1, 12)
        text = say(rng, "[{p} has a book of {n} pages. {He} reads {f} of it on the first day and {g} [of it |]on the second day|A road of {n} meters is being built. {f} of it was built in the first week and {g} [of it |]in the second week|A store has {n} kilograms of rice. {f} of it is sold in the morning and {g} of it in the afternoon|There are {n} marbles in a bag. {f} of them are red, {g} of them are blue and the rest are green]. [How many [of them |]are left|How many remain|How many are not in these two parts]?", p=(w := person(rng)), He=w.he, n=n, f=spoken(rng, share), g=spoken(rng, other))
        if "green" in text:
            text = text[: text.rindex(".") + 1] + " How many green marbles are there?"
        elif "not in" in text:
            text = text[: text.rindex(".") + 1] + " How many are left?"
        a = work.part("First", n, share)
        b = work.part("Second", n, other)
        both = work.add("Both", a, b)
        return work.problem(text, work.sub("Left", n, both))
    if kind == "second_of_rest":
        other = proper_fraction(rng, 5)
        n = share.denominator * other.denominator * rng.randint(1, 12)
        text = say(rng, "[{p} has {n} {o}. {He} gives {f} of them to {q} and then {g} of the [rest|remaining {o}] to {s}|There are {n} {o}. {f} of them are sold [in the morning|on Monday] and {g} of the [rest|remaining ones] [in the afternoon|on Tuesday]|{p} has {n} dollars. {He} spends {f} of the money on [food|a coat] and {g} of the rest on [books|shoes]]. How many [{o} |]are left?", p=(w := person(rng)), He=w.he, q=person(rng), s=person(rng), n=n, o=things(rng), f=spoken(rng, share), g=spoken(rng, other))
        if "dollars" in text:
            text = text[: text.rindex(".") + 1] + " How much money is left?"
        a = work.part("First", n, share)
        rest = work.sub("Rest", n, a)
        b = work.part("Second", rest, other)
        return work.problem(text, work.sub("Left", rest, b))
    if kind == "whole":
        part = n * share
        text = say(rng, "[{p} has read {x} pages of a book, [which is|that is|this is] {f} of [the book|it|the whole book]. How many pages does the book have|{x} {o} " + verb + ", which is {f} of [all|the total]. How many {o} are there [in all|altogether]|{f} of a [number|rope|road] is {x}. [How much|What] is the whole|{p} spent {x} dollars, which is {f} of {his} money. How much money did {he} have]?", p=(w := person(rng)), he=w.he, his=w.his, x=part, f=ratio(share), o=items)
        return work.problem(text, work.whole("Whole", part, share))
    if kind == "whole_rest":
        rest = n - n * share
        text = say(rng, "[{p} has read {f} of a book and {x} pages are left. How many pages does the book have|After {f} of a [road|canal] was built, {x} meters [were|are] left. How long is it|{p} spent {f} of {his} money and has {x} dollars left. How much [money |]did {he} have at first|A store sold {f} of its rice and {x} kilograms are left. How many kilograms [were there|did it have]]?", p=(w := person(rng)), he=w.he, his=w.his, x=rest, f=ratio(share))
        work.note(f"Rest: 1 - {ratio(share)} = {ratio(1 - share)}.")
        return work.problem(text, work.whole("Whole", rest, 1 - share))
    if kind == "two_people":
        a, b = rng.choice([("apple trees", "pear trees"), ("boys", "girls"), ("red balls", "blue balls"), ("basketballs", "footballs"), ("sheep", "goats"), ("storybooks", "science books"), ("chickens", "ducks"), ("men", "women")])
        n2 = n * share
        total = rng.random() < 0.5
        text = say(rng, "There are {n} {a} [in [an orchard|a school|a farm|a store]|]. The number of {b} is {f} of [the number of|that of the] {a}. " + ("How many {a} and {b} are there [altogether|in all|in total]?" if total else "How many {b} are there?"), n=n, a=a, b=b, f=ratio(share))
        second = work.part(b.capitalize(), n, share)
        return work.problem(text, work.add("Total", n, second) if total else second)
    k = rng.randint(1, 30)
    more = rng.random() < 0.5
    base = n * share
    if not more and base <= k:
        more = True
    text = say(rng, "[{p} has {n} {o}. {q} has {k} {m} than {f} of that number|There are {n} boys. The number of girls is {k} {m} than {f} of the number of boys]. How many does {q} have?", p=person(rng), q=(q := person(rng)), n=n, o=things(rng), k=k, m="more" if more else "less", f=ratio(share))
    if "girls" in text:
        text = text[: text.rindex(".") + 1] + " How many girls are there?"
    first = work.part("Part", n, share)
    return work.problem(text, work.add("Result", first, k) if more else work.sub("Result", first, k))


@family(1.6)
def what_percent(rng):
    """Express a part as a fraction or percentage of the whole, or a change in percent."""
    work = Work(rng, "what_percent")
    n = rng.choice([10, 20, 25, 40, 50, 80, 100, 120, 150, 200, 250, 300, 400, 500])
    p = rng.choice([5, 10, 15, 20, 24, 25, 30, 32, 36, 40, 45, 50, 60, 64, 70, 75, 80, 90, 96])
    while n * p % 100:
        p = rng.choice([10, 20, 30, 40, 50, 60, 70, 80, 90, 25, 75])
        n = rng.choice([20, 40, 60, 80, 100, 120, 200])
    part = n * p // 100
    kind = rng.choice(["part", "part", "rest", "fraction", "more", "less", "rate"])
    if kind in ("part", "rate"):
        text = say(rng, "[[A school has|There are] {n} students and {x} [of them |]are [boys|girls]. What percent [of the students |]are [boys|girls]|{p} [answered|solved] {x} of {n} problems correctly. What percent [is that|were correct|did {he} solve]|[Out of|Of] {n} seeds, {x} [sprouted|germinated]. What is the [germination rate|percentage of seeds that sprouted]|{x} of {n} [parts|products] [passed the test|are good]. What [percent passed|is the pass rate]|{x} is what percent of {n}|What percent of {n} is {x}|In a class of {n} students, {x} [came|were present]. What was the attendance rate]?", n=n, x=part, p=(w := person(rng)), he=w.he)
        if "boys" in text and "girls" in text:
            text = text.replace("girls", "boys")
        work.note(f"Percent: {part} / {n} = {number(Fraction(part, n))} = {p}%.")
        return work.problem(text, f"{p}%")
    if kind == "fraction":
        a, b = rng.randint(1, 30), rng.randint(2, 40)
        if a >= b:
            a, b = b, a + 1
        text = say(rng, "[[A class has|There are] {b} students and {a} [of them |]are [boys|girls|absent|left-handed]. What fraction of the students is that|{p} has read {a} of {b} pages. What fraction [of the pages|of the book] has {he} read|{a} is what fraction of {b}]?", a=a, b=b, p=(w := person(rng)), he=w.he)
        value = Fraction(a, b)
        work.note(f"Fraction: {a}/{b}" + (f" = {ratio(value)}." if value.denominator != b else "."))
        return work.problem(text, ratio(value))
    if kind == "rest":
        text = say(rng, "[A book has {n} pages and {p} has read {x}. What percent of the pages is left|A class has {n} students and {x} are boys. What percent are girls|A factory must make {n} parts and has made {x}. What percent [is left|remains]]?", n=n, x=part, p=person(rng))
        rest = work.sub("Rest", n, part)
        work.note(f"Percent: {number(rest)} / {n} = {number(rest / n)} = {100 - p}%.")
        return work.problem(text, f"{100 - p}%")
    now = n + part if kind == "more" else n - part
    text = say(rng, "[A factory made {a} parts last [month|year] and {b} this [month|year]|The price of a coat [was|went from] {a} yuan and [is now|now is] {b} yuan|A [school|town|club] had {a} members last year and {b} this year]. By what percent [did it|did the number] {v}?", a=n, b=now, v="increase" if kind == "more" else "decrease")
    diff = work.sub("Change", max(n, now), min(n, now))
    work.note(f"Percent: {number(diff)} / {n} = {number(diff / n)} = {p}%.")
    return work.problem(text, f"{p}%")


@family(1.6)
def percent_change(rng):
    """A quantity grows or shrinks by a percentage or fraction."""
    work = Work(rng, "percent_change")
    n = step_range(rng, 20, 900, 20)
    up = rng.random() < 0.5
    who = rng.choice(["A factory made {n} parts", "A farm harvested {n} tons", "A school had {n} students", "A shop sold {n} bikes", "A village planted {n} trees", "{p} earned {n} dollars"])
    last, this = rng.choice([("last year", "this year"), ("last month", "this month"), ("in May", "in June"), ("last week", "this week")])
    if rng.random() < 0.6:
        p = rng.choice([5, 10, 15, 20, 25, 30, 40, 50, 60])
        text = say(rng, who + " {l}. {T}, [the number|it|the amount] [" + ("increased|rose|grew" if up else "decreased|fell|dropped") + "] by {k}%. [How many is it {t}|How much is it {t}|What is the number {t}]?", n=n, l=last, T=this[0].upper() + this[1:], t=this, k=p, p=person(rng))
        diff = work.percent("Change", n, p)
    else:
        share = proper_fraction(rng, 6)
        n = share.denominator * rng.randint(4, 80)
        text = say(rng, who + " {l}. {T} it was {f} {m} than {l}. [How many is it {t}|How much is it {t}|What is the number {t}]?", n=n, l=last, T=this[0].upper() + this[1:], t=this, f=ratio(share), m="more" if up else "less", p=person(rng))
        diff = work.part("Change", n, share)
    return work.problem(text, work.add("Now", n, diff) if up else work.sub("Now", n, diff))


@family(1.8)
def ratios(rng):
    """Quantities in a given ratio."""
    work = Work(rng, "ratios")
    a, b = rng.randint(1, 9), rng.randint(1, 9)
    if a == b:
        b += 1
    k = rng.randint(2, 40)
    one, two, lead, total_words = rng.choice([
        ("boys", "girls", "In a [class|school|club]", "{n} students"), ("red balls", "blue balls", "In a box", "{n} balls"),
        ("apple trees", "pear trees", "In an orchard", "{n} trees"), ("sugar", "flour", "In a recipe", "{n} grams"),
        ("cement", "sand", "In a mixture", "{n} kilograms"), ("cats", "dogs", "In a shelter", "{n} animals"),
        ("men", "women", "In a factory", "{n} workers"), ("roosters", "hens", "On a farm", "{n} birds"),
    ])
    kind = rng.choice(["total", "total", "share", "other", "other", "difference", "whole"])
    if kind == "share":
        p, q = people(rng, 2)
        which = rng.random() < 0.5
        text = say(rng, "{p} and {q} [share|divide|split] {n} [dollars|stamps|marbles|apples|candies] in the ratio {a}:{b}. How many does {w} get?", p=p, q=q, n=(a + b) * k, a=a, b=b, w=p if which else q)
        parts = work.add("Parts", a, b)
        part = work.div("One part", (a + b) * k, parts)
        return work.problem(text, work.mul("Share", part, a if which else b))
    sep = rng.choice(["{a}:{b}", "{a} to {b}", "{a} : {b}"])
    start = lead + ", the ratio of {x} to {y} is " + sep + ". "
    words = dict(a=a, b=b, x=one, y=two, n=(a + b) * k)
    how = "How many {w} are there" if total_words.split()[1] not in ("grams", "kilograms") else "How many " + total_words.split()[1] + " of {w} are there"
    if kind == "total":
        first = rng.random() < 0.5
        text = say(rng, start + "[There are " + total_words + " [in all|in total|altogether]. " + how + "|If there are " + total_words + " [in all|altogether], " + how[0].lower() + how[1:] + "]?", w=one if first else two, **words)
        parts = work.add("Parts", a, b)
        part = work.div("One part", (a + b) * k, parts)
        return work.problem(text, work.mul((one if first else two).capitalize(), part, a if first else b))
    if kind == "difference":
        low, high = sorted((a, b))
        more, less = (one, two) if a > b else (two, one)
        text = say(rng, start + "There are {d} more {m} than {l}. " + how + "?", d=(high - low) * k, m=more, l=less, w=more, **words)
        parts = work.sub("Parts", high, low)
        part = work.div("One part", (high - low) * k, parts)
        return work.problem(text, work.mul(more.capitalize(), part, high))
    unit = "" if total_words.split()[1] not in ("grams", "kilograms") else total_words.split()[1] + " of "
    text = say(rng, start + "There are {m} {x}. " + (how + "?" if kind == "other" else "How many are there [in all|altogether]?"), m=str(a * k) + (" " + unit.strip() if unit else ""), w=two, **words)
    part = work.div("One part", a * k, a)
    second = work.mul(two.capitalize(), part, b)
    return work.problem(text, second if kind == "other" else work.add("Total", a * k, second))


@family(1.6)
def averages(rng):
    """Means, sums from means, and a missing value."""
    work = Work(rng, "averages")
    who = person(rng)
    count = rng.choice([2, 3, 3, 4, 5])
    mean = rng.randint(8, 98)
    values = [mean] * count
    for i in range(count - 1):
        shift = rng.randint(-min(7, mean - 1), 7)
        values[i] += shift
        values[i + 1] -= shift
    values = [max(1, v) for v in values]
    while sum(values) % count:
        values[rng.randrange(count)] += 1
    mean = sum(values) // count
    listed = ", ".join(map(str, values[:-1])) + f" and {values[-1]}"
    kind = rng.choice(["mean", "mean", "missing", "sum", "groups", "raise"])
    subject = rng.choice(["tests", "games", "days", "exams", "weeks", "months"])
    if kind == "mean":
        text = say(rng, "[{p} [scored|got] {l} [points |][in|on] {c} {s}. What [is|was] {his} average [score|]|What is the average of {l}|The [temperatures|sales|numbers of visitors] on {c} days were {l}. What was the average|{p} [sold|read|made|walked] {l} [pages|cups|miles] in {c} {s}. [What is the average|How many is that on average]]?", p=who, his=who.his, l=listed, c=count, s=subject)
        total = work.add("Sum", *values)
        return work.problem(text, work.div("Average", total, count))
    if kind == "missing":
        text = say(rng, "[{p}'s average [score |]in {c} {s} is {m}. [The first {d} scores are|In {d} of them {he} got] {l}. What is the [last|other] [score|one]|The average of {c} numbers is {m}. {d} of them {are} {l}. What is the [other|last] number]?", p=who, he=who.he, c=count, s=subject, m=mean, d=count - 1, are="are" if count > 2 else "is", l=" and ".join(map(str, values[:-1])) if count < 4 else ", ".join(map(str, values[:-2])) + f" and {values[-2]}")
        total = work.mul("Sum", mean, count)
        known = work.add("Known", *values[:-1]) if count > 2 else values[0]
        return work.problem(text, work.sub("Last", total, known))
    if kind == "sum":
        text = say(rng, "The average [age|weight|height|score] of {c} [people|students|boxes|children] is {m}. What is the [sum|total]?", c=count * 2, m=mean)
        return work.problem(text, work.mul("Sum", mean, count * 2))
    if kind == "raise":
        text = say(rng, "{p}'s average in {a} {s} is {m}. [After one more|With the next one], the average is {n}. [What did {he} get in the last one|What was the last score]?", p=who, he=who.he, a=count, s=subject, m=mean, n=mean + 1)
        old = work.mul("Old sum", mean, count)
        more = work.add("Count", count, 1)
        new = work.mul("New sum", mean + 1, more)
        return work.problem(text, work.sub("Last", new, old))
    a, b = rng.randint(2, 9), rng.randint(2, 9)
    m = rng.randint(5, 60)
    v1 = m + b * rng.randint(0, 3)
    v2 = m - a * ((v1 - m) // b)
    if v2 < 1:
        v1 = v2 = m
    text = say(rng, "[{p} made {v} parts a day for {a} days and {w} parts a day for {b} days. How many parts a day is that on average|{a} boxes weigh {v} kilograms each and {b} boxes weigh {w} kilograms each. What is the average weight]?", p=who, v=v1, w=v2, a=a, b=b)
    s1 = work.mul("First", v1, a)
    s2 = work.mul("Second", v2, b)
    total = work.add("Sum", s1, s2)
    n = work.add("Count", a, b)
    return work.problem(text, work.div("Average", total, n))


@family(1.2)
def mixtures(rng):
    """Concentration of solutions."""
    work = Work(rng, "mixtures")
    what = rng.choice([("salt", "salt water"), ("sugar", "sugar water"), ("alcohol", "solution"), ("salt", "brine"), ("medicine", "solution")])
    total, p = rng.choice([50, 80, 100, 120, 150, 200, 250, 300, 400, 500, 600, 1000]), rng.choice([5, 10, 12, 15, 20, 25, 30, 40])
    while total * p % 100:
        p = rng.choice([10, 20, 30, 40])
        total = rng.choice([50, 100, 200, 300, 500])
    inside = total * p // 100
    kind = rng.choice(["rate", "rate_add", "amount", "water", "total"])
    words = dict(s=what[0], w=what[1], n=total, x=inside, k=p, r=total - inside)
    if kind == "rate":
        text = say(rng, "[{n} grams of {w} contain {x} grams of {s}|There are {x} grams of {s} in {n} grams of {w}]. What [is the [concentration|percentage of {s}]|percent of it is {s}]?", **words)
        work.note(f"Percent: {inside} / {total} = {number(Fraction(inside, total))} = {p}%.")
        return work.problem(text, f"{p}%")
    if kind == "rate_add":
        text = say(rng, "{x} grams of {s} are [dissolved in|mixed with|put into] {r} grams of water. What is the [concentration|percentage of {s}][| of the {w}]?", **words)
        all_ = work.add("Total", inside, total - inside)
        work.note(f"Percent: {inside} / {number(all_)} = {number(Fraction(inside, total))} = {p}%.")
        return work.problem(text, f"{p}%")
    if kind == "total":
        text = say(rng, "[How many grams of {w} with {k}% {s} can be made from {x} grams of {s}|{x} grams of {s} are used to make {w} with {k}% {s}. How many grams of {w} are made]?", **words)
        one = work.div("1%", inside, p)
        return work.problem(text, work.mul("Total", one, 100))
    text = say(rng, "[There are|{pp} has] {n} grams of {w} with {k}% {s}. How many grams of " + ("{s}" if kind == "amount" else "water") + " [are in it|does it contain]?", pp=person(rng), **words)
    part = work.percent(what[0].capitalize(), total, p)
    return work.problem(text, part if kind == "amount" else work.sub("Water", total, part))
