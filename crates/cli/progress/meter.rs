//! Where progress is drawn on stderr: a bar where a terminal can rewrite a line, plain lines
//! elsewhere.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// A message that changes faster cannot be read.
const BAR_EVERY: Duration = Duration::from_secs(1);
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Draws the progress of anything.
pub struct Meter {
    surface: Surface,
    /// When the message was drawn last.
    drawn: Option<Instant>,
    started: Instant,
}

enum Surface {
    /// A bar, from when its work begins until it ends.
    Bar(Option<ProgressBar>),
    Lines,
    Nothing,
}

impl Meter {
    /// On a terminal a bar, elsewhere and under NO_COLOR or TERM=dumb lines; nothing where `quiet`.
    pub fn new(quiet: bool) -> Self {
        let surface = match (quiet, can_rewrite_a_line()) {
            (true, _) => Surface::Nothing,
            (false, true) => Surface::Bar(None),
            (false, false) => Surface::Lines,
        };
        Self {
            surface,
            drawn: None,
            started: Instant::now(),
        }
    }

    /// Begins work of which `done` was there before; its rate is that of what comes now. The bar
    /// follows a template of indicatif.
    pub fn begin(&mut self, template: &str, done: u64, total: Option<u64>) {
        self.clear();
        (self.started, self.drawn) = (Instant::now(), None);
        if let Surface::Bar(slot) = &mut self.surface {
            let style = ProgressStyle::with_template(template);
            let style = style.expect("the template is well-formed");
            let bar = match total {
                Some(total) => ProgressBar::new(total),
                None => ProgressBar::new_spinner(),
            };
            let bar = bar.with_style(style).with_position(done);
            bar.reset_eta();
            *slot = Some(bar);
        }
    }

    /// How far the work is.
    pub fn advance(&self, done: u64, total: Option<u64>) {
        if let Surface::Bar(Some(bar)) = &self.surface {
            if let Some(total) = total {
                bar.set_length(total);
            }
            bar.set_position(done);
        }
    }

    /// Whether the message should be drawn anew. The first line waits, since short work needs none.
    pub fn is_due(&self) -> bool {
        match self.surface {
            Surface::Bar(_) => self.drawn.is_none_or(|at| at.elapsed() >= BAR_EVERY),
            Surface::Lines => self.drawn.unwrap_or(self.started).elapsed() >= LINE_EVERY,
            Surface::Nothing => false,
        }
    }

    /// Draws a message: beside the bar, or as a line of its own.
    pub fn draw(&mut self, beside_bar: impl FnOnce() -> String, line: impl FnOnce() -> String) {
        self.drawn = Some(Instant::now());
        match &self.surface {
            Surface::Bar(Some(bar)) => bar.set_message(beside_bar()),
            Surface::Lines => eprintln!("{}", line()),
            Surface::Bar(None) | Surface::Nothing => {}
        }
    }

    /// Writes a line that stays.
    pub fn say(&self, text: &str) {
        match &self.surface {
            Surface::Bar(Some(bar)) => bar.println(text),
            Surface::Bar(None) | Surface::Lines => eprintln!("{text}"),
            Surface::Nothing => {}
        }
    }

    /// Removes the bar.
    pub fn clear(&mut self) {
        if let Surface::Bar(bar) = &mut self.surface
            && let Some(bar) = bar.take()
        {
            bar.finish_and_clear();
        }
    }

    /// Since the work began.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Whether stderr is a terminal that can rewrite a line, and nobody prefers plain text.
fn can_rewrite_a_line() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    stderr().is_terminal() && !is_set("NO_COLOR") && !is_dumb
}
