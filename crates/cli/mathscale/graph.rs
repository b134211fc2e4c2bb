//! `mwpbench mathscale graph`: concepts → the graph, and its inspection.

use std::path::PathBuf;

use anyhow::Context;
use clap::ValueEnum;
use mathscale::{Graph, GraphPlan, Project};

use super::{ProjectArg, StageArgs};
use crate::exit::Outcome;
use crate::terminal;

/// Join the concepts that one seed has; or inspect the graph.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    inspect: Option<Inspect>,
    // Not `StageArgs`: here the project is required only where there is no subcommand.
    /// Project folder.
    #[arg(long, value_name = "DIR", required = true)]
    project: Option<PathBuf>,
    /// Replace what the project has of this stage; it is moved to replaced/.
    #[arg(long)]
    fresh: bool,
    /// Take a graph from elsewhere, in the JSON of `graph export`, in place of the extractions.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    #[command(flatten)]
    printing: terminal::PrintArgs,
}

#[derive(clap::Subcommand)]
enum Inspect {
    Stats(Stats),
    Show(Show),
    Export(Export),
}

/// Sizes, degrees, components and the heaviest edges.
#[derive(clap::Args)]
struct Stats {
    #[command(flatten)]
    place: ProjectArg,
    /// Heaviest edges of each sub-graph.
    #[arg(long, default_value_t = 10, value_name = "N")]
    heaviest: usize,
    #[command(flatten)]
    printing: terminal::PrintArgs,
}

/// The neighbours of a concept, with weights and the probabilities of a step.
#[derive(clap::Args)]
struct Show {
    /// Name of a topic or knowledge point; in any case.
    concept: String,
    #[command(flatten)]
    place: ProjectArg,
    /// Neighbours of each kind, at most.
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: usize,
    #[command(flatten)]
    printing: terminal::PrintArgs,
}

/// Write the graph as GraphML (for Gephi, Cytoscape or networkx) or JSON (for `graph --from`).
#[derive(clap::Args)]
struct Export {
    #[command(flatten)]
    place: ProjectArg,
    #[arg(long, value_enum)]
    format: Format,
    /// The file, which is replaced.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Graphml,
    Json,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    match &args.inspect {
        Some(Inspect::Stats(args)) => stats(args)?,
        Some(Inspect::Show(args)) => show(args)?,
        Some(Inspect::Export(args)) => export(args)?,
        None => return build(args),
    }
    Ok(Outcome::Done)
}

fn build(args: Args) -> anyhow::Result<Outcome> {
    let Args { from, fresh, .. } = args;
    let project = args.project.context("give --project DIR")?;
    let stage = StageArgs {
        place: ProjectArg { project },
        fresh,
        printing: args.printing,
    };
    super::run_stage(
        &stage,
        |project| {
            let outcome = mathscale::graph(project, &GraphPlan { from, fresh })?;
            for warning in &outcome.details.warnings {
                eprintln!("warning: {warning}");
            }
            Ok(outcome)
        },
        reporting::graph_made_text,
        |_| Outcome::Done,
    )
}

fn stats(args: &Stats) -> anyhow::Result<()> {
    let stats = load(&args.place)?.stats(args.heaviest);
    args.printing.print(&stats, || {
        reporting::graph_stats_text(&stats, terminal::width())
    })
}

fn show(args: &Show) -> anyhow::Result<()> {
    let found = load(&args.place)?.neighbourhoods(&args.concept)?;
    args.printing.print(&found, || {
        reporting::neighbourhoods_text(&found, args.limit, terminal::width())
    })
}

fn export(args: &Export) -> anyhow::Result<()> {
    let graph = load(&args.place)?;
    let mut text = Vec::new();
    match args.format {
        Format::Graphml => graph.write_graphml(&mut text)?,
        Format::Json => graph.write_json(&mut text)?,
    }
    let file = &args.output;
    std::fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
}

fn load(place: &ProjectArg) -> anyhow::Result<Graph> {
    Ok(Graph::of_project(&Project::open(&place.project)?)?.0)
}
