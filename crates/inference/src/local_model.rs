//! A checkpoint as a [`Generator`]: the translation between prompts and token ids, and what a run's
//! manifest says of the model.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use candle_core::Device;
use generation::{
    Completion, Decoding, Event, FinishReason, GenerationError, Generator, GeneratorInfo, KvMemory,
    Prompt, PromptIssue, Thinking,
};

use crate::checkpoint::{Checkpoint, CheckpointFiles, WeightFiles};
use crate::config::ModelConfig;
use crate::device;
use crate::engine_options::{EngineOptions, Quantization};
use crate::error::{Error, ErrorKind};
use crate::model_loading::load_model;
use crate::runner::ModelRunner;
use crate::sampling::RandomStream;
use crate::scheduler::{Pending, Request, RunOptions, prompt_hash};
use crate::serving::{GrowingText, ServedRequest};
use crate::tokenizer::{PromptKind, TextTokenizer};

/// A checkpoint, loaded.
pub struct LocalModel {
    name: String,
    /// All but the digest of the weights.
    details: BTreeMap<String, String>,
    weight_files: WeightFiles,
    /// BLAKE3 (hex), once it is needed: to hash takes as long as to read all files.
    weights_digest: OnceLock<String>,
    dtype: String,
    warnings: Vec<String>,
    /// Tokens at which completions end because the chat template says so, and nothing else.
    turn_eos: Arc<[u32]>,
    model: Box<dyn ModelRunner>,
    tokenizer: TextTokenizer,
    options: EngineOptions,
}

impl LocalModel {
    /// Loads and checks a checkpoint.
    ///
    /// # Errors
    /// Those of its files name the file, and the tensor or key; see [`ErrorKind`].
    pub fn load(files: CheckpointFiles, options: &EngineOptions) -> Result<Self, Error> {
        // Before the checkpoint is read, so that a device that is not there is told at once.
        let devices = options.device.open()?;
        let checkpoint = Checkpoint::open(&files)?;
        let (rounding, precision, dtype) = options.precision(&checkpoint);
        let (model, arithmetic) =
            load_model(&checkpoint, options, (rounding, precision), &devices)?;
        let mut details = details(&checkpoint, options, dtype.clone(), devices.first());
        details.insert(Self::ARITHMETIC.to_string(), arithmetic);
        let turn_eos = checkpoint.turn_eos();
        Ok(Self {
            name: checkpoint.name,
            details,
            weight_files: checkpoint.weight_files,
            weights_digest: OnceLock::new(),
            dtype,
            turn_eos,
            warnings: checkpoint.warnings,
            model,
            tokenizer: checkpoint.tokenizer,
            options: options.clone(),
        })
    }

    /// The detail that says how exactly a model is computed.
    pub const ARITHMETIC: &str = "arithmetic";

