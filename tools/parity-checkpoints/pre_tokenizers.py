"""Token ids of llama.cpp and of Hugging Face tokenizers for every pre-tokenizer that a GGUF file can name.

    python pre_tokenizers.py                                       # the fixtures of the inference crate
    python pre_tokenizers.py --vocabularies DIR --texts FILE ... --output DIR [--sample N] [--all-names]

The first form trains a vocabulary on our own texts (`texts.json` of the fixtures), whose tokens reach across every place
where some pre-tokenizer splits. The second takes vocabularies of published checkpoints (`ggml-vocab-*.gguf`, as in
llama.cpp's folder `models`, or any GGUF file) and questions of data sets; each vocabulary is read under its own
pre-tokenizer, with `--all-names` under all others too. What it writes is not to be committed. See README.md.
"""

import argparse
import ctypes
import json
import random
import tempfile
from pathlib import Path

import gguf
import llama_cpp
import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

FIXTURES = Path(__file__).parents[2] / "crates/inference/tests/fixtures/pre-tokenizers"
SILENT = llama_cpp.llama_log_callback(lambda *_: None)
BEGIN, END = "<|begin|>", "<|end|>"
# Types of tokens in GGUF files.
UNKNOWN, CONTROL, USER_DEFINED = 2, 3, 4
# Tokens that no merge makes: they are found where a whole piece is looked up before it is merged.
WHOLE = ["Ġseventeen", "Ġpercent", "789", "Ġ...", "answer", "ĠXVII", "苹果", "'ll", "ĊĊĊ"]

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
QWEN35 = QWEN2.replace(r"?\p{L}+", r"?[\p{L}\p{M}]+").replace(r"[^\s\p{L}\p{N}]+", r"[^\s\p{L}\p{M}\p{N}]+")
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
SUFFIX = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"


def cased(suffix, digits, upper=UPPER, lower=LOWER, tail=r"[\r\n/]*"):
    """A word ends where small letters are followed by a capital one."""
    return (
        rf"[^\r\n\p{{L}}\p{{N}}]?{upper}*{lower}+{suffix}|[^\r\n\p{{L}}\p{{N}}]?{upper}+{lower}*{suffix}"
        rf"|{digits}| ?[^\s\p{{L}}\p{{N}}]+{tail}|\s*[\r\n]+|\s+(?!\S)|\s+"
    )


