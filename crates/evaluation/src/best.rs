//! The best of several runs over the same items, and which of the others cannot be told from it.
//!
//! The run with the highest accuracy is the best one of those that were measured; whether it is the
//! best model is another question. Each other run is compared with it item by item, by the score
//! interval of the difference (Tango's, combined over sets). The best one was itself picked by these
//! figures, so that the comparison with it is any of the k(k − 1)/2 comparisons of k runs: the
//! intervals hold together, each of a confidence of 1 − alpha divided by their number (Bonferroni).
//! A run whose whole interval lies below 0 is worse. Source: J. C. Hsu, "Multiple Comparisons:
//! Theory and Methods" (1996), chapter 4, on comparisons with the best that was seen.

use scoring::Scorer;
use serde::Serialize;
use statistics::{Bootstrap, Level, PairedSet, compare};

use crate::comparison::{
    ComparedItems, ComparedRun, ComparisonError, ComparisonSettings, Pairing, RunLabel,
    differences, in_a_sentence, pair,
};

/// Version of this form.
const SCHEMA: &str = "mwpbench.best.v1";

/// What a run is beside the best one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The one with the highest accuracy; the first of several that share it.
    Best,
    /// The paired comparison does not separate it from the best one.
    CannotTell,
    /// It is worse.
    Worse,
    /// It was asked otherwise than the best one.
    NotComparable,
}

impl Standing {
    /// In reports.
    pub fn title(self) -> &'static str {
        match self {
            Self::Best => "best",
            Self::CannotTell => "cannot tell",
            Self::Worse => "worse",
            Self::NotComparable => "not comparable",
        }
    }
}

/// One of the runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RankedRun {
    /// How it is named.
    pub run: RunLabel,
    /// After how many optimizer steps its checkpoint was written, where that is known.
    pub step: Option<u64>,
    /// Accuracy over the items that count, in 0..=1.
    pub accuracy: f64,
    /// Its accuracy less that of the best run, in −1..=0; `None` for the best one and where nothing
    /// can be compared.
    pub difference: Option<f64>,
    /// The interval of the difference; all intervals hold together with the confidence.
    pub interval: Option<[f64; 2]>,
    /// What it is beside the best one.
    pub standing: Standing,
    /// Why it cannot be compared, where that is so.
    pub why: Option<String>,
}

/// Several runs beside the best of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BestRun {
    /// Version of this form.
    pub schema: &'static str,
    /// Whose verdicts count.
    pub scorer: Scorer,
    /// The chance in 0..=1 that all intervals hold the truth.
    pub confidence: f64,
    /// Titles of the sets whose items count: those in the averages, or where there is none of these
    /// all.
    pub sets: Vec<String>,
    /// How many items these have.
    pub items: usize,
    /// Where the best one stands in `runs`.
    pub best: usize,
    /// All of them, in the order given.
    pub runs: Vec<RankedRun>,
}

impl BestRun {
    /// Finds the best of at least two runs, each with the step of its checkpoint where that is
    /// known; `None` of fewer.
    ///
    /// # Errors
    /// A level that is none.
    pub fn of(
        runs: &[(ComparedRun, Option<u64>)],
        settings: &ComparisonSettings,
    ) -> Result<Option<Self>, ComparisonError> {
        if runs.len() < 2 {
            return Ok(None);
        }
        let scorer = settings.scorer;
        let accuracies: Vec<f64> = runs.iter().map(|(run, _)| accuracy(run, scorer)).collect();
        let first_highest = |best: usize, index: usize| match accuracies[index] > accuracies[best] {
            true => index,
            false => best,
        };
        let best = (1..runs.len()).fold(0, first_highest);
        let level = joint_level(settings.bootstrap.level, runs.len())?;
        let mut ranked = Vec::new();
        for (index, (run, step)) in runs.iter().enumerate() {
            let beside = match index == best {
                true => Beside::Same,
                false => beside(&runs[best].0, run, scorer, level)?,
            };
            let (standing, figures, why) = match beside {
                Beside::Same => (Standing::Best, None, None),
                Beside::Otherwise(why) => (Standing::NotComparable, None, Some(why)),
                Beside::Measured(figures) if figures.1[1] < 0.0 => {
                    (Standing::Worse, Some(figures), None)
                }
                Beside::Measured(figures) => (Standing::CannotTell, Some(figures), None),
            };
            ranked.push(RankedRun {
                run: run.label(),
                step: *step,
                accuracy: accuracies[index],
                difference: figures.map(|(difference, _)| difference),
                interval: figures.map(|(_, interval)| interval),
                standing,
                why,
            });
        }
        let counting: Vec<&ComparedItems> = counting(&runs[best].0).collect();
        Ok(Some(Self {
            schema: SCHEMA,
            scorer,
            confidence: settings.bootstrap.level.confidence(),
            sets: counting.iter().map(|set| set.title.clone()).collect(),
            items: counting.iter().map(|set| set.n()).sum(),
            best,
            runs: ranked,
        }))
    }

    /// The best run.
    pub fn best(&self) -> &RankedRun {
        &self.runs[self.best]
    }
}

/// The level at which each of all comparisons of so many runs is made, so that all of them err
/// together no more often than one of the given level.
fn joint_level(level: Level, runs: usize) -> Result<Level, statistics::Error> {
    let comparisons = runs * (runs - 1) / 2;
    Level::two_sided((1.0 - level.confidence()) / comparisons as f64)
}

