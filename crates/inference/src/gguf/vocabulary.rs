//! The vocabulary as `tokenizer.json` and `tokenizer_config.json` (keys: ggml, `docs/gguf.md`; what they mean to
//! llama.cpp: `src/llama-vocab.cpp`).

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::container::Metadata;
use crate::error::{Error, ErrorKind};

/// What a token is for (ggml, `enum llama_token_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
}

struct Token<'a> {
    id: usize,
    text: &'a str,
    role: Role,
}

/// How texts are cut before pairs are merged, by the name in `tokenizer.ggml.pre`.
struct Cutting {
    names: &'static [&'static str],
    /// `None` for the pattern that the tokenizers library has built in.
    pattern: Option<&'static str>,
    /// A piece that is a token is not merged together.
    whole_pieces: bool,
    composes: bool,
    /// Whether a beginning-of-sequence token comes first where nothing else is said.
    begins: bool,
}

const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

const CUTTINGS: [Cutting; 4] = [
    Cutting {
        names: &["llama-bpe", "llama3", "llama-v3"],
        pattern: Some(LLAMA3),
        whole_pieces: true,
        composes: false,
        begins: true,
    },
    Cutting {
        names: &["qwen2", "deepseek-r1-qwen"],
        pattern: Some(QWEN2),
        whole_pieces: false,
        composes: true,
        begins: false,
    },
    Cutting { names: &["tekken"], pattern: Some(TEKKEN), whole_pieces: true, composes: false, begins: true },
    Cutting { names: &["gpt-2"], pattern: None, whole_pieces: false, composes: false, begins: false },
];

/// Texts of tokens that end a turn or a text wherever they are control tokens, as in llama.cpp.
const ENDS: [&str; 9] = [
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<|im_end|>",
    "<|endoftext|>",
    "<|end|>",
    "<end_of_turn>",
    "<EOT>",
    "<|END_OF_TURN_TOKEN|>",
];

fn unsupported(metadata: &Metadata, message: String) -> Error {
    let way_out = "give the checkpoint's own tokenizer.json with --tokenizer";
    metadata.error(ErrorKind::Unsupported, format!("{message}; {way_out}"))
}

fn tokens(metadata: &Metadata) -> Result<Vec<Token<'_>>, Error> {
    let Some(texts) = metadata.texts("tokenizer.ggml.tokens")? else {
        return Err(unsupported(metadata, "holds no vocabulary (`tokenizer.ggml.tokens`)".to_string()));
    };
    let mut roles = metadata.integers("tokenizer.ggml.token_type")?;
    let mut tokens = Vec::new();
    for (id, text) in texts.enumerate() {
        let role = match roles.as_mut().map_or(Some(1), Iterator::next) {
            Some(1 | 0) => Role::Normal,
            Some(2) => Role::Unknown,
            Some(3) => Role::Control,
            Some(4) => Role::UserDefined,
            Some(5) => Role::Unused,
            Some(6) => Role::Byte,
            other => {
                let found = other.map_or_else(|| "no type".to_string(), |role| format!("type {role}"));
                let message = format!("token {id} ({text:?}) has {found} in `tokenizer.ggml.token_type`");
                return Err(metadata.error(ErrorKind::Tokenizer, message));
            }
        };
        tokens.push(Token { id, text, role });
    }
    Ok(tokens)
}

/// `tokenizer.json`.
pub(super) fn tokenizer(metadata: &Metadata) -> Result<Value, Error> {
    let tokens = tokens(metadata)?;
    match metadata.text("tokenizer.ggml.model")? {
        Some("llama") => sentence_pieces(metadata, &tokens),
        Some("gpt2") => byte_level(metadata, &tokens),
        other => {
            let name = other.unwrap_or("none");
            Err(unsupported(metadata, format!("the tokenizer `{name}` (`tokenizer.ggml.model`) is not supported")))
        }
    }
}

