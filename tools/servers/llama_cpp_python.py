"""llama-cpp-python's server with the demo checkpoint in f32, against our own engine in f32.

It builds llama.cpp where no wheel is at hand: $MWPBENCH_WHEELS names a folder with wheels, pip's own cache is looked into too.
"""

import os

import harness
from serving import Server, pip, python_of

PACKAGES = ("llama-cpp-python[server]==0.3.36", "gguf==0.19.0", "numpy>=2.0")

# Keys and values are kept in f16 by default, which decides where two tokens are nearly as likely; 0 is ggml's f32.
F32_CACHE = ("--type_k", 0, "--type_v", 0)


def install(venv):
    wheels = os.environ.get("MWPBENCH_WHEELS")
    pip(venv, "install", "--quiet", *(["--find-links", wheels] if wheels else []), *PACKAGES)


def command(venv, models, port):
    return [python_of(venv), "-m", "llama_cpp.server", "--model", models.gguf, "--model_alias", "demo", "--host", "127.0.0.1",
            "--port", port, "--n_ctx", 2048, "--n_threads", 1, "--n_threads_batch", 1, *F32_CACHE]


SERVER = Server(
    key="llama-cpp-python",
    title="llama-cpp-python",
    packages=PACKAGES,
    distributions=("llama-cpp-python",),
    install=install,
    command=command,
    wants_gguf=True,
)

if __name__ == "__main__":
    harness.main(SERVER, __doc__)
