//! `mwpbench mathscale screen`: which pairs may be trained on.

use std::path::PathBuf;

use mathscale::{PairSource, Project, ScreenPlan, ScreenRules};
use overlap::{Index, Item, Options};

use super::{StageArgs, note_already_there};
use crate::exit::Outcome;
use crate::{data_folder, interruption, screen};

/// Remove pairs that are malformed, too long, without a final answer, contaminated by a test set,
/// or repetitions.
///
/// Test items are those of the data folder, of all its sets. screen.removed.jsonl tells the reason
/// of each removal, screen.json counts them.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    stage: StageArgs,
    /// Pairs from elsewhere: JSON Lines, a JSON array or parquet with question and solution
    /// [default: validated.jsonl where there is one, else pairs.jsonl].
    #[arg(long, value_name = "FILE", conflicts_with = "generated")]
    pairs: Option<PathBuf>,
    /// Take pairs.jsonl although the project was validated.
    #[arg(long)]
    generated: bool,
    /// Test problems in MwpBench's record form: a file, or a folder of .jsonl/.json files [default:
    /// the data folder, else the samples].
    #[arg(long, env = "MWPBENCH_DATA", value_name = "FILE|DIR")]
    data: Option<PathBuf>,
    /// Look for no test items: nothing will be known of contamination.
    #[arg(long)]
    without_tests: bool,
    /// Words of an n-gram that a pair and a test item may not share: 13, or 8 to find more.
    #[arg(long, default_value_t = Options::default().ngram, value_name = "N")]
    ngram: usize,
    /// Jaccard index from which a question is near to a test item, from 0.5 to 1.
    #[arg(long, default_value_t = Options::default().near, value_name = "INDEX")]
    test_near: f64,
    /// Share of a test item's n-grams that contaminates a pair, from 0 to 1: at 0 one is enough, as
    /// is usual for training data.
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    test_share: f64,
    /// Jaccard index from which two questions are nearly the same, from 0.5 to 1.
    #[arg(long, default_value_t = Options::default().near, value_name = "INDEX")]
    near: f64,
    /// Remove equal questions only.
    #[arg(long, conflicts_with = "near")]
    exact_only: bool,
    /// Keep pairs whose question is that of a seed.
    #[arg(long)]
    keep_seed_copies: bool,
    /// Keep solutions in which the strict scorer finds no final answer.
    #[arg(long)]
    keep_without_answer: bool,
    /// Most tokens of question and solution together, a token for every three bytes; 0 for any
    /// number.
    #[arg(long, default_value_t = 2048, value_name = "N")]
    max_pair_tokens: usize,
    /// Most characters of a question [default: any number].
    #[arg(long, value_name = "N")]
    max_question_chars: Option<usize>,
    /// Most characters of a solution [default: any number].
    #[arg(long, value_name = "N")]
    max_solution_chars: Option<usize>,
    #[command(flatten)]
    telling: screen::Telling,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    interruption::listen()?;
    let tests = if args.without_tests {
        None
    } else {
        Some(args.tests()?)
    };
    let mut project = Project::open_to_write(&args.stage.place.project)?;
    let mut display = super::reading::Display::new(args.telling.quiet);
    let outcome = mathscale::screen(&mut project, &args.plan(), tests.as_ref(), &mut |read| {
        display.update(read);
        interruption::may_go_on()
    })?;
    display.finish();
    if outcome.already_there {
        note_already_there(&outcome.record, args.telling.quiet);
    }
    args.telling
        .tell(&outcome, || reporting::screened_text(&outcome))?;
    Ok(Outcome::Done)
}

impl Args {
    fn plan(&self) -> ScreenPlan {
        let pairs = match (&self.pairs, self.generated) {
            (Some(file), _) => PairSource::File(file.clone()),
            (None, true) => PairSource::Generated,
            (None, false) => PairSource::Latest,
        };
        let rules = ScreenRules {
            question_characters: self.max_question_chars,
            solution_characters: self.max_solution_chars,
            tokens: (self.max_pair_tokens > 0).then_some(self.max_pair_tokens),
            final_answer: !self.keep_without_answer,
            near: (!self.exact_only).then_some(self.near),
            seeds: !self.keep_seed_copies,
        };
        ScreenPlan {
            pairs,
            rules,
            fresh: self.stage.fresh,
        }
    }

    /// The test items, and a warning for each set of the benchmark that is not there.
    fn tests(&self) -> anyhow::Result<Index> {
        let benchmark = data_folder::benchmark(self.data.as_deref())?;
        let data = data_folder::load(&benchmark, self.data.as_deref())?;
        if data.origin == dataset_loader::Origin::Samples {
            eprintln!(
                "warning: only the program's own samples are looked for, not the published test sets: fetch these (`mwpbench data fetch`) or name them with --data"
            );
        } else {
            let here = |name: &str| data.problems.iter().any(|problem| problem.set == name);
            let missing: Vec<&str> = benchmark
                .sets()
                .iter()
                .map(|set| set.name.as_str())
                .filter(|name| !here(name))
                .collect();
            if !missing.is_empty() {
                eprintln!(
                    "warning: the data hold no problems of {}: pairs are not screened against these",
                    missing.join(", ")
                );
            }
        }
        let item = |problem: dataset_loader::Problem| Item {
            id: problem.id,
            set: problem.set,
            text: problem.question,
        };
        let options = Options {
            ngram: self.ngram,
            near: self.test_near,
            share: self.test_share,
        };
        Ok(Index::new(
            data.problems.into_iter().map(item).collect(),
            options,
        )?)
    }
}
