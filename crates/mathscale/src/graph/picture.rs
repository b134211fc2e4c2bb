//! The neighbourhood of a concept as a picture: its topics on the left, its KPs on the right, lines
//! as thick as a step is likely. One SVG file without scripts or outer references, readable on
//! light and dark pages.

use std::fmt::Write;

use super::{Kind, Neighbour, Neighbourhood};

/// How a picture is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureOptions {
    /// Most neighbours shown of each kind, the likeliest.
    pub neighbours: usize,
}

impl Default for PictureOptions {
    fn default() -> Self {
        Self { neighbours: 25 }
    }
}

const WIDTH: f64 = 1080.0;
const ROW: f64 = 24.0;
const TOP: f64 = 56.0;
/// Where lines end on either side, and the names begin behind them.
const LEFT: f64 = 340.0;
const RIGHT: f64 = WIDTH - LEFT;
const GAP: f64 = 8.0;
/// Half the width of the box in the middle.
const BOX: f64 = 110.0;
/// Characters of a name that fit.
const SHOWN: usize = 40;
const STYLE: &str = "text{font:13px sans-serif;fill:#222}.p{fill:#666;font-size:11px}.t{stroke:#0072b2}.k{stroke:#d55e00}\
path{fill:none;stroke-opacity:.6}rect{fill:#fff;stroke:#666}\
@media (prefers-color-scheme:dark){svg{background:#161616}text{fill:#eee}.p{fill:#aaa}rect{fill:#222}}";

impl Neighbourhood {
    /// Draws it.
    pub fn svg(&self, options: PictureOptions) -> String {
        let rows = [&self.topics, &self.knowledge_points].map(|side| {
            side.len().min(options.neighbours) + usize::from(side.len() > options.neighbours)
        });
        let height = TOP + ROW * (rows[0].max(rows[1]).max(2) as f64) + ROW;
        let middle = (TOP + height) / 2.0;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
             <title>{}</title>\n<style>{STYLE}</style>\n",
            escaped(&self.name)
        );
        let heading = |kind, shown: usize, all: usize| match shown < all {
            true => format!("{shown} of {all} {kind}"),
            false => format!("{all} {kind}"),
        };
        let sides = [
            (Kind::Topic, &self.topics, "topics"),
            (
                Kind::KnowledgePoint,
                &self.knowledge_points,
                "knowledge points",
            ),
        ];
        for (kind, neighbours, name) in sides {
            let shown = &neighbours[..neighbours.len().min(options.neighbours)];
            let side = Side::of(kind);
            text(
                &mut svg,
                side.names,
                TOP - ROW,
                side.anchor,
                "p",
                &heading(name, shown.len(), neighbours.len()),
                None,
            );
            let first = TOP + (height - TOP - ROW - ROW * shown.len() as f64) / 2.0;
            for (row, neighbour) in shown.iter().enumerate() {
                line(
                    &mut svg,
                    side,
                    neighbour,
                    (middle, first + ROW * (row as f64 + 0.5)),
                );
            }
        }
        let _ = writeln!(
            svg,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"48\" rx=\"8\"/>",
            WIDTH / 2.0 - BOX,
            middle - 24.0,
            2.0 * BOX
        );
        const IN_BOX: usize = 28;
        text(
            &mut svg,
            WIDTH / 2.0,
            middle - 2.0,
            "middle",
            "",
            &shortened(&self.name, IN_BOX),
            Some(&self.name),
        );
        let kind = if self.kind == Kind::Topic {
            "topic"
        } else {
            "knowledge point"
        };
        text(
            &mut svg,
            WIDTH / 2.0,
            middle + 15.0,
            "middle",
            "p",
            &format!("{kind}, {} seeds", self.seeds),
            None,
        );
        svg.push_str("</svg>\n");
        svg
    }
}

/// Where things of one side stand.
#[derive(Clone, Copy)]
struct Side {
    class: &'static str,
    anchor: &'static str,
    /// Where the lines begin, where they end, and where the names stand.
    from: f64,
    to: f64,
    names: f64,
}

impl Side {
    fn of(kind: Kind) -> Self {
        let middle = WIDTH / 2.0;
        match kind {
            Kind::Topic => Self {
                class: "t",
                anchor: "end",
                from: middle - BOX,
                to: LEFT,
                names: LEFT - GAP,
            },
            Kind::KnowledgePoint => Self {
                class: "k",
                anchor: "start",
                from: middle + BOX,
                to: RIGHT,
                names: RIGHT + GAP,
            },
        }
    }
}

/// A neighbour's line and name.
fn line(svg: &mut String, side: Side, neighbour: &Neighbour, (from, to): (f64, f64)) {
    let bend = (side.from + side.to) / 2.0;
    let width = 0.8 + 7.0 * neighbour.probability.sqrt();
    let _ = writeln!(
        svg,
        "<path class=\"{}\" stroke-width=\"{width:.2}\" d=\"M{} {from:.1}C{bend} {from:.1} {bend} {to:.1} {} {to:.1}\"/>",
        side.class, side.from, side.to
    );
    let told = format!(
        "{}: {} seeds, f = {:.4}, a step goes here with probability {:.4}",
        neighbour.name, neighbour.seeds, neighbour.weight, neighbour.probability
    );
    let label = shortened(&neighbour.name, SHOWN);
    let share = format!("{:.1} %", 100.0 * neighbour.probability);
    let label = if side.anchor == "end" {
        format!("{label}  {share}")
    } else {
        format!("{share}  {label}")
    };
    text(
        svg,
        side.names,
        to + 4.0,
        side.anchor,
        "",
        &label,
        Some(&told),
    );
}

fn text(
    svg: &mut String,
    x: f64,
    y: f64,
    anchor: &str,
    class: &str,
    text: &str,
    told: Option<&str>,
) {
    let class = if class.is_empty() {
        String::new()
    } else {
        format!(" class=\"{class}\"")
    };
    let told = told
        .map(|told| format!("<title>{}</title>", escaped(told)))
        .unwrap_or_default();
    let _ = writeln!(
        svg,
        "<text x=\"{x}\" y=\"{y:.1}\" text-anchor=\"{anchor}\"{class}>{told}{}</text>",
        escaped(text)
    );
}

fn shortened(name: &str, most: usize) -> String {
    match name.char_indices().nth(most) {
        Some(_) => name.chars().take(most - 1).chain(['…']).collect(),
        None => name.to_string(),
    }
}

fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}
