#!/usr/bin/env python3
"""What the trainers make of the folders of `mwpbench mathscale recipe`.

    pip install -r tools/mathscale/recipes-requirements.txt     # or axolotl==0.19.0, llamafactory==0.9.5, torchtune==0.6.1 torchao==0.14.1
    tools/mathscale/recipes.py --mwpbench target/release/mwpbench [--check trl,axolotl,llama-factory,torchtune] [--train]

Each check needs its own trainer alone, so that they can run in several environments. For all weights and for LoRA, on one
GPU and on eight, a recipe is written for the demo checkpoint and read by the trainer's own code: TRL's parser and
SFTConfig, axolotl's schema, LLaMA-Factory's parser, torchtune's config.validate. The trainer's own code also tokenizes the
data, and every record must be the tokens that `mwpbench eval` asks with (`--log-tokens`), then those of the solution, then
the end-of-sequence token, with the loss on what stands behind the prompt alone. A wrong key must be refused.

--train (with TRL or torchtune, on the CPU) trains the demo checkpoint by train.sh, breaks it off, continues it, and runs
the printed commands: in all weights and with adapters. Exit code 1 where something is not as it should be.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

DEMO = Path(__file__).resolve().parents[2] / "models" / "demo"
# More than a batch, whose last part torchtune drops.
RECORDS = 160
TRAINED_RECORDS = 40


class Project:
    """A project with an export, and the tokens of its prompts as the evaluation asks them."""

    def __init__(self, program, folder, records=RECORDS):
        self.program, self.folder = program, folder
        pairs = [(f"Ann has {n} apples and buys {n % 7 + 2} more. How many apples does she have now?",
                  f"{n} + {n % 7 + 2} = {n + n % 7 + 2}\nThe answer is {n + n % 7 + 2}.") for n in range(10, 10 + records)]
        # A first character that a tokenizer may want to join with the end of the prompt.
        pairs += [("What is \"twice 4\", écrit en 数?", "$2 \\cdot 4 = 8$\n\nThe answer is 8."),
                  ("What is {instruction} plus 3 when it is 4?", "\\[4 + 3 = 7\\]\nThe answer is 7.")]
        lines = lambda rows: "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "pairs.jsonl").write_text(lines({"question": q, "solution": s} for q, s in pairs))
        (folder / "asked.jsonl").write_text(lines(
            {"data_topic": "gsm8k", "question": q, "answer": "1"} for q, _ in pairs))
        self.run("mathscale", "screen", "--project", "project", "--pairs", "pairs.jsonl", "--without-tests", "--exact-only")
        self.run("mathscale", "export", "--project", "project", "--validation", "0.1")
        self.run("eval", "--model", str(DEMO), "--data", "asked.jsonl", "--tasks", "gsm8k", "--max-tokens", "1",
                 "--log-tokens", "--output-dir", "asked")
        read = lambda name: [json.loads(line) for line in (folder / name).read_text().splitlines()]
        self.prompts = {line["prompt"]: line["token_ids"] for line in read("asked/prompts.jsonl")}
        self.solutions = {}
        for split in ("train", "validation"):
            for line in read(f"project/export/prompt_completion/{split}.jsonl"):
                self.solutions[line["prompt"]] = line["completion"]
        self.records = len(read("project/export/prompt_completion/train.jsonl"))

    def run(self, *arguments):
        done = subprocess.run([self.program, *arguments, "--quiet"], cwd=self.folder, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"mwpbench {' '.join(arguments)}: {done.stderr}")

    def recipe(self, trainer, base, *flags):
        name = "-".join(["recipe", trainer, *(flag.strip("-") for flag in flags)])
        self.run("mathscale", "recipe", "--project", "project", "--base", str(base), "--trainer", trainer,
                 "--output-dir", name, *flags)
        return self.folder / name


class Tokens:
    """Compares records as a trainer tokenized them with what the evaluation asks."""

    def __init__(self, project):
        from tokenizers import Tokenizer

        self.project, self.fast = project, Tokenizer.from_file(str(DEMO / "tokenizer.json"))
        self.eos = self.fast.token_to_id("</s>")
        self.by_ids = {tuple(ids): prompt for prompt, ids in project.prompts.items()}
        self.seen, self.wrong = 0, []

    def look(self, ids, learned):
        """`learned`: for each token whether the loss is on it."""
        ids, learned = list(ids), list(learned)
        self.seen += 1
        start = learned.index(True)
        prompt = self.by_ids.get(tuple(ids[:start]))
        if prompt is None:
            self.wrong.append(("no prompt of eval", self.fast.decode(ids[:start])[-60:], ids[:start][-4:]))
        elif ids[-1] != self.eos or self.eos in ids[:-1] or not all(learned[start:]):
            self.wrong.append(("end", ids[-3:]))
        elif self.fast.decode(ids[start:-1]).strip() != self.project.solutions[prompt].strip():
            self.wrong.append(("solution", self.fast.decode(ids[start:])))


def folders(project, trainer, base=DEMO):
    for lora in ([], ["--lora"]):
        for gpus in ("1", "8"):
            yield project.recipe(trainer, base, *lora, "--gpus", gpus), bool(lora), int(gpus)


def refuses(read, folder):
    """Whether the trainer's code refuses a key that it does not know."""
    file = folder / "train.yaml"
    text = file.read_text()
    file.write_text(text + "\nno_such_key: 1\n")
    try:
        read(folder)
    except (Exception, SystemExit) as error:
        print(f"    a wrong key is refused: {type(error).__name__} {str(error).splitlines()[0][:90] if str(error) else ''}")
        return True
    finally:
        file.write_text(text)
    return False


