"""`transformers serve` with the demo checkpoint in f32, against our own engine in f32."""

import harness
from serving import Server


def command(venv, models, port):
    return [venv / "bin/transformers", "serve", models.folder, "--host", "127.0.0.1", "--port", port, "--dtype", "float32",
            "--device", "cpu"]


SERVER = Server(
    key="transformers",
    title="transformers serve",
    packages=("transformers[serving]==5.24.0", "torch==2.13.0"),
    command=command,
    model="{folder}",
    # A seed is set for the whole process: requests at the same time disturb each other's draws.
    drawing_flags=("--max-concurrency", "1"),
    least={"logprobs": (0.0, "it tells none, which a warning says")},
)

if __name__ == "__main__":
    harness.main(SERVER, __doc__)
