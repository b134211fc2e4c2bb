//! Records of other files that are mixed in, such as training splits.

use std::path::PathBuf;
use std::str::FromStr;

use super::spool::draw;
use crate::error::{Error, ErrorKind};
use crate::pair::{Pair, pair_of, stem};
use crate::solution::plain_solution;

/// A file to mix in.
#[derive(Clone, Debug, PartialEq)]
pub struct Mix {
    /// The file: MwpBench's record form, Alpaca, chat, prompt/completion, or question and answer,
    /// in any form that `record-files` reads.
    pub file: PathBuf,
    /// How much of it.
    pub amount: Amount,
}

/// How much of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// All records.
    All,
    /// So many, drawn at random; all where there are fewer.
    Count(u64),
    /// So large a share, in 0..=1, drawn at random.
    Share(f64),
}

impl FromStr for Mix {
    type Err = String;

    /// `FILE`, `FILE=5000` or `FILE=20%`.
    fn from_str(text: &str) -> Result<Self, String> {
        let whole = || Self {
            file: PathBuf::from(text),
            amount: Amount::All,
        };
        let Some((file, amount)) = text.rsplit_once('=') else {
            return Ok(whole());
        };
        let share = amount
            .strip_suffix('%')
            .and_then(|percent| percent.trim().parse::<f64>().ok());
        let amount = match (share, amount.parse()) {
            (Some(percent), _) if (0.0..=100.0).contains(&percent) => {
                Amount::Share(percent / 100.0)
            }
            (Some(_), _) => return Err(format!("a share of {amount}: expected 0% to 100%")),
            (None, Ok(count)) => Amount::Count(count),
            // A name with an equals sign in it.
            (None, Err(_)) if PathBuf::from(text).exists() => return Ok(whole()),
            _ => {
                return Err(format!(
                    "\"{amount}\" after {file}: expected a number of records or a share such as 20%"
                ));
            }
        };
        Ok(Self {
            file: PathBuf::from(file),
            amount,
        })
    }
}

impl Mix {
    /// How much of it, in words for manifest and card.
    pub(crate) fn amount_text(&self) -> String {
        match self.amount {
            Amount::All => "all".to_string(),
            Amount::Count(count) => count.to_string(),
            Amount::Share(share) => format!("{} %", share * 100.0),
        }
    }

    /// Gives the records that were drawn, in the file's order, their solutions in the form of the
    /// pipeline: all that is trained on ends in one way.
    pub(crate) fn each(
        &self,
        seed: u64,
        mut receive: impl FnMut(Pair) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        // Two passes over the file and only ranks in memory, in place of the records.
        let limit = match self.amount {
            Amount::All => None,
            amount => Some(self.limit(amount, seed)?),
        };
        let mut count = 0;
        self.records(|pair| {
            let drawn = match &limit {
                None => true,
                // Foreign ids may repeat, and with them the rank of the last.
                Some((last, most)) => {
                    count < *most && last.as_ref().is_some_and(|last| rank(seed, &pair) <= *last)
                }
            };
            if drawn {
                count += 1;
                receive(Pair {
                    solution: plain_solution(&pair.solution),
                    ..pair
                })?;
            }
            Ok(())
        })?;
        Ok(count)
    }

    /// The rank of the last record that is drawn, `None` where none is, and how many are.
    fn limit(&self, amount: Amount, seed: u64) -> Result<(Option<(u64, String)>, u64), Error> {
        let mut ranks = Vec::new();
        self.records(|pair| {
            ranks.push(rank(seed, &pair));
            Ok(())
        })?;
        ranks.sort_unstable();
        let count = match amount {
            Amount::All => ranks.len(),
            Amount::Count(count) => usize::try_from(count)
                .unwrap_or(usize::MAX)
                .min(ranks.len()),
            Amount::Share(share) => {
                ((ranks.len() as f64 * share).round() as usize).min(ranks.len())
            }
        };
        ranks.truncate(count);
        Ok((ranks.pop(), count as u64))
    }

    fn records(&self, mut receive: impl FnMut(Pair) -> Result<(), Error>) -> Result<(), Error> {
        let stem = stem(&self.file);
        let mut any = false;
        for record in record_files::open(&self.file)? {
            let record = record?;
            let pair = pair_of(&record, &stem)
                .map_err(|kind| Error::at(&self.file, record.place, kind))?;
            if pair.question.trim().is_empty() || pair.solution.trim().is_empty() {
                let empty = ErrorKind::NoPair("a record with an empty text".to_string());
                return Err(Error::at(&self.file, record.place, empty));
            }
            any = true;
            receive(pair)?;
        }
        if any {
            Ok(())
        } else {
            Err(Error::in_file(&self.file, ErrorKind::NoRecords))
        }
    }
}

/// Another order than that of the output, so that what is drawn is not what comes first there.
fn rank(seed: u64, pair: &Pair) -> (u64, String) {
    (draw(seed ^ 0x6d69_7800, &pair.id)[0], pair.id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_parsed_and_nonsense_is_refused() {
        for (text, amount) in [
            ("a.jsonl", Amount::All),
            ("a.jsonl=500", Amount::Count(500)),
            ("a.jsonl=12.5%", Amount::Share(0.125)),
            ("x=y/a.jsonl=100%", Amount::Share(1.0)),
        ] {
            assert_eq!(text.parse::<Mix>().unwrap().amount, amount, "{text}");
        }
        assert_eq!(
            "x=y/a.jsonl=3".parse::<Mix>().unwrap().file,
            PathBuf::from("x=y/a.jsonl")
        );
        for text in ["a.jsonl=", "a.jsonl=few", "a.jsonl=120%", "a.jsonl=-3"] {
            assert!(text.parse::<Mix>().is_err(), "{text}");
        }
    }

    #[test]
    fn draws_are_exact_and_depend_on_the_seed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("train.jsonl");
        let lines: String = (0..100)
            .map(|n| format!("{{\"question\":\"Q{n}\",\"answer\":\"{n}\"}}\n"))
            .collect();
        std::fs::write(&file, lines).unwrap();
        let drawn = |amount, seed| {
            let mut questions = Vec::new();
            let mix = Mix {
                file: file.clone(),
                amount,
            };
            mix.each(seed, |pair| {
                questions.push(pair.question);
                Ok(())
            })
            .unwrap();
            questions
        };
        assert_eq!(drawn(Amount::All, 0).len(), 100);
        assert_eq!(drawn(Amount::Share(0.25), 0).len(), 25);
        assert_eq!(drawn(Amount::Count(7), 0).len(), 7);
        assert_eq!(drawn(Amount::Count(0), 0).len(), 0);
        assert_eq!(drawn(Amount::Count(700), 0).len(), 100);
        assert_ne!(drawn(Amount::Count(20), 0), drawn(Amount::Count(20), 1));
        // More is what was drawn before, and others.
        let (few, more) = (drawn(Amount::Count(10), 3), drawn(Amount::Count(30), 3));
        assert!(few.iter().all(|question| more.contains(question)));
    }
}
