use std::collections::HashSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use fault::{Class, Fault};
use mathscale::{
    ComposePlan, Composition, ErrorKind, Extraction, Graph, GraphPlan, Kind, MergeOptions, Project,
    StopReason, WalkOptions, compose, compositions, graph,
};
use store::JsonLines;

use crate::extract::{extract, shared_data};

fn extraction(topics: &[&str], knowledge_points: &[&str]) -> Extraction {
    let owned = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
    Extraction {
        id: String::new(),
        topics: owned(topics),
        knowledge_points: owned(knowledge_points),
    }
}

fn walks(count: u64, seed: u64) -> WalkOptions {
    WalkOptions { count, seed }
}

/// A project of 60 seeds with its graph.
fn project(folder: &Path) -> Project {
    let file = folder.join("annotations.jsonl");
    let record = |n: usize| {
        let topics = [format!("topic {}", n % 7), format!("topic {}", n * n % 5)];
        let kps: Vec<String> = (0..=n % 4)
            .map(|k| format!("point \"{}\" é", (n * (k + 2)) % 19))
            .collect();
        format!(
            "{}\n",
            serde_json::json!({ "topics": topics, "knowledge_points": kps })
        )
    };
    fs::write(&file, (0..60).map(record).collect::<String>()).unwrap();
    let (mut project, _) = extract(folder, &file, MergeOptions::default()).unwrap();
    graph(&mut project, &GraphPlan::default()).unwrap();
    project
}

fn run(project: &mut Project, count: u64, threads: usize) -> Result<Vec<u8>, mathscale::Error> {
    let plan = ComposePlan {
        walks: walks(count, 9),
        threads,
        fresh: true,
    };
    compose(project, &plan, &mut |_| ControlFlow::Continue(()))?;
    Ok(fs::read(project.file("compositions.jsonl")).unwrap())
}

#[test]
fn threads_change_nothing_and_a_smaller_count_is_the_start_of_a_larger_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = project(folder.path());
    let one = run(&mut project, 3000, 1).unwrap();
    assert!(one == run(&mut project, 3000, 3).unwrap());
    let fewer = run(&mut project, 100, 2).unwrap();
    assert!(one.starts_with(&fewer) && fewer.len() < one.len());
    let (in_memory, stop_reason) = compositions(
        &Graph::read_json(&project.file("graph.json")).unwrap(),
        walks(3000, 9),
    );
    assert_eq!(stop_reason, StopReason::Count);
    run(&mut project, 3000, 2).unwrap();
    let written: Vec<Composition> =
        JsonLines::read_all(&project.file("compositions.jsonl")).unwrap();
    assert_eq!(written, in_memory);
}

#[test]
fn compositions_are_unique_sorted_and_of_the_graph() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(folder.path());
    let graph = Graph::read_json(&project.file("graph.json")).unwrap();
    let (found, _) = compositions(&graph, walks(2000, 1));
    assert_eq!(found.iter().collect::<HashSet<_>>().len(), 2000);
    for composition in &found {
        let known = |kind, names: &[String]| {
            names.windows(2).all(|pair| pair[0] < pair[1])
                && names.iter().all(|name| {
                    graph
                        .concepts(kind)
                        .iter()
                        .any(|concept| concept.name == *name)
                })
        };
        assert!(known(Kind::Topic, &composition.topics), "{composition:?}");
        assert!(
            known(Kind::KnowledgePoint, &composition.knowledge_points),
            "{composition:?}"
        );
        assert!(
            (1..=3).contains(&composition.topics.len()),
            "{composition:?}"
        );
        assert!(
            (1..=5).contains(&composition.knowledge_points.len()),
            "{composition:?}"
        );
    }
    let other = compositions(&graph, walks(2000, 2)).0;
    assert_ne!(found, other);
}

