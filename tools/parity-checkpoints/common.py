"""What both tools share: tokenizers, random weights, prompts, and the answers that tests expect."""

import json
import os

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

STEPS = 64
# Every greedy choice must be clear by this much, so that rounding cannot turn it.
MARGIN = 1e-3
CASES = 8
MAJOR = int(transformers.__version__.split(".")[0])

# The first two prompts are those whose logits are recorded: one of ordinary length, one longer than any window and any
# original context. The last ones are of several lengths, so that some cross these limits while generating.
PROMPTS = [
    "How many apples does Tom have now?",
    "Tom has 12 apples. The train travels 60 km in one hour, and then there are 345 more to go. On the other hand, "
    "what is 15% of 240? Give the answer as a fraction",
    "",
    "q",
    "小明有12个苹果，又买了7个。",
    " leading space\nand a new line\n\n",
    "naïve café 🍎 — cafe\u0301",
    "12 + 345 = 6789\n1,000.5%",
    "  two  spaces\tand a tab\r\n \r\n  x",
    "I'll say it's Tom's; WE'RE done",
    "The answer is",
    "x = \\frac{1}{2}, then there are three in the other one.",
    "the apple on the one hand, and then more apples on the other hand?",
    "\n",
]

# A few merges, so that words are more than their characters; " " stands for the space symbol.
MERGES = [
    ("t", "h"), ("th", "e"), (" ", "the"), ("a", "n"), ("i", "n"), ("e", "r"), (" ", "a"), (" a", "n"), (" an", "d"),
    ("o", "w"), (" ", "m"), (" m", "an"), (" man", "y"), ("a", "p"), ("l", "e"), ("ap", "p"), ("app", "le"),
    (" ", "apple"), (" apple", "s"), ("o", "n"), (" ", "on"), ("r", "e"), (" ", "h"), (" h", "a"), ("1", "2"),
    ("3", "4"), (" ", " "), ("  ", "  "),
]
CHARACTERS = "abcdefghijklmnopqrstuvwxyzATHI0123456789.,?+='小个é"

# The patterns that LLaMA 3 and Qwen2 publish in their tokenizer.json.
LLAMA3_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2_PATTERN = LLAMA3_PATTERN.replace(r"\p{N}{1,3}", r"\p{N}")


class Unclear(Exception):
    """Random weights whose greedy choices are not clear enough."""


def quiet():
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


def special(token, rstrip=False):
    return AddedToken(token, special=True, normalized=False, rstrip=rstrip)


def added_tokens_decoder(tokenizer, tokens, rstrip=()):
    """As published tokenizer_config.json files list the special tokens."""
    fields = {"lstrip": False, "normalized": False, "single_word": False, "special": True}
    return {str(tokenizer.token_to_id(token)): {"content": token, **fields, "rstrip": token in rstrip}
            for token in tokens}


def every_pair(pairs, characters):
    """All pairs of pieces that make a piece of `pairs`, in the order of these: SentencePiece merges any of them."""
    merged = ["".join(pair) for pair in pairs]
    pieces = {*merged, *characters}
    cuts = [(piece[:cut], piece[cut:]) for piece in merged for cut in range(1, len(piece))]
    return [(left, right) for left, right in cuts if left in pieces and right in pieces]


