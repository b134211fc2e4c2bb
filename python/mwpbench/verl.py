"""The reward of verl (and of trainers that took over its interface).

    custom_reward_function.path=pkg://mwpbench.verl
    custom_reward_function.name=compute_score

Nothing of verl is imported. A file's path works as well, for versions that know no packages:
`python -c "import mwpbench.verl; print(mwpbench.verl.__file__)"`.
"""

from __future__ import annotations

from typing import Any, Optional

# By its full name: verl may load this file by its path.
from mwpbench._answers import best, completion_text, references
from mwpbench._mwpbench import Scorer

__all__ = ["compute_score"]

_STRICT = Scorer()


def compute_score(
    data_source: Any = None,
    solution_str: Any = "",
    ground_truth: Any = None,
    extra_info: Optional[dict[str, Any]] = None,
    **kwargs: Any,
) -> float:
    """1.0 where the response gives the answer of the ground truth, or of one of several; else 0.0.

    Where `extra_info` has the question (a text under "question"), it is heard. A ground truth
    without an answer is a mistake of the data: it scores 0.0, as verl wants a number. `data_source`
    and other arguments are passed over.
    """
    question = extra_info.get("question") if isinstance(extra_info, dict) else None
    verdict = best(
        _STRICT,
        references(ground_truth),
        completion_text(solution_str),
        question if isinstance(question, str) else None,
    )
    return 1.0 if verdict else 0.0
