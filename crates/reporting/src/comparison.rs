//! Two runs side by side: the table of a comparison, the items that flipped, and one item of both.

use comfy_table::Cell;
use evaluation::{
    Aspect, Contrast, FirstDivergence, Flip, FlipSide, Flips, ProtocolDifference, RunComparison,
    RunLabel, VerdictRecord,
};

use crate::table::{Frame, first_that_fits, framed};
use crate::wording::{counted, one_line, percent};

/// The two runs, in what they differ beside their answers, and the table: accuracies in percent,
/// differences in points.
pub fn comparison_text(comparison: &RunComparison, width: Option<u16>) -> String {
    let mut text = run_lines([("A", &comparison.a), ("B", &comparison.b)]);
    for warning in &comparison.warnings {
        text.push_str(&format!("warning: {warning}\n"));
    }
    text.push_str(&differences_text(&comparison.differences, ["A", "B"]));
    if !comparison.left_out.is_empty() {
        text.push_str("Only the items that both runs have are compared:\n");
        text.extend(
            comparison
                .left_out
                .iter()
                .map(|difference| format!("  {difference}\n")),
        );
    }
    text.push('\n');
    let tables = [true, false].map(|titles| table(comparison, titles));
    text.push_str(&first_that_fits(&tables, width));
    text.push_str(&notes(comparison));
    text
}

/// The table with the sets' written names, or with their short ones.
fn table(comparison: &RunComparison, titles: bool) -> Frame {
    let interval = format!(
        "{} % interval",
        (comparison.confidence * 1000.0).round() / 10.0
    );
    let mut table = framed(
        [
            "set",
            "n",
            "A",
            "B",
            "difference",
            &interval,
            "p",
            "p (Holm)",
            "won",
            "lost",
            "detectable",
        ],
        &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    );
    for set in &comparison.sets {
        let figures = &set.figures;
        let name = if titles { &set.title } else { &set.set };
        let mark = if set.in_average { "" } else { " *" };
        table.add_row(
            [
                format!("{name}{mark}"),
                figures.n.to_string(),
                percent(figures.accuracies[0]),
                percent(figures.accuracies[1]),
                signed(figures.difference),
                interval_text(figures.interval),
                p_text(figures.p),
                p_text(figures.p_holm),
                figures.won.to_string(),
                figures.lost.to_string(),
                figures.detectable.map_or("–".to_string(), percent),
            ]
            .map(Cell::new),
        );
    }
    for (name, average) in [
        ("micro average", &comparison.micro),
        ("macro average", &comparison.macro_),
    ] {
        let Some(average) = average else { continue };
        let averaged = || comparison.sets.iter().filter(|set| set.in_average);
        let (won, lost) = averaged().fold((0, 0), |(won, lost), set| {
            (won + set.figures.won, lost + set.figures.lost)
        });
        table.add_row(
            [
                name.to_string(),
                average.n.to_string(),
                percent(average.accuracies[0]),
                percent(average.accuracies[1]),
                signed(average.difference),
                interval_text(average.interval),
                p_text(average.p),
                String::new(),
                won.to_string(),
                lost.to_string(),
                average.detectable.map_or("–".to_string(), percent),
            ]
            .map(Cell::new),
        );
    }
    table
}

fn notes(comparison: &RunComparison) -> String {
    let samples = comparison.a.samples.max(comparison.b.samples);
    let test = match samples {
        1 => "McNemar's exact test on sets, sign flips on averages",
        _ => "sign flips over problems, of which each was answered several times",
    };
    let mut notes = vec![
        format!(
            "Accuracies by the {} scorer in percent, differences (B less A) in points; p: {test}; p (Holm): adjusted for {}.",
            comparison.scorer.name(),
            counted(comparison.sets.len(), "set")
        ),
        "Detectable: the smallest true difference in points that so many items reveal in four cases of five."
            .to_string(),
    ];
    if disagreeing(comparison) {
        notes.push("Where the interval leaves out 0 and p is above 5 %, or the other way round: the interval is the score interval of the difference (Tango), p is of an exact test, which is more careful where few items changed. Take such a difference as not shown.".to_string());
    }
    if comparison.sets.iter().any(|set| !set.in_average) {
        notes.push("* in no average.".to_string());
    }
    notes.iter().map(|note| format!("{note}\n")).collect()
}

