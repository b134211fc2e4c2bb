"""Prices, wages, savings, change, discount and interest."""

import re

from fractions import Fraction

from .base import GOODS, Work as BaseWork, amount, family, number, people, person, plural, ratio, say, step_range

CURRENCIES = ["${}", "${}", "${}", "{} yuan", "{} yuan", "{} dollars"]
PERCENTS = [5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 80]


def money(rng):
    """A function that writes amounts in one currency."""
    form = rng.choice(CURRENCIES)
    return lambda value: form.format(number(value))


def ask_by_unit(rng, question):
    """Sometimes ask "how many dollars" instead of "how much"."""
    if rng.random() < 0.3 and not re.search(r"how much (cheaper|interest|profit)", question, re.I):
        unit = "yuan" if "yuan" in question else "dollars"
        question = re.sub(r"\bHow much( more)?( money)? (?=[a-z])", lambda m: f"How many{m.group(1) or ''} {unit} ", question)
    return question


class Work(BaseWork):
    """Worked solution of a money problem."""

    def problem(self, question, answer):
        return super().problem(ask_by_unit(self.rng, question), answer)


def price(rng, low=2, high=40):
    """A price: mostly whole, sometimes with tenths or halves."""
    value = rng.random()
    if value < 0.75:
        return Fraction(rng.randint(low, high))
    if value < 0.9:
        return Fraction(rng.randint(low * 2, high), 2)
    return Fraction(rng.randint(low * 10, low * 10 + 60), 10)


def goods(rng, count=2):
    return rng.sample(GOODS, count)


@family(3.0)
def shopping(rng):
    """Several kinds of goods are bought; ask the cost, the change or the rest."""
    work = Work(rng, "shopping")
    m = money(rng)
    who = person(rng)
    kinds = rng.choice([1, 2, 2, 2, 3])
    names = goods(rng, kinds)
    counts = [rng.randint(1, 12) for _ in names]
    prices = [price(rng) for _ in names]
    costs = []
    for name, count, cost in zip(names, counts, prices):
        costs.append(work.mul(plural(name).capitalize(), count, cost) if count > 1 else cost)
    total = work.add("Cost", *costs) if kinds > 1 else costs[0]
    each = rng.choice(["each", "each", "apiece", "per piece"])
    style = rng.randint(0, 4)
    parts = []
    if style == 0:
        for name, count, cost in zip(names, counts, prices):
            noun = plural(name) if count > 1 else name
            parts.append(f"{count if count > 1 else rng.choice(['a', 'one', '1'])} {noun} {rng.choice(['for', 'at', 'that cost'])} {m(cost)}{' ' + each if count > 1 else ''}")
        text = say(rng, "{p} [buys|bought|gets|orders|went to the store and bought|went shopping and bought] {list}. ", p=who, list=_join(parts))
    elif style == 1:
        listed = [f"{count if count > 1 else rng.choice(['a', 'one', '1'])} {plural(name) if count > 1 else name}" for name, count in zip(names, counts)]
        tags = [f"{rng.choice(['a', 'each', 'one'])} {name} costs {m(cost)}" for name, cost in zip(names, prices)]
        text = say(rng, "{p} [buys|bought|wants to buy|orders] {list}. {tags}. ", p=who, list=_join(listed), tags=rng.choice([_join(tags), ". ".join(tags)]))
    elif style == 2:
        listed = [f"{count if count > 1 else rng.choice(['a', 'one', '1'])} {plural(name) if count > 1 else name}" for name, count in zip(names, counts)]
        tags = [f"{plural(name)} {rng.choice(['cost', 'are', 'sell for'])} {m(cost)} {each}" for name, cost in zip(names, prices)]
        text = say(rng, "[At a store, |In a shop, |At the market |]{tags}. {p} [buys|bought|wants|takes|orders] {list}. ", p=who, list=_join(listed), tags=_join(tags))
    elif style == 3:
        listed = [f"{count if count > 1 else rng.choice(['a', 'one', '1'])} {plural(name) if count > 1 else name}" for name, count in zip(names, counts)]
        tags = [f"the price of {rng.choice(['a', 'each', 'one'])} {name} is {m(cost)}" for name, cost in zip(names, prices)]
        text = say(rng, "{tags}. {p} [buys|bought|wants to buy] {list}. ", p=who, list=_join(listed), tags=_join(tags))
    else:
        text = say(rng, "[A|The] [school|teacher|class|club] [bought|buys] {list}. ", list=_join([f"{count} {plural(name) if count > 1 else name} at {m(cost)} each" for name, count, cost in zip(names, counts, prices)]))
        who = "the school"
    kind = rng.choice(["total", "total", "change", "left", "short"])
    pay = _payment(rng, total)
    pronoun = "it" if who == "the school" else who.he
    if kind == "total":
        end = say(rng, "How much [did {p} spend|does {p} spend|does {h} pay|does {h} need to pay|should {h} pay|is the total cost|does it cost|did everything cost|money does {h} need][| in all| altogether| in total]?", p=who, h=pronoun)
        return work.problem(text + " " + end, total)
    if kind == "change":
        end = say(rng, "[{P} [pays with|gives the cashier|hands over|pays] {m}. How much change [does {p} get|should {p} get|does {p} get back|will {p} receive]|How much change does {p} get from {m}|If {p} pays {m}, how much [change|money] does {p} get back]?", P=pronoun.capitalize(), p=pronoun, m=m(pay))
        return work.problem(text + " " + end, work.sub("Change", pay, total))
    if kind == "left":
        start = say(rng, "{p} [has|had] {m}. ", p=str(who), m=m(pay))
        end = say(rng, "How much money [does {p} have left|is left|remains|does {p} still have]?", p=pronoun)
        return work.problem(start + " " + text + " " + end, work.sub("Left", pay, total))
    lack = rng.randint(1, 20)
    have = max(Fraction(1), total - lack)
    end = say(rng, "{P} [has only|only has] {m}. How much more money does {p} need?", P=pronoun.capitalize(), p=pronoun, m=m(have))
    return work.problem(text + " " + end, work.sub("Needed", total, have))


