#!/usr/bin/env python3
"""Other notations of right answers, to find verdicts that are wrongly "incorrect".

    python3 tools/near-misses/rewritings.py SEED FOLDER... > ROWS/rewritings.jsonl
    cargo run --release -p scoring --example labelled -- ROWS DISAGREEMENTS

Writes every reference of every set in FOLDERs (`references.py`) in each of the notations below that
it has room for, labelled true. `kind` is the notation. A notation changes only how the same object is
written; where it could change what is said (a comma that may divide a list, a blank that may be a
product) it asks for a whole text of a plain form.
"""

import json
import random
import re
import sys
from fractions import Fraction

from references import references

WORDS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split()
TENS = {30: "thirty", 40: "forty", 50: "fifty", 60: "sixty", 70: "seventy", 80: "eighty", 90: "ninety"}
INTEGER = re.compile(r"-?\d{1,12}")
DECIMAL = re.compile(r"-?\d{1,9}\.\d{1,6}")
FRACTION = re.compile(r"(-?)\\(?:d|t)?frac\{(\d+)\}\{(\d+)\}")
ATOM = r"(?:\d+|[a-z]|\\pi)"
# A sum of plain terms without brackets.
SUM = re.compile(r"-?[\w^\\{} ]+(?:\s*[+-]\s*[\w^\\{} ]+)+")


def is_sound(text):
    """Whether a reference is one answer of balanced brackets, and no prose with formulas in it."""
    prose = "$" in text and re.search(r"[A-Za-z]{2,}", re.sub(r"\\[A-Za-z]+", "", text))
    pairs = [("{", "}"), ("\\left", "\\right")]
    halves = text.count("(") + text.count("[") != text.count(")") + text.count("]")
    odd = re.search(r"[+-]$|\\bullet|\\max|\\min|[ap]\.m|\d \d|\d:\d\d$|\} x |\\bigcup|dM|\de-?\d|\\mid|d [a-z]\}|0,\d|\{~[A-Z]\}|\\mathrm\{N\}", text)
    return not (prose or halves or odd or any(text.count(a) != text.count(b) for a, b in pairs))


FUNCTION = re.compile(r"\\(arc)?(sin|cos|tan|cot|sec|csc|ln|log|exp)")


def is_formula(text):
    """One formula, not prose: no words but commands, no dollar signs, balanced."""
    words = re.sub(r"\\[A-Za-z]+|\\(text|mathrm)\{[^{}]*\}", " ", text)
    return "$" not in text and not re.search(r"[A-Za-z]{3,}|[^\x00-\x7f]", words) and text.count("{") == text.count("}")


def numeric(text):
    return INTEGER.fullmatch(text) or DECIMAL.fullmatch(text)


def replaced(pattern, other):
    def change(text):
        changed = re.sub(pattern, other, text)
        return changed if changed != text else None

    return change


def wrapped(opening, close):
    return lambda text: opening + text + close if is_formula(text) else None


def dfrac(text):
    return text.replace("\\frac", "\\dfrac") if "\\frac" in text else None


def tfrac(text):
    return text.replace("\\frac", "\\tfrac") if "\\frac" in text else None


def over(text):
    match = FRACTION.fullmatch(text)
    return f"{match[1]}{{{match[2]} \\over {match[3]}}}" if match else None


def slash(text):
    match = FRACTION.fullmatch(text)
    return f"{match[1]}{match[2]}/{match[3]}" if match else None


def slash_within(text):
    if not is_formula(text) or FRACTION.fullmatch(text):
        return None
    return replaced(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))")(text)


def slash_power(text):
    """A fraction as a power of its denominator."""
    match = FRACTION.fullmatch(text)
    return f"{match[1]}{match[2]} \\cdot {match[3]}^{{-1}}" if match else None


def fraction_unbraced(text):
    return replaced(r"\\frac\{(\d)\}\{(\d)\}(?!\d)", r"\\frac\1\2")(text)


def minus_above(text):
    return replaced(r"^-\\(d?)frac\{(\w+)\}", r"\\\1frac{-\2}")(text)


def minus_below(text):
    match = re.fullmatch(r"-\\frac\{(\d+)\}\{(\d+)\}", text)
    return f"\\frac{{{match[1]}}}{{-{match[2]}}}" if match else None


