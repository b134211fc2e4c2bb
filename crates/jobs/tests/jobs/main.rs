//! Jobs with scripted generators: retries, set-aside, interruption, other work in the folder.

mod forecast; // when work will be done, on simulated runs

use std::cell::Cell;
use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::ControlFlow;
use std::path::Path;

use fault::{Class, Fault};
use generation::{Decoding, FinishReason, Prompt, Scripted, ScriptedReply};
use jobs::{ItemOutcome, Job, JobError, JobTask, MIN_JUDGED, Progress, Replies, UnreadableReply};
use serde_json::json;
use store::FileError;

/// What fits into the context of the scripted model.
const MAX_PROMPT_BYTES: usize = 98;

/// The item that nothing can be asked about.
const UNREADABLE: usize = 60;

/// Asks for numbers; item 13 is too long to ask.
struct Numbers(usize);

impl JobTask for Numbers {
    fn items(&self) -> usize {
        self.0
    }
    fn id(&self, item: usize) -> String {
        format!("number/{item}")
    }
    fn prompt(
        &self,
        item: usize,
        unreadable: Option<&UnreadableReply>,
    ) -> Result<String, FileError> {
        if item == UNREADABLE {
            return Err(FileError::corrupt(Path::new("numbers.txt"), None, "gone"));
        }
        Ok(match unreadable {
            None if item == 13 => format!("say 13{}", " ".repeat(93)),
            None => format!("say {item}"),
            Some(unreadable) => format!(
                "say {item}; \"{}\" was wrong: {}",
                unreadable.text, unreadable.reason
            ),
        })
    }
    fn judge(&self, item: usize, text: &str) -> Result<(), String> {
        match text.parse() == Ok(item) {
            true => Ok(()),
            false => Err(format!("{text} is not {item}")),
        }
    }
    fn kind(&self, fault: &str) -> &'static str {
        match fault.contains("cut off") {
            true => "cut off",
            false => "wrong",
        }
    }
}

/// Multiples of 5 are said wrong once, multiples of 7 always, multiples of 11 are cut off, 17 fails
/// so many times.
fn script(failures: usize) -> Scripted<'static> {
    let failures = Cell::new(failures);
    let reply = move |prompt: &Prompt| {
        let number: usize = prompt.id.strip_prefix("number/").unwrap().parse().unwrap();
        if number == 17 && failures.get() > 0 {
            failures.set(failures.get() - 1);
            return ScriptedReply::Failure("no line".to_string());
        }
        let wrong = number.is_multiple_of(7) || number.is_multiple_of(5) && prompt.sample == 0;
        let text = if wrong {
            "nothing".to_string()
        } else {
            number.to_string()
        };
        let cut = number.is_multiple_of(11);
        ScriptedReply::Text(
            text,
            if cut {
                FinishReason::Length
            } else {
                FinishReason::Eos
            },
        )
    };
    Scripted {
        max_prompt_bytes: MAX_PROMPT_BYTES,
        ..Scripted::new(reply)
    }
}

/// Prompts that were asked, in the order of their items and attempts.
fn asked(script: &Scripted) -> Vec<(usize, u32)> {
    let key = |prompt: &Prompt| (prompt.id[7..].parse().unwrap(), prompt.sample);
    let mut asked: Vec<_> = script.asked.iter().map(key).collect();
    asked.sort_unstable();
    asked
}

fn texts(script: &Scripted) -> Vec<String> {
    script
        .asked
        .iter()
        .map(|prompt| prompt.text.clone())
        .collect()
}

fn job(folder: &Path) -> Job<'_> {
    Job {
        folder,
        name: "numbers",
        binding: json!({"wording": 1}),
        decoding: Decoding::greedy(8),
        attempts: NonZeroU32::new(3).unwrap(),
        max_refused: None,
        max_rejected: None,
    }
}

