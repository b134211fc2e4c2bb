"""Record what transformers decodes, as fixtures for the tests of the Rust engine.

For every sample problem the greedy continuation is written to
`demo_greedy.jsonl`; the logits after eight of the prompts go to
`demo_logits.json`, with the distance of transformers' own bf16 logits from
them. The script also counts near ties, where another implementation could
rightly choose the other token.
"""

import copy
import json
import os

import greedy
import text
import torch

FIXTURES = os.path.join(text.REPOSITORY, "crates", "inference", "tests", "fixtures")
LOGIT_PROMPTS = ("gsm8k/sample.1", "gsm8k/sample.7", "gsm8k/sample.30", "math23k_en/sample.1", "math23k_en/sample.9", "ape210k_en/sample.1",
                 "ape210k_en/sample.5", "ape210k_en/sample.21")
NEAR_TIE = 1e-4


def rounded(logits):
    """Values with six significant digits."""
    return [float(f"{value:.6g}") for value in logits.tolist()]


def bf16_distance(model, prompt, logits):
    """Root mean square of what the same model in bf16 differs by after a prompt."""
    with torch.no_grad():
        found = model(torch.tensor([prompt])).logits[0, -1].float()
    return float((found - logits).square().mean().sqrt())


def main():
    os.makedirs(FIXTURES, exist_ok=True)
    tokenizer, model = greedy.load()
    half = copy.deepcopy(model).to(torch.bfloat16)
    lines, logits, smallest, near, steps, ended = [], [], 1e9, [], 0, 0
    for row in text.sample_problems():
        key = f"{row['data_topic']}/{row['question_number']}"
        prompt = tokenizer.encode(text.prompt_text(row["question"]))
        tokens, gaps, first = greedy.decode(model, prompt)
        lines.append(json.dumps({"id": key, "prompt_ids": prompt, "tokens": tokens}))
        if key in LOGIT_PROMPTS:
            distance = bf16_distance(half, prompt, first)
            logits.append({"id": key, "prompt_ids": prompt, "logits": rounded(first), "bf16_distance": distance})
        smallest = min([smallest, *gaps])
        near += [(key, i, gap) for i, gap in enumerate(gaps) if gap < NEAR_TIE]
        steps += len(gaps)
        ended += tokens[-1] == text.EOS_ID
    with open(os.path.join(FIXTURES, "demo_greedy.jsonl"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    with open(os.path.join(FIXTURES, "demo_logits.json"), "w", encoding="utf-8") as file:
        json.dump(logits, file)
        file.write("\n")
    print(f"{len(lines)} prompts, {steps} steps, {ended} ended with the end token")
    print(f"smallest gap {smallest:.2e}, {len(near)} below {NEAR_TIE}: {near}")


if __name__ == "__main__":
    main()
