"""Two steps of GRPO on the demo checkpoint, rewarded by our scorer."""

import json

import pytest
from conftest import ROOT, needs

needs("torch", "transformers", "datasets", "trl")

pytestmark = pytest.mark.needs_torch


def problems():
    path = ROOT / "datasets/gsm8k/sample.jsonl"
    return [json.loads(line) for line in path.open(encoding="utf-8")][:4]


def trained(folder, rows, reward):
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import GRPOConfig, GRPOTrainer

    demo = str(ROOT / "models/demo")
    tokenizer = AutoTokenizer.from_pretrained(demo)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    trainer = GRPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(demo),
        processing_class=tokenizer,
        reward_funcs=reward,
        train_dataset=Dataset.from_list(rows),
        args=GRPOConfig(
            output_dir=str(folder),
            max_steps=2,
            per_device_train_batch_size=4,
            num_generations=4,
            max_completion_length=96,
            logging_steps=1,
            report_to=[],
            use_cpu=True,
            bf16=False,
            save_strategy="no",
            seed=1,
        ),
    )
    trainer.train()
    return trainer.state


def test_two_steps_with_our_reward(tmp_path):
    from mwpbench.trl import accuracy_reward

    seen = []

    def counted(completions, **columns):
        rewards = accuracy_reward(completions, **columns)
        seen.append((completions, columns["answer"], rewards))
        return rewards

    counted.__name__ = "accuracy_reward"
    template = (
        "Below is an instruction that describes a task. Write a response that appropriately "
        "completes the request.\n\n### Instruction:\n{}\n\n### Response: "
    )
    rows = [
        {"prompt": template.format(row["question"]), "answer": str(row["answer"])}
        for row in problems()
    ]
    rows[-1]["answer"] = ""
    state = trained(tmp_path, rows * 2, counted)
    assert state.global_step == 2 and len(seen) >= 2
    logged = [entry for entry in state.log_history if "rewards/accuracy_reward/mean" in entry]
    assert len(logged) == 2, state.log_history
    rewards = [reward for *_, given in seen for reward in given]
    answers = [answer for _, given, _ in seen for answer in given]
    assert len(rewards) == len(answers) >= 8
    assert all((reward is None) == (answer == "") for reward, answer in zip(rewards, answers))
    assert {reward for reward in rewards if reward is not None} <= {0.0, 1.0}


def test_the_reward_itself_is_what_a_trainer_takes(tmp_path):
    from mwpbench.trl import Reward

    rows = [{"prompt": row["question"], "gold": str(row["answer"])} for row in problems()]
    state = trained(tmp_path, rows, Reward("gold", wrong=-1.0, name="strict"))
    logged = [entry for entry in state.log_history if "rewards/strict/mean" in entry]
    assert len(logged) == 2 and -1.0 <= logged[0]["rewards/strict/mean"] <= 1.0
