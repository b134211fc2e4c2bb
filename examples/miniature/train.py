"""The trainer's part: a LLaMA with random weights, and its fine-tuning with TRL's SFTTrainer.

    python train.py base --texts seeds.jsonl --output DIR
    python train.py sft --base DIR --data train.jsonl --output DIR --epochs 3

Everything else in the example is free of PyTorch; `miniature.py` starts these two as processes.
"""

import argparse
import json
import os
import re
import sys
import time
from collections import Counter
from pathlib import Path

# Set before PyTorch and the hub's library are imported: nothing is looked up anywhere.
os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TOKENIZERS_PARALLELISM="false", HF_DATASETS_DISABLE_PROGRESS_BARS="1")

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools" / "demo-checkpoint"))
import text as recipe  # noqa: E402

WORDS = 1024
# Words, and numbers of up to three digits as LLaMA 3 has them, each with the space before it.
PIECES = r"▁?[A-Za-z]+|▁?\d{1,3}|▁?[^▁A-Za-z\d]|▁"
# Then so many merges of neighbouring words into phrases: the model is to learn arithmetic, not the wording.
PHRASES = 160
TEXTS_FOR_PHRASES = 500
SEED = 20240611
BATCH = 32
RATE = 4e-3
MAX_LENGTH = 256
# Steps between two checkpoints, from which an interrupted training goes on.
SAVE_EVERY = 500


def architecture(vocabulary):
    """A LLaMA like the demo's, smaller."""
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=64,
        intermediate_size=192,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        rms_norm_eps=1e-5,
        initializer_range=0.1,
        tie_word_embeddings=True,
        bos_token_id=recipe.BOS_ID,
        eos_token_id=recipe.EOS_ID,
        pad_token_id=None,
    )


def make_tokenizer(texts):
    """BPE in LLaMA's layout. What the template writes around each question is two tokens, as every text has it."""
    from tokenizers import AddedToken

    words = recipe.train_tokenizer(texts, WORDS, pieces=PIECES, min_frequency=2)
    model = json.loads(words.to_str())["model"]
    vocabulary, merges = model["vocab"], [tuple(merge) for merge in model["merges"]]
    for pair in phrases([words.encode(text, add_special_tokens=False).tokens for text in texts[:TEXTS_FOR_PHRASES]]):
        merges.append(pair)
        vocabulary.setdefault("".join(pair), len(vocabulary))
    tokenizer = recipe.llama_tokenizer(vocabulary, merges)
    tokenizer.add_tokens([AddedToken(part, normalized=False) for part in (recipe.PREFIX, recipe.SUFFIX)])
    return tokenizer


def phrases(rows):
    """The most frequent pairs of neighbours, merged one after the other. Names, numbers and points stay apart."""
    spoken = re.compile(r"(▁[A-Za-z]+)+")
    for _ in range(PHRASES):
        pairs = Counter(pair for row in rows for pair in zip(row, row[1:]) if all(map(spoken.fullmatch, pair)))
        pair, _ = max(pairs.items(), key=lambda item: (item[1], item[0]))
        yield pair
        rows = [merged(row, pair) for row in rows]


def merged(row, pair):
    out = []
    for token in row:
        if out and (out[-1], token) == pair:
            out[-1] += token
        else:
            out.append(token)
    return out


def base(options):
    """Writes the checkpoint that every training starts from."""
    import torch
    from transformers import GenerationConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    with open(options.texts, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    tokenizer = make_tokenizer([f"{row['question']} {row['answer']}" for row in rows])
    torch.manual_seed(SEED)
    model = LlamaForCausalLM(architecture(tokenizer.get_vocab_size()))
    model.generation_config = GenerationConfig(bos_token_id=recipe.BOS_ID, eos_token_id=recipe.EOS_ID, do_sample=False)
    model.save_pretrained(options.output)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=512,
        clean_up_tokenization_spaces=False,
    ).save_pretrained(options.output)
    print(json.dumps({"parameters": model.num_parameters(), "vocabulary": tokenizer.get_vocab_size()}))


def config(options):
    """The paper's recipe as far as it makes sense from random weights: epochs, schedule, loss on the response."""
    from trl import SFTConfig

    return SFTConfig(
        output_dir=str(Path(options.output) / "checkpoints"),
        num_train_epochs=options.epochs,
        per_device_train_batch_size=BATCH,
        learning_rate=RATE,
        lr_scheduler_type="cosine",
        warmup_steps=0.05,
        weight_decay=0.01,
        adam_beta2=0.98,
        max_length=MAX_LENGTH,
        completion_only_loss=True,
        train_sampling_strategy="group_by_length",
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        seed=SEED,
        save_strategy="steps",
        save_steps=options.save_every,
        save_total_limit=1,
        logging_steps=100,
        disable_tqdm=True,
        report_to="none",
    )


def sft(options):
    """Fine-tunes the base checkpoint on a file of prompts and completions."""
    import torch
    from datasets import load_dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.trainer_utils import get_last_checkpoint
    from trl import SFTTrainer

    torch.set_num_threads(options.threads)
    began = time.time()
    tokenizer = AutoTokenizer.from_pretrained(options.base)
    model = AutoModelForCausalLM.from_pretrained(options.base, dtype=torch.float32)
    data = load_dataset("json", data_files=options.data, split="train", cache_dir=str(Path(options.output) / "cache"))
    # The template stops at "### Response:"; what follows begins with a space, as `eval` decodes it.
    trainer = SFTTrainer(model=model, args=config(options), train_dataset=data, processing_class=tokenizer)
    prepared = time.time()
    last = get_last_checkpoint(trainer.args.output_dir) if os.path.isdir(trainer.args.output_dir) else None
    result = trainer.train(resume_from_checkpoint=last)
    trainer.save_model(options.output)
    tokens = sum(len(row) for row in trainer.train_dataset["input_ids"])
    figures = {
        "pairs": len(data),
        "epochs": options.epochs,
        "steps": trainer.state.global_step,
        "resumed_at": int(last.rsplit("-", 1)[1]) if last else 0,
        "tokens": tokens * options.epochs,
        "loss": round(result.training_loss, 4),
        "prepare_s": round(prepared - began, 1),
        "train_s": round(time.time() - prepared, 1),
        "cpu_s": round(time.process_time(), 1),
    }
    (Path(options.output) / "training.json").write_text(json.dumps(figures) + "\n")
    print(json.dumps(figures))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    first = commands.add_parser("base")
    first.add_argument("--texts", required=True)
    second = commands.add_parser("sft")
    second.add_argument("--base", required=True)
    second.add_argument("--data", required=True)
    second.add_argument("--epochs", type=int, required=True)
    second.add_argument("--threads", type=int, default=2)
    second.add_argument("--save-every", type=int, default=SAVE_EVERY, metavar="STEPS")
    for each in (first, second):
        each.add_argument("--output", required=True)
    options = parser.parse_args()
    {"base": base, "sft": sft}[options.command](options)


if __name__ == "__main__":
    main()
