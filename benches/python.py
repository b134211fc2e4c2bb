"""The Python package beside Math-Verify, interleaved: verdicts a second of each; import, size and first use.

    maturin build --compression-level 9 --out dist
    python -m venv venv && venv/bin/pip install dist/mwpbench-*.whl math-verify==0.9.0
    venv/bin/python benches/python.py FILE.jsonl --wheel dist/mwpbench-*.whl [--rounds 3] [--threads 2]

FILE has rows of `completion`, `reference` and `label`, such as bench_5000.jsonl. Verdicts are given by one thread, a
call each; by `verify_batch`; and through `mwpbench.math_verify`. Agreement with the labels is printed too: speed
without it is nothing. First use: a new virtual environment, the wheel installed in it with pip and nothing from a
network, and `mwpbench eval --model demo` to its table, by the clock.
"""

import argparse
import json
import logging
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import math_verify

import mwpbench
import mwpbench.math_verify


def timed(judge, rows):
    """Verdicts a second and agreement in percent."""
    began = time.perf_counter()
    verdicts = judge(rows)
    seconds = time.perf_counter() - began
    agree = sum(bool(verdict) == row["label"] for verdict, row in zip(verdicts, rows))
    return len(rows) / seconds, 100 * agree / len(rows)


def by_calls(rows):
    return [mwpbench.verify(row["reference"], row["completion"]) for row in rows]


def by_batch(threads):
    def judge(rows):
        references = [row["reference"] for row in rows]
        return mwpbench.verify_batch(references, [row["completion"] for row in rows], threads=threads)

    return judge


def through(parse, verify):
    def judge(rows):
        verdicts = []
        for row in rows:
            try:
                gold = parse("$" + row["reference"].strip("$") + "$")
                verdicts.append(verify(gold, parse(row["completion"])))
            except Exception:  # noqa: BLE001 - whatever it raises counts as "not equal"
                verdicts.append(False)
        return verdicts

    return judge


def import_milliseconds():
    """The median over twenty new processes, in the process."""
    code = "import time; t = time.perf_counter(); import mwpbench; print(1e3 * (time.perf_counter() - t))"
    times = [float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(20)]
    return statistics.median(times), max(times)


def first_use_seconds(wheel):
    """From nothing to the demo's table: environment, installation, run."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "venv", "venv"], cwd=folder, check=True)
        made = time.perf_counter()
        install = ["venv/bin/pip", "install", "--quiet", "--no-index", str(wheel)]
        subprocess.run(install, cwd=folder, check=True, env={"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PATH": "/usr/bin:/bin"})
        installed = time.perf_counter()
        table = subprocess.check_output(["venv/bin/mwpbench", "eval", "--model", "demo"], cwd=folder, text=True)
        assert "macro average" in table, table
        done = time.perf_counter()
    return made - began, installed - made, done - installed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--wheel", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5, help="how often our own part of a round goes through the file")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    with given.file.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    rows = [row for row in rows if row.get("completion") and isinstance(row.get("label"), bool)]
    sides = {
        "one call each": (by_calls, given.repeats),
        f"verify_batch, {given.threads} threads": (by_batch(given.threads), given.repeats),
        "mwpbench.math_verify": (through(mwpbench.math_verify.parse, mwpbench.math_verify.verify), given.repeats),
        "Math-Verify": (through(math_verify.parse, math_verify.verify), 1),
    }
    by_calls(rows[:100])
    speeds = {name: [] for name in sides}
    for number in range(given.rounds):
        for name, (judge, repeats) in sides.items():
            speed, agreement = timed(lambda rows: judge(rows * repeats)[: len(rows)], rows)
            speeds[name].append(speed * repeats)
            print(f"round {number + 1}: {name} {speed * repeats:,.0f}/s ({agreement:.2f} %)", flush=True)
    medians = {name: statistics.median(measured) for name, measured in speeds.items()}
    for name, median in medians.items():
        ratio = median / medians["Math-Verify"]
        print(f"{name}: median {median:,.0f}/s of {len(rows)} answers, {ratio:,.0f} times Math-Verify")
    print("import: median {:.1f} ms, at most {:.1f}".format(*import_milliseconds()))
    print(f"wheel: {given.wheel.stat().st_size / 1e6:.2f} MB ({given.wheel.name})")
    parts = first_use_seconds(given.wheel.resolve())
    print("first use: {:.1f} s (environment {:.1f}, installation {:.1f}, demo {:.1f})".format(sum(parts), *parts))


if __name__ == "__main__":
    main()