def _join(parts):
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def _payment(rng, total):
    for note in (10, 20, 50, 100, 200, 500, 1000):
        if note > total and rng.random() < 0.7:
            return note
    return int(total) + rng.randint(1, 50)


@family(1.8)
def unit_price(rng):
    """Price of some given the price of others, or how many can be bought."""
    work = Work(rng, "unit_price")
    m = money(rng)
    who = person(rng)
    item = goods(rng, 1)[0]
    a, c, b = rng.randint(2, 12), rng.randint(2, 30), price(rng)
    kind = rng.choice(["other", "other", "one", "many", "many", "plus", "difference"])
    lead = say(rng, "[{a} {o} cost {t}|{p} [bought|buys] {a} {o} for {t}|{p} [paid|spent|pays] {t} for {a} {o}|{a} {o} [sell for|are sold for] {t}]", p=who, a=a, o=plural(item), t=m(a * b))
    if kind == "one":
        text = lead + say(rng, ". How much [does one {o} cost|does each {o} cost|is one {o}|was each {o}]?", o=item)
        return work.problem(text, work.div("Each", a * b, a))
    if kind == "other":
        text = lead + say(rng, ". [How much do {c} {o} cost|At this price, how much [do|would] {c} {o} cost|How much [would|will] {c} {o} cost|What is the cost of {c} {o}]?", c=c, o=plural(item))
        one = work.div("Each", a * b, a)
        return work.problem(text, work.mul("Cost", one, c))
    b = Fraction(rng.randint(2, 30))
    if kind == "many":
        text = say(rng, "[{p} has {t}. {A} {o} costs {m}. How many {s} can {h} buy|{A} {o} costs {m}. How many {s} can [{p} buy with|be bought with|you buy for] {t}|How many {s} at {m} each can be bought with {t}]?", p=who, h=who.he, t=m(a * b), A=rng.choice(["one", "each", "a"]), o=item, s=plural(item), m=m(b))
        return work.problem(text, work.div("Number", a * b, b))
    if kind == "plus":
        rest = rng.randint(1, 30)
        text = say(rng, "{p} [has|had] {t}. After buying {a} {o}[| of the same price], {h} [has|had] {r} left. How much [does|did] [each|one] {s} cost?", p=who, h=who.he, t=m(a * b + rest), a=a, o=plural(item), s=item, r=m(rest))
        spent = work.sub("Spent", a * b + rest, rest)
        return work.problem(text, work.div("Each", spent, a))
    other = goods(rng, 1)[0]
    k = rng.randint(2, 5)
    n = rng.randint(2, 9)
    more = rng.random() < 0.5
    text = say(rng, "A {o} costs {m}. A {q} costs {k} times as much. How much " + ("do {n} {qs} cost?" if more else "do a {o} and a {q} cost [together|altogether]?"), o=item, q=other, m=m(b), k=k, n=n, qs=plural(other))
    cost = work.mul(f"One {other}", b, k)
    return work.problem(text, work.mul("Cost", cost, n) if more else work.add("Together", b, cost))


