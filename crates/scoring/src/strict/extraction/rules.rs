//! The files of `answer-normalizers/extractors/` and the order in `profiles/strict.toml`, embedded and parsed once.
//!
//! A file holds one idea: what it is for, its rules, and the cases that prove them. What the engine does not know is refused:
//! an unknown key, a rule that is listed nowhere, an id that names no rule, an empty purpose.

use std::sync::OnceLock;

use serde::Deserialize;

use super::ReferenceKind;

macro_rules! files {
    ($($name:literal,)+) => {
        [$(($name, include_str!(concat!("../../../../../answer-normalizers/extractors/", $name)))),+]
    };
}

/// The embedded files, by name.
pub(super) const FILES: [(&str, &str); 9] = files![
    "answer_is.toml",
    "bold.toml",
    "boxed.toml",
    "chinese.toml",
    "code.toml",
    "hashes.toml",
    "last.toml",
    "letters.toml",
    "runs_on.toml",
];

pub(super) const PROFILE: &str = include_str!("../../../../../answer-normalizers/profiles/strict.toml");

/// A way to find the answer in a completion.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// Name in the profile and in traces.
    pub id: String,
    /// What it is for, in a line.
    purpose: String,
    pub matcher: Matcher,
}

/// The code behind a rule, with the data it works on.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Matcher {
    /// The argument of the last of some LaTeX commands.
    Boxed(Boxed),
    /// What follows the last of some phrases, up to the end of the sentence.
    Phrase(Box<Phrase>),
    /// What is set in bold in the last paragraph.
    Bold(Bold),
    /// The number that the last block of code prints, where nothing is said after it.
    Printed,
    /// The last formula between LaTeX delimiters.
    LastFormula,
    /// The last number.
    LastNumber,
    /// Option letters at the start of the text.
    FirstLetters,
    /// The last option letter that stands alone.
    LastLetters,
    /// The last line that is not blank.
    LastLine,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Boxed {
    /// The commands, with their backslash.
    pub commands: Vec<String>,
    /// What may stand between two boxes that together are the answer.
    pub joined_by: Vec<String>,
    /// Takes what is in the box even where an option letter is asked for and it holds none.
    #[serde(default)]
    pub any_content: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Phrase {
    /// How the phrase begins; ASCII letters in either case.
    pub heads: Vec<String>,
    /// What must follow a head, such as `is` or a colon; none: the answer follows directly.
    #[serde(default)]
    pub links: Vec<String>,
    /// How many bytes may stand between head and link.
    #[serde(default)]
    pub gap: usize,
    /// Words that must not stand before the head.
    #[serde(default)]
    pub not_after: Vec<String>,
    /// Texts that must not follow the head.
    #[serde(default)]
    pub not_before: Vec<String>,
    /// The head is the first thing in its line.
    #[serde(default)]
    pub line_start: bool,
    /// The answer must begin in the same line.
    #[serde(default)]
    pub same_line: bool,
    /// The phrase announces the answer so surely that what follows it is the answer, whatever it looks like.
    #[serde(default)]
    pub decides: bool,
    /// By byte: whether a head begins with it, in either case.
    #[serde(skip)]
    pub begins: Bytes,
    /// By byte: whether it is the second of a head, or one may follow a head of one byte.
    #[serde(skip)]
    pub continues: Bytes,
}

/// A set of bytes.
#[derive(Clone, Debug)]
pub(super) struct Bytes([bool; 256]);

impl Default for Bytes {
    fn default() -> Self {
        Self([false; 256])
    }
}

impl Bytes {
    /// The bytes at one place of some texts, ASCII letters in both cases; every byte where a text is too short.
    fn at(place: usize, texts: &[String]) -> Self {
        let mut set = Self::default();
        for text in texts {
            match text.as_bytes().get(place) {
                Some(byte) => {
                    set.0[usize::from(byte.to_ascii_lowercase())] = true;
                    set.0[usize::from(byte.to_ascii_uppercase())] = true;
                }
                None => set.0 = [true; 256],
            }
        }
        set
    }

    pub(super) fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bold {
    /// The mark on both sides.
    pub mark: String,
}

/// What of a completion is looked at.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Layout {
    /// At the start of a line: the answer is over.
    #[serde(default)]
    pub ends_at_line: Vec<String>,
    /// By byte: whether one of these begins with it, in either case.
    #[serde(skip)]
    pub line_begins: Bytes,
    /// Anywhere: the answer is over.
    #[serde(default)]
    pub ends_at: Vec<String>,
    /// The answer comes after the last of these.
    #[serde(default)]
    pub begins_after: Vec<String>,
    /// Opens and closes a block that is passed over.
    #[serde(default)]
    pub fences: Vec<String>,
    /// Behind the opening fence: the block is looked at all the same.
    #[serde(default)]
    pub kept_blocks: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    purpose: String,
    source: String,
    #[serde(default)]
    rule: Vec<Rule>,
    layout: Option<Layout>,
    #[cfg_attr(not(test), allow(dead_code))]
    pub case: Vec<Case>,
}

/// A completion and what is found in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(test), allow(dead_code))]
pub(super) struct Case {
    pub purpose: String,
    pub completion: String,
    pub reference: String,
    pub answer: Option<String>,
    pub fires: Option<String>,
    pub silent: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    number: Vec<Step>,
    choice: Vec<Step>,
    formula: Vec<Step>,
    text: Vec<Step>,
}

/// A rule, or several of which the one wins that finds its answer later in the text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Step {
    Rule(String),
    Latest(Vec<String>),
}

