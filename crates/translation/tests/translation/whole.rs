//! From a file to a file, by a scripted translator.

use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use dataset_loader::{Benchmark, Data};
use generation::{Decoding, Prompt, Scripted, ScriptedReply};
use tempfile::TempDir;
use translation::{Error, Translated, TranslationPlan, translate};

const RECORDS: &str = r#"{"data_source":"a","question_number":"1","question":"小明有3个苹果，买来2个，一共有几个？","answer":"5","license":"x","data_topic":"math23k_en","language":"zh","equation":"x=3+2"}
{"data_source":"a","question_number":"2","question":"下列哪个数最大 $x^2$？","answer":"$x^2$","license":"x","data_topic":"math23k_en","language":"zh","options":{"A":"$x^2$"},"label":"A"}
{"data_source":"a","question_number":"3","question":"“$x>1$”是“$x>0$”的什么条件","answer":"充分不必要","license":"x","data_topic":"math23k_en","language":"zh"}
{"data_source":"a","question_number":"4","question":"一根绳子长12米，用去5米，还剩几米？","answer":"7","license":"x","data_topic":"math23k_en","language":"zh"}
{"data_source":"a","question_number":"5","question":"What is 2 + 2?","answer":"4","license":"x","data_topic":"math23k_en","language":"en"}
"#;

/// Knows some of the texts; loses a number at the first attempt at the last one.
fn translator(prompt: &Prompt) -> String {
    let reply = match prompt.text.as_str() {
        text if text.contains("苹果") => {
            "Translation: Ming has 3 apples and buys two more. How many has he in all?"
        }
        text if text.contains("哪个数") => "Which of the following is the largest, $x^2$?",
        text if text.contains("什么条件") => "What kind of condition is $x>1$ for $x>0$?",
        text if text.contains("充分不必要") => "sufficient but not necessary",
        text if text.contains("绳子") && text.contains("missing: 12") => {
            "A rope is 12 metres long, 5 metres are used. How many metres are left?"
        }
        text if text.contains("绳子") => {
            "A rope is long, 5 metres are used. How many metres are left?"
        }
        _ => UNKNOWN,
    };
    reply.to_string()
}

const UNKNOWN: &str = "我不知道";

struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new(records: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("in.jsonl"), records).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn go(&self, translator: &mut Scripted<'_>) -> Result<Translated, Error> {
        let (input, output, folder) = (
            self.path("in.jsonl"),
            self.path("data/math23k.jsonl"),
            self.path("work"),
        );
        let plan = TranslationPlan {
            input: &input,
            output: &output,
            folder: &folder,
            decoding: Decoding::greedy(64),
            attempts: NonZeroU32::new(3).unwrap(),
            max_refused: None,
            max_rejected: None,
            render: &|instruction| format!("### {instruction}"),
            rendering: "###".to_string(),
        };
        translate(&Benchmark::published(), &plan, translator, &mut |_| {
            ControlFlow::Continue(())
        })
    }

    fn output(&self) -> Data {
        dataset_loader::load(
            &Benchmark::published(),
            Path::new(&self.path("data/math23k.jsonl")),
        )
        .unwrap()
    }
}

#[test]
fn records_are_translated_checked_and_kept_with_their_source() {
    let bench = Bench::new(RECORDS);
    let mut scripted = Scripted::new(translator);
    let translated = bench.go(&mut scripted).unwrap();
    assert_eq!(
        (translated.read, translated.written, translated.english),
        (5, 4, 1)
    );
    assert_eq!(translated.needs_options, ["math23k_en/2"]);
    assert_eq!(translated.rejected, []);
    // Four questions and one answer, one of them twice.
    assert_eq!(scripted.asked.len(), 6);
    assert!(
        scripted
            .asked
            .iter()
            .all(|prompt| prompt.text.starts_with("### Translate"))
    );

    let data = bench.output();
    let (apples, extras) = data.problem("math23k_en/1").unwrap();
    assert_eq!(
        apples.question,
        "Ming has 3 apples and buys two more. How many has he in all?"
    );
    let extras = extras.unwrap();
    assert_eq!(
        extras["source_question"],
        "小明有3个苹果，买来2个，一共有几个？"
    );
    assert_eq!(
        (&extras["translated_by"], &extras["equation"]),
        (&"scripted".into(), &"x=3+2".into())
    );
    assert!(!extras.contains_key("language"));
    let (condition, extras) = data.problem("math23k_en/3").unwrap();
    assert_eq!(condition.reference, "sufficient but not necessary");
    assert_eq!(extras.unwrap()["source_answer"], "充分不必要");
    assert!(
        data.problem("math23k_en/4")
            .unwrap()
            .0
            .question
            .contains("12 metres")
    );
    assert_eq!(
        data.problem("math23k_en/5").unwrap().0.question,
        "What is 2 + 2?"
    );

    // Again: everything is there.
    let mut idle = Scripted::new(translator);
    let again = bench.go(&mut idle).unwrap();
    assert_eq!((idle.asked.len(), again.written), (0, 4));
}

#[test]
fn what_fails_the_checks_is_rejected_with_its_reason() {
    let bench = Bench::new(RECORDS);
    let translated = bench
        .go(&mut Scripted::new(|prompt: &Prompt| {
            match prompt.text.contains("充分不必要") {
                true => UNKNOWN.to_string(),
                false => translator(prompt),
            }
        }))
        .unwrap();
    assert_eq!(translated.written, 3);
    let [rejected] = translated.rejected.as_slice() else {
        panic!("{:?}", translated.rejected)
    };
    assert_eq!(rejected.id, "math23k_en/3#answer");
    assert_eq!(rejected.reason, "there is Chinese left in it: 我不知道");
    assert!(bench.output().problem("math23k_en/3").is_err());
}

#[test]
fn failures_leave_no_output_and_are_asked_again() {
    let bench = Bench::new(RECORDS);
    let message = bench
        .go(&mut Scripted::new(|prompt: &Prompt| {
            match prompt.text.contains("绳子") {
                true => ScriptedReply::Failure("out of service".to_string()),
                false => translator(prompt).into(),
            }
        }))
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with(
            "1 of 5 texts could not be generated, the first (math23k_en/4): out of service"
        ),
        "{message}"
    );
    assert!(!bench.path("data/math23k.jsonl").exists());
    let mut later = Scripted::new(translator);
    assert_eq!(bench.go(&mut later).unwrap().written, 4);
    assert_eq!(later.asked.len(), 2);
}

#[test]
fn bad_input_is_refused_in_words() {
    let english = r#"{"question":"1+1?","answer":"2","data_topic":"math23k_en"}"#;
    let message = Bench::new(english)
        .go(&mut Scripted::new(translator))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("there is nothing to translate"),
        "{message}"
    );
    let french = RECORDS.replace("\"zh\"", "\"fr\"");
    let message = Bench::new(&french)
        .go(&mut Scripted::new(translator))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("\"math23k_en/1\" is in the language \"fr\": only Chinese"),
        "{message}"
    );
    let choice = RECORDS.lines().nth(1).unwrap();
    let bench = Bench::new(choice);
    let message = bench
        .go(&mut Scripted::new(translator))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("the first (math23k_en/2): its translation speaks of options"),
        "{message}"
    );
    assert!(!bench.path("data/math23k.jsonl").exists());
    let rope = RECORDS.lines().nth(3).unwrap().replace("绳子", "铁丝");
    let message = Bench::new(&rope)
        .go(&mut Scripted::new(translator))
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with(
            "none of 1 problems is left after translation, the first (math23k_en/4): there is Chinese left"
        ),
        "{message}"
    );
}
