//! Thoughts that a model writes down before it answers, in whatever way they are marked.

use std::ops::Range;

use super::rules::Layout;

/// Why nothing is said outside of thoughts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thoughts {
    /// They are never closed: the text was cut before the answer.
    Unfinished,
    /// They are closed, and nothing follows.
    Closed,
}

/// What a mark does.
enum Mark {
    /// Opens thoughts of one kind.
    Opens(usize),
    /// Closes thoughts of one kind.
    Closes(usize),
    /// Ends whatever came before.
    Begins,
}

/// The parts of a text outside of thoughts; where there are none, the thoughts, and why.
///
/// A mark that closes what was never opened closes all that stands before it: many chat templates
/// open the thoughts in the prompt.
pub(super) fn outside(
    text: &str,
    lower: &str,
    layout: &Layout,
) -> (Vec<Range<usize>>, Option<Thoughts>) {
    let whole = 0..text.len();
    let at_start = opens_at_start(text, layout);
    if at_start.is_none() && !has_mark(lower, layout) {
        return (vec![whole], None);
    }
    let (mut said, mut from, mut inside) = (Vec::new(), 0, at_start);
    for (at, length, mark) in marks(text, layout) {
        match (mark, inside) {
            // A mark such as that of a final channel: not even thoughts that are open reach beyond
            // it.
            (Mark::Begins, _) => (said, from, inside) = (Vec::new(), at + length, None),
            (Mark::Closes(kind), Some(open)) if kind == open => {
                (from, inside) = (at + length, None);
            }
            (Mark::Closes(_), None) => (said, from) = (Vec::new(), at + length),
            (Mark::Opens(kind), None) => {
                said.push(from..at);
                inside = Some(kind);
            }
            // Within thoughts other marks are quoted or nested: only their own end counts.
            (Mark::Opens(_) | Mark::Closes(_), Some(_)) => {}
        }
    }
    if inside.is_none() {
        said.push(from..text.len());
    }
    said.retain(|part| !text[part.clone()].trim().is_empty());
    match (said.is_empty(), inside) {
        (false, _) => (said, None),
        (true, _) if text.trim().is_empty() => (vec![whole], None),
        (true, Some(_)) => (vec![whole], Some(Thoughts::Unfinished)),
        (true, None) => (vec![whole], Some(Thoughts::Closed)),
    }
}

/// The kind of thoughts that a word at the very start opens: `analysisWe need …`.
fn opens_at_start(text: &str, layout: &Layout) -> Option<usize> {
    let opens = |[open, _]: &[String; 2]| {
        let behind = text.trim_start().strip_prefix(open.as_str());
        behind.is_some_and(|rest| rest.starts_with(char::is_uppercase))
    };
    let kind = layout.thoughts_at_start.iter().position(opens)?;
    Some(layout.thoughts.len() + kind)
}

/// Whether a text, in lower case, holds a mark at all; most hold none.
fn has_mark(lower: &str, layout: &Layout) -> bool {
    let tag = |at: usize| {
        let rest = &lower.as_bytes()[at..];
        layout.tag_starts.may_begin(rest)
            && layout
                .tags
                .iter()
                .any(|tag| rest.starts_with(tag.as_bytes()))
    };
    memchr::memchr_iter(b'<', lower.as_bytes()).any(tag) || layout.plain_marks.is_in(lower)
}

/// Place, length and effect of every mark, in the order of the text.
fn marks<'t>(text: &'t str, layout: &'t Layout) -> impl Iterator<Item = (usize, usize, Mark)> + 't {
    let bytes = text.as_bytes();
    let starts = move |at: usize, mark: &str| {
        bytes
            .get(at..at + mark.len())
            .is_some_and(|there| there.eq_ignore_ascii_case(mark.as_bytes()))
    };
    let pairs = move || layout.thoughts.iter().chain(&layout.thoughts_at_start);
    let found = move |at: usize| {
        let begins = layout.begins_after.iter().find(|mark| starts(at, mark));
        if let Some(mark) = begins {
            return Some((at, mark.len(), Mark::Begins));
        }
        let opening = layout.thoughts.iter().enumerate();
        let opens = opening
            .map(|(kind, [open, _])| (kind, open))
            .find(|(_, open)| starts(at, open));
        if let Some((kind, open)) = opens {
            return Some((at, open.len(), Mark::Opens(kind)));
        }
        let (kind, close) = pairs()
            .map(|[_, close]| close)
            .enumerate()
            .find(|(_, close)| starts(at, close))?;
        Some((at, close.len(), Mark::Closes(kind)))
    };
    (0..text.len())
        .filter(move |&at| layout.thought_begins.contains(bytes[at]))
        .filter_map(found)
}
