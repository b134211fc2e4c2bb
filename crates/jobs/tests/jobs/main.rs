//! Jobs with scripted generators: retries, set-aside, interruption, other work in the folder.

mod forecast; // when work will be done, on simulated runs

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::path::Path;

use generation::{
    Completion, Decoding, Event, FinishReason, GenerationError, Generator, GeneratorInfo, Prompt,
    PromptIssue,
};
use jobs::{Job, JobError, Outcome, Refusal, Replies, Task};
use serde_json::json;

/// Asks for numbers; item 13 is too long to ask.
struct Numbers(usize);

impl Task for Numbers {
    fn items(&self) -> usize {
        self.0
    }
    fn id(&self, item: usize) -> String {
        format!("number/{item}")
    }
    fn prompt(&self, item: usize, refusal: Option<&Refusal>) -> String {
        match refusal {
            None => format!("say {item}"),
            Some(refusal) => format!(
                "say {item}; \"{}\" was wrong: {}",
                refusal.text, refusal.reason
            ),
        }
    }
    fn judge(&self, item: usize, text: &str) -> Result<(), String> {
        match text.parse() == Ok(item) {
            true => Ok(()),
            false => Err(format!("{text} is not {item}")),
        }
    }
}

/// Answers by a script. Multiples of 5 are said wrong once, multiples of 7 always, multiples of 11
/// are cut off, 17 fails as often as told.
struct Script {
    asked: BTreeMap<(String, u32), usize>,
    prompts: Vec<String>,
    failures: usize,
    /// Finished completions after which the generator gives up.
    patience: usize,
}

impl Script {
    fn new() -> Self {
        Self {
            asked: BTreeMap::new(),
            prompts: Vec::new(),
            failures: 1,
            patience: usize::MAX,
        }
    }
}

impl Generator for Script {
    fn info(&self) -> GeneratorInfo {
        GeneratorInfo {
            name: "script".into(),
            kind: "script".into(),
            details: Default::default(),
        }
    }
    fn check(&self, prompts: &[Prompt], _: &Decoding) -> Result<Vec<PromptIssue>, GenerationError> {
        let long = |(index, prompt): (usize, &Prompt)| {
            (prompt.id == "number/13").then(|| PromptIssue {
                index,
                prompt_tokens: 99,
                message: "too long".into(),
            })
        };
        Ok(prompts.iter().enumerate().filter_map(long).collect())
    }
    fn generate(
        &mut self,
        prompts: &[Prompt],
        _: &Decoding,
        on_event: &mut dyn FnMut(Event) -> Result<(), GenerationError>,
    ) -> Result<(), GenerationError> {
        // Backwards: the order of completions must not matter.
        for (index, prompt) in prompts.iter().enumerate().rev() {
            on_event(Event::Decoded(1))?;
            if self.patience == 0 {
                return Err(GenerationError::Backend("gone".into()));
            }
            self.patience -= 1;
            *self
                .asked
                .entry((prompt.id.clone(), prompt.sample))
                .or_default() += 1;
            self.prompts.push(prompt.text.clone());
            let number: usize = prompt.id.strip_prefix("number/").unwrap().parse().unwrap();
            let failing = number == 17 && self.failures > 0;
            self.failures -= usize::from(failing);
            let wrong = number.is_multiple_of(7) || number.is_multiple_of(5) && prompt.sample == 0;
            on_event(Event::Finished(Completion {
                index,
                text: if wrong {
                    "nothing".into()
                } else {
                    number.to_string()
                },
                finish_reason: match number {
                    _ if failing => FinishReason::Error,
                    _ if number.is_multiple_of(11) => FinishReason::Length,
                    _ => FinishReason::Eos,
                },
                prompt_tokens: 3,
                completion_tokens: 1,
                prompt_hash: String::new(),
                token_ids: None,
                logprobs: None,
                error: failing.then(|| "no line".to_string()),
            }))?;
        }
        Ok(())
    }
}

fn job(folder: &Path) -> Job<'_> {
    Job {
        folder,
        name: "numbers",
        binding: json!({"wording": 1}),
        decoding: Decoding::greedy(8),
        attempts: NonZeroU32::new(3).unwrap(),
    }
}

fn go(folder: &Path, script: &mut Script) -> Result<Replies, JobError> {
    job(folder).run(&Numbers(40), script, &mut |_| ControlFlow::Continue(()))
}

/// Every item's outcome, in a form that can be compared.
fn outcomes(replies: &mut Replies) -> Vec<String> {
    (0..replies.len())
        .map(|item| format!("{:?}", replies.outcome(item).unwrap()))
        .collect()
}

