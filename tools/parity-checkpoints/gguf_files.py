"""GGUF files of the variants and of a few checkpoints made for quantization, and what transformers answers with them.

    python gguf_files.py LLAMA_CPP_FOLDER [NAME ...]

LLAMA_CPP_FOLDER holds llama.cpp's convert_hf_to_gguf.py. Without names all files are written. See README.md.
"""

import argparse
import ctypes
import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import gguf
import llama_cpp
import torch
from gguf.quants import dequantize
from safetensors.torch import save_file
from sentencepiece import sentencepiece_model_pb2 as sentencepiece
from transformers import (
    AutoConfig, AutoModelForCausalLM, Gemma3TextConfig, LlamaConfig, MixtralConfig, Phi3Config, Qwen3Config,
    SmolLM3Config,
)

import common
import variants
from variants import Variant

OUTPUT = variants.OUTPUT.parent / "gguf"
CONVERTER = Path(__file__).parent / "official_converter.py"
CONVERTED = ("f32", "f16", "bf16", "q8_0")
QUANTIZED = {
    "Q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0, "Q4_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0,
    "Q4_1": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_1, "Q5_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q5_0,
    "Q5_1": llama_cpp.LLAMA_FTYPE_MOSTLY_Q5_1, "Q2_K": llama_cpp.LLAMA_FTYPE_MOSTLY_Q2_K,
    "Q3_K_M": llama_cpp.LLAMA_FTYPE_MOSTLY_Q3_K_M, "Q4_K_M": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M,
    "Q5_K_M": llama_cpp.LLAMA_FTYPE_MOSTLY_Q5_K_M, "Q6_K": llama_cpp.LLAMA_FTYPE_MOSTLY_Q6_K,
}
# What the converter calls the tokenizers with these patterns.
KINDS = {common.LLAMA3_PATTERN: "llama-bpe", common.QWEN2_PATTERN: "qwen2"}
ENDS = [f"tokenizer.ggml.{name}_token_id" for name in ("eos", "eot", "eom")]
# Architectures whose rows of queries and keys are for turning neighbours.
INTERLEAVED = {"llama", "smollm3"}
# Tensors that are settings.
SETTINGS = {"rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"}
SILENT = llama_cpp.llama_log_callback(lambda *_: None)
COMPARED = 16


@dataclass
class File:
    """One GGUF file, or its parts. `dtype` is the converter's if small, else one of llama.cpp's mixtures."""

    name: str
    source: Variant
    dtype: str
    tensors_in_part: int = 0
    # A tensor for each expert, as files of the first months of Mixtral have them.
    experts_apart: bool = False
    # Of llama.cpp's types, where the mixture would have another.
    embedding: int | None = None


complete = partial(common.sentencepiece_style, complete=True)

# Made for quantization: the types with K want rows that are multiples of 256, the others of 32. Where rows are shorter
# (here those of the output of attention, in `WIDE` of the MLP too) llama.cpp takes one of the others.
WHOLE = Variant("llama-k", 5, LlamaConfig, {
    "hidden_size": 256, "intermediate_size": 256, "num_hidden_layers": 1, "head_dim": 16, "tie_word_embeddings": True,
}, seed=401, tokenizer=complete)
WIDE = Variant("llama-wide", 5, LlamaConfig, {
    "hidden_size": 512, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
    "num_key_value_heads": 1, "head_dim": 16, "tie_word_embeddings": True,
}, seed=402, tokenizer=complete)
SMALL = Variant("llama-q", 5, LlamaConfig, {
    "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1,
}, seed=403, tokenizer=complete, prompts=["How many?</s> then"])
QWEN3 = Variant("qwen3-q", 5, Qwen3Config, {
    "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 1, "head_dim": 32, "attention_bias": False,
}, seed=404, tokenizer=common.qwen_style, prompts=[variants.CHAT])
# What llama.cpp does not read from a file is as published: every fourth layer without positions, every sixth with all
# positions in sight, scores by the width of a head.
SMOLLM3 = Variant("smollm3-g", 5, SmolLM3Config, {
    "num_hidden_layers": 4, "tie_word_embeddings": True, "pad_token_id": None,
    "rope_parameters": {"rope_type": "default", "rope_theta": 2000000.0},
}, seed=430, tokenizer=common.tiktoken_style, dtype=torch.bfloat16)
GEMMA3 = Variant("gemma3-g", 5, Gemma3TextConfig, {
    "num_hidden_layers": 7, "head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 24,
    "tie_word_embeddings": True, "pad_token_id": None, "rope_parameters": {
        "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000000.0},
        "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
    },
}, seed=431, tokenizer=partial(complete, prefix=False))
MIXTRAL = Variant("mixtral-q", 5, MixtralConfig, {
    "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1, "num_local_experts": 4,
    "num_experts_per_tok": 2, "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0},
}, seed=432, tokenizer=complete)
# As Phi-3's, whose name llama.cpp looks for.
TURNS = ["<|user|>", "<|end|>", "<|assistant|>"]
PHI3 = Variant("phi3-g", 5, Phi3Config, {
    "sliding_window": 512, "pad_token_id": None, "max_position_embeddings": 512,
    "original_max_position_embeddings": 512, "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
}, seed=433, tokenizer=partial(complete, controls=["<|endoftext|>", *TURNS], rstrip=["</s>", *TURNS]),
    dtype=torch.bfloat16, prompts=["<|user|>\n How many?<|end|>\n<|assistant|>\n The answer"])