/// Whether interval and test of any set or average seem to say different things.
fn disagreeing(comparison: &RunComparison) -> bool {
    let alpha = 1.0 - comparison.confidence;
    let seems = |[low, high]: [f64; 2], p: f64| (low > 0.0 || high < 0.0) != (p <= alpha);
    let averages = [&comparison.micro, &comparison.macro_];
    let averages = averages.into_iter().flatten();
    let sets = comparison.sets.iter().map(|set| &set.figures);
    sets.map(|figures| (figures.interval, figures.p))
        .chain(averages.map(|average| (average.interval, average.p)))
        .any(|(interval, p)| seems(interval, p))
}

/// Each run with its place.
pub(crate) fn run_lines<const N: usize>(runs: [(&str, &RunLabel); N]) -> String {
    let width = runs.iter().map(|(role, _)| role.len()).max().unwrap_or(0);
    let names = runs
        .iter()
        .map(|(_, run)| run.name.chars().count())
        .max()
        .unwrap_or(0);
    let line = |(role, run): &(&str, &RunLabel)| {
        let kind = if run.baseline { "baseline " } else { "" };
        let samples = if run.samples == 1 {
            String::new()
        } else {
            format!(", {} completions a problem", run.samples)
        };
        format!(
            "{role:width$}  {:names$}  ({kind}{}{samples})\n",
            run.name,
            run.source.display()
        )
    };
    runs.iter().map(line).collect()
}

/// The differences, grouped by what they mean. Nothing where there is none.
pub(crate) fn differences_text(differences: &[ProtocolDifference], names: [&str; 2]) -> String {
    let groups = [
        (
            "The protocols differ, so that figures are not comparable:",
            &[
                Aspect::Template,
                Aspect::Decoding,
                Aspect::Rules,
                Aspect::Items,
            ][..],
        ),
        (
            "Computed or drawn differently:",
            &[Aspect::Precision, Aspect::Drawing, Aspect::Program],
        ),
        ("What is compared:", &[Aspect::Model]),
    ];
    let mut text = String::new();
    for (heading, aspects) in groups {
        let own: Vec<&ProtocolDifference> = differences
            .iter()
            .filter(|found| aspects.contains(&found.aspect))
            .collect();
        if !own.is_empty() {
            text.push_str(&format!("{heading}\n"));
        }
        for found in own {
            text.push_str(&format!(
                "  {}: {}: {} {}, {} {}\n",
                found.aspect.title(),
                found.what,
                names[0],
                one_line(&found.a, 60),
                names[1],
                one_line(&found.b, 60)
            ));
        }
    }
    text
}

/// The items that one run solved better than the other, those lost first.
pub fn flips_text(flips: &Flips) -> String {
    let mut text = String::new();
    for (heading, total, list) in [
        (
            "lost: A is right more often than B",
            flips.lost_total,
            &flips.lost,
        ),
        (
            "won: B is right more often than A",
            flips.won_total,
            &flips.won,
        ),
    ] {
        let part = if list.len() < total {
            format!(", the first {} listed", list.len())
        } else {
            String::new()
        };
        text.push_str(&format!("\n{total} {heading}{part}\n"));
        for flip in list {
            text.push_str(&flip_text(flip));
        }
    }
    text
}

fn flip_text(flip: &Flip) -> String {
    let side = |name: &str, side: &FlipSide| {
        let verdict = match (side.samples, side.correct) {
            (1, 0) => "wrong".to_string(),
            (1, _) => "right".to_string(),
            (samples, correct) => format!("{correct} of {samples} right"),
        };
        let Some(completion) = &side.completion else {
            return format!("    {name} {verdict}; a baseline keeps no texts\n");
        };
        let answer = side
            .answer
            .as_deref()
            .map_or("no answer".to_string(), |answer| {
                format!("`{}`", one_line(answer, 60))
            });
        format!(
            "    {name} {verdict}, {answer}: {}\n",
            shortened(completion)
        )
    };
    format!(
        "  {}: reference `{}`\n{}{}",
        flip.id,
        one_line(&flip.reference, 60),
        side("A", &flip.sides[0]),
        side("B", &flip.sides[1])
    )
}