@family(2.0)
def wages(rng):
    """Hourly pay, overtime, two jobs and weekly totals."""
    work = Work(rng, "wages")
    m = money(rng)
    who = person(rng)
    pay, hours, days = rng.randint(6, 40), rng.randint(2, 10), rng.randint(2, 7)
    earns = rng.choice(["earns", "makes", "is paid", "gets", "gets paid"])
    kind = rng.choice(["plain", "week", "overtime", "two", "spend", "rate", "hours", "weeks"])
    lead = say(rng, "{p} [works as a [cook|clerk|nurse|driver|tutor] and |works part time and |][{e}] {m} [an hour|per hour|for each hour|every hour].", p=who, e=earns, m=m(pay))
    if kind == "plain":
        hours = rng.randint(2, 40)
        text = lead + say(rng, " [How much does {he} [earn|make] in {n} hours|{He} works {n} hours. How much does {he} [earn|make]|If {he} works {n} hours [this week|a week], how much [money does {he} earn|does {he} earn]]?", he=who.he, He=who.he, n=hours)
        return work.problem(text, work.mul("Pay", pay, hours))
    if kind in ("week", "weeks"):
        text = lead + say(rng, " {He} works {n} hours [a|per|each|every] day, {d} days [a|per|each] week. How much does {he} [earn|make] [in {w}|{v}]?", He=who.he, he=who.he, n=hours, d=days, w="one week" if kind == "week" else "4 weeks", v="per week" if kind == "week" else "every 4 weeks")
        worked = work.mul("Hours", hours, days)
        week = work.mul("Week", pay, worked)
        return work.problem(text, week if kind == "week" else work.mul("4 weeks", week, 4))
    if kind == "overtime":
        normal, extra = rng.choice([35, 40, 40, 30]), rng.randint(1, 12)
        pay = rng.randint(4, 15) * 2
        rate = Fraction(3, 2) if rng.random() < 0.5 else Fraction(2)
        text = say(rng, "{p} {e} {m} [an hour|per hour] for the first {n} hours [|of work ][each week|a week|in a week]. [For overtime|For any hours above that|For every hour after that] {he} {e2} [{k} times [the usual|{his} regular|the normal] [rate|pay]|{k} times as much per hour]. [Last week|This week|One week] {he} worked {t} hours. How much did {he} earn?", p=who, e=earns, e2=earns, he=who.he, his=who.his, m=m(pay), n=normal, k=rate, t=normal + extra)
        first = work.mul("Normal pay", pay, normal)
        over = work.sub("Overtime", normal + extra, normal)
        rate_pay = work.mul("Overtime rate", pay, rate)
        second = work.mul("Overtime pay", over, rate_pay)
        return work.problem(text, work.add("Total", first, second))
    if kind == "two":
        second_pay, second_hours = rng.randint(6, 40), rng.randint(2, 10)
        jobs = rng.choice([("babysitting", "tutoring"), ("washing cars", "mowing lawns"), ("teaching", "coaching"), ("on weekdays", "on weekends"), ("in the morning", "in the evening")])
        text = say(rng, "{p} {e} {m} [an hour|per hour] {j} and {m2} [an hour|per hour] {k}. {He} [works|worked|spends|spent] {n} hours {j} and {n2} hours {k}. How much [money |][does|did|will] {he} [earn|make][| in total| altogether| in all]?", p=who, e=earns, he=who.he, He=who.he, m=m(pay), m2=m(second_pay), n=hours, n2=second_hours, j=jobs[0], k=jobs[1])
        first = work.mul(jobs[0].capitalize(), pay, hours)
        second = work.mul(jobs[1].capitalize(), second_pay, second_hours)
        return work.problem(text, work.add("Total", first, second))
    if kind == "spend":
        hours = rng.randint(3, 12)
        spend = rng.randint(1, pay * hours - 1)
        text = lead + say(rng, " {He} [works|worked] {n} hours and [then |]spends {s} on [food|clothes|books|a gift|shoes]. How much [money |]does {he} have left?", He=who.he, he=who.he, n=hours, s=m(spend))
        first = work.mul("Earned", pay, hours)
        return work.problem(text, work.sub("Left", first, spend))
    if kind == "rate":
        text = say(rng, "{p} {e} {m} for [working |]{n} hours[| of work]. How much does {he} {b} [per|an] hour?", p=who, e=earns, he=who.he, b="earn", m=m(pay * hours), n=hours)
        return work.problem(text, work.div("Per hour", pay * hours, hours))
    text = lead + say(rng, " How many hours [must|does|should] {he} [have to |need to |]work to [earn|make|get] {m}?", he=who.he, m=m(pay * hours)).replace("must he have to", "must he").replace("should he have to", "should he")
    return work.problem(text, work.div("Hours", pay * hours, pay))


