"""The command: the whole program, with the exit codes, the signals and the bar of the binary."""

import functools
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest
from conftest import ROOT

import mwpbench

posix = pytest.mark.skipif(os.name != "posix", reason="NOT RUN: needs signals and terminals")


def command():
    found = shutil.which("mwpbench", path=str(pathlib.Path(sys.executable).parent))
    assert found, "the package has no command"
    return found


def binary():
    """The program as cargo built it, where it did: what the command is held against."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    named = os.environ.get("MWPBENCH_BINARY")
    for path in [named] if named else [target / "debug/mwpbench", target / "release/mwpbench"]:
        if pathlib.Path(path).is_file():
            return str(path)
    pytest.skip("NOT RUN: needs the program as cargo builds it ($MWPBENCH_BINARY)")


def run(program, *arguments, cwd, **settings):
    environment = {**os.environ, "MWPBENCH_HOME": str(cwd), "NO_COLOR": "1"}
    arguments = [*([program] if isinstance(program, str) else program), *arguments]
    return subprocess.run(
        arguments, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, **settings
    )


def test_the_demo_gives_its_table(tmp_path):
    done = run(command(), "eval", "--model", "demo", "--limit", "5", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "demo on the bundled problems" in done.stdout and "macro average" in done.stdout
    assert (tmp_path / "mwpbench-runs").is_dir()


def test_python_m_is_the_command(tmp_path):
    one = run(command(), "--help", cwd=tmp_path)
    other = run([sys.executable, "-m", "mwpbench"], "--help", cwd=tmp_path)
    assert (one.returncode, one.stdout) == (other.returncode, other.stdout)
    assert "Usage: mwpbench <COMMAND>" in one.stdout and "Exit codes:" in one.stdout
    version = run(command(), "--version", cwd=tmp_path).stdout
    assert version == f"mwpbench {mwpbench.__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["--help"],
        ["eval", "--help"],
        [],
        ["magic"],
        ["eval", "--model", "no/such/folder"],
        ["eval", "--model", "demo", "--limit", "0"],
        ["score", "--reference", "3/4", "--completion", "It is 0.75."],
        ["score", "--reference", "3/4", "--completion", "It is 0.75.", "--json"],
        ["score", "no/such/run"],
        ["rules", "check"],
        ["data", "list"],
        ["inspect", "demo"],
        ["show", "gsm8k/\udcff"],
        ["gate", "--baseline", "none", "--candidate", "none"],
    ],
    ids=lambda arguments: " ".join(arguments).replace("\udcff", "?") or "nothing",
)
def test_it_prints_and_exits_as_the_binary_does(arguments, tmp_path):
    expected = run(binary(), *arguments, cwd=tmp_path)
    done = run(command(), *arguments, cwd=tmp_path)
    assert done.returncode == expected.returncode, done.stderr
    assert done.stderr == expected.stderr
    assert done.stdout == expected.stdout


def test_a_run_is_the_binary_s_to_the_byte(tmp_path):
    arguments = ["eval", "--model", "demo", "--limit", "6", "--quiet", "--output-dir"]
    assert run(binary(), *arguments, "one", cwd=tmp_path).returncode == 0
    assert run(command(), *arguments, "other", cwd=tmp_path).returncode == 0
    for file in ("completions.jsonl", "verdicts.jsonl", "problems.jsonl"):
        one, other = ((tmp_path / folder / file).read_bytes() for folder in ("one", "other"))
        assert one == other and one, file


def start(arguments, cwd, **settings):
    environment = {**os.environ, "MWPBENCH_HOME": str(cwd)}
    if os.name == "posix":
        # Where these tests run in the background of a shell, it has had SIGINT ignored.
        settings["preexec_fn"] = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen([command(), *arguments], cwd=cwd, env=environment, text=True, **settings)


# A run that no machine ends in a moment: many samples of every problem.
LONG = ["eval", "--model", "demo", "--samples", "40", "--temperature", "1", "--seed", "1"]


def wait_for_progress(folder):
    deadline = time.time() + 60
    while time.time() < deadline:
        for journal in folder.glob("mwpbench-runs/*/completions*"):
            if journal.stat().st_size > 0:
                return
        time.sleep(0.05)
    raise AssertionError("no run began")


@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_stops_a_run_in_order_and_it_resumes(name, tmp_path):
    process = start(LONG, tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        wait_for_progress(tmp_path)
        process.send_signal(getattr(signal, name))
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, said
    assert "interrupted: stopping after this step" in said
    assert "Traceback" not in said and "KeyboardInterrupt" not in said


@posix
def test_ctrl_c_before_a_run_ends_the_program_at_once(tmp_path):
    # It waits for its input, with nothing to keep.
    os.mkfifo(tmp_path / "input.jsonl")
    arguments = ["score", "--input", "input.jsonl", "--output", "out.jsonl"]
    process = start(arguments, tmp_path, stderr=subprocess.PIPE)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=10)
    assert process.returncode == -signal.SIGINT and said == ""


@posix
def test_a_bar_is_drawn_on_a_terminal(tmp_path):
    import pty

    parent, child = pty.openpty()
    arguments = ["eval", "--model", "demo", "--tasks", "gsm8k", "--samples", "8", "--temperature", "1", "--seed", "1"]
    process = start(arguments, tmp_path, stderr=child, stdout=subprocess.DEVNULL)
    os.close(child)
    seen = b""
    try:
        while True:
            try:
                part = os.read(parent, 65536)
            except OSError:
                break
            if not part:
                break
            seen += part
    finally:
        process.kill() if process.poll() is None and not seen else None
        os.close(parent)
    assert process.wait(timeout=120) == 0
    assert b"\r" in seen and b"tok/s" in seen, seen[-500:]


@posix
def test_a_reader_that_goes_away_is_no_error(tmp_path):
    shell = f"'{command()}' data list --json | head -c 10"
    done = run(["bash", "-o", "pipefail", "-c", shell], cwd=tmp_path)
    assert done.returncode == 0 and "Traceback" not in done.stderr and "error" not in done.stderr
