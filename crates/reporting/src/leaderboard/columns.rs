//! Which figures a leaderboard has.

use dataset_loader::Benchmark;
use evaluation::Suite;

use super::entry::Entry;
use super::error::LeaderboardError;
use super::suite;
use super::{LeaderboardPlan, Subjects};

/// One column of figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// Name in flags and files.
    pub name: String,
    /// Name in print.
    pub title: String,
    /// Name where there is little room.
    pub short: String,
    /// What it holds.
    pub kind: ColumnKind,
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    /// A set.
    Set,
    /// A task of this set.
    Task {
        /// The set's name.
        set: String,
    },
    /// The average weighted by items.
    Micro,
    /// The plain average.
    Macro,
    /// An average of a suite's sets.
    Suite {
        /// The suite.
        suite: Suite,
        /// Whether it is the plain average.
        is_macro: bool,
    },
}

impl ColumnKind {
    /// Whether it is an average of sets.
    pub fn is_average(&self) -> bool {
        matches!(self, Self::Micro | Self::Macro | Self::Suite { .. })
    }
}

/// Names for narrow columns.
const SHORT: [(&str, &str); 23] = [
    ("college_math", "College"),
    ("tal", "TAL"),
    ("math23k", "M23k"),
    ("ape210k", "Ape"),
    ("gaokao_bench", "Gaokao"),
    ("agieval_gaokao", "AG-Gk"),
    ("agieval_sat", "AG-SAT"),
    ("agieval_math", "AG-M"),
    ("fresh_gaokao_2023", "Fresh"),
    ("MATH.Prealgebra", "Prealg."),
    ("MATH.Algebra", "Algebra"),
    ("MATH.Intermediate_Algebra", "Int.Alg."),
    ("MATH.Precalculus", "Precalc."),
    ("MATH.Counting_&_Probability", "Count.&Pr."),
    ("MATH.Geometry", "Geom."),
    ("MATH.Number_Theory", "Num.Th."),
    ("college_math.algebra", "Algebra"),
    ("college_math.precalculus", "Precalc."),
    ("college_math.calculus", "Calc."),
    ("college_math.vector_calculus", "Vect.Calc."),
    ("college_math.probability", "Prob."),
    ("college_math.linear_algebra", "Lin.Alg."),
    ("college_math.differential_equation", "Diff.Eq."),
];

/// The order of MATH's subjects in table 9 of the paper.
const MATH_ORDER: [&str; 7] = [
    "MATH.Prealgebra",
    "MATH.Algebra",
    "MATH.Intermediate_Algebra",
    "MATH.Precalculus",
    "MATH.Counting_&_Probability",
    "MATH.Geometry",
    "MATH.Number_Theory",
];

impl Column {
    pub(crate) fn new(name: &str, title: &str, kind: ColumnKind) -> Self {
        let short = SHORT
            .iter()
            .find(|(long, _)| *long == name)
            .map_or(title, |(_, short)| short);
        Self {
            name: name.to_string(),
            title: title.to_string(),
            short: short.to_string(),
            kind,
        }
    }

    /// The columns that a plan asks for: the averaged sets in the benchmark's order, the averages,
    /// then sets in no average; or the tasks of a set and the set itself.
    pub fn of(benchmark: &Benchmark, entries: &[Entry], plan: &LeaderboardPlan) -> Vec<Self> {
        match (&plan.suite, plan.subjects) {
            (Some(suite), _) => suite::columns(benchmark, suite),
            (None, Some(subjects)) => Self::of_subjects(benchmark, subjects),
            (None, None) => Self::of_sets(benchmark, entries, plan.include_fresh_gaokao),
        }
    }

    fn of_sets(benchmark: &Benchmark, entries: &[Entry], include_fresh_gaokao: bool) -> Vec<Self> {
        let averaged = benchmark.sets().iter().filter(|set| set.in_average);
        let mut columns: Vec<Self> = averaged
            .map(|set| Self::new(&set.name, &set.title, ColumnKind::Set))
            .collect();
        columns.push(Self::new("micro", "micro", ColumnKind::Micro));
        columns.push(Self::new("macro", "macro", ColumnKind::Macro));
        for set in benchmark.sets().iter().filter(|set| !set.in_average) {
            let has_it = entries
                .iter()
                .any(|entry| entry.summary.sets.iter().any(|own| own.set == set.name));
            if (include_fresh_gaokao && !set.on_request) || has_it {
                columns.push(Self::new(&set.name, &set.title, ColumnKind::Set));
            }
        }
        // Custom data sets.
        for set in entries.iter().flat_map(|entry| &entry.summary.sets) {
            if !columns.iter().any(|column| column.name == set.set) {
                columns.push(Self::new(&set.set, &set.title, ColumnKind::Set));
            }
        }
        columns
    }

    fn of_subjects(benchmark: &Benchmark, subjects: Subjects) -> Vec<Self> {
        let set = benchmark
            .set(subjects.set())
            .expect("a set with subjects is one of the benchmark");
        let mut tasks: Vec<_> = set.tasks.iter().collect();
        tasks.sort_by_key(|task| MATH_ORDER.iter().position(|name| *name == task.name));
        let column = |task: &&dataset_loader::Task| {
            let title = task.subject.as_deref().unwrap_or(&task.name);
            Self::new(
                &task.name,
                title,
                ColumnKind::Task {
                    set: set.name.clone(),
                },
            )
        };
        let mut columns: Vec<Self> = tasks.iter().map(column).collect();
        columns.push(Self::new(&set.name, &set.title, ColumnKind::Set));
        columns
    }

    /// The column by which rows are sorted where none is named: micro, or the set whose subjects
    /// are shown.
    fn default_index(columns: &[Self]) -> usize {
        columns
            .iter()
            .position(|column| {
                matches!(
                    column.kind,
                    ColumnKind::Micro
                        | ColumnKind::Suite {
                            is_macro: false,
                            ..
                        }
                )
            })
            .unwrap_or(columns.len() - 1)
    }

    /// The columns of these names, in their order.
    ///
    /// # Errors
    /// A name that no column has.
    pub fn chosen(columns: &[Self], names: &[String]) -> Result<Vec<Self>, LeaderboardError> {
        let column = |name: &String| Ok(columns[Self::find(columns, Some(name))?].clone());
        names.iter().map(column).collect()
    }

    /// The index of the column of this name, title or short name.
    ///
    /// # Errors
    /// There is no such column.
    pub fn find(columns: &[Self], name: Option<&str>) -> Result<usize, LeaderboardError> {
        let Some(name) = name else {
            return Ok(Self::default_index(columns));
        };
        let is = |column: &Self| {
            let subject = column.name.rsplit('.').next().unwrap_or_default();
            [column.name.as_str(), &column.title, &column.short, subject]
                .iter()
                .any(|own| own.eq_ignore_ascii_case(name))
        };
        columns
            .iter()
            .position(is)
            .ok_or_else(|| LeaderboardError::UnknownColumn {
                name: name.to_string(),
                known: columns
                    .iter()
                    .map(|column| column.name.as_str())
                    .chain(["model"])
                    .collect::<Vec<_>>()
                    .join(", "),
            })
    }
}
