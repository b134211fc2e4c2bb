//! `mwpbench data known-errors`: problems at hand that are known to have a fault.

use std::path::PathBuf;

use clap::ValueEnum;
use dataset_loader::{KnownError, KnownErrorKind};
use evaluation::{Protocol, Selection};

use crate::exit::Outcome;
use crate::{data_folder, heading, output_file, terminal};

/// List the problems at hand that are known to have a fault: a wrong reference, several readings,
/// a contradiction.
///
/// They stay in every run; `--ids FILE` writes their ids for `eval --exclude-ids`. Each has its
/// sources, and docs/grading.md says what was checked.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: data_folder::DataArgs,
    /// Sets or tasks, separated by commas; all there are without it.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…", help_heading = heading::DATA)]
    tasks: Option<Vec<String>>,
    /// Kinds of faults, separated by commas; without it all but those that we could not confirm.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "KIND,…",
        help_heading = heading::DATA
    )]
    kind: Option<Vec<Kind>>,
    /// Write the ids, one a line, for `eval --exclude-ids`.
    #[arg(long, value_name = "FILE", help_heading = heading::OUTPUT)]
    ids: Option<PathBuf>,
    #[command(flatten, next_help_heading = heading::OUTPUT)]
    replace: output_file::ReplaceArgs,
    /// Print the list as JSON instead of text.
    #[arg(long, help_heading = heading::OUTPUT)]
    json: bool,
}

/// What is wrong with a problem.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// the reference is not the answer
    WrongReference,
    /// the question has several readings with different answers
    Ambiguous,
    /// the question contradicts itself or the facts it needs
    Contradictory,
    /// a source leaves the problem out, and we found no fault
    Unconfirmed,
}

impl Kind {
    const CONFIRMED: [Self; 3] = [Self::WrongReference, Self::Ambiguous, Self::Contradictory];

    fn of(self) -> KnownErrorKind {
        match self {
            Self::WrongReference => KnownErrorKind::WrongReference,
            Self::Ambiguous => KnownErrorKind::Ambiguous,
            Self::Contradictory => KnownErrorKind::Contradictory,
            Self::Unconfirmed => KnownErrorKind::Unconfirmed,
        }
    }
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let benchmark = args.source.benchmark()?;
    let data = args.source.load(&benchmark)?;
    let selection = Selection {
        tasks: args.tasks.clone(),
        limit: None,
        protocol: Protocol::Full,
    };
    let problems = selection.apply(&benchmark, data.problems)?;
    let kinds = args.kind.as_deref().unwrap_or(&Kind::CONFIRMED);
    let is_wanted = |error: &KnownError| kinds.iter().any(|kind| kind.of() == error.kind);
    let mut errors = dataset_loader::known_errors(&problems);
    errors.retain(is_wanted);
    if let Some(file) = &args.ids {
        if errors.is_empty() {
            anyhow::bail!("no problem at hand is on the list, so that no ids are written");
        }
        let ids: String = errors
            .iter()
            .map(|error| format!("{}\n", error.id))
            .collect();
        args.replace.write(file, ids.as_bytes())?;
    }
    if args.json {
        terminal::print_json(&errors)?;
    } else {
        terminal::print(&reporting::known_errors_text(&errors))?;
    }
    Ok(Outcome::Done)
}
