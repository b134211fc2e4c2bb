//! How often the gate errs, over simulated runs whose truth is known.

use std::collections::BTreeMap;

use generation::{Decoding, GeneratorInfo};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use statistics::Bootstrap;

use super::{GateRules, GateVerdict, gate};
use crate::comparison::{ComparedItems, ComparedRun};
use crate::manifest::{DataIdentity, RunIdentity};
use crate::protocol::Protocol;
use crate::template_identity::TemplateIdentity;

/// Items of the ten sets under the official protocol.
const SETS: [(&str, usize); 10] = [
    ("gsm8k", 1319),
    ("math", 5000),
    ("college_math", 2818),
    ("tal", 2000),
    ("math23k", 1000),
    ("ape210k", 2000),
    ("gaokao_bench", 508),
    ("agieval_gaokao", 404),
    ("agieval_sat", 102),
    ("agieval_math", 938),
];

/// Pairs of runs of each kind; more with `MWPBENCH_SIMULATED_PAIRS`.
fn pairs() -> u64 {
    std::env::var("MWPBENCH_SIMULATED_PAIRS")
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(200)
}

/// A run of a model that solves each item with its probability less `drop`.
fn simulated(
    random: &mut ChaCha8Rng,
    chances: &[Vec<f64>],
    drop: f64,
    weights: &str,
) -> ComparedRun {
    let sets = SETS.iter().zip(chances).map(|((name, n), chances)| {
        let solved: Vec<usize> = chances
            .iter()
            .map(|chance| usize::from(random.random::<f64>() < chance - drop))
            .collect();
        ComparedItems {
            set: (*name).to_string(),
            title: (*name).to_string(),
            in_average: true,
            completions: None,
            digest: n.to_string(),
            keys: None,
            official: solved.clone(),
            strict: solved,
            no_answer: 0,
            truncated: 0,
            failed: 0,
        }
    });
    ComparedRun {
        name: "model".to_string(),
        source: weights.into(),
        sets: sets.collect(),
        ..nobody(weights)
    }
}

fn nobody(weights: &str) -> ComparedRun {
    let details = BTreeMap::from([("weights_digest".to_string(), weights.to_string())]);
    let text = || "x".to_string();
    ComparedRun {
        name: text(),
        source: weights.into(),
        identity: RunIdentity {
            model: GeneratorInfo {
                name: weights.to_string(),
                kind: text(),
                details,
            },
            data: DataIdentity {
                name: text(),
                samples: false,
                digest: text(),
                problems: 1,
                problems_digest: text(),
            },
            template: TemplateIdentity {
                name: text(),
                digest: text(),
                text: text(),
                chat: None,
            },
            decoding: Decoding::greedy(64),
            protocol: Protocol::Official,
            limit: None,
            excluded: None,
            few_shot: None,
            thinking_budget: None,
            imported: None,
        },
        version: text(),
        strict_profile: None,
        rules: text(),
        scorer_version: 1,
        sets: Vec::new(),
        texts: None,
    }
}

/// Chances to solve the items: most are nearly sure one way or the other, so that two runs of equal
/// skill differ on about 19 % of them. None is so small that a drop of 3 points would not fit.
fn chances(random: &mut ChaCha8Rng) -> Vec<Vec<f64>> {
    let mut item = || {
        let spread = 0.5 + 0.47 * (1.0 - random.random::<f64>().powi(4));
        if random.random::<f64>() < 0.45 {
            spread
        } else {
            1.03 - spread
        }
    };
    SETS.iter()
        .map(|(_, n)| (0..*n).map(|_| item()).collect())
        .collect()
}

/// Verdicts over pairs of which the second run is worse by `drop`: passed, failed, cannot tell.
fn verdicts(rules: &GateRules, drop: f64) -> [usize; 3] {
    let of_pair = |pair| {
        let mut random = ChaCha8Rng::seed_from_u64(pair);
        let chances = chances(&mut random);
        let baseline = simulated(&mut random, &chances, 0.0, "baseline");
        let candidate = simulated(&mut random, &chances, drop, "candidate");
        // Only the test for significant drops looks at resamples.
        let resamples = if rules.strict { 2000 } else { 1 };
        let bootstrap = Bootstrap {
            seed: pair,
            resamples,
            ..Bootstrap::default()
        };
        gate(&baseline, &candidate, rules, bootstrap)
            .unwrap()
            .verdict
    };
    let found: Vec<GateVerdict> = (0..pairs()).into_par_iter().map(of_pair).collect();
    let kinds = [
        GateVerdict::Passed,
        GateVerdict::Failed,
        GateVerdict::CannotTell,
    ];
    kinds.map(|kind| found.iter().filter(|verdict| **verdict == kind).count())
}

fn share(count: usize) -> f64 {
    count as f64 / pairs() as f64
}

#[test]
fn the_gate_errs_no_more_often_than_stated_and_finds_what_is_there() {
    let (lenient, strict) = (
        GateRules::default(),
        GateRules {
            strict: true,
            ..GateRules::default()
        },
    );
    let tell = |name: &str, drop: f64, [passed, failed, open]: [usize; 3]| {
        println!(
            "{name}, true drop {drop:.1} points: {passed} passed, {failed} failed, {open} cannot tell"
        );
    };
    let equal = verdicts(&lenient, 0.0);
    tell("margin of 1 point", 0.0, equal);
    assert!(
        share(equal[1]) <= lenient.alpha && share(equal[0]) >= 0.8,
        "{equal:?}"
    );
    // Where alpha itself is to be met, chance moves the share by so much.
    let chance = 2.0 * (0.05 * 0.95 / pairs() as f64).sqrt();
    // At the margin either verdict is an error.
    let at_margin = verdicts(&lenient, 0.01);
    tell("margin of 1 point", 1.0, at_margin);
    assert!(
        share(at_margin[0].max(at_margin[1])) <= lenient.alpha + chance,
        "{at_margin:?}"
    );
    let worse = verdicts(&lenient, 0.02);
    tell("margin of 1 point", 2.0, worse);
    assert!(share(worse[1]) >= 0.8 && worse[0] == 0, "{worse:?}");
    let equal = verdicts(&strict, 0.0);
    tell("strict", 0.0, equal);
    assert!(share(equal[1]) <= strict.alpha + chance, "{equal:?}");
    let worse = verdicts(&strict, 0.01);
    tell("strict", 1.0, worse);
    assert!(share(worse[1]) >= 0.5, "{worse:?}");
}
