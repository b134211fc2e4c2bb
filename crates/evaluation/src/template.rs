//! Question → prompt. The named templates are those of the official driver
//! (microsoft/unilm, `mathscale/MWPBench/eval_vllm/driver.py`, commit 768a3c8); the other way is a
//! checkpoint's own chat template.

mod chat; // a chat template around the question

use fault::{Class, Fault};
use std::path::Path;

use chat_template::ChatTemplate;

use crate::few_shot::Example;
use crate::protocol::STOP_STRINGS;
use crate::template_identity::{ChatIdentity, TemplateIdentity};
use chat::Chat;
pub use chat::ChatSettings;

/// Name of every chat template, and where the user's turn is the text of [`BOXED`].
const CHAT: &str = "chat";
/// The chat template in which the user asks for steps and an answer in a box.
pub const CHAT_BOXED: &str = "chat_boxed";

const PLACEHOLDER: &str = "{question}";

/// Name, and the text with `{question}` where the question goes.
const NAMED: [(&str, &str); 5] = [
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
    // What the published evaluations of mathematical models ask for, Qwen2.5-Math's and DeepSeek-R1's
    // among them (QwenLM/Qwen2.5-Math, `evaluation/utils.py`, commit a45202b).
    (
        BOXED,
        "{question}\nPlease reason step by step, and put your final answer within \\boxed{}.\n",
    ),
];

/// The template that asks for steps and an answer in a box.
pub const BOXED: &str = "boxed";

/// What is written around the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    name: String,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// A text with [`PLACEHOLDER`] in it.
    Text(String),
    /// A conversation in which the user asks the question.
    Chat(Box<Chat>),
}

/// Why a template cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// Neither a known name nor a file.
    #[error(
        "no template is called \"{name}\" and there is no such file (known: {known}, {CHAT}, {CHAT_BOXED}; or the path of a text file with {PLACEHOLDER} in it)"
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
    /// A chat template that cannot be used.
    #[error(transparent)]
    Chat(#[from] chat_template::Error),
    /// A chat template that takes questions, but no system prompt.
    #[error("the chat template takes no system prompt ({source})")]
    SystemRefused {
        /// What it says to one.
        source: chat_template::Error,
    },
    /// A chat template that does not write the system prompt.
    #[error("{file}: the chat template does not write the system prompt")]
    SystemIgnored {
        /// Where the template is.
        file: String,
    },
    /// A chat template that does not write what the user says.
    #[error("{file}: the chat template does not write what the user says")]
    QuestionIgnored {
        /// Where the template is.
        file: String,
    },
}

impl Fault for TemplateError {
    fn class(&self) -> Class {
        match self {
            Self::Chat(error) => error.class(),
            _ => Class::Usage,
        }
    }
}

