//! Problems that are known to have a fault.

use std::collections::BTreeMap;

use dataset_loader::{KnownError, KnownErrorKind};

use crate::wording::counted;

/// A paragraph a problem, and how many there are of each kind.
pub fn known_errors_text(errors: &[KnownError]) -> String {
    if errors.is_empty() {
        return "No problem at hand is on the list.\n".to_string();
    }
    let mut text = String::new();
    let mut kinds = BTreeMap::<KnownErrorKind, usize>::new();
    for error in errors {
        *kinds.entry(error.kind).or_default() += 1;
        let correct = match &error.correct {
            Some(correct) => format!(" and not \"{correct}\""),
            None => String::new(),
        };
        text.push_str(&format!(
            "{}  {}: \"{}\"{correct}: {}\n    {}\n",
            error.id,
            name(error.kind),
            error.reference,
            error.reason,
            error.sources.join("; ")
        ));
    }
    let kinds: Vec<String> = kinds
        .into_iter()
        .map(|(kind, count)| format!("{count} {}", name(kind)))
        .collect();
    let total = counted(errors.len(), "problem");
    text.push_str(&format!("{total}: {}\n", kinds.join(", ")));
    text
}

fn name(kind: KnownErrorKind) -> &'static str {
    match kind {
        KnownErrorKind::WrongReference => "wrong reference",
        KnownErrorKind::Ambiguous => "ambiguous",
        KnownErrorKind::Contradictory => "contradictory",
        KnownErrorKind::Unconfirmed => "unconfirmed",
    }
}