/// The sets whose items count: as in the averages of a summary, and where no set is in an average
/// all of them.
fn counting(run: &ComparedRun) -> impl Iterator<Item = &ComparedItems> {
    let averaged = run.sets.iter().any(|set| set.in_average);
    let sets = run.sets.iter();
    sets.filter(move |set| set.in_average || !averaged)
}

/// The mean over all items that count.
fn accuracy(run: &ComparedRun, scorer: Scorer) -> f64 {
    let (mut correct, mut items) = (0, 0);
    for set in counting(run) {
        correct += set.correct(scorer).iter().sum::<usize>();
        items += set.n();
    }
    correct as f64 / (items * run.samples()).max(1) as f64
}

/// A difference and its interval.
type Figures = (f64, [f64; 2]);

/// What came of a run beside the best one.
enum Beside {
    /// It is the best one.
    Same,
    /// It was asked otherwise: why.
    Otherwise(String),
    Measured(Figures),
}

fn beside(
    best: &ComparedRun,
    run: &ComparedRun,
    scorer: Scorer,
    level: Level,
) -> Result<Beside, ComparisonError> {
    let paired = pair(best, run, ["the best", "this one"]);
    let mut reasons = paired.differences.clone();
    let forbidding = differences(best, run, scorer);
    let forbidding = forbidding
        .iter()
        .filter(|difference| difference.aspect.forbids_comparison());
    reasons.extend(forbidding.map(|difference| {
        let (a, b) = (&difference.a, &difference.b);
        format!("{}: {a} in the best, {b} in this one", difference.what)
    }));
    if !reasons.is_empty() {
        return Ok(Beside::Otherwise(in_a_sentence(&reasons)));
    }
    let names: Vec<&str> = counting(best).map(|set| set.set.as_str()).collect();
    let samples = [best.samples(), run.samples()];
    let sets = paired
        .sets
        .iter()
        .filter(|pairing: &&Pairing<'_>| names.contains(&pairing.a.set.as_str()))
        .map(|pairing| pairing.paired(scorer, samples))
        .collect::<Result<Vec<PairedSet>, _>>()?;
    Ok(Beside::Measured(difference(&sets, level)?))
}

/// The mean over all items of the second run less that of the first, with its score interval.
fn difference(sets: &[PairedSet], level: Level) -> Result<Figures, statistics::Error> {
    // Resamples decide nothing here.
    const RESAMPLES: usize = 100;
    let settings = Bootstrap {
        level,
        resamples: RESAMPLES,
        ..Bootstrap::default()
    };
    let compared = compare(sets, &settings)?;
    Ok(match (compared.sets.as_slice(), compared.micro) {
        // Not combined, which would round.
        ([set], _) => (set.difference, set.interval),
        (_, Some(micro)) => (micro.difference, micro.interval),
        (_, None) => (0.0, [-1.0, 1.0]),
    })
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Verdicts of `runs` runs over the same items of two sets: item by item more or less hard,
    /// and `better` more often solved by the first run.
    fn verdicts(random: &mut ChaCha8Rng, runs: usize, better: f64) -> Vec<[Vec<bool>; 2]> {
        let mut all = vec![[Vec::new(), Vec::new()]; runs];
        for (set, items) in [(0, 300), (1, 150)] {
            for _ in 0..items {
                let easy: f64 = random.random();
                for (number, run) in all.iter_mut().enumerate() {
                    let chance = if number == 0 { easy + better } else { easy };
                    run[set].push(random.random::<f64>() < chance);
                }
            }
        }
        all
    }

    /// Whether the best run is the first one, and whether any other is called worse.
    fn judged(random: &mut ChaCha8Rng, runs: usize, better: f64) -> (bool, usize) {
        let all = verdicts(random, runs, better);
        let solved = |run: &[Vec<bool>; 2]| run.iter().flatten().filter(|right| **right).count();
        let best = (0..runs)
            .rev()
            .max_by_key(|&run| solved(&all[run]))
            .unwrap();
        let level = joint_level(Level::NINETY_FIVE, runs).unwrap();
        let worse = (0..runs).filter(|&run| {
            let pairs = |set: usize| {
                let pairs = all[best][set].iter().zip(&all[run][set]);
                PairedSet::of_verdicts(pairs.map(|(a, b)| (*a, *b)))
            };
            run != best && difference(&[pairs(0), pairs(1)], level).unwrap().1[1] < 0.0
        });
        (best == 0, worse.count())
    }

    #[test]
    fn equal_runs_are_rarely_told_apart_and_a_better_one_mostly_is() {
        const ROUNDS: usize = 200;
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mistaken = (0..ROUNDS)
            .filter(|_| judged(&mut random, 8, 0.0).1 > 0)
            .count();
        // 5 % of 200 are 10; more than 18 would be seen once in a hundred such series.
        assert!(mistaken <= 18, "{mistaken} of {ROUNDS}");
        let found: Vec<(bool, usize)> = (0..ROUNDS / 4)
            .map(|_| judged(&mut random, 8, 0.2))
            .collect();
        let right = found.iter().filter(|(first, worse)| *first && *worse == 7);
        assert!(right.count() > ROUNDS / 5, "{found:?}");
    }
}
