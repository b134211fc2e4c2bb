//! Progress of a fetch on stderr: a bar on a terminal, a line every few seconds elsewhere.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use dataset_fetcher::{FetchEvent, FetchState};
use indicatif::{DecimalBytes, HumanDuration, ProgressBar, ProgressStyle};

const LINE_EVERY: Duration = Duration::from_secs(3);

/// Shows what a fetch does.
pub struct Display {
    screen: Screen,
    /// When bytes of the present file began to come, and how many were there then.
    begun: Instant,
    had: u64,
}

enum Screen {
    Bar(Option<ProgressBar>),
    Lines { last: Instant },
    Nothing,
}

impl Display {
    /// On a terminal a bar, elsewhere lines; nothing where `quiet`.
    pub fn new(quiet: bool) -> Self {
        let begun = Instant::now();
        let screen = match (quiet, stderr().is_terminal()) {
            (true, _) => Screen::Nothing,
            (false, true) => Screen::Bar(None),
            (false, false) => Screen::Lines { last: begun },
        };
        Self {
            screen,
            begun,
            had: 0,
        }
    }

    /// Shows an event when it is time.
    pub fn update(&mut self, event: &FetchEvent<'_>) {
        match event {
            FetchEvent::Begin {
                name,
                from,
                have,
                total,
            } => self.begin(name, from, *have, *total),
            FetchEvent::Bytes { name, done, total } => self.bytes(name, *done, *total),
            FetchEvent::Retry {
                name,
                reason,
                delay,
                attempt,
            } => {
                self.say(&format!(
                    "{name}: {reason}; attempt {attempt} in {:.1} s",
                    delay.as_secs_f64()
                ));
            }
            FetchEvent::Finished(fetched) if fetched.state == FetchState::AlreadyThere => {
                self.say(&format!(
                    "{}: was there already, and is right",
                    fetched.name
                ));
            }
            FetchEvent::Finished(fetched) => {
                self.clear();
                let elapsed = self.begun.elapsed();
                self.say(&format!(
                    "{}: {} in {:.1} s, checked",
                    fetched.name,
                    DecimalBytes(fetched.bytes),
                    elapsed.as_secs_f64()
                ));
            }
            _ => {}
        }
    }

    /// Takes the bar away.
    pub fn clear(&mut self) {
        if let Screen::Bar(bar) = &mut self.screen
            && let Some(bar) = bar.take()
        {
            bar.finish_and_clear();
        }
    }

    fn begin(&mut self, name: &str, from: &str, have: u64, total: Option<u64>) {
        (self.begun, self.had) = (Instant::now(), have);
        let resumed = if have > 0 {
            format!(", resuming at {}", DecimalBytes(have))
        } else {
            String::new()
        };
        self.clear();
        self.say(&format!("{name}: from {from}{resumed}"));
        if let Screen::Bar(slot) = &mut self.screen {
            *slot = Some(bar(name, have, total));
        }
    }

    fn bytes(&mut self, name: &str, done: u64, total: Option<u64>) {
        match &mut self.screen {
            Screen::Bar(Some(bar)) => bar.set_position(done),
            Screen::Lines { last } if last.elapsed() >= LINE_EVERY => {
                *last = Instant::now();
                eprintln!(
                    "{name}: {}",
                    line(done, total, done - self.had, self.begun.elapsed())
                );
            }
            _ => {}
        }
    }

    fn say(&self, text: &str) {
        match &self.screen {
            Screen::Bar(Some(bar)) => bar.println(text),
            Screen::Bar(None) | Screen::Lines { .. } => eprintln!("{text}"),
            Screen::Nothing => {}
        }
    }
}

fn bar(name: &str, have: u64, total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::new(total),
            "{msg} {bar:30} {decimal_bytes}/{decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left",
        ),
        None => (
            ProgressBar::new_spinner(),
            "{msg} {spinner} {decimal_bytes}, {decimal_bytes_per_sec}",
        ),
    };
    let style = ProgressStyle::with_template(template).expect("the template is well-formed");
    let bar = bar
        .with_style(style)
        .with_message(name.to_string())
        .with_position(have);
    // The rate is of what comes now, not of what was there.
    bar.reset_eta();
    bar
}

fn line(done: u64, total: Option<u64>, came: u64, elapsed: Duration) -> String {
    let rate = came as f64 / elapsed.as_secs_f64().max(1e-3);
    let speed = format!("{}/s", DecimalBytes(rate as u64));
    match total {
        Some(total) if rate > 0.0 => {
            let left = Duration::from_secs_f64((total.saturating_sub(done) as f64 / rate).min(1e9));
            format!(
                "{} of {}, {speed}, {} left",
                DecimalBytes(done),
                DecimalBytes(total),
                HumanDuration(left)
            )
        }
        _ => format!("{}, {speed}", DecimalBytes(done)),
    }
}
