//! Sets that are asked with their options and answered with a letter: AQuA-RAT as published
//! (google-deepmind/AQuA: `question`, `options` such as `A)12`, `rationale`, `correct`) and the SAT
//! of May 2023 as the evaluation repository of Qwen2.5-Math keeps it (`question`, `options` in one
//! text, `Answer`).
//!
//! The options stand below the question as lines `(A) …`, as those of `--keep-choices` do, and the
//! letter is the reference: that is how both are reported everywhere.

use serde_json::Value;

use super::{
    PublishedAnswer, PublishedFormat, PublishedItem, RecordPosition, belongs_to_split,
    has_extension, number_or_position, rest, text,
};
use crate::choice::{Choices, labels, trimmed};
use crate::error::ErrorKind;
use crate::record::{Extras, wrong_type};

const OPTIONS: &str = "options";
const EXPECTED: &str = "options such as A)12, in a list or one text";

pub(crate) const AQUA: PublishedFormat = PublishedFormat {
    form: "AQuA-RAT as published: question, options, correct",
    file_names: "test.json, aqua.jsonl, train.json",
    belongs: |path, split| {
        // `test.tok.json` are the same problems, their words taken apart.
        !path.to_string_lossy().contains(".tok.")
            && has_extension(path, &["jsonl", "json", "parquet"])
            && belongs_to_split(path, split)
    },
    read: |record, at| read(record, at, "correct", Some("rationale")),
};

pub(crate) const SAT: PublishedFormat = PublishedFormat {
    form: "SAT of May 2023: question, options, Answer",
    file_names: "sat_math.jsonl, test.jsonl",
    belongs: |path, split| has_extension(path, &["jsonl"]) && belongs_to_split(path, split),
    read: |record, at| read(record, at, "Answer", None),
};

fn read(
    record: &Extras,
    at: &RecordPosition<'_>,
    label: &'static str,
    solution: Option<&'static str>,
) -> Result<Vec<PublishedItem>, ErrorKind> {
    let asked = text(record, "question")?;
    let stated = text(record, label)?;
    let correct = labels(&stated)
        .filter(|labels| labels.len() == 1)
        .ok_or_else(|| ErrorKind::WrongType {
            field: label.to_string(),
            expected: "the letter of an option",
            found: "another text",
        })?;
    let choices = Choices {
        options: options(record)?,
        correct,
    };
    let (question, reference) = choices
        .with_options(&asked)
        .map_err(|_| ErrorKind::WrongType {
            field: label.to_string(),
            expected: "the letter of one of the options",
            found: "the letter of none",
        })?;
    let mut extras = rest(record, &["question", OPTIONS, label, "id"]);
    if let Some(text) = solution.and_then(|field| extras.shift_remove(field)) {
        extras.insert("solution".to_string(), text);
    }
    extras.insert("form".to_string(), Value::String("choice".to_string()));
    extras.insert(OPTIONS.to_string(), choices.to_value());
    extras.insert("label".to_string(), Value::String(reference.clone()));
    Ok(vec![PublishedItem {
        task: None,
        number: number_or_position(record, "id", at)?,
        passage: None,
        question,
        answer: PublishedAnswer::Text(reference),
        language: None,
        extras,
    }])
}

fn options(record: &Extras) -> Result<Vec<(String, String)>, ErrorKind> {
    let value = record
        .get(OPTIONS)
        .ok_or_else(|| ErrorKind::MissingField(OPTIONS.to_string()))?;
    let found = match value {
        Value::String(text) => split(text),
        Value::Array(list) => {
            let option = |value: &Value| {
                let one = split(value.as_str()?)?;
                <[_; 1]>::try_from(one).ok().map(|[option]| option)
            };
            list.iter().map(option).collect()
        }
        _ => None,
    };
    found
        .filter(|options| options.len() > 1)
        .ok_or_else(|| wrong_type(OPTIONS, EXPECTED, value))
}

/// The options of a text: `A` at its start, every further one behind white space, in the order of
/// the alphabet and all with the same sign behind the letter, `)` or `.`.
fn split(text: &str) -> Option<Vec<(String, String)>> {
    let text = text.trim();
    let mut letters = text.chars();
    let first = letters.next().filter(char::is_ascii_uppercase)?;
    let sign = letters.next().filter(|sign| [')', '.'].contains(sign))?;
    let mut options = Vec::new();
    let (mut letter, mut rest) = (first, letters.as_str());
    loop {
        let next = char::from(letter as u8 + 1);
        let mark = format!("{next}{sign}");
        let found = rest
            .match_indices(&mark)
            .find(|(at, _)| rest[..*at].ends_with(char::is_whitespace));
        let (content, behind) = match found {
            Some((at, mark)) => (&rest[..at], Some(&rest[at + mark.len()..])),
            None => (rest, None),
        };
        options.push((letter.to_string(), trimmed(content).to_string()));
        match behind {
            Some(behind) => (letter, rest) = (next, behind),
            None => return Some(options),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn options_of_one_text_are_taken_apart_in_the_order_of_the_alphabet() {
        let pairs = |text: &str| {
            let options = split(text)?;
            Some(
                options
                    .into_iter()
                    .map(|(letter, content)| format!("{letter}={content}"))
                    .collect::<Vec<_>>(),
            )
        };
        let of = |list: &[&str]| Some(list.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(
            pairs("A) $f(-6)=0$ B) $f(6)=-6$ C) 3"),
            of(&["A=$f(-6)=0$", "B=$f(6)=-6$", "C=3"])
        );
        assert_eq!(
            pairs("A. 1,190 B. 1,900 C. 2.5"),
            of(&["A=1,190", "B=1,900", "C=2.5"])
        );
        // A name of a set is no label, nor is a letter within a formula.
        assert_eq!(
            pairs("A) The mean of A is that of B B) f(B)=2 C) none"),
            of(&["A=The mean of A is that of B", "B=f(B)=2", "C=none"])
        );
        assert_eq!(pairs("E)None of these"), of(&["E=None of these"]));
        assert_eq!(pairs("twelve"), None);
        assert_eq!(pairs(""), None);
    }
}
