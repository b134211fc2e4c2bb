//! Whether a server rejects some prompts or all of them.
//!
//! A parameter that a server does not accept makes it reject every request. That is one error to
//! report at once and not thousands of failed items; so rejections are held back until something
//! succeeds, or until several in a row are identical. What is wrong with a single prompt, such as
//! its length, is reported in figures that differ.

use generation::Completion;

use crate::error::Error;
use crate::server::refused;

/// Identical rejections in a row, without a success between them, that concern all prompts.
const MIN_IDENTICAL: usize = 8;

/// Rejections that are held back.
#[derive(Debug, Default)]
pub(crate) struct Rejections {
    /// Status and message of those held back.
    last: Option<(u16, String)>,
    held: Vec<Completion>,
    has_succeeded: bool,
}

impl Rejections {
    /// Something succeeded, or failed for itself: what was held back is final.
    pub(crate) fn release(&mut self) -> Vec<Completion> {
        self.has_succeeded = true;
        self.last = None;
        std::mem::take(&mut self.held)
    }

    /// A prompt was rejected; the completions that are final now.
    ///
    /// # Errors
    /// The rejection, where it concerns all prompts. Those held back are dropped then, to be
    /// requested again by the next run.
    pub(crate) fn add(
        &mut self,
        url: &str,
        status: u16,
        reason: String,
        completion: Completion,
    ) -> Result<Vec<Completion>, Error> {
        // After a success only these can still concern all: the model or the right to it went away.
        if self.has_succeeded && !matches!(status, 403 | 404) {
            return Ok(vec![completion]);
        }
        let this = Some((status, reason.clone()));
        let released = if self.last == this {
            Vec::new()
        } else {
            std::mem::take(&mut self.held)
        };
        self.last = this;
        self.held.push(completion);
        if self.held.len() >= MIN_IDENTICAL {
            self.held.clear();
            return Err(refused(url, status, reason));
        }
        Ok(released)
    }
}

#[cfg(test)]
mod tests {
    use generation::FinishReason;

    use super::*;

    fn completion(index: usize) -> Completion {
        Completion {
            index,
            text: String::new(),
            finish_reason: FinishReason::Error,
            prompt_tokens: 0,
            completion_tokens: 0,
            prompt_hash: String::new(),
            token_ids: None,
            logprobs: None,
            thinking: None,
            thinking_tokens: None,
            error: Some("refused".into()),
        }
    }

    /// How many rejections of these are final after each, `None` where all prompts are concerned.
    fn add(rejections: &mut Rejections, status: u16, reasons: &[&str]) -> Vec<Option<usize>> {
        let mut add = |(index, reason): (usize, &&str)| {
            rejections
                .add("url", status, reason.to_string(), completion(index))
                .ok()
                .map(|released| released.len())
        };
        reasons.iter().enumerate().map(&mut add).collect()
    }

    #[test]
    fn eight_alike_before_any_success_concern_all_prompts() {
        let mut expected = vec![Some(0); 7];
        expected.push(None);
        assert_eq!(
            add(&mut Rejections::default(), 400, &["no temperature"; 8]),
            expected
        );
    }

    #[test]
    fn refusals_that_differ_or_come_after_a_success_concern_their_prompts() {
        let mut rejections = Rejections::default();
        assert_eq!(
            add(
                &mut rejections,
                400,
                &["4097 tokens", "5000 tokens", "6000 tokens"]
            ),
            [Some(0), Some(1), Some(1)]
        );
        assert_eq!(rejections.release().len(), 1);
        assert_eq!(
            add(&mut rejections, 400, &["no temperature"; 9]),
            [Some(1); 9]
        );
        assert_eq!(
            add(&mut rejections, 404, &["no model"; 8]).last(),
            Some(&None)
        );
    }
}
