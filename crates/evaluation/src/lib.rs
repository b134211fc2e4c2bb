//! Runs an evaluation: problems are rendered into prompts, a [`generation::Generator`] continues
//! them, the completions are kept in a run folder, judged and summed up.
//!
//! In go problems, a template, a generator and a folder; out come the folder's files and a
//! [`Summary`]. This crate refuses to know how text is generated: it does not depend on candle.
//!
//! ```
//! use evaluation::{Protocol, Selection, Template};
//!
//! let benchmark = dataset_loader::Benchmark::published();
//! let data = dataset_loader::samples(&benchmark);
//! let selection = Selection { tasks: Some(vec!["gsm8k".into()]), limit: Some(3), protocol: Protocol::Official };
//! let problems = selection.apply(&benchmark, data.problems)?;
//! assert_eq!(problems.len(), 3);
//! let prompt = Template::named("alpaca").unwrap().render(&problems[0].question)?;
//! assert!(prompt.ends_with("### Response:"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod baseline; // a run in one small file
mod comparison; // two runs over the same items
mod counted_once; // averages with each problem counted once
mod disagreements; // where the two scorers differ
mod elsewhere; // judging completions made elsewhere (`score --input`)
mod error; // what can stop a run
mod exclusion; // which problems a run leaves out, by their ids
mod gate; // may a candidate take a baseline's place?
mod grader; // both scorers: completion records → verdict records
mod manifest; // run.json: what a run is bound to
mod protocol; // the fixed points of the benchmark: cap, stop strings, token limit
mod record; // the lines of the run folder's files
mod run; // the whole way from plan to summary
mod run_folder; // the run folder: resumption, whole files
mod selection; // which of the problems a run asks
mod self_check; // can the scorers judge by the references of a set?
mod several_samples; // pass@k and maj@k
mod summary; // verdict records → accuracies and averages
mod template; // question → prompt
mod token_details; // what is kept of each new token

pub use baseline::{Baseline, BaselineFigures, BaselineSet, BaselineSetFigures};
pub use comparison::{
    Aspect, ComparedRun, ComparedSet, ComparisonError, ComparisonSettings, Contrast, Flip,
    FlipSide, Flips, Parting, ProtocolDifference, RunComparison, RunLabel,
};
pub use counted_once::{CountedOnce, Repeated, note_repeated};
pub use disagreements::{DisagreementGroup, Disagreements};
pub use elsewhere::{ElsewhereCounts, explain_file, judge_file};
pub use error::Error;
pub use exclusion::{Excluded, Exclusion, ExclusionError};
pub use gate::{
    Gate, GateFlags, GateRules, GateRulesError, GateVerdict, Limits, Rule, RuleOutcome, ScopeRules,
    gate,
};
pub use grader::{Explained, Grader, GraderError};
pub use jobs::{Difference, Progress};
pub use manifest::{DataIdentity, Identity, Manifest, TemplateIdentity};
pub use protocol::{MAX_TOKENS, OFFICIAL_TASK_CAP, Protocol, STOP_STRINGS};
pub use record::{CompletionRecord, OfficialVerdict, PromptRecord, StrictVerdict, VerdictRecord};
pub use run::{Failures, LongPrompts, Plan, Run, judge_again, run, summary_without};
pub use run_folder::RunFolder;
pub use scoring::strict::{Answer, Explanation};
pub use scoring::{Scorer, cases};
pub use selection::{Selection, SelectionError};
pub use self_check::{CheckedSet, SelfCheck};
pub use several_samples::{AtK, SeveralSamples};
pub use statistics::{macro_average, micro_average, sampled_interval, wilson_interval};
pub use summary::{Accuracy, Averages, Counts, SetSummary, Summary, TaskSummary};
pub use template::{ChatIdentity, ChatSettings, Template, TemplateError};
pub use token_details::TokenDetails;
