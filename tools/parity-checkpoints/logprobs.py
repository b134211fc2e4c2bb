"""Record log-probabilities of greedy tokens by transformers, as fixtures for the tests of the Rust engine.

    python tools/parity-checkpoints/logprobs.py

For the first prompts of each tiny checkpoint and for some samples of the demo checkpoint: the recorded greedy tokens, and
the log-softmax of the logits before each of them, from one pass over prompt and tokens in f32 with eager attention. The
softmax itself is computed in f64, so that nothing but the logits is rounded.
"""

import json
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from transformers import AutoModelForCausalLM

REPOSITORY = Path(__file__).resolve().parents[2]
FIXTURES = REPOSITORY / "crates" / "inference" / "tests" / "fixtures"
sys.path.insert(0, str(REPOSITORY / "tools" / "demo-checkpoint"))

import text

TINY = ("llama-tied", "llama-biased", "mistral-window")
CASES = 4
SAMPLES = ("gsm8k/sample.1", "gsm8k/sample.30", "math23k_en/sample.9", "ape210k_en/sample.5")


def tiny(name):
    """Prompt, its ids and its recorded greedy tokens, for some prompts of a checkpoint."""
    cases = json.loads((FIXTURES / name / "expected.json").read_text(encoding="utf-8"))
    return [(case["prompt"], case["prompt_ids"], case["tokens"]) for case in cases[:CASES]]


def demo():
    """The same for the demo checkpoint."""
    lines = (FIXTURES / "demo_greedy.jsonl").read_text(encoding="utf-8").splitlines()
    recorded = {case["id"]: case for case in map(json.loads, lines)}
    prompts = {f"{row['data_topic']}/{row['question_number']}": text.prompt_text(row["question"])
               for row in text.sample_problems()}
    return [(prompts[key], recorded[key]["prompt_ids"], recorded[key]["tokens"]) for key in SAMPLES]


@torch.no_grad()
def logprobs(model, prompt_ids, tokens):
    """Log-probability of each token after the prompt and the tokens before it."""
    logits = model(torch.tensor([prompt_ids + tokens]), use_cache=False).logits[0, len(prompt_ids) - 1:-1]
    assert [int(best) for best in logits.argmax(-1)] == tokens, "these are not the greedy tokens"
    chosen = torch.log_softmax(logits.double(), -1).gather(1, torch.tensor(tokens)[:, None])[:, 0]
    return [float(f"{value:.9g}") for value in chosen.tolist()]


def main():
    torch.set_num_threads(1)
    lines = []
    for name, folder, cases in [(name, FIXTURES / name, tiny(name)) for name in TINY] + [
        ("demo", REPOSITORY / "models" / "demo", demo())
    ]:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        for prompt, prompt_ids, tokens in cases:
            recorded = logprobs(model, prompt_ids, tokens)
            lines.append({"checkpoint": name, "prompt": prompt, "tokens": tokens, "logprobs": recorded})
            print(f"{name}: {len(prompt_ids)} + {len(tokens)} tokens, least {min(recorded):.3f}")
    with open(FIXTURES / "logprobs.jsonl", "w", encoding="utf-8") as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


if __name__ == "__main__":
    main()
