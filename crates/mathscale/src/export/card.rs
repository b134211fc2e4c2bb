//! The data card: Markdown, with the head that Hugging Face reads.

use std::collections::BTreeMap;
use std::fmt::Write;

use store::FileDigest;

use super::formats::ExportFormat;
use super::plan::ExportPlan;
use crate::error::Error;
use crate::pair::Pair;
use crate::project::{Project, StageRecord};
use crate::screen::{RemovalReason, ScreenReport, read_report};
use crate::stage::Stage;

/// Concepts that are listed by name.
const MAX_LISTED: usize = 20;

/// What the card says of the records.
#[derive(Debug, Default)]
pub(crate) struct Card {
    pub(crate) own: u64,
    pub(crate) mixed: Vec<Mixed>,
    pub(crate) splits: Vec<(&'static str, u64)>,
    topics: BTreeMap<String, u64>,
    knowledge_points: BTreeMap<String, u64>,
    /// Pairs by the model that wrote the solution.
    models: BTreeMap<String, u64>,
}

/// A file that was mixed in.
#[derive(Debug)]
pub(crate) struct Mixed {
    pub(crate) file: String,
    pub(crate) amount: String,
    pub(crate) taken: u64,
    pub(crate) blake3: String,
}

impl Card {
    pub(crate) fn count(&mut self, pair: &Pair) {
        self.own += 1;
        let concepts = [
            (&mut self.topics, &pair.topics),
            (&mut self.knowledge_points, &pair.knowledge_points),
        ];
        for (counts, names) in concepts {
            names.iter().for_each(|name| increase(counts, name));
        }
        increase(&mut self.models, &pair.model);
    }

    fn records(&self) -> u64 {
        self.splits.iter().map(|(_, count)| count).sum()
    }
}

fn increase(counts: &mut BTreeMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => {
            counts.insert(name.to_string(), 1);
        }
    }
}

pub(crate) fn markdown(
    project: &Project,
    plan: &ExportPlan,
    formats: &[ExportFormat],
    card: &Card,
    outputs: &BTreeMap<String, FileDigest>,
) -> Result<String, Error> {
    let mut text = head(plan, formats, card);
    let _ = write!(
        text,
        "\n# {}\n\nQuestions with solutions, written by a language model after the MathScale pipeline (arXiv:2403.02884) and exported by mwpbench {}.\n",
        one_line(&plan.title),
        env!("CARGO_PKG_VERSION")
    );
    counts(&mut text, card);
    making(&mut text, project, card);
    removals(&mut text, project, &read_report(project)?);
    concepts(&mut text, card);
    files(&mut text, formats, outputs);
    licence(&mut text, plan, card);
    Ok(text)
}

/// The YAML between two lines of hyphens.
fn head(plan: &ExportPlan, formats: &[ExportFormat], card: &Card) -> String {
    let size = match card.records() {
        0..1_000 => "n<1K",
        1_000..10_000 => "1K<n<10K",
        10_000..100_000 => "10K<n<100K",
        100_000..1_000_000 => "100K<n<1M",
        _ => "1M<n<10M",
    };
    let mut text = format!(
        "---\npretty_name: {}\nlicense: {}\nlanguage:\n- en\ntask_categories:\n- text-generation\ntags:\n- math\n- synthetic\nsize_categories:\n- {size}\nconfigs:\n",
        yaml(&plan.title),
        yaml(&plan.license)
    );
    for (place, form) in listed(formats).enumerate() {
        let _ = write!(
            text,
            "- config_name: {form}\n{}  data_files:\n",
            if place == 0 { "  default: true\n" } else { "" }
        );
        for (split, _) in &card.splits {
            let _ = write!(text, "  - split: {split}\n    path: {}\n", form.path(split));
        }
    }
    text + "---\n"
}

/// The formats of the head. Of one folder `datasets` reads either JSON or parquet, so parquet is
/// listed where it is alone and else loaded by its sub-folder.
fn listed(formats: &[ExportFormat]) -> impl Iterator<Item = ExportFormat> {
    formats
        .iter()
        .copied()
        .filter(|&form| form != ExportFormat::Parquet || formats.len() == 1)
}

/// A JSON string is a YAML string.
fn yaml(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A cell of a table, shortened.
fn cell(text: &str) -> String {
    const MAX_CHARS: usize = 80;
    let plain: String = one_line(text)
        .chars()
        .filter(|c| !c.is_control())
        .collect::<String>()
        .replace('|', "\\|");
    match plain.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &plain[..end]),
        None => plain,
    }
}

fn counts(text: &mut String, card: &Card) {
    text.push_str("\n## Records\n\n| split | records |\n|---|---|\n");
    for (split, count) in &card.splits {
        let _ = writeln!(text, "| {split} | {count} |");
    }
    text.push_str("\n| source | records | amount | BLAKE3 |\n|---|---|---|---|\n");
    let _ = writeln!(text, "| this pipeline | {} | all | |", card.own);
    for Mixed {
        file,
        amount,
        taken,
        blake3,
    } in &card.mixed
    {
        let _ = writeln!(text, "| {} | {taken} | {amount} | {blake3} |", cell(file));
    }
    if !card.mixed.is_empty() {
        text.push_str("\nRecords of other files were not screened: nothing was removed from them, and they were not decontaminated. In their solutions the calculator's notes of GSM8K (`<<48/2=24>>`) are left out, and `#### 72` is written as \"The answer is 72.\"\n");
    }
}

