#!/usr/bin/env python3
"""Answers that are nearly right, to find verdicts that are wrongly "correct".

    python3 tools/near-misses/near_misses.py COUNT SEED FOLDER... > ROWS/near_misses.jsonl
    cargo run --release -p scoring --example labelled -- ROWS DISAGREEMENTS

Takes the references of every set in FOLDERs (`references.py`; a set with few gets its share too),
changes one place of each (a digit, a sign, an operation, a letter, a function, an end of an
interval, the order of a pair, one of several answers, a unit, a word before it), and writes the
changed text as an answer labelled false, each pair once. `kind` is the change.

That the value changes is checked apart from the scorer, with sympy: the two texts are taken apart
at signs of relation, brackets and commas; one part alone may differ, and sympy's own parser and
evaluation must find that it does, at one of three points. Equations and inequalities that are a constant
multiple of one another are left out. What sympy cannot decide is left out, except for changes that
cannot keep a value, such as `at least 9` for `9`.
"""

import functools
import json
import random
import re
import sys

import sympy
from sympy.parsing.sympy_parser import (
    convert_xor,
    implicit_multiplication_application,
    parse_expr,
    standard_transformations,
)

from references import references

RULES = standard_transformations + (implicit_multiplication_application, convert_xor)
FUNCTIONS = ["arcsin", "arccos", "arctan", "sin", "cos", "tan", "cot", "sec", "csc", "ln", "log", "exp"]
LETTERS = {name: sympy.Symbol(name) for name in "abcdfghjklmnopqrstuvwxyzABCDFGHJKLMNOPQRSTUVWXYZ"}
NAMES = LETTERS | {"e": sympy.E, "i": sympy.I, "pi": sympy.pi, "sqrt": sympy.sqrt, "E": sympy.Symbol("E_"), "I": sympy.Symbol("I_")}
NAMES |= {name: getattr(sympy, {"arcsin": "asin", "arccos": "acos", "arctan": "atan"}.get(name, name)) for name in FUNCTIONS}
MEASURES = ["cm", "km", "kg", "hours", "minutes", "mL", "square feet", "mph", "degrees Celsius"]
RELATIONS = r"\\leqslant|\\geqslant|\\leq|\\geq|\\le(?![a-z])|\\ge(?![a-z])|\\neq|<|>|="
SEPARATORS = re.compile(rf"(\\cup|\\cap|\\in(?![a-z])|\\mid|\\pm|\\text\{{[^{{}}]*\}}|{RELATIONS}|[,;:|])")


