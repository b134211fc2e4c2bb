//! `mwpbench gate`: is the candidate no worse than the baseline?

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use evaluation::{ComparedRun, Gate, GateFlags, GateRules, GateVerdict};
use jiff::Timestamp;
use statistics::Bootstrap;

use crate::compare::ScorerName;
use crate::exit::{self, Outcome};
use crate::{heading, output_file, terminal};

/// The file of rules in the current folder.
const CONFIG: &str = "mwpbench.toml";

/// Fail on a regression against a baseline, and not on noise.
///
/// The gate fails where the candidate is worse than the baseline by more than the margin, passes
/// where it is not (non-inferiority), and else says that there are too few items to decide.
#[derive(clap::Args)]
#[command(after_help = "\
Exit codes:
  0  passed: every rule holds
  1  failed: a rule is broken beyond doubt, whatever the others say
  2  usage: wrong flags, names, paths or rules
  3  a run is incomplete, or there are too few items to tell
  4  the runs are not comparable, or a file is not what it should be")]
pub struct Args {
    /// The baseline: a run folder, or a file that `mwpbench baseline save` wrote.
    #[arg(long, value_name = "RUN|FILE", help_heading = heading::DATA)]
    baseline: PathBuf,
    /// The candidate's run folder.
    #[arg(long, value_name = "RUN", help_heading = heading::DATA)]
    candidate: PathBuf,
    /// Also judge imported runs whose files do not tell template or decoding.
    #[arg(long, help_heading = heading::DATA)]
    allow_unknown: bool,
    /// Scorer whose verdicts count; wins over mwpbench.toml, and is official without either.
    #[arg(long, value_enum, help_heading = heading::SCORING)]
    scorer: Option<ScorerName>,
    #[arg(
        long,
        value_name = "POINTS",
        help_heading = heading::SCORING,
        help = format!(
            "Margin: the largest drop in percentage points that passes; wins over mwpbench.toml, \
             and is {:.1} without either",
            GateRules::default().max_drop * 100.0
        )
    )]
    max_drop: Option<f64>,
    #[arg(
        long,
        value_name = "ALPHA",
        help_heading = heading::SCORING,
        help = format!(
            "Significance level: how often a rule may wrongly fail, or wrongly pass; wins over \
             mwpbench.toml, and is {} without either",
            GateRules::default().alpha
        )
    )]
    alpha: Option<f64>,
    /// Also fail on any significant drop, however small.
    #[arg(long, help_heading = heading::SCORING)]
    fail_on_any_drop: bool,
    /// Rules for averages and sets; without it mwpbench.toml, where there is one.
    #[arg(
        long,
        env = "MWPBENCH_CONFIG",
        value_name = "FILE",
        help_heading = heading::SCORING
    )]
    config: Option<PathBuf>,
    /// Random seed of the bootstrap.
    #[arg(
        long,
        default_value_t = 0,
        value_name = "N",
        help_heading = heading::SCORING
    )]
    seed: u64,
    /// Write a report in JUnit's XML.
    #[arg(long, value_name = "FILE", help_heading = heading::OUTPUT)]
    junit: Option<PathBuf>,
    /// Write a summary in Markdown; under GitHub Actions it is also added to the job's summary.
    #[arg(long, value_name = "FILE", help_heading = heading::OUTPUT)]
    markdown: Option<PathBuf>,
    #[command(flatten)]
    printing: terminal::PrintArgs,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    match args.gate() {
        Ok(gate) => {
            let annotations = reporting::gate_annotations(&gate);
            args.printing
                .print(&gate, || reporting::gate_text(&gate, terminal::width()))?;
            args.write(
                &reporting::gate_junit(&gate, &now()),
                &reporting::gate_markdown(&gate),
                &annotations,
            )?;
            Ok(match gate.verdict {
                GateVerdict::Passed => Outcome::Done,
                GateVerdict::Failed => Outcome::CheckFailed,
                GateVerdict::Incomplete | GateVerdict::CannotTell => Outcome::Incomplete,
                GateVerdict::ProtocolsDiffer => Outcome::NotComparable,
            })
        }
        Err(error) => {
            // The reports distinguish a broken run from a worse model too.
            let message = exit::chain(&error);
            let annotation = reporting::gate_error_annotation(&message);
            let (junit, markdown) = (
                reporting::gate_error_junit(&message, &now()),
                reporting::gate_error_markdown(&message),
            );
            if let Err(unwritten) = args.write(&junit, &markdown, &annotation) {
                eprintln!("warning: {}", exit::chain(&unwritten));
            }
            Err(error)
        }
    }
}

/// The time in UTC, to the second, as JUnit's reports have it.
fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

impl Args {
    fn gate(&self) -> anyhow::Result<Gate> {
        let (baseline, candidate) = (
            ComparedRun::open(&self.baseline)?,
            ComparedRun::open(&self.candidate)?,
        );
        let own_sets = candidate.set_names();
        let rules = match &self.config {
            Some(file) => GateRules::read(file, &own_sets)?,
            None if Path::new(CONFIG).is_file() => GateRules::read(Path::new(CONFIG), &own_sets)?,
            None => GateRules::default(),
        };
        let flags = GateFlags {
            max_drop: self.max_drop,
            alpha: self.alpha,
            scorer: self.scorer.map(Into::into),
            strict: self.fail_on_any_drop,
            allow_unknown: self.allow_unknown,
        };
        let bootstrap = Bootstrap {
            seed: self.seed,
            ..Bootstrap::default()
        };
        Ok(evaluation::gate(
            &baseline,
            &candidate,
            &rules.with(&flags)?,
            bootstrap,
        )?)
    }

    /// Writes the reports that flags name, and those that GitHub Actions expects.
    fn write(&self, junit: &str, markdown: &str, annotations: &str) -> anyhow::Result<()> {
        for (file, text) in [(&self.junit, junit), (&self.markdown, markdown)] {
            if let Some(file) = file {
                output_file::write(file, text.as_bytes())?;
            }
        }
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        if let Some(file) = variable("GITHUB_STEP_SUMMARY").map(PathBuf::from) {
            let appended = fs::File::options().create(true).append(true).open(&file);
            let written = appended.and_then(|mut out| out.write_all(markdown.as_bytes()));
            written.with_context(|| {
                format!("cannot write {} ($GITHUB_STEP_SUMMARY)", file.display())
            })?;
        }
        if variable("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
            // On stderr, which GitHub reads too: stdout belongs to the result.
            eprint!("{annotations}");
        }
        Ok(())
    }
}
