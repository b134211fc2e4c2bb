//! What a run asks, and how.

use std::collections::BTreeMap;

use dataset_loader::{Benchmark, DataOrigin, Problem, Set};
use generation::{Decoding, GeneratorInfo, Prompt};
use jiff::Timestamp;
use scoring::{rules_digest, scorer_version};

use crate::error::Error;
use crate::exclusion::Excluded;
use crate::few_shot::FewShot;
use crate::manifest::{DataIdentity, RunIdentity, RunManifest, SCHEMA, problems_digest};
use crate::protocol::Protocol;
use crate::shard::ShardRecord;
use crate::suite::Suite;
use crate::template::Template;
use crate::token_details::TokenDetails;

/// What a run asks, and how.
#[derive(Clone, Debug)]
pub struct RunPlan {
    /// What is asked, in order.
    pub problems: Vec<Problem>,
    /// Where the problems came from.
    pub origin: DataOrigin,
    /// BLAKE3 (hex) of the data files.
    pub data_digest: String,
    /// How it is asked.
    pub template: Template,
    /// How tokens are chosen and when completions end.
    pub decoding: Decoding,
    /// The protocol by which the problems were selected.
    pub protocol: Protocol,
    /// Most problems of a set, if limited.
    pub limit: Option<usize>,
    /// What was left out of the selection by a list of ids.
    pub excluded: Option<Excluded>,
    /// The suites that were asked for, MwpBench apart.
    pub suites: Vec<Suite>,
    /// The examples before each question.
    pub few_shot: Option<FewShot>,
    /// How many tokens a model may think before its thinking is ended.
    pub thinking_budget: Option<usize>,
    /// Which part of the problems this machine asks; all where `None`.
    pub shard: Option<ShardRecord>,
    /// What to do with prompts that leave the model no room.
    pub long_prompts: LongPrompts,
    /// Whether items that failed before are asked again.
    pub retry_failed: bool,
    /// What is kept of each new token: the generator must tell it. With token ids `prompts.jsonl`
    /// is written too, each prompt with the ids that the model reads.
    pub token_details: TokenDetails,
    /// Version of the program, for the manifest.
    pub version: String,
    /// Facts for the manifest that cannot change a completion, such as the number of threads.
    pub environment: BTreeMap<String, String>,
    /// What the user wants to remember of the run. Given again with others, they are added to the
    /// manifest of a run that is there.
    pub tags: BTreeMap<String, String>,
}

/// What to do with prompts that leave the model no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LongPrompts {
    /// Refuse the run before anything is generated.
    #[default]
    Refuse,
    /// Count the items as failed.
    Fail,
}

impl RunPlan {
    /// What decides the completions when this generator answers.
    pub fn identity(&self, model: GeneratorInfo) -> RunIdentity {
        let (name, samples) = DataIdentity::label(&self.origin);
        RunIdentity {
            model,
            data: DataIdentity {
                name,
                samples,
                digest: self.data_digest.clone(),
                problems: self.problems.len(),
                problems_digest: problems_digest(&self.problems),
            },
            template: self.template.identity(),
            decoding: self.decoding.clone(),
            protocol: self.protocol,
            limit: self.limit,
            excluded: self.excluded.clone(),
            few_shot: self.few_shot.clone(),
            thinking_budget: self.thinking_budget,
            imported: None,
        }
    }

    pub(crate) fn manifest(&self, benchmark: &Benchmark, model: GeneratorInfo) -> RunManifest {
        let is_asked = |set: &&Set| self.problems.iter().any(|problem| problem.set == set.name);
        RunManifest {
            schema: SCHEMA.to_string(),
            version: self.version.clone(),
            identity: self.identity(model),
            own_sets: benchmark.custom_sets().filter(is_asked).cloned().collect(),
            suites: self.suites.clone(),
            rules: Some(rules_digest()),
            scorer_version: Some(scorer_version()),
            environment: self.environment.clone(),
            serving: None,
            tags: self.tags.clone(),
            token_details: self.token_details,
            shard: self.shard.clone(),
            started: Timestamp::now(),
            finished: None,
        }
    }

    /// Which of the problems this machine asks.
    pub fn own(&self) -> Vec<bool> {
        let shard = self.shard.as_ref().and_then(ShardRecord::shard);
        match shard {
            Some(shard) => shard.deal(&self.problems),
            None => vec![true; self.problems.len()],
        }
    }

    /// Every prompt of the run: the samples of a problem one after the other, in the order of the
    /// problems.
    ///
    /// # Errors
    /// A problem that the template cannot render.
    pub fn prompts(&self) -> Result<Vec<Prompt>, Error> {
        let mut prompts = Vec::new();
        for problem in &self.problems {
            let examples = self
                .few_shot
                .as_ref()
                .map_or(&[][..], |few| few.of_set(&problem.set));
            let rendered = self.template.render_after(examples, &problem.question);
            let text = rendered.map_err(|source| Error::Template {
                id: problem.id.clone(),
                source,
            })?;
            let prompt = |sample| Prompt {
                id: problem.id.clone(),
                sample,
                text: text.clone(),
            };
            // Samples of a problem beside each other: the recorder of completions counts on it.
            prompts.extend((0..self.decoding.samples()).map(prompt));
        }
        Ok(prompts)
    }
}
