#!/usr/bin/env python3
"""The MathScale pipeline at the paper's size, end to end, with a scripted model: what the pipeline costs beside its model.

Extractions of 20,000 seeds (tools/mathscale/make_extractions.py) -> graph -> compositions -> pairs by a model in the process that writes at once what
it is asked for (crates/mathscale/examples/pipeline.rs) -> validation by the same -> screening against 20,000 test items -> export. Every stage is a
process of its own; of each its wall time, its processor time (user and system), its peak memory and what it adds to the project on the disk are
printed. Afterwards it is checked that every composition became a pair, that a quarter of the solutions was found wrong, and that screening removed
exactly what the model repeated: test items as contaminated, and of questions with a changed word all but the first.

    benches/mathscale_scale.py [--count 2000000] [--work DIR] [--stages generate,validate,screen,export]

--stages runs some of them on a work folder that has the others.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "tools" / "mathscale"
STAGES = ["extract", "graph", "compose", "generate", "validate", "screen", "export"]


def size(folder):
    return sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())


def run(command):
    """Wall seconds, processor seconds and peak resident MB."""
    started = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command} ended with exit code {process.returncode}")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def repeated(project, tests):
    """What screening must remove: pairs whose question is a test item, and pairs that repeat another one but for the first word."""
    items = {json.loads(line)["question"] for line in open(tests, encoding="utf-8")}
    contaminated, near, seen = 0, 0, set()
    with open(project / "pairs.jsonl", encoding="utf-8") as lines:
        for line in lines:
            question = json.loads(line)["question"]
            if question in items:
                contaminated += 1
                continue
            rest = hash(question.split(" ", 1)[1])
            near += rest in seen
            seen.add(rest)
    return contaminated, near


def make_seeds(path):
    """Extractions with questions and answers of usual lengths, so that prompts have few-shot examples."""
    plain = path.with_suffix(".plain")
    subprocess.run([sys.executable, TOOLS / "make_extractions.py", plain], check=True)
    with open(plain, encoding="utf-8") as lines, open(path, "w", encoding="utf-8") as out:
        for number, line in enumerate(lines):
            record = json.loads(line)
            about = ", ".join(record["topics"] + record["knowledge_points"])
            record["question"] = f"In exercise {number} about {about}, {number % 97} parts of {number % 89 + 3} are given. How many are there together?"
            record["answer"] = f"Each of the parts has as many, so that {number % 97} * {number % 89 + 3} are there. The answer is {number % 97 * (number % 89 + 3)}."
            out.write(json.dumps(record) + "\n")
    plain.unlink()


def check(project, tests, count, stages):
    """Whether what came out is what the server put in."""
    record = json.loads((project / "project.json").read_text())["stages"]
    counts = record["generate"]["counts"]
    assert counts["pairs"] == count and counts["refused"] == 0, counts
    if "validate" in stages:
        counts = record["validate"]["counts"]
        assert abs(counts["wrong"] / counts["pairs"] - 0.25) < 0.01 and counts["unjudged"] == 0, counts
    if "screen" in stages:
        removed = json.loads((project / "screen.json").read_text())["removed"]
        contaminated, near = repeated(project, tests)
        assert removed["contaminated"] == contaminated, (removed, contaminated)
        found = removed["near_duplicate"] + removed["duplicate"]
        assert abs(found - near) <= near / 1000, (removed, near)
        print(f"removed as contaminated {contaminated}, as repetitions {found} of {near}: {removed}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2_000_000)
    parser.add_argument("--work", type=Path, help="folder for the project; a temporary one that is removed without it")
    parser.add_argument("--stages", default=",".join(STAGES))
    parser.add_argument("--program", type=Path, help="the example pipeline; built where it is not given")
    arguments = parser.parse_args()
    stages = arguments.stages.split(",")
    program = arguments.program
    if program is None:
        build = ["cargo", "build", "--release", "--quiet", "--locked", "-p", "mathscale", "--example", "pipeline"]
        subprocess.run(build, cwd=ROOT, check=True)
        program = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "examples" / "pipeline"
    work = arguments.work or Path(tempfile.mkdtemp(prefix="mathscale-scale-"))
    work.mkdir(parents=True, exist_ok=True)
    project, extractions, tests = work / "project", work / "extractions.jsonl", work / "tests.jsonl"
    if not extractions.exists():
        make_seeds(extractions)
    run([program, "tests", tests, "20000"])
    takes = {"extract": [extractions], "compose": [arguments.count], "screen": [tests]}
    print(f"{arguments.count} pairs, {os.cpu_count()} processors")
    for stage in STAGES:
        if stage not in stages:
            continue
        had = size(project) if project.exists() else 0
        wall, processor, memory = run([program, stage, project, *takes.get(stage, [])])
        grown = (size(project) - had) / 1e9
        line = f"{stage}: {wall:.1f} s, {processor:.1f} processor s, {memory:.0f} MB, disk {grown:+.2f} GB"
        print(f"{line}; load {os.getloadavg()[0]:.1f}", flush=True)
    print(f"the whole project: {size(project) / 1e9:.2f} GB")
    check(project, tests, arguments.count, stages)
    if arguments.work is None:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
