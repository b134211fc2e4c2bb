//! The files of the published driver (microsoft/unilm, `mathscale/MWPBench/eval_vllm/driver.py`,
//! commit 768a3c8), its averages included: `MATH` and `college_math` are always among the sets, with
//! accuracy 0 and size 0 where none of their tasks was run, and a task with a reference on which the
//! scorer raises an exception is in no file and in no average.

use serde_json::{Map, Value, json};

use crate::{Export, ExportError, File, FinishedRun, Judged};

/// Sets of several tasks, which the driver always has.
const SEVERAL: [&str; 2] = ["MATH", "college_math"];

struct TaskFigures<'a> {
    task: &'a str,
    size: usize,
    accuracy: f64,
}

pub(crate) fn export(run: &FinishedRun) -> Result<Export, ExportError> {
    let samples = run.manifest.identity.decoding.samples();
    if samples > 1 {
        return Err(ExportError::SeveralSamples(samples));
    }
    let (mut files, mut notes, mut figures) = (Vec::new(), Vec::new(), Vec::new());
    for (task, judged) in run.by_task() {
        let raised = judged
            .iter()
            .find(|item| item.verdict.official.exception.is_some());
        if let Some(item) = raised {
            notes.push(format!(
                "task {task} is left out, as the original drops it: its scorer fails on the reference of {}",
                item.problem.id
            ));
            continue;
        }
        let correct = judged.iter().filter(|item| item.verdict.official.correct);
        let (size, accuracy) = (
            judged.len(),
            correct.count() as f64 / judged.len().max(1) as f64,
        );
        let lines: Vec<String> = judged.iter().map(|item| line(item).to_string()).collect();
        files.push(File::text(
            format!("{task}.prediction.json"),
            lines.join("\n") + "\n",
        ));
        let metric = json!({ "task_name": task, "test_size": size, "accuracy": accuracy });
        files.push(File::text(
            format!("{task}.metric.json"),
            format!("{metric:#}\n"),
        ));
        figures.push(TaskFigures {
            task,
            size,
            accuracy,
        });
    }
    let missing: Vec<&str> = SEVERAL
        .into_iter()
        .filter(|set| !figures.iter().any(|own| is_of(own.task, set)))
        .collect();
    if !missing.is_empty() {
        notes.push(format!(
            "no task of {} was run: as in the original it stands in all.metric.json with accuracy 0, which the macro average counts",
            missing.join(" and of ")
        ));
    }
    files.push(File::text(
        "all.metric.json".to_string(),
        format!("{:#}\n", all(&figures)),
    ));
    Ok(Export { files, notes })
}

fn line(item: &Judged<'_>) -> Value {
    let official = &item.verdict.official;
    json!({
        "question": item.problem.question,
        "answer": item.problem.reference,
        "completion": item.completion.completion,
        "clean_reference_ans": official.reference,
        "clean_prediction_ans": official.prediction,
        "judge": official.correct,
    })
}

fn is_of(task: &str, set: &str) -> bool {
    task.strip_prefix(set)
        .is_some_and(|rest| rest.starts_with('.'))
}

/// `all.metric.json`.
fn all(figures: &[TaskFigures<'_>]) -> Value {
    let mut sets: Map<String, Value> = Map::new();
    let mut weights: Vec<(f64, usize)> = Vec::new();
    for own in figures {
        if !SEVERAL.iter().any(|set| is_of(own.task, set)) {
            weights.push((own.accuracy, own.size));
            let figure = json!({ "accuracy": own.accuracy, "test_size": own.size });
            sets.insert(own.task.to_string(), figure);
        }
    }
    for set in SEVERAL {
        let own: Vec<&TaskFigures<'_>> =
            figures.iter().filter(|own| is_of(own.task, set)).collect();
        let size: usize = own.iter().map(|own| own.size).sum();
        let accuracy = weighted(own.iter().map(|own| (own.accuracy, own.size)));
        weights.push((accuracy, size));
        let subsets: Map<String, Value> = own
            .iter()
            .map(|own| {
                let figure = json!({ "accuracy": own.accuracy, "test_size": own.size });
                (own.task.to_string(), figure)
            })
            .collect();
        sets.insert(
            set.to_string(),
            json!({ "accuracy": accuracy, "test_size": size, "subset_metric": subsets }),
        );
    }
    let micro = weighted(weights.iter().copied());
    let plain: f64 = weights.iter().map(|(accuracy, _)| accuracy).sum();
    sets.insert("micro_average_accuracy".to_string(), micro.into());
    let macro_ = plain / weights.len() as f64;
    sets.insert("macro_average_accuracy".to_string(), macro_.into());
    sets.into()
}

/// The mean weighted by size; 0 where there is nothing.
fn weighted(of: impl Iterator<Item = (f64, usize)>) -> f64 {
    let (sum, size) = of.fold((0.0, 0), |(sum, all), (accuracy, size)| {
        (sum + accuracy * size as f64, all + size)
    });
    match size {
        0 => 0.0,
        size => sum / size as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_averages_have_the_quirks_of_the_original() {
        let figures = [
            TaskFigures {
                task: "gsm8k",
                size: 3,
                accuracy: 1.0,
            },
            TaskFigures {
                task: "MATH.Algebra",
                size: 1,
                accuracy: 0.0,
            },
        ];
        let all = all(&figures);
        assert_eq!(all["college_math"]["test_size"], 0);
        assert_eq!(all["micro_average_accuracy"], 0.75);
        assert_eq!(all["macro_average_accuracy"], 1.0 / 3.0);
        assert_eq!(all["MATH"]["subset_metric"]["MATH.Algebra"]["test_size"], 1);
        assert!(!is_of("MATHS.x", "MATH"));
    }
}