def trl(project):
    from accelerate.commands.config.config_args import load_config_from_file
    from trl import DatasetMixtureConfig, ModelConfig, ScriptArguments, SFTConfig, SFTTrainer, TrlParser, get_peft_config

    def read(folder):
        parser = TrlParser((ScriptArguments, SFTConfig, ModelConfig, DatasetMixtureConfig))
        # A machine without a GPU refuses bfloat16 on one.
        return parser.parse_args_and_config(["--config", str(folder / "train.yaml"), "--use_cpu", "True"], fail_with_unknown_args=True)

    tokens, fine = Tokens(project), True
    for folder, lora, gpus in folders(project, "trl"):
        script, config, model, _ = read(folder)
        processes = load_config_from_file(str(folder / "accelerate.yaml"))
        batch = config.per_device_train_batch_size * config.gradient_accumulation_steps * processes.num_processes
        fine &= check(folder, batch == 128, config.completion_only_loss, config.num_train_epochs == 3,
                      config.learning_rate == (2e-4 if lora else 2e-5), config.lr_scheduler_type == "cosine",
                      config.warmup_steps == 1, (get_peft_config(model) is not None) == lora,
                      (processes.distributed_type == "FSDP") == (gpus > 1 and not lora))
        if gpus == 1:
            from datasets import load_dataset

            data = load_dataset(str(folder / script.dataset_name), cache_dir=str(folder / "cache"))
            trainer = SFTTrainer(model=model.model_name_or_path, args=config, train_dataset=data["train"],
                                 eval_dataset=data["validation"], peft_config=get_peft_config(model))
            for row in [*trainer.train_dataset, *trainer.eval_dataset]:
                learned = [label != -100 for label in row["labels"]] if "labels" in row else map(bool, row["completion_mask"])
                tokens.look(row["input_ids"], learned)
    return report(f"trl {version('trl')}, transformers {version('transformers')}", tokens, fine and refuses(read, folder))


def axolotl(project):
    import yaml
    from axolotl.prompt_strategies.user_defined import UserDefinedDatasetConfig, load
    from axolotl.utils.config import validate_config
    from axolotl.utils.dict import DictDefault
    from axolotl.utils.schemas.config import AxolotlInputConfig
    from transformers import AutoTokenizer

    gpu = {"bf16": True, "fp8": False, "n_gpu": 1, "n_node": 1, "compute_capability": "sm_90", "tf32": True}

    def read(folder):
        raw = yaml.safe_load((folder / "train.yaml").read_text())
        # axolotl passes over keys that it does not know.
        unknown = set(raw) - set(AxolotlInputConfig.model_fields)
        if unknown:
            raise ValueError(f"no keys of axolotl's schema: {unknown}")
        return validate_config(DictDefault(raw), capabilities=gpu, env_capabilities={"torch_version": "2.11.0"})

    tokens, fine = Tokens(project), True
    tokenizer = AutoTokenizer.from_pretrained(str(DEMO))
    for folder, lora, gpus in folders(project, "axolotl"):
        config = read(folder)
        fine &= check(folder, config.micro_batch_size * config.gradient_accumulation_steps * gpus == 128,
                      config.num_epochs == 3, config.learning_rate == (2e-4 if lora else 2e-5), config.lr_scheduler == "cosine",
                      config.warmup_steps == 1, (config.adapter == "lora") == lora, config.sequence_len == 2048,
                      (config.fsdp_config is not None) == (gpus > 1 and not lora), not config.train_on_inputs)
        if gpus == 1:
            for data in (config.datasets[0], config.test_datasets[0]):
                form = {key: value for key, value in dict(data["type"]).items() if value is not None}
                strategy = load(tokenizer, config, UserDefinedDatasetConfig(**form))
                for line in (folder / data["path"]).read_text().splitlines():
                    row = strategy.tokenize_prompt(json.loads(line))
                    tokens.look(row["input_ids"], (label != -100 for label in row["labels"]))
    return report(f"axolotl {version('axolotl')}", tokens, fine and refuses(read, folder))


