"""Recompute the answers of the sample problems and compare them with the references.

Every module ``checks/<set>.py`` belongs to ``datasets/<set>/sample.jsonl`` and defines
``CHECKS``: question number -> a value, or a function of no arguments that computes it.

What a check returns decides how the reference is read:

* a number or a sympy expression: one expression, compared exactly;
* a tuple or a list: as many expressions in that order, ``(2,5)`` or ``2, 5``;
* a set: the same, in any order, ``\\{2,5\\}`` or ``2, 5`` or ``3 \\pm \\sqrt{2}``;
* a sympy interval or union: interval notation, ``(-\\infty,2]\\cup[5,8)``;
* a string: text, compared without LaTeX marks, blanks and case.

A module may also define ``COMPARE``: question number -> a function that takes the reference
as it stands in the file and tells whether it is right. It replaces the comparison above.

Exit status: 0 if everything agrees, 1 on a failure or on an id that is not in the sample file.
"""

import argparse
import importlib.util
import json
import re
import sys
from fractions import Fraction
from pathlib import Path

import sympy

TOOL_DIR = Path(__file__).resolve().parent
REPOSITORY = TOOL_DIR.parent.parent


class UnreadableReference(ValueError):
    """A reference that cannot be read as the kind of value its check returns."""


# --- Reading references -------------------------------------------------------------------

TOKEN = re.compile(r"\s*(\d+\.\d+|\d+|\.\d+|\\[A-Za-z]+|\\.|[A-Za-z]|[-+*/^_()\[\]{}%!|=])")
WHOLE_NUMBER_WITH_COMMAS = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
TEXT_COMMAND = re.compile(r"\\(?:text|textbf|mathrm|mbox|operatorname)\s*\{([^{}]*)\}")
FUNCTIONS = {
    "\\sin": sympy.sin,
    "\\cos": sympy.cos,
    "\\tan": sympy.tan,
    "\\cot": sympy.cot,
    "\\arcsin": sympy.asin,
    "\\arccos": sympy.acos,
    "\\arctan": sympy.atan,
    "\\exp": sympy.exp,
    "\\ln": sympy.log,
}
CONSTANTS = {"\\pi": sympy.pi, "\\infty": sympy.oo, "e": sympy.E, "i": sympy.I}


def without_delimiters(text):
    """Drop what only serves typesetting: math delimiters, spacing, size commands."""
    text = text.replace("\\$", "").replace("$", "")
    text = re.sub(r"\\[()\[\],;:! ]|\\q?quad(?![A-Za-z])|~", " ", text)
    text = re.sub(r"\\(?:left|right|displaystyle|space)(?![A-Za-z])", "", text)
    return text.strip()


def plain_text(text):
    """Letters and digits of a reference that is not a number, in lower case."""
    text = TEXT_COMMAND.sub(r"\1", without_delimiters(text))
    return re.sub(r"[\s{}\\]|\.$", "", text).casefold()


def math_text(text):
    """The mathematical part of a reference, ready for `Expression`."""
    text = TEXT_COMMAND.sub("", without_delimiters(text))
    text = re.sub(r"\\[dt]frac", r"\\frac", text)
    text = re.sub(r"\^\s*(?:\\circ|\{\s*\\circ\s*\})|°", "", text)
    text = text.replace("\\%", "%").replace("{,}", "").replace("π", "\\pi ").replace("−", "-")
    text = text.strip().rstrip(".").rstrip()
    if WHOLE_NUMBER_WITH_COMMAS.fullmatch(text):
        text = text.replace(",", "")
    return text


def tokenize(text):
    tokens, position = [], 0
    while position < len(text):
        match = TOKEN.match(text, position)
        if not match:
            raise UnreadableReference(f"cannot read {text[position:]!r}")
        tokens.append(match.group(1))
        position = match.end()
    return tokens


