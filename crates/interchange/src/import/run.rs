//! Items and their problems → a run as a folder keeps it, with what the files do not tell.

use std::collections::BTreeMap;

use dataset_loader::Benchmark;
use evaluation::{
    CompletionRecord, DataIdentity, ImportedFrom, ImportedRun, PUBLISHED_DATA, PromptRecord,
    Protocol, RunIdentity, TemplateIdentity,
};
use generation::{Decoding, FinishReason, GeneratorInfo, Sampling};
use serde_json::{Map, Value, json};

use super::error::{ImportError, ImportErrorKind};
use super::items::{Item, items};
use super::matching::{KnownProblems, Matched, matched};
use super::{Record, Source, affixes};

/// What an import is given beside the files.
#[derive(Clone, Debug)]
pub struct ImportPlan {
    /// The sets there are.
    pub benchmark: Benchmark,
    /// The problems among which questions are looked for.
    pub known: KnownProblems,
    /// The user's tags.
    pub tags: BTreeMap<String, String>,
    /// Facts for the manifest.
    pub environment: BTreeMap<String, String>,
    /// Version of the program, for the manifest.
    pub version: String,
}

/// What became of another program's files.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The run.
    pub run: ImportedRun,
    /// The sets there are, the run's own among them.
    pub benchmark: Benchmark,
    /// Problems of known sets.
    pub known: usize,
    /// Completions that the files count as correct, and of how many they say so.
    pub counted: Option<(usize, usize)>,
    /// What the reader should know, in sentences.
    pub notes: Vec<String>,
}

/// Makes a run of what files tell.
///
/// # Errors
/// An item twice, items with different numbers of samples, an item without a reference, or a file
/// that can no longer be read.
pub fn import_run(source: Source, plan: ImportPlan) -> Result<Imported, ImportError> {
    let digest = files_digest(&source)?;
    let mut notes = source.notes.clone();
    note_unknown_fields(&mut notes, &source);
    let facts = Facts::of(&source);
    let items = items(source.records.clone())?;
    let matched = matched(&plan.benchmark, &plan.known, &items, source.format)?;
    notes.extend(matched.notes.iter().cloned());
    let samples = items.first().map_or(1, |item| item.samples.len());
    let template = template(&items, &matched);
    let unknown = facts.unknown(&source, template.is_none());
    note_completions(&mut notes, &source.records);
    let identity = RunIdentity {
        model: GeneratorInfo {
            name: source
                .model
                .clone()
                .unwrap_or_else(|| evaluation::UNKNOWN.to_string()),
            kind: "imported".to_string(),
            details: BTreeMap::new(),
        },
        data: data(&plan.known, &matched, &source, &digest),
        template: template.unwrap_or_else(TemplateIdentity::unknown),
        decoding: decoding(&source, samples),
        protocol: protocol(&matched),
        limit: None,
        excluded: None,
        few_shot: None,
        thinking_budget: None,
        imported: Some(ImportedFrom {
            format: source.format.name().to_string(),
            digest,
            unknown,
        }),
    };
    let benchmark = plan.benchmark.with(matched.own_sets.clone());
    // Their names were looked for among those that are free.
    let benchmark = benchmark.map_err(|error| {
        ImportError::of(
            &source.files[0],
            ImportErrorKind::Malformed(error.to_string()),
        )
    })?;
    let mut environment = plan.environment;
    if matched.known < matched.problems.len() {
        environment.remove(PUBLISHED_DATA);
    }
    if let Some(version) = &source.program_version {
        environment.insert(
            "imported_program".to_string(),
            format!("{} {version}", source.format.name()),
        );
    }
    let run = ImportedRun {
        completions: completions(&items, &matched),
        prompts: prompts(&items, &matched),
        leftovers: leftovers(&items, &matched),
        problems: matched
            .problems
            .iter()
            .map(|(problem, _)| problem.clone())
            .collect(),
        own_sets: matched.own_sets,
        identity,
        environment,
        tags: plan.tags,
        started: source.started,
        version: plan.version,
    };
    let judged: Vec<bool> = source
        .records
        .iter()
        .filter_map(|record| record.correct)
        .collect();
    Ok(Imported {
        run,
        benchmark,
        known: matched.known,
        counted: (!judged.is_empty()).then(|| {
            (
                judged.iter().filter(|correct| **correct).count(),
                judged.len(),
            )
        }),
        notes,
    })
}

