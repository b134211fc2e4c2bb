//! The figures of the stages of the MathScale pipeline, and its concept graph.

use std::fmt::Write;

use ::mathscale::{
    ComposeOutcome, ExtractOutcome, GraphOutcome, GraphStats, Kind, LinkStats, Neighbour,
    Neighbourhood, Stage, StageState, StageStatus,
};
use comfy_table::Cell;

use crate::mathscale_pairs::{rejections, reply_counts, usable_replies};
use crate::table::framed;
use crate::wording::{counted, percent};

/// Columns of a table that goes to no terminal.
const COLUMNS: u16 = 80;

/// The figures of an extraction, with the first rejected seeds.
pub fn extraction_text(outcome: &ExtractOutcome) -> String {
    let of = |name: &str| outcome.record.count(name) as usize;
    let concepts = |kind: &str, found: &str, singletons: &str| {
        format!(
            "{} of {} ({} of a single seed)",
            counted(of(&format!("{}s", kind.replace(' ', "_"))), kind),
            counted(of(found), "name"),
            of(singletons)
        )
    };
    let mut text = format!(
        "{}: {}, {}\n",
        counted(of("seeds"), "seed"),
        concepts("topic", "topics_found", "topic_singletons"),
        concepts(
            "knowledge point",
            "knowledge_points_found",
            "knowledge_point_singletons"
        ),
    );
    if of("merges") > 0 {
        let merges = counted(of("merges"), "name");
        let _ = writeln!(text, "{merges} merged into others: see concepts.json");
    }
    if of("set_aside") > 0 {
        let rejected = counted(of("set_aside"), "seed");
        let _ = writeln!(text, "{rejected} rejected: see extract.set-aside.jsonl");
    }
    rejections(&mut text, &outcome.details);
    usable_replies(&mut text, &outcome.record);
    if of("schema_refused") > 0 {
        text.push_str("the server took no JSON Schema: replies were asked for in words alone\n");
    }
    text
}

/// The figures of a graph that was built.
pub fn graph_made_text(outcome: &GraphOutcome) -> String {
    let of = |name: &str| outcome.record.count(name) as usize;
    format!(
        "{} and {} of {}; edges: {} topic–topic, {} topic–KP, {} KP–KP\n",
        counted(of("topics"), "topic"),
        counted(of("knowledge_points"), "knowledge point"),
        counted(of("seeds"), "seed"),
        of("topic_topic_edges"),
        of("topic_kp_edges"),
        of("kp_kp_edges"),
    )
}

/// The figures of the walks.
pub fn composed_text(outcome: &ComposeOutcome) -> String {
    let of = |name: &str| outcome.record.count(name) as usize;
    format!(
        "{} in {}, {}\n",
        counted(of("compositions"), "composition"),
        counted(of("walks"), "walk"),
        counted(of("epochs"), "epoch")
    )
}

/// The figures of a graph.
pub fn graph_stats_text(stats: &GraphStats, width: Option<u16>) -> String {
    let mut text = format!(
        "{}, {}, {}; connected components: {}\n",
        counted(stats.topics, "topic"),
        counted(stats.knowledge_points, "knowledge point"),
        counted(stats.seeds as usize, "seed"),
        components(&stats.components)
    );
    if stats.topics_without_kp > 0 {
        let _ = writeln!(
            text,
            "topics that are joined with no knowledge point: {}",
            stats.topics_without_kp
        );
    }
    let header = [
        "edges between",
        "edges",
        "degree: min",
        "median",
        "mean",
        "max",
        "isolated",
        "components",
    ];
    let mut table = framed(header, &[1, 2, 3, 4, 5, 6]);
    for links in &stats.links {
        let degrees = &links.degrees;
        let counts = [links.edges, degrees.min, degrees.median].map(|count| count.to_string());
        let mean = format!("{:.1}", degrees.mean);
        let rest = [degrees.max, degrees.isolated].map(|count| count.to_string());
        let row = [ends(links)]
            .into_iter()
            .chain(counts)
            .chain([mean])
            .chain(rest)
            .chain([components(&links.components)]);
        table.add_row(row.map(Cell::new));
    }
    text.push_str(&table.text(width));
    for links in stats
        .links
        .iter()
        .filter(|links| !links.heaviest.is_empty())
    {
        let _ = writeln!(text, "\nHeaviest edges, {}:", ends(links));
        let mut table = framed(["seeds", "f = ln(seeds + 1e-5)", "from", "to"], &[0, 1]);
        for edge in &links.heaviest {
            table.add_row(
                [
                    edge.seeds.to_string(),
                    format!("{:.4}", edge.weight),
                    edge.from.clone(),
                    edge.to.clone(),
                ]
                .map(Cell::new),
            );
        }
        text.push_str(&table.text(width));
    }
    text
}

fn ends(links: &LinkStats) -> String {
    format!("{} and {}", kind_name(links.from), kind_name(links.to))
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Topic => "topics",
        Kind::KnowledgePoint => "knowledge points",
    }
}

