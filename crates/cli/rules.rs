//! `mwpbench rules`: do the rules do what their cases say?

use clap::Subcommand;
use dataset_loader::Benchmark;

use crate::exit::Outcome;
use crate::{grading, terminal};

/// Check the scorers' rules against their cases.
#[derive(Subcommand)]
pub enum Command {
    /// Run every case of every rule file and count, for each rule, the cases where it fires and
    /// where it stays silent.
    Check(CheckArgs),
}

#[derive(clap::Args)]
pub struct CheckArgs {
    /// Run the cases of this scoring profile instead of those that come with the program.
    #[arg(long, value_name = "NAME|FILE")]
    profile: Option<String>,
    /// List every rule with its counts, not only the files.
    #[arg(long)]
    rules: bool,
    #[command(flatten)]
    printing: terminal::PrintArgs,
}

pub fn run(command: Command) -> anyhow::Result<Outcome> {
    let Command::Check(args) = command;
    let report = match &args.profile {
        None => evaluation::cases::check(),
        Some(name) => {
            let grader = grading::grader(&Benchmark::published(), Some(name))?;
            evaluation::cases::check_profile(grader.profile(""))
        }
    };
    args.printing.print(&report, || {
        reporting::cases_text(&report, args.rules, terminal::width())
    })?;
    Ok(if report.holds() {
        Outcome::Done
    } else {
        Outcome::CheckFailed
    })
}