    /// What [`Generator::info`] would say of a checkpoint but for [`Self::ARITHMETIC`], which is
    /// known only of a model that is loaded. Opens all files and reads no weights, unless their
    /// digest is in no cache.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn identify(
        files: &CheckpointFiles,
        options: &EngineOptions,
    ) -> Result<GeneratorInfo, Error> {
        let devices = options.device.open()?;
        let checkpoint = Checkpoint::open(files)?;
        let (_, _, dtype) = options.precision(&checkpoint);
        let mut details = details(&checkpoint, options, dtype, devices.first());
        let digest = checkpoint
            .weight_files
            .digest(options.digest_cache.as_deref());
        details.insert(WEIGHTS_DIGEST.to_string(), digest);
        Ok(GeneratorInfo {
            name: checkpoint.name,
            kind: KIND.to_string(),
            details,
        })
    }

    /// The model's dimensions.
    pub fn config(&self) -> &ModelConfig {
        self.model.config()
    }

    /// Precision of the weights: `f32`, `f16`, `bf16`, or `mixed`; where they are quantized in
    /// their file and no other dtype was chosen, the forms of its matrices.
    pub fn dtype(&self) -> &str {
        &self.dtype
    }

    /// Tokens that prompt and completion may have together.
    pub fn context_length(&self) -> usize {
        self.model.config().context_length
    }

    /// What the user should know about the checkpoint although it can be run.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The text of the beginning-of-sequence token that the tokenizer adds to plain prompts, if it
    /// does.
    pub fn bos_text(&self) -> Option<String> {
        self.tokenizer.token(self.tokenizer.added_bos()?)
    }

    /// The texts of the tokens at which completions end.
    pub fn eos_texts(&self) -> Vec<String> {
        self.config()
            .eos_token_ids
            .iter()
            .filter_map(|id| self.tokenizer.token(*id))
            .collect()
    }

    /// Token ids of a prompt, special tokens included.
    ///
    /// # Errors
    /// [`ErrorKind::Tokenizer`] when the tokenizer fails.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, Error> {
        self.tokenizer.encode(text, self.options.prompts)
    }

    /// The same for prompts of another kind than the options name.
    ///
    /// # Errors
    /// [`ErrorKind::Tokenizer`] when the tokenizer fails.
    pub fn encode_as(&self, text: &str, prompts: PromptKind) -> Result<Vec<u32>, Error> {
        self.tokenizer.encode(text, prompts)
    }

    /// The text of token ids, without special tokens.
    ///
    /// # Errors
    /// [`ErrorKind::Tokenizer`] when the tokenizer fails.
    pub fn decode(&self, ids: &[u32]) -> Result<String, Error> {
        self.tokenizer.decode(ids)
    }

    /// Continues prompts given as token ids; the new tokens of each, an end-of-sequence token
    /// included.
    ///
    /// # Errors
    /// [`ErrorKind::Backend`] when a prompt is empty, too long, or holds an unknown id, and when
    /// the computation fails; [`ErrorKind::KvCacheTooSmall`].
    pub fn generate_ids(
        &mut self,
        prompts: &[Vec<u32>],
        max_tokens: usize,
    ) -> Result<Vec<Vec<u32>>, Error> {
        let failed = |message: String| Error::new(ErrorKind::Backend, message);
        let mut requests = Vec::new();
        for (index, prompt) in prompts.iter().enumerate() {
            requests.push(Request {
                index,
                prompt: prompt.clone(),
                max_tokens: self.max_new_tokens(prompt, max_tokens).map_err(failed)?,
                stop: Arc::default(),
                passed_eos: Arc::default(),
                sampling: None,
                logprobs: self.options.logprobs,
                listener: None,
            });
        }
        let mut outputs = vec![Vec::new(); prompts.len()];
        let pending = Pending::new(requests, self.config());
        self.model.run(self.run_options(), &pending, &mut |event| {
            let Event::Finished(completion) = event else {
                return Ok(());
            };
            match completion.error {
                Some(message) => Err(failed(message)),
                None => {
                    outputs[completion.index] = completion.token_ids.unwrap_or_default();
                    Ok(())
                }
            }
        })?;
        Ok(outputs)
    }

    /// The logits after each token of a prompt: `[tokens, vocab]`, f32. For comparing with another
    /// implementation.
    ///
    /// # Errors
    /// As [`Self::generate_ids`].
    pub fn logits(&self, prompt: &[u32]) -> Result<Vec<Vec<f32>>, Error> {
        let failed = |message: String| Error::new(ErrorKind::Backend, message);
        self.max_new_tokens(prompt, 1).map_err(failed)?;
        self.model.prompt_logits(prompt)
    }

    /// Says what the model says of the prompt, where somebody wants to know.
    ///
    /// # Errors
    /// Why it cannot be computed.
    fn tell_prompt(&self, served: &mut ServedRequest) -> Result<(), String> {
        if !served.prompt_logprobs || served.listener.is_gone() {
            return Ok(());
        }
        let logprobs = self.model.prompt_logprobs(&served.prompt);
        let logprobs = logprobs.map_err(|error| error.to_string())?;
        served.listener.prompt(&served.prompt, logprobs);
        Ok(())
    }

    fn run_options(&self) -> RunOptions<'_> {
        let EngineOptions {
            batch_size,
            kv_memory,
            ignore_eos,
            ..
        } = self.options;
        RunOptions {
            tokenizer: &self.tokenizer,
            batch_size,
            kv_memory,
            ignore_eos,
        }
    }

    /// How many new tokens a prompt can have, at least 1 and at most `max_tokens`.
    ///
    /// # Errors
    /// Why it cannot be continued.
    pub fn max_new_tokens(&self, prompt: &[u32], max_tokens: usize) -> Result<usize, String> {
        let (context, vocab_size) = (self.context_length(), self.config().vocab_size);
        let length = prompt.len();
        if length == 0 {
            return Err("the prompt has no tokens".to_string());
        }
        if length >= context {
            return Err(format!(
                "the prompt has {length} tokens and the context only {context}"
            ));
        }
        if let Some(id) = prompt.iter().find(|&&id| id as usize >= vocab_size) {
            return Err(format!(
                "the prompt needs the token {}, and the embedding has {vocab_size} rows",
                self.tokenizer.describe_token(*id)
            ));
        }
        if max_tokens == 0 {
            return Err("no new tokens are asked for".to_string());
        }
        Ok(max_tokens.min(context - length))
    }

    /// Computes requests as they come, each beside the others, until `source` has no more.
    ///
    /// `source` gives those that have come since it was asked last; while nothing else is to do it
    /// is told `true`, and may wait for one. What becomes of a request its listener is told. A
    /// completion is bit for bit the one that [`Generator::generate`] gives, on the CPU.
    ///
    /// # Errors
    /// When the computation fails: all listeners are dropped.
    pub fn serve(
        &self,
        source: &mut dyn FnMut(bool) -> Option<Vec<ServedRequest>>,
    ) -> Result<(), Error> {
        let mut count = 0;
        self.model.serve(self.run_options(), &mut |is_idle| {
            let mut requests = Vec::new();
            for mut served in source(is_idle)? {
                count += 1;
                let checked = self.max_new_tokens(&served.prompt, served.max_tokens);
                match checked.and_then(|most| self.tell_prompt(&mut served).map(|()| most)) {
                    Ok(max_tokens) => {
                        requests.push(served.into_request(count, max_tokens, &self.turn_eos));
                    }
                    Err(message) => {
                        let refused = refused(count, &served.prompt, message);
                        served.listener.finished(refused);
                    }
                }
            }
            Some(requests)
        })
    }

    /// Adds a token to a completion; the text that this makes sure: none within a character, and none
    /// where a stop string may have begun.
    ///
    /// # Errors
    /// [`ErrorKind::Tokenizer`] when the tokenizer fails.
    pub fn grow(&self, text: &mut GrowingText, token: u32) -> Result<String, Error> {
        text.push(token, &self.tokenizer)
    }

    fn encode_all(&self, prompts: &[Prompt]) -> Result<Vec<Vec<u32>>, Error> {
        let ids: Vec<_> = prompts.iter().map(|_| OnceLock::new()).collect();
        self.model
            .compute()
            .threads
            .for_each(prompts.len(), |_, index| {
                // Each index is one task's: none is set twice, and none is left out.
                let _ = ids[index].set(self.encode(&prompts[index].text));
            });
        ids.into_iter()
            .map(|ids| ids.into_inner().unwrap_or_else(|| Ok(Vec::new())))
            .collect()
    }
}

