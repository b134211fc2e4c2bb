//! A run that several machines share: which of its problems each of them asks.
//!
//! Every shard knows the whole run: its folder holds all problems and the identity of the whole, and
//! completions of its own problems alone. So whatever is asked together can be put together again
//! (`merge.rs`).

use std::fmt;
use std::str::FromStr;

use dataset_loader::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One of the equal parts of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    /// Which, in 1..=`count`.
    index: u32,
    /// How many there are, at least 1.
    count: u32,
}

impl Shard {
    /// Part `index` of `count`; `None` unless `index` is in 1..=`count`.
    pub fn new(index: u32, count: u32) -> Option<Self> {
        (1..=count)
            .contains(&index)
            .then_some(Self { index, count })
    }

    /// Which, in 1..=`count`.
    pub fn index(self) -> u32 {
        self.index
    }

    /// How many there are.
    pub fn count(self) -> u32 {
        self.count
    }

    /// All parts of a run that has as many as this one's.
    pub(crate) fn all(self) -> impl Iterator<Item = Self> {
        let count = self.count;
        (1..=count).map(move |index| Self { index, count })
    }

    /// The name of its folder in that of the run: `shard-3-of-4`.
    pub fn folder_name(self) -> String {
        format!("shard-{}-of-{}", self.index, self.count)
    }

    /// The shard that a folder of this name holds.
    pub fn of_folder_name(name: &str) -> Option<Self> {
        let (index, count) = name.strip_prefix("shard-")?.split_once("-of-")?;
        let shard = Self::new(number(index)?, number(count)?)?;
        // `shard-03-of-4` would be another folder of the same shard.
        (shard.folder_name() == name).then_some(shard)
    }

    /// Which of the problems are this shard's. They are dealt like cards: in the order of the hash
    /// of their ids, one to each shard in turn. So no shard has more than one above another, and each
    /// has of every set what chance gives it.
    pub fn deal(self, problems: &[Problem]) -> Vec<bool> {
        let hash = |index: &usize| *blake3::hash(problems[*index].id.as_bytes()).as_bytes();
        let mut shuffled: Vec<usize> = (0..problems.len()).collect();
        shuffled.sort_by_cached_key(hash);
        let mut own = vec![false; problems.len()];
        for (place, index) in shuffled.into_iter().enumerate() {
            own[index] = place % self.count as usize == self.index as usize - 1;
        }
        own
    }
}

/// A number without sign or blanks.
fn number(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

impl FromStr for Shard {
    type Err = String;

    /// Reads `3/4`.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/');
        let parts = parts.and_then(|(index, count)| Some((number(index)?, number(count)?)));
        let shard = parts.and_then(|(index, count)| Self::new(index, count));
        shard.ok_or_else(|| "expected I/N with I from 1 to N, such as 3/4".to_string())
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shard {} of {}", self.index, self.count)
    }
}

/// What the manifest of a shard says of it. None of it is part of the identity, which is that of the
/// whole run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShardRecord {
    /// Which shard, in 1..=`count`.
    pub index: u32,
    /// How many shards the run has.
    pub count: u32,
    /// The command that asked it last, without what names the shard: with another one's name it asks
    /// that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The strict profile, where one was asked for in place of the sets' own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict_profile: Option<String>,
    /// Problems of it that failed because their prompts leave the model no room.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub too_long: usize,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl ShardRecord {
    /// What is known of a shard before it is asked.
    pub fn new(shard: Shard, command: Option<String>) -> Self {
        Self {
            index: shard.index,
            count: shard.count,
            command,
            strict_profile: None,
            too_long: 0,
        }
    }

    /// The shard; `None` where the numbers are none of a shard.
    pub fn shard(&self) -> Option<Shard> {
        Shard::new(self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(count: usize) -> Vec<Problem> {
        let problem = |number| Problem {
            id: format!("gsm8k/{number}"),
            set: "gsm8k".to_string(),
            task: "gsm8k".to_string(),
            question: String::new(),
            reference: String::new(),
        };
        (0..count).map(problem).collect()
    }

    #[test]
    fn every_problem_is_dealt_to_one_shard_and_no_shard_has_two_more_than_another() {
        for (items, count) in [(0, 3), (2, 5), (97, 1), (97, 4), (1000, 64)] {
            let problems = problems(items);
            let mut dealt = vec![0; items];
            let mut sizes = Vec::new();
            for index in 1..=count {
                let own = Shard::new(index, count).unwrap().deal(&problems);
                sizes.push(own.iter().filter(|own| **own).count());
                own.iter()
                    .zip(&mut dealt)
                    .for_each(|(own, dealt)| *dealt += usize::from(*own));
            }
            assert!(dealt.iter().all(|dealt| *dealt == 1), "{items} in {count}");
            let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
            assert!(most - least <= 1, "{items} in {count}: {sizes:?}");
        }
    }

    #[test]
    fn the_order_of_the_problems_does_not_decide_who_asks_them() {
        let forwards = problems(50);
        let mut backwards = forwards.clone();
        backwards.reverse();
        let shard = Shard::new(2, 4).unwrap();
        let mut dealt = shard.deal(&backwards);
        dealt.reverse();
        assert_eq!(shard.deal(&forwards), dealt);
    }

    #[test]
    fn what_names_no_shard_is_refused() {
        for text in [
            "", "3", "0/4", "5/4", "1/0", "+1/4", "1/ 4", "a/b", "1/4/2", "-1/4",
        ] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
        for name in [
            "shard-0-of-4",
            "shard-5-of-4",
            "shard-03-of-4",
            "shard-3",
            "run",
            "shard-1-of-2-2",
        ] {
            assert_eq!(Shard::of_folder_name(name), None, "{name}");
        }
        let shard: Shard = "3/4".parse().unwrap();
        assert_eq!(Shard::of_folder_name(&shard.folder_name()), Some(shard));
    }
}
