//! `--dry-run`: what a run would ask, and how long it would take, from some seconds of it.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use bytesize::ByteSize;
use dataset_loader::{Benchmark, grouped};
use evaluation::{Grader, Progress, RunFolder, RunPlan};
use fault::{Class, Fault};
use generation::{Generator, Prompt};
use jobs::{Forecast, Speeds};
use reporting::counted;
use serde::Serialize;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

use crate::progress::{MEASURED, clock, estimated_time, measured_speeds};
use crate::{interruption, terminal};

/// Where nothing has ended by then, how long is waited for the first completion.
const MAX_MEASURED: Duration = Duration::from_secs(60);

/// What a run would ask and cost.
#[derive(Serialize)]
struct Outlook {
    problems: usize,
    completions: usize,
    /// Of an earlier start, in the run folder.
    finished_before: usize,
    /// `None` where only a server knows.
    prompt_tokens: Option<usize>,
    longest_prompt_tokens: Option<usize>,
    max_new_tokens: usize,
    measured_s: f64,
    prefill_tokens_per_s: f64,
    decode_tokens_per_s: f64,
    mean_completion_tokens: Option<f64>,
    /// For what is not finished; `None` where no completion ended while it was measured.
    estimated_s: Option<f64>,
    /// Of this process while it was measured.
    memory_bytes: Option<u64>,
    /// Keys and values of the longest prompt with a completion as long as it may be; `None` where a
    /// server has them.
    kv_bytes_per_sequence: Option<usize>,
    /// What those of all sequences may take together, on each device.
    kv_bytes_limit: Option<usize>,
    /// Whether the whole run was over before the time for measuring was.
    measured_whole: bool,
}

/// Measures some seconds of the run in a folder of its own, and prints what the whole would cost.
pub fn dry_run(
    benchmark: &Benchmark,
    grader: &Grader,
    plan: &RunPlan,
    generator: &mut dyn Generator,
    folder: &Path,
    json: bool,
) -> anyhow::Result<()> {
    let own = plan.own();
    let samples = plan.decoding.samples() as usize;
    let all = plan.prompts()?.into_iter().enumerate();
    let prompts: Vec<Prompt> = all
        .filter_map(|(index, prompt)| own[index / samples].then_some(prompt))
        .collect();
    let ids = generator.token_ids(&prompts)?;
    let lengths = ids.map(|ids| ids.iter().map(Vec::len).collect::<Vec<usize>>());
    let finished_before = RunFolder::open(folder)
        .and_then(|run| run.completions())
        .map_or(0, |completions| completions.len());
    let scratch = tempfile::tempdir()?;
    // Before the run takes any of what is free.
    let longest = lengths.iter().flatten().max();
    let kv_memory =
        longest.and_then(|tokens| generator.kv_memory(tokens + plan.decoding.max_tokens));
    let started = Instant::now();
    let mut working: Option<Instant> = None;
    let mut forecast = Forecast::new(plan.decoding.max_tokens);
    let mut last = Progress::default();
    let run = evaluation::run(
        benchmark,
        grader,
        plan,
        generator,
        scratch.path(),
        &mut |progress| {
            let began = *working.get_or_insert_with(Instant::now);
            forecast.observe(began.elapsed(), progress);
            last = *progress;
            let enough = match last.completions {
                0 => MAX_MEASURED,
                _ => MEASURED,
            };
            match began.elapsed() < enough {
                true => interruption::may_go_on(),
                false => ControlFlow::Break(()),
            }
        },
    );
    match run {
        Ok(_) => {}
        // Broken off by the clock, and not by a signal.
        Err(error)
            if error.class() == Class::Interrupted && interruption::may_go_on().is_continue() => {}
        Err(error) => return Err(error.into()),
    }
    let measured = working.unwrap_or(started).elapsed();
    let open = prompts.len().saturating_sub(finished_before);
    let speeds = forecast.speeds();
    let left = match last.open() {
        0 => Some(measured),
        _ => forecast.left().map(|left| left + measured),
    };
    let share = open as f64 / prompts.len().max(1) as f64;
    // Work that is over at once has no speed of late.
    let rate = |lately: f64, tokens: usize| match lately < 0.5 {
        true => tokens as f64 / measured.as_secs_f64().max(1e-3),
        false => lately,
    };
    let new_tokens = last.completion_tokens.max(last.finished_tokens);
    let mean = |tokens: usize| tokens as f64 / last.completions as f64;
    let outlook = Outlook {
        problems: own.iter().filter(|own| **own).count(),
        completions: prompts.len(),
        finished_before,
        prompt_tokens: lengths.as_ref().map(|lengths| lengths.iter().sum()),
        longest_prompt_tokens: lengths.and_then(|lengths| lengths.into_iter().max()),
        max_new_tokens: plan.decoding.max_tokens,
        measured_s: measured.as_secs_f64(),
        prefill_tokens_per_s: rate(speeds.prompts, last.prompt_tokens),
        decode_tokens_per_s: rate(speeds.decode, new_tokens),
        mean_completion_tokens: (last.completions > 0).then(|| mean(last.finished_tokens)),
        estimated_s: left.map(|left| left.as_secs_f64() * share),
        memory_bytes: resident_memory(),
        kv_bytes_per_sequence: kv_memory.map(|memory| memory.per_sequence),
        kv_bytes_limit: kv_memory.map(|memory| memory.limit),
        measured_whole: last.open() == 0,
    };
    match json {
        true => terminal::print_json(&outlook),
        false => terminal::print(&outlook.text()),
    }
}

/// Memory of this process.
fn resident_memory() -> Option<u64> {
    let own = sysinfo::get_current_pid().ok()?;
    let mut system = System::new().ok()?;
    let kind = ProcessRefreshKind::nothing().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), false, kind);
    Some(system.process(own)?.memory()).filter(|&bytes| bytes > 0)
}

impl Outlook {
    fn text(&self) -> String {
        let mut text = format!(
            "{}, {}",
            counted(self.problems, "problem"),
            counted(self.completions, "completion")
        );
        if self.finished_before > 0 {
            text += &format!(
                ", {} of them finished before",
                grouped(self.finished_before)
            );
        }
        if let (Some(all), Some(longest)) = (self.prompt_tokens, self.longest_prompt_tokens) {
            text += &format!(
                "\nprompts: {} tokens, the longest {}; at most {} new tokens each",
                grouped(all),
                grouped(longest),
                grouped(self.max_new_tokens)
            );
        }
        if let Some(bytes) = self.memory_bytes {
            text += &format!("\nmemory: {}", ByteSize::b(bytes));
        }
        if let (Some(one), Some(limit)) = (self.kv_bytes_per_sequence, self.kv_bytes_limit) {
            text += &format!(
                "\nKV cache: {} for the longest prompt and completion, at most {} for all that run",
                ByteSize::b(one as u64),
                ByteSize::b(limit as u64)
            );
        }
        let speeds = Speeds {
            prompts: self.prefill_tokens_per_s,
            decode: self.decode_tokens_per_s,
        };
        let measured = Duration::from_secs_f64(self.measured_s);
        text += &format!("\n{}", measured_speeds(measured, speeds));
        if let Some(mean) = self.mean_completion_tokens {
            text += &format!(", {mean:.0} tokens a completion");
        }
        text += &match self.estimated_s {
            Some(seconds) => {
                let time = Duration::from_secs_f64(seconds);
                match self.measured_whole {
                    true => format!("\nestimated time: {}\n", clock(time)),
                    false => format!("\n{}\n", estimated_time(time)),
                }
            }
            None => "\nno completion ended while it was measured: no estimate\n".to_string(),
        };
        text
    }
}