TEKKEN = cased("", r"\p{N}")
GPT4O = cased(SUFFIX, r"\p{N}{1,3}")
KIMI = r"\p{Han}+|" + cased(
    SUFFIX, r"\p{N}{1,3}", UPPER[:-1] + r"&&[^\p{Han}]]", LOWER[:-1] + r"&&[^\p{Han}]]", r"[\r\n]*"
)
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"
DEEPSEEK_CJK = "[一-龥ࠀ-一가-\ud7ff]+"
DEEPSEEK3_CJK = "[一-龥\u3040-ゟ゠-ヿ]+"
DEEPSEEK3 = (
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
    r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SPARK = DEEPSEEK3.replace(r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|", r"| ?[\p{P}\p{S}]+|[\r\n]|")
YOUTU_SCRIPTS = "[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥\u3040-ゟ゠-ヿ]+"
AFMOE_SCRIPTS = (
    "[\u4e00-\u9fff\u3400-\u4dbf\u8c48-\ufaff\u3040-\u309f\u30a0-\u30ff\uff65-\uff9f\u2f00-\u2fdf\u0e40-\u0e7f"
    "\u0e80-\u0eff\u1780-\u17ff\u1000-\u109f\uaa60-\uaa7f\ua9e0-\ua9ff\uac00-\ud7af\u1100-\u11ff]+"
)
JAIS2 = LLAMA3.replace(
    r"\s+(?!\S)|\s+",
    "".join(rf"\s{{{count}}}(?!\S)|" for count in (512, 256, 128, 64, 32, 16, 8, 4)) + r"\s{1,2}(?!\S)|\s{1}",
)
DEEPSEEK_LETTERS = (
    r"\s?[A-Za-z" +
    "\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373\u0376"
    "\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f"
    "\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77"
    "\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d"
    "\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb"
    "\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128"
    "\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4"
    "\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf"
    "\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a\U00010400-\U0001044f\U000104b0-\U000104d3"
    "\U000104d8-\U000104fb\U00010c80-\U00010cb2\U00010cc0-\U00010cf2\U000118a0-\U000118df\U0001e900-\U0001e943"
    "]+"
)


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Split(Regex(pattern), behavior, invert)


def byte_level(use_regex=False):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


def patterns(*steps):
    """Steps, then bytes as letters; a text is a pattern that splits."""
    steps = [split(step) if isinstance(step, str) else step for step in steps]
    return [*steps, byte_level()]


digits = pre_tokenizers.Digits
contiguous = pre_tokenizers.Punctuation("contiguous")

# What the tokenizer.json of the published checkpoints says, by the names under which llama.cpp's converter knows them.
PUBLISHED = [
    (["llama-bpe", "pixtral", "lfm2", "midm-2.0", "jina-v5-nano", "smaug-bpe", "chatglm-bpe", "glm4"], patterns(LLAMA3)),
    (["falcon3"], [contiguous, byte_level(True), digits(individual_digits=True)]),
    (["falcon-h1"], [contiguous, split(TEKKEN), byte_level(), split("[0-9]")]),
    (["falcon"], [contiguous, byte_level(True), digits(individual_digits=False), split("[0-9][0-9][0-9]")]),
    (["gpt-2", "phi-2", "a.x-4.0", "mellum", "exaone4", "trillion", "granite-docling", "roberta-bpe", "jina-v2-es",
      "jina-v2-de", "jina-v2-code", "mpt", "olmo", "modern-bert"], [byte_level(True)]),
    (["smollm", "starcoder", "refact", "codeshell", "mellum2", "command-r"],
     [digits(individual_digits=True), byte_level(True)]),
    (["qwen2", "deepseek-r1-qwen", "f2llmv2", "megrez", "kormo", "stablelm2", "hunyuan", "solar-open", "grok-2"],
     patterns(QWEN2)),
    (["qwen35"], patterns(QWEN35)),
    (["ufakzeka"], patterns(QWEN2.split("|", 7)[-1])),
    (["seed-coder"], patterns(QWEN2.replace(r"[^\s\p{L}\p{N}]+[\r\n]*", r"[^\s\p{L}\p{N}\r\n]+"))),
    (["bailingmoe", "bailingmoe2", "llada-moe"], patterns(
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+")),
    (["exaone-moe"], patterns(
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+")),
    (["jais-2"], patterns(JAIS2)),
    (["minicpm5"], patterns(r"\p{N}{1,3}", LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}+"))),
    (["laguna"], patterns(split(r"(?:\r?\n)+(?!\r?\n)", "merged_with_next"), QWEN2)),
    (["tekken"], patterns(TEKKEN)),
    (["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2", "granite-embed-multi-97m"],
     patterns(split(GPT4O, "removed", True))),
    (["tiny_aya", "cohere2moe"], patterns(r"\d{1,3}(?=(?:\d{3})*\b)", GPT4O)),
    (["youtu"], patterns(YOUTU_SCRIPTS, cased(SUFFIX, r"\p{N}"))),
    (["kimi-k2"], patterns(KIMI)),
    (["deepseek-llm"], patterns(
        "[\r\n]", DEEPSEEK_LETTERS, r"\s?[!-/:-~！-／：-～‘-‟　-。]+", r"\s+$", DEEPSEEK_CJK, digits(individual_digits=True))),
    (["deepseek-coder"], patterns(
        "[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", DEEPSEEK_CJK, digits(individual_digits=True))),
    (["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"], patterns(r"\p{N}{1,3}", DEEPSEEK3_CJK, DEEPSEEK3)),
    (["spark2_5"], patterns(r"\p{N}{1,3}", DEEPSEEK3_CJK, SPARK, digits(individual_digits=True))),
    # The steps are known, the patterns of its digits only as llama.cpp tells them: in threes, from the right.
    (["afmoe"], patterns(
        digits(individual_digits=False), r"\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))", AFMOE_SCRIPTS, DEEPSEEK3)),
    (["superbpe"], patterns(digits(individual_digits=False), r"(?=(\d{3})+(?!\d))")),
    (["bloom", "poro-chat", "gpt3-finnish"], patterns(BLOOM)),
    (["viking"], patterns(BLOOM, digits(individual_digits=True))),
]
# Names of which no tokenizer.json was seen: llama.cpp is the only witness.
OTHERS = ["default", "llama3", "llama-v3", "dbrx", "glm5", "gigachat", "jais", "exaone", "minerva-7b", "jina-es", "jina-de",
          "jina-v1-en", "chameleon"]
COMPOSED = {"qwen2", "deepseek-r1-qwen", "f2llmv2", "qwen35", "command-r", "mpt", "olmo", "modern-bert", "tiny_aya",
            "cohere2moe"}
# Pieces that are tokens are not merged: as llama.cpp does, which the published files of these names ask for too.
IGNORE_MERGES = {"llama-bpe", "pixtral", "lfm2", "midm-2.0", "jina-v5-nano", "falcon3", "falcon-h1", "glm4", "tekken",
                 "minicpm5", "granite-embed-multi-97m", "youtu"}


def train(texts):
    """A vocabulary whose tokens know no pre-tokenizer."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = byte_level()
    trainer = trainers.BpeTrainer(
        vocab_size=1600, min_frequency=2, show_progress=False, max_token_length=12,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )
    # Texts and their halves: what is frequent is what reaches across.
    tokenizer.train_from_iterator([text[start:] for text in texts for start in range(0, len(text), 3)], trainer)
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    tokens += [token for token in WHOLE if token not in model["vocab"]] + [BEGIN, END]
    begin, end = len(tokens) - 2, len(tokens) - 1
    return {"tokens": tokens, "merges": merges, "added": [[begin, CONTROL], [end, CONTROL]], "bos": begin, "eos": end}


def read_vocabulary(path):
    """The vocabulary of a GGUF file and the name of its pre-tokenizer, where it is a byte-level one."""
    reader = gguf.GGUFReader(path)
    keys = ("model", "pre", "tokens", "merges", "token_type", "bos_token_id", "eos_token_id")
    fields = {key: reader.get_field(f"tokenizer.ggml.{key}") for key in keys}
    if not all(fields[key] for key in keys[:5]) or fields["model"].contents() != "gpt2":
        return None, None
    get = lambda key: fields[key].contents() if fields[key] else 0
    added = [[index, kind] for index, kind in enumerate(get("token_type")) if kind in (UNKNOWN, CONTROL, USER_DEFINED)]
    vocabulary = {"tokens": get("tokens"), "merges": get("merges"), "added": added, "bos": get("bos_token_id"),
                  "eos": get("eos_token_id")}
    return vocabulary, get("pre")


class LlamaCpp:
    """A vocabulary in llama.cpp under a pre-tokenizer."""

    def __init__(self, vocabulary, name, folder):
        path = Path(folder) / "vocabulary.gguf"
        writer = gguf.GGUFWriter(path, "llama")
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(name)
        writer.add_token_list(vocabulary["tokens"])
        types = [1] * len(vocabulary["tokens"])
        for index, kind in vocabulary["added"]:
            types[index] = kind
        writer.add_token_types(types)
        writer.add_token_merges(vocabulary["merges"])
        writer.add_bos_token_id(vocabulary["bos"])
        writer.add_eos_token_id(vocabulary["eos"])
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.close()
        parameters = llama_cpp.llama_model_default_params()
        parameters.vocab_only = True
        self.model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
        assert self.model, f"llama.cpp does not know {name}"
        self.vocabulary = llama_cpp.llama_model_get_vocab(self.model)

    def add_bos(self):
        return bool(llama_cpp.llama_vocab_get_add_bos(self.vocabulary))

    def encode(self, text):
        """Ids without special tokens around the text; those in the text are read as such."""
        text = text.encode()
        ids = (llama_cpp.llama_token * (len(text) + 8))()
        return ids[:llama_cpp.llama_tokenize(self.vocabulary, text, len(text), ids, len(ids), False, True)]

    def close(self):
        llama_cpp.llama_model_free(self.model)


def published(vocabulary, name, steps):
    """The tokenizer that a published tokenizer.json of that name makes of the vocabulary."""
    vocab = {token: index for index, token in enumerate(vocabulary["tokens"])}
    merges = [tuple(merge.split(" ")) for merge in vocabulary["merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, ignore_merges=name in IGNORE_MERGES))
    if name in COMPOSED:
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    for index, kind in vocabulary["added"]:
        token = AddedToken(vocabulary["tokens"][index], special=kind != USER_DEFINED, normalized=False)
        tokenizer.add_special_tokens([token]) if token.special else tokenizer.add_tokens([token])
    return tokenizer


class Readings:
    """Ids by text; equal ones are kept once, and so are equal ways to read all texts."""

    def __init__(self, texts):
        self.texts = [{"text": text, "ids": []} for text in texts]
        self.ways = []

    def add(self, encode):
        way = []
        for entry in self.texts:
            ids = list(encode(entry["text"]))
            if ids not in entry["ids"]:
                entry["ids"].append(ids)
            way.append(entry["ids"].index(ids))
        if way not in self.ways:
            self.ways.append(way)
        return self.ways.index(way)


def record(vocabulary, names, texts, output):
    """Writes vocabulary.json and vectors.json."""
    steps = {name: steps for names, steps in PUBLISHED for name in names}
    readings, rows = Readings(texts), {}
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            model = LlamaCpp(vocabulary, name, folder)
            row = {"add_bos": model.add_bos(), "llama_cpp": readings.add(model.encode)}
            model.close()
        if name in steps:
            tokenizer = published(vocabulary, name, steps[name])
            row["transformers"] = readings.add(lambda text: tokenizer.encode(text, add_special_tokens=False).ids)
            ours, theirs = readings.ways[row["transformers"]], readings.ways[row["llama_cpp"]]
            row["differ"] = sum(a != b for a, b in zip(ours, theirs))
            print(f"{name:26} {row['differ']:3} of {len(texts)} texts are other tokens in llama.cpp", flush=True)
        rows[name] = row
    output.mkdir(parents=True, exist_ok=True)
    versions = {"llama_cpp_python": llama_cpp.__version__, "tokenizers": tokenizers.__version__}
    write_json(output / "vocabulary.json", vocabulary)
    write_json(output / "vectors.json", {**versions, "names": rows, "ways": readings.ways, "texts": readings.texts})


def write_json(path, value):
    """One line an entry; what cannot be seen is escaped."""
    def dumped(value):
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)

    def lines(value):
        if isinstance(value, dict):
            return "{\n" + ",\n".join(f"{dumped(key)}: {dumped(item)}" for key, item in value.items()) + "\n}"
        return "[\n" + ",\n".join(map(dumped, value)) + "\n]"

    parts = [f"{dumped(key)}: {lines(item) if key in ('names', 'ways', 'texts') else dumped(item)}"
             for key, item in value.items()]
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8")) == value


def questions(path, count):
    """Questions of a data set: JSON Lines with `question` or `problem`, or objects one after the other with
    `original_text`."""
    text, found, at = path.read_text(encoding="utf-8"), [], 0
    decoder = json.JSONDecoder()
    while at < len(text):
        entry, at = decoder.raw_decode(text, at)
        found += [entry[key] for key in ("question", "problem", "original_text") if key in entry][:1]
        while at < len(text) and text[at].isspace():
            at += 1
    return random.Random(0).sample(found, count)


def names_known():
    return sorted({name for names, _ in PUBLISHED for name in names} | set(OTHERS))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocabularies", type=Path)
    parser.add_argument("--texts", type=Path, nargs="*", default=[])
    parser.add_argument("--output", type=Path)
    parser.add_argument("--sample", type=int, default=20, help="questions of each file")
    parser.add_argument("--all-names", action="store_true")
    arguments = parser.parse_args()
    llama_cpp.llama_log_set(SILENT, ctypes.c_void_p(0))
    own = json.loads((FIXTURES / "texts.json").read_text(encoding="utf-8"))
    if arguments.vocabularies is None:
        record(train(own), names_known(), own, FIXTURES)
        return
    texts = own + [text for path in arguments.texts for text in questions(path, arguments.sample)]
    for path in sorted(arguments.vocabularies.glob("*.gguf")):
        vocabulary, name = read_vocabulary(path)
        if vocabulary is None or name not in names_known():
            print(f"{path.name}: no byte-level tokenizer that is known")
            continue
        print(f"{path.name}: {name}", flush=True)
        record(vocabulary, names_known() if arguments.all_names else [name], texts, arguments.output / path.stem)


if __name__ == "__main__":
    main()
