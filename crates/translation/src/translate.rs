//! From a file of records to a file of translated ones.

use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use dataset_loader::{Benchmark, Data, Problem, needs_options};
use generation::{Decoding, Generator};
use jobs::{ItemOutcome, Job, JobError, JobTask, Progress, Replies, Tally, UnreadableReply};
use serde::Serialize;
use serde_json::{Map, Value, json};
use store::FileError;

use crate::check::{check, has_chinese};
use crate::error::Error;
use crate::reply::translation_in;
use crate::wording::{Part, instruction, wording_digest};

/// Name of the work's files in its folder.
const JOB: &str = "translation";
/// Fields of a record about the untranslated text.
const LANGUAGE: &str = "language";
const FORM: &str = "form";
const LABEL: &str = "label";

/// What to translate, and how.
pub struct TranslationPlan<'a> {
    /// A file of records in MwpBench's record form, those with `"language": "zh"` to be translated.
    pub input: &'a Path,
    /// Where the translated records go; the file is replaced.
    pub output: &'a Path,
    /// Where the replies are kept, so that the same call continues.
    pub folder: &'a Path,
    /// How tokens are chosen.
    pub decoding: Decoding,
    /// Replies asked for a text, at most.
    pub attempts: NonZeroU32,
    /// Replies, all of them refused, at which it is given up; `None` for never.
    pub max_refused: Option<NonZeroUsize>,
    /// Share of the replies that may be refused, in 0..1; `None` for any.
    pub max_rejected: Option<f64>,
    /// Instruction → what the model reads.
    pub render: &'a (dyn Fn(&str) -> String + Sync),
    /// What identifies `render`, such as a digest of its template.
    pub rendering: String,
}

/// The result of a translation.
#[derive(Clone, Debug, Serialize)]
pub struct Translated {
    /// The file read.
    pub input: PathBuf,
    /// The file written.
    pub output: PathBuf,
    /// Name of the model that translated.
    pub model: String,
    /// Problems read.
    pub read: usize,
    /// Problems written.
    pub written: usize,
    /// Of these, those that were in English already.
    pub english: usize,
    /// Problems left out because their translation speaks of options: it contains one of five
    /// phrases, as for problems that were English from the start.
    pub needs_options: Vec<String>,
    /// Problems without an acceptable translation.
    #[serde(rename = "set_aside")]
    pub rejected: Vec<RejectedProblem>,
    /// Replies and tokens of all starts together; here an item is a text, as an answer may be one
    /// too.
    pub tally: Tally,
    /// Where all replies are.
    pub journal: PathBuf,
}

/// A problem without an acceptable translation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RejectedProblem {
    /// Its id.
    pub id: String,
    /// What was wrong with the last attempt.
    pub reason: String,
    /// That attempt.
    pub reply: String,
}

/// Translates the records of a file, or continues where that was begun.
///
/// # Errors
/// A file that is not of the record form or needs no translation, work of another kind in the
/// folder, a failing generator, a full disk, an interruption. What was finished stays in the
/// folder; the output is written only when every text has been translated or rejected.
pub fn translate(
    benchmark: &Benchmark,
    plan: &TranslationPlan<'_>,
    generator: &mut dyn Generator,
    on_progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Translated, Error> {
    if is_same_file(plan.input, plan.output) {
        return Err(Error::OutputIsInput(plan.output.to_path_buf()));
    }
    let data = dataset_loader::load(benchmark, plan.input)?;
    let texts = Texts {
        items: texts(benchmark, plan.input, &data)?,
        render: plan.render,
    };
    // The digest of the data and not their path: a file that was moved is continued. How many
    // attempts there are is bound by the job itself.
    let job = Job {
        folder: plan.folder,
        name: JOB,
        binding: json!({
            "data": data.digest,
            "rendering": plan.rendering,
            "wording": wording_digest(),
        }),
        decoding: plan.decoding.clone(),
        attempts: plan.attempts,
        max_refused: plan.max_refused,
        max_rejected: plan.max_rejected,
    };
    let mut replies = job.run(&texts, generator, on_progress)?;
    if let Some((&item, reason)) = replies.failed().first_key_value() {
        let (failed, total) = (replies.failed().len(), replies.len());
        return Err(Error::Failed {
            failed,
            total,
            id: texts.id(item),
            reason: reason.clone(),
        });
    }
    let model = generator.info().name;
    let mut collector = Collector {
        benchmark,
        data: &data,
        model: &model,
        records: Vec::new(),
        translated: Translated {
            input: plan.input.to_path_buf(),
            output: plan.output.to_path_buf(),
            model: model.clone(),
            read: data.problems.len(),
            written: 0,
            english: 0,
            needs_options: Vec::new(),
            rejected: Vec::new(),
            tally: replies.tally(),
            journal: replies.file().to_path_buf(),
        },
    };
    collector.collect(&texts, &mut replies)?;
    collector.finish()
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// A text to be translated.
struct Text<'a> {
    problem: &'a Problem,
    part: Part,
}

impl Text<'_> {
    fn source(&self) -> &str {
        match self.part {
            Part::Question => &self.problem.question,
            Part::Answer => &self.problem.reference,
        }
    }
}

