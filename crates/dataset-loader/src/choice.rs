//! Multiple choice → word problem, as in appendix A of the paper (arXiv:2403.02884).
//!
//! A question that speaks of its options cannot be asked without them: it is dropped where its
//! text, in small letters, contains one of five phrases. The others are asked without options, and
//! the content of the correct one is the answer. The phrases are English: those of a Chinese
//! question are searched in its translation.

use serde_json::{Map, Value};

use crate::reason::DropReason;

/// The phrases, in the order of the paper.
pub const OPTION_PHRASES: [&str; 5] = [
    "which of the following",
    "which one",
    "which is",
    "the following",
    "which statement",
];

/// The first of the phrases that a question contains, where it cannot be asked without its options.
pub fn needs_options(question: &str) -> Option<&'static str> {
    let question = question.to_lowercase();
    OPTION_PHRASES
        .into_iter()
        .find(|phrase| question.contains(phrase))
}

/// The options of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choices {
    /// Label and content of each, in order; contents without label.
    pub(crate) options: Vec<(String, String)>,
    /// Labels of the correct ones.
    pub(crate) correct: Vec<String>,
}

impl Choices {
    /// The answer to the question without its options: the content of the correct one.
    pub(crate) fn answer(&self, question: &str) -> Result<String, DropReason> {
        if let Some(phrase) = needs_options(question) {
            return Err(DropReason::NeedsOptions { phrase });
        }
        let [label] = self.correct.as_slice() else {
            return Err(DropReason::SeveralCorrect {
                labels: self.correct.join(""),
            });
        };
        let content = self.content(label)?;
        match content.is_empty() {
            true => Err(DropReason::EmptyOption {
                label: label.clone(),
            }),
            false => Ok(content.to_string()),
        }
    }

    /// The question with its options below it, a line each, and the labels of the correct ones.
    pub(crate) fn with_options(&self, question: &str) -> Result<(String, String), DropReason> {
        // Only to refuse a label that no option has: it would be a reference that nobody can give.
        for label in &self.correct {
            self.content(label)?;
        }
        let mut text = question.to_string();
        for (label, content) in &self.options {
            text.push_str(&format!("\n({label}) {content}"));
        }
        Ok((text, self.correct.join("")))
    }

    /// Contents by label, for the record.
    pub(crate) fn to_value(&self) -> Value {
        let pair =
            |(label, content): &(String, String)| (label.clone(), Value::String(content.clone()));
        Value::Object(self.options.iter().map(pair).collect::<Map<_, _>>())
    }

    fn content(&self, label: &str) -> Result<&str, DropReason> {
        let option = self.options.iter().find(|(own, _)| own == label);
        option
            .map(|(_, content)| content.as_str())
            .ok_or_else(|| DropReason::NoSuchOption {
                label: label.to_string(),
            })
    }
}

/// A text without white space and LaTeX line breaks around it; signs of formulas stay.
pub(crate) fn trimmed(text: &str) -> &str {
    let mut text = text.trim();
    // `\\` ends a line. After another backslash it would be part of something else.
    while let Some(rest) = text
        .strip_suffix("\\\\")
        .filter(|rest| !rest.ends_with('\\'))
    {
        text = rest.trim_end();
    }
    text
}

/// Label and content of an option such as `(A) 12`, `A. 12` or `（A）12`.
pub(crate) fn labelled(option: &str) -> Option<(String, String)> {
    let text = option.trim();
    let open = text.strip_prefix(['(', '（']);
    let mut rest = open.unwrap_or(text).chars();
    let label = rest.next().filter(char::is_ascii_uppercase)?;
    let ends: &[char] = if open.is_some() {
        &[')', '）']
    } else {
        &['.', '．', '、', ':', '：']
    };
    let content = rest.as_str().strip_prefix(ends)?;
    Some((label.to_string(), trimmed(content).to_string()))
}

/// The labels that a text such as `AD`, `A B D` or `A, C` names.
pub(crate) fn labels(text: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    for c in text
        .chars()
        .filter(|c| !c.is_whitespace() && !",，、;；".contains(*c))
    {
        if !c.is_ascii_uppercase() {
            return None;
        }
        found.push(c.to_string());
    }
    (!found.is_empty()).then_some(found)
}

/// Takes a question apart whose options stand in its text, labelled `A.`, `B.` and so on, each
/// after white space. `None` where there are not at least two. Of several rows of labels the
/// longest counts, and of equal ones the last: what comes before belongs to the question.
pub(crate) fn split_options(text: &str) -> Option<(String, Vec<(String, String)>)> {
    let marks = option_marks(text);
    let starts = (0..marks.len()).filter(|&index| marks[index].label == 'A');
    let row = starts
        .map(|start| row_of_labels(&marks[start..]))
        // Of equal lengths `max_by_key` gives the last.
        .max_by_key(Vec::len)
        .filter(|row| row.len() > 1)?;
    let ends = row[1..].iter().map(|mark| mark.start).chain([text.len()]);
    let content = |(mark, end): (&Mark, usize)| {
        (
            mark.label.to_string(),
            trimmed(&text[mark.end..end]).to_string(),
        )
    };
    let options = row.iter().zip(ends).map(content).collect();
    Some((trimmed(&text[..row[0].start]).to_string(), options))
}

/// The first mark and those that go on with the alphabet from it.
fn row_of_labels(marks: &[Mark]) -> Vec<Mark> {
    let mut row: Vec<Mark> = Vec::new();
    for mark in marks {
        // Other capitals with a point, such as initials, are passed over.
        if mark.label as u32 == 'A' as u32 + row.len() as u32 {
            row.push(*mark);
        }
    }
    row
}

/// A label in a text: where it starts, and where what it labels does.
#[derive(Clone, Copy)]
struct Mark {
    label: char,
    start: usize,
    end: usize,
}

fn option_marks(text: &str) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut after_space = true;
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        if let (true, true, Some(&(at, next @ ('.' | '．' | '、')))) =
            (after_space, c.is_ascii_uppercase(), chars.peek())
        {
            marks.push(Mark {
                label: c,
                start,
                end: at + next.len_utf8(),
            });
        }
        after_space = c.is_whitespace();
    }
    marks
}
