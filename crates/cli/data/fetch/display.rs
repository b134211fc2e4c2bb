//! Progress of a fetch on stderr: bytes, rate and time left of each file.

use std::time::Duration;

use dataset_fetcher::{FetchEvent, FetchState};
use indicatif::{DecimalBytes, HumanDuration};

use crate::progress::Meter;

/// Draws what a fetch does.
pub struct FetchDisplay {
    meter: Meter,
    /// Bytes of the present file that were there when it began.
    had: u64,
}

impl FetchDisplay {
    /// Nothing where `quiet`.
    pub fn new(quiet: bool) -> Self {
        Self {
            meter: Meter::new(quiet),
            had: 0,
        }
    }

    /// Draws an event.
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
                self.say(&format!("{}: already there, checked", fetched.name));
            }
            FetchEvent::Finished(fetched) => {
                self.clear();
                let elapsed = self.meter.elapsed();
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

    /// Removes the bar.
    pub fn clear(&mut self) {
        self.meter.clear();
    }

    fn begin(&mut self, name: &str, from: &str, have: u64, total: Option<u64>) {
        self.had = have;
        let resumed = match have {
            0 => String::new(),
            have => format!(", resuming at {}", DecimalBytes(have)),
        };
        self.clear();
        self.say(&format!("{name}: from {from}{resumed}"));
        let template = match total {
            Some(_) => {
                "{msg} {bar:30} {decimal_bytes}/{decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left"
            }
            None => "{msg} {spinner} {decimal_bytes}, {decimal_bytes_per_sec}",
        };
        self.meter.begin(template, have, total);
    }

    fn bytes(&mut self, name: &str, done: u64, total: Option<u64>) {
        self.meter.advance(done, total);
        if self.meter.is_due() {
            let (came, elapsed) = (done - self.had, self.meter.elapsed());
            self.meter.draw(
                || name.to_string(),
                || format!("{name}: {}", line(done, total, came, elapsed)),
            );
        }
    }

    fn say(&self, text: &str) {
        self.meter.say(text);
    }
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
