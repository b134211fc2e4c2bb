#!/usr/bin/env python3
"""Answers that are nearly right, to find verdicts that are wrongly "correct".

    python3 tools/near-misses/near_misses.py FOLDER [COUNT] [SEED] > near_misses.jsonl
    cargo run --release -p scoring --example labelled -- FOLDER_OF_THAT_FILE DISAGREEMENTS

Takes references from the `reference` fields of the JSON Lines of FOLDER, changes one place of each
(a digit, a sign, an operation, a letter, an end of an interval, the order of a pair, a unit), and
writes the changed text as an answer labelled false, where sympy finds another value: numbers and
expressions by its own parser and evaluation, other forms by the change alone, which cannot keep
the value. What sympy cannot decide is left out.
"""

import json
import pathlib
import random
import re
import sys

import sympy
from sympy.parsing.sympy_parser import (
    implicit_multiplication_application,
    parse_expr,
    standard_transformations,
)

RULES = standard_transformations + (implicit_multiplication_application,)
UNITS = ["cm", "km", "kg", "g", "hours", "minutes", "days", "mL", "liters", "cents", "dollars"]


def references(folder):
    seen = set()
    for path in sorted(pathlib.Path(folder).glob("*.jsonl")):
        for line in path.open():
            text = json.loads(line).get("reference")
            if isinstance(text, str) and 0 < len(text) <= 60 and "\n" not in text and "boxed" not in text:
                seen.add(text.strip().strip("$"))
    return sorted(seen)


def plain(text):
    """The text in sympy's notation, or None where it has more than plain LaTeX."""
    text = text.replace("\\left", "").replace("\\right", "").replace("\\cdot", "*").replace("\\times", "*")
    text = text.replace("\\,", "").replace("\\!", "").replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac")
    for _ in range(6):
        text, some = re.subn(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", text)
        text, more = re.subn(r"\\sqrt\{([^{}]*)\}", r"sqrt(\1)", text)
        if not some + more:
            break
    text = text.replace("\\pi", "pi").replace("^", "**").replace("{", "(").replace("}", ")")
    if re.search(r"[\\=<>,;:|%$!_]|[A-Za-z]{3,}(?<!sqrt)", text.replace("sqrt", "")):
        return None
    return text


def value(text):
    source = plain(text)
    if source is None:
        return None
    try:
        return parse_expr(source, transformations=RULES, evaluate=True)
    except Exception:
        return None


def differ(left, right):
    """Whether both are expressions and sympy finds that they differ."""
    left, right = value(left), value(right)
    if left is None or right is None:
        return False
    try:
        letters = sorted((left - right).free_symbols, key=str)
        points = [{x: sympy.Rational(7 + 3 * n + 5 * k, 11 + k) for n, x in enumerate(letters)} for k in range(3)]
        return any(abs(sympy.N((left - right).subs(point), 30)) > 1e-9 for point in points)
    except Exception:
        return False


def changed_digit(text, chance):
    places = [at for at, sign in enumerate(text) if sign.isdigit()]
    if not places:
        return None
    at = chance.choice(places)
    return text[:at] + chance.choice([d for d in "123456789" if d != text[at]]) + text[at + 1 :]


def changed_sign(text, chance):
    places = [at for at, sign in enumerate(text) if sign in "+-"]
    if not places:
        return "-" + text
    at = chance.choice(places)
    return text[:at] + ("-" if text[at] == "+" else "+") + text[at + 1 :]


def changed_end(text, chance):
    match = re.fullmatch(r"([\[(])([^\[\]()]*,[^\[\]()]*)([\])])", text)
    if not match or "infty" in text:
        return None
    opening = "[" if match[1] == "(" else "("
    return opening + match[2] + match[3] if (match[1], match[3]) != ("(", ")") else None


def exchanged_pair(text, chance):
    match = re.fullmatch(r"\(([^(),]+),([^(),]+)\)", text)
    if not match or not differ(match[1], match[2]):
        return None
    return f"({match[2]},{match[1]})"


def turned(text, chance):
    for sign, other in [("\\le", "\\ge"), ("\\ge", "\\le"), ("<", ">"), (">", "<")]:
        if text.count(sign) == 1 and not re.search(r"\\(left|leq|geq)\b", text):
            return text.replace(sign, other)
    return None


def worded(text, chance):
    if not re.fullmatch(r"\d+", text):
        return None
    return chance.choice(["at least {}", "not {}", "{} dozen", "{} thirds", "half of {}", "minus {}", "{} squared"]).format(text)


def measured(text, chance):
    """Reference and answer with units that are not one another."""
    if not re.fullmatch(r"\d+(\.\d+)?", text) or float(text) == 0:
        return None
    left, right = chance.sample(UNITS, 2)
    return f"{text} {left}", f"{text} {right}"


CHANGES = [changed_digit, changed_sign, changed_end, exchanged_pair, turned, worded, measured]
ALONE = {changed_end, exchanged_pair, turned, measured}


def near_misses(texts, chance):
    while True:
        reference, change = chance.choice(texts), chance.choice(CHANGES)
        answer = change(reference, chance)
        if isinstance(answer, tuple):
            reference, answer = answer
        if answer is None or answer == reference:
            continue
        if change is worded:
            if reference in ("0", "1") or "squared" in answer and reference == "1":
                continue
        elif change not in ALONE and not differ(reference, answer):
            continue
        yield change.__name__, reference, answer


def main():
    folder, count, seed = (sys.argv[1:] + ["3000", "1"])[:3] if len(sys.argv) < 4 else sys.argv[1:4]
    chance = random.Random(int(seed))
    found = near_misses(references(folder), chance)
    for number in range(int(count)):
        change, reference, answer = next(found)
        row = {"id": f"near:{number}", "prediction": answer, "reference": reference, "label": False, "label_source": change}
        print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
