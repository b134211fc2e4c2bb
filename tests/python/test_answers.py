"""What other programs hand over, and the rewards that import none of them."""

import inspect
import math
import pickle

import pytest

from mwpbench import Scorer
from mwpbench._answers import answer_in, completion_text, references
from mwpbench.trl import Reward, accuracy_reward
from mwpbench.verl import compute_score


def chat(text):
    return [{"role": "assistant", "content": text}]


@pytest.mark.parametrize(
    "reference, answer",
    [
        ("18", "18"),
        (" \\frac{1}{2} ", " \\frac{1}{2} "),
        ("no real solutions", "no real solutions"),
        ("(1, 2, 3), (2, 3, 4), (3, 4, 5), (4, 5, 6), (5, 6, 7)",) * 2,
        ("She has 3 + 15 = 18 eggs.\n#### 18",) * 2,
        ("We add both sides and so get, after some work, $x = \\boxed{7}$ as was wanted.",) * 2,
        ("The answer is 18.", "18"),
        ("First we add the two of them and then we halve what we have got. The answer is 4.", "4"),
        (18, "18"),
        (0.5, "0.5"),
        (None, None),
        ("", None),
        ("  \n", None),
        (math.nan, None),
        (True, None),
        ("Nothing that anybody could say about this would ever be of any use to them, I fear.", None),
        ("We halve the 12 eggs and then add the 3 that were left over from the day before that.", None),
        ("####", None),
    ],
)
def test_answers_of_references(reference, answer):
    assert answer_in(reference) == answer


def test_a_reference_may_be_one_of_several():
    assert references(["1", None, "", 2]) == ["1", "2"]
    assert references("12") == ["12"] and references(12) == ["12"] and references(None) == []


def test_texts_of_completions():
    parts = [{"type": "image"}, {"type": "text", "text": "It is "}, {"type": "text", "text": "5."}]
    assert completion_text("It is 5.") == "It is 5."
    assert completion_text(chat("It is 5.")) == "It is 5."
    assert completion_text(chat(parts)) == "It is 5."
    assert completion_text([*chat("Let me see."), {"role": "tool", "content": "7"}, *chat("5.")]) == "5."
    assert completion_text({"role": "assistant", "content": "It is 5."}) == "It is 5."
    assert [completion_text(none) for none in (None, [], chat(None), [{"role": "user"}])] == [""] * 4


def test_rewards_of_texts_and_conversations():
    texts = ["It is \\boxed{0.5}.", "It is 0.6.", "I do not know.", "It is 1."]
    solution = ["\\frac{1}{2}", "\\frac{1}{2}", "\\frac{1}{2}", ""]
    expected = [1.0, 0.0, 0.0, None]
    assert accuracy_reward(texts, solution=solution) == expected
    assert accuracy_reward([chat(text) for text in texts], solution=solution) == expected
    assert accuracy_reward(completions=texts, prompts=["?"] * 4, answer=solution, other=[1] * 4) == expected
    assert accuracy_reward.__name__ == "accuracy_reward"


def test_rewards_as_one_wants_them():
    reward = Reward("gold", correct=2, wrong=-1, no_answer=-2, scorer=Scorer("official"), name="mine")
    columns = {"gold": ["18", "18", "18", None]}
    texts = ["It is 18.", "It is 19.", "Who knows?", "It is 18."]
    assert reward(texts, **columns) == [2.0, -1.0, -2.0, None]
    assert pickle.loads(pickle.dumps(reward))(texts, **columns) == [2.0, -1.0, -2.0, None]
    assert reward.__name__ == "mine"
    asked = Reward(question="question")
    question = ["Give the roots from greatest to least."]
    assert asked(["It is 3, 5."], answer=["5, 3"], question=question) == [0.0]
    assert asked(["It is 3, 5."], answer=["5, 3"], question=[None]) == [1.0]


def test_rewards_say_what_they_miss():
    with pytest.raises(ValueError, match="no column solution or answer.*there are: gold"):
        accuracy_reward(["1"], gold=["1"])
    with pytest.raises(ValueError, match="no column gold"):
        Reward("gold")(["1"], answer=["1"])
    with pytest.raises(ValueError, match="no column of questions 'asked'"):
        Reward(question="asked")(["1"], answer=["1"])
    with pytest.raises(ValueError, match="as many references as completions, not 2 and 1"):
        accuracy_reward(["1"], answer=["1", "2"])


def test_rewards_log_what_they_found():
    logged = {}
    accuracy_reward(["It is 1.", "2"], answer=["1", None], log_extra=logged.__setitem__)
    assert logged == {
        "reference": ["1", None],
        "answer": ["1", "[no reference]"],
        "verdict": ["correct", "[no reference]"],
    }


def test_scores_for_verl():
    names = list(inspect.signature(compute_score).parameters)
    assert names[:4] == ["data_source", "solution_str", "ground_truth", "extra_info"]
    score = compute_score("openai/gsm8k", "So it is 36 / 2 = 18.\n#### 18", "18", {"index": 3})
    assert score == 1.0 and type(score) is float
    call = dict(data_source="x", solution_str="It is 19.", ground_truth="18", extra_info=None)
    assert compute_score(**call) == 0.0
    assert compute_score(**{**call, "ground_truth": ["20", "19"]}) == 1.0
    assert compute_score(**{**call, "ground_truth": None}) == 0.0
    assert compute_score(**{**call, "ground_truth": 19}, reward_router_address="a") == 1.0
    asked = {"question": "Give the roots from greatest to least."}
    assert compute_score("x", "It is 3, 5.", "5, 3", asked) == 0.0
    assert compute_score("x", "It is 3, 5.", "5, 3", {"question": None}) == 1.0
