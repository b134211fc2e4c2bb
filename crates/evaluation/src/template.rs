//! Question → prompt. The named templates are those of the official driver
//! (microsoft/unilm, `mathscale/MWPBench/eval_vllm/driver.py`, commit 768a3c8).

use std::path::Path;

const PLACEHOLDER: &str = "{question}";

/// Name, and the text with `{question}` where the question goes.
const NAMED: [(&str, &str); 4] = [
    (
        "alpaca",
        "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n\
         ### Instruction:\n{question}\n\n### Response:",
    ),
    ("none", "{question}"),
    (
        "alpaca_force_ans",
        "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n\
         ### Instruction:\n{question}\n\nTry to conclude your response with 'The answer is ...'.\n### Response:",
    ),
    (
        "alpaca_cot",
        "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n\
         ### Instruction:\n{question}\n\n### Response: Let's think step by step.",
    ),
];

/// A text around the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    name: String,
    text: String,
}

/// Why a template cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// Neither a known name nor a file.
    #[error(
        "no template is called \"{name}\" and there is no such file (known: {known}; or the path of a text file with {PLACEHOLDER} in it)"
    )]
    Unknown {
        /// What was asked for.
        name: String,
        /// The known names.
        known: String,
    },
    /// The file cannot be read as text.
    #[error("the template {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The placeholder is missing or repeated.
    #[error("the template {path} must contain {PLACEHOLDER} exactly once, found {count} times")]
    Placeholder {
        /// The file.
        path: String,
        /// How often it was found.
        count: usize,
    },
}

impl Template {
    /// Names of the built-in templates, the default first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMED.iter().map(|(name, _)| *name)
    }

    /// A built-in template.
    pub fn named(name: &str) -> Option<Self> {
        let (name, text) = NAMED.iter().find(|(own, _)| *own == name)?;
        Some(Self { name: (*name).to_string(), text: (*text).to_string() })
    }

    /// A built-in template or, where none has that name, a user's text file with `{question}` in it exactly once.
    ///
    /// # Errors
    /// Neither name nor file, an unreadable file, or a file without the placeholder.
    pub fn resolve(name_or_path: &str) -> Result<Self, TemplateError> {
        if let Some(template) = Self::named(name_or_path) {
            return Ok(template);
        }
        if !Path::new(name_or_path).exists() {
            let known = Self::names().collect::<Vec<_>>().join(", ");
            return Err(TemplateError::Unknown { name: name_or_path.to_string(), known });
        }
        let path = name_or_path.to_string();
        let text = std::fs::read_to_string(name_or_path)
            .map_err(|source| TemplateError::Unreadable { path: path.clone(), source })?;
        match text.matches(PLACEHOLDER).count() {
            1 => Ok(Self { name: path, text }),
            count => Err(TemplateError::Placeholder { path, count }),
        }
    }

    /// The name, or the path of the user's file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text, with `{question}` where the question goes.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// BLAKE3 (hex) of the text.
    pub fn digest(&self) -> String {
        blake3::hash(self.text.as_bytes()).to_hex().to_string()
    }

    /// The template that a manifest holds.
    pub(crate) fn recorded(name: &str, text: &str) -> Self {
        Self { name: name.to_string(), text: text.to_string() }
    }

    /// The prompt for one question. Braces in the question mean nothing.
    pub fn render(&self, question: &str) -> String {
        self.text.replacen(PLACEHOLDER, question, 1)
    }
}
