//! The program `mwpbench`, as what its binary and the command of the Python package run.
//!
//! Each subcommand has a file of its own that turns flags into a plan and makes one library call.

mod asking; // how a model is asked about items of a job
mod baseline; // mwpbench baseline
mod best; // the best of several runs
mod chat; // --prompt-template, --chat-template and what goes with them
mod checkpoint; // --model: a folder, a GGUF file, or the embedded demo checkpoint
mod compare; // mwpbench compare
mod count; // whole numbers from 1 on
mod data; // mwpbench data
mod data_folder; // --data: where problems come from
mod decoding; // --temperature and so on: the sampler
mod disagreements; // mwpbench disagreements
mod dry_run; // --dry-run: what a run would ask and cost
mod edited; // runs whose files do not agree with each other
mod endpoint; // --endpoint: a model behind a server
mod engine; // --batch-size, --dtype and so on: how a checkpoint is computed
mod eval; // mwpbench eval
mod examples; // an example for each page of help
mod exit; // errors → exit codes
mod export; // mwpbench export
mod few_shot; // --few-shot: examples before each question
mod gate; // mwpbench gate
mod generator; // what generates: --model and what goes with it
mod grading; // --profile: the scoring profile of the strict scorer
mod heading; // headings of --help
mod hub; // checkpoints by their names on the hub
mod import_run; // mwpbench import-run
mod inspect; // mwpbench inspect
mod interruption; // SIGINT and SIGTERM
mod leaderboard; // mwpbench leaderboard
mod mathscale; // mwpbench mathscale
mod merge; // mwpbench merge
mod min_usable; // --min-usable: how much of a stage must be usable
mod output_file; // reports, tables, pictures
mod place; // what a path that is no checkpoint may be
mod printed_name; // names that stand in tables
mod progress; // progress on stderr
mod read_run; // a run with everything that its folder holds
mod report; // mwpbench report
mod rules; // mwpbench rules check
mod score; // mwpbench score
mod serve; // mwpbench serve
mod shard; // --shard: one part of a run
mod show; // mwpbench show
mod stop; // --stop
mod suites; // --tasks with suites, those of mwpbench.toml too
mod sweep; // several --model, and patterns
mod system_prompt; // --system-prompt
mod tags; // --name and --tag
mod terminal; // results on stdout
mod way_out; // what a user can do about an error

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

/// Measures how well LLaMA, Mistral and Qwen checkpoints solve the mathematical word problems of
/// MwpBench (MathScale paper, arXiv:2403.02884).
#[derive(Parser)]
#[command(name = "mwpbench", version, after_help = exit::HELP, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Eval(Box<eval::Args>),
    Merge(merge::Args),
    Score(score::Args),
    Show(show::Args),
    Disagreements(disagreements::Args),
    Compare(compare::Args),
    Gate(gate::Args),
    #[command(subcommand)]
    Baseline(baseline::Command),
    Leaderboard(leaderboard::Args),
    Report(report::Args),
    Export(export::Args),
    ImportRun(import_run::Args),
    #[command(visible_alias = "model")]
    Inspect(inspect::Args),
    Serve(Box<serve::Args>),
    #[command(subcommand)]
    Data(data::Command),
    #[command(subcommand)]
    Rules(rules::Command),
    #[command(subcommand)]
    Mathscale(mathscale::Command),
}

/// The commands as they are parsed: each with its examples below its help, and with flags that take
/// numbers below zero as values, which are then refused by name and range; they would be unknown
/// flags otherwise.
fn completed(command: clap::Command, path: &str) -> clap::Command {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|inner| inner.get_name().to_string())
        .collect();
    let mut command = command.mut_args(|arg| match arg.get_action().takes_values() {
        true => arg.allow_negative_numbers(true),
        false => arg,
    });
    if path == "eval" {
        // What is watched names its models itself.
        command = command.mut_arg("model", |arg| {
            arg.required(false).required_unless_present("watch")
        });
    }
    if let Some(examples) = examples::examples(path) {
        let below = match command.get_after_help() {
            Some(text) => format!("{examples}\n\n{text}"),
            None => examples,
        };
        command = command.after_help(below);
    }
    names.into_iter().fold(command, |command, name| {
        let inner = format!("{path} {name}");
        command.mut_subcommand(name, |command| completed(command, inner.trim_start()))
    })
}

/// Ends the process where the arguments ask for help or are refused.
fn parsed(arguments: impl IntoIterator<Item = OsString>) -> Cli {
    let matches = completed(Cli::command(), "").get_matches_from(arguments);
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// Runs the program with its arguments, of which the first is its own name, and gives the exit code
/// that `--help` lists.
///
/// It takes the process as its own: help and refused arguments end it, and where there is a run that
/// can be stopped in order, signals are handled here.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let outcome = match parsed(arguments).command {
        Command::Eval(args) => eval::run(*args),
        Command::Merge(args) => merge::run(args),
        Command::Score(args) => score::run(args),
        Command::Show(args) => show::run(args),
        Command::Disagreements(args) => disagreements::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Gate(args) => gate::run(args),
        Command::Baseline(command) => baseline::run(command),
        Command::Leaderboard(args) => leaderboard::run(args),
        Command::Report(args) => report::run(args),
        Command::Export(args) => export::run(args),
        Command::ImportRun(args) => import_run::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Serve(args) => serve::run(*args),
        Command::Data(command) => data::run(command),
        Command::Rules(command) => rules::run(command),
        Command::Mathscale(command) => mathscale::run(command),
    };
    exit::report(outcome)
}
