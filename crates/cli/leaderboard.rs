//! `mwpbench leaderboard`: models × sets.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ValueEnum;
use dataset_loader::Benchmark;
use evaluation::{Scorer, Suite};
use reporting::{Entry, Leaderboard, LeaderboardFormat, LeaderboardPlan, Scorers, Subjects};

use crate::exit::Outcome;
use crate::printed_name::printed_name;
use crate::suites::suites;
use crate::{best, edited, heading, output_file, terminal};

/// Line up finished runs: accuracy of each model on each set, micro and macro average, beside the
/// paper's figures.
///
/// Rows that cannot be compared carry notes that say why; runs on the bundled problems stand
/// apart.
#[derive(clap::Args)]
pub struct Args {
    /// Folders of finished runs, or folders that hold some, of which each finished one is taken.
    #[arg(value_name = "RUN", required_unless_present = "with_paper")]
    runs: Vec<PathBuf>,
    /// Add the 18 rows of the MathScale paper (arXiv:2403.02884, tables 5, 8, 9 and 10).
    #[arg(long, help_heading = heading::DATA)]
    with_paper: bool,
    /// Columns for the subjects of one set in place of the sets, as in tables 9 and 10 of the paper.
    #[arg(long, value_enum, value_name = "SET", help_heading = heading::DATA)]
    subjects: Option<SubjectsName>,
    /// Columns for the sets of a suite and their averages: reasoning, all, or one under [suites] in
    /// mwpbench.toml.
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with_all = ["subjects", "with_paper"],
        help_heading = heading::DATA
    )]
    suite: Option<String>,
    /// A column for Fresh-GaokaoMath-2023 even where no run has it; it is in no average.
    #[arg(long, conflicts_with = "subjects", help_heading = heading::DATA)]
    include_fresh_gaokao: bool,
    /// Scorer whose verdicts count; the paper's figures are the official one's.
    #[arg(
        long,
        value_enum,
        default_value_t = ScorerName::Official,
        help_heading = heading::SCORING
    )]
    scorer: ScorerName,
    /// 95 % intervals beside accuracies, also in charts.
    #[arg(long, help_heading = heading::SCORING)]
    intervals: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// The order of the rows, and what is written where.
