//! Extraction rules as data: what a rule looks for, and lists of rules in the order in which they
//! are tried.

use std::collections::BTreeSet;
use std::sync::Mutex;

use aho_corasick::packed::Searcher;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::ReferenceKind;

/// An id that lives as long as the process.
type Id = &'static str;

/// A way to find the answer in a completion.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::strict) struct Rule {
    /// Name in the profile and in traces.
    #[serde(deserialize_with = "permanent")]
    pub id: Id,
    /// What it is for, in a line.
    pub purpose: String,
    /// What it takes was announced as the answer, and does not merely come last.
    #[serde(default)]
    pub announces: bool,
    pub(super) matcher: Matcher,
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
    /// The last line with an equals sign.
    LastEquation,
    /// Words that say, last, that there is no answer.
    Refusal(Refusal),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refusal {
    /// What the words are; ASCII letters in either case.
    #[serde(deserialize_with = "some_marks")]
    pub words: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Boxed {
    /// The commands, with their backslash.
    #[serde(deserialize_with = "some_marks")]
    pub commands: Vec<String>,
    /// What may stand between two boxes that together are the answer.
    #[serde(deserialize_with = "marks")]
    pub joined_by: Vec<String>,
    /// What stands in a box that only repeats what the answer shall look like; in either case.
    #[serde(default)]
    pub placeholders: Vec<String>,
    /// Takes what is in the box even where an option letter is asked for and it holds none.
    #[serde(default)]
    pub any_content: bool,
    /// The commands, looked for at once.
    #[serde(skip)]
    pub any_command: AnyOf,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Phrase {
    /// How the phrase begins; ASCII letters in either case.
    #[serde(deserialize_with = "some_marks")]
    pub heads: Vec<String>,
    /// What must follow a head, such as `is` or a colon; none: the answer follows directly.
    #[serde(default, deserialize_with = "marks")]
    pub links: Vec<String>,
    /// How many bytes may stand between head and link.
    #[serde(default)]
    pub gap: usize,
    /// Words that must not stand before the head.
    #[serde(default, deserialize_with = "marks")]
    pub not_after: Vec<String>,
    /// Texts that must not follow the head.
    #[serde(default, deserialize_with = "marks")]
    pub not_before: Vec<String>,
    /// Words that must not begin the clause that the head stands in.
    #[serde(default, deserialize_with = "marks")]
    pub not_in_clause: Vec<String>,
    /// The head is the first thing in its line.
    #[serde(default)]
    pub line_start: bool,
    /// The head is, with its marks, all of its line: a heading.
    #[serde(default)]
    pub heading: bool,
    /// The answer must begin in the same line.
    #[serde(default)]
    pub same_line: bool,
    /// The phrase announces the answer so surely that what follows it is the answer, whatever it
    /// looks like.
    #[serde(default)]
    pub decides: bool,
    /// The heads with ASCII letters in lower case.
    #[serde(skip)]
    pub lower_heads: AnyOf,
    /// How the heads begin, in either case.
    #[serde(skip)]
    pub starts: Starts,
}

/// Texts that are looked for in one pass.
#[derive(Clone, Debug, Default)]
pub(super) struct AnyOf {
    texts: Vec<String>,
    /// Absent where no fast search suits the texts or the machine.
    searcher: Option<Searcher>,
}

impl AnyOf {
    fn new(texts: Vec<String>) -> Self {
        let searcher = Searcher::new(&texts);
        Self { texts, searcher }
    }

    /// Where the first of them stands.
    pub(super) fn find(&self, text: &str) -> Option<usize> {
        match &self.searcher {
            Some(searcher) => searcher.find(text).map(|found| found.start()),
            None => {
                let places = self.texts.iter().filter_map(|one| text.find(one.as_str()));
                places.min()
            }
        }
    }

    /// Whether one of them stands there.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.find(text).is_some()
    }
}

/// The first three bytes of some texts, which most places of a completion do not have.
#[derive(Clone, Debug, Default)]
pub(super) struct Starts([Bytes; 3]);

impl Starts {
    fn of(texts: &[String]) -> Self {
        Self([0, 1, 2].map(|place| Bytes::at(place, texts)))
    }

    /// Whether one of them may stand at the start of these bytes.
    pub(super) fn may_begin(&self, text: &[u8]) -> bool {
        let may = |(&byte, bytes): (&u8, &Bytes)| bytes.contains(byte);
        !text.is_empty() && text.iter().zip(&self.0).all(may)
    }
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
    /// The bytes at one place of some texts, ASCII letters in both cases; every byte where a text
    /// is too short.
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
    #[serde(deserialize_with = "mark")]
    pub mark: String,
}

/// What of a completion is looked at.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::strict) struct Layout {
    /// At the start of a line: the answer is over.
    #[serde(default, deserialize_with = "marks")]
    pub ends_at_line: Vec<String>,
    /// How these begin, in either case.
    #[serde(skip)]
    pub(super) line_starts: Starts,
    /// Anywhere: the answer is over.
    #[serde(default, deserialize_with = "marks")]
    pub ends_at: Vec<String>,
    /// How these begin, in either case.
    #[serde(skip)]
    pub(super) end_starts: Starts,
    /// At the start of a line, with a number or without and a colon behind: a problem, which is
    /// one of the model's own where the answer stands before it.
    #[serde(default, deserialize_with = "marks")]
    pub problems: Vec<String>,
    /// How these begin, in either case.
    #[serde(skip)]
    pub(super) problem_starts: Starts,
    /// The answer comes after the last of these.
    #[serde(default, deserialize_with = "marks")]
    pub begins_after: Vec<String>,
    /// What opens and what closes thoughts, in either case.
    #[serde(default)]
    pub thoughts: Vec<[String; 2]>,
    /// The same for words without markup, which open thoughts at the start of a text only, with a
    /// capital letter right behind.
    #[serde(default)]
    pub thoughts_at_start: Vec<[String; 2]>,
    /// The marks of thoughts, in lower case, that are tags.
    #[serde(skip)]
    pub(super) tags: Vec<String>,
    /// How these begin.
    #[serde(skip)]
    pub(super) tag_starts: Starts,
    /// The marks of thoughts, in lower case, that are no tags.
    #[serde(skip)]
    pub(super) plain_marks: AnyOf,
    /// By byte: whether a mark of thoughts begins with it.
    #[serde(skip)]
    pub(super) thought_begins: Bytes,
    /// Opens and closes a block that is passed over.
    #[serde(default, deserialize_with = "marks")]
    pub fences: Vec<String>,
    /// These, looked for at once.
    #[serde(skip)]
    pub(super) any_fence: AnyOf,
    /// Behind the opening fence: the block is looked at all the same.
    #[serde(default)]
    pub kept_blocks: Vec<String>,
}

