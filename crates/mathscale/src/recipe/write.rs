//! The folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value, json};
use store::{FileError, TEMPORARY_PREFIX, write_atomic, write_json};

use super::data::{is_in_use, write_split};
use super::fault::RecipeFault;
use super::memory::{MemoryEstimate, Sharding};
use super::plan::{Batch, RecipePlan};
use super::render::{files, render};
use super::torchtune::builder;
use super::trainer::Trainer;
use crate::error::{Error, ErrorKind};
use crate::export::ExportFormat;
use crate::project::{Input, Project};
use crate::stage::{EXPORT_FOLDER, Stage};

const MANIFEST: &str = "recipe.json";
const SCHEMA: &str = "mwpbench.recipe.v1";
const TRAIN: &str = "train";
const VALIDATION: &str = "validation";
/// What trainings write into the folder.
const OUTPUT: &str = "output";

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RecipeOutcome {
    /// The folder.
    pub folder: String,
    /// Whether the same recipe was there.
    pub already_there: bool,
    /// The trainer.
    pub trainer: Trainer,
    /// The files written, by their paths in the folder.
    pub files: Vec<String>,
    /// Records for training.
    pub records: u64,
    /// Records for validation.
    pub validation: u64,
    /// How devices share the batch.
    pub batch: Batch,
    /// Optimizer steps of all epochs.
    pub steps: u64,
    /// Those in which the learning rate rises.
    pub warmup_steps: u64,
    /// Memory of each device, estimated.
    pub memory: MemoryEstimate,
    /// Memory of a GPU in bytes, where it was given.
    pub gpu_memory: Option<u64>,
    /// Whether the estimate fits it.
    pub fits: Option<bool>,
    /// The least number of GPUs, a power of two, that would fit where these do not.
    pub fitting_gpus: Option<usize>,
    /// Whether adapters would fit where all weights do not.
    pub lora_fits: bool,
    /// What to know before training.
    pub warnings: Vec<String>,
    /// What to type next.
    pub commands: RecipeCommands,
}

/// Commands for what comes out of the training.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RecipeCommands {
    /// Evaluates the base model.
    pub eval_base: String,
    /// Evaluates what was trained.
    pub eval: String,
    /// Compares the two.
    pub gate: String,
}

/// Writes the recipe of a project's export.
///
/// # Errors
/// An export that was not made, that is stale, or that has no `prompt_completion` files; a batch
/// that the devices cannot share; what the trainer cannot train; a folder with something else; a
/// file that cannot be written.
pub fn recipe(project: &Project, plan: &RecipePlan) -> Result<RecipeOutcome, Error> {
    plan.check()?;
    let made = Recipe::new(project, plan)?;
    let already_there = made.is_there()?;
    if !already_there {
        made.write()?;
    }
    Ok(made.outcome(already_there))
}

/// All that the files are rendered from.
struct Recipe<'a> {
    project: &'a Project,
    plan: &'a RecipePlan,
    splits: Vec<(&'static str, Input, u64)>,
    batch: Batch,
    memory: MemoryEstimate,
    is_sharded: bool,
    steps: u64,
    warmup_steps: u64,
    builder: Value,
}

impl<'a> Recipe<'a> {
    fn new(project: &'a Project, plan: &'a RecipePlan) -> Result<Self, Error> {
        let splits = splits(project)?;
        if plan.lora.is_some() && plan.base.shape().experts > 0 {
            return Err(RecipeFault::Unsupported {
                trainer: plan.trainer,
                reason: "has its own way to adapt experts: recipes for models with experts train all weights".into(),
            }
            .into());
        }
        let builder = match plan.trainer {
            Trainer::Torchtune => json!(builder_in_folder(plan)?),
            _ => Value::Null,
        };
        let batch = plan.split()?;
        let training = plan.training(batch.per_device);
        let steps = steps(splits[0].2, batch, plan)?;
        Ok(Self {
            project,
            plan,
            splits,
            batch,
            memory: MemoryEstimate::of(&training),
            is_sharded: training.layout.sharding != Sharding::None,
            steps,
            warmup_steps: (steps as f64 * plan.warmup).ceil() as u64,
            builder,
        })
    }

