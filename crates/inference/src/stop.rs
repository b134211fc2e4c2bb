//! Stop strings: the text of a completion ends before the first of them.
//!
//! A stop string may begin in the middle of one token and end in another, and a character may be
//! spread over several tokens, so stop strings are matched in the text. [`StopMatcher`] decodes a
//! short window at each step, so its cost does not grow with the completion. What it reports is
//! confirmed on the whole text, and the whole text is what counts.

use std::sync::Arc;

use crate::error::Error;
use crate::tokenizer::TextTokenizer;

/// Tokens after which an unfinished character is taken as it is.
const MAX_PENDING_TOKENS: usize = 16;

/// Position of the first stop string in `text`. Empty stop strings never match.
pub(crate) fn find_stop(text: &str, stops: &[String]) -> Option<usize> {
    stops
        .iter()
        .filter(|stop| !stop.is_empty())
        .filter_map(|stop| text.find(stop.as_str()))
        .min()
}

/// Matches stop strings in the text of one completion.
pub(crate) struct StopMatcher<'a> {
    tokenizer: &'a TextTokenizer,
    stops: Arc<[String]>,
    longest: usize,
    /// The end of the text so far: enough to complete any stop string that has begun in it.
    tail: String,
    /// How much of `tail` is settled: the rest may change with the next token.
    settled_tail: usize,
    /// Where the decoded window begins, and up to where its text is in `tail`.
    window: usize,
    settled: usize,
}

impl<'a> StopMatcher<'a> {
    pub(crate) fn new(tokenizer: &'a TextTokenizer, stops: Arc<[String]>) -> Self {
        let longest = stops.iter().map(String::len).max().unwrap_or(0);
        Self {
            tokenizer,
            stops,
            longest,
            tail: String::new(),
            settled_tail: 0,
            window: 0,
            settled: 0,
        }
    }

    /// Advances to the last of `ids`, all tokens of the completion so far; true when their text
    /// holds a stop string.
    pub(crate) fn matches(&mut self, ids: &[u32]) -> Result<bool, Error> {
        if self.longest == 0 {
            return Ok(false);
        }
        // The settled tokens at the head of the window give the decoder its context (a leading
        // space, for one).
        let known = self.tokenizer.decode(&ids[self.window..self.settled])?;
        let whole = self.tokenizer.decode(&ids[self.window..])?;
        let unfinished = match whole.strip_prefix(known.as_str()) {
            Some(new) => {
                self.tail.push_str(new);
                new.is_empty() || new.ends_with(char::REPLACEMENT_CHARACTER)
            }
            // A byte that can never be part of a character turned its whole run of bytes into
            // replacement characters.
            None => {
                self.tail = self.tokenizer.decode(ids)?;
                false
            }
        };
        let found = find_stop(&self.tail, &self.stops).is_some();
        if unfinished && ids.len() - self.settled < MAX_PENDING_TOKENS {
            self.tail.truncate(self.settled_tail);
        } else {
            self.window = self.settled;
            self.settled = ids.len();
            let cut = self.tail.len().saturating_sub(self.longest);
            self.tail.drain(..self.tail.floor_char_boundary(cut));
            self.settled_tail = self.tail.len();
        }
        Ok(found && find_stop(&self.tokenizer.decode(ids)?, &self.stops).is_some())
    }
}