def minus_before(text):
    return replaced(r"^\\(d?)frac\{-(\w+)\}", r"-\\\1frac{\2}")(text)


def decimal(text):
    match = FRACTION.fullmatch(text)
    if not match or int(match[3]) == 0:
        return None
    value = Fraction(int(match[2]), int(match[3]))
    scaled = value * 10**6
    if scaled.denominator != 1:
        return None
    return match[1] + f"{float(value):.6f}".rstrip("0").rstrip(".")


def unreduced(text):
    match = FRACTION.fullmatch(text)
    return f"{match[1]}\\frac{{{3 * int(match[2])}}}{{{3 * int(match[3])}}}" if match else None


def mixed(text):
    match = FRACTION.fullmatch(text)
    if not match or int(match[3]) < 2 or int(match[2]) < int(match[3]) or int(match[2]) % int(match[3]) == 0:
        return None
    whole, rest = divmod(int(match[2]), int(match[3]))
    return f"{match[1]}{whole}\\frac{{{rest}}}{{{match[3]}}}"


def mixed_plain(text):
    found = mixed(text)
    return found and re.sub(r"\\frac\{(\d+)\}\{(\d+)\}", r" \1/\2", found)


def as_fraction(text):
    if not DECIMAL.fullmatch(text):
        return None
    value = Fraction(text)
    return f"\\frac{{{value.numerator}}}{{{value.denominator}}}"


def percent(text):
    return replaced(r"^(-?\d+(?:\.\d+)?)\\?%$", r"\1\\%")(text) or replaced(r"^(-?\d+(?:\.\d+)?)\\?%$", r"\1 percent")(text)


def percent_bare(text):
    return replaced(r"^(-?\d+(?:\.\d+)?)\\?%$", r"\1")(text)


def percent_word(text):
    return replaced(r"^(-?\d+(?:\.\d+)?)\\?%$", r"\1 percent")(text)


def trailing_zeros(text):
    return f"{text}0" if DECIMAL.fullmatch(text) else f"{text}.00" if INTEGER.fullmatch(text) else None


def without_zeros(text):
    return text.rstrip("0").rstrip(".") if DECIMAL.fullmatch(text) and text.endswith("0") else None


def leading_zero(text):
    return replaced(r"^(-?)0\.(\d+)$", r"\1.\2")(text)


def thousands(text):
    return f"{int(text):,}" if INTEGER.fullmatch(text) and abs(int(text)) >= 1000 else None


def thousands_latex(text):
    found = thousands(text)
    return found and found.replace(",", "{,}")


def thousands_thin(text):
    found = thousands(text)
    return found and found.replace(",", "\\,")


def thousands_tight(text):
    found = thousands(text)
    return found and found.replace(",", ",\\!")


def without_thousands(text):
    return text.replace(",", "").replace("{}", "").replace("\\!", "") if re.fullmatch(r"\d{1,3}((\{,\}|,\\!|,)\d{3})+", text) else None


def in_words(text):
    if not re.fullmatch(r"\d{1,2}", text):
        return None
    number = int(text)
    if number <= 20:
        return WORDS[number]
    tens, ones = number // 10 * 10, number % 10
    return ({20: "twenty"} | TENS)[tens] + ("-" + WORDS[ones] if ones else "")


def scientific(text):
    if not INTEGER.fullmatch(text) or abs(int(text)) < 10:
        return None
    digits = text.lstrip("-")
    mantissa = (digits[0] + "." + digits[1:]).rstrip("0").rstrip(".")
    return f"{'-' if text[0] == '-' else ''}{mantissa} \\times 10^{{{len(digits) - 1}}}"


def exponent_e(text):
    found = scientific(text)
    return found and re.sub(r" \\times 10\^\{(\d+)\}", r"e\1", found)


def full_width(text):
    return re.sub(r"\d", lambda m: chr(ord(m[0]) + 0xFEE0), text) if numeric(text) else None


def unicode_minus(text):
    return text.replace("-", "−") if "-" in text and is_formula(text) else None


def unicode_pi(text):
    return replaced(r"\\pi(?![a-z])\s*", "π")(text)


