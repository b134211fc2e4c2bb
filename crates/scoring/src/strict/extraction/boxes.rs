//! The last `\boxed{…}`: balanced, nested, and several that together are the answer.

use std::{borrow::Cow, ops::Range};

use super::{Found, Look, ReferenceKind, formulas, letters, numbers, rules::Boxed, spans};

/// A command with its argument.
struct Box {
    /// From the backslash to behind the closing brace.
    whole: Range<usize>,
    argument: Range<usize>,
    /// How many other boxes it stands in.
    depth: usize,
}

/// The argument of the last box, with those before it that only commas and words like `and` divide
/// from it.
pub(super) fn find<'t>(rule: &Boxed, look: &Look<'t, '_>) -> Option<Found<'t>> {
    look.parts.iter().rev().find_map(|part| {
        let mut boxes = boxes(rule, look.text, part.clone());
        drop_placeholders(rule, look.text, &mut boxes);
        let exact = |found: &Box| !is_approximation(&look.text[found.argument.clone()]);
        // Where all boxes are approximate, one of them is the answer.
        if boxes.iter().any(|found| found.depth == 0 && exact(found)) {
            boxes.retain(exact);
        }
        drop_approximation(look.text, &mut boxes);
        let outer = boxes.iter().rposition(|found| found.depth == 0)?;
        // A box in a box: the inner ones are the answer.
        let inner = boxes[..outer]
            .iter()
            .rposition(|found| found.whole.start < boxes[outer].whole.start);
        let within = &boxes[inner.map_or(0, |at| at + 1)..outer];
        let leaves: Vec<&Box> = match within {
            [] => together(rule, look.text, &boxes[..=outer]),
            _ => leaves(within),
        };
        answer(rule, look, &leaves)
    })
}

/// Drops boxes that only repeat what an answer shall look like; one in a paragraph behind that of
/// the answer may ask for another answer, and stays.
fn drop_placeholders(rule: &Boxed, text: &str, boxes: &mut Vec<Box>) {
    let is_empty = |found: &Box| is_placeholder(rule, &text[found.argument.clone()]);
    let Some(last) = boxes.iter().rfind(|found| !is_empty(found)) else {
        return boxes.clear();
    };
    let end = last.whole.end;
    boxes.retain(|found| {
        !is_empty(found) || found.whole.start > end && text[end..found.whole.start].contains("\n\n")
    });
}

/// Whether a box only repeats what an answer shall look like: `\boxed{...}`, `\boxed as asked`.
fn is_placeholder(rule: &Boxed, argument: &str) -> bool {
    /// Nothing longer is a placeholder, and boxes within boxes are not read once each.
    const LONGEST: usize = 256;
    if argument.len() > LONGEST {
        return false;
    }
    let bare = argument
        .trim()
        .trim_start_matches("\\text{")
        .trim_end_matches('}');
    let bare = bare.trim_matches([' ', '[', ']', '<', '>', '"']);
    rule.placeholders
        .iter()
        .any(|text| text.eq_ignore_ascii_case(bare))
}

/// Drops a last box that words make a decimal near the one before.
fn drop_approximation(text: &str, boxes: &mut Vec<Box>) {
    let mut outer = boxes.iter().filter(|found| found.depth == 0).rev();
    if let (Some(last), Some(before)) = (outer.next(), outer.next())
        && formulas::nears(&text[before.whole.end..last.whole.start])
    {
        let start = last.whole.start;
        boxes.retain(|found| found.whole.start < start);
    }
}

/// Whether a box holds no more than the decimal that an exact answer is near.
fn is_approximation(argument: &str) -> bool {
    let bare = argument.trim_start_matches([' ', '$', '~']);
    ["\\approx", "≈", "\\simeq", "\\doteq"]
        .iter()
        .any(|sign| bare.starts_with(sign))
}

/// The boxes without a box inside; in the order of their ends, such a one would come right before.
fn leaves(boxes: &[Box]) -> Vec<&Box> {
    let is_leaf = |at: usize| at == 0 || boxes[at - 1].whole.start < boxes[at].whole.start;
    (0..boxes.len())
        .filter(|&at| is_leaf(at))
        .map(|at| &boxes[at])
        .collect()
}

/// All closed boxes of a part, by their ends: one pass with a stack of open braces.
fn boxes(rule: &Boxed, text: &str, part: Range<usize>) -> Vec<Box> {
    let Some(first) = rule.any_command.find(&text[part.clone()]) else {
        return Vec::new();
    };
    let bytes = text.as_bytes();
    let (mut found, mut open, mut depth) = (Vec::new(), Vec::<Option<usize>>::new(), 0);
    let mut at = part.start + first;
    while at < part.end {
        match bytes[at] {
            b'\\' => {
                let rest = &text[at..part.end];
                let command = rule
                    .commands
                    .iter()
                    .find(|command| rest.starts_with(command.as_str()));
                let brace = command.map(|command| command.len() + blanks(&rest[command.len()..]));
                match brace {
                    Some(brace) if rest[brace..].starts_with('{') => {
                        open.push(Some(at));
                        depth += 1;
                        at += brace;
                    }
                    // `\boxed 5`: the argument is what follows, up to a space or a delimiter.
                    Some(brace) => {
                        let end = at
                            + brace
                            + rest[brace..]
                                .find([' ', '\n', '$', '\\', '.', ','])
                                .unwrap_or(rest.len() - brace);
                        let word = &text[at + brace..end];
                        let letters = word.find(|c: char| !c.is_alphabetic());
                        let is_word = letters.unwrap_or(word.len()) >= 2;
                        if end > at + brace && !is_word {
                            found.push(Box {
                                whole: at..end,
                                argument: at + brace..end,
                                depth,
                            });
                        }
                        // At least one byte on, with the step below, also for an empty argument.
                        at = end.max(at + 1) - 1;
                    }
                    // `\{` and `\}` are no braces.
                    None => at += 1,
                }
            }
            b'{' => open.push(None),
            b'}' => {
                if let Some(Some(start)) = open.pop() {
                    depth -= 1;
                    let argument =
                        start + text[start..at].find('{').map_or(0, |brace| brace + 1)..at;
                    found.push(Box {
                        whole: start..at + 1,
                        argument,
                        depth,
                    });
                }
            }
            _ => {}
        }
        at += 1;
    }
    // What was opened and never closed holds nothing. The stack is in the order of the text.
    let unclosed: Vec<usize> = open.into_iter().flatten().collect();
    for inner in &mut found {
        // Each of them was open when the inner one was counted: the difference is not negative.
        inner.depth -= unclosed.partition_point(|&start| start < inner.whole.start);
    }
    found
}

