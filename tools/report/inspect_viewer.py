#!/usr/bin/env python3
"""Opens an exported run in inspect's own viewer, in headless Chromium.

    pip install -r tools/report/requirements.txt inspect-ai     # and Chromium: Debian's package `chromium`
    tools/report/inspect_viewer.py --mwpbench target/debug/mwpbench [--inspect inspect] [--screenshot FILE.png]

The demo answers some of the bundled problems; the run is exported as `inspect` (JSON) and as `inspect-eval` (.eval), and
`inspect view` serves both on loopback. Checked for each: the viewer opens the log, says as many samples as the run has
completions and the accuracies of summary.json, shows a problem and its completion, and the page logs no error.
Exit code 1 where something is not so.
"""

import argparse
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import sync_playwright

FAILURES = []


def check(what, holds, found=""):
    print(f"{'ok  ' if holds else 'FAIL'} {what}" + ("" if holds else f": {str(found)[:400]!r}"), flush=True)
    if not holds:
        FAILURES.append(what)


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: {done.stderr}")


def text_of(page, wanted):
    """The text of the page once it holds what is wanted; what it has after 20 s where it never does."""
    for _ in range(200):
        text = page.evaluate("document.body.innerText")
        if wanted(text):
            return text
        page.wait_for_timeout(100)
    return text


def look_at(browser, address, log, run_folder, screenshot):
    records = [json.loads(line) for line in open(run_folder / "completions.jsonl", encoding="utf-8")]
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    errors = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{address}/#/logs/{quote(log.name)}")
    text = text_of(page, lambda text: "ccuracy" in text)
    check(f"{log.name}: the log is opened", "ccuracy" in text, text)
    check(f"{log.name}: it has {len(records)} samples", re.search(rf"\b{len(records)}\b", text), text)
    accuracy = json.loads((run_folder / "summary.json").read_text())["micro"]["strict"]
    shown = f"{accuracy:.3f}".rstrip("0").rstrip(".")
    check(f"{log.name}: the strict accuracy is {shown}", shown in text, text)
    page.goto(f"{address}/#/logs/{quote(log.name)}/samples/sample/{quote(records[0]['id'], safe='')}/1")
    words = records[0]["completion"].split()
    passage = " ".join(words[:4])
    text = text_of(page, lambda text: passage in " ".join(text.split()))
    check(f"{log.name}: a completion is shown", passage in " ".join(text.split()), (passage, text))
    check(f"{log.name}: no error is logged", not errors, errors)
    if screenshot:
        page.screenshot(path=screenshot)
    page.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mwpbench", type=Path, required=True)
    parser.add_argument("--inspect", default="inspect")
    parser.add_argument("--screenshot")
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("no Chromium: install Debian's package `chromium`")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        folder, logs = scratch / "run", scratch / "logs"
        logs.mkdir()
        run(options.mwpbench.resolve(), "eval", "--model", "demo", "--limit", "2", "--output-dir", folder, "--quiet")
        for form in ("inspect", "inspect-eval"):
            run(options.mwpbench.resolve(), "export", folder, "--format", form, "--output", logs, "--force")
        files = sorted(logs.iterdir())
        check("there is a log of each kind", [file.suffix for file in files] == [".eval", ".json"], files)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [options.inspect, "view", "start", "--log-dir", logs, "--host", "127.0.0.1", "--port", port]
        server = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            for _ in range(300):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            with sync_playwright() as play:
                browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                for file in files:
                    look_at(browser, f"http://127.0.0.1:{port}", file, folder, options.screenshot)
                browser.close()
        finally:
            server.terminate()
            server.wait()
    sys.exit(1 if FAILURES else 0)


if __name__ == "__main__":
    main()
