//! `mwpbench mathscale graph`: concepts → the graph, and looking at it.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use mathscale::{Graph, GraphPlan, PictureOptions, Project};

use super::{ProjectArg, note_already_there};
use crate::exit::Outcome;
use crate::screen;

/// Join the concepts that one seed yielded; or look at the graph.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    look: Option<Look>,
    /// Project folder.
    #[arg(long, value_name = "DIR", required = true)]
    project: Option<PathBuf>,
    /// Replace what the project has of this stage; it is moved to replaced/.
    #[arg(long)]
    fresh: bool,
    /// Take a graph from elsewhere (GraphML where it is called .graphml, else JSON as
    /// `graph export` writes it) in place of the extractions.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    #[command(flatten)]
    telling: screen::Telling,
}

#[derive(clap::Subcommand)]
enum Look {
    Stats(Stats),
    Show(Show),
    Export(Export),
    Picture(Picture),
}

/// Sizes, degrees, components and the heaviest edges.
#[derive(clap::Args)]
struct Stats {
    #[command(flatten)]
    place: ProjectArg,
    /// Heaviest edges shown of each sub-graph.
    #[arg(long, default_value_t = 10, value_name = "N")]
    heaviest: usize,
    #[command(flatten)]
    telling: screen::Telling,
}

/// The neighbours of a concept, with weights and the probabilities of a step.
#[derive(clap::Args)]
struct Show {
    /// Name of a topic or knowledge point; case is no matter.
    concept: String,
    #[command(flatten)]
    place: ProjectArg,
    /// Most neighbours shown of each kind.
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: usize,
    #[command(flatten)]
    telling: screen::Telling,
}

/// Write the graph as GraphML or JSON, without loss.
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

/// Draw the neighbourhood of a concept as SVG.
#[derive(clap::Args)]
struct Picture {
    /// Name of a topic or knowledge point; case is no matter.
    concept: String,
    #[command(flatten)]
    place: ProjectArg,
    /// Most neighbours drawn of each kind.
    #[arg(long, default_value_t = PictureOptions::default().neighbours, value_name = "N")]
    limit: usize,
    /// The file, which is replaced.
    #[arg(long, value_name = "FILE.svg")]
    output: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Graphml,
    Json,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    match (&args.look, &args.project) {
        (Some(Look::Stats(args)), _) => stats(args)?,
        (Some(Look::Show(args)), _) => show(args)?,
        (Some(Look::Export(args)), _) => export(args)?,
        (Some(Look::Picture(args)), _) => picture(args)?,
        (None, Some(project)) => make(project, &args)?,
        (None, None) => anyhow::bail!("give --project DIR"),
    }
    Ok(Outcome::Done)
}

fn make(project: &Path, args: &Args) -> anyhow::Result<()> {
    let mut project = Project::open_to_write(project)?;
    let outcome = mathscale::graph(
        &mut project,
        &GraphPlan {
            from: args.from.clone(),
            fresh: args.fresh,
        },
    )?;
    if outcome.already_there {
        note_already_there(&outcome.record, args.telling.quiet);
    }
    for warning in &outcome.warnings {
        eprintln!("warning: {warning}");
    }
    args.telling
        .tell(&outcome, || reporting::graph_made_text(&outcome))
}

fn stats(args: &Stats) -> anyhow::Result<()> {
    let stats = load(&args.place)?.stats(args.heaviest);
    args.telling.tell(&stats, || {
        reporting::graph_stats_text(&stats, screen::width())
    })
}

fn show(args: &Show) -> anyhow::Result<()> {
    let found = load(&args.place)?.show(&args.concept)?;
    args.telling.tell(&found, || {
        reporting::neighbourhoods_text(&found, args.limit, screen::width())
    })
}

fn export(args: &Export) -> anyhow::Result<()> {
    let graph = load(&args.place)?;
    let mut text = Vec::new();
    match args.format {
        Format::Graphml => graph.write_graphml(&mut text)?,
        Format::Json => graph.write_json(&mut text)?,
    }
    write(&args.output, &text)
}

fn picture(args: &Picture) -> anyhow::Result<()> {
    let found = load(&args.place)?.show(&args.concept)?;
    // A topic comes before a knowledge point of the same name.
    let svg = found
        .first()
        .map(|shown| {
            shown.svg(PictureOptions {
                neighbours: args.limit,
            })
        })
        .unwrap_or_default();
    write(&args.output, svg.as_bytes())
}

fn load(place: &ProjectArg) -> anyhow::Result<Graph> {
    Ok(Graph::of_project(&Project::open(&place.project)?)?.0)
}

fn write(file: &Path, text: &[u8]) -> anyhow::Result<()> {
    std::fs::write(file, text)
        .map_err(|error| anyhow::anyhow!("{} cannot be written: {error}", file.display()))
}
