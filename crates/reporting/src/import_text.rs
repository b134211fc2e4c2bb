//! What came of an import.

use std::path::Path;

use dataset_loader::{Imported, grouped};

/// Dropped problems named for each reason, unless all are listed.
const MAX_NAMED: usize = 3;

/// Problems read, converted and dropped, with the reasons, and where they went.
pub fn import_text(imported: &Imported, all: bool) -> String {
    let mut text = format!(
        "{}: {} read, {} converted, {} dropped → {}\n",
        imported.set,
        grouped(imported.read),
        grouped(imported.converted),
        grouped(imported.dropped.len()),
        imported.output.display()
    );
    if imported.tasks.len() > 1 {
        for (task, count) in &imported.tasks {
            text.push_str(&format!("  {:>7}  {task}\n", grouped(*count)));
        }
    }
    for (reason, count) in imported.reasons() {
        let own = || {
            imported
                .dropped
                .iter()
                .filter(|dropped| dropped.reason.in_general() == reason)
        };
        let mut named: Vec<&str> = own()
            .map(|dropped| dropped.id.as_str())
            .take(MAX_NAMED)
            .collect();
        if count > MAX_NAMED {
            named.push("…");
        }
        text.push_str(&format!("  dropped {:>5}  {reason}\n", grouped(count)));
        match all {
            false => text.push_str(&format!("                 {}\n", named.join(", "))),
            true => own().for_each(|dropped| {
                let file = dropped
                    .file
                    .file_name()
                    .map(Path::new)
                    .unwrap_or(&dropped.file);
                let place = format!("{}, line {}", file.display(), dropped.line);
                text.push_str(&format!(
                    "                 {} ({place}): {}\n",
                    dropped.id, dropped.message
                ));
            }),
        }
    }
    if imported.untranslated > 0 {
        text.push_str(&format!(
            "not in English: {}, which can be evaluated after their translation (`mwpbench data translate`)\n",
            grouped(imported.untranslated)
        ));
    }
    if imported.keep_choices {
        text.push_str("Options are kept and labels are the references: accuracy on these is not MwpBench's.\n");
    }
    text
}
