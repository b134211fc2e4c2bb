//! The axis of the charts: accuracy in percent, from 0, upwards or to the right.

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

    /// How far from the base line an accuracy stands.
    pub fn rise(&self, accuracy: f64) -> f64 {
        self.height * accuracy * 100.0 / self.top
    }

    /// Values of 0..=1 that are named, as close to each other as this distance lets them.
    fn ticks(&self, distance: f64) -> impl Iterator<Item = f64> {
        let steps = [0.05, 0.1, 0.2, 0.25, 0.5];
        let far_enough = |step: &&f64| self.rise(**step) >= distance;
        let step = *steps.iter().find(far_enough).unwrap_or(&1.0);
        let top = self.top / 100.0 + 1e-9;
        let ticks = (0..).map(move |index| f64::from(index) * step);
        ticks.take_while(move |&tick| tick <= top)
    }

    /// Draws the axis to the right of `left`, with its grid between these heights.
    pub fn draw_across(&self, picture: &mut Picture, left: f64, [top, base]: [f64; 2]) {
        for tick in self.ticks(22.0) {
            let at = left + self.rise(tick);
            let class = if tick == 0.0 { "axis" } else { "grid" };
            picture.line([at, top, at, base], class);
            let text = format!("{:.0}", tick * 100.0);
            picture.text(at, base + 12.0, Anchor::Middle, "small", &text);
        }
    }

    /// Draws the axis with its grid above a base line from `left` to `right`.
    pub fn draw(&self, picture: &mut Picture, [left, right]: [f64; 2], base: f64) {
        for tick in self.ticks(40.0) {
            let at = base - self.rise(tick);
            let class = if tick == 0.0 { "axis" } else { "grid" };
            picture.line([left, at, right, at], class);
            let text = format!("{:.0}", tick * 100.0);
            picture.text(left - 6.0, at + 4.0, Anchor::End, "", &text);
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
    fn ticks_keep_their_distance() {
        let ticks = |top: f64, height: f64, distance: f64| -> Vec<f64> {
            let axis = AccuracyAxis::new([top].into_iter(), height);
            axis.ticks(distance)
                .map(|tick| (tick * 100.0).round())
                .collect()
        };
        assert_eq!(ticks(0.95, 96.0, 22.0), [0.0, 25.0, 50.0, 75.0, 100.0]);
        assert_eq!(ticks(0.35, 260.0, 40.0), [0.0, 10.0, 20.0, 30.0, 40.0]);
        assert_eq!(ticks(0.02, 260.0, 40.0), [0.0, 5.0, 10.0]);
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
