"""Train the demo checkpoint from scratch and save it for transformers.

Problems are generated on the fly from a fixed seed, so that no question is
seen twice. Only the response is learned. Worker processes of one thread each
take equal shares of every batch and average their gradients, which on a busy
machine is several times faster than one process with several threads.
See README.md for how to run it.
"""

import argparse
import math
import os
import random
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

import text
from tokenizers import Tokenizer
from model import TrainingLlama
from problems import generate
from problems.arithmetic import drill

TOKENIZER_PROBLEMS = 30000
CHUNK = 16384
# Share of arithmetic drills in the first chunks of the stream, and in all that follow.
DRILL_SHARES = [0.5, 0.35, 0.25]
LATER_DRILL_SHARE = 0.15


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", default=os.path.join(text.REPOSITORY, "models", "demo"))
    parser.add_argument("--resume", metavar="FOLDER", help="go on from the weights and the tokenizer saved there")
    parser.add_argument("--seed", type=int, default=20240611)
    parser.add_argument("--steps", type=int, default=20000)
    parser.add_argument("--minutes", type=float, default=120, help="stop after so much time; the schedule adapts")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--warmup", type=int, default=200)
    parser.add_argument("--decay", type=float, default=0.05)
    parser.add_argument("--vocabulary", type=int, default=2048)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--port", type=int, default=29511)
    parser.add_argument("--save-every", type=int, default=1500)
    return parser.parse_args()


def architecture(vocabulary):
    return LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=6,
        num_attention_heads=6,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        bos_token_id=text.BOS_ID,
        eos_token_id=text.EOS_ID,
        pad_token_id=None,
    )


def make_tokenizer(seed, size):
    rng = random.Random(seed)
    texts = [text.PREFIX + text.SUFFIX] * 200
    texts += [f"{p.question} {p.solution}" for p in generate(rng, TOKENIZER_PROBLEMS)]
    return text.train_tokenizer(texts, size)


class Examples:
    """An endless stream of token batches of similar length."""

    def __init__(self, tokenizer, seed, batch, rank=0, workers=1):
        self.share = slice(rank, None, workers)
        self.tokenizer = tokenizer
        self.rng = random.Random(seed + 1)
        self.batch = batch
        self.filter = text.OverlapFilter()
        self.seen = set()
        self.chunks = 0
        self.prefix = tokenizer.encode(text.PREFIX).ids

    def __iter__(self):
        while True:
            yield from self._chunk()

    def _chunk(self):
        rows = sorted(map(self._row, *self._encode()), key=lambda row: len(row[0]))
        batches = [rows[i : i + self.batch] for i in range(0, len(rows), self.batch)]
        self.rng.shuffle(batches)
        return (self._tensors(rows[self.share]) for rows in batches if len(rows) == self.batch)

    def _drawn(self):
        """Problems of one chunk; arithmetic is drilled first and then kept up."""
        share = DRILL_SHARES[self.chunks] if self.chunks < len(DRILL_SHARES) else LATER_DRILL_SHARE
        self.chunks += 1
        drills = int(share * CHUNK)
        yield from (drill(self.rng) for _ in range(drills))
        yield from generate(self.rng, CHUNK - drills)

    def _fresh(self):
        for problem in self._drawn():
            key = hash(problem.question)
            if key not in self.seen and self.filter.accepts(problem.question):
                self.seen.add(key)
                yield problem

    def _encode(self):
        problems = list(self._fresh())
        prompts = [text.prompt_text(p.question) for p in problems]
        full = [f"{prompt} {p.solution}" for prompt, p in zip(prompts, problems)]
        encode = self.tokenizer.encode_batch_fast
        return encode(prompts), encode(full)

    def _row(self, prompt, full):
        """Token ids after the shared prefix, and the start of the response."""
        prompt, full = prompt.ids, full.ids
        assert full[: len(prompt)] == prompt, "the response changed the prompt's tokens"
        start = len(self.prefix)
        assert prompt[:start] == self.prefix, "the question changed the prefix's tokens"
        return full[start:] + [text.EOS_ID], len(prompt) - start

    @staticmethod
    def _tensors(rows):
        longest = max(len(ids) for ids, _ in rows)
        longest += (1 - longest) % 8  # few distinct shapes
        tokens = torch.full((len(rows), longest), text.EOS_ID)
        targets = torch.full((len(rows), longest), -100)
        for i, (ids, start) in enumerate(rows):
            line = torch.tensor(ids)
            tokens[i, : len(ids)] = line
            targets[i, start - 1 : len(ids) - 1] = line[start:]
        return tokens[:, :-1], targets[:, :-1]


