"""How the cost of generation grows with rows, prompts, new tokens and layers: seconds and tokens/s as a text plot.

    growth.py WORKLOAD_BINARY CHECKPOINT PROMPTS.json [ROUNDS]

WORKLOAD_BINARY is target/release/examples/workload, CHECKPOINT and PROMPTS.json those of benches/peers ("small").
Rounds are interleaved; medians are shown. Checkpoints with fewer layers are cut from CHECKPOINT.
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

BASE = {"rows": 32, "prompts": 32, "new": 32, "layers": 12}
VARIED = {"rows": [1, 4, 16, 32], "prompts": [16, 32, 64, 128], "new": [16, 32, 64, 128, 256], "layers": [3, 6, 12]}
WIDTH = 40


def cut(checkpoint, layers, folder):
    """A copy of a checkpoint with its first layers only."""
    folder.mkdir()
    for name in ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(checkpoint / name, folder / name)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": layers}))
    content = (checkpoint / "model.safetensors").read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header, parts, end = {}, [], 0
    for name, entry in json.loads(content[8:start]).items():
        part = name.split(".")
        if name == "__metadata__" or (part[1] == "layers" and int(part[2]) >= layers):
            continue
        first, last = entry["data_offsets"]
        parts.append(content[start + first : start + last])
        header[name] = entry | {"data_offsets": [end, end + last - first]}
        end += last - first
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + b"".join(parts))
    return folder


def measure(binary, checkpoint, prompts, setting):
    command = [binary, checkpoint, "--prompts", prompts, "--ignore-eos", "--limit", setting["prompts"]]
    command += ["--rows", setting["rows"], "--new-tokens", setting["new"]]
    line = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout
    result = json.loads(line)
    return result["seconds"], result["tokens_per_s"]


def main():
    binary, checkpoint, prompts = sys.argv[1:4]
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 3
    settings = [(name, BASE | {name: value}) for name, values in VARIED.items() for value in values]
    found = {index: [] for index in range(len(settings))}
    with tempfile.TemporaryDirectory() as folder:
        cuts = {n: cut(Path(checkpoint), n, Path(folder) / str(n)) for n in VARIED["layers"]}
        for _ in range(rounds):
            for index, (_, setting) in enumerate(settings):
                found[index].append(measure(binary, cuts[setting["layers"]], prompts, setting))
    print("otherwise " + ", ".join(f"{value} {name}" for name, value in BASE.items()))
    longest = max(statistics.median(seconds for seconds, _ in runs) for runs in found.values())
    for index, (name, setting) in enumerate(settings):
        seconds = statistics.median(seconds for seconds, _ in found[index])
        rate = statistics.median(rate for _, rate in found[index])
        bar = "█" * max(1, round(WIDTH * seconds / longest))
        print(f"{name:>8} {setting[name]:>4} {seconds:7.2f} s {rate:7.0f} tokens/s  {bar}")


if __name__ == "__main__":
    main()
