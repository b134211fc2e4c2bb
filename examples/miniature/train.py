"""The trainer's part: a LLaMA with random weights, and its fine-tuning with TRL's SFTTrainer.

    python train.py base --texts seeds.jsonl --output DIR
    python train.py sft --base DIR --data train.jsonl --output DIR --epochs 3

Everything else in the example is free of PyTorch; `miniature.py` starts these two as processes.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

# Set before PyTorch and the hub's library are imported: nothing is looked up anywhere.
os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TOKENIZERS_PARALLELISM="false", HF_DATASETS_DISABLE_PROGRESS_BARS="1")

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools" / "demo-checkpoint"))
import text as recipe  # noqa: E402

VOCABULARY = 1024
# Words with the space before them, and single digits: as the demo's, but a space is no token of its own.
PIECES = r"▁?[A-Za-z]+|▁?\d|▁?[^▁A-Za-z\d]|▁"
SEED = 20240611
BATCH = 32
RATE = 3e-3
MAX_LENGTH = 256
# Steps between two checkpoints, from which an interrupted training goes on.
SAVE_EVERY = 500


def architecture(vocabulary):
    """A LLaMA like the demo's, smaller."""
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=96,
        intermediate_size=256,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        bos_token_id=recipe.BOS_ID,
        eos_token_id=recipe.EOS_ID,
        pad_token_id=None,
    )


def make_tokenizer(texts):
    """LLaMA's layout. What the template writes around each question is two tokens, as every text has it."""
    from tokenizers import AddedToken

    tokenizer = recipe.train_tokenizer(texts, VOCABULARY - 2, pieces=PIECES, min_frequency=2)
    tokenizer.add_tokens([AddedToken(part, normalized=False) for part in (recipe.PREFIX, recipe.SUFFIX)])
    return tokenizer


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
        max_length=MAX_LENGTH,
        completion_only_loss=True,
        train_sampling_strategy="group_by_length",
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        seed=SEED,
        save_strategy="steps",
        save_steps=SAVE_EVERY,
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
        "tokens": tokens * options.epochs,
        "loss": round(result.training_loss, 4),
        "prepare_s": round(prepared - began, 1),
        "train_s": round(time.time() - prepared, 1),
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
    for each in (first, second):
        each.add_argument("--output", required=True)
    options = parser.parse_args()
    {"base": base, "sft": sft}[options.command](options)


if __name__ == "__main__":
    main()
