//! `--name` and `--tag`: what the user wants to remember of a run.

use std::collections::BTreeMap;

use evaluation::NAME_TAG;

use crate::heading;
use crate::printed_name::printed_name;

/// What the user wants to remember of a run.
#[derive(clap::Args)]
#[command(next_help_heading = heading::OUTPUT)]
pub struct TagArgs {
    /// Name of the model in tables and leaderboards, such as "Mistral 7B + MathScale"; never changes
    /// a completion.
    #[arg(long, value_name = "NAME", value_parser = printed_name)]
    name: Option<String>,
    /// A tag of the run, such as base="Mistral 7B" or train_size=25000, which `leaderboard` reads;
    /// never changes a completion. Repeat for several.
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = tag)]
    tags: Vec<(String, String)>,
}

fn tag(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or("expected KEY=VALUE, such as train_size=25000")?;
    match (key.trim(), value.trim()) {
        ("", _) | (_, "") => Err("key and value must not be empty".to_string()),
        (key, value) => Ok((printed_name(key)?, printed_name(value)?)),
    }
}

impl TagArgs {
    /// Whether the model was given a name.
    pub fn has_name(&self) -> bool {
        self.name.is_some()
    }

    /// The tags by key, the name among them.
    pub fn tags(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let mut tags = BTreeMap::new();
        for (key, value) in &self.tags {
            let before = tags.insert(key.clone(), value.clone());
            anyhow::ensure!(
                before.is_none(),
                "--tag {key} is given twice: name each key once"
            );
        }
        if let Some(name) = &self.name {
            let before = tags.insert(NAME_TAG.to_string(), name.clone());
            anyhow::ensure!(
                before.is_none(),
                "--name and --tag {NAME_TAG} are the same: give one of them"
            );
        }
        Ok(tags)
    }
}
