//! A trainer's folder, and what to type next.

use std::fmt::Write;

use ::mathscale::RecipeOutcome;

use crate::wording::counted;

/// Records and steps, the memory that they take, and the commands that follow.
pub fn recipe_text(outcome: &RecipeOutcome) -> String {
    let RecipeOutcome { batch, folder, .. } = outcome;
    let validation = match outcome.validation {
        0 => String::new(),
        records => format!(", {records} for validation"),
    };
    let mut text = format!(
        "{} in {folder}: {} for training{validation}; {} of {} records = {} at a time on {} × {}\n",
        outcome.trainer,
        counted(outcome.records as usize, "record"),
        counted(outcome.steps as usize, "step"),
        batch.total,
        batch.per_device,
        counted(batch.devices, "device"),
        batch.accumulation,
    );
    let _ = writeln!(text, "{}", memory_line(outcome));
    let commands = &outcome.commands;
    let _ = write!(
        text,
        "next:\n  bash {}\n  {}\n  {}\n  {}\n",
        quoted(&format!("{}/train.sh", folder.trim_end_matches('/'))),
        commands.eval_base,
        commands.eval,
        commands.gate
    );
    text
}

/// The estimate, and what to do where it does not fit.
fn memory_line(outcome: &RecipeOutcome) -> String {
    let gigabytes = |bytes: u64| format!("{:.1} GB", bytes as f64 / 1e9);
    let total = gigabytes(outcome.memory.total);
    let estimate =
        format!("memory of each device: {total}, an estimate (README.md has the formula)");
    let Some(given) = outcome.gpu_memory.map(gigabytes) else {
        return estimate;
    };
    if outcome.fits == Some(true) {
        return format!("{estimate}: fits {given}");
    }
    let gpus = outcome.fitting_gpus.map(|gpus| format!("--gpus {gpus}"));
    let lora = outcome.lora_fits.then(|| "--lora".to_string());
    let ways: Vec<String> = gpus.into_iter().chain(lora).collect();
    let ways = match ways.is_empty() {
        true => "a smaller --max-length, or a smaller model, takes less".to_string(),
        false => format!("{} would fit", ways.join(" or ")),
    };
    format!("{estimate}: does NOT fit {given}; {ways}")
}

/// A path as one word of a shell.
fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    match path.chars().all(is_plain) {
        true => path.to_string(),
        false => format!("'{}'", path.replace('\'', r"'\''")),
    }
}