/// A rule, or several of which the one wins that finds its answer later in the text.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(in crate::strict) enum Step {
    Rule(String),
    Latest(Vec<String>),
}

/// A list of rules for every kind of reference; absent ones are those of the profile that is built
/// upon.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::strict) struct Order {
    pub number: Option<Vec<Step>>,
    pub choice: Option<Vec<Step>>,
    pub formula: Option<Vec<Step>>,
    pub text: Option<Vec<Step>>,
}

/// The rules of a profile, in their order for every kind of reference.
#[derive(Clone, Debug, Default)]
pub(in crate::strict) struct Rules {
    pub layout: Layout,
    number: Vec<Vec<Rule>>,
    choice: Vec<Vec<Rule>>,
    formula: Vec<Vec<Rule>>,
    text: Vec<Vec<Rule>>,
}

/// Why an order of rules is refused.
#[derive(Debug, thiserror::Error)]
pub(in crate::strict) enum OrderError {
    #[error("`extraction.{list}` names `{id}`, which is no rule (known: {known})")]
    Unknown {
        list: &'static str,
        id: String,
        known: String,
    },
    #[error("`extraction.{list}` names `{id}` twice")]
    ListedTwice { list: &'static str, id: String },
    #[error("the rule `{0}` is in no list of `extraction`, so that it would never be tried")]
    Unlisted(&'static str),
}

impl Rules {
    /// Puts rules in order. `own`: rules that must be in one list at least.
    pub(in crate::strict) fn new(
        defined: &[Rule],
        own: &[Rule],
        layout: Layout,
        order: &Order,
    ) -> Result<Self, OrderError> {
        let in_order = |list, steps: &Option<Vec<Step>>| {
            in_order(list, steps.as_deref().unwrap_or_default(), defined)
        };
        let rules = Self {
            layout,
            number: in_order("number", &order.number)?,
            choice: in_order("choice", &order.choice)?,
            formula: in_order("formula", &order.formula)?,
            text: in_order("text", &order.text)?,
        };
        match own
            .iter()
            .find(|rule| rules.all().all(|listed| listed.id != rule.id))
        {
            Some(rule) => Err(OrderError::Unlisted(rule.id)),
            None => Ok(rules),
        }
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

    /// Every rule of every list; one that is in several lists comes several times.
    pub(in crate::strict) fn all(&self) -> impl Iterator<Item = &Rule> {
        [&self.number, &self.choice, &self.formula, &self.text]
            .into_iter()
            .flatten()
            .flatten()
    }
}

impl Order {
    /// Its own lists, and those of another one where it has none.
    pub(in crate::strict) fn or(self, other: &Self) -> Self {
        Self {
            number: self.number.or_else(|| other.number.clone()),
            choice: self.choice.or_else(|| other.choice.clone()),
            formula: self.formula.or_else(|| other.formula.clone()),
            text: self.text.or_else(|| other.text.clone()),
        }
    }
}

impl Layout {
    /// Looks at what another layout names too.
    pub(in crate::strict) fn extend(&mut self, other: Self) {
        self.ends_at_line.extend(other.ends_at_line);
        self.ends_at.extend(other.ends_at);
        self.problems.extend(other.problems);
        self.begins_after.extend(other.begins_after);
        self.thoughts.extend(other.thoughts);
        self.thoughts_at_start.extend(other.thoughts_at_start);
        self.fences.extend(other.fences);
        self.kept_blocks.extend(other.kept_blocks);
        // Made anew from all marks, those of the layout that is extended included.
        self.end_starts = Starts::of(&self.ends_at);
        self.any_fence = AnyOf::new(self.fences.clone());
        self.line_starts = Starts::of(&self.ends_at_line);
        self.problem_starts = Starts::of(&self.problems);
        let pairs = self.thoughts.iter().chain(&self.thoughts_at_start);
        let marks: Vec<String> = pairs
            .flatten()
            .chain(&self.begins_after)
            .map(|mark| mark.to_ascii_lowercase())
            .collect();
        self.thought_begins = Bytes::at(0, &marks);
        // A word that opens thoughts at the start only says nothing elsewhere.
        let at_start = |mark: &String| self.thoughts_at_start.iter().any(|[open, _]| open == mark);
        let (tags, plain): (Vec<_>, Vec<_>) = marks
            .into_iter()
            .filter(|mark| !at_start(mark))
            .partition(|mark| mark.starts_with('<'));
        self.tag_starts = Starts::of(&tags);
        (self.tags, self.plain_marks) = (tags, AnyOf::new(plain));
    }
}

impl Rule {
    /// Prepares what the matcher looks up at every byte of a text.
    pub(in crate::strict) fn prepare(&mut self) {
        match &mut self.matcher {
            Matcher::Phrase(phrase) => {
                phrase.starts = Starts::of(&phrase.heads);
                let lower = phrase.heads.iter().map(|head| head.to_ascii_lowercase());
                phrase.lower_heads = AnyOf::new(lower.collect());
            }
            Matcher::Boxed(boxed) => boxed.any_command = AnyOf::new(boxed.commands.clone()),
            _ => {}
        }
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

fn in_order(
    list: &'static str,
    steps: &[Step],
    defined: &[Rule],
) -> Result<Vec<Vec<Rule>>, OrderError> {
    let mut ordered = Vec::<Vec<Rule>>::with_capacity(steps.len());
    for step in steps {
        let mut rules = Vec::with_capacity(step.ids().len());
        for id in step.ids() {
            let rule =
                defined
                    .iter()
                    .find(|rule| rule.id == id)
                    .ok_or_else(|| OrderError::Unknown {
                        list,
                        id: id.clone(),
                        known: defined
                            .iter()
                            .map(|rule| rule.id)
                            .collect::<Vec<_>>()
                            .join(", "),
                    })?;
            if ordered
                .iter()
                .flatten()
                .chain(&rules)
                .any(|other| other.id == rule.id)
            {
                return Err(OrderError::ListedTwice {
                    list,
                    id: id.clone(),
                });
            }
            rules.push(rule.clone());
        }
        ordered.push(rules);
    }
    Ok(ordered)
}

/// Reads a text that is looked for: the empty one would be found everywhere, for ever.
fn mark<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        Err(D::Error::custom("must not be empty"))
    } else {
        Ok(text)
    }
}

/// Reads texts that are looked for.
fn marks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    struct Mark(#[serde(deserialize_with = "mark")] String);
    let texts = Vec::<Mark>::deserialize(deserializer)?;
    Ok(texts.into_iter().map(|Mark(text)| text).collect())
}

/// Reads texts that are looked for, one at least.
fn some_marks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let texts = marks(deserializer)?;
    if texts.is_empty() {
        Err(D::Error::custom("must not be empty"))
    } else {
        Ok(texts)
    }
}

/// Reads an id that lives as long as the process: traces of millions of answers share it, and
/// profiles are few.
fn permanent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Id, D::Error> {
    static IDS: Mutex<BTreeSet<Id>> = Mutex::new(BTreeSet::new());
    let id = mark(deserializer)?;
    let mut ids = IDS
        .lock()
        // A panic under the lock leaves a set to which one id was added or none: it stays usable.
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(known) = ids.get(id.as_str()) {
        return Ok(known);
    }
    // Once for each id, however many profiles are read.
    let id: Id = Box::leak(id.into_boxed_str());
    ids.insert(id);
    Ok(id)
}
