//! What of a completion is looked at: no code, and not what runs on after the answer.

use std::ops::Range;

use super::{rules::Layout, spans};

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
}

impl Visible {
    pub(super) fn of(text: &str, layout: &Layout) -> Self {
        let whole = begin(text, layout)..text.len();
        let mut visible = Self {
            parts: Vec::with_capacity(1),
            last_block: None,
            ends_in_block: false,
        };
        visible.pass_over_code(text, whole.clone(), layout);
        visible.cut_off(text, layout);
        if visible.parts.is_empty() {
            visible.parts.push(whole);
        }
        visible
    }

    /// Collects what stands outside fenced blocks; a block that is never closed goes on to the end.
    fn pass_over_code(&mut self, text: &str, whole: Range<usize>, layout: &Layout) {
        let Some(fence) = layout
            .fences
            .iter()
            .find(|fence| text[whole.clone()].contains(fence.as_str()))
        else {
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
    fn cut_off(&mut self, text: &str, layout: &Layout) {
        for at in 0..self.parts.len() {
            let part = self.parts[at].clone();
            let Some(end) = end(text, part.clone(), at > 0, layout) else {
                continue;
            };
            self.parts.truncate(at + 1);
            self.last_block = self
                .last_block
                .take()
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

/// Where the answer proper begins: after a closing `</think>`, if something follows.
fn begin(text: &str, layout: &Layout) -> usize {
    layout
        .begins_after
        .iter()
        .filter_map(|mark| text.rfind(mark.as_str()).map(|at| at + mark.len()))
        .filter(|&at| !text[at..].trim().is_empty())
        .max()
        .unwrap_or(0)
}

/// Where what runs on begins in a part; `follows`: other parts come before it.
fn end(text: &str, part: Range<usize>, follows: bool, layout: &Layout) -> Option<usize> {
    let inside = &text[part.clone()];
    let starts =
        |rest: &str, marks: &[String]| marks.iter().any(|mark| rest.starts_with(mark.as_str()));
    let first = if follows {
        0
    } else {
        inside.len() - inside.trim_start().len() + 1
    };
    let by_line = inside.match_indices('\n').map(|(at, _)| at).find(|&at| {
        let line = inside[at + 1..].trim_start_matches([' ', '*']);
        let begins = line
            .bytes()
            .next()
            .is_some_and(|byte| layout.line_begins.contains(byte));
        begins && at >= first && starts(line, &layout.ends_at_line)
    });
    let before = &inside[..by_line.unwrap_or(inside.len())];
    let mut anywhere = before.match_indices('<').map(|(at, _)| at);
    let end = anywhere
        .find(|&at| at >= first && starts(&inside[at..], &layout.ends_at))
        .or(by_line)?;
    Some(part.start + end)
}
