//! Two runs over the same items: in what they differ, and whether one is better.
//!
//! In go two runs, each from its folder or from a baseline file; out come the differences of
//! protocol, and for each set and both averages the difference of the accuracies with interval and
//! p-value. Averages over different items are refused.

mod compared_run; // one run: items and which of them it solved
mod error; // why two runs cannot be compared
mod flips; // items on which the runs differ
mod pairing; // which items both have
mod planned; // whether a run could be compared, before it is begun
mod protocol; // in what they differ beside their answers

use scoring::Scorer;
use serde::Serialize;
use statistics::{AverageComparison, Bootstrap, SetComparison, compare};

pub use compared_run::{ComparedRun, RunLabel};
pub use error::ComparisonError;
pub use flips::{Contrast, FirstDivergence, Flip, FlipSide, Flips};
pub use protocol::{Aspect, ProtocolDifference};

pub(crate) use compared_run::ComparedItems;
pub(crate) use pairing::{Pairing, in_a_sentence, pair, pair_or_refuse};
pub(crate) use protocol::differences;

/// Version of the JSON that `mwpbench compare` prints.
const SCHEMA: &str = "mwpbench.comparison.v1";

/// How to compare.
#[derive(Clone, Copy, Debug, Default)]
pub struct ComparisonSettings {
    /// Whose verdicts count.
    pub scorer: Scorer,
    /// Whether to compare only the items that both runs have, where they have others too.
    pub only_common: bool,
    /// Whether to compare imported runs of which template or decoding are unknown.
    pub allow_unknown: bool,
    /// Level of the intervals, and random numbers.
    pub bootstrap: Bootstrap,
}

/// What came of a comparison. Differences are the second run less the first.
#[derive(Clone, Debug, Serialize)]
pub struct RunComparison {
    /// Version of this form.
    pub schema: &'static str,
    /// Whose verdicts count.
    pub scorer: Scorer,
    /// How often the intervals hold the truth, in 0..=1.
    pub confidence: f64,
    /// The first run.
    pub a: RunLabel,
    /// The second run.
    pub b: RunLabel,
    /// What the reader must know, in sentences.
    pub warnings: Vec<String>,
    /// In what the runs differ beside their answers, what forbids a comparison first.
    pub differences: Vec<ProtocolDifference>,
    /// In what the items differ, where only those in common were compared; else empty.
    pub left_out: Vec<String>,
    /// Each set, in the order of the first run.
    pub sets: Vec<ComparedSet>,
    /// The mean over all items of the averaged sets; `None` without such.
    pub micro: Option<AverageComparison>,
    /// The plain mean over the averaged sets; `None` without such.
    #[serde(rename = "macro")]
    pub macro_: Option<AverageComparison>,
}

/// What came of one set.
#[derive(Clone, Debug, Serialize)]
pub struct ComparedSet {
    /// Name of the set.
    pub set: String,
    /// Name in print.
    pub title: String,
    /// Whether it takes part in the averages.
    pub in_average: bool,
    /// The figures.
    #[serde(flatten)]
    pub figures: SetComparison,
}

/// The statistics of paired sets.
pub(crate) struct Figures {
    pub(crate) sets: Vec<ComparedSet>,
    pub(crate) micro: Option<AverageComparison>,
    pub(crate) macro_: Option<AverageComparison>,
}

impl RunComparison {
    /// Compares two runs.
    ///
    /// # Errors
    /// Different items, unless only those in common are asked for; none in common; an imported run
    /// of which template or decoding are unknown, unless that is allowed.
    pub fn of(
        a: &ComparedRun,
        b: &ComparedRun,
        settings: &ComparisonSettings,
    ) -> Result<Self, ComparisonError> {
        check_known([a, b], settings.allow_unknown)?;
        let paired = pair_or_refuse(a, b, settings.only_common)?;
        let Figures {
            sets,
            micro,
            macro_,
        } = Figures::of([a, b], &paired.sets, settings.scorer, &settings.bootstrap)?;
        Ok(Self {
            schema: SCHEMA,
            scorer: settings.scorer,
            confidence: settings.bootstrap.level.confidence(),
            a: a.label(),
            b: b.label(),
            warnings: warnings(a, b, ["A", "B"]),
            differences: differences(a, b, settings.scorer),
            left_out: paired.differences,
            sets,
            micro,
            macro_,
        })
    }
}

