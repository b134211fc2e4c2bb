//! The stage: `compositions.jsonl` and the seeds → `pairs.jsonl`, `generate.set-aside.jsonl`.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::num::NonZeroU32;
use std::ops::ControlFlow;

use generation::{Decoding, Generator};
use jobs::{ItemOutcome, Job, Progress, Replies, Tally, Task, UnreadableReply};
use rayon::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};

use super::compositions::Compositions;
use super::nearest::NearestSeeds;
use super::price::{Cost, Prices};
use super::prompt;
use super::response::parse_response;
use crate::error::{Error, ErrorKind};
use crate::pair::{PAIRS, Pair};
use crate::project::{Begun, Identity, Input, Output, Project, Stage, StageRecord, WholeFile};
use crate::records::{Composition, Extraction, Seed, SetAside, read_lines};
use crate::tokens::estimated_tokens;

const COMPOSITIONS: &str = "compositions.jsonl";
const SEEDS: &str = "seeds.jsonl";
const EXTRACTIONS: &str = "extractions.jsonl";
const SET_ASIDE: &str = "generate.set-aside.jsonl";
/// Name of the work's files in the project.
const JOB: &str = "generate";
/// Pairs that are put together at a time, on all cores.
const BATCH: usize = 4096;

/// What the stage is to do.
pub struct GeneratePlan<'a> {
    /// Seeds shown as examples.
    pub examples: usize,
    /// How tokens are chosen. Each attempt at a composition is a sample of its own.
    pub decoding: Decoding,
    /// Most replies asked for a composition before it is set aside.
    pub attempts: NonZeroU32,
    /// Only so many compositions, the first ones; `None` for all.
    pub limit: Option<usize>,
    /// Instruction → what the model reads.
    pub render: &'a (dyn Fn(&str) -> String + Sync),
    /// What identifies `render`, such as a digest of its template.
    pub rendering: String,
    /// End the stage although some compositions could not be generated, which are then set aside.
    pub without_failed: bool,
    /// Replace what the project has of it.
    pub fresh: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GenerateOutcome {
    /// Whether nothing had to be done.
    pub already_there: bool,
    /// What the project's manifest holds of it: counts `compositions`, `pairs`, `set_aside`,
    /// `replies`, `prompt_tokens`, `completion_tokens`.
    pub record: StageRecord,
    /// The first compositions that were set aside in this call, with the reasons.
    pub set_aside: Vec<SetAside>,
}

impl GenerateOutcome {
    /// What all replies cost together.
    ///
    /// # Errors
    /// The prices do not know the model.
    pub fn cost(&self, prices: &Prices, model: &str) -> Result<Cost, Error> {
        let count = |name: &str| self.record.counts.get(name).copied().unwrap_or(0);
        prices.cost(model, count("prompt_tokens"), count("completion_tokens"))
    }
}

/// What the stage would take, by [`estimated_tokens`] and one attempt a composition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GenerationEstimate {
    /// Compositions.
    pub compositions: usize,
    /// Tokens of all prompts.
    pub prompt_tokens: u64,
    /// New tokens, where replies are as long as the seeds with their solutions are on average; at
    /// most `most_completion_tokens`.
    pub completion_tokens: u64,
    /// New tokens, where every reply is as long as it may be.
    pub most_completion_tokens: u64,
}

