"""An evaluation of inspect-ai with its mock model, its own log read back."""

import pytest
from conftest import needs

needs("inspect_ai")

from inspect_ai import Task, eval  # noqa: E402
from inspect_ai.dataset import Sample  # noqa: E402
from inspect_ai.log import read_eval_log  # noqa: E402
from inspect_ai.model import ModelOutput, get_model  # noqa: E402
from inspect_ai.scorer import Target  # noqa: E402, F401

import mwpbench  # noqa: E402
from mwpbench.inspect import official, strict  # noqa: E402



@pytest.fixture(autouse=True)
def bytes_as_tokens(monkeypatch):
    """The mock model counts tokens with a vocabulary from the network; bytes will do."""
    import tiktoken

    ranks = {bytes([byte]): byte for byte in range(256)}
    encoding = tiktoken.Encoding("bytes", pat_str=".", mergeable_ranks=ranks, special_tokens={})
    monkeypatch.setitem(tiktoken.registry.ENCODINGS, "o200k_base", encoding)


SAMPLES = [
    ("What is half of 1.5?", "\\frac{3}{4}", "The answer is 0.75.", "C"),
    ("What is half of 2?", "1", "The answer is 2.", "I"),
    ("What is half of 3?", ["2", "1.5"], "It is \\boxed{\\frac32}.", "C"),
    ("What is half of 4?", "2", "", "N"),
    ("Give 5 and 3 from greatest to least.", "5, 3", "The answer is 3, 5.", "I"),
]


def evaluated(scorer, folder, answers=None):
    outputs = [ModelOutput.from_content("mockllm/model", said) for *_, said, _ in answers or SAMPLES]
    samples = [Sample(input=asked, target=target) for asked, target, *_ in answers or SAMPLES]
    [log] = eval(
        Task(dataset=samples, scorer=scorer),
        model=get_model("mockllm/model", custom_outputs=outputs),
        log_dir=str(folder),
        display="none",
        max_samples=1,
        max_connections=1,
    )
    return read_eval_log(log.location)


def test_its_own_log_carries_our_scores(tmp_path):
    log = evaluated(strict(), tmp_path)
    assert log.status == "success", log.error
    scores = [sample.scores["strict"] for sample in log.samples]
    assert [score.value for score in scores] == [value for *_, value in SAMPLES]
    assert scores[0].answer == "0.75" and scores[3].answer is None
    assert "equal/rational" in scores[0].explanation
    assert scores[0].metadata["verdict"] == "correct"
    assert scores[0].metadata["scorer_version"] == mwpbench.scorer_version
    [result] = log.results.scores
    assert result.scorer == "strict"
    assert result.metrics["accuracy"].value == pytest.approx(2 / 5)


def test_profiles_questions_and_the_published_scorer(tmp_path):
    log = evaluated(official(), tmp_path / "official")
    assert [sample.scores["official"].value for sample in log.samples][:2] == ["I", "I"]
    log = evaluated(strict(question=False), tmp_path / "unasked")
    assert [sample.scores["strict"].value for sample in log.samples] == list("CICNC")
    log = evaluated(strict(profile="exact"), tmp_path / "exact")


def test_a_target_without_an_answer_is_an_error_of_the_data(tmp_path):
    log = evaluated(strict(), tmp_path, [("?", "", "The answer is 2.", "I")])
    assert log.status == "error" and "holds no answer" in log.error.message


def test_a_command_finds_the_scorer_by_its_name(tmp_path):
    import subprocess
    import sys

    log = evaluated(strict(), tmp_path)
    tool = [sys.executable, "-m", "inspect_ai._cli.main"]
    arguments = ["score", log.location, "--scorer", "mwpbench/official", "--overwrite", "--display", "none"]
    done = subprocess.run([*tool, *arguments, "--action", "overwrite"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    names = [score.scorer for score in read_eval_log(log.location).results.scores]
    assert names == ["official"]
