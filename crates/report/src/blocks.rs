//! Items as data that the page's script reads: an index of all of them, and blocks with their texts.
//! Each is JSON, compressed (raw deflate) and written in base64.
//!
//! The index has a column a field, so that 18,408 items are filtered without touching a text. A block
//! has the texts of [`BLOCK`] problems; its formulas are in it once.

use std::collections::HashMap;
use std::hash::Hash;
use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use evaluation::{CompletionRecord, Verdict, VerdictRecord};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use rayon::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};

use crate::formulas::{self, MathTable};
use crate::{Report, ReportRun};

/// Problems in a block.
pub(crate) const BLOCK: usize = 64;

/// Characters of a problem in the list.
const SNIPPET: usize = 90;

/// The verdicts, in the order of their numbers in the index.
const VERDICTS: [Verdict; 5] = [
    Verdict::Correct,
    Verdict::Wrong,
    Verdict::NoAnswer,
    Verdict::Truncated,
    Verdict::Failed,
];

/// The number of a verdict in the index.
pub(crate) fn verdict_number(verdict: Verdict) -> usize {
    VERDICTS
        .iter()
        .position(|known| *known == verdict)
        .expect("there are five verdicts")
}

/// Values that occur often, by number.
struct Table<T> {
    numbers: HashMap<T, usize>,
    values: Vec<T>,
}

impl<T: Clone + Eq + Hash> Table<T> {
    fn new() -> Self {
        Self {
            numbers: HashMap::new(),
            values: Vec::new(),
        }
    }

    fn number(&mut self, value: &T) -> usize {
        if let Some(number) = self.numbers.get(value) {
            return *number;
        }
        self.values.push(value.clone());
        self.numbers.insert(value.clone(), self.values.len() - 1);
        self.values.len() - 1
    }
}

/// One completion on the page: which run has it, and what was said of it.
struct Row<'a> {
    run: usize,
    completion: &'a CompletionRecord,
    verdict: &'a VerdictRecord,
}

/// The completions of each problem: those of the first run by sample, then those of the next.
fn rows(report: &Report) -> Vec<Vec<Row<'_>>> {
    let places: HashMap<&str, usize> = report
        .problems
        .iter()
        .enumerate()
        .map(|(place, problem)| (problem.id.as_str(), place))
        .collect();
    let mut rows: Vec<Vec<Row<'_>>> = report.problems.iter().map(|_| Vec::new()).collect();
    for (
        run,
        ReportRun {
            verdicts,
            completions,
            ..
        },
    ) in report.runs.iter().enumerate()
    {
        for verdict in verdicts {
            let key = (verdict.id.clone(), verdict.sample);
            if let (Some(&place), Some(completion)) =
                (places.get(verdict.id.as_str()), completions.get(&key))
            {
                rows[place].push(Row {
                    run,
                    completion,
                    verdict,
                });
            }
        }
    }
    rows
}

/// The index and the blocks, each compressed.
pub(crate) struct Data {
    pub(crate) index: String,
    pub(crate) blocks: Vec<String>,
}

pub(crate) fn data(report: &Report) -> Data {
    let rows = rows(report);
    let mut rules = Table::new();
    for row in rows.iter().flatten() {
        let traces = [&row.verdict.official.trace, &row.verdict.strict.trace];
        for rule in traces.into_iter().flatten() {
            rules.number(rule);
        }
    }
    let index = index(report, &rows, &mut rules);
    let chunks: Vec<usize> = (0..report.problems.len()).step_by(BLOCK).collect();
    let blocks = chunks.into_par_iter().map(|first| {
        let last = (first + BLOCK).min(report.problems.len());
        compressed(&block(report, &rows, &rules, first..last))
    });
    Data {
        index: compressed(&index),
        blocks: blocks.collect(),
    }
}

