//! Thinking that is ended after so many tokens, and what it took.

use generation::{
    Completion, Decoding, Event, FinishReason, GenerationError, Generator, GeneratorInfo, Prompt,
    PromptIssue, Thinking,
};

use dataset_loader::Benchmark;
use evaluation::{CompletionRecord, Grader, Verdict};

use crate::scripted::{plan, problems};

/// Writes a text word by word, a token a word, from where the prompt leaves off.
struct Writer {
    text: &'static str,
    calls: Vec<(String, usize)>,
}

impl Generator for Writer {
    fn info(&self) -> GeneratorInfo {
        GeneratorInfo {
            name: "writer".into(),
            kind: "script".into(),
            details: Default::default(),
        }
    }

    fn check(&self, _: &[Prompt], _: &Decoding) -> Result<Vec<PromptIssue>, GenerationError> {
        Ok(Vec::new())
    }

    fn generate(
        &mut self,
        prompts: &[Prompt],
        decoding: &Decoding,
        on_event: &mut dyn FnMut(Event) -> Result<(), GenerationError>,
    ) -> Result<(), GenerationError> {
        for (index, prompt) in prompts.iter().enumerate() {
            self.calls.push((prompt.text.clone(), decoding.max_tokens));
            // Behind a closing mark it goes on with its answer.
            let rest = match prompt.text.contains("</think>") {
                true => self
                    .text
                    .rsplit_once("</think>")
                    .map_or("", |(_, rest)| rest),
                false => self.text,
            };
            let words: Vec<&str> = rest.split_inclusive(' ').collect();
            let taken = words.len().min(decoding.max_tokens);
            let text = words[..taken].concat();
            let thinking_tokens = match Thinking::of(&prompt.text, &text) {
                Thinking::None => None,
                Thinking::Open(_) => Some(taken),
                Thinking::Closed { end } => Some(text[..end].split(' ').count()),
            };
            on_event(Event::Finished(Completion {
                text,
                finish_reason: match taken < words.len() {
                    true => FinishReason::Length,
                    false => FinishReason::Eos,
                },
                completion_tokens: taken,
                thinking_tokens,
                error: None,
                ..Completion::failed(index, 3, None)
            }))?;
        }
        Ok(())
    }
}

const TEXT: &str = "<think> a b c d e f g h </think> The answer is 0.";

/// A run over one problem: the run, what was asked, and the completion.
fn run(
    budget: Option<usize>,
    max_tokens: usize,
) -> (evaluation::Run, Vec<(String, usize)>, CompletionRecord) {
    let benchmark = Benchmark::published();
    let folder = tempfile::tempdir().unwrap();
    let mut asked = plan(problems(&benchmark, &[("gsm8k", 1)]));
    asked.decoding = Decoding::greedy(max_tokens);
    asked.thinking_budget = budget;
    let mut writer = Writer {
        text: TEXT,
        calls: Vec::new(),
    };
    let run = evaluation::run(
        &benchmark,
        &Grader::new(&benchmark),
        &asked,
        &mut writer,
        &folder.path().join("run"),
        &mut |_| std::ops::ControlFlow::Continue(()),
    )
    .unwrap();
    let completions = run.folder.completions().unwrap();
    assert_eq!(completions.len(), 1);
    let record = completions.into_values().next().unwrap();
    (run, writer.calls, record)
}

#[test]
fn thinking_is_counted_apart_and_the_answer_behind_it_is_judged() {
    let (run, calls, _) = run(None, 64);
    assert_eq!(calls.len(), 1);
    let set = &run.summary.sets[0];
    assert_eq!(set.counts.strict.correct, 1);
    let spent = set.tokens.expect("it thinks");
    assert_eq!(
        (spent.completions, spent.tokens, spent.thinking),
        (1, 14, 10)
    );
}

#[test]
fn thinking_beyond_its_budget_is_closed_and_the_answer_follows() {
    let (run, calls, _) = run(Some(4), 64);
    assert_eq!(calls.len(), 2);
    assert_eq!((calls[0].1, calls[1].1), (4, 60));
    assert!(
        calls[1].0.ends_with("<think> a b c\n</think>\n\n"),
        "{:?}",
        calls[1].0
    );
    let set = &run.summary.sets[0];
    assert_eq!(set.counts.strict.correct, 1);
    assert_eq!(set.tokens.expect("it thinks").thinking, 4);
    let text = &run.summary.deviations;
    assert!(
        text.iter()
            .any(|line| line == "thinking ended after 4 tokens"),
        "{text:?}"
    );
}

#[test]
fn what_ends_within_the_budget_is_asked_once() {
    let (run, calls, _) = run(Some(30), 64);
    assert_eq!(calls.len(), 1);
    assert_eq!(run.summary.sets[0].counts.strict.correct, 1);
}

#[test]
fn a_completion_cut_within_its_thinking_is_truncated_and_not_wrong() {
    let benchmark = Benchmark::published();
    let (run, _, record) = run(None, 5);
    let set = &run.summary.sets[0];
    assert_eq!((set.counts.truncated, set.counts.strict.correct), (1, 0));
    let problem = &problems(&benchmark, &[("gsm8k", 1)])[0];
    let verdict = Grader::new(&benchmark).judge(problem, &record);
    assert_eq!(verdict.strict.verdict, Verdict::Truncated);
}
