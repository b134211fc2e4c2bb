//! Progress of generation on stderr: items, speeds and the time left.

mod meter; // a bar on a terminal, plain lines elsewhere

use std::io::stderr;
use std::time::{Duration, Instant};

use dataset_loader::grouped;
use evaluation::Progress;
use jobs::{Forecast, Speeds};
use mathscale::TokenPrice;
use reporting::counted;

pub use meter::Meter;

/// Columns of a terminal of unknown width.
const COLUMNS: usize = 80;
/// A shorter bar shows nothing.
const MIN_BAR: usize = 8;

/// Draws how far generation is.
pub struct Display {
    meter: Meter,
    started: Instant,
    /// When the first progress came: what is loaded before is no part of any speed.
    working: Option<Instant>,
    forecast: Forecast,
    price: Option<TokenPrice>,
    last: Progress,
    /// Whether the time of the whole has been told, or need not be.
    is_told: bool,
}

/// How long speeds are measured before a time is estimated from them: long enough for the fastest
/// batch size to be found on most machines, and for completions to end.
pub const MEASURED: Duration = Duration::from_secs(10);
/// The time of shorter work is not told at its start.
const LONG: Duration = Duration::from_secs(60);

impl Display {
    /// Nothing where `quiet`. Completions have at most `max_tokens` new tokens.
    pub fn new(quiet: bool, max_tokens: usize) -> Self {
        let mut meter = Meter::new(quiet);
        meter.begin("{pos}/{len} {wide_bar} {msg}", 0, Some(0));
        Self {
            meter,
            started: Instant::now(),
            working: None,
            forecast: Forecast::new(max_tokens),
            price: None,
            last: Progress::default(),
            is_told: false,
        }
    }

    /// Says what tokens cost, too.
    pub fn with_price(self, price: Option<TokenPrice>) -> Self {
        Self { price, ..self }
    }

    /// Records progress, and draws it when it is time.
    pub fn update(&mut self, progress: &Progress) {
        self.last = *progress;
        let working = *self.working.get_or_insert_with(Instant::now);
        self.forecast.observe(working.elapsed(), progress);
        let done = progress.resumed + progress.finished;
        self.meter.advance(done as u64, Some(progress.total as u64));
        if self.meter.is_due() {
            let status = Status {
                progress: *progress,
                speeds: self.forecast.speeds(),
                elapsed: self.started.elapsed(),
                left: self.forecast.left(),
                price: self.price,
            };
            self.meter
                .draw(|| status.fitted(columns()), || status.line());
        }
        if !self.is_told && working.elapsed() >= MEASURED {
            self.tell_time(working.elapsed());
        }
    }

    /// Once, as soon as it can be estimated: how long the whole takes.
    fn tell_time(&mut self, measured: Duration) {
        let Some(left) = self.forecast.left() else {
            return;
        };
        self.is_told = true;
        if left >= LONG {
            let speeds = self.forecast.speeds();
            let (speeds, time) = (measured_speeds(measured, speeds), estimated_time(left));
            let cost = self.price.and_then(|price| Cost::of(&self.last, &price));
            let cost = cost.map_or(String::new(), |cost| format!("; estimated {}", cost.text()));
            self.meter.say(&format!("{speeds}; {time}{cost}"));
        }
    }

    /// Removes the bar, and says in one line what was done.
    pub fn finish(mut self) {
        self.meter.clear();
        let working = self.working.unwrap_or(self.started).elapsed();
        self.meter.say(&done(&self.last, working, self.price));
    }
}

fn columns() -> usize {
    terminal_size::terminal_size_of(stderr()).map_or(COLUMNS, |(width, _)| width.0.into())
}

/// What there is to say at a moment.
struct Status {
    progress: Progress,
    speeds: Speeds,
    elapsed: Duration,
    left: Option<Duration>,
    price: Option<TokenPrice>,
}

/// What tokens cost.
struct Cost {
    /// Those since the start.
    so_far: f64,
    /// These and those of the items that are left, which take what the others took; `None` before
    /// the first item.
    in_all: Option<f64>,
}

impl Cost {
    /// Of progress; `None` before the first token.
    fn of(progress: &Progress, price: &TokenPrice) -> Option<Self> {
        let new_tokens = progress.completion_tokens.max(progress.finished_tokens);
        let so_far = price.cost(progress.prompt_tokens as u64, new_tokens as u64);
        let items = (progress.finished + progress.open()) as f64;
        let in_all = so_far / progress.finished as f64 * items;
        (progress.prompt_tokens + new_tokens > 0).then_some(Self {
            so_far,
            in_all: (progress.finished > 0).then_some(in_all),
        })
    }