    /// What decides the files.
    fn identity(&self) -> Map<String, Value> {
        let plan = self.plan;
        let data: BTreeMap<&str, &str> = (self.splits.iter())
            .map(|(split, input, _)| (*split, input.blake3.as_str()))
            .collect();
        let identity = json!({
            "base": plan.base.name(),
            "revision": plan.base.revision(),
            "shape": plan.base.shape(),
            "trainer": plan.trainer,
            "lora": plan.lora,
            "gpus": plan.gpus,
            "gpu_memory": plan.gpu_memory,
            "batch": self.batch,
            "epochs": plan.epochs,
            "learning_rate": plan.rate(),
            "warmup": plan.warmup,
            "max_length": plan.max_length,
            "seed": plan.seed,
            "data": data,
        });
        match identity {
            Value::Object(identity) => identity,
            _ => Map::new(),
        }
    }

    /// Whether this very recipe is in the folder.
    fn is_there(&self) -> Result<bool, Error> {
        let folder = &self.plan.folder;
        if !is_in_use(folder) {
            return Ok(false);
        }
        let file = folder.join(MANIFEST);
        if !file.is_file() {
            return match self.is_begun() {
                true => Ok(false),
                false => Err(RecipeFault::OtherFiles(folder.display().to_string()).into()),
            };
        }
        let manifest: Value = store::read_manifest(&file, SCHEMA, "a recipe")?;
        let (ours, theirs) = (self.identity(), &manifest["identity"]);
        let differs = ours
            .iter()
            .find(|(name, value)| theirs[name.as_str()] != **value);
        if let Some((name, value)) = differs {
            return Err(RecipeFault::OtherRecipe {
                folder: folder.display().to_string(),
                difference: format!(
                    "{name} is {} there, and {value} here",
                    theirs[name.as_str()]
                ),
            }
            .into());
        }
        match self
            .files()
            .iter()
            .find(|name| !folder.join(name).is_file())
        {
            Some(_) => Ok(false),
            None => Ok(true),
        }
    }

