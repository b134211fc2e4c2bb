"""Math-Verify's interface, and Math-Verify itself beside it."""

import inspect
import pickle
import threading

import pytest
from conftest import needs

from mwpbench.math_verify import (
    ExprExtractionConfig,
    LatexExtractionConfig,
    LatexNormalizationConfig,
    StringExtractionConfig,
    math_metric,
    parse,
    verify,
)


def test_the_three_lines_of_its_manual():
    gold = parse("${1,3} \\cup {2,4}$")
    answer = parse("${1,2,3,4}$")
    assert gold and answer
    assert verify(parse("$\\frac{1}{2}$"), parse("So the answer is \\boxed{0.5}."))
    assert not verify(parse("$\\frac{1}{2}$"), parse("So the answer is \\boxed{0.6}."))


def test_what_is_parsed_is_a_list_that_may_be_empty():
    assert parse("The answer is 0.5.") == ["0.5", "0.5"]
    assert parse("no solution") == ["no solution"] * 2
    assert parse("I really could not say anything at all about that.") == []
    assert parse("") == [] and not verify(parse(""), parse("")) and not verify([], [])
    assert not verify(parse("5"), parse("")) and not verify(parse(""), parse("5"))
    again = pickle.loads(pickle.dumps(parse("The answer is 0.5.")))
    assert verify(parse("1/2"), again) and again == ["0.5", "0.5"]


def test_sides_may_be_texts_numbers_and_lists():
    assert verify("1/2", "0.5") and verify(0.5, parse("It is 1/2.")) and verify(parse("1/2"), 0.5)
    assert verify(["3", "1/2"], "0.5") and not verify(["3", "4"], "0.5")
    assert verify([parse("3"), parse("1/2")], parse("0.5"))


def test_every_argument_is_taken():
    configs = [
        LatexExtractionConfig(
            boxed_match_priority=0,
            try_extract_without_anchor=False,
            normalization_config=LatexNormalizationConfig(units=True),
        ),
        ExprExtractionConfig(),
    ]
    parsed = parse(
        "\\boxed{12}",
        extraction_config=configs,
        extraction_mode="first_match",
        fallback_mode="no_fallback",
        parsing_timeout=None,
        raise_on_error=True,
    )
    settings = dict(float_rounding=6, numeric_precision=15, strict=True, timeout_seconds=None)
    assert verify(parsed, parsed, allow_set_relation_comp=False, raise_on_error=False, **settings)


def test_letters_are_looked_for_where_they_are_asked_for():
    letters = [StringExtractionConfig()]
    gold, answer = parse("B", letters), parse("I think that (B) is right. The answer is B.", letters)
    assert answer[0] == "B" and verify(gold, answer)
    assert not verify(parse("C", letters), answer)


def test_a_metric():
    metric = math_metric((LatexExtractionConfig(),), (ExprExtractionConfig(),))
    assert metric(["$\\frac{1}{2}$"], ["It is 0.4.", "It is 0.5."]) == (1.0, (["$\\frac{1}{2}$"], ["0.4", "0.5"]))
    assert metric(["2"], ["It is 0.4."])[0] == 0.0
    with pytest.raises(ValueError, match="gold"):
        metric([""], ["1"])


def test_it_works_in_threads():
    said = []
    pair = ("$\\frac{1}{2}$", "The answer is 0.5.")
    thread = threading.Thread(target=lambda: said.append(verify(parse(pair[0]), parse(pair[1]))))
    thread.start()
    thread.join()
    assert said == [True]


def test_a_wrong_type_is_a_type_error():
    with pytest.raises(TypeError):
        parse(None)


class TestBesideMathVerify:
    """The package itself, version 0.9."""

    @pytest.fixture(autouse=True)
    def package(self):
        needs("math_verify")

    @pytest.mark.parametrize("name", ["parse", "verify", "math_metric"])
    def test_signatures_are_its_own(self, name):
        import math_verify

        import mwpbench.math_verify

        theirs, ours = (
            inspect.signature(getattr(module, name)) for module in (math_verify, mwpbench.math_verify)
        )
        assert list(ours.parameters) == list(theirs.parameters)
        for parameter in theirs.parameters.values():
            mine = ours.parameters[parameter.name]
            assert mine.kind == parameter.kind
            if name == "verify" or isinstance(parameter.default, (str, int, bool)):
                assert mine.default == parameter.default, parameter.name

    @pytest.mark.parametrize(
        "name", ["LatexExtractionConfig", "ExprExtractionConfig", "StringExtractionConfig"]
    )
    def test_configurations_have_its_fields(self, name):
        import dataclasses

        import math_verify

        import mwpbench.math_verify

        fields = [
            [field.name for field in dataclasses.fields(getattr(module, name))]
            for module in (math_verify, mwpbench.math_verify)
        ]
        assert fields[0] == fields[1]

    def test_sympy_expressions_and_its_configurations_are_taken(self):
        import sympy
        from math_verify import LatexExtractionConfig as Theirs

        x = sympy.Symbol("x")
        assert verify(sympy.Rational(1, 2), parse("It is 0.5.", [Theirs(boxed_match_priority=0)]))
        assert verify(sympy.sqrt(x) / 2, "\\frac{\\sqrt{x}}{2}")
        assert verify([sympy.Rational(1, 2), "0.5"], parse("It is 1/2."))
        assert not verify(x + 1, "x + 2")
        assert verify(sympy.Matrix([[1, 2], [3, 4]]), "\\begin{pmatrix}1 & 2\\\\3 & 4\\end{pmatrix}")

    def test_the_same_pairs_through_both(self, labelled, capsys):
        import logging

        import math_verify

        logging.disable(logging.CRITICAL)
        rows = labelled[:: max(1, len(labelled) // 300)]
        same = ours_right = theirs_right = 0
        for reference, completion, label in rows:
            gold = "$" + reference.strip("$") + "$"
            try:
                theirs = math_verify.verify(math_verify.parse(gold), math_verify.parse(completion))
            except Exception:  # noqa: BLE001 - whatever it raises counts as "not equal"
                theirs = False
            ours = verify(parse(gold), parse(completion))
            assert isinstance(ours, bool)
            same += ours == theirs
            ours_right += ours == label
            theirs_right += theirs == label
        logging.disable(logging.NOTSET)
        with capsys.disabled():
            print(
                f"\n{len(rows)} pairs through both: {same} agree; with the labels ours "
                f"{ours_right}, Math-Verify {theirs_right}"
            )
        assert ours_right / len(rows) > 0.97 and ours_right > theirs_right
        assert same / len(rows) > 0.6