    fn text(&self) -> String {
        match self.in_all {
            Some(in_all) => format!("cost {:.2} of about {in_all:.2}", self.so_far),
            None => format!("cost {:.2}", self.so_far),
        }
    }
}

impl Status {
    /// What stands beside the number of items, in order, each with its importance: the least one
    /// goes first where there is no room.
    fn parts(&self) -> Vec<(u8, String)> {
        let Progress { running, .. } = self.progress;
        let mut parts = Vec::new();
        if running > 0 {
            parts.push((1, format!("{running} running")));
        }
        // Of jobs, which ask for an item again where its reply is refused.
        let again = self
            .progress
            .completions
            .saturating_sub(self.progress.finished);
        if again > 0 {
            parts.push((4, format!("{} asked again", grouped(again))));
        }
        if self.speeds.prompts >= 0.5 {
            parts.push((3, format!("prompts {} tok/s", rounded(self.speeds.prompts))));
        }
        let Progress {
            prompt_tokens,
            completion_tokens,
            finished_tokens,
            ..
        } = self.progress;
        let is_reading = prompt_tokens > 0 && completion_tokens.max(finished_tokens) == 0;
        let speed = match is_reading {
            true => format!("reading prompts: {} tokens", grouped(prompt_tokens)),
            false => format!("decode {} tok/s", rounded(self.speeds.decode)),
        };
        parts.push((4, speed));
        let cost = self
            .price
            .and_then(|price| Cost::of(&self.progress, &price));
        parts.extend(cost.map(|cost| (4, cost.text())));
        parts.push((2, format!("{} elapsed", clock(self.elapsed))));
        parts.push((
            5,
            format!("{} left", self.left.map_or("?".to_string(), clock)),
        ));
        parts
    }

    /// All of it, for a line of its own.
    fn line(&self) -> String {
        let Progress {
            total,
            resumed,
            finished,
            ..
        } = self.progress;
        format!(
            "{}/{}, {}",
            resumed + finished,
            counted(total, "item"),
            joined(&self.parts())
        )
    }

    /// As much of it as leaves room for a bar on a terminal of so many columns.
    fn fitted(&self, columns: usize) -> String {
        let Progress {
            total,
            resumed,
            finished,
            ..
        } = self.progress;
        let taken = format!("{}/{total}  ", resumed + finished).len() + MIN_BAR;
        let mut parts = self.parts();
        while parts.len() > 1 && taken + joined(&parts).len() > columns {
            let least = (0..parts.len())
                .min_by_key(|&index| parts[index].0)
                .unwrap_or_default();
            parts.remove(least);
        }
        joined(&parts)
    }
}

