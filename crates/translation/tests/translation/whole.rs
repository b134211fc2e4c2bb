//! From a file to a file, by a scripted translator.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use dataset_loader::{Benchmark, Data};
use generation::{
    Completion, Decoding, Event, FinishReason, GenerationError, Generator, GeneratorInfo, Prompt,
    PromptIssue,
};
use tempfile::TempDir;
use translation::{Error, Translated, TranslationPlan, translate};

const RECORDS: &str = r#"{"data_source":"a","question_number":"1","question":"小明有3个苹果，买来2个，一共有几个？","answer":"5","license":"x","data_topic":"math23k_en","language":"zh","equation":"x=3+2"}
{"data_source":"a","question_number":"2","question":"下列哪个数最大 $x^2$？","answer":"$x^2$","license":"x","data_topic":"math23k_en","language":"zh","options":{"A":"$x^2$"},"label":"A"}
{"data_source":"a","question_number":"3","question":"“$x>1$”是“$x>0$”的什么条件","answer":"充分不必要","license":"x","data_topic":"math23k_en","language":"zh"}
{"data_source":"a","question_number":"4","question":"一根绳子长12米，用去5米，还剩几米？","answer":"7","license":"x","data_topic":"math23k_en","language":"zh"}
{"data_source":"a","question_number":"5","question":"What is 2 + 2?","answer":"4","license":"x","data_topic":"math23k_en","language":"en"}
"#;

/// Knows some of the texts; loses a number at the first attempt at the last one.
struct Translator {
    asked: Vec<String>,
    fails_on: Option<&'static str>,
    knows_answers: bool,
}

impl Translator {
    fn new() -> Self {
        Self {
            asked: Vec::new(),
            fails_on: None,
            knows_answers: true,
        }
    }

    fn reply(&self, prompt: &str) -> &'static str {
        match prompt {
            _ if prompt.contains("苹果") => {
                "Translation: Ming has 3 apples and buys two more. How many has he in all?"
            }
            _ if prompt.contains("哪个数") => "Which of the following is the largest, $x^2$?",
            _ if prompt.contains("什么条件") => "What kind of condition is $x>1$ for $x>0$?",
            _ if prompt.contains("充分不必要") && self.knows_answers => {
                "sufficient but not necessary"
            }
            _ if prompt.contains("绳子") && prompt.contains("missing: 12") => {
                "A rope is 12 metres long, 5 metres are used. How many metres are left?"
            }
            _ if prompt.contains("绳子") => {
                "A rope is long, 5 metres are used. How many metres are left?"
            }
            _ => "我不知道",
        }
    }
}

impl Generator for Translator {
    fn info(&self) -> GeneratorInfo {
        GeneratorInfo {
            name: "translator".into(),
            kind: "script".into(),
            details: BTreeMap::new(),
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
        for (index, prompt) in prompts.iter().enumerate() {
            on_event(Event::Decoded(1))?;
            self.asked.push(prompt.text.clone());
            let failing = self.fails_on.is_some_and(|part| prompt.text.contains(part));
            on_event(Event::Finished(Completion {
                index,
                text: self.reply(&prompt.text).to_string(),
                finish_reason: if failing {
                    FinishReason::Error
                } else {
                    FinishReason::Eos
                },
                prompt_tokens: 10,
                completion_tokens: 5,
                prompt_hash: String::new(),
                token_ids: None,
                logprobs: None,
                error: failing.then(|| "out of service".to_string()),
            }))?;
        }
        Ok(())
    }
}

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

    fn go(&self, translator: &mut Translator) -> Result<Translated, Error> {
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
    let mut translator = Translator::new();
    let translated = bench.go(&mut translator).unwrap();
    assert_eq!(
        (translated.read, translated.written, translated.english),
        (5, 4, 1)
    );
    assert_eq!(translated.needs_options, ["math23k_en/2"]);
    assert_eq!(translated.rejected, []);
    // Four questions and one answer, one of them twice.
    assert_eq!(translator.asked.len(), 6);
    assert!(
        translator
            .asked
            .iter()
            .all(|prompt| prompt.starts_with("### Translate"))
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
        (&"translator".into(), &"x=3+2".into())
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
    let mut idle = Translator::new();
    let again = bench.go(&mut idle).unwrap();
    assert_eq!((idle.asked.len(), again.written), (0, 4));
}

#[test]
fn what_fails_the_checks_is_rejected_with_its_reason() {
    let bench = Bench::new(RECORDS);
    let translated = bench
        .go(&mut Translator {
            knows_answers: false,
            ..Translator::new()
        })
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
        .go(&mut Translator {
            fails_on: Some("绳子"),
            ..Translator::new()
        })
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with(
            "1 of 5 texts could not be generated, the first (math23k_en/4): out of service"
        ),
        "{message}"
    );
    assert!(!bench.path("data/math23k.jsonl").exists());
    let mut later = Translator::new();
    assert_eq!(bench.go(&mut later).unwrap().written, 4);
    assert_eq!(later.asked.len(), 2);
}

#[test]
fn bad_input_is_refused_in_words() {
    let english = r#"{"question":"1+1?","answer":"2","data_topic":"math23k_en"}"#;
    let message = Bench::new(english)
        .go(&mut Translator::new())
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("there is nothing to translate"),
        "{message}"
    );
    let french = RECORDS.replace("\"zh\"", "\"fr\"");
    let message = Bench::new(&french)
        .go(&mut Translator::new())
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("\"math23k_en/1\" is in the language \"fr\": only Chinese"),
        "{message}"
    );
    let choice = RECORDS.lines().nth(1).unwrap();
    let bench = Bench::new(choice);
    let message = bench.go(&mut Translator::new()).unwrap_err().to_string();
    assert!(
        message.contains("the first (math23k_en/2): its translation speaks of options"),
        "{message}"
    );
    assert!(!bench.path("data/math23k.jsonl").exists());
    let rope = RECORDS.lines().nth(3).unwrap().replace("绳子", "铁丝");
    let message = Bench::new(&rope)
        .go(&mut Translator::new())
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with(
            "none of 1 problems is left after translation, the first (math23k_en/4): there is Chinese left"
        ),
        "{message}"
    );
}