class Expression:
    """Recursive descent over the small part of LaTeX that references use."""

    def __init__(self, text):
        self.tokens = tokenize(text)

    def value(self):
        # "x = 5" states the value of x.
        if len(self.tokens) > 2 and self.tokens[0].isalpha() and self.tokens[1] == "=":
            self.tokens = self.tokens[2:]
        result = self.sum()
        if self.tokens:
            raise UnreadableReference(f"unexpected {self.tokens[0]!r}")
        return result

    def peek(self, offset=0):
        return self.tokens[offset] if len(self.tokens) > offset else ""

    def take(self, expected=None):
        token = self.peek()
        if not token or (expected and token != expected):
            wanted, found = expected or "an expression", token or "the end"
            raise UnreadableReference(f"expected {wanted}, found {found}")
        return self.tokens.pop(0)

    def sum(self):
        result = self.product()
        while self.peek() in ("+", "-"):
            sign = 1 if self.take() == "+" else -1
            result += sign * self.product()
        return result

    def product(self):
        result = self.signed()
        while True:
            if self.peek() in ("*", "\\cdot", "\\times"):
                self.take()
                result *= self.signed()
            elif self.peek() in ("/", "\\div"):
                self.take()
                result /= self.signed()
            elif self.starts_factor():
                result *= self.power()
            else:
                return result

    def starts_factor(self):
        token = self.peek()
        return (
            token in ("(", "{", "\\frac", "\\sqrt", "\\log")
            or token in FUNCTIONS
            or token in CONSTANTS
            or token[:1].isalnum()
        )

    def signed(self):
        if self.peek() in ("-", "+"):
            return (-1 if self.take() == "-" else 1) * self.signed()
        return self.power()

    def power(self):
        base = self.postfix()
        if self.peek() == "^":
            self.take()
            base = base ** self.argument()
        return base

    def postfix(self):
        result = self.atom()
        while self.peek() in ("%", "!"):
            result = result / 100 if self.take() == "%" else sympy.factorial(result)
        return result

    def argument(self):
        """What a command or `^` applies to: a group, or a single token as TeX reads it."""
        token = self.peek()
        if token.isdigit() and len(token) > 1:
            self.tokens[0] = token[1:]
            return sympy.Integer(token[0])
        return self.signed() if token == "-" else self.atom()

    def atom(self):
        token = self.take()
        if token[0].isdigit() or token[0] == ".":
            number = sympy.Rational(token)
            return number + self.fraction_of_mixed_number() if token.isdigit() else number
        if token in ("(", "{"):
            result = self.sum()
            self.take(")" if token == "(" else "}")
            return result
        if token == "|":
            result = self.sum()
            self.take("|")
            return abs(result)
        if token == "\\frac":
            numerator = self.argument()
            return numerator / self.argument()
        if token == "\\sqrt":
            degree = 2
            if self.peek() == "[":
                self.take("[")
                degree = self.sum()
                self.take("]")
            return sympy.root(self.argument(), degree)
        if token == "\\log":
            base = 10
            if self.peek() == "_":
                self.take("_")
                base = self.argument()
            return sympy.log(self.power(), base)
        if token in FUNCTIONS:
            exponent = 1
            if self.peek() == "^":
                self.take()
                exponent = self.argument()
            return FUNCTIONS[token](self.power()) ** exponent
        if token in CONSTANTS:
            return CONSTANTS[token]
        if token.isalpha() or re.fullmatch(r"\\[A-Za-z]+", token):
            return sympy.Symbol(self.symbol_name(token))
        raise UnreadableReference(f"unexpected {token!r}")

    def symbol_name(self, token):
        name = token.lstrip("\\")
        if self.peek() == "_":
            self.take("_")
            name += f"_{self.argument()}"
        return name

    def fraction_of_mixed_number(self):
        r"""The fraction in `1(1/2)` or `2\frac{2}{5}` right after a whole number, else 0."""
        for pattern in (("(", None, "/", None, ")"), ("\\frac", "{", None, "}", "{", None, "}")):
            found = self.tokens[: len(pattern)]
            numbers = [token for token, wanted in zip(found, pattern) if wanted is None]
            if (
                len(found) == len(pattern)
                and all(wanted in (None, token) for token, wanted in zip(found, pattern))
                and all(number.isdigit() for number in numbers)
            ):
                del self.tokens[: len(pattern)]
                return sympy.Rational(*map(int, numbers))
        return sympy.Integer(0)


