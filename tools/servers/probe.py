"""Asks a running server what it says of itself and, field by field, what it takes of requests like ours.

    probe.py URL MODEL        (URL without /v1)

Prints status, seconds and the beginning of every answer. For servers on this machine, a few dozen requests of 8 tokens each.
"""

import json
import sys
import time
import urllib.error
import urllib.request

PROMPT = "### Instruction:\nWhat is 2 + 3?\n\n### Response:"
STOPS = ["Question", "USER", "ASSISTANT", "Instruction", "Response", "zz1", "zz2", "zz3", "zz4", "zz5"]
ROUTES = ["/v1/models", "/version", "/props", "/info", "/health", "/server_info", "/get_server_info", "/api/version", "/api/tags"]
TEXT = "1 + 1 ="
COUNTERS = [
    ("/tokenize", {"model": "{model}", "prompt": TEXT}),
    ("/tokenize", {"model": "{model}", "prompt": "<s>" + TEXT, "add_special_tokens": False}),
    ("/tokenize", {"model": "{model}", "messages": [{"role": "user", "content": TEXT}]}),
    ("/tokenize", {"content": TEXT, "add_special": True, "parse_special": True}), ("/tokenize", {"inputs": TEXT}),
    ("/extras/tokenize/count", {"input": TEXT}), ("/apply-template", {"messages": [{"role": "user", "content": TEXT}]}),
]
USAGE = {"stream": True, "stream_options": {"include_usage": True}}
FIELDS = [
    {}, {"stream": True}, USAGE, *({"stop": STOPS[:count]} for count in (0, 1, 4, 5, 10)), {"stop": "zz"},
    {"temperature": 0.7, "seed": 7}, {"temperature": 0.7, "seed": 2**31 - 1}, {"top_p": 1.0}, {"top_p": 0.0}, {"top_k": -1}, {"top_k": 0},
    {"min_p": 0.0}, {"repetition_penalty": 1.0}, {"repetition_penalty": 1.1}, {"repeat_penalty": 1.0}, {"repeat_last_n": -1},
    {"logprobs": 1}, {"logprobs": 1, "stream": True}, {"logprobs": True}, {"logprobs": True, "top_logprobs": 1},
    {"logprobs": True, "stream": True}, {"add_special_tokens": False}, {"return_token_ids": True},
    {"max_tokens": None, "max_completion_tokens": 8}, {"max_tokens": 2048}, {"max_tokens": 100_000}, {"n": 2}, {"unknown_field": 1}, {"model": "nobody"},
]
PROMPTS = ["", "<s>" + TEXT, [1, 5, 6, 7, 8], "1 " * 950, "1 " * 1050]


class Probe:
    def __init__(self, url, model):
        self.url, self.model = url.rstrip("/"), model

    def ask(self, path, body=None):
        """Prints how one request is answered."""
        data = None if body is None else json.dumps(body).replace("{model}", self.model).encode()
        request = urllib.request.Request(self.url + path, data=data, headers={"Content-Type": "application/json"} if data else {})
        begun = time.monotonic()
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                status, headers, text = answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            status, headers, text = error.code, error.headers, error.read()
        except OSError as error:
            status, headers, text = 0, {}, repr(error).encode()
        shown = "" if body is None else " " + json.dumps(body)[:120]
        print(f"--- {path}{shown}\n{status}, {time.monotonic() - begun:.2f} s, {headers.get('Content-Type')}, {headers.get('Server')}")
        text = text.decode("utf-8", "replace")
        print(text if len(text) < 900 else f"{text[:500]} … {text[-400:]}", flush=True)

    def everything(self):
        for path in ROUTES:
            self.ask(path)
        for path, body in COUNTERS:
            self.ask(path, body)
        chat = {"messages": [{"role": "user", "content": "What is 2 + 3?"}]}
        for path, asked in [("/v1/completions", {"prompt": PROMPT}), ("/v1/chat/completions", chat)]:
            for field in FIELDS:
                body = {"model": "{model}", **asked, "max_tokens": 8, "temperature": 0.0, **field}
                self.ask(path, {name: value for name, value in body.items() if value is not None})
        for prompt in PROMPTS:
            self.ask("/v1/completions", {"model": "{model}", "prompt": prompt, "max_tokens": 512, "temperature": 0.0})


if __name__ == "__main__":
    Probe(*sys.argv[1:3]).everything()
