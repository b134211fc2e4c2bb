//! The data tables of `answer-normalizers/rewrites/`, embedded and read once.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::OnceLock,
};

use dashu_int::IBig;
use dashu_ratio::RBig;
use serde::Deserialize;

macro_rules! files {
    ($($name:literal),+) => {
        [$(($name, include_str!(concat!("../../../../answer-normalizers/rewrites/", $name)))),+]
    };
}

/// Name and content of the files of `answer-normalizers/rewrites/`, in the order of the names.
pub const TABLES: [(&str, &str); 3] = files!["symbols.toml", "units.toml", "words.toml"];

/// A case of the tables: what a text shows when it is read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it is for.
    pub purpose: String,
    /// What is read.
    pub text: String,
    /// What it is read as, in the notation of [`notation`](crate::notation).
    pub shows: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Symbols {
    purpose: String,
    source: String,
    characters: BTreeMap<char, String>,
    functions: HashMap<String, String>,
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Units {
    purpose: String,
    source: String,
    unit: Vec<UnitWords>,
    powers: HashMap<String, u32>,
    scales: HashMap<String, u32>,
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitWords {
    kind: UnitKind,
    name: String,
    /// Its dimension, where it measures something.
    measures: Option<String>,
    /// What one of it is in the first unit of its dimension, as a fraction.
    size: Option<String>,
    words: Vec<String>,
}

/// What a unit measures, and what one of it is in the first unit of that dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Measure {
    pub dimension: String,
    pub size: RBig,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    purpose: String,
    source: String,
    and: Vec<String>,
    or: Vec<String>,
    condition: Vec<String>,
    otherwise: Vec<String>,
    ordered: Vec<String>,
    opening: HashSet<String>,
    sentence: HashSet<String>,
    english: HashSet<String>,
    numbers: HashMap<String, i64>,
    parts: HashMap<String, i64>,
    counts: HashMap<String, i64>,
    notations: HashMap<String, String>,
    synonyms: HashMap<String, String>,
    case: Vec<Case>,
}

/// What sort of unit a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum UnitKind {
    Named,
    Money,
    Percent,
    Degrees,
}

/// A word that joins answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connective {
    And,
    Or,
    Condition,
    Otherwise,
}

/// All tables, ready for look-ups.
pub(super) struct Tables {
    /// Characters outside ASCII and what takes their place.
    pub characters: HashMap<char, String>,
    /// Second names of functions.
    pub functions: HashMap<String, String>,
    /// Powers that words give to the unit behind them.
    pub unit_powers: HashMap<String, u32>,
    /// Powers of ten that words multiply by.
    pub scales: HashMap<String, u32>,
    /// Phrases by which a question asks for an order, in lower case.
    pub ordered: Vec<String>,
    /// Words that may stand before an answer.
    pub opening: HashSet<String>,
    /// Words that make a sentence of what stands around them.
    pub sentence: HashSet<String>,
    /// Short words that are no products of variables.
    pub english: HashSet<String>,
    /// Numbers in words.
    pub numbers: HashMap<String, i64>,
    /// Parts of one: `third` is one of 3.
    pub parts: HashMap<String, i64>,
    /// How many a word behind a number counts, as a dozen does.
    pub counts: HashMap<String, i64>,
    /// Answers in words that have a notation.
    pub notations: HashMap<String, String>,
    /// Answers in words with another spelling.
    pub synonyms: HashMap<String, String>,
    /// What the files show of themselves.
    pub cases: Vec<(&'static str, Case)>,
    connectives: HashMap<String, Connective>,
    units: HashMap<String, (UnitKind, String)>,
    /// Units by their one spelling, where they measure something.
    measures: HashMap<String, Measure>,
}

impl Tables {
    /// The unit of that word: as written, or in lower case where it has three letters or more, so
    /// that `M` is no `m`.
    pub(super) fn unit(&self, word: &str) -> Option<&(UnitKind, String)> {
        self.units.get(word).or_else(|| {
            let lowered = (word.chars().count() >= 3).then(|| word.to_lowercase())?;
            self.units.get(&lowered)
        })
    }

    /// Whether a word alone is a number.
    pub(super) fn is_number(&self, word: &str) -> bool {
        matches!(word, "half" | "first" | "second")
            || self.numbers.contains_key(word)
            || self.parts.contains_key(word)
    }

    /// The connective of that word, in any case of letters.
    pub(super) fn connective(&self, word: &str) -> Option<Connective> {
        self.connectives
            .get(word)
            .or_else(|| self.connectives.get(&word.to_lowercase()))
            .copied()
    }
}

/// The tables; they are read when first asked for.
pub(super) fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| build().expect("embedded tables are tested to be readable"))
}

fn build() -> Result<Tables, toml::de::Error> {
    let [symbols, units, words] = TABLES.map(|(_, text)| text);
    let symbols: Symbols = toml::from_str(symbols)?;
    let units: Units = toml::from_str(units)?;
    let words: Words = toml::from_str(words)?;
    debug_assert!(
        ![&symbols.purpose, &units.purpose, &words.purpose]
            .iter()
            .any(|text| text.is_empty())
    );
    debug_assert!(
        ![&symbols.source, &units.source, &words.source]
            .iter()
            .any(|text| text.is_empty())
    );

    let mut connectives = HashMap::new();
    for (list, meaning) in [
        (words.and, Connective::And),
        (words.or, Connective::Or),
        (words.condition, Connective::Condition),
        (words.otherwise, Connective::Otherwise),
    ] {
        connectives.extend(list.into_iter().map(|word| (word, meaning)));
    }
    let mut by_word = HashMap::new();
    let mut measures = HashMap::new();
    for unit in units.unit {
        if let (Some(dimension), Some(size)) = (unit.measures, unit.size) {
            let size = fraction(&size);
            measures.insert(unit.name.clone(), Measure { dimension, size });
        }
        for word in unit.words {
            by_word.insert(word, (unit.kind, unit.name.clone()));
        }
    }
    let cases = [
        ("symbols.toml", symbols.case),
        ("units.toml", units.case),
        ("words.toml", words.case),
    ];
    Ok(Tables {
        characters: symbols.characters.into_iter().collect(),
        functions: symbols.functions,
        unit_powers: units.powers,
        scales: units.scales,
        ordered: words.ordered,
        opening: words.opening,
        sentence: words.sentence,
        english: words.english,
        numbers: words.numbers,
        parts: words.parts,
        counts: words.counts,
        notations: words.notations,
        synonyms: words.synonyms,
        cases: cases
            .into_iter()
            .flat_map(|(file, list)| list.into_iter().map(move |case| (file, case)))
            .collect(),
        connectives,
        units: by_word,
        measures,
    })
}

/// `127/5000` or `60`.
fn fraction(text: &str) -> RBig {
    let (over, under) = text.split_once('/').unwrap_or((text, "1"));
    let part = |digits: &str| IBig::from_str_radix(digits, 10).expect("a test reads the sizes");
    RBig::from_parts_signed(part(over), part(under))
}

/// What a unit of that spelling measures.
pub(crate) fn measure(name: &str) -> Option<&'static Measure> {
    tables().measures.get(name)
}