fn making(text: &mut String, project: &Project, card: &Card) {
    text.push_str("\n## How it was made\n\n| stage | what | model |\n|---|---|---|\n");
    for (stage, record) in &project.manifest().stages {
        if record.finished.is_none() || *stage == Stage::Export {
            continue;
        }
        let facts = record.facts(*stage).join(", ");
        let _ = writeln!(text, "| {stage} | {facts} | {} |", model(record));
    }
    text.push_str("\n| solutions by | records |\n|---|---|\n");
    for (model, count) in &card.models {
        let model = match model.is_empty() {
            true => "unknown".to_string(),
            false => cell(model),
        };
        let _ = writeln!(text, "| {model} | {count} |");
    }
}

/// The model that a stage asked, with the details that identify it.
fn model(record: &StageRecord) -> String {
    let Some(info) = &record.identity.generator else {
        return String::new();
    };
    match info.details.is_empty() {
        true => cell(&info.name),
        false => format!("{} ({})", cell(&info.name), joined(&info.details)),
    }
}

fn joined<T: std::fmt::Display>(facts: &BTreeMap<String, T>) -> String {
    let facts = facts.iter();
    let facts: Vec<String> = facts
        .map(|(name, value)| cell(&format!("{name} {value}")))
        .collect();
    facts.join(", ")
}

fn removals(text: &mut String, project: &Project, report: &ScreenReport) {
    let screened = project.manifest().stages.get(&Stage::Screen);
    let pairs = screened.and_then(|record| record.identity.inputs.get("pairs"));
    let source = match pairs.filter(|pairs| pairs.stage.is_none()) {
        Some(pairs) => {
            let name = std::path::Path::new(&pairs.file)
                .file_name()
                .unwrap_or_default()
                .to_string_lossy();
            format!(" in {} (BLAKE3 {})", cell(&name), pairs.blake3)
        }
        None => String::new(),
    };
    let _ = write!(
        text,
        "\n## What was removed\n\nOf {} pairs{source} {} were kept.\n\n| reason | pairs |\n|---|---|\n",
        report.read, report.kept
    );
    for reason in RemovalReason::ALL {
        let _ = writeln!(
            text,
            "| {} | {} |",
            reason.label(),
            report.removed.get(&reason).unwrap_or(&0)
        );
    }
    match &report.tests {
        Some(tests) => {
            let sets: Vec<String> = tests
                .sets
                .iter()
                .map(|(set, count)| format!("{set} ({count})"))
                .collect();
            let _ = writeln!(
                text,
                "\nDecontaminated against test items{} (same text, near-duplicates from a Jaccard index of {}, {:.0} % of the {}-grams): {}.",
                match tests.bundled {
                    true =>
                        ", which are the problems bundled with mwpbench and NOT the published test sets",
                    false => "",
                },
                tests.min_jaccard,
                tests.share * 100.0,
                tests.ngram,
                sets.join(", ")
            );
        }
        None => text.push_str("\nNot decontaminated: no test items were given.\n"),
    }
}

fn concepts(text: &mut String, card: &Card) {
    let _ = writeln!(
        text,
        "\n## Concepts\n\n{} topics and {} knowledge points.\n\n| topic | pairs |\n|---|---|",
        card.topics.len(),
        card.knowledge_points.len()
    );
    let mut topics: Vec<(&String, &u64)> = card.topics.iter().collect();
    topics.sort_by_key(|&(name, count)| (std::cmp::Reverse(*count), name));
    for (name, count) in topics.iter().take(MAX_LISTED) {
        let _ = writeln!(text, "| {} | {count} |", cell(name));
    }
    if let Some(rest) = topics
        .len()
        .checked_sub(MAX_LISTED)
        .filter(|&rest| rest > 0)
    {
        let _ = writeln!(text, "| {rest} others | |");
    }
}

fn files(text: &mut String, formats: &[ExportFormat], outputs: &BTreeMap<String, FileDigest>) {
    text.push_str("\n## Files\n\n");
    for format in formats {
        let _ = writeln!(
            text,
            "* `{format}`: {}.",
            match format {
                ExportFormat::Alpaca =>
                    "a JSON array of `instruction`, `input` (empty) and `output`",
                ExportFormat::Chat => "JSON Lines with `messages`",
                ExportFormat::PromptCompletion =>
                    "JSON Lines with `prompt` (the Alpaca template) and `completion`",
                ExportFormat::Parquet =>
                    "`id`, `question`, `solution`, `topics`, `knowledge_points`, `source`",
            }
        );
    }
    text.push('\n');
    for form in listed(formats) {
        let _ = writeln!(text, "    datasets.load_dataset(FOLDER, \"{form}\")");
    }
    if formats.len() > 1 && formats.contains(&ExportFormat::Parquet) {
        text.push_str("    datasets.load_dataset(FOLDER + \"/parquet\")\n");
    }
    text.push_str("\n| file | bytes | BLAKE3 |\n|---|---|---|\n");
    for (name, output) in outputs {
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            name.trim_start_matches("export/"),
            output.bytes,
            output.blake3
        );
    }
}

fn licence(text: &mut String, plan: &ExportPlan, card: &Card) {
    let _ = write!(
        text,
        "\n## Licence\n\nStated by whoever exported it: {}. ",
        one_line(&plan.license)
    );
    text.push_str("The texts were written by the models named above, whose terms may bind their use; their few-shot examples are the seeds, under the licences of their publishers.");
    if !card.mixed.is_empty() {
        text.push_str(" Records of the other files are under the licences of these.");
    }
    text.push('\n');
}
