//! `mwpbench data overlap`: which test items occur in training files.

use std::path::PathBuf;

use dataset_loader::DataOrigin;
use evaluation::{Protocol, Selection};
use overlap::{Index, OverlapOptions, ScanProgress, TestItem};
use reporting::{OverlapLayout, counted};

use crate::exit::Outcome;
use crate::progress::Meter;
use crate::{data_folder, heading, output_file, terminal};

/// Find test items in training files (contamination): the same text, common n-grams,
/// near-duplicates.
///
/// Training files are JSON Lines, JSON arrays, parquet or plain text: Alpaca, chat (messages,
/// conversations), prompt/completion, question/answer, problem/solution or text. docs/overlap.md
/// says how texts are compared.
#[derive(clap::Args)]
pub struct Args {
    /// Training files to search.
    #[arg(
        long,
        required = true,
        num_args = 1..,
        value_name = "FILE",
        help_heading = heading::DATA
    )]
    train: Vec<PathBuf>,
    /// Field that holds the question, such as `question` or `data.prompt`; recognised from the keys
    /// without it.
    #[arg(long, value_name = "NAME", help_heading = heading::DATA)]
    field: Option<String>,
    #[command(flatten)]
    source: data_folder::DataArgs,
    /// Sets or tasks to look for, separated by commas; all there are without it.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…", help_heading = heading::DATA)]
    tasks: Option<Vec<String>>,
    /// Words of an n-gram: fewer find more.
    #[arg(
        long,
        default_value_t = OverlapOptions::default().ngram,
        value_name = "N",
        help_heading = heading::SCORING
    )]
    ngram: usize,
    /// Minimum Jaccard index of near-duplicates, from 0.5 to 1.
    #[arg(
        long,
        default_value_t = OverlapOptions::default().min_jaccard,
        value_name = "INDEX",
        help_heading = heading::SCORING
    )]
    min_jaccard: f64,
    /// Share of an item's n-grams in one training question from which it counts as contaminated,
    /// from 0 to 1.
    #[arg(
        long,
        default_value_t = OverlapOptions::default().min_share,
        value_name = "SHARE",
        help_heading = heading::SCORING
    )]
    share: f64,
    #[command(flatten)]
    output: OutputArgs,
}

/// What is written where, and what is printed.
#[derive(clap::Args)]
#[command(next_help_heading = heading::OUTPUT)]
struct OutputArgs {
    /// Write the whole report as JSON.
    #[arg(long, value_name = "FILE.json")]
    report: Option<PathBuf>,
    /// Write the ids of contaminated items, one a line, for `eval --exclude-ids`.
    #[arg(long, value_name = "FILE")]
    ids: Option<PathBuf>,
    #[command(flatten)]
    replace: output_file::ReplaceArgs,
    /// Examples printed of each set.
    #[arg(long, default_value_t = 3, value_name = "N")]
    examples: usize,
    /// Print the report as JSON instead of the table.
    #[arg(long)]
    json: bool,
    /// No progress on stderr.
    #[arg(long, short)]
    quiet: bool,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let benchmark = args.source.benchmark()?;
    let data = args.source.load_test_sets(&benchmark)?;
    let bundled = data.origin == DataOrigin::Bundled;
    let selection = Selection {
        tasks: args.tasks.clone(),
        limit: None,
        protocol: Protocol::Full,
    };
    let problems = selection.apply(&benchmark, data.problems)?;
    let item = |problem: dataset_loader::Problem| TestItem {
        id: problem.id,
        set: problem.set,
        text: problem.question,
    };
    let options = OverlapOptions {
        ngram: args.ngram,
        min_jaccard: args.min_jaccard,
        min_share: args.share,
    };
    let index = Index::new(problems.into_iter().map(item).collect(), options)?;
    let mut meter = Meter::new(args.output.quiet);
    let template = "{bar:30} {bytes}/{total_bytes}, {msg}, {eta} left";
    meter.begin(template, 0, Some(0));
    let report = overlap::scan(
        &index,
        &args.train,
        args.field.as_deref(),
        &mut |progress| draw(&mut meter, &progress),
    )?;
    meter.clear();
    let OutputArgs { replace, .. } = &args.output;
    let printed = Printed {
        bundled,
        report: &report,
    };
    if let Some(file) = &args.output.report {
        let text = format!("{}\n", serde_json::to_string_pretty(&printed)?);
        replace.write(file, text.as_bytes())?;
    }
    if let Some(file) = &args.output.ids {
        replace.write(file, report.ids().as_bytes())?;
    }
    if args.output.json {
        terminal::print_json(&printed)?;
    } else {
        if bundled {
            terminal::print("The bundled problems, which are not the benchmark:\n\n")?;
        }
        let layout = OverlapLayout {
            width: terminal::width(),
            examples: args.output.examples,
        };
        terminal::print(&reporting::overlap_text(&benchmark, &report, layout))?;
    }
    Ok(Outcome::Done)
}

/// The report as JSON.
#[derive(serde::Serialize)]
struct Printed<'a> {
    /// Whether it is about the bundled problems, which are not the benchmark.
    bundled: bool,
    #[serde(flatten)]
    report: &'a overlap::OverlapReport,
}

/// Draws the bytes that were searched, with the number of records.
fn draw(meter: &mut Meter, progress: &ScanProgress) {
    meter.advance(progress.bytes, Some(progress.total_bytes));
    if meter.is_due() {
        let records = counted(progress.records, "record");
        let percent = progress.bytes * 100 / progress.total_bytes.max(1);
        meter.draw(
            || records.clone(),
            || format!("{percent} % of the training files, {records}"),
        );
    }
}
