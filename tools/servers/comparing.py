"""Two runs of `mwpbench eval`, problem by problem."""

import collections
import math

FIRST_BLANK = "one blank at the start"
SHOWN = 5
LOGPROB_TOLERANCE = 0.01


def why(ours, theirs):
    """What kind of difference there is between two records of completions; None where there is none."""
    if theirs is None:
        return "missing"
    if theirs["finish_reason"] == "error":
        return "failed: " + str(theirs.get("error"))
    mine, other = ours["completion"], theirs["completion"]
    if mine == other or " " + mine == other:
        if ours["finish_reason"] != theirs["finish_reason"]:
            return f"ends by {theirs['finish_reason']} and not {ours['finish_reason']}"
        return None
    if mine.strip() == other.strip():
        return "blanks at an end"
    if mine.startswith(other) or other.startswith(mine):
        return "one is the start of the other"
    return "other words"


def parting(ours, theirs):
    """The words around where two texts part."""
    at = next((index for index, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
    return {"at": at, "ours": ours[max(0, at - 30):at + 30], "theirs": theirs[max(0, at - 30):at + 30]}


def completions(ours, theirs):
    """Texts and ends: how many are equal, and of what kind the others are.

    Equal is also what differs in one blank at the start: most servers write the first new token as the middle of a text,
    transformers and our engine write the new tokens as a text of their own, which drops it.
    """
    kinds, examples = collections.Counter(), []
    for key, record in ours.items():
        other = theirs.get(key)
        kind = why(record, other)
        if kind is None:
            kinds[FIRST_BLANK] += record["completion"] != other["completion"]
            continue
        kinds[kind] += 1
        if len(examples) < SHOWN:
            found = parting(record["completion"], other["completion"]) if other else {}
            examples.append({"id": record["id"], "kind": kind, **found})
    blanks = kinds.pop(FIRST_BLANK, 0)
    equal = len(ours) - sum(kinds.values())
    return {"n": len(ours), "equal": equal, "first_blank": blanks, "differences": dict(kinds), "examples": examples}


def prompt_tokens(ours, theirs):
    """How many prompts the server reads as we do, and how many it counts."""
    counted = [key for key in ours if theirs.get(key, {}).get("prompt_tokens")]
    equal = sum(theirs[key]["prompt_tokens"] == ours[key]["prompt_tokens"] for key in counted)
    return {"counted": len(counted), "equal": equal}


def logprobs(ours, theirs):
    """Of how many items the log-probabilities are there, one a token; and, where both told them of equal texts, how far apart they are."""
    told = [key for key, record in theirs.items() if record.get("logprobs")]
    whole = sum(len(theirs[key]["logprobs"]) == theirs[key]["completion_tokens"] for key in told)
    farthest, near, both = 0.0, 0, 0
    for key in told:
        mine, other = ours[key].get("logprobs"), theirs[key]["logprobs"]
        if not mine or why(ours[key], theirs[key]):
            continue
        both += 1
        # A server may leave out the token that ends the text.
        apart = max((abs(a - b) for a, b in zip(mine, other)), default=0.0)
        near += apart <= LOGPROB_TOLERANCE and abs(len(mine) - len(other)) <= 1
        farthest = max(farthest, apart) if math.isfinite(apart) else math.inf
    return {"told": len(told), "one_a_token": whole, "compared": both, "near": near, "farthest": round(farthest, 6)}


def again(first, second):
    """How many texts a second run gives again."""
    same = sum(second.get(key, {}).get("completion") == record["completion"] for key, record in first.items())
    return {"n": len(first), "equal": same}
