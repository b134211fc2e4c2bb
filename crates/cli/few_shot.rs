//! `--few-shot`: examples before each question.

use std::num::NonZeroUsize;

use dataset_loader::{Benchmark, Data, DataOrigin, Problem};
use evaluation::{FewShot, FewShotPlan, Template, TrainingRecord};

use crate::count::count;
use crate::{data_folder, heading};

/// Examples before each question.
#[derive(clap::Args)]
#[command(next_help_heading = heading::PROMPT)]
pub struct FewShotArgs {
    /// Examples before each question, from the training problems of its set (or of the set that
    /// stands for it) in the data folder; none of them is a problem that is asked, or a
    /// near-duplicate of one. For base models.
    #[arg(long, value_name = "K", value_parser = count::<NonZeroUsize>)]
    few_shot: Option<NonZeroUsize>,
    /// Which examples.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "few_shot")]
    few_shot_seed: u64,
}

impl FewShotArgs {
    /// The examples for these problems; `None` where none are asked for.
    pub fn choose(
        &self,
        benchmark: &Benchmark,
        source: &data_folder::DataArgs,
        data: &Data,
        asked: &[Problem],
        template: &Template,
    ) -> anyhow::Result<Option<FewShot>> {
        let Some(examples) = self.few_shot else {
            return Ok(None);
        };
        let plan = FewShotPlan {
            examples: examples.get(),
            seed: self.few_shot_seed,
            boxed: template.asks_for_a_box(),
        };
        let training = training(benchmark, source, data)?;
        let chosen = FewShot::choose(benchmark, asked, &training, plan);
        Ok(Some(chosen.map_err(with_way_out)?))
    }
}

/// What may be an example: the training problems in the place of the data and in the data folder,
/// and for bundled problems the others of their sets, where there are no training problems.
fn training(
    benchmark: &Benchmark,
    source: &data_folder::DataArgs,
    data: &Data,
) -> anyhow::Result<Vec<TrainingRecord>> {
    let mut records = Vec::new();
    let mut places: Vec<_> = source
        .place()
        .into_iter()
        .chain(data_folder::path())
        .collect();
    places.dedup();
    for place in places {
        let found = dataset_loader::load_training_records(benchmark, &place)?;
        records.extend(found.into_iter().map(|(problem, extras)| {
            TrainingRecord {
                problem,
                solution: extras
                    .get("solution")
                    .and_then(|solution| solution.as_str())
                    .map(str::to_string),
            }
        }));
    }
    if data.origin == DataOrigin::Bundled {
        let bundled = dataset_loader::all_bundled_problems(benchmark).problems;
        let has_training = |set: &str| records.iter().any(|record| record.problem.set == set);
        let stand_ins: Vec<TrainingRecord> = bundled
            .into_iter()
            .filter(|problem| !has_training(&problem.set))
            .map(|problem| TrainingRecord {
                problem,
                solution: None,
            })
            .collect();
        records.extend(stand_ins);
    }
    Ok(records)
}

fn with_way_out(error: evaluation::FewShotError) -> anyhow::Error {
    let message = format!(
        "{error}. Fetch training problems (`mwpbench data fetch --train`) or import them \
         (`mwpbench data import SET FILE --split train`); of the bundled problems --limit leaves some to be examples"
    );
    anyhow::Error::new(error).context(message)
}
