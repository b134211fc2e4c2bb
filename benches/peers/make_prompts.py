"""Prompts of real lengths: every sample problem of this repository in the Alpaca template.

    make_prompts.py OUTPUT.json

Writes a JSON list of 398 texts, ordered by data set.
"""

import json
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TEMPLATE = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{question}\n\n### Response:"
)


def prompt(question):
    return TEMPLATE.replace("{question}", question)


def questions():
    for file in sorted(REPOSITORY.glob("datasets/*/sample.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            if line:
                yield json.loads(line)["question"]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    prompts = [prompt(question) for question in questions()]
    Path(sys.argv[1]).write_text(json.dumps(prompts, ensure_ascii=False), encoding="utf-8")
    print(f"{len(prompts)} prompts")


if __name__ == "__main__":
    main()
