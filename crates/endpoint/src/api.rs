//! The routes that complete prompts.

/// Which route answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// `/v1/completions`: the model continues the prompt's text as it stands.
    Completions,
    /// `/v1/chat/completions`: the prompt's text becomes the message of a user, and the server
    /// applies the model's chat template.
    Chat,
}

impl Api {
    /// `completions` or `chat`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Completions => "completions",
            Self::Chat => "chat",
        }
    }

    pub(crate) fn route(self) -> &'static str {
        match self {
            Self::Completions => "completions",
            Self::Chat => "chat/completions",
        }
    }
}
