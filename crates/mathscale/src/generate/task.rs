//! The compositions as items of a job.

use std::collections::{BTreeMap, HashMap};

use jobs::{JobTask, UnreadableReply};
use store::{FileError, JsonLines};

use super::compositions::Compositions;
use super::nearest::NearestSeeds;
use super::prompt;
use super::reply::parse_reply;
use crate::error::Error;
use crate::fault_kind::FaultKind;
use crate::model::Asking;
use crate::pair::Pair;
use crate::project::{Input, Project};
use crate::records::{Composition, Extraction, Seed};
use crate::stage::{COMPOSITIONS, EXTRACTIONS, SEEDS, Stage};

/// What the stage is to do.
pub struct GeneratePlan<'a> {
    /// Few-shot examples in a prompt.
    pub examples: usize,
    /// How the model is asked.
    pub asking: Asking<'a>,
    /// Only so many compositions, the first ones; `None` for all.
    pub limit: Option<usize>,
    /// End the stage although some compositions could not be generated, which are then rejected.
    pub without_failed: bool,
    /// Replace what the project has of it.
    pub fresh: bool,
}

/// The compositions of a project, with the seeds that can be examples.
pub(crate) struct PairTask<'a> {
    plan: &'a GeneratePlan<'a>,
    pub(crate) inputs: BTreeMap<String, Input>,
    pub(crate) compositions: Compositions,
    /// Seeds with a question and something in place of a solution.
    pub(crate) seeds: Vec<Seed>,
    nearest: NearestSeeds,
}

impl<'a> PairTask<'a> {
    pub(crate) fn read(project: &Project, plan: &'a GeneratePlan<'a>) -> Result<Self, Error> {
        let inputs = [
            ("compositions", Stage::Compose, COMPOSITIONS),
            ("seeds", Stage::Extract, SEEDS),
            ("extractions", Stage::Extract, EXTRACTIONS),
        ];
        let input = |(name, stage, file): (&str, _, _)| {
            Ok::<_, Error>((name.to_string(), project.input(stage, file)?))
        };
        let inputs = inputs.into_iter().map(input).collect::<Result<_, _>>()?;
        let compositions = Compositions::read(&project.file(COMPOSITIONS), plan.limit)?;
        let mut points: HashMap<String, Vec<String>> = HashMap::new();
        for extraction in JsonLines::<Extraction>::open(&project.file(EXTRACTIONS))? {
            let extraction = extraction?;
            points.insert(extraction.id, extraction.knowledge_points);
        }
        let mut seeds: Vec<Seed> = JsonLines::read_all(&project.file(SEEDS))?;
        let is_blank = |text: &str| text.trim().is_empty();
        seeds.retain(|seed| !is_blank(&seed.question) && !is_blank(seed.worked_solution()));
        let sets = seeds.iter().map(|seed| points.get(&seed.id));
        let nearest = NearestSeeds::new(sets.map(|points| points.map_or(&[][..], Vec::as_slice)));
        Ok(Self {
            plan,
            inputs,
            compositions,
            seeds,
            nearest,
        })
    }

    /// The few-shot examples, the nearest first.
    fn examples(&self, composition: &Composition) -> Vec<&Seed> {
        let points = &composition.knowledge_points;
        let found = self.nearest.lookup().nearest(points, self.plan.examples);
        found.into_iter().map(|place| &self.seeds[place]).collect()
    }

    /// What the model reads.
    pub(crate) fn instruction(&self, item: usize, refusal: Option<&UnreadableReply>) -> String {
        let composition = self.compositions.get(item);
        let examples = self.examples(&composition).into_iter();
        (self.plan.asking.render)(&prompt::prompt(&composition, examples, refusal))
    }

    /// The pair of a reply.
    ///
    /// # Errors
    /// Why the reply cannot be parsed.
    pub(crate) fn pair(&self, item: usize, reply: &str, model: &str) -> Result<Pair, String> {
        let parsed = parse_reply(reply)?;
        let composition = self.compositions.get(item);
        // Looked up again and not kept from the prompt: the same inputs give the same seeds, also
        // after a restart.
        let seeds = self.examples(&composition).into_iter();
        Ok(Pair {
            id: self.id(item),
            seeds: seeds.map(|seed| seed.id.clone()).collect(),
            topics: composition.topics,
            knowledge_points: composition.knowledge_points,
            question: parsed.question,
            solution: parsed.solution,
            model: model.to_string(),
            validation: None,
        })
    }
}

impl JobTask for PairTask<'_> {
    fn items(&self) -> usize {
        self.compositions.len()
    }

    fn id(&self, item: usize) -> String {
        format!("pair/{}", item + 1)
    }

    fn prompt(&self, item: usize, refusal: Option<&UnreadableReply>) -> Result<String, FileError> {
        Ok(self.instruction(item, refusal))
    }

    fn judge(&self, _: usize, text: &str) -> Result<(), String> {
        parse_reply(text).map(|_| ())
    }

    fn kind(&self, fault: &str) -> &'static str {
        FaultKind::of(fault).name()
    }
}
