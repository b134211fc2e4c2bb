//! The gate: may this candidate take the baseline's place?
//!
//! Non-inferiority: a rule passes where the interval of the drop lies within the margin, fails
//! where it lies beyond, and cannot tell where the margin is inside. A gate that could not tell
//! never looks like one that failed.

mod deciding; // one rule after the other
mod rules; // mwpbench.toml and flags
#[cfg(test)]
mod simulation; // false alarms and power

use scoring::Scorer;
use serde::Serialize;
use statistics::{AverageComparison, Bootstrap, Drop, Level};

pub use rules::{GateFlags, GateRules, GateRulesError, Limits, ScopeRules};

use crate::comparison::{
    Aspect, ComparedRun, ComparedSet, ComparisonError, Figures, ProtocolDifference, RunLabel,
    check_known, differences, in_a_sentence, pair, warnings,
};

/// Version of the JSON that `mwpbench gate` prints.
const SCHEMA: &str = "mwpbench.gate.v1";

/// What the two runs are called.
const ROLES: [&str; 2] = ["the baseline", "the candidate"];

/// What a gate, or one of its rules, says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GateVerdict {
    /// The candidate may pass.
    Passed,
    /// The candidate is worse.
    Failed,
    /// A run is broken: nothing can be said about the model.
    Incomplete,
    /// There are too few items for the margin.
    CannotTell,
    /// The runs are not comparable.
    ProtocolsDiffer,
}

impl GateVerdict {
    /// In reports.
    pub fn title(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Incomplete => "incomplete",
            Self::CannotTell => "cannot tell",
            Self::ProtocolsDiffer => "protocols differ",
        }
    }
}

/// What came of one rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleOutcome {
    /// What is asked, such as `drop`.
    pub rule: Rule,
    /// Of what: an average or a set.
    pub scope: String,
    /// What it says.
    pub verdict: GateVerdict,
    /// Why, in a sentence.
    pub why: String,
    /// The drop that was judged, where it is about one.
    pub drop: Option<Drop>,
    /// The margin or limit, in 0..=1.
    pub limit: Option<f64>,
    /// Items that would do, where it cannot tell and some number would.
    pub n_needed: Option<usize>,
}

/// What a rule asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Whether the runs are whole.
    Whole,
    /// Whether the completions are those of the baseline, byte for byte.
    Identical,
    /// Whether the drop stays within a margin.
    Drop,
    /// Whether no set collapsed.
    NoCollapse,
    /// Whether there is no significant drop.
    NoSignificantDrop,
    /// Whether the candidate reaches an accuracy.
    Floor,
    /// Whether few completions are without an answer.
    NoAnswerRate,
    /// Whether few completions were cut.
    TruncatedRate,
}

impl Rule {
    /// In reports.
    pub fn title(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Identical => "identical",
            Self::Drop => "drop",
            Self::NoCollapse => "no collapse",
            Self::NoSignificantDrop => "no significant drop",
            Self::Floor => "floor",
            Self::NoAnswerRate => "no-answer rate",
            Self::TruncatedRate => "truncated rate",
        }
    }
}

/// What a gate says, and why.
#[derive(Clone, Debug, Serialize)]
pub struct Gate {
    /// Version of this form.
    pub schema: &'static str,
    /// The verdict over all rules.
    pub verdict: GateVerdict,
    /// Whose verdicts count.
    pub scorer: Scorer,
    /// How often a rule may wrongly fail, or wrongly pass.
    pub alpha: f64,
    /// What was there before.
    pub baseline: RunLabel,
    /// What is to take its place.
    pub candidate: RunLabel,
    /// What the reader must know, in sentences.
    pub warnings: Vec<String>,
    /// In what the runs differ beside their answers, what forbids a comparison first.
    pub differences: Vec<ProtocolDifference>,
    /// Each rule; none where the runs are not comparable.
    pub rules: Vec<RuleOutcome>,
    /// The figures of each set; differences are the candidate less the baseline, their intervals of
    /// 1 − 2·alpha.
    pub sets: Vec<ComparedSet>,
    /// Those of the mean over all items.
    pub micro: Option<AverageComparison>,
    /// Those of the plain mean over sets.
    #[serde(rename = "macro")]
    pub macro_: Option<AverageComparison>,
}

/// Judges a candidate by a baseline. `bootstrap` gives the random numbers; the level is that of the
/// rules' alpha.
///
/// # Errors
/// Statistics that cannot be had; an imported run of which template or decoding are unknown, unless
/// that is allowed. Other runs that are not comparable are no error but a verdict.
pub fn gate(
    baseline: &ComparedRun,
    candidate: &ComparedRun,
    rules: &GateRules,
    bootstrap: Bootstrap,
) -> Result<Gate, ComparisonError> {
    check_known([baseline, candidate], rules.allow_unknown)?;
    let bootstrap = Bootstrap {
        // One bound decides, so that all of alpha is on its side.
        level: Level::one_sided(rules.alpha)?,
        ..bootstrap
    };
    let mut gate = Gate {
        schema: SCHEMA,
        verdict: GateVerdict::ProtocolsDiffer,
        scorer: rules.scorer,
        alpha: rules.alpha,
        baseline: baseline.label(),
        candidate: candidate.label(),
        warnings: warnings(baseline, candidate, ROLES),
        differences: differences(baseline, candidate, rules.scorer),
        rules: Vec::new(),
        sets: Vec::new(),
        micro: None,
        macro_: None,
    };
    let paired = pair(baseline, candidate, ROLES);
    if !paired.differences.is_empty() {
        gate.differences
            .insert(0, of_items(baseline, candidate, &paired.differences));
    }
    if gate
        .differences
        .iter()
        // What is unknown was allowed above, or there is nothing of the kind.
        .filter(|difference| difference.aspect != Aspect::Unknown)
        .any(|difference| difference.aspect.forbids_comparison())
    {
        return Ok(gate);
    }
    let runs = [baseline, candidate];
    // Failed completions count as wrong: the figures of a broken run would look like a drop.
    gate.rules = deciding::whole(runs, rules);
    if gate
        .rules
        .iter()
        .all(|rule| rule.verdict == GateVerdict::Passed)
    {
        let figures = Figures::of(runs, &paired.sets, rules.scorer, &bootstrap)?;
        gate.rules.extend(deciding::decide_all(
            runs,
            &paired.sets,
            &figures,
            rules,
            bootstrap,
        )?);
        (gate.sets, gate.micro, gate.macro_) = (figures.sets, figures.micro, figures.macro_);
    }
    gate.verdict = overall(&gate.rules);
    Ok(gate)
}

/// A failed rule wins over one that cannot tell: it stands on its own.
fn overall(rules: &[RuleOutcome]) -> GateVerdict {
    let order = [
        GateVerdict::Failed,
        GateVerdict::Incomplete,
        GateVerdict::CannotTell,
    ];
    let found = order
        .into_iter()
        .find(|verdict| rules.iter().any(|rule| rule.verdict == *verdict));
    found.unwrap_or(GateVerdict::Passed)
}

fn of_items(
    baseline: &ComparedRun,
    candidate: &ComparedRun,
    differences: &[String],
) -> ProtocolDifference {
    let total = |run: &ComparedRun| {
        let items: usize = run.sets.iter().map(|set| set.n()).sum();
        format!("{items} items of {}", run.identity.data.name)
    };
    ProtocolDifference {
        aspect: Aspect::Items,
        what: format!("what was asked: {}", in_a_sentence(differences)),
        a: total(baseline),
        b: total(candidate),
    }
}
