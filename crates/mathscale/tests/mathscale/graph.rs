use std::fs;
use std::path::Path;
use std::process::Command;

use mathscale::{Concept, Extraction, Graph, Kind, edge_weight};
use proptest::prelude::*;

fn extraction(topics: &[&str], knowledge_points: &[&str]) -> Extraction {
    let owned = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
    Extraction {
        id: String::new(),
        topics: owned(topics),
        knowledge_points: owned(knowledge_points),
    }
}

/// Money is joined with Rates, Percent (twice) and Interest; Percent with Interest.
fn small() -> Graph {
    Graph::of(&[
        extraction(&["Money", "Rates"], &["Percent", "Percent"]),
        extraction(&["Money"], &["Percent", "Interest"]),
        extraction(&["Shapes"], &[]),
    ])
}

#[test]
fn an_edge_counts_the_seeds_that_yielded_both() {
    let graph = small();
    let names = |concepts: &[Concept]| {
        concepts
            .iter()
            .map(|concept| concept.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(graph.topics()), ["Money", "Rates", "Shapes"]);
    assert_eq!(names(graph.knowledge_points()), ["Interest", "Percent"]);
    assert_eq!(
        graph.knowledge_points()[1].seeds,
        2,
        "a concept that a seed names twice counts once"
    );
    let neighbours = |from, to, id| graph.links(from, to).neighbours(id).collect::<Vec<_>>();
    assert_eq!(
        neighbours(Kind::Topic, Kind::KnowledgePoint, 0),
        [(0, 1), (1, 2)]
    );
    assert_eq!(
        neighbours(Kind::KnowledgePoint, Kind::Topic, 1),
        [(0, 2), (1, 1)]
    );
    assert_eq!(neighbours(Kind::Topic, Kind::Topic, 0), [(1, 1)]);
    assert_eq!(
        neighbours(Kind::KnowledgePoint, Kind::KnowledgePoint, 0),
        [(1, 1)]
    );
    assert_eq!((graph.seeds(), graph.edges()), (3, 5));
}

#[test]
fn a_step_goes_to_a_neighbour_as_often_as_w_says() {
    let shown = &small().neighbourhoods(" money. ").unwrap()[0];
    assert_eq!((shown.kind, shown.seeds), (Kind::Topic, 2));
    let [percent, interest] = shown.knowledge_points.as_slice() else {
        panic!("{shown:?}")
    };
    assert_eq!(
        (percent.name.as_str(), percent.seeds, interest.seeds),
        ("Percent", 2, 1)
    );
    // exp f(u,v) / Σ exp f(u,·), as the paper has it.
    let expected = edge_weight(2).exp() / (edge_weight(2).exp() + edge_weight(1).exp());
    assert!((percent.probability - expected).abs() < 1e-12);
    assert!((edge_weight(1) - 1e-5f64.ln_1p()).abs() < 1e-12);
    let unknown = small()
        .neighbourhoods("monney percent")
        .unwrap_err()
        .to_string();
    assert_eq!(
        unknown,
        "no concept is called \"monney percent\" (is it \"Percent\"?)"
    );
}

#[test]
fn stats_of_a_small_graph() {
    let stats = small().stats(1);
    assert_eq!(
        (
            stats.components.as_slice(),
            stats.topics_without_kp,
            stats.total_weight
        ),
        ([4, 1].as_slice(), 1, 6)
    );
    let [topics, mixed, kps] = &stats.links;
    assert_eq!(
        (
            topics.edges,
            topics.components.as_slice(),
            topics.degrees.isolated
        ),
        (1, [2, 1].as_slice(), 1)
    );
    assert_eq!(
        (
            mixed.edges,
            mixed.degrees.max,
            mixed.degrees.median,
            mixed.heaviest[0].seeds
        ),
        (3, 2, 1, 2)
    );
    assert_eq!(
        (kps.edges, kps.heaviest.len(), kps.degrees.mean),
        (1, 1, 1.0)
    );
    assert_eq!(Graph::of(&[]).stats(3).links[0].degrees.max, 0);
}

fn through_json(graph: &Graph, folder: &Path) -> Graph {
    let file = folder.join("graph.json");
    graph.write_json(fs::File::create(&file).unwrap()).unwrap();
    Graph::read_json(&file).unwrap()
}

/// Canonical names: no white space at the ends, no punctuation behind.
fn name() -> impl Strategy<Value = String> {
    "[A-C<>&\"'é×%-]{1,3}( [a-z<&]{1,2})?"
}

fn extractions() -> impl Strategy<Value = Vec<Extraction>> {
    let names = || proptest::collection::vec(name(), 0..5);
    let one = (names(), names()).prop_map(|(topics, knowledge_points)| Extraction {
        id: String::new(),
        topics,
        knowledge_points,
    });
    proptest::collection::vec(one, 0..12)
}

proptest! {
    #[test]
    fn json_loses_nothing(extractions in extractions()) {
        let folder = tempfile::tempdir().unwrap();
        let graph = Graph::of(&extractions);
        prop_assert_eq!(&through_json(&graph, folder.path()), &graph);
    }
}

#[test]
fn graphml_has_nodes_and_edges_with_their_data_escaped() {
    let graph = Graph::of(&[extraction(&["A < B"], &["\"P\" & Q", "R"])]);
    let mut graphml = Vec::new();
    graph.write_graphml(&mut graphml).unwrap();
    let graphml = String::from_utf8(graphml).unwrap();
    let data = |key: &str, value: &str| format!("<data key=\"{key}\">{value}</data>");
    let node = |id: &str, kind: &str, name: &str| {
        let data = data("kind", kind) + &data("name", name) + &data("seeds", "1");
        format!("<node id=\"{id}\">{data}</node>\n")
    };
    let edge = |source: &str, target: &str| {
        let data = data("weight", "1") + &data("f", &edge_weight(1).to_string());
        format!("<edge source=\"{source}\" target=\"{target}\">{data}</edge>\n")
    };
    let body = [
        node("t0", "topic", "A &lt; B"),
        node("k0", "knowledge_point", "&quot;P&quot; &amp; Q"),
        node("k1", "knowledge_point", "R"),
        edge("t0", "k0"),
        edge("t0", "k1"),
        edge("k0", "k1"),
        "</graph>\n</graphml>\n".to_string(),
    ];
    let start = graphml.find("<node").unwrap();
    assert_eq!(graphml[start..], body.concat());
    assert!(graphml[..start].ends_with(&(data("graph_seeds", "1") + "\n")));
}

#[test]
#[ignore = "needs python3 with networkx"]
fn networkx_reads_graphml() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("graph.graphml");
    small()
        .write_graphml(fs::File::create(&file).unwrap())
        .unwrap();
    let script = "import sys, networkx as nx\n\
        g = nx.read_graphml(sys.argv[1])\n\
        assert not g.is_directed() and len(g) == 5 and g.number_of_edges() == 5, g\n\
        assert sorted(w for _, _, w in g.edges(data='weight')) == [1, 1, 1, 1, 2]\n";
    let done = Command::new("python3")
        .args(["-c", script])
        .arg(&file)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// What a file with this change is refused for.
fn refused(text: &str, from: &str, to: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("changed");
    assert!(text.contains(from), "{from} in {text}");
    fs::write(&file, text.replacen(from, to, 1)).unwrap();
    Graph::read_json(&file).unwrap_err().to_string()
}

#[test]
fn what_is_no_concept_graph_is_refused() {
    let mut json = Vec::new();
    small().write_json(&mut json).unwrap();
    let json = String::from_utf8(json).unwrap();
    for (from, to, part) in [
        (
            "graph.v1",
            "graph.v2",
            "this program reads \"mwpbench.mathscale.graph.v1\"",
        ),
        ("0.00001", "0.5", "\"epsilon\" is 0.5"),
        (
            "\"topic_topic\":[[0,1,1]]",
            "\"topic_topic\":[[0,9,1]]",
            "an edge goes to topic 9, and there are 3",
        ),
        (
            "\"topic_topic\":[[0,1,1]]",
            "\"topic_topic\":[[1,1,1]]",
            "\"Rates\" has an edge to itself",
        ),
        (
            "\"topic_topic\":[[0,1,1]]",
            "\"topic_topic\":[[0,1,0]]",
            "has weight 0",
        ),
        (
            "\"topic_topic\":[[0,1,1]]",
            "\"topic_topic\":[[0,1,1],[1,0,2]]",
            "two edges join \"Money\" and \"Rates\"",
        ),
        ("\"Rates\"", "\"Money\"", "two concepts \"Money\""),
        ("\"Rates\"", "\" Rates\"", "has to be written \"Rates\""),
        ("\"Rates\"", "\"Ra\\u0007tes\"", "U+0007"),
        ("{\"schema\"", "[\"schema\"", "not a concept graph"),
    ] {
        let message = refused(&json, from, to);
        assert!(message.contains(part), "{message}");
    }
}
