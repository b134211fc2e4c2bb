//! The templates of a recipe's files.
//!
//! They are files beside this module, as a trainer's user would write them, in Jinja.

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

use super::trainer::Trainer;

/// Name of a file in the folder, and its template.
pub(crate) type Template = (&'static str, &'static str);

macro_rules! templates {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("files/", $name)))),+]
    };
}

/// All templates, by their names in `files/`.
const TEMPLATES: &[Template] = templates![
    "README.md",
    "commands.txt",
    "eval.sh",
    "train.slurm",
    "trl/train.yaml",
    "trl/accelerate.yaml",
    "trl/train.sh",
    "axolotl/train.yaml",
    "axolotl/train.sh",
    "llama-factory/train.yaml",
    "llama-factory/zero3.json",
    "llama-factory/dataset_info.json",
    "llama-factory/train.sh",
    "torchtune/train.yaml",
    "torchtune/alpaca_pairs.py",
    "torchtune/train.sh",
];

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build();
    environment.set_syntax(syntax.expect("the usual marks of Jinja"));
    // What the scripts of three trainers have in common.
    let last_checkpoint = include_str!("files/last-checkpoint.sh").trim_end();
    environment.add_global("last_checkpoint", last_checkpoint);
    environment.add_filter("quoted", |text: &str| quoted(text));
    environment.add_filter("shell", |text: &str| shell(text));
    for (name, template) in TEMPLATES {
        let added = environment.add_template(name, template);
        added.expect("the templates are part of the program");
    }
    environment
});

/// The files of a trainer's recipe: name in the folder, name of the template.
pub(crate) fn files(trainer: Trainer, is_sharded: bool) -> Vec<(&'static str, &'static str)> {
    let own: &[(&str, &str)] = match trainer {
        Trainer::Trl => &[
            ("train.yaml", "trl/train.yaml"),
            ("accelerate.yaml", "trl/accelerate.yaml"),
            ("train.sh", "trl/train.sh"),
        ],
        Trainer::Axolotl => &[
            ("train.yaml", "axolotl/train.yaml"),
            ("train.sh", "axolotl/train.sh"),
        ],
        Trainer::LlamaFactory => &[
            ("train.yaml", "llama-factory/train.yaml"),
            ("data/dataset_info.json", "llama-factory/dataset_info.json"),
            ("train.sh", "llama-factory/train.sh"),
        ],
        Trainer::Torchtune => &[
            ("train.yaml", "torchtune/train.yaml"),
            ("alpaca_pairs.py", "torchtune/alpaca_pairs.py"),
            ("train.sh", "torchtune/train.sh"),
        ],
    };
    let zero3 = (trainer == Trainer::LlamaFactory && is_sharded)
        .then_some(("zero3.json", "llama-factory/zero3.json"));
    let shared = [
        ("train.slurm", "train.slurm"),
        ("eval.sh", "eval.sh"),
        ("README.md", "README.md"),
    ];
    own.iter().copied().chain(zero3).chain(shared).collect()
}

/// A file of a recipe.
///
/// # Panics
/// If the template uses a value that is not among them, which the tests of all recipes would see.
pub(crate) fn render(template: &str, values: &impl Serialize) -> String {
    let template = ENVIRONMENT.get_template(template);
    let rendered = template.and_then(|template| template.render(Serde(values)));
    rendered.unwrap_or_else(|error| panic!("a template of a recipe: {error:#}"))
}

/// A text in double quotes, as JSON and YAML have it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A text as one word of a POSIX shell.
pub(crate) fn shell(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@=+,".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_string(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_shell_stay_one_word() {
        assert_eq!(shell("/models/llama-2"), "/models/llama-2");
        assert_eq!(shell("my models/it's $HOME"), r"'my models/it'\''s $HOME'");
        assert_eq!(shell(""), "''");
    }
}
