//! Where the two scorers differ, grouped by the rules that made the difference.

use serde::Serialize;

use crate::record::VerdictRecord;

/// Where the official scorer and the strict one differ in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disagreements {
    /// Items judged.
    pub n: usize,
    /// Items that the official scorer accepts and the strict one refuses.
    pub official_false_positives: usize,
    /// Items that the official scorer refuses and the strict one accepts.
    pub official_false_negatives: usize,
    /// The items by the rules that decided, the largest group first.
    pub groups: Vec<DisagreementGroup>,
}

/// Items on which the same pair of rules came to different verdicts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DisagreementGroup {
    /// The rule that decided for the official scorer.
    pub official_rule: String,
    /// The rule that decided for the strict scorer.
    pub strict_rule: String,
    /// Whether the official scorer accepts and the strict one refuses; else the other way round.
    pub official_accepts: bool,
    /// Ids of the items, in the order of the run.
    pub ids: Vec<String>,
    /// Which sample of each item it is.
    pub samples: Vec<u32>,
}

impl Disagreements {
    /// Compares the two verdicts of every item.
    pub fn of(verdicts: &[VerdictRecord]) -> Self {
        let mut groups: Vec<DisagreementGroup> = Vec::new();
        for verdict in verdicts
            .iter()
            .filter(|verdict| verdict.official.correct != verdict.strict.correct)
        {
            let official_rule = deciding(&verdict.official.trace);
            let strict_rule = deciding(&verdict.strict.trace);
            let official_accepts = verdict.official.correct;
            let same = |group: &&mut DisagreementGroup| {
                group.official_accepts == official_accepts
                    && group.official_rule == official_rule
                    && group.strict_rule == strict_rule
            };
            match groups.iter_mut().find(same) {
                Some(group) => {
                    group.ids.push(verdict.id.clone());
                    group.samples.push(verdict.sample);
                }
                None => {
                    groups.push(DisagreementGroup {
                        official_rule,
                        strict_rule,
                        official_accepts,
                        ids: vec![verdict.id.clone()],
                        samples: vec![verdict.sample],
                    });
                }
            }
        }
        // A stable sort: groups of one size stay in the order of the run.
        groups.sort_by_key(|group| std::cmp::Reverse(group.ids.len()));
        let count = |accepts: bool| {
            groups
                .iter()
                .filter(|group| group.official_accepts == accepts)
                .map(|group| group.ids.len())
                .sum()
        };
        Self {
            n: verdicts.len(),
            official_false_positives: count(true),
            official_false_negatives: count(false),
            groups,
        }
    }
}

/// The last rule of a trace is the one that decided.
fn deciding(trace: &[String]) -> String {
    trace.last().cloned().unwrap_or_default()
}
