//! The files of other programs → completions with their questions and references, as one run.
//!
//! Three steps: a format's reader makes [`Record`]s of the files (`reading`, one module a format),
//! records become items with samples (`items`), and items find their problems (`matching`).

mod affixes; // what stands around the question in every prompt
mod error; // what can be wrong with such files
mod fields; // where in a record what stands
mod finish; // why a completion ended, in the words of others
mod gold; // worked solutions → references
mod inspect; // inspect's logs
mod items; // records → items with samples
mod json_lines; // any JSON Lines, by a field map
mod lm_eval; // lm-evaluation-harness's samples
mod matching; // items → problems of known sets, or of their own
mod nemo_skills; // NeMo-Skills' outputs
mod official; // the published driver's predictions
mod opencompass; // OpenCompass's predictions
mod reading; // which format a path is in
mod run; // items and problems → a run

use std::path::PathBuf;

use generation::{FinishReason, Sampling};
use jiff::Timestamp;
use serde_json::{Map, Value};

pub use error::{ImportError, ImportErrorKind};
pub use fields::{FieldMap, Key};
pub use matching::KnownProblems;
pub use reading::read;
pub use run::{ImportPlan, Imported, import_run};

/// Whose files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceFormat {
    /// EleutherAI's lm-evaluation-harness 0.4: `samples_*.jsonl` with `results_*.json` beside.
    LmEval,
    /// A log of inspect (`.json`, or `.eval`, which is a zip file).
    Inspect,
    /// `*.prediction.json` of the published benchmark's driver.
    Official,
    /// `output*.jsonl` of NeMo-Skills.
    NemoSkills,
    /// A file a data set in OpenCompass's folder `predictions`.
    OpenCompass,
    /// A JSON object a line, with fields of any names.
    JsonLines,
}

impl SourceFormat {
    /// Every format.
    pub const ALL: [Self; 6] = [
        Self::LmEval,
        Self::Inspect,
        Self::Official,
        Self::NemoSkills,
        Self::OpenCompass,
        Self::JsonLines,
    ];

    /// Name in files and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::LmEval => "lm-eval",
            Self::Inspect => "inspect",
            Self::Official => "official",
            Self::NemoSkills => "nemo-skills",
            Self::OpenCompass => "opencompass",
            Self::JsonLines => "jsonl",
        }
    }
}

/// Where a record stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    /// The file.
    pub file: PathBuf,
    /// `line 3`, `sample 4`: where in it.
    pub place: String,
}

/// One completion as a file tells it.
#[derive(Clone, Debug)]
pub struct Record {
    /// Where it stands.
    pub at: At,
    /// Name of the task in the files.
    pub task: String,
    /// What tells items apart in their task; `None` where nothing does.
    pub id: Option<String>,
    /// Which sample of its item, in whatever numbers.
    pub sample: Option<u64>,
    /// The question.
    pub question: Option<String>,
    /// What the model read, or what the user said in a conversation.
    pub prompt: Option<String>,
    /// Whether it was a conversation, in a chat template that nobody tells.
    pub asked_as_chat: bool,
    /// The data set's answer.
    pub reference: Option<String>,
    /// The completion.
    pub completion: String,
    /// Thinking that is told apart from it.
    pub thinking: Option<String>,
    /// Why it ended.
    pub finish_reason: Option<FinishReason>,
    /// Why there is none.
    pub error: Option<String>,
    /// Tokens of the prompt.
    pub prompt_tokens: Option<usize>,
    /// New tokens.
    pub completion_tokens: Option<usize>,
    /// Whether the files count it as correct.
    pub correct: Option<bool>,
    /// What else the record says.
    pub leftovers: Map<String, Value>,
}

/// What files tell of a run.
#[derive(Clone, Debug)]
pub struct Source {
    /// Whose files.
    pub format: SourceFormat,
    /// The files that were read.
    pub files: Vec<PathBuf>,
    /// Name of the model.
    pub model: Option<String>,
    /// Most new tokens of a completion.
    pub max_tokens: Option<usize>,
    /// Strings that end a completion.
    pub stop: Option<Vec<String>>,
    /// How tokens were chosen: `Some(None)` for greedy decoding.
    pub sampling: Option<Option<Sampling>>,
    /// When it was started.
    pub started: Option<Timestamp>,
    /// Version of the program that wrote the files.
    pub program_version: Option<String>,
    /// The completions.
    pub records: Vec<Record>,
    /// Fields that this format is not known to have, each with the number of records that have it.
    pub unknown_fields: Vec<(String, usize)>,
    /// What the reader should know.
    pub notes: Vec<String>,
}

