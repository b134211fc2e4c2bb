//! One rule after the other.

use statistics::{Bootstrap, Decision, Drop, Level, Sensitivity, decide, holm};

use super::{GateRules, GateVerdict, Limits, Rule, RuleOutcome, ScopeRules};
use crate::comparison::{ComparedItems, ComparedRun, ComparisonError, Figures, Pairing};

/// Chance to tell that a candidate just as good is so, for the number of items that would do.
const POWER: f64 = 0.8;

/// Share of alpha that the search for collapsed sets takes.
const COLLAPSE_SHARE: f64 = 0.1;

/// Whether the runs are whole: a broken run says nothing about a model.
pub(super) fn whole(runs: [&ComparedRun; 2], rules: &GateRules) -> Vec<RuleOutcome> {
    let of_run = |(run, name): (&ComparedRun, &str)| {
        let (failed, all) = total(run, |set| set.failed);
        // Not 0 / 0, which would exceed no limit: a run without items is refused when it is read.
        let rate = failed as f64 / all as f64;
        let (verdict, why) = match rate > rules.max_failed_rate {
            true => (
                GateVerdict::Incomplete,
                format!(
                    "{failed} of {all} completions failed, {} at most may: ask the failed items again",
                    percent(rules.max_failed_rate)
                ),
            ),
            false => (
                GateVerdict::Passed,
                format!("{failed} of {all} completions failed"),
            ),
        };
        RuleOutcome {
            limit: Some(rules.max_failed_rate),
            ..RuleOutcome::new(Rule::Whole, name, verdict, why)
        }
    };
    [(runs[0], "baseline"), (runs[1], "candidate")]
        .map(of_run)
        .to_vec()
}

