"""What the tests of the Python package share. They run against the installed package."""

import json
import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
NORMALIZERS = ROOT / "answer-normalizers"

# What a package is called where it is installed from.
WANTED = {
    "math_verify": "math-verify==0.9.*",
    "lm_eval": "lm-eval",
    "inspect_ai": "inspect-ai",
    "lighteval": "lighteval",
    "trl": "trl",
    "torch": "torch",
    "transformers": "transformers",
    "datasets": "datasets",
}


def needs(*modules):
    """Skips, loudly, where a package is not installed."""
    import importlib.util

    missing = [WANTED[name] for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"NOT RUN: {', '.join(missing)} not installed", allow_module_level=True)


@pytest.fixture(scope="session")
def labelled():
    """Rows of completion, reference and label: the bundled cases, or bench_5000 where it is at
    hand."""
    shared = os.environ.get("MWPBENCH_SHARED_DATA")
    path = pathlib.Path(shared or ROOT / "../shared/data") / "grading/bench_5000.jsonl"
    if path.is_file():
        rows = [json.loads(line) for line in path.open(encoding="utf-8")]
        return [
            (row["reference"], row["completion"], row["label"])
            for row in rows
            if row.get("completion") and isinstance(row.get("label"), bool)
        ]
    return [
        (case["reference"], case["completion"], case["correct"])
        for _, case in cases("strict")
        if "completion" in case and not {"profile", "question"} & set(case)
    ]


def cases(scorer):
    """All cases of a scorer: file and case."""
    for path in sorted((NORMALIZERS / "cases").glob(f"{scorer}-*.toml")):
        for case in toml(path)["case"]:
            yield path.stem, case


def toml(path):
    """A TOML file."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(path.read_text(encoding="utf-8"))
