//! The stage: `extractions.jsonl` → `graph.json`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use store::JsonLines;

use super::{Graph, Kind};
use crate::driver::{Outputs, StageOutcome, StageWork, run};
use crate::error::{Error, ErrorKind};
use crate::project::{Input, Project, StageIdentity, StageRecord};
use crate::stage::{EXTRACTIONS, GRAPH, Stage};

/// What the stage is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphPlan {
    /// A graph from elsewhere, in the form of `graph.json`, in place of the extractions.
    pub from: Option<PathBuf>,
    /// Replace what the project has of it.
    pub fresh: bool,
}

/// What came of it.
pub type GraphOutcome = StageOutcome<GraphWarnings>;

/// What the user should know of a graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GraphWarnings {
    /// Reasons for which little or nothing can be composed of it.
    pub warnings: Vec<String>,
}

/// Makes the graph of a project.
///
/// # Errors
/// The extractions are not there or stale, or the stage was run with others; a file that cannot be
/// read or written.
pub fn graph(project: &mut Project, plan: &GraphPlan) -> Result<GraphOutcome, Error> {
    let (input_name, input, graph) = match &plan.from {
        Some(file) => ("graph", Input::of_file(file)?, Graph::read_json(file)?),
        None => {
            let input = project.input(Stage::Extract, EXTRACTIONS)?;
            let extractions = JsonLines::read_all(&project.file(EXTRACTIONS))?;
            ("extractions", input, Graph::of(&extractions))
        }
    };
    let mut work = Building {
        input_name,
        input,
        graph,
    };
    run(project, &mut work, plan.fresh)
}

struct Building {
    input_name: &'static str,
    input: Input,
    graph: Graph,
}

impl StageWork for Building {
    type Details = GraphWarnings;

    const STAGE: Stage = Stage::Graph;

    fn identity(&self) -> StageIdentity {
        StageIdentity {
            inputs: BTreeMap::from([(self.input_name.to_string(), self.input.clone())]),
            ..StageIdentity::default()
        }
    }

    fn write(&mut self, outputs: &mut Outputs<'_>) -> Result<GraphWarnings, Error> {
        let graph = &self.graph;
        outputs.write(GRAPH, |out| graph.write_json(out))?;
        outputs.count("seeds", graph.seeds());
        outputs.count("topics", graph.topics().len() as u64);
        outputs.count("knowledge_points", graph.knowledge_points().len() as u64);
        let names = ["topic_topic_edges", "topic_kp_edges", "kp_kp_edges"];
        for (name, (from, to)) in names.into_iter().zip(Kind::PAIRS) {
            outputs.count(name, graph.edges_once(from, to).count() as u64);
        }
        Ok(graph.warnings())
    }

    fn details(&self, _: &Project, _: &StageRecord) -> Result<GraphWarnings, Error> {
        Ok(self.graph.warnings())
    }
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

    fn warnings(&self) -> GraphWarnings {
        GraphWarnings {
            warnings: self.fault().into_iter().collect(),
        }
    }

    /// Why nothing can be composed of it, where that is so.
    fn fault(&self) -> Option<String> {
        let (topics, kps) = (self.topics().len(), self.knowledge_points().len());
        if self.edges() == 0 {
            return Some(format!(
                "the graph has no edges ({topics} topics, {kps} knowledge points of {} seeds): nothing can be composed of it. Give more seeds, or keep the concepts of single seeds",
                self.seeds()
            ));
        }
        let leads_to_kp = !self.links(Kind::Topic, Kind::KnowledgePoint).is_empty();
        (!leads_to_kp).then(|| {
            "no topic is joined with a knowledge point: nothing can be composed of it".to_string()
        })
    }

    /// For compositions: at least one topic has to lead to a knowledge point.
    pub(crate) fn check_composable(&self) -> Result<(), ErrorKind> {
        match self.fault() {
            Some(fault) => Err(ErrorKind::NothingToCompose(fault)),
            None => Ok(()),
        }
    }
}
