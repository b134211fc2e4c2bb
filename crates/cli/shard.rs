//! `--shard`: which part of a run this machine asks.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use evaluation::{RunFolder, Shard};

/// Where the number of the shard comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardArg {
    Given(Shard),
    /// A task of a Slurm array.
    Slurm,
    /// A pod of an indexed job, of which there are so many.
    Kubernetes(u32),
}

impl FromStr for ShardArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pods = text.strip_prefix("kubernetes/").map(|count| count.parse());
        match (text, pods) {
            ("slurm", _) => Ok(Self::Slurm),
            (_, Some(Ok(count))) if count > 0 => Ok(Self::Kubernetes(count)),
            _ => text.parse().map(Self::Given).map_err(|_: String| {
                "expected I/N with I from 1 to N, such as 3/4, or slurm, or kubernetes/N"
                    .to_string()
            }),
        }
    }
}

impl ShardArg {
    /// The shard, by the variables of the scheduler where it is to say.
    pub fn resolve(self) -> anyhow::Result<Shard> {
        self.resolve_by(|name| std::env::var(name).ok())
    }

    fn resolve_by(self, variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<Shard> {
        let number = |name: &str| -> anyhow::Result<u32> {
            let value = variable(name);
            let value = value.ok_or_else(|| anyhow::anyhow!("{}", not_set(self, name)))?;
            let number = value.trim().parse();
            number.map_err(|_| anyhow::anyhow!("{name} is \"{value}\", and not a number"))
        };
        let (task, first, count) = match self {
            Self::Given(shard) => return Ok(shard),
            Self::Slurm => (
                number("SLURM_ARRAY_TASK_ID")?,
                number("SLURM_ARRAY_TASK_MIN")?,
                number("SLURM_ARRAY_TASK_COUNT")?,
            ),
            Self::Kubernetes(pods) => (number("JOB_COMPLETION_INDEX")?, 0, pods),
        };
        let index = task
            .checked_sub(first)
            .and_then(|place| place.checked_add(1));
        let shard = index.and_then(|index| Shard::new(index, count));
        shard.ok_or_else(|| match self {
            Self::Kubernetes(_) => anyhow::anyhow!(
                "JOB_COMPLETION_INDEX is {task}, but --shard kubernetes/{count} has the indices 0 to {}: give the number of the job's completions",
                count - 1
            ),
            _ => anyhow::anyhow!(
                "task {task} of an array of {count} that begins with {first} is no shard: give the array without gaps, such as --array=1-{count}, or name the shard, --shard I/N"
            ),
        })
    }
}

/// What to do where a variable is not there.
fn not_set(arg: ShardArg, name: &str) -> String {
    match arg {
        ShardArg::Kubernetes(_) => format!(
            "--shard kubernetes/N reads {name}, which is not set: the job needs completionMode: Indexed"
        ),
        _ => format!(
            "--shard slurm reads {name}, which is not set: start it as a task of an array, such as `sbatch --array=1-4`, or name the shard, --shard I/N"
        ),
    }
}

/// The folder of a shard in that of its run, which may hold nothing but shards of the same number.
pub fn folder(run: &Path, shard: Shard) -> anyhow::Result<PathBuf> {
    anyhow::ensure!(
        !RunFolder::is_run(run),
        "{} holds a whole run, and no shard can be put into it: choose another folder with --output-dir",
        run.display()
    );
    let entries = std::fs::read_dir(run).into_iter().flatten().flatten();
    let others =
        entries.filter_map(|entry| Shard::of_folder_name(&entry.file_name().to_string_lossy()));
    // An array that was started again for some of its tasks alone has another count: what it asked
    // would fit nowhere.
    if let Some(other) = others
        .into_iter()
        .find(|other| other.count() != shard.count())
    {
        anyhow::bail!(
            "{} holds shards of a run in {}, and this is {shard}: give --shard I/{}, or another folder with --output-dir",
            run.display(),
            other.count(),
            other.count()
        );
    }
    Ok(run.join(shard.folder_name()))
}

/// Whether a variable goes into the command that is written down: one of ours, but not what names the
/// shard, nor a key.
fn is_recorded(name: &str) -> bool {
    name.starts_with("MWPBENCH_") && name != "MWPBENCH_SHARD" && !name.ends_with("_KEY")
}

/// The command of this process as another machine would give it, without what names the shard.
pub fn command() -> String {
    let variables = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok().filter(|name| is_recorded(name))?;
        Some((name, value.to_string_lossy().into_owned()))
    });
    let mut variables: Vec<(String, String)> = variables.collect();
    variables.sort();
    let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    written(variables, arguments.skip(1))
}

