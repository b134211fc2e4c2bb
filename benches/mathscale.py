#!/usr/bin/env python3
"""Compositions at the paper's scale: `mwpbench mathscale compose` beside a plain Python version, interleaved.

Extractions of 20,000 seeds over 2,018 topics and 8,892 knowledge points are made by tools/mathscale/make_extractions.py. Every round runs
both to --count unique compositions; whole processes are timed, with files written. Before anything is reported it is checked that ours are unique,
sorted and the same for one thread, and that the two versions' compositions look alike: sizes of their sets, and how often each concept occurs.

    benches/mathscale.py [--rounds 3] [--count 2000000] [--threads 2] [--python-rounds 2]
"""

import argparse
import hashlib
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "tools" / "mathscale"


def run(command):
    """Seconds, processor seconds, peak resident MB, and what the command printed."""
    started = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command} failed")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Tally:
    """Sizes of the sets and occurrences of concepts in a file of compositions."""

    def __init__(self, path):
        self.sizes, self.topics, self.kps, self.count = Counter(), Counter(), Counter(), 0
        seen = set()
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                topics, kps = record["topics"], record["knowledge_points"]
                assert topics == sorted(set(topics)) and kps == sorted(set(kps)), line
                seen.add(hash(line))
                self.sizes[len(topics), len(kps)] += 1
                self.topics.update(topics)
                self.kps.update(kps)
                self.count += 1
        # 64-bit hashes: among millions of different lines two equal ones are all but impossible.
        assert len(seen) == self.count, "a composition occurs twice"


def chi_square(a, b):
    """Statistic and degrees of freedom that two samples come from one law; cells of fewer than ten are put together."""
    keys = sorted(set(a) | set(b))
    cells, rest = [], [0, 0]
    for key in keys:
        if a[key] + b[key] < 10:
            rest = [rest[0] + a[key], rest[1] + b[key]]
        else:
            cells.append((a[key], b[key]))
    if sum(rest):
        cells.append(tuple(rest))
    totals = [sum(cell[side] for cell in cells) for side in (0, 1)]
    share = totals[0] / sum(totals)
    statistic = 0.0
    for x, y in cells:
        expected = (x + y) * share, (x + y) * (1 - share)
        statistic += (x - expected[0]) ** 2 / expected[0] + (y - expected[1]) ** 2 / expected[1]
    return statistic, len(cells) - 1


def deviation(statistic, freedom):
    """How many standard deviations from what is expected (Wilson and Hilferty 1931)."""
    spread = 2 / (9 * freedom)
    return ((statistic / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)


def compare(ours, theirs):
    """Sizes partition the compositions, so that theirs is a chi-square test. Concepts of one composition hang together: what is told of
    them is the share of |z| above 3, which is 0.0027 by chance, and the largest."""
    statistic, freedom = chi_square(ours.sizes, theirs.sizes)
    z = deviation(statistic, freedom)
    print(f"sizes of the sets: chi-square {statistic:.1f} with {freedom} degrees of freedom, {z:+.2f} standard deviations")
    alike = abs(z) < 4
    for name, a, b in (("topics", ours.topics, theirs.topics), ("knowledge points", ours.kps, theirs.kps)):
        scores = [(a[key] - b[key]) / math.sqrt(a[key] + b[key]) for key in set(a) | set(b) if a[key] + b[key] >= 50]
        large = sum(abs(score) > 3 for score in scores) / len(scores)
        print(f"{name}: {len(scores)} compared, largest |z| {max(map(abs, scores)):.2f}, above 3: {large:.4f}")
        alike &= large < 0.01
    if not alike:
        sys.exit("the two versions do not compose alike")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python-rounds", type=int, default=2, help="rounds in which the Python version runs too")
    parser.add_argument("--count", type=int, default=2_000_000)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    build = ["cargo", "build", "--release", "--quiet", "--locked", "-p", "mathscale", "--example", "compose"]
    subprocess.run(build, cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    program = target / "release" / "examples" / "compose"
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        extractions = work / "extractions.jsonl"
        run([sys.executable, TOOLS / "make_extractions.py", extractions])
        project, file = work / "project", work / "project" / "compositions.jsonl"
        command = [program, extractions, project, arguments.count, 1]
        run([*command, 1])
        one_thread = digest(file)
        ours, theirs = [], []
        for number in range(arguments.rounds):
            seconds, processor, memory, out = run([*command, arguments.threads])
            inside = json.loads(out)["seconds"]
            ours.append((seconds, processor))
            assert digest(file) == one_thread, "another number of threads, other compositions"
            told = f"{seconds:.2f} s (the stage alone {inside:.2f}), {processor:.2f} processor seconds, {memory:.0f} MB"
            print(f"mwpbench: {told}; load {os.getloadavg()[0]:.1f}", flush=True)
            subprocess.run(["rm", "-rf", project / "replaced"], check=True)
            if number < arguments.python_rounds:
                plain = work / "plain.jsonl"
                plainly = [sys.executable, TOOLS / "compose.py", extractions, plain, "--count", arguments.count]
                seconds, processor, memory, _ = run(plainly)
                theirs.append((seconds, processor))
                told = f"{seconds:.2f} s, {processor:.2f} processor seconds, {memory:.0f} MB"
                print(f"Python:   {told}; load {os.getloadavg()[0]:.1f}", flush=True)
        if theirs:
            compare(Tally(file), Tally(plain))
            for place, unit in enumerate(("s", "processor seconds")):
                fast, slow = (statistics.median(run[place] for run in runs) for runs in (ours, theirs))
                print(f"medians: {fast:.2f} against {slow:.2f} {unit}, {slow / fast:.1f} times")


if __name__ == "__main__":
    main()
