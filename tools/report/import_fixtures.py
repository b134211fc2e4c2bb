#!/usr/bin/env python3
"""Makes tests/mwpbench/imports: files of other programs over four questions of ours, for the tests of `mwpbench import-run`.

    python -m venv A; A/bin/pip install lm-eval==0.4.13;     A/bin/python tools/report/import_fixtures.py lm-eval
    python -m venv B; B/bin/pip install inspect-ai==0.3.285; B/bin/python tools/report/import_fixtures.py inspect
    python -m venv C; C/bin/pip install mmengine-lite==0.10.7 datasets==5.2.0 tqdm
    C/bin/pip install --no-deps opencompass==0.5.4;          C/bin/python tools/report/import_fixtures.py opencompass
    python3 tools/report/import_fixtures.py others

lm-eval, inspect and OpenCompass write their own files here, with models that answer from the list below: no weights, no
network. The form of the others is written down from their source, since no package installs them: the published driver
(microsoft/unilm, mathscale/MWPBench/eval_vllm/driver.py), NeMo-Skills (nemo_skills/inference/generate.py and
nemo_skills/evaluation). Two of the questions are among the bundled problems, two are not. Run times and paths in lm-eval's
and inspect's files are taken out, so that the files are the same every time.
"""

import argparse
import importlib.abc
import importlib.machinery
import json
import re
import shutil
import sys
import tempfile
from pathlib import Path
from types import ModuleType, SimpleNamespace
from unittest.mock import MagicMock

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests/mwpbench/imports"
# Question, reference, and two completions of each. The first is what a greedy model said.
OWN = [
    (
        "A gardener plants 4 rows of 9 tulips and gives away 6 of them. How many tulips are left?",
        "30",
        ["4 rows of 9 are 36. 36 - 6 = 30. The answer is 30.", "4 + 9 - 6 = 7. The answer is 7."],
    ),
    (
        "What is $\\frac{3}{4} - \\frac{1}{2}$? Give a fraction.",
        "\\frac{1}{4}",
        ["We get $\\boxed{\\frac{1}{4}}$.", "We get $\\boxed{0.25}$."],
    ),
]


def items():
    lines = (ROOT / "datasets/gsm8k/sample.jsonl").read_text(encoding="utf-8").splitlines()[:2]
    known = [json.loads(line) for line in lines]
    said = [["Change: 40 - 18 - 14 = 8. The answer is 8.", ""], ["He read 114 pages. The answer is 114.", "The answer is 150."]]
    return [(record["question"], record["answer"], texts) for record, texts in zip(known, said)] + OWN


def worked(reference):
    """A worked solution, as GSM8K and MATH have them."""
    return f"Some steps.\n#### {reference}" if reference.isdigit() else f"Some steps, so $\\boxed{{{reference}}}$."


def write_lines(path, records):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")


def lm_eval_files():
    import lm_eval
    from lm_eval.api.model import LM
    from lm_eval.loggers import EvaluationTracker
    from lm_eval.tasks import TaskManager

    said = {question: texts for question, _, texts in items()}

    class Recorded(LM):
        def generate_until(self, requests):
            answers = []
            for request in requests:
                prompt = request.args[0]
                question = next(question for question in said if question in prompt)
                answers.append(said[question][0])
            return answers

        def loglikelihood(self, requests):
            raise NotImplementedError

        def loglikelihood_rolling(self, requests):
            raise NotImplementedError

    with tempfile.TemporaryDirectory() as temporary:
        temporary = Path(temporary)
        write_lines(temporary / "data.jsonl", [{"question": q, "answer": worked(r), "note": "ours"} for q, r, _ in items()])
        task = {
            "task": "four_problems",
            "dataset_path": "json",
            "dataset_kwargs": {"data_files": {"test": str(temporary / "data.jsonl")}},
            "test_split": "test",
            "output_type": "generate_until",
            "doc_to_text": "Question: {{question}}\nAnswer:",
            "doc_to_target": "{{answer}}",
            "generation_kwargs": {"until": ["Question:", "\n\n"], "max_gen_toks": 64, "do_sample": False, "temperature": 0.0},
            "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
            "filter_list": [
                {"name": "strict-match", "filter": [{"function": "regex", "regex_pattern": "The answer is (\\-?[0-9\\.\\,]+)"}, {"function": "take_first"}]},
                {"name": "flexible-extract", "filter": [{"function": "regex", "group_select": -1, "regex_pattern": "(-?[$0-9.,]{2,})|(-?[0-9]+)"}, {"function": "take_first"}]},
            ],
            "num_fewshot": 0,
        }
        (temporary / "tasks").mkdir()
        (temporary / "tasks/four_problems.yaml").write_text(json.dumps(task))
        tracker = EvaluationTracker(output_path=str(temporary / "out"))
        tracker.general_config_tracker.log_experiment_args(
            model_source="recorded", model_args="pretrained=ours/recorded", system_instruction=None, chat_template=None, fewshot_as_multiturn=False
        )
        results = lm_eval.simple_evaluate(
            model=Recorded(),
            tasks=["four_problems"],
            task_manager=TaskManager(include_path=str(temporary / "tasks")),
            log_samples=True,
            bootstrap_iters=0,
        )
        samples = results.pop("samples")
        tracker.save_results_aggregated(results=results, samples=samples)
        for name, records in samples.items():
            tracker.save_results_samples(task_name=name, samples=records)
        target = FOLDER / "lm-eval"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        date = "2026-01-02T03-04-05.000006"
        for file in sorted((temporary / "out").rglob("*.json*")):
            text = file.read_text(encoding="utf-8").replace(str(temporary), "/data")
            if file.suffix == ".json":
                text = json.dumps(plain_results(json.loads(text)), indent=2) + "\n"
            (target / re.sub(r"\d{4}-\d\d-\d\dT[\d.-]+(?=\.json)", date, file.name)).write_text(text, encoding="utf-8")


