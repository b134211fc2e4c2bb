//! Models × sets: a table of runs, beside the figures that the MathScale paper prints.
//!
//! In go finished runs; out come tables for a terminal, a page, a paper or a program, charts,
//! and the block of a model card. Rows that cannot be compared with others carry notes that say
//! why, and rows on the program's samples stand apart.

mod chart; // the charts, as SVG
mod check; // can a summary's figures be what a run found?
mod columns; // which figures there are
mod csv; // a row a model, for spreadsheets
mod entry; // a run's folder → what is needed of it
mod error; // why no leaderboard can be made
mod json; // all there is, for programs
mod latex; // for papers
mod markdown; // for pages
mod markup; // what the written formats have in common
mod model_index; // for model cards
mod notes; // what has to be said of rows and figures
mod published; // the paper's figures
mod ranking; // rows → groups in order, with the best marked
mod rows; // runs and published figures → rows
mod suite; // the sets of a suite and their averages
mod terminal; // as wide as the terminal

use dataset_loader::Benchmark;
use evaluation::{Scorer, Suite};

use columns::{Column, ColumnKind};
use notes::{Note, Notes};
use ranking::{Group, Order};
use rows::Row;

pub use entry::Entry;
pub use error::LeaderboardError;
pub use json::leaderboard_schema;

/// Which figures a leaderboard has, and how its rows are sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeaderboardPlan {
    /// Whose verdicts count.
    pub scorers: Scorers,
    /// Name of the column to sort by, or `model`; `None` for the micro average, or the whole set
    /// beside its subjects.
    pub sort: Option<String>,
    /// The smallest figure first.
    pub ascending: bool,
    /// Beside the runs, the rows of the MathScale paper.
    pub with_paper: bool,
    /// Intervals beside accuracies.
    pub intervals: bool,
    /// The subjects of one set in place of the sets.
    pub subjects: Option<Subjects>,
    /// The sets of a suite and their averages in place of MwpBench's.
    pub suite: Option<Suite>,
    /// Fresh-GaokaoMath-2023 even where no run has it.
    pub include_fresh_gaokao: bool,
    /// Where the evaluation can be looked at, for a model card.
    pub source_url: Option<String>,
    /// The title; `None` for one that says what is shown.
    pub title: Option<String>,
    /// Names of the columns, in this order; `None` for all.
    pub columns: Option<Vec<String>>,
    /// Parts of the names of models, in any case, whose rows are shown; `None` for all.
    pub rows: Option<Vec<String>>,
}

/// Whose verdicts count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scorers {
    /// The published scorer's.
    #[default]
    Official,
    /// The strict scorer's.
    Strict,
    /// Both, in rows of their own.
    Both,
}

/// A set of whose tasks the paper prints figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subjects {
    /// The seven subjects of MATH, as in table 9.
    Math,
    /// The seven topics of CollegeMath, as in table 10.
    CollegeMath,
}

/// How a leaderboard is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaderboardFormat {
    /// Plain text.
    Terminal {
        /// Columns of the terminal; `None` where the table may be as wide as it needs to be.
        width: Option<u16>,
        /// Whether the best may be set in bold.
        styled: bool,
    },
    /// A table of GitHub's Markdown.
    Markdown,
    /// A `table` environment that needs the packages `booktabs`, `fontenc` and `graphicx`.
    Latex,
    /// The same with the package `siunitx`, version 3, which aligns figures at their points.
    LatexSiunitx,
    /// RFC 4180, accuracies in 0..=1.
    Csv,
    /// One object, accuracies in 0..=1.
    Json,
}

/// A table of models and their figures.
#[derive(Clone, Debug)]
pub struct Leaderboard {
    title: String,
    columns: Vec<Column>,
    groups: Vec<Group>,
    notes: Notes,
    plan: LeaderboardPlan,
    entries: Vec<Entry>,
}

impl Subjects {
    fn set(self) -> &'static str {
        match self {
            Self::Math => "math",
            Self::CollegeMath => "college_math",
        }
    }
}

impl Scorers {
    fn each(self) -> &'static [Scorer] {
        match self {
            Self::Official => &[Scorer::Official],
            Self::Strict => &[Scorer::Strict],
            Self::Both => &Scorer::ALL,
        }
    }
}