/// Asks for a pair for each composition of a project, or continues where that was begun.
///
/// # Errors
/// An earlier stage is missing or stale; the stage was run with something else; a failing
/// generator; compositions that could not be generated (the same call asks for these again); an
/// interruption; a file that cannot be read or written. What was finished stays in the project.
pub fn generate(
    project: &mut Project,
    plan: &GeneratePlan<'_>,
    generator: &mut dyn Generator,
    on_progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<GenerateOutcome, Error> {
    let inputs = inputs(project)?;
    let asking = Asking::read(project, plan)?;
    let info = generator.info();
    let wording = blake3::hash(format!("{}{}", prompt::digest(), plan.rendering).as_bytes())
        .to_hex()
        .to_string();
    let mut options = decoding_options(&plan.decoding, plan.attempts);
    options.insert("examples".to_string(), json!(plan.examples));
    options.insert("limit".to_string(), json!(plan.limit));
    let binding = json!({
        "inputs": inputs.iter().map(|(name, input)| (name.clone(), json!(input.blake3))).collect::<serde_json::Map<_, _>>(),
        "wording": wording,
        "examples": plan.examples,
    });
    let identity = Identity {
        inputs,
        options,
        prompt: Some(wording),
        generator: Some(info.clone()),
    };
    if let Begun::AlreadyThere(record) = project.begin(Stage::Generate, identity, plan.fresh)? {
        return Ok(GenerateOutcome {
            already_there: true,
            record: *record,
            set_aside: Vec::new(),
        });
    }
    let job = Job {
        folder: project.folder(),
        name: JOB,
        binding,
        decoding: plan.decoding.clone(),
        attempts: plan.attempts,
    };
    let mut replies = job.run(&asking, generator, on_progress)?;
    if !plan.without_failed {
        no_failures(Stage::Generate, &replies, |item| asking.id(item))?;
    }
    let (outputs, set_aside) = asking.write(project, &mut replies, &info.name)?;
    let mut counts = tally_counts(replies.tally());
    counts.insert("compositions".to_string(), asking.items() as u64);
    counts.insert("pairs".to_string(), replies.tally().answered as u64);
    counts.insert(
        "set_aside".to_string(),
        (asking.items() - replies.tally().answered) as u64,
    );
    let record = project.finish(Stage::Generate, BTreeMap::from(outputs), counts)?;
    Ok(GenerateOutcome {
        already_there: false,
        record,
        set_aside,
    })
}

/// What [`generate`] would take; nothing is asked and nothing is written.
///
/// # Errors
/// An earlier stage is missing or stale, or its files cannot be read.
pub fn estimate_generation(
    project: &Project,
    plan: &GeneratePlan<'_>,
) -> Result<GenerationEstimate, Error> {
    inputs(project)?;
    let asking = Asking::read(project, plan)?;
    let compositions = asking.items();
    let prompt = |item: usize| estimated_tokens(&asking.prompt(item, None)) as u64;
    let prompt_tokens = (0..compositions).into_par_iter().map(prompt).sum();
    let length = |seed: &Seed| estimated_tokens(&seed.question) + estimated_tokens(solution(seed));
    let lengths: usize = asking.seeds.iter().map(length).sum();
    let mean = (lengths / asking.seeds.len().max(1)).clamp(1, plan.decoding.max_tokens);
    Ok(GenerationEstimate {
        compositions,
        prompt_tokens,
        completion_tokens: (compositions * mean) as u64,
        most_completion_tokens: (compositions * plan.decoding.max_tokens) as u64,
    })
}

fn inputs(project: &Project) -> Result<BTreeMap<String, Input>, Error> {
    let input =
        |name: &str, stage, file| Ok::<_, Error>((name.to_string(), project.input(stage, file)?));
    Ok(BTreeMap::from([
        input("compositions", Stage::Compose, COMPOSITIONS)?,
        input("seeds", Stage::Extract, SEEDS)?,
        input("extractions", Stage::Extract, EXTRACTIONS)?,
    ]))
}

/// How tokens are chosen and how often is asked, for a stage's identity.
pub(crate) fn decoding_options(
    decoding: &Decoding,
    attempts: NonZeroU32,
) -> BTreeMap<String, Value> {
    BTreeMap::from([
        ("attempts".to_string(), json!(attempts)),
        (
            "decoding".to_string(),
            serde_json::to_value(decoding).unwrap_or(Value::Null),
        ),
    ])
}

/// What a stage's record tells of its replies.
pub(crate) fn tally_counts(tally: Tally) -> BTreeMap<String, u64> {
    BTreeMap::from([
        ("replies".to_string(), tally.replies as u64),
        ("prompt_tokens".to_string(), tally.prompt_tokens),
        ("completion_tokens".to_string(), tally.completion_tokens),
    ])
}

/// That every item came to its end.
pub(crate) fn no_failures(
    stage: Stage,
    replies: &Replies,
    id: impl Fn(usize) -> String,
) -> Result<(), Error> {
    match replies.failed().first_key_value() {
        None => Ok(()),
        Some((&item, reason)) => {
            let (failed, total, reason) = (replies.failed().len(), replies.len(), reason.clone());
            Err(Error::of(ErrorKind::Failed {
                stage,
                failed,
                total,
                id: id(item),
                reason,
            }))
        }
    }
}

fn solution(seed: &Seed) -> &str {
    seed.solution.as_deref().unwrap_or(&seed.answer)
}

/// The files of the stage, and the first items that were set aside.
type Files = ([(String, Output); 2], Vec<SetAside>);

/// The compositions as items of a job.
struct Asking<'a> {
    plan: &'a GeneratePlan<'a>,
    compositions: Compositions,
    /// Seeds that can be examples: with a question and something in place of a solution.
    seeds: Vec<Seed>,
    nearest: NearestSeeds,
}

