//! Text to token ids and back, by the checkpoint's own `tokenizer.json`, with exactly one
//! beginning-of-sequence token.
//!
//! Special tokens follow `AutoTokenizer` of transformers: the post-processor of `tokenizer.json`
//! decides, and `add_bos_token: true` in `tokenizer_config.json` adds the token where the
//! post-processor does not. A prompt whose text already begins with the token still ends up with
//! one. Prompts of a chat template have their special tokens written out, so that nothing is added
//! to them, as in `apply_chat_template`. One known difference: `clean_up_tokenization_spaces` is
//! never applied to decoded text, because it would change formulas.

use std::borrow::Cow;
use std::path::Path;

use generation::THINKING_MARKS;
use serde::Deserialize;
use serde_json::Value;
use tokenizers::{ModelWrapper, Tokenizer};

use crate::config::ModelConfig;
use crate::error::{Error, ErrorKind};
use crate::small_file::{missing_file, parse_json, read_small};

pub(crate) const TOKENIZER_FILE: &str = "tokenizer.json";
pub(crate) const TOKENIZER_CONFIG_FILE: &str = "tokenizer_config.json";

/// What a tokenizer is read from.
pub(crate) struct TokenizerFiles {
    pub(crate) tokenizer: Cow<'static, [u8]>,
    pub(crate) config: Option<Cow<'static, [u8]>>,
}

impl TokenizerFiles {
    /// A `tokenizer.json`, or the one in a folder, and what lies beside it.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let json = if path.is_dir() {
            path.join(TOKENIZER_FILE)
        } else {
            path.to_path_buf()
        };
        let tokenizer =
            read_small(&json, TOKENIZER_FILE)?.ok_or_else(|| missing_file(TOKENIZER_FILE))?;
        let config = read_small(
            &json.with_file_name(TOKENIZER_CONFIG_FILE),
            TOKENIZER_CONFIG_FILE,
        )?;
        Ok(Self {
            tokenizer: Cow::Owned(tokenizer),
            config: config.map(Cow::Owned),
        })
    }
}

/// What prompts are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PromptKind {
    /// Texts without special tokens: those with which the checkpoint's tokenizer begins a text are
    /// added.
    #[default]
    Plain,
    /// Conversations written by a chat template, special tokens included: none is added.
    Chat,
}

/// A checkpoint's tokenizer.
pub(crate) struct TextTokenizer {
    tokenizer: Tokenizer,
    bos: Option<Bos>,
    /// The token that `tokenizer_config.json` calls `eos_token`.
    eos: Option<u32>,
    appends_eos: bool,
    /// How many ids the model knows; `None` where there is no model.
    vocab_size: Option<usize>,
    /// What the user should know although the tokenizer can be used.
    warnings: Vec<String>,
    /// Special tokens that mark thinking, with their texts.
    thinking_marks: Vec<(u32, String)>,
}

#[derive(Clone, Copy, Debug)]
struct Bos {
    id: u32,
    /// What adds it to a prompt.
    by: BosSource,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BosSource {
    PostProcessor,
    /// The post-processor, against `add_bos_token: false`.
    PostProcessorAlone,
    AddBosToken,
    Nobody,
}

fn failed(file: &str, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Tokenizer, message).in_file(file)
}

/// The keys of `tokenizer_config.json` that matter here.
#[derive(Default, Deserialize)]
struct RawTokenizerConfig {
    add_bos_token: Option<bool>,
    bos_token: Option<Value>,
    eos_token: Option<Value>,
}

/// A special token's text: written so, or as an added token with its properties.
fn token_text(token: &Value) -> Option<&str> {
    token.as_str().or_else(|| token.get("content")?.as_str())
}

impl TextTokenizer {
    /// # Errors
    /// [`ErrorKind::Tokenizer`] when a file cannot be understood, or the post-processor adds an id
    /// that the model has not.
    pub(crate) fn load(files: &TokenizerFiles, config: &ModelConfig) -> Result<Self, Error> {
        Self::guarded(files, Some(config))
    }

