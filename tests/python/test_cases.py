"""Every case of answer-normalizers through the module: the verdicts of the Rust tests."""

import pytest
from conftest import NORMALIZERS, cases, toml

import mwpbench
from mwpbench import _mwpbench

FILES = sorted(path.stem for path in (NORMALIZERS / "cases").glob("*.toml"))
RULES = sorted(
    path
    for folder in ("extractors", "profiles")
    for path in (NORMALIZERS / folder).glob("*.toml")
    if path.stem != "official"
)


def judged(name, case):
    settings = {"scorer": name.split("-")[0]}
    settings.update({key: case[key] for key in ("question", "profile") if key in case})
    if "completion" in case:
        return mwpbench.verify(case["reference"], case["completion"], **settings)
    return _mwpbench._judge_prediction(case["reference"], case["prediction"], **settings)


@pytest.mark.parametrize("file", FILES)
def test_verdicts_and_rules_of_every_case(file):
    all_cases = toml(NORMALIZERS / "cases" / f"{file}.toml")["case"]
    assert all_cases
    for case in all_cases:
        verdict = judged(file, case)
        assert bool(verdict) == verdict.correct == case["correct"], (case, verdict.trace)
        for rule in case.get("fires", []):
            assert rule in verdict.trace, (case, verdict.trace)
        for rule in case.get("silent", []):
            assert rule not in verdict.trace, (case, verdict.trace)


def test_a_batch_gives_the_verdicts_of_single_calls():
    for scorer in ("strict", "official"):
        plain = [
            case
            for _, case in cases(scorer)
            if "completion" in case and "profile" not in case
        ]
        assert len(plain) > 30
        batch = mwpbench.verify_batch(
            [case["reference"] for case in plain],
            tuple(case["completion"] for case in plain),
            questions=[case.get("question") for case in plain],
            scorer=scorer,
        )
        single = [
            mwpbench.verify(
                case["reference"], case["completion"], question=case.get("question"), scorer=scorer
            )
            for case in plain
        ]
        assert batch == single
        assert [bool(verdict) for verdict in batch] == [case["correct"] for case in plain]


@pytest.mark.parametrize("path", RULES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_is_extracted_in_every_case_of_a_rule(path):
    profile = path.stem if path.parent.name == "profiles" else "strict"
    scorer = mwpbench.Scorer(profile=profile)
    for case in toml(path).get("case", []):
        verdict = scorer.verify(case["reference"], case["completion"])
        rule = verdict.trace[0]
        assert verdict.answer == case.get("answer"), (case, verdict.trace)
        assert case.get("fires", rule) == rule, case
        assert case.get("silent") != rule, case


def test_the_cases_are_all_there():
    assert len(FILES) >= 24
    count = sum(1 for scorer in ("strict", "official") for _ in cases(scorer))
    assert count >= 600, count
