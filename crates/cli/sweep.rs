//! `--model 'runs/checkpoint-*'` and several `--model`, the same of `--adapter`: each a run of its
//! own.

use std::path::{Path, PathBuf};

/// What one run of several evaluates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// As `--model` names it.
    pub model: String,
    /// As `--adapter` names it; `None` where the flag stays as it is.
    pub adapter: Option<String>,
}

impl Subject {
    /// A model with whatever `--adapter` says.
    pub fn model(model: String) -> Self {
        Self {
            model,
            adapter: None,
        }
    }

    /// What it differs in from the others.
    pub fn name(&self) -> &str {
        self.adapter.as_ref().unwrap_or(&self.model)
    }
}

/// What is evaluated, each in a run of its own: every model with the adapter, or one model with
/// every adapter.
pub fn subjects(models: &[String], adapters: &[String]) -> anyhow::Result<Vec<Subject>> {
    let models = each(models, &Kind::MODEL)?;
    let found = each(adapters, &Kind::ADAPTER)?;
    if found == adapters && found.len() < 2 {
        return Ok(models.into_iter().map(Subject::model).collect());
    }
    let [base] = models.as_slice() else {
        anyhow::bail!(
            "--model names {} models and --adapter {} adapters: give one model for all adapters, or one adapter for all models",
            models.len(),
            found.len()
        );
    };
    let with_adapter = |adapter| Subject {
        model: base.clone(),
        adapter: Some(adapter),
    };
    Ok(found.into_iter().map(with_adapter).collect())
}

/// What a pattern names.
struct Kind {
    is_one: fn(&Path) -> bool,
    noun: &'static str,
    /// What is looked for, in a message.
    looked_for: &'static str,
}

impl Kind {
    const MODEL: Self = Self {
        is_one: |path| {
            path.join("config.json").is_file()
                || (path.is_file() && path.extension().is_some_and(|end| end == "gguf"))
        },
        noun: "checkpoint",
        looked_for: "folders with config.json and GGUF files",
    };
    const ADAPTER: Self = Self {
        is_one: |path| path.join("adapter_config.json").is_file(),
        noun: "adapter",
        looked_for: "folders with adapter_config.json",
    };
}

/// Everything that is given, in place of a pattern what it names; nothing twice.
fn each(given: &[String], kind: &Kind) -> anyhow::Result<Vec<String>> {
    let mut all = Vec::new();
    for given in given {
        let found = match matches(given, kind)? {
            Some(paths) => paths
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
            None => vec![given.clone()],
        };
        for found in found {
            if !all.contains(&found) {
                all.push(found);
            }
        }
    }
    Ok(all)
}

/// What a pattern names, those of a trainer in the order of their steps; `None` where it is no
/// pattern, or the name of something that is there.
fn matches(pattern: &str, kind: &Kind) -> anyhow::Result<Option<Vec<PathBuf>>> {
    if !pattern.contains(['*', '?']) || Path::new(pattern).exists() {
        return Ok(None);
    }
    let mut found = matching(pattern)?;
    found.retain(|path| (kind.is_one)(path));
    anyhow::ensure!(
        !found.is_empty(),
        "no {} matches {pattern}: {} are looked for",
        kind.noun,
        kind.looked_for
    );
    found.sort_by_cached_key(|path| (step(path), path.clone()));
    Ok(Some(found))
}

/// The training step of a checkpoint: what its trainer noted, else the number at the end of its
/// name, such as `checkpoint-500`; those without one come last.
pub fn step(path: &Path) -> u64 {
    if let Some(step) = inference::trained_steps(path) {
        return step;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let end = name.rsplit(|c: char| !c.is_ascii_digit()).next();
    end.and_then(|digits| digits.parse().ok())
        .unwrap_or(u64::MAX)
}

/// What is there of a path with `*` (any signs) and `?` (one sign) in its parts.
fn matching(pattern: &str) -> anyhow::Result<Vec<PathBuf>> {
    let (mut places, rest) = match pattern.strip_prefix('/') {
        Some(rest) => (vec![PathBuf::from("/")], rest),
        None => (vec![PathBuf::new()], pattern),
    };
    for part in rest.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for place in places {
            if !part.contains(['*', '?']) {
                next.push(place.join(part));
                continue;
            }
            let folder = match place.as_os_str().is_empty() {
                true => Path::new("."),
                false => &place,
            };
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let name = entry?.file_name();
                if fits(part.as_bytes(), name.to_string_lossy().as_bytes()) {
                    next.push(place.join(name));
                }
            }
        }
        places = next;
    }
    Ok(places)
}

