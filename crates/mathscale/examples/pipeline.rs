//! Runs a stage of the pipeline as the program does, with a model that writes made-up exercises as
//! fast as it can: what the pipeline costs beside its model (`benches/mathscale_scale.py`).
//!
//! `pipeline STAGE PROJECT [ARGUMENT]`, a process for each stage: `extract` takes a file of
//! annotations, `compose` a count, `screen` test items, JSON Lines with `id` and `question`, and
//! perhaps pairs from elsewhere.
//! `pipeline tests FILE COUNT` writes such items.
//!
//! What the model says depends on the prompt alone. A question has 45 words of a vocabulary of 27,000.
//! Of a hundred, ten are one of 20,000 questions with a word changed, which are near-duplicates of
//! each other, and one is a test item. A quarter of the solutions is judged wrong.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufWriter, Write};
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::path::Path;

use generation::{
    Completion, Decoding, Event, FinishReason, GenerationError, Generator, GeneratorInfo, Prompt,
    PromptIssue,
};
use mathscale::{
    AnnotationPlan, Asking, ComposePlan, ExportPlan, GeneratePlan, GraphPlan, MergeOptions,
    OnWrong, PairSource, Project, ScreenPlan, Tests, ValidatePlan, ValidationMethod, WalkOptions,
};
use overlap::{Index, OverlapOptions, TestItem};
use serde_json::{Value, json};
use store::JsonLines;

/// Words of a question.
const WORDS: usize = 45;
/// Questions that are repeated with a word changed.
const REPEATED: u64 = 20_000;
/// Test items that are repeated.
const TESTS: u64 = 20_000;
const SYLLABLES: [&str; 30] = [
    "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "qui", "ro", "su",
    "ta", "ve", "wi", "xo", "zu", "bra", "cle", "dri", "flo", "gru", "sha", "ste", "tri", "plo",
    "thu",
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["tests", file, count] => write_tests(file, count.parse()?),
        [stage, folder, ref rest @ ..] => {
            let project = &mut Project::open_to_write(Path::new(folder))?;
            let counts = run(stage, project, rest)?;
            println!("{}", json!(counts));
            Ok(())
        }
        _ => Err("give STAGE PROJECT".into()),
    }
}

/// Runs a stage; gives what it counted.
fn run(
    stage: &str,
    project: &mut Project,
    rest: &[&str],
) -> Result<BTreeMap<String, u64>, Box<dyn Error>> {
    let go_on = || ControlFlow::Continue(());
    let record = match (stage, rest) {
        ("extract", [file]) => {
            let plan = AnnotationPlan {
                file: file.into(),
                merge: MergeOptions::default(),
                fresh: false,
            };
            mathscale::extract_from_annotations(project, &plan)?.record
        }
        ("graph", []) => mathscale::graph(project, &GraphPlan::default())?.record,
        ("compose", [count]) => {
            let plan = ComposePlan {
                walks: WalkOptions {
                    count: count.parse()?,
                    seed: 1,
                },
                threads: 2,
                fresh: false,
            };
            mathscale::compose(project, &plan, &mut |_| go_on())?.record
        }
        ("generate", []) => {
            let plan = GeneratePlan {
                examples: 3,
                asking: asking(),
                limit: None,
                without_failed: false,
                fresh: false,
            };
            mathscale::generate(project, &plan, &mut Teacher, &mut |_| go_on())?.record
        }
        ("validate", []) => {
            let plan = ValidatePlan {
                method: ValidationMethod::Reference,
                on_wrong: OnWrong::Replace,
                asking: asking(),
                fresh: false,
            };
            mathscale::validate(project, &plan, &mut Teacher, &mut |_| go_on())?.record
        }
        ("screen", [file, pairs @ ..]) => {
            let tests = read_tests(file)?;
            let plan = ScreenPlan {
                pairs: match pairs {
                    [file] => PairSource::File(file.into()),
                    _ => PairSource::Latest,
                },
                ..ScreenPlan::default()
            };
            mathscale::screen(project, &plan, Some(&tests), &mut |_| go_on())?.record
        }
        ("export", []) => {
            let plan = ExportPlan {
                validation_share: 0.01,
                ..ExportPlan::default()
            };
            mathscale::export(project, &plan, &mut |_| go_on())?.record
        }
        _ => return Err("no such stage, or not what it takes".into()),
    };
    Ok(record.counts)
}

fn asking() -> Asking<'static> {
    Asking {
        decoding: Decoding::greedy(2048),
        attempts: NonZeroU32::new(3).expect("not 0"),
        max_refused: None,
        max_rejected: Some(0.9),
        render: &|text| text.to_string(),
        rendering: "plain".to_string(),
    }
}

