"""Math-Verify's interface, judged by the strict scorer.

    from mwpbench.math_verify import parse, verify   # was: from math_verify import parse, verify

    verify(parse(r"$\\frac{1}{2}$"), parse("The answer is 0.5"))

Signatures and the order of arguments are Math-Verify's (0.9): the reference comes first. What
differs stands in a table in `docs/python.md`; the two that matter: nothing uses signals, so that
all of it works in threads, and what is parsed is texts and no sympy expressions.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable, Optional, Union

from ._answers import answer_in
from ._mwpbench import Scorer

__all__ = [
    "ExprExtractionConfig",
    "LatexExtractionConfig",
    "LatexNormalizationConfig",
    "Parsed",
    "StringExtractionConfig",
    "math_metric",
    "parse",
    "verify",
]

_STRICT = Scorer()
# A text of so few words may be an answer in words.
_FEW_WORDS = 3


class LatexNormalizationConfig:
    """Taken and passed over: how texts are read is the scorer's business."""

    def __init__(self, **settings: Any) -> None:
        self.__dict__.update(settings)


@dataclass(frozen=True)
class LatexExtractionConfig:
    """Taken and passed over: where the answer is found is the scorer's business."""

    try_extract_without_anchor: bool = True
    boxed_match_priority: int = 50
    normalization_config: Any = None


@dataclass(frozen=True)
class ExprExtractionConfig:
    """Taken and passed over: where the answer is found is the scorer's business."""

    try_extract_without_anchor: bool = True


@dataclass(frozen=True)
class StringExtractionConfig:
    """Where it is the only one, an option letter is looked for."""

    strings: tuple[str, ...] = field(default_factory=lambda: ("A", "B", "C", "D"))
    try_extract_without_anchor: bool = True
    lowercase: bool = True


_Config = Union[LatexExtractionConfig, ExprExtractionConfig, StringExtractionConfig]


class Parsed(list):  # type: ignore[type-arg]
    """What `parse` found: the answer twice, where Math-Verify has a sympy expression and its text;
    nothing where there is no answer. `text` is what was parsed."""

    def __init__(self, text: str, answer: Optional[str]) -> None:
        super().__init__([] if answer is None else [answer, answer])
        self.text = text

    def __reduce__(self) -> tuple[Any, ...]:
        return (Parsed, (self.text, self[0] if self else None))


def parse(
    pred: str,
    extraction_config: Sequence[Any] = (LatexExtractionConfig(), ExprExtractionConfig()),
    fallback_mode: str = "first_match",
    extraction_mode: str = "any_match",
    parsing_timeout: Optional[int] = 5,
    raise_on_error: bool = False,
) -> Parsed:
    """The answer in a text: a list that is empty where there is none, to be handed to `verify`.

    All arguments but the first two are taken and passed over. Raises TypeError for what is no str.
    """
    configs = list(extraction_config)
    letters = bool(configs) and all(hasattr(config, "strings") for config in configs)
    answer = _STRICT.extract(pred, "A" if letters else None)
    few = pred.strip() if len(pred.split()) <= _FEW_WORDS else ""
    return Parsed(pred, answer or few or None)


def verify(
    gold: Any,
    target: Any,
    float_rounding: int = 6,
    numeric_precision: int = 15,
    strict: bool = True,
    allow_set_relation_comp: bool = False,
    timeout_seconds: Optional[int] = 5,
    raise_on_error: bool = False,
) -> bool:
    """Whether the target gives the answer of the gold, or of one of several.

    Both are what `parse` gave, or texts, numbers or sympy expressions, or lists of these. All other
    arguments are taken and passed over.
    """
    golds, targets = _sides(gold), _sides(target)
    return any(_equal(one, other) for one in golds for other in targets)


def _sides(side: Any) -> list[Any]:
    if isinstance(side, Parsed):
        return [side] if side else []
    if isinstance(side, (str, bytes)) or not isinstance(side, Iterable):
        return [side]
    if not isinstance(side, (list, tuple)):
        return [side]  # such as a matrix of sympy
    return [part for inner in side for part in _sides(inner)]


def _equal(gold: Any, target: Any) -> bool:
    reference = gold.text if isinstance(gold, Parsed) else _text(gold)
    if isinstance(target, Parsed):
        return bool(_STRICT.verify(answer_in(reference) or reference, target.text))
    if isinstance(gold, Parsed):
        reference = gold[0]
    return _STRICT.equal(_text(target), reference)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    # What is a sympy expression can only be one where sympy was imported.
    sympy = sys.modules.get("sympy")
    if sympy is not None and isinstance(value, (sympy.Basic, sympy.MatrixBase)):
        return str(sympy.latex(value))
    return str(value)


def math_metric(
    gold_extraction_target: Sequence[Any] = (ExprExtractionConfig(),),
    pred_extraction_target: Sequence[Any] = (ExprExtractionConfig(),),
    aggregation_function: Callable[[list[float]], float] = max,
    precision: int = 6,
) -> Callable[[list[str], list[str]], tuple[float, Optional[tuple[list[str], list[str]]]]]:
    """A metric over golds and predictions, as Math-Verify makes one: a score from 0 to 1, and the
    answers of both."""

    def metric(
        golds: list[str], predictions: list[str]
    ) -> tuple[float, Optional[tuple[list[str], list[str]]]]:
        expected = [parse(gold, gold_extraction_target) for gold in golds]
        given = [parse(prediction, pred_extraction_target) for prediction in predictions]
        if not all(expected):
            raise ValueError(f"no answer was found in at least one gold: {golds}")
        scores = [float(any(verify(gold, one) for gold in expected)) for one in given]
        answers = ([str(gold[0]) for gold in expected], [str(one[0]) for one in given if one])
        return aggregation_function(scores), answers

    return metric