/// Questions of other languages, and their references where these hold Chinese.
fn texts<'a>(benchmark: &Benchmark, input: &Path, data: &'a Data) -> Result<Vec<Text<'a>>, Error> {
    let mut texts = Vec::new();
    for problem in data
        .problems
        .iter()
        .filter(|problem| data.is_untranslated(benchmark, problem))
    {
        let language = data.language(&problem.id).unwrap_or_default();
        if language != "zh" {
            return Err(Error::OtherLanguage {
                file: input.to_path_buf(),
                id: problem.id.clone(),
                language,
            });
        }
        texts.push(Text {
            problem,
            part: Part::Question,
        });
        if has_chinese(&problem.reference) {
            texts.push(Text {
                problem,
                part: Part::Answer,
            });
        }
    }
    match texts.is_empty() {
        true => Err(Error::NothingToTranslate(input.to_path_buf())),
        false => Ok(texts),
    }
}

struct Texts<'a> {
    items: Vec<Text<'a>>,
    render: &'a (dyn Fn(&str) -> String + Sync),
}

impl JobTask for Texts<'_> {
    fn items(&self) -> usize {
        self.items.len()
    }

    fn id(&self, item: usize) -> String {
        let Text { problem, part } = &self.items[item];
        match part {
            Part::Question => problem.id.clone(),
            Part::Answer => format!("{}#answer", problem.id),
        }
    }

    fn prompt(&self, item: usize, refusal: Option<&UnreadableReply>) -> Result<String, FileError> {
        let text = &self.items[item];
        Ok((self.render)(&instruction(
            text.part,
            text.source(),
            refusal,
        )))
    }

    fn judge(&self, item: usize, text: &str) -> Result<(), String> {
        check(self.items[item].source(), &translation_in(text))
    }
}

/// Replies → records.
struct Collector<'a> {
    benchmark: &'a Benchmark,
    data: &'a Data,
    model: &'a str,
    records: Vec<Map<String, Value>>,
    translated: Translated,
}