fn write_tests(file: &str, count: u64) -> Result<(), Box<dyn Error>> {
    let mut out = BufWriter::new(std::fs::File::create(file)?);
    for number in 0..count {
        let record = json!({"id": number.to_string(), "question": test_item(number)});
        writeln!(out, "{record}")?;
    }
    Ok(out.flush()?)
}

fn read_tests(file: &str) -> Result<Tests, Box<dyn Error>> {
    let text = |record: &Value, name: &str| record[name].as_str().unwrap_or_default().to_string();
    let records: Result<Vec<Value>, _> = JsonLines::open(Path::new(file))?.collect();
    let item = |record: &Value| TestItem {
        id: text(record, "id"),
        set: "made up".to_string(),
        text: text(record, "question"),
    };
    let items: Vec<TestItem> = records?.iter().map(item).collect();
    // One n-gram is enough, as it is for the program.
    let options = OverlapOptions {
        min_share: 0.0,
        ..OverlapOptions::default()
    };
    Ok(Tests {
        index: Index::new(items, options)?,
        bundled: false,
    })
}

/// The model.
struct Teacher;

impl Generator for Teacher {
    fn info(&self) -> GeneratorInfo {
        GeneratorInfo {
            name: "teacher".to_string(),
            kind: "script".to_string(),
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
            let text = answer(&prompt.text);
            // Four bytes a token.
            let tokens = |text: &str| text.len() / 4;
            on_event(Event::Prefilled(tokens(&prompt.text)))?;
            on_event(Event::Decoded(tokens(&text)))?;
            on_event(Event::Finished(Completion {
                finish_reason: FinishReason::Eos,
                prompt_tokens: tokens(&prompt.text),
                completion_tokens: tokens(&text),
                prompt_hash: format!("{:016x}", hash(&prompt.text)),
                text,
                ..Completion::failed(index, 0, None)
            }))?;
        }
        Ok(())
    }
}

fn answer(prompt: &str) -> String {
    let between = |start: &str, end: &str| {
        let (_, rest) = prompt.split_once(start)?;
        Some(rest.split_once(end).map_or(rest, |(text, _)| text).trim())
    };
    if prompt.contains("Verdict: correct") {
        let question = between("Exercise:\n", "\n\nReference solution:").unwrap_or(prompt);
        return match hash(question) % 4 {
            1 => "There is a slip in the second step.\nVerdict: incorrect".to_string(),
            _ => "The steps hold.\nVerdict: correct".to_string(),
        };
    }
    match between("Exercise:\n", "\n\n") {
        Some(question) if prompt.contains("Solve the following exercise") => solution(question),
        _ => {
            let question = question(hash(prompt));
            format!("Question: {question}\nSolution: {}", solution(&question))
        }
    }
}

/// FNV-1a, mixed.
fn hash(text: &str) -> u64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    mix(hash)
}

fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn question(key: u64) -> String {
    let number = key / 100;
    match key % 100 {
        0..10 => {
            let text = words(mix((number % REPEATED) ^ 0x5eed));
            let changed = word(mix(key));
            format!(
                "{changed} {}?",
                text.split_once(' ').map_or("", |(_, rest)| rest)
            )
        }
        10 => test_item(number % TESTS),
        _ => words(mix(key)) + "?",
    }
}

fn test_item(number: u64) -> String {
    words(mix(number ^ 0x7e57_0000_0000)) + "?"
}

fn words(mut state: u64) -> String {
    let mut text = String::with_capacity(8 * WORDS);
    for place in 0..WORDS {
        state = mix(state.wrapping_add(0x9e37_79b9_7f4a_7c15));
        if place > 0 {
            text.push(' ');
        }
        // Every sixth word is a number, as in a question of school.
        match place % 6 {
            5 => text.push_str(&(state % 1000).to_string()),
            _ => text.push_str(&word(state)),
        }
    }
    text
}

fn word(state: u64) -> String {
    let syllable = |place: u32| SYLLABLES[(state >> (8 * place)) as usize % SYLLABLES.len()];
    [syllable(0), syllable(1), syllable(2)].concat()
}

/// The same for equal questions, in both roles.
fn solution(question: &str) -> String {
    let key = hash(question);
    let (a, b) = (key % 900 + 100, key / 1000 % 90 + 10);
    format!(
        "First we write down what is given: there are {a} in the first part and {b} in the second. \
         Both belong together, so we add them: {a} + {b} = {}. Then each of the three has as many, \
         which makes 3 * {} = {}. The answer is {}.",
        a + b,
        a + b,
        3 * (a + b),
        3 * (a + b)
    )
}