def plain(text):
    """An expression in sympy's notation, or None where it has more than plain LaTeX."""
    text = text.replace("\\cdot", "*").replace("\\times", "*").replace("\\div", "/")
    text = re.sub(r"\\(left|right|displaystyle|,|!|;| )", "", text).replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac")
    text = re.sub(r"\\mathrm\{([a-zA-Z])\}", r"\1", text)
    text = re.sub(r"\\(frac|sqrt)(\d)(\d)?", lambda m: f"\\{m[1]}{{{m[2]}}}" + (f"{{{m[3]}}}" if m[3] else ""), text)
    text = re.sub(r"(?<![\d.])(\d+)\\frac\{(\d+)\}\{(\d+)\}", r"((\1)+(\2)/(\3))", text)
    text = re.sub(r"(?<=\d)\{?,\}?(?=\d{3}(?!\d))", "", text)
    # `1(1/2)` is a mixed number in Ape210k.
    text = re.sub(r"^(\d+)\((\d+)/(\d+)\)$", r"((\1)+(\2)/(\3))", text)
    for _ in range(6):
        text, some = re.subn(r"\\frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"((\1)/(\2))", text)
        text, more = re.subn(r"\\sqrt\s*\{([^{}]*)\}", r"(sqrt(\1))", text)
        text, again = re.subn(r"\\sqrt\s*\[(\d+)\]\s*\{([^{}]*)\}", r"((\2)**(1/(\1)))", text)
        text, last = re.subn(r"\^\s*\{([^{}]*)\}", r"**(\1)", text)
        if not some + more + again + last:
            break
    for name in FUNCTIONS:
        text = re.sub(rf"\\{name}(?![a-z])", f" {name} ", text)
    text = text.replace("\\pi", " pi ")
    words = re.findall(r"[A-Za-z]+", text)
    if re.search(r"[^\w\s+\-*/^().]|[^\x00-\x7f]|_", text) or any(len(word) > 2 and word not in NAMES for word in words):
        return None
    # Letters in a row are factors.
    return re.sub(r"[A-Za-z]+", lambda m: m[0] if m[0] in NAMES else "*".join(m[0]), text).replace("^", "**")


@functools.lru_cache(maxsize=400_000)
def value(text):
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        return sympy.Rational(text)
    source = plain(text)
    # Python reads no number with a zero before it.
    if not source or not source.strip() or re.search(r"(?<![\d.])0\d", source) or re.search(r"\*\*\s*\(?\s*\d{3}|\d{40}", source):
        return None
    try:
        found = parse_expr(source, local_dict=NAMES, transformations=RULES, evaluate=True)
        return found if isinstance(found, sympy.Expr) else None
    except Exception:
        return None


@functools.lru_cache(maxsize=400_000)
def at_point(expr, letters, k):
    point = {x: sympy.Rational(7 + 3 * n + 5 * k, 11 + k) for n, x in enumerate(letters)}
    return complex(expr.evalf(20, subs=point) if point else expr.evalf(20))


def letters_of(left, right):
    return tuple(sorted(left.free_symbols | right.free_symbols, key=str))


def differ(left, right):
    """Whether both are expressions and sympy finds that they differ."""
    left, right = value(left), value(right)
    if left is None or right is None:
        return False
    if left.is_Rational and right.is_Rational:
        return left != right
    try:
        letters = letters_of(left, right)
        for k in range(3 if letters else 1):
            a, b = at_point(left, letters, k), at_point(right, letters, k)
            if abs(a - b) > 1e-9 * max(1, abs(a)):
                return True
        return False
    except Exception:
        return False


def proportional(left, right):
    """Whether two differences of sides are constant multiples, so that equations are the same."""
    try:
        letters = letters_of(left, right)
        ratios = [at_point(left, letters, k) / at_point(right, letters, k) for k in range(3)]
        return all(abs(ratio - ratios[0]) < 1e-9 * abs(ratios[0]) for ratio in ratios)
    except Exception:
        return True


def parts(text):
    """What stands between signs of relation, commas and outer brackets; and these."""
    text = re.sub(r"\\(left|right|bigl|bigr|Bigl|Bigr)(?![a-z])|~|\\[,;! ]|\s+", " ", text).strip()
    text = text.replace("\\{", " { ").replace("\\}", " } ") if re.match(r"\\\{.*\\\}$", text) else text
    signs, found, depth, start = [], [], 0, 0
    pieces = SEPARATORS.split(text)
    joined = ""
    for at, piece in enumerate(pieces):
        if at % 2 and depth_of(joined) <= 1:
            found.append(joined)
            signs.append(piece)
            joined = ""
        else:
            joined += piece
    found.append(joined)
    bare = []
    for part in found:
        part = part.strip()
        # A bracket without its partner is one of a pair or of an interval.
        opening = re.match(r"[\[({]", part) if part.count("(") + part.count("[") + part.count("{") > part.count(")") + part.count("]") + part.count("}") else None
        if opening:
            signs.append("open" + part[0])
            part = part[1:]
        closing = re.search(r"[\])}]$", part) if part.count("(") + part.count("[") + part.count("{") < part.count(")") + part.count("]") + part.count("}") else None
        if closing:
            signs.append("close" + part[-1])
            part = part[:-1]
        bare.append(part.strip().strip("$").strip())
    return signs, bare


def depth_of(text):
    return max(0, sum(text.count(sign) for sign in "([{") - sum(text.count(sign) for sign in ")]}"))


def changed_in_one_part(reference, answer):
    """Whether the two have one frame, and one part alone differs and has another value."""
    (frame, ours), (other_frame, theirs) = parts(reference), parts(answer)
    if frame != other_frame or len(ours) != len(theirs):
        return False
    changed = [at for at, (a, b) in enumerate(zip(ours, theirs)) if a != b]
    if len(changed) != 1 or not differ(ours[changed[0]], theirs[changed[0]]):
        return False
    if len(ours) == 1:
        return True
    relations = [sign for sign in frame if re.fullmatch(RELATIONS, sign)]
    if relations:
        if len(ours) == 2:
            sides = [[value(text) for text in pair] for pair in (ours, theirs)]
            if any(side is None for pair in sides for side in pair):
                return False
            (a, b), (c, d) = sides
            return not proportional(a - b, c - d)
        # A chain or a list of them: only where a number changed, which bounds something.
        number = re.compile(r"-?\d+(\.\d+)?")
        return bool(number.fullmatch(ours[changed[0]]) and number.fullmatch(theirs[changed[0]]))
    # Several answers: as sets they differ where no part stands twice.
    return len(set(theirs)) == len(theirs) and len(set(ours)) == len(ours) and theirs[changed[0]] not in ours


# --- changes -------------------------------------------------------------------------------------


def swap_at(text, chance, pattern, other):
    """The text with one match of a pattern changed."""
    found = list(re.finditer(pattern, text))
    if not found:
        return None
    match = chance.choice(found)
    new = other(match)
    return None if new is None else text[: match.start()] + new + text[match.end() :]


def digit(text, chance):
    return swap_at(text, chance, r"\d", lambda m: chance.choice([d for d in "123456789" if d != m[0]]))


def sign(text, chance):
    if "+" not in text and "-" not in text:
        return "-" + text
    return swap_at(text, chance, r"[+-]", lambda m: "-" if m[0] == "+" else "+")


def digit_lost(text, chance):
    return swap_at(text, chance, r"(?<=\d)\d|\d(?=\d)", lambda m: "")


def digit_doubled(text, chance):
    return swap_at(text, chance, r"\d", lambda m: m[0] * 2)


def digits_exchanged(text, chance):
    return swap_at(text, chance, r"(\d)(\d)", lambda m: m[2] + m[1])


def point_lost(text, chance):
    return swap_at(text, chance, r"(\d)\.(\d)", lambda m: m[1] + m[2])


def zero_added(text, chance):
    return swap_at(text, chance, r"(?<![.\d])\d+(?![.\d])", lambda m: m[0] + "0")


def power_changed(text, chance):
    return swap_at(text, chance, r"\^\{?(\d)\}?", lambda m: "^{" + str(int(m[1]) + 1) + "}")


def power_lost(text, chance):
    return swap_at(text, chance, r"\^\{?\d\}?", lambda m: "")


def root_lost(text, chance):
    return swap_at(text, chance, r"\\sqrt\{([^{}]*)\}", lambda m: "(" + m[1] + ")")


def pi_lost(text, chance):
    return swap_at(text, chance, r"(?<=\d)\s*\\pi", lambda m: "")


def fraction_turned(text, chance):
    turned = swap_at(text, chance, r"\\frac\{([^{}]*)\}\{([^{}]*)\}", lambda m: f"\\frac{{{m[2]}}}{{{m[1]}}}")
    return turned or swap_at(text, chance, r"(\d+)/(\d+)", lambda m: f"{m[2]}/{m[1]}")


def letter(text, chance):
    # A constant of integration may have another name.
    return swap_at(text, chance, r"(?<![A-Za-z\\{])[abm-np-z](?![A-Za-z_])", lambda m: chance.choice([c for c in "abmnpqrtxyz" if c != m[0]]))


def function(text, chance):
    others = {"sin": "cos", "cos": "sin", "tan": "cot", "cot": "tan", "ln": "log", "sec": "csc", "csc": "sec"}
    return swap_at(text, chance, r"\\(sin|cos|tan|cot|sec|csc)(?![a-z])", lambda m: "\\" + others[m[1]])


def term_lost(text, chance):
    return swap_at(text, chance, r"(?<=[\w})])\s*[+-]\s*[\w^]+$", lambda m: "")


def sum_as_product(text, chance):
    return swap_at(text, chance, r"(?<=[\w})])\s*\+\s*(?=[\w\\])", lambda m: "*")


def imaginary_lost(text, chance):
    return swap_at(text, chance, r"(?<=\d)\s*i(?![A-Za-z])", lambda m: "")


def brackets_lost(text, chance):
    return swap_at(text, chance, r"(?<=\d)\(([^()]*[+-][^()]*)\)", lambda m: m[1])


DECIDED = [digit, sign, digit_lost, digit_doubled, digits_exchanged, point_lost, zero_added, power_changed, power_lost, root_lost]
DECIDED += [pi_lost, fraction_turned, letter, function, term_lost, sum_as_product, imaginary_lost, brackets_lost]


def interval_end(text, chance):
    match = re.fullmatch(r"(\[|\()([^\[\]()]*,[^\[\]()]*)(\]|\))", text.replace("\\left", "").replace("\\right", ""))
    if not match or (match[1], match[3]) == ("(", ")"):
        return None
    ends = [end for end in [1, 3] if "infty" not in match[2].split(",")[end // 2]]
    if not ends:
        return None
    end = chance.choice(ends)
    other = {"[": "(", "(": "[", "]": ")", ")": "]"}[match[end]]
    return other + match[2] + match[3] if end == 1 else match[1] + match[2] + other


def pair_exchanged(text, chance):
    bare = text.replace("\\left", "").replace("\\right", "")
    match = re.fullmatch(r"\(([^(),]+),([^(),]+)\)", bare)
    return f"({match[2]},{match[1]})" if match and differ(match[1], match[2]) else None


def relation_turned(text, chance):
    signs = re.findall(RELATIONS, text)
    turned = {"<": ">", ">": "<", "\\le": "\\ge", "\\ge": "\\le", "\\leq": "\\geq", "\\geq": "\\leq", "\\leqslant": "\\geqslant", "\\geqslant": "\\leqslant"}
    if len(signs) != 1 or signs[0] not in turned or re.search(r"\{|\||\\pm", text.replace("\\frac{", "").replace("}{", "")):
        return None
    return text.replace(signs[0], turned[signs[0]] + " " if signs[0][0] == "\\" else turned[signs[0]])


def relation_strict(text, chance):
    signs = re.findall(RELATIONS, text)
    other = {"<": "\\le ", ">": "\\ge ", "\\le": "<", "\\ge": ">", "\\leq": "<", "\\geq": ">", "\\leqslant": "<", "\\geqslant": ">"}
    known = [sign for sign in signs if sign in other]
    if len(signs) not in (1, 2) or len(known) != len(signs) or "mathbb{N}" in text or "mathbb{Z}" in text:
        return None
    return text.replace(known[0], other[known[0]], 1)


def answer_lost(text, chance):
    """One of several answers, all of them but one, is missing."""
    signs, found = parts(text)
    if not signs or set(signs) - {",", ";"} or len(found) < 2 or any(value(part) is None for part in found):
        return None
    if not all(differ(a, b) for n, a in enumerate(found) for b in found[n + 1 :]) or re.fullmatch(r"[\d,{} ]+", text):
        return None
    at = chance.randrange(len(found))
    return ", ".join(found[:at] + found[at + 1 :])


def answer_added(text, chance):
    if not re.fullmatch(r"-?\d+|-?\\frac\{\d+\}\{\d+\}|-?\d+\\sqrt\{\d+\}", text):
        return None
    other = chance.choice(["2", "-1", "17", "\\frac{1}{2}", "101"])
    return f"{text}, {other}" if differ(text, other) else None


def sign_doubled(text, chance):
    """`\\pm 3` for `3`."""
    ok = re.fullmatch(r"\d+|\\frac\{\d+\}\{\d+\}|\d*\\sqrt\{\d+\}", text) and differ(text, "0")
    return "\\pm " + text if ok else None


def worded(text, chance):
    if not re.fullmatch(r"[1-9]\d*", text) or text == "1":
        return None
    forms = ["at least {}", "at most {}", "not {}", "{} dozen", "{} thirds", "half of {}", "minus {}", "{} squared", "more than {}"]
    forms += ["fewer than {}", "twice {}", "negative {}", "less than {}", "{} percent of 7", "{} hundred", "{} million", "{}!"]
    forms = [form for form in forms if form != "{}!" or int(text) > 2]
    return chance.choice(forms).format(text)


def measured(text, chance):
    """Reference and answer with units that are not one another."""
    if not re.fullmatch(r"\d+(\.\d+)?", text) or float(text) == 0:
        return None
    left, right = chance.sample(MEASURES, 2)
    return f"{text} {left}", f"{text} {right}"


def based(text, chance):
    match = re.fullmatch(r"(\d{2,})_\{?(\d+)\}?", text)
    return f"{match[1]}_{{{int(match[2]) + 1}}}" if match else None


def ratio_turned(text, chance):
    match = re.fullmatch(r"(\d+)\s*:\s*(\d+)", text)
    return f"{match[2]}:{match[1]}" if match and match[1] != match[2] else None


def option(text, chance):
    return chance.choice([c for c in "ABCDE" if c != text]) if re.fullmatch("[A-E]", text) else None


def named(text, chance):
    """A value of another name: `y = 3` for `x = 3`."""
    match = re.fullmatch(r"([a-z])\s*=\s*([^=]+)", text)
    if not match or match[1] == "y" or value(match[2]) is None:
        return None
    other = chance.choice([c for c in "abmnpqtuvwz" if c != match[1] and c not in match[2]])
    return f"{other} = {match[2]}"


def refused(text, chance):
    if value(text) is None:
        return None
    return chance.choice(["no solution", "undefined", "infinitely many", "\\emptyset", "\\infty", "all real numbers", "cannot be determined"])


def rows_exchanged(text, chance):
    match = re.fullmatch(r"\\begin\{(pmatrix|bmatrix)\}(.*)\\end\{\1\}", text)
    rows = [row.strip() for row in match[2].split("\\\\")] if match else []
    if len(rows) < 2 or rows[0] == rows[1]:
        return None
    cells = [[cell.strip() for cell in row.split("&")] for row in rows[:2]]
    if len(cells[0]) != len(cells[1]) or not any(differ(a, b) for a, b in zip(*cells)):
        return None
    rows[0], rows[1] = rows[1], rows[0]
    return f"\\begin{{{match[1]}}}" + " \\\\ ".join(rows) + f"\\end{{{match[1]}}}"


# How many references are tried for a change before another one is drawn.
TRIES = 40

ALONE = [interval_end, pair_exchanged, relation_turned, relation_strict, answer_lost, answer_added, sign_doubled, worded, measured]
ALONE += [based, ratio_turned, option, named, refused, rows_exchanged]


def near_misses(sets, chance):
    names, seen = sorted(sets), set()
    # The sets by the square root of their sizes: small ones are asked more often, and large ones
    # have more to say.
    weights = [len(sets[name]) ** 0.7 for name in names]
    while True:
        # The change first: few references have a base or a matrix, and these are asked as often.
        change = chance.choice(DECIDED + ALONE)
        for _ in range(TRIES):
            name = chance.choices(names, weights)[0]
            reference = chance.choice(sets[name])
            answer = change(reference, chance)
            if isinstance(answer, tuple):
                reference, answer = answer
            # The larger of two numbers is the same, whatever the other one is; `0,245` is a decimal.
            if not answer or answer == reference or "\\max" in reference or re.match(r"0,\d", reference) or (reference, answer) in seen:
                continue
            if change in DECIDED and not changed_in_one_part(reference, answer):
                continue
            seen.add((reference, answer))
            yield name, change.__name__, reference, answer
            break


def main():
    count, seed, folders = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    found = near_misses(references(folders), random.Random(seed))
    for number in range(count):
        name, change, reference, answer = next(found)
        row = {"id": f"near:{number}", "dataset": name, "prediction": answer, "reference": reference, "label": False, "kind": change}
        print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
