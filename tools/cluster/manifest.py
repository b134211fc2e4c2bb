#!/usr/bin/env python3
"""Holds the Kubernetes manifest of docs/cluster.md against the JSON schemas that Kubernetes publishes.

    pip install -r tools/cluster/requirements.txt
    tools/cluster/manifest.py

Offline: the schemas are in the package kubernetes-validate. A manifest with a misspelt field must be
refused, or the check checks nothing. The number of shards must be that of the job's completions.
"""

import copy
import sys
from pathlib import Path

import kubernetes_validate
import yaml

PAGE = Path(__file__).resolve().parents[2] / "docs/cluster.md"
VERSIONS = ["1.31.0", "1.37.0"]


def manifest(page):
    """The indented block that begins with `apiVersion`."""
    lines = page.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("    apiVersion:"))
    block = []
    for line in lines[start:]:
        if line and not line.startswith("    "):
            break
        block.append(line[4:])
    return yaml.safe_load("\n".join(block))


def fault(job, version):
    """What the schema says against it."""
    try:
        kubernetes_validate.validate(job, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return error.message
    return None


def main():
    job = manifest(PAGE.read_text(encoding="utf-8"))
    misspelt = copy.deepcopy(job)
    misspelt["spec"]["template"]["spec"]["containers"][0]["volumeMount"] = []
    wrong_type = copy.deepcopy(job)
    wrong_type["spec"]["completions"] = "eight"
    faults = []
    for version in VERSIONS:
        found = fault(job, version)
        if found:
            faults.append(f"Kubernetes {version}: {found}")
        faults += [f"Kubernetes {version}: a broken manifest is not refused" for broken in (misspelt, wrong_type)
                   if fault(broken, version) is None]
    shards = f"--shard=kubernetes/{job['spec']['completions']}"
    if shards not in job["spec"]["template"]["spec"]["containers"][0]["args"]:
        faults.append(f"the job has {job['spec']['completions']} completions, and no argument {shards}")
    if job["spec"].get("completionMode") != "Indexed":
        faults.append("only an indexed job numbers its pods")
    for text in faults:
        print(text)
    if not faults:
        print(f"docs/cluster.md: a valid {job['kind']} by the schemas of Kubernetes {' and '.join(VERSIONS)}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
