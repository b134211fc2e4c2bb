//! The schema of the EvalEval coalition, version 0.3: one object of results, and a line a verdict
//! beside it. Facts of the form: the package every-eval-ever 0.3.0, `schemas/eval.schema.json`,
//! `schemas/instance_level_eval.schema.json`, and the checks of its validator.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::{Export, ExportSettings, File, FinishedRun, Judged};

const SCHEMA: &str = "0.3.0";
const COLLECTION: &str = "mwpbench";
/// Where models stand whose names tell no organisation.
const NO_ORGANISATION: &str = "local";

pub(crate) fn export(run: &FinishedRun, settings: &ExportSettings) -> Export {
    let name = settings
        .model_id
        .as_deref()
        .unwrap_or(&run.manifest.identity.model.name);
    let model = ModelId::of(name);
    let digest = run.manifest.identity.digest();
    let uuid = uuid(&digest);
    let retrieved = run
        .manifest
        .finished
        .unwrap_or(run.manifest.started)
        .as_second();
    let evaluation = format!("{COLLECTION}/{}/{retrieved}", model.path.replace('/', "_"));
    let mut lines = String::new();
    let mut rows = 0;
    for (_, judged) in run.by_task() {
        for item in &judged {
            for scorer in ["official", "strict"] {
                lines.push_str(&instance(run, item, scorer, &evaluation, &model.id).to_string());
                lines.push('\n');
                rows += 1;
            }
        }
    }
    let folder = format!("data/{COLLECTION}/{}", model.path);
    let samples = format!("{folder}/{uuid}_samples.jsonl");
    let aggregate = json!({
        "schema_version": SCHEMA,
        "evaluation_id": evaluation,
        "evaluation_timestamp": run.manifest.started.to_string(),
        "retrieved_timestamp": retrieved.to_string(),
        "source_metadata": {
            "source_name": "mwpbench",
            "source_type": "evaluation_run",
            "source_organization_name": "unknown",
            "evaluator_relationship": "other",
        },
        "eval_library": { "name": "mwpbench", "version": run.manifest.version },
        "model_info": {
            "name": run.manifest.display_name(),
            "id": model.id,
            "additional_details": {
                "deployment_type": deployment(run),
                "model_availability": "unknown",
            },
        },
        "evaluation_results": results(run),
        "detailed_evaluation_results": {
            "format": "jsonl",
            "file_path": samples,
            "hash_algorithm": "sha256",
            "checksum": hex(lines.as_bytes()),
            "total_rows": rows,
        },
    });
    let mut notes = Vec::new();
    if model.is_local {
        notes.push(format!(
            "the model's name tells no organisation: its files stand under \"{NO_ORGANISATION}\""
        ));
    }
    Export {
        files: vec![
            File::text(format!("{folder}/{uuid}.json"), format!("{aggregate:#}\n")),
            File::text(samples.clone(), lines),
        ],
        notes,
    }
}

/// A model's name as the schema has it, and the two folders that it stands in.
struct ModelId {
    id: String,
    path: String,
    is_local: bool,
}

impl ModelId {
    fn of(name: &str) -> Self {
        let allowed = |letter: char| match letter {
            letter if letter.is_ascii_alphanumeric() || "_-.".contains(letter) => letter,
            _ => '_',
        };
        let plain = |part: &str| -> String {
            let part: String = part.chars().map(allowed).collect();
            let part = part.trim_matches('.');
            if part.is_empty() { "model" } else { part }.to_string()
        };
        // A path of a checkpoint is no name of an organisation.
        let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty()).collect();
        let (organisation, model) = match parts.as_slice() {
            [organisation, model] if !name.starts_with(['/', '.', '~']) => {
                (plain(organisation), plain(model))
            }
            parts => (
                NO_ORGANISATION.to_string(),
                plain(parts.last().copied().unwrap_or_default()),
            ),
        };
        let id = format!("{organisation}/{model}");
        Self {
            is_local: organisation == NO_ORGANISATION,
            path: id.clone(),
            id,
        }
    }
}

fn deployment(run: &FinishedRun) -> &'static str {
    match run.manifest.identity.model.kind.as_str() {
        "local" => "self_deployed",
        _ => "unknown",
    }
}

