"""What is asked of every server, and what must come of it.

Each check runs `mwpbench eval --endpoint` over the bundled problems and gives {n, equal, …}: how many items there were, and how
many came out as they must.
"""

import json
import os
import shutil
import subprocess
import time

import comparing
from serving import ROOT

# What mwpbench says by its exit code.
SERVER_GONE = 5
ITEMS_FAILED = 3
GIVE_UP_AFTER_S = 10
RUN_WITHIN_S = 3 * 3600
CHAT_TEMPLATE = ROOT / "crates/chat-template/tests/fixtures/templates/vicuna.jinja"


class Program:
    """mwpbench, away from the user's settings and data."""

    def __init__(self, path, folder, selection):
        self.path, self.folder, self.selection = path.resolve(), folder, selection
        own = {name for name in os.environ if name.startswith("MWPBENCH_")} | {"OPENAI_API_KEY"}
        self.environment = {name: value for name, value in os.environ.items() if name not in own}
        # The program's own samples, wherever the user keeps the real data.
        self.environment["MWPBENCH_HOME"] = str(folder / "home")
        self.local = {}

    def version(self):
        return subprocess.run([self.path, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]

    def begin(self, name, flags):
        """Starts a run and comes back at once. Flags that choose problems take the place of those of all runs."""
        selection = [] if "--limit" in flags else self.selection
        command = [self.path, "eval", "--output-dir", self.folder / name, "--quiet", "--json", *selection, *flags]
        self.last = [str(part) for part in command]
        log = open(self.folder / f"{name}.stderr", "ab")
        return subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL, stderr=log)

    def run(self, name, flags, expect=0):
        """A whole run: its records by id and sample, and the seconds that it took."""
        begun = time.monotonic()
        code = self.begin(name, flags).wait(RUN_WITHIN_S)
        if code != expect:
            words = (self.folder / f"{name}.stderr").read_text(errors="replace")[-3000:]
            raise Failed(f"ended with {code} and not {expect}: {words.strip()}\n({' '.join(self.last)})")
        return self.records(name), time.monotonic() - begun

    def records(self, name):
        path = self.folder / name / "completions.jsonl"
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1] if path.exists() else []
        records = map(json.loads, lines)
        return {(record["id"], record.get("sample", 0)): record for record in records}

    def warnings(self, name):
        """What the program said of a run beside its result."""
        lines = (self.folder / f"{name}.stderr").read_text(errors="replace").splitlines()
        return sorted({line for line in lines if line.startswith("warning")})

    def ours(self, name, flags):
        """The same by our own engine in f32, computed once."""
        if name not in self.local:
            self.local[name], _ = self.run(f"ours-{name}", ["--model", "demo", "--dtype", "f32", *flags])
        return self.local[name]


class Failed(Exception):
    """A run that did not end as it must."""


