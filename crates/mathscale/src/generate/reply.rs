//! Reply → question and solution.
//!
//! The form that is asked for is a line that begins with `Question:` and one that begins with
//! `Solution:`. Variants of it are parsed too: headings, bold labels, numbered or longer labels
//! ("Created Question 1:"), a block of code around it all. What stands before the question is
//! skipped, and so is a second question after the solution. Other forms (JSON, tags) are not: the
//! model is asked again with the form.

/// What a reply holds. Both texts are not blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuestionAndSolution {
    /// The question.
    pub question: String,
    /// The solution.
    pub solution: String,
}

/// Parses a reply.
///
/// # Errors
/// What is missing, in words that a model understands.
pub fn parse_reply(reply: &str) -> Result<QuestionAndSolution, String> {
    let (question, solution) = labelled(without_fence(reply.trim()))?;
    let (question, solution) = (cleaned(&question), cleaned(&solution));
    for (what, text) in [("question", &question), ("solution", &solution)] {
        if text.is_empty() {
            return Err(format!("the {what} is empty"));
        }
        if is_placeholder(text) {
            return Err(format!("in place of the {what} stands \"{text}\""));
        }
    }
    Ok(QuestionAndSolution { question, solution })
}

/// Which part a label begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Question,
    Solution,
}

/// A line with a label: where the line begins, which part, and where its text begins.
#[derive(Clone, Copy, Debug)]
struct Label {
    line: usize,
    part: Part,
    text: usize,
}

fn labelled(reply: &str) -> Result<(String, String), String> {
    let labels = labels(reply);
    let mut questions = labels.iter().filter(|label| label.part == Part::Question);
    let mut question = *questions
        .next()
        .ok_or("there is no line that begins with \"Question:\"")?;
    let after = |label: &&Label| label.line > question.line && label.part == Part::Solution;
    let missing = "there is no line that begins with \"Solution:\" after the question";
    let solution = *labels.iter().find(after).ok_or(missing)?;
    // A heading, and then the label itself.
    let nothing_between = |label: &&Label| {
        label.line > question.line
            && label.line < solution.line
            && reply[question.text..label.line]
                .chars()
                .all(|c| !c.is_alphanumeric())
    };
    if let Some(&inner) = questions.find(nothing_between) {
        question = inner;
    }
    let end = labels
        .iter()
        .find(|label| label.line > solution.line && label.part == Part::Question);
    let end = end.map_or(reply.len(), |label| label.line);
    let text = |label: Label, end: usize| without_odd_mark(reply, label, end);
    let mut solved = text(solution, end);
    // The heading of a second example goes with it.
    if end < reply.len() {
        solved = solved
            .trim_end_matches(|c: char| c.is_whitespace() || "*#-_=".contains(c))
            .to_string();
    }
    Ok((text(question, solution.line), solved))
}

/// The text of a label. Where the whole was bold with its label, the mark at its end goes.
fn without_odd_mark(reply: &str, label: Label, end: usize) -> String {
    let text = reply[label.text.min(end)..end].trim();
    let opened = reply[label.line..label.text.min(end)].matches("**").count() % 2 == 1;
    match text.strip_prefix("**") {
        Some(rest) if opened => rest.trim().to_string(),
        _ if opened && text.matches("**").count() % 2 == 1 => {
            text.trim_end_matches("**").trim().to_string()
        }
        _ => text.to_string(),
    }
}

fn labels(reply: &str) -> Vec<Label> {
    let mut found = Vec::new();
    let mut line = 0;
    for text in reply.split_inclusive('\n') {
        if let Some((part, length)) = label(text.trim_end()) {
            found.push(Label {
                line,
                part,
                text: line + length,
            });
        }
        line += text.len();
    }
    found
}

/// Longer heads are no labels.
const MAX_LABEL_BYTES: usize = 60;