impl Template {
    /// Names of the built-in templates, the default first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMED.iter().map(|(name, _)| *name)
    }

    /// A built-in template.
    pub fn named(name: &str) -> Option<Self> {
        let (name, text) = NAMED.iter().find(|(own, _)| *own == name)?;
        Some(Self {
            name: (*name).to_string(),
            kind: Kind::Text((*text).to_string()),
        })
    }

    /// A built-in template or, where none has that name, a user's text file with `{question}` in it
    /// exactly once.
    ///
    /// # Errors
    /// Neither name nor file, an unreadable file, or a file without the placeholder.
    pub fn resolve(name_or_path: &str) -> Result<Self, TemplateError> {
        if let Some(template) = Self::named(name_or_path) {
            return Ok(template);
        }
        if !Path::new(name_or_path).exists() {
            let known = Self::names().collect::<Vec<_>>().join(", ");
            return Err(TemplateError::Unknown {
                name: name_or_path.to_string(),
                known,
            });
        }
        let path = name_or_path.to_string();
        let text =
            std::fs::read_to_string(name_or_path).map_err(|source| TemplateError::Unreadable {
                path: path.clone(),
                source,
            })?;
        match text.matches(PLACEHOLDER).count() {
            1 => Ok(Self {
                name: path,
                kind: Kind::Text(text),
            }),
            count => Err(TemplateError::Placeholder { path, count }),
        }
    }

    /// A chat template, tried out with a question.
    ///
    /// # Errors
    /// What the template refuses, and a template that writes no question or passes the system
    /// prompt over.
    pub fn chat(template: ChatTemplate, settings: ChatSettings) -> Result<Self, TemplateError> {
        Ok(Self {
            name: match settings.turn {
                None => CHAT.to_string(),
                Some(_) => CHAT_BOXED.to_string(),
            },
            kind: Kind::Chat(Box::new(Chat::new(template, settings)?)),
        })
    }

    /// The name, or the path of the user's file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text, with `{question}` where the question goes.
    pub fn text(&self) -> &str {
        match &self.kind {
            Kind::Text(text) => text,
            Kind::Chat(chat) => &chat.shown,
        }
    }

    /// Whether prompts have their special tokens written out.
    pub fn writes_special_tokens(&self) -> bool {
        matches!(self.kind, Kind::Chat(_))
    }

    /// The text of the beginning-of-sequence token of a chat template, where its tokenizer names
    /// one.
    pub fn bos(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(_) => None,
            Kind::Chat(chat) => chat.bos(),
        }
    }

    /// The strings before which completions end: the protocol's, and none for a chat template,
    /// where the end of a turn is a token, and an answer may well say "Question" or "Response".
    pub fn stop_strings(&self) -> Vec<String> {
        match self.kind {
            Kind::Text(_) => STOP_STRINGS.map(str::to_string).to_vec(),
            Kind::Chat(_) => Vec::new(),
        }
    }

    /// BLAKE3 (hex) of the text or, for a chat template, of all that decides what it writes.
    pub fn digest(&self) -> String {
        let hashed = match &self.kind {
            Kind::Text(text) => text.clone(),
            Kind::Chat(chat) => {
                // Where the template lies is a label: the same one from another folder asks the
                // same.
                let identity = ChatIdentity {
                    file: String::new(),
                    ..chat.identity()
                };
                serde_json::to_string(&identity).expect("an identity is plain data")
            }
        };
        blake3::hash(hashed.as_bytes()).to_hex().to_string()
    }

    /// A template of this name and text; `None` where the text does not have the placeholder once.
    pub(crate) fn of_text(name: &str, text: &str) -> Option<Self> {
        (text.matches(PLACEHOLDER).count() == 1).then(|| Self {
            name: name.to_string(),
            kind: Kind::Text(text.to_string()),
        })
    }

    /// What a manifest holds of it.
    pub(crate) fn identity(&self) -> TemplateIdentity {
        TemplateIdentity {
            name: self.name.clone(),
            digest: self.digest(),
            text: self.text().to_string(),
            chat: match &self.kind {
                Kind::Text(_) => None,
                Kind::Chat(chat) => Some(chat.identity()),
            },
        }
    }

    /// The template that a manifest holds.
    ///
    /// # Errors
    /// A chat template that cannot be rendered again.
    pub(crate) fn recorded(identity: TemplateIdentity) -> Result<Self, TemplateError> {
        let TemplateIdentity {
            name, text, chat, ..
        } = identity;
        let kind = match chat {
            None => Kind::Text(text),
            Some(chat) => Kind::Chat(Box::new(Chat::recorded(chat)?)),
        };
        Ok(Self { name, kind })
    }

    /// The prompt for one question after examples: each with the same text around it and its answer
    /// behind that, or as a turn of the user and one of the model.
    ///
    /// # Errors
    /// A chat template that refuses this question or these turns.
    pub fn render_after(
        &self,
        examples: &[Example],
        question: &str,
    ) -> Result<String, TemplateError> {
        match &self.kind {
            _ if examples.is_empty() => self.render(question),
            Kind::Text(_) => {
                let mut prompt = String::new();
                for example in examples {
                    prompt.push_str(&self.render(&example.question)?);
                    if !prompt.ends_with(char::is_whitespace) {
                        prompt.push(' ');
                    }
                    prompt.push_str(&example.answer);
                    prompt.push_str("\n\n");
                }
                prompt.push_str(&self.render(question)?);
                Ok(prompt)
            }
            Kind::Chat(chat) => chat.render_after(examples, question),
        }
    }

    /// Whether the prompt asks for an answer in a box.
    pub fn asks_for_a_box(&self) -> bool {
        self.text().contains("\\boxed")
    }

    /// The strings before which completions end where examples stand before the question: besides
    /// the others the text that would begin the next question's end, where it holds none of them.
    pub fn few_shot_stop_strings(&self) -> Vec<String> {
        let mut stop = self.stop_strings();
        if let Kind::Text(text) = &self.kind {
            let behind = text
                .split_once(PLACEHOLDER)
                .map_or("", |(_, behind)| behind);
            let line = behind.trim().lines().next().unwrap_or_default();
            let is_there = stop.iter().any(|own| text.contains(own.as_str()));
            if !is_there && !line.is_empty() {
                stop.push(line.to_string());
            }
        }
        stop
    }

    /// The prompt for one question. Braces in the question mean nothing.
    ///
    /// # Errors
    /// A chat template that refuses this question.
    pub fn render(&self, question: &str) -> Result<String, TemplateError> {
        match &self.kind {
            // Once and in one pass: a question that holds the placeholder itself is not filled
            // again.
            Kind::Text(text) => Ok(text.replacen(PLACEHOLDER, question, 1)),
            Kind::Chat(chat) => chat.render(question),
        }
    }

    /// What a chat template writes behind an assistant's words, such as `<|im_end|>` and a line end;
    /// `None` for another template, and where it does not render those words as they are.
    pub fn end_of_turn(&self) -> Option<String> {
        match &self.kind {
            Kind::Text(_) => None,
            Kind::Chat(chat) => chat.end_of_turn(),
        }
    }

    /// What the user should know of a chat template: that prompts hold a date, that they begin
    /// without the beginning-of-sequence token `bos`, which the tokenizer puts before other
    /// prompts, and that turns end with none of the tokens `eos` at which completions end. `bos` is
    /// `None` where the tokenizer puts none there, `eos` empty where nobody knows.
    pub fn warnings(&self, bos: Option<&str>, eos: &[String]) -> Vec<String> {
        match &self.kind {
            Kind::Text(_) => Vec::new(),
            Kind::Chat(chat) => chat.warnings(bos, eos),
        }
    }
}
