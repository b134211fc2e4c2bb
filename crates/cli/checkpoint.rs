//! `--model`: a folder in Hugging Face layout, a GGUF file, or `demo` for the embedded checkpoint;
//! `--adapter` for what is merged into it, `--tokenizer` for another tokenizer.

use std::path::{Path, PathBuf};

use inference::CheckpointFiles;

use crate::{heading, place};

/// The name of the embedded checkpoint.
pub const DEMO: &str = "demo";

#[cfg(feature = "demo")]
static DEMO_FILES: &[(&str, &[u8])] = &[
    (
        "config.json",
        include_bytes!("../../models/demo/config.json"),
    ),
    (
        "generation_config.json",
        include_bytes!("../../models/demo/generation_config.json"),
    ),
    (
        "model.safetensors",
        include_bytes!("../../models/demo/model.safetensors"),
    ),
    (
        "tokenizer.json",
        include_bytes!("../../models/demo/tokenizer.json"),
    ),
    (
        "tokenizer_config.json",
        include_bytes!("../../models/demo/tokenizer_config.json"),
    ),
];

/// What goes with the checkpoint that `--model` names.
#[derive(clap::Args)]
#[command(next_help_heading = heading::MODEL)]
pub struct CheckpointExtras {
    /// LoRA adapter to merge into the checkpoint: a folder with adapter_config.json and
    /// adapter_model.safetensors.
    #[arg(long, env = "MWPBENCH_ADAPTER", value_name = "DIR")]
    adapter: Option<PathBuf>,
    /// A tokenizer.json, or the folder that holds it, in place of the checkpoint's own; with
    /// --endpoint that of the checkpoint behind the server, so that a server that tokenizes
    /// prompts differently is noticed.
    #[arg(long, env = "MWPBENCH_TOKENIZER", value_name = "FILE|DIR")]
    tokenizer: Option<PathBuf>,
}

impl CheckpointExtras {
    /// The flag that names an adapter, where one was given.
    pub fn adapter_flag(&self) -> Option<&'static str> {
        self.adapter.is_some().then_some("--adapter")
    }

    /// The tokenizer that was given.
    pub fn tokenizer(&self) -> anyhow::Result<Option<&Path>> {
        match self.tokenizer.as_deref() {
            Some(tokenizer) if !tokenizer.exists() => {
                anyhow::bail!(
                    "there is no {}: give a tokenizer.json or the folder that holds it",
                    tokenizer.display()
                )
            }
            given => Ok(given),
        }
    }

    /// The files of the checkpoint that `--model` names, with these.
    pub fn with(&self, model: &str) -> anyhow::Result<CheckpointFiles> {
        let base = self.base(model)?;
        match &self.adapter {
            Some(adapter) if !adapter.exists() => {
                anyhow::bail!(
                    "there is no folder {}: give the folder of a LoRA adapter",
                    adapter.display()
                )
            }
            Some(adapter) => Ok(base.with_adapter(adapter)?),
            None => Ok(base),
        }
    }

    fn base(&self, model: &str) -> anyhow::Result<CheckpointFiles> {
        match (model, self.tokenizer()?) {
            (DEMO, Some(_)) => {
                anyhow::bail!("--tokenizer does not go with the demo checkpoint, which has its own")
            }
            (DEMO, None) => demo(),
            (path, _) if !Path::new(path).exists() => {
                anyhow::bail!("there is no {path}. {}", place::instead_of_nothing(path))
            }
            (path, tokenizer) => {
                let path = Path::new(path);
                let opened = match tokenizer {
                    Some(tokenizer) => CheckpointFiles::open_with_tokenizer(path, tokenizer),
                    None => CheckpointFiles::open(path),
                };
                opened.map_err(|error| match place::instead_of(path) {
                    Some(way_out) => {
                        let message = format!("{error}. {way_out}");
                        anyhow::Error::new(error).context(message)
                    }
                    None => error.into(),
                })
            }
        }
    }
}

#[cfg(feature = "demo")]
fn demo() -> anyhow::Result<CheckpointFiles> {
    Ok(CheckpointFiles::embedded(DEMO, DEMO_FILES))
}

#[cfg(not(feature = "demo"))]
fn demo() -> anyhow::Result<CheckpointFiles> {
    anyhow::bail!(
        "this build has no demo checkpoint (feature `demo`): give the path of one, such as models/demo"
    )
}