/// Pairs of SentencePiece's byte-pair encoding, merged in the order of the score of what they make.
fn sentence_pieces(metadata: &Metadata, tokens: &[Token<'_>]) -> Result<Value, Error> {
    let Some(scores) = metadata.floats("tokenizer.ggml.scores")? else {
        return Err(unsupported(metadata, "holds no scores of tokens (`tokenizer.ggml.scores`)".to_string()));
    };
    let scores: Vec<f32> = scores.collect();
    if scores.len() != tokens.len() {
        let error =
            metadata.error(ErrorKind::Tokenizer, "`tokenizer.ggml.scores` has another length than the vocabulary");
        return Err(error.expected(tokens.len().to_string(), scores.len().to_string()));
    }
    let ids: HashMap<&str, usize> =
        tokens.iter().filter(|token| token.role == Role::Normal).map(|token| (token.text, token.id)).collect();
    let mut merges: Vec<(f32, [&str; 2], [usize; 2])> = Vec::new();
    for token in tokens.iter().filter(|token| ids.contains_key(token.text)) {
        for (cut, _) in token.text.char_indices().skip(1) {
            let (left, right) = token.text.split_at(cut);
            if let (Some(&left_id), Some(&right_id)) = (ids.get(left), ids.get(right)) {
                merges.push((scores[token.id], [left, right], [left_id, right_id]));
            }
        }
    }
    let same = merges.len() > 1 && merges.iter().all(|(score, ..)| *score == merges[0].0);
    if same {
        let message = "all scores of tokens are the same (`tokenizer.ggml.scores`): the order of merges is lost";
        return Err(unsupported(metadata, message.to_string()));
    }
    merges.sort_by(|(a, _, a_ids), (b, _, b_ids)| b.total_cmp(a).then_with(|| a_ids.cmp(b_ids)));
    let merges: Vec<[&str; 2]> = merges.into_iter().map(|(_, pair, _)| pair).collect();
    let unknown = tokens.iter().find(|token| token.role == Role::Unknown).map(|token| token.text);
    let mut normalizers = vec![json!({"type": "Replace", "pattern": {"String": " "}, "content": "▁"})];
    let mut decoders = vec![
        json!({"type": "Replace", "pattern": {"String": "▁"}, "content": " "}),
        json!({"type": "ByteFallback"}),
        json!({"type": "Fuse"}),
    ];
    if metadata.flag("tokenizer.ggml.add_space_prefix")?.unwrap_or(true) {
        normalizers.insert(0, json!({"type": "Prepend", "prepend": "▁"}));
        decoders.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
    }
    Ok(json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added_tokens(tokens),
        "normalizer": {"type": "Sequence", "normalizers": normalizers},
        "pre_tokenizer": null,
        "post_processor": null,
        "decoder": {"type": "Sequence", "decoders": decoders},
        "model": {
            "type": "BPE",
            "unk_token": unknown,
            "fuse_unk": true,
            "byte_fallback": true,
            "ignore_merges": false,
            "vocab": vocabulary(tokens),
            "merges": merges,
        },
    }))
}

/// Byte-pair encoding over bytes written as letters.
fn byte_level(metadata: &Metadata, tokens: &[Token<'_>]) -> Result<Value, Error> {
    let cutting = cutting(metadata)?;
    let Some(merges) = metadata.texts("tokenizer.ggml.merges")? else {
        return Err(unsupported(metadata, "holds no merges of tokens (`tokenizer.ggml.merges`)".to_string()));
    };
    let mut pairs: Vec<[&str; 2]> = Vec::new();
    for merge in merges {
        // A token may be a blank itself.
        let blank = merge.char_indices().skip(1).find(|(_, letter)| *letter == ' ').map(|(place, _)| place);
        let Some(blank) = blank else {
            let message = format!("`tokenizer.ggml.merges` holds {merge:?}, which is not two tokens");
            return Err(metadata.error(ErrorKind::Tokenizer, message));
        };
        pairs.push([&merge[..blank], &merge[blank + 1..]]);
    }
    let byte_level = |use_regex: bool| json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": use_regex});
    let cuts = match cutting.pattern {
        None => byte_level(true),
        Some(pattern) => {
            let split =
                json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false});
            json!({"type": "Sequence", "pretokenizers": [split, byte_level(false)]})
        }
    };
    Ok(json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added_tokens(tokens),
        "normalizer": cutting.composes.then(|| json!({"type": "NFC"})),
        "pre_tokenizer": cuts,
        "post_processor": null,
        "decoder": byte_level(true),
        "model": {
            "type": "BPE",
            "unk_token": null,
            "fuse_unk": false,
            "byte_fallback": false,
            "ignore_merges": cutting.whole_pieces,
            "vocab": vocabulary(tokens),
            "merges": pairs,
        },
    }))
}

