"""The references of every set in a folder: JSON, JSON Lines, one object or list a file.

A reference is what stands in the first of `FIELDS` that a record has; of a worked solution it is
what follows `####`, or the last box. Folders are looked through, and each text comes once a set.
"""

import json
import pathlib
import re

FIELDS = ["reference", "answer", "Answer", "final_answer", "ans", "target", "label"]
LONGEST = 120


def records(path):
    text = path.read_text(encoding="utf-8")
    try:
        whole = json.loads(text)
        whole = whole.get("example", [whole]) if isinstance(whole, dict) else whole
        return [record for record in whole if isinstance(record, dict)]
    except ValueError:
        pass
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(text):
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            break
        try:
            record, at = decoder.raw_decode(text, at)
        except ValueError:
            break
        if isinstance(record, dict):
            found.append(record)
    return found


def last_box(text):
    start = text.rfind("\\boxed{")
    if start < 0:
        return None
    depth = 0
    for at in range(start + 6, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return text[start + 7 : at]
    return None


def reference(record):
    for field in FIELDS:
        found = record.get(field)
        if isinstance(found, list) and len(found) == 1:
            found = found[0]
        if isinstance(found, bool) or not isinstance(found, (str, int, float)):
            continue
        text = str(found)
        if "####" in text:
            text = text.rsplit("####", 1)[1]
        if "boxed" in text:
            text = last_box(text) or ""
        return text.strip()
    return (last_box(record["solution"]) or "").strip() if isinstance(record.get("solution"), str) else ""


def bare(text):
    """Without the delimiters around a text that is one formula, and its final point."""
    text = text.strip()
    for opening, close in [("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]")]:
        inner = text[len(opening) : len(text) - len(close)]
        if text.startswith(opening) and text.endswith(close) and len(text) > len(opening + close):
            if opening.strip("\\[(") not in inner or opening[0] == "\\" and opening not in inner:
                text = inner.strip()
                break
    return text[:-1].strip() if re.search(r"[^.]\.$", text) else text


def references(folders):
    """Set → its references, each once and in order."""
    sets = {}
    for folder in map(pathlib.Path, folders):
        for path in sorted(folder.rglob("*.json*")) if folder.is_dir() else [folder]:
            name = path.parent.name if path.name == "sample.jsonl" else path.stem
            texts = [bare(reference(record)) for record in records(path)]
            texts = [text for text in texts if 0 < len(text) <= LONGEST and "\n" not in text]
            if texts:
                sets.setdefault(name, dict.fromkeys([])).update(dict.fromkeys(texts))
    return {name: list(texts) for name, texts in sets.items()}