@family(1.6)
def saving(rng):
    """Saving up for something, maybe with money already there."""
    work = Work(rng, "saving")
    m = money(rng)
    who = person(rng)
    a, b = rng.randint(2, 50), rng.randint(2, 30)
    have = rng.randint(1, 100)
    item = rng.choice(["bicycle", "phone", "computer", "guitar", "game", "camera", "coat", "trip", "telescope", "skateboard"])
    unit = rng.choice(["week", "month", "day"])
    kind = rng.choice(["time", "time_have", "total", "weekly", "net"])
    if kind == "time":
        text = say(rng, "{p} [wants to buy|is saving for] a {o} that costs {t}. {He} saves {a} [a|per|each|every] {u}. [How many {u}s [does {he} need|will it take|must {he} save]|After how many {u}s can {he} buy it]?", p=who, He=who.he, he=who.he, o=item, t=m(a * b), a=m(a), u=unit)
        return work.problem(text, work.div(unit.capitalize() + "s", a * b, a))
    if kind == "time_have":
        text = say(rng, "{p} [wants to buy|is saving for] a {o} that costs {t}. {He} [already has|has already saved|has] {h} and saves {a} [a|per|each|every] {u}. [How many {u}s [does {he} need|will it take {him}|must {he} save]|How many more {u}s [does {he} need to save|will it take]]?", p=who, He=who.he, he=who.he, him=who.him, o=item, t=m(a * b + have), h=m(have), a=m(a), u=unit)
        rest = work.sub("Still needed", a * b + have, have)
        return work.problem(text, work.div(unit.capitalize() + "s", rest, a))
    if kind == "total":
        text = say(rng, "{p} has {h}[| in a savings account| in the piggy bank]. {He} saves {a} [a|per|each|every] {u}. How much [money |]will {he} have after {b} {u}s?", p=who, He=who.he, he=who.he, h=m(have), a=m(a), b=b, u=unit)
        saved = work.mul("Saved", a, b)
        return work.problem(text, work.add("Total", have, saved))
    if kind == "weekly":
        text = say(rng, "{p} [needs|wants to save] {t} [for a {o}|to buy a {o}] in {b} {u}s. {He} [already has|has] {h}. How much must {he} save [each|every|per] {u}?", p=who, He=who.he, he=who.he, t=m(a * b + have), h=m(have), b=b, u=unit, o=item)
        rest = work.sub("Still needed", a * b + have, have)
        return work.problem(text, work.div("Each " + unit, rest, b))
    earn = a + rng.randint(1, 60)
    text = say(rng, "{p} [earns|gets|receives] {e} [a|per|each|every] {u} and spends {s} [of it|on food and rent|on lunch|of the money]. How much [will {he} save|does {he} save|can {he} save] in {b} {u}s?", p=who, he=who.he, e=m(earn), s=m(earn - a), b=b, u=unit)
    each = work.sub("Saved per " + unit, earn, earn - a)
    return work.problem(text, work.mul("Saved", each, b))


