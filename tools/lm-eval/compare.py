"""lm-eval on the demo checkpoint against `mwpbench eval --dtype f32`, problem by problem: prompts, token ids, texts.

    compare.py [--venv DIR] [--server-venv DIR] [--mwpbench FILE] [--result FILE]

Asks the bundled GSM8K problems by lm-eval's `hf`, and by its `local-completions` through llama-cpp-python's server. Prints one
JSON object; exits 1 where a prompt or a text differs. The environments are made on first use, outside the repository.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "servers"))

import checks  # noqa: E402
import harness  # noqa: E402
import llama_cpp_python  # noqa: E402
from serving import ROOT, Server, alone, default_venv, make_environment, python_of, versions  # noqa: E402

LM_EVAL = Server(
    key="lm-eval",
    title="lm-eval",
    packages=("lm_eval[hf,api]==0.4.13", "torch==2.13.0", "transformers==5.24.0"),
    distributions=("lm-eval", "transformers", "torch"),
    command=lambda *_: [],
)
MAX_TOKENS = "512"
# llama-cpp-python's server has a repetition penalty of its own where a request names none.
NO_PENALTY = "repeat_penalty=1.0"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--venv", type=Path, default=default_venv(LM_EVAL))
    parser.add_argument("--server-venv", type=Path, default=default_venv(llama_cpp_python.SERVER))
    parser.add_argument("--mwpbench", type=Path, default=harness.built())
    parser.add_argument("--result", type=Path)
    return parser.parse_args()


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def ours(options, folder):
    """Our prompts, token ids and texts by id; and the problems as lm-eval reads them, in the folder."""
    program = checks.Program(options.mwpbench, folder, ["--tasks", "gsm8k"])
    flags = ["--model", "demo", "--dtype", "f32", "--max-tokens", MAX_TOKENS, "--log-tokens"]
    records, _ = program.run("ours", flags)
    asked = {record["id"]: record for record in lines(folder / "ours/prompts.jsonl")}
    problems = lines(folder / "ours/problems.jsonl")
    with open(folder / "problems.jsonl", "w", encoding="utf-8") as file:
        for problem in problems:
            told = {"id": problem["id"], "question": problem["question"], "reference": str(problem["reference"])}
            file.write(json.dumps(told, ensure_ascii=False) + "\n")
    texts = {key[0]: record["completion"] for key, record in records.items()}
    return program, {key: {**asked[key], "text": text} for key, text in texts.items()}


def theirs(venv, folder, kind, model_args, gen_kwargs=""):
    """What lm-eval asked and got, by id."""
    output = folder / f"{kind}.jsonl"
    command = [python_of(venv), HERE / "ask.py", kind, model_args, gen_kwargs, output]
    environment = {**os.environ, **alone(folder)}
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=sys.stderr)
    return {record["id"]: record for record in lines(output)}


def compare(mine, other):
    """How many prompts, token ids and texts are equal; a text may begin with one blank more, as a server writes it."""
    equal = {"n": len(mine), "prompts": 0, "token_ids": 0, "texts": 0}
    differences = []
    for key, record in mine.items():
        found = other.get(key, {"prompt": None, "token_ids": None, "text": None})
        equal["prompts"] += record["prompt"] == found["prompt"]
        equal["token_ids"] += record["token_ids"] == found["token_ids"]
        same = found["text"] in (record["text"], " " + record["text"])
        equal["texts"] += same
        if not same and len(differences) < 5:
            differences.append({"id": key, "ours": record["text"], "lm_eval": found["text"]})
    if all(record["token_ids"] is None for record in other.values()):
        equal["token_ids"] = None
    return {**equal, "differences": differences}


def main():
    options = arguments()
    venv = make_environment(LM_EVAL, options.venv)
    server_venv = make_environment(llama_cpp_python.SERVER, options.server_venv)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        program, mine = ours(options, folder)
        result = {
            "versions": versions(LM_EVAL, venv) | versions(llama_cpp_python.SERVER, server_venv), "mwpbench": program.version(),
            "date": datetime.date.today().isoformat(),
            "hf": compare(mine, theirs(venv, folder, "hf", f"pretrained={ROOT / 'models/demo'},dtype=float32")),
        }
        with harness.running(llama_cpp_python.SERVER, server_venv, folder) as server:
            told = {"model": "demo", "base_url": f"{server.url}/completions", "tokenizer": ROOT / "models/demo",
                    "tokenizer_backend": "huggingface", "tokenized_requests": False, "num_concurrent": 1}
            model_args = ",".join(f"{name}={value}" for name, value in told.items())
            result["local-completions"] = compare(mine, theirs(venv, folder, "local-completions", model_args, NO_PENALTY))
    text = json.dumps(result, ensure_ascii=False, indent=1)
    print(text)
    if options.result:
        options.result.write_text(text + "\n", encoding="utf-8")
    wrong = [kind for kind in ["hf", "local-completions"] for what in ["prompts", "token_ids", "texts"]
             if result[kind][what] not in (None, result[kind]["n"])]
    if wrong:
        sys.exit(f"lm-eval and mwpbench differ by {' and '.join(sorted(set(wrong)))}")


if __name__ == "__main__":
    main()
