//! One problem as the data hold it.

use dataset_loader::{Extras, Problem};

/// Columns before the question and before the names of fields.
const INDENT: usize = 2;

/// The problem's question, its reference, where it belongs, and what else its record holds; `title`
/// is its set in print.
pub fn problem_text(problem: &Problem, title: &str, extras: Option<&Extras>) -> String {
    let mut text = format!("{}   {title}, task {}\n\n", problem.id, problem.task);
    text.push_str(&" ".repeat(INDENT));
    text.push_str(&continued(&problem.question, INDENT));
    text.push_str("\n\n");
    let reference = ("reference".to_string(), problem.reference.clone());
    let fields: Vec<(String, String)> = std::iter::once(reference).chain(lines(extras)).collect();
    let width = fields
        .iter()
        .map(|(field, _)| field.chars().count())
        .max()
        .unwrap_or(0);
    for (field, value) in fields {
        let value = continued(&value, INDENT + width + 2);
        text.push_str(&format!("{:INDENT$}{field:width$}  {value}\n", ""));
    }
    text
}

/// Fields with their values as text: a list or an object has a line for each of its own.
fn lines(extras: Option<&Extras>) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for (field, value) in extras.into_iter().flatten() {
        let text = |value: &_| plain(value);
        let value = match (value.as_array(), value.as_object()) {
            (Some(list), _) => list.iter().map(text).collect::<Vec<_>>().join("\n"),
            (_, Some(object)) => object
                .iter()
                .map(|(key, value)| format!("{key}  {}", text(value)))
                .collect::<Vec<_>>()
                .join("\n"),
            _ => text(value),
        };
        lines.push((field.clone(), value));
    }
    lines
}

/// A string without quotation marks, anything else as JSON.
fn plain(value: &serde_json::Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_string)
}

/// Further lines of a value stand below its first.
fn continued(text: &str, columns: usize) -> String {
    let mut lines = text.trim_end().lines();
    let mut continued = lines.next().unwrap_or_default().to_string();
    for line in lines {
        continued.push('\n');
        if !line.is_empty() {
            continued.push_str(&" ".repeat(columns));
            continued.push_str(line);
        }
    }
    continued
}
