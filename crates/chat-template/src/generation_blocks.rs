//! `{% generation %}` … `{% endgeneration %}`: marks of transformers for what an assistant has
//! written, which change nothing in the text. Minijinja has no statements of one's own, so they
//! become `{% with %}` … `{% endwith %}`: blocks with a scope of their own, as they have in
//! transformers, on the same lines and with the same treatment of blanks.

/// The source with the marks replaced, and line ends as Jinja reads them (`\n`).
pub(crate) fn rewrite(source: &str) -> String {
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(source.len());
    let (mut rest, mut raw) = (source.as_str(), false);
    while let Some(start) = rest.find('{') {
        let (text, tag) = rest.split_at(start);
        out.push_str(text);
        let end = match tag.as_bytes().get(1) {
            Some(b'%') => end_of_code(tag, "%}"),
            // Within raw text only a statement counts: it may be the one that ends it.
            Some(b'{') if !raw => end_of_code(tag, "}}"),
            Some(b'#') if !raw => tag.find("#}").map_or(tag.len(), |end| end + 2),
            _ => 1,
        };
        let (code, after) = tag.split_at(end);
        let word = statement(code);
        match (raw, word) {
            // The word is the whole statement, so that its first occurrence in the code is the word
            // itself.
            (false, Some("generation")) => out.push_str(&code.replacen("generation", "with", 1)),
            (false, Some("endgeneration")) => {
                out.push_str(&code.replacen("endgeneration", "endwith", 1))
            }
            _ => out.push_str(code),
        }
        raw = match word {
            Some("raw") => true,
            Some("endraw") => false,
            _ => raw,
        };
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The only word of a statement, as `raw` in `{%- raw %}`.
fn statement(code: &str) -> Option<&str> {
    let inner = code.strip_prefix("{%")?.strip_suffix("%}")?;
    let inner = inner.strip_prefix(['-', '+']).unwrap_or(inner);
    Some(inner.strip_suffix(['-', '+']).unwrap_or(inner).trim())
}

/// Where code that begins at the start of `tag` ends, quoted texts passed over.
fn end_of_code(tag: &str, closing: &str) -> usize {
    let bytes = tag.as_bytes();
    let (mut at, mut quote) = (2, None);
    while at < bytes.len() {
        match (quote, bytes[at]) {
            (Some(_), b'\\') => at += 1,
            (Some(open), byte) if byte == open => quote = None,
            (None, byte @ (b'"' | b'\'')) => quote = Some(byte),
            (None, _) if bytes[at..].starts_with(closing.as_bytes()) => return at + closing.len(),
            _ => {}
        }
        at += 1;
    }
    tag.len()
}

#[cfg(test)]
mod tests {
    use super::rewrite;

    #[test]
    fn marks_become_blocks_with_a_scope() {
        let cases = [
            (
                "{% generation %}x{% endgeneration %}",
                "{% with %}x{% endwith %}",
            ),
            (
                "{%- generation -%}\r\nx{%+ endgeneration %}",
                "{%- with -%}\nx{%+ endwith %}",
            ),
            (
                "generation {{ 'generation' }}",
                "generation {{ 'generation' }}",
            ),
            ("{{ '{% generation %}' }}", "{{ '{% generation %}' }}"),
            (
                "{{ \"\\\"{% generation %}\" }}",
                "{{ \"\\\"{% generation %}\" }}",
            ),
            ("{# {% generation %} #}", "{# {% generation %} #}"),
            (
                "{% raw %}{% generation %}{{ ' {% endraw %}{% generation %}",
                "{% raw %}{% generation %}{{ ' {% endraw %}{% with %}",
            ),
            ("{% if generation %}", "{% if generation %}"),
            ("{% generation", "{% generation"),
            ("é{", "é{"),
            ("{%", "{%"),
        ];
        for (source, expected) in cases {
            assert_eq!(rewrite(source), expected, "{source:?}");
        }
    }
}
