"""Random tiny checkpoints of every published kind, and what transformers answers with them.

    python variants.py write       with transformers 4.57: the checkpoints in its layout
    python variants.py write       with transformers 5: the other checkpoints, and the answers of all
    python variants.py compare     with either: how far its answers are from those recorded

Names may follow, to take only these. See README.md.
"""

import argparse
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import torch
import transformers
from transformers import (
    AutoModelForCausalLM, Gemma3TextConfig, LlamaConfig, MistralConfig, MixtralConfig, Olmo2Config, Phi3Config, Qwen2Config,
    Qwen3Config, SmolLM3Config,
)

import common

OUTPUT = Path(__file__).parents[2] / "crates/inference/tests/fixtures/variants"
SMALL = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
         "num_key_value_heads": 2, "max_position_embeddings": 256}
LLAMA3_ROPE = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
               "original_max_position_embeddings": 64}
BF16 = torch.bfloat16


@dataclass
class Variant:
    """One checkpoint: `layout` is the version of transformers that writes it, `answers` the one that answers."""

    name: str
    layout: int
    config: type
    options: dict
    seed: int
    tokenizer: Callable = common.sentencepiece_style
    dtype: torch.dtype = torch.float32
    embedding: float = 1.0
    answers: int = 5
    tokenizer_class: str | None = None
    old_merges: bool = False
    padded: bool = False
    shards: str | None = None
    prompts: list = field(default_factory=list)
    # Called with the model and the folder, after everything is written.
    finish: Callable | None = None


def several_ends(model, folder):
    """As LLaMA 3: more than one end in generation_config.json, among them one that completions reach; sampling asked
    for, which greedy decoding has to overrule."""
    encoded = common.encode(folder, common.PROMPTS)
    completions = [common.greedy(common.load_model(folder), ids, eos=-1)[0] for _, ids, _ in encoded]
    end, turn_end = model.config.eos_token_id, model.config.vocab_size - 1

    def reached(token):
        """How many completions reach the token, where none does so at once."""
        places = [completion.index(token) for completion in completions if token in completion]
        return len(places) if places and min(places) >= 8 else 0

    often = max(range(model.config.vocab_size), key=lambda token: (min(reached(token), 4), -token))
    assert reached(often) >= 2, "no token suits: change the seed"
    common.write_json(folder / "generation_config.json", {
        "bos_token_id": model.config.bos_token_id, "do_sample": True,
        "eos_token_id": [end, turn_end, often], "temperature": 0.6, "top_p": 0.9,
        "transformers_version": transformers.__version__,
    })


def edit_config(change):
    """Changes config.json to what transformers reads but does not write."""
    def finish(_model, folder):
        path = folder / "config.json"
        config = json.loads(path.read_text())
        change(config)
        common.write_json(path, config)
    return finish


def idle_window(config):
    """Published Qwen2 configurations name a window that is not in use, and no layer types."""
    del config["layer_types"]
    config["sliding_window"] = 16


def yarn_by_hand(config):
    """The scaling as its publishers say to add it, with `type` for the kind."""
    del config["layer_types"]
    config["rope_scaling"] = {"factor": 4.0, "original_max_position_embeddings": 64, "type": "yarn"}


def by_pattern(config):
    """Published configurations of Gemma 3 give a pattern in place of the layers' types."""
    del config["layer_types"]
    config["sliding_window_pattern"] = 2


def metaspace():
    return common.sentencepiece_style(metaspace=True)


def controls():
    return common.sentencepiece_style(metaspace=True, controls=["[INST]", "[/INST]", "[TOOL_CALLS]"])


WIDE = {"head_dim": 16}
DYNAMIC = {"rope_type": "dynamic", "factor": 4.0}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "rope_theta": 10000.0}
INSTRUCTION = "<s>[INST] How many? [/INST] 12</s> then"
HEADERS = "<|start_header_id|>user<|end_header_id|>\n\nHow many?<|eot_id|> then"
CHAT = "<|im_start|>user\nHow many?<|im_end|>\n then"

