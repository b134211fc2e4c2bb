//! Figures as pictures: SVG in the page, coloured by its style sheet, so that it has no attribute
//! that the Content-Security-Policy would refuse.

use std::collections::BTreeMap;
use std::fmt::Write;

use evaluation::Verdict;

use crate::blocks::verdict_number;
use crate::html::{escape, percent};
use crate::training_curve::training_curve;
use crate::{Report, ReportRun};

/// Width of a chart in its own units.
const WIDTH: f64 = 720.0;
/// Where names end and the plot begins.
const LEFT: f64 = 190.0;
/// Where the plot ends.
const RIGHT: f64 = WIDTH - 56.0;
const ROW: f64 = 18.0;

/// The verdicts with the words of the page, in the order of their numbers.
const WORDS: [&str; 5] = ["correct", "wrong", "no answer", "truncated", "failed"];

struct Chart {
    body: String,
    y: f64,
}

impl Chart {
    fn new() -> Self {
        Self {
            body: String::new(),
            y: 6.0,
        }
    }

    fn push(&mut self, element: std::fmt::Arguments<'_>) {
        self.body
            .write_fmt(element)
            .expect("writing to memory succeeds");
    }

    fn name(&mut self, name: &str, class: &str) {
        let short: String = name.chars().take(30).collect();
        let (x, y) = (LEFT - 8.0, self.y + 12.0);
        self.push(format_args!(
            "<text class=\"name {class}\" x=\"{x}\" y=\"{y}\">{}</text>",
            escape(&short)
        ));
    }

    fn value(&mut self, x: f64, text: &str) {
        let y = self.y + 12.0;
        self.push(format_args!(
            "<text class=\"value\" x=\"{x:.1}\" y=\"{y}\">{}</text>",
            escape(text)
        ));
    }

    /// Lines at 0, 25, 50, 75 and 100 % of the plot, from the top to here.
    fn grid(&mut self, label: impl Fn(f64) -> String) {
        let bottom = self.y + 4.0;
        for quarter in 0..=4 {
            let share = f64::from(quarter) / 4.0;
            let x = place(share);
            self.push(format_args!(
                "<path class=\"grid\" d=\"M{x:.1} 2V{bottom:.1}\"/><text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
                bottom + 13.0,
                escape(&label(share))
            ));
        }
        self.y = bottom + 20.0;
    }

    fn finish(self, title: &str, description: &str) -> String {
        format!(
            "<figure><figcaption>{}</figcaption><svg viewBox=\"0 0 {WIDTH:.0} {:.0}\" role=\"img\" aria-label=\"{}\">{}</svg></figure>\n",
            escape(title),
            self.y,
            escape(description),
            self.body
        )
    }
}

/// The x of a share of the plot.
fn place(share: f64) -> f64 {
    LEFT + (RIGHT - LEFT) * share.clamp(0.0, 1.0)
}

/// All charts of a report.
pub(crate) fn charts(report: &Report) -> String {
    let mut out = accuracy(report);
    out.push_str(&training_curve(report));
    for run in &report.runs {
        out.push_str(&outcomes(report, run));
        out.push_str(&lengths(report, run));
    }
    if let [first, others @ ..] = report.runs.as_slice() {
        for other in others {
            out.push_str(&flips(first, other));
        }
    }
    out
}

fn of_run(report: &Report, run: &ReportRun) -> String {
    match report.runs.len() {
        1 => String::new(),
        _ => format!(" of {}", run.name),
    }
}

fn legend(chart: &mut Chart, entries: &[(String, String)]) {
    let mut x = LEFT;
    for (class, name) in entries {
        let short: String = name.chars().take(24).collect();
        let width = 26.0 + 6.6 * short.chars().count() as f64;
        if x > LEFT && x + width > WIDTH {
            (x, chart.y) = (LEFT, chart.y + ROW);
        }
        let y = chart.y;
        chart.push(format_args!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"10\" height=\"10\"/><text class=\"legend\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            y + 3.0,
            x + 14.0,
            y + 12.0,
            escape(&short)
        ));
        x += width;
    }
    chart.y += ROW;
}

