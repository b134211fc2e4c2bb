//! What of a completion is looked at: no code, and not what runs on after the answer.

use std::ops::Range;

use super::{
    rules::Layout,
    spans,
    thoughts::{self, Thoughts},
};

/// How many places at which a further problem may begin are tried.
const MAX_FURTHER: usize = 8;

/// A completion, taken apart.
pub(super) struct Visible {
    /// The parts that are looked at, in their order; the whole text where nothing else would be
    /// left.
    pub parts: Vec<Range<usize>>,
    /// What the last block of code holds.
    pub last_block: Option<Range<usize>>,
    /// Nothing is said after the last block: the completion breaks off there, or what the block
    /// prints is the last word.
    pub ends_in_block: bool,
    /// Nothing stands outside of thoughts: the parts are those of the thoughts.
    pub only_thoughts: Option<Thoughts>,
    /// Where a line names a further problem, which may be one that the model makes up after its
    /// answer.
    pub further: Vec<usize>,
}

impl Visible {
    /// `lower`: the text with ASCII letters in lower case.
    pub(super) fn of(text: &str, lower: &str, layout: &Layout) -> Self {
        let (said, only_thoughts) = thoughts::outside(text, lower, layout);
        let mut visible = Self {
            parts: Vec::with_capacity(1),
            last_block: None,
            ends_in_block: false,
            only_thoughts,
            further: Vec::new(),
        };
        for part in &said {
            visible.pass_over_code(text, part.clone(), layout);
        }
        let lines = telling_lines(text, layout);
        // After code is passed over: a mark within it does not end the answer.
        visible.cut_off(text, &lines, layout);
        if visible.parts.is_empty() {
            visible.parts = said;
        }
        visible.find_further(text, &lines, layout);
        visible
    }

    /// The parts before a place.
    pub(super) fn parts_before(&self, end: usize) -> Vec<Range<usize>> {
        let before = self.parts.iter().filter(|part| part.start < end);
        before.map(|part| part.start..part.end.min(end)).collect()
    }

    /// Collects the first lines that name a further problem.
    fn find_further(&mut self, text: &str, lines: &[usize], layout: &Layout) {
        for part in &self.parts {
            let lines = lines.iter().copied().filter(|at| part.contains(at));
            let names = lines.filter(|&at| names_problem(&text[at + 1..part.end], layout));
            // No more than this are taken, so that it never falls below zero.
            let room = MAX_FURTHER - self.further.len();
            self.further.extend(names.take(room));
        }
    }

    /// Collects what stands outside fenced blocks; a block that is never closed goes on to the end.
    fn pass_over_code(&mut self, text: &str, whole: Range<usize>, layout: &Layout) {
        let inside = &text[whole.clone()];
        if !layout.any_fence.is_in(inside) {
            return self.add(text, whole);
        }
        let mut fences = layout.fences.iter();
        let Some(fence) = fences.find(|fence| inside.contains(fence.as_str())) else {
            return self.add(text, whole);
        };
        let (mut from, mut inside) = (whole.start, false);
        for (at, _) in text[whole.clone()].match_indices(fence.as_str()) {
            let (fence_start, fence_end) = (whole.start + at, whole.start + at + fence.len());
            // No longer than a language's name, lest a text of nothing but fences take quadratic
            // time.
            let info = &text[fence_end..spans::floor(text, whole.end.min(fence_end + 32))];
            let line = info.split(['\n', '`']).next().unwrap_or("");
            let (info, line_end) = (line.trim(), fence_end + line.len());
            let kept = layout.kept_blocks.iter().any(|block| block == info);
            if !inside {
                self.add(text, from..fence_start);
                (from, inside) = (line_end, !kept);
            } else if info.is_empty() || kept {
                (self.last_block, self.ends_in_block) = (Some(from..fence_start), true);
                (from, inside) = (fence_end, false);
            } else {
                // An opening fence within a block: the closing one was forgotten.
                from = line_end;
            }
        }
        if inside {
            (self.last_block, self.ends_in_block) = (Some(from..whole.end), true);
        } else {
            self.add(text, from..whole.end);
        }
    }

