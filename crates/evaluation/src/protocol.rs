//! The fixed points of the benchmark's protocol.
//! Source: microsoft/unilm, `mathscale/MWPBench/eval_vllm/driver.py`, commit 768a3c8.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most records of a task that the official driver evaluates. Only Ape210k (4,874 records) is above
/// it, and the paper's micro averages come out only with the cap.
pub const OFFICIAL_TASK_CAP: usize = 2000;

/// Most new tokens of a completion in the official protocol.
pub const MAX_TOKENS: usize = 2048;

/// The strings before which the official driver ends a completion.
pub const STOP_STRINGS: [&str; 11] = [
    // The longer text of a pair never decides, as the shorter one ends a completion at the same
    // place. Both stay: this is the list that the driver sends.
    "Question:",
    "Question",
    "USER:",
    "USER",
    "ASSISTANT:",
    "ASSISTANT",
    "Instruction:",
    "Instruction",
    "Response:",
    "Response",
    "</s>",
];

/// Which problems a run asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// The paper's: each task is cut to its first [`OFFICIAL_TASK_CAP`] records.
    #[default]
    Official,
    /// Every record.
    Full,
}

impl Protocol {
    /// Most records of a task, if there is a limit.
    pub fn task_cap(self) -> Option<usize> {
        match self {
            Self::Official => Some(OFFICIAL_TASK_CAP),
            Self::Full => None,
        }
    }

    /// Name in flags and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Official => "official",
            Self::Full => "full",
        }
    }
}

/// How stop strings depart from the protocol's, in words; `None` where they do not. Their order
/// means nothing.
pub(crate) fn deviating_stop_strings(stop: &[String]) -> Option<String> {
    let own: Vec<&str> = STOP_STRINGS
        .into_iter()
        .filter(|own| stop.iter().any(|text| text == own))
        .collect();
    let added: Vec<&str> = stop
        .iter()
        .map(String::as_str)
        .filter(|text| !own.contains(text))
        .collect();
    let missing: Vec<&str> = STOP_STRINGS
        .into_iter()
        .filter(|own_string| !own.contains(own_string))
        .collect();
    match (missing.as_slice(), added.as_slice()) {
        ([], []) => None,
        (_, []) if own.is_empty() => Some("no stop strings".to_string()),
        ([], added) => Some(format!("with {} added", stop_strings(added))),
        (missing, []) => Some(format!("without {}", stop_strings(missing))),
        (_, added) if own.is_empty() => Some(format!(
            "with {} in place of the protocol's",
            stop_strings(added)
        )),
        (missing, added) => Some(format!(
            "with {} added and {} left out",
            stop_strings(added),
            stop_strings(missing)
        )),
    }
}

/// The first of them as they would be written, and how many there are beside.
fn stop_strings(texts: &[&str]) -> String {
    const SHOWN: usize = 3;
    const LETTERS: usize = 30;
    let shown = |text: &&str| match text.chars().count() <= LETTERS {
        true => format!("{text:?}"),
        false => format!("{:?}…", text.chars().take(LETTERS).collect::<String>()),
    };
    let first: Vec<String> = texts.iter().take(SHOWN).map(shown).collect();
    let rest = match texts.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "stop string{} {}{rest}",
        if texts.len() == 1 { "" } else { "s" },
        first.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(stop: &[&str]) -> Option<String> {
        deviating_stop_strings(&stop.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn stop_strings_that_are_not_the_protocols_are_named() {
        let own = |more: &[&'static str]| [STOP_STRINGS.as_slice(), more].concat();
        assert_eq!(told(&STOP_STRINGS), None);
        assert_eq!(told(&own(&[]).into_iter().rev().collect::<Vec<_>>()), None);
        let said = [
            (own(&["\n\n"]), r#"with stop string "\n\n" added"#),
            (
                own(&["Q:", "\"", "b", "c", "d"]),
                r#"with stop strings "Q:", "\"", "b" and 2 more added"#,
            ),
            (vec![], "no stop strings"),
            (
                vec!["Q:"],
                r#"with stop string "Q:" in place of the protocol's"#,
            ),
            (
                STOP_STRINGS[1..].to_vec(),
                r#"without stop string "Question:""#,
            ),
            (
                own(&["x"])[2..].to_vec(),
                r#"with stop string "x" added and stop strings "Question:", "Question" left out"#,
            ),
        ];
        for (stop, expected) in said {
            assert_eq!(told(&stop).as_deref(), Some(expected));
        }
        let long = "a".repeat(31);
        assert_eq!(
            told(&[&long]),
            Some(format!(
                "with stop string \"{}\"… in place of the protocol's",
                "a".repeat(30)
            ))
        );
    }
}
