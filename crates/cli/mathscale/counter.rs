//! Progress of stages that only count: on a terminal a line that changes, elsewhere one every few
//! seconds.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

/// Shows a growing count on stderr.
pub struct Counter {
    started: Instant,
    last: Instant,
    quiet: bool,
    on_terminal: bool,
}

impl Counter {
    /// Nothing where `quiet`.
    pub fn new(quiet: bool) -> Self {
        Self {
            started: Instant::now(),
            last: Instant::now(),
            quiet,
            on_terminal: stderr().is_terminal(),
        }
    }

    /// Shows the line when it is time; it is made of the time since the start.
    pub fn update(&mut self, line: impl FnOnce(Duration) -> String) {
        let every = match self.on_terminal {
            true => Duration::from_millis(200),
            false => Duration::from_secs(5),
        };
        if self.quiet || self.last.elapsed() < every {
            return;
        }
        self.last = Instant::now();
        let line = line(self.started.elapsed());
        match self.on_terminal {
            true => eprint!("\r{line}\u{1b}[K"),
            false => eprintln!("{line}"),
        }
    }

    /// Clears the line.
    pub fn finish(&self) {
        if !self.quiet && self.on_terminal {
            eprint!("\r\u{1b}[K");
        }
    }
}
