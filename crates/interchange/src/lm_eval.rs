//! The files that lm-evaluation-harness 0.4 writes with `--log_samples`: `results_DATE.json`, and
//! `samples_TASK_DATE.jsonl` with two lines a completion, one for each scorer as its filter.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::{Export, File, FinishedRun, Judged};

/// The scorers as filters of one metric.
const FILTERS: [&str; 2] = ["official", "strict"];
const METRIC: &str = "exact_match";

pub(crate) fn export(run: &FinishedRun) -> Export {
    let identity = &run.manifest.identity;
    let date = run
        .manifest
        .started
        .strftime("%Y-%m-%dT%H-%M-%S")
        .to_string();
    let (mut files, mut results, mut configs) = (Vec::new(), Map::new(), Map::new());
    let (mut versions, mut shots, mut counts, mut better, mut subtasks) =
        (Map::new(), Map::new(), Map::new(), Map::new(), Map::new());
    for (task, judged) in run.by_task() {
        let mut figures = Map::new();
        figures.insert("alias".to_string(), task.into());
        for filter in FILTERS {
            let correct = judged.iter().filter(|item| is_correct(item, filter));
            let (n, accuracy) = (
                judged.len(),
                correct.count() as f64 / judged.len().max(1) as f64,
            );
            // Of the sample, as the harness computes it.
            let variance = accuracy * (1.0 - accuracy) / (n as f64 - 1.0);
            let error = match n {
                0 | 1 => "N/A".into(),
                _ => json!(variance.sqrt()),
            };
            figures.insert(format!("{METRIC},{filter}"), accuracy.into());
            figures.insert(format!("{METRIC}_stderr,{filter}"), error);
        }
        let name = task.to_string();
        results.insert(name.clone(), figures.into());
        configs.insert(name.clone(), config(run, task));
        versions.insert(name.clone(), json!(run.summary.scorer_version));
        shots.insert(name.clone(), examples(run).into());
        better.insert(name.clone(), json!({ METRIC: true }));
        subtasks.insert(name.clone(), json!([]));
        let count = json!({ "original": judged.len(), "effective": judged.len() });
        counts.insert(name, count);
        let lines: Vec<String> = judged
            .iter()
            .flat_map(|item| FILTERS.map(|filter| sample(run, item, filter).to_string()))
            .collect();
        files.push(File::text(
            format!("samples_{task}_{date}.jsonl"),
            lines.join("\n") + "\n",
        ));
    }
    let started = run.manifest.started.as_second();
    let results = json!({
        "results": results,
        "group_subtasks": subtasks,
        "configs": configs,
        "versions": versions,
        "n-shot": shots,
        "higher_is_better": better,
        "n-samples": counts,
        "config": {
            "model": "mwpbench",
            "model_args": { "pretrained": identity.model.name },
            "batch_size": null,
            "limit": identity.limit,
            "gen_kwargs": generation(run),
        },
        "git_hash": null,
        "date": started as f64,
        "model_source": "mwpbench",
        "model_name": run.manifest.display_name(),
        "model_name_sanitized": sanitized(run.manifest.display_name()),
        "start_time": started as f64,
        "end_time": run.manifest.finished.map(|finished| finished.as_second() as f64),
        "system_instruction": null,
        "chat_template": null,
        "fewshot_as_multiturn": false,
    });
    files.insert(
        0,
        File::text(format!("results_{date}.json"), format!("{results:#}\n")),
    );
    Export {
        files,
        notes: Vec::new(),
    }
}

fn is_correct(item: &Judged<'_>, filter: &str) -> bool {
    match filter {
        "official" => item.verdict.official.correct,
        _ => item.verdict.strict.correct,
    }
}

/// As the harness makes a folder's name of a model's.
fn sanitized(name: &str) -> String {
    let keep = |letter: char| match letter {
        letter if letter.is_alphanumeric() || "_-.".contains(letter) => letter,
        _ => '_',
    };
    name.chars().map(keep).collect()
}

fn generation(run: &FinishedRun) -> Value {
    let decoding = &run.manifest.identity.decoding;
    json!({
        "until": decoding.stop,
        "max_gen_toks": decoding.max_tokens,
        "do_sample": decoding.sampling.is_some(),
        "temperature": decoding.sampling.map_or(0.0, |sampling| f64::from(sampling.temperature)),
    })
}

/// Examples before each question.
fn examples(run: &FinishedRun) -> usize {
    let few_shot = run.manifest.identity.few_shot.as_ref();
    few_shot.map_or(0, |few_shot| few_shot.examples)
}

fn config(run: &FinishedRun, task: &str) -> Value {
    json!({
        "task": task,
        "output_type": "generate_until",
        "num_fewshot": examples(run),
        "repeats": run.manifest.identity.decoding.samples(),
        "metric_list": [{ "metric": METRIC, "aggregation": "mean", "higher_is_better": true }],
        "generation_kwargs": generation(run),
        "metadata": { "version": run.summary.scorer_version, "program": "mwpbench" },
    })
}

fn sample(run: &FinishedRun, item: &Judged<'_>, filter: &str) -> Value {
    let Judged {
        place,
        problem,
        completion,
        verdict,
    } = item;
    let answer = match filter {
        "official" => verdict.official.prediction.as_deref(),
        _ => verdict.strict.answer.as_deref(),
    };
    let hash = |text: &str| {
        let digest = Sha256::digest(text);
        digest
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let prompt = run.prompts.get(*place).map_or("", String::as_str);
    let doc =
        json!({ "id": problem.id, "question": problem.question, "answer": problem.reference });
    json!({
        "doc_id": place,
        "doc": doc,
        "target": problem.reference,
        "arguments": { "gen_args_0": { "arg_0": prompt, "arg_1": generation(run) } },
        "resps": [[completion.completion]],
        "filtered_resps": [answer.unwrap_or("[invalid]")],
        "filter": filter,
        "metrics": [METRIC],
        "doc_hash": hash(&doc.to_string()),
        "prompt_hash": hash(prompt),
        "target_hash": hash(&problem.reference),
        METRIC: if is_correct(item, filter) { 1.0 } else { 0.0 },
    })
}
