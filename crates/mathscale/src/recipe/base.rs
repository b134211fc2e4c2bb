//! What is read of the base model's files: sizes, special tokens, names of weights.
//!
//! Only JSON files are read, never a weight.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::fault::RecipeFault;
use super::memory::ModelShape;
use crate::error::Error;

const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
/// Where a tokenizer may keep chat templates beside its configuration.
const CHAT_TEMPLATES: [&str; 3] = [
    "chat_template.jinja",
    "chat_template.json",
    "additional_chat_templates",
];

/// The model that is fine-tuned, as its files describe it.
#[derive(Clone, Debug, PartialEq)]
pub struct BaseModel {
    name: String,
    revision: Option<String>,
    is_folder: bool,
    shape: ModelShape,
    config: Value,
    eos: String,
    bos: Option<String>,
    has_pad: bool,
    has_chat_template: bool,
    weights: Vec<String>,
    warnings: Vec<String>,
}

impl BaseModel {
    /// Files that a recipe reads: all that is needed of a model that lies elsewhere.
    pub const FILES: [&str; 3] = [CONFIG, TOKENIZER_CONFIG, TOKENIZER];

    /// Reads the model in a folder, which trainer and evaluation find by that folder's path.
    ///
    /// # Errors
    /// A file that is missing or no JSON object, sizes that are missing, no end-of-sequence token.
    pub fn in_folder(folder: &Path) -> Result<Self, Error> {
        let name = folder.to_string_lossy().into_owned();
        Self::read(folder, name, None, true)
    }

    /// Reads the model of a name on the hub, of which [`Self::FILES`] lie in a folder.
    ///
    /// # Errors
    /// As [`Self::in_folder`].
    pub fn on_hub(name: &str, revision: Option<&str>, files: &Path) -> Result<Self, Error> {
        Self::read(files, name.to_string(), revision.map(str::to_string), false)
    }

    fn read(
        files: &Path,
        name: String,
        revision: Option<String>,
        is_folder: bool,
    ) -> Result<Self, Error> {
        let needed = |file| object(files, file)?.ok_or(RecipeFault::NoBaseFile(file));
        let config = needed(CONFIG)?;
        let tokenizer_config = needed(TOKENIZER_CONFIG)?;
        let tokenizer = needed(TOKENIZER)?;
        let eos = token(&tokenizer_config, "eos_token").ok_or(RecipeFault::NoEos)?;
        let in_files = CHAT_TEMPLATES.iter().any(|file| files.join(file).exists());
        let mut base = Self {
            name,
            revision,
            is_folder,
            shape: shape(&config)?,
            bos: added_bos(&tokenizer_config, &tokenizer),
            has_pad: token(&tokenizer_config, "pad_token").is_some(),
            has_chat_template: in_files || !tokenizer_config["chat_template"].is_null(),
            weights: weights(files),
            warnings: Vec::new(),
            config,
            eos,
        };
        base.warnings.extend(base.chat_warning());
        Ok(base)
    }

    /// Its folder, or its name on the hub.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The revision of its repository on the hub, where one was named.
    pub fn revision(&self) -> Option<&str> {
        self.revision.as_deref()
    }

    /// Whether it lies in a folder of this machine.
    pub fn is_folder(&self) -> bool {
        self.is_folder
    }

    /// Its sizes.
    pub fn shape(&self) -> &ModelShape {
        &self.shape
    }

    /// Whether its tokenizer carries a chat template.
    pub fn has_chat_template(&self) -> bool {
        self.has_chat_template
    }

    /// What a user should know before training it on the Alpaca template.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The text of the token behind every solution.
    pub(crate) fn eos(&self) -> &str {
        &self.eos
    }

    /// The text of the token that its tokenizer puts before every prompt, where it does.
    pub(crate) fn bos(&self) -> Option<&str> {
        self.bos.as_deref()
    }

    pub(crate) fn has_pad(&self) -> bool {
        self.has_pad
    }

    pub(crate) fn config(&self) -> &Value {
        &self.config
    }

