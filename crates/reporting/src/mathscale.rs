//! What the stages of the MathScale pipeline did, and what its concept graph looks like.

use std::fmt::Write;

use ::mathscale::{
    ComposeOutcome, ExtractOutcome, GraphOutcome, GraphStats, Kind, LinkStats, Neighbour,
    Neighbourhood, StageRecord, StageState, StageStatus,
};
use comfy_table::Cell;

use crate::table::{framed, percent};

fn count(record: &StageRecord, name: &str) -> u64 {
    record.counts.get(name).copied().unwrap_or(0)
}

/// What was extracted.
pub fn extraction_text(outcome: &ExtractOutcome) -> String {
    let of = |name| count(&outcome.record, name);
    let mut text = format!(
        "{} seeds: {} topics of {} names ({} of a single seed), {} knowledge points of {} names ({} of a single seed)\n",
        of("seeds"),
        of("topics"),
        of("topics_found"),
        of("topic_singletons"),
        of("knowledge_points"),
        of("knowledge_points_found"),
        of("knowledge_point_singletons"),
    );
    if of("merges") > 0 {
        let _ = writeln!(
            text,
            "{} names were merged into others: see concepts.json",
            of("merges")
        );
    }
    if of("set_aside") > 0 {
        let _ = writeln!(
            text,
            "{} seeds were set aside: see extract.set-aside.jsonl",
            of("set_aside")
        );
    }
    for item in &outcome.set_aside {
        let _ = writeln!(
            text,
            "  {}: {}",
            item.place.as_deref().unwrap_or(&item.id),
            item.reason
        );
    }
    text
}

/// What the graph has.
pub fn graph_made_text(outcome: &GraphOutcome) -> String {
    let of = |name| count(&outcome.record, name);
    format!(
        "{} topics and {} knowledge points of {} seeds; edges: {} topic–topic, {} topic–KP, {} KP–KP\n",
        of("topics"),
        of("knowledge_points"),
        of("seeds"),
        of("topic_topic_edges"),
        of("topic_kp_edges"),
        of("kp_kp_edges"),
    )
}

/// What was composed.
pub fn composed_text(outcome: &ComposeOutcome) -> String {
    let of = |name| count(&outcome.record, name);
    format!(
        "{} compositions in {} walks, {} epochs\n",
        outcome.compositions,
        of("walks"),
        of("epochs")
    )
}

/// The figures of a graph.
pub fn graph_stats_text(stats: &GraphStats, width: Option<u16>) -> String {
    let mut text = format!(
        "{} topics, {} knowledge points, {} seeds; connected components: {}\n",
        stats.topics,
        stats.knowledge_points,
        stats.seeds,
        components(&stats.components)
    );
    if stats.topics_without_kp > 0 {
        let _ = writeln!(
            text,
            "{} topics are joined with no knowledge point",
            stats.topics_without_kp
        );
    }
    let header = [
        "edges between",
        "edges",
        "degree: least",
        "median",
        "mean",
        "most",
        "isolated",
        "components",
    ];
    let mut table = framed(header, &[1, 2, 3, 4, 5, 6], width);
    for links in &stats.links {
        let degrees = &links.degrees;
        let counts = [links.edges, degrees.least, degrees.median].map(|count| count.to_string());
        let mean = format!("{:.1}", degrees.mean);
        let rest = [degrees.most, degrees.isolated].map(|count| count.to_string());
        let row = [ends(links)]
            .into_iter()
            .chain(counts)
            .chain([mean])
            .chain(rest)
            .chain([components(&links.components)]);
        table.add_row(row.map(Cell::new));
    }
    let _ = writeln!(text, "{}", table.trim_fmt());
    for links in stats
        .links
        .iter()
        .filter(|links| !links.heaviest.is_empty())
    {
        let _ = writeln!(text, "\nHeaviest edges, {}:", ends(links));
        let mut table = framed(
            ["seeds", "f = ln(seeds + 1e-5)", "from", "to"],
            &[0, 1],
            width,
        );
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
        let _ = writeln!(text, "{}", table.trim_fmt());
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
    const SHOWN: usize = 3;
    let largest: Vec<String> = sizes.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = if sizes.len() > SHOWN { ", …" } else { "" };
    format!("{} ({}{more})", sizes.len(), largest.join(", "))
}

/// Concepts with their neighbours, at most `limit` of each kind.
pub fn neighbourhoods_text(found: &[Neighbourhood], limit: usize, width: Option<u16>) -> String {
    let mut text = String::new();
    for shown in found {
        let kind = if shown.kind == Kind::Topic {
            "topic"
        } else {
            "knowledge point"
        };
        let _ = writeln!(text, "{} ({kind}, {} seeds)", shown.name, shown.seeds);
        for (kind, neighbours) in [
            (Kind::Topic, &shown.topics),
            (Kind::KnowledgePoint, &shown.knowledge_points),
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
    let mut table = framed(["neighbour", "seeds", "f", "step in %"], &[1, 2, 3], width);
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
    format!("{}\n{more}", table.trim_fmt())
}

/// How far the stages of a project are.
pub fn project_text(stages: &[StageStatus], width: Option<u16>) -> String {
    let mut table = framed(["stage", "state", "finished", "counts"], &[], width);
    for StageStatus {
        stage,
        state,
        record,
    } in stages
    {
        let state = match state {
            StageState::NotRun => "not run".to_string(),
            StageState::Unfinished => "unfinished".to_string(),
            StageState::Done => "done".to_string(),
            StageState::Stale { input } => format!("stale: {input} has changed"),
            StageState::Lost { file } => format!("{file} is gone"),
        };
        let finished = record.as_ref().and_then(|record| record.finished);
        let finished = finished.map_or(String::new(), |time| {
            time.strftime("%Y-%m-%d %H:%M").to_string()
        });
        let counts = record.iter().flat_map(|record| &record.counts);
        let counts: Vec<String> = counts
            .map(|(name, count)| format!("{} {count}", name.replace('_', " ")))
            .collect();
        table.add_row([stage.to_string(), state, finished, counts.join(", ")].map(Cell::new));
    }
    format!("{}\n", table.trim_fmt())
}
