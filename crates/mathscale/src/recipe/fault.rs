//! What can be wrong with a recipe.

use fault::{Class, Fault};

use super::trainer::Trainer;

/// What is wrong with a recipe.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeFault {
    /// A batch that the devices cannot share.
    #[error(
        "a batch of {batch} cannot be shared by {devices} GPUs with {per_device} records on each at a time: {batch} must be a multiple of {}",
        devices * per_device
    )]
    Batch {
        /// Records of an optimizer step.
        batch: usize,
        /// GPUs.
        devices: usize,
        /// Records on a GPU at a time.
        per_device: usize,
        /// Numbers of GPUs that can share the batch.
        fitting: Vec<usize>,
    },
    /// The folder of the base model lacks a file that a recipe is made of.
    #[error(
        "the base model has no {0}: a recipe needs config.json, tokenizer_config.json and tokenizer.json"
    )]
    NoBaseFile(&'static str),
    /// A file of the base model cannot be used.
    #[error("{file} of the base model: {reason}")]
    BaseFile {
        /// Its name.
        file: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The tokenizer names no end-of-sequence token.
    #[error(
        "tokenizer_config.json of the base model names no eos_token: the model would not learn where a solution ends"
    )]
    NoEos,
    /// The trainer cannot train this.
    #[error("{trainer} {reason}")]
    Unsupported {
        /// The trainer.
        trainer: Trainer,
        /// What it cannot do.
        reason: String,
    },
    /// The export was written without the files that trainers are given.
    #[error("the export has no prompt_completion files, which recipes are made of")]
    NoPromptCompletion,
    /// The export has no record to train on.
    #[error("the export has no record to train on")]
    NoRecords,
    /// The folder holds something else.
    #[error("{0} holds other files and no recipe")]
    OtherFiles(String),
    /// The folder holds another recipe, perhaps with a training that has begun.
    #[error("{folder} holds another recipe ({difference}), and perhaps what was trained by it")]
    OtherRecipe {
        /// The folder.
        folder: String,
        /// In what it differs.
        difference: String,
    },
}

impl Fault for RecipeFault {
    fn class(&self) -> Class {
        match self {
            Self::Batch { .. }
            | Self::Unsupported { .. }
            | Self::NoPromptCompletion
            | Self::OtherFiles(_) => Class::Usage,
            Self::NoRecords => Class::Incomplete,
            Self::NoBaseFile(_)
            | Self::BaseFile { .. }
            | Self::NoEos
            | Self::OtherRecipe { .. } => Class::Integrity,
        }
    }
}
