//! A server's response, as chunks of a stream or whole, to a text and its finish reason.
//!
//! Known differences between servers: vLLM names in `stop_reason` and SGLang in `matched_stop`
//! which stop string ended a text; OpenAI and llama.cpp say `stop` for that and for the
//! end-of-sequence token alike, which then counts as the latter; TGI has finish reasons of its own
//! and leaves the stop string in the text; usage comes with the last chunk, or in a chunk without
//! choices, or never.

use generation::FinishReason;
use serde::Deserialize;
use serde_json::Value;

use crate::request_error::{RequestError, RequestErrorKind};
use crate::stop::StoppedText;

/// A chunk of a stream, or a whole response.
#[derive(Debug, Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Option<Vec<Choice>>,
    #[serde(default)]
    usage: Option<Usage>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    #[serde(default)]
    index: u32,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    delta: Option<Message>,
    #[serde(default)]
    message: Option<Message>,
    #[serde(default)]
    logprobs: Option<Logprobs>,
    #[serde(default)]
    finish_reason: Option<String>,
    #[serde(default)]
    stop_reason: Option<Value>,
    #[serde(default)]
    matched_stop: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Message {
    #[serde(default)]
    content: Option<Value>,
    /// The thinking before the answer, in the field of vLLM, SGLang and llama.cpp: kept beside the
    /// text of the completion, and no part of it.
    #[serde(default)]
    reasoning_content: Option<Value>,
    /// The same under its newer name; some servers send both.
    #[serde(default)]
    reasoning: Option<Value>,
    #[serde(default)]
    refusal: Option<String>,
}

/// Of the tokens of a chunk: a list of numbers on `/v1/completions`, a list of objects in chats,
/// and with llama.cpp on both routes.
#[derive(Debug, Deserialize)]
struct Logprobs {
    #[serde(default)]
    token_logprobs: Option<Vec<Option<f32>>>,
    #[serde(default)]
    content: Option<Vec<TokenLogprob>>,
}

#[derive(Debug, Deserialize)]
struct TokenLogprob {
    #[serde(default)]
    logprob: Option<f32>,
}

impl Logprobs {
    fn into_numbers(self) -> impl Iterator<Item = f32> {
        let numbers = self.token_logprobs.into_iter().flatten();
        numbers
            .chain(
                self.content
                    .into_iter()
                    .flatten()
                    .map(|token| token.logprob),
            )
            .flatten()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: Option<usize>,
    #[serde(default)]
    completion_tokens: Option<usize>,
    #[serde(default)]
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
struct CompletionDetails {
    #[serde(default)]
    reasoning_tokens: Option<usize>,
}

/// A completion, as the server gave it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ServerCompletion {
    pub(crate) text: String,
    pub(crate) finish_reason: FinishReason,
    /// The server's own count, where it gave one.
    pub(crate) prompt_tokens: Option<usize>,
    /// The server's own count, else the chunks of text that it sent.
    pub(crate) completion_tokens: usize,
    /// Whether `completion_tokens` is the server's count.
    pub(crate) is_counted: bool,
    /// Log-probabilities of the new tokens, where the server gave any.
    pub(crate) logprobs: Option<Vec<f32>>,
    /// The thinking, where the server told it apart.
    pub(crate) thinking: Option<String>,
    /// The server's own count of its tokens, else the chunks of it where chunks are tokens.
    pub(crate) thinking_tokens: Option<usize>,
    /// Why the text is no completion although it was finished.
    pub(crate) error: Option<String>,
}

/// Whether more is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// More may come.
    Continue {
        /// Chunks of text that came.
        chunks: usize,
    },
    /// Everything is there.
    Done,
}

/// Assembles one completion from its chunks.
#[derive(Debug)]
pub(crate) struct ResponseBuilder<'a> {
    text: StoppedText<'a>,
    stops: &'a [String],
    chunks: usize,
    thinking: String,
    thinking_chunks: usize,
    usage: Option<Usage>,
    finish: Option<Finish>,
    refusal: bool,
    logprobs: Vec<f32>,
}