fn go(folder: &Path, script: &mut Scripted) -> Result<Replies, JobError> {
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
    let mut script = script(1);
    let mut replies = go(folder.path(), &mut script).unwrap();
    for item in 0..40 {
        match replies.outcome(item).unwrap() {
            ItemOutcome::Answered(reply) => {
                assert_eq!(reply.text, item.to_string());
                assert_eq!(reply.attempt, u32::from(item % 5 == 0), "{item}");
            }
            ItemOutcome::SetAside(reply) => {
                assert!(item % 7 == 0 || item % 11 == 0 || item == 13, "{item}");
                assert_eq!(reply.attempt, if item == 13 { 0 } else { 2 });
                let expected = match item {
                    13 => "99 tokens, 98 fit".to_string(),
                    _ if item % 11 == 0 => "the reply was cut off after 1 tokens".to_string(),
                    _ => format!("nothing is not {item}"),
                };
                assert_eq!(reply.fault, Some(expected));
            }
            ItemOutcome::Open(reason) => {
                assert_eq!((item, reason.as_deref()), (17, Some("no line")))
            }
        }
    }
    assert!(
        texts(&script).contains(&"say 25; \"nothing\" was wrong: nothing is not 25".to_string())
    );
    assert!(!asked(&script).contains(&(13, 0)));
    assert_eq!(replies.failed().len(), 1);

    // The same call again asks nothing but what failed.
    let mut later = self::script(0);
    let mut replies = go(folder.path(), &mut later).unwrap();
    assert_eq!(texts(&later), ["say 17"]);
    assert!(matches!(
        replies.outcome(17).unwrap(),
        ItemOutcome::Answered(_)
    ));
    let tally = replies.tally();
    assert_eq!(tally.answered + tally.set_aside, 40);
    // Item 13 was counted and not asked; 17 failed at first, which leaves no reply.
    let bytes = |script| texts(script).iter().map(String::len).sum::<usize>() as u64;
    assert_eq!(
        tally.prompt_tokens,
        99 + bytes(&script) + bytes(&later) - "say 17".len() as u64
    );
}