impl Source {
    fn new(format: SourceFormat) -> Self {
        Self {
            format,
            files: Vec::new(),
            model: None,
            max_tokens: None,
            stop: None,
            sampling: None,
            started: None,
            program_version: None,
            records: Vec::new(),
            unknown_fields: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Counts a field that the format is not known to have.
    fn count_unknown(&mut self, field: &str) {
        match self
            .unknown_fields
            .iter_mut()
            .find(|(name, _)| name == field)
        {
            Some((_, count)) => *count += 1,
            None => self.unknown_fields.push((field.to_string(), 1)),
        }
    }

    /// Records what settings of generation say. `temperature` 0 is greedy decoding, whatever else
    /// stands beside it; one that is absent says nothing.
    fn set_temperature(&mut self, temperature: Option<f64>, top_p: Option<f64>, seed: Option<u64>) {
        let sampling = |temperature: f64| Sampling {
            temperature: temperature as f32,
            top_k: None,
            top_p: top_p.filter(|p| *p > 0.0 && *p <= 1.0).unwrap_or(1.0) as f32,
            min_p: 0.0,
            repetition_penalty: 1.0,
            seed: seed.unwrap_or(0),
            samples: std::num::NonZeroU32::MIN,
        };
        self.sampling = match temperature {
            None => self.sampling,
            Some(temperature) if temperature > 0.0 && temperature.is_finite() => {
                Some(Some(sampling(temperature)))
            }
            Some(_) => Some(None),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use dataset_loader::Benchmark;
    use serde_json::{Map, Value};

    use super::{FieldMap, ImportPlan, KnownProblems, SourceFormat, import_run, read};

    /// Names that the formats read, so that values of any kind come to stand under them.
    const NAMES: [&str; 22] = [
        "completion",
        "reference",
        "question",
        "answer",
        "judge",
        "id",
        "sample",
        "doc_id",
        "doc",
        "resps",
        "target",
        "filter",
        "arguments",
        "generation",
        "expected_answer",
        "problem",
        "prediction",
        "origin_prompt",
        "eval",
        "status",
        "samples",
        "output",
    ];

    /// Numbers that look drawn and are the same every time (xorshift).
    struct Draw(u64);

    impl Draw {
        fn below(&mut self, end: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 % end as u64) as usize
        }

        fn value(&mut self, depth: usize) -> Value {
            const TEXTS: [&str; 8] = [
                "",
                " ",
                "7",
                "a question?",
                "attachment://x",
                r"#### \boxed{",
                r#"[{"role": "user", "content": "a question?"}]"#,
                "\u{0}\u{202e}é\n",
            ];
            match self.below(if depth == 0 { 5 } else { 8 }) {
                0 => Value::Null,
                1 => (self.below(2) == 0).into(),
                2 => (self.below(5) as i64 - 2).into(),
                3 => 0.5.into(),
                4 => TEXTS[self.below(TEXTS.len())].into(),
                5 => (0..self.below(3)).map(|_| self.value(depth - 1)).collect(),
                _ => self.record(depth - 1).into(),
            }
        }

        fn record(&mut self, depth: usize) -> Map<String, Value> {
            let field = |_| {
                (
                    NAMES[self.below(NAMES.len())].to_string(),
                    self.value(depth),
                )
            };
            (0..6).map(field).collect()
        }
    }

    fn plan() -> ImportPlan {
        ImportPlan {
            benchmark: Benchmark::published(),
            known: KnownProblems {
                problems: Vec::new(),
                name: "none".to_string(),
                bundled: false,
                digest: String::new(),
            },
            tags: BTreeMap::new(),
            environment: BTreeMap::new(),
            version: "0".to_string(),
        }
    }

    #[test]
    fn files_of_any_json_become_a_run_or_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("samples_x.jsonl");
        let map = FieldMap::parse(["completion=output", "reference=target"]).unwrap();
        let mut draw = Draw(7);
        let (mut runs, mut refused) = (0, 0);
        for _ in 0..400 {
            let lines = 1 + draw.below(3);
            let mut line = |number: usize| {
                let mut record = draw.record(3);
                // Half of them have what a completion needs, beside whatever.
                if draw.below(2) == 0 {
                    for (name, text) in [
                        ("output", "7"),
                        ("target", "7"),
                        ("generation", "7"),
                        ("answer", "7"),
                    ] {
                        record.insert(name.to_string(), text.into());
                    }
                    for name in ["id", "doc_id"] {
                        record.insert(name.to_string(), number.into());
                    }
                }
                Value::from(record).to_string()
            };
            let lines: Vec<String> = (0..lines).map(&mut line).collect();
            std::fs::write(&file, lines.join("\n")).unwrap();
            for format in SourceFormat::ALL.map(Some).into_iter().chain([None]) {
                for map in [&FieldMap::default(), &map] {
                    let source = read(&file, format, map);
                    let records = source.as_ref().map_or(0, |source| source.records.len());
                    match source.and_then(|source| import_run(source, plan())) {
                        Ok(imported) => {
                            assert_eq!(imported.run.completions.len(), records, "{lines:?}");
                            runs += 1;
                        }
                        Err(error) => {
                            assert!(error.to_string().contains("samples_x"), "{error}");
                            refused += 1;
                        }
                    }
                }
            }
        }
        assert!(
            runs > 100 && refused > 100,
            "{runs} runs, {refused} refused"
        );
    }
}