/// How many completions come without what the records of a run of our own have.
struct Facts {
    without_reason: usize,
    without_tokens: usize,
}

impl Facts {
    fn of(source: &Source) -> Self {
        let records = &source.records;
        let without = |is_there: fn(&Record) -> bool| {
            records.iter().filter(|record| !is_there(record)).count()
        };
        Self {
            without_reason: without(|record| {
                record.finish_reason.is_some() || record.error.is_some()
            }),
            without_tokens: without(|record| record.completion_tokens.is_some()),
        }
    }

    /// What the files do not tell.
    fn unknown(&self, source: &Source, template: bool) -> Vec<String> {
        let all = [
            ("model", source.model.is_none()),
            ("model.digest", true),
            ("template", template),
            ("decoding.max_tokens", source.max_tokens.is_none()),
            ("decoding.stop", source.stop.is_none()),
            ("decoding.sampling", source.sampling.is_none()),
            ("finish_reason", self.without_reason > 0),
            ("tokens", self.without_tokens > 0),
        ];
        let unknown = all.into_iter().filter(|(_, unknown)| *unknown);
        unknown.map(|(field, _)| field.to_string()).collect()
    }
}

fn files_digest(source: &Source) -> Result<String, ImportError> {
    let mut hasher = blake3::Hasher::new();
    for file in &source.files {
        let content = std::fs::read(file)
            .map_err(|error| ImportError::of(file, ImportErrorKind::Unreadable(error)))?;
        // With its length: the end of one file must not move to the start of the next.
        hasher
            .update(&(content.len() as u64).to_le_bytes())
            .update(&content);
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn note_unknown_fields(notes: &mut Vec<String>, source: &Source) {
    const SHOWN: usize = 12;
    let fields = &source.unknown_fields;
    if fields.is_empty() {
        return;
    }
    let names: Vec<&str> = fields
        .iter()
        .take(SHOWN)
        .map(|(name, _)| name.as_str())
        .collect();
    let more = match fields.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    notes.push(format!(
        "unknown fields, kept in imported.jsonl: {}{more}",
        names.join(", ")
    ));
}

fn note_completions(notes: &mut Vec<String>, records: &[Record]) {
    let empty = records
        .iter()
        .filter(|record| record.completion.trim().is_empty() && record.error.is_none())
        .count();
    if empty > 0 {
        notes.push(format!(
            "{empty} of {} completions are empty: they hold no answer",
            records.len()
        ));
    }
    let failed = records
        .iter()
        .filter(|record| record.error.is_some())
        .count();
    if failed > 0 {
        notes.push(format!(
            "{failed} of {} completions failed there, and count as failed",
            records.len()
        ));
    }
}

/// The template, where every prompt is the same text around its question.
fn template(items: &[Item], matched: &Matched) -> Option<TemplateIdentity> {
    const NAME: &str = "imported";
    if items
        .iter()
        .any(|item| item.samples[0].asked_as_chat || item.prompt().is_none())
    {
        return None;
    }
    let (before, after) = match &matched.around {
        Some((before, after)) => (before.clone(), after.clone()),
        None => {
            let pairs = items
                .iter()
                .map(|item| Some((item.prompt()?, item.question()?)));
            affixes::template(&pairs.collect::<Option<Vec<_>>>()?)?
        }
    };
    let is_around = |item: &Item| {
        item.prompt()
            .is_some_and(|prompt| affixes::inner(prompt, &before, &after).is_some())
    };
    items
        .iter()
        .all(is_around)
        .then(|| TemplateIdentity::of_text(NAME, &format!("{before}{{question}}{after}")))?
}

fn data(known: &KnownProblems, matched: &Matched, source: &Source, digest: &str) -> DataIdentity {
    let (name, samples, digest) = match matched.known {
        0 => (source.files[0].display().to_string(), false, digest),
        _ => (known.name.clone(), known.bundled, known.digest.as_str()),
    };
    DataIdentity {
        name,
        samples,
        digest: digest.to_string(),
        // Filled in where the folder is written.
        problems: 0,
        problems_digest: String::new(),
    }
}

/// How it was decoded; what is unknown has a value that says nothing.
fn decoding(source: &Source, samples: usize) -> Decoding {
    let samples = u32::try_from(samples).unwrap_or(u32::MAX);
    let samples = std::num::NonZeroU32::new(samples).unwrap_or(std::num::NonZeroU32::MIN);
    let plain = Sampling {
        temperature: 1.0,
        top_k: None,
        top_p: 1.0,
        min_p: 0.0,
        repetition_penalty: 1.0,
        seed: 0,
        samples,
    };
    Decoding {
        max_tokens: source.max_tokens.unwrap_or(1),
        stop: source.stop.clone().unwrap_or_default(),
        sampling: match source.sampling.flatten() {
            Some(sampling) => Some(Sampling {
                samples,
                ..sampling
            }),
            // Several completions of a problem are kept as drawn ones, greedy or not.
            None => (samples.get() > 1).then_some(plain),
        },
    }
}

fn protocol(matched: &Matched) -> Protocol {
    let mut tasks: BTreeMap<&str, usize> = BTreeMap::new();
    for (problem, _) in &matched.problems {
        *tasks.entry(&problem.task).or_default() += 1;
    }
    let cap = Protocol::Official.task_cap().unwrap_or(usize::MAX);
    match tasks.values().any(|count| *count > cap) {
        true => Protocol::Full,
        false => Protocol::Official,
    }
}

fn prompt_hash(record: &Record) -> String {
    let prompt = record.prompt.as_deref().filter(|_| !record.asked_as_chat);
    prompt.map_or_else(String::new, |prompt| {
        blake3::hash(prompt.as_bytes()).to_hex().to_string()
    })
}

fn completions(items: &[Item], matched: &Matched) -> Vec<CompletionRecord> {
    let of_problem = |(problem, place): &(dataset_loader::Problem, usize)| {
        let samples = items[*place].samples.iter().enumerate();
        samples
            .map(|(sample, record)| CompletionRecord {
                id: problem.id.clone(),
                set: problem.set.clone(),
                task: problem.task.clone(),
                sample: sample as u32,
                completion: record.completion.clone(),
                finish_reason: match (&record.error, record.finish_reason) {
                    (Some(_), _) => FinishReason::Error,
                    (None, reason) => reason.unwrap_or(FinishReason::Eos),
                },
                prompt_tokens: record.prompt_tokens.unwrap_or(0),
                completion_tokens: record.completion_tokens.unwrap_or(0),
                prompt_hash: prompt_hash(record),
                token_ids: None,
                logprobs: None,
                thinking: record.thinking.clone(),
                thinking_tokens: None,
                error: record.error.clone(),
            })
            .collect::<Vec<_>>()
    };
    matched.problems.iter().flat_map(of_problem).collect()
}

fn prompts(items: &[Item], matched: &Matched) -> Vec<PromptRecord> {
    let of_problem = |(problem, place): &(dataset_loader::Problem, usize)| {
        let record = &items[*place].samples[0];
        let prompt = record.prompt.clone().filter(|_| !record.asked_as_chat)?;
        Some(PromptRecord {
            id: problem.id.clone(),
            prompt,
            token_ids: Vec::new(),
        })
    };
    matched.problems.iter().filter_map(of_problem).collect()
}

/// What the records say beside: with the item's id there and where it stood.
fn leftovers(items: &[Item], matched: &Matched) -> Vec<Value> {
    let mut lines = Vec::new();
    for (problem, place) in &matched.problems {
        for (sample, record) in items[*place].samples.iter().enumerate() {
            let mut line = Map::new();
            line.insert("id".to_string(), problem.id.clone().into());
            line.insert("sample".to_string(), sample.into());
            let file = record.at.file.file_name().unwrap_or_default();
            line.insert("file".to_string(), file.to_string_lossy().into());
            line.insert("place".to_string(), record.at.place.clone().into());
            line.insert("source_id".to_string(), json!(record.id));
            line.insert("correct".to_string(), json!(record.correct));
            line.insert("fields".to_string(), record.leftovers.clone().into());
            lines.push(line.into());
        }
    }
    lines
}
