#!/usr/bin/env python3
"""What `--device cuda` gives on a machine with a GPU: is it right, where does the time go, how fast is it.

    measure.py STEPS --mwpbench BIN --workload BIN [--tests BIN] --model DEMO --out FOLDER [--cpu-run RUN]...

STEPS: any of kernels, start, parity, invariance, profile, speed, joined by '+', in the order in which time is best spent.
Nothing is built here: BIN are the program, the example `workload` and the tests of the crate `inference`, as
`tools/cuda/check --full` builds them. DEMO: `models/demo`. RUN: a run folder of the demo made on a CPU, whose name ends in
-f32 or -bf16. Needs numpy. Checkpoints with random weights in the shapes of Mistral 7B and TinyLlama are made in WORK
(/dev/shm/mwpbench-gpu; 17 GB). FOLDER gets results.json; the last lines are the table of targets.

kernels     the tests of the forward pass on the GPU, the same bodies as on a CPU
start       the demo, the first time on this machine and the second
parity      the demo's completions beside those of the CPU runs
invariance  completions over batches of 1, 7, 64 and 256 and in another order, in f32, bf16 and 8 bits: equal byte for byte?
profile     a decode step of 7B with one stage after the other made small
speed       tokens a second over everything, and of one row; 64 rows with prompts of 1,000 tokens; 8 bits
"""

import argparse
import glob
import json
import os
import pathlib
import subprocess
import time

WORK = pathlib.Path(os.environ.get("WORK", "/dev/shm/mwpbench-gpu"))
# hidden, layers, heads, KV heads, intermediate, vocabulary
SHAPES = {"7b": (4096, 32, 32, 8, 14336, 32000), "1b": (2048, 22, 32, 4, 5632, 32000)}
TARGETS = [
    ("7b, 256 rows, tokens/s", "7b/256", "tokens_per_s", 12000),
    ("1.1b, 256 rows, tokens/s", "1b/256", "tokens_per_s", 50000),
    # Half of what products and cache alone allow: 64,000 rows of prompts at 2,048 a step take 1.35 s (43.3 ms each), 128 decode
    # steps 0.80 s (products 4.13 ms, 64 × 1,064 positions × 128 KiB of cache at 4.3 TB/s 2.08 ms): 3,800 new tokens a second.
    ("7b, 64 rows, prompts of 1,000, tokens/s", "7b/long", "tokens_per_s", 1900),
    ("7b, one row, decode tokens/s", "7b/1", "decode_tokens_per_s", 200),
    ("1.1b, one row, decode tokens/s", "1b/1", "decode_tokens_per_s", 600),
]
STARTED = time.time()
results = {}


def say(*words):
    print(f"[{time.time() - STARTED:6.1f}]", *words, flush=True)


def run(command, timeout=240):
    """The output of a command, or None where it fails."""
    began = time.time()
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        say("more than", timeout, "s:", *command[:3])
        return None
    if done.returncode:
        say("exit code", done.returncode, done.stderr[-800:], done.stdout[-400:])
    say(f"{time.time() - began:.1f} s", " ".join(map(str, command))[-120:])
    return done.stdout if done.returncode == 0 else None


