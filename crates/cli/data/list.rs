//! `mwpbench data list`: which sets there are and what is at hand of them.

use crate::exit::Outcome;
use crate::{data_folder, terminal};
use dataset_loader::{DataOrigin, Set};
use serde::Serialize;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: data_folder::DataArgs,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// The list as JSON.
#[derive(Serialize)]
struct List<'a> {
    origin: &'a DataOrigin,
    digest: &'a str,
    sets: Vec<Listed<'a>>,
}

#[derive(Serialize)]
struct Listed<'a> {
    set: &'a str,
    title: &'a str,
    level: &'a str,
    language: &'a str,
    in_average: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    on_request: bool,
    tasks: Vec<ListedTask<'a>>,
    published: usize,
    at_hand: usize,
}

#[derive(Serialize)]
struct ListedTask<'a> {
    task: &'a str,
    published: usize,
    at_hand: usize,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let benchmark = args.source.benchmark()?;
    let data = args.source.load_all(&benchmark)?;
    if args.json {
        let listed = |set| Listed::new(set, &data.problems);
        let sets = benchmark.sets().iter().map(listed).collect();
        terminal::print_json(&List {
            origin: &data.origin,
            digest: &data.digest,
            sets,
        })?;
    } else {
        let source = match &data.origin {
            DataOrigin::Bundled => "at hand: the bundled problems".to_string(),
            DataOrigin::Files { paths } => {
                let paths: Vec<String> = paths
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect();
                format!("at hand: {}", paths.join(", "))
            }
        };
        let folder = data_folder::path()
            .map(|folder| folder.display().to_string())
            .unwrap_or_default();
        let table = reporting::set_list(&benchmark, &data, terminal::width());
        terminal::print(&format!("{table}{source}\ndata folder: {folder}\n"))?;
    }
    Ok(Outcome::Done)
}

impl<'a> Listed<'a> {
    fn new(set: &'a Set, problems: &[dataset_loader::Problem]) -> Self {
        let task = |task: &'a dataset_loader::Task| ListedTask {
            task: &task.name,
            published: task.count,
            at_hand: problems
                .iter()
                .filter(|problem| problem.task == task.name)
                .count(),
        };
        Self {
            set: &set.name,
            title: &set.title,
            level: &set.level,
            language: &set.language,
            in_average: set.in_average,
            on_request: set.on_request,
            tasks: set.tasks.iter().map(task).collect(),
            published: set.count(),
            at_hand: problems
                .iter()
                .filter(|problem| problem.set == set.name)
                .count(),
        }
    }
}
