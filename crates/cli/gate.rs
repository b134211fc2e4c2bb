//! `mwpbench gate`: may this candidate take the baseline's place?

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use evaluation::{ComparedRun, Gate, GateFlags, GateRules, GateVerdict};
use statistics::Bootstrap;

use crate::compare::ScorerName;
use crate::exit::{self, Outcome};
use crate::screen;

/// Where rules are looked for.
const CONFIG: &str = "mwpbench.toml";

/// Fail where a candidate is worse than a baseline by more than a margin, and not where it has only
/// wobbled.
#[derive(clap::Args)]
#[command(after_help = "\
Exit codes:
  0  passed: every rule holds
  1  failed: a rule is broken beyond doubt, whatever the others say
  2  usage: wrong flags, names, paths or rules
  3  a run is incomplete, or there are too few items to tell
  4  the runs are not comparable, or a file is not what it should be")]
pub struct Args {
    /// The run to be as good as: its folder, or a file that `mwpbench baseline save` wrote.
    #[arg(long, value_name = "RUN|FILE")]
    baseline: PathBuf,
    /// The run to be judged.
    #[arg(long, value_name = "RUN")]
    candidate: PathBuf,
    /// Largest drop in percentage points that passes [default: 1.0, or as in mwpbench.toml].
    #[arg(long, value_name = "POINTS")]
    max_drop: Option<f64>,
    /// How often a rule may wrongly fail, or wrongly pass [default: 0.05, or as in mwpbench.toml].
    #[arg(long, value_name = "ALPHA")]
    alpha: Option<f64>,
    /// Whose verdicts count [default: official, or as in mwpbench.toml].
    #[arg(long, value_enum)]
    scorer: Option<ScorerName>,
    /// Also fail on any significant drop, however small.
    #[arg(long)]
    fail_on_any_drop: bool,
    /// Rules for averages and sets [default: mwpbench.toml, where there is one].
    #[arg(long, env = "MWPBENCH_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Write a report in JUnit's XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write a summary in Markdown; under GitHub Actions it is also added to the job's summary.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Which random numbers to resample with.
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    #[command(flatten)]
    telling: screen::Telling,
}

pub fn run(args: Args) -> anyhow::Result<Outcome> {
    match args.gate() {
        Ok(gate) => {
            let annotations = reporting::gate_annotations(&gate);
            args.telling
                .tell(&gate, || reporting::gate_text(&gate, screen::width()))?;
            args.write(
                &reporting::gate_junit(&gate),
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
            // The reports tell a broken run from a worse model too.
            let message = exit::chain(&error);
            let annotation = reporting::gate_error_annotation(&message);
            let (junit, markdown) = (
                reporting::gate_error_junit(&message),
                reporting::gate_error_markdown(&message),
            );
            if let Err(unwritten) = args.write(&junit, &markdown, &annotation) {
                eprintln!("warning: {}", exit::chain(&unwritten));
            }
            Err(error)
        }
    }
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

    /// Writes the reports that were asked for, and those that GitHub Actions expects.
    fn write(&self, junit: &str, markdown: &str, annotations: &str) -> anyhow::Result<()> {
        for (file, text) in [(&self.junit, junit), (&self.markdown, markdown)] {
            if let Some(file) = file {
                fs::write(file, text)
                    .with_context(|| format!("cannot write {}", file.display()))?;
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
