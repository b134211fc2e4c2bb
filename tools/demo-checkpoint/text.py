"""The prompt template, the tokenizer and the overlap filter of the demo recipe."""

import glob
import json
import os
import re

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

PREFIX = (
    "Below is an instruction that describes a task. "
    "Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n"
)
SUFFIX = "\n\n### Response:"
SPECIAL = ["<unk>", "<s>", "</s>"]
BOS_ID, EOS_ID = 1, 2
REPOSITORY = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


def prompt_text(question):
    return PREFIX + question + SUFFIX


def train_tokenizer(texts, size, pieces=r"▁?[A-Za-z]+|#+|▁|\d|[^▁A-Za-z\d]", min_frequency=20):
    """Train a LLaMA-style BPE: merges within `pieces` (word-wise, single digits), byte fallback."""
    byte_tokens = [f"<0x{byte:02X}>" for byte in range(256)]
    printable = [chr(code) for code in range(33, 127)] + ["▁"]
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(byte_tokens),
        special_tokens=SPECIAL,
        initial_alphabet=printable,
        min_frequency=min_frequency,
        show_progress=False,
    )
    draft = Tokenizer(models.BPE())
    draft.normalizer = normalizers.Sequence(
        [normalizers.Replace("\n", " "), normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    draft.pre_tokenizer = pre_tokenizers.Split(Regex(pieces), "isolated")
    draft.train_from_iterator(texts, trainer)
    state = json.loads(draft.to_str())["model"]
    pieces = sorted(state["vocab"], key=state["vocab"].get)
    pieces = SPECIAL + byte_tokens + [p for p in pieces if p not in SPECIAL]
    merges = [tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in state["merges"]]
    return llama_tokenizer({piece: i for i, piece in enumerate(pieces)}, merges)


def llama_tokenizer(vocabulary, merges):
    """Assemble the tokenizer in the layout of LLaMA's tokenizer.json."""
    tokenizer = Tokenizer(
        models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    )
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", BOS_ID)]
    )
    return tokenizer


def sample_problems():
    """All problems of the repository's sample sets."""
    rows = []
    for path in sorted(glob.glob(os.path.join(REPOSITORY, "datasets", "*", "sample.jsonl"))):
        with open(path, encoding="utf-8") as lines:
            rows.extend(json.loads(line) for line in lines if line.strip())
    return rows


def eight_grams(text):
    """The word 8-grams of a text, lower-cased and without punctuation."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return {tuple(words[i : i + 8]) for i in range(len(words) - 7)}


class OverlapFilter:
    """Tells whether a question shares a word 8-gram with a sample problem."""

    def __init__(self):
        self.known = set()
        for row in sample_problems():
            self.known |= eight_grams(row["question"])
        self.checked = 0
        self.dropped = 0

    def accepts(self, question):
        self.checked += 1
        clash = not self.known.isdisjoint(eight_grams(question))
        self.dropped += clash
        return not clash