PUBLISHED = {variant.name: variant for variant in variants.VARIANTS}

FILES = [
    File("llama2-gqa-f32", PUBLISHED["llama2-gqa"], "f32"),
    File("llama31-bf16", PUBLISHED["llama31"], "bf16"),
    File("llama-q-q8_0", SMALL, "Q8_0"),
    File("llama-k-q4_k_m", WHOLE, "Q4_K_M"),
    File("llama3-bf16", PUBLISHED["llama3"], "bf16"),
    File("llama32-tied-f16", PUBLISHED["llama32-tied"], "f16"),
    File("llama-linear-f32", PUBLISHED["llama-linear"], "f32"),
    File("llama-yarn-f32", PUBLISHED["llama-yarn"], "f32"),
    File("llama-biased-f32", PUBLISHED["llama-biased"], "f32"),
    File("mistral3-bf16", PUBLISHED["mistral3"], "bf16"),
    File("qwen2-f32", PUBLISHED["qwen2"], "f32"),
    File("qwen3-f32", PUBLISHED["qwen3"], "f32"),
    File("smollm3-bf16", SMOLLM3, "bf16"),
    File("olmo2-f32", PUBLISHED["olmo2"], "f32"),
    File("phi3-bf16", PHI3, "bf16"),
    File("phi4-mini-bf16", PUBLISHED["phi4-mini"], "bf16"),
    File("longrope-f32", PUBLISHED["longrope"], "f32"),
    File("gemma3-f32", GEMMA3, "f32"),
    File("mixtral-f32", PUBLISHED["mixtral"], "f32"),
    File("mixtral-q-q8_0", MIXTRAL, "q8_0"),
    File("mixtral-q-apart-q8_0", MIXTRAL, "q8_0", experts_apart=True),
    File("llama-mqa-split-bf16", PUBLISHED["llama-mqa"], "bf16", tensors_in_part=12),
    File("qwen3-q-q8_0", QWEN3, "q8_0"),
    *[File(f"llama-q-{dtype.lower()}", SMALL, dtype) for dtype in ("Q4_0", "Q4_1", "Q5_0", "Q5_1")],
    File("llama-k-q3_k_m", WHOLE, "Q3_K_M", embedding=llama_cpp.GGML_TYPE_Q3_K),
    File("llama-k-q2_k", WHOLE, "Q2_K", embedding=llama_cpp.GGML_TYPE_Q2_K),
    File("llama-wide-q5_k_m", WIDE, "Q5_K_M"),
    File("llama-wide-q6_k", WIDE, "Q6_K"),
]


def checkpoint(variant, folder):
    """A copy of the variant, or a new checkpoint, with the tokenizer in the form that the converter wants."""
    if variant.name in PUBLISHED:
        shutil.copytree(variants.OUTPUT / variant.name, folder / variant.name)
    else:
        variants.write_checkpoint(variant, folder)
    tokenizer = json.loads((folder / variant.name / "tokenizer.json").read_text(encoding="utf-8"))
    if tokenizer["model"]["byte_fallback"]:
        write_sentencepiece(tokenizer, folder / variant.name / "tokenizer.model")
    return folder / variant.name


