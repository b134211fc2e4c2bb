//! `.eval_results/SET.yaml` of a model repository: a list of results, each of a task of a data set
//! on the Hugging Face Hub. Facts of the form: `huggingface_hub/_eval_results.py` of version 2.4.0
//! and the Hub's page on evaluation results. A second figure of one task stands in a file of its
//! own, with notes that tell it from the first.

use serde_json::Value;

use crate::{Export, ExportError, ExportSettings, File, FinishedRun, HubTask};

/// Where a model repository keeps them.
const FOLDER: &str = ".eval_results";

pub(crate) fn export(run: &FinishedRun, settings: &ExportSettings) -> Result<Export, ExportError> {
    let (mut files, mut without) = (Vec::new(), Vec::new());
    for asked in &settings.hub_tasks {
        if !run.summary.sets.iter().any(|set| set.set == asked.set) {
            return Err(ExportError::NoSuchSet(asked.set.clone()));
        }
    }
    for set in &run.summary.sets {
        let Some(task) = settings.hub_tasks.iter().find(|task| task.set == set.set) else {
            without.push(set.set.clone());
            continue;
        };
        let name = |end: &str| format!("{FOLDER}/{}{end}.yaml", set.set);
        let counts = &set.counts;
        let how = how(run, counts.n);
        for (end, scorer, accuracy) in [
            ("", "official scorer of MwpBench", counts.official),
            ("_strict", "strict scorer of mwpbench", counts.strict),
        ] {
            let [low, high] = accuracy.interval.map(|bound| bound * 100.0);
            let notes = format!("{scorer}, {how}, 95 % interval {low:.1} to {high:.1}");
            files.push(File::text(
                name(end),
                entry(run, task, accuracy.accuracy * 100.0, &notes),
            ));
        }
    }
    if files.is_empty() {
        return Err(ExportError::NoHubTask { sets: without });
    }
    let mut notes = Vec::new();
    if !without.is_empty() {
        notes.push(format!(
            "left out, as no data set of the Hub is named for them: {}",
            without.join(", ")
        ));
    }
    if run.summary.on_bundled() {
        notes.push("this run asked the bundled problems, which are not the benchmark: publish none of its figures".to_string());
    }
    Ok(Export { files, notes })
}

fn how(run: &FinishedRun, n: usize) -> String {
    let mut parts = vec![format!("{n} problems")];
    parts.extend(run.summary.deviations.iter().cloned());
    parts.join(", ")
}

/// One result. Texts are quoted as JSON quotes them, which YAML reads the same.
fn entry(run: &FinishedRun, task: &HubTask, value: f64, notes: &str) -> String {
    let quoted = |text: &str| Value::from(text).to_string();
    let finished = run.manifest.finished.unwrap_or(run.manifest.started);
    let date = finished.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    format!(
        "- dataset:\n    id: {}\n    task_id: {}\n  value: {value:.2}\n  date: {}\n  notes: {}\n",
        quoted(&task.dataset),
        quoted(&task.task),
        quoted(&date),
        quoted(notes),
    )
}