impl<'a> Asking<'a> {
    fn read(project: &Project, plan: &'a GeneratePlan<'a>) -> Result<Self, Error> {
        let compositions = Compositions::read(&project.file(COMPOSITIONS), plan.limit)?;
        let mut points: HashMap<String, Vec<String>> = HashMap::new();
        for extraction in read_lines::<Extraction>(&project.file(EXTRACTIONS))? {
            let Extraction {
                id,
                knowledge_points,
                ..
            } = extraction?;
            points.insert(id, knowledge_points);
        }
        let mut seeds = Vec::new();
        for seed in read_lines::<Seed>(&project.file(SEEDS))? {
            let seed = seed?;
            if !seed.question.trim().is_empty() && !solution(&seed).trim().is_empty() {
                seeds.push(seed);
            }
        }
        let sets = seeds
            .iter()
            .map(|seed| points.get(&seed.id).map_or(&[][..], Vec::as_slice));
        let nearest = NearestSeeds::new(sets);
        Ok(Self {
            plan,
            compositions,
            seeds,
            nearest,
        })
    }

    /// The seeds to show, the nearest first.
    fn examples(&self, composition: &Composition) -> Vec<&Seed> {
        let found = self
            .nearest
            .lookup()
            .nearest(&composition.knowledge_points, self.plan.examples);
        found.into_iter().map(|place| &self.seeds[place]).collect()
    }

    fn pair(&self, item: usize, reply: &str, model: &str) -> Result<Pair, String> {
        let written = parse_response(reply)?;
        let composition = self.compositions.get(item);
        let seeds = self
            .examples(&composition)
            .into_iter()
            .map(|seed| seed.id.clone())
            .collect();
        let Composition {
            topics,
            knowledge_points,
        } = composition;
        Ok(Pair {
            id: self.id(item),
            topics,
            knowledge_points,
            question: written.question,
            solution: written.solution,
            model: model.to_string(),
            seeds,
            validation: None,
        })
    }

    /// Writes the pairs in the order of the compositions.
    fn write(&self, project: &Project, replies: &mut Replies, model: &str) -> Result<Files, Error> {
        const SHOWN: usize = 5;
        let failed = |name: &str| {
            let file = project.file(name);
            move |source| Error::in_file(&file, ErrorKind::WriteFailed(source))
        };
        let begin = |name: &str| WholeFile::begin(project.folder()).map_err(failed(name));
        let (mut pairs, mut aside) = (begin(PAIRS)?, begin(SET_ASIDE)?);
        let mut shown = Vec::new();
        for start in (0..self.items()).step_by(BATCH) {
            let batch: Vec<(usize, Result<String, String>)> = (start
                ..self.items().min(start + BATCH))
                .map(|item| Ok((item, text_of(replies.outcome(item)?))))
                .collect::<Result<_, Error>>()?;
            let read: Vec<Result<Pair, SetAside>> = batch
                .into_par_iter()
                .map(|(item, text)| {
                    let pair = text.and_then(|text| self.pair(item, &text, model));
                    let place = Some(format!("line {}", item + 1));
                    pair.map_err(|reason| SetAside {
                        id: self.id(item),
                        place,
                        reason,
                    })
                })
                .collect();
            for read in read {
                match read {
                    Ok(pair) => line(&mut pairs, &pair).map_err(failed(PAIRS))?,
                    Err(why) => {
                        line(&mut aside, &why).map_err(failed(SET_ASIDE))?;
                        if shown.len() < SHOWN {
                            shown.push(why);
                        }
                    }
                }
            }
        }
        let put = |file: WholeFile, name: &str| {
            let output = file.put(&project.file(name)).map_err(failed(name))?;
            Ok::<_, Error>((name.to_string(), output))
        };
        Ok(([put(pairs, PAIRS)?, put(aside, SET_ASIDE)?], shown))
    }
}

impl Task for Asking<'_> {
    fn items(&self) -> usize {
        self.compositions.len()
    }

    fn id(&self, item: usize) -> String {
        format!("pair/{}", item + 1)
    }

    fn prompt(&self, item: usize, refusal: Option<&UnreadableReply>) -> String {
        let composition = self.compositions.get(item);
        let examples = self.examples(&composition);
        (self.plan.render)(&prompt::prompt(&composition, examples.into_iter(), refusal))
    }

    fn judge(&self, _: usize, text: &str) -> Result<(), String> {
        parse_response(text).map(|_| ())
    }
}

/// The reply to an item, or why there is none that can be read.
pub(crate) fn text_of(outcome: ItemOutcome) -> Result<String, String> {
    match outcome {
        ItemOutcome::Answered(reply) => Ok(reply.text),
        ItemOutcome::SetAside(reply) => Err(reply
            .fault
            .unwrap_or_else(|| "the reply cannot be read".to_string())),
        ItemOutcome::Open(reason) => {
            Err(reason.unwrap_or_else(|| "it was never asked".to_string()))
        }
    }
}

fn line(out: &mut WholeFile, record: &impl Serialize) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, record)?;
    out.write_all(b"\n")
}