    /// Whether the folder has nothing but what a call that was stopped has left.
    fn is_begun(&self) -> bool {
        let files = self.files();
        let ours: Vec<&str> = files
            .iter()
            .filter_map(|file| file.split('/').next())
            .collect();
        let mut entries = fs::read_dir(&self.plan.folder)
            .into_iter()
            .flatten()
            .flatten();
        entries.all(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            ours.contains(&name.as_str()) || name.starts_with(TEMPORARY_PREFIX)
        })
    }

    /// Names of the files in the folder, the data first and the manifest last.
    fn files(&self) -> Vec<String> {
        let data = self.splits.iter().map(|(split, ..)| data_file(split));
        let rendered = files(self.plan.trainer, self.is_sharded).into_iter();
        data.chain(rendered.map(|(name, _)| name.to_string()))
            .chain([MANIFEST.to_string()])
            .collect()
    }

    fn write(&self) -> Result<(), Error> {
        let folder = &self.plan.folder;
        let data = folder.join("data");
        fs::create_dir_all(&data).map_err(FileError::write_failed(&data))?;
        store::remove_temporary_files(folder);
        store::remove_temporary_files(&data);
        for (split, input, _) in &self.splits {
            let from = self.project.file(&input.file);
            let to = folder.join(data_file(split));
            write_split(&from, &to, self.plan.trainer, &self.plan.base)?;
        }
        let values = self.values();
        for (name, template) in files(self.plan.trainer, self.is_sharded) {
            write_text(&folder.join(name), &render(template, &values))?;
        }
        // Last: with it the folder is a recipe.
        let manifest = json!({
            "schema": SCHEMA,
            "mwpbench": env!("CARGO_PKG_VERSION"),
            "identity": self.identity(),
            "records": self.records(TRAIN),
            "validation": self.records(VALIDATION),
            "steps": self.steps,
            "warmup_steps": self.warmup_steps,
            "memory_estimate": self.memory,
        });
        let file = folder.join(MANIFEST);
        write_json(&file, &manifest).map_err(FileError::write_failed(&file))?;
        Ok(())
    }

    fn records(&self, split: &str) -> u64 {
        let found = self.splits.iter().find(|(name, ..)| *name == split);
        found.map_or(0, |(_, _, records)| *records)
    }

    fn fits(&self) -> Option<bool> {
        Some(self.memory.total <= self.plan.gpu_memory?)
    }

    /// The least power of two of GPUs that has room for a record each, and whether adapters have.
    fn what_would_fit(&self) -> (Option<usize>, bool) {
        let (Some(memory), Some(false)) = (self.plan.gpu_memory, self.fits()) else {
            return (None, false);
        };
        let fits = |plan: &RecipePlan| MemoryEstimate::of(&plan.training(1)).total <= memory;
        const MAX_GPUS: u32 = 7;
        let more = (0..=MAX_GPUS).map(|power| 1 << power).find(|&gpus| {
            let shares = self.plan.batch.is_multiple_of(gpus);
            shares
                && fits(&RecipePlan {
                    gpus,
                    ..self.plan.clone()
                })
        });
        let lora = self.plan.lora.is_none()
            && fits(&RecipePlan {
                lora: Some(Default::default()),
                ..self.plan.clone()
            });
        (more.filter(|&gpus| gpus > self.plan.gpus), lora)
    }

    /// The commands, for a reader in this folder or elsewhere (`at` ends with a slash).
    fn commands(&self, at: &str) -> RecipeCommands {
        let plan = self.plan;
        let values = json!({
            "at": at,
            "base": self.base(),
            "lora": plan.lora,
            "trained": self.trained(),
        });
        let text = render("commands.txt", &values);
        let mut lines = text.lines().map(str::to_string);
        let mut next = || lines.next().unwrap_or_default();
        RecipeCommands {
            eval_base: next(),
            eval: next(),
            gate: next(),
        }
    }

    /// Where the trained model or adapter lies in the folder.
    fn trained(&self) -> String {
        match self.plan.trainer {
            Trainer::Torchtune => format!("{OUTPUT}/epoch_{}", self.plan.epochs - 1),
            _ => OUTPUT.to_string(),
        }
    }

    fn base(&self) -> Value {
        let base = &self.plan.base;
        let for_eval = match base.revision() {
            Some(revision) => format!("{}@{revision}", base.name()),
            None => base.name().to_string(),
        };
        json!({
            "name": base.name(),
            "for_eval": for_eval,
            "revision": base.revision(),
            "eos": base.eos(),
            "has_pad": base.has_pad(),
        })
    }

    fn values(&self) -> Value {
        let plan = self.plan;
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "trainer": {"name": plan.trainer.name(), "title": plan.trainer.title()},
            "install": install(plan, self.is_sharded),
            "base": self.base(),
            "weights": plan.base.weights(),
            "builder": self.builder,
            "layer_class": layer_class(plan.base.config()),
            "lora": plan.lora,
            "gpus": plan.gpus,
            "sharded": self.is_sharded,
            "batch": self.batch,
            "epochs": plan.epochs,
            "learning_rate": plan.rate().to_string(),
            "steps": self.steps,
            "warmup_steps": self.warmup_steps,
            "warmup_percent": (plan.warmup * 100.0).to_string(),
            "save_steps": (self.steps / 20).clamp(1, 500),
            "max_length": plan.max_length,
            "seed": plan.seed,
            "records": self.records(TRAIN),
            "validation": self.records(VALIDATION),
            "whose": whose(plan),
            "precision": precision(plan),
            "memory": self.memory_values(),
            "warnings": plan.base.warnings(),
            "commands": self.commands(""),
        })
    }

    fn memory_values(&self) -> Value {
        let memory = &self.memory;
        let (fitting_gpus, lora_fits) = self.what_would_fit();
        let trained = format!(
            "{} parameters × {}",
            memory.trained, memory.bytes_per_trained
        );
        let frozen = match self.plan.lora {
            Some(_) => format!(
                " + {} frozen × {}",
                memory.parameters,
                if self.plan.gpus == 0 { 4 } else { 2 }
            ),
            None => String::new(),
        };
        let shared = match memory.shared_by {
            1 => String::new(),
            by => format!(", shared by {by} GPUs"),
        };
        json!({
            "total": gigabytes(memory.total),
            "state": gigabytes(memory.state),
            "state_formula": format!("{trained}{frozen} bytes{shared}"),
            "gathered": gigabytes(memory.gathered),
            "activations": gigabytes(memory.activations),
            "logits": gigabytes(memory.logits),
            "context": gigabytes(memory.context),
            "given": self.plan.gpu_memory.map(gigabytes),
            "fits": self.fits(),
            "fitting_gpus": fitting_gpus,
            "lora_fits": lora_fits,
        })
    }

    fn outcome(&self, already_there: bool) -> RecipeOutcome {
        let folder = self.plan.folder.display().to_string();
        let (fitting_gpus, lora_fits) = self.what_would_fit();
        RecipeOutcome {
            already_there,
            trainer: self.plan.trainer,
            files: self.files(),
            records: self.records(TRAIN),
            validation: self.records(VALIDATION),
            batch: self.batch,
            steps: self.steps,
            warmup_steps: self.warmup_steps,
            memory: self.memory.clone(),
            gpu_memory: self.plan.gpu_memory,
            fits: self.fits(),
            fitting_gpus,
            lora_fits,
            warnings: self.plan.base.warnings().to_vec(),
            commands: self.commands(&format!("{}/", folder.trim_end_matches('/'))),
            folder,
        }
    }
}