/// How many, and the sizes of the largest.
fn components(sizes: &[usize]) -> String {
    const MAX_SIZES: usize = 3;
    let largest: Vec<String> = sizes
        .iter()
        .take(MAX_SIZES)
        .map(ToString::to_string)
        .collect();
    let more = if sizes.len() > MAX_SIZES { ", …" } else { "" };
    format!("{} ({}{more})", sizes.len(), largest.join(", "))
}

/// Concepts with their neighbours, at most `limit` of each kind.
pub fn neighbourhoods_text(found: &[Neighbourhood], limit: usize, width: Option<u16>) -> String {
    let mut text = String::new();
    for concept in found {
        let kind = match concept.kind {
            Kind::Topic => "topic",
            Kind::KnowledgePoint => "knowledge point",
        };
        let seeds = counted(concept.seeds as usize, "seed");
        let _ = writeln!(text, "{} ({kind}, {seeds})", concept.name);
        for (kind, neighbours) in [
            (Kind::Topic, &concept.topics),
            (Kind::KnowledgePoint, &concept.knowledge_points),
        ] {
            let _ = writeln!(
                text,
                "neighbours among {}: {}",
                kind_name(kind),
                neighbours.len()
            );
            if !neighbours.is_empty() {
                text.push_str(&neighbour_table(neighbours, limit, width));
            }
        }
    }
    text
}

fn neighbour_table(neighbours: &[Neighbour], limit: usize, width: Option<u16>) -> String {
    let mut table = framed(["neighbour", "seeds", "f", "step in %"], &[1, 2, 3]);
    for Neighbour {
        name,
        seeds,
        weight,
        probability,
    } in neighbours.iter().take(limit)
    {
        table.add_row(
            [
                name.clone(),
                seeds.to_string(),
                format!("{weight:.4}"),
                percent(*probability),
            ]
            .map(Cell::new),
        );
    }
    let left = neighbours.len().saturating_sub(limit);
    let more = if left > 0 {
        format!("and {left} more (--limit)\n")
    } else {
        String::new()
    };
    format!("{}{more}", table.text(width))
}

/// How far the stages of a project are, a line each, with their main counts, and below them how many
/// replies of a model could be used and why others could not; all counts are in the JSON.
pub fn project_text(stages: &[StageStatus], width: Option<u16>) -> String {
    let header = ["stage", "state", "finished", "what"];
    let mut table = framed(header, &[]);
    let mut notes = String::new();
    for StageStatus {
        stage,
        state,
        record,
        replies,
    } in stages
    {
        let state = match state {
            StageState::NotRun => "not run",
            StageState::Unfinished => "unfinished",
            StageState::Done => "done",
            StageState::Stale { input } => {
                let _ = writeln!(notes, "{stage} is stale: {input} has changed");
                "stale"
            }
            StageState::Lost { file } => {
                let _ = writeln!(notes, "{stage} is incomplete: {file} is gone");
                "incomplete"
            }
        };
        if let Some(replies) = replies {
            let so_far = match record.as_ref().and_then(|record| record.finished) {
                None => " so far",
                Some(_) => "",
            };
            reply_counts(&mut notes, &format!("{stage}{so_far}: "), replies);
        }
        let finished = record.as_ref().and_then(|record| record.finished);
        let finished = finished.map(|time| time.strftime("%Y-%m-%d %H:%M").to_string());
        let counts: Vec<String> = match record {
            Some(record) if record.finished.is_some() => main_counts(*stage)
                .iter()
                .map(|(label, names)| {
                    let sum: u64 = names.iter().map(|name| record.count(name)).sum();
                    format!("{sum} {label}")
                })
                .collect(),
            _ => Vec::new(),
        };
        let cells = [
            stage.to_string(),
            state.to_string(),
            finished.unwrap_or_default(),
            counts.join(", "),
        ];
        table.add_row(cells.map(Cell::new));
    }
    format!("{}{notes}", table.text(Some(width.unwrap_or(COLUMNS))))
}

/// The counts of a stage that a line has room for: a label, and the counts that are summed.
fn main_counts(stage: Stage) -> &'static [(&'static str, &'static [&'static str])] {
    match stage {
        Stage::Extract => &[
            ("seeds", &["seeds"]),
            ("topics", &["topics"]),
            ("knowledge points", &["knowledge_points"]),
        ],
        Stage::Graph => &[(
            "edges",
            &["topic_topic_edges", "topic_kp_edges", "kp_kp_edges"],
        )],
        Stage::Compose => &[
            ("compositions", &["compositions"]),
            ("random walks", &["walks"]),
        ],
        Stage::Generate => &[
            ("questions with solutions", &["pairs"]),
            ("rejected", &["set_aside"]),
        ],
        Stage::Validate => &[
            ("solutions confirmed", &["confirmed"]),
            ("wrong", &["wrong"]),
            ("not judged", &["unjudged"]),
        ],
        Stage::Screen => &[("pairs kept", &["kept"]), ("removed", &["removed"])],
        Stage::Export => &[
            ("records for training", &["train"]),
            ("for validation", &["validation"]),
        ],
    }
}