def unicode_root(text):
    return replaced(r"\\sqrt\{(\w+)\}", r"√\1")(text) if not re.search(r"\\sqrt\{(\d+[a-z]|[a-z]\w)", text) else None


def superscripts(text):
    return replaced(r"(?<=[a-z\d)])\^(?:\{([23])\}|([23])(?![\d.]))", lambda m: "²" if "2" in m.groups() else "³")(text) if is_formula(text) else None


def unicode_signs(text):
    signs = {"\\le ": "≤", "\\ge ": "≥", "\\leq ": "≤", "\\geq ": "≥", "\\infty": "∞", "\\cup ": "∪", "\\cdot ": "·", "\\times ": "×", "\\in ": "∈", "\\pm ": "±"}
    changed = text
    for latex, sign in signs.items():
        changed = changed.replace(latex, sign)
    return changed if changed != text and "\\mathbb" not in text else None


def degrees_unicode(text):
    return replaced(r"(\d)\s*\^\s*\{?\s*\\circ\s*\}?", r"\1°")(text)


def degrees_word(text):
    return replaced(r"^(\d+(?:\.\d+)?)\s*\^\s*\{?\s*\\circ\s*\}?$", r"\1 degrees")(text)


def degrees_bare(text):
    return replaced(r"^(\d+(?:\.\d+)?)\s*\^\s*\{?\s*\\circ\s*\}?$", r"\1")(text)


def left_right(text):
    if "\\left" in text or not is_formula(text) or not re.fullmatch(r"[(\[].*[)\]]", text) or "\\{" in text:
        return None
    return "\\left" + text[:-1] + "\\right" + text[-1] if "(" not in text[1:-1] else None


def without_left(text):
    return replaced(r"\\(left|right)(?=[(\[\])|])\s*", "")(text)


def spaced(text):
    return replaced(r"\s*([+=<>])\s*", r" \1 ")(text) if is_formula(text) and "array" not in text else None


def unspaced(text):
    if not is_formula(text) or re.search(r"\\text|\\mathrm|\d \d|begin", text):
        return None
    return replaced(r"(?<![A-Za-z\\]) | (?![A-Za-z\d])", "")(text)


def thin_spaces(text):
    return replaced(r"\s*([+=])\s*", r"\\,\1\\,")(text) if is_formula(text) else None


def negative_space(text):
    return replaced(r"(?<=\d)\\(frac|sqrt|pi)", r"\\!\\\1")(text) if not re.match(r"\d+\\frac\{\d+\}\{\d+\}", text) else None


def final_point(text):
    return text + "." if is_formula(text) else None


def final_point_inside(text):
    return f"${text}.$" if is_formula(text) else None


def times_cdot(text):
    return replaced(rf"(?<![\w\\{{^_])(\d+)\s*(\\sqrt|\\pi|[a-z](?![a-z]))", r"\1 \\cdot \2")(text) if is_formula(text) and not FUNCTION.search(text) else None


def times_cross(text):
    return replaced(r"(?<![\w\\{^_])(\d+)\s*(\\sqrt|\\pi)", r"\1 \\times \2")(text) if is_formula(text) and not FUNCTION.search(text) else None


def times_star(text):
    return replaced(rf"(?<![\w\\{{^_])(\d+)\s*(\\sqrt|\\pi|[a-z](?![a-z]))", r"\1*\2")(text) if is_formula(text) and not FUNCTION.search(text) and "\\text" not in text else None


def times_lost(text):
    return replaced(r"(?<=\d)\s*\\cdot\s*(?=\\sqrt|\\pi|[a-z(])", " ")(text)


def factors_turned(text):
    match = re.fullmatch(r"(\d+)\s*(\\sqrt\{\d+\}|\\pi)", text)
    return f"{match[2]} \\cdot {match[1]}" if match else None


def terms_turned(text):
    """The last term of a plain sum first."""
    if "display" in text or not SUM.fullmatch(text) or not is_formula(text) or "\\text" in text or re.search(r"\\pm|\^\{?[^}]*[+-]", text):
        return None
    bare = re.sub(r"\{[^{}]*\}", lambda m: m[0].replace("-", "~").replace("+", "`"), text)
    at = max(bare.rfind("+"), bare.rfind("-"))
    if at <= 0 or bare[:at].count("{") != bare[:at].count("}") or "," in text:
        return None
    head, last = text[:at].strip(), ("" if text[at] == "+" else "-") + text[at + 1 :].strip()
    return f"{last} {'' if head.startswith('-') else '+ '}{head}"