@family(1.8)
def discount(rng):
    """Price cut or raised by a percentage or a fraction."""
    work = Work(rng, "discount")
    m = money(rng)
    who = person(rng)
    item = goods(rng, 1)[0]
    percent = rng.choice(PERCENTS)
    cost = step_range(rng, 20, 600, 20)
    kind = rng.choice(["off", "off", "several", "raise", "original", "sale_rate", "save", "tax", "profit"])
    if kind in ("off", "save"):
        text = say(rng, "A {o} [costs|is priced at|sells for|usually costs|originally cost|normally costs] {m}. [It is on sale at {k}% off|The price is reduced by {k}%|The shop gives a {k}% discount|During a sale there is a discount of {k}%|{p} has a coupon for {k}% off]. " + ("[What is the [sale|new|reduced] price|How much does it cost now|How much [does|must] {p} pay|What is the price now]?" if kind == "off" else "How much [does {p} save|money is saved|cheaper is it]?"), o=item, m=m(cost), k=percent, p=who).replace("does must", "must")
        cut = work.percent("Discount", cost, percent)
        return work.problem(text, cut if kind == "save" else work.sub("Price", cost, cut))
    if kind == "several":
        n = rng.randint(2, 6)
        text = say(rng, "{p} [buys|bought] {n} {o} [at|for] {m} each[ and gets| with] [a|] {k}% [discount|off] [|on the total|on everything]. How much does {he} pay?", p=who, he=who.he, n=n, o=plural(item), m=m(cost), k=percent).replace("a 2", "a 2")
        full = work.mul("Full price", n, cost)
        cut = work.percent("Discount", full, percent)
        return work.problem(text, work.sub("Pay", full, cut))
    if kind in ("raise", "tax", "profit"):
        words = {
            "raise": "[The price of a {o} was {m}. It [rose|increased|went up] by {k}%|A {o} cost {m} and then the price [rose|increased] by {k}%]. What is the [new price|price now]?",
            "tax": "{p} [buys|bought|orders] a {o} for {m}. [The tax is {k}%|{He} adds a tip of {k}%|{He} has to pay {k}% tax]. How much does {he} pay [in total|in all|altogether]?",
            "profit": "A [shop|store|merchant] buys a {o} for {m} and [wants|sells it with] a profit of {k}%. [What is the selling price|For how much is it sold]?",
        }[kind]
        text = say(rng, words, o=item, m=m(cost), k=percent, p=who, he=who.he, He=who.he).replace("wants a", "wants to make a")
        up = work.percent("Extra", cost, percent)
        return work.problem(text, work.add("Total", cost, up))
    if kind == "sale_rate":
        text = say(rng, "A {o} [costs|is priced at] {m}. [It is sold at {k}% of the [original |]price|In a sale it is sold for {k}% of the price]. How much does it cost now?", o=item, m=m(cost), k=percent)
        return work.problem(text, work.percent("Price", cost, percent))
    final = Fraction(cost) * (100 - percent) / 100
    text = say(rng, "After a [discount|price cut] of {k}%, a {o} costs {m}. What was the [original|old] price?", k=percent, o=item, m=m(final))
    rest = work.sub("Percent left", 100, percent)
    one = work.div("1%", final, rest)
    return work.problem(text, work.mul("Original", one, 100))


@family(0.8)
def interest(rng):
    """Simple interest on savings."""
    work = Work(rng, "interest")
    m = money(rng)
    who = person(rng)
    base, rate, years = step_range(rng, 200, 9000, 100), rng.choice([2, 3, 4, 5, 6, 8, 10, Fraction(5, 2), Fraction(7, 2)]), rng.randint(1, 5)
    total = rng.random() < 0.5
    text = say(rng, "{p} [deposits|puts|deposited|invests] {m} in a bank [at an annual interest rate of|at a yearly rate of|with simple interest of] {r}% [a year |per year |]for {y} {u}. " + ("How much [money |][will {he} have|does {he} get back] [in all|in total|at the end]?" if total else "How much interest [does|will] {he} [get|receive|earn]?"), p=who, he=who.he, m=m(base), r=rate, y=years, u="years" if years > 1 else "year").replace("rate of", "rate of")
    year = work.percent("Interest per year", base, rate)
    gain = work.mul("Interest", year, years) if years > 1 else year
    return work.problem(text, work.add("Total", base, gain) if total else gain)


