//! Why no leaderboard can be made.

use std::path::PathBuf;

use fault::{Class, Fault};

/// Why no leaderboard can be made of the runs that were named.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LeaderboardError {
    /// A folder that holds no whole run.
    #[error("{0}")]
    Run(#[source] evaluation::Error),
    /// A run with all its completions that was not judged.
    #[error("the run in {folder} has all its completions but no summary.json: judge it with `mwpbench score {folder}`", folder = .0.display())]
    NotJudged(PathBuf),
    /// Figures that cannot be.
    #[error("{}: {message} (write it anew with `mwpbench score {}`)", folder.join("summary.json").display(), folder.display())]
    Figures {
        /// The run's folder.
        folder: PathBuf,
        /// What is wrong, and in which field.
        message: String,
    },
    /// Files of two runs in one folder.
    #[error(
        "{folder}: summary.json and run.json are not of one run: {field} is {summary} in the one and {manifest} in the other \
         (write the summary anew with `mwpbench score {folder}`)",
        folder = folder.display()
    )]
    Mismatch {
        /// The run's folder.
        folder: PathBuf,
        /// What differs.
        field: &'static str,
        /// What the summary says.
        summary: String,
        /// What the manifest says.
        manifest: String,
    },
    /// One folder under two names.
    #[error("{} and {} are the same run: name it once", first.display(), second.display())]
    Twice {
        /// As named first.
        first: PathBuf,
        /// As named again.
        second: PathBuf,
    },
    /// No run among the rows that wrote anything.
    #[error("no run that is shown has a figure in this column and completions with tokens")]
    NoTokens,
    /// Neither runs nor the paper's figures.
    #[error("there is nothing to show: name folders of runs, or give --with-paper")]
    Nothing,
    /// A column that is not there.
    #[error("there is no column \"{name}\"; there are {known}")]
    UnknownColumn {
        /// As given.
        name: String,
        /// Those there are.
        known: String,
    },
    /// A part of a name that no row has.
    #[error("no row's name holds \"{part}\"; there are {known}")]
    UnknownRow {
        /// As given.
        part: String,
        /// The names that there are.
        known: String,
    },
    /// A tag that is no number of training examples.
    #[error(
        "{}: the tag train_size is \"{value}\", expected a number of training examples such as 25000, 25k or 2M \
         (correct it by the run's command with --tag train_size=N)",
        folder.display()
    )]
    TrainSize {
        /// The run's folder.
        folder: PathBuf,
        /// The tag's value.
        value: String,
    },
    /// Too few sizes for a curve.
    #[error(
        "a scaling curve needs runs of at least two training sizes, and there are {sizes}: tag runs with --tag train_size=N \
         (the same `mwpbench eval` command with it tags a finished run)"
    )]
    TooFewSizes {
        /// Distinct sizes.
        sizes: usize,
    },
    /// Too few steps for a curve.
    #[error(
        "a training curve needs runs of at least two training steps, and there are {steps}: steps are read from \
         trainer_state.json beside a checkpoint, from names such as checkpoint-500, or from the tag step (--tag step=N)"
    )]
    TooFewSteps {
        /// Distinct steps.
        steps: usize,
    },
}

impl Fault for LeaderboardError {
    fn class(&self) -> Class {
        match self {
            Self::Run(error) => error.class(),
            Self::NotJudged(_) => Class::Incomplete,
            Self::Figures { .. } | Self::Mismatch { .. } => Class::Integrity,
            Self::Twice { .. }
            | Self::Nothing
            | Self::NoTokens
            | Self::UnknownColumn { .. }
            | Self::UnknownRow { .. }
            | Self::TrainSize { .. }
            | Self::TooFewSizes { .. }
            | Self::TooFewSteps { .. } => Class::Usage,
        }
    }
}
