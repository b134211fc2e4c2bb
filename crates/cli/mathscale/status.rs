//! `mwpbench mathscale status`: how far the stages are.

use mathscale::Project;

use super::ProjectArg;
use crate::exit::Outcome;
use crate::terminal;

/// Show how far each stage of a project is, what it counted, and which are stale.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: ProjectArg,
    #[command(flatten)]
    printing: terminal::PrintArgs,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let status = Project::open(&args.place.project)?.status();
    args.printing.print(&status, || {
        reporting::project_text(&status, terminal::width())
    })?;
    Ok(Outcome::Done)
}