def root_power(text):
    return None if FUNCTION.search(text) else replaced(r"\\sqrt\{(\w+)\}", r"(\1)^{1/2}")(text)


def root_power_fraction(text):
    return None if FUNCTION.search(text) else replaced(r"\\sqrt\{(\w+)\}", r"{\1}^{\\frac{1}{2}}")(text)


def root_unbraced(text):
    return replaced(r"\\sqrt\{(\d)\}", r"\\sqrt\1")(text)


def root_call(text):
    return replaced(r"\\sqrt\{(\w+)\}", r" sqrt(\1)")(text) if is_formula(text) else None


def power_braced(text):
    return replaced(r"\^(\w)", r"^{\1}")(text)


def power_unbraced(text):
    return replaced(r"\^\{(\w)\}", r"^\1")(text)


def power_stars(text):
    return replaced(r"(?<=[a-z\d)])\^(?:\{(\d)\}|(\d)(?!\d))", r"**\1\2")(text) if is_formula(text) else None


def interval_as_inequality(text):
    ends = {"(": "<", "[": "\\le", ")": "<", "]": "\\le"}
    match = re.fullmatch(r"(?:\\left)?([\[(])\s*(-?[\w\\{}]+|-\\infty)\s*,\s*(-?[\w\\{}]+|\\infty)\s*(?:\\right)?([\])])", text)
    if not match or (match[1], match[4]) in [("(", ")"), ("[", "]")] and "infty" not in text:
        return None
    if "infty" in match[2] and "infty" in match[3]:
        return None
    if "infty" in match[2]:
        return f"x {ends[match[4]]} {match[3]}"
    if "infty" in match[3]:
        return f"x {ends[match[1]].replace('<', '>').replace('le', 'ge')} {match[2]}"
    return f"{match[2]} {ends[match[1]]} x {ends[match[4]]} {match[3]}"


def inequality_as_interval(text):
    match = re.fullmatch(r"x\s*(<|>|\\leq?|\\geq?)\s*(-?\d+|-?\\frac\{\d+\}\{\d+\})", text)
    if not match:
        return None
    closed = "e" in match[1]
    if match[1] == "<" or match[1].startswith("\\l"):
        return f"(-\\infty, {match[2]}{']' if closed else ')'}"
    return f"{'[' if closed else '('}{match[2]}, \\infty)"


def inequality_turned(text):
    match = re.fullmatch(r"([a-z])\s*(<|>|\\leq?|\\geq?)\s*(-?[\d./]+|-?\\frac\{\d+\}\{\d+\})", text)
    turned = {"<": ">", ">": "<", "\\le": "\\ge", "\\ge": "\\le", "\\leq": "\\geq", "\\geq": "\\leq"}
    return f"{match[3]} {turned[match[2]]} {match[1]}" if match else None


def set_turned(text):
    match = re.fullmatch(r"\\\{([^{}|:]*)\\\}", text)
    items = match[1].split(",") if match else []
    return "\\{" + ", ".join(item.strip() for item in reversed(items)) + "\\}" if len(items) > 1 and "dots" not in text else None


def list_parts(text):
    if re.search(r"[()\[\]{}|:;a-zA-Z\\]", re.sub(r"\\(frac|sqrt|pi)|[{}]", "", text)) or re.fullmatch(r"\d{1,3}(,\d{3})+", text):
        return []
    # A comma may divide thousands, also within braces.
    if "{,}" in text or "$" in text or not re.search(r",\s|\\", text) and re.fullmatch(r"-?\d{1,3}(,\d{3})+", text):
        return []
    return [part.strip() for part in text.split(",")] if text.count(",") >= 1 else []


def list_turned(text):
    found = list_parts(text)
    return ", ".join(reversed(found)) if len(found) > 1 else None


def list_and(text):
    found = list_parts(text)
    # `64 and 1/4` is a mixed number too.
    return ", ".join(found[:-1]) + " and " + found[-1] if len(found) > 1 and "frac" not in found[-1] else None


