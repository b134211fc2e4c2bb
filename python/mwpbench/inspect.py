"""Scorers for tasks of inspect-ai.

    from mwpbench.inspect import strict

    Task(dataset=…, solver=generate(), scorer=strict())
"""

from __future__ import annotations

from typing import Any, Optional

from inspect_ai.scorer import (
    CORRECT,
    INCORRECT,
    NOANSWER,
    Score,
    Target,
    accuracy,
    scorer,
    stderr,
)
from inspect_ai.scorer import Scorer as InspectScorer
from inspect_ai.solver import TaskState

from ._answers import answer_in, best
from ._mwpbench import Scorer, scorer_version

__all__ = ["official", "strict"]


@scorer(metrics=[accuracy(), stderr()])
def strict(profile: Optional[str] = None, question: bool = True) -> InspectScorer:
    """Whether the output gives the answer of the target, or of one of several.

    profile: a scoring profile's name, or the path of its file. question: whether the sample's input
    is heard as the question, which may demand an order or a rounding.
    """
    return _by(Scorer("strict", profile), question)


@scorer(metrics=[accuracy(), stderr()])
def official() -> InspectScorer:
    """As `strict`, by the published scorer of MwpBench."""
    return _by(Scorer("official"), False)


def _by(judge: Scorer, question: bool) -> InspectScorer:
    async def score(state: TaskState, target: Target) -> Score:
        expected = [text for text in map(answer_in, target) if text is not None]
        asked = state.input_text if question else None
        verdict = best(judge, expected, state.output.completion, asked)
        if verdict is None:
            raise ValueError(f"the target of sample {state.sample_id} holds no answer")
        values = {"correct": CORRECT, "no_answer": NOANSWER, "truncated": NOANSWER}
        details: dict[str, Any] = {
            "verdict": verdict.verdict,
            "trace": list(verdict.trace),
            "scorer": judge.name,
            "scorer_version": scorer_version,
        }
        return Score(
            value=values.get(verdict.verdict, INCORRECT),
            answer=verdict.answer,
            explanation=verdict.explain(),
            metadata=details,
        )

    return score
