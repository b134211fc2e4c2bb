//! Items as data that the page's script reads: an index of all of them, and blocks with their texts.
//! Each is JSON, compressed (raw deflate) and written in seven bits a byte.
//!
//! The index has a column a field, so that 18,408 items are filtered without touching a text. A block
//! has the texts of some problems beside each other and behind them the rest, which compresses better
//! than fields in turn. What the script can tell from something else is not written: numbers of
//! formulas, an answer that the completion's span is, a prediction that is the answer.

use std::collections::HashMap;
use std::io::Write;
use std::ops::Range;

use evaluation::{CompletionRecord, Verdict, VerdictRecord};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use rayon::prelude::*;
use serde_json::{Value, json};

use crate::formulas::{Formulas, MARK};
use crate::table::Table;
use crate::{Report, ReportRun, seven_bits};

/// Bytes of texts in a block: few enough to be read at the press of a key, many against the 32 KiB in
/// which the compression finds what was there before.
const BLOCK_BYTES: usize = 1 << 20;

/// Problems in a block at most.
const MAX_BLOCK: usize = 512;

/// Characters of a problem that the index has, for the list; the block has the others.
const HEAD: usize = 90;

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
    let mut rules = Table::default();
    for row in rows.iter().flatten() {
        let traces = [&row.verdict.official.trace, &row.verdict.strict.trace];
        for rule in traces.into_iter().flatten() {
            rules.number(rule);
        }
    }
    let size = block_size(report, &rows);
    let chunks: Vec<usize> = (0..report.problems.len()).step_by(size).collect();
    let blocks = chunks.into_par_iter().map(|first| {
        let last = (first + size).min(report.problems.len());
        let (heads, block) = block(report, &rows, &rules, first..last);
        (heads, compressed(&block))
    });
    let (heads, blocks): (Vec<Vec<String>>, Vec<String>) = blocks.unzip();
    Data {
        index: compressed(&index(report, &rows, &mut rules, size, heads.concat())),
        blocks,
    }
}

/// Problems in a block.
fn block_size(report: &Report, rows: &[Vec<Row<'_>>]) -> usize {
    let problems = report.problems.iter().map(|one| one.question.len());
    let completions = rows
        .iter()
        .flatten()
        .map(|row| row.completion.completion.len());
    let mean = problems.chain(completions).sum::<usize>() / report.problems.len().max(1);
    (BLOCK_BYTES / mean.max(1)).clamp(1, MAX_BLOCK)
}

/// One column an entry. `v` and `w` are the verdicts of the official and of the strict scorer, `x` and
/// `y` the rules that decided, `t` new tokens, `p` those of the prompt.
fn index(
    report: &Report,
    rows: &[Vec<Row<'_>>],
    rules: &mut Table<String>,
    size: usize,
    heads: Vec<String>,
) -> Value {
    let (mut sets, mut tasks) = (Table::default(), Table::default());
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
        "block": size,
        "runs": report.runs.iter().map(|run| &run.name).collect::<Vec<_>>(),
        "sets": sets.values,
        "titles": sets.values.iter().map(title).collect::<Vec<_>>(),
        "tasks": tasks.values,
        "rules": rules.values,
        "purposes": purposes,
        "id": problems.iter().map(|problem| &problem.id).collect::<Vec<_>>(),
        "head": heads,
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

/// The beginnings of some problems, and the block with everything else of them.
fn block(
    report: &Report,
    rows: &[Vec<Row<'_>>],
    rules: &Table<String>,
    problems: Range<usize>,
) -> (Vec<String>, Value) {
    let mut formulas = Formulas::default();
    let mut around: Table<(String, String)> = Table::default();
    let (mut heads, mut texts, mut items) = (Vec::new(), Vec::new(), Vec::new());
    for place in problems {
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
        // In this order the script numbers the formulas.
        let question = formulas.marked(&problem.question);
        let end = question.char_indices().nth(HEAD);
        let (head, rest) = question.split_at(end.map_or(question.len(), |(end, _)| end));
        let reference = formulas.marked_answer(&problem.reference);
        let mut beside = vec![rest.to_string()];
        let mut completions = Vec::new();
        for row in &rows[place] {
            beside.push(formulas.marked(&row.completion.completion));
            completions.push(completion(row, rules, &mut formulas));
        }
        heads.push(head.to_string());
        texts.push(beside);
        items.push(json!({"r": reference, "p": prompts, "c": completions}));
    }
    let block = json!({
        "texts": texts,
        "items": items,
        "around": around.values,
        "kinds": formulas.kinds.json(),
        "codes": formulas.codes(),
    });
    (heads, block)
}

/// A completion without its text.
fn completion(row: &Row<'_>, rules: &Table<String>, formulas: &mut Formulas) -> Value {
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
    let spanned = strict
        .span
        .and_then(|[start, end]| completion.completion.get(start..end));
    // 0 is what the span has, 1 the same as a formula.
    let answer = strict.answer.as_deref().map(|answer| {
        let marked = formulas.marked_answer(answer);
        match spanned {
            Some(spanned) if marked == spanned => json!(0),
            Some(spanned) if marked == format!("{MARK}{spanned}{MARK}") => json!(1),
            _ => json!(marked),
        }
    });
    // 0 is the answer.
    let prediction = official.prediction.as_deref().map(|prediction| {
        match strict.answer.as_deref() == Some(prediction) {
            true => json!(0),
            false => json!(prediction),
        }
    });
    let mut value = json!({
        "e": format!("{:?}", completion.finish_reason).to_lowercase(),
        "x": trace(&official.trace),
        "y": trace(&strict.trace),
    });
    let optional = [
        ("s", json!(span)),
        ("o", json!(prediction)),
        ("a", json!(answer)),
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
    seven_bits::encode(&written.expect("writing to memory succeeds"))
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
    }
}
