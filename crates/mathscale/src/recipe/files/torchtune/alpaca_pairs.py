"""Pairs of prompt and completion for torchtune, as the evaluation asks them.

The prompt is tokenized by tokenizer.json alone, as the evaluation does it; behind it stand the tokens of the completion
and the end-of-sequence token. The loss is on these two.
"""

import json
from pathlib import Path

from tokenizers import Tokenizer as Fast
from torch.utils.data import Dataset
from torchtune.data import CROSS_ENTROPY_IGNORE_IDX


class Tokenizer:
    def __init__(self, folder, max_seq_len):
        config = json.loads((Path(folder) / "tokenizer_config.json").read_text(encoding="utf-8"))
        text = lambda token: token["content"] if isinstance(token, dict) else token
        self.fast = Fast.from_file(str(Path(folder) / "tokenizer.json"))
        self.eos_id = self.fast.token_to_id(text(config["eos_token"]))
        if self.eos_id is None:
            raise ValueError(f"{config['eos_token']} is not in tokenizer.json")
        bos = text(config.get("bos_token"))
        self.bos_id = self.fast.token_to_id(bos) if bos else None
        self.adds_bos = bool(config.get("add_bos_token"))
        # Padding is masked, so that any token will do.
        self.pad_id = self.eos_id
        self.max_seq_len = max_seq_len

    def prompt(self, text):
        ids = self.fast.encode(text).ids
        if self.adds_bos and self.bos_id is not None and ids[:1] != [self.bos_id]:
            ids = [self.bos_id, *ids]
        return ids

    def completion(self, text):
        return [*self.fast.encode(text, add_special_tokens=False).ids, self.eos_id]


class Pairs(Dataset):
    def __init__(self, tokenizer, file, packed=False):
        self.tokenizer, self.file, self.offsets = tokenizer, file, []
        with open(file, "rb") as lines:
            offset = 0
            for line in lines:
                self.offsets.append(offset)
                offset += len(line)

    def __len__(self):
        return len(self.offsets)

    def __getitem__(self, index):
        with open(self.file, "rb") as lines:
            lines.seek(self.offsets[index])
            pair = json.loads(lines.readline())
        prompt = self.tokenizer.prompt(pair["prompt"])
        completion = self.tokenizer.completion(pair["completion"])
        tokens = (prompt + completion)[: self.tokenizer.max_seq_len]
        labels = ([CROSS_ENTROPY_IGNORE_IDX] * len(prompt) + completion)[: self.tokenizer.max_seq_len]
        return {"tokens": tokens, "labels": labels}