/// All other rules.
pub(super) fn decide_all(
    runs: [&ComparedRun; 2],
    pairings: &[Pairing<'_>],
    figures: &Figures,
    rules: &GateRules,
    bootstrap: Bootstrap,
) -> Result<Vec<RuleOutcome>, ComparisonError> {
    let mut outcomes = Vec::new();
    let identical = identical(pairings);
    outcomes.extend(identical.clone());
    let averages = [
        (
            "micro average",
            &figures.micro,
            &rules.micro,
            Some(rules.micro.max_drop.unwrap_or(rules.max_drop)),
        ),
        (
            "macro average",
            &figures.macro_,
            &rules.macro_,
            rules.macro_.max_drop,
        ),
    ];
    for (name, average, scope, margin) in averages {
        match average {
            Some(average) => {
                if let Some(margin) = margin.filter(|_| identical.is_none()) {
                    outcomes.push(drop_rule(name, &average.drop(), margin, bootstrap.level)?);
                }
                outcomes.extend(floor(name, average.accuracies[1], scope));
            }
            None if *scope != ScopeRules::default() => outcomes.push(not_asked(name)),
            None => {}
        }
    }
    outcomes.extend(limits(
        "all items",
        total(runs[1], |set| set.no_answer),
        total(runs[1], |set| set.truncated),
        rules.limits,
    ));
    for (name, scope) in &rules.sets {
        match figures.sets.iter().find(|set| set.set == *name) {
            Some(set) => {
                if let Some(margin) = scope.max_drop.filter(|_| identical.is_none()) {
                    outcomes.push(drop_rule(
                        name,
                        &set.figures.drop(),
                        margin,
                        bootstrap.level,
                    )?);
                }
                outcomes.extend(floor(name, set.figures.accuracies[1], scope));
                let items = runs[1]
                    .set(name)
                    .expect("what was compared is in both runs");
                let all = items.n() * runs[1].samples();
                outcomes.extend(limits(
                    name,
                    (items.no_answer, all),
                    (items.truncated, all),
                    scope.limits,
                ));
            }
            None => outcomes.push(not_asked(name)),
        }
    }
    if identical.is_none() {
        outcomes.extend(other_sets(runs, pairings, figures, rules, bootstrap)?);
    }
    if rules.strict {
        outcomes.extend(no_significant_drop(figures, rules.alpha)?);
    }
    Ok(outcomes)
}

/// The same completions are no worse, however few they are: that the statistics of a few items
/// could not tell is no reason to stop a change that changed nothing. Nothing where they are not
/// all the same.
fn identical(pairings: &[Pairing<'_>]) -> Option<RuleOutcome> {
    let same = |pairing: &Pairing<'_>| {
        pairing.a.completions.is_some() && pairing.a.completions == pairing.b.completions
    };
    (!pairings.is_empty() && pairings.iter().all(same)).then(|| {
        let why = "every completion is that of the baseline, byte for byte: nothing was lost";
        RuleOutcome::new(
            Rule::Identical,
            "all items",
            GateVerdict::Passed,
            why.to_string(),
        )
    })
}

/// Items of the averaged sets of the benchmark.
fn published_items() -> usize {
    let benchmark = dataset_loader::Benchmark::published();
    let averaged = benchmark.sets().iter().filter(|set| set.in_average);
    averaged.map(|set| set.count()).sum()
}

/// Whether a drop stays within a margin.
fn drop_rule(
    scope: &str,
    drop: &Drop,
    margin: f64,
    level: Level,
) -> Result<RuleOutcome, ComparisonError> {
    let seen = format!(
        "{} (interval {} to {})",
        change(drop.value),
        points(drop.interval[0]),
        points(drop.interval[1])
    );
    let allowed = format!("{} may be lost", points_named(margin));
    let (verdict, why, n_needed) = match decide(drop, margin, Sensitivity::new(level, POWER)?)? {
        Decision::Passed => (GateVerdict::Passed, format!("{seen}; {allowed}"), None),
        Decision::Failed => (GateVerdict::Failed, format!("{seen}; only {allowed}"), None),
        Decision::CannotTell { n_needed } => {
            let way_out = match n_needed {
                Some(n) if n > published_items() => format!(
                    "about {n} items would do, more than the {} of the benchmark; a margin above {} would do too",
                    published_items(),
                    points(drop.interval[1])
                ),
                Some(n) => format!(
                    "about {n} items would do, or a margin above {}",
                    points(drop.interval[1])
                ),
                None => format!(
                    "no number of items would do; a margin above {} would",
                    points(drop.interval[1])
                ),
            };
            (
                GateVerdict::CannotTell,
                format!(
                    "{seen}; {allowed}, which {} items cannot tell: {way_out}",
                    drop.n
                ),
                n_needed,
            )
        }
    };
    let outcome = RuleOutcome::new(Rule::Drop, scope, verdict, why);
    Ok(RuleOutcome {
        drop: Some(*drop),
        limit: Some(margin),
        n_needed,
        ..outcome
    })
}

/// Whether the candidate reaches an accuracy; what was seen counts, no interval.
fn floor(scope: &str, accuracy: f64, rules: &ScopeRules) -> Option<RuleOutcome> {
    let floor = rules.floor?;
    let verdict = if accuracy >= floor {
        GateVerdict::Passed
    } else {
        GateVerdict::Failed
    };
    let why = format!(
        "accuracy {}, {} is asked for at least",
        percent(accuracy),
        percent(floor)
    );
    Some(RuleOutcome {
        limit: Some(floor),
        ..RuleOutcome::new(Rule::Floor, scope, verdict, why)
    })
}

/// Whether few completions are without an answer or cut. Each count with the number of completions.
fn limits(
    scope: &str,
    no_answer: (usize, usize),
    truncated: (usize, usize),
    limits: Limits,
) -> Vec<RuleOutcome> {
    let rule = |rule, (count, all): (usize, usize), limit: Option<f64>, what: &str| {
        let limit = limit?;
        let rate = count as f64 / all.max(1) as f64;
        let verdict = if rate <= limit {
            GateVerdict::Passed
        } else {
            GateVerdict::Failed
        };
        let why = format!(
            "{count} of {all} completions {what} ({}), {} at most may",
            percent(rate),
            percent(limit)
        );
        Some(RuleOutcome {
            limit: Some(limit),
            ..RuleOutcome::new(rule, scope, verdict, why)
        })
    };
    let both = [
        rule(
            Rule::NoAnswerRate,
            no_answer,
            limits.no_answer,
            "hold no answer",
        ),
        rule(
            Rule::TruncatedRate,
            truncated,
            limits.truncated,
            "were cut at the token limit",
        ),
    ];
    both.into_iter().flatten().collect()
}

/// Whether any set without a rule of its own lost more than the margin. A set with too few items is
/// no reason to say "cannot tell" of all: this rule only looks for what is beyond doubt. It takes a
/// tenth of alpha, divided by the number of sets, so that it adds next to nothing to the false
/// alarms of the average's rule.
fn other_sets(
    runs: [&ComparedRun; 2],
    pairings: &[Pairing<'_>],
    figures: &Figures,
    rules: &GateRules,
    bootstrap: Bootstrap,
) -> Result<Vec<RuleOutcome>, ComparisonError> {
    let has_rule = |name: &str| {
        rules
            .sets
            .get(name)
            .is_some_and(|scope| scope.max_drop.is_some())
    };
    let others: Vec<Pairing<'_>> = pairings
        .iter()
        .filter(|pairing| !has_rule(&pairing.a.set))
        .cloned()
        .collect();
    // A single set is the micro average itself.
    if others.is_empty() || (pairings.len() == 1 && figures.micro.is_some()) {
        return Ok(Vec::new());
    }
    if figures.micro.is_none() {
        // Without an average each set is asked for its drop.
        let sets = figures.sets.iter().filter(|set| !has_rule(&set.set));
        return sets
            .map(|set| {
                drop_rule(
                    &set.set,
                    &set.figures.drop(),
                    rules.max_drop,
                    bootstrap.level,
                )
            })
            .collect();
    }
    let level = Level::one_sided(rules.alpha * COLLAPSE_SHARE / others.len() as f64)?;
    // No resamples are looked at.
    let bootstrap = Bootstrap {
        level,
        resamples: 1,
        ..bootstrap
    };
    let sets = Figures::of(runs, &others, rules.scorer, &bootstrap)?.sets;
    let collapsed: Vec<RuleOutcome> = sets
        .iter()
        .filter(|set| set.figures.drop().interval[0] > rules.max_drop)
        .map(|set| {
            let drop = set.figures.drop();
            let why = format!(
                "{}, more than {} beyond doubt ({} at least)",
                change(drop.value),
                points_named(rules.max_drop),
                points(drop.interval[0])
            );
            let outcome = RuleOutcome::new(Rule::NoCollapse, &set.set, GateVerdict::Failed, why);
            RuleOutcome {
                drop: Some(drop),
                limit: Some(rules.max_drop),
                ..outcome
            }
        })
        .collect();
    if !collapsed.is_empty() {
        return Ok(collapsed);
    }
    let why = format!(
        "none of {} sets lost more than {} beyond doubt",
        others.len(),
        points_named(rules.max_drop)
    );
    let outcome = RuleOutcome::new(Rule::NoCollapse, "each set", GateVerdict::Passed, why);
    Ok(vec![RuleOutcome {
        limit: Some(rules.max_drop),
        ..outcome
    }])
}

/// Whether nothing is significantly worse, over all sets and averages together (Holm, one-sided).
fn no_significant_drop(figures: &Figures, alpha: f64) -> Result<Vec<RuleOutcome>, ComparisonError> {
    let averages = [
        ("micro average", &figures.micro),
        ("macro average", &figures.macro_),
    ];
    let mut tested: Vec<(&str, Drop, f64)> = averages
        .iter()
        .filter_map(|(name, average)| {
            average
                .as_ref()
                .map(|average| (*name, average.drop(), average.p))
        })
        .collect();
    tested.extend(
        figures
            .sets
            .iter()
            .map(|set| (set.set.as_str(), set.figures.drop(), set.figures.p)),
    );
    // The two-sided tests give both sides the same chance.
    let one_sided = tested
        .iter()
        .map(|(_, drop, p)| if drop.value > 0.0 { p / 2.0 } else { 1.0 });
    let adjusted = holm(&one_sided.collect::<Vec<f64>>())?;
    let worse: Vec<RuleOutcome> = tested
        .iter()
        .zip(&adjusted)
        .filter(|(_, p)| **p <= alpha)
        .map(|((name, drop, _), p)| {
            let why = format!(
                "{}, which is significant (p {p:.4}, adjusted for {} tests)",
                change(drop.value),
                tested.len()
            );
            RuleOutcome {
                drop: Some(*drop),
                ..RuleOutcome::new(Rule::NoSignificantDrop, name, GateVerdict::Failed, why)
            }
        })
        .collect();
    if !worse.is_empty() {
        return Ok(worse);
    }
    let smallest = adjusted
        .iter()
        .fold(1.0, |smallest: f64, p| smallest.min(*p));
    let why = format!(
        "nothing is significantly worse (smallest p {smallest:.4}, adjusted for {} tests)",
        tested.len()
    );
    Ok(vec![RuleOutcome::new(
        Rule::NoSignificantDrop,
        "each average and set",
        GateVerdict::Passed,
        why,
    )])
}

fn not_asked(scope: &str) -> RuleOutcome {
    // Not passed over: a rule about a set that no run asks would never fail.
    let why = "neither run asked it".to_string();
    RuleOutcome::new(Rule::Whole, scope, GateVerdict::Incomplete, why)
}

impl RuleOutcome {
    fn new(rule: Rule, scope: &str, verdict: GateVerdict, why: String) -> Self {
        Self {
            rule,
            scope: scope.to_string(),
            verdict,
            why,
            drop: None,
            limit: None,
            n_needed: None,
        }
    }
}

/// A count over all sets, and all completions.
fn total(run: &ComparedRun, count: fn(&ComparedItems) -> usize) -> (usize, usize) {
    (
        run.sets.iter().map(count).sum(),
        run.sets.iter().map(|set| set.n() * run.samples()).sum(),
    )
}

fn change(drop: f64) -> String {
    match points(drop.abs()).as_str() {
        "0.0" => "unchanged".to_string(),
        size if drop > 0.0 => format!("dropped by {size} points"),
        size => format!("rose by {size} points"),
    }
}

/// A drop in percentage points.
fn points(drop: f64) -> String {
    // Without a sign on what rounds to zero.
    let rounded = (drop * 1000.0).round() / 10.0 + 0.0;
    format!("{rounded:.1}")
}

/// A margin as it was given, with its unit.
fn points_named(margin: f64) -> String {
    // Points came in and were divided by 100: 0.007 · 100 is 0.7000000000000001.
    let rounded = (margin * 1e6).round() / 1e4;
    format!("{rounded} point{}", if rounded == 1.0 { "" } else { "s" })
}

fn percent(proportion: f64) -> String {
    format!("{} %", (proportion * 1000.0).round() / 10.0)
}
