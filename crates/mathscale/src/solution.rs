//! Solutions of published sets in the form in which the pipeline writes its own.

/// A solution without the calculator's notes of GSM8K (`<<12/60=0.2>>`), and with the sentence "The
/// answer is 10." in place of `#### 10`.
pub(crate) fn plain_solution(solution: &str) -> String {
    let mut plain = String::with_capacity(solution.len());
    let mut rest = solution.trim();
    while let Some((before, after)) = rest.split_once("<<") {
        plain.push_str(before);
        match after.split_once(">>") {
            // Other text between such brackets is no calculation and stays: `x << y` and `a >> b`.
            Some((note, after)) if note.contains('=') && !note.contains('\n') => rest = after,
            _ => {
                plain.push_str("<<");
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    match plain.rsplit_once("####") {
        // With lines below it `####` is a heading of Markdown.
        Some((worked, answer)) if !answer.contains('\n') => {
            let (worked, answer) = (worked.trim_end(), answer.trim().trim_end_matches('.'));
            let line_end = if worked.is_empty() { "" } else { "\n" };
            format!("{worked}{line_end}The answer is {answer}.")
        }
        _ => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_go_and_the_answer_becomes_a_sentence() {
        for (published, plain) in [
            (
                "Half of 48 is <<48/2=24>>24.\nIn all 48+24 = <<48+24=72>>72.\n#### 72",
                "Half of 48 is 24.\nIn all 48+24 = 72.\nThe answer is 72.",
            ),
            ("#### 1,000", "The answer is 1,000."),
            ("1 << 4 is 16, 16 >> 4 is 1.", "1 << 4 is 16, 16 >> 4 is 1."),
            ("The answer is 5.", "The answer is 5."),
            ("#### Steps\nfirst", "#### Steps\nfirst"),
        ] {
            assert_eq!(plain_solution(published), plain);
        }
    }
}
