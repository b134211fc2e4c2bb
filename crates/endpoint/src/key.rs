//! A secret that is sent and never shown.

use std::fmt;
use std::path::Path;

use reqwest::header::HeaderValue;

use crate::error::Error;

/// What stands where a key was.
const REMOVED: &str = "[key]";
/// A key file with more bytes than this is some other file.
const MAX_KEY_FILE_BYTES: u64 = 16 * 1024;
/// Shorter keys, such as `EMPTY`, are no secrets but words that a completion may well have.
const MIN_SECRET_BYTES: usize = 16;

/// An API key. It has no `Display`, its `Debug` hides it, and it travels in the `Authorization`
/// header alone.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(hidden)")
    }
}

impl ApiKey {
    /// Takes a key; `place` says in errors where it came from.
    ///
    /// # Errors
    /// A key that is empty, or holds spaces, line ends or other than visible ASCII characters.
    pub fn new(key: &str, place: &str) -> Result<Self, Error> {
        let key = key.trim();
        let refused = |reason: &str| Error::Key {
            place: place.to_string(),
            reason: reason.to_string(),
        };
        if key.is_empty() {
            return Err(refused("it is empty"));
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(refused(
                "a key is one word of visible ASCII characters, and nothing else may stand beside it",
            ));
        }
        Ok(Self(key.to_string()))
    }

    /// Reads a key from a file that holds nothing else, spaces and line ends around it apart.
    ///
    /// # Errors
    /// A file that cannot be read, is larger than 16 KiB or holds no key.
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let place = path.display().to_string();
        let failed = |reason: String| Error::Key {
            place: place.clone(),
            reason,
        };
        let size = std::fs::metadata(path)
            .map_err(|error| failed(error.to_string()))?
            .len();
        if size > MAX_KEY_FILE_BYTES {
            return Err(failed(format!(
                "it has {size} bytes: a key file holds the key and nothing else"
            )));
        }
        let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|_| failed("it is no text".to_string()))?;
        Self::new(&text, &place)
    }

    /// The first of these variables of the environment that is set and not empty.
    ///
    /// # Errors
    /// A variable whose value cannot be a key.
    pub fn from_environment(names: &[&str]) -> Result<Option<Self>, Error> {
        let set = names
            .iter()
            .filter_map(|name| Some((name, std::env::var_os(name)?)));
        match set.into_iter().find(|(_, value)| !value.is_empty()) {
            Some((name, value)) => {
                Self::new(&value.to_string_lossy(), &format!("the variable {name}")).map(Some)
            }
            None => Ok(None),
        }
    }

    /// The value of the `Authorization` header, which HTTP libraries then keep out of their logs.
    pub(crate) fn header(&self) -> HeaderValue {
        let text = format!("Bearer {}", self.0);
        let mut header = HeaderValue::from_str(&text).expect("a key is visible ASCII");
        header.set_sensitive(true);
        header
    }
}

/// What keeps a key out of all that a server says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scrubber(Option<ApiKey>);

impl Scrubber {
    pub(crate) fn new(key: Option<&ApiKey>) -> Self {
        Self(key.cloned())
    }

    /// A text without the key, as it is and as it stands in JSON that escapes slashes.
    pub(crate) fn scrub(&self, text: &str) -> String {
        match &self.0 {
            Some(ApiKey(key)) => text
                .replace(key.as_str(), REMOVED)
                .replace(&key.replace('/', "\\/"), REMOVED),
            None => text.to_string(),
        }
    }

    /// A completion without the key: a server may echo what it was sent. Words that are no secrets
    /// stay.
    pub(crate) fn scrub_completion(&self, text: String) -> String {
        match &self.0 {
            Some(ApiKey(key)) if key.len() >= MIN_SECRET_BYTES && text.contains(key.as_str()) => {
                self.scrub(&text)
            }
            _ => text,
        }
    }

    /// The beginning of a text for an error: without the key, on one line, at most `most`
    /// characters.
    pub(crate) fn quote(&self, text: &str, most: usize) -> String {
        // Before the text is cut: of a key across the cut the beginning would stay.
        let scrubbed = self.scrub(text);
        let one_line = scrubbed.split_whitespace().collect::<Vec<_>>().join(" ");
        let shown: String = one_line
            .chars()
            .filter(|c| !c.is_control())
            .take(most)
            .collect();
        if shown.len() < one_line.len() {
            format!("{shown}…")
        } else {
            shown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "sk-0123456789abcdef/x";

    #[test]
    fn a_key_is_never_shown() {
        let key = ApiKey::new(SECRET, "a test").unwrap();
        let scrubber = Scrubber::new(Some(&key));
        assert!(!format!("{key:?} {scrubber:?} {:?}", key.header()).contains("0123456789"));
        for text in [
            format!("you sent {SECRET}!"),
            format!("{{\"k\":\"{}\"}}", SECRET.replace('/', "\\/")),
        ] {
            assert!(!scrubber.quote(&text, 100).contains("0123456789"), "{text}");
        }
        assert_eq!(scrubber.scrub_completion(format!("= {SECRET}")), "= [key]");
    }

    #[test]
    fn a_quote_is_one_bounded_line() {
        assert_eq!(Scrubber::default().quote("a\n b\u{1}c   d", 100), "a bc d…");
        assert_eq!(Scrubber::default().quote("żółć", 2), "żó…");
        assert_eq!(Scrubber::default().quote("ab", 2), "ab");
    }

    #[test]
    fn what_cannot_be_a_key_is_refused() {
        for text in ["", "  \n", "two words", "schlüssel"] {
            assert!(ApiKey::new(text, "a test").is_err(), "{text:?}");
        }
        assert!(ApiKey::new(" abc\n", "a test").is_ok());
    }

    #[test]
    fn a_word_that_is_no_secret_stays_in_completions() {
        let key = ApiKey::new("EMPTY", "a test").unwrap();
        assert_eq!(
            Scrubber::new(Some(&key)).scrub_completion("the set is EMPTY".into()),
            "the set is EMPTY"
        );
    }
}
