//! Reply of a model → the concepts in it. Models number, bullet, embolden, write JSON, put headings
//! into many forms, and add remarks: all of that is parsed.

mod json; // concepts in a JSON object
mod text; // concepts in lines below headings

use super::{Name, names};
use crate::concept;

/// Topics of a seed (paper, section 3.1); one at least.
pub(crate) const MAX_TOPICS: usize = 2;
/// Knowledge points of a seed; one at least.
pub(crate) const MAX_KNOWLEDGE_POINTS: usize = 5;

/// What a reply lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) topics: Vec<String>,
    pub(crate) knowledge_points: Vec<String>,
    /// Whether a list ends where another item was to follow.
    pub(crate) ends_in_empty_item: bool,
}

/// The concepts that a reply names.
///
/// # Errors
/// What is wrong with it, in words for the model.
pub(crate) fn parse(reply: &str) -> Result<(Vec<Name>, Vec<Name>), String> {
    let Listed {
        topics,
        knowledge_points,
        ends_in_empty_item,
    } = json::parse(reply).unwrap_or_else(|| text::parse(reply));
    if ends_in_empty_item {
        return Err("its last item is empty".to_string());
    }
    let topics = checked(topics, "topic", "Topics:", MAX_TOPICS)?;
    let kps = checked(
        knowledge_points,
        "knowledge point",
        "Knowledge points:",
        MAX_KNOWLEDGE_POINTS,
    )?;
    Ok((topics, kps))
}

fn checked(found: Vec<String>, kind: &str, heading: &str, max: usize) -> Result<Vec<Name>, String> {
    let mut names = names(found, kind)?;
    let mut keys = Vec::new();
    names.retain(|name| {
        let key = concept::case_key(&name.canonical);
        let is_new = !keys.contains(&key);
        keys.push(key);
        is_new
    });
    match names.len() {
        0 => Err(format!("there is no {kind} below a heading \"{heading}\"")),
        count if count > max => Err(format!("it names {count} {kind}s, name 1 to {max}")),
        _ => Ok(names),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(reply: &str) -> Result<(Vec<String>, Vec<String>), String> {
        let names = |names: Vec<Name>| names.into_iter().map(|name| name.canonical).collect();
        parse(reply).map(|(topics, kps)| (names(topics), names(kps)))
    }

    /// Every file in `tests/fixtures/replies` holds a reply, a line `=== expected`, and what is
    /// parsed from it: `T name`, `K name` or `! part of the reason`.
    #[test]
    fn recorded_replies_are_parsed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/replies");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let (reply, expected) = text.split_once("=== expected\n").unwrap();
            count += 1;
            match (canonical(reply), expected.strip_prefix("! ")) {
                (Err(reason), Some(part)) => {
                    assert!(reason.contains(part.trim()), "{}: {reason}", path.display())
                }
                (Ok((topics, kps)), None) => {
                    let of = |mark: &str| {
                        expected
                            .lines()
                            .filter_map(|line| line.strip_prefix(mark))
                            .collect::<Vec<_>>()
                    };
                    assert_eq!(
                        (topics, kps),
                        (
                            of("T ").iter().map(|name| name.to_string()).collect(),
                            of("K ").iter().map(|name| name.to_string()).collect()
                        ),
                        "{}",
                        path.display()
                    );
                }
                (parsed, _) => panic!("{}: {parsed:?}", path.display()),
            }
        }
        assert!(count >= 20, "{count} replies");
    }

    proptest! {
        #[test]
        fn any_reply_is_parsed_or_refused(reply in "(Topics?:? ?|Knowledge points:|[0-9]\\. |\\* |\\*\\*|\\{\"topics\": \\[|\"a\"|\\]|\n|;|\\PC){0,30}") {
            if let Ok((topics, kps)) = parse(&reply) {
                prop_assert!((1..=MAX_TOPICS).contains(&topics.len()) && (1..=MAX_KNOWLEDGE_POINTS).contains(&kps.len()));
            }
        }
    }
}
