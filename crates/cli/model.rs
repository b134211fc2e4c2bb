//! `--model`: a folder in Hugging Face layout, or `demo` for the embedded checkpoint; `--adapter` for what is merged
//! into it.

use std::path::Path;

use inference::CheckpointFiles;

/// The name of the embedded checkpoint.
pub const DEMO: &str = "demo";

#[cfg(feature = "demo")]
static DEMO_FILES: &[(&str, &[u8])] = &[
    ("config.json", include_bytes!("../../models/demo/config.json")),
    ("generation_config.json", include_bytes!("../../models/demo/generation_config.json")),
    ("model.safetensors", include_bytes!("../../models/demo/model.safetensors")),
    ("tokenizer.json", include_bytes!("../../models/demo/tokenizer.json")),
    ("tokenizer_config.json", include_bytes!("../../models/demo/tokenizer_config.json")),
];

/// The files of the checkpoint that `--model` names, with the adapter that `--adapter` names.
pub fn files(model: &str, adapter: Option<&Path>) -> anyhow::Result<CheckpointFiles> {
    let base = base(model)?;
    match adapter {
        Some(adapter) if !adapter.exists() => {
            anyhow::bail!("there is no folder {}: give the folder of a LoRA adapter", adapter.display())
        }
        Some(adapter) => Ok(base.with_adapter(adapter)?),
        None => Ok(base),
    }
}

fn base(model: &str) -> anyhow::Result<CheckpointFiles> {
    match model {
        DEMO => demo(),
        path if !Path::new(path).exists() => {
            anyhow::bail!("there is no folder {path}: give the path of a checkpoint in Hugging Face layout, or `demo`")
        }
        path => Ok(CheckpointFiles::open(Path::new(path))?),
    }
}

#[cfg(feature = "demo")]
fn demo() -> anyhow::Result<CheckpointFiles> {
    Ok(CheckpointFiles::embedded(DEMO, DEMO_FILES))
}

#[cfg(not(feature = "demo"))]
fn demo() -> anyhow::Result<CheckpointFiles> {
    anyhow::bail!("this build has no demo checkpoint (feature `demo`): give the path of one, such as models/demo")
}
