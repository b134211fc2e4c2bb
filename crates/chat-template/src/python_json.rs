//! The filter `tojson` as transformers defines it: Python's `json.dumps`, which neither escapes
//! HTML nor, unless asked to, letters beyond ASCII.

use std::fmt::Write;

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Error, ErrorKind, Value};

/// The arguments of `json.dumps`.
struct Style {
    ensure_ascii: bool,
    /// What a level is indented by; `None` for one line.
    indent: Option<String>,
    between_items: String,
    after_key: String,
    sort_keys: bool,
}

/// `tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False)`.
pub(crate) fn tojson(
    value: Value,
    positional: Rest<Value>,
    named: Kwargs,
) -> Result<String, Error> {
    let mut positional = positional.0.into_iter();
    let mut argument = |name: &str| match positional.next() {
        Some(value) => Ok(Some(value)),
        None => named.get::<Option<Value>>(name),
    };
    let given =
        |value: Option<Value>| value.filter(|value| !value.is_none() && !value.is_undefined());
    let ensure_ascii = argument("ensure_ascii")?.is_some_and(|value| value.is_true());
    let indent =
        given(argument("indent")?).map(|indent| match (indent.as_str(), indent.as_i64()) {
            (Some(text), _) => Ok(text.to_string()),
            // A negative width only breaks lines, as in Python. The upper end is ours: a huge width
            // would be allocated at once, whatever the fuel.
            (None, Some(width)) => Ok(" ".repeat(width.clamp(0, 64) as usize)),
            (None, None) => Err(invalid("indent is neither a number nor a text")),
        });
    let indent = indent.transpose()?;
    let (between_items, after_key) = match given(argument("separators")?) {
        None => (
            // Python leaves out the blank behind a comma where each item has a line of its own.
            if indent.is_some() { "," } else { ", " }.to_string(),
            ": ".to_string(),
        ),
        Some(pair) => {
            let text = |index: usize| {
                pair.get_item_by_index(index)
                    .ok()?
                    .as_str()
                    .map(str::to_string)
            };
            text(0)
                .zip(text(1))
                .ok_or_else(|| invalid("separators are not two texts"))?
        }
    };
    let sort_keys = argument("sort_keys")?.is_some_and(|value| value.is_true());
    named.assert_all_used()?;
    let style = Style {
        ensure_ascii,
        indent,
        between_items,
        after_key,
        sort_keys,
    };
    let mut out = String::new();
    style.write(&value, 0, &mut out)?;
    Ok(out)
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(
        ErrorKind::InvalidOperation,
        format!("tojson: {}", message.into()),
    )
}

impl Style {
    fn write(&self, value: &Value, depth: usize, out: &mut String) -> Result<(), Error> {
        // As deep as values of a conversation never are.
        const DEEPEST: usize = 100;
        if depth > DEEPEST {
            return Err(invalid("the value is nested too deeply"));
        }
        match value.kind() {
            ValueKind::String => self.write_text(value.as_str().unwrap_or_default(), out),
            ValueKind::Seq | ValueKind::Iterable => {
                let items: Vec<Value> = value.try_iter()?.collect();
                let write = |item: &Value, out: &mut String| self.write(item, depth + 1, out);
                self.write_all("[]", &items, depth, out, write)?;
            }
            ValueKind::Map => {
                let mut entries = Vec::new();
                for key in value.try_iter()? {
                    let item = value.get_item(&key)?;
                    entries.push((key_text(&key)?, item));
                }
                if self.sort_keys {
                    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
                }
                self.write_all("{}", &entries, depth, out, |(key, item), out| {
                    self.write_text(key, out);
                    out.push_str(&self.after_key);
                    self.write(item, depth + 1, out)
                })?;
            }
            _ => out.push_str(&scalar(value)?),
        }
        Ok(())
    }

    fn write_all<T>(
        &self,
        brackets: &str,
        items: &[T],
        depth: usize,
        out: &mut String,
        write: impl Fn(&T, &mut String) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (open, close) = brackets.split_at(1);
        let new_line = |depth: usize| match &self.indent {
            Some(indent) => format!("\n{}", indent.repeat(depth)),
            None => String::new(),
        };
        out.push_str(open);
        for (index, item) in items.iter().enumerate() {
            out.push_str(if index == 0 { "" } else { &self.between_items });
            out.push_str(&new_line(depth + 1));
            write(item, out)?;
        }
        if !items.is_empty() {
            out.push_str(&new_line(depth));
        }
        out.push_str(close);
        Ok(())
    }

    fn write_text(&self, text: &str, out: &mut String) {
        out.push('"');
        for letter in text.chars() {
            match letter {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                letter if letter < ' ' || (self.ensure_ascii && !(' '..='~').contains(&letter)) => {
                    // Letters beyond U+FFFF become a pair of surrogates, as Python writes them.
                    for unit in letter.encode_utf16(&mut [0; 2]) {
                        // Writing to a text cannot fail.
                        let _ = write!(out, "\\u{unit:04x}");
                    }
                }
                letter => out.push(letter),
            }
        }
        out.push('"');
    }
}

/// What is neither a text nor a collection.
fn scalar(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::None => Ok("null".to_string()),
        ValueKind::Bool => Ok(value.is_true().to_string()),
        ValueKind::Number => match f64::try_from(value.clone()) {
            // These three are no JSON, but what `json.dumps` writes.
            Ok(number) if number.is_nan() => Ok("NaN".to_string()),
            Ok(f64::INFINITY) => Ok("Infinity".to_string()),
            Ok(f64::NEG_INFINITY) => Ok("-Infinity".to_string()),
            _ => Ok(value.to_string()),
        },
        ValueKind::Undefined => Err(invalid("a value is undefined")),
        kind => Err(invalid(format!(
            "a value is a {kind}, which JSON does not know"
        ))),
    }
}

fn key_text(key: &Value) -> Result<String, Error> {
    match key.as_str() {
        Some(text) => Ok(text.to_string()),
        None => scalar(key),
    }
}