/// A dot and its interval for each set, run and scorer.
fn accuracy(report: &Report) -> String {
    let mut chart = Chart::new();
    let longest = report.runs.iter().max_by_key(|run| run.summary.sets.len());
    let sets = longest
        .map(|run| run.summary.sets.as_slice())
        .unwrap_or_default();
    for set in sets {
        chart.name(&set.title, "");
        for (number, run) in report.runs.iter().enumerate() {
            let Some(own) = run.summary.sets.iter().find(|own| own.set == set.set) else {
                continue;
            };
            let scorers = [
                ("official", own.counts.official),
                ("strict", own.counts.strict),
            ];
            for (scorer, figure) in scorers {
                let y = chart.y + 8.0;
                let (x, low, high) = (
                    place(figure.accuracy),
                    place(figure.interval[0]),
                    place(figure.interval[1]),
                );
                let tip = format!(
                    "{}, {scorer}: {} % [{}, {}], {} of {}",
                    run.name,
                    percent(figure.accuracy),
                    percent(figure.interval[0]),
                    percent(figure.interval[1]),
                    figure.correct,
                    own.counts.n
                );
                let shape = match scorer {
                    "official" => {
                        format!("<circle class=\"fill\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>")
                    }
                    _ => format!(
                        "<rect class=\"hollow\" x=\"{:.1}\" y=\"{:.1}\" width=\"7\" height=\"7\"/>",
                        x - 3.5,
                        y - 3.5
                    ),
                };
                chart.push(format_args!(
                    "<g class=\"c{}\"><title>{}</title><path class=\"bar\" d=\"M{low:.1} {y:.1}H{high:.1}\"/>{shape}</g>",
                    number % 8,
                    escape(&tip)
                ));
                chart.y += 10.0;
            }
        }
        chart.y += 8.0;
    }
    chart.grid(|share| format!("{:.0} %", 100.0 * share));
    let entries: Vec<(String, String)> = report
        .runs
        .iter()
        .enumerate()
        .map(|(number, run)| (format!("c{} fill", number % 8), run.name.clone()))
        .collect();
    legend(&mut chart, &entries);
    chart.finish(
        "Accuracy of each set with 95 % intervals: dots by the official scorer, squares by the strict one",
        "Accuracy of each set with intervals; the figures are in the table",
    )
}

/// How the completions of each set ended, as the strict scorer says.
fn outcomes(report: &Report, run: &ReportRun) -> String {
    let mut chart = Chart::new();
    for set in &run.summary.sets {
        let mut counts = [0usize; 5];
        let own = run.verdicts.iter().filter(|verdict| verdict.set == set.set);
        own.for_each(|verdict| counts[verdict_number(verdict.strict.verdict)] += 1);
        let total = counts.iter().sum::<usize>().max(1);
        chart.name(&set.title, "");
        let mut done = 0;
        for (number, count) in counts
            .into_iter()
            .enumerate()
            .filter(|(_, count)| *count > 0)
        {
            let start = place(done as f64 / total as f64);
            done += count;
            let end = place(done as f64 / total as f64);
            let y = chart.y + 2.0;
            chart.push(format_args!(
                "<rect class=\"v{number}\" x=\"{start:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"12\"><title>{}: {count} of {total}</title></rect>",
                end - start,
                WORDS[number]
            ));
        }
        chart.value(RIGHT + 6.0, &total.to_string());
        chart.y += ROW;
    }
    chart.grid(|share| format!("{:.0} %", 100.0 * share));
    let entries: Vec<(String, String)> = WORDS
        .iter()
        .enumerate()
        .map(|(number, word)| (format!("v{number}"), (*word).to_string()))
        .collect();
    legend(&mut chart, &entries);
    chart.finish(
        &format!(
            "What became of the completions{}, by the strict scorer",
            of_run(report, run)
        ),
        "Shares of correct, wrong, unanswered, truncated and failed completions of each set",
    )
}