#[test]
fn interruptions_at_any_point_change_nothing_and_ask_nothing_twice() {
    let whole = tempfile::tempdir().unwrap();
    let mut script_of_all = script(0);
    let expected = outcomes(&mut go(whole.path(), &mut script_of_all).unwrap());
    let asked_once = asked(&script_of_all);
    for fails_after in [1, 2, 5, 13, 29] {
        let folder = tempfile::tempdir().unwrap();
        let mut asked_in_parts = Vec::new();
        loop {
            let mut script = script(0);
            script.fails_after = fails_after;
            let outcome = go(folder.path(), &mut script);
            asked_in_parts.extend(asked(&script));
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
        asked_in_parts.sort_unstable();
        assert_eq!(asked_in_parts, asked_once, "fails_after {fails_after}");
    }
}

#[test]
fn a_stop_keeps_what_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let mut script = script(1);
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
    go(folder.path(), &mut script(1)).unwrap();
    let other = Job {
        binding: json!({"wording": 2}),
        ..job(folder.path())
    };
    let message = other
        .run(&Numbers(40), &mut script(1), &mut |_| {
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
    let message = go(folder.path(), &mut script(1)).unwrap_err().to_string();
    assert!(
        message.contains("numbers.replies.jsonl, line 1: the line does not match its checksum"),
        "{message}"
    );

    // A line twice: each by itself is whole.
    let first = text.split_inclusive('\n').next().unwrap();
    std::fs::write(&file, format!("{text}{first}")).unwrap();
    let message = go(folder.path(), &mut script(1)).unwrap_err().to_string();
    assert!(message.contains("is out of order"), "{message}");
}

/// A model that never follows: after so many replies nothing more is asked of it.
#[test]
fn a_job_whose_first_replies_are_all_refused_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let limited = |max_refused| Job {
        max_refused: NonZeroUsize::new(max_refused),
        ..job(folder.path())
    };
    let go_on = &mut |_: &Progress| ControlFlow::Continue(());
    let mut rubbish = Scripted::new(|_: &Prompt| "rubbish");
    let error = limited(8)
        .run(&Numbers(12), &mut rubbish, go_on)
        .unwrap_err();
    assert_eq!((error.class(), rubbish.asked.len()), (Class::Incomplete, 8));
    let message = error.to_string();
    assert!(
        message.starts_with("none of the first 8 replies can be used: 1 × rubbish is not ")
            && message.contains("numbers.replies.jsonl"),
        "{message}"
    );
    // Nothing is asked in vain by the same call, and with a larger number it goes on.
    let mut idle = Scripted::new(|_: &Prompt| "rubbish");
    assert!(limited(8).run(&Numbers(12), &mut idle, go_on).is_err());
    assert_eq!(idle.asked.len(), 0);
    let mut script = script(0);
    let replies = limited(20).run(&Numbers(12), &mut script, go_on).unwrap();
    assert!(replies.tally().answered > 0 && replies.tally().replies > 8);
}

/// Three of four replies are refused, for three reasons: enough is known after 50 of them.
#[test]
fn a_job_of_which_too_many_replies_are_refused_is_given_up_with_examples() {
    let folder = tempfile::tempdir().unwrap();
    let limited = |max_rejected| Job {
        max_rejected: Some(max_rejected),
        attempts: NonZeroU32::MIN,
        ..job(folder.path())
    };
    let go_on = &mut |_: &Progress| ControlFlow::Continue(());
    // By the order of the replies, which is not that of the items.
    let replies = Cell::new(0);
    let answer = |prompt: &Prompt| {
        let (text, end) = match replies.replace(replies.get() + 1) % 4 {
            0 => (prompt.id[7..].to_string(), FinishReason::Eos),
            1 => ("never\n mind".repeat(9), FinishReason::Length),
            2 => (String::new(), FinishReason::Eos),
            _ => ("seven".to_string(), FinishReason::Eos),
        };
        ScriptedReply::Text(text, end)
    };
    let mut weak = Scripted::new(answer);
    let error = limited(0.7)
        .run(&Numbers(59), &mut weak, go_on)
        .unwrap_err();
    assert_eq!(
        (error.class(), weak.asked.len()),
        (Class::Incomplete, MIN_JUDGED)
    );
    let message = error.to_string();
    for part in [
        "37 of the first 50 replies cannot be used, which is more than 70 %:\n",
        "\n  13 × the reply was cut off after 1 tokens; number/",
        " was answered \"never mindnever mindnever",
        " …\"\n  1 × ",
        " is not ",
        "\n  22 × something else\nAll of them are in ",
        "numbers.replies.jsonl",
    ] {
        assert!(message.contains(part), "{part} is missing in {message}");
    }
    // The same call gives the same and asks nothing; a larger share goes on to the end.
    let mut idle = Scripted::new(answer);
    let again = limited(0.7)
        .run(&Numbers(59), &mut idle, go_on)
        .unwrap_err();
    assert_eq!((again.to_string(), idle.asked.len()), (message, 0));
    let replies = limited(0.8).run(&Numbers(59), &mut idle, go_on).unwrap();
    assert_eq!((replies.tally().answered, idle.asked.len()), (15, 9));
    assert_eq!(replies.kinds()["cut off"] + replies.kinds()["wrong"], 44);
    assert_eq!(
        (0..59).filter(|&item| replies.is_answered(item)).count(),
        15
    );
}

#[test]
fn an_item_that_cannot_be_read_ends_the_job_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let error = job(folder.path())
        .run(&Numbers(UNREADABLE + 1), &mut script(0), &mut |_| {
            ControlFlow::Continue(())
        })
        .unwrap_err();
    assert_eq!(error.to_string(), "numbers.txt: gone");
}

#[test]
fn items_can_be_added_at_the_end_and_not_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let go_on = &mut |_: &Progress| ControlFlow::Continue(());
    job(folder.path())
        .run(&Numbers(4), &mut script(0), go_on)
        .unwrap();
    let mut more = script(0);
    job(folder.path())
        .run(&Numbers(6), &mut more, go_on)
        .unwrap();
    assert_eq!(asked(&more), [(4, 0), (5, 0), (5, 1)]);
    let error = job(folder.path())
        .run(&Numbers(5), &mut script(0), go_on)
        .unwrap_err();
    assert!(
        error.to_string().contains("items is 6 there and 5 here"),
        "{error}"
    );
}
