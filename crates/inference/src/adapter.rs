//! LoRA adapters as PEFT writes them: `adapter_config.json` and `adapter_model.safetensors`, read
//! as changes of the tensors of a checkpoint. The sums are those of `merge_and_unload` (peft,
//! `tuners/lora/layer.py` and `dora.py`), in f32.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind};
use crate::small_file::parse_json;
use crate::tensor_source::{Change, LowRank, Stored, WeightFile};

pub(crate) const CONFIG_FILE: &str = "adapter_config.json";
pub(crate) const WEIGHTS_FILE: &str = "adapter_model.safetensors";

/// What an adapter does to the tensors of its base.
#[derive(Default)]
pub(crate) struct Adapter {
    /// Tensors in place of those of the base, by name.
    pub(crate) replaced: BTreeMap<String, Stored>,
    /// What is added to others, by name.
    pub(crate) changed: BTreeMap<String, Change>,
    /// Where the base lay when the adapter was trained.
    pub(crate) base: Option<String>,
    /// Kind, rank and so on, for people.
    pub(crate) description: String,
}

/// `adapter_config.json` as it was written.
#[derive(Deserialize)]
#[serde(expecting = "an object of settings")]
struct RawConfig {
    peft_type: Option<String>,
    base_model_name_or_path: Option<String>,
    r: Option<u64>,
    lora_alpha: Option<f64>,
    #[serde(default)]
    use_rslora: bool,
    #[serde(default)]
    use_dora: bool,
    #[serde(default)]
    rank_pattern: Option<Map<String, Value>>,
    #[serde(default)]
    alpha_pattern: Option<Map<String, Value>>,
    #[serde(default)]
    init_lora_weights: Value,
    #[serde(default)]
    trainable_token_indices: Value,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// Keys of PEFT that change what the weights mean and that are not implemented.
const REFUSED_KEYS: [&str; 8] = [
    "alora_invocation_tokens",
    "arrow_config",
    "fan_in_fan_out",
    "layer_replication",
    "lora_bias",
    "target_parameters",
    "use_bdlora",
    "use_qalora",
];

/// Ways to begin that leave the base as it is. Others (pissa, olora, loftq, corda) change the base
/// at load.
const PLAIN_BEGINNINGS: [&str; 3] = ["gaussian", "eva", "orthogonal"];

fn in_config(kind: ErrorKind, message: String) -> Error {
    Error::new(kind, message).in_file(CONFIG_FILE)
}

fn refused(message: String) -> Error {
    in_config(
        ErrorKind::Unsupported,
        format!("{message}; merge it with peft's `merge_and_unload` first"),
    )
}

/// Whether a value switches something on.
fn is_on(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(values) => !values.is_empty(),
        Value::Object(values) => !values.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Bool(true) | Value::String(_) => true,
    }
}

impl RawConfig {
    fn refuse_unimplemented(&self) -> Result<(), Error> {
        match self.peft_type.as_deref() {
            Some("LORA") => {}
            Some(kind) => {
                return Err(refused(format!(
                    "adapters of the kind `{kind}` are not supported"
                )));
            }
            None => {
                return Err(in_config(
                    ErrorKind::Config,
                    "`peft_type` is missing".to_string(),
                ));
            }
        }
        if let Some(key) = REFUSED_KEYS
            .into_iter()
            .find(|key| self.others.get(*key).is_some_and(is_on))
        {
            return Err(refused(format!(
                "{key} ({}) is not supported",
                self.others[key]
            )));
        }
        match &self.init_lora_weights {
            Value::String(way) if !PLAIN_BEGINNINGS.contains(&way.as_str()) => Err(refused(
                format!("init_lora_weights `{way}` changes the base and is not supported"),
            )),
            _ => Ok(()),
        }
    }

    /// The number that the first matching pattern gives a module, as peft's `get_pattern_key` finds
    /// it.
    fn by_pattern(
        &self,
        key: &str,
        patterns: Option<&Map<String, Value>>,
        module: &str,
    ) -> Result<Option<f64>, Error> {
        for (pattern, value) in patterns.into_iter().flatten() {
            let whole = Regex::new(&format!(r"^(?:.*\.)?(?:{pattern})$")).map_err(|error| {
                in_config(
                    ErrorKind::Config,
                    format!("{key} `{pattern}` cannot be understood: {error}"),
                )
            })?;
            if whole.is_match(module) {
                let number = value.as_f64();
                let wrong = || {
                    in_config(
                        ErrorKind::Config,
                        format!("{key} `{pattern}` is {value}, not a number"),
                    )
                };
                return number.ok_or_else(wrong).map(Some);
            }
        }
        Ok(None)
    }

    fn rank(&self, module: &str) -> Result<f64, Error> {
        let given = self
            .by_pattern("rank_pattern", self.rank_pattern.as_ref(), module)?
            .or(self.r.map(|r| r as f64));
        given.ok_or_else(|| in_config(ErrorKind::Config, "`r` is missing".to_string()))
    }

