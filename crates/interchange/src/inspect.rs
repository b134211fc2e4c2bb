//! A log of inspect, version 2, that its `read_eval_log` reads and its viewer opens: one JSON object,
//! or a zip file with a file a sample. Facts of the form: `inspect_ai/log/_log.py` and
//! `_recorders/eval.py` of version 0.3.285. A sample of a problem is an epoch, a scorer a score.

use std::io::Write;

use evaluation::VerdictRecord;
use generation::FinishReason;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::{Export, File, FinishedRun, Judged};

/// Letters of an id, as inspect's own have.
const ID_LETTERS: usize = 22;

/// As one JSON object.
pub(crate) fn export(run: &FinishedRun) -> Export {
    let log = log(run);
    Export {
        files: vec![File::text("mwpbench.json", format!("{log:#}\n"))],
        notes: Vec::new(),
    }
}

/// As a zip file, in which the viewer finds each sample by itself.
pub(crate) fn export_packed(run: &FinishedRun) -> Export {
    let content = packed(log(run)).expect("writing to memory does not fail");
    Export {
        files: vec![File {
            name: "mwpbench.eval".to_string(),
            content,
        }],
        notes: Vec::new(),
    }
}

/// The files of a log: what it was begun with, each sample, all of them in short, and the rest.
fn packed(mut log: Value) -> Result<Vec<u8>, rawzip::Error> {
    let samples = match log
        .as_object_mut()
        .and_then(|log| log.shift_remove("samples"))
    {
        Some(Value::Array(samples)) => samples,
        _ => Vec::new(),
    };
    let start = json!({ "version": log["version"], "eval": log["eval"], "plan": log["plan"] });
    let mut content = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut content);
    let mut add = |name: &str, value: &Value| -> Result<(), rawzip::Error> {
        let (mut entry, config) = archive
            .new_file(name)
            .compression_method(rawzip::CompressionMethod::DEFLATE)
            .start()?;
        let encoder =
            flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::default());
        let mut writer = config.wrap(encoder);
        writer.write_all(value.to_string().as_bytes())?;
        let (encoder, descriptor) = writer.finish()?;
        encoder.finish()?;
        entry.finish(descriptor)?;
        Ok(())
    };
    add("_journal/start.json", &start)?;
    for sample in &samples {
        let id = sample["id"].as_str().unwrap_or_default();
        add(
            &format!("samples/{id}_epoch_{}.json", sample["epoch"]),
            sample,
        )?;
    }
    add("summaries.json", &samples.iter().map(summary).collect())?;
    add("header.json", &log)?;
    archive.finish()?;
    Ok(content)
}

/// A sample as the viewer's list shows it.
fn summary(sample: &Value) -> Value {
    let own = ["id", "epoch", "input", "target", "metadata", "scores"];
    let own = own
        .into_iter()
        .map(|name| (name.to_string(), sample[name].clone()));
    let mut summary: Map<String, Value> = own.collect();
    summary.insert("completed".to_string(), true.into());
    if let Some(message) = sample.pointer("/error/message") {
        summary.insert("error".to_string(), message.clone());
    }
    summary.into()
}

fn log(run: &FinishedRun) -> Value {
    let identity = &run.manifest.identity;
    let digest = identity.digest();
    let id = |from: usize| digest[from..from + ID_LETTERS].to_string();
    let (started, ended) = (run.manifest.started, run.manifest.finished);
    let judged: Vec<Judged<'_>> = run.by_task().into_iter().flat_map(|(_, own)| own).collect();
    let total = judged.len();
    let config = generation(run);
    json!({
        "version": 2,
        "status": "success",
        "eval": {
            "eval_id": id(0),
            "run_id": id(ID_LETTERS - 1),
            "created": time(started),
            "task": "mwpbench",
            "task_id": id(ID_LETTERS - 2),
            "task_version": run.summary.scorer_version,
            "dataset": {
                "name": identity.data.name,
                "samples": run.problems.len(),
                "sample_ids": run.problems.iter().map(|problem| &problem.id).collect::<Vec<_>>(),
                "shuffled": false,
            },
            "model": run.manifest.display_name(),
            "model_generate_config": config,
            "model_args": {},
            "config": { "epochs": identity.decoding.samples() },
            "packages": {},
            "metadata": {
                "program": format!("mwpbench {}", run.manifest.version),
                "template": identity.template.name,
                "protocol": run.summary.protocol,
                "deviations": run.summary.deviations,
            },
        },
        "plan": {
            "name": "plan",
            "steps": [{ "solver": "generate", "params": {} }],
            "config": config,
        },
        "results": {
            "total_samples": total,
            "completed_samples": total,
            "scores": [score(run, true), score(run, false)],
        },
        "stats": {
            "started_at": time(started),
            "completed_at": ended.map(time).unwrap_or_default(),
            "model_usage": {},
        },
        "samples": judged.iter().map(|item| sample(run, item)).collect::<Vec<_>>(),
    })
}

