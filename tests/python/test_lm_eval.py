"""A task of lm-evaluation-harness over 20 items, with a scripted model."""

import json
import subprocess
import sys

import pytest
from conftest import needs

needs("lm_eval", "datasets")

ITEMS = 20
# Of these the scripted model gets every fourth one wrong, and says nothing to one.
RIGHT = [number % 4 != 3 and number != 8 for number in range(ITEMS)]

YAML = """
task: halves
dataset_path: json
dataset_kwargs:
  data_files:
    test: {data}
output_type: generate_until
test_split: test
doc_to_text: "{{{{question}}}}"
doc_to_target: "{{{{answer}}}}"
generation_kwargs:
  until: ["Question:"]
process_results: !function {function}
metric_list:
  - metric: {metric}
    aggregation: mean
    higher_is_better: true
metadata:
  version: 1.0
"""

FILTERED = """
task: filtered_halves
dataset_path: json
dataset_kwargs:
  data_files:
    test: {data}
output_type: generate_until
test_split: test
doc_to_text: "{{{{question}}}}"
doc_to_target: "{{{{decimal}}}}"
generation_kwargs:
  until: ["Question:"]
filter_list:
  - name: answer
    filter:
      - function: mwpbench
      - function: take_first
metric_list:
  - metric: exact_match
    aggregation: mean
    higher_is_better: true
metadata:
  version: 1.0
"""

# In a process of its own: the harness keeps what it has read.
RUN = """
import json, sys
import lm_eval
from lm_eval.api.model import LM
from lm_eval.loggers import EvaluationTracker
from lm_eval.tasks import TaskManager
import mwpbench.lm_eval

class Scripted(LM):
    def generate_until(self, requests, **kwargs):
        return [said(int(request.args[0].split()[-1].strip("?"))) for request in requests]
    def loglikelihood(self, requests, **kwargs):
        raise NotImplementedError
    def loglikelihood_rolling(self, requests, **kwargs):
        raise NotImplementedError

def said(number):
    if number == 8:
        return "I do not know."
    number += number % 4 == 3
    return f"Half of it is what we want. The answer is {number / 2}."

folder, task = sys.argv[1:]
tracker = EvaluationTracker(output_path=folder + "/out")
results = lm_eval.simple_evaluate(
    model=Scripted(), tasks=[task], task_manager=TaskManager(include_path=folder),
    log_samples=True, bootstrap_iters=0, evaluation_tracker=tracker,
)
samples = results.pop("samples")
tracker.save_results_aggregated(results=results, samples=samples)
tracker.save_results_samples(task_name=task, samples=samples[task])
"""


def evaluated(folder, task):
    data = folder / "items.jsonl"
    with data.open("w") as out:
        for number in range(ITEMS):
            row = {"question": f"What is half of {number}?", "answer": f"\\frac{{{number}}}{{2}}"}
            out.write(json.dumps({**row, "decimal": str(number / 2)}) + "\n")
    (folder / "run.py").write_text(RUN)
    environment = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(folder / "hf")}
    import os

    done = subprocess.run(
        [sys.executable, "run.py", str(folder), task],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    [results] = (folder / "out").rglob("results_*.json")
    [samples] = (folder / "out").rglob("samples_*.jsonl")
    rows = [json.loads(line) for line in samples.read_text().splitlines()]
    return json.loads(results.read_text())["results"][task], sorted(rows, key=lambda row: row["doc_id"])


@pytest.mark.parametrize("function", ["mwpbench.lm_eval.process_results", "utils.process_results"])
def test_its_own_result_file_carries_the_metric(function, tmp_path):
    metric = "mwpbench" if function.startswith("mwpbench") else "official"
    (tmp_path / "utils.py").write_text(
        "from mwpbench.lm_eval import results_by\n"
        "process_results = results_by(reference='decimal', scorer='official', metric='official')\n"
    )
    text = YAML.format(data=tmp_path / "items.jsonl", function=function, metric=metric)
    (tmp_path / "halves.yaml").write_text(text)
    result, rows = evaluated(tmp_path, "halves")
    assert result[f"{metric},none"] == pytest.approx(sum(RIGHT) / ITEMS)
    assert [row[metric] for row in rows] == [float(right) for right in RIGHT]


def test_the_filter_gives_answers_to_the_harness_s_metrics(tmp_path):
    (tmp_path / "filtered.yaml").write_text(FILTERED.format(data=tmp_path / "items.jsonl"))
    result, rows = evaluated(tmp_path, "filtered_halves")
    assert result["exact_match,answer"] == pytest.approx(sum(RIGHT) / ITEMS)
    assert rows[8]["filtered_resps"] == ["[invalid]"] and rows[4]["filtered_resps"] == ["2.0"]


def test_what_a_document_lacks_is_named():
    from mwpbench.lm_eval import process_results, results_by

    with pytest.raises(KeyError, match="no field answer or target.*it has gold"):
        process_results({"gold": "1"}, ["1"])
    assert results_by(reference="gold")({"gold": "1"}, ["It is 1."]) == {"mwpbench": 1.0}
    assert results_by()({"answer": ["2", "1"]}, [["It is 1.", "It is 3."]]) == {"mwpbench": 0.5}
    roots = {"answer": "5, 3", "question": "Give the roots from greatest to least."}
    assert process_results(roots, ["It is 3, 5."]) == {"mwpbench": 0.0}