    fn scale(&self, module: &str) -> Result<f32, Error> {
        let alpha = self
            .by_pattern("alpha_pattern", self.alpha_pattern.as_ref(), module)?
            .or(self.lora_alpha);
        let alpha = alpha
            .ok_or_else(|| in_config(ErrorKind::Config, "`lora_alpha` is missing".to_string()))?;
        let rank = self.rank(module)?;
        Ok((alpha / if self.use_rslora { rank.sqrt() } else { rank }) as f32)
    }

    /// The tokens whose rows of a module are trained.
    fn token_indices(&self, module: &str) -> Result<Vec<usize>, Error> {
        let wrong = || {
            let found = &self.trainable_token_indices;
            in_config(
                ErrorKind::Config,
                format!("trainable_token_indices {found} names no tokens of `{module}`"),
            )
        };
        let list = match &self.trainable_token_indices {
            Value::Object(by_module) => {
                let of_module = by_module
                    .iter()
                    .find(|(name, _)| module.ends_with(name.as_str()));
                of_module.map(|(_, list)| list).ok_or_else(wrong)?
            }
            list => list,
        };
        let indices = list.as_array().ok_or_else(wrong)?.iter();
        indices
            .map(|index| index.as_u64().map(|index| index as usize).ok_or_else(wrong))
            .collect()
    }
}

/// The parts of one module's change.
#[derive(Default)]
struct Parts {
    a: Option<Stored>,
    b: Option<Stored>,
    embedding_a: Option<Stored>,
    embedding_b: Option<Stored>,
    magnitude: Option<Stored>,
    tokens: Option<Stored>,
}

impl Parts {
    fn place(&mut self, part: &str) -> Option<&mut Option<Stored>> {
        match part {
            "lora_A.weight" => Some(&mut self.a),
            "lora_B.weight" => Some(&mut self.b),
            "lora_embedding_A" => Some(&mut self.embedding_a),
            "lora_embedding_B" => Some(&mut self.embedding_b),
            "lora_magnitude_vector" | "lora_magnitude_vector.weight" => Some(&mut self.magnitude),
            "token_adapter.trainable_tokens_delta" | "trainable_tokens_delta" => {
                Some(&mut self.tokens)
            }
            _ => None,
        }
    }
}

impl Adapter {
    /// Reads an adapter.
    ///
    /// # Errors
    /// What is not LoRA, or a kind of LoRA that is not implemented, by name; files that are not
    /// what they should be.
    pub(crate) fn parse(config: &[u8], weights: WeightFile) -> Result<Self, Error> {
        let config: RawConfig = parse_json(config).map_err(|error| {
            in_config(ErrorKind::Config, format!("cannot be understood: {error}")).caused_by(error)
        })?;
        config.refuse_unimplemented()?;
        let mut adapter = Self {
            base: config.base_model_name_or_path.clone(),
            ..Self::default()
        };
        let mut modules: BTreeMap<String, Parts> = BTreeMap::new();
        for stored in Stored::all(&Arc::new(weights))? {
            let name = stored
                .name()
                .strip_prefix("base_model.model.")
                .unwrap_or(stored.name())
                .to_string();
            let lora = ["lora_", "token_adapter.", "trainable_tokens_delta"];
            let Some(start) = lora.iter().filter_map(|part| name.find(part)).min() else {
                // PEFT may keep the base's own tensor beside the one in its place, and that one
                // under two names.
                if !name.contains(".original_module.") {
                    let plain = plain_name(&name);
                    match plain == name {
                        true => drop(adapter.replaced.insert(plain, stored)),
                        false => drop(adapter.replaced.entry(plain).or_insert(stored)),
                    }
                }
                continue;
            };
            let (module, part) = (
                name[..start].trim_end_matches('.').to_string(),
                name[start..].replace(".default", ""),
            );
            match modules.entry(module).or_default().place(&part) {
                Some(place) => *place = Some(stored),
                None => return Err(stored.error("is not a part of LoRA that is supported")),
            }
        }
        let mut ranks = Vec::new();
        for (module, parts) in modules {
            let change = change(&config, &module, parts)?;
            if let Change::LowRank(LowRank { rank, .. }) = &change {
                ranks.push(*rank);
            }
            adapter.changed.insert(format!("{module}.weight"), change);
        }
        let kind = if config.use_dora { "DoRA" } else { "LoRA" };
        let rank = match (ranks.iter().min(), ranks.iter().max()) {
            (Some(least), Some(most)) if least < most => format!(" of rank {least} to {most}"),
            (Some(rank), _) => format!(" of rank {rank}"),
            _ => String::new(),
        };
        let (changed, replaced) = (adapter.changed.len(), adapter.replaced.len());
        adapter.description =
            format!("{kind}{rank}, {changed} tensors changed, {replaced} replaced");
        Ok(adapter)
    }
}

const EMBEDDING_MODULE: &str = "embed_tokens.weight";

