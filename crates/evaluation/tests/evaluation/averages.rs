use dataset_loader::Benchmark;
use evaluation::{Protocol, macro_average, micro_average};

/// Accuracies in percent of 18 models on the ten sets with the averages that the paper prints
/// (arXiv:2403.02884, table 5).
const TABLE_5: &str = include_str!("paper_table5.tsv");

/// The paper's own inconsistency: the ten accuracies of this row give 16.0 and 18.2, the paper
/// prints 15.8 and 17.1.
const INCONSISTENT: (&str, &str) = ("LLaMA-2 7B", "WizardMath");

/// Both figures are rounded to 0.1, so their difference may reach 0.1 without one of them being
/// wrong.
const TOLERANCE: f64 = 0.1 + 1e-9;

struct Row {
    name: (String, String),
    accuracies: Vec<f64>,
    printed: (f64, f64),
}

fn rows() -> Vec<Row> {
    let row = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let numbers: Vec<f64> = fields[2..]
            .iter()
            .map(|field| field.parse().unwrap())
            .collect();
        Row {
            name: (fields[0].to_string(), fields[1].to_string()),
            accuracies: numbers[..10].to_vec(),
            printed: (numbers[10], numbers[11]),
        }
    };
    TABLE_5.lines().skip(1).map(row).collect()
}

fn sizes(protocol: Protocol) -> Vec<usize> {
    let cap = protocol.task_cap().unwrap_or(usize::MAX);
    let benchmark = Benchmark::published();
    let averaged = benchmark.sets().iter().filter(|set| set.in_average);
    averaged
        .map(|set| set.tasks.iter().map(|task| task.count.min(cap)).sum())
        .collect()
}

fn agrees(row: &Row, sizes: &[usize]) -> bool {
    let micro = micro_average(sizes.iter().copied().zip(row.accuracies.iter().copied())).unwrap();
    let macro_ = macro_average(row.accuracies.iter().copied()).unwrap();
    (micro - row.printed.0).abs() <= TOLERANCE && (macro_ - row.printed.1).abs() <= TOLERANCE
}

#[test]
fn the_columns_of_the_table_are_the_sets_in_order() {
    let benchmark = Benchmark::published();
    let names: Vec<&str> = benchmark
        .sets()
        .iter()
        .filter(|set| set.in_average)
        .map(|set| set.name.as_str())
        .collect();
    let header: Vec<&str> = TABLE_5.lines().next().unwrap().split('\t').collect();
    assert_eq!(header[2..12], names);
}

#[test]
fn averages_under_the_official_cap_reproduce_17_of_the_papers_18_rows() {
    let sizes = sizes(Protocol::Official);
    assert_eq!(sizes.iter().sum::<usize>(), 15_534);
    let rows = rows();
    assert_eq!(rows.len(), 18);
    let odd: Vec<_> = rows
        .iter()
        .filter(|row| !agrees(row, &sizes))
        .map(|row| row.name.clone())
        .collect();
    assert_eq!(
        odd,
        [(INCONSISTENT.0.to_string(), INCONSISTENT.1.to_string())]
    );
}

#[test]
fn without_the_cap_most_rows_do_not_come_out() {
    let sizes = sizes(Protocol::Full);
    assert_eq!(sizes.iter().sum::<usize>(), 18_408);
    let agreeing = rows().iter().filter(|row| agrees(row, &sizes)).count();
    assert!(agreeing < 9, "{agreeing} of 18 rows agree");
}

#[test]
fn an_average_over_nothing_is_none() {
    assert_eq!(micro_average([]), None);
    assert_eq!(macro_average([]), None);
}
