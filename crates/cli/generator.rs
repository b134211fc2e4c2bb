//! What generates: a checkpoint and how it is computed, or a model behind a server.

use std::collections::BTreeMap;
use std::path::Path;
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, System};

use endpoint::{Endpoint, PromptCounter, ResponseFormat, SpecialTokens};
use evaluation::{Template, TokenDetails, step_of_name};
use generation::{Generator, GeneratorInfo};
use inference::{
    CheckpointFiles, EngineOptions, LocalModel, PromptKind, PromptTokenizer, TemplateSource,
};

use crate::endpoint::{EndpointArgs, ServerPrompts};
use crate::engine::EngineArgs;
use crate::sweep::Subject;
use crate::system_prompt::SystemPrompt;
use crate::{chat, checkpoint, heading};

/// Which checkpoint generates and how it is computed, or which server.
#[derive(clap::Args)]
pub struct GeneratorArgs {
    /// Checkpoint: a folder in Hugging Face layout (config.json, tokenizer.json, *.safetensors), a
    /// GGUF file, a name on the hub (org/name, org/name@revision, hf://org/name/file.gguf), or `demo`
    /// for the embedded one; with --endpoint the model's name at the server. For eval it may be a
    /// pattern ('runs/checkpoint-*') and be repeated: each is a run of its own.
    #[arg(
        long = "model",
        id = "model",
        required = true,
        env = "MWPBENCH_MODEL",
        value_name = "PATH|ORG/NAME|demo|NAME",
        help_heading = heading::MODEL
    )]
    models: Vec<String>,
    #[command(flatten)]
    extras: checkpoint::CheckpointExtras,
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    endpoint: EndpointArgs,
    #[command(flatten)]
    system_prompt: SystemPrompt,
}

impl GeneratorArgs {
    /// All that `--model` names.
    pub fn models(&self) -> &[String] {
        &self.models
    }

    /// All that `--adapter` names.
    pub fn adapters(&self) -> &[String] {
        self.extras.adapters()
    }

    /// Whether a tokenizer was given in place of the checkpoint's own.
    pub fn has_tokenizer(&self) -> bool {
        self.extras.has_tokenizer()
    }

    /// Takes another model or adapter, with all else as it is.
    pub fn set_subject(&mut self, subject: Subject) {
        self.models = vec![subject.model];
        if let Some(adapter) = subject.adapter {
            self.extras.set_adapter(adapter);
        }
    }

    /// After how many optimizer steps the checkpoint was written: what its trainer noted beside it,
    /// else what its name says; that of the adapter where there is one.
    pub fn training_step(&self) -> Option<u64> {
        let given = self.adapters().last().or(self.models.last())?;
        inference::trained_steps(Path::new(given))
            .or_else(|| step_of_name(given.trim_end_matches('/')))
    }

    /// The one model.
    fn model(&self) -> anyhow::Result<&str> {
        match self.models.as_slice() {
            [model] => Ok(model),
            _ => anyhow::bail!(
                "--model is given {} times: give one here",
                self.models.len()
            ),
        }
    }

    /// The same for plain prompts.
    fn open_plain(&self, details: TokenDetails) -> anyhow::Result<Box<dyn Generator>> {
        let system_prompt = self.system_prompt.text()?;
        if system_prompt.is_some() && !self.endpoint.is_chat() {
            anyhow::bail!(
                "--system-prompt needs a chat: --prompt-template chat, or a server that makes one: --endpoint URL --endpoint-api chat"
            );
        }
        let own_count = self.own_count(None, PromptKind::Plain)?;
        let prompts = ServerPrompts {
            system_prompt,
            own_count,
            ..ServerPrompts::default()
        };
        match self.server(prompts, details)? {
            Some(server) => Ok(Box::new(server)),
            None => Ok(Box::new(self.load(None, details)?)),
        }
    }

    /// Loads the checkpoint, and warns of what looks wrong with it; or connects to the server. The
    /// prompts are those of a template, which has written the system prompt if it is a chat
    /// template; completions hold these details of new tokens beside the text. `tokenizer` is the
    /// folder of the template's tokenizer, where one was given.
    pub fn open_for(
        &self,
        template: &Template,
        tokenizer: Option<&Path>,
        details: TokenDetails,
    ) -> anyhow::Result<Box<dyn Generator>> {
        if !template.writes_special_tokens() {
            return self.open_plain(details);
        }
        if self.endpoint.is_chat() {
            anyhow::bail!(
                "--endpoint-api chat has the server put prompts into a chat template: leave out either that or --prompt-template chat"
            );
        }
        let warnings;
        let prompts = ServerPrompts {
            system_prompt: None,
            special_tokens: SpecialTokens::InPrompt {
                bos: template.bos().map(str::to_string),
            },
            own_count: self.own_count(tokenizer, PromptKind::Chat)?,
        };
        let generator: Box<dyn Generator> = match self.server(prompts, details)? {
            Some(server) => {
                warnings = template.warnings(None, &[]);
                Box::new(server)
            }
            None => {
                let model = self.load(Some(template), details)?;
                warnings = template.warnings(model.bos_text().as_deref(), &model.eos_texts());
                Box::new(model)
            }
        };
        warnings
            .iter()
            .for_each(|warning| eprintln!("warning: {warning}"));
        Ok(generator)
    }