/// All rules, in the order of the profile for every kind of reference.
pub(super) struct Rules {
    pub layout: Layout,
    number: Vec<Vec<Rule>>,
    choice: Vec<Vec<Rule>>,
    formula: Vec<Vec<Rule>>,
    text: Vec<Vec<Rule>>,
}

/// The embedded rules.
pub(super) fn rules() -> &'static Rules {
    static RULES: OnceLock<Rules> = OnceLock::new();
    RULES.get_or_init(|| Rules::parse(&FILES, PROFILE).expect("a test parses the embedded rules"))
}

/// Why rules are refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum RulesError {
    #[error("{file}: {source}")]
    Toml { file: String, source: toml::de::Error },
    #[error("{0}: `purpose` and `source` must not be empty")]
    Undocumented(String),
    #[error("rule `{0}` is defined twice")]
    DefinedTwice(String),
    #[error("the profile lists `{0}`, which is no rule")]
    Unknown(String),
    #[error("the profile lists `{0}` twice")]
    ListedTwice(String),
    #[error("rule `{0}` is in no list of the profile")]
    Unlisted(String),
}

impl Rules {
    pub(super) fn parse(files: &[(&str, &str)], profile: &str) -> Result<Self, RulesError> {
        let (mut defined, mut layout) = (Vec::<Rule>::new(), Layout::default());
        for (name, text) in files {
            let file = File::parse(name, text)?;
            layout.extend(file.layout.unwrap_or_default());
            for mut rule in file.rule {
                if let Matcher::Phrase(phrase) = &mut rule.matcher {
                    (phrase.begins, phrase.continues) = (Bytes::at(0, &phrase.heads), Bytes::at(1, &phrase.heads));
                }
                if rule.purpose.is_empty() {
                    return Err(RulesError::Undocumented(rule.id));
                }
                if defined.iter().any(|other| other.id == rule.id) {
                    return Err(RulesError::DefinedTwice(rule.id));
                }
                defined.push(rule);
            }
        }
        layout.line_begins = Bytes::at(0, &layout.ends_at_line);
        let order = Order::parse(profile)?;
        let lists = [&order.number, &order.choice, &order.formula, &order.text];
        if let Some(rule) =
            defined.iter().find(|rule| !lists.iter().any(|list| list.iter().any(|step| step.ids().contains(&rule.id))))
        {
            return Err(RulesError::Unlisted(rule.id.clone()));
        }
        let [number, choice, formula, text] = lists.map(|list| in_order(list, &defined));
        Ok(Self { layout, number: number?, choice: choice?, formula: formula?, text: text? })
    }

    /// The steps for a kind of reference, the first one to be tried first.
    pub(super) fn order(&self, kind: ReferenceKind) -> &[Vec<Rule>] {
        match kind {
            ReferenceKind::Number => &self.number,
            ReferenceKind::Choice => &self.choice,
            ReferenceKind::Formula => &self.formula,
            ReferenceKind::Text => &self.text,
        }
    }
}

impl File {
    pub(super) fn parse(name: &str, text: &str) -> Result<Self, RulesError> {
        let file: Self = toml::from_str(text).map_err(|source| RulesError::Toml { file: name.to_owned(), source })?;
        if file.purpose.is_empty() || file.source.is_empty() {
            return Err(RulesError::Undocumented(name.to_owned()));
        }
        Ok(file)
    }
}

impl Order {
    /// The table `extraction`; the rest of the profile belongs to other stages.
    fn parse(profile: &str) -> Result<Self, RulesError> {
        #[derive(Deserialize)]
        struct Profile {
            extraction: Order,
        }
        let source = |source| RulesError::Toml { file: "strict.toml".to_owned(), source };
        toml::from_str::<Profile>(profile).map(|profile| profile.extraction).map_err(source)
    }
}

impl Layout {
    fn extend(&mut self, other: Self) {
        self.ends_at_line.extend(other.ends_at_line);
        self.ends_at.extend(other.ends_at);
        self.begins_after.extend(other.begins_after);
        self.fences.extend(other.fences);
        self.kept_blocks.extend(other.kept_blocks);
    }
}

impl Step {
    fn ids(&self) -> &[String] {
        match self {
            Self::Rule(id) => std::slice::from_ref(id),
            Self::Latest(ids) => ids,
        }
    }
}

fn in_order(list: &[Step], defined: &[Rule]) -> Result<Vec<Vec<Rule>>, RulesError> {
    let mut steps = Vec::<Vec<Rule>>::with_capacity(list.len());
    for step in list {
        steps.push(Vec::new());
        for id in step.ids() {
            let rule = defined.iter().find(|rule| &rule.id == id).ok_or_else(|| RulesError::Unknown(id.clone()))?;
            if steps.iter().flatten().any(|other| &other.id == id) {
                return Err(RulesError::ListedTwice(id.clone()));
            }
            steps.last_mut().expect("pushed above").push(rule.clone());
        }
    }
    Ok(steps)
}
