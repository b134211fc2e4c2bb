#!/usr/bin/env python3
"""What other programs make of the files of `mwpbench export`.

    pip install lm-eval==0.4.13
    tools/report/exports.py --mwpbench target/release/mwpbench RUN

lm-evaluation-harness prints its own table from the exported results, and the package datasets reads the samples as the
harness's uploads are read. Prints what was compared; exit code 1 where a figure is another one than in summary.json.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from datasets import load_dataset
from lm_eval.utils import make_table


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mwpbench", type=Path, required=True)
    parser.add_argument("run", type=Path)
    arguments = parser.parse_args()
    summary = json.loads((arguments.run / "summary.json").read_text())
    wrong = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "files"
        subprocess.run([arguments.mwpbench, "export", arguments.run, "--format", "lm-eval", "--output", folder], check=True)
        results = json.loads(next(folder.glob("results_*.json")).read_text())
        table = make_table(results)
        print(table)
        for entry in summary["sets"]:
            for figures in entry["tasks"] or [entry]:
                name = figures.get("task")
                names = [name] if name else [task for task in results["results"] if len(entry["tasks"]) == 0]
                for scorer in ("official", "strict"):
                    value = f"{figures[scorer]['accuracy']:.4f}"
                    if not any(name in line and scorer in line and value in line
                               for name in names for line in table.splitlines()):
                        wrong.append((entry["set"], name, scorer, value))
        files = sorted(folder.glob("samples_*.jsonl"))
        rows = 0
        for file in files:
            rows += len(load_dataset("json", data_files=str(file), split="train", cache_dir=temporary))
    expected = 2 * sum(entry["n"] for entry in summary["sets"])
    print(f"lm-eval {version('lm-eval')}, datasets {version('datasets')}: {len(results['results'])} tasks, "
          f"{rows} samples of {len(files)} files (expected {expected}); figures that differ: {wrong}")
    sys.exit(1 if wrong or rows != expected else 0)


if __name__ == "__main__":
    main()
