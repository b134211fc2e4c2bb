//! What follows a phrase such as `the answer is`.

use std::ops::Range;

use super::{Found, Look, ReferenceKind, formulas, numbers, rules::Phrase, spans};

/// How many phrases are tried, from the last one on; those before hold no final answer.
const TRIES: usize = 16;

/// How many heads are looked at, from the last one on; a text may be made of nothing else.
const HEADS: usize = 1024;

/// What may stand before an answer that a sentence begins with: a currency, a delimiter.
const MAX_OPENING_BYTES: usize = 4;

/// Marks of a heading, a list, emphasis or a formula that a line may begin with.
const LINE_MARKUP: [char; 10] = ['*', '#', '-', ' ', '>', '_', '(', '[', '$', '\\'];

/// The answer behind the last phrase at or behind `from` that has one behind it.
pub(super) fn find<'t>(rule: &Phrase, look: &Look<'t, '_>, from: usize) -> Option<Found<'t>> {
    // A quick look: what follows visits every byte from the end.
    if !rule.lower_heads.is_in(look.lower) {
        return None;
    }
    let may_repeat = !rule.links.is_empty();
    let (mut heads, mut tries, mut cut) = (0, 0, None::<Found>);
    for part in look.parts.iter().rev() {
        let mut end = part.end;
        while let Some(head) = last_head(rule, look.text, part.start.max(from)..end) {
            // The next head is looked for before this one, so that no place is looked at twice.
            end = head.start;
            heads += 1;
            if heads > HEADS {
                return cut;
            }
            let Some(start) = behind(rule, look.text, head, part) else {
                continue;
            };
            let reach = spans::reach(look.text, start, part.end);
            let sentence = start..spans::sentence_end(look.text, reach);
            let sentence = in_bold(look.text, part.start, sentence);
            let found = look.answer_within(sentence.clone());
            if rule.decides {
                return announced(look, sentence, found, part.end);
            }
            let ends = look.text[sentence.end..].starts_with('.');
            match (cut.take(), found) {
                // A text that repeats itself until it is cut: the same answer in full stands
                // before.
                (Some(cut), Some(found)) if ends && found.text.starts_with(&*cut.text) => {
                    return Some(found);
                }
                (Some(cut), _) => return Some(cut),
                (None, Some(found)) if may_repeat && sentence.end == look.text.len() => {
                    cut = Some(found)
                }
                (None, Some(found)) => return Some(found),
                (None, None) => {}
            }
            tries += 1;
            if tries == TRIES {
                return cut;
            }
        }
    }
    cut
}

/// Of an answer that begins in bold print, what is in bold: what follows are reasons. Where more in
/// bold is joined to it, all of the sentence.
fn in_bold(text: &str, first: usize, sentence: Range<usize>) -> Range<usize> {
    const MARK: &str = "**";
    let Some(close) = text[sentence.clone()].find(MARK) else {
        return sentence;
    };
    let line = text[first..sentence.start]
        .rfind('\n')
        .map_or(first, |at| first + at + 1);
    let line = text.ceil_char_boundary(line.max(sentence.start.saturating_sub(spans::LONGEST)));
    let opened = text[line..sentence.start].matches(MARK).count() % 2 == 1;
    let rest = text[sentence.start + close + MARK.len()..sentence.end].trim_start();
    let goes_on = [
        ",", "and ", "or ", "&", "+", "-", "*", "/", "=", "^", "\\", "和",
    ]
    .iter()
    .any(|joint| rest.starts_with(joint))
        && rest.contains(MARK);
    if opened && close > 0 && !goes_on {
        sentence.start..sentence.start + close
    } else {
        sentence
    }
}

