//! MATH as published (hendrycks/math): a JSON file a problem in a folder a subject, or the same
//! records as JSON Lines or parquet: `problem`, `level`, `type`, `solution`. The reference is the
//! argument of the last `\boxed` or `\fbox` of the solution.

use std::path::Path;

use super::{
    PublishedAnswer, PublishedFormat, PublishedItem, RecordPosition, belongs_to_split,
    has_extension, rest, stem, text,
};
use crate::error::ErrorKind;
use crate::record::{self, Extras};

pub(crate) const FORMAT: PublishedFormat = PublishedFormat {
    form: "MATH as published: problem, type, solution with a \\boxed answer",
    file_names: "test/SUBJECT/N.json, test.jsonl, test-*.parquet",
    belongs: |path, split| {
        has_extension(path, &["jsonl", "json", "parquet"]) && belongs_to_split(path, split)
    },
    read,
};

fn read(record: &Extras, at: &RecordPosition<'_>) -> Result<Vec<PublishedItem>, ErrorKind> {
    let question = text(record, "problem")?;
    let solution = text(record, "solution")?;
    let subject = text(record, "type")?;
    let answer = match last_boxed(&solution) {
        Some(answer) => PublishedAnswer::Text(answer.to_string()),
        None => PublishedAnswer::Missing("expected a \\boxed answer"),
    };
    let item = PublishedItem {
        task: Some(format!("MATH.{}", subject.replace(' ', "_"))),
        number: number(record, at)?,
        passage: None,
        question,
        answer,
        language: None,
        extras: rest(record, &["problem", "idx", "unique_id"]),
    };
    Ok(vec![item])
}

/// `idx` of the JSON Lines, `unique_id` of MATH-500, the name of a file that holds one problem, or
/// else the position.
fn number(record: &Extras, at: &RecordPosition<'_>) -> Result<String, ErrorKind> {
    for field in ["idx", "unique_id"] {
        if let Some(number) = record::number(record, field)? {
            return Ok(number);
        }
    }
    let name = stem(at.file);
    let is_number = !name.is_empty() && name.bytes().all(|c| c.is_ascii_digit());
    Ok(if is_number && is_alone(at.file) {
        name
    } else {
        at.position.to_string()
    })
}

/// Whether the file is one of those that hold one problem each.
fn is_alone(file: &Path) -> bool {
    has_extension(file, &["json"])
}

/// The argument of the last `\boxed` or `\fbox` that has one: in braces, which may nest, or without
/// (`\boxed 5`), up to the end of the formula or the line.
pub(crate) fn last_boxed(solution: &str) -> Option<&str> {
    let commands = ["\\boxed", "\\fbox"];
    let mut starts: Vec<usize> = commands
        .iter()
        .flat_map(|command| {
            solution
                .match_indices(command)
                .map(|(start, command)| start + command.len())
        })
        .collect();
    // The last of either command. The scorer of MATH looks for `\fbox` only where there is no
    // `\boxed`.
    starts.sort_unstable();
    starts
        .into_iter()
        .rev()
        .find_map(|start| argument(&solution[start..]))
}

/// What stands after a command: its argument, never blank.
fn argument(text: &str) -> Option<&str> {
    // `\boxedsomething` is another command.
    let rest = text.trim_start();
    if rest.starts_with(|c: char| c.is_ascii_alphabetic()) && rest.len() == text.len() {
        return None;
    }
    let argument = match rest.strip_prefix('{') {
        Some(inner) => &inner[..closing_brace(inner)?],
        None => {
            let end = ["$", "\n", "\\)", "\\]"]
                .iter()
                .filter_map(|end| rest.find(end))
                .min()
                .unwrap_or(rest.len());
            rest[..end].trim_end().trim_end_matches(['.', ','])
        }
    };
    Some(argument.trim()).filter(|argument| !argument.is_empty())
}

/// Where the brace closes that was open before the text. Braces after a backslash are characters.
fn closing_brace(text: &str) -> Option<usize> {
    let (mut depth, mut escaped) = (1usize, false);
    for (index, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(index);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::last_boxed;

    #[test]
    fn the_last_box_is_read_with_its_nested_braces() {
        for (solution, expected) in [
            (r"so $x = \boxed{2}$.", Some("2")),
            (
                r"first \boxed{1}, then $\boxed{\frac{1}{2}}$",
                Some(r"\frac{1}{2}"),
            ),
            (
                r"$\boxed{\sqrt{2}} \fbox{\text{a {b} c}}$",
                Some(r"\text{a {b} c}"),
            ),
            (r"$\fbox{3} \boxed{4}$", Some("4")),
            (r"the set \boxed{\{1, 2\}}", Some(r"\{1, 2\}")),
            (
                r"\boxed{\left\{ x : x > 0 \right.}",
                Some(r"\left\{ x : x > 0 \right."),
            ),
            (r"an escaped backslash \boxed{a \\} b", Some(r"a \\")),
            (r"thus $\boxed 5$.", Some("5")),
            (r"thus \boxed 73.", Some("73")),
            (r"thus $\boxed5$ apples", Some("5")),
            (r"thus $\boxed \frac{1}{2}$", Some(r"\frac{1}{2}")),
            (r"thus \(\boxed 5\) apples", Some("5")),
            (r"\boxed {7}", Some("7")),
            ("\\boxed{7}\nand \\boxed{", Some("7")),
            (r"\boxed{}", None),
            (r"\boxed{1}, the \boxedtext{2}", Some("1")),
            ("nothing", None),
        ] {
            assert_eq!(last_boxed(solution), expected, "{solution}");
        }
    }
}
