//! The pipeline that makes training data (MathScale paper, arXiv:2403.02884, sections 3 and 4.1):
//! seed questions → concepts → concept graph → compositions → pairs of question and solution →
//! training files.
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
mod driver; // how a stage is run: once for all seven
mod error; // what can be wrong, and where
mod estimate; // what a stage would ask of a model
mod export; // training files and their card
mod extract; // seed questions to topics and knowledge points
mod fault_kind; // why replies cannot be used
mod generate; // compositions to pairs
mod graph; // topics and knowledge points, and the seeds that join them
mod ids; // many ids in little memory
mod model; // how a model is asked
mod pair; // question and solution
mod project; // the folder and its manifest
mod recipe; // training files to a trainer's folder
mod records; // what a line of each file holds
mod screen; // which pairs may be trained on
mod solution; // solutions of published sets in the form of the pipeline
mod stage; // the stages, in their order, and the files of each
mod tokens; // how many tokens a text may have
mod validate; // whether solutions are right

pub use compose::{
    ComposeDetails, ComposeOutcome, ComposePlan, StopReason, WalkOptions, WalkProgress, compose,
    compositions,
};
pub use driver::{NoDetails, Rejections, StageOutcome, WithReport};
pub use error::{Error, ErrorKind};
pub use estimate::{Estimate, TokenPrice};
pub use export::{Amount, ExportFormat, ExportOutcome, ExportPlan, Mix, export};
pub use extract::{
    AnnotationPlan, CanonicalName, ConceptReport, ExtractOutcome, KindReport, Merge, MergeMode,
    MergeOptions, MergeRule, ModelPlan, ReplyForm, concept_schema, estimate_extraction,
    extract_by_model, extract_from_annotations, read_seeds,
};
pub use fault_kind::{FaultKind, RefusedReplies, ReplyCounts};
pub use generate::{
    GenerateOutcome, GeneratePlan, Lookup, NearestSeeds, QuestionAndSolution, estimate_generation,
    generate, parse_reply,
};
pub use graph::{
    Concept, Degrees, EPSILON, Graph, GraphOutcome, GraphPlan, GraphStats, GraphWarnings,
    HeavyEdge, Kind, LinkStats, Links, Neighbour, Neighbourhood, UnknownConcept, edge_weight,
    graph,
};
pub use model::{Asking, OnProgress};
pub use pair::{Pair, PairSource, Validation};
pub use project::{
    Change, Input, Project, ProjectManifest, SCHEMA, StageIdentity, StageRecord, StageStart,
    StageState, StageStatus,
};
pub use recipe::{
    BaseModel, Batch, LoraOptions, MemoryEstimate, ModelShape, RecipeCommands, RecipeFault,
    RecipeOutcome, RecipePlan, Trainer, recipe,
};
pub use records::{Composition, Extraction, Rejected, Seed};
pub use screen::{
    RemovalReason, Removed, ScreenOutcome, ScreenPlan, ScreenReport, ScreenRules, TestItems, Tests,
    screen,
};
pub use stage::Stage;
pub use tokens::estimated_tokens;
pub use validate::{
    ConceptAgreement, JudgeAndScorer, OnWrong, ValidateOutcome, ValidatePlan, ValidationMethod,
    ValidationReport, estimate_validation, validate,
};
