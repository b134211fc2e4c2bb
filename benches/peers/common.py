"""What the peer scripts share: their options, the prompts they answer, and the line they print.

A peer script makes one `Job` from its options, loads its library's model, continues the prompts greedily and hands the
new token ids to `Job.report`, which prints one JSON line.
"""

import argparse
import json
import sys
from pathlib import Path

from tokenizers import Tokenizer


def parser(usage, dtypes=("bf16", "f32")):
    """The options every peer script has; `usage` is the script's docstring."""
    made = argparse.ArgumentParser(description=usage, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("checkpoint", type=Path, help="folder or file in the form the peer reads")
    made.add_argument("--prompts", type=Path, required=True, help="JSON list of texts, or of lists of token ids")
    made.add_argument("--tokenizer", type=Path, help="folder with tokenizer.json, for texts [default: CHECKPOINT]")
    made.add_argument("--limit", type=int, help="take only the first N prompts")
    made.add_argument("--rows", type=int, required=True, help="sequences worked on at a time")
    made.add_argument("--new-tokens", type=int, required=True, help="most new tokens of a completion")
    made.add_argument("--ignore-eos", action="store_true", help="always generate that many")
    made.add_argument("--dtype", choices=dtypes, default="bf16", help="precision of the computation")
    made.add_argument("--threads", type=int, default=2)
    made.add_argument("--workload", default="", help="name put into the printed line")
    made.add_argument("--first-token", action="store_true", help="time the load and one token of the first prompt")
    made.add_argument("--save-tokens", type=Path, help="write the new token ids there, as a JSON list of lists")
    return made


class Job:
    """The prompts to continue, and how."""

    def __init__(self, options):
        self.options = options
        if options.first_token:
            options.limit, options.rows, options.new_tokens = 1, 1, 1
        self.rows, self.new_tokens, self.ignore_eos = options.rows, options.new_tokens, options.ignore_eos
        self.threads = options.threads
        every = read_prompts(options.prompts, options.tokenizer or options.checkpoint)
        self.prompts = every[: options.limit]
        if not self.prompts:
            sys.exit(f"{options.prompts} holds no prompts")
        # Prompts outside the job where there are any: a peer that keeps what it has seen must not have seen the job.
        self.warm_up_prompts = every[-4:]

    def batches(self):
        """The prompts in their order, `rows` at a time."""
        for start in range(0, len(self.prompts), self.rows):
            yield self.prompts[start : start + self.rows]

    def report(self, peer, completions, seconds, decode_seconds=None, variant=""):
        """Print the job's line. `decode_seconds`: what the tokens after the first of each completion took."""
        new_tokens = sum(map(len, completions))
        line = {
            "peer": peer,
            "variant": variant,
            "workload": self.options.workload,
            "dtype": self.options.dtype,
            "rows": self.rows,
            "prompts": len(self.prompts),
            "prompt_tokens": sum(map(len, self.prompts)),
            "new_tokens": new_tokens,
            "seconds": round(seconds, 4),
            "tokens_per_s": round(new_tokens / seconds, 2),
        }
        if decode_seconds and new_tokens > len(completions):
            line["decode_tokens_per_s"] = round((new_tokens - len(completions)) / decode_seconds, 2)
        if self.options.first_token:
            line["first_token"] = True
        if self.options.save_tokens:
            self.options.save_tokens.write_text(json.dumps(completions))
        print(json.dumps(line), flush=True)


def read_prompts(path, tokenizer_folder):
    """Token ids of each prompt of a file of texts or of ids."""
    prompts = json.loads(path.read_text(encoding="utf-8"))
    if any(isinstance(prompt, list) for prompt in prompts):
        return prompts
    file = tokenizer_folder / "tokenizer.json"
    if not file.is_file():
        sys.exit(f"{path} holds texts and {file} does not exist: name the tokenizer's folder with --tokenizer")
    tokenizer = Tokenizer.from_file(str(file))
    return [encoding.ids for encoding in tokenizer.encode_batch(prompts)]


def read_once(path):
    """Read a file, or the files of a folder, so that a load after this finds them in the page cache."""
    files = [path] if path.is_file() else [file for file in path.iterdir() if file.is_file()]
    for file in files:
        with open(file, "rb", buffering=0) as stream:
            while stream.read(1 << 24):
                pass


def context_length(folder):
    """Most tokens of prompt and completion together, from a folder's config.json."""
    return json.loads((folder / "config.json").read_text())["max_position_embeddings"]