/// Quantiles of the completions' lengths by verdict.
fn lengths(report: &Report, run: &ReportRun) -> String {
    let mut by_verdict: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for verdict in &run.verdicts {
        let key = (verdict.id.clone(), verdict.sample);
        if let Some(completion) = run.completions.get(&key)
            && verdict.strict.verdict != Verdict::Failed
        {
            let number = verdict_number(verdict.strict.verdict);
            by_verdict
                .entry(number)
                .or_default()
                .push(completion.completion_tokens);
        }
    }
    let longest = by_verdict
        .values()
        .flatten()
        .copied()
        .max()
        .unwrap_or(0)
        .max(1);
    let mut chart = Chart::new();
    for (number, mut lengths) in by_verdict {
        lengths.sort_unstable();
        let quantile = |share: f64| lengths[((lengths.len() - 1) as f64 * share).round() as usize];
        let [p5, p25, p50, p75, p95] = [0.05, 0.25, 0.5, 0.75, 0.95].map(quantile);
        let x = |tokens: usize| place(tokens as f64 / longest as f64);
        chart.name(WORDS[number], "");
        let y = chart.y + 8.0;
        chart.push(format_args!(
            "<g><title>{}: {} completions; 5 % to {p5} tokens, 25 % to {p25}, half to {p50}, 75 % to {p75}, 95 % to {p95}</title>\
             <path class=\"bar\" d=\"M{:.1} {y:.1}H{:.1}\"/><rect class=\"v{number}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"12\"/>\
             <path class=\"middle\" d=\"M{:.1} {:.1}V{:.1}\"/></g>",
            WORDS[number],
            lengths.len(),
            x(p5),
            x(p95),
            x(p25),
            y - 6.0,
            (x(p75) - x(p25)).max(1.0),
            x(p50),
            y - 6.0,
            y + 6.0
        ));
        chart.value(RIGHT + 6.0, &lengths.len().to_string());
        chart.y += ROW;
    }
    chart.grid(|share| format!("{:.0}", share * longest as f64));
    chart.finish(
        &format!(
            "Length of the completions{} in tokens by the strict verdict: half of them in the box, 90 % on the line",
            of_run(report, run)
        ),
        "Quantiles of the length of completions by verdict",
    )
}

/// Problems that one run solved and the other did not, of each set, by the strict scorer's first
/// sample.
fn flips(first: &ReportRun, other: &ReportRun) -> String {
    let solved = |run: &ReportRun| -> BTreeMap<String, bool> {
        let firsts = run.verdicts.iter().filter(|verdict| verdict.sample == 0);
        firsts
            .map(|verdict| (verdict.id.clone(), verdict.strict.correct))
            .collect()
    };
    let (before, after) = (solved(first), solved(other));
    let mut chart = Chart::new();
    let counts: Vec<(String, usize, usize)> = other
        .summary
        .sets
        .iter()
        .map(|set| {
            let own = other
                .verdicts
                .iter()
                .filter(|verdict| verdict.set == set.set && verdict.sample == 0);
            let (mut won, mut lost) = (0, 0);
            for verdict in own {
                match (before.get(&verdict.id), after.get(&verdict.id)) {
                    (Some(false), Some(true)) => won += 1,
                    (Some(true), Some(false)) => lost += 1,
                    _ => {}
                }
            }
            (set.title.clone(), won, lost)
        })
        .collect();
    let most = counts
        .iter()
        .map(|(_, won, lost)| *won.max(lost))
        .max()
        .unwrap_or(0)
        .max(1);
    let middle = place(0.5);
    for (title, won, lost) in counts {
        chart.name(&title, "");
        let half = (RIGHT - LEFT) / 2.0;
        let (right, left) = (
            half * won as f64 / most as f64,
            half * lost as f64 / most as f64,
        );
        let y = chart.y + 2.0;
        chart.push(format_args!(
            "<rect class=\"v0\" x=\"{middle:.1}\" y=\"{y:.1}\" width=\"{right:.1}\" height=\"12\"><title>won {won}</title></rect>\
             <rect class=\"v1\" x=\"{:.1}\" y=\"{y:.1}\" width=\"{left:.1}\" height=\"12\"><title>lost {lost}</title></rect>",
            middle - left
        ));
        chart.value(RIGHT + 6.0, &format!("+{won} \u{2212}{lost}"));
        chart.y += ROW;
    }
    let bottom = chart.y;
    chart.push(format_args!(
        "<path class=\"middle\" d=\"M{middle:.1} 2V{bottom:.1}\"/>"
    ));
    chart.y += 6.0;
    legend(
        &mut chart,
        &[
            ("v0".to_string(), "won".to_string()),
            ("v1".to_string(), "lost".to_string()),
        ],
    );
    chart.finish(
        &format!(
            "Problems that {} won and lost against {}, by the strict scorer",
            other.name, first.name
        ),
        "Problems won and lost in each set",
    )
}