    fn add(&mut self, text: &str, part: Range<usize>) {
        if !text[part.clone()].trim().is_empty() {
            self.parts.push(part);
            self.ends_in_block = false;
        }
    }

    /// Drops everything from the first mark on that has something before it.
    fn cut_off(&mut self, text: &str, lines: &[usize], layout: &Layout) {
        for at in 0..self.parts.len() {
            let part = self.parts[at].clone();
            let Some(end) = end(text, part.clone(), at > 0, lines, layout) else {
                continue;
            };
            self.parts.truncate(at + 1);
            self.last_block = self
                .last_block
                .take()
                // A block behind the cut is what the model made up as well.
                .filter(|block| block.end <= part.start);
            self.ends_in_block = false;
            self.parts[at] = part.start..end;
            if text[part.start..end].trim().is_empty() {
                self.parts.pop();
            }
            return;
        }
    }
}

/// The ends of lines behind which a mark that ends the answer, or a further problem, may stand.
fn telling_lines(text: &str, layout: &Layout) -> Vec<usize> {
    let tells = |&at: &usize| {
        let line = &text[at + 1..];
        layout
            .line_starts
            .may_begin(without_emphasis(line).as_bytes())
            || layout
                .problem_starts
                .may_begin(without_markup(line).as_bytes())
    };
    memchr::memchr_iter(b'\n', text.as_bytes())
        .filter(tells)
        .collect()
}

/// Without the marks of emphasis that a line begins with.
fn without_emphasis(line: &str) -> &str {
    match line.as_bytes().first() {
        Some(b' ' | b'*') => line.trim_start_matches([' ', '*']),
        _ => line,
    }
}

/// Without the marks of a heading, a quotation or a tag that a line begins with.
fn without_markup(line: &str) -> &str {
    match line.as_bytes().first() {
        // Most lines begin so.
        Some(byte) if byte.is_ascii_alphanumeric() => line,
        _ => line.trim_start_matches([' ', '*', '#', '>', '[', '【', '<']),
    }
}

/// Whether a line names a problem: `Problem 2:`, `**Question:**`, `## Exercise 3.`, `例2：`.
fn names_problem(line: &str, layout: &Layout) -> bool {
    let bare = without_markup(line);
    if !layout.problem_starts.may_begin(bare.as_bytes()) {
        return false;
    }
    layout.problems.iter().any(|word| {
        bare.strip_prefix(word.as_str()).is_some_and(|rest| {
            let rest = rest.trim_start_matches([' ', '*']);
            let number = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            let numbered = number.len() < rest.len();
            let rest = number.trim_start_matches([' ', '*']);
            rest.starts_with([':', '：', '】', ']'])
                || numbered && rest.starts_with(['.', ')', '、', '\n'])
        })
    })
}

/// Where what runs on begins in a part; `follows`: other parts come before it.
fn end(
    text: &str,
    part: Range<usize>,
    follows: bool,
    lines: &[usize],
    layout: &Layout,
) -> Option<usize> {
    let inside = &text[part.clone()];
    let starts =
        |rest: &str, marks: &[String]| marks.iter().any(|mark| rest.starts_with(mark.as_str()));
    let first = if follows {
        0
    } else {
        inside.len() - inside.trim_start().len() + 1
    };
    let lines = lines.iter().filter(|at| part.contains(at));
    let by_line = lines.map(|at| at - part.start).find(|&at| {
        let line = without_emphasis(&inside[at + 1..]);
        at >= first && starts(line, &layout.ends_at_line)
    });
    // Marks anywhere matter only before the line that ends the answer.
    let before = &inside[..by_line.unwrap_or(inside.len())];
    let mut anywhere = memchr::memchr_iter(b'<', before.as_bytes());
    let end = anywhere
        .find(|&at| {
            let rest = &inside[at..];
            at >= first
                && layout.end_starts.may_begin(rest.as_bytes())
                && starts(rest, &layout.ends_at)
        })
        .or(by_line)?;
    Some(part.start + end)
}