/// The answer behind a phrase that announces it beyond doubt: the one its first sentence begins
/// with; behind a solution of several sentences, what it comes to; failing all that, the first
/// sentence.
fn announced<'t>(
    look: &Look<'t, '_>,
    sentence: Range<usize>,
    found: Option<Found<'t>>,
    end: usize,
) -> Option<Found<'t>> {
    let begins = found
        .as_ref()
        .is_some_and(|found| found.span.start <= sentence.start + MAX_OPENING_BYTES);
    let goes_on = !look.text[sentence.end..end]
        .trim_matches(['。', '.', ' ', '\n'])
        .is_empty();
    if begins || !goes_on {
        return found.or_else(|| look.whole(sentence));
    }
    let rest = sentence.start..end;
    let result = match look.kind {
        ReferenceKind::Number => numbers::numbers(look.text, rest).last(),
        ReferenceKind::Formula => formulas::last(look.text, rest),
        ReferenceKind::Choice | ReferenceKind::Text => None,
    };
    result
        .and_then(|result| look.whole(result))
        .or(found)
        .or_else(|| look.whole(sentence))
}

/// The last head in `range`; ASCII letters match in either case.
fn last_head(rule: &Phrase, text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let matches = |at: usize, head: &str| {
        bytes[at..range.end]
            .get(..head.len())
            .is_some_and(|there| there.eq_ignore_ascii_case(head.as_bytes()))
    };
    let head_at = |at: usize| {
        if !rule.starts.may_begin(&bytes[at..]) {
            return None;
        }
        let head = rule.heads.iter().find(|head| matches(at, head))?;
        Some(at..at + head.len())
    };
    if range.is_empty() {
        return None;
    }
    if rule.line_start || rule.heading {
        return last_in_line(text, range.clone()).find_map(head_at);
    }
    (range.start..range.end).rev().find_map(head_at)
}

/// The places where lines begin, behind their markup, from the last one on.
fn last_in_line(text: &str, range: Range<usize>) -> impl Iterator<Item = usize> + '_ {
    let inside = &text[range.clone()];
    let lines = inside.rmatch_indices('\n').map(|(at, _)| at + 1);
    lines
        .chain([0])
        .map(move |at| range.end - inside[at..].trim_start_matches(LINE_MARKUP).len())
}

/// Where the answer begins behind a head, if all that the rule asks for is there.
fn behind(rule: &Phrase, text: &str, head: Range<usize>, part: &Range<usize>) -> Option<usize> {
    let before = &text[part.start..head.start];
    if head.start > 0
        && text[head.clone()].starts_with(|c: char| c.is_ascii_alphabetic())
        && before.ends_with(|c: char| c.is_ascii_alphanumeric())
    {
        return None;
    }
    let previous = before.trim_end_matches(' ');
    if rule
        .not_after
        .iter()
        .any(|word| ends_with_word(previous, word))
    {
        return None;
    }
    if rule.line_start && !starts_line(before) {
        return None;
    }
    if !rule.not_in_clause.is_empty() && begins_clause(previous, &rule.not_in_clause) {
        return None;
    }
    let rest = &text[head.end..part.end];
    if rule.heading {
        return below_heading(text, &head, part);
    }
    if rule
        .not_before
        .iter()
        .any(|text| rest.starts_with(text.as_str()))
    {
        return None;
    }
    let start = head.end
        + if rule.links.is_empty() {
            0
        } else {
            behind_link(rule, rest)?
        };
    let blank = |c: char| {
        matches!(c, '*' | ':' | '：' | '_' | '=' | ' ' | '\t' | '\u{a0}')
            || (!rule.same_line && c.is_whitespace())
    };
    let start = part.end - text[start..part.end].trim_start_matches(blank).len();
    // "Answer:" and a list below: the steps to the answer, and not the answer.
    let below = text[head.end..start].contains('\n');
    (start < part.end && !(below && is_item(&text[start..part.end]))).then_some(start)
}

