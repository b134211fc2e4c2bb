//! The MathScale paper's figures: `datasets/paper/*.tsv`, embedded.
//!
//! Source: arXiv:2403.02884v1, tables 5, 8, 9 and 10. Percent with one decimal, by the authors'
//! scorer.

use std::collections::BTreeMap;

/// Base model, model, and figures by the name of their column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PublishedRow {
    /// Heading of the block in which the paper lists it, such as `LLaMA-2 7B`.
    pub base: &'static str,
    /// Name in table 5.
    pub model: &'static str,
    /// Accuracies in 0..=1 by set, task, `micro` or `macro`.
    pub figures: BTreeMap<&'static str, f64>,
}

const MWPBENCH: &str = include_str!("../../../../datasets/paper/mwpbench.tsv");
const OTHERS: [&str; 3] = [
    include_str!("../../../../datasets/paper/fresh_gaokao_2023.tsv"),
    include_str!("../../../../datasets/paper/math_subjects.tsv"),
    include_str!("../../../../datasets/paper/college_math_topics.tsv"),
];

/// The row whose printed averages contradict its own accuracies, which give 16.0 and 18.2.
pub(crate) const INCONSISTENT: (&str, &str) = ("LLaMA-2 7B", "WizardMath");

/// The rows of table 5 in the paper's order, with what the other tables say of the same models.
pub(crate) fn published_rows() -> Vec<PublishedRow> {
    let mut rows = parse(MWPBENCH);
    for other in OTHERS.into_iter().flat_map(parse) {
        let row = rows
            .iter_mut()
            .find(|row| (row.base, row.model) == (other.base, other.model));
        row.unwrap_or_else(|| {
            panic!(
                "datasets/paper: {} / {} is not in table 5",
                other.base, other.model
            )
        })
        .figures
        .extend(other.figures);
    }
    rows
}

/// The headings under which the paper lists models, in its order.
pub(crate) fn published_bases() -> Vec<&'static str> {
    let mut bases: Vec<&str> = parse(MWPBENCH).iter().map(|row| row.base).collect();
    bases.dedup();
    bases
}

fn parse(table: &'static str) -> Vec<PublishedRow> {
    let mut lines = table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t'));
    let header: Vec<&str> = lines
        .next()
        .expect("a table has a header")
        .skip(2)
        .collect();
    let row = |mut fields: std::str::Split<'static, char>| {
        let mut name = || fields.next().expect("a row starts with base and model");
        let (base, model) = (name(), name());
        let figures =
            fields.map(|field| field.parse::<f64>().expect("a figure is a number") / 100.0);
        PublishedRow {
            base,
            model,
            figures: header.iter().copied().zip(figures).collect(),
        }
    };
    lines.map(row).collect()
}

#[cfg(test)]
mod tests {
    use dataset_loader::Benchmark;

    use super::*;

    #[test]
    fn all_rows_are_there_and_every_column_is_a_set_a_task_or_an_average() {
        let rows = published_rows();
        let with = |name: &str| {
            rows.iter()
                .filter(|row| row.figures.contains_key(name))
                .count()
        };
        assert_eq!(rows.len(), 18);
        assert_eq!(
            (
                with("fresh_gaokao_2023"),
                with("MATH.Geometry"),
                with("college_math.algebra")
            ),
            (5, 15, 15)
        );
        assert_eq!(
            published_bases(),
            ["closed", "LLaMA-2 13B", "LLaMA-2 7B", "Mistral 7B"]
        );
        let benchmark = Benchmark::published();
        for name in rows.iter().flat_map(|row| row.figures.keys()) {
            let known = benchmark.set(name).is_some() || benchmark.set_of_task(name).is_some();
            assert!(known || ["micro", "macro"].contains(name), "{name}");
        }
        let complete: Vec<_> = benchmark
            .sets()
            .iter()
            .filter(|set| set.in_average)
            .map(|set| &set.name)
            .collect();
        assert!(rows.iter().all(|row| {
            complete
                .iter()
                .all(|name| row.figures.contains_key(name.as_str()))
        }));
    }

    /// Subjects weighted by their problems give the set of table 5, which ties the columns to their
    /// names.
    #[test]
    fn subjects_give_their_set() {
        let benchmark = Benchmark::published();
        for (set, tolerance) in [("math", 0.0025), ("college_math", 0.0011)] {
            let set = benchmark.set(set).unwrap();
            for row in published_rows()
                .iter()
                .filter(|row| row.figures.contains_key(set.tasks[0].name.as_str()))
            {
                let weighted = set
                    .tasks
                    .iter()
                    .map(|task| task.count as f64 * row.figures[task.name.as_str()]);
                let mean = weighted.sum::<f64>() / set.count() as f64;
                let printed = row.figures[set.name.as_str()];
                assert!(
                    (mean - printed).abs() < tolerance,
                    "{} {}: {mean} and {printed}",
                    row.base,
                    row.model
                );
            }
        }
    }

    #[test]
    fn one_row_contradicts_itself() {
        let odd = |row: &PublishedRow| {
            let sets = row.figures.iter().filter(|(name, _)| {
                Benchmark::published()
                    .set(name)
                    .is_some_and(|set| set.in_average)
            });
            let mean = evaluation::macro_average(sets.map(|(_, accuracy)| *accuracy)).unwrap();
            (mean - row.figures["macro"]).abs() > 0.001 + 1e-9
        };
        let odd: Vec<_> = published_rows()
            .iter()
            .filter(|row| odd(row))
            .map(|row| (row.base, row.model))
            .collect();
        assert_eq!(odd, [INCONSISTENT]);
    }
}
