//! What stands around the question in every prompt: of sources that keep prompts and no questions,
//! and to tell a template from prompts.

/// Prompts that are looked at for a known question.
const TRIED: usize = 20;
/// Bytes before and after a question in which a line may begin or end.
const REACH: usize = 2000;

/// The texts before and after the question in these prompts. A known question in one of the first
/// prompts decides, if all prompts begin and end alike; without one it is what all prompts have in
/// common, up to a whole line.
pub(crate) fn around<'a>(
    prompts: &[&'a str],
    is_known: impl Fn(&str) -> bool,
) -> (&'a str, &'a str) {
    for prompt in prompts.iter().take(TRIED) {
        for start in starts(prompt) {
            for end in ends(prompt).filter(|end| *end > start) {
                let (before, after) = (&prompt[..start], &prompt[end..]);
                let question = &prompt[start..end];
                if is_known(question)
                    && prompts
                        .iter()
                        .all(|other| inner(other, before, after).is_some())
                {
                    return (before, after);
                }
            }
        }
    }
    in_common(prompts)
}

/// What stands between two texts.
pub(crate) fn inner<'p>(prompt: &'p str, before: &str, after: &str) -> Option<&'p str> {
    prompt.strip_prefix(before)?.strip_suffix(after)
}

/// The texts around the question of one prompt that all prompts have around theirs.
pub(crate) fn template(prompts_and_questions: &[(&str, &str)]) -> Option<(String, String)> {
    let (first, question) = prompts_and_questions.first()?;
    // The last place, as examples before it may repeat the question.
    let place = first.rfind(question)?;
    let (before, after) = (&first[..place], &first[place + question.len()..]);
    let fits = |(prompt, question): &(&str, &str)| inner(prompt, before, after) == Some(*question);
    prompts_and_questions
        .iter()
        .all(fits)
        .then(|| (before.to_string(), after.to_string()))
}

/// Where a question may begin: at the start, after a line's end, after a label.
fn starts(prompt: &str) -> impl Iterator<Item = usize> + '_ {
    let within = prompt.char_indices().map(|(place, _)| place);
    let begins = |place: &usize| {
        let before = &prompt[..*place];
        before.is_empty() || before.ends_with('\n') || before.ends_with(": ")
    };
    within.filter(begins)
}

/// Where a question may end: at the end, before a line's end, after the end of a sentence.
fn ends(prompt: &str) -> impl Iterator<Item = usize> + '_ {
    let far = prompt.len().saturating_sub(REACH);
    let within = prompt.char_indices().map(|(place, _)| place);
    let ends = move |place: &usize| {
        let (before, after) = (&prompt[..*place], &prompt[*place..]);
        after.starts_with('\n')
            || (after.starts_with(' ') && before.ends_with(['.', '?', '$', ')']))
    };
    within
        .filter(move |place| *place >= far)
        .filter(ends)
        .chain([prompt.len()])
}

fn in_common<'a>(prompts: &[&'a str]) -> (&'a str, &'a str) {
    let (Some(first), true) = (prompts.first(), prompts.len() > 1) else {
        return ("", "");
    };
    let common = |with: fn(&str, &str) -> usize| {
        prompts
            .iter()
            .map(|other| with(first, other))
            .min()
            .unwrap_or(0)
    };
    let front = common(|one, other| {
        let pairs = one.char_indices().zip(other.chars());
        let equal = pairs.take_while(|((_, a), b)| a == b);
        equal
            .last()
            .map_or(0, |((place, letter), _)| place + letter.len_utf8())
    });
    let back = common(|one, other| {
        let pairs = one.chars().rev().zip(other.chars().rev());
        pairs
            .take_while(|(a, b)| a == b)
            .map(|(a, _)| a.len_utf8())
            .sum()
    });
    let shortest = prompts.iter().map(|prompt| prompt.len()).min().unwrap_or(0);
    // To a whole line, or a label: all questions may begin with the same word.
    let before = &first[..front];
    let cut = before.rfind('\n').map(|place| place + 1);
    let label = before.rfind(": ").map(|place| place + 2);
    let front = cut.max(label).unwrap_or(0);
    let after = &first[first.len() - back.min(shortest - front.min(shortest))..];
    let back = after.find('\n').map_or(0, |place| after.len() - place);
    (&first[..front], &first[first.len() - back..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_question_decides_and_else_what_all_prompts_have_in_common() {
        let prompts = [
            "Solve it.\nQuestion: What is 1 + 1?\nAnswer:",
            "Solve it.\nQuestion: What is 2 + 2?\nAnswer:",
        ];
        let expected = ("Solve it.\nQuestion: ", "\nAnswer:");
        assert_eq!(around(&prompts, |text| text == "What is 2 + 2?"), expected);
        assert_eq!(around(&prompts, |_| false), expected);
        assert_eq!(around(&prompts[..1], |_| false), ("", ""));
        // A question of another place in one prompt decides nothing.
        assert_eq!(around(&prompts, |text| text == "Solve it."), expected);
        let same = ["x", "x"];
        assert_eq!(around(&same, |_| false), ("", ""));
    }

    #[test]
    fn a_template_is_what_stands_around_every_question() {
        let template = |pairs: &[(&str, &str)]| template(pairs);
        assert_eq!(
            template(&[("Q: a\nA:", "a"), ("Q: bb\nA:", "bb")]),
            Some(("Q: ".to_string(), "\nA:".to_string()))
        );
        assert_eq!(template(&[("Q: a\nA:", "a"), ("R: bb\nA:", "bb")]), None);
        assert_eq!(template(&[("Q: a", "z")]), None);
    }
}
