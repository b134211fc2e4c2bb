//! The figures: `validate.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::judgement::{OnWrong, PairJudgement, ValidationMethod};
use crate::pair::Pair;

/// Version of `validate.json`.
pub(crate) const SCHEMA: &str = "mwpbench.mathscale.validate.v1";

/// `validate.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidationReport {
    /// Version of the file.
    pub schema: String,
    /// How pairs were judged.
    pub method: ValidationMethod,
    /// What was done with solutions that are wrong.
    pub on_wrong: OnWrong,
    /// Pairs read.
    pub pairs: u64,
    /// Solutions that are right.
    pub confirmed: u64,
    /// Solutions that are wrong, whatever was done with them.
    pub wrong: u64,
    /// Pairs on which there is no judgement: no usable reply, or no answer that more samples
    /// reach than any other.
    pub unjudged: u64,
    /// Share of the judged solutions that are wrong, in 0..=1; `None` where none was judged.
    pub wrong_share: Option<f64>,
    /// The judge beside the strict scorer on the two final answers; of the method by reference
    /// only.
    pub judge_and_scorer: Option<JudgeAndScorer>,
    /// Mean share of the samples that reach the pair's own answer, in 0..=1; of self-consistency
    /// only.
    pub sample_agreement: Option<f64>,
    /// The same by concept, in the order of the names.
    pub topics: BTreeMap<String, ConceptAgreement>,
    /// The same by concept, in the order of the names.
    pub knowledge_points: BTreeMap<String, ConceptAgreement>,
}

/// How often judge and scorer agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgeAndScorer {
    /// Both say right.
    pub both_right: u64,
    /// Only the judge says right: the final answers differ.
    pub only_judge_right: u64,
    /// Only the scorer says right: the final answers are equal.
    pub only_scorer_right: u64,
    /// Both say wrong.
    pub both_wrong: u64,
}

/// The judgements on the pairs of a concept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConceptAgreement {
    /// Pairs that were judged.
    pub judged: u64,
    /// Of these, solutions that are right.
    pub confirmed: u64,
    /// Share of the judged solutions that are right, in 0..=1; by self-consistency the mean share
    /// of the samples that reach the pair's own answer.
    pub agreement: f64,
}

/// The figures while pairs are counted.
pub(crate) struct Counting {
    report: ValidationReport,
    /// Sums of agreements.
    agreement: f64,
}

impl Counting {
    pub(crate) fn new(method: ValidationMethod, on_wrong: OnWrong) -> Self {
        let by_reference = method == ValidationMethod::Reference;
        Self {
            report: ValidationReport {
                schema: SCHEMA.to_string(),
                method,
                on_wrong,
                pairs: 0,
                confirmed: 0,
                wrong: 0,
                unjudged: 0,
                wrong_share: None,
                judge_and_scorer: by_reference.then(JudgeAndScorer::default),
                sample_agreement: None,
                topics: BTreeMap::new(),
                knowledge_points: BTreeMap::new(),
            },
            agreement: 0.0,
        }
    }

    pub(crate) fn count(&mut self, pair: &Pair, judged: &PairJudgement) {
        let report = &mut self.report;
        report.pairs += 1;
        let Some(right) = judged.right else {
            report.unjudged += 1;
            return;
        };
        if right {
            report.confirmed += 1;
        } else {
            report.wrong += 1;
        }
        self.agreement += judged.agreement;
        if let (Some(counts), Some(scorer)) = (&mut report.judge_and_scorer, judged.scorer) {
            *match (right, scorer) {
                (true, true) => &mut counts.both_right,
                (true, false) => &mut counts.only_judge_right,
                (false, true) => &mut counts.only_scorer_right,
                (false, false) => &mut counts.both_wrong,
            } += 1;
        }
        let concepts = [
            (&mut report.topics, &pair.topics),
            (&mut report.knowledge_points, &pair.knowledge_points),
        ];
        for (counts, names) in concepts {
            for name in names {
                let concept = counts.entry(name.clone()).or_default();
                concept.judged += 1;
                concept.confirmed += u64::from(right);
                // A sum until the end.
                concept.agreement += judged.agreement;
            }
        }
    }

    pub(crate) fn finish(mut self) -> ValidationReport {
        let report = &mut self.report;
        let judged = report.confirmed + report.wrong;
        if judged > 0 {
            report.wrong_share = Some(report.wrong as f64 / judged as f64);
            if report.method != ValidationMethod::Reference {
                report.sample_agreement = Some(self.agreement / judged as f64);
            }
        }
        for concept in report
            .topics
            .values_mut()
            .chain(report.knowledge_points.values_mut())
        {
            // At least 1: a concept is entered with its first judged pair.
            concept.agreement /= concept.judged as f64;
        }
        self.report
    }
}
