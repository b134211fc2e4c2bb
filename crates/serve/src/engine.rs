//! The thread that computes, its queue, and who waits for what it computes.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use generation::Completion;
use inference::{Listener, LocalModel, PromptLogprob, ServedRequest};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::api_error::ApiError;
use crate::metrics::Metrics;

/// How long an idle engine waits before it looks whether it shall end.
const IDLE: Duration = Duration::from_millis(50);

/// What becomes of a completion.
pub(crate) enum Update {
    /// The prompt, with what the model says of its tokens where that was asked for.
    Prompt(Vec<u32>, Vec<PromptLogprob>),
    /// A new token, with its log-probability where that was asked for.
    Token(u32, Option<f32>),
    /// The whole of it; the last update.
    Finished(Box<Completion>),
}

/// An update and the completion that it is of, counted from 0 in a request.
pub(crate) type Updates = UnboundedReceiver<(usize, Update)>;

/// The way to the thread that computes.
pub(crate) struct Engine {
    queue: SyncSender<ServedRequest>,
    most: usize,
    shared: Arc<Shared>,
}

/// What the engine and those who ask have in common.
struct Shared {
    /// Completions that wait or are computed.
    pending: AtomicUsize,
    is_stopping: AtomicBool,
    /// What ended the engine before its time.
    failure: Mutex<Option<String>>,
    metrics: Arc<Metrics>,
}

/// A place in the queue; it is free again when this is dropped.
struct Place(Arc<Shared>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.pending.fetch_sub(1, Ordering::SeqCst);
        self.0.metrics.pending.dec();
    }
}

/// What a request is made of, but for who waits.
pub(crate) struct Job {
    pub(crate) prompt: Vec<u32>,
    pub(crate) max_tokens: usize,
    pub(crate) stop: Vec<String>,
    pub(crate) sampling: Option<inference::ServedSampling>,
    pub(crate) is_chat: bool,
    pub(crate) logprobs: bool,
    /// Whether the prompt comes before its completion.
    pub(crate) echo: bool,
}

/// Who waits for one completion.
struct Waiting {
    index: usize,
    updates: UnboundedSender<(usize, Update)>,
    place: Place,
    asked: Instant,
    is_first: bool,
}

impl Listener for Waiting {
    fn prompt(&mut self, prompt: &[u32], logprobs: Vec<PromptLogprob>) {
        let update = Update::Prompt(prompt.to_vec(), logprobs);
        let _ = self.updates.send((self.index, update));
    }

    fn token(&mut self, token: u32, logprob: Option<f32>) {
        let metrics = &self.place.0.metrics;
        if std::mem::take(&mut self.is_first) {
            metrics
                .first_token
                .observe(self.asked.elapsed().as_secs_f64());
        }
        metrics.generated_tokens.inc();
        // Nobody may be there any more: then `is_gone` says so before the next step.
        let _ = self
            .updates
            .send((self.index, Update::Token(token, logprob)));
    }

    fn is_gone(&self) -> bool {
        self.updates.is_closed()
    }

    fn finished(&mut self, completion: Completion) {
        let metrics = &self.place.0.metrics;
        metrics
            .prompt_tokens
            .inc_by(completion.prompt_tokens as u64);
        metrics.count_completion(completion.finish_reason);
        metrics.duration.observe(self.asked.elapsed().as_secs_f64());
        let update = Update::Finished(Box::new(completion));
        let _ = self.updates.send((self.index, update));
    }
}

impl Engine {
    /// Starts the thread that computes, which takes at most `most` completions at a time.
    ///
    /// # Errors
    /// When the system starts no thread.
    pub(crate) fn start(
        model: Arc<LocalModel>,
        most: usize,
        metrics: Arc<Metrics>,
    ) -> std::io::Result<(Self, std::thread::JoinHandle<()>)> {
        let (queue, requests) = sync_channel(most);
        let shared = Arc::new(Shared {
            pending: AtomicUsize::new(0),
            is_stopping: AtomicBool::new(false),
            failure: Mutex::default(),
            metrics,
        });
        let of_thread = shared.clone();
        let thread = std::thread::Builder::new()
            .name("engine".to_string())
            .spawn(move || {
                let served = model.serve(&mut |is_idle| of_thread.next(&requests, is_idle));
                if let Err(error) = served {
                    let failure = &mut *of_thread.lock_failure();
                    *failure = Some(error.to_string());
                }
                // Whatever ended it: nothing is computed any more.
                of_thread.is_stopping.store(true, Ordering::SeqCst);
            })?;
        let engine = Self {
            queue,
            most,
            shared,
        };
        Ok((engine, thread))
    }

    /// Lets jobs be computed; what becomes of them is told by the number of each.
    ///
    /// # Errors
    /// When the queue is full or closed.
    pub(crate) fn submit(&self, jobs: Vec<Job>) -> Result<Updates, ApiError> {
        if let Some(failure) = self.failure() {
            return Err(ApiError::failed(failure));
        }
        if self.shared.is_stopping.load(Ordering::SeqCst) {
            return Err(ApiError::stopping());
        }
        let places = self.places(jobs.len())?;
        let (updates, receiver) = unbounded_channel();
        for ((index, job), place) in jobs.into_iter().enumerate().zip(places) {
            let listener = Waiting {
                index,
                updates: updates.clone(),
                place,
                asked: Instant::now(),
                is_first: true,
            };
            let Job {
                prompt,
                max_tokens,
                stop,
                sampling,
                is_chat,
                logprobs,
                echo,
            } = job;
            if echo && !logprobs {
                let _ = updates.send((index, Update::Prompt(prompt.clone(), Vec::new())));
            }
            let request = ServedRequest {
                prompt,
                max_tokens,
                stop,
                sampling,
                is_chat,
                logprobs,
                prompt_logprobs: echo && logprobs,
                listener: Box::new(listener),
            };
            // There is room for as many as there are places.
            self.queue
                .try_send(request)
                .map_err(|_| ApiError::stopping())?;
        }
        Ok(receiver)
    }

    /// Places in the queue for so many completions, all or none.
    fn places(&self, count: usize) -> Result<Vec<Place>, ApiError> {
        let taken = self.shared.pending.fetch_add(count, Ordering::SeqCst);
        self.shared.metrics.pending.inc_by(count as i64);
        let places: Vec<Place> = (0..count).map(|_| Place(self.shared.clone())).collect();
        match taken + count <= self.most {
            true => Ok(places),
            false => Err(ApiError::queue_full(self.most)),
        }
    }

    /// Takes no more requests; the thread ends when those it has are done.
    pub(crate) fn stop(&self) {
        self.shared.is_stopping.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.shared.is_stopping.load(Ordering::SeqCst)
    }

    /// What ended the engine before its time.
    pub(crate) fn failure(&self) -> Option<String> {
        self.shared.lock_failure().clone()
    }
}

impl Shared {
    fn lock_failure(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The requests that have come; while nothing is computed it waits for one, and there are no
    /// more once the server stops.
    fn next(
        &self,
        requests: &Receiver<ServedRequest>,
        is_idle: bool,
    ) -> Option<Vec<ServedRequest>> {
        let mut found: Vec<ServedRequest> = requests.try_iter().collect();
        if !is_idle || !found.is_empty() {
            return Some(found);
        }
        if self.is_stopping.load(Ordering::SeqCst) {
            return None;
        }
        match requests.recv_timeout(IDLE) {
            Ok(request) => {
                found.push(request);
                found.extend(requests.try_iter());
                Some(found)
            }
            Err(RecvTimeoutError::Timeout) => Some(found),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }
}
