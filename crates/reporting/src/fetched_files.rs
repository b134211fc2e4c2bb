//! What was fetched into a data folder, and whether it still is what it was.

use comfy_table::Cell;
use dataset_fetcher::{CheckResult, FetchReport, FetchState, Trust, Verification};

use crate::escape::shell;
use crate::table::framed;
use crate::wording::counted;

/// The files of a fetch with what they are trusted for, and what is left to do.
pub fn fetched_text(report: &FetchReport, width: Option<u16>) -> String {
    let mut table = framed(["file", "", "size", "content", "license"], &[2]);
    for file in &report.files {
        let state = match file.state {
            FetchState::Fetched => "fetched",
            FetchState::AlreadyThere => "was there",
        };
        let trust = match file.trust {
            Trust::PublishedId => "as published",
            Trust::FirstUse => "taken as it came *",
        };
        let row = [&file.name, state, &size(file.bytes), trust, &file.license];
        table.add_row(row.map(Cell::new));
        if let Some(unpacked) = &file.unpacked {
            let files = counted(unpacked.files as usize, "file");
            table.add_row(
                [
                    &format!("{}/", unpacked.folder),
                    "unpacked",
                    &files,
                    trust,
                    &file.license,
                ]
                .map(Cell::new),
            );
        }
    }
    let mut text = format!(
        "{}data folder: {}\n",
        table.text(width),
        report.folder.display()
    );
    if report
        .files
        .iter()
        .any(|file| file.trust == Trust::FirstUse)
    {
        text += "* No id of this file was published: what came now is held to from now on.\n";
    }
    if !report.imports.is_empty() {
        text += "These are no records yet. To make some of them:\n";
    }
    for import in &report.imports {
        let output = match import.has_records {
            // In the data folder they would meet the published ones.
            true => format!(" --output {}.jsonl", import.set),
            false => String::new(),
        };
        text += &format!(
            "    mwpbench data import {} {}{output}\n",
            import.set,
            shell(&import.folder.display().to_string())
        );
    }
    text
}

/// What became of each file, and what to do about it.
pub fn verification_text(verification: &Verification, width: Option<u16>) -> String {
    let mut table = framed(["file", "", "size"], &[2]);
    let mut faults = String::new();
    for file in &verification.files {
        let check = match file.check {
            CheckResult::Ok => "ok",
            CheckResult::Changed => "CHANGED",
            CheckResult::Missing => "MISSING",
            CheckResult::Unreadable => "UNREADABLE",
            CheckResult::Unfinished => "unfinished download",
            CheckResult::NotInLock => "not in the lock file",
        };
        let bytes = file.bytes.map(size).unwrap_or_default();
        table.add_row([&file.name, check, &bytes].map(Cell::new));
        if file.check.is_fault() {
            faults += &format!("{}\n", file.name);
            let ids = [("expected", &file.expected), ("found", &file.found)];
            for (what, id) in ids
                .iter()
                .filter_map(|(what, id)| id.as_ref().map(|id| (what, id)))
            {
                faults += &format!("    {what:8}  {id}\n");
            }
        }
    }
    let at_fault = verification
        .files
        .iter()
        .filter(|file| file.check.is_fault())
        .count();
    let good = verification
        .files
        .iter()
        .filter(|file| file.check == CheckResult::Ok)
        .count();
    let sum = match at_fault {
        0 => format!("all {good} as the lock file says"),
        _ => format!(
            "{at_fault} at fault, {good} as the lock file says: mwpbench data fetch --force puts fetched files right"
        ),
    };
    format!(
        "{}{faults}{sum}\ndata folder: {}\n",
        table.text(width),
        verification.folder.display()
    )
}

/// Decimal units with one digit after the point.
fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / *unit as f64),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_one_decimal() {
        assert_eq!(
            [999, 9_517, 1_954_512, 2_147_483_648].map(size),
            ["999 B", "9.5 kB", "2.0 MB", "2.1 GB"]
        );
    }
}
