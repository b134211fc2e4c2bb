"""A metric and a filter for tasks of lm-evaluation-harness.

In a task's YAML:

    process_results: !function mwpbench.lm_eval.process_results
    metric_list:
      - metric: mwpbench
        aggregation: mean
        higher_is_better: true

The reference is the document's `answer`, `target`, `solution` or `final_answer`, the question its
`question` or `problem`. Where yours are called otherwise, put `process_results =
results_by(reference="gold")` into a `utils.py` beside the YAML and name that.

The filter `mwpbench` gives the answer of each response, for the metrics of the harness itself:

    filter_list:
      - name: answer
        filter:
          - function: mwpbench
          - function: take_first

It is known once this module is imported, which `!function mwpbench.lm_eval.…` sees to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable, Optional

from lm_eval.api.filter import Filter
from lm_eval.api.registry import register_filter

from ._answers import best, completion_text, reference_text, references
from ._mwpbench import Scorer

__all__ = ["AnswerFilter", "process_results", "results_by"]

REFERENCES = ("answer", "target", "solution", "final_answer")
QUESTIONS = ("question", "problem")


def results_by(
    reference: Optional[str] = None,
    question: Optional[str] = None,
    *,
    scorer: Any = "strict",
    metric: str = "mwpbench",
) -> Callable[[Mapping[str, Any], Sequence[Any]], dict[str, float]]:
    """A `process_results` of one's own: by these fields of the documents, under this metric's name.

    scorer: "strict", "official" or a Scorer. With several responses to a document the metric is the
    share of right ones.
    """
    scorer = scorer if isinstance(scorer, Scorer) else Scorer(scorer)

    def process(doc: Mapping[str, Any], results: Sequence[Any]) -> dict[str, float]:
        wanted = REFERENCES if reference is None else (reference,)
        expected = references(_field(doc, wanted, needed=True))
        asked = _field(doc, QUESTIONS if question is None else (question,), needed=False)
        asked = asked if isinstance(asked, str) else None
        responses = [text for result in results for text in _texts(result)]
        right = [bool(best(scorer, expected, text, asked)) for text in responses]
        return {metric: sum(right) / len(right) if right else 0.0}

    return process


def _field(doc: Mapping[str, Any], names: Sequence[str], *, needed: bool) -> Any:
    for name in names:
        if doc.get(name) is not None:
            return doc[name]
    if needed:
        raise KeyError(
            f"the document has no field {' or '.join(names)} (it has {', '.join(doc)}): name the "
            "field of the reference, as in results_by(reference=\"gold\")"
        )
    return None


def _texts(result: Any) -> list[str]:
    # Without the filter `take_first` all responses of a document come as one list.
    is_list = isinstance(result, (list, tuple))
    return [completion_text(text) for text in result] if is_list else [completion_text(result)]


process_results = results_by()


@register_filter("mwpbench")
class AnswerFilter(Filter):
    """The answer of each response; `fallback` where there is none.

    reference: the documents' field with the reference, whose kind then steers what is looked for.
    """

    def __init__(self, reference: Optional[str] = None, fallback: str = "[invalid]") -> None:
        super().__init__()
        self.reference = reference
        self.fallback = fallback
        self.scorer = Scorer()

    def apply(
        self, resps: Iterable[Sequence[Any]], docs: Iterable[Mapping[str, Any]]
    ) -> list[list[str]]:
        """The answers, in the order of the responses."""
        return [
            [self._answer(response, doc) for response in responses]
            for responses, doc in zip(resps, docs)
        ]

    def _answer(self, response: Any, doc: Mapping[str, Any]) -> str:
        expected = reference_text(doc.get(self.reference)) if self.reference else None
        answer = self.scorer.extract(completion_text(response), expected)
        return self.fallback if answer is None else answer