def sentencepiece_style(metaspace=False, controls=(), complete=False, prefix=True, rstrip=()):
    """As the LLaMA 1 and 2 and Mistral files: BPE over characters, bytes for those unknown.

    With `metaspace` the space before the text comes from a pre-tokenizer, as in files converted later. With `complete`
    a piece is merged from whatever two pieces make it, as published files have it. Without `prefix` no space is put
    before the text, as in Gemma's files. White space behind the tokens `rstrip` belongs to them, as in Phi-3's.
    """
    specials = ["<unk>", "<s>", "</s>", *controls]
    pairs = [(left.replace(" ", "▁"), right.replace(" ", "▁")) for left, right in MERGES]
    characters = ["▁", *CHARACTERS]
    pieces = specials + [f"<0x{byte:02X}>" for byte in range(256)] + ["".join(pair) for pair in pairs] + characters
    if complete:
        pairs = every_pair(pairs, characters)
    tokenizer = Tokenizer(models.BPE(
        vocab={piece: i for i, piece in enumerate(pieces)}, merges=pairs, unk_token="<unk>", fuse_unk=True,
        byte_fallback=True,
    ))
    if metaspace:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first", split=False)
    else:
        space = [normalizers.Prepend("▁")] if prefix else []
        tokenizer.normalizer = normalizers.Sequence([*space, normalizers.Replace(" ", "▁")])
    strip = [decoders.Strip(content=" ", left=1)] if prefix else []
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *strip,
    ])
    tokenizer.add_special_tokens([special(token, token in rstrip) for token in specials])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)],
    )
    config = {
        "add_bos_token": True, "add_eos_token": False,
        "added_tokens_decoder": added_tokens_decoder(tokenizer, specials, rstrip), "bos_token": "<s>",
        "clean_up_tokenization_spaces": False, "eos_token": "</s>", "legacy": not metaspace,
        "model_max_length": 1000000000000000019884624838656, "pad_token": None, "sp_model_kwargs": {},
        "tokenizer_class": "LlamaTokenizer", "unk_token": "<unk>", "use_default_system_prompt": False,
    }
    return tokenizer, config


def byte_level(pattern, specials, unmerged=(), **options):
    """BPE over bytes; the special tokens follow the others. `unmerged` are tokens that no merge leads to."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pairs = [(left.replace(" ", "Ġ"), right.replace(" ", "Ġ")) for left, right in MERGES] + [("Ã", "©")]
    tokens = alphabet + ["".join(pair) for pair in pairs] + [token.replace(" ", "Ġ") for token in unmerged]
    tokenizer = Tokenizer(models.BPE(
        vocab={token: i for i, token in enumerate(tokens)}, merges=pairs, **options,
    ))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([special(token) for token in specials])
    return tokenizer


def tiktoken_style():
    """As the LLaMA 3 files: words of the vocabulary are taken whole, merges or not; <|begin_of_text|> comes first."""
    begin = "<|begin_of_text|>"
    specials = [begin, "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>"]
    tokenizer = byte_level(LLAMA3_PATTERN, specials, unmerged=[" answer", "How", "345"], ignore_merges=True)
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(
            single=f"{begin} $A", pair=f"{begin} $A {begin}:1 $B:1",
            special_tokens=[(begin, tokenizer.token_to_id(begin))],
        ),
    ])
    config = {
        "added_tokens_decoder": added_tokens_decoder(tokenizer, specials), "bos_token": begin,
        "clean_up_tokenization_spaces": True, "eos_token": "<|end_of_text|>",
        "model_input_names": ["input_ids", "attention_mask"], "model_max_length": 1000000000000000019884624838656,
        "tokenizer_class": "PreTrainedTokenizerFast",
    }
    return tokenizer, config


def qwen_style():
    """As the Qwen2 files: text in Unicode's composed form, every digit by itself, nothing before the text."""
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = byte_level(QWEN2_PATTERN, specials)
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.post_processor = processors.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)
    config = {
        "add_bos_token": False, "add_prefix_space": False,
        "added_tokens_decoder": added_tokens_decoder(tokenizer, specials),
        "additional_special_tokens": ["<|im_start|>", "<|im_end|>"], "bos_token": None,
        "clean_up_tokenization_spaces": False, "eos_token": "<|im_end|>", "errors": "replace",
        "model_max_length": 131072, "pad_token": "<|endoftext|>", "split_special_tokens": False,
        "tokenizer_class": "Qwen2Tokenizer", "unk_token": None,
    }
    return tokenizer, config


def save_tokenizer(tokenizer, config, folder):
    """tokenizer.json and tokenizer_config.json as transformers 5 writes them."""
    names = {key: config[key] for key in ("bos_token", "eos_token", "unk_token", "pad_token") if config.get(key)}
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, **names,
    ).save_pretrained(folder)


