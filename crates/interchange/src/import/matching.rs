//! Items → problems: those of known sets where the question is one of theirs, else problems of sets
//! of their own.

use std::collections::{HashMap, HashSet};

use dataset_loader::{Benchmark, Fields, Problem, Set, Task, check_name};

use super::affixes;
use super::error::{ImportError, ImportErrorKind};
use super::items::Item;
use super::{Key, SourceFormat};

/// Longest id of a problem of one's own, in letters.
const MAX_ID_LETTERS: usize = 100;

/// The problems among which questions are looked for.
#[derive(Clone, Debug)]
pub struct KnownProblems {
    /// The problems.
    pub problems: Vec<Problem>,
    /// Name of the data in tables.
    pub name: String,
    /// Whether they are the program's own bundled problems.
    pub bundled: bool,
    /// BLAKE3 (hex) of the data.
    pub digest: String,
}

/// What became of the items.
pub(crate) struct Matched {
    /// The problems, known ones in their own order first, each with the place of its item.
    pub(crate) problems: Vec<(Problem, usize)>,
    /// The sets of those that are not known.
    pub(crate) own_sets: Vec<Set>,
    /// How many are known.
    pub(crate) known: usize,
    /// The text around every question, where the questions were found in prompts.
    pub(crate) around: Option<(String, String)>,
    pub(crate) notes: Vec<String>,
}

/// Finds the problem of each item.
///
/// # Errors
/// An item of no known problem that has no reference.
pub(crate) fn matched(
    benchmark: &Benchmark,
    known: &KnownProblems,
    items: &[Item],
    format: SourceFormat,
) -> Result<Matched, ImportError> {
    let index = Index::of(&known.problems);
    let (questions, around) = questions(items, &index);
    let mut notes = Vec::new();
    let found = index.assign(items, &questions);
    let mut of_known: Vec<(usize, usize)> = Vec::new();
    let mut own: Vec<usize> = Vec::new();
    for (place, found) in found.iter().enumerate() {
        match found {
            Some(problem) => of_known.push((*problem, place)),
            None => own.push(place),
        }
    }
    of_known.sort_unstable();
    note_other_references(&mut notes, known, items, &of_known);
    let mut problems: Vec<(Problem, usize)> = of_known
        .iter()
        .map(|(problem, place)| (known.problems[*problem].clone(), *place))
        .collect();
    let mut sets = OwnSets::new(benchmark, format);
    let mut unasked = 0;
    for place in own {
        let item = &items[place];
        let question = questions[place].clone().unwrap_or_else(|| {
            unasked += 1;
            format!("(the question of {} {} is unknown)", item.task, item.id)
        });
        problems.push((sets.problem(item, question)?, place));
    }
    if unasked > 0 {
        notes.push(format!("{unasked} items come without their question: nothing that a question asks for is looked at when they are judged"));
    }
    let known_count = of_known.len();
    for set in &sets.sets {
        let n = set.count();
        notes.push(match known_count {
            0 => format!("no question of {} is one of a known set: they form a set of their own, in no average", set.name),
            _ => format!("{n} questions are of no known set: they form the set {}, in no average", set.name),
        });
    }
    Ok(Matched {
        problems,
        own_sets: sets.sets,
        known: known_count,
        around,
        notes,
    })
}

