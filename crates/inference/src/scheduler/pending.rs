//! Requests that nobody has taken yet: what several copies of a model share.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::sequence::Request;
use crate::config::ModelConfig;
use crate::prefixes::{SharedPrefix, shared_prefixes};

/// The requests of a run, in the order in which they are taken, each once.
#[derive(Default)]
pub(crate) struct Pending {
    /// Each with its place in the order.
    requests: Mutex<VecDeque<(usize, Request)>>,
    /// Tokens that the longest prompt and completion have.
    pub(super) longest: usize,
    /// The prefixes that prompts share, the first last.
    pub(super) prefixes: Vec<SharedPrefix>,
}

impl Pending {
    pub(crate) fn new(mut requests: Vec<Request>, config: &ModelConfig) -> Self {
        // Prompts that share a prefix stand beside each other.
        requests.sort_by(|left, right| left.prompt.cmp(&right.prompt));
        Self {
            longest: requests.iter().map(Request::most_tokens).max().unwrap_or(0),
            prefixes: prefixes(&requests, config),
            requests: Mutex::new(requests.into_iter().enumerate().collect()),
        }
    }

    pub(super) fn take(&self) -> Option<(usize, Request)> {
        self.lock().pop_front()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(usize, Request)>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The prefixes that prompts share, the first last. None where positions depend on the length of a
/// prompt: equal tokens then have different keys.
fn prefixes(requests: &[Request], config: &ModelConfig) -> Vec<SharedPrefix> {
    let prompts: Vec<&[u32]> = requests
        .iter()
        .map(|request| request.prompt.as_slice())
        .collect();
    let static_length = config.static_rope_length();
    if prompts.iter().any(|prompt| prompt.len() > static_length) {
        return Vec::new();
    }
    let mut prefixes = shared_prefixes(&prompts);
    prefixes.reverse();
    prefixes
}
