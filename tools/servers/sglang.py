"""SGLang on the processor with the demo checkpoint in f32, against our own engine in f32.

Its requirements for GPUs are left out. SGLang imports its kernels at its start, of which the package registry has no build for
processors: a module takes their place whose functions exist and refuse to be called. None is called with the attention of torch.
"""

import re

import harness
from serving import Server, pip

VERSION = "0.5.23"
TORCH = "torch==2.13.0"
FOR_GPUS = re.compile(
    r"cuda|flash-attn|flashinfer|humming|cutlass|mathdx|nvshmem|quack|sgl-|sglang-kernel|tilelang|memory_saver|torchcodec|decord"
    r"|^kernels|^av=|^torch=|^tml|^deepseek|^smg|^modelscope")
KERNELS = '''"""Stands in for kernels that are not built for processors: importing works, calling does not."""


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)

    def missing(*_, **__):
        raise NotImplementedError(f"sgl_kernel.{name}")

    return missing
'''


def install(venv):
    pip(venv, "install", "--quiet", "--no-deps", f"sglang=={VERSION}")
    packages = next(venv.glob("lib/python*/site-packages"))
    told = (packages / f"sglang-{VERSION}.dist-info/METADATA").read_text(encoding="utf-8")
    needs = [need for need in re.findall(r"^Requires-Dist: (.*)$", told, re.MULTILINE) if "extra ==" not in need]
    needs = [need for need in needs if not FOR_GPUS.search(need)]
    (venv / "needs.txt").write_text("\n".join([*needs, TORCH]))
    pip(venv, "install", "--quiet", "-r", venv / "needs.txt")
    kernels = packages / "sgl_kernel"
    kernels.mkdir(exist_ok=True)
    (kernels / "__init__.py").write_text(KERNELS)


def command(venv, models, port):
    return [venv / "bin/python", "-m", "sglang.launch_server", "--model-path", models.folder, "--served-model-name", "demo",
            "--host", "127.0.0.1", "--port", port, "--device", "cpu", "--dtype", "float32", "--attention-backend", "torch_native",
            "--mem-fraction-static", "0.1"]


SERVER = Server(
    key="sglang",
    title="SGLang",
    packages=(f"sglang=={VERSION}", TORCH),
    distributions=("sglang", "torch", "transformers"),
    install=install,
    command=command,
    environment={"SGLANG_USE_CPU_ENGINE": "1"},
)

if __name__ == "__main__":
    harness.main(SERVER, __doc__)
