//! Whether a summary's figures can be what a run found. Nothing is averaged that cannot.

use std::collections::BTreeSet;

use dataset_loader::Benchmark;
use evaluation::{Accuracy, Counts, SetSummary, Summary, macro_average, micro_average};

/// What sums in another order may differ by.
const ROUNDING: f64 = 1e-9;

/// Names the first field that cannot be, with what it should be.
pub(crate) fn figures(
    benchmark: &Benchmark,
    summary: &Summary,
    samples: u32,
) -> Result<(), String> {
    if summary.sets.is_empty() {
        return Err("it holds no set".to_string());
    }
    let mut seen = BTreeSet::new();
    for set in &summary.sets {
        if !seen.insert(&set.set) {
            return Err(format!("the set {} is there twice", set.set));
        }
        let averaged = benchmark
            .set(&set.set)
            .is_some_and(|known| known.in_average);
        if set.in_average != averaged {
            return Err(format!(
                "{}.in_average is {}, which it is not",
                set.set, set.in_average
            ));
        }
        counts(&set.set, &set.counts, samples)?;
        tasks(set, samples)?;
    }
    averages(summary)
}

fn tasks(set: &SetSummary, samples: u32) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for task in &set.tasks {
        if !seen.insert(&task.task) {
            return Err(format!("the task {} is there twice", task.task));
        }
        counts(&task.task, &task.counts, samples)?;
    }
    let total: usize = set.tasks.iter().map(|task| task.counts.n).sum();
    if !set.tasks.is_empty() && total != set.counts.n {
        return Err(format!(
            "{}.n is {}, but its tasks have {total} items together",
            set.set, set.counts.n
        ));
    }
    Ok(())
}

fn counts(name: &str, counts: &Counts, samples: u32) -> Result<(), String> {
    if counts.n == 0 {
        return Err(format!("{name}.n is 0"));
    }
    let completions = counts.n * samples as usize;
    for (field, count) in [
        ("no_answer", counts.no_answer),
        ("truncated", counts.truncated),
        ("failed", counts.failed),
    ] {
        if count > completions {
            return Err(format!(
                "{name}.{field} is {count} of {completions} completions"
            ));
        }
    }
    accuracy(&format!("{name}.official"), &counts.official, completions)?;
    accuracy(&format!("{name}.strict"), &counts.strict, completions)
}

fn accuracy(name: &str, accuracy: &Accuracy, completions: usize) -> Result<(), String> {
    let Accuracy {
        correct,
        accuracy,
        interval: [low, high],
    } = *accuracy;
    if correct > completions {
        return Err(format!(
            "{name}.correct is {correct} of {completions} completions"
        ));
    }
    let expected = correct as f64 / completions as f64;
    if accuracy.is_nan() || (accuracy - expected).abs() > ROUNDING {
        return Err(format!(
            "{name}.accuracy is {accuracy}, but {correct} of {completions} are {expected}"
        ));
    }
    let holds = -ROUNDING <= low
        && low <= accuracy + ROUNDING
        && accuracy <= high + ROUNDING
        && high <= 1.0 + ROUNDING;
    match holds {
        true => Ok(()),
        false => Err(format!(
            "{name}.interval is {low} to {high} around {accuracy}"
        )),
    }
}

fn averages(summary: &Summary) -> Result<(), String> {
    let of = |scorer: fn(&Counts) -> Accuracy| -> Vec<(usize, f64)> {
        let averaged = summary.sets.iter().filter(|set| set.in_average);
        averaged
            .map(|set| (set.counts.n, scorer(&set.counts).accuracy))
            .collect()
    };
    let (official, strict) = (of(|counts| counts.official), of(|counts| counts.strict));
    let plain = |sets: &[(usize, f64)]| macro_average(sets.iter().map(|(_, accuracy)| *accuracy));
    let weighted = |sets: &[(usize, f64)]| micro_average(sets.iter().copied());
    for (name, found, expected) in [
        (
            "micro.official",
            summary.micro.map(|both| both.official),
            weighted(&official),
        ),
        (
            "micro.strict",
            summary.micro.map(|both| both.strict),
            weighted(&strict),
        ),
        (
            "macro.official",
            summary.macro_.map(|both| both.official),
            plain(&official),
        ),
        (
            "macro.strict",
            summary.macro_.map(|both| both.strict),
            plain(&strict),
        ),
    ] {
        let agree = match (found, expected) {
            (None, None) => true,
            (Some(found), Some(expected)) => (found - expected).abs() <= ROUNDING,
            _ => false,
        };
        if !agree {
            let text = |average: Option<f64>| {
                average.map_or("nothing".to_string(), |average| average.to_string())
            };
            return Err(format!(
                "{name} is {}, but its sets give {}",
                text(found),
                text(expected)
            ));
        }
    }
    Ok(())
}
