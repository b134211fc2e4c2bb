//! `--prompt-template`: a text around the question, or the checkpoint's own chat template and what
//! goes into it.

use std::path::{Path, PathBuf};

use ::hub::Contents;
use chat_template::{ChatTemplate, CheckpointTemplates, TemplateFiles};
use evaluation::{BOXED, CHAT_BOXED, ChatSettings, Template};
use inference::{CheckpointFiles, TemplateSource};
use jiff::Zoned;
use jiff::civil::Date;
use serde_json::{Map, Value};

use crate::generator::GeneratorArgs;
use crate::{heading, hub};

/// The template of this name is the checkpoint's own.
pub const CHAT: &str = "chat";

/// The prompt of a question.
#[derive(clap::Args)]
#[command(next_help_heading = heading::PROMPT)]
pub struct PromptArgs {
    /// Prompt template: alpaca, none, alpaca_force_ans, alpaca_cot, boxed (reason step by step, answer
    /// in a box), chat for the checkpoint's own chat template, chat_boxed for boxed as its user's turn,
    /// or a text file with {question} in it.
    #[arg(
        long,
        env = "MWPBENCH_PROMPT_TEMPLATE",
        default_value = "alpaca",
        value_name = "NAME|FILE"
    )]
    prompt_template: String,
    #[command(flatten)]
    chat: ChatArgs,
}

/// The chat template, and what goes into it.
#[derive(clap::Args)]
#[command(next_help_heading = heading::PROMPT)]
pub struct ChatArgs {
    /// Chat template in place of the checkpoint's default one: another one of its own by name, a
    /// Jinja file, the folder of a tokenizer, or a name on the hub.
    #[arg(
        long,
        env = "MWPBENCH_CHAT_TEMPLATE",
        value_name = "NAME|FILE|DIR|ORG/NAME"
    )]
    chat_template: Option<String>,
    /// Date for chat templates that write one; today's without it.
    #[arg(long, value_name = "YYYY-MM-DD")]
    chat_date: Option<Date>,
    /// Variables for the chat template as a JSON object, such as '{"enable_thinking": false}'.
    #[arg(long, value_name = "JSON", value_parser = object)]
    chat_template_kwargs: Option<Map<String, Value>>,
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("expected a JSON object: {error}"))
}

impl PromptArgs {
    /// The folder of the chat template's tokenizer, where one was given.
    pub fn tokenizer(&self) -> anyhow::Result<Option<PathBuf>> {
        self.chat.tokenizer()
    }

    /// What a user of an instruct checkpoint may not know: it is asked in another form than that
    /// in which it was trained to answer.
    pub fn hint(&self, generator: &GeneratorArgs) -> Option<&'static str> {
        let in_chat = [CHAT, CHAT_BOXED].contains(&self.prompt_template.as_str());
        let asked_otherwise = !in_chat && !generator.is_server();
        let has_template = || generator.own_template().is_ok_and(|own| own.is_some());
        (asked_otherwise && has_template()).then_some(
            "note: this checkpoint has a chat template; the official protocol asks in Alpaca all the same, --prompt-template chat asks in the template",
        )
    }

    /// The prompt template for a generator.
    pub fn template(&self, generator: &GeneratorArgs) -> anyhow::Result<Template> {
        self.chat.template(&self.prompt_template, generator)
    }
}

impl ChatArgs {
    /// The folder of the chat template's tokenizer, where one was given.
    pub fn tokenizer(&self) -> anyhow::Result<Option<PathBuf>> {
        let folder = self.chat_template()?.map(PathBuf::from);
        Ok(folder.filter(|folder| folder.join("tokenizer.json").is_file()))
    }

    /// The chat template that was given.
    fn chat_template(&self) -> anyhow::Result<Option<String>> {
        self.chat_template.as_deref().map(located).transpose()
    }

