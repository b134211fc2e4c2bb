"""Records what transformers makes of the templates and conversations in crates/chat-template/tests/fixtures.

See README.md beside this file. Needs no network and no model.
"""

import datetime
import json
import shutil
import tempfile
from pathlib import Path

import transformers
from transformers import AutoTokenizer
from transformers.utils import chat_template_utils

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "crates/chat-template/tests/fixtures"
TOKENIZERS = {
    "models/demo": ["alpaca", "vicuna", "mistral-v1", "llama2", "zephyr", "chatml", "python-ways"],
    "crates/inference/tests/fixtures/llama-tied": ["llama2", "vicuna", "chatml", "mistral-v3"],
    "crates/inference/tests/fixtures/variants/llama3": ["llama3", "llama31", "chatml"],
    "crates/inference/tests/fixtures/variants/mistral1": ["mistral-v1", "mistral-v2"],
    "crates/inference/tests/fixtures/variants/qwen2": ["qwen25", "qwen3"],
}
DATE = datetime.datetime(2026, 11, 26)

# Special tokens that a family's own tokenizers have; others take SENTENCE_PIECES.
SENTENCE_PIECES = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
LLAMA3 = {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"}
CHATML = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
SPECIAL_TOKENS = {
    "llama3": LLAMA3,
    "llama31": LLAMA3,
    "chatml": CHATML,
    "gemma": {"bos_token": "<bos>", "eos_token": "<eos>"},
    "phi3": {"bos_token": "<s>", "eos_token": "<|endoftext|>"},
    "qwen25": CHATML,
    "qwen3": CHATML,
    "deepseek": {"bos_token": "<｜begin▁of▁sentence｜>", "eos_token": "<｜end▁of▁sentence｜>"},
    "command-r": {"bos_token": "<BOS_TOKEN>", "eos_token": "<|END_OF_TURN_TOKEN|>"},
    "olmo": {"eos_token": "<|endoftext|>"},
    "yi": {"eos_token": "<|im_end|>"},
    "smol": CHATML,
}

# Variables that are given besides; each is one more way to render.
TOOL = {
    "type": "function",
    "function": {"name": "add", "description": "Adds <two> numbers & more: é", "parameters": {"type": "object", "properties": {"a": {"type": "number"}}, "required": ["a"]}},
}
VARIABLES = {
    "llama31": [{"tools": [TOOL]}, {"tools": [TOOL, TOOL], "tools_in_user_message": False}, {"date_string": "26 Jul 2024"}],
    "mistral-v2": [{"tools": [TOOL]}],
    "qwen25": [{"tools": [TOOL]}],
    "qwen3": [{"enable_thinking": False}, {"enable_thinking": True}],
    "smol": [{"reasoning_mode": "/no_think"}, {"reasoning_mode": ""}],
    "vicuna": [{"bos_token": ""}],
}


class FixedDatetime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return DATE


chat_template_utils.datetime = FixedDatetime


def render(source, conversation, add_generation_prompt, variables):
    try:
        texts, _ = chat_template_utils.render_jinja_template(
            conversations=[conversation],
            chat_template=source,
            add_generation_prompt=add_generation_prompt,
            **variables,
        )
        return {"text": texts[0]}
    except Exception as error:
        return {"error": str(error), "kind": type(error).__name__}


def cases(conversations):
    for path in sorted((FIXTURES / "templates").glob("*.jinja")):
        source = path.read_bytes().decode()
        tokens = SPECIAL_TOKENS.get(path.stem, SENTENCE_PIECES)
        for variables in [{}] + VARIABLES.get(path.stem, []):
            for name, conversation in conversations.items():
                for prompt in [True, False]:
                    outcome = render(source, conversation, prompt, {**tokens, **variables})
                    yield {
                        "template": path.stem,
                        "conversation": name,
                        "add_generation_prompt": prompt,
                        "special_tokens": tokens,
                        "variables": variables,
                        **outcome,
                    }


def layouts():
    """Folders that keep templates and special tokens in different places."""
    config = {"bos_token": "<s>", "eos_token": {"__type": "AddedToken", "content": "</s>", "lstrip": False, "normalized": False, "rstrip": False, "single_word": False}}
    listed = [{"name": "default", "template": "listed"}, {"name": "tool_use", "template": "tools"}]
    decoder = {"1": {"content": "<s>", "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}}
    variants = {
        "nothing": {"tokenizer_config.json": config},
        "text": {"tokenizer_config.json": {**config, "chat_template": "text {{ bos_token }}{{ eos_token }}"}},
        "list": {"tokenizer_config.json": {**config, "chat_template": listed}},
        "list without default": {"tokenizer_config.json": {**config, "chat_template": listed[1:]}},
        "null": {"tokenizer_config.json": {**config, "chat_template": None}},
        "file": {"tokenizer_config.json": {**config, "chat_template": "text"}, "chat_template.jinja": "file\r\n{{ unk_token }}\n"},
        "file and list": {"tokenizer_config.json": {**config, "chat_template": listed}, "chat_template.jinja": "file"},
        "further": {"tokenizer_config.json": {**config, "chat_template": "text"}, "additional_chat_templates/rag.jinja": "rag"},
        "file and further": {"tokenizer_config.json": config, "chat_template.jinja": "file", "additional_chat_templates/rag.jinja": "rag"},
        "further is default": {"tokenizer_config.json": config, "chat_template.jinja": "file", "additional_chat_templates/default.jinja": "further"},
        "map": {"tokenizer_config.json": {"chat_template": "{{ bos_token }}{{ eos_token }}{{ unk_token }}"}, "special_tokens_map.json": {"bos_token": "<s>", "eos_token": {"content": "</s>", "lstrip": False, "normalized": False, "rstrip": False, "single_word": False}, "unk_token": "<unk>"}},
        "map wins": {"tokenizer_config.json": {**config, "chat_template": "{{ bos_token }}{{ eos_token }}"}, "special_tokens_map.json": {"bos_token": "<unk>"}},
        "map loses": {"tokenizer_config.json": {**config, "added_tokens_decoder": decoder, "chat_template": "{{ bos_token }}{{ eos_token }}"}, "special_tokens_map.json": {"bos_token": "<unk>"}},
        "class": {"tokenizer_config.json": {"tokenizer_class": "LlamaTokenizerFast", "chat_template": "{{ bos_token }}{{ eos_token }}{{ unk_token }}{{ pad_token }}"}},
        "class and null": {"tokenizer_config.json": {"tokenizer_class": "LlamaTokenizer", "unk_token": None, "eos_token": "<unk>", "chat_template": "{{ bos_token }}{{ eos_token }}"}},
    }
    for name, files in variants.items():
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(ROOT / "models/demo/tokenizer.json", folder)
            for file, content in files.items():
                path = Path(folder) / file
                path.parent.mkdir(exist_ok=True)
                text = content if isinstance(content, str) else json.dumps(content)
                path.write_bytes(text.encode())
            tokenizer = AutoTokenizer.from_pretrained(folder)
            templates = tokenizer.chat_template
            names = sorted(templates) if isinstance(templates, dict) else ([] if templates is None else ["default"])
            try:
                text = tokenizer.apply_chat_template([{"role": "user", "content": "x"}], tokenize=False)
            except ValueError:
                text = None
            as_text = {file: content if isinstance(content, str) else json.dumps(content) for file, content in files.items()}
            yield {"name": name, "files": as_text, "templates": names, "special_tokens": tokenizer.special_tokens_map, "text": text}


def token_ids(conversations):
    for folder, templates in TOKENIZERS.items():
        tokenizer = AutoTokenizer.from_pretrained(ROOT / folder)
        for name in templates:
            source = (FIXTURES / f"templates/{name}.jinja").read_bytes().decode()
            for conversation, messages in conversations.items():
                try:
                    text = tokenizer.apply_chat_template(messages, chat_template=source, tokenize=False, add_generation_prompt=True)
                except Exception:
                    continue
                ids = tokenizer.apply_chat_template(messages, chat_template=source, tokenize=True, add_generation_prompt=True, return_dict=False)
                yield {"tokenizer": folder, "template": name, "conversation": conversation, "text": text, "ids": ids}


def write(path, header, lists):
    """One entry a line, so that changes can be read."""
    parts = [f'"{key}": {json.dumps(value, ensure_ascii=False)}' for key, value in header.items()]
    for key, entries in lists.items():
        lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
        parts.append(f'"{key}": [\n{lines}\n]')
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n")


def main():
    conversations = json.loads((FIXTURES / "conversations.json").read_text())
    header = {"transformers": transformers.__version__, "date": DATE.date().isoformat()}
    recorded = list(cases(conversations))
    write(FIXTURES / "expected.json", header, {"cases": recorded, "layouts": layouts()})
    write(ROOT / "crates/inference/tests/fixtures/chat_ids.json", header, {"cases": token_ids(conversations)})
    texts = sum("text" in case for case in recorded)
    print(f"{len(recorded)} cases of {len({case['template'] for case in recorded})} templates: {texts} texts, {len(recorded) - texts} errors")


if __name__ == "__main__":
    main()
