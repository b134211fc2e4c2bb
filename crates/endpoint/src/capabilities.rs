//! What a server turned out not to take, learnt from its refusals.
//!
//! Servers differ in what they accept: vLLM takes four stop strings at most
//! (`VLLM_MAX_STOP_STRINGS`, from 0.32 on), as OpenAI does, others take fewer or none; gateways
//! refuse `seed`, `logprobs` or `stream_options`; OpenAI's reasoning models want
//! `max_completion_tokens`. Whatever can be left out without another completion is left out once
//! the server has refused it, and asked for no more. What cannot be left out, such as a
//! temperature, stays, and the refusal is told.

use std::collections::BTreeSet;

/// Stop strings that are sent at most: what OpenAI, TGI and vLLM take. The client watches for all
/// of them.
pub(crate) const MAX_STOP_STRINGS: usize = 4;

/// What a server does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Capabilities {
    /// Stop strings that may be sent.
    pub(crate) max_stop_strings: usize,
    /// It wants `max_completion_tokens` in place of `max_tokens`, as OpenAI's reasoning models do.
    pub(crate) max_completion_tokens: bool,
    /// Fields that are left out.
    refused: BTreeSet<&'static str>,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            max_stop_strings: MAX_STOP_STRINGS,
            max_completion_tokens: false,
            refused: BTreeSet::new(),
        }
    }
}

impl Capabilities {
    /// Whether a field may be sent.
    pub(crate) fn takes(&self, field: &str) -> bool {
        !self.refused.contains(field)
    }

    /// The fields that were refused and are left out, `stop` among them where no stop string is
    /// sent at all.
    pub(crate) fn refused(&self) -> Vec<String> {
        let stop = (self.max_stop_strings == 0).then_some("stop");
        self.refused
            .iter()
            .copied()
            .chain(stop)
            .map(str::to_string)
            .collect()
    }

    /// Learns from a refusal what the server does not take; whether another request makes sense.
    ///
    /// `asked` is what was known when the refused request was made: another prompt may have learnt
    /// the same meanwhile. `optional` are the fields of that request whose absence changes no
    /// completion, and `stop_strings` how many stop strings it held.
    pub(crate) fn learn(
        &mut self,
        reason: &str,
        asked: &Self,
        optional: &[&'static str],
        stop_strings: usize,
    ) -> bool {
        if !asked.max_completion_tokens && names(reason, "max_completion_tokens") {
            self.max_completion_tokens = true;
            return true;
        }
        if stop_strings > 0 && (names(reason, "stop") || names(reason, "stop_sequences")) {
            self.max_stop_strings = self.max_stop_strings.min(stop_strings / 2);
            return true;
        }
        // The longest name first: `stream_options` before `stream`.
        let mut named: Vec<&'static str> = optional
            .iter()
            .copied()
            .filter(|field| names(reason, field))
            .collect();
        named.sort_by_key(|field| std::cmp::Reverse(field.len()));
        self.refused.extend(&named);
        !named.is_empty()
    }
}

/// Whether a text names a field: as a word of its own, so that `stop` is not found in
/// `stop_reason`.
fn names(text: &str, field: &str) -> bool {
    let is_part = |letter: Option<char>| {
        letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
    };
    text.match_indices(field).any(|(at, _)| {
        !is_part(text[..at].chars().next_back())
            && !is_part(text[at + field.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is learnt from one refusal of a request with these optional fields and so many stop
    /// strings.
    fn learnt(
        reason: &str,
        optional: &[&'static str],
        stop_strings: usize,
    ) -> (bool, Capabilities) {
        let mut capabilities = Capabilities::default();
        let again = capabilities.learn(reason, &Capabilities::default(), optional, stop_strings);
        (again, capabilities)
    }

    #[test]
    fn stop_strings_become_fewer_and_then_none() {
        let mut capabilities = Capabilities::default();
        let mut sent = Vec::new();
        for _ in 0..3 {
            let asked = capabilities.clone();
            sent.push(asked.max_stop_strings);
            assert!(capabilities.learn("stop: too many", &asked, &[], asked.max_stop_strings));
        }
        assert_eq!((sent, capabilities.max_stop_strings), (vec![4, 2, 1], 0));
        assert!(!capabilities.learn("stop: too many", &capabilities.clone(), &[], 0));
        assert_eq!(capabilities.refused(), ["stop"]);
    }

    #[test]
    fn a_refusal_that_two_requests_met_is_learnt_once() {
        let mut capabilities = Capabilities::default();
        let asked = capabilities.clone();
        assert!(capabilities.learn("stop: too many", &asked, &[], 4));
        assert!(capabilities.learn("stop: too many", &asked, &[], 4));
        assert_eq!(capabilities.max_stop_strings, 2);
    }

    #[test]
    fn fields_are_left_out_where_they_are_named_as_words_and_may_be_left_out() {
        let (again, capabilities) =
            learnt("Unsupported parameter: 'seed'", &["seed", "logprobs"], 0);
        assert!(again && !capabilities.takes("seed") && capabilities.takes("logprobs"));
        let (again, capabilities) = learnt(
            "stream_options is not permitted",
            &["stream_options", "stream"],
            0,
        );
        assert!(again && capabilities.takes("stream") && !capabilities.takes("stream_options"));
        assert!(!learnt("temperature must be 1", &["seed"], 4).0);
        assert!(!learnt("stop_reason: unknown", &["seed"], 4).0);
        assert!(!learnt("no such stop", &[], 0).0);
    }

    #[test]
    fn the_other_name_of_the_limit_is_taken_where_it_is_named() {
        let reason = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
        assert!(learnt(reason, &[], 0).1.max_completion_tokens);
        assert!(!learnt("max_tokens is too large", &[], 0).0);
    }
}
