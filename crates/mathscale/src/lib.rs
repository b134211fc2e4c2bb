//! The pipeline that makes training data (MathScale paper, arXiv:2403.02884, sections 3 and 4.1):
//! seeds → concepts → graph → compositions → pairs of question and solution → training files.
//!
//! Each stage reads files of a [`Project`] folder and writes others into it, so that any of them
//! can be run alone, stopped and continued; `project.json` binds every file to what it was made of.
//! Text comes from any `generation::Generator`. This crate refuses to know which one: it knows no
//! model, tensor or network, and no score of a benchmark.
//!
//! ```
//! use mathscale::{Composition, Project};
//!
//! # let folder = tempfile::tempdir().unwrap();
//! let project = Project::open_to_write(&folder.path().join("project"))?;
//! assert!(project.status().iter().all(|stage| stage.record.is_none()));
//! let line = r#"{"topics":["Fractions"],"knowledge_points":["Addition of fractions"]}"#;
//! assert_eq!(serde_json::from_str::<Composition>(line).unwrap().topics, ["Fractions"]);
//! # Ok::<(), mathscale::Error>(())
//! ```

mod compose; // graph to compositions
mod concept; // names of concepts
mod error;
mod export; // training files and their card
mod extract; // seeds to topics and knowledge points
mod generate; // compositions to pairs
mod graph; // topics and knowledge points, and the seeds that join them
mod pair; // question and solution
mod project; // the folder and its manifest
mod records; // what a line of each file holds
mod screen; // which pairs may be trained on
mod tokens; // how many tokens a text may take
mod validate; // whether solutions are right

pub use compose::{
    ComposeOutcome, ComposePlan, Ending, Search, SearchProgress, compose, compositions,
};
pub use error::{Error, ErrorKind};
pub use export::{Amount, ExportOutcome, ExportPlan, Form, Mix, export};
pub use extract::{
    AnnotationPlan, ConceptReport, ExtractOutcome, KindReport, Merge, MergeRule, Merging,
    ModelPlan, Settling, Spelling, extract_by_model, extract_from_annotations, read_seeds,
};
pub use generate::{
    Cost, GenerateOutcome, GeneratePlan, GenerationEstimate, Lookup, NearestSeeds, Price, Prices,
    Written, estimate_generation, generate, parse_response,
};
pub use graph::{
    Concept, Degrees, EPSILON, Graph, GraphOutcome, GraphPlan, GraphStats, HeavyEdge, Kind,
    LinkStats, Links, Neighbour, Neighbourhood, PictureOptions, UnknownConcept, edge_weight, graph,
};
pub use pair::{Pair, PairSource, Validation};
pub use project::{
    Begun, Identity, Input, Manifest, Output, Project, SCHEMA, Stage, StageRecord, StageState,
    StageStatus, WholeFile,
};
pub use records::{Composition, Extraction, Lines, Seed, SetAside, read_lines};
pub use screen::{
    RemovalReason, Removed, ScreenOutcome, ScreenPlan, ScreenReport, ScreenRules, TestItems, screen,
};
pub use tokens::estimated_tokens;
pub use validate::{
    ConceptAgreement, JudgeAndScorer, OnWrong, ValidateOutcome, ValidatePlan, ValidationMethod,
    ValidationReport, validate,
};