/// The fact of the manifest that says which weights they are.
const WEIGHTS_DIGEST: &str = "weights_digest";
/// What the manifest calls a model of this crate.
const KIND: &str = "local";

/// What the manifest says of the model, all but how exactly it is computed and the digest of the
/// weights.
fn details(
    checkpoint: &Checkpoint,
    options: &EngineOptions,
    dtype: String,
    device: Option<&Device>,
) -> BTreeMap<String, String> {
    let (config, tensors) = (&checkpoint.config, &checkpoint.tensors);
    let eos: Vec<String> = config.eos_token_ids.iter().map(u32::to_string).collect();
    // What can change a completion. Batch size, threads and memory are left out: on the CPU they
    // change no bit.
    let mut details = vec![
        ("architecture", config.architecture.class_name().to_string()),
        ("bos", checkpoint.tokenizer.describe_bos(options.prompts)),
        ("config_digest", checkpoint.config_digest.clone()),
        ("dtype", dtype),
        ("eos", eos.join(",")),
        ("parameters", tensors.parameters(config).to_string()),
        ("tokenizer_digest", checkpoint.tokenizer_digest.clone()),
    ];
    let added = checkpoint.added_eos.iter();
    let added: Vec<String> = added
        .map(|(id, source)| format!("{id} ({source})"))
        .collect();
    if !added.is_empty() {
        details.push(("eos_added", added.join(", ")));
    }
    details.extend(device.map(|device| ("device", device::name(device))));
    let asked = options.quantize.map(|Quantization::Q8| "q8_0".to_string());
    let mut quantization: Vec<String> = tensors.quantization().into_iter().chain(asked).collect();
    // A Q8_0 file that is asked for in 8 bits keeps its blocks: nothing is rounded then.
    quantization.dedup();
    if !quantization.is_empty() {
        details.push(("quantization", quantization.join(", then ")));
    }
    if let Some(adapter) = &checkpoint.adapter {
        details.push(("adapter", adapter.description.clone()));
        details.push(("adapter_digest", adapter.digest.clone()));
    }
    details.extend(checkpoint.origin.clone());
    details
        .into_iter()
        .map(|(key, value)| (key.to_string(), value))
        .collect()
}

