//! Accuracy over training steps, where the runs are of checkpoints of one training.

use std::fmt::Write;

use evaluation::{Scorer, SetSummary, wilson_interval};

use crate::html::{escape, percent};
use crate::{Report, ReportRun};

/// Size of the picture in its own units, and where the plot lies in it.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 48.0;
const RIGHT: f64 = WIDTH - 24.0;
const TOP: f64 = 12.0;
const BASE: f64 = HEIGHT - 44.0;
/// Steps that are closer are not all named.
const LABEL_WIDTH: f64 = 52.0;
const CAP: f64 = 3.0;

/// A run on the curve.
struct Point<'a> {
    run: &'a ReportRun,
    step: u64,
    accuracy: f64,
    interval: [f64; 2],
}

/// The curve of both scorers; empty where fewer than two steps are known.
pub(crate) fn training_curve(report: &Report) -> String {
    let curves = Scorer::ALL.map(|scorer| (scorer, points(report, scorer)));
    let steps: Vec<u64> = curves[0].1.iter().map(|point| point.step).collect();
    let (Some(first), Some(last)) = (steps.first(), steps.last()) else {
        return String::new();
    };
    if first == last {
        return String::new();
    }
    let highs = curves.iter().flat_map(|(_, points)| points);
    let highest = highs.map(|point| point.interval[1]).fold(0.0, f64::max);
    let plot = Plot {
        first: *first as f64,
        last: *last as f64,
        // The next ten per cent above everything.
        top: ((highest * 10.0).ceil() / 10.0).clamp(0.1, 1.0),
    };
    let mut body = plot.axes(&steps);
    for (number, (scorer, points)) in curves.iter().enumerate() {
        body.push_str(&plot.curve(number, *scorer, points));
    }
    format!(
        "<figure><figcaption>Accuracy over training steps with Wilson's 95 % intervals, all items of the averaged sets together: \
         dots by the official scorer, squares by the strict one</figcaption>\
         <svg viewBox=\"0 0 {WIDTH:.0} {HEIGHT:.0}\" role=\"img\" aria-label=\"Accuracy over training steps; the figures are in the table\">{body}</svg></figure>\n"
    )
}

/// The whole runs whose step is known, by step.
fn points(report: &Report, scorer: Scorer) -> Vec<Point<'_>> {
    let runs = report.runs.iter().filter(|run| !run.is_unfinished());
    let mut points: Vec<Point<'_>> = runs
        .filter_map(|run| {
            let (accuracy, interval) = pooled(&run.summary.sets, scorer)?;
            Some(Point {
                run,
                step: run.manifest.training_step()?,
                accuracy,
                interval,
            })
        })
        .collect();
    points.sort_by_key(|point| point.step);
    points
}

/// Accuracy over the items of all averaged sets, or where there is none of these of all, and its
/// interval; several answers an item count as their mean. `None` without items.
fn pooled(sets: &[SetSummary], scorer: Scorer) -> Option<(f64, [f64; 2])> {
    let averaged = sets.iter().any(|set| set.in_average);
    let (mut correct, mut items) = (0.0, 0);
    for set in sets.iter().filter(|set| set.in_average || !averaged) {
        let figure = match scorer {
            Scorer::Official => set.counts.official,
            Scorer::Strict => set.counts.strict,
        };
        correct += figure.accuracy * set.counts.n as f64;
        items += set.counts.n;
    }
    (items > 0).then(|| {
        let interval = wilson_interval(correct.round() as usize, items);
        (correct / items as f64, interval)
    })
}

/// Where values stand.
struct Plot {
    /// Steps at the ends of the plot.
    first: f64,
    last: f64,
    /// The accuracy at its top.
    top: f64,
}

impl Plot {
    fn x(&self, step: u64) -> f64 {
        let share = (step as f64 - self.first) / (self.last - self.first);
        LEFT + 16.0 + (RIGHT - LEFT - 32.0) * share
    }

    fn y(&self, accuracy: f64) -> f64 {
        BASE - (BASE - TOP) * accuracy / self.top
    }

    /// Lines at quarters of the height, and the steps below them.
    fn axes(&self, steps: &[u64]) -> String {
        let mut out = String::new();
        for quarter in 0..=4 {
            let accuracy = self.top * f64::from(quarter) / 4.0;
            let y = self.y(accuracy);
            write!(
                out,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/><text class=\"name\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                LEFT - 6.0,
                y + 4.0,
                percent(accuracy)
            )
            .expect("writing to memory succeeds");
        }
        let mut free = f64::NEG_INFINITY;
        for step in steps {
            let x = self.x(*step);
            if x >= free {
                write!(
                    out,
                    "<text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\">{step}</text>",
                    BASE + 16.0
                )
                .expect("writing to memory succeeds");
                free = x + LABEL_WIDTH;
            }
        }
        let middle = (LEFT + RIGHT) / 2.0;
        write!(
            out,
            "<text class=\"tick\" x=\"{middle:.1}\" y=\"{:.1}\">training step; accuracy in percent</text>",
            BASE + 34.0
        )
        .expect("writing to memory succeeds");
        out
    }

    /// A line through the accuracies, each with its interval.
    fn curve(&self, number: usize, scorer: Scorer, points: &[Point<'_>]) -> String {
        let place =
            |point: &Point<'_>| format!("{:.1} {:.1}", self.x(point.step), self.y(point.accuracy));
        let line: Vec<String> = points.iter().map(place).collect();
        let mut out = format!(
            "<g class=\"c{number}\"><path class=\"bar\" d=\"M{}\"/>",
            line.join("L")
        );
        for point in points {
            // Apart, so that the intervals of both scorers are seen.
            let x = self.x(point.step) + 4.0 * number as f64;
            let (y, [low, high]) = (self.y(point.accuracy), point.interval);
            let tip = format!(
                "{}, step {}, {}: {} % [{}, {}]",
                point.run.name,
                point.step,
                scorer.name(),
                percent(point.accuracy),
                percent(low),
                percent(high)
            );
            let (low, high) = (self.y(low), self.y(high));
            let shape = match scorer {
                Scorer::Official => {
                    format!("<circle class=\"fill\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>")
                }
                Scorer::Strict => format!(
                    "<rect class=\"hollow\" x=\"{:.1}\" y=\"{:.1}\" width=\"7\" height=\"7\"/>",
                    x - 3.5,
                    y - 3.5
                ),
            };
            write!(
                out,
                "<g><title>{}</title><path class=\"bar\" d=\"M{x:.1} {low:.1}V{high:.1}M{:.1} {low:.1}h{:.1}M{:.1} {high:.1}h{:.1}\"/>{shape}</g>",
                escape(&tip),
                x - CAP,
                2.0 * CAP,
                x - CAP,
                2.0 * CAP
            )
            .expect("writing to memory succeeds");
        }
        out.push_str("</g>");
        out
    }
}
