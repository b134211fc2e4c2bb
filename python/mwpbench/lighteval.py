"""A metric for tasks of lighteval.

    from mwpbench.lighteval import strict_accuracy

    LightevalTaskConfig(…, metrics=[strict_accuracy()])

The references are the document's gold choices, the question its query where `question` says so.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from lighteval.metrics.metrics_sample import SampleLevelComputation
from lighteval.metrics.utils.metric_utils import SampleLevelMetric
from lighteval.tasks.requests import SamplingMethod

from ._answers import best, references
from ._mwpbench import Scorer

__all__ = ["StrictAccuracy", "strict_accuracy"]


class StrictAccuracy(SampleLevelComputation):
    """The share of a document's responses that give one of its gold answers.

    scorer: "strict", "official" or a Scorer. question: whether the document's query is heard as the
    question.
    """

    def __init__(self, scorer: Any = "strict", question: bool = False) -> None:
        self.scorer = scorer if isinstance(scorer, Scorer) else Scorer(scorer)
        self.question = question

    def compute(self, doc: Any, model_response: Any, **kwargs: Any) -> float:
        """From 0 to 1; 0 where there is no response."""
        expected = references(doc.get_golds())
        asked = doc.query if self.question else None
        right = [
            bool(best(self.scorer, expected, text or "", asked))
            for text in model_response.final_text
        ]
        return sum(right) / len(right) if right else 0.0


def strict_accuracy(
    name: str = "mwpbench", scorer: Any = "strict", question: bool = False
) -> SampleLevelMetric:
    """The metric, under this name in the results."""
    return SampleLevelMetric(
        metric_name=name,
        higher_is_better=True,
        category=SamplingMethod.GENERATIVE,
        sample_level_fn=StrictAccuracy(scorer, question),
        corpus_level_fn=np.mean,
    )
