//! `mwpbench mathscale recipe`: the folder from which a trainer fine-tunes a model.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use ::hub::{Contents, RepositoryName};
use clap::ValueEnum;
use mathscale::{BaseModel, LoraOptions, Project, RecipePlan, Trainer};

use super::ProjectArg;
use crate::checkpoint::DEMO;
use crate::count::count;
use crate::engine::memory_size;
use crate::exit::Outcome;
use crate::{heading, hub, place, terminal};

/// Write the folder from which a trainer fine-tunes a model on the export: its configuration, the
/// data in its form, scripts that start and continue it, and the commands that judge what comes out.
///
/// The paper's batch, epochs and learning rate are the defaults; README.md in the folder says of
/// every number whose choice it is, and estimates the memory.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: ProjectArg,
    /// Folder that is written; without it recipe-TRAINER, or recipe-TRAINER-lora, in the project.
    #[arg(long, value_name = "DIR", help_heading = heading::PROJECT)]
    output_dir: Option<PathBuf>,
    /// Model to fine-tune: a folder in Hugging Face layout, or a name on the hub (org/name,
    /// org/name@revision), of which only configuration and tokenizer are downloaded.
    #[arg(long, value_name = "PATH|ORG/NAME", help_heading = heading::MODEL)]
    base: String,
    /// Program that fine-tunes.
    #[arg(long, value_enum, help_heading = heading::TRAINING)]
    trainer: TrainerName,
    /// Train adapters of all linear layers, and leave the weights as they are.
    #[arg(long, help_heading = heading::TRAINING)]
    lora: bool,
    /// Rank of the adapters.
    #[arg(
        long,
        requires = "lora",
        default_value_t = LoraOptions::default().rank,
        value_name = "N",
        help_heading = heading::TRAINING
    )]
    lora_rank: usize,
    /// Scale of the adapters: they count alpha / rank.
    #[arg(
        long,
        requires = "lora",
        default_value_t = LoraOptions::default().alpha,
        value_name = "N",
        help_heading = heading::TRAINING
    )]
    lora_alpha: usize,
    /// GPUs of the machine that trains; 0 trains on the CPU, with TRL alone.
    #[arg(long, default_value_t = 1, value_name = "N", help_heading = heading::TRAINING)]
    gpus: usize,
    /// Memory of a GPU, such as 80GB, which the estimate is compared with.
    #[arg(long, value_name = "SIZE", value_parser = memory_size, help_heading = heading::TRAINING)]
    gpu_memory: Option<usize>,
    /// Records of an optimizer step, over all GPUs.
    #[arg(
        long,
        default_value_t = RecipePlan::PAPER_BATCH,
        value_name = "N",
        help_heading = heading::TRAINING
    )]
    batch: usize,
    /// Records on a GPU at a time; without it as many as fit, up to 8 (4 without --gpu-memory).
    #[arg(
        long,
        value_name = "N",
        value_parser = count::<NonZeroUsize>,
        help_heading = heading::TRAINING
    )]
    per_device: Option<NonZeroUsize>,
    /// Passes over the records.
    #[arg(
        long,
        default_value_t = RecipePlan::PAPER_EPOCHS,
        value_name = "N",
        help_heading = heading::TRAINING
    )]
    epochs: usize,
    #[arg(
        long,
        value_name = "RATE",
        help_heading = heading::TRAINING,
        help = format!(
            "Peak of the learning rate; {} without it, and ten times that with --lora",
            RecipePlan::PAPER_RATE
        )
    )]
    learning_rate: Option<f64>,
    /// Share of the steps in which the learning rate rises.
    #[arg(
        long,
        default_value_t = RecipePlan::WARMUP,
        value_name = "SHARE",
        help_heading = heading::TRAINING
    )]
    warmup: f64,
    /// Tokens of a record, at most; longer ones are cut at their end.
    #[arg(
        long,
        default_value_t = RecipePlan::MAX_LENGTH,
        value_name = "N",
        help_heading = heading::TRAINING
    )]
    max_length: usize,
    /// Random seed of the order of the records and of new weights.
    #[arg(
        long,
        env = "MWPBENCH_SEED",
        default_value_t = 0,
        value_name = "N",
        help_heading = heading::TRAINING
    )]
    seed: u64,
    #[command(flatten)]
    printing: terminal::PrintArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum TrainerName {
    Trl,
    Axolotl,
    LlamaFactory,
    Torchtune,
}