/// Where the answer below a heading begins: a line with nothing but a head in its marks, such as
/// `# Answer`, `**Final Answer:**`.
fn below_heading(text: &str, head: &Range<usize>, part: &Range<usize>) -> Option<usize> {
    let line = text[part.start..head.start]
        .rfind('\n')
        .map_or(part.start, |at| part.start + at + 1);
    let before = text[line..head.start].trim_matches([' ', '_']);
    let marked = !before.is_empty() && before.trim_start_matches(['#', '*', ' ', '>']).is_empty();
    let rest = &text[head.end..part.end];
    let end = rest.find('\n')?;
    let bare = rest[..end].trim_matches(['*', '#', ':', '：', ' ', '_', '\r']);
    if !marked || !bare.is_empty() {
        return None;
    }
    let mark = |c: char| c.is_whitespace() || matches!(c, '*' | '>' | '-' | '•');
    let below = rest[end..].trim_start_matches(mark);
    // A minus touches its number, the mark of an item does not.
    let signed = below.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '\\'))
        && rest[..rest.len() - below.len()].ends_with('-');
    let start = part.end - below.len() - usize::from(signed);
    (start < part.end && !is_item(&text[start..part.end])).then_some(start)
}

/// Whether one of some words begins the clause that a text ends in.
fn begins_clause(text: &str, words: &[String]) -> bool {
    const MAX_CLAUSE_BYTES: usize = 48;
    let near = &text[text.ceil_char_boundary(text.len().saturating_sub(MAX_CLAUSE_BYTES))..];
    let clause = near.rsplit(['.', ';', '?', '!']).next().unwrap_or(near);
    words.iter().any(|word| {
        clause.match_indices(word.as_str()).any(|(at, _)| {
            let before = &clause[..at];
            !before.ends_with(char::is_alphanumeric)
                && !clause[at + word.len()..].starts_with(char::is_alphanumeric)
        })
    })
}

/// Whether a text begins with an item of a list: `1. `, `2) `, `Step 1`.
fn is_item(text: &str) -> bool {
    if ["Step 1", "**Step 1", "step 1", "First,"]
        .iter()
        .any(|step| text.starts_with(step))
    {
        return true;
    }
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < text.len() && (rest.starts_with(". ") || rest.starts_with(") "))
}

/// Behind the first link in the gap, which no sentence's end may interrupt.
fn behind_link(rule: &Phrase, rest: &str) -> Option<usize> {
    let gap = &rest[..spans::floor(rest, rule.gap.min(rest.len()))];
    let gap = gap.find(|c: char| {
        c.is_ascii_digit() || matches!(c, '\n' | '.' | '?' | '。' | ':' | '：' | '=')
    });
    let gap = gap.unwrap_or(rule.gap.min(rest.len()));
    (0..=gap)
        .filter(|&at| rest.is_char_boundary(at))
        .find_map(|at| {
            let link = rule
                .links
                .iter()
                .find(|link| rest[at..].starts_with(link.as_str()))?;
            // Behind other words an equals sign is a part of a formula.
            if link == "=" && !rest[..at].trim_matches([' ', '*', '_', '$']).is_empty() {
                return None;
            }
            let after = at + link.len();
            let whole_word = !link.ends_with(|c: char| c.is_ascii_alphabetic())
                || !rest[after..].starts_with(|c: char| c.is_ascii_alphanumeric());
            let begins = !link.starts_with(|c: char| c.is_ascii_alphabetic())
                || at == 0
                || !rest[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
            (whole_word && begins).then_some(after)
        })
}

/// Whether the text before a head leaves it the first thing in its line, but for marks of a
/// heading, a list or emphasis.
fn starts_line(before: &str) -> bool {
    const MAX_MARKUP_BYTES: usize = 16;
    let near = &before[before.ceil_char_boundary(before.len().saturating_sub(MAX_MARKUP_BYTES))..];
    let bare = near.trim_end_matches(LINE_MARKUP);
    bare.ends_with('\n') || bare.is_empty() && near.len() == before.len()
}

fn ends_with_word(text: &str, word: &str) -> bool {
    let Some(start) = text.len().checked_sub(word.len()) else {
        return false;
    };
    text.as_bytes()[start..].eq_ignore_ascii_case(word.as_bytes())
        && !text.as_bytes()[..start]
            .last()
            .is_some_and(u8::is_ascii_alphanumeric)
}