/// One item of two runs: question, reference, both completions the first divergence between »
/// and «, and what the scorers say.
pub fn contrast_text(contrast: &Contrast) -> String {
    let problem = &contrast.problem;
    let mut text = format!("{} ({}, task {})\n", problem.id, problem.set, problem.task);
    section(&mut text, "question", &problem.question);
    section(&mut text, "reference", &problem.reference);
    let note = match contrast.first_divergence {
        None => "the completions are equal".to_string(),
        Some(FirstDivergence { words: 0, .. }) => "they diverge at the first word".to_string(),
        Some(FirstDivergence { words, .. }) => {
            format!(
                "{} the same, then »the first divergence«",
                counted(words, "word")
            )
        }
    };
    for (at, name) in ["A", "B"].into_iter().enumerate() {
        let completion = &contrast.completions[at];
        let ended = format!("{:?}", completion.finish_reason).to_lowercase();
        let heading = format!(
            "completion {name} ({}, ended by {ended}; {note})",
            counted(completion.completion_tokens, "token")
        );
        let body = match (&completion.error, contrast.first_divergence) {
            (Some(error), _) => error.clone(),
            (None, Some(parting)) => marked(&completion.completion, parting.at[at]),
            (None, None) => completion.completion.clone(),
        };
        section(&mut text, &heading, &body);
    }
    for (name, verdict) in ["A", "B"].into_iter().zip(&contrast.verdicts) {
        section(
            &mut text,
            &format!("verdicts on {name}"),
            &verdicts(verdict),
        );
    }
    text
}

fn verdicts(verdict: &VerdictRecord) -> String {
    let line = |scorer: &str, decided: String, answer: Option<&str>, trace: &[String]| {
        let answer = answer.map_or("no answer".to_string(), |answer| format!("`{answer}`"));
        format!(
            "{scorer:8}  {decided}, {answer}; decided by {}\n",
            trace.join(", ")
        )
    };
    let (official, strict) = (&verdict.official, &verdict.strict);
    line(
        "official",
        official.verdict.to_string(),
        official.prediction.as_deref(),
        &official.trace,
    ) + &line(
        "strict",
        strict.verdict.to_string(),
        strict.answer.as_deref(),
        &strict.trace,
    )
}

/// A text with marks around the word that begins at a byte.
fn marked(text: &str, at: usize) -> String {
    let (before, rest) = text.split_at_checked(at).unwrap_or((text, ""));
    let end = rest
        .char_indices()
        .skip(1)
        .find(|(_, c)| c.is_whitespace())
        .map_or(rest.len(), |(end, _)| end);
    match rest.is_empty() {
        true => format!("{before}»«"),
        false => format!("{before}»{}«{}", &rest[..end], &rest[end..]),
    }
}

fn section(text: &mut String, heading: &str, body: &str) {
    text.push_str(&format!("\n── {heading}\n{}\n", body.trim_end()));
}

/// The start and the end, where the answer is, on one line.
fn shortened(completion: &str) -> String {
    const START: usize = 60;
    const END: usize = 80;
    let line = completion.split_whitespace().collect::<Vec<_>>().join(" ");
    let length = line.chars().count();
    if length <= START + END {
        return line;
    }
    let start: String = line.chars().take(START).collect();
    let end: String = line.chars().skip(length - END).collect();
    format!("{start} … {end}")
}

/// A difference in points, with its sign.
pub(crate) fn signed(difference: f64) -> String {
    let points = (difference * 1000.0).round() / 10.0;
    match points {
        0.0 => "0.0".to_string(),
        points if points < 0.0 => format!("−{:.1}", -points),
        points => format!("+{points:.1}"),
    }
}

pub(crate) fn interval_text([low, high]: [f64; 2]) -> String {
    format!("{} to {}", signed(low), signed(high))
}

fn p_text(p: f64) -> String {
    if p < 0.001 {
        "< 0.001".to_string()
    } else {
        format!("{p:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_divergence_is_marked() {
        assert_eq!(marked("She has 3 apples.", 8), "She has »3« apples.");
        assert_eq!(marked("She has 3", 9), "She has 3»«");
        assert_eq!(marked("a\nb", 1), "a»\nb«");
    }

    #[test]
    fn a_long_completion_keeps_its_end() {
        let text = format!("{} The answer is 7.", "word ".repeat(100));
        let short = shortened(&text);
        assert!(
            short.starts_with("word word")
                && short.contains(" … ")
                && short.ends_with("The answer is 7."),
            "{short}"
        );
        assert!(short.chars().count() <= 60 + 3 + 80);
    }

    #[test]
    fn a_difference_of_nothing_has_no_sign() {
        assert_eq!(
            [-0.0004, 0.0123, -0.5].map(signed),
            ["0.0", "+1.2", "−50.0"]
        );
    }
}