def write_sentencepiece(tokenizer, path):
    """tokenizer.model as it lies beside the tokenizer.json of published checkpoints.

    A better score is merged first, so the scores fall in the order of the pieces, which is that of the merges.
    """
    kinds = sentencepiece.ModelProto.SentencePiece
    model = sentencepiece.ModelProto()
    controls = {token["content"] for token in tokenizer["added_tokens"]}
    pieces = sorted(tokenizer["model"]["vocab"].items(), key=lambda entry: entry[1])
    first = next(index for piece, index in pieces if piece not in controls and not piece.startswith("<0x"))
    for piece, index in pieces:
        kind = kinds.NORMAL if index >= first else kinds.CONTROL if piece in controls else kinds.BYTE
        if piece == tokenizer["model"]["unk_token"]:
            kind = kinds.UNKNOWN
        model.pieces.add(piece=piece, score=min(0, first - index), type=kind)
    model.trainer_spec.model_type = sentencepiece.TrainerSpec.BPE
    model.trainer_spec.byte_fallback = True
    model.trainer_spec.vocab_size = len(pieces)
    model.normalizer_spec.name = "identity"
    model.normalizer_spec.add_dummy_prefix = True
    model.normalizer_spec.remove_extra_whitespaces = False
    path.write_bytes(model.SerializeToString())


def kind_of_tokenizer(folder):
    """The converter's name for a byte-level tokenizer, by its pattern."""
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    if tokenizer["model"]["byte_fallback"]:
        return "-"
    return KINDS[tokenizer["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"]]


@contextmanager
def class_of_published(folder):
    """tokenizer_config.json as the converter wants it of a Phi-3 with a byte-level tokenizer, which it knows by its
    class."""
    path = folder / "tokenizer_config.json"
    saved = path.read_text(encoding="utf-8")
    model_type = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"]
    if model_type == "phi3" and kind_of_tokenizer(folder) != "-":
        common.write_json(path, {**json.loads(saved), "tokenizer_class": "GPT2Tokenizer"})
    yield
    path.write_text(saved, encoding="utf-8")


def convert(llama_cpp_folder, folder, dtype, path, tensors_in_part=0):
    command = [sys.executable, CONVERTER, llama_cpp_folder, kind_of_tokenizer(folder), folder, "--outtype", dtype,
               "--outfile", path, "--split-max-tensors", str(tensors_in_part)]
    with class_of_published(folder):
        result = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if result.returncode != 0:
        sys.exit(f"{result.stderr}\n{folder.name} cannot be converted")


