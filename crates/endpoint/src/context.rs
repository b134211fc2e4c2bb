//! What a rejection says about the context length.
//!
//! A server without a route that counts tokens still counts them when it rejects a request: it names
//! its context and the tokens of the prompt, in words of its own. The patterns are data, each held against the
//! words that a server was seen to use.

use std::sync::LazyLock;

use regex::Regex;

/// Where the length of the context stands.
const CONTEXT: [&str; 4] = [
    r"maximum (?:context|model) length (?:is|of) (\d+)",
    r"context (?:window|length|size) (?:of|is|\()\s*(\d+)",
    r"must be <= (\d+)",
    r"max_model_len[^0-9]{0,12}(\d+)",
];

/// Where the tokens of the prompt stand.
const PROMPT: [&str; 6] = [
    r"(\d+) in (?:the|your) (?:messages|prompt)",
    r"(?:has|passed|contains(?: at least)?) (\d+) (?:input |prompt )?tokens",
    r"(\d+) tokens from the input",
    r"Given: (\d+) `inputs` tokens",
    r"(?:prompt|input)[^0-9]{0,20}\((\d+)(?: tokens)?\)",
    r"request \((\d+) tokens\)",
];

/// Where prompt and new tokens stand together.
const TOTAL: [&str; 1] = [r"requested (?:a total of )?(\d+) tokens"];

fn compiled(patterns: &[&str]) -> Vec<Regex> {
    patterns
        .iter()
        .map(|pattern| Regex::new(pattern).expect("the patterns are valid"))
        .collect()
}

static CONTEXTS: LazyLock<Vec<Regex>> = LazyLock::new(|| compiled(&CONTEXT));
static PROMPTS: LazyLock<Vec<Regex>> = LazyLock::new(|| compiled(&PROMPT));
static TOTALS: LazyLock<Vec<Regex>> = LazyLock::new(|| compiled(&TOTAL));

/// A request that has more tokens than the context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ContextOverflow {
    /// Tokens that prompt and completion may have together.
    pub(crate) context: usize,
    /// Tokens of the prompt, where the server names them.
    pub(crate) prompt_tokens: Option<usize>,
}

impl ContextOverflow {
    /// Parses the rejection of a request for `max_tokens` new tokens; `None` where it is not about
    /// the context.
    pub(crate) fn parse(reason: &str, max_tokens: usize) -> Option<Self> {
        let context = number(&CONTEXTS, reason)?;
        let of_total = || number(&TOTALS, reason)?.checked_sub(max_tokens);
        Some(Self {
            context,
            prompt_tokens: number(&PROMPTS, reason).or_else(of_total),
        })
    }

    /// Fewer new tokens than the `max_tokens` that were rejected, where there is room for any. Where
    /// the server does not name the tokens of the prompt, one less than the context: it may clip
    /// them further, or name the prompt's when it rejects again.
    pub(crate) fn room(self, max_tokens: usize) -> Option<usize> {
        let room = self.context.checked_sub(self.prompt_tokens.unwrap_or(1))?;
        // Strictly fewer, or the same request would be made for ever.
        (1..max_tokens).contains(&room).then_some(room)
    }
}

fn number(patterns: &[Regex], text: &str) -> Option<usize> {
    let found = patterns.iter().find_map(|pattern| pattern.captures(text))?;
    found.get(1)?.as_str().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_each_server_are_understood() {
        for (words, context, prompt) in [
            // OpenAI
            (
                "This model's maximum context length is 2048 tokens. However, you requested 2348 tokens (300 in the messages, 2048 in the completion). Please reduce the length.",
                2048,
                Some(300),
            ),
            // vLLM
            (
                "'max_tokens' or 'max_completion_tokens' is too large: 2048. This model's maximum context length is 2048 tokens and your request has 300 input tokens (2048 > 2048 - 300).",
                2048,
                Some(300),
            ),
            (
                "This model's maximum context length is 512 tokens. However, you requested 500 output tokens and your prompt contains at least 13 input tokens",
                512,
                Some(13),
            ),
            (
                "This model's maximum context length is 2048 tokens. However, your prompt contains at least 2049 input tokens, which exceeds this limit even without any output tokens. Please reduce the length of the input prompt. (parameter=input_tokens, value=2049)",
                2048,
                Some(2049),
            ),
            (
                "max_tokens=2048 cannot be greater than max_model_len=512. Please request fewer output tokens. (parameter=max_tokens, value=2048)",
                512,
                None,
            ),
            // SGLang
            (
                "Requested token count exceeds the model's maximum context length of 2048 tokens. You requested a total of 2348 tokens: 300 tokens from the input messages and 2048 tokens for the completion.",
                2048,
                Some(300),
            ),
            // TGI
            (
                "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 300 `inputs` tokens and 2048 `max_new_tokens`",
                2048,
                Some(300),
            ),
            // llama.cpp
            (
                "request (3000 tokens) exceeds the available context size (2048 tokens), try increasing it",
                2048,
                Some(3000),
            ),
            // llama-cpp-python
            (
                "This model's maximum context length is 2048 tokens, however you requested 2614 tokens (2102 in your prompt; 512 for the completion). Please reduce your prompt; or completion length.",
                2048,
                Some(2102),
            ),
            // Only the sum
            (
                "maximum context length is 2048 tokens, however you requested 2348 tokens",
                2048,
                Some(300),
            ),
            (
                "Requested tokens (3000) exceed context window of 2048",
                2048,
                None,
            ),
        ] {
            let found = ContextOverflow::parse(words, 2048);
            assert_eq!(
                found,
                Some(ContextOverflow {
                    context,
                    prompt_tokens: prompt
                }),
                "{words}"
            );
        }
    }

    #[test]
    fn other_refusals_are_not_about_the_context() {
        for words in [
            "stop: List should have at most 4 items",
            "temperature must be 1",
            "a context is needed",
            "",
        ] {
            assert_eq!(ContextOverflow::parse(words, 2048), None, "{words}");
        }
    }

    #[test]
    fn the_room_is_what_the_prompt_leaves() {
        let room = |context, prompt_tokens| {
            ContextOverflow {
                context,
                prompt_tokens,
            }
            .room(2048)
        };
        assert_eq!(room(2048, Some(300)), Some(1748));
        assert_eq!(room(512, None), Some(511));
        assert_eq!(
            [
                room(2048, Some(2048)),
                room(2048, Some(3000)),
                room(4096, None),
                room(4096, Some(9))
            ],
            [None; 4]
        );
    }
}
