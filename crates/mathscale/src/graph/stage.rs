//! The stage: `extractions.jsonl` → `graph.json`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::{Graph, Kind};
use crate::error::{Error, ErrorKind};
use crate::project::{Begun, Identity, Input, Project, Stage, StageRecord};
use crate::records::{Extraction, read_lines};

/// Files of the stage and of the one before.
const EXTRACTIONS: &str = "extractions.jsonl";
const GRAPH: &str = "graph.json";

/// What the stage is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphPlan {
    /// A graph from elsewhere, GraphML where its name ends so and JSON otherwise, in place of the
    /// extractions.
    pub from: Option<PathBuf>,
    /// Replace what the project has of it.
    pub fresh: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GraphOutcome {
    /// Whether nothing had to be done.
    pub already_there: bool,
    /// What the project's manifest holds of it.
    pub record: StageRecord,
    /// What the user should know: a graph without edges.
    pub warnings: Vec<String>,
}

/// Makes the graph of a project.
///
/// # Errors
/// The extractions are not there or stale, or the stage was run with others; a file that cannot be
/// read or written.
pub fn graph(project: &mut Project, plan: &GraphPlan) -> Result<GraphOutcome, Error> {
    let (name, input) = match &plan.from {
        Some(file) => ("graph", Input::of_file(file)?),
        None => ("extractions", project.input(Stage::Extract, EXTRACTIONS)?),
    };
    // Read before anything is replaced.
    let graph = match &plan.from {
        Some(file)
            if file
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("graphml")) =>
        {
            Graph::read_graphml(file)?
        }
        Some(file) => Graph::read_json(file)?,
        None => Graph::of(
            &read_lines(&project.file(EXTRACTIONS))?.collect::<Result<Vec<Extraction>, _>>()?,
        ),
    };
    let warnings = graph.warnings();
    let identity = Identity {
        inputs: BTreeMap::from([(name.to_string(), input)]),
        ..Identity::default()
    };
    if let Begun::AlreadyThere(record) = project.begin(Stage::Graph, identity, plan.fresh)? {
        return Ok(GraphOutcome {
            already_there: true,
            record: *record,
            warnings,
        });
    }
    let output = project.write(GRAPH, |out| graph.write_json(out))?;
    let count = |name: &str, count: usize| (name.to_string(), count as u64);
    let counts = BTreeMap::from([
        ("seeds".to_string(), graph.seeds()),
        count("topics", graph.topics().len()),
        count("knowledge_points", graph.knowledge_points().len()),
        count(
            "topic_topic_edges",
            graph.links(Kind::Topic, Kind::Topic).len() / 2,
        ),
        count(
            "topic_kp_edges",
            graph.links(Kind::Topic, Kind::KnowledgePoint).len(),
        ),
        count(
            "kp_kp_edges",
            graph
                .links(Kind::KnowledgePoint, Kind::KnowledgePoint)
                .len()
                / 2,
        ),
    ]);
    let record = project.finish(
        Stage::Graph,
        BTreeMap::from([(GRAPH.to_string(), output)]),
        counts,
    )?;
    Ok(GraphOutcome {
        already_there: false,
        record,
        warnings,
    })
}

impl Graph {
    /// The graph of a project, checked against its manifest.
    ///
    /// # Errors
    /// It is not there, stale or damaged.
    pub fn of_project(project: &Project) -> Result<(Self, Input), Error> {
        let input = project.input(Stage::Graph, GRAPH)?;
        Ok((Self::read_json(&project.file(GRAPH))?, input))
    }

    /// What makes it a graph of which little or nothing can be composed.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.edges() == 0 {
            let (topics, kps) = (self.topics.len(), self.knowledge_points.len());
            warnings.push(format!(
                "the graph has no edges ({topics} topics, {kps} knowledge points of {} seeds): nothing can be composed of it. Give more seeds, or extract with --keep-singletons",
                self.seeds
            ));
        } else if self.topic_kp.is_empty() {
            warnings.push(
                "no topic is joined with a knowledge point: nothing can be composed of it"
                    .to_string(),
            );
        }
        warnings
    }

    /// For compositions: at least one topic has to lead to a KP.
    pub(crate) fn check_composable(&self) -> Result<(), ErrorKind> {
        match self.warnings().pop() {
            Some(warning) => Err(ErrorKind::NothingToCompose(warning)),
            None => Ok(()),
        }
    }
}
