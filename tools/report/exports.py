#!/usr/bin/env python3
"""What other programs make of the files of `mwpbench export`.

    pip install lm-eval==0.4.13
    tools/report/exports.py --mwpbench target/release/mwpbench RUN

lm-evaluation-harness prints its own table from the exported results, and the package datasets reads the samples as the
harness's uploads are read. Prints what was compared; exit code 1 where a figure is another one than the run has.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path

from datasets import load_dataset
from lm_eval.utils import make_table


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mwpbench", type=Path, required=True)
    parser.add_argument("run", type=Path)
    arguments = parser.parse_args()
    judged = defaultdict(list)
    for line in (arguments.run / "verdicts.jsonl").read_text(encoding="utf-8").splitlines():
        verdict = json.loads(line)
        for scorer in ("official", "strict"):
            judged[verdict["task"], scorer].append(verdict[scorer]["correct"])
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "files"
        subprocess.run([arguments.mwpbench, "export", arguments.run, "--format", "lm-eval", "--output", folder], check=True)
        results = json.loads(next(folder.glob("results_*.json")).read_text())
        table = make_table(results)
        print(table)
        shown, task = {}, None
        for line in table.splitlines()[2:]:
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            task = cells[0] or task
            shown[task, cells[2]] = cells[6]
        expected = {key: f"{sum(values) / len(values):.4f}" for key, values in judged.items()}
        wrong = {key: (value, shown.get(key)) for key, value in expected.items() if shown.get(key) != value}
        files = sorted(folder.glob("samples_*.jsonl"))
        rows = 0
        for file in files:
            rows += len(load_dataset("json", data_files=str(file), split="train", cache_dir=temporary))
    lines = sum(map(len, judged.values()))
    print(f"lm-eval {version('lm-eval')}, datasets {version('datasets')}: {len(results['results'])} tasks, "
          f"{rows} samples of {len(files)} files (expected {lines}); {len(shown)} figures, differing: {wrong}")
    sys.exit(1 if wrong or rows != lines else 0)


if __name__ == "__main__":
    main()
