//! In what two runs differ beside their answers, in words, and whether they can still be compared.

use scoring::Scorer;
use serde::Serialize;
use serde_json::Value;

use super::compared_run::ComparedRun;
use crate::imported::{PROTOCOL_FIELDS, UNKNOWN};
use crate::protocol::deviating_stop_strings;

/// What a difference is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// How the questions were put.
    Template,
    /// How tokens were chosen and when completions ended.
    Decoding,
    /// By which rules answers were judged.
    Rules,
    /// Which items were asked.
    Items,
    /// What an imported run does not tell of how it was asked.
    Unknown,
    /// How exactly it was computed: it may cost accuracy, which a comparison may well be about.
    Precision,
    /// How many completions were drawn and with which random numbers.
    Drawing,
    /// Who answered: this is what is compared.
    Model,
    /// Which program asked.
    Program,
}

impl Aspect {
    /// Whether figures of two runs that differ in it say nothing about the models.
    pub fn forbids_comparison(self) -> bool {
        matches!(
            self,
            Self::Template | Self::Decoding | Self::Rules | Self::Items | Self::Unknown
        )
    }

    /// In reports.
    pub fn title(self) -> &'static str {
        match self {
            Self::Template => "template",
            Self::Decoding => "decoding",
            Self::Rules => "rules",
            Self::Items => "items",
            Self::Unknown => "unknown",
            Self::Precision => "precision",
            Self::Drawing => "drawing",
            Self::Model => "model",
            Self::Program => "program",
        }
    }
}

/// One difference between two runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProtocolDifference {
    /// What it is about.
    pub aspect: Aspect,
    /// What differs, in words.
    pub what: String,
    /// In the first run.
    pub a: String,
    /// In the second run.
    pub b: String,
}

/// All differences, the ones that forbid a comparison first. `scorer`: whose verdicts count;
/// another strict profile does not touch the official ones. Data that differ by name, files or
/// limit but not by items do not count.
pub(crate) fn differences(
    a: &ComparedRun,
    b: &ComparedRun,
    scorer: Scorer,
) -> Vec<ProtocolDifference> {
    let mut found: Vec<ProtocolDifference> = a
        .identity
        .differences(&b.identity)
        .into_iter()
        .filter_map(|difference| {
            if [a, b].iter().any(|run| hides(run, &difference.field)) {
                return None;
            }
            let (aspect, what) = meaning(&difference.field)?;
            let (a, b) = match aspect {
                Aspect::Template => (template(a), template(b)),
                _ if difference.field == "decoding.stop" => (stop_strings(a), stop_strings(b)),
                _ => (plain(&difference.there), plain(&difference.here)),
            };
            Some(ProtocolDifference { aspect, what, a, b })
        })
        .collect();
    for (field, what) in PROTOCOL_FIELDS {
        if [a, b].iter().any(|run| run.identity.is_unknown(field)) {
            found.push(ProtocolDifference {
                aspect: Aspect::Unknown,
                what: what.to_string(),
                a: told(a, field),
                b: told(b, field),
            });
        }
    }
    let mut add = |aspect, what: &str, a: String, b: String| {
        if a != b {
            found.push(ProtocolDifference {
                aspect,
                what: what.to_string(),
                a,
                b,
            });
        }
    };
    add(
        Aspect::Rules,
        "rule files",
        short(&a.rules),
        short(&b.rules),
    );
    add(
        Aspect::Rules,
        "scorer version",
        a.scorer_version.to_string(),
        b.scorer_version.to_string(),
    );
    if scorer == Scorer::Strict {
        let profile = |run: &ComparedRun| {
            run.strict_profile
                .clone()
                .unwrap_or_else(|| "each set's own".to_string())
        };
        add(Aspect::Rules, "strict profile", profile(a), profile(b));
    }
    add(
        Aspect::Program,
        "version",
        a.version.clone(),
        b.version.clone(),
    );
    found.sort_by_key(|difference| difference.aspect);
    found
}