    /// Names of its files of weights.
    pub(crate) fn weights(&self) -> &[String] {
        &self.weights
    }

    /// Tokens that it was made for.
    pub(crate) fn max_positions(&self) -> Option<usize> {
        usize::try_from(self.config["max_position_embeddings"].as_u64()?).ok()
    }

    fn chat_warning(&self) -> Option<String> {
        self.has_chat_template.then(|| {
            "the base model has a chat template: it was made for conversations, and is trained here on the Alpaca template, which the evaluation asks with as well. Ask what comes out in that template alone (its tokenizer keeps the chat template, which other programs would use), or take the base model that the chat model was made of".to_string()
        })
    }
}

/// A file of the model as a JSON object; `None` where there is none.
fn object(folder: &Path, file: &'static str) -> Result<Option<Value>, RecipeFault> {
    let wrong = |reason: String| RecipeFault::BaseFile { file, reason };
    let path = folder.join(file);
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
    let value: Value = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    match value.is_object() {
        true => Ok(Some(value)),
        false => Err(wrong("expected a JSON object".to_string())),
    }
}

/// The text of a special token: a string, or an object with `content`.
fn token(config: &Value, name: &str) -> Option<String> {
    let token = &config[name];
    let text = token.as_str().or_else(|| token["content"].as_str())?;
    Some(text.to_string()).filter(|text| !text.is_empty())
}

/// The token that the tokenizer puts before a text: by its post-processor, or where
/// `add_bos_token` says so.
fn added_bos(config: &Value, tokenizer: &Value) -> Option<String> {
    let bos = token(config, "bos_token")?;
    let by_flag = config["add_bos_token"] == Value::Bool(true);
    (by_flag || puts_first(&tokenizer["post_processor"], &bos)).then_some(bos)
}

/// Whether a post-processor, or one of a sequence of them, begins a single text with this token.
fn puts_first(processor: &Value, token: &str) -> bool {
    match processor["type"].as_str() {
        Some("Sequence") => (processor["processors"].as_array())
            .is_some_and(|all| all.iter().any(|one| puts_first(one, token))),
        Some("TemplateProcessing") => {
            processor["single"][0]["SpecialToken"]["id"].as_str() == Some(token)
        }
        Some("RobertaProcessing" | "BertProcessing") => processor["cls"][0] == *token,
        _ => false,
    }
}

/// Files of weights, in order.
fn weights(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names
        .filter(|name| name.ends_with(".safetensors"))
        .collect();
    names.sort();
    names
}