def put_experts_apart(path):
    """The same file with `blk.0.ffn_up.2.weight` for the third expert of `blk.0.ffn_up_exps.weight`."""
    reader = gguf.GGUFReader(path, "r")
    architecture = reader.get_field("general.architecture").contents()
    copy = path.with_suffix(".apart")
    writer = gguf.GGUFWriter(copy, architecture)
    for field in reader.fields.values():
        if not field.name.startswith("GGUF.") and field.name != "general.architecture":
            kind = field.types[0]
            inner = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(field.name, field.contents(), kind, inner)
    for tensor in reader.tensors:
        matrices = {tensor.name: tensor.data}
        if "_exps." in tensor.name:
            matrices = {tensor.name.replace("_exps.", f".{expert}."): tensor.data[expert]
                        for expert in range(tensor.data.shape[0])}
        for name, data in matrices.items():
            writer.add_tensor(name, data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    copy.replace(path)


def quantize(source, file, path):
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = QUANTIZED[file.dtype]
    parameters.nthread = 1
    if file.embedding is not None:
        parameters.token_embedding_type = file.embedding
    if llama_cpp.llama_model_quantize(str(source).encode(), str(path).encode(), ctypes.byref(parameters)) != 0:
        sys.exit(f"{source} cannot be quantized")


def write_file(file, folder, llama_cpp_folder):
    """The paths of the file, or of its parts."""
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / f"{file.name}.gguf"
    if file.dtype in CONVERTED:
        convert(llama_cpp_folder, folder, file.dtype, path, file.tensors_in_part)
        if file.experts_apart:
            put_experts_apart(path)
    else:
        whole = folder.parent / "f32.gguf"
        convert(llama_cpp_folder, folder, "f32", whole)
        quantize(whole, file, path)
    common.readable(OUTPUT)
    return sorted(OUTPUT.glob(f"{file.name}-*-of-*.gguf")) if file.tensors_in_part else [path]


def halves(weights, heads):
    """Rows of queries and keys as transformers has them, turning halves of a head; llama.cpp turns neighbours."""
    split = weights.reshape(heads, weights.shape[0] // heads // 2, 2, *weights.shape[1:])
    return split.transpose(1, 2).reshape(weights.shape)


def dequantized(readers):
    tensors = [tensor for reader in readers for tensor in reader.tensors]
    return {tensor.name: torch.tensor(dequantize(tensor.data, tensor.tensor_type)) for tensor in tensors}


def experts(tensors, config):
    """The feed-forward blocks of Mixtral as published: a matrix for each expert."""
    weights = {}
    for layer in range(config.num_hidden_layers):
        block = f"model.layers.{layer}.block_sparse_moe"
        weights[f"{block}.gate.weight"] = tensors.pop(f"blk.{layer}.ffn_gate_inp.weight").contiguous()
        for part, name in (("gate", "w1"), ("down", "w2"), ("up", "w3")):
            together = tensors.pop(f"blk.{layer}.ffn_{part}_exps.weight", None)
            if together is None:
                experts = range(config.num_local_experts)
                together = [tensors.pop(f"blk.{layer}.ffn_{part}.{expert}.weight") for expert in experts]
            for expert, matrix in enumerate(together):
                weights[f"{block}.experts.{expert}.{name}.weight"] = matrix.contiguous()
    return weights


def write_truth(readers, source, folder):
    """A checkpoint in f32 with the weights of the GGUF file, the ends that it names, and the source's configuration."""
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(source / name, folder)
    config = AutoConfig.from_pretrained(source)
    architecture = readers[0].get_field("general.architecture").contents()
    names = gguf.get_tensor_name_map(
        {name: key for key, name in gguf.MODEL_ARCH_NAMES.items()}[architecture], config.num_hidden_layers,
    )
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    tensors = dequantized(readers)
    weights = experts(tensors, config) if config.model_type == "mixtral" else {}
    for name, parameter in AutoModelForCausalLM.from_config(config).named_parameters():
        if config.model_type == "mixtral" and ".mlp." in name:
            continue
        tensor = tensors.pop(names.get_name(name, try_suffixes=(".weight", ".bias")))
        part = name.split(".")[-2]
        if architecture in INTERLEAVED and part in heads:
            tensor = halves(tensor, heads[part])
        if architecture == "gemma3" and name.endswith("norm.weight"):
            tensor = tensor - 1
        assert tensor.shape == parameter.shape, name
        weights[name] = tensor.contiguous()
    assert set(tensors) <= SETTINGS, list(tensors)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    fields = [readers[0].get_field(name) for name in ENDS]
    ends = [int(field.contents()) for field in fields if field]
    common.write_json(folder / "generation_config.json", {"eos_token_id": ends})
    return ends


class LlamaCpp:
    """A GGUF file in llama.cpp: its vocabulary, and its weights too if asked for."""

    def __init__(self, path, vocab_only=True):
        parameters = llama_cpp.llama_model_default_params()
        parameters.vocab_only = vocab_only
        # Weights stay as they are stored; repacked ones want instructions that not every virtual machine allows.
        parameters.use_extra_bufts = False
        self.model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
        assert self.model, path
        self.vocabulary = llama_cpp.llama_model_get_vocab(self.model)

    def tokenize(self, text):
        """Ids with the special tokens that the file asks for; special tokens in the text are read as such."""
        text = text.encode()
        ids = (llama_cpp.llama_token * (len(text) + 8))()
        return ids[:llama_cpp.llama_tokenize(self.vocabulary, text, len(text), ids, len(ids), True, True)]

    def ends(self):
        ids = range(llama_cpp.llama_vocab_n_tokens(self.vocabulary))
        return [index for index in ids if llama_cpp.llama_vocab_is_eog(self.vocabulary, index)]

    def greedy(self, ids, count):
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx, parameters.n_threads, parameters.n_threads_batch = 256, 1, 1
        parameters.type_k = parameters.type_v = llama_cpp.GGML_TYPE_F32
        parameters.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        context = llama_cpp.llama_init_from_model(self.model, parameters)
        size, tokens = llama_cpp.llama_vocab_n_tokens(self.vocabulary), []
        while len(tokens) < count:
            batch = (llama_cpp.llama_token * len(ids))(*ids)
            assert llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one(batch, len(ids))) == 0
            logits = llama_cpp.llama_get_logits_ith(context, -1)[:size]
            ids = [max(range(size), key=logits.__getitem__)]
            tokens += ids
        llama_cpp.llama_free(context)
        return tokens


def add_other_ids(path, cases):
    """`llama_cpp_ids` where llama.cpp's own tokenizer gives other ids."""
    model = LlamaCpp(path)
    for case in cases:
        ids = model.tokenize(case["prompt"])
        if ids != case["prompt_ids"]:
            case["llama_cpp_ids"] = ids
            print(f"  other ids in llama.cpp: {case['prompt'][:60]!r}", flush=True)


def compare_with_variant(variant, cases):
    """Prints how far the answers are from those recorded for the variant."""
    recorded = json.loads((variants.OUTPUT / variant.name / "expected.json").read_text(encoding="utf-8"))
    tokens = {case["prompt"]: case["tokens"] for case in recorded}
    same = sum(tokens.get(case["prompt"]) == case["tokens"] for case in cases)
    begins = sum(case["tokens"][:len(tokens.get(case["prompt"], [-1]))] == tokens.get(case["prompt"]) for case in cases)
    distance = max((torch.tensor(case["logits"]) - torch.tensor(other["logits"])).abs().max().item()
                   for case, other in zip(cases[:2], recorded))
    print(f"  {same} of {len(cases)} answers are those recorded for the variant ({len(recorded)}), {begins} begin with "
          f"them; largest difference of logits {distance:.2e}", flush=True)


def compare_with_llama_cpp(path, cases, ends):
    """Prints how many of the first tokens llama.cpp gives too, and whether ends of its own would cut answers."""
    model = LlamaCpp(path, vocab_only=False)
    for case in cases[:2]:
        expected = case["tokens"][:COMPARED]
        tokens = model.greedy(case["prompt_ids"], len(expected))
        same = next((place for place, pair in enumerate(zip(tokens, expected)) if pair[0] != pair[1]), len(expected))
        print(f"  llama.cpp: the first {same} of {len(expected)} tokens are the same", flush=True)
    own = set(model.ends())
    cut = [case["prompt"] for case in cases if (own - set(ends)) & set(case["tokens"])]
    print(f"  ends {ends}, those of llama.cpp {sorted(own)}, answers with more of these: {cut}", flush=True)


def write(file, llama_cpp_folder):
    with tempfile.TemporaryDirectory() as temporary:
        temporary = Path(temporary)
        source = checkpoint(file.source, temporary)
        paths = write_file(file, source, llama_cpp_folder)
        truth = temporary / "truth"
        ends = write_truth([gguf.GGUFReader(path) for path in paths], source, truth)
        encoded = common.encode(truth, common.PROMPTS + file.source.prompts)
        cases = common.answers(file.name, encoded, lambda dtype: common.load_model(truth, dtype))
    if not file.experts_apart:
        add_other_ids(paths[0], cases)
    common.write_cases(OUTPUT / f"{file.name}.expected.json", cases)
    common.readable(OUTPUT)
    if file.source.name in PUBLISHED:
        compare_with_variant(file.source, cases)
    if not file.experts_apart:
        compare_with_llama_cpp(paths[0], cases, ends)
    print(f"  {sum(path.stat().st_size for path in paths)} bytes", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("llama_cpp_folder", type=Path)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    common.quiet()
    llama_cpp.llama_log_set(SILENT, ctypes.c_void_p(0))
    for file in FILES:
        if not arguments.names or file.name in arguments.names:
            write(file, arguments.llama_cpp_folder)


if __name__ == "__main__":
    main()
