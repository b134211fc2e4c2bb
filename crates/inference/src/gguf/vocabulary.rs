//! The vocabulary as `tokenizer.json` and `tokenizer_config.json` (keys: ggml, `docs/gguf.md`; what
//! they mean to llama.cpp: `src/llama-vocab.cpp`).

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::container::Metadata;
use super::pre_tokenizers::{self, PreTokenizer};
use crate::error::{Error, ErrorKind};

/// The key that names how texts are split.
pub(super) const PRE_TOKENIZER: &str = "tokenizer.ggml.pre";

/// What a token is for (ggml, `enum llama_token_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TokenType {
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
    token_type: TokenType,
}

/// Texts of end-of-sequence tokens, wherever they are added tokens, as in llama.cpp. It also ends
/// at tokens for code to be filled in (`<|fim_pad|>`, `<reponame>`, `<|file_sep|>` and their like),
/// where transformers goes on.
const EOS_TEXTS: [&str; 23] = [
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<|endoftext|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|calls|>",
    "<|flush|>",
    "<|tool_response>",
    "<turn|>",
    "</s>",
    "<eos>",
    "[EOS]",
    "[EOT]",
    "<EOT>",
    "_<EOT>",
    "[e~[",
    "<end_of_turn>",
    "<end_of_utterance>",
    "<|END_OF_TURN_TOKEN|>",
    "<｜end▁of▁sentence｜>",
];

fn unsupported(metadata: &Metadata, message: String) -> Error {
    let way_out = "the checkpoint's own tokenizer.json can take its place";
    metadata.error(
        ErrorKind::UnsupportedTokenizer,
        format!("{message}; {way_out}"),
    )
}

fn tokens(metadata: &Metadata) -> Result<Vec<Token<'_>>, Error> {
    let Some(texts) = metadata.texts("tokenizer.ggml.tokens")? else {
        return Err(unsupported(
            metadata,
            "holds no vocabulary (`tokenizer.ggml.tokens`)".to_string(),
        ));
    };
    let mut token_types = metadata.integers("tokenizer.ggml.token_type")?;
    let mut tokens = Vec::new();
    for (id, text) in texts.enumerate() {
        let token_type = match token_types.as_mut().map_or(Some(1), Iterator::next) {
            Some(1 | 0) => TokenType::Normal,
            Some(2) => TokenType::Unknown,
            Some(3) => TokenType::Control,
            Some(4) => TokenType::UserDefined,
            Some(5) => TokenType::Unused,
            Some(6) => TokenType::Byte,
            other => {
                let found = other.map_or_else(
                    || "no type".to_string(),
                    |token_type| format!("type {token_type}"),
                );
                let message =
                    format!("token {id} ({text:?}) has {found} in `tokenizer.ggml.token_type`");
                return Err(metadata.error(ErrorKind::Tokenizer, message));
            }
        };
        tokens.push(Token {
            id,
            text,
            token_type,
        });
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
            Err(unsupported(
                metadata,
                format!("the tokenizer `{name}` (`tokenizer.ggml.model`) is not supported"),
            ))
        }
    }
}