    /// `config` is `None` where there is no model to fit.
    fn guarded(files: &TokenizerFiles, config: Option<&ModelConfig>) -> Result<Self, Error> {
        let (tokenizer, tokenizer_config) = (&*files.tokenizer, files.config.as_deref());
        // The tokenizers crate panics on some files that are not tokenizers. Syntax is checked
        // first, so that an ordinary fault gets an ordinary message; what is left becomes an error
        // here.
        let syntax: Result<serde::de::IgnoredAny, _> = serde_json::from_slice(tokenizer);
        syntax.map_err(|error| failed(TOKENIZER_FILE, format!("cannot be understood: {error}")))?;
        std::panic::catch_unwind(|| Self::load_unguarded(tokenizer, tokenizer_config, config))
            .unwrap_or_else(|_| {
                Err(failed(
                    TOKENIZER_FILE,
                    "cannot be understood by the tokenizers library",
                ))
            })
    }

    fn load_unguarded(
        tokenizer: &[u8],
        tokenizer_config: Option<&[u8]>,
        config: Option<&ModelConfig>,
    ) -> Result<Self, Error> {
        let mut tokenizer = Tokenizer::from_bytes(tokenizer)
            .map_err(|error| failed(TOKENIZER_FILE, format!("cannot be understood: {error}")))?;
        // Both may be left over from training and would silently cut or fill prompts.
        let untruncated = tokenizer.with_truncation(None).map(|_| ());
        untruncated.map_err(|error| failed(TOKENIZER_FILE, format!("cannot be used: {error}")))?;
        tokenizer.with_padding(None);

        let vocab_size = config.map(|config| config.vocab_size);
        let mut warnings = Vec::new();
        warnings.extend(vocab_size.and_then(|size| unknown_tokens(&tokenizer, size)));

        let raw: RawTokenizerConfig = match tokenizer_config {
            Some(bytes) => parse_json(bytes).map_err(|error| {
                failed(
                    TOKENIZER_CONFIG_FILE,
                    format!("cannot be understood: {error}"),
                )
            })?,
            None => RawTokenizerConfig::default(),
        };
        let named = raw.bos_token.as_ref().and_then(token_text);
        let bos_id = match named {
            Some(token) => Some(tokenizer.token_to_id(token).ok_or_else(|| {
                failed(
                    TOKENIZER_CONFIG_FILE,
                    format!("bos_token {token:?} is not in tokenizer.json"),
                )
            })?),
            None => config.and_then(|config| config.bos_token_id),
        };
        let eos = raw.eos_token.as_ref().and_then(token_text);
        let eos = eos.and_then(|token| tokenizer.token_to_id(token));
        let eos_ids = config.map_or(&[][..], |config| &config.eos_token_ids);
        let is_eos = |id: u32| eos_ids.contains(&id) || eos == Some(id);
        let mut loaded = Self {
            tokenizer,
            bos: None,
            eos,
            appends_eos: false,
            vocab_size,
            warnings,
            thinking_marks: Vec::new(),
        };
        loaded.thinking_marks = loaded.special_thinking_marks();
        // What the post-processor puts around any text is all there is of an empty one. BOS is not
        // set yet, so that `encode` adds none of its own.
        let framing = loaded.encode("", PromptKind::Plain)?;
        let is_unknown = |id: &&u32| vocab_size.is_some_and(|size| **id as usize >= size);
        if let (Some(id), Some(size)) = (framing.iter().find(is_unknown), vocab_size) {
            let token = loaded.describe_token(*id);
            let message = format!(
                "the post-processor adds the token {token} to every prompt, and the model has no such row in its embedding"
            );
            return Err(failed(TOKENIZER_FILE, message).expected(
                format!("ids below the vocabulary size {size}"),
                format!("id {id}"),
            ));
        }
        // One token may be both, as in GPT-2: alone at the beginning it ends nothing.
        loaded.appends_eos = framing
            .last()
            .is_some_and(|id| is_eos(*id) && Some(*id) != bos_id);
        loaded.bos = bos_id.map(|id| {
            let by = match (framing.first() == Some(&id), raw.add_bos_token) {
                (true, Some(false)) => BosSource::PostProcessorAlone,
                (true, _) => BosSource::PostProcessor,
                (false, Some(true)) => BosSource::AddBosToken,
                (false, _) => BosSource::Nobody,
            };
            Bos { id, by }
        });
        if let Some(Bos {
            id,
            by: BosSource::PostProcessorAlone,
        }) = loaded.bos
        {
            loaded.warnings.push(format!(
                "tokenizer_config.json says add_bos_token: false, and the post-processor of tokenizer.json adds {} all the same: prompts begin with it, as AutoTokenizer has them",
                loaded.describe_token(id)
            ));
        }
        Ok(loaded)
    }

