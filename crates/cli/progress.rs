//! Progress on stderr: a bar on a terminal, a line every few seconds elsewhere.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use evaluation::Progress;
use indicatif::{ProgressBar, ProgressStyle};

const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows how far a run is.
pub struct Display {
    started: Instant,
    screen: Screen,
}

enum Screen {
    Bar(ProgressBar),
    Lines { last: Instant },
    Nothing,
}

impl Display {
    /// On a terminal a bar, elsewhere lines; nothing where `quiet`.
    pub fn new(quiet: bool) -> Self {
        let started = Instant::now();
        let screen = match (quiet, stderr().is_terminal()) {
            (true, _) => Screen::Nothing,
            (false, true) => Screen::Bar(bar()),
            (false, false) => Screen::Lines { last: started },
        };
        Self { started, screen }
    }

    /// Takes note of progress and shows it when it is time.
    pub fn update(&mut self, progress: &Progress) {
        let elapsed = self.started.elapsed();
        match &mut self.screen {
            Screen::Bar(bar) => {
                bar.set_length(progress.total as u64);
                bar.set_position((progress.resumed + progress.finished) as u64);
                bar.set_message(message(progress, elapsed));
            }
            Screen::Lines { last } if last.elapsed() >= LINE_EVERY => {
                *last = Instant::now();
                let done = progress.resumed + progress.finished;
                eprintln!("{done}/{} items, {}", progress.total, message(progress, elapsed));
            }
            Screen::Lines { .. } | Screen::Nothing => {}
        }
    }

    /// Takes the bar away and says in one line what was done.
    pub fn finish(self, progress: &Progress) {
        let elapsed = self.started.elapsed();
        match self.screen {
            Screen::Bar(bar) => bar.finish_and_clear(),
            Screen::Lines { .. } => {}
            Screen::Nothing => return,
        }
        match progress.finished {
            0 => eprintln!("all {} items were there already: nothing was generated", progress.total),
            finished => eprintln!(
                "{finished} items in {}: {:.0} new tokens/s, {:.1} items/s{}",
                clock(elapsed),
                rate(progress.completion_tokens, elapsed),
                rate(finished, elapsed),
                if progress.resumed > 0 {
                    format!(" ({} were there already)", progress.resumed)
                } else {
                    String::new()
                }
            ),
        }
    }
}

fn bar() -> ProgressBar {
    let template = "{bar:30} {pos}/{len} items, {msg}";
    ProgressBar::new(0).with_style(ProgressStyle::with_template(template).expect("the template is well-formed"))
}

fn message(progress: &Progress, elapsed: Duration) -> String {
    let speed = rate(progress.completion_tokens, elapsed);
    let left = progress.total - progress.resumed - progress.finished;
    let eta = match progress.finished {
        0 => "?".to_string(),
        finished => clock(elapsed.mul_f64(left as f64 / finished as f64)),
    };
    format!("{speed:.0} new tokens/s, {} elapsed, {eta} left", clock(elapsed))
}

fn rate(count: usize, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64().max(1e-3)
}

/// Minutes and seconds, with hours where there are any.
fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}
