"""Bare arithmetic: one or two operations, with decimals, fractions and percents."""

from fractions import Fraction

from .base import Problem, Work, family, number, product_text, proper_fraction, ratio, say, step_range


@family(2.5)
def calculate(rng):
    """Evaluate a short expression."""
    work = Work(rng, "calculate")
    a, b, c = rng.randint(2, 99), rng.randint(2, 30), rng.randint(2, 20)
    kind = rng.choice(["add", "sub", "mul", "div", "muladd", "bracket", "decimal", "fraction", "percent", "addmul", "two"])
    big, other = rng.randint(10, 2000), rng.randint(10, 999)
    ask = "[Calculate {e}.|What is {e}?|Compute {e}.|Work out {e}.|Find the value of {e}.|Evaluate {e}.]"
    if kind == "add":
        text = say(rng, "[" + ask + "|What is the sum of {a} and {b}?]", e=f"{big} + {other}", a=big, b=other)
        return work.problem(text, work.add("Sum", big, other))
    if kind == "sub":
        big, other = max(big, other), min(big, other)
        text = say(rng, "[" + ask + "|What is the difference between {a} and {b}?|How much more is {a} than {b}?]", e=f"{big} - {other}", a=big, b=other)
        return work.problem(text, work.sub("Difference", big, other))
    if kind == "mul":
        text = say(rng, "[" + ask + "|What is the product of {a} and {b}?|What is {a} times {b}?]", e=f"{a} * {b}", a=a, b=b)
        return work.problem(text, work.mul("Product", a, b))
    if kind == "div":
        text = say(rng, "[" + ask + "|What is {a} divided by {b}?]", e=f"{a * b} / {b}", a=a * b, b=b)
        return work.problem(text, work.div("Quotient", a * b, b))
    if kind == "muladd":
        text = say(rng, ask, e=f"{a} + {b} * {c}" if rng.random() < 0.5 else f"{b} * {c} + {a}")
        p = work.mul("Product", b, c)
        return work.problem(text, work.add("Sum", a, p))
    if kind == "bracket":
        text = say(rng, "[" + ask + "|What is the sum of {a} and {b} multiplied by {c}?]", e=f"({a} + {b}) * {c}", a=a, b=b, c=c)
        s = work.add("Sum", a, b)
        return work.problem(text, work.mul("Product", s, c))
    if kind == "decimal":
        x, y = Fraction(rng.randint(11, 199), 10), Fraction(rng.randint(2, 99), 10)
        sign = rng.choice("+-*")
        if sign == "*":
            y = Fraction(rng.randint(2, 12))
            return work.problem(say(rng, ask, e=f"{number(x)} * {number(y)}"), work.mul("Product", x, y))
        x, y = max(x, y), min(x, y)
        text = say(rng, ask, e=f"{number(x)} {sign} {number(y)}")
        return work.problem(text, work.add("Sum", x, y) if sign == "+" else work.sub("Difference", x, y))
    if kind == "fraction":
        x, y = proper_fraction(rng, 6), proper_fraction(rng, 6)
        if rng.random() < 0.4:
            n = x.denominator * rng.randint(2, 30)
            return work.problem(say(rng, "[" + ask + "|What is {f} of {n}?]", e=f"{n} * {ratio(x)}", f=ratio(x), n=n), work.part("Product", n, x))
        if rng.random() < 0.4:
            value = x * y
            text = say(rng, ask, e=f"{ratio(x)} * {ratio(y)}")
            work.note(f"Product: {x.numerator * y.numerator}/{x.denominator * y.denominator} = {ratio(value)}.")
            return work.problem(text, ratio(value))
        value = x + y
        bottom = x.denominator * y.denominator
        text = say(rng, ask, e=f"{ratio(x)} + {ratio(y)}")
        work.note(f"Sum: {x.numerator * y.denominator}/{bottom} + {y.numerator * x.denominator}/{bottom} = {x.numerator * y.denominator + y.numerator * x.denominator}/{bottom} = {number(value) if value.denominator == 1 else ratio(value)}.")
        return work.problem(text, number(value) if value.denominator == 1 else ratio(value))
    if kind == "percent":
        n, p = step_range(rng, 20, 900, 20), rng.choice([5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 80])
        return work.problem(say(rng, "[What is|Find|Calculate] {p}% of {n}?", p=p, n=n), work.percent("Part", n, p))
    if kind == "addmul":
        d = rng.randint(2, 12)
        text = say(rng, ask, e=f"{a} * {b} - {c} * {d}" if a * b > c * d else f"{c} * {d} - {a} * {b}")
        p, q = (a, b), (c, d)
        if a * b <= c * d:
            p, q = q, p
        x, y = work.mul("First", *p), work.mul("Second", *q)
        return work.problem(text, work.sub("Difference", x, y))
    text = say(rng, ask, e=f"{big} - {a} + {b}" if big > a else f"{a} - {big} + {b}")
    x = work.sub("First", max(big, a), min(big, a))
    return work.problem(text, work.add("Result", x, b))


def drill(rng, exercises=5):
    """Several exercises at once: the cheapest way to learn the arithmetic that every solution needs."""
    tasks, lines = [], []
    for _ in range(exercises):
        task, worked = rng.choice([_sum, _difference, _product, _product, _quotient])(rng)
        tasks.append(task)
        lines.append(worked)
    answer = lines[-1].rsplit("= ", 1)[1]
    question = f"{rng.choice(['Calculate', 'Work out', 'Find'])} {', '.join(tasks)}."
    return Problem("drill", question, " ".join(f"{line}." for line in lines) + f" The answer is {answer}.", answer)


def _sum(rng):
    a, b = rng.randint(1, _reach(rng)), rng.randint(1, _reach(rng))
    return f"{a} + {b}", f"{a} + {b} = {a + b}"


def _difference(rng):
    b = rng.randint(1, _reach(rng))
    a = b + rng.randint(0, _reach(rng))
    return f"{a} - {b}", f"{a} - {b} = {a - b}"


def _product(rng):
    a, b = rng.randint(2, rng.choice([12, 99, 400])), rng.randint(2, rng.choice([9, 12, 30]))
    if rng.random() < 0.3:
        a, b = b, a
    return f"{a} * {b}", product_text(a, b)


def _quotient(rng):
    b, result = rng.randint(2, rng.choice([9, 12, 25])), rng.randint(2, rng.choice([12, 60, 150]))
    return f"{b * result} / {b}", f"{b * result} / {b} = {result}"


def _reach(rng):
    return rng.choice([20, 100, 400, 1000])
