from os import PathLike
from typing import Iterable, List, Literal, Optional, Sequence, Tuple, Union

__version__: str

scorer_version: int
"""The version of both scorers: it changes whenever a verdict does."""

_Profile = Union[str, "PathLike[str]"]

class Verdict:
    """What a scorer says of one completion; true where the answer is right.

    Two verdicts are equal where everything that they say is. A verdict can be pickled, with the
    texts that it is about.
    """

    @property
    def verdict(self) -> Literal["correct", "wrong", "no_answer", "truncated"]:
        """"correct", "wrong" (an answer that does not equal the reference), "no_answer" or
        "truncated" (thoughts that are never closed)."""
    @property
    def correct(self) -> bool:
        """Whether the answer equals the reference."""
    @property
    def answer(self) -> Optional[str]:
        """The answer as found in the completion; None where there is none."""
    @property
    def span(self) -> Optional[Tuple[int, int]]:
        """Where the answer was found: completion[span[0]:span[1]]. None where there is no answer,
        or it is put together from several places, and for the official scorer."""
    @property
    def trace(self) -> Tuple[str, ...]:
        """Ids of the rules that decided, in order."""
    def explain(self) -> str:
        """The account of the judgement: what was found and read, and the rules that decided with
        what they are for. The completion is judged once more for it."""
    def __bool__(self) -> bool: ...
    def __float__(self) -> float: ...
    def __int__(self) -> int: ...
    def __eq__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...

class Scorer:
    """A scorer with its profile, read once and used for any number of answers, from any thread."""

    def __init__(
        self,
        scorer: Literal["strict", "official"] = "strict",
        profile: Optional[_Profile] = None,
    ) -> None: ...
    @property
    def name(self) -> Literal["strict", "official"]:
        """"strict" or "official"."""
    @property
    def profile(self) -> Optional[str]:
        """The profile's name, or the path of its file; None for the official scorer."""
    def verify(
        self, reference: str, completion: str, *, question: Optional[str] = None
    ) -> Verdict:
        """Judges a completion against a reference; see mwpbench.verify."""
    def verify_batch(
        self,
        references: Iterable[str],
        completions: Iterable[str],
        *,
        questions: Optional[Iterable[Optional[str]]] = None,
        threads: Optional[int] = None,
    ) -> List[Verdict]:
        """Judges many completions on threads; see mwpbench.verify_batch."""
    def extract(self, completion: str, reference: Optional[str] = None) -> Optional[str]:
        """The answer that a completion gives; see mwpbench.extract."""
    def equal(self, a: str, b: str) -> bool:
        """Whether two answers denote the same; see mwpbench.equal."""

_Scorer = Union[Literal["strict", "official"], Scorer]

def verify(
    reference: str,
    completion: str,
    *,
    question: Optional[str] = None,
    scorer: _Scorer = "strict",
    profile: Optional[_Profile] = None,
) -> Verdict:
    """Judges a completion against a reference.

    Returns a Verdict, which is true where the answer is right. Raises TypeError for what is no str.
    """

def verify_batch(
    references: Iterable[str],
    completions: Iterable[str],
    *,
    questions: Optional[Iterable[Optional[str]]] = None,
    scorer: _Scorer = "strict",
    profile: Optional[_Profile] = None,
    threads: Optional[int] = None,
) -> List[Verdict]:
    """Judges many completions, each against the reference in its place, on threads.

    Raises TypeError with the position of what is no str, such as references[3], and ValueError for
    sequences of different lengths.
    """

def extract(completion: str, reference: Optional[str] = None) -> Optional[str]:
    """The answer that a completion gives, as the strict scorer finds it; None where it gives
    none."""

def equal(a: str, b: str) -> bool:
    """Whether two answers denote the same, by the strict scorer."""

def official(reference: str, completion: str) -> Verdict:
    """Judges a completion as the published scorer of MwpBench does."""

def _judge_prediction(
    reference: str,
    prediction: str,
    *,
    question: Optional[str] = None,
    scorer: _Scorer = "strict",
    profile: Optional[_Profile] = None,
) -> Verdict: ...
def _final_answer(solution: str) -> Optional[Tuple[str, str]]: ...
def _panic() -> None: ...
def _before_fork() -> None: ...
def _after_fork_in_parent() -> None: ...
def _after_fork_in_child() -> None: ...
def _run_command(arguments: Sequence[str]) -> None: ...
