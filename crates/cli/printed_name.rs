//! Names that stand in tables.

/// Most characters: a longer one leaves a table no room.
const MAX_CHARS: usize = 100;

/// A name on one line, which cannot steer a terminal.
pub fn printed_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() {
        return Err("is empty: leave it out, or give a name".to_string());
    }
    if name.chars().any(char::is_control) {
        return Err("holds control characters: give a name on one line".to_string());
    }
    match name.chars().count() {
        chars if chars > MAX_CHARS => Err(format!(
            "has {chars} characters: at most {MAX_CHARS} fit a table"
        )),
        _ => Ok(name.to_string()),
    }
}