def randomize(model, seed, embedding=1.0, used_tokens=None):
    """Weights of such sizes that every number takes part; `embedding` is the size of the embeddings.

    Rows past `used_tokens` are too small to be chosen. Embeddings that are also the output are smaller than others:
    otherwise every answer repeats the last token.
    """
    torch.manual_seed(seed)
    if model.config.tie_word_embeddings:
        embedding *= 0.2
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            noise = torch.randn(tensor.shape)
            if "norm" in name:
                tensor.copy_(1 + 0.3 * noise)
            elif name.endswith("bias"):
                tensor.copy_(0.3 * noise)
            elif "embed" in name:
                tensor.copy_(embedding * noise)
            else:
                tensor.copy_(1.6 * noise / tensor.shape[1] ** 0.5)
            if used_tokens is not None and ("embed" in name or "lm_head" in name):
                tensor[used_tokens:] *= 0.1
    return model.eval()


def write_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def write_cases(path, cases):
    """A JSON list, one case a line."""
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def readable(folder):
    for file in folder.iterdir():
        file.chmod(0o644)


def size(folder):
    return sum(file.stat().st_size for file in folder.iterdir())


def load_model(folder, dtype=torch.float32):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="eager").eval()


def last_logits(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids]), use_cache=False).logits[0, -1].float()


def greedy(model, ids, eos=None):
    """What `generate` answers, and the smallest distance between the two best tokens of a step."""
    prompt = torch.tensor([ids])
    options = {} if eos is None else {"eos_token_id": eos}
    with torch.no_grad():
        output = model.generate(
            prompt, attention_mask=torch.ones_like(prompt), do_sample=False, use_cache=True, max_new_tokens=STEPS,
            pad_token_id=0, output_logits=True, return_dict_in_generate=True, **options,
        )
    best = torch.stack(output.logits)[:, 0].float().topk(2).values
    return output.sequences[0, len(ids):].tolist(), (best[:, 0] - best[:, 1]).min().item()


def encode(folder, prompts):
    """Prompts with their token ids by tokenizer.json as it stands, and by AutoTokenizer; those without any left out."""
    stored = PreTrainedTokenizerFast.from_pretrained(folder)
    try:
        automatic = AutoTokenizer.from_pretrained(folder)
    except ValueError:
        # transformers 4 does not know the class that transformers 5 writes, which takes the file as it stands.
        automatic = stored
    encoded = [(prompt, stored(prompt)["input_ids"], automatic(prompt)["input_ids"]) for prompt in prompts]
    return [entry for entry in encoded if entry[1]]


def answers(name, encoded, load):
    """Cases for `expected.json`; `load(dtype)` makes a fresh model, for some rope types keep state.

    The ids are those of tokenizer.json as it stands; `auto_tokenizer_ids` are there where AutoTokenizer gives others.
    """
    cases, smallest = [], float("inf")
    for prompt, ids, automatic_ids in encoded:
        tokens, gap = greedy(load(torch.float32), ids)
        if gap <= MARGIN:
            continue
        smallest = min(smallest, gap)
        case = {"prompt": prompt, "prompt_ids": ids, "tokens": tokens, "logits": None, "bf16_distance": None}
        if automatic_ids != ids:
            case["auto_tokenizer_ids"] = automatic_ids
        if len(cases) < 2:
            logits = last_logits(load(torch.float32), ids)
            distance = (last_logits(load(torch.bfloat16), ids) - logits).pow(2).mean().sqrt().item()
            case["logits"] = [round(x, 6) for x in logits.tolist()]
            case["bf16_distance"] = float(f"{distance:.4g}")
        cases.append(case)
    lengths = [len(case["prompt_ids"]) for case in cases]
    kinds = sum(len(set(case["tokens"])) for case in cases) / len(cases)
    print(f"{name}: {len(cases)} of {len(encoded)} cases, prompts of {min(lengths)} to {max(lengths)} tokens, "
          f"{sum(len(case['tokens']) < STEPS for case in cases)} end early, {kinds:.0f} different tokens each, "
          f"smallest gap {smallest:.4f}", flush=True)
    first = [case["prompt"] for case in cases[:2]] == PROMPTS[:2]
    if len(cases) < CASES or not first:
        raise Unclear(f"{name}: too few clear cases, or a first one unclear: change the seed")
    return cases
