"""Make the random-weight checkpoints and their prompts.

    make_checkpoints.py FOLDER --gsm8k FOLDER_WITH_TRAIN_AND_TEST_JSONL

Writes into FOLDER:
    prompts.json      the GSM8K test questions in the Alpaca template
    prompt_ids.json   the same as token ids
    small/, 1b/       LLaMA checkpoints in bf16, both with the tokenizer trained here on GSM8K
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from make_prompts import TEMPLATE, prompt

VOCABULARY = 32_000
CONTEXT = 2_048
SPECIAL = ["<unk>", "<s>", "</s>"]
BOS_ID, EOS_ID = 1, 2
SPACE = "\u2581"
SEED = 7
STANDARD_DEVIATION = 0.02


@dataclass
class Shape:
    name: str
    hidden: int
    layers: int
    heads: int
    key_value_heads: int
    intermediate: int

    @property
    def key_value_size(self):
        return self.hidden // self.heads * self.key_value_heads


SHAPES = [Shape("small", 768, 12, 12, 12, 2048), Shape("1b", 2048, 22, 32, 4, 5632)]


def records(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def train_vocabulary(texts):
    """Vocabulary (filled up to its size with pieces that never occur) and merges of a byte-fallback BPE."""
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    tokenizer = Tokenizer(models.BPE(unk_token=SPECIAL[0], byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend(SPACE), normalizers.Replace(" ", SPACE)])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(SPACE, "merged_with_next")  # no merges across words
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=SPECIAL + bytes_, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    vocabulary = model["vocab"]
    for number in range(VOCABULARY - len(vocabulary)):
        vocabulary[f"{SPACE}<dummy_{number}>"] = len(vocabulary)
    return vocabulary, model["merges"]


def llama_tokenizer(vocabulary, merges):
    """A tokenizer in the layout of LLaMA's tokenizer.json: <s> goes before every text."""
    bos, text = {"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}
    state = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": index,
                "content": token,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for index, token in enumerate(SPECIAL)
        ],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Prepend", "prepend": SPACE},
                {"type": "Replace", "pattern": {"String": " "}, "content": SPACE},
            ],
        },
        "pre_tokenizer": None,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [bos, text],
            "pair": [bos, text, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [BOS_ID], "tokens": ["<s>"]}},
        },
        "decoder": {
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
                {"type": "ByteFallback"},
                {"type": "Fuse"},
                {"type": "Strip", "content": " ", "start": 1, "stop": 0},
            ],
        },
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": SPECIAL[0],
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": True,
            "byte_fallback": True,
            "ignore_merges": False,
            "vocab": vocabulary,
            "merges": merges,
        },
    }
    return Tokenizer.from_str(json.dumps(state))


def random_weights(shape):
    """Normal bf16 matrices, norms of one, under the names of the Hugging Face layout."""
    generator = torch.Generator().manual_seed(SEED)

    def matrix(rows, columns):
        return (torch.randn(rows, columns, generator=generator) * STANDARD_DEVIATION).to(torch.bfloat16)

    def norm():
        return torch.ones(shape.hidden, dtype=torch.bfloat16)

    hidden, intermediate, key_value_size = shape.hidden, shape.intermediate, shape.key_value_size
    weights = {
        "model.embed_tokens.weight": matrix(VOCABULARY, hidden),
        "lm_head.weight": matrix(VOCABULARY, hidden),
        "model.norm.weight": norm(),
    }
    for layer in range(shape.layers):
        prefix = f"model.layers.{layer}."
        weights[prefix + "self_attn.q_proj.weight"] = matrix(hidden, hidden)
        weights[prefix + "self_attn.o_proj.weight"] = matrix(hidden, hidden)
        weights[prefix + "self_attn.k_proj.weight"] = matrix(key_value_size, hidden)
        weights[prefix + "self_attn.v_proj.weight"] = matrix(key_value_size, hidden)
        weights[prefix + "mlp.gate_proj.weight"] = matrix(intermediate, hidden)
        weights[prefix + "mlp.up_proj.weight"] = matrix(intermediate, hidden)
        weights[prefix + "mlp.down_proj.weight"] = matrix(hidden, intermediate)
        weights[prefix + "input_layernorm.weight"] = norm()
        weights[prefix + "post_attention_layernorm.weight"] = norm()
    return weights


def model_config(shape):
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": shape.hidden,
        "intermediate_size": shape.intermediate,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.key_value_heads,
        "vocab_size": VOCABULARY,
        "max_position_embeddings": CONTEXT,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "hidden_act": "silu",
        "bos_token_id": BOS_ID,
        "eos_token_id": EOS_ID,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "use_cache": True,
        "attention_bias": False,
        "mlp_bias": False,
    }


def tokenizer_config():
    special = {"unk_token": SPECIAL[0], "bos_token": SPECIAL[1], "eos_token": SPECIAL[2], "pad_token": SPECIAL[0]}
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": CONTEXT,
        "padding_side": "left",
        **special,
    }


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")


def write_checkpoint(folder, shape, tokenizer):
    folder.mkdir(parents=True, exist_ok=True)
    weights = random_weights(shape)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    write_json(folder / "config.json", model_config(shape))
    write_json(folder / "generation_config.json", {"bos_token_id": BOS_ID, "eos_token_id": EOS_ID})
    write_json(folder / "tokenizer_config.json", tokenizer_config())
    tokenizer.save(str(folder / "tokenizer.json"))
    parameters = sum(tensor.numel() for tensor in weights.values())
    print(f"{folder}: {parameters / 1e6:.0f} M parameters")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--gsm8k", type=Path, required=True, help="folder with train.jsonl and test.jsonl")
    options = arguments.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)

    train, test = records(options.gsm8k / "train.jsonl"), records(options.gsm8k / "test.jsonl")
    texts = [row["question"] + "\n" + row["answer"] for row in train + test] + [TEMPLATE.replace("{question}", "{q}")]
    tokenizer = llama_tokenizer(*train_vocabulary(texts))
    prompts = [prompt(row["question"]) for row in test]
    prompt_ids = [encoding.ids for encoding in tokenizer.encode_batch(prompts)]
    write_json(options.folder / "prompts.json", prompts)
    (options.folder / "prompt_ids.json").write_text(json.dumps(prompt_ids))
    print(f"{len(prompts)} prompts; the first 64 have {sum(map(len, prompt_ids[:64]))} tokens")
    for shape in SHAPES:
        write_checkpoint(options.folder / shape.name, shape, tokenizer)


if __name__ == "__main__":
    main()