impl Adapter {
    /// Whether the adapter changes the embedding, and so may have tokens of its own.
    pub(crate) fn has_embedding(&self) -> bool {
        self.replaced
            .keys()
            .chain(self.changed.keys())
            .any(|name| name.ends_with(EMBEDDING_MODULE))
    }

    /// Rows of an embedding that takes the place of the base's.
    pub(crate) fn vocabulary(&self) -> Option<usize> {
        let embedding = self
            .replaced
            .iter()
            .find(|(name, _)| name.ends_with(EMBEDDING_MODULE));
        embedding.and_then(|(_, stored)| stored.rows())
    }

    /// A doubt whether this is the base that the adapter was trained on.
    pub(crate) fn warning(&self, base: &str) -> Option<String> {
        let trained_on = self.base.as_deref()?.trim_end_matches('/');
        let name = trained_on.rsplit('/').next().unwrap_or(trained_on);
        (!name.is_empty() && !name.eq_ignore_ascii_case(base)).then(|| {
            format!(
                "the adapter was trained on {trained_on:?}, and the base here is called {base:?}"
            )
        })
    }
}

/// A tensor's name in the base, without the layers that PEFT wraps around its module.
fn plain_name(name: &str) -> String {
    [
        ".modules_to_save.default",
        ".modules_to_save",
        ".base_layer",
    ]
    .iter()
    .fold(name.to_string(), |name, wrapper| name.replace(wrapper, ""))
}

fn change(config: &RawConfig, module: &str, parts: Parts) -> Result<Change, Error> {
    let Parts {
        a,
        b,
        embedding_a,
        embedding_b,
        magnitude,
        tokens,
    } = parts;
    if let Some(tokens) = tokens {
        let (shape, values) = tokens.matrix()?;
        let indices = config.token_indices(module)?;
        if indices.len() != shape[0] {
            let found = format!("{} rows", shape[0]);
            return Err(tokens
                .error("has the wrong shape")
                .expected(format!("{} rows", indices.len()), found));
        }
        let rows = indices
            .into_iter()
            .zip(values.chunks_exact(shape[1]).map(<[f32]>::to_vec));
        return Ok(Change::Rows(rows.collect()));
    }
    let half = |name: &str| {
        let message = format!("`{module}` has one half of its change and lacks {name}");
        Error::new(ErrorKind::Weights, message).in_file(WEIGHTS_FILE)
    };
    let (first, rank, a, b) = match (a, b, embedding_a, embedding_b) {
        (Some(a), Some(b), None, None) => {
            let (shape_a, values_a) = a.matrix()?;
            let (shape_b, values_b) = b.matrix()?;
            if shape_a[0] != shape_b[1] {
                let found = format!("{shape_b:?}");
                return Err(b
                    .error("has the wrong shape")
                    .expected(format!("[outputs, {}]", shape_a[0]), found));
            }
            (a, shape_a[0], values_a, values_b)
        }
        // An embedding's halves lie the other way round: the table is the transpose of their
        // product.
        (None, None, Some(a), Some(b)) => {
            if magnitude.is_some() {
                return Err(refused(format!(
                    "DoRA of the embedding `{module}` is not supported"
                )));
            }
            let (shape_a, values_a) = a.matrix()?;
            let (shape_b, values_b) = b.matrix()?;
            if shape_a[0] != shape_b[1] {
                let found = format!("{shape_b:?}");
                return Err(b
                    .error("has the wrong shape")
                    .expected(format!("[hidden, {}]", shape_a[0]), found));
            }
            (
                a,
                shape_a[0],
                transposed(&values_b, shape_b),
                transposed(&values_a, shape_a),
            )
        }
        (Some(_), None, ..) => return Err(half("lora_B")),
        (None, Some(_), ..) => return Err(half("lora_A")),
        (_, _, Some(_), None) => return Err(half("lora_embedding_B")),
        (_, _, None, Some(_)) => return Err(half("lora_embedding_A")),
        _ => return Err(half("both lora_A and lora_B")),
    };
    // The scale comes from the rank of the configuration: with another one in the file the change
    // would have the wrong size, and nothing would show it.
    let expected = config.rank(module)?;
    if expected != rank as f64 {
        return Err(first
            .error("has another rank than adapter_config.json says")
            .expected(expected.to_string(), rank.to_string()));
    }
    let magnitude = match magnitude {
        None if config.use_dora => return Err(half("lora_magnitude_vector")),
        None => None,
        Some(magnitude) => Some(magnitude.vector()?),
    };
    if magnitude
        .as_ref()
        .is_some_and(|magnitude| magnitude.len() * rank != b.len())
    {
        return Err(first.error("has a magnitude vector of another length beside it"));
    }
    Ok(Change::LowRank(LowRank {
        a,
        b,
        rank,
        scale: config.scale(module)?,
        magnitude,
    }))
}

/// `[rows, columns]` to `[columns, rows]`.
fn transposed(values: &[f32], [rows, columns]: [usize; 2]) -> Vec<f32> {
    (0..columns)
        .flat_map(|column| (0..rows).map(move |row| values[row * columns + column]))
        .collect()
}
