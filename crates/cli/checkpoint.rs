//! `--model`: a folder in Hugging Face layout, a GGUF file, a name on the hub, or `demo` for the
//! embedded checkpoint; `--adapter` for what is merged into it, `--tokenizer` for another tokenizer.

use std::path::{Path, PathBuf};

use ::hub::{Contents, Snapshot};
use inference::{CheckpointFiles, Origin};

use crate::{heading, hub, place};

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
    /// adapter_model.safetensors, or a name on the hub. For eval it may be a pattern
    /// ('runs/checkpoint-*') and be repeated: each with the base is a run of its own.
    #[arg(
        long = "adapter",
        id = "adapter",
        env = "MWPBENCH_ADAPTER",
        value_name = "DIR|ORG/NAME"
    )]
    adapters: Vec<String>,
    /// A tokenizer.json, the folder that holds it, or a name on the hub, in place of the
    /// checkpoint's own; with --endpoint that of the checkpoint behind the server, so that a server
    /// that tokenizes prompts differently is noticed.
    #[arg(long, env = "MWPBENCH_TOKENIZER", value_name = "FILE|DIR|ORG/NAME")]
    tokenizer: Option<String>,
}

impl CheckpointExtras {
    /// The flag that names an adapter, where one was given.
    pub fn adapter_flag(&self) -> Option<&'static str> {
        (!self.adapters.is_empty()).then_some("--adapter")
    }

    /// All that `--adapter` names.
    pub fn adapters(&self) -> &[String] {
        &self.adapters
    }

    /// Takes another adapter.
    pub fn set_adapter(&mut self, adapter: String) {
        self.adapters = vec![adapter];
    }

    /// The one adapter.
    fn adapter(&self) -> anyhow::Result<Option<&str>> {
        match self.adapters.as_slice() {
            [] => Ok(None),
            [adapter] => Ok(Some(adapter)),
            several => anyhow::bail!("--adapter is given {} times: give one here", several.len()),
        }
    }

    /// The tokenizer that was given.
    pub fn tokenizer(&self) -> anyhow::Result<Option<PathBuf>> {
        let Some(given) = &self.tokenizer else {
            return Ok(None);
        };
        if let Some(snapshot) = hub::snapshot(given, Contents::Tokenizer)? {
            return Ok(Some(snapshot.path));
        }
        anyhow::ensure!(
            Path::new(given).exists(),
            "there is no {given}: give a tokenizer.json, the folder that holds it, or a name on the hub"
        );
        Ok(Some(PathBuf::from(given)))
    }

    /// Whether a tokenizer was given.
    pub fn has_tokenizer(&self) -> bool {
        self.tokenizer.is_some()
    }

    /// The files of the checkpoint that `--model` names, with these.
    pub fn with(&self, model: &str) -> anyhow::Result<CheckpointFiles> {
        let (base, base_origin) = match model {
            DEMO => (self.demo()?, None),
            model => self.base(model)?,
        };
        let Some(adapter) = self.adapter()? else {
            return Ok(base.with_origins(base_origin, None));
        };
        let (folder, origin) = match hub::snapshot(adapter, Contents::Adapter)? {
            Some(snapshot) => (snapshot.path.clone(), Some(origin(snapshot))),
            None => (PathBuf::from(adapter), None),
        };
        anyhow::ensure!(
            folder.exists(),
            "there is no folder {adapter}: give the folder of a LoRA adapter, or its name on the hub"
        );
        Ok(base
            .with_adapter(&folder)?
            .with_origins(base_origin, origin))
    }

    fn demo(&self) -> anyhow::Result<CheckpointFiles> {
        anyhow::ensure!(
            !self.has_tokenizer(),
            "--tokenizer does not go with the demo checkpoint, which has its own"
        );
        demo()
    }

    /// The checkpoint of a path or a name, and where it is from.
    fn base(&self, model: &str) -> anyhow::Result<(CheckpointFiles, Option<Origin>)> {
        let tokenizer = self.tokenizer()?;
        let (path, origin) = match hub::snapshot(model, Contents::Checkpoint)? {
            Some(snapshot) => (snapshot.path.clone(), Some(origin(snapshot))),
            None => (PathBuf::from(model), None),
        };
        anyhow::ensure!(
            path.exists(),
            "there is no {model}. {}",
            place::INSTEAD_OF_NOTHING
        );
        let opened = match tokenizer {
            Some(tokenizer) => CheckpointFiles::open_with_tokenizer(&path, &tokenizer),
            None => CheckpointFiles::open(&path),
        };
        let files = opened.map_err(|error| match place::instead_of(&path) {
            Some(way_out) => {
                let message = format!("{error}. {way_out}");
                anyhow::Error::new(error).context(message)
            }
            None => error.into(),
        })?;
        Ok((files, origin))
    }
}

/// Repositories of GGUF files hold several of one model: the file is named too.
fn origin(snapshot: Snapshot) -> Origin {
    let file = snapshot.file.map(|file| format!("/{file}"));
    Origin {
        repository: format!("{}{}", snapshot.repository, file.unwrap_or_default()),
        commit: snapshot.commit,
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