/// Pairs of SentencePiece's byte-pair encoding, merged in the order of the score of what they make.
fn sentence_pieces(metadata: &Metadata, tokens: &[Token<'_>]) -> Result<Value, Error> {
    let Some(scores) = metadata.floats("tokenizer.ggml.scores")? else {
        return Err(unsupported(
            metadata,
            "holds no scores of tokens (`tokenizer.ggml.scores`)".to_string(),
        ));
    };
    let scores: Vec<f32> = scores.collect();
    if scores.len() != tokens.len() {
        let error = metadata.error(
            ErrorKind::Tokenizer,
            "`tokenizer.ggml.scores` has another length than the vocabulary",
        );
        return Err(error.expected(tokens.len().to_string(), scores.len().to_string()));
    }
    // Only ordinary pieces are merged: others are found as they are, or stand for bytes.
    let ids: HashMap<&str, usize> = tokens
        .iter()
        .filter(|token| token.token_type == TokenType::Normal)
        .map(|token| (token.text, token.id))
        .collect();
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
    let unknown = tokens
        .iter()
        .find(|token| token.token_type == TokenType::Unknown)
        .map(|token| token.text);
    let mut normalizers =
        vec![json!({"type": "Replace", "pattern": {"String": " "}, "content": "▁"})];
    let mut decoders = vec![
        json!({"type": "Replace", "pattern": {"String": "▁"}, "content": " "}),
        json!({"type": "ByteFallback"}),
        json!({"type": "Fuse"}),
    ];
    if metadata
        .flag("tokenizer.ggml.add_space_prefix")?
        .unwrap_or(true)
    {
        normalizers.insert(0, json!({"type": "Prepend", "prepend": "▁"}));
        decoders.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
    }
    Ok(json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added_tokens(metadata, tokens)?,
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
    let pre_tokenizer = pre_tokenizer(metadata)?;
    let Some(merges) = metadata.texts("tokenizer.ggml.merges")? else {
        return Err(unsupported(
            metadata,
            "holds no merges of tokens (`tokenizer.ggml.merges`)".to_string(),
        ));
    };
    let mut pairs: Vec<[&str; 2]> = Vec::new();
    for merge in merges {
        // A token may be a blank itself.
        let blank = merge
            .char_indices()
            .skip(1)
            .find(|(_, letter)| *letter == ' ')
            .map(|(place, _)| place);
        let Some(blank) = blank else {
            let message =
                format!("`tokenizer.ggml.merges` holds {merge:?}, which is not two tokens");
            return Err(metadata.error(ErrorKind::Tokenizer, message));
        };
        pairs.push([&merge[..blank], &merge[blank + 1..]]);
    }
    let split = |pattern: &&str| json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false});
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false});
    let mut steps: Vec<Value> = pre_tokenizer.patterns.iter().map(split).collect();
    steps.push(byte_level.clone());
    steps.extend(pre_tokenizer.byte_patterns.iter().map(split));
    Ok(json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added_tokens(metadata, tokens)?,
        "normalizer": pre_tokenizer.nfc.then(|| json!({"type": "NFC"})),
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": steps},
        "post_processor": null,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "unk_token": null,
            "fuse_unk": false,
            "byte_fallback": false,
            "ignore_merges": pre_tokenizer.ignore_merges,
            "vocab": vocabulary(tokens),
            "merges": pairs,
        },
    }))
}

fn pre_tokenizer(metadata: &Metadata) -> Result<&'static PreTokenizer, Error> {
    let name = metadata.text(PRE_TOKENIZER)?.unwrap_or("default");
    pre_tokenizers::find(name).ok_or_else(|| {
        unsupported(
            metadata,
            format!("the pre-tokenizer `{name}` (`{PRE_TOKENIZER}`) is not supported"),
        )
    })
}

