//! What is asked for, and the batch it comes to.

use std::path::PathBuf;

use serde::Serialize;

use super::base::BaseModel;
use super::fault::RecipeFault;
use super::memory::{MemoryEstimate, Training};
use super::trainer::Trainer;
use crate::error::{Error, ErrorKind};

/// Records on a device at a time that are tried, the most first.
const PER_DEVICE: [usize; 4] = [8, 4, 2, 1];
/// Where nothing is known of the memory.
const PER_DEVICE_UNKNOWN: usize = 4;

/// What a recipe is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct RecipePlan {
    /// The model that is fine-tuned.
    pub base: BaseModel,
    /// The program that does it.
    pub trainer: Trainer,
    /// Adapters in place of all weights.
    pub lora: Option<LoraOptions>,
    /// GPUs of the machine; 0 trains on the CPU.
    pub gpus: usize,
    /// Memory of a GPU in bytes, where it is known.
    pub gpu_memory: Option<u64>,
    /// Records of an optimizer step, over all GPUs.
    pub batch: usize,
    /// Records on a GPU at a time; chosen by the memory without it.
    pub per_device: Option<usize>,
    /// Passes over the records.
    pub epochs: usize,
    /// Peak of the learning rate; [`Self::PAPER_RATE`] without it, and ten times that for LoRA.
    pub learning_rate: Option<f64>,
    /// Share of the steps in which the rate rises, from 0 to below 1.
    pub warmup: f64,
    /// Tokens of a record, at most; what is longer is cut at its end.
    pub max_length: usize,
    /// Random seed of the order of records and of new weights.
    pub seed: u64,
    /// The folder that is written.
    pub folder: PathBuf,
}

impl RecipePlan {
    /// The paper's batch.
    pub const PAPER_BATCH: usize = 128;
    /// The paper's epochs.
    pub const PAPER_EPOCHS: usize = 3;
    /// The paper's learning rate.
    pub const PAPER_RATE: f64 = 2e-5;
    /// Our share of steps in which the rate rises: that of Stanford Alpaca.
    pub const WARMUP: f64 = 0.03;
    /// Our limit of a record's tokens: that of the screening.
    pub const MAX_LENGTH: usize = 2048;

    /// The peak of the learning rate.
    pub fn rate(&self) -> f64 {
        let factor = match self.lora {
            Some(_) => 10.0,
            None => 1.0,
        };
        self.learning_rate.unwrap_or(Self::PAPER_RATE * factor)
    }

    /// Devices that share the batch.
    pub(crate) fn devices(&self) -> usize {
        self.gpus.max(1)
    }

    /// What the memory is estimated of.
    pub(crate) fn training(&self, per_device: usize) -> Training {
        Training {
            shape: self.base.shape().clone(),
            layout: match self.gpus {
                0 => super::memory::Layout::float32(),
                gpus => self.trainer.layout(self.lora.is_some(), gpus),
            },
            lora_rank: self.lora.map(|lora| lora.rank),
            devices: self.devices(),
            per_device,
            tokens: self.max_length,
        }
    }

    /// Refuses numbers that are none of a training.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let wrong = |message: String| Err(Error::of(ErrorKind::Option(message)));
        let counts = [
            ("batch", self.batch),
            ("number of epochs", self.epochs),
            (
                "number of records on a GPU at a time",
                self.per_device.unwrap_or(1),
            ),
            ("LoRA rank", self.lora.map_or(1, |lora| lora.rank)),
        ];
        if let Some((name, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return wrong(format!("a {name} of 0: expected at least 1"));
        }
        let rate = self.rate();
        if !(rate > 0.0 && rate < 1.0) {
            return wrong(format!(
                "a learning rate of {rate}: expected a number above 0 and below 1"
            ));
        }
        if !(0.0..1.0).contains(&self.warmup) {
            return wrong(format!(
                "a warm-up of {}: expected a share of the steps, at least 0 and below 1",
                self.warmup
            ));
        }
        const MIN_LENGTH: usize = 64;
        if self.max_length < MIN_LENGTH {
            return wrong(format!(
                "records of at most {} tokens: expected at least {MIN_LENGTH}, the template alone takes half of that",
                self.max_length
            ));
        }
        if let Some(limit) = self
            .base
            .max_positions()
            .filter(|&limit| self.max_length > limit)
        {
            return wrong(format!(
                "records of at most {} tokens: the base model was made for {limit} (max_position_embeddings)",
                self.max_length
            ));
        }
        if self.gpus == 0 && self.trainer != Trainer::Trl {
            return Err(RecipeFault::Unsupported {
                trainer: self.trainer,
                reason: "trains on GPUs here: without one there are recipes for TRL alone".into(),
            }
            .into());
        }
        Ok(())
    }

    /// The batch, with the most records on a device that the memory has room for.
    pub(crate) fn split(&self) -> Result<Batch, Error> {
        let devices = self.devices();
        let fits = |per_device: usize| {
            let estimate = MemoryEstimate::of(&self.training(per_device));
            self.gpu_memory
                .is_none_or(|memory| estimate.total <= memory)
        };
        let divides = |per_device: usize| self.batch.is_multiple_of(devices * per_device);
        let per_device = match (self.per_device, self.gpu_memory) {
            (Some(given), _) => given,
            (None, None) => (PER_DEVICE.into_iter())
                .find(|&count| count <= PER_DEVICE_UNKNOWN && divides(count))
                .unwrap_or(1),
            (None, Some(_)) => (PER_DEVICE.into_iter())
                .find(|&count| divides(count) && fits(count))
                .unwrap_or(1),
        };
        if !divides(per_device) {
            let fitting = (1..=self.batch).filter(|n| self.batch.is_multiple_of(n * per_device));
            return Err(RecipeFault::Batch {
                batch: self.batch,
                devices,
                per_device,
                fitting: fitting.collect(),
            }
            .into());
        }
        Ok(Batch {
            total: self.batch,
            devices,
            per_device,
            accumulation: self.batch / (devices * per_device),
        })
    }
}

/// Low-rank adapters of all linear layers of the attention and the MLP.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LoraOptions {
    /// Rank of the update.
    pub rank: usize,
    /// Scale: the update counts alpha / rank.
    pub alpha: usize,
    /// Share of inputs that are dropped while training.
    pub dropout: f64,
}

impl Default for LoraOptions {
    fn default() -> Self {
        Self {
            rank: 16,
            alpha: 32,
            dropout: 0.05,
        }
    }
}

/// A batch as devices share it: `total` = `devices` × `per_device` × `accumulation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Batch {
    /// Records of an optimizer step.
    pub total: usize,
    /// GPUs, or 1 for the CPU.
    pub devices: usize,
    /// Records on a device at a time.
    pub per_device: usize,
    /// Times that gradients are added up before a step.
    pub accumulation: usize,
}