class Checks:
    """All checks of one server, in the order of `NAMES`."""

    NAMES = ("completions", "unstreamed", "defaults", "chat", "rendered", "samples", "logprobs", "resumed", "restarted")

    def __init__(self, program, running, max_tokens):
        self.program, self.running = program, running
        self.length = ["--max-tokens", str(max_tokens)]
        self.server = ["--endpoint", running.url, "--model", running.model, *running.server.flags]
        self.rendering = ["--prompt-template", "chat", "--chat-template", self._chat_folder()]

    def _chat_folder(self):
        """The demo checkpoint's tokenizer with a chat template that writes its beginning-of-sequence token."""
        folder = self.program.folder / "chat-template"
        if not folder.exists():
            folder.mkdir()
            shutil.copy(ROOT / "models/demo/tokenizer_config.json", folder)
            shutil.copy(CHAT_TEMPLATE, folder / "chat_template.jinja")
        return folder

    def check(self, name):
        """One check; what it found, or how it failed."""
        before = self.running.requests()
        begun = time.monotonic()
        try:
            found = getattr(self, name)()
        except Failed as failure:
            found = {"n": 1, "equal": 0, "failed": str(failure)}
        after = self.running.requests()
        if after is not None:
            found["requests"] = after - (before or 0)
        found["seconds"] = round(time.monotonic() - begun, 1)
        return found

    def compare(self, name, flags, our_flags, our_name):
        ours = self.program.ours(our_name, [*our_flags, *self.length])
        theirs, _ = self.program.run(name, [*self.server, *flags, *self.length])
        return self.judge(name, ours, theirs)

    def judge(self, name, ours, theirs):
        found = comparing.completions(ours, theirs)
        found["prompt_tokens"] = comparing.prompt_tokens(ours, theirs)
        found["warnings"] = self.program.warnings(name)
        if found["prompt_tokens"]["equal"] < found["prompt_tokens"]["counted"]:
            # Another prompt is no equal answer, whatever the text.
            found["equal"] = min(found["equal"], found["prompt_tokens"]["equal"])
        return found

    def completions(self):
        """The official protocol by `/v1/completions`."""
        return self.compare("completions", [], [], "completions")

    def unstreamed(self):
        """The same in whole answers, which some servers count the tokens of where they do not in streams."""
        return self.compare("unstreamed", ["--no-stream"], [], "completions")

    def defaults(self):
        """Few problems with the program's own limit of new tokens, which is all of the context that is served."""
        few = ["--limit", "2"]
        ours = self.program.ours("defaults", few)
        theirs, _ = self.program.run("defaults", [*self.server, *few])
        return self.judge("defaults", ours, theirs)

    def chat(self):
        """The server's own chat template, by `/v1/chat/completions`."""
        return self.compare("chat", ["--endpoint-api", "chat", "--prompt-template", "none"], self.rendering, "chat")

    def rendered(self):
        """The same template rendered by mwpbench, by `/v1/completions`."""
        return self.compare("rendered", self.rendering, self.rendering, "chat")

    def samples(self):
        """Two completions drawn a problem: all there, not alike, and the same when drawn again."""
        drawing = [*self.server, *self.running.server.drawing_flags, *self.length, "--samples", "2", "--temperature", "0.7", "--seed", "1"]
        first, _ = self.program.run("samples", drawing)
        second, _ = self.program.run("samples-again", drawing)
        found = comparing.again(first, second)
        pairs = {key[0] for key in first}
        unlike = sum(first[(key, 0)]["completion"] != first[(key, 1)]["completion"] for key in pairs)
        found |= {"problems": len(pairs), "unlike": unlike, "warnings": self.program.warnings("samples")}
        if len(first) != 2 * len(pairs) or unlike == 0:
            found["failed"] = f"{len(first)} completions of {len(pairs)} problems, of which {unlike} have two that differ"
        return found

    def logprobs(self):
        """Log-probabilities, one a new token, near our own."""
        ours = self.program.ours("logprobs", ["--logprobs", *self.length])
        theirs, _ = self.program.run("logprobs", [*self.server, "--logprobs", *self.length])
        found = comparing.logprobs(ours, theirs)
        return {"n": len(ours), "equal": found["near"], **found, "warnings": self.program.warnings("logprobs")}

    def resumed(self):
        """A run killed (SIGKILL) in the middle and continued by the same command."""
        flags = [*self.server, *self.length]
        ours = self.program.ours("completions", self.length)
        held = self._interrupt("resumed", flags, len(ours), lambda run: run.kill())
        theirs, _ = self.program.run("resumed", flags)
        return {**self.judge("resumed", ours, theirs), "held_before": held}

    def restarted(self):
        """A run whose server is killed and started again, continued with `--retry-failed`."""
        flags = [*self.server, *self.length, "--give-up-after", str(GIVE_UP_AFTER_S)]
        ours = self.program.ours("completions", self.length)
        held = self._interrupt("restarted", flags, len(ours), lambda _: self.running.kill(), expect=(SERVER_GONE, ITEMS_FAILED))
        self.running.start()
        theirs, _ = self.program.run("restarted", [*flags, "--retry-failed"])
        return {**self.judge("restarted", ours, theirs), "held_before": held}

    def _interrupt(self, name, flags, n, end, expect=(-9,)):
        """Begins a run and does something about it once a quarter of the items is there."""
        run = self.program.begin(name, flags)
        while len(self.program.records(name)) < max(1, n // 4) and run.poll() is None:
            time.sleep(0.05)
        if run.poll() is not None:
            raise Failed(f"the run was over ({run.returncode}) before it could be interrupted")
        end(run)
        code = run.wait(RUN_WITHIN_S)
        held = len(self.program.records(name))
        if code not in expect:
            raise Failed(f"the interrupted run ended with {code} and not one of {expect}, {held} of {n} items held")
        return held
