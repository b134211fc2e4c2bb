//! An example for the help of each command.

/// The command, without the program's name, and lines that a user could type.
const EXAMPLES: &[(&str, &[&str])] = &[
    (
        "eval",
        &[
            "eval --model demo",
            "eval --model path/to/checkpoint --tasks gsm8k,math --dry-run",
            "eval --model org/name@revision",
            "eval --model 'runs/checkpoint-*' --output-dir evals",
            "eval --watch runs --output-dir evals",
            "eval --model NAME --endpoint http://localhost:8000",
            "eval --model path/to/checkpoint --shard 1/4 --output-dir DIR",
        ],
    ),
    ("merge", &["merge DIR --output-dir RUN"]),
    (
        "score",
        &[
            "score RUN",
            "score --input completions.jsonl --output verdicts.jsonl",
            r"score --reference '\frac{3}{4}' --completion 'The answer is 0.75.'",
        ],
    ),
    (
        "show",
        &[
            "show RUN",
            "show RUN --wrong --set gsm8k",
            "show RUN --item gsm8k/12",
        ],
    ),
    (
        "report",
        &["report RUN --open", "report RUN-A RUN-B --output ab.html"],
    ),
    (
        "export",
        &[
            "export RUN --format lm-eval --output lm-eval-files",
            "export RUN --format metrics --output .",
        ],
    ),
    (
        "import-run",
        &[
            "import-run results/MODEL --output-dir imported",
            "import-run replies.jsonl --map completion=response,reference=answer,question=problem \\\n      --output-dir imported",
        ],
    ),
    ("disagreements", &["disagreements RUN"]),
    ("compare", &["compare RUN-A RUN-B --items"]),
    (
        "gate",
        &["gate --baseline baseline.json --candidate RUN --max-drop 1.0"],
    ),
    (
        "baseline save",
        &["baseline save RUN --output baseline.json"],
    ),
    ("baseline show", &["baseline show baseline.json"]),
    (
        "leaderboard",
        &[
            "leaderboard mwpbench-runs --with-paper",
            "leaderboard RUN-A RUN-B --format latex --output table.tex",
        ],
    ),
    ("inspect", &["inspect path/to/checkpoint"]),
    (
        "serve",
        &[
            "serve --model demo --port 8000",
            "serve --model path/to/checkpoint --served-model-name candidate",
        ],
    ),
    ("rules check", &["rules check --rules"]),
    ("data list", &["data list"]),
    ("data stats", &["data stats --data full_test.json"]),
    ("data show", &["data show gsm8k/sample.1"]),
    ("data random", &["data random 3"]),
    ("data fetch", &["data fetch", "data fetch gsm8k --from DIR"]),
    ("data verify", &["data verify"]),
    (
        "data import",
        &["data import gsm8k test.jsonl --output gsm8k.jsonl"],
    ),
    ("data new", &["data new geometry"]),
    (
        "data overlap",
        &["data overlap --train train.jsonl --ids contaminated.txt"],
    ),
    (
        "data known-errors",
        &[
            "data known-errors --ids known.txt",
            "eval --model path/to/checkpoint --exclude-ids known.txt",
        ],
    ),
    ("data path", &["data path"]),
    ("data selfcheck", &["data selfcheck --data FILE"]),
    (
        "data translate",
        &["data translate math23k --model path/to/checkpoint"],
    ),
    (
        "mathscale extract",
        &["mathscale extract --project DIR --seeds gsm8k --model path/to/checkpoint"],
    ),
    ("mathscale graph", &["mathscale graph --project DIR"]),
    (
        "mathscale graph stats",
        &["mathscale graph stats --project DIR"],
    ),
    (
        "mathscale graph show",
        &["mathscale graph show \"Divisibility Rules\" --project DIR"],
    ),
    (
        "mathscale graph export",
        &["mathscale graph export --project DIR --format graphml --output graph.graphml"],
    ),
    (
        "mathscale compose",
        &["mathscale compose --project DIR --count 20000 --seed 1"],
    ),
    (
        "mathscale generate",
        &["mathscale generate --project DIR --model NAME --endpoint URL"],
    ),
    (
        "mathscale validate",
        &["mathscale validate --project DIR --model NAME --endpoint URL"],
    ),
    ("mathscale screen", &["mathscale screen --project DIR"]),
    (
        "mathscale export",
        &["mathscale export --project DIR --validation 0.01"],
    ),
    (
        "mathscale recipe",
        &[
            "mathscale recipe --project DIR --base meta-llama/Llama-2-7b-hf --trainer trl \\\n      --gpus 8 --gpu-memory 80GB",
            "mathscale recipe --project DIR --base path/to/checkpoint --trainer axolotl --lora",
        ],
    ),
    ("mathscale status", &["mathscale status --project DIR"]),
];

/// The examples of a command as they stand below its help; `None` for commands that only hold
/// others.
pub fn examples(command: &str) -> Option<String> {
    let (_, lines) = EXAMPLES.iter().find(|(name, _)| *name == command)?;
    let heading = match lines.len() {
        1 => "Example:",
        _ => "Examples:",
    };
    let lines = lines.iter().map(|line| format!("\n  mwpbench {line}"));
    Some(std::iter::once(heading.to_string()).chain(lines).collect())
}
