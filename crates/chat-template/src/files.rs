//! A checkpoint's chat templates, and which of them is used.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::{Map, Value};

use crate::error::Error;
use crate::special_tokens::SpecialTokensMap;
use crate::template::ChatTemplate;

const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
const SPECIAL_TOKENS_MAP: &str = "special_tokens_map.json";
const TEMPLATE: &str = "chat_template.jinja";
const LEGACY_TEMPLATE: &str = "chat_template.json";
const ADDITIONAL_TEMPLATES: &str = "additional_chat_templates";
const DEFAULT: &str = "default";

/// The files of a checkpoint that chat templates are read from: contents by path in the
/// checkpoint's folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateFiles {
    place: String,
    files: BTreeMap<String, Vec<u8>>,
}

impl TemplateFiles {
    /// Files in memory. `place` names the checkpoint in messages.
    pub fn new(
        place: impl Into<String>,
        files: impl IntoIterator<Item = (String, Vec<u8>)>,
    ) -> Self {
        Self {
            place: place.into(),
            files: files.into_iter().collect(),
        }
    }

    /// The files of a folder, as far as they are there.
    ///
    /// # Errors
    /// [`Error::Unreadable`] for a file that is there.
    pub fn in_folder(folder: &Path) -> Result<Self, Error> {
        let mut files = BTreeMap::new();
        for name in [
            TOKENIZER_CONFIG,
            SPECIAL_TOKENS_MAP,
            TEMPLATE,
            LEGACY_TEMPLATE,
        ] {
            if let Some(bytes) = read(&folder.join(name))? {
                files.insert(name.to_string(), bytes);
            }
        }
        let additional = folder.join(ADDITIONAL_TEMPLATES);
        if additional.is_dir() {
            let unreadable = |source| Error::Unreadable {
                file: additional.clone(),
                source,
            };
            for entry in std::fs::read_dir(&additional).map_err(unreadable)? {
                let file = entry.map_err(unreadable)?.path();
                let name = file
                    .file_name()
                    .map(|name| name.to_string_lossy().into_owned())
                    .unwrap_or_default();
                if let Some(bytes) = name
                    .ends_with(".jinja")
                    .then(|| read(&file))
                    .transpose()?
                    .flatten()
                {
                    files.insert(format!("{ADDITIONAL_TEMPLATES}/{name}"), bytes);
                }
            }
        }
        Ok(Self {
            place: folder.display().to_string(),
            files,
        })
    }

    /// An object of JSON.
    fn object(&self, name: &str) -> Result<Option<Map<String, Value>>, Error> {
        let Some(bytes) = self.files.get(name) else {
            return Ok(None);
        };
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(object)) => Ok(Some(object)),
            Ok(_) => Err(self.malformed(name, "expected an object of JSON")),
            Err(error) => Err(self.malformed(name, format!("cannot be understood: {error}"))),
        }
    }

    fn text(&self, name: &str) -> Result<Option<String>, Error> {
        let Some(bytes) = self.files.get(name) else {
            return Ok(None);
        };
        let text = std::str::from_utf8(bytes)
            .map_err(|error| self.malformed(name, format!("is not UTF-8: {error}")))?;
        Ok(Some(text.to_string()))
    }

    fn path_of(&self, name: &str) -> String {
        format!("{}/{name}", self.place)
    }

    fn malformed(&self, name: &str, message: impl Into<String>) -> Error {
        Error::Malformed {
            file: self.path_of(name),
            message: message.into(),
        }
    }
}

/// The chat templates of a checkpoint by name, and its special tokens.
///
/// Precedence is that of transformers 5.23 (`tokenization_utils_base.py`, `_from_pretrained`):
/// `chat_template.jinja` and `additional_chat_templates/*.jinja` together replace what
/// `tokenizer_config.json` holds, which is one text, or a list of {`name`, `template`}. Last comes
/// `chat_template.json`, which older processors wrote and tokenizers ignore.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckpointTemplates {
    place: String,
    /// File and source by name.
    named: BTreeMap<String, (String, String)>,
    special_tokens: SpecialTokensMap,
}

impl CheckpointTemplates {
    /// Reads the templates; none is compiled.
    ///
    /// # Errors
    /// [`Error::Malformed`] names the file and the field.
    pub fn read(files: &TemplateFiles) -> Result<Self, Error> {
        let config = files.object(TOKENIZER_CONFIG)?.unwrap_or_default();
        let map = files.object(SPECIAL_TOKENS_MAP)?;
        let (config_file, map_file) = (
            files.path_of(TOKENIZER_CONFIG),
            files.path_of(SPECIAL_TOKENS_MAP),
        );
        let map = map.as_ref().map(|map| (map_file.as_str(), map));
        let special_tokens = SpecialTokensMap::read((&config_file, &config), map)?;
        let mut named = template_files(files)?;
        if named.is_empty() {
            named = config_templates(files, TOKENIZER_CONFIG, &config)?;
        }
        if let (true, Some(legacy)) = (named.is_empty(), files.object(LEGACY_TEMPLATE)?) {
            named = config_templates(files, LEGACY_TEMPLATE, &legacy)?;
        }
        Ok(Self {
            place: files.place.clone(),
            named,
            special_tokens,
        })
    }

