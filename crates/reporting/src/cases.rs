//! What came of the rules' cases.

use comfy_table::Cell;
use evaluation::cases::CaseReport;

use crate::table::framed;
use crate::wording::counted;

/// The files with their cases, the rules if wanted, and what does not hold.
pub fn cases_text(report: &CaseReport, rules: bool, width: Option<u16>) -> String {
    let mut files = framed(["file", "cases", "hold"], &[1, 2]);
    for file in report.files.iter().filter(|file| file.cases > 0) {
        let hold = file.cases.saturating_sub(file.failures.len());
        files.add_row([file.file.clone(), file.cases.to_string(), hold.to_string()].map(Cell::new));
    }
    let mut text = files.text(width);
    if rules {
        let mut table = framed(["profile", "rule", "fires", "silent"], &[2, 3]);
        for rule in &report.rules {
            table.add_row(
                [
                    rule.profile.clone(),
                    rule.rule.clone(),
                    rule.fires.to_string(),
                    rule.silent.to_string(),
                ]
                .map(Cell::new),
            );
        }
        text.push_str(&table.text(width));
    }
    for (file, failure) in report.failures() {
        text.push_str(&format!("FAILS  {file}: {failure}\n"));
    }
    for rule in report.uncovered() {
        let lacks = match (rule.fires, rule.silent) {
            (0, 0) => "no case where it fires and none where it is silent",
            (0, _) => "no case where it fires",
            _ => "no case where it is silent",
        };
        text.push_str(&format!(
            "UNPROVEN  {} ({}): {lacks}\n",
            rule.rule, rule.profile
        ));
    }
    let (failures, uncovered) = (report.failures().count(), report.uncovered().count());
    text.push_str(&format!(
        "{}, {failures} fail; {}, {uncovered} without a case where they fire and one where they are silent\n",
        counted(report.cases(), "case"),
        counted(report.rules.len(), "rule"),
    ));
    text
}