VARIANTS = [
    Variant("llama1", 4, LlamaConfig, {"num_key_value_heads": None}, seed=201, tokenizer_class="LlamaTokenizerFast",
            old_merges=True, prompts=["How many?</s> then"]),
    # Embeddings so small that rms_norm_eps counts.
    Variant("llama2-gqa", 4, LlamaConfig, {"rms_norm_eps": 1e-5}, seed=102, dtype=torch.float16, embedding=0.03,
            old_merges=True),
    Variant("llama3", 4, LlamaConfig, {"rope_theta": 500000.0, "rms_norm_eps": 1e-5}, seed=203,
            tokenizer=common.tiktoken_style, dtype=BF16, finish=several_ends, prompts=[HEADERS]),
    Variant("llama31", 4, LlamaConfig, {**WIDE, "rope_theta": 500000.0, "rope_scaling": LLAMA3_ROPE}, seed=104,
            tokenizer=common.tiktoken_style, dtype=BF16),
    Variant("llama32-tied", 5, LlamaConfig, {
        **WIDE, "tie_word_embeddings": True, "rope_parameters": {**LLAMA3_ROPE, "rope_theta": 500000.0},
    }, seed=105, tokenizer=common.tiktoken_style, dtype=BF16),
    Variant("llama-mqa", 5, LlamaConfig, {"num_key_value_heads": 1}, seed=106, dtype=BF16),
    Variant("llama-head-dim", 5, LlamaConfig, {"head_dim": 12}, seed=107),
    Variant("llama-biased", 5, LlamaConfig, {"attention_bias": True, "mlp_bias": True}, seed=108),
    Variant("llama-linear", 4, LlamaConfig, {
        **WIDE, "rope_scaling": {"type": "linear", "rope_type": "linear", "factor": 4.0},
    }, seed=109, dtype=BF16),
    Variant("llama-dynamic", 5, LlamaConfig, {
        **WIDE, "max_position_embeddings": 64, "rope_parameters": {**DYNAMIC, "rope_theta": 10000.0},
    }, seed=210, tokenizer=common.tiktoken_style, dtype=BF16),
    Variant("llama-dynamic-4", 4, LlamaConfig, {**WIDE, "max_position_embeddings": 64, "rope_scaling": DYNAMIC},
            seed=210, tokenizer=common.tiktoken_style, dtype=BF16, answers=4),
    Variant("llama-yarn", 5, LlamaConfig, {**WIDE, "rope_parameters": YARN}, seed=111,
            tokenizer=common.tiktoken_style, dtype=BF16),
    Variant("llama-yarn-full", 5, LlamaConfig, {**WIDE, "rope_parameters": {
        **YARN, "mscale": 1.3, "mscale_all_dim": 0.7, "beta_fast": 4.0, "beta_slow": 0.5, "truncate": False,
    }}, seed=112, tokenizer=metaspace, dtype=BF16),
    Variant("mistral1", 4, MistralConfig, {"sliding_window": 24, "rms_norm_eps": 1e-5}, seed=113, old_merges=True),
    Variant("mistral3", 4, MistralConfig, {
        "sliding_window": None, "head_dim": 16, "rope_theta": 1000000.0, "rms_norm_eps": 1e-5,
    }, seed=214, tokenizer=controls, dtype=BF16, padded=True, prompts=[INSTRUCTION]),
    Variant("qwen2", 4, Qwen2Config, {
        "tie_word_embeddings": True, "use_sliding_window": False, "max_window_layers": 1, "rope_theta": 1000000.0,
    }, seed=115, tokenizer=common.qwen_style, finish=edit_config(idle_window), prompts=[CHAT]),
    Variant("qwen2-window", 5, Qwen2Config, {
        "num_hidden_layers": 3, "use_sliding_window": True, "max_window_layers": 1, "sliding_window": 16,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0},
    }, seed=116, tokenizer=common.qwen_style, dtype=BF16),
    Variant("qwen2-yarn", 4, Qwen2Config, {"max_position_embeddings": 64, "rope_theta": 1000000.0}, seed=217,
            tokenizer=common.qwen_style, dtype=BF16, finish=edit_config(yarn_by_hand)),
    Variant("qwen3", 5, Qwen3Config, {
        "head_dim": 16, "attention_bias": False, "tie_word_embeddings": False,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0},
    }, seed=118, tokenizer=common.qwen_style, prompts=[CHAT]),
    Variant("qwen3-biased-tied", 4, Qwen3Config, {
        "head_dim": 16, "attention_bias": True, "tie_word_embeddings": True, "rope_theta": 1000000.0,
    }, seed=319, tokenizer=common.qwen_style, dtype=BF16, shards="24KB"),
    Variant("smollm3", 5, SmolLM3Config, {
        "num_hidden_layers": 4, "no_rope_layer_interval": 2, "tie_word_embeddings": True, "pad_token_id": None,
        "rope_parameters": {"rope_type": "default", "rope_theta": 2000000.0},
    }, seed=420, tokenizer=common.tiktoken_style, dtype=BF16),
    Variant("olmo2", 5, Olmo2Config, {
        "rope_parameters": {"rope_type": "default", "rope_theta": 500000.0}, "pad_token_id": None,
    }, seed=421, tokenizer=common.tiktoken_style),
    Variant("phi3", 5, Phi3Config, {
        "sliding_window": 24, "pad_token_id": None, "original_max_position_embeddings": 256,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
    }, seed=422, dtype=BF16),
    Variant("phi4-mini", 5, Phi3Config, {
        "num_attention_heads": 2, "num_key_value_heads": 1, "tie_word_embeddings": True, "pad_token_id": None,
        "max_position_embeddings": 4096, "original_max_position_embeddings": 256,
        "rope_parameters": {
            "rope_type": "longrope", "rope_theta": 10000.0, "partial_rotary_factor": 0.75,
            "short_factor": [1.0, 1.05, 1.1, 1.2, 1.3, 1.5], "long_factor": [1.0, 2.0, 4.0, 8.0, 16.0, 32.0],
            "original_max_position_embeddings": 256,
        },
    }, seed=423, tokenizer=common.tiktoken_style, dtype=BF16),
    Variant("gemma3", 5, Gemma3TextConfig, {
        "num_hidden_layers": 4, "head_dim": 16, "query_pre_attn_scalar": 24, "sliding_window": 24,
        "layer_types": ["sliding_attention", "sliding_attention", "full_attention", "sliding_attention"],
        "tie_word_embeddings": True, "pad_token_id": None,
        "rope_parameters": {
            "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000000.0},
            "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
        },
    }, seed=424, tokenizer=common.sentencepiece_style),
    # As published: bases and the pattern of windows in keys of their own.
    Variant("gemma3-4", 4, Gemma3TextConfig, {
        "num_hidden_layers": 4, "head_dim": 8, "query_pre_attn_scalar": 8, "sliding_window": 24,
        "sliding_window_pattern": 2, "rope_theta": 1000000.0, "rope_local_base_freq": 10000.0,
        "rope_scaling": {"rope_type": "linear", "factor": 8.0}, "tie_word_embeddings": True, "pad_token_id": None,
    }, seed=426, tokenizer=common.tiktoken_style, dtype=BF16, finish=edit_config(by_pattern)),
    Variant("phi3-4", 4, Phi3Config, {
        "pad_token_id": None, "max_position_embeddings": 4096, "original_max_position_embeddings": 256,
        "rope_theta": 10000.0, "rope_scaling": {
            "type": "longrope", "short_factor": [1.0, 1.1, 1.2, 1.5], "long_factor": [1.0, 2.0, 8.0, 32.0],
        },
    }, seed=428, dtype=BF16),
    # Prompts of both sides, and completions that cross the original context.
    Variant("longrope", 5, Phi3Config, {
        "pad_token_id": None, "max_position_embeddings": 1024, "original_max_position_embeddings": 64,
        "rope_parameters": {
            "rope_type": "longrope", "rope_theta": 10000.0, "short_factor": [1.0, 1.1, 1.2, 1.5],
            "long_factor": [1.5, 2.0, 8.0, 32.0], "original_max_position_embeddings": 64,
        },
    }, seed=429, tokenizer=common.tiktoken_style),
    Variant("mixtral", 5, MixtralConfig, {
        "intermediate_size": 24, "num_local_experts": 4, "num_experts_per_tok": 2,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0},
    }, seed=425),
]


