"""What other programs hand over, as texts: references of any kind, completions as conversations."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Optional

from ._mwpbench import Scorer, Verdict, _final_answer, extract

# A reference with more words is a solution: its answer must be announced.
MAX_WORDS = 12
# No command of LaTeX, and no letter of a formula.
WORD = re.compile(r"(?<![\\A-Za-z])[^\W\d_]{2,}")
# Rules that take an answer of which nothing says that it is one.
UNANNOUNCED = ("extract/last", "extract/bold")


def reference_text(reference: Any) -> Optional[str]:
    """A reference as a text; None where there is none, and for what cannot be one.

    Data sets hold numbers too, and NaN where nothing is.
    """
    if reference is None or isinstance(reference, bool):
        return None
    if isinstance(reference, str):
        return reference
    try:
        if math.isnan(reference):
            return None
    except (TypeError, OverflowError):
        return None
    # `item` of numpy and torch: their numbers as Python's.
    return str(reference.item() if hasattr(reference, "item") else reference)


def answer_in(reference: Any) -> Optional[str]:
    """The answer of a reference, as a text; None where it holds none.

    An answer that is announced ("The answer is 5.") is taken out of what stands around it. What
    announces nothing is itself the answer, unless it has so many words that it must be a solution:
    the last number of one may be anything, and nothing can be judged by it.
    """
    text = reference_text(reference)
    if text is None or not text.strip():
        return None
    # The scorer itself finds these.
    if "boxed" in text or "####" in text:
        return text if extract(text) is not None else None
    found = _final_answer(text)
    if found is not None and not found[1].startswith(UNANNOUNCED):
        return found[0]
    return text if len(WORD.findall(text)) <= MAX_WORDS else None


def references(reference: Any) -> list[str]:
    """All references that hold an answer: one, or those of a list."""
    is_one = isinstance(reference, (str, bytes, Mapping)) or not isinstance(reference, Iterable)
    # An array without dimensions calls itself iterable, and is one number.
    if is_one or getattr(reference, "ndim", 1) == 0:
        reference = [reference]
    return [text for text in map(answer_in, reference) if text is not None]


def best(
    scorer: Scorer, all_references: Iterable[str], completion: str, question: Optional[str] = None
) -> Optional[Verdict]:
    """The verdict by the first reference that the completion answers, else by the first one; None
    without any."""
    first = None
    for reference in all_references:
        verdict = scorer.verify(reference, completion, question=question)
        if verdict:
            return verdict
        first = first or verdict
    return first


def completion_text(completion: Any) -> str:
    """A completion as a text: itself, or what the assistant said last in a conversation."""
    if completion is None:
        return ""
    if isinstance(completion, str):
        return completion
    if isinstance(completion, Mapping):
        return content_text(completion.get("content"))
    messages = [message for message in completion if isinstance(message, Mapping)]
    said = [message for message in messages if message.get("role", "assistant") == "assistant"]
    return content_text(said[-1].get("content")) if said else ""


def content_text(content: Any) -> str:
    """The content of a message: a text, or parts of which some are texts."""
    if content is None or isinstance(content, str):
        return content or ""
    parts = (part.get("text") for part in content if isinstance(part, Mapping))
    return "".join(part for part in parts if isinstance(part, str))