@family(1.2)
def profit(rng):
    """Money earned by selling minus cost."""
    work = Work(rng, "profit")
    m = money(rng)
    who = person(rng)
    item = goods(rng, 1)[0]
    n = rng.randint(5, 80)
    cost = rng.randint(2, 20)
    sale = cost + rng.randint(1, 15)
    kind = rng.choice(["each", "total_cost", "revenue", "parts"])
    if kind == "each":
        text = say(rng, "[{p}|A shop|A store] [buys|bought] {n} {o} [at|for] {c} each and [sells|sold] [them all|them] [at|for] {s} each. [How much profit is made|What is the profit|How much money is earned]?", p=who, n=n, o=plural(item), c=m(cost), s=m(sale))
        one = work.sub("Profit each", sale, cost)
        return work.problem(text, work.mul("Profit", one, n))
    if kind == "total_cost":
        total = rng.randint(5, sale * n - 1)
        text = say(rng, "{p} [sells|sold] {n} {o} [at|for] {s} each. [The materials cost {t}|{He} spent {t} on materials|{He} paid {t} for them]. [How much profit did {he} make|What is {his} profit|How much did {he} earn after the costs]?", p=who, He=who.he, he=who.he, his=who.his, n=n, o=plural(item), s=m(sale), t=m(total))
        first = work.mul("Sales", n, sale)
        return work.problem(text, work.sub("Profit", first, total))
    if kind == "parts":
        k, each = rng.randint(2, 9), rng.randint(2, 9)
        text = say(rng, "{p} [sells|sold] {n} [boxes|bags] of {o}[ with| of|, with] {k} [pieces |{o} |]in each [box|bag]. Each [one|piece] [costs|sells for] {m}. How much [money |]did {he} [earn|make|get]?", p=who, he=who.he, n=n, o=plural(item), k=k, m=m(each)).replace(" of 2", " with 2")
        pieces = work.mul("Pieces", n, k)
        return work.problem(text, work.mul("Money", pieces, each))
    other = goods(rng, 1)[0]
    b, price_b = rng.randint(3, 40), rng.randint(2, 20)
    text = say(rng, "[{p}|A shop|The school club|A bakery] sold {n} {o} [at|for] {s} each and {b} {q} [at|for] {t} each. How much [money |]was [earned|made|collected][| in all| altogether]?", p=who, n=n, o=plural(item), s=m(sale), b=b, q=plural(other), t=m(price_b))
    first = work.mul(plural(item).capitalize(), n, sale)
    second = work.mul(plural(other).capitalize(), b, price_b)
    return work.problem(text, work.add("Total", first, second))


@family(1.0)
def tickets(rng):
    """Adults and children pay different prices."""
    work = Work(rng, "tickets")
    m = money(rng)
    adults, kids = rng.randint(2, 30), rng.randint(2, 60)
    full = rng.randint(3, 30) * 2
    half = rng.random() < 0.4
    child = Fraction(full, 2) if half else Fraction(rng.randint(2, full - 1))
    place = rng.choice(["zoo", "museum", "cinema", "park", "circus", "concert", "pool", "theater"])
    tags = "[An adult ticket|A ticket for an adult|The adult ticket] [to|for|of] the {pl} costs {f} and [{h}|a child ticket costs {c}|a ticket for a child costs {c}]. " if not half else "[An adult ticket|A ticket for an adult] [to|for|of] the {pl} costs {f} and [a child pays half|children pay half price|a child ticket is half the price]. "
    text = say(rng, tags.replace("[{h}|", "[") + "[{a} adults and {k} children [go to|visit] the {pl}|A group of {a} adults and {k} children buys tickets|There are {a} adults and {k} children]. How much do [they|the tickets] [pay|cost][| in total| altogether]?", f=m(full), c=m(child), a=adults, k=kids, pl=place)
    first = work.mul("Adults", adults, full)
    if half:
        child = work.div("Child ticket", full, 2)
    second = work.mul("Children", kids, child)
    return work.problem(text, work.add("Total", first, second))
