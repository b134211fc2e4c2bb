//! Text in HTML.

/// Text as the content of an element or in a quoted attribute. Characters that reorder text are
/// written as what they are.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter if is_hidden(letter) => {
                out.push_str(&format!("\u{27e8}U+{:04X}\u{27e9}", u32::from(letter)));
            }
            letter => out.push(letter),
        }
    }
    out
}

/// Controls, marks that set the direction of text, and byte order marks. The page's script names
/// the same ones.
fn is_hidden(letter: char) -> bool {
    matches!(
        letter,
        '\0'..='\u{8}'
            | '\u{b}'
            | '\u{c}'
            | '\u{e}'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
}

/// A number from 0 to 1 in percent, with one decimal.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_markup_or_turns_it_around() {
        assert_eq!(
            escape("<b title='a\">&\u{202e}\n"),
            "&lt;b title=&#39;a&quot;&gt;&amp;\u{27e8}U+202E\u{27e9}\n"
        );
    }
}
