//! A model whoever computes it: what [`LocalModel`](crate::LocalModel) holds.

use generation::{Event, KvMemory};

use crate::backend::Backend;
use crate::config::ModelConfig;
use crate::error::{Error, ErrorKind};
use crate::kernels::Compute;
use crate::kv_cache::BLOCK;
use crate::model::Model;
use crate::row::Row;
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
}

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
        let length = prompt.len();
        let mut cache = self.new_cache(length.div_ceil(BLOCK));
        let seq = cache.add_sequence();
        if !cache.reserve(seq, length) {
            return Err(Error::new(
                ErrorKind::KvCacheUnavailable,
                "the system has no memory for the KV cache",
            ));
        }
        let rows = prompt.iter().enumerate().map(|(position, &token)| Row {
            token,
            seq,
            position,
            length,
        });
        let rows: Vec<Row> = rows.collect();
        let wanted: Vec<u32> = (0..length as u32).collect();
        let hidden = self.forward(&rows, &wanted, &mut cache)?;
        let logits = self.logits(&hidden)?.to_vec2()?;
        self.backend.recycle_cache(&mut cache);
        Ok(logits)
    }
}
