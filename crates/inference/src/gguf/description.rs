//! What a GGUF file says of itself, in facts to be read by people: also where the file is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::container::{Container, Header, Metadata, TensorInfo};
use crate::error::Error;

/// Names of `general.file_type` (llama.cpp, `include/llama.h`, `enum llama_ftype`).
const FILE_TYPES: [(u64, &str); 36] = [
    (0, "F32"),
    (1, "F16"),
    (2, "Q4_0"),
    (3, "Q4_1"),
    (7, "Q8_0"),
    (8, "Q5_0"),
    (9, "Q5_1"),
    (10, "Q2_K"),
    (11, "Q3_K_S"),
    (12, "Q3_K_M"),
    (13, "Q3_K_L"),
    (14, "Q4_K_S"),
    (15, "Q4_K_M"),
    (16, "Q5_K_S"),
    (17, "Q5_K_M"),
    (18, "Q6_K"),
    (19, "IQ2_XXS"),
    (20, "IQ2_XS"),
    (21, "Q2_K_S"),
    (22, "IQ3_XS"),
    (23, "IQ3_XXS"),
    (24, "IQ1_S"),
    (25, "IQ4_NL"),
    (26, "IQ3_S"),
    (27, "IQ3_M"),
    (28, "IQ2_S"),
    (29, "IQ2_M"),
    (30, "IQ4_XS"),
    (31, "IQ1_M"),
    (32, "BF16"),
    (36, "TQ1_0"),
    (37, "TQ2_0"),
    (38, "MXFP4_MOE"),
    (39, "NVFP4"),
    (40, "Q1_0"),
    (41, "Q2_0"),
];

