"""Rewards for TRL's trainers (GRPO, RLOO and others that take reward functions).

    from mwpbench.trl import accuracy_reward

    trainer = GRPOTrainer(model=…, reward_funcs=accuracy_reward, train_dataset=…)

The data set's column of references is `solution` or `answer`; `Reward(column=…)` takes another one.
Nothing of TRL is imported: the trainers call whatever has their signature.
"""

from __future__ import annotations

from typing import Any, Callable, Optional

from ._answers import answer_in, completion_text
from ._mwpbench import Scorer

__all__ = ["Reward", "accuracy_reward"]

# What data sets call their references, the first that is there.
COLUMNS = ("solution", "answer", "reference", "ground_truth", "target")


class Reward:
    """A reward function: `correct` where the completion gives the reference's answer, else `wrong`.

    column: the data set's column of references; the first of solution, answer, reference,
    ground_truth and target where it is None. question: the column of questions, which may demand an
    order or a rounding; none is used where it is None. no_answer: the reward of a completion that
    gives no answer, that of a wrong one where it is None. scorer: "strict", "official" or a Scorer.

    It can be pickled, so that trainers can hand it to other processes.
    """

    def __init__(
        self,
        column: Optional[str] = None,
        *,
        question: Optional[str] = None,
        scorer: Any = "strict",
        correct: float = 1.0,
        wrong: float = 0.0,
        no_answer: Optional[float] = None,
        name: str = "mwpbench_reward",
    ) -> None:
        self.column = column
        self.question = question
        self.scorer = scorer if isinstance(scorer, Scorer) else Scorer(scorer)
        self.correct = float(correct)
        self.wrong = float(wrong)
        self.no_answer = self.wrong if no_answer is None else float(no_answer)
        # Trainers log a function under its name.
        self.__name__ = name

    def __call__(
        self,
        completions: list[Any],
        prompts: Optional[list[Any]] = None,
        log_extra: Optional[Callable[[str, list[Any]], None]] = None,
        **columns: Any,
    ) -> list[Optional[float]]:
        """One reward a completion; None where the reference holds no answer, for the trainer to
        pass over."""
        references = [answer_in(reference) for reference in self._references(columns)]
        texts = [completion_text(completion) for completion in completions]
        if len(references) != len(texts):
            raise ValueError(
                f"there must be as many references as completions, not {len(references)} and "
                f"{len(texts)}"
            )
        questions = self._questions(columns, len(texts))
        judged = [number for number, reference in enumerate(references) if reference is not None]
        verdicts = self.scorer.verify_batch(
            [reference for reference in references if reference is not None],
            [texts[number] for number in judged],
            questions=[questions[number] for number in judged],
        )
        by_number = dict(zip(judged, verdicts))
        if log_extra is not None:
            log_extra("reference", references)
            log_extra("answer", [_of(by_number.get(n), "answer") for n in range(len(texts))])
            log_extra("verdict", [_of(by_number.get(n), "verdict") for n in range(len(texts))])
        return [self._reward(by_number.get(number)) for number in range(len(texts))]

    def _references(self, columns: dict[str, Any]) -> list[Any]:
        wanted = COLUMNS if self.column is None else (self.column,)
        for name in wanted:
            if columns.get(name) is not None:
                return list(columns[name])
        there = ", ".join(sorted(columns)) or "none"
        raise ValueError(
            f"the data set has no column {' or '.join(wanted)} (there are: {there}): name the "
            "column of references, as in Reward(column=\"final_answer\")"
        )

    def _questions(self, columns: dict[str, Any], count: int) -> list[Optional[str]]:
        if self.question is None:
            return [None] * count
        if columns.get(self.question) is None:
            raise ValueError(f"the data set has no column of questions {self.question!r}")
        return [completion_text(question) or None for question in columns[self.question]]

    def _reward(self, verdict: Any) -> Optional[float]:
        if verdict is None:
            return None
        if verdict:
            return self.correct
        return self.wrong if verdict.answer is not None else self.no_answer


def _of(verdict: Any, name: str) -> str:
    return str(getattr(verdict, name)) if verdict is not None else "[no reference]"


_accuracy = Reward(name="accuracy_reward")


def accuracy_reward(completions: list[Any], **kwargs: Any) -> list[Optional[float]]:
    """1.0 where a completion gives the answer of its reference (`solution`, else `answer`), 0.0
    where it does not, None where the reference holds no answer."""
    return _accuracy(completions, **kwargs)
