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
