#!/usr/bin/env python3
"""Kills a run of the demo checkpoint again and again, and compares what it ends as with a run that was left alone.

    cargo build --release
    python3 tools/kills.py target/release/mwpbench --kills 100

Every start is killed (SIGKILL) after a random time; the run is then continued by the same command. No finished record may be lost or done
twice, and the final files must be those of the other run, byte for byte. Exits 1 where they are not.
"""

import argparse
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LASTING = ["problems.jsonl", "completions.jsonl", "verdicts.jsonl", "summary.json"]


def command(binary, run, limit):
    return [binary, "eval", "--model", "demo", "--limit", str(limit), "--max-tokens", "160", "--threads", "1", "--batch-size", "4",
            "--quiet", "--output-dir", str(run)]


def whole_lines(run):
    try:
        return (run / "completions.jsonl").read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--limit", type=int, default=40, help="problems of each set")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    binary, draw = os.path.abspath(args.binary), random.Random(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        environment = {**os.environ, "MWPBENCH_HOME": str(folder / "home")}
        quiet = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        begun = time.monotonic()
        subprocess.run(command(binary, folder / "whole", args.limit), check=True, **quiet)
        alone = time.monotonic() - begun
        begun = time.monotonic()
        subprocess.run(command(binary, folder / "whole", args.limit), check=True, **quiet)
        idle = time.monotonic() - begun
        # As long that all kills together let nearly the whole run pass, of which each start costs `idle` seconds first.
        share = 0.9 * (alone - idle) / args.kills
        longest = idle + share + math.sqrt(share * share + 2 * share * idle)
        run, kills, during, grown, before = folder / "killed", 0, 0, 0, []
        while kills < args.kills:
            child = subprocess.Popen(command(binary, run, args.limit), **quiet)
            time.sleep(draw.uniform(0.0, longest))
            ended = child.poll() is not None
            if ended and child.returncode != 0:
                sys.exit(f"a continued run exited with {child.returncode}")
            child.send_signal(signal.SIGKILL)
            child.wait()
            now = whole_lines(run)
            if (run / "summary.json").exists():
                # It is whole: what can be killed now is only the start of a run that has nothing to do.
                during = during or kills
            elif now[: len(before)] != before:
                sys.exit(f"after {kills} kills finished records are gone or changed")
            grown += len(now) > len(before)
            before, kills = now, kills + 1
        subprocess.run(command(binary, run, args.limit), check=True, **quiet)
        records = [json.loads(line) for line in whole_lines(run)]
        items = {(record["id"], record["sample"]) for record in records}
        if len(items) != len(records):
            sys.exit("items were done twice")
        other = [name for name in LASTING if (run / name).read_bytes() != (folder / "whole" / name).read_bytes()]
        if other:
            sys.exit(f"other files than those of the run that was left alone: {', '.join(other)}")
        print(f"{kills} kills, {during or kills} before the run was whole, {grown} after records were written; {len(records)} records, "
              f"{alone:.1f} s when left alone: {len(LASTING)} files equal byte for byte")


if __name__ == "__main__":
    main()