/// One column an entry. `v` and `w` are the verdicts of the official and of the strict scorer, `x` and
/// `y` the rules that decided, `t` new tokens, `p` those of the prompt.
fn index(report: &Report, rows: &[Vec<Row<'_>>], rules: &mut Table<String>) -> Value {
    let (mut sets, mut tasks) = (Table::new(), Table::new());
    let problems = &report.problems;
    let set: Vec<usize> = problems.iter().map(|p| sets.number(&p.set)).collect();
    let task: Vec<usize> = problems.iter().map(|p| tasks.number(&p.task)).collect();
    let all = || rows.iter().flatten();
    let mut last_rule =
        |trace: &[String]| trace.last().map_or(-1, |rule| rules.number(rule) as i64);
    let official: Vec<i64> = all()
        .map(|row| last_rule(&row.verdict.official.trace))
        .collect();
    let strict: Vec<i64> = all()
        .map(|row| last_rule(&row.verdict.strict.trace))
        .collect();
    let purposes: Vec<&str> = rules
        .values
        .iter()
        .map(|rule| report.purposes.get(rule).map_or("", String::as_str))
        .collect();
    let titles: HashMap<&str, &str> = report
        .runs
        .iter()
        .flat_map(|run| &run.summary.sets)
        .map(|set| (set.set.as_str(), set.title.as_str()))
        .collect();
    let title = |set: &String| {
        titles
            .get(set.as_str())
            .map_or(set.clone(), |title| (*title).to_string())
    };
    json!({
        "block": BLOCK,
        "runs": report.runs.iter().map(|run| &run.name).collect::<Vec<_>>(),
        "sets": sets.values,
        "titles": sets.values.iter().map(title).collect::<Vec<_>>(),
        "tasks": tasks.values,
        "rules": rules.values,
        "purposes": purposes,
        "id": problems.iter().map(|problem| &problem.id).collect::<Vec<_>>(),
        "snippet": problems.iter().map(|problem| snippet(&problem.question)).collect::<Vec<_>>(),
        "set": set,
        "task": task,
        "rows": rows.iter().map(Vec::len).collect::<Vec<_>>(),
        "run": all().map(|row| row.run).collect::<Vec<_>>(),
        "sample": all().map(|row| row.completion.sample).collect::<Vec<_>>(),
        "v": all().map(|row| verdict_number(row.verdict.official.verdict)).collect::<Vec<_>>(),
        "w": all().map(|row| verdict_number(row.verdict.strict.verdict)).collect::<Vec<_>>(),
        // Whether the scorer gave the point, which a verdict such as `truncated` does not say.
        "vc": all().map(|row| u8::from(row.verdict.official.correct)).collect::<Vec<_>>(),
        "wc": all().map(|row| u8::from(row.verdict.strict.correct)).collect::<Vec<_>>(),
        "cut": all().map(|row| u8::from(row.verdict.truncated)).collect::<Vec<_>>(),
        "none": all().map(|row| u8::from(row.verdict.no_answer)).collect::<Vec<_>>(),
        "x": official,
        "y": strict,
        "t": all().map(|row| row.completion.completion_tokens).collect::<Vec<_>>(),
        "p": all().map(|row| row.completion.prompt_tokens).collect::<Vec<_>>(),
    })
}

/// The beginning of a problem, on one line.
fn snippet(question: &str) -> String {
    let words = question.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(SNIPPET).collect()
}

/// A text with its formulas: of each how far its start is from the end of the one before, its length,
/// and the number of its MathML, one after the other, in UTF-16 units, as the page's script counts.
#[derive(Serialize)]
struct Text<'a> {
    t: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    f: Vec<usize>,
}

fn text<'a>(text: &'a str, table: &mut MathTable) -> Text<'a> {
    let mut units = Utf16::of(text);
    let mut f = Vec::new();
    let mut last = 0;
    for formula in formulas::find(text) {
        if let Some(number) = table.number(&text[formula.inner], formula.display) {
            let start = units.at(formula.whole.start);
            let end = units.at(formula.whole.end);
            f.extend([start - last, end - start, number]);
            last = end;
        }
    }
    Text { t: text, f }
}

/// Offsets in bytes as offsets in UTF-16 units, for offsets that ascend.
struct Utf16<'a> {
    text: &'a str,
    byte: usize,
    unit: usize,
}

impl<'a> Utf16<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            text,
            byte: 0,
            unit: 0,
        }
    }

    /// An offset that is no boundary counts as the one before it.
    fn at(&mut self, byte: usize) -> usize {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        if let Some(passed) = self.text.get(self.byte..byte) {
            self.unit += passed.encode_utf16().count();
            self.byte = byte;
        }
        self.unit
    }
}

