//! A generator that answers from a script.

use std::ops::ControlFlow;
use std::path::Path;

use dataset_loader::{Benchmark, Origin, Problem};
use evaluation::{Grader, LongPrompts, Plan, Protocol, Template};
use generation::{
    Completion, Decoding, Event, FinishReason, GenerationError, Generator, GeneratorInfo, Prompt,
    PromptIssue,
};

/// Answers each prompt with what `answer` says, last prompt first; stops with an error before the
/// item `fails_at`.
pub struct Scripted {
    pub answer: fn(&Prompt) -> (String, FinishReason),
    pub fails_at: Option<usize>,
    pub longest_prompt: usize,
    pub answered: Vec<String>,
}

impl Scripted {
    pub fn new(answer: fn(&Prompt) -> (String, FinishReason)) -> Self {
        Self {
            answer,
            fails_at: None,
            longest_prompt: usize::MAX,
            answered: Vec::new(),
        }
    }
}

impl Generator for Scripted {
    fn info(&self) -> GeneratorInfo {
        GeneratorInfo {
            name: "scripted".into(),
            kind: "script".into(),
            details: Default::default(),
        }
    }

    fn check(&self, prompts: &[Prompt], _: &Decoding) -> Result<Vec<PromptIssue>, GenerationError> {
        let too_long = |(index, prompt): (usize, &Prompt)| PromptIssue {
            index,
            prompt_tokens: prompt.text.len(),
            message: format!("{} tokens, {} fit", prompt.text.len(), self.longest_prompt),
        };
        Ok(prompts
            .iter()
            .enumerate()
            .filter(|(_, p)| p.text.len() > self.longest_prompt)
            .map(too_long)
            .collect())
    }

    fn generate(
        &mut self,
        prompts: &[Prompt],
        _: &Decoding,
        on_event: &mut dyn FnMut(Event) -> Result<(), GenerationError>,
    ) -> Result<(), GenerationError> {
        for (count, (index, prompt)) in prompts.iter().enumerate().rev().enumerate() {
            if self.fails_at == Some(count) {
                return Err(GenerationError::Backend("the script ends here".into()));
            }
            let (text, finish_reason) = (self.answer)(prompt);
            self.answered.push(prompt.id.clone());
            on_event(Event::Decoded(1))?;
            on_event(Event::Finished(Completion {
                index,
                text,
                finish_reason,
                prompt_tokens: prompt.text.len(),
                completion_tokens: 1,
                prompt_hash: "0".into(),
                token_ids: None,
                logprobs: None,
                error: None,
            }))?;
        }
        Ok(())
    }
}

/// Problems `task/0`, `task/1`, … whose references are their numbers.
pub fn problems(benchmark: &Benchmark, tasks: &[(&str, usize)]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (task, count) in tasks {
        let set = &benchmark.set_of_task(task).unwrap().name;
        problems.extend((0..*count).map(|number| Problem {
            id: format!("{task}/{number}"),
            set: set.clone(),
            task: (*task).to_string(),
            question: format!("Which number is {number}?"),
            reference: number.to_string(),
        }));
    }
    problems
}

/// A plan over these problems, as if they came from a file.
pub fn plan(problems: Vec<Problem>) -> Plan {
    Plan {
        problems,
        origin: Origin::Files {
            paths: vec!["data.jsonl".into()],
        },
        data_digest: "d".into(),
        template: Template::named("none").unwrap(),
        decoding: Decoding::greedy(64),
        protocol: Protocol::Official,
        limit: None,
        excluded: None,
        long_prompts: LongPrompts::Refuse,
        retry_failed: false,
        token_details: Default::default(),
        version: "test".into(),
        environment: Default::default(),
        tags: Default::default(),
    }
}

/// Runs a plan without looking at its progress.
pub fn run(
    plan: &Plan,
    generator: &mut Scripted,
    folder: &Path,
) -> Result<evaluation::Run, evaluation::Error> {
    let benchmark = Benchmark::published();
    evaluation::run(
        &benchmark,
        &Grader::new(&benchmark),
        plan,
        generator,
        folder,
        &mut |_| ControlFlow::Continue(()),
    )
}

/// The right answer to every problem.
pub fn right(prompt: &Prompt) -> (String, FinishReason) {
    let number = prompt
        .text
        .trim_start_matches("Which number is ")
        .trim_end_matches('?');
    (format!("The answer is {number}."), FinishReason::Eos)
}

/// A scripted generator with a name, and weights of its own.
pub struct Named<'a> {
    pub name: &'a str,
    pub inner: Scripted,
}

impl Generator for Named<'_> {
    fn info(&self) -> GeneratorInfo {
        let details = [("weights_digest".to_string(), self.name.to_string())].into();
        GeneratorInfo {
            name: self.name.to_string(),
            details,
            ..self.inner.info()
        }
    }

    fn check(
        &self,
        prompts: &[Prompt],
        decoding: &Decoding,
    ) -> Result<Vec<PromptIssue>, GenerationError> {
        self.inner.check(prompts, decoding)
    }

    fn generate(
        &mut self,
        prompts: &[Prompt],
        decoding: &Decoding,
        on_event: &mut dyn FnMut(Event) -> Result<(), GenerationError>,
    ) -> Result<(), GenerationError> {
        self.inner.generate(prompts, decoding, on_event)
    }
}

/// Runs a plan with a named generator.
pub fn run_named(
    plan: &Plan,
    generator: &mut Named<'_>,
    folder: &Path,
) -> Result<evaluation::Run, evaluation::Error> {
    let benchmark = Benchmark::published();
    evaluation::run(
        &benchmark,
        &Grader::new(&benchmark),
        plan,
        generator,
        folder,
        &mut |_| ControlFlow::Continue(()),
    )
}

/// The number at the end of a prompt's id.
pub fn number(prompt: &Prompt) -> usize {
    prompt
        .id
        .rsplit('/')
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap()
}
