"""Our engine against llama.cpp's, through its server: how many greedy completions of the samples are equal?

    llamacpp.py --python VENV/bin/python [--mwpbench target/debug/mwpbench] [--tasks gsm8k,…] [--limit N]
                [--max-tokens N] [--least-equal 0.95] [--output FOLDER] [--gguf FILE]

Converts models/demo to GGUF in f32, serves it with llama-cpp-python's server on loopback, runs `mwpbench eval` through
it and with our own engine in f32, and compares the completions problem by problem. Prints one JSON object; exits 1
where fewer are the same than asked. VENV has the packages of requirements.txt; this script itself needs only Python.

Same is what is equal but for one blank at the start: a server writes the first new token as the middle of a text,
transformers and our engine write the new tokens as a text of their own, which drops it. The server streams without
saying how many tokens it read, so that a short second run without a stream compares those, and another one the same
with a chat template that is rendered here for both.
"""

import argparse
import collections
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN_S = 120
FIRST_BLANK = "one blank at the start"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True, help="a Python with llama-cpp-python[server] and gguf")
    parser.add_argument("--mwpbench", type=Path, default=ROOT / "target/debug/mwpbench")
    parser.add_argument("--gguf", type=Path, help="another conversion of the demo checkpoint")
    parser.add_argument("--tasks")
    parser.add_argument("--limit")
    parser.add_argument("--max-tokens", default="512")
    parser.add_argument("--least-equal", type=float, default=0.95)
    parser.add_argument("--output", type=Path, help="keep both run folders here")
    return parser.parse_args()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start_server(python, gguf, log):
    port = free_port()
    command = [python, "-m", "llama_cpp.server", "--model", gguf, "--model_alias", "demo", "--host", "127.0.0.1",
               "--port", str(port), "--n_ctx", "2048", "--interrupt_requests", "false"]
    server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}/v1"
    for _ in range(STARTS_WITHIN_S * 4):
        if server.poll() is not None:
            sys.exit(f"the server ended with {server.returncode}: {Path(log.name).read_text()[-2000:]}")
        try:
            urllib.request.urlopen(f"{url}/models", timeout=5).read()
            return server, url
        except OSError:
            time.sleep(0.25)
    server.kill()
    sys.exit(f"the server did not start within {STARTS_WITHIN_S} s")


def selection(options):
    """The flags that choose problems."""
    given = [(flag, getattr(options, flag)) for flag in ["tasks", "limit"]]
    return [part for flag, value in given if value for part in (f"--{flag}", value)]


def evaluate(options, folder, flags):
    command = [options.mwpbench.resolve(), "eval", "--output-dir", folder, "--quiet", "--json", *flags]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MWPBENCH_") and name != "OPENAI_API_KEY"}
    # The program's own samples, wherever the user keeps the real data.
    environment["MWPBENCH_HOME"] = str(folder.parent / "home")
    begun = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"mwpbench eval ended with {done.returncode}: {done.stderr}")
    lines = (folder / "completions.jsonl").read_text(encoding="utf-8").splitlines()
    records = {record["id"]: record for record in map(json.loads, lines)}
    return records, json.loads(done.stdout), time.monotonic() - begun


def why(ours, theirs):
    """What kind of difference it is."""
    if theirs["finish_reason"] == "error":
        return "failed: " + str(theirs.get("error"))
    if " " + ours["completion"] == theirs["completion"]:
        return FIRST_BLANK
    if ours["completion"].strip() == theirs["completion"].strip():
        return "blanks at an end"
    if ours["completion"].startswith(theirs["completion"]) or theirs["completion"].startswith(ours["completion"]):
        return "one is the start of the other"
    return "other words"


def parting(ours, theirs):
    """The words around where two texts part."""
    at = next((index for index, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
    return {"at": at, "ours": ours[max(0, at - 30):at + 30], "theirs": theirs[max(0, at - 30):at + 30]}


def compare(ours, theirs):
    kinds, examples = collections.Counter(), []
    for key, record in ours.items():
        other = theirs[key]
        if record["completion"] == other["completion"]:
            continue
        kind = why(record, other)
        kinds[kind] += 1
        if kind == FIRST_BLANK:
            continue
        examples.append({"id": key, "kind": kind, "finish": [record["finish_reason"], other["finish_reason"]],
                         **parting(record["completion"], other["completion"])})
    same = len(ours) - len(examples)
    reasons = sum(ours[key]["finish_reason"] == theirs[key]["finish_reason"] for key in ours)
    return {"n": len(ours), "equal": len(ours) - sum(kinds.values()), "same": same, "share": same / len(ours),
            "same_finish_reasons": reasons, "kinds": kinds, "differences": examples}


def equal_prompts(ours, theirs):
    equal = [theirs[key]["prompt_tokens"] == record["prompt_tokens"] for key, record in ours.items()]
    return {"n": len(equal), "equal_tokens": sum(equal)}


def chat_flags(folder):
    """The demo checkpoint's tokenizer with a chat template that writes its beginning-of-sequence token."""
    folder.mkdir()
    shutil.copy(ROOT / "models/demo/tokenizer_config.json", folder)
    shutil.copy(ROOT / "crates/chat-template/tests/fixtures/templates/vicuna.jinja", folder / "chat_template.jinja")
    return ["--prompt-template", "chat", "--chat-template", folder, "--limit", "4", "--max-tokens", "64"]


def figures(summary):
    return {scorer: [summary["micro"][scorer], summary["macro"][scorer]] for scorer in ["official", "strict"]} if summary["micro"] else None


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.output or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        gguf = options.gguf
        if gguf is None:
            gguf = folder / "demo-f32.gguf"
            subprocess.run([options.python, ROOT / "tools/endpoints/demo_gguf.py", ROOT / "models/demo", gguf], check=True)
        with open(folder / "server.log", "w") as log:
            server, url = start_server(options.python, gguf, log)
            try:
                # The server computes one request at a time.
                model = ["--endpoint", url, "--model", "demo", "--max-concurrency", "1"]
                length = ["--max-tokens", options.max_tokens]
                theirs, summary, seconds = evaluate(options, folder / "llamacpp", [*model, *length, *selection(options)])
                read, _, _ = evaluate(options, folder / "read", [*model, "--no-stream", "--max-tokens", "1", "--limit", "2"])
                chat = chat_flags(folder / "tokenizer")
                their_chat, _, _ = evaluate(options, folder / "llamacpp-chat", [*model, "--no-stream", *chat])
            finally:
                server.terminate()
                server.wait(30)
        model = ["--model", "demo", "--dtype", "f32"]
        ours, own_summary, own_seconds = evaluate(options, folder / "ours", [*model, *length, *selection(options)])
        own_read, _, _ = evaluate(options, folder / "own-read", [*model, "--max-tokens", "1", "--limit", "2"])
        own_chat, _, _ = evaluate(options, folder / "our-chat", [*model, *chat])
    result = compare(ours, theirs)
    result["prompts"] = equal_prompts(own_read, read)
    result["chat"] = {**equal_prompts(own_chat, their_chat), "same": compare(own_chat, their_chat)["same"]}
    result["averages"] = {"ours": figures(own_summary), "llamacpp": figures(summary)}
    result["seconds"] = {"ours": round(own_seconds, 1), "llamacpp": round(seconds, 1)}
    print(json.dumps(result, ensure_ascii=False, indent=1))
    if result["share"] < options.least_equal:
        sys.exit(f"only {result['same']} of {result['n']} completions are the same, asked were {options.least_equal:.0%}")


if __name__ == "__main__":
    main()