def write_tokenizer(variant, tokenizer, config, folder):
    """tokenizer.json and tokenizer_config.json: as published in layout 4, as transformers saves them in layout 5."""
    if variant.layout == 5:
        common.save_tokenizer(tokenizer, config, folder)
        return
    if variant.tokenizer_class:
        config = {**config, "tokenizer_class": variant.tokenizer_class}
    common.write_json(folder / "tokenizer_config.json", config)
    content = json.loads(tokenizer.to_str())
    if variant.old_merges:
        content["model"]["merges"] = [" ".join(pair) for pair in content["model"]["merges"]]
        del content["model"]["ignore_merges"]
    common.write_json(folder / "tokenizer.json", content)


def write_checkpoint(variant, output=OUTPUT):
    tokenizer, tokenizer_config = variant.tokenizer()
    used = tokenizer.get_vocab_size()
    vocab_size = -(-used // 64) * 64 if variant.padded else used
    bos = tokenizer_config["bos_token"]
    config = variant.config(**{
        **SMALL, "vocab_size": vocab_size, "tie_word_embeddings": False,
        "bos_token_id": tokenizer.token_to_id(bos) if bos else None,
        "eos_token_id": tokenizer.token_to_id(tokenizer_config["eos_token"]), **variant.options,
    })
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager", dtype=torch.float32)
    common.randomize(model, variant.seed, variant.embedding, used if variant.padded else None).to(variant.dtype)
    folder = output / variant.name
    shutil.rmtree(folder, ignore_errors=True)
    options = {"max_shard_size": variant.shards} if variant.shards else {}
    model.save_pretrained(folder, safe_serialization=True, **options)
    write_tokenizer(variant, tokenizer, tokenizer_config, folder)
    if variant.finish:
        variant.finish(model, folder)
    common.readable(folder)


def answer(variant):
    folder = OUTPUT / variant.name
    encoded = common.encode(folder, common.PROMPTS + variant.prompts)
    cases = common.answers(variant.name, encoded, lambda dtype: common.load_model(folder, dtype))
    common.write_cases(folder / "expected.json", cases)
    common.readable(folder)
    print(f"{variant.name}: {common.size(folder)} bytes", flush=True)


def compare(variant):
    """Largest distances from the recorded logits, and how many cases differ in prompt ids and in tokens."""
    folder = OUTPUT / variant.name
    cases = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    ids = {prompt: ids for prompt, _, ids in common.encode(folder, [case["prompt"] for case in cases])}
    distances = []
    for case in cases[:2]:
        logits = common.last_logits(common.load_model(folder), case["prompt_ids"])
        distances.append((logits - torch.tensor(case["logits"])).abs().max().item())
    tokens = [common.greedy(common.load_model(folder), case["prompt_ids"])[0] for case in cases]
    other_ids = [case["prompt"] for case in cases if ids[case["prompt"]] != case["prompt_ids"]]
    other_tokens = sum(new != case["tokens"] for new, case in zip(tokens, cases))
    lengths = " ".join(f"{len(case['prompt_ids']):4}" for case in cases[:2])
    print(f"{variant.name:18} {lengths}   {distances[0]:9.2e} {distances[1]:9.2e}   "
          f"{other_tokens:2} of {len(cases)}   {other_ids or ''}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["write", "compare"])
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    common.quiet()
    chosen = [variant for variant in VARIANTS if not arguments.names or variant.name in arguments.names]
    if arguments.action == "compare":
        print(f"transformers {transformers.__version__}: length of the two prompts, largest difference of their "
              "logits, cases with other tokens, prompts with other ids")
        for variant in chosen:
            compare(variant)
        return
    for variant in chosen:
        if variant.layout == common.MAJOR:
            write_checkpoint(variant)
    for variant in chosen:
        if variant.answers == common.MAJOR:
            answer(variant)


if __name__ == "__main__":
    main()