    /// The templates of the first of several places that has any, or none. Special tokens that are
    /// not named there come from the places behind it.
    ///
    /// # Errors
    /// As for [`Self::read`].
    pub fn first_of(places: impl IntoIterator<Item = TemplateFiles>) -> Result<Self, Error> {
        let mut found: Option<Self> = None;
        for files in places {
            let here = Self::read(&files)?;
            found = Some(match found {
                Some(Self {
                    place,
                    named,
                    special_tokens,
                }) if !named.is_empty() => Self {
                    place,
                    named,
                    special_tokens: special_tokens.or(here.special_tokens),
                },
                // A place without templates leaves nothing behind, its special tokens neither: a
                // template is written for the tokenizer beside it.
                _ => here,
            });
        }
        Ok(found.unwrap_or_default())
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(String::as_str)
    }

    /// The texts of special tokens, for a template from elsewhere.
    pub fn special_tokens(&self) -> &SpecialTokensMap {
        &self.special_tokens
    }

    /// The template of a name, compiled, if there is one of that name.
    ///
    /// # Errors
    /// [`Error::Syntax`].
    pub fn named(&self, name: &str) -> Result<Option<ChatTemplate>, Error> {
        let found = self.named.get(name);
        let compile = |(file, source): &(String, String)| {
            ChatTemplate::new(file.clone(), source.clone(), self.special_tokens.clone())
        };
        found.map(compile).transpose()
    }

    /// The template that is asked for: one of these by name, else a file, else that of a folder,
    /// both with the special tokens of the `tokenizer_config.json` there, where these have none.
    /// Without a requested the default.
    ///
    /// # Errors
    /// As for [`Self::default_template`]; [`Error::Unknown`] for what is neither a name, nor a
    /// file, nor a folder.
    pub fn choose(&self, requested: Option<&str>) -> Result<ChatTemplate, Error> {
        let Some(requested) = requested else {
            return self.default_template();
        };
        if let Some(template) = self.named(requested)? {
            return Ok(template);
        }
        let path = Path::new(requested);
        if path.is_dir() {
            let there = Self::read(&TemplateFiles::in_folder(path)?)?;
            let special_tokens = there.special_tokens.clone().or(self.special_tokens.clone());
            return Self {
                special_tokens,
                ..there
            }
            .default_template();
        }
        let Some(bytes) = read(path)? else {
            let names = self
                .names()
                .map(|name| format!("\"{name}\""))
                .collect::<Vec<_>>()
                .join(", ");
            let names = if names.is_empty() {
                "none".to_string()
            } else {
                names
            };
            return Err(Error::Unknown {
                requested: requested.to_string(),
                names,
            });
        };
        let malformed = |message: String| Error::Malformed {
            file: requested.to_string(),
            message,
        };
        let source = String::from_utf8(bytes)
            .map_err(|error| malformed(format!("is not UTF-8: {error}")))?;
        let beside = path
            .parent()
            .map(TemplateFiles::in_folder)
            .transpose()?
            .unwrap_or_default();
        let beside = Self::read(&beside)?.special_tokens;
        ChatTemplate::new(
            requested.to_string(),
            source,
            self.special_tokens.clone().or(beside),
        )
    }

    /// The template called `default`, which a single one is.
    ///
    /// # Errors
    /// [`Error::NoTemplate`], [`Error::NoDefault`] or [`Error::Syntax`].
    pub fn default_template(&self) -> Result<ChatTemplate, Error> {
        let place = self.place.clone();
        match self.named(DEFAULT)? {
            Some(template) => Ok(template),
            None if self.named.is_empty() => Err(Error::NoTemplate { place }),
            None => Err(Error::NoDefault {
                place,
                names: self.names().collect::<Vec<_>>().join(", "),
            }),
        }
    }
}

fn template_files(files: &TemplateFiles) -> Result<BTreeMap<String, (String, String)>, Error> {
    let mut named = BTreeMap::new();
    for path in files.files.keys() {
        let name = match path
            .strip_prefix(ADDITIONAL_TEMPLATES)
            .and_then(|name| name.strip_prefix('/'))
        {
            Some(file) => file.strip_suffix(".jinja"),
            None => (path == TEMPLATE).then_some(DEFAULT),
        };
        // A file that is called default too replaces the other, as in transformers.
        if let (Some(name), Some(source)) = (name, files.text(path)?)
            && (path != TEMPLATE || !named.contains_key(DEFAULT))
        {
            named.insert(name.to_string(), (files.path_of(path), source));
        }
    }
    Ok(named)
}

/// The value of `chat_template` in a JSON file: one text, or a list of named ones.
fn config_templates(
    files: &TemplateFiles,
    name: &str,
    object: &Map<String, Value>,
) -> Result<BTreeMap<String, (String, String)>, Error> {
    let expected = || {
        files
            .malformed(name, "`chat_template` is neither a text nor a list of objects with texts `name` and `template`")
    };
    let entries = match object.get("chat_template") {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::String(source)) => vec![(DEFAULT.to_string(), source.clone())],
        Some(Value::Array(list)) => {
            let entry = |entry: &Value| {
                let text = |key: &str| {
                    entry
                        .get(key)
                        .and_then(Value::as_str)
                        .map(str::to_string)
                        .ok_or_else(expected)
                };
                Ok((text("name")?, text("template")?))
            };
            list.iter().map(entry).collect::<Result<_, Error>>()?
        }
        Some(_) => return Err(expected()),
    };
    // Of two entries with one name the later one counts, as in the dict that transformers makes of
    // the list.
    Ok(entries
        .into_iter()
        .map(|(template, source)| (template, (files.path_of(name), source)))
        .collect())
}

fn read(file: &Path) -> Result<Option<Vec<u8>>, Error> {
    match std::fs::read(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Unreadable {
            file: file.to_path_buf(),
            source,
        }),
    }
}
