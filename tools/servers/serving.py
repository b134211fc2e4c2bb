"""Real servers: the environment of each, its start on loopback and its end.

A server is described by a `Server`: what to install, and the command that serves a checkpoint. Environments are made once and
outside the repository; nothing here needs more than Python's standard library.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN_S = 600
ENDS_WITHIN_S = 30


@dataclasses.dataclass(frozen=True)
class Models:
    """The demo checkpoint as servers take it."""

    folder: Path
    """In Hugging Face layout, with a chat template."""
    gguf: Path | None
    """In f32, with the same template; only for servers that want it."""


@dataclasses.dataclass(frozen=True)
class Server:
    """What there is to know of a server before it runs."""

    key: str
    """Names the file of its results."""
    title: str
    packages: tuple[str, ...]
    """Requirements, for pip."""
    command: Callable[[Path, Models, int], list]
    """From the environment's folder, the checkpoint and a port."""
    distributions: tuple[str, ...] = ()
    """Installed packages whose versions are told; the first is the server's."""
    wants_gguf: bool = False
    install: Callable[[Path], None] | None = None
    """In place of `pip install` of the packages."""
    environment: dict = dataclasses.field(default_factory=dict)
    """Variables beside those of this process."""
    model: str = "demo"
    """The model's name for requests; `{folder}` is the checkpoint's folder."""
    flags: tuple[str, ...] = ()
    """Flags of `mwpbench eval` that this server needs."""
    drawing_flags: tuple[str, ...] = ()
    """Further ones, without which it does not draw the same again."""
    least: dict = dataclasses.field(default_factory=dict)
    """Least share of a check, where it is not 1, and why: {check: (share, reason)}."""
    skip: dict = dataclasses.field(default_factory=dict)
    """Checks that it cannot pass, and why."""
    behind: "Server | None" = None
    """The server that this one passes requests on to; its port is in `{behind}` of this one's environment."""


def python_of(venv):
    return venv / "bin/python"


def pip(venv, *arguments):
    """Runs pip of an environment; what it says goes to our standard error."""
    subprocess.run([python_of(venv), "-m", "pip", *map(str, arguments)], check=True, stdout=sys.stderr)


def default_venv(server):
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "mwpbench-servers" / server.key


def make_environment(server, venv):
    """Installs the server, unless that was done for these packages."""
    venv = venv.resolve()
    if venv.is_relative_to(ROOT):
        sys.exit(f"{venv} lies in the repository: name a folder outside it with --venv")
    wanted = hashlib.sha256("\n".join(server.packages).encode()).hexdigest()
    done = venv / "installed-by-mwpbench"
    if done.is_file() and done.read_text() == wanted:
        return venv
    if not python_of(venv).exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    if server.install:
        server.install(venv)
    else:
        pip(venv, "install", "--quiet", *server.packages)
    done.write_text(wanted)
    return venv


def versions(server, venv):
    """The versions of the packages that decide the answers, as the environment has them."""
    # Asked of the environment itself, which may share packages with another one.
    code = "import importlib.metadata as m, json; print(json.dumps([[d.metadata['Name'], d.version] for d in m.distributions()]))"
    listed = json.loads(subprocess.run([python_of(venv), "-c", code], capture_output=True, text=True, check=True).stdout)
    found = {name.lower().replace("_", "-"): version for name, version in reversed(listed)}
    pins = (package.split("==") for package in server.packages if "==" in package)
    pinned = {name.split("[")[0]: version for name, version in pins}
    names = server.distributions or tuple(pinned)
    # What was built from a source package is not installed under its name.
    return {name: found.get(name) or pinned[name] for name in names}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def alone(folder):
    """Variables for a process that takes models from the disk only, and whose model is too small to gain from several threads."""
    return {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "hub"), "NO_PROXY": "127.0.0.1", "OMP_NUM_THREADS": "1"}


class Running:
    """A server in a process group of its own, on a loopback port that stays its own when it is started again."""

    def __init__(self, server, venv, models, folder, behind=None):
        self.server, self.venv, self.models, self.folder = server, venv, models, folder
        self.behind = behind
        self.port = free_port()
        self.log = folder / f"{server.key}.log"
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def model(self):
        return self.server.model.format(folder=self.models.folder)

    def start(self):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MWPBENCH_")}
        environment |= alone(self.folder)
        behind = self.behind.port if self.behind else ""
        environment |= {name: value.format(behind=behind) for name, value in self.server.environment.items()}
        environment["PATH"] = f"{self.venv / 'bin'}:{environment['PATH']}"
        command = [str(part) for part in self.server.command(self.venv, self.models, self.port)]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment, cwd=self.folder,
                start_new_session=True)
        self._wait_until_ready()

    def _wait_until_ready(self):
        until = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < until:
            if self.process.poll() is not None:
                sys.exit(f"{self.server.title} ended with {self.process.returncode} at its start:\n{self.end_of_log()}")
            with contextlib.suppress(OSError, urllib.error.URLError):
                urllib.request.urlopen(f"{self.url}/models", timeout=5).read()
                return
            time.sleep(0.25)
        self.kill()
        sys.exit(f"{self.server.title} did not start within {STARTS_WITHIN_S} s:\n{self.end_of_log()}")

    def end_of_log(self):
        return self.log.read_text(errors="replace")[-3000:]

    def requests(self):
        """Requests for text in its log; None where its log has none."""
        text = self.log.read_text(errors="replace")
        return text.count("POST /v1/completions") + text.count("POST /v1/chat/completions") or None

    def kill(self):
        """Ends it at once, with the processes that it started."""
        self._signal(signal.SIGKILL)

    def stop(self):
        """Asks it to end, and ends it where it does not."""
        self._signal(signal.SIGTERM)
        if self.process and self.process.poll() is None:
            self.kill()

    def _signal(self, number):
        if not self.process:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(ENDS_WITHIN_S)


def listed(url):
    """What `/v1/models` says of the model by which a client may know the server."""
    entries = json.load(urllib.request.urlopen(f"{url}/models", timeout=30))["data"]
    known = ("owned_by", "max_model_len", "max_input_tokens")
    return {name: entries[0][name] for name in known if entries and name in entries[0]}
