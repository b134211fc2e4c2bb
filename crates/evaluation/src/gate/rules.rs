//! The rules of a gate: `mwpbench.toml`, and what the command line says in their place.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fault::{Class, Fault};
use serde::Deserialize;
use toml::Spanned;

use scoring::Scorer;

/// Largest drop that passes where nothing else is said, as a proportion: 1 point.
const MAX_DROP: f64 = 0.01;
const ALPHA: f64 = 0.05;

/// The rules of a gate. Accuracies, drops and rates are proportions in 0..=1; in `mwpbench.toml`
/// they are per cent.
#[derive(Clone, Debug, PartialEq)]
pub struct GateRules {
    /// Largest drop that passes, where a rule does not say its own.
    pub max_drop: f64,
    /// How often a rule may wrongly fail, or wrongly pass, above 0 and below 0.5.
    pub alpha: f64,
    /// Whose verdicts count.
    pub scorer: Scorer,
    /// Whether any significant drop fails, however small.
    pub strict: bool,
    /// Whether imported runs are judged of which template or decoding are unknown. No file of rules
    /// may allow it for good.
    pub allow_unknown: bool,
    /// Largest share of failed completions; above it a run is broken and nothing is decided.
    pub max_failed_rate: f64,
    /// Limits of the candidate over all items, whatever the baseline.
    pub limits: Limits,
    /// Rules for the micro average, which is always asked for its drop.
    pub micro: ScopeRules,
    /// Rules for the macro average.
    pub macro_: ScopeRules,
    /// Rules for single sets, by name.
    pub sets: BTreeMap<String, ScopeRules>,
}

/// Rules for one average or set.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ScopeRules {
    /// Largest drop that passes; `None` where the drop is not asked for (for the micro average: the
    /// general one).
    pub max_drop: Option<f64>,
    /// Smallest accuracy of the candidate that passes, whatever the baseline.
    pub floor: Option<f64>,
    /// Limits of the candidate on a set.
    pub limits: Limits,
}

/// Limits of a candidate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Largest share of completions from which nothing can be extracted.
    pub no_answer: Option<f64>,
    /// Largest share of completions that are cut at the token limit.
    pub truncated: Option<f64>,
}

/// What the command line says; it wins over the file.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GateFlags {
    /// In place of every largest drop that the file states, in points.
    pub max_drop: Option<f64>,
    /// In place of the file's.
    pub alpha: Option<f64>,
    /// In place of the file's.
    pub scorer: Option<Scorer>,
    /// Whether any significant drop fails.
    pub strict: bool,
    /// Whether imported runs are judged of which template or decoding are unknown.
    pub allow_unknown: bool,
}

/// Why rules are refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GateRulesError {
    /// A file that cannot be read.
    #[error("cannot read {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A key or value that there is not.
    #[error("{}, line {line}: {message}", file.display())]
    Refused {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong and what is possible.
        message: String,
    },
    /// An option out of its range.
    #[error("{option}: {message}")]
    Option {
        /// Its name.
        option: &'static str,
        /// What is possible.
        message: String,
    },
    /// A rule about a set that there is not.
    #[error("{}, line {line}: there is no set \"{set}\" in these runs or the benchmark (known: {known})", file.display())]
    NoSuchSet {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The name.
        set: String,
        /// The names that there are.
        known: String,
    },
}

impl Fault for GateRulesError {
    fn class(&self) -> Class {
        Class::Usage
    }
}

impl Default for GateRules {
    fn default() -> Self {
        Self {
            max_drop: MAX_DROP,
            alpha: ALPHA,
            scorer: Scorer::default(),
            strict: false,
            allow_unknown: false,
            max_failed_rate: 0.0,
            limits: Limits::default(),
            micro: ScopeRules::default(),
            macro_: ScopeRules::default(),
            sets: BTreeMap::new(),
        }
    }
}

