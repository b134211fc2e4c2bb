//! What a checkpoint is, and what is wrong with it.

/// Facts with their names in a column, then warnings, then why the checkpoint cannot be run.
pub fn inspection_text(facts: &[(&str, String)], warnings: &[String], faults: &[String]) -> String {
    let mut text = facts_text(facts);
    text.extend(
        warnings
            .iter()
            .map(|warning| format!("warning: {warning}\n")),
    );
    text.extend(
        faults
            .iter()
            .map(|fault| format!("cannot be run: {fault}\n")),
    );
    text
}

/// Facts with their names in a column.
pub fn facts_text(facts: &[(&str, String)]) -> String {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    facts
        .iter()
        .map(|(name, fact)| format!("{name:width$}  {fact}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_stand_in_columns_above_what_is_wrong() {
        let facts = [("architecture", "llama"), ("parameters", "7B")];
        let facts = facts.map(|(name, fact)| (name, fact.to_string()));
        let text = inspection_text(&facts, &["an odd token".into()], &["no weights".into()]);
        insta::assert_snapshot!(text, @r"
        architecture  llama
        parameters    7B
        warning: an odd token
        cannot be run: no weights
        ");
    }
}
