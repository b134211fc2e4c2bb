#!/usr/bin/env python3
"""What other programs make of the files of `mwpbench export`.

    pip install lm-eval==0.4.13 inspect-ai==0.3.285 huggingface_hub every-eval-ever==0.3.0
    tools/report/exports.py --mwpbench target/release/mwpbench RUN [--check lm-eval,inspect,hub,every-eval-ever,parquet]

Each check needs its own package alone, so that they can run in several environments (every-eval-ever needs Python 3.12).
lm-evaluation-harness prints its own table from the exported results, and the package datasets reads the samples as the
harness's uploads are read; inspect's `read_eval_log` reads the log in both forms;
huggingface_hub parses the results of a model repository; every-eval-ever's validator checks its two files; datasets (or
pyarrow) reads the rows. Prints what was compared; exit code 1 where a figure is another one than the run has.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path


class Run:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        read = lambda name: [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]
        self.verdicts = read("verdicts.jsonl")
        self.summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        self.completions = {}
        for line in read("completions.jsonl"):
            self.completions[line["id"], line["sample"]] = line
        self.judged = defaultdict(list)
        for verdict in self.verdicts:
            for scorer in ("official", "strict"):
                self.judged[verdict["task"], scorer].append(verdict[scorer]["correct"])

    def export(self, form, folder, *more):
        subprocess.run([self.program, "export", self.folder, "--format", form, "--output", folder, *more], check=True)
        return folder


def lm_eval(run, folder):
    from datasets import load_dataset
    from lm_eval.utils import make_table

    run.export("lm-eval", folder)
    results = json.loads(next(folder.glob("results_*.json")).read_text())
    table = make_table(results)
    print(table)
    shown, task = {}, None
    for line in table.splitlines()[2:]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        task = cells[0] or task
        shown[task, cells[2]] = cells[6]
    # Four digits, without zeros at the end.
    expected = {key: round(sum(values) / len(values), 4) for key, values in run.judged.items()}
    wrong = {key: (value, shown.get(key)) for key, value in expected.items() if float(shown.get(key, "nan")) != value}
    files = sorted(folder.glob("samples_*.jsonl"))
    rows = sum(len(load_dataset("json", data_files=str(file), split="train", cache_dir=str(folder))) for file in files)
    lines = sum(map(len, run.judged.values()))
    print(f"lm-eval {version('lm-eval')}, datasets {version('datasets')}: {len(results['results'])} tasks, "
          f"{rows} samples of {len(files)} files (expected {lines}); {len(shown)} figures, differing: {wrong}")
    return not wrong and rows == lines


def inspect(run, folder):
    from inspect_ai.log import read_eval_log

    forms = {"inspect": "mwpbench.json", "inspect-eval": "mwpbench.eval"}
    return all([inspect_log(run, read_eval_log(str(run.export(form, folder) / name))) for form, name in forms.items()])


def inspect_log(run, log):
    wrong = []
    by_id = {(verdict["id"], verdict["sample"]): verdict for verdict in run.verdicts}
    for sample in log.samples:
        key = (sample.id, sample.epoch - 1)
        verdict, completion = by_id[key], run.completions[key]
        for scorer in ("official", "strict"):
            if (sample.scores[scorer].value == "C") != verdict[scorer]["correct"]:
                wrong.append((key, scorer))
        if sample.output.completion != completion["completion"]:
            wrong.append((key, "completion"))
    for score in log.results.scores:
        correct = [verdict[score.name]["correct"] for verdict in run.verdicts]
        if abs(score.metrics["accuracy"].value - sum(correct) / len(correct)) > 1e-12:
            wrong.append(score.name)
    print(f"inspect-ai {version('inspect-ai')}: status {log.status}, {len(log.samples)} samples (expected {len(run.verdicts)}), "
          f"{len(log.results.scores)} scores; differing: {wrong}")
    return not wrong and len(log.samples) == len(run.verdicts) and log.status == "success"


def hub(run, folder):
    import yaml
    from huggingface_hub import parse_eval_result_entries

    sets = [one["set"] for one in run.summary["sets"]]
    run.export("hf-eval-results", folder, *[flag for name in sets for flag in ("--hub-task", f"{name}=ours/data:{name}_task")])
    wrong = []
    for one in run.summary["sets"]:
        for end, scorer in (("", "official"), ("_strict", "strict")):
            text = (folder / ".eval_results" / f"{one['set']}{end}.yaml").read_text(encoding="utf-8")
            [entry] = parse_eval_result_entries(yaml.safe_load(text))
            if abs(entry.value - 100 * one[scorer]["accuracy"]) > 0.005 or entry.task_id != f"{one['set']}_task":
                wrong.append((one["set"], scorer, entry))
    print(f"huggingface_hub {version('huggingface_hub')}: {2 * len(sets)} results; differing: {wrong}")
    return not wrong


def every_eval_ever(run, folder):
    from every_eval_ever.validator import validation_core

    run.export("every-eval-ever", folder, "--model-id", "ours/model")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    available = frozenset(str(path.relative_to(folder)) for path in files)
    failures, lines = [], 0
    for path in files:
        report = validation_core.validate_file(
            path,
            repo_path=str(path.relative_to(folder)),
            available_files=available,
            read_repo_file=lambda name: (folder / name).read_text(),
            run_semantic_checks=True,
        )
        failures += [(path.name, error) for error in report.errors + report.warnings]
        payload = json.loads(path.read_text()) if path.suffix == ".json" else None
        if payload is not None:
            shown = {result["evaluation_result_id"]: result["score_details"]["score"] for result in payload["evaluation_results"]}
        else:
            lines = len(path.read_text().splitlines())
    wrong = {
        key: shown.get("/".join(key)) for key, values in run.judged.items() if abs(shown.get("/".join(key), -1) - sum(values) / len(values)) > 1e-12
    }
    print(f"every-eval-ever schema {validation_core.get_schema_version()}: {len(files)} files, {lines} lines (expected {2 * len(run.verdicts)}); "
          f"findings: {failures}; differing: {wrong}")
    return not failures and not wrong and lines == 2 * len(run.verdicts)


def parquet(run, folder):
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(run.export("parquet", folder) / "items.parquet").to_pylist()
    wrong = []
    for row, verdict in zip(rows, sorted(run.verdicts, key=lambda one: list(run.judged).index((one["task"], "official")))):
        same = (row["id"], row["sample"], row["official_correct"], row["strict_answer"]) == (
            verdict["id"], verdict["sample"], verdict["official"]["correct"], verdict["strict"]["answer"])
        if not same or row["completion"] != run.completions[row["id"], row["sample"]]["completion"]:
            wrong.append(row["id"])
    try:
        from datasets import load_dataset

        read = len(load_dataset("parquet", data_files=str(folder / "items.parquet"), split="train", cache_dir=str(folder / "cache")))
        by = f"datasets {version('datasets')}"
    except ImportError:
        read, by = len(rows), "datasets not installed"
    print(f"pyarrow {version('pyarrow')}, {by}: {len(rows)} rows, {read} read (expected {len(run.verdicts)}); differing: {wrong}")
    return not wrong and len(rows) == read == len(run.verdicts)


CHECKS = {"lm-eval": lm_eval, "inspect": inspect, "hub": hub, "every-eval-ever": every_eval_ever, "parquet": parquet}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mwpbench", type=Path, required=True)
    parser.add_argument("--check", default=",".join(CHECKS))
    parser.add_argument("run", type=Path)
    arguments = parser.parse_args()
    run = Run(arguments.mwpbench.resolve(), arguments.run)
    good = True
    for name in arguments.check.split(","):
        with tempfile.TemporaryDirectory() as temporary:
            good &= CHECKS[name](run, Path(temporary) / "files")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