impl Leaderboard {
    /// Lines up runs, and the paper's rows where they are wanted.
    ///
    /// # Errors
    /// Neither runs nor the paper's rows, or a column to sort by that is not there.
    pub fn new(
        benchmark: &Benchmark,
        entries: Vec<Entry>,
        plan: LeaderboardPlan,
    ) -> Result<Self, LeaderboardError> {
        if entries.is_empty() && !plan.with_paper {
            return Err(LeaderboardError::Nothing);
        }
        let mut columns = Column::of(benchmark, &entries, &plan);
        if let Some(names) = &plan.columns {
            columns = Column::chosen(&columns, names)?;
        }
        let order = match plan.sort.as_deref() {
            Some(name) if name.eq_ignore_ascii_case("model") => Order::Model,
            name => Order::Column(Column::find(&columns, name)?),
        };
        let mut notes = Notes::default();
        let mut rows = Vec::new();
        if plan.with_paper {
            let published = published::published_rows();
            rows.extend(
                published
                    .iter()
                    .filter_map(|row| Row::of_paper(row, &columns, &mut notes)),
            );
        }
        for (entry, label) in entries.iter().zip(labels(&entries)) {
            for &scorer in plan.scorers.each() {
                rows.push(Row::of_run(
                    entry,
                    label.clone(),
                    scorer,
                    &columns,
                    &mut notes,
                ));
            }
        }
        if let Some(parts) = &plan.rows {
            rows = rows::chosen(rows, parts)?;
            notes = notes.of_rows(&mut rows);
        }
        let groups = ranking::groups(rows, order, plan.ascending);
        Ok(Self {
            title: plan.title.clone().unwrap_or_else(|| title(&entries, &plan)),
            columns,
            groups,
            notes,
            plan,
            entries,
        })
    }

    /// The leaderboard as a text that ends with a line break.
    pub fn text(&self, format: LeaderboardFormat) -> String {
        match format {
            LeaderboardFormat::Terminal { width, styled } => terminal::text(self, width, styled),
            LeaderboardFormat::Markdown => markdown::text(self),
            LeaderboardFormat::Latex => latex::text(self, false),
            LeaderboardFormat::LatexSiunitx => latex::text(self, true),
            LeaderboardFormat::Csv => csv::text(self),
            LeaderboardFormat::Json => json::text(self),
        }
    }

    /// The runs as a `model-index` block for the head of a model card (YAML, accuracies in
    /// percent).
    pub fn model_index(&self, benchmark: &Benchmark) -> String {
        model_index::text(self, benchmark)
    }

    /// Every row's accuracy in each column, as an SVG picture: bars of up to eight rows, dots in a
    /// panel a column of more.
    pub fn accuracy_chart(&self) -> String {
        chart::accuracy(self)
    }

    /// Accuracy in each column against the logarithm of the number of training examples (the runs'
    /// tag `train_size`), a panel for each base model, as an SVG picture. Source: figure 3 of
    /// arXiv:2403.02884v1 draws the same.
    ///
    /// # Errors
    /// A tag that is no number, or fewer than two sizes.
    pub fn scaling_curve(&self) -> Result<String, LeaderboardError> {
        chart::scaling::picture(self, chart::scaling::Against::TrainingSize)
    }

    /// Accuracy in each column over the optimizer steps after which checkpoints were written
    /// ([`evaluation::RunManifest::training_step`]), a panel for each base model, as an SVG
    /// picture; averages with their intervals.
    ///
    /// # Errors
    /// Fewer than two steps.
    pub fn training_curve(&self) -> Result<String, LeaderboardError> {
        chart::scaling::picture(self, chart::scaling::Against::TrainingStep)
    }

    /// A table of the runs: accuracy by which rows are sorted, and mean tokens of a completion, of
    /// thinking and of answer; within so many columns of a terminal, if a number is given.
    ///
    /// # Errors
    /// Completions that cannot be read, or no run with any tokens.
    pub fn tokens_text(&self, width: Option<u16>) -> Result<String, LeaderboardError> {
        chart::tokens::text(self, width)
    }