/// The part that a line begins, and the length of the label with what stands before it.
fn label(line: &str) -> Option<(Part, usize)> {
    let mut start = marks(line);
    // `1.` or `(1)` before the label.
    let digits = line[start..].trim_start_matches('(');
    let number = digits.len()
        - digits
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .len();
    if number > 0 && digits[number..].starts_with(['.', ')']) {
        let rest = &digits[number + 1..];
        start = line.len() - rest.len();
        start += marks(rest);
    }
    let rest = &line[start..];
    if let Some((head, after)) = rest
        .split_once([':', '：'])
        .filter(|(head, _)| head.len() <= MAX_LABEL_BYTES)
        && let Some(part) = part(head)
    {
        return Some((part, line.len() - after.len()));
    }
    (rest.len() <= MAX_LABEL_BYTES)
        .then(|| part(rest))
        .flatten()
        .map(|part| (part, line.len()))
}

/// Bytes of marks at the beginning of a line.
fn marks(line: &str) -> usize {
    line.len()
        - line
            .trim_start_matches(|c: char| c.is_whitespace() || "#*_>-•`[".contains(c))
            .len()
}

/// Words before and after the noun of a label.
const BEFORE: [&str; 14] = [
    "created",
    "new",
    "generated",
    "the",
    "math",
    "my",
    "your",
    "final",
    "worked",
    "detailed",
    "step-by-step",
    "complete",
    "full",
    "example",
];

/// The part that a label names.
fn part(head: &str) -> Option<Part> {
    let plain = head.to_lowercase();
    let words: Vec<&str> = plain
        .split(|c: char| c.is_whitespace() || "*_#[]()`.".contains(c))
        .filter(|word| !word.is_empty())
        .collect();
    let first = words.iter().position(|word| !BEFORE.contains(word))?;
    let part = match words[first] {
        "question" | "problem" | "exercise" | "questions" => Part::Question,
        "solution" | "answer" | "solutions" => Part::Solution,
        _ => return None,
    };
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    match &words[first + 1..] {
        [] | ["text" | "statement" | "steps" | "part"] => Some(part),
        [number] if is_number(number) => Some(part),
        ["to" | "of" | "for", "the" | "this", rest @ ..]
            if rest.len() <= 3
                && rest
                    .last()
                    .is_some_and(|last| matches!(*last, "question" | "problem" | "exercise")) =>
        {
            Some(part)
        }
        ["and", "answer" | "solution"] if part == Part::Solution => Some(part),
        _ => None,
    }
}

/// Without the fence around a whole reply, whatever language it names.
fn without_fence(reply: &str) -> &str {
    let inner = || {
        let inner = reply.strip_prefix("```")?.strip_suffix("```")?;
        let (language, inner) = inner.split_once('\n')?;
        (language.trim().chars().all(char::is_alphanumeric) && !inner.contains("```"))
            .then(|| inner.trim())
    };
    inner().unwrap_or(reply)
}

/// Without lines of marks around the text.
fn cleaned(text: &str) -> String {
    let mut text = text.trim();
    loop {
        let before = text;
        let is_marks = |line: &str| {
            !line.trim().is_empty() && line.trim().chars().all(|c| "*_-=#".contains(c))
        };
        if let Some((first, rest)) = text.split_once('\n').filter(|(first, _)| is_marks(first)) {
            text = if first.is_empty() { text } else { rest.trim() };
        }
        if let Some((rest, _)) = text.rsplit_once('\n').filter(|(_, last)| is_marks(last)) {
            text = rest.trim();
        }
        if is_marks(text) {
            text = "";
        }
        if text == before {
            return text.to_string();
        }
    }
}