/// Whether a name fits a pattern. Names that begin with a point are hidden from `*`, as in a shell.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'.') && pattern.first() != Some(&b'.') {
        return false;
    }
    // Where the last `*` stands, and how much of the name it has taken: a sign that does not fit gives
    // it one more. So the work is at most the product of the lengths.
    let (mut at, mut read, mut star) = (0, 0, None);
    while read < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(&sign) if sign == b'?' || sign == name[read] => {
                at += 1;
                read += 1;
            }
            _ => match &mut star {
                Some((place, taken)) => {
                    *taken += 1;
                    (at, read) = (*place + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|sign| *sign == b'*')
}

/// The names of the models' runs in the folder of all: the last parts of their paths, or where two
/// share that their whole paths.
pub fn run_names<'a>(models: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let models: Vec<&str> = models.into_iter().collect();
    let last = |model: &&str| {
        let end = model.trim_end_matches('/').rsplit('/').next();
        end.unwrap_or(model).to_string()
    };
    let short: Vec<String> = models.iter().map(last).collect();
    let is_shared = |name: &String| short.iter().filter(|other| *other == name).count() > 1;
    let names = models
        .iter()
        .zip(&short)
        .map(|(model, name)| match is_shared(name) {
            true => model.trim_matches('/').replace('/', "-"),
            false => name.clone(),
        });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_patterns_as_in_a_shell() {
        for (pattern, name, fit) in [
            ("checkpoint-*", "checkpoint-100", true),
            ("checkpoint-*", "checkpoint-", true),
            ("*-1?0", "a-100", true),
            ("*-1?0", "a-10", false),
            ("*a*b*c", "xaxxbxbc", true),
            ("*", ".hidden", false),
            ("a", "b", false),
        ] {
            assert_eq!(
                fits(pattern.as_bytes(), name.as_bytes()),
                fit,
                "{pattern} {name}"
            );
        }
        let slow = "a*".repeat(30) + "b";
        assert!(!fits(slow.as_bytes(), "a".repeat(200).as_bytes()));
    }

    #[test]
    fn checkpoints_come_in_the_order_of_their_steps() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "checkpoint-1000",
            "checkpoint-90",
            "checkpoint-final",
            "logs",
        ] {
            let inner = folder.path().join("run").join(name);
            std::fs::create_dir_all(&inner).unwrap();
            if name != "logs" {
                std::fs::write(inner.join("config.json"), "{}").unwrap();
            }
        }
        let pattern = |part: &str| format!("{}/{part}", folder.path().display());
        let found = subjects(&[pattern("*/*")], &[]).unwrap();
        let names = run_names(found.iter().map(Subject::name));
        assert_eq!(
            names,
            ["checkpoint-90", "checkpoint-1000", "checkpoint-final"]
        );
        assert!(subjects(&[pattern("none-*")], &[]).is_err());
        // The trainer's notes say more than a name.
        let state = folder
            .path()
            .join("run/checkpoint-final/trainer_state.json");
        std::fs::write(state, r#"{"global_step": 95}"#).unwrap();
        let found = subjects(&[pattern("run/*")], &[]).unwrap();
        let names = run_names(found.iter().map(Subject::name));
        assert_eq!(
            names,
            ["checkpoint-90", "checkpoint-final", "checkpoint-1000"]
        );
        let given = [
            "org/name".to_string(),
            pattern("run/*"),
            "org/name".to_string(),
        ];
        assert_eq!(subjects(&given, &[]).unwrap().len(), 4);
        assert_eq!(run_names(["a/x", "/b/x", "c/y"]), ["a-x", "b-x", "y"]);
    }

    #[test]
    fn one_model_takes_several_adapters_and_several_models_one() {
        let named =
            |names: &[&str]| -> Vec<String> { names.iter().map(|name| name.to_string()).collect() };
        let found = |models: &[&str], adapters: &[&str]| -> Result<Vec<String>, String> {
            let found = subjects(&named(models), &named(adapters));
            let found = found.map_err(|error| error.to_string())?;
            Ok(found
                .iter()
                .map(|subject| subject.name().to_string())
                .collect())
        };
        assert_eq!(found(&["base"], &["x", "y"]).unwrap(), ["x", "y"]);
        assert_eq!(found(&["a", "b"], &["x"]).unwrap(), ["a", "b"]);
        assert!(
            found(&["a", "b"], &["x", "y"])
                .unwrap_err()
                .contains("one model for all")
        );
        let folder = tempfile::tempdir().unwrap();
        let lora = folder.path().join("lora-1");
        std::fs::create_dir(&lora).unwrap();
        let pattern = format!("{}/lora-*", folder.path().display());
        assert!(
            found(&["base"], &[&pattern])
                .unwrap_err()
                .contains("adapter_config.json")
        );
        std::fs::write(lora.join("adapter_config.json"), "{}").unwrap();
        assert_eq!(
            found(&["base"], &[&pattern]).unwrap(),
            [lora.display().to_string()]
        );
    }
}