#[derive(Debug, PartialEq, Eq)]
enum Finish {
    /// A stop string was found here.
    StopString,
    /// The server's finish reason, and whether it named a stop string of the request.
    Reported {
        reason: String,
        by_stop_string: bool,
    },
}

impl<'a> ResponseBuilder<'a> {
    pub(crate) fn new(stops: &'a [String]) -> Self {
        Self {
            text: StoppedText::new(stops),
            stops,
            chunks: 0,
            thinking: String::new(),
            thinking_chunks: 0,
            usage: None,
            finish: None,
            refusal: false,
            logprobs: Vec::new(),
        }
    }

    /// Adds the data of one event, or the body of a response that is not streamed.
    pub(crate) fn push(&mut self, data: &str) -> Result<Step, RequestError> {
        if data.trim() == "[DONE]" {
            return Ok(Step::Done);
        }
        let chunk: Chunk = serde_json::from_str(data).map_err(|error| {
            RequestError::broken(format!(
                "the server sent what is no JSON of an answer: {error}"
            ))
        })?;
        if let Some(error) = chunk.error.filter(|error| !error.is_null()) {
            return Err(reported(&error));
        }
        // Before the choices: a stop string that is found in them ends the reading.
        if chunk.usage.is_some() {
            self.usage = chunk.usage;
        }
        let before = self.chunks;
        for choice in chunk
            .choices
            .into_iter()
            .flatten()
            .filter(|choice| choice.index == 0)
        {
            if self.push_choice(choice) {
                return Ok(Step::Done);
            }
        }
        Ok(Step::Continue {
            chunks: self.chunks - before,
        })
    }

    /// True where a stop string was found here.
    fn push_choice(&mut self, choice: Choice) -> bool {
        self.logprobs
            .extend(choice.logprobs.into_iter().flat_map(Logprobs::into_numbers));
        let message = choice.delta.or(choice.message);
        self.refusal |= message
            .as_ref()
            .is_some_and(|message| message.refusal.is_some());
        let thoughts = message
            .iter()
            .flat_map(|message| [&message.reasoning_content, &message.reasoning])
            .flatten();
        // One chunk, also where a server sends the same thought under both names.
        let thought = thoughts
            .map(content_text)
            .find(|thought| !thought.is_empty());
        if let Some(thought) = thought {
            self.chunks += 1;
            self.thinking_chunks += 1;
            self.thinking.push_str(&thought);
        }
        let content = message
            .and_then(|message| message.content)
            .map(|content| content_text(&content));
        let chunk = choice.text.or(content).unwrap_or_default();
        if !chunk.is_empty() {
            self.chunks += 1;
            if self.text.push(&chunk) {
                // Usage would come with the server's own end only, which may be far: the count is
                // then that of the chunks.
                self.finish = Some(Finish::StopString);
                return true;
            }
        }
        if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
            let mut named = [choice.stop_reason, choice.matched_stop]
                .into_iter()
                .flatten();
            // These fields may also name an end-of-sequence token, by id or by text: only a string
            // of the request is a stop string.
            let is_ours = |value: Value| {
                value
                    .as_str()
                    .is_some_and(|name| self.stops.iter().any(|stop| stop == name))
            };
            let by_stop_string = named.any(is_ours);
            self.finish = Some(Finish::Reported {
                reason,
                by_stop_string,
            });
        }
        false
    }

    /// Whether the finish reason is there, so that nothing of the text is missing.
    pub(crate) fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// The server's count; without one the chunks of thinking, where each chunk is a token.
    fn thinking_tokens(&self) -> Option<usize> {
        let details = self.usage.and_then(|usage| usage.completion_tokens_details);
        if let Some(counted) = details.and_then(|details| details.reasoning_tokens) {
            return (counted > 0).then_some(counted);
        }
        let counted = self.usage.and_then(|usage| usage.completion_tokens);
        // The end-of-sequence token and marks are counted and sent in no chunk.
        const UNSENT: usize = 4;
        let are_tokens =
            counted.is_none_or(|counted| (self.chunks..=self.chunks + UNSENT).contains(&counted));
        (self.thinking_chunks > 0 && are_tokens).then_some(self.thinking_chunks)
    }

    /// The completion, where its end was reached.
    pub(crate) fn finish(self) -> Result<ServerCompletion, RequestError> {
        let thinking_tokens = self.thinking_tokens();
        let (finish_reason, error) = match self.finish {
            None => {
                // `[DONE]` without a finish reason is no end either: nothing says that the text is
                // whole.
                return Err(RequestError::new(
                    RequestErrorKind::Truncated,
                    "the answer broke off before its end",
                ));
            }
            Some(Finish::StopString) => (FinishReason::Stop, None),
            Some(Finish::Reported {
                reason,
                by_stop_string,
            }) => match reason.as_str() {
                "stop" | "eos" | "eos_token" | "end_turn" if by_stop_string => {
                    (FinishReason::Stop, None)
                }
                "stop" | "eos" | "eos_token" | "end_turn" => (FinishReason::Eos, None),
                "stop_sequence" => (FinishReason::Stop, None),
                "length" | "max_tokens" | "model_length" => (FinishReason::Length, None),
                // The server gave up, and not the model: another attempt may bring the answer.
                "abort" | "error" => {
                    return Err(RequestError::broken(format!(
                        "the server gave the answer up (finish_reason {reason})"
                    )));
                }
                "content_filter" => {
                    let error = "the server's content filter withheld the answer (finish_reason content_filter)";
                    (FinishReason::Error, Some(error.to_string()))
                }
                other => {
                    let shown: String = other.chars().take(60).collect();
                    (
                        FinishReason::Error,
                        Some(format!("unknown finish reason: {shown}")),
                    )
                }
            },
        };
        // A refusal beside a text changes nothing: the text is an answer, to be judged as one.
        let refused = self.refusal && self.text.is_empty() && error.is_none();
        let (finish_reason, error) = match refused {
            true => (
                FinishReason::Error,
                Some("the model refused to answer (refusal)".to_string()),
            ),
            false => (finish_reason, error),
        };
        let counted = self.usage.and_then(|usage| usage.completion_tokens);
        Ok(ServerCompletion {
            text: self.text.into_text(),
            finish_reason,
            prompt_tokens: self.usage.and_then(|usage| usage.prompt_tokens),
            completion_tokens: counted.unwrap_or(self.chunks),
            is_counted: counted.is_some(),
            logprobs: (!self.logprobs.is_empty()).then_some(self.logprobs),
            thinking_tokens,
            thinking: (!self.thinking.is_empty()).then_some(self.thinking),
            error,
        })
    }
}

