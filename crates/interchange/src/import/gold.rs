//! Worked solutions → references: what GSM8K has after `####`, and what MATH has in its last
//! `\boxed{…}`. Harnesses hand such solutions on as the target of an item.

/// The answer of a worked solution; other texts as they are.
pub(crate) fn answer(target: &str) -> String {
    if let Some((_, answer)) = target.rsplit_once("####")
        && !answer.trim().is_empty()
    {
        return answer.trim().to_string();
    }
    match last_boxed(target) {
        Some(answer) if !answer.trim().is_empty() => answer.trim().to_string(),
        _ => target.trim().to_string(),
    }
}

/// What stands in the last `\boxed{…}`, braces counted.
fn last_boxed(text: &str) -> Option<&str> {
    const BOX: &str = r"\boxed{";
    let inner = &text[text.rfind(BOX)? + BOX.len()..];
    let mut depth = 1_usize;
    let mut escaped = false;
    for (place, letter) in inner.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(&inner[..place]);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worked_solution_is_its_answer_and_an_answer_is_itself() {
        for (target, expected) in [
            ("3 + 4 = 7\n#### 7", "7"),
            (r"so $x = \boxed{\frac{1}{2}}$.", r"\frac{1}{2}"),
            (r"first \boxed{1}, then \boxed{\{2\}}", r"\{2\}"),
            (" 12 ", "12"),
            (r"\boxed{unclosed", r"\boxed{unclosed"),
            ("#### ", "####"),
        ] {
            assert_eq!(answer(target), expected, "{target}");
        }
    }
}
