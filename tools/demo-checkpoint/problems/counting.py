"""Stories about amounts that grow, shrink, are compared, shared and grouped."""

from fractions import Fraction

from .base import (
    Work, amount, family, people, person, plural, proper_fraction, ratio, say, step_range, thing, things,
)

TIMES_WORD = {2: "twice", 3: "three times", 4: "four times", 5: "five times", 6: "6 times"}
PLACES = "shop|school|library|farm|bakery|factory|store|garden|warehouse|museum|club|park"


@family(3.0)
def changing_amount(rng):
    """Somebody's things change several times: bought, given away, halved, doubled."""
    work = Work(rng, "changing_amount")
    who, other = people(rng, 2)
    items = things(rng)
    have = rng.choice([rng.randint(5, 60), rng.randint(20, 300)])
    text = [say(rng, "{p} [has|had|starts with|started with|collected|owns|has got] {n} {o} [||in a box|at home|in a basket]. ", p=who, n=have, o=items)]
    value = Fraction(have)
    for _ in range(rng.choice([1, 2, 2, 2, 3, 3])):
        value = _change(rng, work, text, who, other, items, value)
    text.append(say(rng, "How many {o} [does {p} have now|does {p} have left|are left|does {p} have in the end|remain|does {he} have now|does {he} have left]?", p=who, he=who.he, o=items))
    return work.problem(" ".join(text), value)


