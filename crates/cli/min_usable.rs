//! `--min-usable`: a stage of which hardly anything can be used is no success.

use std::str::FromStr;

use mathscale::{Stage, StageRecord};

use crate::exit::Outcome;
use crate::heading;

/// The share of the items that a stage has to end with.
#[derive(clap::Args)]
#[command(next_help_heading = heading::OUTPUT)]
pub struct MinUsable {
    /// Exit code 3 where less than this share of the items can be used; also where none can.
    #[arg(long, default_value = "10%", value_name = "P%")]
    min_usable: Share,
}

/// A share in 0..=1, written in percent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(f64);

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let percent = text.strip_suffix('%');
        let percent = percent.and_then(|percent| percent.trim().parse::<f64>().ok());
        match percent.filter(|percent| (0.0..=100.0).contains(percent)) {
            Some(percent) => Ok(Self(percent / 100.0)),
            None => Err("expected a share from 0% to 100%".to_string()),
        }
    }
}

impl MinUsable {
    /// How a stage ended that has this record; said on stderr where it fell short.
    pub fn outcome(&self, stage: Stage, record: &StageRecord) -> Outcome {
        match record.usable(stage) {
            Some((usable, total)) => self.of_counts(&format!("\"{stage}\""), usable, total),
            None => Outcome::Done,
        }
    }

    /// The same for work called `what`.
    pub fn of_counts(&self, what: &str, usable: u64, total: u64) -> Outcome {
        if is_enough(usable, total, self.min_usable) {
            return Outcome::Done;
        }
        eprintln!(
            "error: {what}: {usable} of {total} items can be used, less than {} % (--min-usable): what comes next would have next to nothing to work on",
            self.min_usable.0 * 100.0
        );
        Outcome::Incomplete
    }
}

/// How a stage ended that must have anything at all.
pub fn anything(stage: Stage, record: &StageRecord) -> Outcome {
    match record.usable(stage) {
        Some((0, _)) => {
            eprintln!("error: \"{stage}\" wrote no record: there was nothing to take");
            Outcome::Incomplete
        }
        _ => Outcome::Done,
    }
}

/// Whether there is anything, and a large enough share.
fn is_enough(usable: u64, total: u64, min: Share) -> bool {
    usable > 0 && usable as f64 >= min.0 * total as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_never_enough_and_a_share_is_in_percent() {
        let share = |text: &str| text.parse::<Share>();
        for (usable, total, min, enough) in [
            (0, 0, "0%", false),
            (0, 20, "0%", false),
            (1, 20, "0%", true),
            (1, 20, "10%", false),
            (2, 20, "10 %", true),
            (20, 20, "100%", true),
        ] {
            let min = share(min).unwrap();
            assert_eq!(is_enough(usable, total, min), enough, "{usable}/{total}");
        }
        for text in ["0.1", "10", "-1%", "101%", "%", "few%"] {
            assert!(share(text).is_err(), "{text}");
        }
    }
}