fn joined(parts: &[(u8, String)]) -> String {
    parts
        .iter()
        .map(|(_, part)| part.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

/// What was done in all, with the speeds of the whole time.
fn done(progress: &Progress, elapsed: Duration, price: Option<TokenPrice>) -> String {
    let Progress {
        total,
        resumed,
        finished,
        prompt_tokens,
        ..
    } = *progress;
    if finished == 0 {
        let items = counted(total, "item");
        return format!("nothing to generate: the run has all of its {items} already");
    }
    let rate = |count: usize| count as f64 / elapsed.as_secs_f64().max(1e-3);
    let new_tokens = progress.completion_tokens.max(progress.finished_tokens);
    let before = if resumed > 0 {
        format!(" ({resumed} resumed)")
    } else {
        String::new()
    };
    let cost = price.and_then(|price| Cost::of(progress, &price));
    let cost = cost.map_or(String::new(), |cost| format!(", cost {:.2}", cost.so_far));
    format!(
        "{} in {}: prompts {} tok/s, decode {} tok/s, {:.1} items/s{cost}{before}",
        counted(finished, "item"),
        clock(elapsed),
        rounded(rate(prompt_tokens)),
        rounded(rate(new_tokens)),
        rate(finished),
    )
}

fn rounded(rate: f64) -> String {
    grouped(rate.round() as usize)
}

/// What was measured, and for how long.
pub fn measured_speeds(measured: Duration, speeds: Speeds) -> String {
    format!(
        "measured for {:.0} s: prompts {} tok/s, decode {} tok/s",
        measured.as_secs_f64(),
        rounded(speeds.prompts),
        rounded(speeds.decode)
    )
}

/// What is estimated from the first completions to end.
pub fn estimated_time(time: Duration) -> String {
    let time = clock(time);
    format!("estimated time: {time} or more: the first completions to end are the short ones")
}

/// Minutes and seconds, with hours where there are any.
pub fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(total: usize, running: usize) -> Status {
        let (resumed, finished) = (total / 10, total / 3);
        Status {
            progress: Progress {
                total,
                resumed,
                finished,
                running,
                ..Progress::default()
            },
            speeds: Speeds {
                prompts: 1234.4,
                decode: 512.0,
            },
            elapsed: Duration::from_secs(62),
            left: Some(Duration::from_secs(4 * 3600 + 185)),
            price: None,
        }
    }

    #[test]
    fn a_price_says_what_it_costs_and_will_cost() {
        let price = Some("1,2".parse().unwrap());
        let mut job = Status {
            price,
            ..status(1000, 4)
        };
        assert!(!job.line().contains("cost"), "{}", job.line());
        job.progress.prompt_tokens = 300_000;
        job.progress.completion_tokens = 100_000;
        // 333 of the 900 that were not there before.
        let line = job.line();
        assert!(
            line.contains(", cost 0.50 of about 1.35, 1:02 elapsed"),
            "{line}"
        );
        job.progress.finished = 0;
        assert!(job.line().contains(", cost 0.50, "), "{}", job.line());
        let progress = Progress {
            total: 5,
            finished: 5,
            prompt_tokens: 1_000_000,
            ..Progress::default()
        };
        let line = done(&progress, Duration::from_secs(10), price);
        assert!(line.ends_with("0.5 items/s, cost 1.00"), "{line}");
    }

    #[test]
    fn a_line_says_everything() {
        let line = "171/398 items, 64 running, prompts 1,234 tok/s, decode 512 tok/s, 1:02 elapsed, 4:03:05 left";
        assert_eq!(status(398, 64).line(), line);
        let early = Status {
            left: None,
            speeds: Speeds::default(),
            ..status(398, 0)
        };
        assert_eq!(
            early.line(),
            "171/398 items, decode 0 tok/s, 1:02 elapsed, ? left"
        );
    }

    #[test]
    fn prompts_that_are_read_and_replies_asked_again_are_counted() {
        let mut reading = status(10, 4);
        reading.progress.prompt_tokens = 12_345;
        assert!(
            reading
                .line()
                .contains("reading prompts: 12,345 tokens, 1:02 elapsed"),
            "{}",
            reading.line()
        );
        let mut job = status(10, 4);
        (job.progress.completions, job.progress.completion_tokens) = (8, 99);
        assert!(
            job.line()
                .contains("5 asked again, prompts 1,234 tok/s, decode 512"),
            "{}",
            job.line()
        );
    }

    #[test]
    fn what_is_said_beside_the_bar_fits_the_terminal() {
        for (total, running) in [(8, 0), (398, 64), (18_000, 256), (3_200_000, 4096)] {
            let status = status(total, running);
            let items = format!("{0}/{0}  ", status.progress.total).len();
            for columns in [40, 60, 80, 100, 200] {
                let beside = status.fitted(columns);
                assert!(beside.ends_with("4:03:05 left"), "{columns}: {beside}");
                assert!(
                    items + beside.len() + MIN_BAR <= columns,
                    "{columns}: {beside}"
                );
            }
        }
        assert_eq!(
            status(398, 64).fitted(80),
            "prompts 1,234 tok/s, decode 512 tok/s, 4:03:05 left"
        );
        assert_eq!(status(398, 64).fitted(20), "4:03:05 left");
    }

    #[test]
    fn the_last_line_has_the_speeds_of_the_whole_time() {
        let progress = Progress {
            total: 50,
            resumed: 2,
            finished: 48,
            completions: 48,
            finished_tokens: 24_000,
            prompt_tokens: 12_345,
            completion_tokens: 24_000,
            running: 0,
        };
        let line = "48 items in 1:23: prompts 149 tok/s, decode 289 tok/s, 0.6 items/s (2 resumed)";
        assert_eq!(done(&progress, Duration::from_secs(83), None), line);
        let nothing = Progress {
            total: 50,
            resumed: 50,
            ..Progress::default()
        };
        assert_eq!(
            done(&nothing, Duration::ZERO, None),
            "nothing to generate: the run has all of its 50 items already"
        );
    }
}
