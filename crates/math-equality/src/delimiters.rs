//! Formulas between LaTeX delimiters, in prose.

use std::ops::Range;

/// Opening and closing delimiters, the longer ones first.
const DELIMITERS: [(&str, &str); 4] = [("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("$", "$")];

/// The formulas of a text from the first on, with their delimiters. An unclosed one ends the list.
pub fn formulas(text: &str, span: Range<usize>) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = span.start;
    std::iter::from_fn(move || {
        while at < span.end {
            let start = at + text[at..span.end].find(['$', '\\'])?;
            let rest = &text[start..span.end];
            if let Some((open, close)) = DELIMITERS.iter().find(|(open, _)| rest.starts_with(open))
            {
                let inner = start + open.len();
                // A dollar sign without a partner is money or a slip; what follows it cannot be
                // told apart any more.
                let length = closing(&text[inner..span.end], close)?;
                at = inner + length + close.len();
                return Some(start..at);
            }
            // `\$` and other commands: pass over the backslash and what follows it.
            at = start + 1 + text[start + 1..].chars().next().map_or(0, char::len_utf8);
        }
        None
    })
}

/// Where the closing delimiter is; a dollar sign behind a backslash is none.
fn closing(text: &str, close: &str) -> Option<usize> {
    text.match_indices(close)
        .map(|(at, _)| at)
        .find(|&at| close != "$" || !text[..at].ends_with('\\'))
}
