#!/usr/bin/env python3
"""The MathScale paper in miniature: from seed questions to a scaling curve, on two cores, without a network.

    python examples/miniature/miniature.py --work DIR            # everything: docs/miniature.md
    python examples/miniature/miniature.py --work DIR --quick    # the same way with few pairs: minutes

Run it with the Python that has TRL. Each stage leaves a mark in DIR/done; the same command goes on where
it was stopped, also within a stage that asks or trains. `--mwpbench` names the program.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import families
import generator
import results

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
TRAINER_PACKAGES = ("torch", "transformers", "trl", "datasets")
SEED_OF_SEEDS, SEED_OF_UNSEEN, SEED_OF_WALKS, SEED_OF_RANDOM = 1, 2, 3, 4
EPOCHS = 3
# The share of a test item's 13-grams that makes a pair contaminated. Sentences of rules repeat: one in common says nothing.
TEST_SHARE = 0.5
SET = "miniature"
BASE_TAG = "base=LLaMA of random weights"

# Of each plan: seeds, unseen problems, compositions, sizes, the size of the ablation, and (size, epochs) of the
# controls: fewer pairs for as many steps as a larger size has.
FULL = dict(seeds=2000, unseen=900, compositions=80_000, sizes=[1000, 4000, 16_000, 64_000], ablation=16_000, controls=[(4000, 12)])
QUICK = dict(seeds=400, unseen=120, compositions=1800, sizes=[250, 1000], ablation=250, controls=[])

DESCRIPTION = """name = "miniature"
title = "Unseen problems"
level = "Elementary"
language = "En"

[source]
origin = "examples/miniature/families.py"
license = "CC0-1.0"

[[task]]
name = "miniature.one"
subject = "One knowledge point"

[[task]]
name = "miniature.two"
subject = "Two knowledge points"

