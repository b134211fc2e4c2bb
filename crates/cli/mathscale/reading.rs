//! How many pairs have been read: on a terminal a line that changes, elsewhere one every few
//! seconds.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

/// Shows a growing number of pairs.
pub struct Display {
    last: Instant,
    shows: bool,
    on_terminal: bool,
}

impl Display {
    /// Nothing where `quiet`.
    pub fn new(quiet: bool) -> Self {
        Self {
            last: Instant::now(),
            shows: !quiet,
            on_terminal: stderr().is_terminal(),
        }
    }

    /// Takes note of a number and shows it when it is time.
    pub fn update(&mut self, pairs: u64) {
        let every = if self.on_terminal {
            Duration::from_millis(200)
        } else {
            Duration::from_secs(5)
        };
        if !self.shows || self.last.elapsed() < every {
            return;
        }
        self.last = Instant::now();
        match self.on_terminal {
            true => eprint!("\r{pairs} pairs\u{1b}[K"),
            false => eprintln!("{pairs} pairs"),
        }
    }

    /// Takes the line away.
    pub fn finish(&self) {
        if self.shows && self.on_terminal {
            eprint!("\r\u{1b}[K");
        }
    }
}
