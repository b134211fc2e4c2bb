"""OpenVINO GenAI on a workload: its continuous batching pipeline.

    ov_genai.py OPENVINO_FOLDER --prompts FILE.json --rows N --new-tokens N [--limit N] [--ignore-eos]
                [--dtype bf16|f32] [--prefix-cache] [--kv-cache u8|bf16|f16|f32] [--compiled FOLDER] [--threads 2]
                [--workload NAME] [--first-token]

Prints one JSON line. A short warm-up goes before the clock; with --prefix-cache it leaves the beginning that all
prompts share in the cache.
"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import openvino
import openvino_genai

import common

STEP_TOKENS = 4_096


def load(options):
    scheduler = openvino_genai.SchedulerConfig()
    scheduler.max_num_seqs = options.rows
    scheduler.max_num_batched_tokens = STEP_TOKENS
    scheduler.dynamic_split_fuse = True
    scheduler.enable_prefix_caching = options.prefix_cache
    scheduler.cache_size = options.cache_gib
    properties = {
        "INFERENCE_NUM_THREADS": options.threads,
        "INFERENCE_PRECISION_HINT": options.dtype,
        "NUM_STREAMS": 1,
    }
    if options.kv_cache:
        properties["KV_CACHE_PRECISION"] = options.kv_cache
    if options.compiled:
        properties["CACHE_DIR"] = str(options.compiled)
    return openvino_genai.ContinuousBatchingPipeline(str(options.checkpoint), scheduler, "CPU", properties)


def greedy(pipeline, new_tokens, ignore_eos):
    """Greedy decoding, with the end of sequence that the folder names."""
    config = pipeline.get_config()
    config.do_sample = False
    config.max_new_tokens = new_tokens
    config.ignore_eos = ignore_eos
    config.min_new_tokens = new_tokens if ignore_eos else 0
    return config


def continue_all(pipeline, prompts, new_tokens, ignore_eos, context):
    """New token ids of each prompt."""
    inputs = [openvino.Tensor(np.array([prompt], dtype=np.int64)) for prompt in prompts]
    configs = [greedy(pipeline, min(new_tokens, context - len(prompt)), ignore_eos) for prompt in prompts]
    return pipeline.generate(inputs, configs)


def tokens(results):
    return [result.m_generation_ids[0] for result in results]


def continue_one_by_one(pipeline, job, context):
    """New token ids of each prompt, and the seconds from each first token to the last, added up."""
    completions, decode_seconds = [], 0.0
    for prompt in job.prompts:
        results = continue_all(pipeline, [prompt], job.new_tokens, job.ignore_eos, context)
        metrics = results[0].perf_metrics
        decode_seconds += (metrics.get_generate_duration().mean - metrics.get_ttft().mean) / 1000
        completions += tokens(results)
    return completions, decode_seconds


def compile_once(options):
    """Fill the folder of compiled models, in another process so that this one starts cold."""
    if options.compiled and not (options.compiled.is_dir() and any(options.compiled.iterdir())):
        options.compiled.mkdir(parents=True, exist_ok=True)
        (options.compiled / "begun").touch()
        subprocess.run([sys.executable, *sys.argv], check=True, stdout=subprocess.DEVNULL)


def variant(options):
    parts = []
    if options.prefix_cache:
        parts.append("prefix cache")
    if options.kv_cache:
        parts.append(f"{options.kv_cache} key-value cache")
    if options.compiled:
        parts.append("compiled before")
    return ", ".join(parts)


def main():
    arguments = common.parser(__doc__)
    arguments.add_argument("--prefix-cache", action="store_true", help="keep and reuse what prompts begin with")
    arguments.add_argument("--kv-cache", help="precision of the key-value cache [default: what the folder says]")
    arguments.add_argument("--cache-gib", type=int, default=0, help="size of the key-value cache [default: as needed]")
    arguments.add_argument("--compiled", type=Path, help="folder where OpenVINO keeps compiled models")
    options = arguments.parse_args()
    job = common.Job(options)
    context = common.context_length(options.checkpoint)
    if options.first_token:
        compile_once(options)
        common.read_once(options.checkpoint)
        if options.compiled:
            common.read_once(options.compiled)

    began = time.perf_counter()
    pipeline = load(options)
    if not options.first_token:
        continue_all(pipeline, job.warm_up_prompts, 3, job.ignore_eos, context)
        began = time.perf_counter()
    if job.rows == 1:
        completions, decode_seconds = continue_one_by_one(pipeline, job, context)
    else:
        completions = tokens(continue_all(pipeline, job.prompts, job.new_tokens, job.ignore_eos, context))
        decode_seconds = None
    seconds = time.perf_counter() - began
    job.report("OpenVINO GenAI", completions, seconds, decode_seconds, variant(options))


if __name__ == "__main__":
    main()
