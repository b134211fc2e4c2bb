//! What a model says → the concepts in it. Models number, bullet, embolden, write JSON, put
//! headings into many forms, and add remarks: all of that is read.

mod json; // concepts in a JSON object
mod text; // concepts in lines below headings

use super::{Name, names};
use crate::concept;

/// Most topics of a seed (paper, section 3.1); one at least.
const TOPICS: usize = 2;
/// Most KPs of a seed; one at least.
const KNOWLEDGE_POINTS: usize = 5;

/// What a reply lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) topics: Vec<String>,
    pub(crate) knowledge_points: Vec<String>,
}

/// The concepts that a reply names.
///
/// # Errors
/// What is wrong with it, in words for the model.
pub(crate) fn read(reply: &str) -> Result<(Vec<Name>, Vec<Name>), String> {
    let listed = json::listed(reply).unwrap_or_else(|| text::listed(reply));
    let topics = checked(listed.topics, "topic", "Topics:", TOPICS)?;
    Ok((
        topics,
        checked(
            listed.knowledge_points,
            "knowledge point",
            "Knowledge points:",
            KNOWLEDGE_POINTS,
        )?,
    ))
}

fn checked(
    found: Vec<String>,
    kind: &str,
    heading: &str,
    most: usize,
) -> Result<Vec<Name>, String> {
    let mut names = names(found, kind)?;
    let mut keys = Vec::new();
    names.retain(|name| {
        let key = concept::key(&name.written);
        let is_new = !keys.contains(&key);
        keys.push(key);
        is_new
    });
    match names.len() {
        0 => Err(format!("there is no {kind} below a heading \"{heading}\"")),
        count if count > most => Err(format!("it names {count} {kind}s, name 1 to {most}")),
        _ => Ok(names),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(reply: &str) -> Result<(Vec<String>, Vec<String>), String> {
        let written = |names: Vec<Name>| names.into_iter().map(|name| name.written).collect();
        read(reply).map(|(topics, kps)| (written(topics), written(kps)))
    }

    /// Every file in `tests/fixtures/replies` holds a reply, a line `=== expected`, and what is
    /// read in it: `T name`, `K name` or `! part of the reason`.
    #[test]
    fn recorded_replies_are_read() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/replies");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let (reply, expected) = text.split_once("=== expected\n").unwrap();
            count += 1;
            match (written(reply), expected.strip_prefix("! ")) {
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
                (read, _) => panic!("{}: {read:?}", path.display()),
            }
        }
        assert!(count >= 20, "{count} replies");
    }

    proptest! {
        #[test]
        fn any_reply_is_read_or_refused(reply in "(Topics?:? ?|Knowledge points:|[0-9]\\. |\\* |\\*\\*|\\{\"topics\": \\[|\"a\"|\\]|\n|;|\\PC){0,30}") {
            if let Ok((topics, kps)) = read(&reply) {
                prop_assert!((1..=TOPICS).contains(&topics.len()) && (1..=KNOWLEDGE_POINTS).contains(&kps.len()));
            }
        }
    }
}
