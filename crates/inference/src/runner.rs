//! A model whoever computes it: what [`LocalModel`](crate::LocalModel) holds.

use generation::{Event, KvMemory};

use crate::backend::Backend;
use crate::config::ModelConfig;
use crate::error::{Error, ErrorKind};
use crate::kernels::Compute;
use crate::kv_cache::BLOCK;
use crate::logprobs::PromptLogprob;
use crate::model::Model;
use crate::row::{Row, RowToken};
use crate::scheduler::{Pending, Request, RunOptions, Scheduler};

/// Runs requests through a model, on whatever backend.
pub(crate) trait ModelRunner: Send + Sync {
    fn config(&self) -> &ModelConfig;

    /// Threads and precision, also for what is computed beside the forward pass.
    fn compute(&self) -> &Compute;

    /// Takes requests as there is room for them, until there are no more, and reports what happens.
    ///
    /// # Errors
    /// Those of [`Scheduler::run`].
    fn run(
        &self,
        options: RunOptions<'_>,
        pending: &Pending,
        on_event: &mut dyn FnMut(Event) -> Result<(), Error>,
    ) -> Result<(), Error>;

    /// Runs requests as they come; see [`Scheduler::serve`].
    ///
    /// # Errors
    /// Those of [`Scheduler::serve`].
    fn serve(
        &self,
        options: RunOptions<'_>,
        source: &mut dyn FnMut(bool) -> Option<Vec<Request>>,
    ) -> Result<(), Error>;

    /// Memory of the KV cache for sequences of so many tokens, with this limit or that of the
    /// backend.
    fn kv_memory(&self, limit: Option<usize>, tokens: usize) -> KvMemory;

    /// The logits after each token of a prompt: `[tokens, vocab]`, f32.
    ///
    /// # Errors
    /// [`ErrorKind::KvCacheUnavailable`], and those of the computation.
    fn prompt_logits(&self, prompt: &[u32]) -> Result<Vec<Vec<f32>>, Error>;

    /// What the model says of each token of a prompt.
    ///
    /// # Errors
    /// [`ErrorKind::KvCacheUnavailable`], and those of the computation.
    fn prompt_logprobs(&self, prompt: &[u32]) -> Result<Vec<PromptLogprob>, Error>;
}

/// Rows of logits that are stored at a time.
const LOGIT_ROWS: usize = 64;

impl<B: Backend> ModelRunner for Model<B> {
    fn config(&self) -> &ModelConfig {
        Model::config(self)
    }

    fn compute(&self) -> &Compute {
        self.backend.compute()
    }

    fn run(
        &self,
        options: RunOptions<'_>,
        pending: &Pending,
        on_event: &mut dyn FnMut(Event) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let scheduler = Scheduler {
            model: self,
            options,
        };
        scheduler.run(pending, on_event)
    }

    fn serve(
        &self,
        options: RunOptions<'_>,
        source: &mut dyn FnMut(bool) -> Option<Vec<Request>>,
    ) -> Result<(), Error> {
        let scheduler = Scheduler {
            model: self,
            options,
        };
        scheduler.serve(source)
    }

    fn kv_memory(&self, limit: Option<usize>, tokens: usize) -> KvMemory {
        KvMemory {
            per_sequence: tokens.div_ceil(BLOCK) * self.backend.block_bytes(),
            limit: limit.unwrap_or_else(|| self.default_kv_memory()),
        }
    }

    fn prompt_logits(&self, prompt: &[u32]) -> Result<Vec<Vec<f32>>, Error> {
        let mut all = Vec::new();
        each_logits(self, prompt, prompt.len(), &mut |logits| all.extend(logits))?;
        Ok(all)
    }

    fn prompt_logprobs(&self, prompt: &[u32]) -> Result<Vec<PromptLogprob>, Error> {
        // The first token follows nothing.
        let mut all = vec![PromptLogprob::default()];
        each_logits(self, prompt, LOGIT_ROWS, &mut |logits| {
            let next = prompt[all.len()..].iter().zip(&logits);
            let found: Vec<PromptLogprob> = next
                .map(|(&token, logits)| PromptLogprob::of(token, logits))
                .collect();
            all.extend(found);
        })?;
        Ok(all)
    }
}

/// Hands out the logits after each token of a prompt, `[rows, vocab]`, so many rows at a time.
fn each_logits<B: Backend>(
    model: &Model<B>,
    prompt: &[u32],
    rows_at_a_time: usize,
    take: &mut dyn FnMut(Vec<Vec<f32>>),
) -> Result<(), Error> {
    let length = prompt.len();
    let mut cache = model.new_cache(length.div_ceil(BLOCK));
    let seq = cache.add_sequence();
    if !cache.reserve(seq, length) {
        return Err(Error::new(
            ErrorKind::KvCacheUnavailable,
            "the system has no memory for the KV cache",
        ));
    }
    let rows = prompt.iter().enumerate().map(|(position, &token)| Row {
        token: RowToken::Known(token),
        seq,
        position,
        length,
    });
    let rows: Vec<Row> = rows.collect();
    for rows in rows.chunks(rows_at_a_time) {
        let wanted: Vec<u32> = (0..rows.len() as u32).collect();
        let hidden = model.forward(rows, &wanted, &mut cache)?;
        take(model.logits(&hidden)?.to_vec2()?);
    }
    model.backend.recycle_cache(&mut cache);
    Ok(())
}
