//! Text that each format shows as it is.

use std::fmt::Write;

/// Markdown, on one line and in a cell of a table too.
pub(crate) fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '<' | '>' | '~' | '#' | '&' | '$' => {
                out.extend(['\\', c])
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// LaTeX, with the package `fontenc`.
pub(crate) fn latex(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\textbackslash{}"),
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '<' => out.push_str("\\textless{}"),
            '>' => out.push_str("\\textgreater{}"),
            '|' => out.push_str("\\textbar{}"),
            '"' => out.push_str("\\textquotedbl{}"),
            '\'' => out.push_str("\\textquotesingle{}"),
            '`' => out.push_str("\\textasciigrave{}"),
            '–' => out.push_str("--"),
            '—' => out.push_str("---"),
            '…' => out.push_str("\\ldots{}"),
            // Two hyphens would become a dash.
            '-' if out.ends_with('-') => out.push_str("{}-"),
            // A line break takes what stands in brackets after it for a length.
            '[' => out.push_str("{[}"),
            ']' => out.push_str("{]}"),
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// XML, between tags or quotes. A character that XML cannot write becomes U+FFFD.
pub(crate) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' | '\r' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A YAML scalar in double quotes, which YAML reads as JSON does. It is quoted even where it could
/// stand bare: `no` and `1e3` are no texts.
pub(crate) fn yaml(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            // JSON leaves these as they are; YAML takes them for line breaks or refuses them.
            '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                write!(out, "\\u{:04x}", c as u32).expect("writing to memory succeeds");
            }
            c => out.push(c),
        }
    }
    out
}

/// A field of comma-separated values, RFC 4180.
pub(crate) fn csv(field: &str) -> String {
    match field.contains(['"', ',', '\r', '\n']) || field.starts_with(' ') || field.ends_with(' ') {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.to_string(),
    }
}

/// A word of a POSIX shell.
pub fn shell(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:@%,~\\".contains(c);
    match word.chars().all(plain) {
        true => word.to_string(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_a_markdown_table() {
        assert_eq!(markdown("a|b_c*\n<d>"), "a\\|b\\_c\\* \\<d\\>");
    }

    #[test]
    fn latex_sets_a_name_as_it_is() {
        assert_eq!(latex("a_b & 5% {x} --"), "a\\_b \\& 5\\% \\{x\\} -{}-");
        assert_eq!(
            latex("~^\\[1]"),
            "\\textasciitilde{}\\textasciicircum{}\\textbackslash{}{[}1{]}"
        );
    }

    #[test]
    fn a_text_cannot_leave_its_element() {
        assert_eq!(
            xml("</text><script>\"&\u{0}"),
            "&lt;/text&gt;&lt;script&gt;&quot;&amp;\u{fffd}"
        );
    }

    #[test]
    fn a_scalar_cannot_leave_its_quotes() {
        assert_eq!(yaml("a: \"b\"\n#c"), "\"a: \\\"b\\\"\\n#c\"");
        assert_eq!(yaml("x\u{85}y\u{2028}"), "\"x\\u0085y\\u2028\"");
    }

    #[test]
    fn a_field_with_separators_is_quoted() {
        let fields = ["a,b", "say \"x\"", "two\nlines", " a", "plain"];
        assert_eq!(
            fields.map(csv),
            [
                "\"a,b\"",
                "\"say \"\"x\"\"\"",
                "\"two\nlines\"",
                "\" a\"",
                "plain"
            ]
        );
    }

    #[test]
    fn a_path_is_one_word() {
        assert_eq!(shell("/home/a/b"), "/home/a/b");
        assert_eq!(shell("/it's here"), "'/it'\\''s here'");
    }
}