/// As Python's `isoformat` writes it, to the second.
fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

fn generation(run: &FinishedRun) -> Value {
    let identity = &run.manifest.identity;
    let decoding = &identity.decoding;
    let mut config = Map::new();
    if !identity.is_unknown("decoding.max_tokens") {
        config.insert("max_tokens".to_string(), decoding.max_tokens.into());
    }
    if !identity.is_unknown("decoding.stop") {
        config.insert("stop_seqs".to_string(), json!(decoding.stop));
    }
    if !identity.is_unknown("decoding.sampling") {
        let temperature = decoding
            .sampling
            .map_or(0.0, |sampling| f64::from(sampling.temperature));
        config.insert("temperature".to_string(), temperature.into());
        if let Some(sampling) = &decoding.sampling {
            config.insert("top_p".to_string(), f64::from(sampling.top_p).into());
            config.insert("seed".to_string(), sampling.seed.into());
        }
    }
    config.into()
}

fn score(run: &FinishedRun, official: bool) -> Value {
    let name = name(official);
    let total: usize = run.verdicts.len();
    let correct = run
        .verdicts
        .iter()
        .filter(|verdict| is_correct(verdict, official))
        .count();
    let metric = |name: &str, value: f64| json!({ "name": name, "value": value, "params": {} });
    let mut metrics = Map::new();
    let accuracy = correct as f64 / total.max(1) as f64;
    metrics.insert("accuracy".to_string(), metric("accuracy", accuracy));
    for set in run
        .summary
        .sets
        .iter()
        .filter(|_| run.summary.sets.len() > 1)
    {
        let of_set = if official {
            set.counts.official
        } else {
            set.counts.strict
        };
        metrics.insert(set.set.clone(), metric(&set.set, of_set.accuracy));
    }
    json!({
        "name": name,
        "scorer": name,
        "scored_samples": total,
        "unscored_samples": 0,
        "params": {},
        "metrics": metrics,
    })
}

fn name(official: bool) -> &'static str {
    if official { "official" } else { "strict" }
}

fn is_correct(verdict: &VerdictRecord, official: bool) -> bool {
    match official {
        true => verdict.official.correct,
        false => verdict.strict.correct,
    }
}

fn sample(run: &FinishedRun, item: &Judged<'_>) -> Value {
    let Judged {
        place,
        problem,
        completion,
        verdict,
    } = item;
    let prompt = run.prompts.get(*place).filter(|prompt| !prompt.is_empty());
    let content = match &completion.thinking {
        None => Value::from(completion.completion.as_str()),
        Some(thinking) => json!([
            { "type": "reasoning", "reasoning": thinking },
            { "type": "text", "text": completion.completion },
        ]),
    };
    let answer = json!({ "role": "assistant", "content": content, "source": "generate" });
    let stop_reason = match completion.finish_reason {
        FinishReason::Eos | FinishReason::Stop => "stop",
        FinishReason::Length => "max_tokens",
        FinishReason::Error => "unknown",
    };
    let usage = json!({
        "input_tokens": completion.prompt_tokens,
        "output_tokens": completion.completion_tokens,
        "total_tokens": completion.prompt_tokens + completion.completion_tokens,
    });
    let scores = json!({
        "official": {
            "value": letter(verdict.official.correct),
            "answer": verdict.official.prediction,
            "explanation": verdict.official.trace.join(", "),
        },
        "strict": {
            "value": letter(verdict.strict.correct),
            "answer": verdict.strict.answer,
            "explanation": verdict.strict.trace.join(", "),
        },
    });
    let mut sample = json!({
        "id": problem.id,
        "epoch": completion.sample + 1,
        "input": problem.question,
        "target": problem.reference,
        "messages": [
            { "role": "user", "content": prompt.unwrap_or(&problem.question), "source": "input" },
            answer,
        ],
        "output": {
            "model": run.manifest.identity.model.name,
            "choices": [{ "message": answer, "stop_reason": stop_reason }],
            "completion": completion.completion,
            "usage": usage,
        },
        "scores": scores,
        "metadata": { "set": problem.set, "task": problem.task },
        "store": {},
        "events": [],
        "model_usage": {},
        "attachments": {},
    });
    if let Some(message) = &completion.error {
        sample["error"] = json!({ "message": message, "traceback": "", "traceback_ansi": "" });
    }
    sample
}

fn letter(correct: bool) -> &'static str {
    if correct { "C" } else { "I" }
}
