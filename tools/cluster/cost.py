#!/usr/bin/env python3
"""What evaluations cost in GPU hours, wall time and dollars: the table of docs/cluster.md, or one of your own inputs.

    tools/cluster/cost.py                                   # the table, as docs/cluster.md has it
    tools/cluster/cost.py --check                           # exit 1 where docs/cluster.md has another one
    tools/cluster/cost.py --speed mine=5400 --models 12 --items 1319 --new-tokens 800 --price 2.1

The formula and where its inputs are from stand in docs/cluster.md.
"""

import argparse
import math
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/cluster.md"
# Tokens/s over prompts and new tokens, of a 7B checkpoint in bf16 on one GPU.
SPEEDS = {
    "mwpbench, `--device cuda` (candle's operations)": 1_667,
    "transformers, `generate`": 1_797,
    "vLLM, behind `eval --endpoint` or under lm-eval": 12_500,
}
GPUS = (1, 8, 64)


def cost(given, speed, models, gpus):
    """GPU hours, and hours by the clock."""
    seconds = given.items * given.samples * (given.prompt_tokens + given.new_tokens) / speed
    # With more GPUs than models each model is dealt to several, in shards; with fewer, they take turns.
    shards = max(1, gpus // models)
    turns = math.ceil(models / gpus)
    hours = models * (seconds + shards * given.start) / 3600
    return hours, turns * (seconds / shards + given.start) / 3600


def clock(hours):
    if hours >= 48:
        return f"{hours / 24:.1f} days"
    if hours >= 1.5:
        return f"{hours:.1f} h"
    return f"{hours * 60:.1f} min"


def table(given):
    lines = [
        "| engine | models | " + " | ".join(f"{gpus} GPU{'s' if gpus > 1 else ''}" for gpus in GPUS) + " |",
        "|---|---|" + "---|" * len(GPUS),
    ]
    for name, speed in given.speeds.items():
        for models in given.models:
            cells = []
            for gpus in GPUS:
                hours, wall = cost(given, speed, models, gpus)
                cells.append(f"{clock(wall)}; {hours:.2f} GPU h, ${hours * given.price:.2f}")
            lines.append(f"| {name} | {models} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def speed(text):
    name, _, value = text.partition("=")
    return name, float(value)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=16_400, help="problems (16,400: ten sets, official protocol)")
    parser.add_argument("--samples", type=int, default=1, help="completions a problem")
    parser.add_argument("--prompt-tokens", type=float, default=115, help="mean tokens of a prompt")
    parser.add_argument("--new-tokens", type=float, default=300, help="mean new tokens of a completion")
    parser.add_argument("--start", type=float, default=60, help="seconds from the start of the engine to its first step")
    parser.add_argument("--price", type=float, default=3.0, help="dollars for a GPU hour")
    parser.add_argument("--models", type=int, nargs="+", default=[1, 64])
    parser.add_argument("--speed", type=speed, action="append", metavar="NAME=TOKENS_PER_S", help="of an engine")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    given.speeds = dict(given.speed) if given.speed else SPEEDS
    text = table(given)
    if given.check:
        if text not in PAGE.read_text():
            sys.exit(f"{PAGE} has another table than:\n{text}")
        print(f"{PAGE.name} has the table of these inputs")
    else:
        print(text)


if __name__ == "__main__":
    main()
