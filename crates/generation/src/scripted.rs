//! A generator for tests that replies by a script.

use std::collections::BTreeMap;

use crate::{
    Completion, Decoding, Event, FinishReason, GenerationError, Generator, GeneratorInfo, Prompt,
    PromptIssue,
};

/// What becomes of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptedReply {
    /// A completion with this text that ended for this reason.
    Text(String, FinishReason),
    /// Generation fails for this prompt, for this reason.
    Failure(String),
}

impl From<&str> for ScriptedReply {
    fn from(text: &str) -> Self {
        text.to_string().into()
    }
}

impl From<String> for ScriptedReply {
    fn from(text: String) -> Self {
        Self::Text(text, FinishReason::Eos)
    }
}

impl From<(String, FinishReason)> for ScriptedReply {
    fn from((text, finish_reason): (String, FinishReason)) -> Self {
        Self::Text(text, finish_reason)
    }
}

impl From<Result<String, String>> for ScriptedReply {
    fn from(reply: Result<String, String>) -> Self {
        reply.map_or_else(Self::Failure, Self::from)
    }
}

/// Replies by a function of the prompt, the last prompt first: the order of completions must not
/// matter to anybody.
pub struct Scripted<'a> {
    /// What it replies to a prompt.
    pub reply: Box<dyn FnMut(&Prompt) -> ScriptedReply + 'a>,
    /// Its name, which is also the digest of its weights.
    pub name: String,
    /// Prompts that were replied to.
    pub asked: Vec<Prompt>,
    /// Completions after which the backend fails.
    pub fails_after: usize,
    /// Prompts of more bytes do not fit.
    pub max_prompt_bytes: usize,
    /// New tokens that each completion counts.
    pub completion_tokens: usize,
    /// Whether it reports the token ids of prompts: 1, and the number of bytes.
    pub reports_token_ids: bool,
}

impl<'a> Scripted<'a> {
    /// Replies by this function, without end.
    pub fn new<R: Into<ScriptedReply>>(mut reply: impl FnMut(&Prompt) -> R + 'a) -> Self {
        Self {
            reply: Box::new(move |prompt| reply(prompt).into()),
            name: "scripted".to_string(),
            asked: Vec::new(),
            fails_after: usize::MAX,
            max_prompt_bytes: usize::MAX,
            completion_tokens: 1,
            reports_token_ids: false,
        }
    }

    /// With this name.
    pub fn named(self, name: &str) -> Self {
        let name = name.to_string();
        Self { name, ..self }
    }

    /// Ids of the prompts that were replied to.
    pub fn asked_ids(&self) -> Vec<&str> {
        self.asked.iter().map(|prompt| prompt.id.as_str()).collect()
    }

    fn completion(&mut self, index: usize, prompt: &Prompt) -> Completion {
        let (text, finish_reason, error) = match (self.reply)(prompt) {
            ScriptedReply::Text(text, finish_reason) => (text, finish_reason, None),
            ScriptedReply::Failure(error) => (String::new(), FinishReason::Error, Some(error)),
        };
        Completion {
            text,
            finish_reason,
            completion_tokens: self.completion_tokens,
            prompt_hash: "0".to_string(),
            ..Completion::failed(index, prompt.text.len(), error)
        }
    }
}

impl Generator for Scripted<'_> {
    fn info(&self) -> GeneratorInfo {
        GeneratorInfo {
            name: self.name.clone(),
            kind: "script".to_string(),
            details: BTreeMap::from([("weights_digest".to_string(), self.name.clone())]),
        }
    }

    fn check(&self, prompts: &[Prompt], _: &Decoding) -> Result<Vec<PromptIssue>, GenerationError> {
        let issue = |(index, prompt): (usize, &Prompt)| {
            let bytes = prompt.text.len();
            (bytes > self.max_prompt_bytes).then(|| PromptIssue {
                index,
                prompt_tokens: bytes,
                message: format!("{bytes} tokens, {} fit", self.max_prompt_bytes),
            })
        };
        Ok(prompts.iter().enumerate().filter_map(issue).collect())
    }

    fn token_ids(&self, prompts: &[Prompt]) -> Result<Option<Vec<Vec<u32>>>, GenerationError> {
        let ids = |prompt: &Prompt| vec![1, prompt.text.len() as u32];
        Ok(self
            .reports_token_ids
            .then(|| prompts.iter().map(ids).collect()))
    }

    fn generate(
        &mut self,
        prompts: &[Prompt],
        _: &Decoding,
        on_event: &mut dyn FnMut(Event) -> Result<(), GenerationError>,
    ) -> Result<(), GenerationError> {
        for (index, prompt) in prompts.iter().enumerate().rev() {
            if self.fails_after == 0 {
                return Err(GenerationError::Backend("the script ends here".into()));
            }
            self.fails_after -= 1;
            let completion = self.completion(index, prompt);
            self.asked.push(prompt.clone());
            // Tokens before their completion, as from an engine: a receiver that wants to stop does
            // so at tokens, when all that was finished before is recorded.
            on_event(Event::Decoded(self.completion_tokens))?;
            on_event(Event::Finished(completion))?;
        }
        Ok(())
    }
}
