//! Profiles: which rules find an answer and in which order, and what a comparison overlooks.
//!
//! The standard profile is `profiles/strict.toml` over the rules of `extractors/*.toml`. Every
//! other profile builds upon it and says only what differs. What the engine does not know is
//! refused: an unknown key, a rule that is listed nowhere, an id that names no rule, an empty
//! purpose.

use std::sync::OnceLock;

use serde::Deserialize;

use super::extraction::{Layout, Order, OrderError, Rule, Rules};
use super::policy::{Policy, Stated, StatedHelps};
use crate::rule_files;

/// The name of the standard profile, and of the one that is another scorer's.
const STANDARD: &str = "strict";
const OFFICIAL: &str = "official";

/// The profiles that build upon the standard one: name and text.
fn variants() -> impl Iterator<Item = (&'static str, &'static str)> {
    let profiles = rule_files::in_folder("profiles")
        .filter_map(|(file, text)| Some((file.strip_suffix(".toml")?, text)));
    profiles.filter(|(name, _)| ![STANDARD, OFFICIAL].contains(name))
}

/// Rules and policy of a strict judgement.
#[derive(Clone, Debug)]
pub struct Profile {
    name: String,
    purpose: String,
    policy: Policy,
    rules: Rules,
    /// Every rule that an order may name.
    defined: Vec<Rule>,
    order: Order,
    /// Steps that are code: id and purpose.
    steps: Vec<Described>,
    cases: Vec<ExtractionCase>,
}

/// Why a profile is refused.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The text is not TOML, or has keys or values that no profile has.
    #[error("{name}: {source}")]
    Toml {
        /// Name of the profile or path of its file.
        name: String,
        /// Line, column and what was expected there.
        source: Box<toml::de::Error>,
    },
    /// It does not say what it is for.
    #[error("{name}: `purpose` and `source` must say something, also of every rule")]
    Undocumented {
        /// Name of the profile or path of its file.
        name: String,
    },
    /// Two rules share an id.
    #[error("{name}: the rule `{id}` is defined already; give yours an id of its own")]
    DefinedTwice {
        /// Name of the profile or path of its file.
        name: String,
        /// The id.
        id: String,
    },
    /// The order names rules that do not exist, or leaves some out.
    #[error("{name}: {message}")]
    Order {
        /// Name of the profile or path of its file.
        name: String,
        /// Which rule of which list.
        message: String,
    },
}

/// A profile's file, or one of the files of extraction rules: these define, and state no order and
/// no policy.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileFile {
    purpose: String,
    source: String,
    #[serde(default)]
    rule: Vec<Rule>,
    layout: Option<Layout>,
    #[serde(default)]
    extraction: Order,
    #[serde(default)]
    comparison: Stated,
    #[serde(default)]
    question: StatedHelps,
    #[serde(default)]
    step: Vec<Described>,
    #[serde(default)]
    case: Vec<ExtractionCase>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    id: String,
    purpose: String,
}

/// A completion and what is found in it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExtractionCase {
    pub purpose: String,
    pub completion: String,
    pub reference: String,
    pub answer: Option<String>,
    pub fires: Option<String>,
    pub silent: Option<String>,
}

