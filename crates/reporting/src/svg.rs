//! Shapes and texts of an SVG picture that is readable on light and dark pages.

use std::fmt::Write;

use crate::escape::xml;

/// Size of most texts.
pub(crate) const FONT: f64 = 12.0;

/// How many series can have a colour of their own.
pub(crate) const COLOUR_COUNT: usize = 8;

/// Colours that people with colour blindness distinguish and that stand out on white and on black.
/// Source: M. Okabe and K. Ito, "Color Universal Design" (2008), its yellow and blue darkened or
/// lightened for contrast.
const COLOURS: [&str; COLOUR_COUNT] = [
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#a89a00", "#8c6bb1",
];

/// Dashes that distinguish lines of one colour.
const DASHES: [&str; 4] = ["", "6 3", "2 3", "8 3 2 3"];

/// The look of one series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look(usize);

impl Look {
    pub fn of(index: usize) -> Self {
        Self(index)
    }

    pub fn colour(self) -> &'static str {
        COLOURS[self.0 % COLOURS.len()]
    }

    /// Others each time that the colours have been gone through.
    pub fn dashes(self) -> &'static str {
        DASHES[self.0 / COLOURS.len() % DASHES.len()]
    }
}

/// Where a text's given point is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A picture under construction.
pub(crate) struct Picture {
    body: String,
}

impl Picture {
    pub fn new() -> Self {
        Self {
            body: String::new(),
        }
    }

    /// A filled box with a tooltip.
    pub fn bar(&mut self, [x, y, width, height]: [f64; 4], look: Look, tip: &str) {
        let tip = if tip.is_empty() {
            String::new()
        } else {
            format!("<title>{}</title>", xml(tip))
        };
        self.push(format!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{}\">{tip}</rect>",
            look.colour()
        ));
    }

    /// A straight line of a class: `axis`, `grid`, `guide` or `error`.
    pub fn line(&mut self, [x1, y1, x2, y2]: [f64; 4], class: &str) {
        self.push(format!(
            "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        ));
    }

    /// A line through points.
    pub fn curve(&mut self, points: &[(f64, f64)], look: Look, width: f64) {
        let points = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect::<Vec<_>>()
            .join(" ");
        self.push(format!(
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\" stroke-dasharray=\"{}\"/>",
            look.colour(),
            if look.dashes().is_empty() { "none" } else { look.dashes() }
        ));
    }

    /// A dot with a tooltip.
    pub fn dot(&mut self, x: f64, y: f64, look: Look, tip: &str) {
        self.push(format!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{}\"><title>{}</title></circle>",
            look.colour(),
            xml(tip)
        ));
    }

    /// An upright interval from `low` to `high` in the colour of its series.
    pub fn error_bar(&mut self, [x, low, high]: [f64; 3], look: Look) {
        const CAP: f64 = 3.0;
        let (left, right) = (x - CAP, x + CAP);
        self.push(format!(
            "<path d=\"M{x:.1} {low:.1}V{high:.1}M{left:.1} {low:.1}H{right:.1}M{left:.1} {high:.1}H{right:.1}\" stroke=\"{}\" stroke-width=\"1\" fill=\"none\"/>",
            look.colour()
        ));
    }

    /// A text of a class: empty, `heading`, `strong`, `small` or `faint`.
    pub fn text(&mut self, x: f64, y: f64, anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.push(format!(
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>",
            xml(text)
        ));
    }

    /// A text that runs upwards, its middle at this point.
    pub fn upward_text(&mut self, x: f64, y: f64, text: &str) {
        self.push(format!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\" transform=\"rotate(-90 {x:.1} {y:.1})\">{}</text>",
            xml(text)
        ));
    }

    /// A small text that runs upwards from this point.
    pub fn small_upward_text(&mut self, x: f64, y: f64, text: &str) {
        self.push(format!(
            "<text class=\"small\" x=\"{x:.1}\" y=\"{y:.1}\" transform=\"rotate(-90 {x:.1} {y:.1})\">{}</text>",
            xml(text)
        ));
    }

    /// A thin line from a curve's end to its name.
    pub fn leader(&mut self, [x1, y1, x2, y2]: [f64; 4], look: Look) {
        self.push(format!(
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{}\" stroke-width=\"0.75\"/>",
            look.colour()
        ));
    }

    fn push(&mut self, element: String) {
        self.body.push_str(&element);
        self.body.push('\n');
    }

    /// The whole file. `title` names the picture and `description` says what it shows to those who
    /// cannot see it.
    pub fn finish(self, width: f64, height: f64, title: &str, description: &str) -> String {
        let mut out = String::new();
        write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             role=\"img\" aria-labelledby=\"title description\">\n\
             <title id=\"title\">{}</title>\n<desc id=\"description\">{}</desc>\n<style>\n{STYLE}</style>\n\
             <rect class=\"page\" width=\"{width:.0}\" height=\"{height:.0}\"/>\n{}</svg>\n",
            xml(title),
            xml(description),
            self.body
        )
        .expect("writing to memory succeeds");
        out
    }
}

/// The page has a colour of its own: a picture may be shown where the page's is not known.
const STYLE: &str = "\
text { font: 12px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #1f2328; }
.heading { font-size: 15px; font-weight: 600; }
.strong { font-weight: 600; }
.small { font-size: 10px; }
.faint { font-size: 11px; fill: #57606a; }
.page { fill: #ffffff; }
.axis { stroke: #57606a; stroke-width: 1; }
.grid { stroke: #d8dee4; stroke-width: 1; }
.guide { stroke: #d8dee4; stroke-width: 1; stroke-dasharray: 1 3; }
.error { stroke: #1f2328; stroke-width: 1; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .faint { fill: #9198a1; }
  .page { fill: #0d1117; }
  .axis { stroke: #9198a1; }
  .grid { stroke: #30363d; }
  .guide { stroke: #30363d; }
  .error { stroke: #e6edf3; }
}
";

/// About how wide a text is. Real widths depend on the font that is there; this is more than most
/// need.
pub(crate) fn text_width(text: &str, size: f64) -> f64 {
    let em = |c: char| match c {
        'i' | 'l' | 'j' | '.' | ',' | ' ' | '\'' | '|' => 0.36,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.95,
        c if c.is_uppercase() => 0.72,
        c if (c as u32) < 0x2e80 => 0.62,
        _ => 1.05,
    };
    text.chars().map(em).sum::<f64>() * size
}

/// A text in lines of a width, broken between words; a longer word stays whole.
pub(crate) fn wrapped(text: &str, width: f64, size: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if text_width(&format!("{line} {word}"), size) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_nothing_is_lost() {
        let text = "some words that do not fit into one line of this width";
        let lines = wrapped(text, 120.0, FONT);
        assert!(
            lines.len() > 2 && lines.iter().all(|line| text_width(line, FONT) <= 120.0),
            "{lines:?}"
        );
        assert_eq!(lines.join(" "), text);
    }
}
