//! `strftime_now`: the date as Python's `datetime.strftime` writes it in the C locale.

use jiff::civil::{Date, Time};
use jiff::fmt::strtime;

/// A date at midnight, by a format of Python. Seconds since 1970 (`%s`) are refused: they depend on
/// the time zone.
///
/// # Errors
/// The directive that is not known.
pub(crate) fn strftime(date: Date, format: &str) -> Result<String, String> {
    let moment = date.to_datetime(Time::midnight());
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(letter) = chars.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        let mut directive = String::from("%");
        // Flags of the C library, as in `%-d`.
        let named = loop {
            match chars.next() {
                Some(flag @ ('-' | '_' | '0' | '^' | '#')) => directive.push(flag),
                other => break other,
            }
        };
        let Some(name) = named else {
            out.push_str(&directive);
            continue;
        };
        directive.push(name);
        let plain = match name {
            '%' => "%",
            // A date without a time zone, and without a part of a second.
            'z' | 'Z' => "",
            'f' => "000000",
            'c' => &strtime::format("%a %b %e %H:%M:%S %Y", moment)
                .map_err(|error| error.to_string())?,
            'x' => &strtime::format("%m/%d/%y", moment).map_err(|error| error.to_string())?,
            'X' => "00:00:00",
            's' => return Err(format!("strftime_now with {directive} is not supported")),
            _ => &strtime::format(&directive, moment).map_err(|error| {
                format!("strftime_now with {directive} is not supported: {error}")
            })?,
        };
        out.push_str(plain);
    }
    Ok(out)
}