/// Ids by text. Tokens that fill the vocabulary up are not among them.
fn vocabulary(tokens: &[Token<'_>]) -> Map<String, Value> {
    let used = tokens
        .iter()
        .filter(|token| token.token_type != TokenType::Unused);
    used.map(|token| (token.text.to_string(), token.id.into()))
        .collect()
}

/// Tokens that are found in a text as they are, before it is cut. Those of Phi-3 take the white space
/// behind them along, which llama.cpp knows by the name of the model.
fn added_tokens(metadata: &Metadata, tokens: &[Token<'_>]) -> Result<Vec<Value>, Error> {
    const BARE: [&str; 3] = ["<unk>", "<s>", "<|endoftext|>"];
    let name = metadata.text("general.name")?.unwrap_or_default();
    let name = name.to_lowercase();
    let is_phi3 = ["phi-3", "phi3"].iter().any(|part| name.contains(part));
    let added = tokens.iter().filter(|token| {
        matches!(
            token.token_type,
            TokenType::Control | TokenType::UserDefined | TokenType::Unknown
        )
    });
    let added = added.map(|token| {
        json!({
            "id": token.id,
            "content": token.text,
            "single_word": false,
            "lstrip": false,
            "rstrip": is_phi3 && !BARE.contains(&token.text),
            "normalized": false,
            "special": token.token_type != TokenType::UserDefined,
        })
    });
    Ok(added.collect())
}

/// `tokenizer_config.json`.
pub(super) fn tokenizer_config(metadata: &Metadata) -> Result<Value, Error> {
    let add_bos = match metadata.flag("tokenizer.ggml.add_bos_token")? {
        Some(add_bos) => add_bos,
        None => match metadata.text("tokenizer.ggml.model")? {
            Some("gpt2") => pre_tokenizer(metadata)?.add_bos,
            // SentencePiece's: llama.cpp begins with the token where the file does not say.
            _ => true,
        },
    };
    Ok(json!({ "add_bos_token": add_bos }))
}

/// The id of a special token; one that is no token of the vocabulary (often -1) says that there is
/// none.
pub(super) fn special_id(metadata: &Metadata, name: &str) -> Result<Option<u64>, Error> {
    let id = metadata.id(&special_key(name))?;
    let tokens = metadata
        .texts("tokenizer.ggml.tokens")?
        .map(|texts| texts.count() as u64);
    Ok(id.filter(|id| tokens.is_none_or(|tokens| *id < tokens)))
}

fn special_key(name: &str) -> String {
    format!("tokenizer.ggml.{name}_token_id")
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
        let Some(id) = special_id(metadata, own)? else {
            continue;
        };
        let token = metadata
            .texts("tokenizer.ggml.tokens")?
            .and_then(|mut texts| texts.nth(id as usize));
        if let Some(token) = token {
            config.insert(name.to_string(), token.into());
        }
    }
    Ok(config.into())
}

/// End-of-sequence ids: those that the metadata name, and added tokens whose text says so.
pub(super) fn eos_ids(metadata: &Metadata) -> Result<Vec<u64>, Error> {
    let mut ends = Vec::new();
    for name in ["eos", "eot", "eom"] {
        ends.extend(special_id(metadata, name)?);
    }
    if metadata.texts("tokenizer.ggml.tokens")?.is_some() {
        let tokens = tokens(metadata)?;
        let added = |token: &&Token<'_>| {
            matches!(
                token.token_type,
                TokenType::Control | TokenType::UserDefined
            )
        };
        let by_text: Vec<&Token<'_>> = tokens
            .iter()
            .filter(added)
            .filter(|token| EOS_TEXTS.contains(&token.text))
            .collect();
        let has = |text: &str| by_text.iter().any(|token| token.text == text);
        // Where these end messages that call tools, `<|end|>` only ends a thought.
        let harmony =
            (has("<|call|>") || has("<|calls|>")) && (has("<|return|>") || has("<|flush|>"));
        let by_text = by_text
            .iter()
            .filter(|token| !(harmony && token.text == "<|end|>"));
        ends.extend(by_text.map(|token| token.id as u64));
    }
    ends.sort_unstable();
    ends.dedup();
    Ok(ends)
}

/// What may be wrong with prompts as the file's own tokenizer reads them.
pub(super) fn warnings(metadata: &Metadata) -> Result<Vec<String>, Error> {
    let mut warnings = Vec::new();
    if metadata
        .flag("tokenizer.ggml.add_eos_token")?
        .unwrap_or(false)
    {
        let asks = "the file asks for an end-of-sequence token after every prompt (tokenizer.ggml.add_eos_token)";
        warnings.push(format!("{asks}: it is not put there"));
    }
    for name in ["bos", "eos"] {
        if metadata.has(&special_key(name)) && special_id(metadata, name)?.is_none() {
            warnings.push(format!(
                "`{}` names no token of the vocabulary and was passed over",
                special_key(name)
            ));
        }
    }
    if metadata.text("tokenizer.ggml.model")? != Some("gpt2") {
        return Ok(warnings);
    }
    // Not refused: such files run in llama.cpp too, but how the model was trained is lost.
    if matches!(metadata.text(PRE_TOKENIZER)?, None | Some("default")) {
        warnings.push(format!(
            "the file does not say how its tokenizer splits texts (`{PRE_TOKENIZER}`): they are split as llama.cpp does \
             then, which no checkpoint was trained with"
        ));
    }
    if metadata
        .flag("tokenizer.ggml.add_space_prefix")?
        .unwrap_or(false)
    {
        warnings.push(
            "the file asks for a blank before every prompt (tokenizer.ggml.add_space_prefix): it is not put there, as \
             in llama.cpp"
                .to_string(),
        );
    }
    Ok(warnings)
}
