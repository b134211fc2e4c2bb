//! Answers prompts with a checkpoint of LLaMA, Mistral, Qwen or a relative on this machine, with
//! candle.
//!
//! In goes a checkpoint in the layout of Hugging Face transformers or in a GGUF file
//! ([`CheckpointFiles`]) and [`EngineOptions`]; out comes a [`LocalModel`], which is a
//! [`generation::Generator`]. On the CPU greedy completions are the same bit for bit whatever the
//! batch size, the number of threads and the order of the prompts. Everything in a checkpoint that
//! could make an answer wrong without a word is refused while loading: a missing or misshapen
//! tensor, a value that is not finite, a kind of position encoding that is not implemented.
//!
//! This crate refuses to know problems, references and scores.
//!
//! ```no_run
//! use generation::{Decoding, Event, Generator, Prompt};
//! use inference::{CheckpointFiles, EngineOptions, LocalModel};
//!
//! let files = CheckpointFiles::open("models/demo".as_ref())?;
//! let mut model = LocalModel::load(files, &EngineOptions::default())?;
//! let prompts = [Prompt { id: "sum".into(), sample: 0, text: "What is 2 + 3?".into() }];
//! model.generate(&prompts, &Decoding::greedy(64), &mut |event| {
//!     if let Event::Finished(completion) = event {
//!         println!("{}", completion.text);
//!     }
//!     Ok(())
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Weights of a bf16 checkpoint take two bytes of memory each and are multiplied as bf16; others
//! take four and are multiplied as f32 (see [`WeightDtype`]).

#[doc(hidden)]
pub mod benching;

// In reading order.
mod adapter; // LoRA
mod backend; // who computes the operations of a forward pass
mod batch_size; // how many sequences at a time
mod checkpoint; // files, tensors by name
mod config; // config.json, validated
#[cfg(any(test, feature = "cuda"))]
mod cuda; // the same on GPUs, with kernels of our own
mod device; // the same on a device, with candle's operations
mod draft; // speculative decoding
mod engine_options; // how a checkpoint is run
mod error; // what can go wrong
mod family; // the families of checkpoints, as data
mod gguf; // checkpoints in GGUF files
mod inspection; // what a checkpoint is, and what looks wrong with it
mod kernels; // the arithmetic
mod kv_cache; // the KV cache, in blocks
mod local_model; // a checkpoint as a generator
mod logprobs; // log-probabilities, from all logits
mod memory; // how much there is
mod model; // the forward pass
mod model_loading; // from a checkpoint to a model that runs
mod ops; // the arithmetic as candle operations
mod prefixes; // prefixes that prompts share
mod replicas; // copies of a model on several devices
mod rope; // rotary position embedding (RoPE)
mod row; // one token of a step
mod runner; // a model whoever computes it
mod sampling; // sampling
mod scheduler; // continuous batching
mod serving; // requests of a server
mod small_file; // reading small files
mod stop; // stop strings
mod tensor_source; // named rows of tensors in files
mod threads; // threads that compute
mod tokenizer; // text to token ids and back

pub use checkpoint::{CheckpointFiles, Origin, Stamp, TemplateSource, Written, trained_steps};
pub use config::{Activation, ModelConfig, QkNorm, RopeScaling};
pub use device::{DeviceChoice, Gpus};
pub use engine_options::{EngineOptions, Quantization, WeightDtype};
pub use error::{Error, ErrorKind};
pub use family::Architecture;
pub use inspection::Inspection;
pub use local_model::LocalModel;
pub use logprobs::PromptLogprob;
pub use scheduler::Listener;
pub use serving::{GrowingText, ServedRequest, ServedSampling};
pub use tokenizer::{PromptKind, PromptTokenizer};