#[test]
fn a_graph_gives_all_it_has_and_stops() {
    // From a or b: {a, b} with {p}, {q}, {p, q}. c stays where it is: {c} with {r}. d finds
    // nothing.
    let graph = Graph::of(&[
        extraction(&["a", "b"], &["p", "q"]),
        extraction(&["c"], &["r"]),
        extraction(&["d"], &[]),
    ]);
    let (mut found, stop_reason) = compositions(&graph, walks(1_000_000, 3));
    found.sort();
    let composition = |topics: &[&str], kps: &[&str]| {
        let Extraction {
            topics,
            knowledge_points,
            ..
        } = extraction(topics, kps);
        Composition {
            topics,
            knowledge_points,
        }
    };
    let ab = ["a", "b"];
    let mut expected = vec![
        composition(&ab, &["p"]),
        composition(&ab, &["p", "q"]),
        composition(&ab, &["q"]),
        composition(&["c"], &["r"]),
    ];
    expected.sort();
    assert_eq!((found, stop_reason), (expected, StopReason::NothingNew));
    assert_eq!(compositions(&graph, walks(2, 3)).1, StopReason::Count);
}

#[test]
fn rare_compositions_do_not_keep_a_search_from_ending() {
    // q follows p in one of 100,000 steps, and r follows q as rarely.
    let mut seeds = vec![
        extraction(&["a"], &["p", "q"]),
        extraction(&["b"], &["q", "r"]),
    ];
    seeds.extend((0..100_000).map(|_| extraction(&["a"], &["p", "s"])));
    let (found, stop_reason) = compositions(&Graph::of(&seeds), walks(50, 3));
    assert_ne!(stop_reason, StopReason::Count);
    assert!(found.len() > 10, "{}", found.len());
}

#[test]
#[ignore = "needs the real data ($MWPBENCH_SHARED_DATA)"]
fn a_project_tells_what_a_small_graph_could_not_give() {
    let file = shared_data("native/tal/en_single_choice_train_3K.jsonl");
    let folder = tempfile::tempdir().unwrap();
    let (mut project, _) = extract(folder.path(), &file, MergeOptions::default()).unwrap();
    graph(&mut project, &GraphPlan::default()).unwrap();
    let plan = ComposePlan {
        walks: walks(50_000, 1),
        threads: 2,
        fresh: false,
    };
    let outcome = compose(&mut project, &plan, &mut |_| ControlFlow::Continue(())).unwrap();
    // 42,349 are possible, by an enumeration made outside of this program; the rarest are never
    // found.
    assert!(
        outcome.details.compositions > 8_800 && outcome.details.compositions <= 42_349,
        "{}",
        outcome.details.compositions
    );
    let shortfall = outcome.details.shortfall.clone().unwrap();
    assert!(
        shortfall.contains("of the 50000 compositions asked for"),
        "{shortfall}"
    );
    let again = compose(&mut project, &plan, &mut |_| ControlFlow::Continue(())).unwrap();
    assert!(again.already_there);
    assert_eq!(again.details, outcome.details);
}

#[test]
fn a_graph_without_anything_to_compose_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("annotations.json");
    fs::write(
        &file,
        "{\"topics\": [\"a\"], \"knowledge_points\": [\"b\"]}",
    )
    .unwrap();
    let (mut project, _) = extract(folder.path(), &file, MergeOptions::default()).unwrap();
    let outcome = graph(&mut project, &GraphPlan::default()).unwrap();
    assert!(
        outcome.details.warnings[0].contains("no edges (0 topics, 0 knowledge points of 1 seeds)"),
        "{:?}",
        outcome.details.warnings
    );
    let error = run(&mut project, 10, 1).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NothingToCompose(_)),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains("keep the concepts of single seeds"),
        "{error}"
    );
    assert_eq!(
        compositions(&Graph::of(&[]), walks(5, 1)),
        (Vec::new(), StopReason::NothingNew)
    );
}

#[test]
fn a_search_that_is_stopped_leaves_nothing_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = project(folder.path());
    let plan = ComposePlan {
        walks: walks(3000, 9),
        threads: 1,
        fresh: false,
    };
    let error = compose(&mut project, &plan, &mut |_| ControlFlow::Break(())).unwrap_err();
    assert_eq!(error.class(), Class::Interrupted, "{error}");
    let names: Vec<_> = fs::read_dir(project.folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        names
            .iter()
            .all(|name| name != "compositions.jsonl" && !name.to_string_lossy().starts_with('.')),
        "{names:?}"
    );
    let outcome = compose(&mut project, &plan, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(
        (outcome.details.compositions, outcome.details.shortfall),
        (3000, None)
    );
}
