//! Results on stdout, and what the terminal can render.

use std::io::{IsTerminal, Write, stdout};

use crate::heading;

/// Columns of the terminal that results go to; `None` where they go elsewhere.
pub fn width() -> Option<u16> {
    terminal_size::terminal_size_of(stdout()).map(|(width, _)| width.0)
}

/// Whether results may be styled: on a terminal, and not under `NO_COLOR`.
pub fn styled() -> bool {
    stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Writes results to stdout, lines that are wider than the terminal broken between words.
pub fn print(text: &str) -> anyhow::Result<()> {
    match width() {
        Some(width) => print_as_it_is(&reporting::broken_lines(text, usize::from(width))),
        None => print_as_it_is(text),
    }
}

/// Writes what a model or a data set says to stdout, or what a program reads.
pub fn print_as_it_is(text: &str) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// How a command prints its result.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = heading::OUTPUT)]
pub struct PrintArgs {
    /// Print JSON instead of text.
    #[arg(long)]
    pub json: bool,
    /// Print nothing but errors.
    #[arg(long, short)]
    pub quiet: bool,
}

impl PrintArgs {
    /// Writes a result to stdout: nothing, one JSON object, or the text.
    pub fn print(
        self,
        value: &impl serde::Serialize,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        match (self.quiet, self.json) {
            (true, _) => Ok(()),
            (false, true) => print_json(value),
            (false, false) => print(&text()),
        }
    }
}

/// Writes a value to stdout as one JSON object.
pub fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    print_as_it_is(&format!("{}\n", serde_json::to_string_pretty(value)?))
}
