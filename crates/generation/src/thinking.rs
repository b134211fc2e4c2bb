//! Thinking before an answer: where it stands in a completion, and how it is ended.

/// What opens and what closes the thinking of a model, and what is written to end it early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThinkingMark {
    /// What opens it.
    pub open: &'static str,
    /// What closes it.
    pub close: &'static str,
    /// What is written where it is ended early: the model's own closing mark, with what it writes
    /// around that.
    pub forced_close: &'static str,
}

/// The marks that reasoning models use: Qwen3, DeepSeek-R1 and their like; Mistral; harmony's
/// channels.
pub const THINKING_MARKS: [ThinkingMark; 4] = [
    ThinkingMark {
        open: "<think>",
        close: "</think>",
        forced_close: "\n</think>\n\n",
    },
    ThinkingMark {
        open: "[THINK]",
        close: "[/THINK]",
        forced_close: "[/THINK]",
    },
    ThinkingMark {
        open: "<|channel|>analysis<|message|>",
        close: "<|end|>",
        forced_close: "<|end|><|start|>assistant<|channel|>final<|message|>",
    },
    ThinkingMark {
        open: "<thinking>",
        close: "</thinking>",
        forced_close: "\n</thinking>\n\n",
    },
];

/// The thinking in a completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thinking {
    /// There is none.
    None,
    /// It was begun and is not closed.
    Open(ThinkingMark),
    /// It ends at this byte of the text, behind its closing mark.
    Closed {
        /// The byte.
        end: usize,
    },
}

impl Thinking {
    /// Of a completion of this prompt, which may have opened it. A closing mark alone closes
    /// thinking that the prompt of a server opened.
    pub fn of(prompt: &str, text: &str) -> Self {
        let prompt = prompt.trim_end();
        for mark in THINKING_MARKS {
            let begins = text.trim_start().starts_with(mark.open);
            if !begins && !prompt.ends_with(mark.open) {
                continue;
            }
            return match text.find(mark.close) {
                Some(at) => Self::Closed {
                    end: at + mark.close.len(),
                },
                None => Self::Open(mark),
            };
        }
        // `<|end|>` alone ends the turns of other models.
        let tags = || THINKING_MARKS.iter().filter(|mark| mark.close != "<|end|>");
        let opens = |end: usize| tags().any(|mark| text[..end].contains(mark.open));
        let closed = tags().find_map(|mark| {
            let at = text.find(mark.close).filter(|&at| !opens(at))?;
            Some(Self::Closed {
                end: at + mark.close.len(),
            })
        });
        closed.unwrap_or(Self::None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinking_is_found_in_every_mark() {
        let closed = |text: &str, end: &str| Thinking::Closed {
            end: text.find(end).unwrap() + end.len(),
        };
        for (prompt, text, end) in [
            ("", "<think>a</think>b", "</think>"),
            ("user\n<think>\n", "a</think>b", "</think>"),
            ("", "a</think>b", "</think>"),
            ("", "\n[THINK]a[/THINK]b", "[/THINK]"),
            ("", "<|channel|>analysis<|message|>a<|end|>b", "<|end|>"),
        ] {
            assert_eq!(Thinking::of(prompt, text), closed(text, end), "{text}");
        }
        for (prompt, text) in [
            ("", "<think>a"),
            ("<think>\n", "a"),
            ("", "[THINK]"),
            ("", "<|channel|>analysis<|message|>a"),
        ] {
            assert!(
                matches!(Thinking::of(prompt, text), Thinking::Open(_)),
                "{text}"
            );
        }
        for (prompt, text) in [
            ("", "The answer is 4."),
            ("<think>\n\n</think>\n\n", "The answer is 4."),
            ("", "4<|end|>"),
            ("", "I write <think>a</think> in the middle"),
            ("", ""),
        ] {
            assert_eq!(Thinking::of(prompt, text), Thinking::None, "{text}");
        }
    }
}