#[test]
fn faults_are_fed_back_and_what_stays_unreadable_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let mut script = Script::new();
    let mut replies = go(folder.path(), &mut script).unwrap();
    for item in 0..40 {
        match replies.outcome(item).unwrap() {
            Outcome::Answered(reply) => {
                assert_eq!(reply.text, item.to_string());
                assert_eq!(reply.attempt, u32::from(item % 5 == 0), "{item}");
            }
            Outcome::SetAside(reply) => {
                assert!(item % 7 == 0 || item % 11 == 0 || item == 13, "{item}");
                assert_eq!(reply.attempt, if item == 13 { 0 } else { 2 });
                let expected = match item {
                    13 => "too long".to_string(),
                    _ if item % 11 == 0 => "the reply was cut off after 1 tokens".to_string(),
                    _ => format!("nothing is not {item}"),
                };
                assert_eq!(reply.fault, Some(expected));
            }
            Outcome::Open(reason) => assert_eq!((item, reason.as_deref()), (17, Some("no line"))),
        }
    }
    assert!(
        script
            .prompts
            .contains(&"say 25; \"nothing\" was wrong: nothing is not 25".to_string())
    );
    assert!(!script.prompts.contains(&"say 13".to_string()));
    assert_eq!(replies.failed().len(), 1);

    // The same call again asks nothing but what failed.
    let mut later = Script {
        failures: 0,
        ..Script::new()
    };
    let mut replies = go(folder.path(), &mut later).unwrap();
    assert_eq!(later.prompts, ["say 17"]);
    assert!(matches!(replies.outcome(17).unwrap(), Outcome::Answered(_)));
    let tally = replies.tally();
    assert_eq!(tally.answered + tally.set_aside, 40);
    assert_eq!(tally.prompt_tokens, 3 * (tally.replies as u64 - 1) + 99);
}

#[test]
fn interruptions_at_any_point_change_nothing_and_ask_nothing_twice() {
    let whole = tempfile::tempdir().unwrap();
    let mut script = Script {
        failures: 0,
        ..Script::new()
    };
    let expected = outcomes(&mut go(whole.path(), &mut script).unwrap());
    let asked_once = script.asked;
    for patience in [1, 2, 5, 13, 29] {
        let folder = tempfile::tempdir().unwrap();
        let mut asked: BTreeMap<(String, u32), usize> = BTreeMap::new();
        loop {
            let mut script = Script {
                failures: 0,
                patience,
                ..Script::new()
            };
            let outcome = go(folder.path(), &mut script);
            for (key, count) in script.asked {
                *asked.entry(key).or_default() += count;
            }
            match outcome {
                Ok(mut replies) => {
                    assert_eq!(outcomes(&mut replies), expected);
                    break;
                }
                Err(JobError::Generation(_)) => {
                    // As after a crash in the middle of a line.
                    let file = folder.path().join("numbers.replies.jsonl");
                    let mut bytes = std::fs::read(&file).unwrap();
                    bytes.extend_from_slice(br#"{"item":3,"id":"num"#);
                    std::fs::write(&file, bytes).unwrap();
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(asked, asked_once, "patience {patience}");
    }
}

#[test]
fn a_stop_keeps_what_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let mut script = Script::new();
    let outcome = job(folder.path()).run(&Numbers(40), &mut script, &mut |progress| match progress
        .finished
    {
        0..6 => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    });
    let message = outcome.unwrap_err().to_string();
    assert!(
        message.starts_with("interrupted: 6 of 40 items are kept in "),
        "{message}"
    );
}

#[test]
fn other_work_and_damage_are_refused_with_the_difference() {
    let folder = tempfile::tempdir().unwrap();
    go(folder.path(), &mut Script::new()).unwrap();
    let other = Job {
        binding: json!({"wording": 2}),
        ..job(folder.path())
    };
    let message = other
        .run(&Numbers(40), &mut Script::new(), &mut |_| {
            ControlFlow::Continue(())
        })
        .unwrap_err();
    assert!(
        message
            .to_string()
            .contains("binding.wording is 1 there and 2 here"),
        "{message}"
    );

    let file = folder.path().join("numbers.replies.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("number/", "numbeR/", 1)).unwrap();
    let message = go(folder.path(), &mut Script::new())
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("numbers.replies.jsonl, line 1: the line does not match its checksum"),
        "{message}"
    );

    // A line twice: each by itself is whole.
    let first = text.split_inclusive('\n').next().unwrap();
    std::fs::write(&file, format!("{text}{first}")).unwrap();
    let message = go(folder.path(), &mut Script::new())
        .unwrap_err()
        .to_string();
    assert!(message.contains("is out of order"), "{message}");
}
