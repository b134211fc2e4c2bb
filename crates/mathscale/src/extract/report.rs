//! `concepts.json`: what became of every name; and the options that decide it.

use serde::{Deserialize, Serialize};

/// Version of the file.
pub(crate) const SCHEMA: &str = "mwpbench.mathscale.concepts.v1";

/// How names are merged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MergeOptions {
    /// Which names are merged.
    pub merge: MergeMode,
    /// Whether concepts of a single seed stay.
    pub keep_singletons: bool,
}

/// Which names are merged, beside those that differ in case, white space or trailing punctuation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeMode {
    /// No others.
    #[default]
    None,
    /// Singular and plural; hyphens, articles and punctuation apart.
    Plurals,
}

/// What became of the names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConceptReport {
    /// Version of the file.
    pub schema: String,
    /// How names were merged.
    #[serde(rename = "settling")]
    pub options: MergeOptions,
    /// Seeds with concepts.
    pub seeds: usize,
    /// Of these, seeds that were left without a topic or without a knowledge point.
    pub seeds_without_topic_or_kp: usize,
    /// The topics.
    pub topics: KindReport,
    /// The knowledge points.
    pub knowledge_points: KindReport,
}

/// What became of the names of one kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindReport {
    /// Different names as they were found.
    pub found: usize,
    /// Different names with case, white space and trailing punctuation apart.
    pub spelled: usize,
    /// Different names after merging.
    pub merged: usize,
    /// Of these, names of a single seed, which were removed.
    pub singletons: usize,
    /// Names that are left.
    pub kept: usize,
    /// Names of several spellings, by name.
    pub spellings: Vec<CanonicalName>,
    /// What was merged, by the name that it was merged into.
    pub merges: Vec<Merge>,
    /// The names that were removed.
    pub removed: Vec<String>,
}

/// A name of several spellings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CanonicalName {
    /// The one that is used: the most frequent one.
    pub name: String,
    /// The others, as they were found.
    pub also: Vec<String>,
}

/// A name that was merged into another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Merge {
    /// The name that stays, the more frequent one.
    pub into: String,
    /// The name that went.
    pub from: String,
    /// Seeds that named it.
    pub seeds: usize,
    /// The rule by which they were merged.
    pub rule: MergeRule,
}

/// By which rule two names were merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeRule {
    /// The same in the singular, without articles, hyphens and punctuation.
    Plural,
}
