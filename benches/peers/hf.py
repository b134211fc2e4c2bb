"""Hugging Face transformers on a workload: `generate` on left-padded batches.

    hf.py CHECKPOINT_FOLDER --prompts FILE.json --rows N --new-tokens N [--limit N] [--ignore-eos] [--dtype bf16|f32]
          [--sort] [--threads 2] [--workload NAME] [--first-token]

Prints one JSON line. A short warm-up goes before the clock.
"""

import time

import torch
from transformers import AutoModelForCausalLM, StoppingCriteria, StoppingCriteriaList

import common

DTYPES = {"bf16": torch.bfloat16, "f32": torch.float32}
PADDING_ID = 0


class StepClock(StoppingCriteria):
    """Never stops a row; notes when each step ended."""

    def __init__(self):
        self.times = []

    def __call__(self, input_ids, scores, **_):
        self.times.append(time.perf_counter())
        return torch.zeros(input_ids.shape[0], dtype=torch.bool)


def load(options):
    model = AutoModelForCausalLM.from_pretrained(
        options.checkpoint, dtype=DTYPES[options.dtype], attn_implementation="sdpa"
    ).eval()
    if options.ignore_eos:
        model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = PADDING_ID
    return model


def left_padded(prompts):
    """Token ids and attention mask, [prompts, longest prompt]."""
    longest = max(map(len, prompts))
    ids = torch.full((len(prompts), longest), PADDING_ID)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, longest - len(prompt) :] = torch.tensor(prompt)
        mask[row, longest - len(prompt) :] = 1
    return ids, mask


def until_eos(tokens, eos_ids):
    """The tokens up to the first end of sequence, which counts; what follows is padding."""
    for position, token in enumerate(tokens):
        if token in eos_ids:
            return tokens[: position + 1]
    return tokens


def generate(model, prompts, new_tokens):
    """New token ids of each prompt, and the seconds from the first to the last step."""
    ids, mask = left_padded(prompts)
    room = model.config.max_position_embeddings - ids.shape[1]
    clock = StepClock()
    output = model.generate(
        input_ids=ids,
        attention_mask=mask,
        do_sample=False,
        max_new_tokens=min(new_tokens, room),
        stopping_criteria=StoppingCriteriaList([clock]),
    )
    eos = model.generation_config.eos_token_id
    eos_ids = set() if eos is None else {eos} if isinstance(eos, int) else set(eos)
    completions = [until_eos(row, eos_ids) for row in output[:, ids.shape[1] :].tolist()]
    if eos is None:
        assert all(len(completion) == min(new_tokens, room) for completion in completions)
    return completions, clock.times[-1] - clock.times[0]


def main():
    arguments = common.parser(__doc__)
    arguments.add_argument("--sort", action="store_true", help="batch (and save) in order of length: less padding")
    options = arguments.parse_args()
    job = common.Job(options)
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    if options.first_token:
        common.read_once(options.checkpoint)
    if options.sort:
        job.prompts.sort(key=len)

    began = time.perf_counter()
    model = load(options)
    if not options.first_token:
        generate(model, job.prompts[: job.rows], 3)
        began = time.perf_counter()
    completions, decode_seconds = [], 0.0
    for prompts in job.batches():
        tokens, seconds = generate(model, prompts, job.new_tokens)
        completions += tokens
        decode_seconds += seconds
    seconds = time.perf_counter() - began
    variant = "sorted by length" if options.sort else ""
    job.report("transformers", completions, seconds, decode_seconds if job.rows == 1 else None, variant)


if __name__ == "__main__":
    main()