/// The question of each item, and the text around it where the questions stand in prompts alone.
fn questions(items: &[Item], index: &Index<'_>) -> (Vec<Option<String>>, Option<(String, String)>) {
    let mut questions: Vec<Option<String>> = items
        .iter()
        .map(|item| item.question().map(str::to_string))
        .collect();
    let mut around = None;
    let mut tasks: Vec<&str> = items.iter().map(|item| item.task.as_str()).collect();
    tasks.dedup();
    for task in tasks {
        let places: Vec<usize> = (0..items.len())
            .filter(|&place| items[place].task == task && questions[place].is_none())
            .filter(|&place| items[place].prompt().is_some())
            .collect();
        if places.is_empty() {
            continue;
        }
        let prompts: Vec<&str> = places
            .iter()
            .filter_map(|&place| items[place].prompt())
            .collect();
        let (before, after) = affixes::around(&prompts, |text| index.holds(text));
        for &place in &places {
            let inner = items[place]
                .prompt()
                .and_then(|prompt| affixes::inner(prompt, before, after));
            questions[place] = inner
                .filter(|text| !text.trim().is_empty())
                .map(str::to_string);
        }
        around = Some((before.to_string(), after.to_string()));
    }
    (questions, around)
}

fn note_other_references(
    notes: &mut Vec<String>,
    known: &KnownProblems,
    items: &[Item],
    of_known: &[(usize, usize)],
) {
    let differing: Vec<String> = of_known
        .iter()
        .filter_map(|(problem, place)| {
            let (problem, theirs) = (&known.problems[*problem], items[*place].reference()?);
            let same = plain(theirs) == plain(&problem.reference) || theirs.trim().is_empty();
            (!same).then(|| {
                format!(
                    "{}: \"{}\" there, \"{}\" here",
                    problem.id,
                    shortened(theirs),
                    shortened(&problem.reference)
                )
            })
        })
        .collect();
    if let Some(first) = differing.first() {
        notes.push(format!(
            "{} of {} known problems have another reference there, and are judged by the one here ({first})",
            differing.len(),
            of_known.len()
        ));
    }
}

fn shortened(text: &str) -> String {
    const LETTERS: usize = 40;
    match text.chars().count() > LETTERS {
        true => format!("{}…", text.chars().take(LETTERS).collect::<String>()),
        false => text.to_string(),
    }
}

/// A text with every run of blanks as one.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

struct Index<'a> {
    problems: &'a [Problem],
    by_question: HashMap<String, Vec<usize>>,
}

impl<'a> Index<'a> {
    fn of(problems: &'a [Problem]) -> Self {
        let mut by_question: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, problem) in problems.iter().enumerate() {
            by_question
                .entry(plain(&problem.question))
                .or_default()
                .push(place);
        }
        Self {
            problems,
            by_question,
        }
    }

    fn holds(&self, question: &str) -> bool {
        self.by_question.contains_key(&plain(question))
    }

    fn of_question(&self, question: &str) -> &[usize] {
        self.by_question
            .get(&plain(question))
            .map_or(&[], Vec::as_slice)
    }

    /// The problem of each item, each problem once. Of several with the same question that of the
    /// task to which most of the item's own task belong.
    fn assign(&self, items: &[Item], questions: &[Option<String>]) -> Vec<Option<usize>> {
        let mut hits: HashMap<&str, HashMap<&str, usize>> = HashMap::new();
        for (item, question) in items.iter().zip(questions) {
            let places = question
                .as_deref()
                .map_or(&[][..], |text| self.of_question(text));
            let tasks: HashSet<&str> = places
                .iter()
                .map(|&place| self.problems[place].task.as_str())
                .collect();
            for task in tasks {
                *hits.entry(&item.task).or_default().entry(task).or_default() += 1;
            }
        }
        let likely = |task: &str| -> Option<&str> {
            let of_task = hits.get(task)?;
            // By name where two have as many, so that the choice does not depend on a hash.
            of_task
                .iter()
                .max_by_key(|(name, count)| (**count, **name == task, std::cmp::Reverse(**name)))
                .map(|(name, _)| *name)
        };
        let mut used = HashSet::new();
        let mut found = Vec::new();
        for (item, question) in items.iter().zip(questions) {
            let places = question
                .as_deref()
                .map_or(&[][..], |text| self.of_question(text));
            let free = || places.iter().copied().filter(|place| !used.contains(place));
            let likely = likely(&item.task);
            let preferred =
                free().find(|&place| Some(self.problems[place].task.as_str()) == likely);
            let choice = preferred.or_else(|| free().next());
            used.extend(choice);
            found.push(choice);
        }
        found
    }
}

