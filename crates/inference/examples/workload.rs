//! Measures generation with a checkpoint: prompts from a file, a number of new tokens, one JSON
//! line.
//!
//! `workload CHECKPOINT --prompts FILE.json [--limit N] [--rows N] [--new-tokens N] [--ignore-eos]
//! [--dtype bf16|f32] [--device cuda] [--threads N] [--workload NAME] [--first-token] [--q8]
//! [--completions FILE]`, where the file of prompts holds a JSON list of texts or of lists of token
//! ids, and that of completions is written with the ids of the new tokens. With `--first-token`: seconds from before the
//! checkpoint is opened, its files in the page cache, to the first new token of the first prompt.
//! With `--rows 1` also the rate of the tokens after the first.

use std::collections::BTreeMap;
use std::time::Instant;

use inference::{
    CheckpointFiles, DeviceChoice, EngineOptions, LocalModel, Quantization, WeightDtype,
};
use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let checkpoint = arguments
        .next()
        .ok_or("usage: workload CHECKPOINT --prompts FILE.json …")?;
    let mut flags = BTreeMap::new();
    while let Some(flag) = arguments.next() {
        let has_value = !["--ignore-eos", "--first-token", "--q8"].contains(&flag.as_str());
        let value = if has_value {
            arguments.next().ok_or(format!("{flag} needs a value"))?
        } else {
            String::new()
        };
        flags.insert(flag, value);
    }
    let number = |flag: &str| {
        flags
            .get(flag)
            .map(|value| value.parse::<usize>())
            .transpose()
    };
    let dtype = match flags.get("--dtype").map(String::as_str) {
        None => WeightDtype::Auto,
        Some("f32") => WeightDtype::F32,
        Some("bf16") => WeightDtype::Bf16,
        Some(other) => return Err(format!("--dtype is bf16 or f32, not {other}").into()),
    };
    let first_token = flags.contains_key("--first-token");
    let options = EngineOptions {
        dtype,
        quantize: flags.contains_key("--q8").then_some(Quantization::Q8),
        threads: number("--threads")?,
        device: match flags.get("--device") {
            Some(device) => device.parse()?,
            None => DeviceChoice::Cpu,
        },
        batch_size: number("--rows")?,
        ignore_eos: flags.contains_key("--ignore-eos"),
        ..EngineOptions::default()
    };
    let new_tokens = if first_token {
        1
    } else {
        number("--new-tokens")?.unwrap_or(128)
    };
    let file = flags
        .get("--prompts")
        .ok_or("--prompts FILE.json is missing")?;
    let prompts: Vec<Value> = serde_json::from_slice(&std::fs::read(file)?)?;
    let limit = if first_token {
        Some(1)
    } else {
        number("--limit")?
    };

    if first_token {
        for entry in std::fs::read_dir(&checkpoint)? {
            std::fs::read(entry?.path())?;
        }
    }
    let started = Instant::now();
    let mut model = LocalModel::load(CheckpointFiles::open(checkpoint.as_ref())?, &options)?;
    let loaded = started.elapsed().as_secs_f64();
    let ids = prompts
        .iter()
        .take(limit.unwrap_or(usize::MAX))
        .map(|prompt| match prompt {
            Value::String(text) => Ok(model.encode(text)?),
            ids => Ok(serde_json::from_value::<Vec<u32>>(ids.clone())?),
        });
    let ids = ids.collect::<Result<Vec<_>, Failure>>()?;
    let prompt_tokens: usize = ids.iter().map(Vec::len).sum();
    let mut completions = Vec::new();
    let mut timed = |new_tokens: usize| -> Result<(usize, f64), Failure> {
        let begun = if first_token { started } else { Instant::now() };
        completions = model.generate_ids(&ids, new_tokens)?;
        Ok((
            completions.iter().map(Vec::len).sum(),
            begun.elapsed().as_secs_f64(),
        ))
    };
    // A warm-up of two steps, as the peers have one: the weights are packed after the first. Then
    // how long it takes to read the prompts.
    let reading = match first_token {
        true => None,
        false => {
            timed(2)?;
            Some(timed(1)?.1)
        }
    };
    let (generated, seconds) = timed(new_tokens)?;
    let mut result = json!({
        "peer": "mwpbench", "workload": flags.get("--workload"), "dtype": model.dtype(), "rows": options.batch_size,
        "prompts": ids.len(), "prompt_tokens": prompt_tokens, "new_tokens": generated, "seconds": seconds,
        "tokens_per_s": generated as f64 / seconds, "load_seconds": loaded
    });
    if let (Some(1), Some(reading)) = (options.batch_size, reading) {
        result["decode_tokens_per_s"] = json!((generated - ids.len()) as f64 / (seconds - reading));
    }
    if let Some(file) = flags.get("--completions") {
        std::fs::write(file, serde_json::to_vec(&completions)?)?;
    }
    println!("{result}");
    Ok(())
}