    /// Token ids of a prompt, special tokens included.
    pub(crate) fn encode(&self, text: &str, kind: PromptKind) -> Result<Vec<u32>, Error> {
        let plain = kind == PromptKind::Plain;
        let encoding = self.tokenizer.encode_fast(text, plain);
        let encoding = encoding.map_err(|error| {
            Error::new(
                ErrorKind::Tokenizer,
                format!("cannot read a prompt: {error}"),
            )
        })?;
        let mut ids = encoding.get_ids().to_vec();
        if let Some(bos) = self.bos {
            let leading = ids.iter().take_while(|&&id| id == bos.id).count();
            if leading > 1 {
                ids.drain(1..leading);
            } else if leading == 0 && plain && bos.by == BosSource::AddBosToken {
                ids.insert(0, bos.id);
            }
        }
        Ok(ids)
    }

    /// The token that `tokenizer_config.json` calls `eos_token`, where the model knows it.
    pub(crate) fn eos(&self) -> Option<u32> {
        self.eos
            .filter(|&id| self.vocab_size.is_none_or(|size| (id as usize) < size))
    }

    /// The special token with which a text begins, where it begins with one.
    pub(crate) fn leading_special(&self, text: &str) -> Option<u32> {
        let first = *self.encode(text, PromptKind::Chat).ok()?.first()?;
        let added = self.tokenizer.get_added_tokens_decoder();
        added
            .get(&first)
            .is_some_and(|token| token.special)
            .then_some(first)
    }

    /// What the user should know although the tokenizer can be used.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The special tokens that mark thinking, such as Mistral's `[THINK]`.
    fn special_thinking_marks(&self) -> Vec<(u32, String)> {
        let is_mark = |text: &str| {
            THINKING_MARKS
                .iter()
                .any(|mark| [mark.open, mark.close].contains(&text) && !text.starts_with("<|"))
        };
        let added = self.tokenizer.get_added_tokens_decoder();
        let marks = added
            .iter()
            .filter(|(_, token)| token.special && is_mark(&token.content));
        marks
            .map(|(id, token)| (*id, token.content.clone()))
            .collect()
    }

    /// Text of some token ids, without special tokens but those that mark thinking: where it ends
    /// would else be lost.
    pub(crate) fn decode(&self, ids: &[u32]) -> Result<String, Error> {
        let mark_of = |id: u32| {
            let found = self.thinking_marks.iter().find(|(mark, _)| *mark == id);
            found.map(|(_, text)| text.as_str())
        };
        if !ids.iter().any(|&id| mark_of(id).is_some()) {
            return self.decode_plain(ids);
        }
        let mut text = String::new();
        for part in ids.split_inclusive(|&id| mark_of(id).is_some()) {
            // All but the last part end in a mark.
            let mark = part.last().and_then(|&id| mark_of(id));
            let plain = &part[..part.len() - usize::from(mark.is_some())];
            text.push_str(&self.decode_plain(plain)?);
            text.push_str(mark.unwrap_or_default());
        }
        Ok(text)
    }

    fn decode_plain(&self, ids: &[u32]) -> Result<String, Error> {
        let text = self.tokenizer.decode(ids, true);
        text.map_err(|error| {
            Error::new(
                ErrorKind::Tokenizer,
                format!("cannot write a completion: {error}"),
            )
        })
    }

    /// Whether prompts end in an end-of-sequence token, as no prompt should.
    pub(crate) fn appends_eos(&self) -> bool {
        self.appends_eos
    }