    /// The flag among these that was given.
    pub fn given_flag(&self) -> Option<&'static str> {
        let flags = [
            ("--chat-template", self.chat_template.is_some()),
            ("--chat-date", self.chat_date.is_some()),
            (
                "--chat-template-kwargs",
                self.chat_template_kwargs.is_some(),
            ),
        ];
        let given = flags.into_iter().find(|(_, given)| *given);
        given.map(|(flag, _)| flag)
    }

    /// A text around the prompt, or a chat template for a generator.
    pub fn template(&self, name: &str, generator: &GeneratorArgs) -> anyhow::Result<Template> {
        match name {
            CHAT => self.chat(generator),
            CHAT_BOXED => {
                let boxed = Template::resolve(BOXED)?.text().to_string();
                self.chat_with_turn(generator, Some(boxed))
            }
            _ => self.text(name),
        }
    }

    /// A text around the prompt, to which no flag of chat templates belongs.
    pub fn text(&self, name: &str) -> anyhow::Result<Template> {
        match self.given_flag() {
            Some(flag) => anyhow::bail!("{flag} needs --prompt-template chat"),
            None => Ok(Template::resolve(name)?),
        }
    }

    /// The chat template for a generator.
    pub fn chat(&self, generator: &GeneratorArgs) -> anyhow::Result<Template> {
        self.chat_with_turn(generator, None)
    }

    fn chat_with_turn(
        &self,
        generator: &GeneratorArgs,
        turn: Option<String>,
    ) -> anyhow::Result<Template> {
        if generator.is_server() && self.chat_template.is_none() {
            anyhow::bail!(
                "a server does not hand out its chat template: give it with --chat-template FILE|DIR, or let the server write it: --endpoint-api chat --prompt-template none"
            );
        }
        let files = template_files(generator)?;
        let template =
            CheckpointTemplates::first_of(files)?.choose(self.chat_template()?.as_deref())?;
        let settings = ChatSettings {
            system: generator.system_prompt()?,
            date: self.chat_date.unwrap_or_else(|| Zoned::now().date()),
            variables: self.chat_template_kwargs.clone().unwrap_or_default(),
            turn,
        };
        Ok(Template::chat(template, settings)?)
    }
}

/// A chat template that was given: for a name on the hub the folder of its tokenizer, else as it is.
pub fn located(given: &str) -> anyhow::Result<String> {
    // A path to a file that is not there is no name.
    let is_file = Path::new(given)
        .extension()
        .is_some_and(|end| end == "jinja");
    let snapshot = match is_file {
        true => None,
        false => hub::snapshot(given, Contents::Tokenizer)?,
    };
    Ok(snapshot.map_or(given.to_string(), |found| found.path.display().to_string()))
}

/// The chat template of a checkpoint, from the first of the places where it may be, with the date
/// of today where it writes one; `None` where there is none that could be used.
pub fn own_template(files: &CheckpointFiles) -> anyhow::Result<Option<Template>> {
    let files = files_of(files.template_sources()?)?;
    let template = CheckpointTemplates::first_of(files).and_then(|found| found.choose(None));
    let settings = ChatSettings {
        system: None,
        date: Zoned::now().date(),
        variables: Map::new(),
        turn: None,
    };
    Ok(template
        .ok()
        .and_then(|template| Template::chat(template, settings).ok()))
}

/// What a chat template writes at the end of an assistant's turn, where it does.
pub fn end_of_turn(template: &ChatTemplate) -> Option<String> {
    let settings = ChatSettings {
        system: None,
        date: Zoned::now().date(),
        variables: Map::new(),
        turn: None,
    };
    Template::chat(template.clone(), settings)
        .ok()?
        .end_of_turn()
}

/// The places where a checkpoint may keep chat templates, in order.
pub fn template_files(generator: &GeneratorArgs) -> anyhow::Result<Vec<TemplateFiles>> {
    Ok(files_of(generator.template_sources()?)?)
}

/// The same, as files.
pub fn files_of(sources: Vec<TemplateSource>) -> Result<Vec<TemplateFiles>, chat_template::Error> {
    sources.into_iter().map(files).collect()
}

fn files(source: TemplateSource) -> Result<TemplateFiles, chat_template::Error> {
    match source {
        TemplateSource::Folder(folder) => TemplateFiles::in_folder(&folder),
        TemplateSource::Files { place, files } => Ok(TemplateFiles::new(place, files)),
    }
}
