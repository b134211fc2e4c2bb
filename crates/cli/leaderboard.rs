//! `mwpbench leaderboard`: models × sets.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ValueEnum;
use dataset_loader::Benchmark;
use reporting::{Entry, Leaderboard, LeaderboardFormat, LeaderboardPlan, Scorers, Subjects};

use crate::exit::Outcome;
use crate::screen;

/// Line up finished runs: accuracy of each model on each set, micro and macro average, beside the
/// paper's figures.
///
/// Rows that cannot be compared carry notes that say why; runs on the program's samples stand
/// apart.
#[derive(clap::Args)]
pub struct Args {
    /// Folders of finished runs.
    #[arg(value_name = "RUN", required_unless_present = "with_paper")]
    runs: Vec<PathBuf>,
    /// Whose verdicts count; the paper's figures are the official scorer's.
    #[arg(long, value_enum, default_value_t = ScorerName::Official)]
    scorer: ScorerName,
    /// Sort by this column: a set, a task with --subjects, micro, macro or model [default: micro;
    /// with --subjects the whole set].
    #[arg(long, value_name = "COLUMN")]
    sort: Option<String>,
    /// The smallest figure first; rows without one come last either way.
    #[arg(long)]
    ascending: bool,
    /// Add the 18 rows of the MathScale paper (arXiv:2403.02884, tables 5, 8, 9 and 10).
    #[arg(long)]
    with_paper: bool,
    /// Show 95 % intervals.
    #[arg(long)]
    intervals: bool,
    /// Show the subjects of one set in place of the sets, as in tables 9 and 10 of the paper.
    #[arg(long, value_enum, value_name = "SET")]
    subjects: Option<SubjectsName>,
    /// Show Fresh-GaokaoMath-2023 even where no run asked it; it is in no average.
    #[arg(long, conflicts_with = "subjects")]
    include_fresh_gaokao: bool,
    /// How the leaderboard is written.
    #[arg(long, value_enum, default_value_t = FormatName::Terminal)]
    format: FormatName,
    /// Short for --format json.
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Write the model-index block of a Hugging Face model card (YAML) in place of the table.
    #[arg(long, conflicts_with_all = ["format", "json", "with_paper", "subjects"], requires = "runs")]
    model_index: bool,
    /// Also draw bars of every figure into this SVG file.
    #[arg(long, value_name = "FILE.svg")]
    chart: Option<PathBuf>,
    /// Also draw accuracy against training size into this SVG file, from runs with a tag such as
    /// train_size=25000.
    #[arg(long, value_name = "FILE.svg", requires = "runs")]
    scaling: Option<PathBuf>,
    /// Write the leaderboard to this file in place of the screen.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ScorerName {
    Official,
    Strict,
    Both,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
enum SubjectsName {
    Math,
    CollegeMath,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatName {
    Terminal,
    Markdown,
    Latex,
    Csv,
    Json,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let benchmark = Benchmark::published();
    let entries = Entry::read_all(&benchmark, &args.runs)?;
    let board = Leaderboard::new(&benchmark, entries, args.plan())?;
    let text = match args.model_index {
        true => board.model_index(&benchmark),
        false => board.text(args.format()),
    };
    // Everything is drawn before anything is written: what fails leaves nothing behind.
    let scaling = args
        .scaling
        .as_ref()
        .map(|_| board.scaling_curve())
        .transpose()?;
    for (file, content) in [
        (
            args.output.as_ref(),
            args.output.is_some().then_some(text.clone()),
        ),
        (
            args.chart.as_ref(),
            args.chart.is_some().then(|| board.bar_chart()),
        ),
        (args.scaling.as_ref(), scaling),
    ] {
        if let (Some(file), Some(content)) = (file, content) {
            write(file, &content)?;
        }
    }
    if args.output.is_none() {
        screen::print(&text)?;
    }
    Ok(Outcome::Done)
}

fn write(file: &Path, content: &str) -> anyhow::Result<()> {
    std::fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))
}

impl Args {
    fn plan(&self) -> LeaderboardPlan {
        LeaderboardPlan {
            scorers: match self.scorer {
                ScorerName::Official => Scorers::Official,
                ScorerName::Strict => Scorers::Strict,
                ScorerName::Both => Scorers::Both,
            },
            sort: self.sort.clone(),
            ascending: self.ascending,
            with_paper: self.with_paper,
            intervals: self.intervals,
            subjects: self.subjects.map(|subjects| match subjects {
                SubjectsName::Math => Subjects::Math,
                SubjectsName::CollegeMath => Subjects::CollegeMath,
            }),
            include_fresh_gaokao: self.include_fresh_gaokao,
        }
    }

    /// The terminal's width and bold letters only where there is one.
    fn format(&self) -> LeaderboardFormat {
        let format = if self.json {
            FormatName::Json
        } else {
            self.format
        };
        match (format, &self.output) {
            (FormatName::Terminal, None) => LeaderboardFormat::Terminal {
                width: screen::width(),
                styled: screen::styled(),
            },
            (FormatName::Terminal, Some(_)) => LeaderboardFormat::Terminal {
                width: None,
                styled: false,
            },
            (FormatName::Markdown, _) => LeaderboardFormat::Markdown,
            (FormatName::Latex, _) => LeaderboardFormat::Latex,
            (FormatName::Csv, _) => LeaderboardFormat::Csv,
            (FormatName::Json, _) => LeaderboardFormat::Json,
        }
    }
}
