//! `concepts.json`: what became of every name.

use serde::{Deserialize, Serialize};

use super::settle::Settling;

/// Version of the file.
pub(crate) const SCHEMA: &str = "mwpbench.mathscale.concepts.v1";

/// What became of the names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConceptReport {
    /// Version of the file.
    pub schema: String,
    /// How names were settled.
    pub settling: Settling,
    /// Seeds that named concepts.
    pub seeds: usize,
    /// Of these, seeds that were left without a topic or without a KP.
    pub seeds_without_topic_or_kp: usize,
    /// The topics.
    pub topics: KindReport,
    /// The KPs.
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
    /// Of these, names that one seed alone named and that were taken out.
    pub singletons: usize,
    /// Names that are left.
    pub kept: usize,
    /// Names of several spellings, by name.
    pub spellings: Vec<Spelling>,
    /// What was merged, by the name that it was merged into.
    pub merges: Vec<Merge>,
    /// The names that were taken out.
    pub removed: Vec<String>,
}

/// A name of several spellings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spelling {
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
    /// Why.
    pub rule: MergeRule,
}

/// Why two names were taken for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeRule {
    /// The same in the singular, without articles, hyphens and punctuation.
    Plural,
    /// Different by one letter of a word of seven letters or more, not its first.
    Letter,
}
