//! A generator that answers by a function of the prompt, and can give up.

use std::collections::BTreeMap;

use generation::{
    Completion, Decoding, Event, FinishReason, GenerationError, Generator, GeneratorInfo, Prompt,
    PromptIssue,
};

/// The text of a completion, or why there is none.
pub type Reply = Result<String, String>;

/// Answers by a function of the prompt.
pub struct Script<'a> {
    pub answer: &'a dyn Fn(&Prompt) -> Reply,
    /// Prompts that were answered.
    pub asked: Vec<Prompt>,
    /// Completions after which it gives up.
    pub patience: usize,
    pub name: &'static str,
}

impl<'a> Script<'a> {
    pub fn new(answer: &'a dyn Fn(&Prompt) -> Reply) -> Self {
        Self {
            answer,
            asked: Vec::new(),
            patience: usize::MAX,
            name: "teacher",
        }
    }
}

impl Generator for Script<'_> {
    fn info(&self) -> GeneratorInfo {
        let details = BTreeMap::from([("weights".to_string(), self.name.to_string())]);
        GeneratorInfo {
            name: self.name.into(),
            kind: "script".into(),
            details,
        }
    }

    fn check(&self, _: &[Prompt], _: &Decoding) -> Result<Vec<PromptIssue>, GenerationError> {
        Ok(Vec::new())
    }

    fn generate(
        &mut self,
        prompts: &[Prompt],
        _: &Decoding,
        on_event: &mut dyn FnMut(Event) -> Result<(), GenerationError>,
    ) -> Result<(), GenerationError> {
        // Backwards: the order of completions must not matter.
        for (index, prompt) in prompts.iter().enumerate().rev() {
            if self.patience == 0 {
                return Err(GenerationError::Backend("gone".into()));
            }
            self.patience -= 1;
            let reply = (self.answer)(prompt);
            self.asked.push(prompt.clone());
            on_event(Event::Decoded(7))?;
            on_event(Event::Finished(Completion {
                index,
                text: reply.clone().unwrap_or_default(),
                finish_reason: if reply.is_ok() {
                    FinishReason::Eos
                } else {
                    FinishReason::Error
                },
                prompt_tokens: 100,
                completion_tokens: 7,
                prompt_hash: String::new(),
                token_ids: None,
                logprobs: None,
                error: reply.err(),
            }))?;
        }
        Ok(())
    }
}
