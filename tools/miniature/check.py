#!/usr/bin/env python3
"""Whether the paper in miniature works from end to end, with few pairs. README.md says how it is run.

Exit code 1 where it does not, 77 where this Python has no TRL: then only what needs none was checked.
"""

import argparse
import importlib.util
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "miniature"
sys.path.insert(0, str(EXAMPLE))
import families  # noqa: E402
import generator  # noqa: E402

SKIPPED = 77


def check_problems():
    """Every selection of points gives a problem whose sentences lead to the answer that it has."""
    rng, names = random.Random(7), list(families.BY_NAME)
    unsuited = 0
    for _ in range(3000):
        points = rng.sample(names, rng.randint(1, 5))
        try:
            made, wrong = (families.problem(rng, points, [], slip) for slip in (False, True))
        except ValueError:
            unsuited += 1
            continue
        assert families.solve(made.question) == made.solution, (points, made)
        assert families.solve(wrong.question) != wrong.solution, (points, wrong)
    assert unsuited < 100, f"for {unsuited} of 3000 selections no numbers were found"
    assert families.solve("Ann has 4 pens. She paints 3 of them. How many pens does she have now?") is None
    for made, topics, points in families.of_families(rng, 500):
        assert families.solve(made.question) == made.solution and str(made.answer) in made.solution, made
        assert set(points) <= set(names) and 2 <= len(topics) <= 5, (topics, points)


def check_generator():
    """Each request of the pipeline is answered, always alike, and a wrong solution is found."""
    asked = "The exercise stays within these topics:\n- School\n\nSolving it takes all of these knowledge points together:\n- Halving\n- Selling\n\nmore"
    first = generator.reply(asked)
    assert first == generator.reply(asked) and first.startswith("Question: ") and "dollars" in first, first
    question = first.removeprefix("Question: ").split("\nSolution: ")[0]
    known = generator.reply(f"Solve.\n\nExercise:\n{question}\n")
    assert known.endswith(".") and "The answer is" in known, known
    answer = generator.ANSWER.findall(known)[0]
    grading = "Exercise:\n{}\n\nReference solution:\n{}\n\nSolution of the student:\n{}\n\nSay in one or two sentences"
    assert generator.reply(grading.format(question, known, known)).endswith("Verdict: correct")
    for wrong in (known.replace(f"answer is {answer}", f"answer is {int(answer) + 1}"), "2 + 2 = 5. " + known):
        assert generator.reply(grading.format(question, known, wrong)).endswith("Verdict: incorrect"), wrong


def miniature(*flags, code=0):
    """Runs the example and returns what it printed."""
    command = [sys.executable, str(EXAMPLE / "miniature.py"), *map(str, flags)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900)
    assert done.returncode == code, f"exit code {done.returncode}, expected {code}: {done.stdout[-4000:]}"
    assert "Traceback" not in done.stdout, done.stdout[-4000:]
    return done.stdout


def check_refusals(arguments, folder):
    said = miniature("--work", folder / "none", "--mwpbench", folder / "nothing", code=1)
    assert "cargo build --release" in said and "--mwpbench" in said, said
    (folder / "taken").mkdir()
    (folder / "taken" / "letter.txt").write_text("mine")
    said = miniature("--work", folder / "taken", "--mwpbench", arguments.mwpbench, code=1)
    assert "holds something else" in said, said


def check_missing_trainer(folder):
    """A Python without TRL is told the line that installs it."""
    bare = subprocess.run([sys.executable, "-S", str(EXAMPLE / "miniature.py"), "--work", str(folder / "bare")], capture_output=True, text=True)
    assert bare.returncode == 1 and "pip install -r" in bare.stderr and "trl" in bare.stderr, bare


def check_run(arguments, folder):
    """The whole way; again, which does nothing; and on from a training that was broken off."""
    flags = ["--work", folder / "run", "--mwpbench", arguments.mwpbench, "--quick"]
    said = miniature(*flags)
    assert "| pairs |" in said and "The curve" in said, said[-3000:]
    work = folder / "run"
    validated = json.loads((work / "project" / "validate.json").read_text())
    judged = validated["judge_and_scorer"]
    assert 0 < validated["wrong"] < validated["pairs"] / 10 and judged["only_judge_right"] == judged["only_scorer_right"] == 0, validated
    tests = {line["question"] for line in map(json.loads, open(work / "data" / "miniature" / "unseen.jsonl"))}
    trained = [json.loads(line) for file in (work / "train").iterdir() for line in open(file)]
    assert not [row for row in trained if any(question in row["prompt"] for question in tests)], "an unseen problem was trained on"
    for name in ("scaling.svg", "leaderboard.svg", "leaderboard.md", "report.html", "results.md"):
        assert (work / name).stat().st_size > 500, name
    for summary in sorted((work / "runs").glob("*/summary.json")):
        assert json.loads(summary.read_text())["sets"][0]["n"] == len(tests), summary
    again = miniature(*flags)
    assert again.count("there already") == again.count("== "), again
    check_killed_training(work, folder / "killed")
    said = miniature("--work", work, "--mwpbench", arguments.mwpbench, code=1)
    assert "another --work" in said, said


def check_killed_training(work, output):
    """A training that was killed goes on from its last checkpoint, to as many steps as one that was not."""
    command = [sys.executable, str(EXAMPLE / "train.py"), "sft", "--base", work / "base", "--data", work / "train" / "walks-1000.jsonl"]
    command = [*map(str, command), "--epochs", "3", "--threads", "1", "--save-every", "20", "--output", str(output)]
    with open(output.with_suffix(".log"), "w") as log:
        first = subprocess.Popen(command, stdout=log, stderr=log)
        for _ in range(9000):
            if any(output.glob("checkpoints/checkpoint-*/trainer_state.json")):
                break
            assert first.poll() is None, output.with_suffix(".log").read_text()[-3000:]
            time.sleep(0.1)
        else:
            raise AssertionError("the training left no checkpoint within fifteen minutes")
        first.kill()
        first.wait()
    assert not (output / "training.json").exists()
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads((output / "training.json").read_text())
    whole = json.loads((work / "models" / "walks-1000" / "training.json").read_text())
    assert 20 <= figures["resumed_at"] < figures["steps"] == whole["steps"], (figures, whole)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mwpbench", required=True, help="the program")
    parser.add_argument("--keep", metavar="DIR", help="folder for what is made, which is left there")
    arguments = parser.parse_args()
    arguments.mwpbench = str(Path(arguments.mwpbench).resolve())
    folder = Path(arguments.keep or tempfile.mkdtemp(prefix="mwpbench-miniature-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        check_problems()
        check_generator()
        check_missing_trainer(folder)
        if importlib.util.find_spec("trl") is None:
            print("this Python has no TRL: only the generator was checked")
            return SKIPPED
        check_refusals(arguments, folder)
        check_run(arguments, folder)
    except AssertionError as error:
        print(f"FAILED: {error}")
        return 1
    finally:
        if not arguments.keep:
            shutil.rmtree(folder)
    print("the paper in miniature works from end to end")
    return 0


if __name__ == "__main__":
    sys.exit(main())