impl From<TrainerName> for Trainer {
    fn from(name: TrainerName) -> Self {
        match name {
            TrainerName::Trl => Self::Trl,
            TrainerName::Axolotl => Self::Axolotl,
            TrainerName::LlamaFactory => Self::LlamaFactory,
            TrainerName::Torchtune => Self::Torchtune,
        }
    }
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    hub::be_quiet(args.printing.quiet);
    let project = Project::open(&args.place.project)?;
    let outcome = mathscale::recipe(&project, &args.plan()?)?;
    for warning in &outcome.warnings {
        eprintln!("warning: {warning}");
    }
    if outcome.already_there && !args.printing.quiet {
        eprintln!("there already: the folder holds this recipe");
    }
    args.printing
        .print(&outcome, || reporting::recipe_text(&outcome))?;
    Ok(Outcome::Done)
}

impl Args {
    fn plan(&self) -> anyhow::Result<RecipePlan> {
        let trainer = Trainer::from(self.trainer);
        let folder = match &self.output_dir {
            Some(folder) => folder.clone(),
            None => {
                let lora = if self.lora { "-lora" } else { "" };
                let name = format!("recipe-{}{lora}", trainer.name());
                self.place.project.join(name)
            }
        };
        Ok(RecipePlan {
            base: base(&self.base)?,
            trainer,
            lora: self.lora.then(|| LoraOptions {
                rank: self.lora_rank,
                alpha: self.lora_alpha,
                ..LoraOptions::default()
            }),
            gpus: self.gpus,
            gpu_memory: self.gpu_memory.map(|bytes| bytes as u64),
            batch: self.batch,
            per_device: self.per_device.map(NonZeroUsize::get),
            epochs: self.epochs,
            learning_rate: self.learning_rate,
            warmup: self.warmup,
            max_length: self.max_length,
            seed: self.seed,
            folder,
        })
    }
}

/// The base model: a folder by its whole path, since the trainer runs elsewhere, or a name on the
/// hub.
fn base(given: &str) -> anyhow::Result<BaseModel> {
    let path = Path::new(given);
    if given == DEMO && !path.exists() {
        anyhow::bail!(
            "--base demo: trainers read a folder, and the demo checkpoint is part of the program: give models/demo of the sources, or another checkpoint"
        );
    }
    if path.exists() {
        return in_folder(path);
    }
    match RepositoryName::parse(given).transpose()? {
        Some(name) if name.file().is_none() => on_hub(&name),
        _ => anyhow::bail!(
            "there is no {given}: give the folder of a checkpoint in Hugging Face layout, or a name on the hub (org/name)"
        ),
    }
}

fn in_folder(path: &Path) -> anyhow::Result<BaseModel> {
    let is_checkpoint = path.join("config.json").is_file();
    if !is_checkpoint && path.join("adapter_config.json").is_file() {
        anyhow::bail!(
            "{} is a LoRA adapter: give the model that it belongs to, or one that it was merged into",
            path.display()
        );
    }
    if let Some(way_out) = place::instead_of(path).filter(|_| !is_checkpoint && path.is_dir()) {
        anyhow::bail!("{} is no checkpoint. {way_out}", path.display());
    }
    if !path.is_dir() {
        anyhow::bail!(
            "{} is a file, and trainers read a folder in Hugging Face layout: give that",
            path.display()
        );
    }
    Ok(BaseModel::in_folder(&path.canonicalize()?)?)
}

/// Configuration and tokenizer from the hub; the weights are left to the trainer.
fn on_hub(name: &RepositoryName) -> anyhow::Result<BaseModel> {
    let (repository, revision) = (name.repository(), name.revision());
    let fetch = |file: &str| {
        let file = format!("hf://{repository}@{}/{file}", revision.replace('/', "%2F"));
        hub::snapshot(&file, Contents::File)
    };
    let mut folder = None;
    for file in BaseModel::FILES {
        let snapshot = fetch(file)?;
        let parent = snapshot.and_then(|found| Some(found.path.parent()?.to_path_buf()));
        folder = folder.or(parent);
    }
    // Where templates are files of their own; most repositories have none.
    let _ = fetch("chat_template.jinja");
    let folder = folder.unwrap_or_default();
    // The branch that a name without a revision means is the trainers' default too.
    let revision = Some(revision).filter(|revision| *revision != "main");
    Ok(BaseModel::on_hub(repository, revision, &folder)?)
}
