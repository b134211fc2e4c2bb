//! `--system-prompt`: the system message before the question, for chat models.

use crate::heading;

/// The system message before the question.
#[derive(clap::Args)]
#[command(next_help_heading = heading::PROMPT)]
pub struct SystemPrompt {
    /// System message before the question, for chat models: a text, or @FILE for a file's.
    #[arg(long, env = "MWPBENCH_SYSTEM_PROMPT", value_name = "TEXT|@FILE")]
    system_prompt: Option<String>,
}

impl SystemPrompt {
    /// The text, read from its file where one was named; a line end at the end of a file is no part
    /// of it.
    pub fn text(&self) -> anyhow::Result<Option<String>> {
        let Some(given) = &self.system_prompt else {
            return Ok(None);
        };
        let Some(file) = given.strip_prefix('@') else {
            return Ok(Some(given.clone()));
        };
        let text = std::fs::read_to_string(file).map_err(|error| {
            anyhow::anyhow!("{file}: the system prompt cannot be read: {error}")
        })?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        Ok(Some(text.strip_suffix('\r').unwrap_or(text).to_string()))
    }
}
