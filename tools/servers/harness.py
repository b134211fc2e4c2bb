"""One server from its environment to its result, as a command line: what the scripts of this folder have in common.

Flags that every script takes:

    --venv DIR        the server's environment, made on first use (by default in the user's cache; never in the repository)
    --behind-venv DIR that of the server behind it, for one that only passes requests on
    --mwpbench FILE   the program under test (target/release/mwpbench, else target/debug/mwpbench)
    --checks A,B      only these checks (completions, unstreamed, defaults, chat, rendered, samples, logprobs, resumed, restarted)
    --tasks, --limit  fewer problems, as in `mwpbench eval`; by default all bundled ones
    --max-tokens N    most new tokens (512)
    --output DIR      keep run folders and the server's log here
    --result FILE     write the result there too, such as tools/servers/results/KEY.json for the table in docs/endpoints.md

Prints one JSON object; exits 1 where a check falls below its share.
"""

import argparse
import contextlib
import datetime
import json
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import checks
from serving import ROOT, Models, Running, default_venv, listed, make_environment, python_of, versions

HERE = Path(__file__).resolve().parent


def arguments(server, description):
    epilog = "\n".join(__doc__.splitlines()[2:])
    parser = argparse.ArgumentParser(description=description, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--venv", type=Path, default=default_venv(server))
    parser.add_argument("--behind-venv", type=Path, default=default_venv(server.behind) if server.behind else None)
    parser.add_argument("--mwpbench", type=Path, default=built())
    parser.add_argument("--checks", type=lambda text: text.split(","), default=list(checks.Checks.NAMES))
    parser.add_argument("--tasks")
    parser.add_argument("--limit")
    parser.add_argument("--max-tokens", type=int, default=512)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--result", type=Path)
    parser.add_argument("--only-environment", action="store_true", help="make the environment and stop")
    options = parser.parse_args()
    unknown = set(options.checks) - set(checks.Checks.NAMES)
    if unknown:
        parser.error(f"no such check: {', '.join(sorted(unknown))}")
    return options


def built():
    """The program as it was built last for release, else for tests."""
    release, debug = (ROOT / "target" / kind / "mwpbench" for kind in ["release", "debug"])
    return release if release.exists() else debug


def selection(options):
    """The flags that choose problems."""
    given = [(flag, getattr(options, flag)) for flag in ["tasks", "limit"]]
    return [part for flag, value in given if value for part in (f"--{flag}", value)]


def models(server, venv, folder):
    """The demo checkpoint with a chat template, in the layouts that the server takes."""
    served = folder / "demo"
    shutil.copytree(ROOT / "models/demo", served)
    shutil.copy(checks.CHAT_TEMPLATE, served / "chat_template.jinja")
    gguf = None
    if server.wants_gguf:
        gguf = folder / "demo-f32.gguf"
        subprocess.run([python_of(venv), HERE / "demo_gguf.py", served, gguf], check=True, stdout=sys.stderr)
    return Models(served, gguf)


@contextlib.contextmanager
def running(server, venv, folder, behind_venv=None):
    """The server, ready for requests; and the one behind it, where it only passes requests on."""
    made = models(server.behind or server, behind_venv or venv, folder)
    with contextlib.ExitStack() as started:
        behind = None
        if server.behind:
            behind = Running(server.behind, behind_venv, made, folder)
            started.callback(behind.stop)
            behind.start()
        front = Running(server, venv, made, folder, behind)
        started.callback(front.stop)
        front.start()
        yield front


def judge(server, name, found):
    """Whether a check reached its share; `found` then says which that was."""
    least, reason = server.least.get(name, (1.0, None))
    found["least"] = least
    if reason:
        found["why_less"] = reason
    return "failed" not in found and found["equal"] >= least * found["n"]


def examine(server, venv, options, folder):
    """All checks, as the JSON object that is printed."""
    program = checks.Program(options.mwpbench, folder, selection(options))
    with running(server, venv, folder, options.behind_venv) as front:
        told = versions(server, venv) | (versions(server.behind, options.behind_venv) if server.behind else {})
        result = {
            "server": server.title, "key": server.key, "versions": told, "mwpbench": program.version(),
            "python": platform.python_version(), "date": datetime.date.today().isoformat(), "listed": listed(front.url),
            "skipped": server.skip, "checks": {}, "below": [],
        }
        made = checks.Checks(program, front, options.max_tokens)
        for name in checks.Checks.NAMES:
            if name not in options.checks or name in server.skip:
                continue
            found = made.check(name)
            result["checks"][name] = found
            if not judge(server, name, found):
                result["below"].append(name)
            if options.result:
                keep(result, options.result)
            print(f"{server.key}: {name}: {found['equal']} of {found['n']}, {found['seconds']} s", file=sys.stderr, flush=True)
    return result


def keep(result, path):
    """Writes a result; checks that were not run stay as they are in the file, if that is of the same versions."""
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if before.get("versions") == result["versions"]:
        found = {**before["checks"], **result["checks"]}
        below = [name for name in before["below"] if name not in result["checks"]] + result["below"]
        result = {**result, "checks": {name: found[name] for name in checks.Checks.NAMES if name in found}, "below": below}
    path.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main(server, description):
    """Runs a script of this folder."""
    options = arguments(server, description)
    # Servers have process groups of their own: they end with this process only where it unwinds.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    venv = make_environment(server, options.venv)
    if server.behind:
        make_environment(server.behind, options.behind_venv)
    if options.only_environment:
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.output or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        result = examine(server, venv, options, folder)
    print(json.dumps(result, ensure_ascii=False, indent=1))
    if result["below"]:
        sys.exit(f"{server.title}: below their shares: {', '.join(result['below'])}")
