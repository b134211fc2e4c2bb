//! `--batch-size`, `--dtype` and so on: how a checkpoint is computed.

use std::num::NonZeroUsize;

use bytesize::ByteSize;
use clap::ValueEnum;
use evaluation::TokenDetails;
use inference::{DeviceChoice, EngineOptions, PromptKind, Quantization, WeightDtype};

use crate::{data_folder, exit, heading};

/// How a checkpoint is computed.
#[derive(clap::Args)]
#[command(next_help_heading = heading::ENGINE)]
pub struct EngineArgs {
    /// Precision of weights and products; auto is bf16 for a bf16 checkpoint and else f32.
    #[arg(long, env = "MWPBENCH_DTYPE", value_enum, default_value_t = Dtype::Auto)]
    dtype: Dtype,
    /// Quantize matrices to 8-bit integers in blocks of 32, and activations for each product: faster
    /// and smaller, less exact.
    #[arg(long, env = "MWPBENCH_QUANTIZE", value_enum, value_name = "KIND")]
    quantize: Option<QuantizeName>,
    /// Device: cpu, or in a program built with `--features cuda` NVIDIA GPUs: cuda (the first),
    /// cuda:N, several with a copy of the model each (cuda:0,1), or cuda:all.
    #[arg(
        long,
        env = "MWPBENCH_DEVICE",
        default_value = "cpu",
        value_name = "cpu|cuda|cuda:N,…|cuda:all",
        value_parser = device
    )]
    device: DeviceChoice,
    /// CPU threads, one a core without it; never changes a completion.
    #[arg(
        long,
        env = "MWPBENCH_THREADS",
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..=1024)
    )]
    threads: Option<u16>,
    /// Prompts in the batch of each device; auto finds the fastest size. Never changes a completion on
    /// the CPU.
    #[arg(
        long,
        env = "MWPBENCH_BATCH_SIZE",
        default_value = "auto",
        value_name = "N|auto",
        value_parser = batch_size
    )]
    batch_size: BatchSize,
    /// Maximum memory of the KV cache on each device, such as 4GiB or 512MiB; without it half of what
    /// is free, on a GPU nine tenths. Never changes a completion on the CPU.
    #[arg(long, env = "MWPBENCH_KV_MEMORY", value_name = "SIZE", value_parser = memory_size)]
    kv_memory: Option<usize>,
}

impl EngineArgs {
    /// The options of the engine for prompts of this kind, with these details of new tokens.
    pub fn options(&self, prompts: PromptKind, details: TokenDetails) -> EngineOptions {
        EngineOptions {
            device: self.device,
            quantize: self.quantize.map(|QuantizeName::Q8_0| Quantization::Q8),
            dtype: match self.dtype {
                Dtype::Auto => WeightDtype::Auto,
                Dtype::F32 => WeightDtype::F32,
                Dtype::Bf16 => WeightDtype::Bf16,
            },
            threads: self.threads.map(usize::from),
            batch_size: self.batch_size.0.map(NonZeroUsize::get),
            kv_memory: self.kv_memory,
            prompts,
            digest_cache: data_folder::home().map(|home| home.join("weight-digests.jsonl")),
            token_ids: details.token_ids,
            logprobs: details.logprobs,
            ..EngineOptions::default()
        }
    }

    /// The first of these flags that was given.
    pub fn given_flag(&self) -> Option<&'static str> {
        let given = [
            ("--batch-size", self.batch_size.0.is_some()),
            ("--kv-memory", self.kv_memory.is_some()),
            ("--dtype", !matches!(self.dtype, Dtype::Auto)),
            ("--quantize", self.quantize.is_some()),
            ("--device", self.device != DeviceChoice::default()),
            ("--threads", self.threads.is_some()),
        ];
        given
            .into_iter()
            .find_map(|(flag, is_given)| is_given.then_some(flag))
    }

    /// What a run notes of the computation; none of it changes a completion.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let threads = self.threads.map_or(cores, usize::from);
        let batch_size = self.batch_size.0;
        let batch_size = batch_size.map_or("auto".to_string(), |size| size.to_string());
        vec![("threads", threads.to_string()), ("batch_size", batch_size)]
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Dtype {
    Auto,
    F32,
    Bf16,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum QuantizeName {
    #[value(name = "q8_0", alias = "int8")]
    Q8_0,
}

#[derive(Clone, Copy, Debug)]
struct BatchSize(Option<NonZeroUsize>);

fn batch_size(text: &str) -> Result<BatchSize, String> {
    match text {
        "auto" => Ok(BatchSize(None)),
        number => number
            .parse()
            .map(|size| BatchSize(Some(size)))
            .map_err(|_| "expected `auto` or a number from 1".to_string()),
    }
}

/// A device, and where there can be none of its kind, what to do instead.
fn device(text: &str) -> Result<DeviceChoice, String> {
    let device = text.parse::<DeviceChoice>();
    device.map_err(|error| exit::message(&error.into()))
}

/// A number of bytes: `512MiB`, `4GiB`, `4G`, or plain.
pub fn memory_size(text: &str) -> Result<usize, String> {
    // A lone letter is the binary unit, as tools that take sizes of memory read it.
    let unit = if text.ends_with(['k', 'K', 'm', 'M', 'g', 'G', 't', 'T']) {
        "iB"
    } else {
        ""
    };
    let size = format!("{text}{unit}").parse::<ByteSize>().ok();
    // What is too large to be counted comes back as the largest number.
    let size = size
        .map(|size| size.as_u64())
        .filter(|&size| size < u64::MAX);
    size.and_then(|size| usize::try_from(size).ok())
        .filter(|&size| size > 0)
        .ok_or_else(|| "expected a size such as 512MiB or 4GiB".to_string())
}
