//! A checkpoint's own chat template around the question, which becomes what the user says.

use chat_template::{ChatTemplate, Conversation, Message};
use jiff::civil::Date;
use serde_json::{Map, Value};

use super::{PLACEHOLDER, TemplateError};
use crate::few_shot::Example;
use crate::template_identity::ChatIdentity;

/// What goes into the conversation beside the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatSettings {
    /// What the system says first, if anything.
    pub system: Option<String>,
    /// The date for templates that write one.
    pub date: Date,
    /// Variables for the template, such as `enable_thinking`.
    pub variables: Map<String, Value>,
    /// What the user says, with `{question}` for the question; the question alone where `None`.
    pub turn: Option<String>,
}

/// A chat template with its settings, tried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chat {
    template: ChatTemplate,
    settings: ChatSettings,
    /// The prompt with [`PLACEHOLDER`] for the question.
    pub(super) shown: String,
    date_used: bool,
}

impl Chat {
    /// Tries the template, so that what it refuses or passes over is known before a model is
    /// loaded.
    pub(super) fn new(
        template: ChatTemplate,
        settings: ChatSettings,
    ) -> Result<Self, TemplateError> {
        let mut chat = Self {
            template,
            settings,
            shown: String::new(),
            date_used: false,
        };
        let rendered = match chat.rendered(&[], PLACEHOLDER, true) {
            Ok(rendered) => rendered,
            Err(error) => return Err(chat.explained(error)),
        };
        let file = || chat.template.file().to_string();
        if !rendered.text.contains(PLACEHOLDER) {
            return Err(TemplateError::QuestionIgnored { file: file() });
        }
        if chat
            .settings
            .system
            .as_deref()
            .is_some_and(|system| !system.trim().is_empty())
            && chat
                .rendered(&[], PLACEHOLDER, false)
                .is_ok_and(|without| without.text == rendered.text)
        {
            return Err(TemplateError::SystemIgnored { file: file() });
        }
        // Only rendering shows whether the template asks for the date, which else is no part of the
        // identity.
        (chat.shown, chat.date_used) = (rendered.text, rendered.date_used);
        Ok(chat)
    }

    /// An error with a system prompt, where there is none without.
    fn explained(&self, error: chat_template::Error) -> TemplateError {
        match self.settings.system.is_some() && self.rendered(&[], PLACEHOLDER, false).is_ok() {
            true => TemplateError::SystemRefused { source: error },
            false => TemplateError::Chat(error),
        }
    }

    pub(super) fn render(&self, question: &str) -> Result<String, TemplateError> {
        self.render_after(&[], question)
    }

    pub(super) fn render_after(
        &self,
        examples: &[Example],
        question: &str,
    ) -> Result<String, TemplateError> {
        Ok(self.rendered(examples, question, true)?.text)
    }

    fn rendered(
        &self,
        examples: &[Example],
        question: &str,
        with_system: bool,
    ) -> Result<chat_template::Rendered, chat_template::Error> {
        self.template
            .render(&self.conversation(&self.messages(examples, question, with_system)))
    }

    /// What the user says to ask a question.
    fn turn(&self, question: &str) -> String {
        match &self.settings.turn {
            // Once and in one pass, as of any template.
            Some(turn) => turn
                .replacen(PLACEHOLDER, question, 1)
                .trim_end()
                .to_string(),
            None => question.to_string(),
        }
    }

    fn messages(&self, examples: &[Example], question: &str, with_system: bool) -> Vec<Message> {
        let system = self.settings.system.iter().filter(|_| with_system);
        let mut messages: Vec<Message> = system
            .map(|system| Message::new("system", system))
            .collect();
        for example in examples {
            messages.push(Message::new("user", self.turn(&example.question)));
            messages.push(Message::new("assistant", &example.answer));
        }
        messages.push(Message::new("user", self.turn(question)));
        messages
    }

    fn conversation<'a>(&'a self, messages: &'a [Message]) -> Conversation<'a> {
        let ChatSettings {
            date, variables, ..
        } = &self.settings;
        Conversation {
            messages,
            add_generation_prompt: true,
            date: *date,
            variables,
        }
    }

    /// The text of the beginning-of-sequence token, where the tokenizer or a variable names one.
    pub(super) fn bos(&self) -> Option<&str> {
        let given = self
            .settings
            .variables
            .get("bos_token")
            .and_then(Value::as_str);
        given
            .or_else(|| self.template.special_tokens().get("bos_token"))
            .filter(|bos| !bos.is_empty())
    }

    pub(super) fn identity(&self) -> ChatIdentity {
        let ChatSettings {
            system,
            date,
            variables,
            turn,
        } = self.settings.clone();
        let source = self.template.source();
        let tokens = self.template.special_tokens().iter();
        ChatIdentity {
            file: self.template.file().to_string(),
            source: source.to_string(),
            // Others cannot change a prompt, and two checkpoints may well differ in them.
            special_tokens: tokens.filter(|(name, _)| source.contains(name)).collect(),
            system,
            date: self.date_used.then_some(date),
            variables,
            turn,
        }
    }

    pub(super) fn recorded(identity: ChatIdentity) -> Result<Self, TemplateError> {
        let ChatIdentity {
            file,
            source,
            special_tokens,
            system,
            date,
            variables,
            turn,
        } = identity;
        let template = ChatTemplate::new(file, source, special_tokens)?;
        // Without a date in the record the template does not ask for one.
        let settings = ChatSettings {
            system,
            date: date.unwrap_or_default(),
            variables,
            turn,
        };
        Self::new(template, settings)
    }

    /// See [`Template::end_of_turn`](super::Template::end_of_turn).
    pub(super) fn end_of_turn(&self) -> Option<String> {
        let messages = self.messages(&[], "What is 1 + 1?", true);
        let end = self.template.end_of_turn(&self.conversation(&messages));
        end.ok().flatten()
    }

    /// See [`Template::warnings`](super::Template::warnings).
    pub(super) fn warnings(&self, bos: Option<&str>, eos: &[String]) -> Vec<String> {
        let mut warnings = Vec::new();
        let file = self.template.file();
        if self.date_used {
            let date = self.settings.date;
            warnings.push(format!(
                "the chat template writes the date into every prompt, {date} here: give this date to continue or repeat \
                 the run on another day"
            ));
        }
        if let Some(bos) = bos.filter(|bos| !self.shown.starts_with(bos)) {
            warnings.push(format!(
                "the chat template does not write {bos:?}, which the tokenizer puts before other prompts: prompts begin \
                 without it, as in transformers; where the model was trained with it, write {{{{ bos_token }}}} at the \
                 start of the template ({file}) and give that file as the template"
            ));
        }
        let end = self.end_of_turn().filter(|_| !eos.is_empty());
        if let Some(end) = end
            .as_deref()
            .map(str::trim)
            .filter(|end| !ends_by_itself(end, eos))
        {
            let end: String = end.chars().take(40).collect();
            warnings.push(format!(
                "the chat template ends a turn with {end:?}, which is none of the model's end-of-sequence tokens ({}): \
                 completions may run on to their greatest length; name it in eos_token_id of generation_config.json",
                eos.iter().map(|token| format!("{token:?}")).collect::<Vec<_>>().join(", ")
            ));
        }
        warnings
    }
}

/// Whether what ends a turn begins with a token at which completions end.
fn ends_by_itself(end: &str, eos: &[String]) -> bool {
    eos.iter()
        .any(|token| !token.is_empty() && end.starts_with(token.as_str()))
}
