"""Greedy decoding of the saved checkpoint with transformers, in f32 on the CPU."""

import os

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

import text

CHECKPOINT = os.path.join(text.REPOSITORY, "models", "demo")
MAX_NEW_TOKENS = 160


def load(folder=CHECKPOINT):
    """The tokenizer and the model of a checkpoint folder."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    return tokenizer, model


@torch.inference_mode()
def decode(model, prompt_ids, limit=MAX_NEW_TOKENS):
    """Return the new tokens, the top-1 to top-2 gaps and the first logits."""
    tokens, gaps, first, cache = [], [], None, None
    step_ids = torch.tensor([prompt_ids])
    while len(tokens) < limit:
        output = model(input_ids=step_ids, past_key_values=cache, use_cache=True)
        logits, cache = output.logits[0, -1], output.past_key_values
        first = logits if first is None else first
        best = logits.topk(2).values
        gaps.append(float(best[0] - best[1]))
        tokens.append(int(logits.argmax()))
        if tokens[-1] == text.EOS_ID:
            break
        step_ids = torch.tensor([[tokens[-1]]])
    return tokens, gaps, first