def llama_factory(project):
    os.environ["DISABLE_VERSION_CHECK"] = "1"
    import yaml
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import get_train_args
    from transformers import AutoTokenizer

    def read(folder):
        raw = yaml.safe_load((folder / "train.yaml").read_text())
        # DeepSpeed is asked for by torchrun alone; its file is for DeepSpeed itself to read.
        deepspeed = raw.pop("deepspeed", None)
        if deepspeed and json.loads((folder / deepspeed).read_text())["zero_optimization"]["stage"] != 3:
            raise ValueError(deepspeed)
        here = os.getcwd()
        os.chdir(folder)
        try:
            return get_train_args({**raw, "use_cpu": True}), deepspeed
        finally:
            os.chdir(here)

    tokens, fine = Tokens(project), True
    for folder, lora, gpus in folders(project, "llama-factory"):
        (model, data, training, finetuning, _), deepspeed = read(folder)
        fine &= check(folder, training.per_device_train_batch_size * training.gradient_accumulation_steps * gpus == 128,
                      training.num_train_epochs == 3, training.learning_rate == (2e-4 if lora else 2e-5),
                      training.lr_scheduler_type == "cosine", training.warmup_steps == 1, data.cutoff_len == 2048,
                      finetuning.finetuning_type == ("lora" if lora else "full"), bool(deepspeed) == (gpus > 1 and not lora))
        if gpus == 1:
            # LLaMA-Factory's own loader of tokenizers is beside that of models, which needs an older TRL.
            tools = {"tokenizer": AutoTokenizer.from_pretrained(model.model_name_or_path, padding_side="right"), "processor": None}
            template = get_template_and_fix_tokenizer(tools["tokenizer"], data)
            data.dataset_dir = str(folder / "data")
            sets = get_dataset(template, model, data, training, stage="sft", **tools)
            for row in [*sets["train_dataset"], *sets["eval_dataset"]]:
                tokens.look(row["input_ids"], (label != -100 for label in row["labels"]))
    return report(f"llamafactory {version('llamafactory')}", tokens, fine and refuses(read, folder))