impl Collector<'_> {
    fn collect(&mut self, texts: &Texts<'_>, replies: &mut Replies) -> Result<(), Error> {
        // Texts stand in the order of their problems, so that one pass over both finds those of
        // each.
        let mut item = 0;
        for problem in &self.data.problems {
            let (mut question, mut reference, mut fault) = (None, None, None);
            while let Some(text) = texts
                .items
                .get(item)
                .filter(|text| text.problem.id == problem.id)
            {
                match (replies.outcome(item).map_err(JobError::from)?, text.part) {
                    (ItemOutcome::Answered(reply), Part::Question) => {
                        question = Some(translation_in(&reply.text))
                    }
                    (ItemOutcome::Answered(reply), Part::Answer) => {
                        reference = Some(translation_in(&reply.text))
                    }
                    (ItemOutcome::SetAside(reply), _) => {
                        let reason = reply.fault.unwrap_or_default();
                        fault.get_or_insert(RejectedProblem {
                            id: texts.id(item),
                            reason,
                            reply: reply.text,
                        });
                    }
                    (ItemOutcome::Open(_), _) => {
                        let id = texts.id(item);
                        let (total, reason) = (texts.items.len(), "it was not asked".to_string());
                        return Err(Error::Failed {
                            failed: 1,
                            total,
                            id,
                            reason,
                        });
                    }
                }
                item += 1;
            }
            match fault {
                Some(fault) => self.translated.rejected.push(fault),
                None => self.push(problem, question, reference),
            }
        }
        Ok(())
    }

    /// Adds the record of a problem with what was translated of it.
    fn push(&mut self, problem: &Problem, question: Option<String>, reference: Option<String>) {
        let mut extras = self
            .data
            .extras
            .get(&problem.id)
            .cloned()
            .unwrap_or_default();
        // Such a question carries its options itself, and may speak of them.
        let asked_for_label = extras.get(FORM).and_then(Value::as_str) == Some("choice");
        let was_choice = extras.contains_key(LABEL) && !asked_for_label;
        if was_choice
            && question
                .as_deref()
                .is_some_and(|question| needs_options(question).is_some())
        {
            self.translated.needs_options.push(problem.id.clone());
            return;
        }
        self.translated.written += 1;
        self.translated.english += usize::from(question.is_none());
        let mut record = Map::new();
        let mut set = |field: &str, value: Value| record.insert(field.to_string(), value);
        set(
            "data_source",
            extras.shift_remove("data_source").unwrap_or_default(),
        );
        set("question_number", Value::String(self.number(problem)));
        set(
            "question",
            Value::String(question.clone().unwrap_or_else(|| problem.question.clone())),
        );
        set(
            "answer",
            Value::String(
                reference
                    .clone()
                    .unwrap_or_else(|| problem.reference.clone()),
            ),
        );
        set(
            "license",
            extras.shift_remove("license").unwrap_or_default(),
        );
        set("data_topic", Value::String(problem.task.clone()));
        if question.is_some() {
            extras.shift_remove(LANGUAGE);
            set("source_language", Value::String("zh".to_string()));
            set("source_question", Value::String(problem.question.clone()));
            if reference.is_some() {
                set("source_answer", Value::String(problem.reference.clone()));
            }
            set("translated_by", Value::String(self.model.to_string()));
        }
        record.retain(|_, value| !value.is_null());
        record.extend(extras);
        self.records.push(record);
    }

    /// The number within the task: an id is `task/number`, perhaps with `@source`.
    fn number(&self, problem: &Problem) -> String {
        let number = problem
            .id
            .strip_prefix(&format!("{}/", problem.task))
            .unwrap_or(&problem.id);
        let source = self
            .data
            .extras
            .get(&problem.id)
            .and_then(|extras| extras.get("data_source"));
        let qualified = source
            .and_then(Value::as_str)
            .map(|source| format!("@{source}"));
        qualified
            .and_then(|suffix| number.strip_suffix(&suffix))
            .unwrap_or(number)
            .to_string()
    }

    fn finish(self) -> Result<Translated, Error> {
        let output = &self.translated.output;
        if self.records.is_empty() {
            let rejected = self
                .translated
                .rejected
                .first()
                .map(|first| (first.id.clone(), first.reason.clone()));
            let of_options = || {
                let id = self.translated.needs_options.first()?.clone();
                let reason = "its translation speaks of options that are not asked";
                Some((id, reason.to_string()))
            };
            let (id, reason) = rejected.or_else(of_options).unwrap_or_default();
            let (total, journal) = (self.translated.read, self.translated.journal.clone());
            return Err(Error::NothingLeft {
                total,
                id,
                reason,
                journal,
            });
        }
        if let Some(folder) = output.parent() {
            let not_writable = |source| FileError::NotWritable {
                folder: folder.to_path_buf(),
                source,
            };
            std::fs::create_dir_all(folder).map_err(not_writable)?;
        }
        store::write_atomic(output, |out| {
            let mut records = self.records.iter();
            records.try_for_each(|record| store::write_line(&mut *out, record))
        })
        .map_err(FileError::write_failed(output))?;
        // What was written must be what can be asked.
        let written = dataset_loader::load(self.benchmark, output)?;
        written.check_language(self.benchmark, &written.problems)?;
        Ok(self.translated)
    }
}