def checkpoint(name, demo, **changes):
    """A checkpoint with random weights; `changes` are other dimensions."""
    import numpy

    names = ("hidden", "layers", "heads", "kv_heads", "intermediate", "vocab")
    shape = dict(zip(names, SHAPES[name])) | changes
    folder = WORK / "-".join([name] + [f"{key}{value}" for key, value in sorted(changes.items())])
    if (folder / "config.json").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    hidden, kv = shape["hidden"], shape["kv_heads"] * (shape["hidden"] // shape["heads"])
    block = (numpy.random.default_rng(1).standard_normal(1 << 24, numpy.float32) * 0.02).view(numpy.uint32)
    block = (block >> 16).astype(numpy.uint16)
    one = numpy.full(hidden, 0x3F80, numpy.uint16)
    places, taken = {}, 0

    def numbers(count):
        nonlocal taken
        # The same numbers again and again, from another one on each time.
        start, taken = taken % (len(block) - 1), taken + 7919
        parts = [block[start:]] + [block] * (count // len(block) + 1)
        return numpy.concatenate(parts)[:count] if count > len(block) - start else block[start : start + count]

    def write(file, tensors):
        header, offset = {}, 0
        for key, dimensions in tensors.items():
            size = 2
            for dimension in dimensions:
                size *= dimension
            header[key] = {"dtype": "BF16", "shape": list(dimensions), "data_offsets": [offset, offset + size]}
            offset += size
            places[key] = file
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with open(folder / file, "wb") as out:
            out.write(len(text).to_bytes(8, "little") + text)
            for key, dimensions in tensors.items():
                count = header[key]["data_offsets"]
                values = one if len(dimensions) == 1 else numbers((count[1] - count[0]) // 2)
                out.write(values.tobytes())

    vocab, inner = shape["vocab"], shape["intermediate"]
    write("model-0.safetensors", {"model.embed_tokens.weight": (vocab, hidden), "lm_head.weight": (vocab, hidden),
                                  "model.norm.weight": (hidden,)})
    for layer in range(shape["layers"]):
        prefix = f"model.layers.{layer}."
        write(f"model-{layer + 1}.safetensors", {
            prefix + "self_attn.q_proj.weight": (hidden, hidden), prefix + "self_attn.k_proj.weight": (kv, hidden),
            prefix + "self_attn.v_proj.weight": (kv, hidden), prefix + "self_attn.o_proj.weight": (hidden, hidden),
            prefix + "mlp.gate_proj.weight": (inner, hidden), prefix + "mlp.up_proj.weight": (inner, hidden),
            prefix + "mlp.down_proj.weight": (hidden, inner), prefix + "input_layernorm.weight": (hidden,),
            prefix + "post_attention_layernorm.weight": (hidden,)})
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    for file in ("tokenizer.json", "tokenizer_config.json"):
        (folder / file).write_bytes((pathlib.Path(demo) / file).read_bytes())
    (folder / "generation_config.json").write_text(json.dumps({"bos_token_id": 1, "eos_token_id": 2}))
    (folder / "config.json").write_text(json.dumps({
        "architectures": ["MistralForCausalLM"], "model_type": "mistral", "sliding_window": None, "hidden_size": hidden,
        "num_hidden_layers": shape["layers"], "num_attention_heads": shape["heads"], "hidden_act": "silu",
        "num_key_value_heads": shape["kv_heads"], "intermediate_size": inner, "vocab_size": vocab,
        "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": False,
        "torch_dtype": "bfloat16", "bos_token_id": 1, "eos_token_id": 2}))
    return folder


def prompts(name, count, lengths, vocab=1000):
    """A file of prompts of random tokens, of these lengths in turn."""
    import random

    draw = random.Random(1)
    file = WORK / f"{name}.json"
    WORK.mkdir(parents=True, exist_ok=True)
    made = [[draw.randrange(3, vocab) for _ in range(lengths[at % len(lengths)])] for at in range(count)]
    file.write_text(json.dumps(made))
    return file


# Lengths of GSM8K's questions in the Alpaca template: 115 tokens on average.
QUESTIONS = [70, 84, 95, 101, 108, 115, 121, 130, 146, 180]


def work(options, folder, file, rows, new, *, limit=None, dtype="bf16", completions=None):
    # Matrices in 8 bits, the rest in bf16.
    numbers = ["--q8"] if dtype == "q8_0" else ["--dtype", dtype]
    command = [options.workload, folder, "--prompts", file, "--rows", rows, "--new-tokens", new, "--ignore-eos",
               "--device", "cuda", *numbers]
    command += ["--limit", limit] if limit else []
    command += ["--completions", completions] if completions else []
    out = run(command)
    return json.loads(out) if out else None


def kernels(options):
    if options.tests:
        out = run([options.tests, "cuda::", "--ignored", "--test-threads", "1"], 500)
        results["kernels"] = bool(out)
        say("tests on the GPU:", "passed" if out else "FAILED")


def start(options):
    for which in ("first", "second"):
        began = time.time()
        run([options.mwpbench, "eval", "--model", options.model, "--device", "cuda", "--output-dir", WORK / which, "--quiet"])
        results[f"start/{which}"] = time.time() - began


def parity(options):
    def texts(folder):
        file = glob.glob(f"{folder}/**/completions.jsonl", recursive=True)[0]
        return {record["id"]: record["completion"] for record in map(json.loads, open(file, encoding="utf-8"))}

    for cpu in options.cpu_run:
        dtype = cpu.rstrip("/").rsplit("-", 1)[1]
        folder = WORK / f"demo-{dtype}"
        if run([options.mwpbench, "eval", "--model", options.model, "--device", "cuda", "--dtype", dtype, "--output-dir", folder]):
            found, expected = texts(folder), texts(cpu)
            equal = sum(found[key] == expected[key] for key in expected)
            results[f"parity/{dtype}"] = [equal, len(expected)]
            say(dtype, "equal to the CPU:", equal, "of", len(expected))


def invariance(options):
    plain = prompts("invariance", 256, QUESTIONS)
    turned = WORK / "turned.json"
    turned.write_text(json.dumps(json.loads(plain.read_text())[::-1]))
    for name, folder, dtype, new in [("demo", options.model, "f32", 64), ("demo", options.model, "bf16", 64),
                                     ("7b", checkpoint("7b", options.model), "bf16", 48),
                                     ("1b", checkpoint("1b", options.model), "q8_0", 48)]:
        found = {}
        for rows in (256, 64, 7, 1):
            # One row after the other takes long: the first prompts are enough.
            limit = {7: 56, 1: 12}.get(rows)
            file = WORK / "found.json"
            if work(options, folder, plain, rows, new, limit=limit, dtype=dtype, completions=file):
                found[rows] = json.loads(file.read_text())
        file = WORK / "found.json"
        if work(options, folder, turned, 64, new, dtype=dtype, completions=file):
            found["turned"] = json.loads(file.read_text())[::-1]
        most = found.get(256, [])
        equal = {str(key): sum(a == b for a, b in zip(value, most)) for key, value in found.items()}
        results[f"invariance/{name}/{dtype}"] = equal
        say("the same as in a batch of 256:", name, dtype, {key: (equal[str(key)], len(found[key])) for key in found})


def profile(options):
    """Milliseconds of a decode step, from two runs that differ in their new tokens."""
    def step(folder, file, rows):
        short, long = (work(options, folder, file, rows, new, limit=rows) for new in (16, 80))
        return (long["seconds"] - short["seconds"]) / 64 * 1e3 if short and long else None

    questions, short = prompts("questions", 256, QUESTIONS), prompts("short", 256, [2])
    for rows in (256, 1):
        for what, changes, file in [("all", {}, questions), ("16 layers", {"layers": 16}, questions),
                                    ("no feed-forward", {"intermediate": 128}, questions),
                                    ("no output matrix", {"vocab": 2048}, questions), ("short sequences", {}, short)]:
            milliseconds = step(checkpoint("7b", options.model, **changes), file, rows)
            results[f"profile/{rows}/{what}"] = milliseconds
            say(rows, "rows,", what, f"{milliseconds:.2f} ms a step" if milliseconds else "failed")


def speed(options):
    questions, long = prompts("questions", 256, QUESTIONS), prompts("long", 64, [1000])
    for name in ("7b", "1b"):
        folder = checkpoint(name, options.model)
        for rows, count, new in [(256, 256, 128), (64, 256, 128), (1, 4, 64)]:
            results[f"{name}/{rows}"] = work(options, folder, questions, rows, new, limit=count)
            say(name, rows, results[f"{name}/{rows}"])
        if name == "7b":
            results["7b/long"] = work(options, folder, long, 64, 128)
            say("64 rows, prompts of 1,000 tokens:", results["7b/long"])
            for rows, count, new in [(256, 256, 128), (1, 4, 64)]:
                found = work(options, folder, questions, rows, new, limit=count, dtype="q8_0")
                results[f"7b/{rows}/q8_0"] = found
                say("7b in 8 bits", rows, found)


def table():
    for what, key, field, target in TARGETS:
        found = (results.get(key) or {}).get(field)
        if found:
            print(f"{what:40} {found:10.0f}  target {target:6}  {'reached' if found >= target else 'MISSED'}")
    if "start/first" in results:
        first = results["start/first"]
        print(f"{'demo, first start, s':40} {first:10.1f}  target    < 3  {'reached' if first < 3 else 'MISSED'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps")
    for flag in ("--mwpbench", "--workload", "--model", "--out"):
        parser.add_argument(flag, required=True)
    parser.add_argument("--tests")
    parser.add_argument("--cpu-run", action="append", default=[])
    options = parser.parse_args()
    steps = {step.__name__: step for step in (kernels, start, parity, invariance, profile, speed)}
    os.makedirs(options.out, exist_ok=True)
    for name in options.steps.split("+"):
        if name not in steps:
            parser.error(f"no step is named {name}")
    for name in options.steps.split("+"):
        say("==", name)
        steps[name](options)
        # After each step: what was measured stays if the machine goes.
        pathlib.Path(options.out, "results.json").write_text(json.dumps(results, indent=1))
    table()


if __name__ == "__main__":
    main()