def untied(folder):
    """The demo checkpoint with its embedding written twice: torchtune has no LLaMA with one for both."""
    from safetensors.torch import load_file, save_file

    base = folder / "untied"
    if not base.exists():
        shutil.copytree(DEMO, base)
        config = json.loads((base / "config.json").read_text())
        (base / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": False}))
        weights = load_file(DEMO / "model.safetensors")
        weights["lm_head.weight"] = weights["model.embed_tokens.weight"].clone()
        save_file(weights, base / "model.safetensors", metadata={"format": "pt"})
    return base


def torchtune(project):
    from omegaconf import OmegaConf
    from torchtune import config

    def read(folder):
        loaded = OmegaConf.load(folder / "train.yaml")
        # What the recipe reads of the top level; torchtune itself passes over keys that it does not know.
        known = OmegaConf.load(Path(find_spec("torchtune").origin).parents[1] / "recipes/configs/llama2/7B_full.yaml")
        more = {"lr_scheduler", "save_adapter_weights_only"}
        unknown = set(loaded) - set(known) - more
        if unknown:
            raise ValueError(f"no keys of torchtune's recipes: {unknown}")
        here = os.getcwd()
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        try:
            config.validate(loaded)
            return loaded
        finally:
            os.chdir(here)
            sys.path.remove(str(folder))

    tokens, fine = Tokens(project), True
    for folder, lora, gpus in folders(project, "torchtune", untied(project.folder)):
        loaded = read(folder)
        fine &= check(folder, loaded.batch_size * loaded.gradient_accumulation_steps * gpus == 128, loaded.epochs == 3,
                      loaded.optimizer.lr == (2e-4 if lora else 2e-5), loaded.lr_scheduler.num_warmup_steps == 1)
        here = os.getcwd()
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        model = config.instantiate(loaded.model)
        weights = config.instantiate(loaded.checkpointer).load_checkpoint()["model"]
        missing, unexpected = model.load_state_dict(weights, strict=False)
        fine &= check(folder, not unexpected, all("lora" in name for name in missing), bool(missing) == lora)
        tokenizer = config.instantiate(loaded.tokenizer)
        for row in config.instantiate(loaded.dataset, tokenizer) if gpus == 1 else []:
            tokens.look(row["tokens"], (label != -100 for label in row["labels"]))
        os.chdir(here)
        sys.path.remove(str(folder))
        sys.modules.pop("alpaca_pairs", None)
    return report(f"torchtune {version('torchtune')}, torchao {version('torchao')}", tokens, fine and refuses(read, folder))


def check(folder, *facts):
    wrong = [place for place, fact in enumerate(facts) if not fact]
    print(f"    {folder.name}: {len(facts) - len(wrong)} of {len(facts)} facts{f', WRONG: {wrong}' if wrong else ''}")
    return not wrong


def report(name, tokens, fine):
    print(f"{name}: {tokens.seen} records tokenized, not as they should be: {len(tokens.wrong)} {tokens.wrong[:3]}")
    return fine and tokens.seen > 0 and not tokens.wrong


def train(project, trainer):
    """Trains on the CPU, broken off and continued, and evaluates what comes out by the printed commands."""
    fine = True
    for lora in ([], ["--lora"]):
        folder = project.recipe(trainer, DEMO, *lora, "--gpus", "0", "--batch", "8", "--epochs", "2", "--max-length", "256",
                                "--per-device", "4", "--learning-rate", "0.0005")
        command = ["bash", str(folder / "train.sh")]
        begun = subprocess.Popen(command, stdout=open(folder / "first.log", "w"), stderr=subprocess.STDOUT, start_new_session=True)
        while begun.poll() is None and not list(folder.glob("output/checkpoint-*/trainer_state.json")):
            time.sleep(0.2)
        was_alive = begun.poll() is None
        os.killpg(begun.pid, signal.SIGKILL)
        begun.wait()
        again = subprocess.run(command, capture_output=True, text=True)
        (folder / "second.log").write_text(again.stdout + again.stderr)
        continued = [line for line in again.stdout.splitlines() if line.startswith("continuing from ")]
        state = max(folder.glob("output/checkpoint-*/trainer_state.json"), key=lambda file: int(file.parent.name.split("-")[1]))
        steps = json.loads(state.read_text())
        third = subprocess.run(command, capture_output=True, text=True)
        judged = subprocess.run(["bash", str(folder / "eval.sh"), "--data", str(project.folder / "asked.jsonl"), "--tasks", "gsm8k",
                                 "--limit", "8", "--max-tokens", "64"], capture_output=True, text=True,
                                env={**os.environ, "PATH": f"{Path(project.program).parent}:{os.environ['PATH']}"})
        (folder / "eval.log").write_text(judged.stdout + judged.stderr)
        completions = [json.loads(line) for line in (folder / "eval/completions.jsonl").read_text().splitlines()]
        ended = sum(line["finish_reason"] == "eos" for line in completions)
        print(f"{folder.name}: broken off while running: {was_alive}; {continued}; steps {steps['global_step']} of {steps['max_steps']}; "
              f"again: {third.stdout.strip()}; {len(completions)} completions, of which {ended} end; gate {judged.returncode}")
        print("    " + completions[0]["completion"][:120].replace("\n", " / "))
        fine &= check(folder, was_alive, again.returncode == 0, bool(continued), steps["global_step"] == steps["max_steps"],
                      third.returncode == 0, "trained to its end" in third.stdout, judged.returncode in (0, 1, 3), ended > 0)
    return fine


CHECKS = {"trl": trl, "axolotl": axolotl, "llama-factory": llama_factory, "torchtune": torchtune}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mwpbench", required=True)
    parser.add_argument("--check", default=",".join(CHECKS))
    parser.add_argument("--train", action="store_true", help="also train, with TRL")
    parser.add_argument("--keep", help="a new folder that the recipes are left in")
    arguments = parser.parse_args()
    program = str(Path(arguments.mwpbench).resolve())
    fine = True
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(arguments.keep or temporary)
        folder.mkdir(exist_ok=True)
        project = Project(program, folder.resolve())
        for name in filter(None, arguments.check.split(",")):
            fine &= CHECKS[name](project)
        if arguments.train:
            few = folder.resolve() / "trained"
            few.mkdir()
            fine &= train(Project(program, few, TRAINED_RECORDS), "trl")
    print("1 passed, 0 failed" if fine else "0 passed, 1 failed")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
