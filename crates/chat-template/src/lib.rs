//! Renders conversations with a checkpoint's own chat template, as it was trained to read them.
//!
//! In go a checkpoint's files ([`TemplateFiles`]) and a [`Conversation`]; out comes the text that
//! transformers' `apply_chat_template` makes of it, character for character (5.23;
//! `tools/chat-templates` records what the tests compare with). A template is a program of the
//! checkpoint's author: it can read nothing but the conversation, and is stopped after a number of
//! steps.
//!
//! This crate refuses to know token ids, models, problems and scores.
//!
//! ```
//! use chat_template::{CheckpointTemplates, Conversation, Message, TemplateFiles};
//!
//! let config = r#"{"eos_token": "</s>", "chat_template": "{% for m in messages %}{{ m.role }}: {{ m.content }}{{ eos_token }}\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"}"#;
//! let files = TemplateFiles::new("my-model", [("tokenizer_config.json".to_string(), config.into())]);
//! let template = CheckpointTemplates::read(&files)?.default_template()?;
//! let rendered = template.render(&Conversation {
//!     messages: &[Message::new("user", "What is 2 + 3?")],
//!     add_generation_prompt: true,
//!     date: jiff::civil::date(2026, 11, 26),
//!     variables: &Default::default(),
//! })?;
//! assert_eq!(rendered.text, "user: What is 2 + 3?</s>\nassistant:");
//! assert!(!rendered.date_used);
//! # Ok::<(), chat_template::Error>(())
//! ```

// In reading order.
mod date; // strftime_now
mod environment; // Jinja as transformers sets it up
mod error;
mod files; // a checkpoint's templates and their precedence
mod generation_blocks; // {% generation %}
mod python_json; // tojson
mod special_tokens; // bos_token and the others
mod template; // a compiled template, and rendering with it

pub use error::Error;
pub use files::{CheckpointTemplates, TemplateFiles};
pub use special_tokens::SpecialTokensMap;
pub use template::{ChatTemplate, Conversation, Message, Rendered};
