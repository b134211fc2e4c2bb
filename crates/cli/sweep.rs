//! `--model 'runs/checkpoint-*'` and several `--model`: each a run of its own.

use std::path::{Path, PathBuf};

/// Each model that is given, in place of a pattern the checkpoints that it names; none twice.
pub fn models(given: &[String]) -> anyhow::Result<Vec<String>> {
    let mut models = Vec::new();
    for given in given {
        let found = match checkpoints(given)? {
            Some(paths) => paths
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
            None => vec![given.clone()],
        };
        for model in found {
            if !models.contains(&model) {
                models.push(model);
            }
        }
    }
    Ok(models)
}

/// The checkpoints that a pattern names, those of a trainer in the order of their steps; `None` where
/// it is no pattern, or the name of something that is there.
fn checkpoints(pattern: &str) -> anyhow::Result<Option<Vec<PathBuf>>> {
    if !pattern.contains(['*', '?']) || Path::new(pattern).exists() {
        return Ok(None);
    }
    let mut found = matching(pattern)?;
    found.retain(|path| is_checkpoint(path));
    anyhow::ensure!(
        !found.is_empty(),
        "no checkpoint matches {pattern}: folders with config.json and GGUF files are looked for"
    );
    found.sort_by_cached_key(|path| (step(path), path.clone()));
    Ok(Some(found))
}

fn is_checkpoint(path: &Path) -> bool {
    path.join("config.json").is_file()
        || (path.is_file() && path.extension().is_some_and(|end| end == "gguf"))
}

/// The number at the end of a name, such as `checkpoint-500`; those without one come last.
fn step(path: &Path) -> u64 {
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
pub fn run_names(models: &[String]) -> Vec<String> {
    let last = |model: &String| {
        model
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or(model)
            .to_string()
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
        let found = checkpoints(&pattern("*/*")).unwrap().unwrap();
        let found: Vec<String> = found
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let names = run_names(&found);
        assert_eq!(
            names,
            ["checkpoint-90", "checkpoint-1000", "checkpoint-final"]
        );
        assert!(checkpoints(&pattern("none-*")).is_err());
        let given = [
            "org/name".to_string(),
            pattern("run/*"),
            "org/name".to_string(),
        ];
        assert_eq!(models(&given).unwrap().len(), 4);
        let shared = ["a/x".to_string(), "/b/x".to_string(), "c/y".to_string()];
        assert_eq!(run_names(&shared), ["a-x", "b-x", "y"]);
    }
}
