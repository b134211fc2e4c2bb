//! The texts of special tokens, which templates use by name.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Error;

/// The names that transformers knows (`SpecialTokensMixin.SPECIAL_TOKENS_ATTRIBUTES`).
const NAMES: [&str; 7] = [
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
];

/// What transformers sets for classes of tokenizers where the configuration says nothing.
const BY_CLASS: [(&str, &[(&str, &str)]); 3] = [
    (
        "Llama",
        &[
            ("bos_token", "<s>"),
            ("eos_token", "</s>"),
            ("unk_token", "<unk>"),
        ],
    ),
    (
        "Gemma",
        &[
            ("bos_token", "<bos>"),
            ("eos_token", "<eos>"),
            ("unk_token", "<unk>"),
            ("pad_token", "<pad>"),
            ("mask_token", "<mask>"),
        ],
    ),
    (
        "Qwen2",
        &[
            ("eos_token", "<|endoftext|>"),
            ("unk_token", "<|endoftext|>"),
            ("pad_token", "<|endoftext|>"),
        ],
    ),
];

/// Texts by name: `bos_token`, `eos_token`, `unk_token`, `sep_token`, `pad_token`, `cls_token`,
/// `mask_token`, as far as the checkpoint has them. A template finds those that are absent
/// undefined, as in transformers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SpecialTokensMap(BTreeMap<String, String>);

impl SpecialTokensMap {
    /// The token of a name, if there is one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All of these, or `others` where there is none.
    pub(crate) fn or(self, others: Self) -> Self {
        // Whole maps, never name by name: a name that is absent says that this tokenizer has no
        // such token.
        if self.0.is_empty() { others } else { self }
    }

    /// Names and texts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// As transformers 5.23 reads them from `tokenizer_config.json` and, where that does not list
    /// all added tokens itself (`added_tokens_decoder`), from `special_tokens_map.json` over it.
    ///
    /// # Errors
    /// A token that is neither a text, nor an object with a text `content`, nor null; with file and
    /// field.
    pub(crate) fn read(
        config: (&str, &Map<String, Value>),
        map: Option<(&str, &Map<String, Value>)>,
    ) -> Result<Self, Error> {
        let mut tokens = BTreeMap::new();
        let class = config
            .1
            .get("tokenizer_class")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let class = class
            .trim_end_matches("Fast")
            .strip_suffix("Tokenizer")
            .unwrap_or_default();
        for (_, defaults) in BY_CLASS.iter().filter(|(own, _)| *own == class) {
            tokens.extend(
                defaults
                    .iter()
                    .map(|(name, text)| ((*name).to_string(), (*text).to_string())),
            );
        }
        let map = map.filter(|_| !config.1.contains_key("added_tokens_decoder"));
        for (file, object) in std::iter::once(config).chain(map) {
            for name in NAMES {
                match object.get(name) {
                    None => {}
                    // A null takes away what the class would set: it is not the same as an absent
                    // name.
                    Some(Value::Null) => drop(tokens.remove(name)),
                    Some(token) => drop(tokens.insert(name.to_string(), text(file, name, token)?)),
                }
            }
        }
        Ok(Self(tokens))
    }
}

impl<N: Into<String>, T: Into<String>> FromIterator<(N, T)> for SpecialTokensMap {
    fn from_iter<I: IntoIterator<Item = (N, T)>>(tokens: I) -> Self {
        Self(
            tokens
                .into_iter()
                .map(|(name, text)| (name.into(), text.into()))
                .collect(),
        )
    }
}

/// A token is its text, or an object that holds it.
fn text(file: &str, name: &str, token: &Value) -> Result<String, Error> {
    let text = token.as_str().or_else(|| token.get("content")?.as_str());
    text.map(str::to_string).ok_or_else(|| Error::Malformed {
        file: file.to_string(),
        message: format!("`{name}` is neither a text nor an object with a text `content`"),
    })
}
