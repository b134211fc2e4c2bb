"""Convert a LLaMA checkpoint in Hugging Face layout to GGUF, for llama.cpp.

    to_gguf.py CHECKPOINT_FOLDER OUTPUT.gguf bf16|f32

Enough for these benches: prompts go in as token ids, so the vocabulary is written but not the merges. RoPE scaling is
refused.
"""

import json
import sys
from pathlib import Path

import gguf
import torch
from safetensors.torch import load_file

FILE_TYPES = {"bf16": gguf.LlamaFileType.MOSTLY_BF16, "f32": gguf.LlamaFileType.ALL_F32}
GGUF_NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
UNKNOWN_ID, SPECIALS, BYTES = 0, 3, 256


def rope_theta(config):
    parameters = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if parameters.get("rope_type", "default") != "default":
        sys.exit(f"RoPE scaling {parameters['rope_type']} is not converted")
    return parameters.get("rope_theta", config.get("rope_theta", 10000.0))


def add_dimensions(writer, config, dtype):
    heads = config["num_attention_heads"]
    head_size = config.get("head_dim") or config["hidden_size"] // heads
    writer.add_name("bench")
    writer.add_file_type(FILE_TYPES[dtype])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(head_size)
    writer.add_value_length(head_size)
    writer.add_rope_dimension_count(head_size)
    writer.add_rope_freq_base(rope_theta(config))
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])


def token_type(index):
    if index == UNKNOWN_ID:
        return gguf.TokenType.UNKNOWN
    if index < SPECIALS:
        return gguf.TokenType.CONTROL
    return gguf.TokenType.BYTE if index < SPECIALS + BYTES else gguf.TokenType.NORMAL


def add_vocabulary(writer, folder, config):
    vocabulary = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    pieces = [f"<unused_{index}>" for index in range(config["vocab_size"])]
    for piece, index in vocabulary.items():
        pieces[index] = piece
    writer.add_tokenizer_model("llama")
    writer.add_token_list([piece.encode() for piece in pieces])
    writer.add_token_scores([-float(index) for index in range(len(pieces))])
    writer.add_token_types([token_type(index) for index in range(len(pieces))])
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])


def gguf_name(name):
    stem = name.removesuffix(".weight")
    if stem.startswith("model.layers."):
        _, _, layer, part = stem.split(".", 3)
        return f"blk.{layer}.{GGUF_NAMES[part]}.weight"
    return GGUF_NAMES[stem] + ".weight"


def interleaved(matrix, heads):
    """Rows of each head in the order of llama.cpp's RoPE, which turns neighbours instead of halves."""
    rows, columns = matrix.shape
    return matrix.view(heads, 2, rows // heads // 2, columns).transpose(1, 2).reshape(rows, columns)


def add_tensor(writer, name, tensor, config, dtype):
    if name.endswith("q_proj.weight"):
        tensor = interleaved(tensor, config["num_attention_heads"])
    if name.endswith("k_proj.weight"):
        tensor = interleaved(tensor, config["num_key_value_heads"])
    if tensor.ndim == 1 or dtype == "f32":
        writer.add_tensor(gguf_name(name), tensor.float().contiguous().numpy())
    else:
        raw = tensor.to(torch.bfloat16).contiguous().view(torch.uint8).numpy()
        writer.add_tensor(gguf_name(name), raw, raw_dtype=gguf.GGMLQuantizationType.BF16)


def main():
    if len(sys.argv) != 4 or sys.argv[3] not in FILE_TYPES:
        sys.exit(__doc__)
    folder, output, dtype = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    config = json.loads((folder / "config.json").read_text())
    output.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(str(output), "llama")
    add_dimensions(writer, config, dtype)
    add_vocabulary(writer, folder, config)
    for file in sorted(folder.glob("*.safetensors")):
        for name, tensor in load_file(file).items():
            add_tensor(writer, name, tensor, config, dtype)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
