//! `mwpbench report`: runs as one page of HTML.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use anyhow::Context;
use dataset_loader::Problem;
use evaluation::{RunFolder, SoFar};
use report::{Report, ReportRun};

use crate::exit::Outcome;
use crate::read_run::{ReadRun, read_run};
use crate::{heading, output_file, terminal};

/// Write one page of HTML that shows runs item by item: figures and charts, then every problem with
/// prompt, completions, verdicts and the rules behind them, searched and filtered.
///
/// The page needs no network and holds everything. With several runs, which must have asked the same
/// problems, it also shows what each won and lost against the first. An unfinished run is shown as
/// far as it went.
#[derive(clap::Args)]
pub struct Args {
    /// Folders of runs over the same problems.
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// File to write; report.html in the folder of the first run without it.
    #[arg(long, value_name = "FILE", help_heading = heading::OUTPUT)]
    output: Option<PathBuf>,
    /// Open the page in the browser.
    #[arg(long, help_heading = heading::OUTPUT)]
    open: bool,
    #[command(flatten)]
    replace: output_file::ReplaceArgs,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let mut read: Vec<(RunFolder, SoFar)> = Vec::new();
    let mut purposes = BTreeMap::new();
    for path in &args.runs {
        let ReadRun {
            folder,
            grader,
            so_far,
            ..
        } = read_run(path)?;
        for verdict in &so_far.verdicts {
            for rule in verdict.official.trace.iter().chain(&verdict.strict.trace) {
                if let Some(purpose) = grader.purpose(&verdict.set, rule) {
                    purposes
                        .entry(rule.clone())
                        .or_insert_with(|| purpose.to_string());
                }
            }
        }
        if let Some((first, before)) = read.first() {
            same_problems((first.path(), &before.problems), (path, &so_far.problems))?;
        }
        read.push((folder, so_far));
    }
    let problems = read[0].1.problems.clone();
    let names = names(&read);
    let mut runs = Vec::new();
    for ((folder, so_far), name) in read.into_iter().zip(names) {
        runs.push(report_run(folder, so_far, name, &problems)?);
    }
    for run in runs.iter().filter(|run| run.is_unfinished()) {
        let (done, expected) = (run.verdicts.len(), run.expected);
        eprintln!(
            "{}: unfinished, {done} of {expected} completions",
            run.folder
        );
    }
    let page = Report {
        problems,
        runs,
        purposes,
        version: env!("CARGO_PKG_VERSION").to_string(),
    }
    .html();
    let file = args
        .output
        .unwrap_or_else(|| args.runs[0].join("report.html"));
    // A report of an earlier state of the run is no loss, what else the file may be is.
    match file.file_name().is_some_and(|name| name == "report.html") && is_report(&file) {
        true => output_file::write(&file, page.as_bytes())?,
        false => args.replace.write(&file, page.as_bytes())?,
    }
    terminal::print(&format!("wrote {}\n", file.display()))?;
    if args.open {
        open::that_detached(&file)
            .with_context(|| format!("cannot open {} in a browser", file.display()))?;
    }
    Ok(Outcome::Done)
}

/// Whether a file is a page that this command wrote.
fn is_report(file: &Path) -> bool {
    std::fs::read(file).is_ok_and(|page| {
        let head = &page[..page.len().min(4096)];
        String::from_utf8_lossy(head).contains(": mwpbench report</title>")
    })
}

fn report_run(
    folder: RunFolder,
    so_far: SoFar,
    name: String,
    problems: &[Problem],
) -> anyhow::Result<ReportRun> {
    let prompts = folder.prompts(problems)?;
    // In the order of the first run, which may have asked in another one.
    let place: HashMap<&str, usize> = problems
        .iter()
        .enumerate()
        .map(|(place, problem)| (problem.id.as_str(), place))
        .collect();
    let mut verdicts = so_far.verdicts;
    verdicts.sort_by_key(|verdict| (place.get(verdict.id.as_str()).copied(), verdict.sample));
    Ok(ReportRun {
        name,
        folder: folder.path().display().to_string(),
        manifest: folder.manifest().clone(),
        summary: so_far.summary,
        completions: so_far.completions,
        verdicts,
        prompts,
        expected: so_far.expected,
    })
}

/// The runs' names in tables, told apart by their folders where two are the same.
fn names(read: &[(RunFolder, SoFar)]) -> Vec<String> {
    let own = |folder: &RunFolder| folder.manifest().display_name().to_string();
    let mut names: Vec<String> = Vec::new();
    for (place, (folder, _)) in read.iter().enumerate() {
        let name = own(folder);
        let is_common = read
            .iter()
            .enumerate()
            .any(|(other, (run, _))| other != place && own(run) == name);
        names.push(match is_common {
            true => format!("{name} ({})", folder.path().display()),
            false => name,
        });
    }
    names
}

/// Question and reference by id.
type Asked<'a> = HashMap<&'a str, (&'a str, &'a str)>;

fn by_id(problems: &[Problem]) -> Asked<'_> {
    let asked = problems.iter().map(|problem| {
        let Problem {
            id,
            question,
            reference,
            ..
        } = problem;
        (id.as_str(), (question.as_str(), reference.as_str()))
    });
    asked.collect()
}

/// # Errors
/// Runs that asked different problems.
fn same_problems(
    (first, before): (&Path, &[Problem]),
    (other, after): (&Path, &[Problem]),
) -> anyhow::Result<()> {
    let (one, two) = (by_id(before), by_id(after));
    let alone = |ours: &[Problem], theirs: &Asked<'_>| {
        let missing = ours
            .iter()
            .filter(|problem| !theirs.contains_key(problem.id.as_str()));
        let missing: Vec<String> = missing.map(|problem| problem.id.clone()).collect();
        missing.first().map(|id| (id.clone(), missing.len()))
    };
    let way_out = "give each a report of its own, or run both on the same problems";
    for (here, found) in [(first, alone(before, &two)), (other, alone(after, &one))] {
        if let Some((id, count)) = found {
            let more = match count {
                1 => String::new(),
                count => format!(" and {} more", count - 1),
            };
            anyhow::bail!(
                "{} and {} asked different problems: {id}{more} in {} alone; {way_out}",
                first.display(),
                other.display(),
                here.display()
            );
        }
    }
    match before
        .iter()
        .find(|problem| two[problem.id.as_str()] != one[problem.id.as_str()])
    {
        Some(problem) => anyhow::bail!(
            "{} and {} mean different problems by {}: question or reference differ; {way_out}",
            first.display(),
            other.display(),
            problem.id
        ),
        None => Ok(()),
    }
}