/// Whether a field of the identity says nothing, because the files that the run was imported from
/// do not tell it.
fn hides(run: &ComparedRun, field: &str) -> bool {
    let within = |unknown: &&str| {
        let rest = field.strip_prefix(*unknown);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let mut unknown = PROTOCOL_FIELDS.iter().map(|(unknown, _)| *unknown);
    // How many completions there are is seen in the files, whatever they say of their drawing.
    field != "decoding.sampling.samples"
        && unknown.any(|unknown| run.identity.is_unknown(unknown) && within(&unknown))
}

/// What a run tells of a field that one of the two runs does not tell.
fn told(run: &ComparedRun, field: &str) -> String {
    let identity = &run.identity;
    match field {
        _ if identity.is_unknown(field) => UNKNOWN.to_string(),
        "template" => template(run),
        "decoding.max_tokens" => identity.decoding.max_tokens.to_string(),
        "decoding.stop" => stop_strings(run),
        _ => match &identity.decoding.sampling {
            None => "greedy".to_string(),
            Some(sampling) => format!("temperature {}", sampling.temperature),
        },
    }
}

/// A template's name, which two texts may share.
fn template(run: &ComparedRun) -> String {
    format!(
        "{} ({})",
        run.identity.template.name,
        short(&run.identity.template.digest)
    )
}

/// The stop strings of a run, of which most are the protocol's.
fn stop_strings(run: &ComparedRun) -> String {
    deviating_stop_strings(&run.identity.decoding.stop)
        .unwrap_or_else(|| "the protocol's".to_string())
}

/// Why two runs asked different items, in words: other data, cap, limit or exclusions.
pub(crate) fn reasons(a: &ComparedRun, b: &ComparedRun, roles: [&str; 2]) -> Vec<String> {
    let told = |difference: store::Difference| {
        let what = match difference.field.split('.').next() {
            Some("protocol") => "protocol",
            Some("limit") => "limit a set",
            Some("excluded") => "excluded items",
            _ if difference.field == "data.digest" => "digest of the data",
            _ => return None,
        };
        let (there, here) = (plain(&difference.there), plain(&difference.here));
        Some(format!(
            "{what}: {there} in {}, {here} in {}",
            roles[0], roles[1]
        ))
    };
    let mut found: Vec<String> = a
        .identity
        .differences(&b.identity)
        .into_iter()
        .filter_map(told)
        .collect();
    found.dedup();
    found
}

/// What a field of an identity is about and how it is called; `None` for those that only name data
/// or items.
fn meaning(field: &str) -> Option<(Aspect, String)> {
    let (section, rest) = field.split_once('.').unwrap_or((field, ""));
    let named = |aspect, what: &str| Some((aspect, what.to_string()));
    match (section, rest) {
        // The items themselves are compared, which these only describe.
        ("data" | "protocol" | "limit" | "excluded", _) => None,
        ("imported", "") => named(Aspect::Program, "import"),
        ("imported", "format") => named(Aspect::Program, "imported files"),
        // Which files they were; what they do not tell is said apart.
        ("imported", _) => None,
        ("template", "chat.system") => named(Aspect::Template, "system prompt"),
        ("template", "chat.date") => named(Aspect::Template, "date in the prompt"),
        ("template", rest) if rest.starts_with("chat.special_tokens") => {
            named(Aspect::Template, "special tokens in the prompt")
        }
        ("template", rest) if rest.starts_with("chat.") => {
            named(Aspect::Template, "variables of the chat template")
        }
        ("template", _) => named(Aspect::Template, "text around the question"),
        ("decoding", "max_tokens") => named(Aspect::Decoding, "most new tokens"),
        ("decoding", "stop") => named(Aspect::Decoding, "stop strings"),
        ("decoding", "sampling.seed") => named(Aspect::Drawing, "seed"),
        ("decoding", "sampling.samples") => named(Aspect::Drawing, "completions a problem"),
        ("decoding", rest) => named(
            Aspect::Decoding,
            &rest.trim_start_matches("sampling.").replace('_', " "),
        ),
        ("model", "kind") => named(Aspect::Precision, "kind of backend"),
        ("model", rest) => {
            let detail = rest.trim_start_matches("details.");
            let precise = ["arithmetic", "dtype", "quantization", "device"].contains(&detail);
            named(
                if precise {
                    Aspect::Precision
                } else {
                    Aspect::Model
                },
                &detail.replace('_', " "),
            )
        }
        // A field that is not known here may matter: it forbids the comparison.
        _ => named(Aspect::Decoding, field),
    }
}

/// A JSON value as one would write it: digests cut, texts without quotes.
fn plain(json: &str) -> String {
    match serde_json::from_str(json) {
        Ok(Value::Null) => "none".to_string(),
        Ok(Value::String(text)) => short(&text),
        Ok(Value::Object(_)) => json
            .replace(['{', '}', '"'], "")
            .replace(':', " ")
            .replace(',', ", "),
        _ => json.to_string(),
    }
}

/// The first digits of a digest; other texts as they are.
fn short(text: &str) -> String {
    const DIGITS: usize = 12;
    let is_digest = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_digest {
        text[..DIGITS].to_string()
    } else {
        text.to_string()
    }
}