def list_named(text):
    found = list_parts(text)
    return ", ".join("x = " + part for part in found) if len(found) > 1 else None


def list_or(text):
    found = list_parts(text)
    return " \\text{ or } ".join("x = " + part for part in found) if len(found) == 2 else None


def list_braced(text):
    found = list_parts(text)
    return "\\{" + ", ".join(found) + "\\}" if len(found) > 1 and "{" not in text[0] else None


def list_dollars(text):
    found = list_parts(text)
    return ", ".join(f"${part}$" for part in found) if len(found) > 1 else None


def plus_minus(text):
    found = list_parts(text)
    return "\\pm " + found[0].lstrip("-") if len(found) == 2 and {found[0], found[1]} == {found[0].lstrip("-"), "-" + found[0].lstrip("-")} else None


def plus_minus_apart(text):
    match = re.fullmatch(r"\\pm\s*([\w\\{}]+)", text)
    return f"{match[1]}, -{match[1]}" if match else None


def named(text):
    return f"x = {text}" if numeric(text) or FRACTION.fullmatch(text) else None


def named_function(text):
    return f"f(x) = {text[2:].strip()}" if re.match(r"y\s*=", text) and "y" not in text[1:] and "x" in text else None


def unnamed(text):
    match = re.fullmatch(r"[a-zA-Z]\s*=\s*([^=<>,]+)", text)
    return match[1] if match and not re.search(r"[a-zA-Z]", re.sub(r"\\[a-z]+", "", match[1])) else None


def united(text):
    return f"{text}\\text{{ units}}" if numeric(text) else None


def unit_without_text(text):
    return replaced(r"^(-?[\d.,]+)\s*\\(?:text|mathrm)\{\s*([^{}]*)\}$", r"\1 \2")(text)


def unit_mathrm(text):
    return replaced(r"^(-?[\d.,]+)\s*\\text\{\s*([a-z]+)\s*\}$", r"\1 \\mathrm{\2}")(text)


def unit_lost(text):
    return replaced(r"^(-?[\d.,]+)\s*\\(?:text|mathrm)\{[^{}]*\}$", r"\1")(text)


def dollar_sign(text):
    return f"\\${text}" if re.fullmatch(r"\d+(\.\d\d)?", text) else None


def dollar_lost(text):
    return replaced(r"^\\?\$([\d,.]+)$", r"\1")(text)


def choice_bracketed(text):
    return f"({text})" if re.fullmatch("[A-E]", text) else None


def choice_text(text):
    return f"\\text{{({text})}}" if re.fullmatch("[A-E]", text) else None


def choice_word(text):
    return f"Option {text}" if re.fullmatch("[A-E]", text) else None


def coordinates_spaced(text):
    return replaced(r"^\(([^(),]+),\s*([^(),]+)\)$", r"\\left(\1 , \\; \2\\right)")(text)


def coordinates_named(text):
    match = re.fullmatch(r"\((-?\d+),\s*(-?\d+)\)", text)
    return f"x = {match[1]}, y = {match[2]}" if match else None


def base_braced(text):
    return replaced(r"^(\d+)_(\d+)$", r"\1_{\2}")(text)


def matrix_brackets(text):
    return replaced(r"pmatrix", "bmatrix")(text)


def ratio_word(text):
    return replaced(r"^(\d+)\s*:\s*(\d+)$", r"\1 to \2")(text)


def imaginary_upright(text):
    return replaced(r"(?<=[\d}])\s*i$", r"\\mathrm{i}")(text)


def complex_turned(text):
    match = re.fullmatch(r"(-?\d+)\s*([+-])\s*(\d*i)", text)
    return f"{'-' if match[2] == '-' else ''}{match[3]} {'' if match[1][0] == '-' else '+ '}{match[1]}" if match else None


def bold(text):
    return f"**{text}**" if numeric(text) else None


def displaystyle(text):
    return f"\\displaystyle {text}" if is_formula(text) and re.search(r"\d|[a-z]", text) and "\\text" not in text else None