    /// What is known of the checkpoint without loading it ([`LocalModel::identify`]), asked with
    /// these prompts.
    pub fn identify(
        &self,
        template: &Template,
        details: TokenDetails,
    ) -> anyhow::Result<GeneratorInfo> {
        let chat = template.writes_special_tokens().then_some(template);
        let (files, options) = self.checkpoint(chat, details)?;
        Ok(LocalModel::identify(&files, &options)?)
    }

    /// Whether a server puts prompts into a chat template.
    pub fn is_chat_server(&self) -> bool {
        self.endpoint.is_chat()
    }

    /// Has a server put prompts into the model's chat template unless another way was asked for.
    pub fn chat_by_default(&mut self) {
        self.endpoint.chat_by_default = true;
    }

    /// Has a server hold completions to a form, where it can.
    pub fn hold_to(&mut self, format: ResponseFormat) {
        self.endpoint.response_format = Some(format);
    }

    /// Whether a server generates.
    pub fn is_server(&self) -> bool {
        self.endpoint.is_given()
    }

    /// The system prompt, where one was given.
    pub fn system_prompt(&self) -> anyhow::Result<Option<String>> {
        self.system_prompt.text()
    }

    /// The checkpoint's own chat template, where it has one that can be used.
    pub fn own_template(&self) -> anyhow::Result<Option<Template>> {
        chat::own_template(&self.extras.with(self.model()?)?)
    }

    /// Where the checkpoint may keep a chat template.
    pub fn template_sources(&self) -> anyhow::Result<Vec<TemplateSource>> {
        match self.is_server() {
            true => Ok(Vec::new()),
            false => Ok(self.extras.with(self.model()?)?.template_sources()?),
        }
    }

    fn server(
        &self,
        prompts: ServerPrompts,
        details: TokenDetails,
    ) -> anyhow::Result<Option<Endpoint>> {
        if self.endpoint.is_given() {
            self.refuse_flags_of_checkpoints()?;
        }
        self.endpoint.open(self.model()?, prompts, details)
    }

    /// Counts tokens as the checkpoint behind a server does, by the tokenizer of `--tokenizer` or
    /// else of the chat template.
    fn own_count(
        &self,
        of_template: Option<&Path>,
        kind: PromptKind,
    ) -> anyhow::Result<Option<PromptCounter>> {
        match self
            .extras
            .tokenizer()?
            .or(of_template.map(Path::to_path_buf))
            .filter(|_| self.is_server())
        {
            None => Ok(None),
            Some(path) => {
                let tokenizer = PromptTokenizer::open(&path, kind)?;
                Ok(Some(PromptCounter::new(move |prompt| {
                    tokenizer.count(prompt).ok()
                })))
            }
        }
    }

    /// Loads the checkpoint, for the prompts of a chat template where there is one.
    fn load(&self, chat: Option<&Template>, details: TokenDetails) -> anyhow::Result<LocalModel> {
        let (files, options) = self.checkpoint(chat, details)?;
        let model = LocalModel::load(files, &options)?;
        for warning in model.warnings() {
            eprintln!("warning: {warning}");
        }
        Ok(model)
    }

    /// The files of the checkpoint and how it is computed, for the prompts of a chat template where
    /// there is one.
    fn checkpoint(
        &self,
        chat: Option<&Template>,
        details: TokenDetails,
    ) -> anyhow::Result<(CheckpointFiles, EngineOptions)> {
        let prompts = match chat {
            Some(_) => PromptKind::Chat,
            None => PromptKind::Plain,
        };
        let files = self.extras.with(self.model()?)?;
        let files = files.with_end_of_turn(chat.and_then(Template::end_of_turn));
        Ok((files, self.engine.options(prompts, details)))
    }

    /// A server decides how its model is computed: a flag that says so would be ignored.
    fn refuse_flags_of_checkpoints(&self) -> anyhow::Result<()> {
        match self.extras.adapter_flag().or(self.engine.given_flag()) {
            Some(flag) => anyhow::bail!(
                "{flag} is for checkpoints that the program computes itself: leave it out (and its MWPBENCH_ variable) with --endpoint, the server decides"
            ),
            None => Ok(()),
        }
    }

    /// Facts of the computation that cannot change a completion.
    pub fn environment(&self) -> BTreeMap<String, String> {
        let of_generator = match self.endpoint.max_concurrency() {
            Some(requests) => vec![("max_concurrency", requests.to_string())],
            None => self.engine.facts(),
        };
        let mut facts = vec![
            ("os", std::env::consts::OS.to_string()),
            ("arch", std::env::consts::ARCH.to_string()),
        ];
        facts.extend(of_generator);
        facts.extend(machine());
        facts.extend(option_env!("MWPBENCH_COMMIT").map(|commit| ("commit", commit.to_string())));
        facts
            .into_iter()
            .map(|(name, value)| (name.to_string(), value))
            .collect()
    }
}

/// What the system reports of the machine, under names that run folders keep.
fn machine() -> Vec<(&'static str, String)> {
    let cores = std::thread::available_parallelism().ok();
    let mut facts = vec![("cores", cores.map(|cores| cores.to_string()))];
    if let Ok(mut system) = System::new() {
        system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        system.refresh_cpu_list(CpuRefreshKind::nothing());
        let cpu = system.cpus().first().map(|cpu| cpu.brand().trim());
        let cpu = cpu.filter(|name| !name.is_empty()).map(str::to_string);
        let memory = Some(system.total_memory()).filter(|&memory| memory > 0);
        facts.extend([
            ("processor", cpu),
            (
                "memory",
                memory.map(|memory| format!("{} kB", memory / 1024)),
            ),
        ]);
    }
    facts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}
