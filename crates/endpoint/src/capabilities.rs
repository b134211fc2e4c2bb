//! What a server turned out not to accept, learned from its rejections.
//!
//! Servers differ in what they accept: vLLM accepts four stop strings at most
//! (`VLLM_MAX_STOP_STRINGS`, from 0.32 on), as OpenAI does, others fewer or none; gateways
//! reject `seed`, `logprobs` or `stream_options`; OpenAI's reasoning models want
//! `max_completion_tokens`. Whatever can be omitted without changing a completion is omitted once
//! the server has rejected it. What cannot be omitted, such as a temperature, stays, and the
//! rejection is reported.

use std::collections::BTreeSet;

use crate::request::RESPONSE_FORMAT;

/// Stop strings that are sent at most: what OpenAI, TGI and vLLM accept. The client itself watches
/// for all of them.
pub(crate) const MAX_STOP_STRINGS: usize = 4;

/// What a server does not accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Capabilities {
    /// Stop strings that may be sent.
    pub(crate) max_stop_strings: usize,
    /// It wants `max_completion_tokens` in place of `max_tokens`, as OpenAI's reasoning models do.
    pub(crate) max_completion_tokens: bool,
    /// Fields that are omitted.
    rejected: BTreeSet<&'static str>,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            max_stop_strings: MAX_STOP_STRINGS,
            max_completion_tokens: false,
            rejected: BTreeSet::new(),
        }
    }
}

impl Capabilities {
    /// Whether a field may be sent.
    pub(crate) fn accepts(&self, field: &str) -> bool {
        !self.rejected.contains(field)
    }

    /// The fields that were rejected and are omitted, `stop` among them where no stop string is sent
    /// at all.
    pub(crate) fn rejected(&self) -> Vec<String> {
        let stop = (self.max_stop_strings == 0).then_some("stop");
        self.rejected
            .iter()
            .copied()
            .chain(stop)
            .map(str::to_string)
            .collect()
    }

    /// Learns from a rejection what the server does not accept; whether another request makes sense.
    ///
    /// `sent` is what was known when the rejected request was made: another prompt may have learned
    /// the same meanwhile. `optional` are the fields of that request whose absence changes no
    /// completion, and `stop_strings` how many stop strings it held.
    pub(crate) fn learn(
        &mut self,
        reason: &str,
        sent: &Self,
        optional: &[&'static str],
        stop_strings: usize,
    ) -> bool {
        if !sent.max_completion_tokens && names(reason, "max_completion_tokens") {
            self.max_completion_tokens = true;
            return true;
        }
        if stop_strings > 0 && (names(reason, "stop") || names(reason, "stop_sequences")) {
            // Half of what this request held and not of what is known now: requests in flight that
            // met the same refusal halve it once.
            self.max_stop_strings = self.max_stop_strings.min(stop_strings / 2);
            return true;
        }
        // The longest name first: `stream_options` before `stream`.
        let mut named: Vec<&'static str> = optional
            .iter()
            .copied()
            .filter(|field| is_refused(reason, field))
            .collect();
        named.sort_by_key(|field| std::cmp::Reverse(field.len()));
        self.rejected.extend(&named);
        // True also where another request has learned it meanwhile, since this one still had the
        // field. It ends: a field that is omitted is not among `optional` again.
        !named.is_empty()
    }

    /// Leaves a field out that was sent, where nothing says whether it is at fault; whether another
    /// request makes sense.
    pub(crate) fn try_without(&mut self, field: &'static str, sent: &[&'static str]) -> bool {
        let was_sent = sent.contains(&field);
        if was_sent {
            self.rejected.insert(field);
        }
        was_sent
    }
}

/// What servers call the schemas that a response is held to, beside the name of the field.
const FORMAT_WORDS: [&str; 6] = [
    "json_schema",
    "json schema",
    "structured output",
    "guided_json",
    "guided decoding",
    "grammar",
];

/// Whether a reason says that a field is not accepted.
fn is_refused(reason: &str, field: &str) -> bool {
    let of_format = || {
        let reason = reason.to_lowercase();
        FORMAT_WORDS.iter().any(|word| reason.contains(word))
    };
    names(reason, field) || field == RESPONSE_FORMAT && of_format()
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

    /// What is learned from one refusal of a request with these optional fields and so many stop
    /// strings.
    fn learned(
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
            let known = capabilities.clone();
            sent.push(known.max_stop_strings);
            assert!(capabilities.learn("stop: too many", &known, &[], known.max_stop_strings));
        }
        assert_eq!((sent, capabilities.max_stop_strings), (vec![4, 2, 1], 0));
        assert!(!capabilities.learn("stop: too many", &capabilities.clone(), &[], 0));
        assert_eq!(capabilities.rejected(), ["stop"]);
    }

    #[test]
    fn a_refusal_that_two_requests_met_is_learnt_once() {
        let mut capabilities = Capabilities::default();
        let sent = capabilities.clone();
        assert!(capabilities.learn("stop: too many", &sent, &[], 4));
        assert!(capabilities.learn("stop: too many", &sent, &[], 4));
        assert_eq!(capabilities.max_stop_strings, 2);
    }

    #[test]
    fn fields_are_left_out_where_they_are_named_as_words_and_may_be_left_out() {
        let (again, capabilities) =
            learned("Unsupported parameter: 'seed'", &["seed", "logprobs"], 0);
        assert!(again && !capabilities.accepts("seed") && capabilities.accepts("logprobs"));
        let (again, capabilities) = learned(
            "stream_options is not permitted",
            &["stream_options", "stream"],
            0,
        );
        assert!(again && capabilities.accepts("stream") && !capabilities.accepts("stream_options"));
        assert!(!learned("temperature must be 1", &["seed"], 4).0);
        assert!(!learned("stop_reason: unknown", &["seed"], 4).0);
        assert!(!learned("no such stop", &[], 0).0);
    }

    #[test]
    fn the_other_name_of_the_limit_is_taken_where_it_is_named() {
        let reason = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
        assert!(learned(reason, &[], 0).1.max_completion_tokens);
        assert!(!learned("max_tokens is too large", &[], 0).0);
    }
}
