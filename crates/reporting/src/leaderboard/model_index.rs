//! The `model-index` block of a model card on the Hugging Face hub, in YAML.
//!
//! Source: the hub's model card specification (huggingface/hub-docs, `modelcard.md`): a list of
//! models, each with results of a task on a dataset, metrics and a source.

use std::fmt::Write;

use dataset_loader::Benchmark;
use evaluation::{Scorer, SetSummary};

use super::Leaderboard;
use super::entry::Entry;
use crate::escape::yaml;
use crate::wording::counted;

pub(crate) fn text(board: &Leaderboard, benchmark: &Benchmark) -> String {
    let mut out = String::from("model-index:\n");
    // Runs of one model are results of one entry.
    let mut names: Vec<&str> = Vec::new();
    for entry in &board.entries {
        if !names.contains(&entry.summary.model.as_str()) {
            names.push(&entry.summary.model);
        }
    }
    for name in names {
        writeln!(out, "- name: {}\n  results:", yaml(name)).expect("writing to memory succeeds");
        for entry in board
            .entries
            .iter()
            .filter(|entry| entry.summary.model == name)
        {
            results(&mut out, board, benchmark, entry);
        }
    }
    out
}

fn results(out: &mut String, board: &Leaderboard, benchmark: &Benchmark, entry: &Entry) {
    let scorers = board.plan.scorers.each();
    for set in &entry.summary.sets {
        let figures = scorers.iter().map(|&scorer| {
            let accuracy = if scorer == Scorer::Official {
                set.counts.official
            } else {
                set.counts.strict
            };
            (scorer, "accuracy", accuracy.accuracy)
        });
        let dataset = Dataset::of_set(benchmark, entry, set);
        result(out, board, entry, &dataset, figures);
    }
    if let (Some(micro), Some(macro_)) = (entry.summary.micro, entry.summary.macro_) {
        let figures = scorers.iter().flat_map(|&scorer| {
            [
                (scorer, "micro average accuracy", micro.by(scorer)),
                (scorer, "macro average accuracy", macro_.by(scorer)),
            ]
        });
        result(out, board, entry, &Dataset::of_averages(entry), figures);
    }
}

/// What a result is about.
struct Dataset {
    name: String,
    config: String,
    revision: Option<String>,
    problems: usize,
}

impl Dataset {
    fn of_set(benchmark: &Benchmark, entry: &Entry, set: &SetSummary) -> Self {
        // Of a part, or of the bundled problems, the published revision would say what is not so.
        let published = entry.manifest.is_of_published_data();
        let whole = published && !entry.on_samples() && set.counts.n == set.expected;
        let source = benchmark
            .set(&set.set)
            .and_then(|known| known.source.as_ref())
            .filter(|_| whole);
        Self {
            name: format!("{}{}", set.title, suffix(entry)),
            config: set.set.clone(),
            revision: source.and_then(|source| source.revision.clone()),
            problems: set.counts.n,
        }
    }

    fn of_averages(entry: &Entry) -> Self {
        let averaged: Vec<&SetSummary> = entry
            .summary
            .sets
            .iter()
            .filter(|set| set.in_average)
            .collect();
        let sets = counted(averaged.len(), "set");
        Self {
            name: format!("average of {sets}{}", suffix(entry)),
            config: "average".to_string(),
            revision: None,
            problems: averaged.iter().map(|set| set.counts.n).sum(),
        }
    }
}

fn suffix(entry: &Entry) -> &'static str {
    if entry.on_samples() {
        " (bundled problems of mwpbench, not MwpBench)"
    } else if entry.manifest.is_of_published_data() {
        " (MwpBench)"
    } else {
        " (own data)"
    }
}

fn result(
    out: &mut String,
    board: &Leaderboard,
    entry: &Entry,
    dataset: &Dataset,
    figures: impl Iterator<Item = (Scorer, &'static str, f64)>,
) {
    let identity = &entry.manifest.identity;
    let kind = if entry.on_samples() {
        "mwpbench-samples"
    } else if entry.manifest.is_of_published_data() {
        "mwpbench"
    } else {
        "own-data"
    };
    let mut lines = vec![
        "  - task:".to_string(),
        "      type: text-generation".to_string(),
        "      name: Text Generation".to_string(),
        "    dataset:".to_string(),
        format!("      name: {}", yaml(&dataset.name)),
        format!("      type: {kind}"),
        format!("      config: {}", yaml(&dataset.config)),
        "      split: test".to_string(),
    ];
    lines.extend(
        dataset
            .revision
            .as_ref()
            .map(|revision| format!("      revision: {}", yaml(revision))),
    );
    lines.extend([
        "      args:".to_string(),
        format!("        problems: {}", dataset.problems),
        format!(
            "        num_few_shot: {}",
            identity
                .few_shot
                .as_ref()
                .map_or(0, |few_shot| few_shot.examples)
        ),
        format!("        prompt_template: {}", yaml(&identity.template.name)),
        match identity.is_unknown("decoding.max_tokens") {
            true => "        max_new_tokens: unknown".to_string(),
            false => format!("        max_new_tokens: {}", identity.decoding.max_tokens),
        },
        format!("        protocol: {}", yaml(&entry.summary.protocol)),
    ]);
    if !entry.summary.deviations.is_empty() {
        lines.push(format!(
            "        deviations: {}",
            yaml(&entry.summary.deviations.join(", "))
        ));
    }
    lines.push("    metrics:".to_string());
    for (scorer, name, accuracy) in figures {
        lines.extend([
            "    - type: accuracy".to_string(),
            format!("      value: {:.2}", accuracy * 100.0),
            format!(
                "      name: {}",
                yaml(&format!("{name} ({} scorer)", scorer.name()))
            ),
            "      verified: false".to_string(),
        ]);
    }
    lines.extend([
        "    source:".to_string(),
        format!(
            "      name: {}",
            yaml(&format!("mwpbench {}", entry.manifest.version))
        ),
    ]);
    // Where the evaluation can be looked at; a paper is no evaluation.
    let url = board.plan.source_url.as_deref();
    lines.extend(url.map(|url| format!("      url: {}", yaml(url))));
    for line in lines {
        writeln!(out, "{line}").expect("writing to memory succeeds");
    }
}
