//! `tests/fixtures/expected.json`, which `tools/chat-templates/record.py` wrote, and the comparison
//! with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use chat_template::{ChatTemplate, Conversation, Error, Message, SpecialTokensMap};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
pub struct Expected {
    pub date: jiff::civil::Date,
    pub cases: Vec<Case>,
    pub layouts: Vec<Layout>,
}

#[derive(Deserialize)]
pub struct Case {
    pub template: String,
    pub conversation: String,
    pub add_generation_prompt: bool,
    pub special_tokens: BTreeMap<String, String>,
    pub variables: Map<String, Value>,
    pub text: Option<String>,
    pub error: Option<String>,
    /// Class of the exception.
    pub kind: Option<String>,
}

#[derive(Deserialize)]
pub struct Layout {
    pub name: String,
    pub files: BTreeMap<String, String>,
    pub templates: Vec<String>,
    pub special_tokens: BTreeMap<String, String>,
    pub text: Option<String>,
}

fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn expected() -> Expected {
    serde_json::from_str(&fixture("expected.json")).unwrap()
}

pub fn template(name: &str, special_tokens: SpecialTokensMap) -> ChatTemplate {
    ChatTemplate::new(
        format!("{name}.jinja"),
        fixture(&format!("templates/{name}.jinja")),
        special_tokens,
    )
    .unwrap()
}

#[test]
fn every_template_writes_what_transformers_writes() {
    let Expected { date, cases, .. } = expected();
    let conversations: BTreeMap<String, Vec<Message>> =
        serde_json::from_str(&fixture("conversations.json")).unwrap();
    let (mut equal, mut refused) = (0, 0);
    let mut templates = BTreeSet::new();
    let mut different = Vec::new();
    for case in &cases {
        templates.insert(case.template.as_str());
        let compiled = template(&case.template, case.special_tokens.iter().collect());
        let outcome = compiled.render(&Conversation {
            messages: &conversations[&case.conversation],
            add_generation_prompt: case.add_generation_prompt,
            date,
            variables: &case.variables,
        });
        let place = format!(
            "{}, {}, {:?}",
            case.template, case.conversation, case.variables
        );
        match (&case.text, outcome) {
            (Some(text), Ok(rendered)) if *text == rendered.text => equal += 1,
            (Some(text), Ok(rendered)) => {
                different.push(format!("{place}:\n{text:?}\n{:?}", rendered.text))
            }
            (Some(_), Err(error)) => different.push(format!("{place}: {error}")),
            (None, Ok(rendered)) => {
                different.push(format!("{place}: no error, but {:?}", rendered.text))
            }
            (None, Err(Error::Refused { message, .. }))
                if case.kind.as_deref() == Some("TemplateError") =>
            {
                assert_eq!(Some(&message), case.error.as_ref(), "{place}");
                refused += 1;
            }
            (None, Err(_)) => refused += 1,
        }
    }
    let summary = format!(
        "{equal} texts equal and {refused} refused of {} cases",
        cases.len()
    );
    assert!(
        different.is_empty(),
        "{summary}; the first that differ:\n{}",
        different[..different.len().min(8)].join("\n\n")
    );
    println!("{summary}, {} templates", templates.len());
    assert!(
        templates.len() >= 25 && equal > 900 && refused > 30,
        "{summary}, {} templates",
        templates.len()
    );
}

#[test]
fn every_template_file_was_recorded() {
    let recorded: BTreeSet<String> = expected()
        .cases
        .into_iter()
        .map(|case| case.template)
        .collect();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/templates");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    assert_eq!(files, recorded);
}