fn block(
    report: &Report,
    rows: &[Vec<Row<'_>>],
    rules: &Table<String>,
    problems: std::ops::Range<usize>,
) -> Value {
    let mut table = MathTable::default();
    let mut around: Table<(String, String)> = Table::new();
    let items: Vec<Value> = problems
        .map(|place| {
            let problem = &report.problems[place];
            let prompts: Vec<Value> = report
                .runs
                .iter()
                .map(|run| match run.prompts.get(place) {
                    // What stands around the question is the same from problem to problem.
                    Some(prompt) => match prompt.split_once(problem.question.as_str()) {
                        Some((before, behind)) => around
                            .number(&(before.to_string(), behind.to_string()))
                            .into(),
                        None => prompt.as_str().into(),
                    },
                    None => Value::Null,
                })
                .collect();
            let rows: Vec<Value> = rows[place]
                .iter()
                .map(|row| completion(row, rules, &mut table))
                .collect();
            json!({
                "q": text(&problem.question, &mut table),
                "r": answer(&problem.reference, &mut table),
                "p": prompts,
                "c": rows,
            })
        })
        .collect();
    json!({ "items": items, "around": around.values, "math": table.elements })
}

/// An answer without a text around it, as a formula where it is one.
fn answer<'a>(answer: &'a str, table: &mut MathTable) -> Text<'a> {
    let found = text(answer, table);
    let is_formula = |letter: char| ['\\', '^', '_'].contains(&letter);
    if !found.f.is_empty() || !answer.contains(is_formula) {
        return found;
    }
    let length = answer.encode_utf16().count();
    let number = table.number(answer, false);
    Text {
        t: answer,
        f: number.map_or(Vec::new(), |number| vec![0, length, number]),
    }
}

fn completion(row: &Row<'_>, rules: &Table<String>, table: &mut MathTable) -> Value {
    let Row {
        completion,
        verdict,
        ..
    } = row;
    let (official, strict) = (&verdict.official, &verdict.strict);
    let trace = |trace: &[String]| {
        let numbers = trace.iter().filter_map(|rule| rules.numbers.get(rule));
        numbers.copied().collect::<Vec<_>>()
    };
    let span = strict.span.map(|[start, end]| {
        let mut units = Utf16::of(&completion.completion);
        [units.at(start), units.at(end)]
    });
    let mut value = json!({
        "t": text(&completion.completion, table),
        "e": format!("{:?}", completion.finish_reason).to_lowercase(),
        "x": trace(&official.trace),
        "y": trace(&strict.trace),
    });
    let optional = [
        ("s", json!(span)),
        ("o", json!(official.prediction)),
        (
            "a",
            strict
                .answer
                .as_deref()
                .map_or(Value::Null, |text| json!(answer(text, table))),
        ),
        ("h", json!(strict.thoughts)),
        ("ex", json!(official.exception)),
        ("err", json!(completion.error)),
    ];
    for (key, found) in optional {
        if !found.is_null() {
            value[key] = found;
        }
    }
    value
}

fn compressed(value: &Value) -> String {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    let written = encoder
        .write_all(value.to_string().as_bytes())
        .and_then(|()| encoder.finish());
    STANDARD.encode(written.expect("writing to memory succeeds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_those_of_the_script() {
        let mut units = Utf16::of("a🍎é$x$");
        assert_eq!([0, 1, 5, 7, 10].map(|byte| units.at(byte)), [0, 1, 3, 4, 7]);
        let mut units = Utf16::of("🍎");
        assert_eq!([2, 4, 99].map(|byte| units.at(byte)), [0, 2, 2]);
        let mut table = MathTable::default();
        assert_eq!(text("🍎 $x$ $x$", &mut table).f, [3, 3, 0, 1, 3, 0]);
    }

    #[test]
    fn an_answer_is_a_formula_where_it_reads_as_one() {
        let mut table = MathTable::default();
        assert_eq!(answer(r"\frac{1}{2}", &mut table).f, [0, 11, 0]);
        assert!(answer("12", &mut table).f.is_empty());
        assert!(answer(r"\frac{1", &mut table).f.is_empty());
    }
}