def plain_results(results):
    for name in ("pretty_env_info", "git_hash", "transformers_version", "upper_git_hash", "tokenizer_pad_token", "tokenizer_eos_token", "tokenizer_bos_token"):
        results.pop(name, None)
    results.update(date=1767323045.0, start_time=1.0, end_time=2.0, total_evaluation_time_seconds="1.0")
    return results


def inspect_files():
    from inspect_ai import Task, eval
    from inspect_ai.dataset import Sample
    from inspect_ai.log import read_eval_log, write_eval_log
    from inspect_ai.model import ChatCompletionChoice, ChatMessageAssistant, ContentReasoning, ContentText, ModelOutput, ModelUsage, get_model
    from inspect_ai.model import GenerateConfig
    from inspect_ai.scorer import match
    from inspect_ai.solver import generate, prompt_template

    said = {question: list(texts) for question, _, texts in items()}
    for texts in said.values():
        texts.reverse()

    def answer(messages, *_):
        question = next(question for question in said if question in messages[-1].text)
        text = said[question].pop()
        content = text
        if "tulips" in question:
            content = [ContentReasoning(reasoning="Rows times tulips."), ContentText(text=text)]
        choice = ChatCompletionChoice(message=ChatMessageAssistant(content=content, source="generate"), stop_reason="stop" if text else "max_tokens")
        return ModelOutput(model="recorded", choices=[choice], usage=ModelUsage(input_tokens=20, output_tokens=11, total_tokens=31))

    task = Task(
        name="four_problems",
        dataset=[Sample(id=f"item-{place}", input=q, target=r, metadata={"note": "ours"}) for place, (q, r, _) in enumerate(items(), 1)],
        solver=[prompt_template("Solve this.\n\n{prompt}"), generate()],
        scorer=match(numeric=True),
        config=GenerateConfig(temperature=0.7, top_p=0.95, max_tokens=64, seed=7),
        epochs=2,
    )
    with tempfile.TemporaryDirectory() as temporary:
        model = get_model("mockllm/recorded", custom_outputs=answer)
        [log] = eval(task, model=model, log_dir=temporary, log_format="json", max_samples=1, max_connections=1, display="none")
        assert log.status == "success", log.error
        log = read_eval_log(log.location)
        plain = json.loads(Path(log.location).read_text(encoding="utf-8"))
        for sample in plain["samples"]:
            sample["events"] = []
            sample.pop("events_data", None)
        for name in ("revision", "packages"):
            plain["eval"].pop(name, None)
        plain["eval"]["packages"] = {"inspect_ai": version("inspect-ai")}
        target = FOLDER / "inspect"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        text = json.dumps(plain, indent=1).replace(temporary, "/logs").replace(str(ROOT), "/data")
        (target / "log.json").write_text(text + "\n", encoding="utf-8")
        # The same log as an archive, written by inspect.
        write_eval_log(read_eval_log(str(target / "log.json")), str(target / "log.eval"), format="eval")