    /// The same as an SVG picture: accuracy against the logarithm of the tokens.
    ///
    /// # Errors
    /// As for [`Self::tokens_text`].
    pub fn tokens_chart(&self) -> Result<String, LeaderboardError> {
        chart::tokens::picture(self)
    }

    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.groups.iter().flat_map(|group| &group.rows)
    }

    /// Whether groups need their headings: rows on samples always do.
    fn headed(&self) -> bool {
        self.groups.len() > 1
    }

    /// What is said below the table, a sentence each: short names where `abbreviated`, and `bold`
    /// where the best is set off.
    fn legend(&self, abbreviated: bool, bold: bool) -> Vec<String> {
        let mut lines = Vec::new();
        let short = self
            .columns
            .iter()
            .filter(|column| abbreviated && column.short != column.title);
        let short: Vec<String> = short
            .map(|column| format!("{} = {}", column.short, column.title))
            .collect();
        if !short.is_empty() {
            lines.push(format!("{}.", short.join(", ")));
        }
        let any_best = self
            .rows()
            .flat_map(|row| row.figures.iter().flatten())
            .any(|figure| figure.best);
        if bold && any_best {
            let of = if self.headed() {
                "of its base model"
            } else {
                "of its column"
            };
            lines.push(format!(
                "Bold: the best {of} among figures that can be compared."
            ));
        }
        if self.plan.intervals && !self.entries.is_empty() {
            lines.push(self.on_intervals());
        }
        if self.plan.with_paper
            && self.plan.scorers != Scorers::Official
            && !self.entries.is_empty()
        {
            lines.push(
                "The paper's figures are by the official scorer and are not compared with strict ones.".to_string(),
            );
        }
        lines
    }

    /// Where the intervals come from ([`interval::average_interval`](crate::interval)).
    fn on_intervals(&self) -> String {
        let sampled = self.entries.iter().any(Entry::is_sampled);
        let of_sets = match sampled {
            true => "Wilson's of sets, for as many answers as the samples are worth",
            false => "Wilson's of sets",
        };
        let averages = self
            .columns
            .iter()
            .any(|column| matches!(column.kind, ColumnKind::Micro | ColumnKind::Macro));
        let of_averages = match averages {
            true => {
                "; of averages a bootstrap's within sets, or the sets' own combined where it resamples nothing else"
            }
            false => "",
        };
        let published = match self.plan.with_paper {
            true => "; published figures have none",
            false => "",
        };
        format!("Intervals of 95 %: {of_sets}{of_averages}{published}.")
    }

    /// The notes by their letters, as sentences that say where a figure cannot be compared.
    fn lettered_notes(&self) -> Vec<(String, String)> {
        let sentence = |note: &Note| match note.comparable {
            true => format!("{}.", note.text),
            false => format!("{} (not comparable).", note.text),
        };
        self.notes
            .lettered()
            .map(|(letters, note)| (letters, sentence(note)))
            .collect()
    }
}

/// The names of models, with the folder behind them where several runs have one name.
fn labels(entries: &[Entry]) -> Vec<String> {
    let names: Vec<&String> = entries.iter().map(|entry| &entry.summary.model).collect();
    let folders: Vec<String> = entries.iter().map(Entry::folder_name).collect();
    let label = |(index, entry): (usize, &Entry)| {
        let others = || (0..entries.len()).filter(move |&other| other != index);
        let same_name = |other: usize| names[other] == names[index];
        match (
            others().any(same_name),
            others().any(|other| same_name(other) && folders[other] == folders[index]),
        ) {
            (false, _) => names[index].clone(),
            (true, false) => format!("{} ({})", names[index], folders[index]),
            (true, true) => format!("{} ({})", names[index], entry.folder.display()),
        }
    };
    entries.iter().enumerate().map(label).collect()
}

/// Only whole runs are called MwpBench.
fn title(entries: &[Entry], plan: &LeaderboardPlan) -> String {
    let what = match (&plan.suite, plan.subjects) {
        (Some(suite), _) => format!(", suite {}", suite.name),
        (None, Some(Subjects::Math)) => ", subjects of MATH".to_string(),
        (None, Some(Subjects::CollegeMath)) => ", topics of CollegeMath".to_string(),
        (None, None) => String::new(),
    };
    let scorer = match plan.scorers {
        Scorers::Official => "by the official scorer",
        Scorers::Strict => "by the strict scorer",
        Scorers::Both => "by both scorers",
    };
    let samples = entries.iter().filter(|entry| entry.on_samples()).count();
    let whole = entries
        .iter()
        .all(|entry| entry.summary.complete && entry.summary.deviations.is_empty());
    let name = if samples == entries.len() && !plan.with_paper {
        "Leaderboard on the bundled problems (not MwpBench)"
    } else if plan.suite.is_some() {
        "Leaderboard"
    } else if whole {
        "MwpBench leaderboard"
    } else {
        "Leaderboard (not every row is a whole run of MwpBench: see the notes)"
    };
    format!("{name}{what}: accuracy in percent {scorer}")
}