/// Names and what they are, in the order in which to show them.
pub(crate) type Facts = Vec<(&'static str, String)>;

/// What the file at a path says of itself, whether or not it can be run.
///
/// # Errors
/// Where its header cannot be read.
pub(crate) fn of_file(path: &Path) -> Result<Facts, Error> {
    let header = Header::read(path)?;
    let metadata = &header.metadata;
    let facts = [
        ("name", text(metadata, "general.name")),
        ("architecture", text(metadata, "general.architecture")),
        ("part", part(metadata)),
        ("parameters", parameters(&header.tensors)),
        ("layers", of_architecture(metadata, "block_count")),
        ("hidden_size", of_architecture(metadata, "embedding_length")),
        (
            "intermediate_size",
            of_architecture(metadata, "feed_forward_length"),
        ),
        ("heads", of_architecture(metadata, "attention.head_count")),
        (
            "kv_heads",
            of_architecture(metadata, "attention.head_count_kv"),
        ),
        (
            "context_length",
            of_architecture(metadata, "context_length"),
        ),
    ];
    let mut facts: Facts = facts
        .into_iter()
        .filter_map(|(name, fact)| Some((name, fact?)))
        .collect();
    facts.extend(of_metadata(metadata));
    facts.push(("stored", stored(claimed(&header))));
    facts.push(("file_bytes", header.file.bytes.len().to_string()));
    Ok(facts)
}

/// The facts of a file that can be run, beside those of every checkpoint.
pub(super) fn of_parts(parts: &[Container]) -> Facts {
    let mut facts = of_metadata(&parts[0].metadata);
    let entries = parts.iter().flat_map(|part| &part.tensors);
    facts.push((
        "stored",
        stored(entries.map(|tensor| {
            (
                &*tensor.name,
                tensor.storage.name(),
                tensor.range.len() as u64,
            )
        })),
    ));
    facts
}

/// The file type, the tokenizer and what belongs to it.
fn of_metadata(metadata: &Metadata) -> Facts {
    let facts = [
        ("file_type", file_type(metadata)),
        ("gguf_tokenizer", tokenizer(metadata)),
        ("special_tokens", special_tokens(metadata)),
        ("chat_template", Some(chat_template(metadata))),
    ];
    facts
        .into_iter()
        .filter_map(|(name, fact)| Some((name, fact?)))
        .collect()
}

/// A text; values of another kind are as good as none here.
fn text(metadata: &Metadata, key: &str) -> Option<String> {
    metadata.text(key).ok().flatten().map(str::to_string)
}

fn number(metadata: &Metadata, key: &str) -> Option<u64> {
    metadata.number(key).ok().flatten()
}

/// A number by its name behind that of the architecture.
fn of_architecture(metadata: &Metadata, name: &str) -> Option<String> {
    let architecture = text(metadata, "general.architecture")?;
    let key = format!("{architecture}.{name}");
    match metadata.number_of_all_layers(&key) {
        Ok(number) => number.map(|number| number.to_string()),
        Err(_) => Some("differs from layer to layer".to_string()),
    }
}

fn part(metadata: &Metadata) -> Option<String> {
    let count = number(metadata, "split.count").filter(|count| *count > 1)?;
    let number = number(metadata, "split.no").unwrap_or(0).saturating_add(1);
    Some(format!("{number} of {count}"))
}

fn parameters(tensors: &[TensorInfo]) -> Option<String> {
    let values = |tensor: &TensorInfo| {
        tensor
            .shape
            .iter()
            .try_fold(1usize, |product, size| product.checked_mul(*size))
    };
    let sum = tensors
        .iter()
        .try_fold(0usize, |sum, tensor| sum.checked_add(values(tensor)?));
    sum.map(|sum| sum.to_string())
}

fn file_type(metadata: &Metadata) -> Option<String> {
    let number = number(metadata, "general.file_type")?;
    let known = FILE_TYPES.iter().find(|(known, _)| *known == number);
    Some(known.map_or_else(
        || format!("number {number}"),
        |(_, name)| (*name).to_string(),
    ))
}

/// Model, pre-tokenizer and size.
fn tokenizer(metadata: &Metadata) -> Option<String> {
    let model = text(metadata, "tokenizer.ggml.model")?;
    let pre = text(metadata, super::vocabulary::PRE_TOKENIZER);
    let pre = pre.map_or_else(
        || "no pre-tokenizer named".to_string(),
        |pre| format!("pre-tokenizer {pre}"),
    );
    let count = metadata
        .texts("tokenizer.ggml.tokens")
        .ok()
        .flatten()
        .map_or(0, Iterator::count);
    Some(format!("{model}, {pre}, {count} tokens"))
}

fn special_tokens(metadata: &Metadata) -> Option<String> {
    let token = |name: &&str| {
        let id = number(metadata, &format!("tokenizer.ggml.{name}_token_id"))?;
        let mut tokens = metadata.texts("tokenizer.ggml.tokens").ok().flatten()?;
        let token = tokens.nth(usize::try_from(id).ok()?);
        Some(token.map_or_else(
            || format!("{name} {id}"),
            |token| format!("{name} {id} {token:?}"),
        ))
    };
    let mut tokens: Vec<String> = ["bos", "eos", "eot", "eom"]
        .iter()
        .filter_map(token)
        .collect();
    for (key, name) in [("add_bos_token", "bos"), ("add_eos_token", "eos")] {
        let says = metadata
            .flag(&format!("tokenizer.ggml.{key}"))
            .ok()
            .flatten();
        tokens.extend(says.map(|adds| {
            format!(
                "{name} is {}added to a prompt",
                if adds { "" } else { "not " }
            )
        }));
    }
    (!tokens.is_empty()).then(|| tokens.join(", "))
}

fn chat_template(metadata: &Metadata) -> String {
    const KEY: &str = "tokenizer.chat_template";
    match text(metadata, KEY) {
        Some(template) => format!("of {} characters", template.chars().count()),
        None if metadata.keys().any(|key| key.starts_with(KEY)) => "by names only".to_string(),
        None => "none".to_string(),
    }
}

/// Name, type and bytes of each tensor, as far as the file goes: up to where the next one begins.
fn claimed(header: &Header) -> impl Iterator<Item = (&str, String, u64)> {
    let end = header.file.bytes.len().saturating_sub(header.start) as u64;
    let next = header
        .tensors
        .iter()
        .skip(1)
        .map(|info| info.offset)
        .chain([end]);
    header.tensors.iter().zip(next).map(|(info, next)| {
        let kind = info
            .storage
            .as_ref()
            .map_or_else(Clone::clone, |storage| storage.name());
        (
            &*info.name,
            kind.to_lowercase(),
            // Offsets are not checked in a file that is refused: they may even go back.
            next.saturating_sub(info.offset),
        )
    })
}

/// Tensors and bytes by type, with what the tensors are for:
/// `q8_0: 7 tensors (attn_k, attn_q, …), 9216 bytes`.
fn stored<'a>(tensors: impl Iterator<Item = (&'a str, String, u64)>) -> String {
    let mut kinds: BTreeMap<String, (usize, u64, BTreeSet<&str>)> = BTreeMap::new();
    for (name, kind, bytes) in tensors {
        let (count, sum, parts) = kinds.entry(kind).or_default();
        *count += 1;
        *sum = sum.saturating_add(bytes);
        parts.insert(role(name));
    }
    let kinds = kinds.into_iter().map(|(kind, (count, bytes, parts))| {
        let parts: Vec<&str> = parts.into_iter().collect();
        format!(
            "{kind}: {count} tensors ({}), {bytes} bytes",
            parts.join(", ")
        )
    });
    let kinds: Vec<String> = kinds.collect();
    if kinds.is_empty() {
        "no tensors".to_string()
    } else {
        kinds.join("; ")
    }
}

/// What a tensor is for, whatever its layer: `attn_q` of `blk.3.attn_q.weight`.
fn role(name: &str) -> &str {
    let name = name.strip_suffix(".weight").unwrap_or(name);
    let in_layer = name
        .strip_prefix("blk.")
        .and_then(|rest| rest.split_once('.'));
    in_layer.map_or(name, |(_, role)| role)
}