impl Generator for LocalModel {
    fn info(&self) -> GeneratorInfo {
        let weights_digest = self.weights_digest.get_or_init(|| {
            self.weight_files
                .digest(self.options.digest_cache.as_deref())
        });
        let mut details = self.details.clone();
        details.insert(WEIGHTS_DIGEST.to_string(), weights_digest.clone());
        GeneratorInfo {
            name: self.name.clone(),
            kind: KIND.to_string(),
            details,
        }
    }

    fn check(
        &self,
        prompts: &[Prompt],
        decoding: &Decoding,
    ) -> Result<Vec<PromptIssue>, GenerationError> {
        let issues = self
            .encode_all(prompts)?
            .into_iter()
            .enumerate()
            .filter_map(|(index, ids)| {
                let prompt_tokens = ids.len();
                let message = self.max_new_tokens(&ids, decoding.max_tokens).err()?;
                Some(PromptIssue {
                    index,
                    prompt_tokens,
                    message,
                })
            });
        Ok(issues.collect())
    }

    fn token_ids(&self, prompts: &[Prompt]) -> Result<Option<Vec<Vec<u32>>>, GenerationError> {
        Ok(Some(self.encode_all(prompts)?))
    }

    fn kv_memory(&self, tokens: usize) -> Option<KvMemory> {
        let tokens = tokens.min(self.context_length());
        Some(self.model.kv_memory(self.options.kv_memory, tokens))
    }

    fn generate(
        &mut self,
        prompts: &[Prompt],
        decoding: &Decoding,
        on_event: &mut dyn FnMut(Event) -> Result<(), GenerationError>,
    ) -> Result<(), GenerationError> {
        let stop: Arc<[String]> = decoding.stop.as_slice().into();
        let mut requests = Vec::new();
        for (index, ids) in self.encode_all(prompts)?.into_iter().enumerate() {
            match self.max_new_tokens(&ids, decoding.max_tokens) {
                Ok(max_tokens) => {
                    let Prompt { id, sample, .. } = &prompts[index];
                    let sampling = decoding
                        .sampling
                        .map(|sampling| (sampling, RandomStream::new(sampling.seed, id, *sample)));
                    requests.push(Request {
                        index,
                        prompt: ids,
                        max_tokens,
                        stop: stop.clone(),
                        passed_eos: Arc::default(),
                        sampling,
                        logprobs: self.options.logprobs,
                        listener: None,
                    });
                }
                // A prompt that does not fit is one failed item and not the end of the run.
                Err(message) => on_event(Event::Finished(refused(index, &ids, message)))?,
            }
        }
        let mut refusal = None;
        let pending = Pending::new(requests, self.config());
        let run = self.model.run(self.run_options(), &pending, &mut |event| {
            let event = match event {
                Event::Finished(mut completion) => {
                    let ids = completion.token_ids.take().unwrap_or_default();
                    let prompt = &prompts[completion.index].text;
                    completion.thinking_tokens =
                        self.thinking_tokens(prompt, &completion.text, &ids);
                    completion.token_ids = self.options.token_ids.then_some(ids);
                    Event::Finished(completion)
                }
                event => event,
            };
            on_event(event).map_err(|error| {
                let stopped = Error::new(ErrorKind::Backend, error.to_string());
                refusal = Some(error);
                stopped
            })
        });
        // The receiver's own error and not the engine's word for it.
        match refusal {
            Some(error) => Err(error),
            None => Ok(run?),
        }
    }
}

impl LocalModel {
    /// How many of these tokens are thinking; `None` where there is none.
    fn thinking_tokens(&self, prompt: &str, text: &str, ids: &[u32]) -> Option<usize> {
        let end = match Thinking::of(prompt, text) {
            Thinking::None => return None,
            Thinking::Open(_) => return Some(ids.len()),
            Thinking::Closed { end } => end,
        };
        // The fewest tokens whose text reaches so far: texts only grow.
        let reaches = |count: usize| {
            let decoded = self.tokenizer.decode(&ids[..count]);
            decoded.is_ok_and(|text| text.len() >= end)
        };
        let (mut low, mut high) = (0, ids.len());
        while low < high {
            let middle = (low + high) / 2;
            match reaches(middle) {
                true => high = middle,
                false => low = middle + 1,
            }
        }
        Some(high)
    }
}

/// The completion of a prompt that the model cannot continue.
fn refused(index: usize, ids: &[u32], message: String) -> Completion {
    Completion {
        index,
        text: String::new(),
        finish_reason: FinishReason::Error,
        prompt_tokens: ids.len(),
        completion_tokens: 0,
        prompt_hash: prompt_hash(ids),
        token_ids: None,
        logprobs: None,
        thinking: None,
        thinking_tokens: None,
        error: Some(message),
    }
}
