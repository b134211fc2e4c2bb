//! In what two records of settings differ.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

/// One field in which two records differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Path of the field, such as `decoding.max_tokens`.
    pub field: String,
    /// The value in the folder, as JSON.
    pub there: String,
    /// The value asked for now, as JSON.
    pub here: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is {} there and {} here",
            self.field, self.there, self.here
        )
    }
}

/// The fields in which `here` (asked for now) differs from `there` (found in a folder), by name
/// within objects and whole elsewhere. A field that one of them lacks reads `null` there.
pub fn differences(there: &Value, here: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", there, here, &mut found);
    found
}

fn compare(path: &str, there: &Value, here: &Value, found: &mut Vec<Difference>) {
    if let (Value::Object(old), Value::Object(new)) = (there, here) {
        let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
        // Objects keep the order in which they were written, and the two sides may differ in it.
        keys.sort();
        keys.dedup();
        for key in keys {
            let field = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            compare(
                &field,
                old.get(key).unwrap_or(&Value::Null),
                new.get(key).unwrap_or(&Value::Null),
                found,
            );
        }
    } else if there != here {
        found.push(Difference {
            field: path.to_string(),
            there: there.to_string(),
            here: here.to_string(),
        });
    }
}

/// The entries in which two maps differ, by name behind `prefix`. `equal` decides, `text` shows; an
/// entry that one of them lacks reads `absent` there.
pub fn compare_maps<T>(
    prefix: &str,
    there: &BTreeMap<String, T>,
    here: &BTreeMap<String, T>,
    equal: impl Fn(&T, &T) -> bool,
    text: impl Fn(&T) -> String,
) -> Vec<Difference> {
    let names: BTreeSet<&String> = there.keys().chain(here.keys()).collect();
    let difference = |name: &String| {
        let sides = [there.get(name), here.get(name)];
        if matches!(sides, [Some(a), Some(b)] if equal(a, b)) {
            return None;
        }
        let [there, here] = sides.map(|side| side.map_or("absent".to_string(), &text));
        Some(Difference {
            field: format!("{prefix}{name}"),
            there,
            here,
        })
    };
    names.into_iter().filter_map(difference).collect()
}
