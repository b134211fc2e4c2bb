//! The two charts.

mod axis; // accuracy in percent, upwards
pub(crate) mod bars; // accuracy in each column, a colour a model
pub(crate) mod scaling; // accuracy against training size

use crate::svg::{Anchor, FONT, Picture, wrapped};

/// Space left and right of texts.
const MARGIN: f64 = 20.0;

/// Writes the title at the top of a picture of this width; returns the y below it.
fn write_title(picture: &mut Picture, title: &str, width: f64) -> f64 {
    const LINE: f64 = 18.0;
    // Letters of a heading are larger than those that `wrapped` measures.
    const SHARE: f64 = 0.75;
    let mut y = 12.0;
    for line in wrapped(title, (width - 2.0 * MARGIN) * SHARE, FONT) {
        y += LINE;
        picture.text(MARGIN, y, Anchor::Start, "heading", &line);
    }
    y
}

/// Writes faint lines below everything; returns the y below them.
fn write_below(picture: &mut Picture, lines: &[String], width: f64, mut y: f64) -> f64 {
    const LINE: f64 = 16.0;
    const SMALL: f64 = 11.0;
    for line in lines
        .iter()
        .flat_map(|line| wrapped(line, width - 2.0 * MARGIN, SMALL))
    {
        y += LINE;
        picture.text(MARGIN, y, Anchor::Start, "faint", &line);
    }
    y
}
