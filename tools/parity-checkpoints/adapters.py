"""Two random tiny bases, PEFT adapters of several kinds for them and for some of the variants, and what the merged
models answer.

    python adapters.py [NAME...]       (torch, transformers 5, peft)

See README.md.
"""

import json
import os
import shutil
import sys
from pathlib import Path

import torch
from peft import IA3Config, LoraConfig, PeftModel, get_peft_model
from tokenizers import AddedToken
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

import common

OUTPUT = Path(__file__).parents[2] / "crates/inference/tests/fixtures/adapters"
PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj"]
ADDED = [AddedToken("<|step|>", special=True, normalized=False), "####", "answer:"]
ADDED_PROMPTS = ["<|step|>How many apples? #### 12", "The answer: 12 answer:345<|step|>"]

# Name: base, and the configuration of the adapter.
ADAPTERS = {
    "lora": ("base", LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"])),
    "lora-all": ("base", LoraConfig(r=8, lora_alpha=16, target_modules="all-linear")),
    "rslora": ("base", LoraConfig(r=4, lora_alpha=4, use_rslora=True, target_modules=PROJECTIONS)),
    "dora": ("base", LoraConfig(r=4, lora_alpha=8, use_dora=True, target_modules="all-linear")),
    # Keys match the end of a module's name, from a dot on; the first of the file that matches counts.
    "patterns": ("base", LoraConfig(
        r=4, lora_alpha=8, target_modules=[*PROJECTIONS, "up_proj"], layers_to_transform=[1],
        rank_pattern={r"^model\.layers\.1\.self_attn\.q_proj": 2, r"layers\.\d+\.self_attn\.k_proj": 3, "v_proj": 6,
                      "proj": 7},
        alpha_pattern={"(q|k)_proj": 12, "k_proj": 99, r".*up_.*": 5, "layers.0.self_attn.o_proj": 77},
    )),
    "lora-negative": ("base", LoraConfig(
        r=4, lora_alpha=8, target_modules=r".*\.(q|k|v|down)_proj",
        exclude_modules=["layers.0.self_attn.k_proj", "down_proj"],
    )),
    "saved": ("base", LoraConfig(
        r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"], modules_to_save=["lm_head", "embed_tokens"],
    )),
    "added-tokens": ("base", LoraConfig(
        r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"], modules_to_save=["embed_tokens", "lm_head"],
    )),
    "embedding": ("base", LoraConfig(r=4, lora_alpha=8, target_modules=["embed_tokens", "lm_head", "q_proj"])),
    "trainable-tokens": ("base", LoraConfig(
        r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"], trainable_token_indices=[1, 261, 289, 310],
    )),
    "bias": ("base-biased", LoraConfig(r=4, lora_alpha=8, bias="lora_only", target_modules=["q_proj", "o_proj"])),
    # Another kind of adapter.
    "ia3": ("base", IA3Config(target_modules=["k_proj", "v_proj", "down_proj"], feedforward_modules=["down_proj"])),
    # Families with fused matrices, norms behind the blocks, experts.
    "phi3-all": ("../variants/phi3", LoraConfig(r=4, lora_alpha=8, target_modules="all-linear")),
    "gemma3-all": ("../variants/gemma3", LoraConfig(r=4, lora_alpha=8, target_modules="all-linear")),
    "olmo2-all": ("../variants/olmo2", LoraConfig(r=4, lora_alpha=8, target_modules="all-linear")),
    "mixtral-attention": ("../variants/mixtral", LoraConfig(r=4, lora_alpha=8, target_modules=PROJECTIONS)),
}


def write_base(name, seed, **options):
    tokenizer, tokenizer_config = common.sentencepiece_style()
    model = LlamaForCausalLM(LlamaConfig(
        hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        max_position_embeddings=256, vocab_size=tokenizer.get_vocab_size(), tie_word_embeddings=False, bos_token_id=1,
        eos_token_id=2, rope_parameters={"rope_type": "default", "rope_theta": 10000.0}, **options,
    ))
    folder = OUTPUT / name
    shutil.rmtree(folder, ignore_errors=True)
    common.randomize(model, seed).save_pretrained(folder)
    common.save_tokenizer(tokenizer, tokenizer_config, folder)
    common.readable(folder)
    print(f"{name}: {common.size(folder)} bytes")


def base_model(name, folder):
    """The base, by the name that adapter_config.json is to hold, with as many embeddings as the adapter's tokenizer."""
    model = common.load_model(name)
    if (folder / "tokenizer.json").exists():
        model.resize_token_embeddings(len(AutoTokenizer.from_pretrained(folder)), mean_resizing=False)
    return model


def randomize(model, seed):
    """Everything that training would change: factors, magnitudes, biases, copies of whole modules, single tokens."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            if not tensor.requires_grad:
                continue
            noise = torch.randn(tensor.shape)
            if "magnitude" in name or "ia3" in name:
                tensor.mul_(1 + 0.2 * noise)
            elif "modules_to_save" in name or "bias" in name or "trainable_tokens" in name:
                tensor.add_(0.3 * noise)
            elif "lora_A" in name or "lora_embedding_A" in name:
                tensor.copy_(noise / tensor.shape[1] ** 0.5)
            elif "lora_B" in name or "lora_embedding_B" in name:
                tensor.copy_(0.3 * noise)
            else:
                raise ValueError(name)


def write_adapter(name, seed):
    base, config = ADAPTERS[name]
    config.task_type = "CAUSAL_LM"
    folder = OUTPUT / name
    shutil.rmtree(folder, ignore_errors=True)
    if name == "added-tokens":
        tokenizer = AutoTokenizer.from_pretrained(base)
        tokenizer.add_tokens(ADDED)
        tokenizer.save_pretrained(folder)
    torch.manual_seed(seed)
    model = get_peft_model(base_model(base, folder), config)
    randomize(model, seed)
    if name == "rslora":
        # Adapters are often stored in less than f32.
        model.to(torch.bfloat16)
    model.save_pretrained(folder)
    (folder / "README.md").unlink()
    # Target modules are a set, in no order.
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    for key in ("target_modules", "exclude_modules", "feedforward_modules"):
        if isinstance(config.get(key), list):
            config[key].sort()
    common.write_json(path, config)


def merged(name, dtype=torch.float32):
    folder = OUTPUT / name
    model = PeftModel.from_pretrained(base_model(ADAPTERS[name][0], folder), folder)
    return model.merge_and_unload().eval().to(dtype)


def answer(name):
    base, folder = ADAPTERS[name][0], OUTPUT / name
    tokenizer = folder if (folder / "tokenizer.json").exists() else base
    encoded = common.encode(tokenizer, common.PROMPTS + (ADDED_PROMPTS if tokenizer == folder else []))
    cases = common.answers(name, encoded, lambda dtype: merged(name, dtype))
    common.write_cases(folder / "expected.json", cases)
    # How far the adapter takes the logits, and whether merging changes them.
    ids = cases[1]["prompt_ids"]
    logits = common.last_logits(merged(name), ids)
    apart = PeftModel.from_pretrained(base_model(base, folder), folder).eval()
    unmerged = (common.last_logits(apart, ids) - logits).abs().max()
    plain = common.last_logits(common.load_model(base), ids)
    distance = (logits[:len(plain)] - plain).abs().max()
    print(f"{name}: {common.size(folder)} bytes; logits {distance:.2f} from the base's, {unmerged:.1e} from unmerged",
          flush=True)


def main():
    common.quiet()
    OUTPUT.mkdir(parents=True, exist_ok=True)
    # Bases are loaded by relative names, which the adapters' configurations then hold.
    os.chdir(OUTPUT)
    names = sys.argv[1:] or list(ADAPTERS)
    if len(names) == len(ADAPTERS):
        write_base("base", seed=201)
        write_base("base-biased", seed=202, attention_bias=True)
    for seed, name in enumerate(ADAPTERS, start=301):
        if name not in names:
            continue
        while True:
            write_adapter(name, seed)
            try:
                if name != "ia3":
                    answer(name)
                break
            except common.Unclear:
                seed += 100
        common.readable(OUTPUT / name)


if __name__ == "__main__":
    main()
