"""Record what transformers decodes, as fixtures for the tests of the Rust engine.

For every sample problem the greedy continuation is written to
`demo_greedy.jsonl`; the logits after three of the prompts go to
`demo_logits.json`. The script also counts near ties, where another
implementation could rightly choose the other token.
"""

import json
import os

import greedy
import text

FIXTURES = os.path.join(text.REPOSITORY, "crates", "inference", "tests", "fixtures")
LOGIT_TOPICS = ("gsm8k", "math23k_en", "ape210k_en")
NEAR_TIE = 1e-4


def rounded(logits):
    """Values with six significant digits."""
    return [float(f"{value:.6g}") for value in logits.tolist()]


def main():
    os.makedirs(FIXTURES, exist_ok=True)
    tokenizer, model = greedy.load()
    lines, logits, smallest, near, steps, ended = [], {}, 1e9, [], 0, 0
    for row in text.sample_problems():
        key = f"{row['data_topic']}/{row['question_number']}"
        prompt = tokenizer.encode(text.prompt_text(row["question"]))
        tokens, gaps, first = greedy.decode(model, prompt)
        lines.append(json.dumps({"id": key, "prompt_ids": prompt, "tokens": tokens}))
        if row["data_topic"] in LOGIT_TOPICS and row["data_topic"] not in logits:
            logits[row["data_topic"]] = {"id": key, "prompt_ids": prompt, "logits": rounded(first)}
        smallest = min([smallest, *gaps])
        near += [(key, i, gap) for i, gap in enumerate(gaps) if gap < NEAR_TIE]
        steps += len(gaps)
        ended += tokens[-1] == text.EOS_ID
    with open(os.path.join(FIXTURES, "demo_greedy.jsonl"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    with open(os.path.join(FIXTURES, "demo_logits.json"), "w", encoding="utf-8") as file:
        json.dump(list(logits.values()), file)
        file.write("\n")
    print(f"{len(lines)} prompts, {steps} steps, {ended} ended with the end token")
    print(f"smallest gap {smallest:.2e}, {len(near)} below {NEAR_TIE}: {near}")


if __name__ == "__main__":
    main()
