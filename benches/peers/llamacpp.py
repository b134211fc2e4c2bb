"""llama.cpp on a workload, through the low-level interface of llama-cpp-python.

    llamacpp.py FILE.gguf --prompts FILE.json --rows N --new-tokens N [--tokenizer CHECKPOINT_FOLDER] [--limit N]
                [--ignore-eos] [--dtype bf16|f32|q8_0] [--unified-cache] [--threads 2] [--workload NAME] [--first-token]

Continuous batching: every step is one batch of a token of each running sequence and the whole prompts of the sequences
that take free rows. Flash attention is on. --dtype must be what the file holds. Prints one JSON line. A short warm-up
goes before the clock.
"""

import ctypes
import sys
import time
from dataclasses import dataclass, field

import llama_cpp
import numpy as np

import common

STEP_TOKENS = 16_384
CACHE_BLOCK = 256
SILENT = llama_cpp.llama_log_callback(lambda *_: None)


@dataclass
class Sequence:
    """A running completion. `pending` are the tokens that the next step puts in, at `position`."""

    index: int
    pending: list
    limit: int
    position: int = 0
    tokens: list = field(default_factory=list)
    first_token_time: float = 0.0


class LlamaCpp:
    def __init__(self, options, longest):
        """Load the file, with room in each row for `longest` tokens or the model's context."""
        self.model = self._load(options)
        whole_blocks = -(-longest // CACHE_BLOCK) * CACHE_BLOCK
        self.row_length = min(whole_blocks, llama_cpp.llama_model_n_ctx_train(self.model))
        self.vocabulary = llama_cpp.llama_model_get_vocab(self.model)
        self.vocabulary_size = llama_cpp.llama_vocab_n_tokens(self.vocabulary)
        self.context = self._context(options)
        self.memory = llama_cpp.llama_get_memory(self.context)
        self.batch = llama_cpp.llama_batch_init(STEP_TOKENS, 0, 1)

    @staticmethod
    def _load(options):
        parameters = llama_cpp.llama_model_default_params()
        parameters.use_extra_bufts = not options.plain_buffers
        model = llama_cpp.llama_model_load_from_file(str(options.checkpoint).encode(), parameters)
        if not model:
            sys.exit(f"{options.checkpoint} cannot be loaded")
        return model

    def _context(self, options):
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = options.rows * self.row_length
        parameters.n_batch = STEP_TOKENS
        parameters.n_ubatch = options.physical_batch
        parameters.n_seq_max = options.rows
        parameters.n_threads = parameters.n_threads_batch = options.threads
        parameters.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_ENABLED
        parameters.kv_unified = options.unified_cache
        context = llama_cpp.llama_init_from_model(self.model, parameters)
        if not context:
            sys.exit("llama.cpp cannot make a context")
        return context

    def dtype(self):
        """`bf16`, `f32` or `q8_0`, from llama.cpp's own description of the file."""
        text = ctypes.create_string_buffer(128)
        llama_cpp.llama_model_desc(self.model, text, len(text))
        names = {b"F32": "f32", b"BF16": "bf16", b"Q8_0": "q8_0"}
        return next((name for mark, name in names.items() if mark in text.value), text.value.decode())

    def generate(self, prompts, rows, new_tokens, ignore_eos):
        """New token ids of each prompt, and the seconds from each first token to the last, added up."""
        llama_cpp.llama_memory_clear(self.memory, True)
        waiting = list(enumerate(prompts))[::-1]
        running, completions, decode_seconds = [None] * rows, [None] * len(prompts), 0.0
        while waiting or any(running):
            self._open(running, waiting, new_tokens)
            tokens = self._step(running)
            now = time.perf_counter()
            for row, sequence in enumerate(running):
                if sequence is None or row not in tokens:
                    continue
                self._advance(sequence, tokens[row], now)
                if self._ended(sequence, ignore_eos):
                    completions[sequence.index] = sequence.tokens
                    decode_seconds += now - sequence.first_token_time
                    llama_cpp.llama_memory_seq_rm(self.memory, row, -1, -1)
                    running[row] = None
        return completions, decode_seconds

    def _open(self, running, waiting, new_tokens):
        for row, sequence in enumerate(running):
            if sequence is None and waiting:
                index, prompt = waiting.pop()
                running[row] = Sequence(index, prompt, min(new_tokens, self.row_length - len(prompt)))

    def _step(self, running):
        """Put in what is pending, as far as it fits; the most likely next token of each row that took part."""
        length, last = 0, {}
        for row, sequence in enumerate(running):
            if sequence is None or length + len(sequence.pending) > STEP_TOKENS:
                continue
            for offset, token in enumerate(sequence.pending):
                self._put(length, token, sequence.position + offset, row)
                length += 1
            last[row] = length - 1
            self.batch.logits[length - 1] = 1
        self.batch.n_tokens = length
        status = llama_cpp.llama_decode(self.context, self.batch)
        if status != 0:
            sys.exit(f"llama_decode: {status}")
        return {row: self._most_likely(slot) for row, slot in last.items()}

    def _put(self, slot, token, position, row):
        batch = self.batch
        batch.token[slot], batch.pos[slot], batch.logits[slot] = token, position, 0
        batch.n_seq_id[slot], batch.seq_id[slot][0] = 1, row

    def _most_likely(self, slot):
        logits = llama_cpp.llama_get_logits_ith(self.context, slot)
        return int(np.ctypeslib.as_array(logits, (self.vocabulary_size,)).argmax())

    @staticmethod
    def _advance(sequence, token, now):
        if not sequence.tokens:
            sequence.first_token_time = now
        sequence.tokens.append(token)
        sequence.position += len(sequence.pending)
        sequence.pending = [token]

    def _ended(self, sequence, ignore_eos):
        stops = not ignore_eos and llama_cpp.llama_vocab_is_eog(self.vocabulary, sequence.tokens[-1])
        return stops or len(sequence.tokens) >= sequence.limit


def main():
    arguments = common.parser(__doc__, ("bf16", "f32", "q8_0"))
    arguments.add_argument("--unified-cache", action="store_true", help="one key-value buffer for all rows")
    arguments.add_argument("--plain-buffers", action="store_true",
                           help="weights as the file has them: where the repacked ones crash, as on some processors with AMX")
    arguments.add_argument("--physical-batch", type=int, default=512, help="most tokens computed at once")
    options = arguments.parse_args()
    job = common.Job(options)
    llama_cpp.llama_log_set(SILENT, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    if options.first_token:
        common.read_once(options.checkpoint)

    longest = max(map(len, job.prompts + job.warm_up_prompts)) + job.new_tokens
    began = time.perf_counter()
    model = LlamaCpp(options, longest)
    if not options.first_token:
        model.generate(job.warm_up_prompts, min(job.rows, 4), 3, job.ignore_eos)
        began = time.perf_counter()
    completions, decode_seconds = model.generate(job.prompts, job.rows, job.new_tokens, job.ignore_eos)
    seconds = time.perf_counter() - began
    if model.dtype() != options.dtype:
        sys.exit(f"{options.checkpoint} holds {model.dtype()}, not {options.dtype}")
    variant = "unified cache" if options.unified_cache else ""
    job.report("llama.cpp", completions, seconds, decode_seconds if job.rows == 1 else None, variant)


if __name__ == "__main__":
    main()