NOTATIONS = {
    "dollars": wrapped("$", "$"),
    "double dollars": wrapped("$$", "$$"),
    "round delimiters": wrapped("\\(", "\\)"),
    "square delimiters": wrapped("\\[", "\\]"),
    "box": wrapped("\\boxed{", "}"),
    "box in dollars": wrapped("$\\boxed{", "}$"),
    "text around": lambda text: f"\\text{{{text}}}" if numeric(text) else None,
    "sentence": lambda text: f"So the answer is ${text}$." if is_formula(text) else None,
    "boxed sentence": lambda text: f"Adding both, we get $\\boxed{{{text}}}$ in the end." if is_formula(text) else None,
    "braces around": lambda text: f"{{{text}}}" if is_formula(text) and not re.search(r"[,:|=<>]|\\(neq|pm|leq|geq|le|ge|mid|times|textcircled)|^[A-Z ]+$| or ", text) else None,
}
FUNCTIONS = [dfrac, tfrac, over, slash, slash_within, slash_power, fraction_unbraced, minus_above, minus_below, minus_before, decimal, unreduced]
FUNCTIONS += [mixed, mixed_plain, as_fraction, percent, percent_bare, percent_word, trailing_zeros, without_zeros, leading_zero, thousands]
FUNCTIONS += [thousands_latex, thousands_thin, thousands_tight, without_thousands, in_words, scientific, exponent_e, full_width, unicode_minus]
FUNCTIONS += [unicode_pi, unicode_root, superscripts, unicode_signs, degrees_unicode, degrees_word, degrees_bare, left_right, without_left]
FUNCTIONS += [spaced, unspaced, thin_spaces, negative_space, final_point, final_point_inside, times_cdot, times_cross, times_star, times_lost]
FUNCTIONS += [factors_turned, terms_turned, root_power, root_power_fraction, root_unbraced, root_call, power_braced, power_unbraced, power_stars]
FUNCTIONS += [interval_as_inequality, inequality_as_interval, inequality_turned, set_turned, list_turned, list_and, list_named, list_or]
FUNCTIONS += [list_braced, list_dollars, plus_minus, plus_minus_apart, named, named_function, unnamed, united, unit_without_text, unit_mathrm]
FUNCTIONS += [unit_lost, dollar_sign, dollar_lost, choice_bracketed, choice_text, choice_word, coordinates_spaced, coordinates_named, base_braced]
FUNCTIONS += [matrix_brackets, ratio_word, imaginary_upright, complex_turned, bold, displaystyle]
NOTATIONS |= {function.__name__.replace("_", " "): function for function in FUNCTIONS}

# Of the references that are plain integers a set adds no more than this many.
INTEGERS = 400


# Notations behind which no other one is tried.
ALONE = [bold, unnamed, unit_lost, degrees_bare, percent_bare, dollar_lost]

# How many pairs of notations a reference is written in.
PAIRS = 4


def in_two(text, chance):
    """The text in one notation, and that in another."""
    first, second = chance.sample(list(NOTATIONS.values()), 2)
    once = first(text)
    # Nothing is written within emphasis, a point ends a text once, and what leaves out a name or a
    # unit leaves no room for another one.
    if not once or not is_sound(once) or first in ALONE or re.search(r"\.\$?$", once):
        return None
    twice = second(once)
    return twice if twice != once else None


def rewritings(sets, chance):
    seen = set()
    for name, texts in sorted(sets.items()):
        plain = [text for text in texts if INTEGER.fullmatch(text)]
        chance.shuffle(plain)
        left_out = set(plain[INTEGERS:])
        for reference in texts:
            for kind, notation in NOTATIONS.items():
                if reference in left_out or not is_sound(reference) or (kind, reference) in seen:
                    continue
                answer = notation(reference)
                if answer and answer != reference:
                    seen.add((kind, reference))
                    yield name, kind, reference, answer
            for _ in range(0 if reference in left_out or not is_sound(reference) else 20 * PAIRS):
                answer = in_two(reference, chance)
                if answer and answer != reference and (answer, reference) not in seen:
                    seen.add((answer, reference))
                    yield name, "two at once", reference, answer


def main():
    seed, folders = int(sys.argv[1]), sys.argv[2:]
    for number, (name, kind, reference, answer) in enumerate(rewritings(references(folders), random.Random(seed))):
        row = {"id": f"rewritten:{number}", "dataset": name, "prediction": answer, "reference": reference, "label": True, "kind": kind}
        print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