    /// Number of tokens, added ones included.
    pub(crate) fn vocabulary(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }

    /// A token id and its text.
    pub(crate) fn describe_token(&self, id: u32) -> String {
        match self.tokenizer.id_to_token(id) {
            Some(token) => format!("{id} {token:?}"),
            None => format!("{id} (not in the tokenizer)"),
        }
    }

    /// The kind of the tokenizer's model.
    pub(crate) fn describe_kind(&self) -> String {
        match self.tokenizer.get_model() {
            ModelWrapper::BPE(model) if model.byte_fallback => {
                "byte-pair encoding with byte fallback"
            }
            ModelWrapper::BPE(_) => "byte-pair encoding",
            ModelWrapper::Unigram(_) => "unigram",
            ModelWrapper::WordPiece(_) => "word pieces",
            ModelWrapper::WordLevel(_) => "words",
        }
        .to_string()
    }

    /// A token's text.
    pub(crate) fn token(&self, id: u32) -> Option<String> {
        self.tokenizer.id_to_token(id)
    }

    /// The beginning-of-sequence token that plain prompts are given.
    pub(crate) fn added_bos(&self) -> Option<u32> {
        self.bos
            .filter(|bos| bos.by != BosSource::Nobody)
            .map(|bos| bos.id)
    }

    /// How prompts begin, for the run's manifest.
    pub(crate) fn describe_bos(&self, kind: PromptKind) -> String {
        match self.bos {
            _ if kind == PromptKind::Chat => "as the chat template writes it".to_string(),
            Some(Bos {
                id,
                by: BosSource::PostProcessor,
            }) => format!("{id} (post-processor)"),
            Some(Bos {
                id,
                by: BosSource::PostProcessorAlone,
            }) => format!("{id} (post-processor, against add_bos_token: false)"),
            Some(Bos {
                id,
                by: BosSource::AddBosToken,
            }) => format!("{id} (add_bos_token)"),
            Some(Bos {
                by: BosSource::Nobody,
                ..
            })
            | None => "none".to_string(),
        }
    }
}

/// A warning of tokens that the model has no rows for: published fine-tunes have such a `<pad>`.
fn unknown_tokens(tokenizer: &Tokenizer, vocab_size: usize) -> Option<String> {
    const MAX_NAMED: usize = 3;
    let vocabulary = tokenizer.get_vocab(true).into_iter();
    let mut unknown: Vec<(u32, String)> = vocabulary
        .map(|(token, id)| (id, token))
        .filter(|(id, _)| *id as usize >= vocab_size)
        .collect();
    unknown.sort();
    let named = unknown.iter().take(MAX_NAMED);
    let named: Vec<String> = named.map(|(id, token)| format!("{id} {token:?}")).collect();
    let more = if unknown.len() > MAX_NAMED {
        ", …"
    } else {
        ""
    };
    let count = match unknown.len() {
        1 => "a token of tokenizer.json lies".to_string(),
        count => format!("{count} tokens of tokenizer.json lie"),
    };
    (!unknown.is_empty()).then(|| {
        format!(
            "{count} beyond the model's {vocab_size} rows: {}{more}; a prompt that needs one is refused",
            named.join(", ")
        )
    })
}

/// A tokenizer without its model: counts the tokens of prompts that another program computes.
pub struct PromptTokenizer {
    tokenizer: TextTokenizer,
    kind: PromptKind,
}

impl PromptTokenizer {
    /// Opens a `tokenizer.json`, or the one in a folder, with the `tokenizer_config.json` beside
    /// it.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] and [`ErrorKind::Tokenizer`], naming the file.
    pub fn open(path: &Path, kind: PromptKind) -> Result<Self, Error> {
        Ok(Self {
            tokenizer: TextTokenizer::guarded(&TokenizerFiles::open(path)?, None)?,
            kind,
        })
    }

    /// Tokens of a prompt, special ones included.
    ///
    /// # Errors
    /// [`ErrorKind::Tokenizer`] for a text that it cannot read.
    pub fn count(&self, prompt: &str) -> Result<usize, Error> {
        Ok(self.tokenizer.encode(prompt, self.kind)?.len())
    }
}