/// A UUID of version 4 as its form goes, of digits of the run's digest: the same run has the same.
fn uuid(digest: &str) -> String {
    let digits = |range: std::ops::Range<usize>| &digest[range];
    format!(
        "{}-{}-4{}-a{}-{}",
        digits(0..8),
        digits(8..12),
        digits(13..16),
        digits(17..20),
        digits(20..32)
    )
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A result for each task and scorer.
fn results(run: &FinishedRun) -> Vec<Value> {
    let mut results = Vec::new();
    for set in &run.summary.sets {
        let tasks = set
            .tasks
            .iter()
            .map(|task| (task.task.as_str(), &task.counts));
        let of_set = (set.set.as_str(), &set.counts);
        let tasks: Vec<_> = match set.tasks.is_empty() {
            true => vec![of_set],
            false => tasks.collect(),
        };
        for (task, counts) in tasks {
            for (scorer, accuracy) in [("official", counts.official), ("strict", counts.strict)] {
                let [low, high] = accuracy.interval;
                results.push(json!({
                    "evaluation_result_id": format!("{task}/{scorer}"),
                    "evaluation_name": task,
                    "source_data": {
                        "dataset_name": set.set,
                        "source_type": "other",
                        "additional_details": {
                            "data": run.manifest.identity.data.name,
                            "problems_digest": run.manifest.identity.data.problems_digest,
                        },
                    },
                    "evaluation_timestamp": run.manifest.started.to_string(),
                    "metric_config": {
                        "evaluation_description": format!("share of completions that the {scorer} scorer of mwpbench counts as correct"),
                        "metric_id": format!("mwpbench.{scorer}_accuracy"),
                        "metric_name": format!("Accuracy ({scorer} scorer)"),
                        "metric_kind": "accuracy",
                        "metric_unit": "proportion",
                        "lower_is_better": false,
                        "score_type": "continuous",
                        "min_score": 0.0,
                        "max_score": 1.0,
                    },
                    "score_details": {
                        "score": accuracy.accuracy,
                        "uncertainty": {
                            "confidence_interval": {
                                "lower": low,
                                "upper": high,
                                "confidence_level": 0.95,
                                "method": "Wilson",
                            },
                            "num_samples": counts.n,
                        },
                    },
                    "generation_config": generation(run),
                }));
            }
        }
    }
    results
}

fn generation(run: &FinishedRun) -> Value {
    let identity = &run.manifest.identity;
    let mut arguments = Map::new();
    if !identity.is_unknown("decoding.max_tokens") {
        arguments.insert(
            "max_tokens".to_string(),
            identity.decoding.max_tokens.into(),
        );
    }
    if !identity.is_unknown("decoding.sampling") {
        let sampling = identity.decoding.sampling;
        let temperature = sampling.map_or(0.0, |sampling| f64::from(sampling.temperature));
        arguments.insert("temperature".to_string(), temperature.into());
        if let Some(sampling) = sampling {
            arguments.insert("top_p".to_string(), f64::from(sampling.top_p).into());
        }
    }
    if !identity.is_unknown("template") {
        arguments.insert(
            "prompt_template".to_string(),
            identity.template.text.as_str().into(),
        );
    }
    json!({
        "generation_args": arguments,
        "additional_details": { "stop": json!(identity.decoding.stop).to_string() },
    })
}

fn instance(
    run: &FinishedRun,
    item: &Judged<'_>,
    scorer: &str,
    evaluation: &str,
    model: &str,
) -> Value {
    let Judged {
        place,
        problem,
        completion,
        verdict,
    } = item;
    let (correct, answer, trace) = match scorer {
        "official" => (
            verdict.official.correct,
            verdict.official.prediction.as_deref(),
            &verdict.official.trace,
        ),
        _ => (
            verdict.strict.correct,
            verdict.strict.answer.as_deref(),
            &verdict.strict.trace,
        ),
    };
    let prompt = run.prompts.get(*place).filter(|prompt| !prompt.is_empty());
    let (input, output) = (completion.prompt_tokens, completion.completion_tokens);
    let mut line = json!({
        "schema_version": SCHEMA,
        "evaluation_id": evaluation,
        "model_id": model,
        "evaluation_name": problem.task,
        "evaluation_result_id": format!("{}/{scorer}", problem.task),
        "sample_id": match run.manifest.identity.decoding.samples() {
            1 => problem.id.clone(),
            _ => format!("{}#{}", problem.id, completion.sample),
        },
        "sample_hash": hex(format!("{}{}", problem.question, problem.reference).as_bytes()),
        "interaction_type": "single_turn",
        "input": {
            "raw": problem.question,
            "formatted": prompt,
            "reference": [problem.reference],
        },
        "output": {
            "raw": [completion.completion],
            "reasoning_trace": completion.thinking.as_ref().map(|thinking| [thinking]),
        },
        "answer_attribution": [{
            "turn_idx": 0,
            "source": "output.raw",
            "extracted_value": answer.unwrap_or_default(),
            "extraction_method": trace.first().map_or("custom", String::as_str),
            "is_terminal": true,
        }],
        "evaluation": { "score": if correct { 1.0 } else { 0.0 }, "is_correct": correct },
        "token_usage": { "input_tokens": input, "output_tokens": output, "total_tokens": input + output },
        "error": completion.error,
        "metadata": { "set": problem.set, "sample": completion.sample.to_string() },
    });
    if run.manifest.identity.is_unknown("tokens")
        && let Some(line) = line.as_object_mut()
    {
        line.remove("token_usage");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_filed_under_its_organisation_and_a_path_is_none() {
        for (name, id) in [
            ("meta-llama/Llama-3.2-1B", "meta-llama/Llama-3.2-1B"),
            ("demo", "local/demo"),
            ("/models/mine", "local/mine"),
            ("./mine", "local/mine"),
            ("a/b/c d", "local/c_d"),
            ("..", "local/model"),
        ] {
            assert_eq!(ModelId::of(name).id, id, "{name}");
        }
    }
}
