"""The strict scorer beside Math-Verify on the same answers, interleaved: answers a second of each, and the ratio.

    cargo build --release -p scoring --example labelled
    python -m venv venv && venv/bin/pip install math-verify==0.9.0
    venv/bin/python benches/beside_math_verify.py FILE.jsonl [ROUNDS]

FILE has rows of `completion`, `reference` and `label`, such as bench_5000.jsonl. Both sides run in one process on one
thread and are timed without reading the file. Agreement with the labels is printed too: speed without it is nothing.
"""

import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time

from math_verify import parse, verify

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EXAMPLE = os.path.join(REPOSITORY, "target", "release", "examples", "labelled")


def math_verify(rows):
    """Answers a second and agreement in percent."""
    agree, began = 0, time.perf_counter()
    for row in rows:
        try:
            verdict = verify(parse("$" + row["reference"].strip("$") + "$"), parse(row["completion"]))
        except Exception:  # noqa: BLE001 - whatever it raises counts as "not equal"
            verdict = False
        agree += verdict == row["label"]
    return len(rows) / (time.perf_counter() - began), 100 * agree / len(rows)


def strict(folder):
    """Answers a second and agreement in percent, as the example prints them."""
    output = subprocess.run([EXAMPLE, folder], check=True, capture_output=True, text=True).stdout
    fields = output.strip().splitlines()[-1].split()
    return float(fields[6]), float(fields[2])


def main():
    path, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
    logging.disable(logging.CRITICAL)
    with open(path, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    rows = [row for row in rows if row.get("completion") and isinstance(row.get("label"), bool)]
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "rows.jsonl"), "w", encoding="utf-8") as out:
            out.writelines(json.dumps(row) + "\n" for row in rows)
        for index in range(rounds):
            ours.append(strict(folder))
            theirs.append(math_verify(rows))
            print(f"round {index + 1}: strict {ours[-1][0]:.0f}/s ({ours[-1][1]:.2f} %), "
                  f"Math-Verify {theirs[-1][0]:.0f}/s ({theirs[-1][1]:.2f} %)", flush=True)
    one, other = (statistics.median(speed for speed, _ in side) for side in (ours, theirs))
    print(f"median of {rounds} rounds over {len(rows)} answers: {one:.0f}/s and {other:.0f}/s, {one / other:.0f} times")


if __name__ == "__main__":
    main()
