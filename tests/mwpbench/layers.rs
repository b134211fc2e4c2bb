//! The "must never" column of ARCHITECTURE.md, from `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// Crates and what they must not reach, directly or through other crates of the workspace: names
/// with blanks between.
const MUST_NEVER: [(&str, &str); 25] = [
    (
        "interchange",
        "inference endpoint reporting report candle- tokenizers",
    ),
    ("report", "inference endpoint reporting candle- tokenizers"),
    (
        "serve",
        "dataset-loader scoring evaluation reporting endpoint",
    ),
    ("fault", LEAF),
    ("store", LEAF),
    ("math-equality", LEAF),
    ("http-client", LEAF),
    ("hub", LEAF),
    ("loopback", LEAF),
    (
        "record-files",
        "dataset-loader generation inference scoring evaluation reporting candle-",
    ),
    (
        "dataset-fetcher",
        "dataset-loader generation inference scoring evaluation reporting candle-",
    ),
    (
        "overlap",
        "dataset-loader generation inference scoring evaluation reporting candle-",
    ),
    (
        "dataset-loader",
        "generation inference scoring evaluation reporting candle- tokenizers",
    ),
    (
        "generation",
        "dataset-loader inference scoring evaluation reporting candle- tokenizers tempfile",
    ),
    (
        "jobs",
        "dataset-loader overlap inference scoring evaluation reporting candle- tokenizers",
    ),
    (
        "translation",
        "inference endpoint scoring evaluation reporting candle- tokenizers",
    ),
    (
        "endpoint",
        "record-files dataset-loader inference scoring evaluation reporting candle- tokenizers",
    ),
    ("inference", "dataset-loader scoring evaluation reporting"),
    (
        "scoring",
        "dataset-loader generation inference evaluation reporting candle- tokenizers",
    ),
    (
        "evaluation",
        "inference reporting candle- tokenizers safetensors",
    ),
    (
        "mathscale",
        "inference evaluation reporting candle- tokenizers safetensors",
    ),
    ("reporting", "inference candle- tokenizers safetensors"),
    (
        "chat-template",
        "dataset-loader generation inference scoring evaluation reporting candle- tokenizers",
    ),
    (
        "statistics",
        "record-files dataset-loader dataset-fetcher overlap generation inference scoring evaluation reporting candle- tokenizers",
    ),
    // It reaches everything through the program, and names little itself.
    ("python", "loopback"),
];

/// What a crate must not reach that knows nothing of problems and models.
const LEAF: &str = "record-files dataset-loader generation jobs inference scoring evaluation reporting candle- tokenizers";

/// Any crate of the candle family.
const CANDLE: &str = "candle-";

/// External crates and the only members that may name them.
const ONLY_IN: [(&str, &[&str]); 8] = [
    (CANDLE, &["inference"]),
    ("tokenizers", &["inference"]),
    ("safetensors", &["inference"]),
    ("clap", &["mwpbench"]),
    ("anyhow", &["mwpbench"]),
    ("pyo3", &["python"]),
    ("mwpbench", &["python"]),
    ("python", &[]),
];

type Graph = BTreeMap<String, BTreeSet<String>>;

/// Each member with the crates that it names among its normal dependencies.
fn graph() -> Graph {
    let metadata: Metadata = MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap();
    let normal = |package: &cargo_metadata::Package| {
        let dependencies = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind == DependencyKind::Normal);
        dependencies
            .map(|dependency| dependency.name.to_string())
            .collect()
    };
    metadata
        .packages
        .iter()
        .map(|package| (package.name.to_string(), normal(package)))
        .collect()
}

fn matches(name: &str, pattern: &str) -> bool {
    if pattern == CANDLE {
        name.starts_with(CANDLE)
    } else {
        name == pattern
    }
}

/// All that a member reaches.
fn reach(graph: &Graph, member: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![member.to_string()];
    while let Some(name) = open.pop() {
        for dependency in graph.get(&name).into_iter().flatten() {
            if reached.insert(dependency.clone()) {
                open.push(dependency.clone());
            }
        }
    }
    reached
}

/// Every breach of the rules, as `member → crate`.
fn breaches(graph: &Graph) -> Vec<String> {
    let mut found = Vec::new();
    for (member, forbidden) in MUST_NEVER {
        for name in reach(graph, member) {
            if forbidden
                .split_whitespace()
                .any(|pattern| matches(&name, pattern))
            {
                found.push(format!("{member} reaches {name}"));
            }
        }
    }
    if graph["reporting"].contains("scoring") {
        found.push("reporting names scoring".to_string());
    }
    for (member, dependencies) in graph {
        for name in dependencies {
            let breached = |&&(pattern, members): &&(&str, &[&str])| {
                matches(name, pattern) && !members.contains(&member.as_str())
            };
            found.extend(
                ONLY_IN
                    .iter()
                    .find(breached)
                    .map(|_| format!("{member} names {name}")),
            );
        }
    }
    found
}

#[test]
fn no_crate_knows_what_it_must_not() {
    assert_eq!(breaches(&graph()), [""; 0]);
}

#[test]
fn every_member_is_covered_by_a_rule() {
    let covered: BTreeSet<&str> = MUST_NEVER
        .iter()
        .map(|(member, _)| *member)
        .chain(["mwpbench"])
        .collect();
    let graph = graph();
    let members: BTreeSet<&str> = graph.keys().map(String::as_str).collect();
    assert_eq!(covered, members);
}

#[test]
fn a_breach_is_found() {
    let mut graph = graph();
    graph
        .get_mut("generation")
        .unwrap()
        .insert("candle-core".to_string());
    let found = breaches(&graph);
    assert!(
        found.contains(&"evaluation reaches candle-core".to_string()),
        "{found:?}"
    );
    assert!(
        found.contains(&"generation names candle-core".to_string()),
        "{found:?}"
    );
}
