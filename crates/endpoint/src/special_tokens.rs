//! Whether the server prepends a beginning-of-sequence token to a prompt that has one already.
//!
//! A chat template that was rendered here writes its special tokens out, and must be read as it
//! stands. vLLM has a parameter for that (`add_special_tokens: false`). Other servers add what their
//! tokenizer adds: where that is a beginning-of-sequence token, the written one is left out, and
//! where it is none, as with SmolLM2 whose first mark `<|im_start|>` is its beginning-of-sequence
//! token, it must stay. Which of both it is follows from how many tokens the server finds in that
//! token's text alone; it is never guessed.

/// Who adds the special tokens of prompts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SpecialTokens {
    /// Prompts are plain texts: the server adds what its tokenizer begins a text with.
    #[default]
    AddedByServer,
    /// Prompts have them written out, as a chat template does.
    InPrompt {
        /// Text of the beginning-of-sequence token, where the template's tokenizer names one.
        bos: Option<String>,
    },
}

/// How prompts are sent so that the server reads the special tokens that are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum SpecialTokenMode {
    /// As they are, and the server adds its own.
    #[default]
    Plain,
    /// As they are: the server adds none.
    AsWritten,
    /// As they are, with the parameter to add none.
    AddNone,
    /// Without this text at the beginning: the server adds it.
    Without(String),
}

impl SpecialTokenMode {
    /// The text that is sent for a prompt.
    pub(crate) fn sent<'a>(&self, prompt: &'a str) -> &'a str {
        match self {
            Self::Without(bos) => prompt.strip_prefix(bos.as_str()).unwrap_or(prompt),
            Self::Plain | Self::AsWritten | Self::AddNone => prompt,
        }
    }

    /// Whether the server is left to add special tokens.
    pub(crate) fn adds(&self) -> bool {
        *self != Self::AddNone
    }

    /// For the manifest; `None` where nothing is special.
    pub(crate) fn describe(&self) -> Option<String> {
        match self {
            Self::Plain => None,
            Self::AsWritten => Some("as the prompt writes them: the server adds none".to_string()),
            Self::AddNone => {
                Some("as the prompt writes them: add_special_tokens is false".to_string())
            }
            Self::Without(bos) => Some(format!(
                "{bos:?} by the server, others as the prompt writes them"
            )),
        }
    }

    /// What is to be said of prompts that the server begins with a token that they do not have.
    pub(crate) fn warning<'a>(&self, mut prompts: impl Iterator<Item = &'a str>) -> Option<String> {
        let Self::Without(bos) = self else {
            return None;
        };
        prompts.any(|prompt| !prompt.starts_with(bos.as_str())).then(|| {
            format!(
                "the server prepends {bos:?} to prompts, and the chat template does not write it: completions may differ from those of \
                 a checkpoint that is asked with the template alone"
            )
        })
    }
}
