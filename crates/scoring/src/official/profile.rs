//! The ordered lists of rules in `answer-normalizers/profiles/official.toml`: ids there, code here.
//!
//! The file is embedded and parsed once. An id that names no rule, a rule named twice, an unknown
//! key and an empty purpose are refused.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::rule_files;

/// An enum of rules whose names in the profile, and in traces, are their ids.
macro_rules! rules {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $id:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
        pub(crate) enum $name {
            $(#[serde(rename = $id)] $variant,)+
        }

        impl $name {
            /// The id in the profile and in traces.
            pub(crate) const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)+ }
            }
        }
    };
}

rules! {
    /// A way to find the answer in a completion; `extraction` holds the code.
    Extractor {
        Boxed = "extract/boxed",
        Number = "extract/number",
        AnswerIs = "extract/answer-is",
        SolutionIs = "extract/solution-is",
        Is = "extract/is",
        Nothing = "extract/nothing",
    }
}

rules! {
    /// A step of cleaning a text; `rewriting` holds the code.
    Rewrite {
        ParenthesisedFraction = "rewrite/parenthesised-fraction",
        Comma = "rewrite/comma",
        Newline = "rewrite/newline",
        NegativeSpace = "rewrite/negative-space",
        DoubleBackslash = "rewrite/double-backslash",
        FractionSize = "rewrite/fraction-size",
        LeftRight = "rewrite/left-right",
        Degree = "rewrite/degree",
        Dollar = "rewrite/dollar",
        Unit = "rewrite/unit",
        Percent = "rewrite/percent",
        InnerLeadingZero = "rewrite/inner-leading-zero",
        StopWhenEmpty = "rewrite/stop-when-empty",
        LeadingZero = "rewrite/leading-zero",
        LeftHandSide = "rewrite/left-hand-side",
        SquareRoot = "rewrite/square-root",
        Quad = "rewrite/quad",
        Space = "rewrite/space",
        FractionBraces = "rewrite/fraction-braces",
        Half = "rewrite/half",
        Slash = "rewrite/slash",
    }
}

rules! {
    /// A rule that may decide whether answer and reference are equal; `equality` holds the code.
    Equality {
        Missing = "equal/missing",
        Uncleaned = "equal/uncleaned",
        Number = "equal/number",
        InlineFormula = "equal/inline-formula",
        AnswerInReference = "equal/answer-in-reference",
        ReferenceInAnswer = "equal/reference-in-answer",
        Identical = "equal/identical",
    }
}

/// The three lists, each in the order of the file.
pub(crate) struct Profile {
    pub(crate) extractors: Vec<Extractor>,
    pub(crate) rewrites: Vec<Rewrite>,
    pub(crate) equalities: Vec<Equality>,
    /// What each rule is for, by its id.
    pub(crate) purposes: HashMap<&'static str, String>,
}

/// The official profile.
pub(crate) fn profile() -> &'static Profile {
    static PROFILE: OnceLock<Profile> = OnceLock::new();
    PROFILE.get_or_init(|| {
        Profile::parse(rule_files::text("profiles/official.toml"))
            .expect("a test parses the embedded profile")
    })
}

/// Why a profile is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProfileError {
    #[error("not a profile: {0}")]
    Toml(#[from] toml::de::Error),
    #[error("`purpose` and `source` of the profile must not be empty")]
    Undocumented,
    #[error("rule `{0}`: `purpose` must not be empty")]
    NoPurpose(&'static str),
    #[error("rule `{0}` is listed twice")]
    ListedTwice(&'static str),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    purpose: String,
    source: String,
    extractor: Vec<Entry<Extractor>>,
    rewrite: Vec<Entry<Rewrite>>,
    equality: Vec<Entry<Equality>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry<Rule> {
    id: Rule,
    purpose: String,
}

impl Profile {
    fn parse(text: &str) -> Result<Self, ProfileError> {
        let file: File = toml::from_str(text)?;
        if file.purpose.is_empty() || file.source.is_empty() {
            return Err(ProfileError::Undocumented);
        }
        let mut purposes = HashMap::new();
        Ok(Self {
            extractors: ordered(file.extractor, Extractor::id, &mut purposes)?,
            rewrites: ordered(file.rewrite, Rewrite::id, &mut purposes)?,
            equalities: ordered(file.equality, Equality::id, &mut purposes)?,
            purposes,
        })
    }
}

fn ordered<Rule: Copy + PartialEq>(
    entries: Vec<Entry<Rule>>,
    id: fn(Rule) -> &'static str,
    purposes: &mut HashMap<&'static str, String>,
) -> Result<Vec<Rule>, ProfileError> {
    let mut rules = Vec::with_capacity(entries.len());
    for entry in entries {
        if entry.purpose.is_empty() {
            return Err(ProfileError::NoPurpose(id(entry.id)));
        }
        if rules.contains(&entry.id) {
            return Err(ProfileError::ListedTwice(id(entry.id)));
        }
        rules.push(entry.id);
        purposes.insert(id(entry.id), entry.purpose);
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn official_profile_lists_every_rule_and_the_last_ones_always_apply() {
        let profile = profile();
        assert_eq!(
            (
                profile.extractors.len(),
                profile.rewrites.len(),
                profile.equalities.len()
            ),
            (6, 21, 7)
        );
        assert_eq!(profile.extractors.last(), Some(&Extractor::Nothing));
        assert_eq!(profile.equalities.last(), Some(&Equality::Identical));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        let refusal = |from: &str, to: &str| {
            let official = rule_files::text("profiles/official.toml");
            let text = official.replacen(from, to, 1);
            assert_ne!(text, official);
            Profile::parse(&text).err().expect("a refusal").to_string()
        };
        assert!(refusal("extract/boxed", "extract/box").contains("unknown variant `extract/box`"));
        assert!(refusal("source = ", "origin = ").contains("unknown field `origin`"));
        assert!(
            refusal("id = \"rewrite/comma\"", "id = \"rewrite/comma\"\nwhen = 1")
                .contains("unknown field `when`")
        );
        assert_eq!(
            refusal("rewrite/newline", "rewrite/comma"),
            "rule `rewrite/comma` is listed twice"
        );
        assert_eq!(
            refusal("purpose = \"Newlines are deleted.\"", "purpose = \"\""),
            "rule `rewrite/newline`: `purpose` must not be empty"
        );
    }
}
