"""Runs the task of mwpbench_gsm8k.yaml by lm-eval, within its environment.

    ask.py hf|local-completions MODEL_ARGS GEN_KWARGS OUTPUT      (in a folder with problems.jsonl)

Writes a JSON object a line: id, prompt, token_ids (null where lm-eval sends texts), text.
"""

import json
import sys
from pathlib import Path

import lm_eval
from lm_eval.api.registry import get_model
from lm_eval.tasks import TaskManager

TASK = "mwpbench_gsm8k"


def prompt_of(sample):
    """The text that lm-eval asked with; versions put it differently."""
    arguments = sample["arguments"]
    first = arguments["gen_args_0"]["arg_0"] if isinstance(arguments, dict) else arguments[0][0]
    return first


def main():
    kind, model_args, gen_kwargs, output = sys.argv[1:]
    model = get_model(kind).create_from_arg_string(model_args, {"batch_size": 1, "device": "cpu"})
    tasks = TaskManager(include_path=str(Path(__file__).resolve().parent))
    result = lm_eval.simple_evaluate(
        model=model, tasks=[TASK], task_manager=tasks, gen_kwargs=gen_kwargs or None, log_samples=True, bootstrap_iters=0)
    with open(output, "w", encoding="utf-8") as file:
        for sample in result["samples"][TASK]:
            prompt = prompt_of(sample)
            ids = model.tok_encode(prompt) if kind == "hf" else None
            record = {"id": sample["doc"]["id"], "prompt": prompt, "token_ids": ids, "text": sample["resps"][0][0]}
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