impl GateRules {
    /// Reads `mwpbench.toml`. `own_sets`: names of sets beside the benchmark's that rules may be
    /// about.
    ///
    /// # Errors
    /// A file that cannot be read, unknown keys and sets, values out of their range, each with its
    /// line.
    pub fn read(file: &Path, own_sets: &[String]) -> Result<Self, GateRulesError> {
        let text = std::fs::read_to_string(file).map_err(|source| GateRulesError::Unreadable {
            file: file.to_path_buf(),
            source,
        })?;
        Reader { file, text: &text }.rules(own_sets)
    }

    /// These rules, with what the command line says in their place.
    ///
    /// # Errors
    /// An option out of its range.
    pub fn with(mut self, flags: &GateFlags) -> Result<Self, GateRulesError> {
        if let Some(points) = flags.max_drop {
            let max_drop = proportion(points).map_err(|message| GateRulesError::Option {
                option: "max-drop",
                message,
            })?;
            self.max_drop = max_drop;
            let scopes = [&mut self.micro, &mut self.macro_]
                .into_iter()
                .chain(self.sets.values_mut());
            scopes
                // Only in place of margins that are stated: a flag changes how much may be lost,
                // not what is asked.
                .filter_map(|scope| scope.max_drop.as_mut())
                .for_each(|stated| *stated = max_drop);
        }
        if let Some(alpha) = flags.alpha {
            self.alpha = checked_alpha(alpha).map_err(|message| GateRulesError::Option {
                option: "alpha",
                message,
            })?;
        }
        self.scorer = flags.scorer.unwrap_or(self.scorer);
        self.strict |= flags.strict;
        self.allow_unknown |= flags.allow_unknown;
        Ok(self)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    gate: Option<GateTable>,
    /// Suites of one's own, which are no rules: [`crate::Suites`] reads them.
    #[serde(default, rename = "suites")]
    _suites: BTreeMap<String, Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct GateTable {
    max_drop: Option<Spanned<f64>>,
    alpha: Option<Spanned<f64>>,
    scorer: Option<Scorer>,
    strict: Option<bool>,
    max_failed_rate: Option<Spanned<f64>>,
    max_no_answer_rate: Option<Spanned<f64>>,
    max_truncated_rate: Option<Spanned<f64>>,
    micro: Option<Spanned<AverageTable>>,
    #[serde(rename = "macro")]
    macro_: Option<Spanned<AverageTable>>,
    #[serde(default)]
    sets: BTreeMap<String, Spanned<SetTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AverageTable {
    max_drop: Option<Spanned<f64>>,
    floor: Option<Spanned<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetTable {
    max_drop: Option<Spanned<f64>>,
    floor: Option<Spanned<f64>>,
    max_no_answer_rate: Option<Spanned<f64>>,
    max_truncated_rate: Option<Spanned<f64>>,
}

/// A file while it is turned into rules.
struct Reader<'a> {
    file: &'a Path,
    text: &'a str,
}

impl Reader<'_> {
    fn rules(&self, own_sets: &[String]) -> Result<GateRules, GateRulesError> {
        // Unknown keys are refused: a rule with a slip in its name would never be asked.
        let file: File = toml::from_str(self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            self.refused(at, error.message().trim().replace('\n', " "))
        })?;
        let table = file.gate.unwrap_or_default();
        let standard = GateRules::default();
        let mut sets = BTreeMap::new();
        for (name, table) in &table.sets {
            self.check_set(name, table.span().start, own_sets)?;
            let set = table.as_ref();
            let limits = self.limits(&set.max_no_answer_rate, &set.max_truncated_rate)?;
            let rules = ScopeRules {
                limits,
                ..self.scope(&set.max_drop, &set.floor)?
            };
            sets.insert(name.clone(), self.stated(table.span().start, rules)?);
        }
        let average = |table: &Option<Spanned<AverageTable>>| match table {
            Some(table) => self.stated(
                table.span().start,
                self.scope(&table.as_ref().max_drop, &table.as_ref().floor)?,
            ),
            None => Ok(ScopeRules::default()),
        };
        let alpha = match &table.alpha {
            Some(alpha) => checked_alpha(*alpha.as_ref())
                .map_err(|message| self.refused(alpha.span().start, format!("alpha: {message}")))?,
            None => standard.alpha,
        };
        Ok(GateRules {
            max_drop: self
                .percent("max_drop", &table.max_drop)?
                .unwrap_or(standard.max_drop),
            alpha,
            scorer: table.scorer.unwrap_or(standard.scorer),
            strict: table.strict.unwrap_or(standard.strict),
            allow_unknown: standard.allow_unknown,
            max_failed_rate: self
                .percent("max_failed_rate", &table.max_failed_rate)?
                .unwrap_or(standard.max_failed_rate),
            limits: self.limits(&table.max_no_answer_rate, &table.max_truncated_rate)?,
            micro: average(&table.micro)?,
            macro_: average(&table.macro_)?,
            sets,
        })
    }

    fn scope(
        &self,
        max_drop: &Option<Spanned<f64>>,
        floor: &Option<Spanned<f64>>,
    ) -> Result<ScopeRules, GateRulesError> {
        let (max_drop, floor) = (
            self.percent("max_drop", max_drop)?,
            self.percent("floor", floor)?,
        );
        Ok(ScopeRules {
            max_drop,
            floor,
            limits: Limits::default(),
        })
    }

    /// A table must say something.
    fn stated(&self, at: usize, rules: ScopeRules) -> Result<ScopeRules, GateRulesError> {
        match rules == ScopeRules::default() {
            true => Err(self.refused(
                at,
                "this table states no rule: give max_drop or floor".to_string(),
            )),
            false => Ok(rules),
        }
    }

    fn limits(
        &self,
        no_answer: &Option<Spanned<f64>>,
        truncated: &Option<Spanned<f64>>,
    ) -> Result<Limits, GateRulesError> {
        Ok(Limits {
            no_answer: self.percent("max_no_answer_rate", no_answer)?,
            truncated: self.percent("max_truncated_rate", truncated)?,
        })
    }

    fn percent(
        &self,
        key: &str,
        value: &Option<Spanned<f64>>,
    ) -> Result<Option<f64>, GateRulesError> {
        let Some(value) = value else { return Ok(None) };
        let read = proportion(*value.as_ref());
        read.map(Some)
            .map_err(|message| self.refused(value.span().start, format!("{key}: {message}")))
    }

    fn check_set(&self, name: &str, at: usize, own_sets: &[String]) -> Result<(), GateRulesError> {
        let benchmark = dataset_loader::Benchmark::published();
        if benchmark.set(name).is_some() || own_sets.iter().any(|own| own == name) {
            return Ok(());
        }
        let published = benchmark.sets().iter().map(|set| set.name.clone());
        let own = own_sets
            .iter()
            .filter(|own| benchmark.set(own).is_none())
            .cloned();
        Err(GateRulesError::NoSuchSet {
            file: self.file.to_path_buf(),
            line: self.line(at),
            set: name.to_string(),
            known: published.chain(own).collect::<Vec<_>>().join(", "),
        })
    }

    fn refused(&self, at: usize, message: String) -> GateRulesError {
        GateRulesError::Refused {
            file: self.file.to_path_buf(),
            line: self.line(at),
            message,
        }
    }

    fn line(&self, at: usize) -> usize {
        1 + self
            .text
            .get(..at)
            .unwrap_or(self.text)
            .matches('\n')
            .count()
    }
}

/// A proportion from per cent.
fn proportion(percent: f64) -> Result<f64, String> {
    match (0.0..=100.0).contains(&percent) {
        true => Ok(percent / 100.0),
        false => Err(format!(
            "{percent} is not in 0..=100 (per cent; 1.0 is one point)"
        )),
    }
}

fn checked_alpha(alpha: f64) -> Result<f64, String> {
    match alpha > 0.0 && alpha < 0.5 {
        true => Ok(alpha),
        false => Err(format!(
            "{alpha} is not above 0 and below 0.5 (0.05 is usual)"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<GateRules, String> {
        Reader {
            file: Path::new("mwpbench.toml"),
            text,
        }
        .rules(&["own".to_string()])
        .map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_says_per_cent() {
        let text = "[gate]\nmax_drop = 2\nscorer = \"strict\"\nmax_no_answer_rate = 5.0\n\n[gate.micro]\nfloor = 30\n\n\
                    [gate.sets.gsm8k]\nmax_drop = 3.0\n[gate.sets.own]\nfloor = 1\n";
        let rules = read(text).unwrap();
        assert_eq!(
            (rules.max_drop, rules.alpha, rules.scorer),
            (0.02, 0.05, Scorer::Strict)
        );
        assert_eq!(
            (
                rules.limits.no_answer,
                rules.micro.floor,
                rules.micro.max_drop
            ),
            (Some(0.05), Some(0.3), None)
        );
        assert_eq!(rules.sets["gsm8k"].max_drop, Some(0.03));
        assert_eq!(read("").unwrap(), GateRules::default());
    }

    #[test]
    fn flags_win() {
        let rules = read(
            "[gate]\nmax_drop = 2\n[gate.sets.gsm8k]\nmax_drop = 3.0\n[gate.macro]\nfloor = 4\n",
        )
        .unwrap();
        let flags = GateFlags {
            max_drop: Some(5.0),
            alpha: Some(0.01),
            scorer: Some(Scorer::Strict),
            strict: true,
            allow_unknown: false,
        };
        let rules = rules.with(&flags).unwrap();
        assert_eq!(
            (
                rules.max_drop,
                rules.sets["gsm8k"].max_drop,
                rules.macro_.max_drop
            ),
            (0.05, Some(0.05), None)
        );
        assert_eq!(
            (rules.alpha, rules.scorer, rules.strict),
            (0.01, Scorer::Strict, true)
        );
        let wrong = GateFlags {
            alpha: Some(0.5),
            ..GateFlags::default()
        };
        assert!(
            GateRules::default()
                .with(&wrong)
                .unwrap_err()
                .to_string()
                .contains("alpha: 0.5 is not above 0")
        );
    }

    #[test]
    fn what_there_is_not_is_refused_with_its_line() {
        for (text, parts) in [
            (
                "[gate]\nmax_dorp = 1\n",
                vec!["mwpbench.toml, line 2", "max_dorp", "max_drop"],
            ),
            ("[gaet]\n", vec!["line 1", "gaet"]),
            (
                "[gate]\nalpha = 0.05\nmax_drop = \"1\"\n",
                vec!["line 3", "invalid type: string"],
            ),
            (
                "[gate]\n\nmax_drop = 101\n",
                vec!["line 3", "max_drop: 101 is not in 0..=100"],
            ),
            (
                "[gate]\nmax_drop = nan\n",
                vec!["line 2", "max_drop: NaN is not in"],
            ),
            (
                "[gate]\nalpha = 0.7\n",
                vec!["line 2", "alpha: 0.7 is not above 0 and below 0.5"],
            ),
            (
                "[gate]\nscorer = \"lenient\"\n",
                vec!["line 2", "lenient", "official", "strict"],
            ),
            (
                "[gate.micro]\n",
                vec!["line 1", "this table states no rule"],
            ),
            (
                "[gate]\n[gate.sets.gsm9k]\nfloor = 3\n",
                vec!["line 2", "no set \"gsm9k\"", "gsm8k", "own"],
            ),
            (
                "[gate]\n[gate.sets.gsm8k]\nflor = 3\n",
                vec!["line 3", "flor"],
            ),
            ("[gate\n", vec!["line 1"]),
        ] {
            let message = read(text).unwrap_err();
            for part in parts {
                assert!(message.contains(part), "no {part:?} in: {message}");
            }
        }
    }
}
