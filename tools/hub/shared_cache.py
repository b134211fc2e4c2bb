#!/usr/bin/env python3
"""Whether our cache of the hub and that of huggingface_hub are one. README.md says how it is run.

Exit code 1 where they are not.
"""

import argparse
import hashlib
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAME = "org/demo"
COMMIT = "89abcdef0123456789abcdef0123456789abcdef"
UNNEEDED = {"README.md": b"# A checkpoint\n", "pytorch_model.bin": b"pickled", "original/params.json": b"{}"}


def contents():
    """The demo checkpoint, with files that a repository has beside it."""
    demo = {file.name: file.read_bytes() for file in (ROOT / "models/demo").iterdir() if file.is_file()}
    return {**demo, **UNNEEDED}


def git_id(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def is_large(path):
    return path.endswith((".safetensors", ".bin"))


def checksum(path, content):
    return hashlib.sha256(content).hexdigest() if is_large(path) else git_id(content)


class Hub(http.server.ThreadingHTTPServer):
    """Speaks as much of the hub's API as the two clients ask."""

    def __init__(self):
        self.files = contents()
        self.asked = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def description(self):
        siblings = []
        for path, content in sorted(self.files.items()):
            sibling = {"rfilename": path, "size": len(content), "blobId": git_id(content)}
            if is_large(path):
                sibling["lfs"] = {"sha256": checksum(path, content), "size": len(content), "pointerSize": 130}
            siblings.append(sibling)
        return {"_id": "1", "id": NAME, "modelId": NAME, "sha": COMMIT, "private": False, "gated": False,
                "disabled": False, "tags": [], "downloads": 0, "likes": 0, "siblings": siblings}

    def tree(self):
        entries = []
        for path, content in sorted(self.files.items()):
            entry = {"type": "file", "oid": git_id(content), "size": len(content), "path": path}
            if is_large(path):
                entry["lfs"] = {"oid": checksum(path, content), "size": len(content), "pointerSize": 130}
            entries.append(entry)
        return entries


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def give(self, status, content, headers, body):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def answer(self, body):
        path = self.path.split("?")[0]
        if body:
            self.server.asked.append(path)
        if path.startswith(f"/api/models/{NAME}/tree/"):
            return self.give(200, json.dumps(self.server.tree()).encode(), {"Content-Type": "application/json"}, body)
        if path in (f"/api/models/{NAME}", *(f"/api/models/{NAME}/revision/{name}" for name in ("main", COMMIT))):
            text = json.dumps(self.server.description()).encode()
            return self.give(200, text, {"Content-Type": "application/json"}, body)
        for revision in ("main", COMMIT):
            start = f"/{NAME}/resolve/{revision}/"
            content = self.server.files.get(path.removeprefix(start)) if path.startswith(start) else None
            if content is not None:
                tag = f'"{checksum(path, content)}"'
                headers = {"ETag": tag, "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
                if is_large(path):
                    headers |= {"X-Linked-Etag": tag, "X-Linked-Size": str(len(content)), "Location": f"http://localhost:{self.server.server_address[1]}/cdn{path}"}
                    return self.give(302, b"", headers, body)
                return self.give(200, content, headers, body)
        if path.startswith(f"/cdn/{NAME}/resolve/"):
            content = self.server.files[path.split("/", 6)[6]]
            first = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-")
            part = content[int(first or 0):]
            return self.give(200 if len(part) == len(content) else 206, part, {}, body)
        return self.give(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}, body)


def environment(hub, home, offline):
    """Of a user who has this home and nothing else."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "MWPBENCH_", "TRANSFORMERS_"))}
    return {**kept, "HF_ENDPOINT": hub.url, "HF_HOME": str(home / "hf"), "MWPBENCH_HOME": str(home / "mwpbench"),
            "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", **({"HF_HUB_OFFLINE": "1"} if offline else {})}


def evaluate(arguments, hub, home, run, name=NAME, offline=False):
    """Evaluates two problems; returns what run.json says of the model."""
    command = [arguments.mwpbench, "eval", "--model", name, "--tasks", "gsm8k", "--limit", "2", "--max-tokens", "16",
               "--output-dir", str(home / run)]
    done = subprocess.run(command, env=environment(hub, home, offline), capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.stderr}")
    return json.loads((home / run / "run.json").read_text())["identity"]["model"]


DOWNLOAD = "import sys, huggingface_hub; print(huggingface_hub.snapshot_download(sys.argv[1], revision=sys.argv[2], " \
           "ignore_patterns=['*.bin', 'original/*', 'README.md'], local_files_only=sys.argv[3] == 'offline'))"


def download(hub, home, revision="main", offline=False):
    """The folder that huggingface_hub gives for the repository."""
    done = subprocess.run([sys.executable, "-c", DOWNLOAD, NAME, revision, "offline" if offline else "online"],
                          env=environment(hub, home, offline), capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise AssertionError(f"huggingface_hub: {done.stderr[-2000:]}")
    return Path(done.stdout.strip())


def cache(home):
    """Links and contents of the cache, without locks and notes of one client alone."""
    found = {}
    folder = home / "hf/hub" / ("models--" + NAME.replace("/", "--"))
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if name.split("/")[0] not in ("blobs", "refs", "snapshots") or (path.is_dir() and not path.is_symlink()):
            continue
        found[name] = f"link to {os.readlink(path)}" if path.is_symlink() else path.read_bytes()
    return found


def check(arguments, hub, folder):
    theirs, ours = folder / "theirs", folder / "ours"
    # What huggingface_hub has downloaded is used.
    place = download(hub, theirs)
    hub.asked.clear()
    model = evaluate(arguments, hub, theirs, "offline", offline=True)
    assert not hub.asked, f"asked without a network: {hub.asked}"
    assert (model["name"], model["details"]["repository"], model["details"]["commit"]) == (NAME, NAME, COMMIT), model
    evaluate(arguments, hub, theirs, "online")
    files = [path for path in hub.asked if "/resolve/" in path]
    assert not files, f"downloaded again: {files}"
    # What we download huggingface_hub finds.
    evaluate(arguments, hub, ours, "online", name=f"{NAME}@main")
    unneeded = [path for path in hub.asked if path.endswith(tuple(UNNEEDED))]
    assert not unneeded, f"downloaded without need: {unneeded}"
    hub.asked.clear()
    for revision in ("main", COMMIT):
        found = download(hub, ours, revision, offline=True)
        assert found == ours / "hf/hub" / place.relative_to(theirs / "hf/hub"), found
    assert not hub.asked, hub.asked
    mine, other = cache(ours), cache(theirs)
    different = sorted(name for name in mine.keys() | other.keys() if mine.get(name) != other.get(name))
    assert not different, f"the caches differ in {different}"
    return len(mine)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mwpbench", required=True, help="the program")
    arguments = parser.parse_args()
    arguments.mwpbench = str(Path(arguments.mwpbench).resolve())
    hub = Hub()
    threading.Thread(target=hub.serve_forever, daemon=True).start()
    try:
        with tempfile.TemporaryDirectory(prefix="mwpbench-hub-") as folder:
            entries = check(arguments, hub, Path(folder))
    except AssertionError as error:
        print(f"FAILED: {error}")
        return 1
    finally:
        hub.shutdown()
    import huggingface_hub

    print(f"huggingface_hub {huggingface_hub.__version__}: one cache, {entries} links, contents and refs alike")
    return 0


if __name__ == "__main__":
    sys.exit(main())