fn cutting(metadata: &Metadata) -> Result<&'static Cutting, Error> {
    let name = metadata.text("tokenizer.ggml.pre")?.unwrap_or("default");
    CUTTINGS.iter().find(|cutting| cutting.names.contains(&name)).ok_or_else(|| {
        unsupported(metadata, format!("the way to cut texts `{name}` (`tokenizer.ggml.pre`) is not supported"))
    })
}

/// Ids by text. Tokens that fill the vocabulary up are not among them.
fn vocabulary(tokens: &[Token<'_>]) -> Map<String, Value> {
    let used = tokens.iter().filter(|token| token.role != Role::Unused);
    used.map(|token| (token.text.to_string(), token.id.into())).collect()
}

/// Tokens that are found in a text as they are, before it is cut.
fn added_tokens(tokens: &[Token<'_>]) -> Vec<Value> {
    let added = tokens.iter().filter(|token| matches!(token.role, Role::Control | Role::UserDefined | Role::Unknown));
    let added = added.map(|token| {
        json!({
            "id": token.id,
            "content": token.text,
            "single_word": false,
            "lstrip": false,
            "rstrip": false,
            "normalized": false,
            "special": token.role != Role::UserDefined,
        })
    });
    added.collect()
}

/// `tokenizer_config.json`.
pub(super) fn tokenizer_config(metadata: &Metadata) -> Result<Value, Error> {
    let begins = match metadata.flag("tokenizer.ggml.add_bos_token")? {
        Some(begins) => begins,
        None => match metadata.text("tokenizer.ggml.model")? {
            Some("gpt2") => cutting(metadata)?.begins,
            _ => true,
        },
    };
    Ok(json!({ "add_bos_token": begins }))
}

/// Chat templates by name, and the texts of special tokens, as in `tokenizer_config.json`.
pub(super) fn template_config(metadata: &Metadata) -> Result<Value, Error> {
    const TEMPLATE: &str = "tokenizer.chat_template";
    const TOKENS: [(&str, &str); 7] = [
        ("bos", "bos_token"),
        ("eos", "eos_token"),
        ("unknown", "unk_token"),
        ("padding", "pad_token"),
        ("seperator", "sep_token"), // as the format spells it
        ("cls", "cls_token"),
        ("mask", "mask_token"),
    ];
    let mut config = Map::new();
    let mut templates = Vec::new();
    for key in metadata.keys() {
        let name = match key.strip_prefix(TEMPLATE) {
            Some("") => "default",
            Some(rest) => match rest.strip_prefix('.') {
                Some(name) => name,
                None => continue,
            },
            None => continue,
        };
        if let Some(template) = metadata.text(key)? {
            templates.push(json!({"name": name, "template": template}));
        }
    }
    if !templates.is_empty() {
        config.insert("chat_template".to_string(), templates.into());
    }
    for (own, name) in TOKENS {
        let Some(id) = metadata.number(&format!("tokenizer.ggml.{own}_token_id"))? else { continue };
        let token = metadata.texts("tokenizer.ggml.tokens")?.and_then(|mut texts| texts.nth(id as usize));
        if let Some(token) = token {
            config.insert(name.to_string(), token.into());
        }
    }
    Ok(config.into())
}

/// Ids that end a completion: those that the metadata name, and control tokens whose text says so.
pub(super) fn ends(metadata: &Metadata) -> Result<Vec<u64>, Error> {
    let mut ends = Vec::new();
    for name in ["eos", "eot", "eom"] {
        ends.extend(metadata.number(&format!("tokenizer.ggml.{name}_token_id"))?);
    }
    if metadata.texts("tokenizer.ggml.tokens")?.is_some() {
        let tokens = tokens(metadata)?;
        let by_text = tokens.iter().filter(|token| token.role == Role::Control && ENDS.contains(&token.text));
        ends.extend(by_text.map(|token| token.id as u64));
    }
    ends.sort_unstable();
    ends.dedup();
    Ok(ends)
}

pub(super) fn warnings(metadata: &Metadata) -> Result<Vec<String>, Error> {
    let appends = metadata.flag("tokenizer.ggml.add_eos_token")?.unwrap_or(false);
    let warning = "the file asks for an end-of-sequence token after every prompt (tokenizer.ggml.add_eos_token): it is not put there";
    Ok(appends.then(|| warning.to_string()).into_iter().collect())
}