/// A message's content: a text, or a list of parts of which those of type `text` count.
fn content_text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part["text"].as_str())
            .collect(),
        _ => String::new(),
    }
}

/// An error in place of a chunk: one with a code of the client's fault is final.
fn reported(error: &Value) -> RequestError {
    let message = message_of(error).unwrap_or_else(|| error.to_string());
    let reason = format!("the server reported an error: {message}");
    // The HTTP status was 200 by then: the code in the error stands for it.
    let kind = match error["code"].as_u64() {
        Some(429 | 503) => RequestErrorKind::Throttled,
        Some(code @ (400 | 401 | 403 | 404 | 422)) => RequestErrorKind::Rejected(code as u16),
        _ => RequestErrorKind::Broken,
    };
    RequestError {
        message,
        ..RequestError::new(kind, reason)
    }
}

/// What an error's JSON says in words.
pub(crate) fn message_of(error: &Value) -> Option<String> {
    let places = [
        &error["error"]["message"],
        &error["message"],
        &error["detail"],
        &error["error"],
        error,
    ];
    places
        .into_iter()
        .find_map(|place| place.as_str().map(str::to_string))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(events: &[&str], stops: &[&str]) -> Result<ServerCompletion, RequestError> {
        let stops: Vec<String> = stops.iter().map(|stop| stop.to_string()).collect();
        let mut response = ResponseBuilder::new(&stops);
        for event in events {
            if response.push(event)? == Step::Done {
                break;
            }
        }
        response.finish()
    }

    fn finish_of(choice: &str) -> (FinishReason, bool) {
        let answer = read(&[&format!(r#"{{"choices":[{choice}]}}"#)], &["###"]).unwrap();
        (answer.finish_reason, answer.error.is_some())
    }

    #[test]
    fn both_routes_streamed_or_not_are_understood() {
        let whole = ServerCompletion {
            text: "4 apples".into(),
            finish_reason: FinishReason::Eos,
            prompt_tokens: Some(7),
            completion_tokens: 3,
            is_counted: true,
            logprobs: None,
            thinking: None,
            thinking_tokens: None,
            error: None,
        };
        for events in [
            vec![
                r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":null}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"content":"4 "},"finish_reason":null}]}"#,
                r#"{"choices":[{"index":0,"delta":{"content":"apples"},"finish_reason":"stop"}]}"#,
                r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#,
                "[DONE]",
            ],
            vec![
                r#"{"choices":[{"text":"4 "}],"usage":null}"#,
                r#"{"choices":[{"text":"apples","finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#,
            ],
            vec![
                r#"{"choices":[{"message":{"content":"4 apples"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}"#,
            ],
            vec![
                r#"{"choices":[{"message":{"content":[{"type":"thinking","thinking":[]},{"type":"text","text":"4 apples"}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#,
            ],
            vec![
                r#"{"choices":[{"index":1,"text":"other"},{"index":0,"text":"4 apples","finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#,
            ],
        ] {
            assert_eq!(read(&events, &[]), Ok(whole.clone()), "{events:?}");
        }
    }

    #[test]
    fn log_probabilities_are_read_in_each_form() {
        for chunks in [
            [
                r#"{"choices":[{"text":"4 ","logprobs":{"tokens":["4"," "],"token_logprobs":[-0.5,-1.25],"top_logprobs":null}}]}"#,
                r#"{"choices":[{"text":"a","finish_reason":"stop","logprobs":{"token_logprobs":[-2]}}]}"#,
            ],
            [
                r#"{"choices":[{"delta":{"content":"4 "},"logprobs":{"content":[{"token":"4","logprob":-0.5},{"token":" ","logprob":-1.25}]}}]}"#,
                r#"{"choices":[{"delta":{"content":"a"},"finish_reason":"stop","logprobs":{"content":[{"logprob":-2.0}]}}]}"#,
            ],
        ] {
            assert_eq!(
                read(&chunks, &[]).unwrap().logprobs,
                Some(vec![-0.5, -1.25, -2.0])
            );
        }
        let without = [r#"{"choices":[{"text":"4","finish_reason":"stop","logprobs":null}]}"#];
        assert_eq!(read(&without, &[]).unwrap().logprobs, None);
    }

    #[test]
    fn every_finish_reason_has_its_meaning() {
        for (choice, expected) in [
            (
                r#"{"text":"a","finish_reason":"stop"}"#,
                (FinishReason::Eos, false),
            ),
            (
                r####"{"text":"a","finish_reason":"stop","stop_reason":"###"}"####,
                (FinishReason::Stop, false),
            ),
            (
                r#"{"text":"a","finish_reason":"stop","stop_reason":2}"#,
                (FinishReason::Eos, false),
            ),
            (
                r####"{"text":"a","finish_reason":"stop","matched_stop":"###"}"####,
                (FinishReason::Stop, false),
            ),
            (
                r#"{"text":"a","finish_reason":"stop","matched_stop":"</s>"}"#,
                (FinishReason::Eos, false),
            ),
            (
                r#"{"text":"a","finish_reason":"eos_token"}"#,
                (FinishReason::Eos, false),
            ),
            (
                r####"{"text":"a###","finish_reason":"stop_sequence"}"####,
                (FinishReason::Stop, false),
            ),
            (
                r#"{"text":"a","finish_reason":"stop_sequence"}"#,
                (FinishReason::Stop, false),
            ),
            (
                r#"{"text":"a","finish_reason":"length"}"#,
                (FinishReason::Length, false),
            ),
            (
                r#"{"text":"","finish_reason":"content_filter"}"#,
                (FinishReason::Error, true),
            ),
            (
                r#"{"message":{},"finish_reason":"tool_calls"}"#,
                (FinishReason::Error, true),
            ),
            (
                r#"{"message":{"content":null,"refusal":"no"},"finish_reason":"stop"}"#,
                (FinishReason::Error, true),
            ),
        ] {
            assert_eq!(finish_of(choice), expected, "{choice}");
        }
    }

    #[test]
    fn thoughts_are_counted_and_no_part_of_the_answer() {
        for names in [
            &["reasoning_content"][..],
            &["reasoning"],
            &["reasoning", "reasoning_content"],
        ] {
            let thoughts: String = names
                .iter()
                .map(|name| format!(r#","{name}":"2 + 2 ...""#))
                .collect();
            let thought = format!(r#"{{"choices":[{{"delta":{{"content":null{thoughts}}}}}]}}"#);
            let answer = read(
                &[
                    &thought,
                    r#"{"choices":[{"delta":{"content":"4"},"finish_reason":"stop"}]}"#,
                ],
                &["+"],
            )
            .unwrap();
            assert_eq!(
                (answer.text.as_str(), answer.completion_tokens),
                ("4", 2),
                "{names:?}"
            );
            // Kept beside it, once, and counted apart.
            assert_eq!(answer.thinking.as_deref(), Some("2 + 2 ..."), "{names:?}");
            assert_eq!(answer.thinking_tokens, Some(1), "{names:?}");
        }
    }

    #[test]
    fn the_servers_own_count_of_thinking_comes_first_and_chunks_count_where_they_are_tokens() {
        let thought = r#"{"choices":[{"delta":{"reasoning_content":"so ..."}}]}"#;
        let answer = r#"{"choices":[{"delta":{"content":"4"},"finish_reason":"stop"}]}"#;
        let tokens = |usage: &str| {
            let usage = format!(r#"{{"choices":[],"usage":{usage}}}"#);
            read(&[thought, answer, &usage], &[])
                .unwrap()
                .thinking_tokens
        };
        let details =
            r#"{"completion_tokens":90,"completion_tokens_details":{"reasoning_tokens":70}}"#;
        assert_eq!(tokens(details), Some(70));
        // An end-of-sequence token and a mark are counted and not sent.
        assert_eq!(tokens(r#"{"completion_tokens":4}"#), Some(1));
        // A chunk of many tokens tells nothing.
        assert_eq!(tokens(r#"{"completion_tokens":90}"#), None);
        assert_eq!(read(&[answer], &[]).unwrap().thinking_tokens, None);
    }

    #[test]
    fn a_stop_string_that_the_server_does_not_know_cuts_the_text() {
        let events = [
            r#"{"choices":[{"text":"4\n#"}]}"#,
            r####"{"choices":[{"text":"## next"}]}"####,
            "never read",
        ];
        let answer = read(&events, &["###"]).unwrap();
        assert_eq!(
            (answer.text.as_str(), answer.finish_reason),
            ("4\n", FinishReason::Stop)
        );
        assert_eq!(
            (
                answer.prompt_tokens,
                answer.completion_tokens,
                answer.is_counted
            ),
            (None, 2, false)
        );
    }

    #[test]
    fn what_broke_off_or_failed_is_no_answer() {
        for (events, is_transient) in [
            (vec![r#"{"choices":[{"text":"4"}]}"#], true),
            (vec![r#"{"choices":[{"text":"4"}]}"#, "[DONE]"], true),
            (vec![r#"{"choices":[]}"#], true),
            (vec![r#"{"choices":[{"te"#], true),
            (vec!["<html>"], true),
            (
                vec![r#"{"error":{"message":"CUDA error","code":500}}"#],
                true,
            ),
            (
                vec![r#"{"error":{"message":"slow down","code":429}}"#],
                true,
            ),
            (
                vec![r#"{"error":{"message":"too long","code":400}}"#],
                false,
            ),
            (
                vec![r#"{"choices":[{"text":"4","finish_reason":"abort"}]}"#],
                true,
            ),
        ] {
            let error = read(&events, &[]).unwrap_err();
            assert_eq!(error.is_transient(), is_transient, "{events:?}: {error:?}");
        }
    }
}
