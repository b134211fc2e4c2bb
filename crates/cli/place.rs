//! What a path that is no checkpoint may be, and what its user wants instead.

use std::path::Path;

/// Folders of a trainer that are named.
const MAX_LISTED: usize = 5;

/// What to give in place of a path at which there is nothing.
pub const INSTEAD_OF_NOTHING: &str = "Give the folder of a checkpoint in Hugging Face layout, a GGUF file, a name on the hub (org/name), or `demo`";

/// What to give in place of a file or folder that is no checkpoint; `None` where nothing is known.
pub fn instead_of(path: &Path) -> Option<String> {
    match path.is_dir() {
        true => instead_of_folder(path),
        false => instead_of_file(path),
    }
}

fn instead_of_file(file: &Path) -> Option<String> {
    let extension = file.extension()?.to_str()?;
    let of_checkpoint = ["safetensors", "bin", "pt", "pth", "json"].contains(&extension);
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    of_checkpoint.then(|| {
        format!(
            "A file of a checkpoint is not enough: give its folder, --model {}",
            folder.display()
        )
    })
}

fn instead_of_folder(folder: &Path) -> Option<String> {
    if folder.join("config.json").exists() {
        return None;
    }
    if let Ok(text) = std::fs::read_to_string(folder.join("adapter_config.json")) {
        let config: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let base = config["base_model_name_or_path"].as_str().unwrap_or("BASE");
        return Some(format!(
            "Give --model {base} --adapter {}",
            folder.display()
        ));
    }
    let mut checkpoints: Vec<(u64, String)> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let holds = |file: &str| path.join(file).exists();
            let is_one = holds("config.json") || holds("adapter_config.json");
            let name = path.display().to_string();
            let step = name.rsplit('-').next()?.parse().unwrap_or(u64::MAX);
            is_one.then_some((step, name))
        })
        .collect();
    checkpoints.sort();
    let names: Vec<&str> = checkpoints.iter().map(|(_, name)| name.as_str()).collect();
    let more = match names.len().saturating_sub(MAX_LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let last = names.len().saturating_sub(MAX_LISTED);
    (!names.is_empty()).then(|| {
        format!(
            "It holds checkpoints: give one of {}{more}",
            names[last..].join(", ")
        )
    })
}
