"""`mwpbench serve` against its own `eval`: asked with the package openai, and by lm-eval's `local-completions`.

    own.py [--python FILE] [--mwpbench FILE] [--sets gsm8k,math,tal,college_math]

Needs a Python with `lm_eval[api]`, `openai` and `transformers` (`pip install 'lm_eval[api]==0.4.13' openai transformers`, for
the tokenizer alone). Every text must be the one that `mwpbench eval` gives for the same prompt, and lm-eval's log-likelihood of
that text the sum of the log-probabilities that `eval --logprobs` records; exits 1 where one is not.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAX_TOKENS = 256

TASK = """
task: bundled
dataset_path: json
dataset_kwargs:
  data_files:
    test: {problems}
test_split: test
output_type: generate_until
doc_to_text: "{{{{prompt}}}}"
doc_to_target: "{{{{reference}}}}"
generation_kwargs:
  do_sample: false
  temperature: 0.0
  max_gen_toks: {most}
  until: {until}
metric_list:
  - metric: exact_match
    aggregation: mean
    higher_is_better: true
"""


# Each text of ours beside one that no greedy decoding gives.
CHOICES = """
task: choices
dataset_path: json
dataset_kwargs:
  data_files:
    test: {problems}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{prompt}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: 0
target_delimiter: ""
metric_list:
  - metric: acc
"""
SETTINGS = "model=demo,base_url={url}/completions,num_concurrent=8"


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def by_eval(options, folder):
    """Prompt, reference and text of each problem, as `mwpbench eval` has them; and the stop strings."""
    command = [options.mwpbench, "eval", "--model", "demo", "--tasks", options.sets, "--max-tokens", str(MAX_TOKENS)]
    subprocess.run([*command, "--log-tokens", "--logprobs", "--quiet", "--output-dir", folder / "run"], check=True, stdout=subprocess.DEVNULL)
    prompts = {record["id"]: record["prompt"] for record in lines(folder / "run/prompts.jsonl")}
    references = {record["id"]: str(record["reference"]) for record in lines(folder / "run/problems.jsonl")}
    texts = {record["id"]: record["completion"] for record in lines(folder / "run/completions.jsonl")}
    stop = json.loads((folder / "run/run.json").read_text())["identity"]["decoding"]["stop"]
    return [(key, prompts[key], references[key], texts[key]) for key in prompts], stop


def start(options):
    command = [options.mwpbench, "serve", "--model", "demo", "--port", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    for line in server.stderr:
        if "http://" in line:
            return server, "http://" + line.split("http://")[1].strip()
    sys.exit("the server did not start")


ASK = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
import openai
client = openai.OpenAI(base_url=sys.argv[1], api_key="none")
asked = json.load(sys.stdin)
def complete(pair):
    number, prompt = pair
    settings = dict(model="demo", prompt=prompt, temperature=0, max_tokens=asked["most"], stop=asked["stop"])
    if number % 2:
        return "".join(part.choices[0].text for part in client.completions.create(**settings, stream=True))
    return client.completions.create(**settings).choices[0].text
assert [model.id for model in client.models.list()] == ["demo"]
try:
    client.completions.create(model="other", prompt="x")
    raise SystemExit("a model of another name was served")
except openai.NotFoundError:
    pass
with ThreadPoolExecutor(8) as threads:
    json.dump(list(threads.map(complete, enumerate(asked["prompts"]))), sys.stdout)
"""