def version(package):
    from importlib.metadata import version as of

    return of(package)


class NotInstalled(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Packages that OpenCompass imports for models and metrics which are not used here."""

    NAMES = "torch transformers evaluate httpx importlib_metadata jieba nltk rank_bm25 requests rouge_chinese scipy sklearn urllib3".split()

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.NAMES:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        module = ModuleType(spec.name)
        module.__version__ = "0"
        module.__getattr__ = lambda name: type(name, (), {}) if name[0].isupper() else MagicMock(name=name)
        return module

    def exec_module(self, module):
        pass


def opencompass_files():
    from datasets import Dataset, DatasetDict

    sys.meta_path.append(NotInstalled())
    from opencompass.models.base import BaseModel
    from opencompass.models.base_api import APITemplateParser
    from opencompass.openicl import DatasetReader, GenInferencer, PromptTemplate, ZeroRetriever

    said = {question: texts for question, _, texts in items()}

    class Recorded(BaseModel):
        def generate(self, inputs, max_out_len):
            texts = [said[next(question for question in said if question in str(prompt))] for prompt in inputs]
            return [text for several in texts for text in several[: self.generation_kwargs.get("num_return_sequences", 1)]]

        def get_token_len(self, prompt):
            return len(prompt.split())

    class Inferencer(GenInferencer):
        @staticmethod
        def get_dataloader(entries, batch_size):
            """In place of torch's."""
            return [entries[at : at + batch_size] for at in range(0, len(entries), batch_size)]

    records = Dataset.from_list([{"question": q, "answer": r} for q, r, _ in items()])
    reader = DatasetReader(DatasetDict(train=records, test=records), input_columns=["question"], output_column="answer")
    data = SimpleNamespace(reader=reader, train=reader.dataset["train"], test=reader.dataset["test"])
    template = PromptTemplate(template={"round": [{"role": "HUMAN", "prompt": "Question: {question}\nLet's think step by step.\nAnswer:"}]})
    chat = {"round": [{"role": "HUMAN", "api_role": "HUMAN"}, {"role": "BOT", "api_role": "BOT", "generate": True}]}
    # A text as prompt, a conversation with the lengths kept, and two completions of each.
    for folder, parser, samples, lengths in [
        ("predictions/recorded", None, 1, False),
        ("chat", APITemplateParser(chat), 1, True),
        ("samples", None, 2, True),
    ]:
        model = Recorded("ours/recorded", generation_kwargs={"num_return_sequences": samples})
        model.template_parser = parser or model.template_parser
        target = FOLDER / "opencompass" / folder
        inferencer = Inferencer(
            model=model, max_out_len=64, batch_size=3, dump_res_length=lengths, output_json_filepath=str(target), output_json_filename="four_problems.json"
        )
        inferencer.is_main_process = True
        inferencer.inference(ZeroRetriever(data), prompt_template=template)


def other_files():
    target = FOLDER / "official"
    judged = [True, False, True, False]
    write_lines(target / "four_problems.prediction.json", [
        {"question": q, "answer": r, "completion": texts[0], "clean_reference_ans": r, "clean_prediction_ans": r, "judge": judge}
        for (q, r, texts), judge in zip(items(), judged)
    ])
    target = FOLDER / "nemo-skills"
    for seed in range(2):
        write_lines(target / f"output-rs{seed}.jsonl", [
            {
                "problem": q, "expected_answer": r, "generation": texts[seed], "predicted_answer": None, "symbolic_correct": False,
                "num_generated_tokens": 9, "finish_reason": "stop", "generation_start_time": 1.0, "generation_end_time": 2.0,
                "generation_time": 1.0, "house_field": "ours",
            }
            for q, r, texts in items()
        ])
    write_lines(FOLDER / "replies.jsonl", [
        {
            "custom_id": f"request-{place}", "problem": q, "answer": r, "batch": 3,
            "response": {"body": {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"} for text in texts], "model": "recorded"}},
        }
        for place, (q, r, texts) in enumerate(items(), 1)
    ])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["lm-eval", "inspect", "opencompass", "others"])
    made = {"lm-eval": lm_eval_files, "inspect": inspect_files, "opencompass": opencompass_files, "others": other_files}
    made[parser.parse_args().what]()


if __name__ == "__main__":
    main()
