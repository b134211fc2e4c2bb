//! Whether a server refuses some prompts or all of them.
//!
//! A setting that a server does not accept makes it refuse every request. That is one error to be
//! told at once and not thousands of failed items; so refusals are held back until something
//! succeeds, or until several in a row are alike to the letter. What is wrong with a single prompt,
//! such as its length, is told in figures that differ.

use generation::Completion;

use crate::error::Error;
use crate::server::refused;

/// Refusals alike in a row, without a success between them, that concern all prompts.
const ALIKE: usize = 8;

/// Refusals that are held back.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    /// Status and words of those held back.
    said: Option<(u16, String)>,
    held: Vec<Completion>,
    has_succeeded: bool,
}

impl Refusals {
    /// Something succeeded, or failed for itself: what was held back is final.
    pub(crate) fn settle(&mut self) -> Vec<Completion> {
        self.has_succeeded = true;
        self.said = None;
        std::mem::take(&mut self.held)
    }

    /// A prompt was refused; the completions that are final now.
    ///
    /// # Errors
    /// The refusal, where it concerns all prompts. Those held back are dropped then, to be asked
    /// again another time.
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
        let said = Some((status, reason.clone()));
        let settled = if self.said == said {
            Vec::new()
        } else {
            std::mem::take(&mut self.held)
        };
        self.said = said;
        self.held.push(completion);
        if self.held.len() >= ALIKE {
            self.held.clear();
            return Err(refused(url, status, reason));
        }
        Ok(settled)
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
            error: Some("refused".into()),
        }
    }

    /// How many refusals of these are final after each, `None` where all prompts are concerned.
    fn add(refusals: &mut Refusals, status: u16, reasons: &[&str]) -> Vec<Option<usize>> {
        let mut add = |(index, reason): (usize, &&str)| {
            refusals
                .add("url", status, reason.to_string(), completion(index))
                .ok()
                .map(|settled| settled.len())
        };
        reasons.iter().enumerate().map(&mut add).collect()
    }

    #[test]
    fn eight_alike_before_any_success_concern_all_prompts() {
        let mut expected = vec![Some(0); 7];
        expected.push(None);
        assert_eq!(
            add(&mut Refusals::default(), 400, &["no temperature"; 8]),
            expected
        );
    }

    #[test]
    fn refusals_that_differ_or_come_after_a_success_concern_their_prompts() {
        let mut refusals = Refusals::default();
        assert_eq!(
            add(
                &mut refusals,
                400,
                &["4097 tokens", "5000 tokens", "6000 tokens"]
            ),
            [Some(0), Some(1), Some(1)]
        );
        assert_eq!(refusals.settle().len(), 1);
        assert_eq!(
            add(&mut refusals, 400, &["no temperature"; 9]),
            [Some(1); 9]
        );
        assert_eq!(
            add(&mut refusals, 404, &["no model"; 8]).last(),
            Some(&None)
        );
    }
}
