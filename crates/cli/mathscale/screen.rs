//! `mwpbench mathscale screen`: which pairs may be trained on.

use std::path::PathBuf;

use mathscale::{PairSource, ScreenPlan, ScreenRules, Stage, Tests};
use overlap::{Index, OverlapOptions, TestItem};

use super::StageArgs;
use super::counter::Counter;
use crate::exit::Outcome;
use crate::min_usable::MinUsable;
use crate::{data_folder, heading, interruption};

/// Remove pairs that are malformed, too long, without a final answer, contaminated by a test set,
/// or repetitions.
///
/// Test items are those of the data folder, of all its sets. screen.removed.jsonl has the reason of
/// each removal, screen.json counts them.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    stage: StageArgs,
    #[command(flatten)]
    min_usable: MinUsable,
    /// Pairs from elsewhere: JSON Lines, a JSON array or parquet with question and solution; without
    /// it validated.jsonl where there is one, else pairs.jsonl.
    #[arg(
        help_heading = heading::DATA,
        long,
        value_name = "FILE",
        conflicts_with = "generated"
    )]
    pairs: Option<PathBuf>,
    /// Take pairs.jsonl although the project was validated.
    #[arg(help_heading = heading::DATA, long)]
    generated: bool,
    /// Test problems in MwpBench's record form: a file, or a folder of .jsonl/.json files; the
    /// data folder without it. `bundled` names the bundled problems, which are not the benchmark.
    #[arg(
        help_heading = heading::CONTAMINATION,
        long,
        env = "MWPBENCH_DATA",
        value_name = "FILE|DIR"
    )]
    data: Option<PathBuf>,
    /// Use no test items: nothing will be known of contamination.
    #[arg(help_heading = heading::CONTAMINATION, long)]
    without_tests: bool,
    /// Words of an n-gram that a pair and a test item may not share: 13, or 8 to find more.
    #[arg(help_heading = heading::CONTAMINATION, long, default_value_t = OverlapOptions::default().ngram, value_name = "N")]
    ngram: usize,
    /// Jaccard index from which a question is a near-duplicate of a test item, from 0.5 to 1.
    #[arg(help_heading = heading::CONTAMINATION, long, default_value_t = OverlapOptions::default().min_jaccard, value_name = "INDEX")]
    contamination_jaccard: f64,
    /// Share of a test item's n-grams that contaminates a pair, from 0 to 1: at 0 one is enough, as
    /// is usual for training data.
    #[arg(
        help_heading = heading::CONTAMINATION,
        long,
        default_value_t = 0.0,
        value_name = "SHARE"
    )]
    test_share: f64,
    /// Jaccard index from which two questions are near-duplicates, from 0.5 to 1.
    #[arg(help_heading = heading::DUPLICATES, long, default_value_t = OverlapOptions::default().min_jaccard, value_name = "INDEX")]
    min_jaccard: f64,
    /// Remove equal questions only.
    #[arg(help_heading = heading::DUPLICATES, long, conflicts_with = "min_jaccard")]
    exact_only: bool,
    /// Keep pairs whose question is that of a seed.
    #[arg(help_heading = heading::DUPLICATES, long)]
    keep_seed_copies: bool,
    /// Keep solutions in which the strict scorer finds no final answer.
    #[arg(help_heading = heading::RULES, long)]
    keep_without_answer: bool,
    /// Tokens of question and solution together, at most, a token for every three bytes; 0 for any
    /// number.
    #[arg(help_heading = heading::RULES, long, default_value_t = ScreenRules::default().max_tokens.unwrap_or(0), value_name = "N")]
    max_pair_tokens: usize,
    /// Characters of a question, at most; any number without it.
    #[arg(help_heading = heading::RULES, long, value_name = "N")]
    max_question_chars: Option<usize>,
    /// Characters of a solution, at most; any number without it.
    #[arg(help_heading = heading::RULES, long, value_name = "N")]
    max_solution_chars: Option<usize>,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let tests = match args.without_tests {
        true => None,
        false => Some(args.tests()?),
    };
    let mut counter = Counter::new(args.stage.printing.quiet);
    super::run_stage(
        &args.stage,
        |project| {
            let outcome = mathscale::screen(project, &args.plan(), tests.as_ref(), &mut |pairs| {
                counter.update(|_| format!("{pairs} pairs"));
                interruption::may_go_on()
            })?;
            counter.finish();
            Ok(outcome)
        },
        reporting::screened_text,
        |record| args.min_usable.outcome(Stage::Screen, record),
    )
}

impl Args {
    fn plan(&self) -> ScreenPlan {
        let pairs = match (&self.pairs, self.generated) {
            (Some(file), _) => PairSource::File(file.clone()),
            (None, true) => PairSource::Generated,
            (None, false) => PairSource::Latest,
        };
        let rules = ScreenRules {
            max_question_chars: self.max_question_chars,
            max_solution_chars: self.max_solution_chars,
            max_tokens: (self.max_pair_tokens > 0).then_some(self.max_pair_tokens),
            final_answer: !self.keep_without_answer,
            min_jaccard: (!self.exact_only).then_some(self.min_jaccard),
            seeds: !self.keep_seed_copies,
        };
        ScreenPlan {
            pairs,
            rules,
            fresh: self.stage.fresh,
        }
    }

    /// The test items, and a warning for each set of the benchmark that is not there.
    fn tests(&self) -> anyhow::Result<Tests> {
        let benchmark = data_folder::benchmark(self.data.as_deref())?;
        let data = data_folder::test_sets(&benchmark, self.data.as_deref())?;
        let bundled = data.origin == dataset_loader::DataOrigin::Bundled;
        if bundled {
            eprintln!(
                "warning: the only test items are the bundled problems, not the published test sets: these are not decontaminated against"
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
        let item = |problem: dataset_loader::Problem| TestItem {
            id: problem.id,
            set: problem.set,
            text: problem.question,
        };
        let options = OverlapOptions {
            ngram: self.ngram,
            min_jaccard: self.contamination_jaccard,
            min_share: self.test_share,
        };
        let index = Index::new(data.problems.into_iter().map(item).collect(), options)?;
        Ok(Tests { index, bundled })
    }
}