def learning_rate(step, done, options):
    """Linear warm-up, then a cosine down to two percent; `done` is 0 to 1."""
    if step < options.warmup:
        return options.rate * (step + 1) / options.warmup
    return options.rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))


class Optimizers:
    """Muon for the matrices of the layers, AdamW for the embedding and the norms."""

    def __init__(self, model, options):
        matrices = [p for name, p in model.named_parameters() if p.dim() > 1 and "embed" not in name]
        chosen = {id(p) for p in matrices}
        others = [p for p in model.parameters() if id(p) not in chosen]
        self.parts = [
            torch.optim.Muon(
                matrices,
                lr=options.rate,
                weight_decay=options.decay,
                momentum=0.95,
                adjust_lr_fn="match_rms_adamw",
            ),
            torch.optim.AdamW(others, lr=options.rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True),
        ]

    def set_rate(self, rate):
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = rate

    def step(self):
        for part in self.parts:
            part.step()


def save(model, config, tokenizer, folder):
    """Save bf16 weights, tokenizer and generation settings for transformers."""
    final = LlamaForCausalLM(config)
    missing, unexpected = final.load_state_dict(model.state_dict(), strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    final.tie_weights()
    final = final.to(torch.bfloat16)
    final.generation_config = GenerationConfig(
        bos_token_id=text.BOS_ID, eos_token_id=text.EOS_ID, do_sample=False
    )
    final.save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=config.max_position_embeddings,
        clean_up_tokenization_spaces=False,
    ).save_pretrained(folder)


def average_gradients(model, workers):
    """Replace every gradient by its mean over the workers, in one exchange."""
    gradients = [p.grad for p in model.parameters()]
    flat = torch.cat([g.view(-1) for g in gradients])
    dist.all_reduce(flat)
    flat /= workers
    for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients])):
        gradient.copy_(mean.view_as(gradient))


def progress(step, began, options):
    """The share of the steps or of the time that is used up, agreed by all."""
    spent = (time.time() - began) / (60 * options.minutes)
    done = torch.tensor(max(step / options.steps, spent))
    dist.all_reduce(done, dist.ReduceOp.MAX)
    return done.item()


def shared_tokenizer(options, rank):
    """Train the tokenizer in the first worker and hand it to the others, or load that of an earlier stage."""
    if options.resume:
        return Tokenizer.from_file(os.path.join(options.resume, "tokenizer.json"))
    content = [make_tokenizer(options.seed, options.vocabulary).to_str() if rank == 0 else None]
    dist.broadcast_object_list(content)
    return Tokenizer.from_str(content[0])


def train_step(model, optimizers, batch, rate, workers):
    """One optimizer step; returns the loss of this worker's share."""
    optimizers.set_rate(rate)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = model(*batch)
    model.zero_grad(set_to_none=True)
    loss.backward()
    average_gradients(model, workers)
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizers.step()
    return loss.item()


def worker(rank, options):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(options.port))
    dist.init_process_group("gloo", rank=rank, world_size=options.workers)
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    tokenizer = shared_tokenizer(options, rank)
    config = architecture(tokenizer.get_vocab_size())
    examples = Examples(tokenizer, options.seed, options.batch, rank, options.workers)
    model = TrainingLlama(config, examples.prefix)
    if options.resume:
        earlier = LlamaForCausalLM.from_pretrained(options.resume, dtype=torch.float32).state_dict()
        model.load_state_dict({name: weight for name, weight in earlier.items() if name != "lm_head.weight"}, strict=False)
        examples.chunks = len(DRILL_SHARES)
    optimizers = Optimizers(model, options)
    began, tokens, average = time.time(), 0, None
    for step, batch in enumerate(examples):
        done = progress(step, began, options)
        if done >= 1:
            break
        loss = train_step(model, optimizers, batch, learning_rate(step, done, options), options.workers)
        tokens += batch[0].numel() * options.workers
        average = loss if average is None else 0.98 * average + 0.02 * loss
        if rank == 0 and (step + 1) % 100 == 0:
            spent = time.time() - began
            print(f"step {step + 1} ({done:.0%}) loss {average:.4f} {tokens / spent:.0f} tokens/s", flush=True)
        if rank == 0 and (step + 1) % options.save_every == 0:
            save(model, config, tokenizer, options.output)
    if rank == 0:
        save(model, config, tokenizer, options.output)
        print(f"{step} steps of {options.batch} problems in {time.time() - began:.0f} s")
        print(f"{examples.filter.dropped} of {examples.filter.checked} problems dropped as near-copies of samples")
    dist.destroy_process_group()


if __name__ == "__main__":
    choices = arguments()
    mp.spawn(worker, args=(choices,), nprocs=choices.workers)