def split_at_commas(text):
    """Split at the commas outside all brackets."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    return parts + [text[start:]]


def parse_number(text):
    return Expression(math_text(text)).value()


def parse_list(text):
    """Expressions separated by commas, with or without brackets around them."""
    text = math_text(text).replace("\\{", "{").replace("\\}", "}")
    text = re.sub(r"\s+(?:and|or)\s+", ",", text)
    bracketed = re.fullmatch(r"[({\[](.*)[)}\]]", text)
    if bracketed and len(split_at_commas(text)) == 1:
        text = bracketed.group(1)
    values = []
    for part in split_at_commas(text):
        if "\\pm" in part:
            values += [Expression(part.replace("\\pm", sign)).value() for sign in "+-"]
        elif len(split_at_commas(part.strip()[1:-1])) > 1:
            values.append(tuple(parse_list(part)))
        else:
            values.append(Expression(part).value())
    return values


def parse_intervals(text):
    """Interval notation, with `\\cup` between the intervals."""
    intervals = []
    for part in re.split(r"\\cup|∪|\bU\b", math_text(text)):
        match = re.fullmatch(r"([(\[])(.*),(.*)([)\]])", part.strip())
        if not match:
            raise UnreadableReference(f"not an interval: {part!r}")
        left, right = (Expression(bound).value() for bound in match.group(2, 3))
        intervals.append(sympy.Interval(left, right, match[1] == "(", match[4] == ")"))
    return sympy.Union(*intervals)


# --- Comparing ----------------------------------------------------------------------------

SEQUENCES = (tuple, list, sympy.Tuple)


def exact(value):
    """The value as a sympy expression; symbols lose their assumptions, floats are refused."""
    if isinstance(value, Fraction):
        value = sympy.Rational(value.numerator, value.denominator)
    value = sympy.sympify(value)
    if value.has(sympy.Float):
        raise TypeError(f"the check returned the inexact number {value}")
    return value.subs({symbol: sympy.Symbol(symbol.name) for symbol in value.free_symbols})


def equal(left, right):
    """Exact equality of two numbers, expressions or tuples of them."""
    if isinstance(left, SEQUENCES) or isinstance(right, SEQUENCES):
        return (
            isinstance(left, SEQUENCES)
            and isinstance(right, SEQUENCES)
            and len(left) == len(right)
            and all(map(equal, left, right))
        )
    left, right = exact(left), exact(right)
    return left == right or sympy.simplify(left - right) == 0


def equal_in_any_order(left, right):
    rest = list(right)
    for item in left:
        match = next((index for index, other in enumerate(rest) if equal(item, other)), None)
        if match is None:
            return False
        del rest[match]
    return not rest


def agrees(value, reference):
    """Whether the computed value is what the reference says."""
    if isinstance(value, str):
        return plain_text(value) == plain_text(reference)
    if isinstance(value, SEQUENCES):
        return equal(tuple(value), tuple(parse_list(reference)))
    if isinstance(value, (set, frozenset, sympy.FiniteSet)):
        return equal_in_any_order(value, parse_list(reference))
    if isinstance(value, sympy.Set):
        return value == parse_intervals(reference)
    return equal(value, parse_number(reference))


# --- Running ------------------------------------------------------------------------------


def load_checks(path):
    """Import a module of checks under a name that hides no module of the standard library."""
    spec = importlib.util.spec_from_file_location(f"sample_checks_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_references(path):
    """The references of a sample file by question number."""
    references = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            problem = json.loads(line)
            number = problem["question_number"]
            if number in references:
                raise SystemExit(f"{path}: {number} occurs twice")
            references[number] = problem["answer"]
    return references


def failure(number, reference, checks, compare):
    """What is wrong with one reference, or None."""
    try:
        if number in compare:
            return None if compare[number](reference) else f"comparison rejects {reference!r}"
        value = checks[number]() if callable(checks[number]) else checks[number]
        return None if agrees(value, reference) else f"computed {value}, reference {reference!r}"
    except Exception as error:  # One broken check must not hide the results of the others.
        return f"{type(error).__name__}: {error} (reference {reference!r})"


def verify_set(checks_path, sample_path):
    """Check one set, print its lines and return whether everything agrees."""
    name = checks_path.stem
    if not sample_path.is_file():
        print(f"{name}: no file {sample_path}")
        return False
    module = load_checks(checks_path)
    checks, compare = module.CHECKS, getattr(module, "COMPARE", {})
    references = load_references(sample_path)

    checked = [number for number in references if number in checks or number in compare]
    problems = {}
    for number in checked:
        message = failure(number, references[number], checks, compare)
        if message:
            problems[number] = message
    unchecked = [number for number in references if number not in checked]
    unknown = sorted(({*checks} | {*compare}) - {*references})

    print(f"{name}: checked {len(checked)}, total {len(references)}, failed {len(problems)}")
    if unchecked:
        print(f"  unchecked: {', '.join(unchecked)}")
    if unknown:
        print(f"  not in the sample file: {', '.join(unknown)}")
    for number, message in problems.items():
        print(f"  {number}: {message}")
    return not problems and not unknown


def main():
    parser = argparse.ArgumentParser(description="Recompute the answers of the sample problems.")
    parser.add_argument("sets", nargs="*", metavar="SET", help="sets to check (default: all)")
    parser.add_argument("--datasets", type=Path, default=REPOSITORY / "datasets", metavar="DIR")
    parser.add_argument("--checks", type=Path, default=TOOL_DIR / "checks", metavar="DIR")
    arguments = parser.parse_args()

    modules = {path.stem: path for path in sorted(arguments.checks.glob("*.py"))}
    missing = [name for name in arguments.sets if name not in modules]
    if missing:
        parser.error(f"no checks for {', '.join(missing)}; there are: {', '.join(modules)}")

    results = [
        verify_set(path, arguments.datasets / name / "sample.jsonl")
        for name, path in modules.items()
        if not arguments.sets or name in arguments.sets
    ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