impl Profile {
    /// The standard profile, `strict`.
    pub fn standard() -> &'static Self {
        static PROFILE: OnceLock<Profile> = OnceLock::new();
        PROFILE.get_or_init(|| Self::embedded().expect("a test reads the embedded rules"))
    }

    /// A profile that comes with the program; `None` where it has none of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        static PROFILES: OnceLock<Vec<Profile>> = OnceLock::new();
        if name == Self::standard().name {
            return Some(Self::standard());
        }
        let variant = |(name, text): (&str, &str)| {
            Self::parse(name, text).expect("a test reads the embedded profiles")
        };
        PROFILES
            .get_or_init(|| variants().map(variant).collect())
            .iter()
            .find(|profile| profile.name == name)
    }

    /// The names of the profiles that come with the program.
    pub fn names() -> impl Iterator<Item = &'static str> {
        [STANDARD]
            .into_iter()
            .chain(variants().map(|(name, _)| name))
    }

    /// Reads a profile that builds upon the standard one. `name`: its name, or the path of its
    /// file, for messages.
    ///
    /// # Errors
    /// What a profile does not have, rules that are defined twice, named wrongly or never used,
    /// each with the name.
    pub fn parse(name: &str, text: &str) -> Result<Self, ProfileError> {
        Self::standard().extended(name, [(name, text)])
    }

    /// The name in reports, or the path of its file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for, in a sentence.
    pub fn about(&self) -> &str {
        &self.purpose
    }

    /// What comparisons overlook, and what a question decides.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// What a rule of a trace is for.
    pub fn purpose(&self, id: &str) -> Option<&str> {
        let rule = self
            .defined
            .iter()
            .find(|rule| rule.id == id)
            .map(|rule| rule.purpose.as_str());
        rule.or_else(|| {
            self.steps
                .iter()
                .find(|step| step.id == id)
                .map(|step| step.purpose.as_str())
        })
    }

    /// Ids of all rules and steps that a trace may hold.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        let rules = self.rules.all().map(|rule| rule.id);
        rules.chain(self.steps.iter().map(|step| step.id.as_str()))
    }

    /// The cases that the profile's own file holds.
    pub(crate) fn cases(&self) -> &[ExtractionCase] {
        &self.cases
    }

    pub(super) fn rules(&self) -> &Rules {
        &self.rules
    }

    fn embedded() -> Result<Self, ProfileError> {
        let nothing = Self {
            name: String::new(),
            purpose: String::new(),
            policy: Policy::default(),
            rules: Rules::default(),
            defined: Vec::new(),
            order: Order::default(),
            steps: Vec::new(),
            cases: Vec::new(),
        };
        let standard = (STANDARD, rule_files::text("profiles/strict.toml"));
        nothing.extended(
            STANDARD,
            rule_files::in_folder("extractors").chain([standard]),
        )
    }

    /// What some files add to a profile, each to those before it; the last one's purpose and cases
    /// are the new profile's.
    fn extended<'f>(
        &self,
        name: &str,
        files: impl IntoIterator<Item = (&'f str, &'f str)>,
    ) -> Result<Self, ProfileError> {
        let mut new = Self {
            name: name.to_owned(),
            ..self.clone()
        };
        let mut layout = self.rules.layout.clone();
        for (name, text) in files {
            let file = ProfileFile::parse(name, text)?;
            define(name, &mut new.defined, file.rule)?;
            layout.extend(file.layout.unwrap_or_default());
            new.order = file.extraction.or(&new.order);
            new.policy = new.policy.with(file.comparison);
            new.policy.question = new.policy.question.with(file.question);
            new.steps.extend(file.step);
            (new.purpose, new.cases) = (file.purpose, file.case);
        }
        // A shorter order may leave out rules of the profile that is built upon; a rule of its own
        // in no list was forgotten.
        let own = &new.defined[self.defined.len()..];
        let refused = |error: OrderError| ProfileError::Order {
            name: name.to_owned(),
            message: error.to_string(),
        };
        new.rules = Rules::new(&new.defined, own, layout, &new.order).map_err(refused)?;
        Ok(new)
    }
}

/// The cases of an embedded file of extraction rules.
///
/// # Errors
/// A file that cannot be read.
pub(crate) fn extraction_cases(
    name: &str,
    text: &str,
) -> Result<Vec<ExtractionCase>, ProfileError> {
    ProfileFile::parse(name, text).map(|file| file.case)
}

fn define(name: &str, defined: &mut Vec<Rule>, rules: Vec<Rule>) -> Result<(), ProfileError> {
    for mut rule in rules {
        if rule.purpose.is_empty() {
            return Err(ProfileError::Undocumented {
                name: name.to_owned(),
            });
        }
        if defined.iter().any(|other| other.id == rule.id) {
            return Err(ProfileError::DefinedTwice {
                name: name.to_owned(),
                id: rule.id.to_owned(),
            });
        }
        rule.prepare();
        defined.push(rule);
    }
    Ok(())
}

impl ProfileFile {
    fn parse(name: &str, text: &str) -> Result<Self, ProfileError> {
        let file: Self = toml::from_str(text).map_err(|source| ProfileError::Toml {
            name: name.to_owned(),
            source: Box::new(source),
        })?;
        if file.purpose.is_empty() || file.source.is_empty() {
            return Err(ProfileError::Undocumented {
                name: name.to_owned(),
            });
        }
        Ok(file)
    }
}