fn shape(config: &Value) -> Result<ModelShape, RecipeFault> {
    let wrong = |reason: String| RecipeFault::BaseFile {
        file: CONFIG,
        reason,
    };
    let optional = |name: &str| match &config[name] {
        Value::Null => Ok(None),
        value => (value.as_u64().filter(|&size| size > 0 && size < 1 << 32))
            .map(Some)
            .ok_or_else(|| wrong(format!("{name} is {value}: expected a size"))),
    };
    let needed = |name: &str| {
        optional(name)?.ok_or_else(|| {
            wrong(format!(
                "has no {name}: recipes are for decoders such as LLaMA, Mistral and Qwen"
            ))
        })
    };
    let flag = |name: &str| config[name] == Value::Bool(true);
    let (hidden, heads) = (needed("hidden_size")?, needed("num_attention_heads")?);
    let model_type = config["model_type"].as_str().unwrap_or_default();
    let experts = match optional("num_local_experts")? {
        None => optional("num_experts")?,
        experts => experts,
    };
    let inner = match experts {
        Some(_) => optional("moe_intermediate_size")?,
        None => None,
    };
    Ok(ModelShape {
        hidden,
        heads,
        layers: needed("num_hidden_layers")?,
        kv_heads: optional("num_key_value_heads")?.unwrap_or(heads),
        head_dim: optional("head_dim")?.unwrap_or(hidden / heads),
        intermediate: match inner {
            Some(inner) => inner,
            None => needed("intermediate_size")?,
        },
        experts: experts.unwrap_or(0),
        vocabulary: needed("vocab_size")?,
        tied: flag("tie_word_embeddings"),
        // Qwen2's biases are part of its code and not of its configuration.
        qkv_bias: flag("attention_bias") || model_type == "qwen2",
        output_bias: flag("attention_bias"),
        qk_norm: model_type.starts_with("qwen3"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn folder(edit: impl FnOnce(&mut Value, &mut Value, &mut Value)) -> tempfile::TempDir {
        let mut config = json!({
            "model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2,
            "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 96,
            "vocab_size": 100, "max_position_embeddings": 512
        });
        let mut tokenizer_config = json!({"bos_token": "<s>", "eos_token": {"content": "</s>"}});
        let mut tokenizer = json!({
            "added_tokens": [{"id": 1, "content": "<s>"}, {"id": 2, "content": "</s>"}],
            "post_processor": {"type": "Sequence", "processors": [
                {"type": "ByteLevel"},
                {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}]}
            ]}
        });
        edit(&mut config, &mut tokenizer_config, &mut tokenizer);
        let folder = tempfile::tempdir().unwrap();
        for (file, value) in [
            (CONFIG, config),
            (TOKENIZER_CONFIG, tokenizer_config),
            (TOKENIZER, tokenizer),
        ] {
            fs::write(folder.path().join(file), value.to_string()).unwrap();
        }
        folder
    }

    fn base(folder: &tempfile::TempDir) -> Result<BaseModel, String> {
        BaseModel::in_folder(folder.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn sizes_and_special_tokens_are_read() {
        let base = base(&folder(|_, _, _| ())).unwrap();
        assert_eq!((base.eos(), base.bos()), ("</s>", Some("<s>")));
        assert_eq!(base.shape().head_dim, 16);
        assert_eq!(base.max_positions(), Some(512));
        assert!(!base.has_pad() && !base.has_chat_template());
        assert_eq!(base.warnings(), [] as [String; 0]);
    }

    #[test]
    fn a_bos_that_is_only_named_is_not_put_before_a_prompt() {
        let named = folder(|_, _, tokenizer| tokenizer["post_processor"] = Value::Null);
        assert_eq!(base(&named).unwrap().bos(), None);
        let by_flag = folder(|_, config, tokenizer| {
            tokenizer["post_processor"] = Value::Null;
            config["add_bos_token"] = true.into();
        });
        assert_eq!(base(&by_flag).unwrap().bos(), Some("<s>"));
    }

    #[test]
    fn a_chat_template_is_told_wherever_it_is_kept() {
        let chat = folder(|_, config, _| config["chat_template"] = "{{ messages }}".into());
        let base = base(&chat).unwrap();
        let [warning] = base.warnings() else {
            panic!("{:?}", base.warnings());
        };
        assert!(
            warning.contains("chat template") && warning.contains("Alpaca"),
            "{warning}"
        );
        let file = folder(|_, _, _| ());
        fs::write(file.path().join("chat_template.jinja"), "x").unwrap();
        let base = BaseModel::in_folder(file.path()).unwrap();
        assert!(base.has_chat_template());
    }

    #[test]
    fn what_a_recipe_cannot_be_made_of_is_named() {
        let refused = |folder: tempfile::TempDir, part: &str| {
            let message = base(&folder).unwrap_err();
            assert!(message.contains(part), "{message}");
        };
        refused(tempfile::tempdir().unwrap(), "no config.json");
        refused(
            folder(|_, config, _| config["eos_token"] = Value::Null),
            "names no eos_token",
        );
        refused(
            folder(|config, _, _| config["hidden_size"] = Value::Null),
            "has no hidden_size",
        );
        refused(
            folder(|config, _, _| config["vocab_size"] = (-3).into()),
            "vocab_size is -3",
        );
        refused(
            folder(|config, _, _| *config = json!([1])),
            "expected a JSON object",
        );
    }
}