fn data_file(split: &str) -> String {
    format!("data/{split}.jsonl")
}

/// The splits of the export, checked: each with its file and its records.
fn splits(project: &Project) -> Result<Vec<(&'static str, Input, u64)>, Error> {
    let record = project.manifest().stages.get(&Stage::Export);
    let name = |split: &str| {
        format!(
            "{EXPORT_FOLDER}/{}",
            ExportFormat::PromptCompletion.path(split)
        )
    };
    let lacks = |split: &str| {
        let finished = record.filter(|record| record.finished.is_some());
        finished.is_some_and(|record| !record.outputs.contains_key(&name(split)))
    };
    if lacks(TRAIN) {
        return Err(RecipeFault::NoPromptCompletion.into());
    }
    let train = project.input(Stage::Export, &name(TRAIN))?;
    let count = |split| record.map_or(0, |record| record.count(split));
    if count(TRAIN) == 0 {
        return Err(RecipeFault::NoRecords.into());
    }
    let mut splits = vec![(TRAIN, train, count(TRAIN))];
    if !lacks(VALIDATION) {
        let input = project.input(Stage::Export, &name(VALIDATION))?;
        splits.push((VALIDATION, input, count(VALIDATION)));
    }
    Ok(splits)
}

/// Optimizer steps of all epochs. torchtune drops what is left behind the last whole batch.
fn steps(records: u64, batch: Batch, plan: &RecipePlan) -> Result<u64, Error> {
    let at_a_time = (batch.devices * batch.per_device) as u64;
    let accumulation = batch.accumulation as u64;
    let of_epoch = match plan.trainer {
        Trainer::Torchtune => records / at_a_time / accumulation,
        _ => records.div_ceil(at_a_time).div_ceil(accumulation),
    };
    match of_epoch {
        0 => Err(RecipeFault::Unsupported {
            trainer: plan.trainer,
            reason: format!(
                "trains on whole batches alone, and {records} records are fewer than {}",
                batch.total
            ),
        }
        .into()),
        of_epoch => Ok(of_epoch * plan.epochs as u64),
    }
}