def _change(rng, work, text, who, other, items, value):
    kind = rng.choice(["more", "more", "less", "less", "less", "part", "double", "packs", "groups"])
    n = rng.randint(1, max(2, min(90, int(value) - 1)))
    if kind == "part" and value > 3:
        shares = [d for d in (2, 3, 4, 5) if value % d == 0]
        if shares:
            share = Fraction(1, rng.choice(shares))
            words = "half" if share == Fraction(1, 2) else rng.choice([f"1/{share.denominator}", {3: "a third", 4: "a quarter", 5: "a fifth"}[share.denominator]])
            text.append(say(rng, "[Then {he}|{p}|Then {p}|{he}|Later {he}|After that, {p}] [gives|gave|sells|sold|uses|loses|lost] {w} of [them|the {o}|{his} {o}|what was left|the remaining {o}][.| to {q}.]", he=who.he, his=who.his, p=who, w=words, o=items, q=other))
            gone = work.part("Gone", value, share)
            return work.sub("Left", value, gone)
    if kind == "double" and value < 150:
        k = rng.choice([2, 2, 3])
        text.append(say(rng, "[Then|Later|The next day,] {he} [{verb} the number of {o} {he} has|gets so many that {he} has {k} times as many]. ", he=who.he, o=items, verb={2: "doubles", 3: "triples"}[k], k=k))
        return work.mul("Now", value, k)
    if kind == "packs":
        packs, each = rng.randint(2, 9), rng.randint(2, 12)
        text.append(say(rng, "[Then {he}|{p}|Then {p}|{he}] [buys|bought|gets|got|receives] {a} [more |][packs|boxes|bags|sets] [of {b} {o} each|with {b} {o} in each]. ", he=who.he, p=who, a=packs, b=each, o=items))
        extra = work.mul("New", packs, each)
        return work.add("Now", value, extra)
    if kind == "groups" and value > 12:
        each = rng.randint(2, 6)
        count = rng.randint(2, max(2, min(8, int(value) // each - 1)))
        if count * each < value:
            text.append(say(rng, "[Then {he}|{p}|Then {p}|{he}] [gives|gave|hands] {b} {o} [each to {a} friends|to each of {his} {a} friends|to each of {a} classmates|to each of {a} people]. ", he=who.he, his=who.his, p=who, a=count, b=each, o=items))
            gone = work.mul("Given", count, each)
            return work.sub("Left", value, gone)
    if kind == "less" and n < value:
        text.append(say(rng, "[Then {he}|{p}|Then {p}|{he}|Later {he}|After lunch {he}|On Monday {he}] [gives {n} to {q}|gave {n} {o} to {q}|loses {n} of them|lost {n}|uses {n}|used {n} of them|sells {n}|sold {n} {o}|eats {n}|breaks {n}|throws {n} away|gives away {n}]. ", he=who.he, p=who, n=n, q=other, o=items))
        return work.sub("Left", value, n)
    n = rng.randint(2, 90)
    text.append(say(rng, "[[Then {he}|{p}|Then {p}|{he}|Later {he}|The next day {he}] [buys|bought|gets|finds|found|receives|makes|picks|collects] {n} [more|more {o}|new ones|more of them]|{q} [gives|gave] {him} {n} [more|{o}|more {o}]]. ", he=who.he, him=who.him, p=who, q=other, n=n, o=items))
    return work.add("Now", value, n)


@family(2.5)
def comparing(rng):
    """Two or three people compared by more, fewer or times as many."""
    work = Work(rng, "comparing")
    folk = people(rng, 3)
    items = things(rng)
    values = [Fraction(rng.choice([rng.randint(3, 40), amount(rng, 20, 200)]))]
    verb = rng.choice(["has", "has", "collected", "picked", "sold", "made", "bought", "baked", "read", "found", "scored"])
    if verb == "read":
        items = "pages"
    if verb == "scored":
        items = "points"
    text = [say(rng, "{a} {v} {n} {o}. ", a=folk[0], v=verb, n=values[0], o=items)]
    count = rng.choice([2, 2, 3, 3])
    for i in range(1, count):
        values.append(_compare(rng, work, text, folk[i], folk[i - 1], verb, items, values[-1]))
    base = {"has": "have", "collected": "collect", "picked": "pick", "sold": "sell", "made": "make", "bought": "buy", "baked": "bake", "read": "read", "found": "find", "scored": "score"}[verb]
    aux = "do" if verb == "has" else "did"
    low, high = sorted((values[0], values[-1]))
    kind = rng.choice(["total", "total", "last", "difference"])
    if kind == "difference" and low != high:
        big, small = (folk[0], folk[count - 1]) if values[0] == high else (folk[count - 1], folk[0])
        text.append(say(rng, "How many more {o} {x}{s} {a} {b} than {c}?", o=items, x=aux, s="es" if aux == "do" else "", a=big, b=base, c=small))
        return work.problem(" ".join(text), work.sub("Difference", high, low))
    if kind == "last":
        text.append(say(rng, "How many {o} {x}{s} {a} {b}?", o=items, x=aux, s="es" if aux == "do" else "", a=folk[count - 1], b=base))
        return work.problem(" ".join(text), values[-1])
    together = "the two of them|they|both of them" if count == 2 else "the three of them|they|all three of them"
    text.append(say(rng, "How many {o} {x} [" + together + "] {b} [in all|altogether|in total|together]?", o=items, x=aux, b=base))
    return work.problem(" ".join(text), work.add("Total", *values))


def _compare(rng, work, text, who, than, verb, items, value):
    kind = rng.choice(["more", "fewer", "times", "times", "half", "part", "times_more"])
    k = rng.randint(2, 5)
    n = rng.randint(1, max(1, min(50, int(value) - 1)))
    label = who.name
    if kind == "half" and value % 2 == 0:
        text.append(say(rng, "{a} {v} half as many [|{o} ]as {b}. ", a=who, v=verb, o=items, b=than))
        return work.div(label, value, 2)
    if kind == "part":
        options = [Fraction(p, q) for q in (2, 3, 4, 5) for p in range(1, q) if value % q == 0]
        if options:
            share = rng.choice(options)
            text.append(say(rng, "{a} {v} {f} as many {o} as {b}. ", a=who, v=verb, o=items, b=than, f=ratio(share)))
            return work.part(label, value, share)
    if kind == "times":
        text.append(say(rng, "{a} {v} {k} as many [|{o} ]as {b}. ", a=who, v=verb, k=rng.choice([TIMES_WORD[k], f"{k} times"]), o=items, b=than))
        return work.mul(label, value, k)
    if kind == "times_more":
        more = rng.random() < 0.5
        n = rng.randint(1, max(1, min(12, int(value))))
        text.append(say(rng, "{a} {v} {n} {m} than {k} [the number of {o} {b} {v}|as many as {b}]. ", a=who, v=verb, n=n, m="more" if more else ("fewer" if rng.random() < 0.5 else "less"), k=rng.choice([TIMES_WORD[k], f"{k} times"]), o=items, b=than))
        base = work.mul(f"{k} times", value, k)
        return work.add(label, base, n) if more else work.sub(label, base, n)
    if kind == "fewer" and value > n:
        text.append(say(rng, "{a} {v} {n} [fewer|less] [|{o} ]than {b}. ", a=who, v=verb, n=n, o=items, b=than))
        return work.sub(label, value, n)
    text.append(say(rng, "{a} {v} {n} more [|{o} ]than {b}. ", a=who, v=verb, n=n, o=items, b=than))
    return work.add(label, value, n)


@family(2.0)
def groups_and_total(rng):
    """Groups of equal size plus or minus something."""
    work = Work(rng, "groups_and_total")
    who = person(rng)
    items = things(rng)
    a, b = rng.randint(2, 15), rng.randint(2, 24)
    box = rng.choice(["box", "bag", "row", "shelf", "basket", "packet", "case", "jar", "tray", "carton"])
    boxes = {"box": "boxes", "shelf": "shelves"}.get(box, box + "s")
    total = work.mul("In all", a, b)
    kind = rng.choice(["plain", "extra", "removed", "two", "share"])
    start = say(rng, "[There are {a} {bs} of {o}[| in the " + f"[{PLACES}]" + "]. [Each {b1} [has|holds|contains] {b} {o}|Every {b1} has {b}|There are {b} {o} in each {b1}].|{p} [has|buys|bought|fills|ordered] {a} {bs} [with {b} {o} in each|of {o} with {b} in each {b1}|of {b} {o} each].]", a=a, b=b, b1=box, bs=boxes, o=items, p=who)
    if kind == "plain":
        return work.problem(start + say(rng, " How many {o} are there [in all|altogether|in total]?", o=items), total)
    if kind == "extra":
        n = rng.randint(2, 60)
        end = say(rng, " [There are also {n} {o} [on the table|outside the {bs}|on the floor]|{p} also has {n} [loose {o}|more {o}]]. How many {o} are there [in all|altogether|in total]?", n=n, o=items, bs=boxes, p=who)
        return work.problem(start + end, work.add("Total", total, n))
    if kind == "removed":
        n = rng.randint(1, int(total) - 1)
        end = say(rng, " [{n} {o} [are sold|were sold|are broken|were given away|are taken out]|{p} [gives away|uses|sells|eats|sold|used] {n} [|of them|{o}]]. How many {o} [are left|remain|are there now]?", n=n, o=items, p=who)
        return work.problem(start + end, work.sub("Left", total, n))
    if kind == "two":
        c, d = rng.randint(2, 12), rng.randint(2, 12)
        other = things(rng)
        while other == items:
            other = things(rng)
        second = work.mul("Others", c, d)
        end = say(rng, " [There are also|{p} also has] {c} {bs} with {d} {q} in each. How many [things|items|{o} and {q}] are there [in all|altogether|in total]?", c=c, d=d, bs=boxes, q=other, o=items, p=who)
        return work.problem(start + end, work.add("Total", total, second))
    divisors = [k for k in range(2, 21) if total % k == 0]
    k = rng.choice(divisors)
    end = say(rng, " [The {o} are shared equally [among|by] {k} [people|children|friends|classes]. How many {o} does each [person|one|of them] get|If {k} [people|children|friends] share them [equally|evenly], how many [{o} |]does each get]?", k=k, o=items)
    return work.problem(start + end, work.div("Each", total, k))


@family(1.5)
def equal_sharing(rng):
    """Division stories, some with a remainder or a first portion kept back."""
    work = Work(rng, "equal_sharing")
    who = person(rng)
    items = things(rng)
    k, each = rng.randint(2, 12), rng.randint(2, 30)
    kind = rng.choice(["plain", "kept", "remainder", "packs", "needed"])
    if kind == "plain":
        text = say(rng, "{p} [has|bought|picked|made] {n} {o}[ and shares them equally among| and divides them evenly between| to be shared equally by] {k} [friends|children|people|students|plates]. How many {o} does each [of them |one |]get?", p=who, n=k * each, o=items, k=k)
        return work.problem(text, work.div("Each", k * each, k))
    if kind == "kept":
        keep = rng.randint(1, 20)
        text = say(rng, "{p} [has|bought|baked|made] {n} {o}. {He} keeps {m} [for {him}self|of them] and [shares the rest equally among|divides the others equally between|gives the rest in equal parts to] {k} [friends|children|neighbors|students]. How many {o} does each [of them |friend |]get?", p=who, He=who.he.capitalize(), him=who.him, n=k * each + keep, m=keep, o=items, k=k).replace("himself", "himself")
        rest = work.sub("Rest", k * each + keep, keep)
        return work.problem(text, work.div("Each", rest, k))
    if kind == "packs":
        text = say(rng, "[{p} [packs|puts] {n} {o} into boxes of {k}|{n} {o} are packed {k} to a box|A machine packs {n} {o} with {k} in each box]. How many boxes [are needed|does this make|are filled]?", p=who, n=k * each, o=items, k=k)
        return work.problem(text, work.div("Boxes", k * each, k))
    rest = rng.randint(1, k - 1)
    total = k * each + rest
    if kind == "remainder":
        text = say(rng, "{p} [shares|divides] {n} {o} [equally|evenly] among {k} [children|friends|bags]. How many {o} are left over?", p=who, n=total, o=items, k=k)
        work.note(f"{total} / {k} = {each} remainder {rest}, since {k} * {each} = {k * each} and {total} - {k * each} = {rest}.")
        return work.problem(text, rest)
    text = say(rng, "[[{n} {people} go on a trip|{n} {people} are going to the museum|A school takes {n} {people} on a trip]. Each {v} [holds|can carry|seats] {k} [people|of them|{people}]. [At least how|How] many {vs} [are needed|do they need]|{n} {o} must be packed in boxes. Each box holds [at most |]{k}. [At least how|How] many boxes are needed]?", n=total, v=(v := rng.choice(["bus", "boat", "van", "car"])), vs="buses" if v == "bus" else v + "s", people=rng.choice(["students", "people", "pupils", "children"]), k=k, o=items)
    work.note(f"{total} / {k} = {each} remainder {rest}, so one more is needed: {each} + 1 = {each + 1}.")
    return work.problem(text, each + 1)


@family(1.5)
def daily_amounts(rng):
    """So many a day for so many days or weeks, minus use."""
    work = Work(rng, "daily_amounts")
    who = person(rng)
    items = rng.choice(["eggs", "cups of water", "pages", "letters", "miles", "minutes", "flowers", "cookies", "pictures", "push-ups", "words", "pills", "glasses of milk", "problems"])
    verb = rng.choice([v for v in ["uses", "gets", "makes", "finishes", "does", "collects", "counts"]])
    a, b = rng.randint(2, 20), rng.randint(2, 12)
    kind = rng.choice(["week", "days", "twice", "net", "weeks", "two_rates"])
    if kind == "week":
        text = say(rng, "{p} {v} {a} {o} [a day|every day|each day|per day]. How many {o} [is that in|are that in|does {he} have in] [a|one] week?", p=who, he=who.he, v=verb, a=a, o=items)
        return work.problem(text, work.mul("Week", a, 7))
    if kind == "days":
        text = say(rng, "{p} {v} {a} {o} [a day|every day|each day|per day]. How many {o} [is that in|are that in|will it be after] {b} days?", p=who, v=verb, a=a, b=b, o=items)
        return work.problem(text, work.mul("Total", a, b))
    if kind == "weeks":
        text = say(rng, "{p} {v} {a} {o} [a day|every day|each day|per day]. How many {o} is that in {b} weeks?", p=who, v=verb, a=a, b=b, o=items)
        days = work.mul("Days", b, 7)
        return work.problem(text, work.mul("Total", a, days))
    if kind == "twice":
        c = rng.randint(2, 7)
        text = say(rng, "{p} {v} {a} {o} [at a time|each time]. {He} does this {b} times [a|per] day [for {c} days|on {c} days of the week]. How many {o} is that [in all|altogether|in total]?", p=who, He=who.he, v=verb, a=a, b=b, c=c, o=items)
        day = work.mul("Per day", a, b)
        return work.problem(text, work.mul("Total", day, c))
    if kind == "net":
        eat = rng.randint(1, a + b - 1)
        price = rng.randint(2, 5)
        text = say(rng, "[On {p}'s farm there are {n} eggs [every morning|a day]|{p} collects {n} eggs [a day|every day]|{p} bakes {n} rolls [a day|every morning]]. {He} [needs {c} for {his} family|keeps {c}|uses {c} at home] and gives {d} to [a neighbor|{his} parents|a friend]. The [rest are|others are] sold for ${x} each. How much money does {he} [make|earn|get] [per|each|a] day?", p=who, He=who.he, he=who.he, his=who.his, n=a + b + eat, c=eat, d=b, x=price)
        used = work.add("Used", eat, b)
        rest = work.sub("Sold", a + b + eat, used)
        return work.problem(text, work.mul("Money", rest, price))
    text = say(rng, "{p} {v} {a} {o} [a day|every day|each day] [on weekdays|from Monday to Friday] and {b} {o} [a day|every day|each day] [on weekends|on Saturday and Sunday]. How many {o} [does {he} have|is that] in [one|a] week?", p=who, he=who.he, v=verb, a=a, b=b, o=items)
    first = work.mul("Weekdays", a, 5)
    second = work.mul("Weekend", b, 2)
    return work.problem(text, work.add("Week", first, second))


@family(1.2)
def sum_over_days(rng):
    """Amounts of consecutive days related to each other."""
    work = Work(rng, "sum_over_days")
    who = person(rng)
    act, base, items = rng.choice([("read", "read", "pages"), ("ran", "run", "kilometers"), ("sold", "sell", "tickets"), ("picked", "pick", "apples"), ("baked", "bake", "cakes"), ("wrote", "write", "words"), ("planted", "plant", "trees"), ("solved", "solve", "problems"), ("walked", "walk", "miles"), ("made", "make", "toys")])
    days = rng.choice([("Monday", "Tuesday", "Wednesday"), ("Friday", "Saturday", "Sunday"), ("the first day", "the second day", "the third day")])
    a = rng.randint(4, 80)
    on = "" if days[0].startswith("the") and rng.random() < 0.3 else "on "
    text = [say(rng, "[On {d} {p} {v} {n} {o}|{p} {v} {n} {o} on {d}]. ", p=who, v=act, n=a, o=items, d=days[0])]
    values = [Fraction(a)]
    for i in (1, 2)[: rng.choice([1, 2, 2])]:
        prev = values[-1]
        kind = rng.choice(["twice", "more", "fewer", "half"])
        n = rng.randint(1, max(1, min(30, int(prev) - 1)))
        lead = f"On {days[i]} {who.he} {act} "
        if kind == "half" and prev % 2 == 0:
            text.append(lead + say(rng, "half [as many|as many {o} as|that many].", o=items).replace("Half", "half").replace("as.", "as the day before."))
            values.append(work.div(days[i].capitalize(), prev, 2))
        elif kind == "twice":
            k = rng.choice([2, 2, 3])
            text.append(lead + f"{TIMES_WORD[k]} as many{rng.choice(['', ' ' + items])} as {rng.choice(['the day before', 'on ' + days[i - 1]])}.")
            values.append(work.mul(days[i].capitalize(), prev, k))
        elif kind == "fewer" and prev > n:
            text.append(lead + f"{n} {rng.choice(['fewer', 'less'])} than {rng.choice(['the day before', 'on ' + days[i - 1]])}.")
            values.append(work.sub(days[i].capitalize(), prev, n))
        else:
            text.append(lead + f"{n} more{rng.choice(['', ' ' + items])} than {rng.choice(['the day before', 'on ' + days[i - 1]])}.")
            values.append(work.add(days[i].capitalize(), prev, n))
    span = {2: "the two days", 3: "the three days"}[len(values)]
    text.append(say(rng, "How many {o} did {he} {b} [in all|altogether|in total|in {s}|on {s} together]?", o=items, he=rng.choice([who.he, who.name]), b=base, s=span))
    return work.problem(" ".join(text), work.add("Total", *values))


@family(1.0)
def people_on_board(rng):
    """Passengers get on and off."""
    work = Work(rng, "people_on_board")
    vehicle = rng.choice(["bus", "train", "ferry", "tram"])
    value = Fraction(rng.randint(10, 120))
    text = [say(rng, "[There are {n} [people|passengers] on a {v}|A {v} [carries|has|starts with] {n} [people|passengers]].", n=value, v=vehicle)]
    for stop in ("first", "second", "third")[: rng.choice([1, 2, 2, 3])]:
        off, on = rng.randint(1, int(value) - 1), rng.randint(1, 40)
        text.append(say(rng, "At the {s} [stop|station] {a} [people |passengers |]get off and {b} [people |]get on.", s=stop, a=off, b=on))
        value = work.sub("After getting off", value, off)
        value = work.add("After getting on", value, on)
        if value < 3:
            break
    text.append(say(rng, "How many [people|passengers] are [on the {v} now|on the {v} then|there on the {v} now]?", v=vehicle))
    return work.problem(" ".join(text), value)


@family(1.2)
def two_groups_find_other(rng):
    """The total and one part are known, maybe through groups; find the other part."""
    work = Work(rng, "two_groups_find_other")
    items = thing(rng)
    colors = rng.sample(["red", "blue", "green", "yellow", "white", "black"], 3)
    total = amount(rng, 30, 300)
    a = rng.randint(3, total // 3)
    kind = rng.choice(["two", "three", "times", "rows"])
    lead = say(rng, "[A box|A bag|A jar|A shop|A basket|{p}] [has|contains|holds] {n} {o}. ", p=person(rng), n=total, o=plural(items)) + " "
    if kind == "two":
        return work.problem(lead + say(rng, "{a} [of them |]are {c} and the [rest|others] are {d}. How many {d} {o} are there?", a=a, c=colors[0], d=colors[1], o=plural(items)), work.sub("Rest", total, a))
    if kind == "three":
        b = rng.randint(3, total // 3)
        text = lead + say(rng, "{a} are {c}, {b} are {d} and the [rest|others] are {e}. How many {e} {o} are there?", a=a, b=b, c=colors[0], d=colors[1], e=colors[2], o=plural(items))
        both = work.add("Both", a, b)
        return work.problem(text, work.sub("Rest", total, both))
    if kind == "times":
        k = rng.randint(2, 4)
        a = rng.randint(2, total // (k + 1) - 1)
        text = lead + say(rng, "{a} are {c}. There are {k} times as many {d} ones as {c} ones. The rest are {e}. How many {o} are {e}?", a=a, k=k, c=colors[0], d=colors[1], e=colors[2], o=plural(items))
        b = work.mul(colors[1].capitalize(), a, k)
        both = work.add("Both", a, b)
        return work.problem(text, work.sub("Rest", total, both))
    rows, each = rng.randint(2, 9), rng.randint(2, max(2, total // 10))
    if rows * each >= total:
        rows, each = 2, total // 3
    text = lead + say(rng, "{a} [boxes|bags] of {b} {o} [are sold|have been used|are given away]. How many {o} are left?", a=rows, b=each, o=plural(items))
    gone = work.mul("Gone", rows, each)
    return work.problem(text, work.sub("Left", total, gone))