impl Flips {
    /// The items that one run solved better than the other, at most `most` of each kind.
    ///
    /// # Errors
    /// As for [`RunComparison::of`]; two baselines, which keep no ids.
    pub fn of(
        a: &ComparedRun,
        b: &ComparedRun,
        settings: &ComparisonSettings,
        most: usize,
    ) -> Result<Self, ComparisonError> {
        let paired = pair_or_refuse(a, b, settings.only_common)?;
        flips::flips([a, b], &paired.sets, settings.scorer, most)
    }
}

impl Figures {
    /// The figures of all sets, and of the averages over those that take part in them.
    pub(crate) fn of(
        runs: [&ComparedRun; 2],
        pairings: &[Pairing<'_>],
        scorer: Scorer,
        bootstrap: &Bootstrap,
    ) -> Result<Self, ComparisonError> {
        let samples = runs.map(ComparedRun::samples);
        let paired = |pairings: &mut dyn Iterator<Item = &Pairing<'_>>| {
            pairings
                .map(|pairing| pairing.paired(scorer, samples))
                .collect::<Result<Vec<_>, _>>()
        };
        let all = compare(&paired(&mut pairings.iter())?, bootstrap)?;
        // Sets beside the averages are compared and count for Holm among the sets, but must not
        // move an average.
        let averages = match pairings.iter().all(|pairing| pairing.a.in_average) {
            true => all.clone(),
            false => compare(
                &paired(&mut pairings.iter().filter(|pairing| pairing.a.in_average))?,
                bootstrap,
            )?,
        };
        let labelled = |(pairing, figures): (&Pairing<'_>, SetComparison)| ComparedSet {
            set: pairing.a.set.clone(),
            title: pairing.a.title.clone(),
            in_average: pairing.a.in_average,
            figures,
        };
        Ok(Self {
            sets: pairings.iter().zip(all.sets).map(labelled).collect(),
            micro: averages.micro,
            macro_: averages.macro_,
        })
    }
}

/// Refuses imported runs that do not tell how they were asked: a difference of their figures may be
/// one of template or decoding, unless the user knows better.
pub(crate) fn check_known(
    runs: [&ComparedRun; 2],
    allow_unknown: bool,
) -> Result<(), ComparisonError> {
    let untold = |run: &&ComparedRun| !run.identity.unknown_protocol().is_empty();
    match runs.into_iter().find(untold) {
        Some(run) if !allow_unknown => Err(ComparisonError::UnknownProtocol {
            run: run.source.clone(),
            unknown: run.identity.unknown_protocol().join(", "),
        }),
        _ => Ok(()),
    }
}

/// What the reader of a comparison must know about the two runs.
pub(crate) fn warnings(a: &ComparedRun, b: &ComparedRun, roles: [&str; 2]) -> Vec<String> {
    let mut found = Vec::new();
    let place = |run: &ComparedRun| {
        std::fs::canonicalize(&run.source).unwrap_or_else(|_| run.source.clone())
    };
    if place(a) == place(b) {
        found.push(format!(
            "this is the same run twice ({}): there can be no difference",
            a.source.display()
        ));
    } else if a.identity.digest() == b.identity.digest() {
        found.push(
            "both runs have the same identity, model and protocol alike: a difference can only come from the machine or from damage"
                .to_string(),
        );
    } else if a.name == b.name {
        found.push(format!(
            "both runs are named \"{}\": {} is {}, {} is {}",
            a.name,
            roles[0],
            a.source.display(),
            roles[1],
            b.source.display()
        ));
    }
    for run in [a, b] {
        let unknown = run.identity.unknown_protocol();
        if !unknown.is_empty() {
            found.push(format!(
                "{}: imported, and its files do not tell: {}. The difference may be one of these",
                run.source.display(),
                unknown.join(", ")
            ));
        }
        let failed: usize = run.sets.iter().map(|set| set.failed).sum();
        if failed > 0 {
            let all: usize = run.sets.iter().map(|set| set.n()).sum::<usize>() * run.samples();
            found.push(format!(
                "{}: {failed} of {all} completions failed and count as wrong: the run may be broken rather than the model worse",
                run.source.display()
            ));
        }
    }
    found
}