fn blanks(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// The last box and those before it that are one answer with it.
fn together<'b>(rule: &Boxed, text: &str, boxes: &'b [Box]) -> Vec<&'b Box> {
    let mut outer: Vec<&Box> = Vec::new();
    for found in boxes.iter().rev().filter(|found| found.depth == 0) {
        match outer.last() {
            Some(next) if !joins(rule, &text[found.whole.end..next.whole.start]) => break,
            _ => outer.push(found),
        }
    }
    outer.reverse();
    outer
}

/// Whether nothing but words like `and`, commas, delimiters and white space stands between two
/// boxes, after a word or two that say what was counted: `\boxed{3} apples and \boxed{5} pears`.
fn joins(rule: &Boxed, between: &str) -> bool {
    const COUNTED: usize = 2;
    let mut rest = between.trim_start();
    let labelled = after_label(after_joints(rule, rest));
    if labelled.is_some_and(|rest| after_joints(rule, rest).is_empty()) {
        return true;
    }
    for counted in 0..=COUNTED {
        let joined = after_joints(rule, rest);
        if joined.is_empty() && (counted == 0 || joined.len() < rest.len()) {
            return true;
        }
        let word = rest.find(|sign: char| !sign.is_alphabetic()).unwrap_or(0);
        if word == 0 {
            return false;
        }
        rest = rest[word..].trim_start();
    }
    false
}

/// What is left behind the name of a box: `x_1 =`, `(b)`, `b)`, `2.`, `-`.
fn after_label(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix(['-', '*', '•']) {
        return Some(rest.trim_start());
    }
    let text = ["Part ", "part "]
        .iter()
        .find_map(|part| text.strip_prefix(part))
        .unwrap_or(text);
    if let Some(letter) = text.strip_prefix('\\') {
        let rest = letter.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        return rest.trim_start().strip_prefix('=').map(str::trim_start);
    }
    let open = text.strip_prefix('(');
    let name = open.unwrap_or(text);
    let letters = name
        .find(|c: char| !c.is_alphanumeric())
        .unwrap_or(name.len());
    if !(1..=2).contains(&letters) {
        return None;
    }
    let rest = &name[letters..];
    if open.is_some() {
        let rest = rest.strip_prefix(')')?;
        return Some(rest.strip_prefix(':').unwrap_or(rest).trim_start());
    }
    if let Some(rest) = rest.strip_prefix([')', '.', ':']) {
        return Some(rest.trim_start());
    }
    let index = |rest: &'_ str| {
        rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '{' | '}' | '\'')))
    };
    let rest = &rest[index(rest).unwrap_or(rest.len())..];
    rest.trim_start().strip_prefix('=').map(str::trim_start)
}

/// What is left behind the words and marks that join.
fn after_joints<'t>(rule: &Boxed, text: &'t str) -> &'t str {
    let mut rest = text;
    while let Some(joint) = rule
        .joined_by
        .iter()
        .find(|joint| rest.starts_with(joint.as_str()))
    {
        rest = rest[joint.len()..].trim_start();
    }
    rest
}

/// Option letters where these are asked for; a number in a sentence where a number is; otherwise
/// all that is in the boxes.
fn answer<'t>(rule: &Boxed, look: &Look<'t, '_>, leaves: &[&Box]) -> Option<Found<'t>> {
    let asks_for_letters = look.kind == ReferenceKind::Choice && !rule.any_content;
    if let [single] = leaves {
        let argument = single.argument.clone();
        return match look.kind {
            ReferenceKind::Choice if asks_for_letters => {
                letters::leading(look.text, argument.clone()).or_else(|| {
                    let letters = letters::in_any_order(&look.text[argument.clone()])?;
                    Some(Found {
                        text: Cow::Owned(letters),
                        span: argument,
                        by_question: None,
                    })
                })
            }
            ReferenceKind::Number => look.whole(numbers::in_box(look.text, argument)),
            _ => look.whole(argument),
        };
    }
    let texts: Vec<&str> = leaves
        .iter()
        .map(|leaf| &look.text[spans::trim(look.text, leaf.argument.clone())])
        .collect();
    let span = leaves.first()?.whole.start..leaves.last()?.whole.end;
    let joined = texts.join(", ");
    let text = if asks_for_letters {
        letters::in_any_order(&joined).or_else(|| letters::option_letters(&joined))?
    } else {
        joined
    };
    (!text.is_empty()).then_some(Found {
        text: Cow::Owned(text),
        span,
        by_question: None,
    })
}
