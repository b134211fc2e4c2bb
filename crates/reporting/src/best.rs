//! The best of several runs, and what cannot be told from it.

use evaluation::{BestRun, RankedRun, Standing};

use crate::table::framed;
use crate::wording::{counted, first_names, percent};

/// Titles of sets that are named.
const MAX_SETS: usize = 4;

/// A table of the runs beside the best one, and a sentence that names it.
pub fn best_text(best: &BestRun, width: Option<u16>) -> String {
    let header = [
        "model",
        "step",
        "accuracy",
        "difference",
        "interval",
        "beside the best",
    ];
    let mut table = framed(header, &[1, 2, 3, 4]);
    for run in &best.runs {
        table.add_row(row(best, run));
    }
    let mut text = format!("\n{}{}\n", table.text(width), sentence(best));
    for run in &best.runs {
        if let Some(why) = &run.why {
            text.push_str(&format!("Not comparable: {}: {why}.\n", name(best, run)));
        }
    }
    text
}

fn row(best: &BestRun, run: &RankedRun) -> [String; 6] {
    let signed = |value: f64| format!("{:+.1}", value * 100.0).replace('-', "−");
    let interval = run
        .interval
        .map(|[low, high]| format!("{} … {}", signed(low), signed(high)));
    [
        name(best, run),
        run.step.map(|step| step.to_string()).unwrap_or_default(),
        percent(run.accuracy),
        run.difference.map(signed).unwrap_or_default(),
        interval.unwrap_or_default(),
        run.standing.title().to_string(),
    ]
}

/// The name of a model, with its folder where another run has the same.
fn name(best: &BestRun, run: &RankedRun) -> String {
    let shared = best
        .runs
        .iter()
        .filter(|other| other.run.name == run.run.name);
    match shared.count() {
        1 => run.run.name.clone(),
        _ => format!("{} ({})", run.run.name, run.run.source.display()),
    }
}

fn sentence(best: &BestRun) -> String {
    let of = |standing: Standing| -> Vec<String> {
        let runs = best.runs.iter().filter(|run| run.standing == standing);
        runs.map(|run| name(best, run)).collect()
    };
    let noun = match best.runs.iter().all(|run| run.step.is_some()) {
        true => "checkpoint",
        false => "model",
    };
    let measure = match best.sets.as_slice() {
        [set] => set.clone(),
        sets => format!("micro average of {}", first_names(sets, MAX_SETS)),
    };
    let winner = best.best();
    let alike = of(Standing::CannotTell);
    let beside = match (alike.as_slice(), of(Standing::Worse).len()) {
        ([], 0) => "nothing can be compared with it".to_string(),
        ([], 1) => "better than the other".to_string(),
        ([], worse) => format!("better than the {worse} others"),
        (alike, _) => format!("cannot tell it from {}", alike.join(", ")),
    };
    let compared = best.runs.len() * (best.runs.len() - 1) / 2;
    format!(
        "Best {noun}: {} with {} % by the {} scorer, {measure}; {beside}.\n\
         Paired comparison over {}; all intervals of differences hold together with a confidence of {:.0} % \
         (score intervals, Bonferroni over {}).",
        name(best, winner),
        percent(winner.accuracy),
        best.scorer.name(),
        counted(best.items, "item"),
        best.confidence * 100.0,
        counted(compared, "comparison"),
    )
}