/// The sets of problems that are of no known one, one for each task of the files.
struct OwnSets<'a> {
    benchmark: &'a Benchmark,
    format: SourceFormat,
    sets: Vec<Set>,
    /// The set of each task.
    names: HashMap<String, usize>,
    ids: HashSet<String>,
}

impl<'a> OwnSets<'a> {
    fn new(benchmark: &'a Benchmark, format: SourceFormat) -> Self {
        Self {
            benchmark,
            format,
            sets: Vec::new(),
            names: HashMap::new(),
            ids: HashSet::new(),
        }
    }

    fn problem(&mut self, item: &Item, question: String) -> Result<Problem, ImportError> {
        let reference = match item.reference() {
            Some(reference) if !reference.trim().is_empty() => reference.to_string(),
            Some(_) => {
                let message = "its reference is blank".to_string();
                return Err(ImportError::at(
                    item.at(),
                    ImportErrorKind::Malformed(message),
                ));
            }
            None => {
                let kind = ImportErrorKind::MissingField {
                    key: Key::Reference,
                    field: Key::Reference.name().to_string(),
                    fields: item.samples[0].leftovers.keys().cloned().collect(),
                };
                return Err(ImportError::at(item.at(), kind));
            }
        };
        let place = match self.names.get(&item.task) {
            Some(place) => *place,
            None => {
                let set = own_set(&self.free_name(&item.task));
                self.sets.push(set);
                self.names.insert(item.task.clone(), self.sets.len() - 1);
                self.sets.len() - 1
            }
        };
        let set = &mut self.sets[place];
        set.tasks[0].count += 1;
        let own = item.id.split_whitespace().collect::<Vec<_>>().join("_");
        let own: String = own.chars().take(MAX_ID_LETTERS).collect();
        let mut id = format!("{}/{own}", set.name);
        while !self.ids.insert(id.clone()) {
            id.push('+');
        }
        Ok(Problem {
            id,
            set: set.name.clone(),
            task: set.name.clone(),
            question,
            reference,
        })
    }

    /// A name that no set or task has: the task's own, where it can be one.
    fn free_name(&self, task: &str) -> String {
        const MAX_LETTERS: usize = 48;
        let letter = |letter: char| match letter.to_ascii_lowercase() {
            letter @ ('a'..='z' | '0'..='9') => letter,
            _ => '_',
        };
        let name: String = task.chars().map(letter).take(MAX_LETTERS).collect();
        let name = match name.trim_matches('_') {
            "" => self.format.name().replace('-', "_"),
            name => name.to_string(),
        };
        let is_free = |name: &str| {
            check_name(self.benchmark, name).is_ok()
                && !self.sets.iter().any(|set| set.name == name)
        };
        if is_free(&name) {
            return name;
        }
        let imported = format!("{name}_imported");
        let numbered = (2..).map(|number| format!("{imported}_{number}"));
        let mut all = std::iter::once(imported.clone()).chain(numbered);
        all.find(|name| is_free(name)).unwrap_or(imported)
    }
}

fn own_set(name: &str) -> Set {
    let text = str::to_string;
    Set {
        name: text(name),
        title: text(name),
        level: text("own"),
        difficulty: String::new(),
        question_type: text("Word"),
        language: text("En"),
        train_count: 0,
        in_average: false,
        on_request: false,
        answers: None,
        examples_from: None,
        scoring_profile: text("strict"),
        source: None,
        note: None,
        publisher: None,
        fields: Fields {
            task: text("data_topic"),
            number: text("question_number"),
            question: text("question"),
            reference: text("answer"),
            origin: text("data_source"),
            license: text("license"),
            extra: Vec::new(),
        },
        tasks: vec![Task {
            name: text(name),
            count: 0,
            subject: None,
        }],
    }
}
