//! One flat object of figures, accuracies in 0..=1: what `wandb.log(…)` and `mlflow.log_metrics(…)`
//! take as it is.

use evaluation::{Averages, Counts};
use serde_json::{Map, Value};

use crate::{Export, File, FinishedRun};

pub(crate) fn export(run: &FinishedRun) -> Export {
    let mut figures: Map<String, Value> = Map::new();
    for set in &run.summary.sets {
        add_counts(&mut figures, &set.set, &set.counts);
        for task in &set.tasks {
            let name = format!("{}/{}", set.set, tracked(&task.task));
            add_counts(&mut figures, &name, &task.counts);
        }
    }
    for (name, averages) in [("micro", run.summary.micro), ("macro", run.summary.macro_)] {
        if let Some(Averages {
            official, strict, ..
        }) = averages
        {
            figures.insert(format!("{name}/official"), official.into());
            figures.insert(format!("{name}/strict"), strict.into());
        }
    }
    Export {
        files: vec![File::text(
            "metrics.json".to_string(),
            format!("{:#}\n", Value::from(figures)),
        )],
        notes: Vec::new(),
    }
}

fn add_counts(figures: &mut Map<String, Value>, name: &str, counts: &Counts) {
    figures.insert(format!("{name}/official"), counts.official.accuracy.into());
    figures.insert(format!("{name}/strict"), counts.strict.accuracy.into());
    for (figure, value) in [
        ("n", counts.n),
        ("no_answer", counts.no_answer),
        ("truncated", counts.truncated),
        ("failed", counts.failed),
    ] {
        figures.insert(format!("{name}/{figure}"), value.into());
    }
}

/// With the letters that MLflow allows in a name: alphanumerics, `_`, `-`, `.`, `/` and blanks.
fn tracked(name: &str) -> String {
    name.replace('&', "and")
}