/// The form's own words in place of a text.
fn is_placeholder(text: &str) -> bool {
    let bare = text
        .trim_matches(|c: char| "()<>[]{}\"*. …".contains(c))
        .to_lowercase();
    matches!(
        bare.as_str(),
        "" | "the text of the question" | "the question" | "the solution" | "question" | "solution"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn usual_variants_of_the_form_are_parsed() {
        for reply in [
            "Question: What is 2 + 3?\nSolution: 2 + 3 = 5.\nThe answer is 5.",
            "Here you are.\n\n**Question:** What is 2 + 3?\n\n**Solution:** 2 + 3 = 5.\nThe answer is 5.",
            "**Question**: What is 2 + 3?\n**Solution**:\n2 + 3 = 5.\nThe answer is 5.",
            "### Question\n\nWhat is 2 + 3?\n\n### Solution\n\n2 + 3 = 5.\nThe answer is 5.",
            "# Created Question:\nWhat is 2 + 3?\n# Solution to the Created Question:\n2 + 3 = 5.\nThe answer is 5.",
            "1. Question: What is 2 + 3?\n2. Solution: 2 + 3 = 5.\nThe answer is 5.",
            "Question 1: What is 2 + 3?\nAnswer 1: 2 + 3 = 5.\nThe answer is 5.\n\nQuestion 2: What is 3 + 3?\nAnswer 2: 6",
            "**Question: What is 2 + 3?**\n\n**Step-by-step Solution:**\n2 + 3 = 5.\nThe answer is 5.",
            "- **New Problem:** What is 2 + 3?\n- **Detailed Solution:** 2 + 3 = 5.\nThe answer is 5.",
            "```\nQuestion: What is 2 + 3?\nSolution: 2 + 3 = 5.\nThe answer is 5.\n```",
            "QUESTION：What is 2 + 3?\nSOLUTION：2 + 3 = 5.\nThe answer is 5.",
            "**Question:**\n\n**\n\nWhat is 2 + 3?\n\n**\n\n---\n\n**Solution:**\n\n2 + 3 = 5.\nThe answer is 5.\n\n---",
            "## New Exercise\n**Question:** What is 2 + 3?\n\n## Worked Solution\n2 + 3 = 5.\nThe answer is 5.",
        ] {
            let parsed = parse_reply(reply).unwrap_or_else(|reason| panic!("{reason} in {reply}"));
            assert_eq!(parsed.question, "What is 2 + 3?", "{reply}");
            assert_eq!(parsed.solution, "2 + 3 = 5.\nThe answer is 5.", "{reply}");
        }
    }

    #[test]
    fn texts_stay_as_they_are() {
        let reply = "Question: Solve **both**: the answer to this question\nand x.\nSolution: Question the rule: x = 2.\nAnswer: **2**";
        let parsed = parse_reply(reply).unwrap();
        assert_eq!(
            parsed.question,
            "Solve **both**: the answer to this question\nand x."
        );
        assert_eq!(parsed.solution, "Question the rule: x = 2.\nAnswer: **2**");
    }

    #[test]
    fn what_is_missing_is_named() {
        for (reply, reason) in [
            ("", "no line that begins with \"Question:\""),
            (
                "I cannot do that.",
                "no line that begins with \"Question:\"",
            ),
            ("Solution: 5", "no line that begins with \"Question:\""),
            (
                "Question: What is 2 + 3?",
                "\"Solution:\" after the question",
            ),
            (
                "Solution: 5\nQuestion: What is 2 + 3?",
                "\"Solution:\" after the question",
            ),
            ("Question:\nSolution: 5", "the question is empty"),
            ("Question: What?\nSolution: **", "the solution is empty"),
            (
                "Question: (the text of the question)\nSolution: 5",
                "in place of the question stands",
            ),
            (
                "{\"question\": \"What?\", \"solution\": \"5\"}",
                "no line that begins",
            ),
            ("<question>What?</question>", "no line that begins"),
        ] {
            let found = parse_reply(reply).unwrap_err();
            assert!(found.contains(reason), "{reply}: {found}");
        }
    }

    proptest! {
        #[test]
        fn no_reply_makes_it_panic(reply in "(?s)(Question|Solution|\\*\\*|#|:|\n|\\{|\\}|\"|\\\\|<|>|ä|[a-z ]{0,4}|1\\.){0,30}") {
            if let Ok(parsed) = parse_reply(&reply) {
                prop_assert!(!parsed.question.trim().is_empty() && !parsed.solution.trim().is_empty());
            }
        }

        #[test]
        fn what_was_written_in_the_form_is_read_back(question in "[A-Z][a-z ]{3,40}[0-9]{1,3}\\?", solution in "[A-Z][a-z0-9 =+]{3,40}\\.\nThe answer is [0-9]{1,3}\\.") {
            let parsed = parse_reply(&format!("Question: {question}\nSolution: {solution}")).unwrap();
            prop_assert_eq!((parsed.question, parsed.solution), (question, solution));
        }
    }
}