[[task]]
name = "miniature.three"
subject = "Three knowledge points"
"""
TASKS = {1: "miniature.one", 2: "miniature.two", 3: "miniature.three"}


class Failure(Exception):
    """What is missing, in words, with the way out."""


class Plan:
    """The folder, the sizes and the programs of a run."""

    def __init__(self, options):
        self.work = Path(options.work).resolve()
        self.quick = options.quick
        self.jobs = options.jobs
        self.mwpbench = program(options.mwpbench)
        self.__dict__.update(QUICK if options.quick else FULL)
        self.project = self.work / "project"
        self.random_project = self.work / "random"
        self.data = self.work / "data"
        self.pairs = compared(self)
        self.settings = {"quick": options.quick, "sources": digest()}

    def run(self, *arguments, output=None):
        """Runs mwpbench. Its words go to the screen, its standard output into a file if one is named."""
        command = [self.mwpbench, *map(str, arguments)]
        print("$", " ".join(["mwpbench", *command[1:]]), flush=True)
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "MWPBENCH_HOME": str(self.work / "home")})
        if done.returncode:
            raise Failure(f"mwpbench ended with exit code {done.returncode}; its last words are above. The same command goes on here.")
        if output:
            Path(output).write_text(done.stdout)
        else:
            print(done.stdout, end="", flush=True)
        return done.stdout

    def mathscale(self, stage, *arguments, project=None):
        return self.run("mathscale", stage, "--project", project or self.project, "--quiet", *arguments)


def compared(plan):
    """Which models are compared, item by item: neighbours of the curve, the ablation, and what has as many steps."""
    walks = [f"walks-{size}" for size in plan.sizes]
    pairs = [*zip(walks, walks[1:]), (f"random-{plan.ablation}", f"walks-{plan.ablation}")]
    names = [f"long-{size}" for size, _ in plan.controls]
    same = [f"walks-{size * epochs // EPOCHS}" for size, epochs in plan.controls[-1:]]
    pairs += zip(names, [*names[1:], *same])
    return pairs


def digest():
    """BLAKE2 of what writes the problems: a folder with others is not gone on with."""
    text = b"".join((HERE / name).read_bytes() for name in ("families.py", "generator.py"))
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def program(named):
    """The mwpbench program, or what builds it."""
    candidates = [named] if named else [REPOSITORY / "target" / "release" / "mwpbench", shutil.which("mwpbench")]
    for path in candidates:
        if path and os.access(path, os.X_OK) and Path(path).is_file():
            return str(Path(path).resolve())
    wanted = f"there is no program {named}" if named else "mwpbench is not built"
    raise Failure(f"{wanted}: run `cargo build --release` in {REPOSITORY}, or name the program with --mwpbench FILE")


def check_trainer():
    """Whether this Python has the trainer."""
    missing = [name for name in TRAINER_PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        install = f"{sys.executable} -m pip install -r {HERE / 'requirements.txt'}"
        raise Failure(f"this Python has no {', '.join(missing)}. Install TRL with\n    {install}")


def write_lines(path, records):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.writelines(json.dumps(record) + "\n" for record in records)


def read_lines(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


# --- the stages ------------------------------------------------------------------------------------


def problems(plan):
    """Seeds with their concepts; unseen problems as a custom data set, beside the bundled sample sets."""
    seeds = list(families.of_families(random.Random(SEED_OF_SEEDS), plan.seeds))
    write_lines(
        plan.work / "seeds.jsonl",
        ({"question": made.question, "answer": made.solution, "topics": topics, "knowledge_points": list(points)} for made, topics, points in seeds),
    )
    seen, unseen = {made.question for made, _, _ in seeds}, []
    for made, _, points in families.of_families(random.Random(SEED_OF_UNSEEN), plan.unseen + plan.seeds):
        if made.question not in seen and len(unseen) < plan.unseen:
            seen.add(made.question)
            record = {"question_number": str(len(unseen) + 1), "question": made.question, "answer": str(made.answer)}
            unseen.append({**record, "data_topic": TASKS[len(points)]})
    folder = plan.data / SET
    write_lines(folder / "unseen.jsonl", unseen)
    (folder / "dataset.toml").write_text(DESCRIPTION)
    for sample in sorted((REPOSITORY / "datasets").glob("*/sample.jsonl")):
        shutil.copyfile(sample, plan.data / f"{sample.parent.name}.jsonl")
    return {"seeds": len(seeds), "unseen": len(unseen)}


def graph(plan):
    plan.mathscale("extract", "--from-annotations", plan.work / "seeds.jsonl")
    plan.mathscale("graph")
    plan.run("mathscale", "graph", "stats", "--project", plan.project)
    plan.mathscale("compose", "--count", plan.compositions, "--seed", SEED_OF_WALKS)


class Served:
    """The rule-based generator as a process of its own, for the time of a stage."""

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, HERE / "generator.py"], stdout=subprocess.PIPE, text=True)
        port = self.process.stdout.readline().strip()
        if not port:
            raise Failure("the rule-based generator did not start; its words are above")
        return ["--model", generator.NAME, "--endpoint", f"http://127.0.0.1:{port}/v1", "--no-stream", "--max-concurrency", "16"]

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def generate(plan):
    with Served() as server:
        plan.mathscale("generate", *server)


def validate(plan):
    with Served() as server:
        plan.mathscale("validate", *server)


def export(plan):
    plan.mathscale("screen", "--data", plan.data, "--test-share", TEST_SHARE)
    plan.mathscale("export", "--forms", "prompt-completion", "--title", "The paper in miniature")
    return cut(plan, plan.project, plan.sizes, "walks")


def cut(plan, project, sizes, name):
    """The first N of the shuffled export for every size: each size contains the smaller ones."""
    rows = (project / "export" / "prompt_completion" / "train.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    if len(rows) < max(sizes):
        raise Failure(f"{len(rows)} pairs were kept, {max(sizes)} are needed: raise `compositions` in {__file__}")
    for size in sizes:
        target = plan.work / "train" / f"{name}-{size}.jsonl"
        target.parent.mkdir(exist_ok=True)
        target.write_text("".join(rows[:size]), encoding="utf-8")
    return {"kept": len(rows)}


def ablation(plan):
    """Random compositions: as many concepts as the walks have, pair by pair, drawn evenly from all names."""
    rng, pairs, known = random.Random(SEED_OF_RANDOM), [], set()
    walks = read_lines(plan.project / "compositions.jsonl")
    topics = sorted({name for walk in walks for name in walk["topics"]})
    points = sorted({name for walk in walks for name in walk["knowledge_points"]})
    for walk in walks[: plan.ablation * 3 // 2]:
        drawn = [sorted(rng.sample(names, len(walk[kind]))) for kind, names in (("topics", topics), ("knowledge_points", points))]
        try:
            made = families.problem(generator.seeded(f"random {len(known)} {drawn}"), drawn[1], [name for name in drawn[0] if name in families.SETTINGS])
        except ValueError:  # no numbers were found that suit all these points
            continue
        if made.question not in known:
            known.add(made.question)
            pairs.append({"question": made.question, "solution": made.solution})
    write_lines(plan.work / "random-pairs.jsonl", pairs)
    plan.mathscale("screen", "--data", plan.data, "--test-share", TEST_SHARE, "--pairs", plan.work / "random-pairs.jsonl", project=plan.random_project)
    plan.mathscale("export", "--forms", "prompt-completion", "--title", "Random compositions", project=plan.random_project)
    return cut(plan, plan.random_project, [plan.ablation], "random")


def base(plan):
    return trainer("base", "--texts", plan.work / "seeds.jsonl", "--output", plan.work / "base")


def trainer(*arguments):
    """Runs the trainer's part and returns the figures in its last line."""
    done = subprocess.run([sys.executable, HERE / "train.py", *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise Failure("the trainer broke off; its words are above. The same command goes on from its last checkpoint.")
    return json.loads(done.stdout.strip().splitlines()[-1])


def trainings(plan):
    """Of every model: its name, its training file, and its epochs; the one with most to read first."""
    models = [(f"walks-{size}", f"walks-{size}", EPOCHS) for size in plan.sizes]
    models.append((f"random-{plan.ablation}", f"random-{plan.ablation}", EPOCHS))
    models += [(f"long-{size}", f"walks-{size}", epochs) for size, epochs in plan.controls]
    weight = {name: int(file.rsplit("-", 1)[1]) * epochs for name, file, epochs in models}
    return sorted(models, key=lambda model: (-weight[model[0]], model[0]))


def train(plan):
    """Trains all models, two at a time with a thread each: faster for matrices as small as these than two threads."""
    waiting = [model for model in trainings(plan) if not (plan.work / "models" / model[0] / "training.json").exists()]
    running = {}
    (plan.work / "logs").mkdir(exist_ok=True)
    while waiting or running:
        while waiting and len(running) < plan.jobs:
            name, file, epochs = waiting.pop(0)
            running[name] = start_training(plan, name, file, epochs)
        time.sleep(0.5)
        for name, process in list(running.items()):
            if process.poll() is None:
                continue
            del running[name]
            if process.returncode:
                for other in running.values():
                    other.terminate()
                raise Failure(f"the training of {name} broke off: see {plan.work / 'logs' / name}.log. The same command goes on from its checkpoint.")
            print(f"{name}: {(plan.work / 'models' / name / 'training.json').read_text().strip()}", flush=True)
    return {name: json.loads((plan.work / "models" / name / "training.json").read_text()) for name, _, _ in trainings(plan)}


def start_training(plan, name, file, epochs):
    arguments = ["sft", "--base", plan.work / "base", "--data", plan.work / "train" / f"{file}.jsonl", "--epochs", epochs]
    arguments += ["--threads", 1, "--output", plan.work / "models" / name]
    print(f"training {name}, {epochs} epochs", flush=True)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with open(plan.work / "logs" / f"{name}.log", "a") as log:
        return subprocess.Popen([sys.executable, HERE / "train.py", *map(str, arguments)], stdout=log, stderr=log, env=environment)


def evaluate(plan):
    for name, _, epochs in reversed(trainings(plan)):
        kind, size = name.rsplit("-", 1)[0], int(name.rsplit("-", 1)[1])
        title = {"walks": f"{results.short(size)} pairs", "random": f"{results.short(size)} pairs, random compositions", "long": f"{results.short(size)} pairs, {epochs} epochs"}
        tags = ["--tag", BASE_TAG]
        if kind == "walks":
            tags += ["--tag", f"train_size={size}"]
        plan.run(
            "eval", "--model", plan.work / "models" / name, "--data", plan.data / SET, "--output-dir", plan.work / "runs" / name,
            "--by-task", "--name", title[kind], "--quiet", *tags,
        )


def report(plan):
    runs = plan.work / "runs"
    walks = [runs / f"walks-{size}" for size in plan.sizes]
    everything = [runs / name for name, _, _ in reversed(trainings(plan))]
    (plan.work / "compare").mkdir(exist_ok=True)
    for one, other in plan.pairs:
        plan.run("compare", runs / one, runs / other, "--scorer", "strict", "--json", output=plan.work / "compare" / f"{one}_{other}.json")
    board = ["leaderboard", "--scorer", "strict", "--intervals", "--columns", SET, "--force"]
    plan.run(*board, *walks, "--scaling", plan.work / "scaling.svg", "--title", "Unseen problems solved", "--output", plan.work / "walks.txt")
    plan.run(*board, *everything, "--chart", plan.work / "leaderboard.svg", "--format", "markdown", "--output", plan.work / "leaderboard.md")
    plan.run("report", *walks, "--output", plan.work / "report.html", "--force")


STAGES = [problems, graph, generate, validate, export, ablation, base, train, evaluate, report]


def prepare(plan):
    """Makes the folder, or checks that it is one of the same run."""
    settings = plan.work / "settings.json"
    if settings.exists():
        if json.loads(settings.read_text()) != plan.settings:
            raise Failure(f"{plan.work} was made with another --quick or by other sources of this example: give another --work")
    elif plan.work.is_dir() and any(plan.work.iterdir()):
        raise Failure(f"{plan.work} holds something else: give an empty or new folder with --work")
    (plan.work / "done").mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps(plan.settings))


def follow(plan):
    for stage in STAGES:
        mark = plan.work / "done" / f"{stage.__name__}.json"
        if mark.exists():
            print(f"== {stage.__name__}: there already", flush=True)
            continue
        print(f"== {stage.__name__}", flush=True)
        began, cpu = time.time(), sum(os.times()[:4])
        # What an interrupted attempt took counts too.
        spent = mark.with_suffix(".spent")
        before = json.loads(spent.read_text()) if spent.exists() else [0, 0]
        try:
            figures = stage(plan)
        finally:
            total = [before[0] + time.time() - began, before[1] + sum(os.times()[:4]) - cpu]
            spent.write_text(json.dumps(total))
        partial = mark.with_suffix(".partial")
        partial.write_text(json.dumps({"wall_s": round(total[0], 1), "cpu_s": round(total[1], 1), "figures": figures}))
        partial.rename(mark)
    text = results.page(plan, [name for name, _, _ in reversed(trainings(plan))], [stage.__name__ for stage in STAGES])
    (plan.work / "results.md").write_text(text)
    print(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", required=True, metavar="DIR", help="folder for everything that is made; some 300 MB")
    parser.add_argument("--quick", action="store_true", help="few pairs: does everything work?")
    parser.add_argument("--mwpbench", metavar="FILE", help="the program; target/release/mwpbench or the one on the path without it")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="models trained at a time, each on one thread (2)")
    options = parser.parse_args()
    try:
        check_trainer()
        plan = Plan(options)
        prepare(plan)
        follow(plan)
    except Failure as failure:
        print(f"miniature: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
