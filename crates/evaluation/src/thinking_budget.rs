//! A generator whose thinking is ended after so many tokens: by the model's own closing mark, behind
//! which it goes on with its answer.
//!
//! Every prompt is continued by at most the budget first. What has ended by then is final. What is
//! cut within its thinking gets the closing mark and goes on from there, up to the limit of the run.
//! What is cut elsewhere does not concern the budget: a checkpoint writes it once more without one,
//! from the same random numbers, so that it is the completion that there would be without a budget;
//! a server goes on behind its text. So the generator needs to know nothing of thinking.

use generation::{
    Completion, Decoding, Event, FinishReason, GenerationError, Generator, GeneratorInfo, KvMemory,
    Prompt, PromptIssue, ServingReport, Thinking,
};

/// The kind of generators that compute a checkpoint themselves.
const LOCAL: &str = "local";

/// See the module's words.
pub(crate) struct BudgetedThinking<'a> {
    inner: &'a mut dyn Generator,
    /// Tokens of thinking, at least 1.
    budget: usize,
}

/// A completion that goes on.
struct Cut {
    completion: Completion,
    /// The text so far, with the closing mark where the thinking was ended.
    text: String,
    /// Whether its thinking was ended.
    is_ended: bool,
}

impl<'a> BudgetedThinking<'a> {
    pub(crate) fn new(inner: &'a mut dyn Generator, budget: usize) -> Self {
        Self { inner, budget }
    }

    /// The first round: final completions are reported, the others come back.
    fn think(
        &mut self,
        prompts: &[Prompt],
        decoding: &Decoding,
        on_event: &mut dyn FnMut(Event) -> Result<(), GenerationError>,
    ) -> Result<Vec<Cut>, GenerationError> {
        let mut cut = Vec::new();
        let first = Decoding {
            max_tokens: self.budget.min(decoding.max_tokens),
            ..decoding.clone()
        };
        let goes_on = decoding.max_tokens > self.budget;
        self.inner
            .generate(prompts, &first, &mut |event| match event {
                // Beyond the budget there may be no room in the context: such a one is cut for good.
                Event::Finished(completion)
                    if goes_on
                        && completion.finish_reason == FinishReason::Length
                        && completion.completion_tokens >= first.max_tokens =>
                {
                    cut.push(Cut::of(&prompts[completion.index], completion));
                    Ok(())
                }
                event => on_event(event),
            })?;
        // In the order of the prompts, whatever order they finished in.
        cut.sort_by_key(|cut| cut.completion.index);
        Ok(cut)
    }
}

impl Cut {
    fn of(prompt: &Prompt, completion: Completion) -> Self {
        let mut text = completion.text.clone();
        let thinking = Thinking::of(&prompt.text, &text);
        if let Thinking::Open(mark) = thinking {
            text.truncate(text.trim_end().len());
            text.push_str(mark.forced_close);
        }
        Self {
            completion,
            text,
            is_ended: matches!(thinking, Thinking::Open(_)),
        }
    }

    /// The whole completion, with what came behind.
    fn joined(self, rest: Completion) -> Completion {
        let first = self.completion;
        Completion {
            index: first.index,
            text: self.text + &rest.text,
            finish_reason: rest.finish_reason,
            prompt_tokens: first.prompt_tokens,
            completion_tokens: first.completion_tokens + rest.completion_tokens,
            prompt_hash: first.prompt_hash,
            token_ids: None,
            logprobs: None,
            thinking: first.thinking.or(rest.thinking),
            thinking_tokens: first.thinking_tokens,
            error: rest.error,
        }
    }
}

impl Generator for BudgetedThinking<'_> {
    fn info(&self) -> GeneratorInfo {
        self.inner.info()
    }

    fn check(
        &self,
        prompts: &[Prompt],
        decoding: &Decoding,
    ) -> Result<Vec<PromptIssue>, GenerationError> {
        self.inner.check(prompts, decoding)
    }

    fn kv_memory(&self, tokens: usize) -> Option<KvMemory> {
        self.inner.kv_memory(tokens)
    }

    fn token_ids(&self, prompts: &[Prompt]) -> Result<Option<Vec<Vec<u32>>>, GenerationError> {
        self.inner.token_ids(prompts)
    }

    fn serving_report(&self) -> Option<ServingReport> {
        self.inner.serving_report()
    }

    fn generate(
        &mut self,
        prompts: &[Prompt],
        decoding: &Decoding,
        on_event: &mut dyn FnMut(Event) -> Result<(), GenerationError>,
    ) -> Result<(), GenerationError> {
        let cut = self.think(prompts, decoding, on_event)?;
        // A text that is cut between two words and read again may lose the blank between them: a
        // checkpoint's own tokens know better.
        let writes_again = self.inner.info().kind == LOCAL;
        let (again, behind): (Vec<Cut>, Vec<Cut>) = cut
            .into_iter()
            .partition(|cut| writes_again && !cut.is_ended);
        if !again.is_empty() {
            let places: Vec<usize> = again.iter().map(|cut| cut.completion.index).collect();
            let prompts: Vec<Prompt> = places.iter().map(|&index| prompts[index].clone()).collect();
            self.inner
                .generate(&prompts, decoding, &mut |event| match event {
                    Event::Finished(completion) => on_event(Event::Finished(Completion {
                        index: places[completion.index],
                        ..completion
                    })),
                    event => on_event(event),
                })?;
        }
        self.go_on_behind(prompts, decoding, behind, on_event)
    }
}

impl BudgetedThinking<'_> {
    /// Continues texts, up to the limit of the run.
    fn go_on_behind(
        &mut self,
        prompts: &[Prompt],
        decoding: &Decoding,
        cut: Vec<Cut>,
        on_event: &mut dyn FnMut(Event) -> Result<(), GenerationError>,
    ) -> Result<(), GenerationError> {
        if cut.is_empty() {
            return Ok(());
        }
        let continued: Vec<Prompt> = cut
            .iter()
            .map(|cut| {
                let prompt = &prompts[cut.completion.index];
                Prompt {
                    // Another id draws from other random numbers than the thinking did.
                    id: format!("{}#answer", prompt.id),
                    sample: prompt.sample,
                    text: format!("{}{}", prompt.text, cut.text),
                }
            })
            .collect();
        let rest = Decoding {
            max_tokens: decoding.max_tokens - self.budget,
            ..decoding.clone()
        };
        let mut waiting: Vec<Option<Cut>> = cut.into_iter().map(Some).collect();
        self.inner
            .generate(&continued, &rest, &mut |event| match event {
                Event::Finished(completion) => match waiting[completion.index].take() {
                    Some(first) => on_event(Event::Finished(first.joined(completion))),
                    None => Ok(()),
                },
                event => on_event(event),
            })
    }
}
