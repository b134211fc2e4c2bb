//! Reply of a model → the translation in it.

/// The translation in a reply: without a label before it, quotation marks or a fence around it.
pub(crate) fn translation_in(reply: &str) -> String {
    let mut text = reply.trim();
    text = unfenced(text).trim();
    for label in [
        "Here is the translation:",
        "English translation:",
        "Translation:",
        "English:",
        "**Translation:**",
    ] {
        if let Some(start) = text
            .get(..label.len())
            .filter(|start| start.eq_ignore_ascii_case(label))
        {
            text = text[start.len()..].trim();
            break;
        }
    }
    for (open, close) in [('"', '"'), ('“', '”'), ('「', '」')] {
        // Only around the whole: `"A" and "B"` begins and ends with marks too.
        let inner = text
            .strip_prefix(open)
            .and_then(|rest| rest.strip_suffix(close));
        if let Some(inner) = inner.filter(|inner| !inner.contains([open, close])) {
            text = inner.trim();
        }
    }
    text.to_string()
}

/// What stands between the first and the last line where these are fences.
fn unfenced(text: &str) -> &str {
    let Some(rest) = text
        .strip_prefix("```")
        .and_then(|rest| rest.strip_suffix("```"))
    else {
        return text;
    };
    match rest.split_once('\n') {
        Some((_, inside)) if !inside.contains("```") => inside,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_quotes_and_fences_are_removed() {
        let plain = "Find $x$.";
        for reply in [
            "Find $x$.",
            "\n Find $x$.\n",
            "Translation: Find $x$.",
            "TRANSLATION:\nFind $x$.",
            "\"Find $x$.\"",
            "“Find $x$.”",
            "```\nFind $x$.\n```",
            "```text\nTranslation: \"Find $x$.\"\n```",
        ] {
            assert_eq!(translation_in(reply), plain, "{reply}");
        }
        assert_eq!(translation_in("\"One\" and \"two\""), "\"One\" and \"two\"");
        assert_eq!(translation_in(""), "");
    }
}