def by_openai(options, url, problems, stop):
    asked = {"prompts": [prompt for _, prompt, _, _ in problems], "stop": stop, "most": MAX_TOKENS}
    done = subprocess.run([options.python, "-c", ASK, url], input=json.dumps(asked), check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def by_lm_eval(options, url, problems, stop, folder):
    with open(folder / "problems.jsonl", "w", encoding="utf-8") as file:
        for key, prompt, reference, _ in problems:
            file.write(json.dumps({"id": key, "prompt": prompt, "reference": reference}, ensure_ascii=False) + "\n")
    task = TASK.format(problems=folder / "problems.jsonl", most=MAX_TOKENS, until=json.dumps(stop))
    settings = f"{SETTINGS.format(url=url)},tokenizer_backend=None,tokenized_requests=False"
    samples = run_lm_eval(options, "bundled", task, settings, folder)
    texts = {sample["doc"]["id"]: sample["resps"][0][0] for sample in samples}
    return [texts[key] for key, _, _, _ in problems]


def run_lm_eval(options, name, task, settings, folder):
    (folder / f"{name}.yaml").write_text(task, encoding="utf-8")
    command = [options.python, "-m", "lm_eval", "--model", "local-completions", "--model_args", settings]
    command += ["--tasks", name, "--include_path", folder, "--log_samples", "--output_path", folder / f"out-{name}"]
    environment = {**os.environ, "HF_HOME": str(folder / "home"), "HF_HUB_OFFLINE": "1", "OPENAI_API_KEY": "none"}
    subprocess.run(command, check=True, env=environment, cwd=folder, stdout=sys.stderr)
    return lines(next((folder / f"out-{name}").rglob("samples_*.jsonl")))


def likelihoods(options, url, folder):
    """lm-eval's log-likelihoods of our texts against the sums of what we recorded, where its tokens are ours."""
    run = folder / "run"
    prompts = {record["id"]: record for record in lines(run / "prompts.jsonl")}
    expected, docs = {}, []
    for record in lines(run / "completions.jsonl"):
        # The demo's first token is a word with the blank before it, which its text has not.
        prompt, ids, text = prompts[record["id"]], record["token_ids"], " " + record["completion"]
        # The end-of-sequence token is no part of the text.
        count = len(ids) - (record["finish_reason"] == "eos")
        tokens = tokenized(url, prompt["prompt"] + text)
        if record["completion"] and tokens == prompt["token_ids"] + ids[:count]:
            expected[record["id"]] = sum(record["logprobs"][:count])
            docs.append({"id": record["id"], "prompt": prompt["prompt"], "choices": [text, text + " zebra"]})
    with open(folder / "choices.jsonl", "w", encoding="utf-8") as file:
        file.writelines(json.dumps(doc, ensure_ascii=False) + "\n" for doc in docs)
    settings = f"{SETTINGS.format(url=url)},tokenizer_backend=huggingface,tokenizer={ROOT / 'models/demo'},add_bos_token=True"
    samples = run_lm_eval(options, "choices", CHOICES.format(problems=folder / "choices.jsonl"), settings, folder)
    good = 0
    for sample in samples:
        (own, is_greedy), (_, other_is_greedy) = sample["filtered_resps"]
        near = abs(float(own) - expected[sample["doc"]["id"]]) < 1e-3
        good += near and str(is_greedy) == "True" and str(other_is_greedy) == "False"
    print(f"lm-eval: {good} of {len(docs)} log-likelihoods are those of `mwpbench eval --logprobs`")
    return good == len(docs) > 0


def tokenized(url, text):
    body = json.dumps({"prompt": text}).encode()
    request = urllib.request.Request(url.removesuffix("/v1") + "/tokenize", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        return json.load(response)["tokens"]


def equal(name, found, problems):
    count = sum(text == expected for text, (_, _, _, expected) in zip(found, problems))
    print(f"{name}: {count} of {len(problems)} texts are those of `mwpbench eval`")
    return count == len(problems)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--mwpbench", type=pathlib.Path, default=ROOT / "target/debug/mwpbench")
    parser.add_argument("--sets", default="gsm8k,math,tal,college_math")
    options = parser.parse_args()
    options.mwpbench = options.mwpbench.resolve()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        problems, stop = by_eval(options, folder)
        server, url = start(options)
        try:
            fine = equal("openai", by_openai(options, url, problems, stop), problems)
            fine &= equal("lm-eval", by_lm_eval(options, url, problems, stop, folder), problems)
            fine &= likelihoods(options, url, folder)
        finally:
            server.terminate()
            code = server.wait(timeout=60)
        print(f"the server ended with code {code}")
    sys.exit(0 if fine and code == 0 else 1)


if __name__ == "__main__":
    main()
