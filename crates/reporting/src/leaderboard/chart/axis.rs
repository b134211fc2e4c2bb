//! The upward axis of both charts: accuracy in percent, from 0.

use crate::svg::{Anchor, Picture};

/// Where accuracies stand in a panel.
#[derive(Clone, Copy, Debug)]
pub(super) struct AccuracyAxis {
    /// The largest value in percent: the next ten above all figures.
    top: f64,
    /// From the base line to `top`.
    height: f64,
}

impl AccuracyAxis {
    /// An axis of this height for accuracies in 0..=1.
    pub fn new(accuracies: impl Iterator<Item = f64>, height: f64) -> Self {
        let highest = accuracies.fold(0.0, f64::max);
        let top = ((highest * 10.0 - 1e-9).ceil() * 10.0).max(10.0);
        Self { top, height }
    }

    /// How far above the base line an accuracy stands.
    pub fn rise(&self, accuracy: f64) -> f64 {
        self.height * accuracy * 100.0 / self.top
    }

    /// Draws the axis with its grid above a base line from `left` to `right`.
    pub fn draw(&self, picture: &mut Picture, [left, right]: [f64; 2], base: f64) {
        let step = match self.top {
            top if top > 50.0 => 20.0,
            top if top > 20.0 => 10.0,
            _ => 5.0,
        };
        let ticks = (0..).map(|index| f64::from(index) * step);
        for tick in ticks.take_while(|&tick| tick <= self.top) {
            let at = base - self.rise(tick / 100.0);
            let class = if tick == 0.0 { "axis" } else { "grid" };
            picture.line([left, at, right, at], class);
            picture.text(left - 6.0, at + 4.0, Anchor::End, "", &format!("{tick:.0}"));
        }
        picture.upward_text(left - 40.0, base - self.height / 2.0, "accuracy in percent");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_ends_at_the_next_ten() {
        let top = |accuracies: &[f64]| AccuracyAxis::new(accuracies.iter().copied(), 100.0).top;
        assert_eq!(top(&[0.31, 0.4]), 40.0);
        assert_eq!(top(&[0.401]), 50.0);
        assert_eq!((top(&[]), top(&[1.0])), (10.0, 100.0));
    }

    #[test]
    fn an_accuracy_rises_in_proportion() {
        let axis = AccuracyAxis::new([0.5].into_iter(), 200.0);
        assert_eq!(
            (axis.rise(0.0), axis.rise(0.25), axis.rise(0.5)),
            (0.0, 100.0, 200.0)
        );
    }
}
