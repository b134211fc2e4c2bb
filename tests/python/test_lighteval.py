"""The metric through lighteval's own classes."""

import pytest
from conftest import needs

needs("lighteval")

from lighteval.metrics import apply_metric  # noqa: E402
from lighteval.models.model_output import ModelResponse  # noqa: E402
from lighteval.tasks.requests import Doc  # noqa: E402

from mwpbench.lighteval import strict_accuracy  # noqa: E402


def doc(query, gold, index=0):
    choices = gold if isinstance(gold, list) else [gold]
    return Doc(query=query, choices=choices, gold_index=index, task_name="halves")


def test_its_own_evaluation_applies_the_metric():
    docs = [
        doc("What is half of 1?", "\\frac{1}{2}"),
        doc("What is half of 2?", "1"),
        doc("What is half of 3?", ["2", "1.5"], [0, 1]),
        doc("Give 5 and 3 from greatest to least.", "5, 3"),
    ]
    said = ["The answer is 0.5.", "The answer is 2.", "It is \\boxed{\\frac32}.", "It is 3, 5."]
    responses = [ModelResponse(text=[text]) for text in said]
    for question, expected in ((False, [1.0, 0.0, 1.0, 1.0]), (True, [1.0, 0.0, 1.0, 0.0])):
        metric = strict_accuracy(question=question)
        outputs = apply_metric(responses=responses, docs=docs, metrics=[metric])
        assert [output["mwpbench"] for output in outputs] == expected
        corpus = metric.get_corpus_aggregations()["mwpbench"]
        assert corpus(expected) == pytest.approx(sum(expected) / 4)


def test_several_responses_are_averaged_and_none_is_zero():
    compute = strict_accuracy().sample_level_fn.compute
    half = doc("What is half of 1?", "\\frac{1}{2}")
    assert compute(half, ModelResponse(text=["It is 0.5.", "It is 1."])) == 0.5
    assert compute(half, ModelResponse(text=[])) == 0.0
    assert strict_accuracy("mine", scorer="official").metric_name == "mine"
    assert str(strict_accuracy().sample_level_fn)