#[derive(clap::Args)]
#[command(next_help_heading = heading::OUTPUT)]
struct OutputArgs {
    /// Sort by this column: a set, a task with --subjects, micro, macro or model; without it by
    /// micro, or with --subjects by the whole set.
    #[arg(long, value_name = "COLUMN")]
    sort: Option<String>,
    /// The smallest figure first; rows without one come last either way.
    #[arg(long)]
    ascending: bool,
    /// Title in place of one that says what is shown.
    #[arg(long, value_name = "TEXT", value_parser = printed_name)]
    title: Option<String>,
    /// Columns, in this order: sets, tasks with --subjects, micro, macro; all without it.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    columns: Option<Vec<String>>,
    /// Rows of models whose names hold one of these parts, in any case, the paper's rows too; all
    /// without it.
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "PART,…",
        value_parser = clap::builder::NonEmptyStringValueParser::new()
    )]
    rows: Option<Vec<String>>,
    /// Format of the leaderboard.
    #[arg(long, value_enum, default_value_t = FormatName::Terminal)]
    format: FormatName,
    /// Short for --format json.
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Write the model-index block of a Hugging Face model card (YAML) in place of the table.
    #[arg(
        long,
        conflicts_with_all = ["format", "json", "with_paper", "subjects"],
        requires = "runs"
    )]
    model_index: bool,
    /// Where the evaluation can be looked at, for the model card.
    #[arg(long, value_name = "URL", requires = "model_index")]
    source_url: Option<String>,
    /// Also draw every figure into this file, SVG or, where it ends in .png, PNG with three pixels
    /// for each unit: bars of up to eight rows, dots of more; --columns and --rows choose them.
    #[arg(long, value_name = "FILE.svg|FILE.png")]
    chart: Option<PathBuf>,
    /// Also draw accuracy against training size into this SVG or PNG file, from runs with a tag such
    /// as train_size=25000.
    #[arg(long, value_name = "FILE.svg|FILE.png", requires = "runs")]
    scaling: Option<PathBuf>,
    /// Also draw accuracy over training steps into this SVG file, averages with their intervals, from
    /// the runs of a trainer's checkpoints: their steps are in trainer_state.json, in names such as
    /// checkpoint-500 or in a tag such as step=500.
    #[arg(long, value_name = "FILE.svg", requires = "runs")]
    training_curve: Option<PathBuf>,
    /// Below the table, the best run, and beside it the others by paired comparison: worse, or
    /// cannot tell.
    #[arg(long, requires = "runs", conflicts_with_all = ["format", "json", "model_index"])]
    best: bool,
    /// Below the table, accuracy against mean tokens of a completion, thinking and answer apart: of
    /// the column that --sort names.
    #[arg(long, requires = "runs", conflicts_with_all = ["format", "json", "model_index"])]
    tokens: bool,
    /// Also draw accuracy against mean tokens of a completion into this SVG or PNG file.
    #[arg(long, value_name = "FILE.svg|FILE.png", requires = "runs")]
    tokens_chart: Option<PathBuf>,
    /// Write the leaderboard to this file in place of the screen.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    replace: output_file::ReplaceArgs,
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
    LatexSiunitx,
    Csv,
    Json,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let benchmark = Benchmark::published();
    let runs = each_run(&args.runs)?;
    let entries = Entry::read_all(&benchmark, &runs)?;
    runs.iter().for_each(|run| edited::warn(run));
    let board = Leaderboard::new(&benchmark, entries, args.plan(&benchmark)?)?;
    let OutputArgs {
        chart,
        scaling,
        training_curve,
        tokens_chart,
        output,
        ..
    } = &args.output;
    let text = match args.output.model_index {
        true => board.model_index(&benchmark),
        false => board.text(args.output.format()),
    };
    let text = match args.output.tokens {
        true => {
            let width = output.is_none().then(terminal::width).flatten();
            format!("{text}\n{}", board.tokens_text(width)?)
        }
        false => text,
    };
    // Everything is drawn before anything is written: what fails leaves nothing behind.
    let drawn = [
        (output, output.is_some().then(|| text.clone())),
        (chart, chart.is_some().then(|| board.accuracy_chart())),
        (
            scaling,
            scaling
                .is_some()
                .then(|| board.scaling_curve())
                .transpose()?,
        ),
        (
            training_curve,
            training_curve
                .is_some()
                .then(|| board.training_curve())
                .transpose()?,
        ),
        (
            tokens_chart,
            tokens_chart
                .is_some()
                .then(|| board.tokens_chart())
                .transpose()?,
        ),
    ];
    let drawn = drawn
        .into_iter()
        .filter_map(|(file, content)| Some((file.as_ref()?, content?)));
    let drawn: Vec<(&PathBuf, Vec<u8>)> = drawn
        .map(|(file, content)| Ok((file, content_of(file, content)?)))
        .collect::<anyhow::Result<_>>()?;
    // Nothing is written unless all of it may be.
    for (file, content) in &drawn {
        args.output.replace.check(file, content)?;
    }
    for (file, content) in &drawn {
        output_file::write(file, content)?;
    }
    if output.is_none() {
        match args.output.is_table() {
            true => terminal::print(&text)?,
            false => terminal::print_as_it_is(&text)?,
        }
    }
    if args.output.best {
        let scorer = match args.scorer {
            ScorerName::Strict => Scorer::Strict,
            ScorerName::Official | ScorerName::Both => Scorer::Official,
        };
        best::print(&runs, scorer, false)?;
    }
    Ok(Outcome::Done)
}