fn builder_in_folder(plan: &RecipePlan) -> Result<super::torchtune::Builder, Error> {
    let unsupported = |reason: &str| {
        Err(Error::from(RecipeFault::Unsupported {
            trainer: plan.trainer,
            reason: reason.to_string(),
        }))
    };
    if !plan.base.is_folder() {
        return unsupported("reads the base model from a folder: download it, and name the folder");
    }
    if plan.base.weights().is_empty() {
        return unsupported(
            "reads weights in safetensors, and the folder of the base model has none",
        );
    }
    Ok(builder(&plan.base)?)
}

/// The line that installs the trainer.
fn install(plan: &RecipePlan, is_sharded: bool) -> &'static str {
    match (plan.trainer, plan.lora.is_some()) {
        (Trainer::Trl, false) => "pip install 'trl>=1.16'",
        (Trainer::Trl, true) => "pip install 'trl[peft]>=1.16'",
        (Trainer::Axolotl, _) => "pip install 'axolotl>=0.19'",
        (Trainer::LlamaFactory, _) if is_sharded => "pip install 'llamafactory>=0.9.5' deepspeed",
        (Trainer::LlamaFactory, _) => "pip install 'llamafactory>=0.9.5'",
        (Trainer::Torchtune, _) => "pip install torch torchtune==0.6.1 torchao==0.14.1",
    }
}

/// The class of a decoder layer in transformers, which FSDP wraps.
fn layer_class(config: &Value) -> String {
    let architecture = config["architectures"][0].as_str();
    let family = architecture.and_then(|name| name.strip_suffix("ForCausalLM"));
    format!("{}DecoderLayer", family.unwrap_or("Llama"))
}

/// Whether the paper states a number, or who else chose it.
fn whose(plan: &RecipePlan) -> Value {
    const PAPER: &str = "the paper's";
    const YOURS: &str = "yours";
    let paper = |same: bool| if same { PAPER } else { YOURS };
    let rate = match (plan.learning_rate, plan.lora) {
        (None, Some(_)) => "ours: ten times the paper's, which trains all weights",
        _ => paper(plan.rate() == RecipePlan::PAPER_RATE),
    };
    json!({
        "batch": paper(plan.batch == RecipePlan::PAPER_BATCH),
        "epochs": paper(plan.epochs == RecipePlan::PAPER_EPOCHS),
        "learning_rate": rate,
    })
}

fn precision(plan: &RecipePlan) -> &'static str {
    match (plan.gpus, plan.trainer, plan.lora) {
        (0, ..) => "float32",
        (_, Trainer::Torchtune, _) | (1, Trainer::Axolotl, None) => {
            "bfloat16, the trained weights too"
        }
        (_, _, Some(_)) => "bfloat16, with adapters in float32",
        _ => "bfloat16, with weights in float32",
    }
}

/// A file of text; scripts may be run.
fn write_text(file: &Path, text: &str) -> Result<(), Error> {
    let written = write_atomic(file, |out| out.write_all(text.as_bytes()));
    written.map_err(FileError::write_failed(file))?;
    #[cfg(unix)]
    if text.starts_with("#!") {
        use std::os::unix::fs::PermissionsExt;
        const RUN: u32 = 0o755;
        fs::set_permissions(file, fs::Permissions::from_mode(RUN))
            .map_err(FileError::write_failed(file))?;
    }
    Ok(())
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

impl From<RecipeFault> for Error {
    fn from(fault: RecipeFault) -> Self {
        Self::of(ErrorKind::Recipe(fault))
    }
}
