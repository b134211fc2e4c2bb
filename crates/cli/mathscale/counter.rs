//! Progress of stages that only count.

use std::time::Duration;

use crate::progress::Meter;

/// Draws a growing count on stderr.
pub struct Counter(Meter);

impl Counter {
    /// Nothing where `quiet`.
    pub fn new(quiet: bool) -> Self {
        let mut meter = Meter::new(quiet);
        meter.begin("{msg}", 0, None);
        Self(meter)
    }

    /// Draws the line when it is time; it is made of the time since the start.
    pub fn update(&mut self, line: impl Fn(Duration) -> String) {
        if self.0.is_due() {
            let elapsed = self.0.elapsed();
            self.0.draw(|| line(elapsed), || line(elapsed));
        }
    }

    /// Clears the line.
    pub fn finish(&mut self) {
        self.0.clear();
    }
}