/// Prints the table of some finished runs, by the official scorer.
pub fn print_runs(runs: &[PathBuf]) -> anyhow::Result<()> {
    let benchmark = Benchmark::published();
    let entries = Entry::read_all(&benchmark, runs)?;
    let board = Leaderboard::new(&benchmark, entries, LeaderboardPlan::default())?;
    let format = LeaderboardFormat::Terminal {
        width: terminal::width(),
        styled: terminal::styled(),
    };
    terminal::print(&board.text(format))
}

/// What a file of this name holds: an SVG picture as pixels where the name ends in .png.
fn content_of(file: &Path, content: String) -> anyhow::Result<Vec<u8>> {
    /// A picture as wide as a column of a paper has about 300 pixels an inch.
    const PIXELS: u8 = 3;
    let ending = file.extension().unwrap_or_default().to_string_lossy();
    match ending.eq_ignore_ascii_case("png") && content.starts_with("<svg ") {
        true => Ok(reporting::png(&content, PIXELS)?),
        false => Ok(content.into_bytes()),
    }
}

/// The runs that are named, in place of a folder of runs the finished ones in it.
fn each_run(named: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut runs = Vec::new();
    for folder in named {
        let inner = match is_run(folder) || !folder.is_dir() {
            true => Vec::new(),
            false => runs_in(folder)?,
        };
        match inner.is_empty() {
            true => runs.push(folder.clone()),
            false => runs.extend(inner),
        }
    }
    Ok(runs)
}

fn is_run(folder: &Path) -> bool {
    folder.join("run.json").exists()
}

fn runs_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut runs = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if is_run(&path) {
            match path.join("summary.json").exists() {
                true => runs.push(path),
                false => eprintln!("warning: {} is not finished, left out", path.display()),
            }
        }
    }
    runs.sort();
    Ok(runs)
}

impl Args {
    fn plan(&self, benchmark: &Benchmark) -> anyhow::Result<LeaderboardPlan> {
        Ok(LeaderboardPlan {
            suite: self.suite(benchmark)?,
            scorers: match self.scorer {
                ScorerName::Official => Scorers::Official,
                ScorerName::Strict => Scorers::Strict,
                ScorerName::Both => Scorers::Both,
            },
            sort: self.output.sort.clone(),
            ascending: self.output.ascending,
            with_paper: self.with_paper,
            intervals: self.intervals,
            subjects: self.subjects.map(|subjects| match subjects {
                SubjectsName::Math => Subjects::Math,
                SubjectsName::CollegeMath => Subjects::CollegeMath,
            }),
            include_fresh_gaokao: self.include_fresh_gaokao,
            source_url: self.output.source_url.clone(),
            title: self.output.title.clone(),
            columns: self.output.columns.clone(),
            rows: self.output.rows.clone(),
        })
    }

    fn suite(&self, benchmark: &Benchmark) -> anyhow::Result<Option<Suite>> {
        let Some(name) = &self.suite else {
            return Ok(None);
        };
        let suites = suites(benchmark)?;
        match suites.named(name) {
            Some(suite) => Ok(Some(suite.clone())),
            None => anyhow::bail!(
                "no suite is called \"{name}\" (there are {})",
                suites.names().collect::<Vec<_>>().join(", ")
            ),
        }
    }
}

impl OutputArgs {
    /// Whether what is printed is the table for people.
    fn is_table(&self) -> bool {
        !self.json && !self.model_index && self.format == FormatName::Terminal
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
                width: terminal::width(),
                styled: terminal::styled(),
            },
            (FormatName::Terminal, Some(_)) => LeaderboardFormat::Terminal {
                width: None,
                styled: false,
            },
            (FormatName::Markdown, _) => LeaderboardFormat::Markdown,
            (FormatName::Latex, _) => LeaderboardFormat::Latex,
            (FormatName::LatexSiunitx, _) => LeaderboardFormat::LatexSiunitx,
            (FormatName::Csv, _) => LeaderboardFormat::Csv,
            (FormatName::Json, _) => LeaderboardFormat::Json,
        }
    }
}
