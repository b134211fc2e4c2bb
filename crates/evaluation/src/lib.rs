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
//! let data = dataset_loader::bundled_problems(&benchmark);
//! let selection = Selection { tasks: Some(vec!["gsm8k".into()]), limit: Some(3), protocol: Protocol::Official };
//! let problems = selection.apply(&benchmark, data.problems)?;
//! assert_eq!(problems.len(), 3);
//! let prompt = Template::named("alpaca").unwrap().render(&problems[0].question)?;
//! assert!(prompt.ends_with("### Response:"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod averages; // micro and macro average over sets
mod baseline; // a run in one small file
mod best; // the best of several runs, and which cannot be told from it
mod comparison; // two runs over the same items
mod deduplicated; // averages with each problem counted once
mod disagreements; // where the two scorers differ
mod error; // what can stop a run
mod exclusion; // which problems a run leaves out, by their ids
mod failures; // items that failed, by reason
mod few_shot; // examples before each question
mod gate; // may a candidate take a baseline's place?
mod grader; // both scorers: completion records → verdict records
mod imported; // runs that another program asked
mod manifest; // run.json: what a run is bound to
mod merge; // shards → the run that one machine would have made
mod nearest; // which known name a mistyped one may stand for
mod offline; // completions from elsewhere, judged line by line
mod open_run; // a folder or a baseline file → a run to compare
mod pass_at_k; // pass@k and maj@k
mod plan; // what a run asks, and how
mod protocol; // the fixed points of the benchmark: cap, stop strings, token limit
mod record; // the lines of the run folder's files
mod rescore; // completions → verdicts and summary
mod run; // the whole way from plan to summary
mod run_folder; // the run folder: its files and resumption
mod schemas; // JSON Schemas of the files
mod selection; // which of the problems a run asks
mod self_check; // can the scorers judge by the references of a set?
mod set_summary; // the figures of one set
mod shard; // a run that several machines share
mod suite; // sets under one name
mod summary; // verdict records → accuracies and averages
mod template; // question → prompt
mod template_identity; // how a run was asked, as its manifest keeps it
mod thinking_budget; // thinking that is ended after so many tokens
mod token_details; // what is kept of each new token
mod tokens; // tokens of thinking and of answers

pub use averages::Averages;
pub use baseline::{Baseline, BaselineFigures, BaselineSet, BaselineSetFigures};
pub use best::{BestRun, RankedRun, Standing};
pub use comparison::{
    Aspect, ComparedRun, ComparedSet, ComparisonError, ComparisonSettings, Contrast,
    FirstDivergence, Flip, FlipSide, Flips, ProtocolDifference, RunComparison, RunLabel,
};
pub use deduplicated::{DeduplicatedAverages, RepeatedItems, note_repeated};
pub use disagreements::{DisagreementGroup, Disagreements};
pub use error::Error;
pub use exclusion::{Excluded, Exclusion, ExclusionError};
pub use failures::Failures;
pub use few_shot::{Example, FewShot, FewShotError, FewShotPlan, TrainingRecord};
pub use gate::{
    Gate, GateFlags, GateRules, GateRulesError, GateVerdict, Limits, Rule, RuleOutcome, ScopeRules,
    gate,
};
pub use grader::{Explained, Grader, GraderError};
pub use imported::{ImportedFrom, ImportedRun, UNKNOWN, record_imported};
pub use jobs::Progress;
pub use manifest::{
    DataIdentity, NAME_TAG, PUBLISHED_DATA, RunIdentity, RunManifest, STEP_TAG, TRAINING_STEP,
    step_of_name,
};
pub use merge::{MergeError, OpenShard, merge, shard_folders};
pub use nearest::did_you_mean;
pub use offline::{OfflineCounts, explain_file, score_file};
pub use pass_at_k::{FigureAtK, SampledFigures};
pub use plan::{LongPrompts, RunPlan};
pub use protocol::{MAX_TOKENS, OFFICIAL_TASK_CAP, Protocol, STOP_STRINGS};
pub use record::{CompletionRecord, OfficialVerdict, PromptRecord, StrictVerdict, VerdictRecord};
pub use rescore::{SoFar, rescore, so_far, summary_without};
pub use run::{Run, run};
pub use run_folder::RunFolder;
pub use schemas::schemas;
pub use scoring::strict::{Answer, Explanation};
pub use scoring::{Scorer, Verdict, cases};
pub use selection::{Selection, SelectionError};
pub use self_check::{CheckedSet, Contradiction, SelfCheck, Witness};
pub use set_summary::{Accuracy, Counts, SetSummary, TaskSummary};
pub use shard::{Shard, ShardRecord};
pub use statistics::{macro_average, micro_average, sampled_interval, wilson_interval};
pub use store::Difference;
pub use suite::{ALL, AskedNames, MWPBENCH, Suite, SuiteAverages, Suites};
pub use summary::Summary;
pub use template::{BOXED, CHAT_BOXED, ChatSettings, Template, TemplateError};
pub use template_identity::{ChatIdentity, TemplateIdentity};
pub use token_details::TokenDetails;
pub use tokens::TokensSpent;