fn written(variables: Vec<(String, String)>, arguments: impl Iterator<Item = String>) -> String {
    let mut words: Vec<String> = variables
        .into_iter()
        .map(|(name, value)| format!("{name}={}", reporting::shell(&value)))
        .collect();
    words.push("mwpbench".to_string());
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--shard" => drop(arguments.next()),
            of_shard if of_shard.starts_with("--shard=") => {}
            "" => words.push("''".to_string()),
            other => words.push(reporting::shell(other)),
        }
    }
    words.join(" ")
}

/// The command that asks a shard.
pub fn command_of(command: &str, shard: Shard) -> String {
    format!("{command} --shard {}/{}", shard.index(), shard.count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(arg: &str, variables: &[(&str, &str)]) -> Result<String, String> {
        let arg: ShardArg = arg.parse()?;
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.to_string())
        };
        let shard = arg
            .resolve_by(variable)
            .map_err(|error| error.to_string())?;
        Ok(shard.to_string())
    }

    #[test]
    fn tasks_of_an_array_and_pods_of_a_job_are_shards() {
        let task = |id, first, count| {
            [
                ("SLURM_ARRAY_TASK_ID", id),
                ("SLURM_ARRAY_TASK_MIN", first),
                ("SLURM_ARRAY_TASK_COUNT", count),
            ]
        };
        assert_eq!(resolved("3/4", &[]).unwrap(), "shard 3 of 4");
        assert_eq!(
            resolved("slurm", &task("1", "1", "4")).unwrap(),
            "shard 1 of 4"
        );
        assert_eq!(
            resolved("slurm", &task("3", "0", "4")).unwrap(),
            "shard 4 of 4"
        );
        let index = [("JOB_COMPLETION_INDEX", "7")];
        assert_eq!(resolved("kubernetes/8", &index).unwrap(), "shard 8 of 8");
        let gap = resolved("slurm", &task("7", "1", "3")).unwrap_err();
        assert!(gap.contains("without gaps"), "{gap}");
        let pods = resolved("kubernetes/4", &index).unwrap_err();
        assert!(pods.contains("0 to 3"), "{pods}");
        assert!(
            resolved("slurm", &[])
                .unwrap_err()
                .contains("SLURM_ARRAY_TASK_ID")
        );
        for wrong in ["kubernetes", "kubernetes/0", "Slurm", "4", "0/4"] {
            assert!(wrong.parse::<ShardArg>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_command_is_written_so_that_a_shell_reads_it_and_names_no_shard() {
        let arguments = [
            "eval", "--model", "my model", "--shard", "slurm", "--stop", "",
        ];
        let text = written(
            vec![("MWPBENCH_HOME".to_string(), "/a b".to_string())],
            arguments.iter().map(|argument| argument.to_string()),
        );
        assert_eq!(
            text,
            "MWPBENCH_HOME='/a b' mwpbench eval --model 'my model' --stop ''"
        );
        for (name, recorded) in [
            ("MWPBENCH_HOME", true),
            ("MWPBENCH_SHARD", false),
            ("MWPBENCH_API_KEY", false),
            ("MWPBENCH_SERVE_API_KEY", false),
            ("HF_TOKEN", false),
        ] {
            assert_eq!(is_recorded(name), recorded, "{name}");
        }
        let shard = "2/4".parse().unwrap();
        let equals = written(
            Vec::new(),
            ["eval".to_string(), "--shard=1/4".to_string()].into_iter(),
        );
        assert_eq!(command_of(&equals, shard), "mwpbench eval --shard 2/4");
    }
}
