//! Runs with a scripted generator.

use std::ops::ControlFlow;
use std::path::Path;

use dataset_loader::{Benchmark, DataOrigin, Problem};
use evaluation::{Grader, LongPrompts, Protocol, RunPlan, Template};
use generation::{Decoding, FinishReason, Prompt, Scripted};

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
pub fn plan(problems: Vec<Problem>) -> RunPlan {
    RunPlan {
        problems,
        origin: DataOrigin::Files {
            paths: vec!["data.jsonl".into()],
        },
        data_digest: "d".into(),
        template: Template::named("none").unwrap(),
        decoding: Decoding::greedy(64),
        protocol: Protocol::Official,
        limit: None,
        excluded: None,
        suites: Vec::new(),
        few_shot: None,
        thinking_budget: None,
        shard: None,
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
    plan: &RunPlan,
    generator: &mut Scripted<'_>,
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

/// The number at the end of a prompt's id.
pub fn number(prompt: &Prompt) -> usize {
    prompt
        .id
        .rsplit('/')
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap()
}
