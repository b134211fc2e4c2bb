//! Checkpoints and adapters by their names on the hub.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use ::hub::{Contents, HubEvent, HubSettings, RepositoryName, Snapshot};
use indicatif::{DecimalBytes, HumanDuration};

use crate::progress::Meter;

/// Whether nothing is told of downloads.
static QUIET: AtomicBool = AtomicBool::new(false);

/// What this process has asked for already: a commit that stays the same while it runs.
static KNOWN: LazyLock<Mutex<HashMap<(String, Contents), Snapshot>>> =
    LazyLock::new(Mutex::default);

/// Tells nothing of downloads from now on.
pub fn be_quiet(quiet: bool) {
    QUIET.store(quiet, Ordering::Relaxed);
}

/// The files of a repository, downloaded where they are not in the cache; `None` for what names none:
/// a path, or what is there as a file or folder.
pub fn snapshot(given: &str, contents: Contents) -> anyhow::Result<Option<Snapshot>> {
    if Path::new(given).exists() {
        return Ok(None);
    }
    let Some(name) = RepositoryName::parse(given).transpose()? else {
        return Ok(None);
    };
    let key = (given.to_string(), contents);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(snapshot) = known.get(&key) {
        return Ok(Some(snapshot.clone()));
    }
    let settings = HubSettings::from_environment()?;
    let mut display = Display::new(QUIET.load(Ordering::Relaxed));
    let fetched = ::hub::fetch(&settings, &name, contents, &mut |event| {
        display.update(&event)
    });
    display.meter.clear();
    let snapshot = fetched?;
    known.insert(key, snapshot.clone());
    Ok(Some(snapshot))
}

/// Draws what a download does.
struct Display {
    meter: Meter,
    /// Bytes that were there when it began.
    had: u64,
}

impl Display {
    fn new(quiet: bool) -> Self {
        Self {
            meter: Meter::new(quiet),
            had: 0,
        }
    }

    fn update(&mut self, event: &HubEvent<'_>) {
        match *event {
            HubEvent::Begin {
                name,
                files,
                have,
                total,
            } => {
                self.had = have;
                let resumed = match have {
                    0 => String::new(),
                    have => format!(", {} of them there already", DecimalBytes(have)),
                };
                let files = reporting::counted(files, "file");
                self.meter.say(&format!(
                    "{name}: {files}, {}{resumed}",
                    DecimalBytes(total)
                ));
                self.meter.begin(
                    "{msg} {bar:30} {decimal_bytes}/{decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left",
                    have,
                    Some(total),
                );
            }
            HubEvent::Bytes { file, done, total } => self.bytes(file, done, total),
            HubEvent::Waiting { file } => {
                self.meter.say(&format!(
                    "{file}: another process downloads it, waiting for its end"
                ));
            }
            HubEvent::Retry {
                file,
                reason,
                delay,
                attempt,
            } => self.meter.say(&format!(
                "{file}: {reason}; attempt {attempt} in {:.1} s",
                delay.as_secs_f64()
            )),
            HubEvent::FromCache {
                name,
                commit,
                reason,
            } => {
                self.meter.clear();
                eprintln!("warning: {name} as it is in the cache, commit {commit}: {reason}");
            }
            HubEvent::Done { bytes } => {
                self.meter.clear();
                let elapsed = self.meter.elapsed();
                self.meter.say(&format!(
                    "{} in {:.1} s, checked",
                    DecimalBytes(bytes),
                    elapsed.as_secs_f64()
                ));
            }
            _ => {}
        }
    }

    fn bytes(&mut self, file: &str, done: u64, total: u64) {
        self.meter.advance(done, Some(total));
        if self.meter.is_due() {
            let seconds = self.meter.elapsed().as_secs_f64().max(1e-3);
            let rate = done.saturating_sub(self.had) as f64 / seconds;
            let left = (total.saturating_sub(done) as f64 / rate.max(1.0)).min(1e9);
            self.meter.draw(
                || file.to_string(),
                || {
                    format!(
                        "{file}: {} of {}, {}/s, {} left",
                        DecimalBytes(done),
                        DecimalBytes(total),
                        DecimalBytes(rate as u64),
                        HumanDuration(Duration::from_secs_f64(left))
                    )
                },
            );
        }
    }
}
