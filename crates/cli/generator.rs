//! Who answers: a checkpoint and how it is computed, or a model behind a server.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use bytesize::ByteSize;
use clap::ValueEnum;
use std::path::Path;
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, System};

use endpoint::{Endpoint, PromptCounter, SpecialTokens};
use evaluation::{Template, TokenDetails};
use generation::Generator;
use inference::{
    DeviceChoice, EngineOptions, LocalModel, PromptKind, PromptTokenizer, Quantization,
    TemplateSource, WeightDtype,
};

use crate::endpoint::{EndpointArgs, ServerPrompts};
use crate::system_prompt::SystemPrompt;
use crate::{checkpoint, data_folder, exit};

/// Which checkpoint answers and how it is computed, or which server.
#[derive(clap::Args)]
pub struct GeneratorArgs {
    /// Checkpoint: a folder in Hugging Face layout (config.json, tokenizer.json, *.safetensors), a
    /// GGUF file, or `demo` for the embedded one; with --endpoint the model's name at the server.
    #[arg(long, env = "MWPBENCH_MODEL", value_name = "PATH|demo|NAME")]
    model: String,
    #[command(flatten)]
    endpoint: EndpointArgs,
    #[command(flatten)]
    system_prompt: SystemPrompt,
    #[command(flatten)]
    extras: checkpoint::Extras,
    /// Prompts worked on at a time; never changes a completion on the processor.
    #[arg(long, env = "MWPBENCH_BATCH_SIZE", default_value = "auto", value_name = "N|auto", value_parser = batch_size)]
    batch_size: BatchSize,
    /// Most memory for keys and values on what computes, such as 4GiB or 512MiB; never changes a
    /// completion on the processor [default: half of what is free].
    #[arg(long, env = "MWPBENCH_KV_MEMORY", value_name = "SIZE", value_parser = memory_size)]
    kv_memory: Option<usize>,
    /// Precision of weights and products; auto is bf16 for a bf16 checkpoint and else f32.
    #[arg(long, env = "MWPBENCH_DTYPE", value_enum, default_value_t = Dtype::Auto)]
    dtype: Dtype,
    /// Round matrices to 8-bit integers in blocks of 32, and activations for each product: faster
    /// and smaller, less exact.
    #[arg(long, env = "MWPBENCH_QUANTIZE", value_enum, value_name = "KIND")]
    quantize: Option<QuantizeName>,
    /// What computes: cpu, or cuda or cuda:N for an NVIDIA GPU in a program built with
    /// `--features cuda`; on a GPU the last bits of a logit depend on what is computed with it.
    #[arg(long, env = "MWPBENCH_DEVICE", default_value = "cpu", value_name = "cpu|cuda|cuda:N", value_parser = device)]
    device: DeviceChoice,
    /// Threads; never changes a completion [default: all cores].
    #[arg(long, env = "MWPBENCH_THREADS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl GeneratorArgs {
    /// Loads the checkpoint, and warns of what looks wrong with it; or connects to the server. Of
    /// completions it tells the text.
    pub fn open(&self) -> anyhow::Result<Box<dyn Generator>> {
        self.open_plain(TokenDetails::default())
    }

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
            None => Ok(Box::new(self.load(PromptKind::Plain, details)?)),
        }
    }

    /// The same for the prompts of a template, which has written the system prompt if it is a chat
    /// template; beside the text it tells these details of new tokens. `tokenizer` is the folder of
    /// the template's tokenizer, where one was given.
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
                let model = self.load(PromptKind::Chat, details)?;
                warnings = template.warnings(model.bos_text().as_deref(), &model.eos_texts());
                Box::new(model)
            }
        };
        warnings
            .iter()
            .for_each(|warning| eprintln!("warning: {warning}"));
        Ok(generator)
    }

    /// Whether a server puts prompts into a chat template.
    pub fn is_chat_server(&self) -> bool {
        self.endpoint.is_chat()
    }

    /// Whether a server is to answer.
    pub fn is_server(&self) -> bool {
        self.endpoint.is_given()
    }

    /// What the system is to say, if anything.
    pub fn system_prompt(&self) -> anyhow::Result<Option<String>> {
        self.system_prompt.text()
    }

    /// Where the checkpoint may keep a chat template.
    pub fn template_sources(&self) -> anyhow::Result<Vec<TemplateSource>> {
        match self.is_server() {
            true => Ok(Vec::new()),
            false => Ok(self.extras.with(&self.model)?.template_sources()?),
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
        self.endpoint.open(&self.model, prompts, details)
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
            .or(of_template)
            .filter(|_| self.is_server())
        {
            None => Ok(None),
            Some(path) => {
                let tokenizer = PromptTokenizer::open(path, kind)?;
                Ok(Some(PromptCounter::new(move |prompt| {
                    tokenizer.count(prompt).ok()
                })))
            }
        }
    }

    fn load(&self, prompts: PromptKind, details: TokenDetails) -> anyhow::Result<LocalModel> {
        let TokenDetails {
            token_ids,
            logprobs,
        } = details;
        let options = EngineOptions {
            token_ids,
            logprobs,
            ..self.engine(prompts)
        };
        let model = LocalModel::load(self.extras.with(&self.model)?, &options)?;
        for warning in model.warnings() {
            eprintln!("warning: {warning}");
        }
        Ok(model)
    }

    /// A flag that says how a checkpoint is computed cannot be heeded by a server.
    fn refuse_flags_of_checkpoints(&self) -> anyhow::Result<()> {
        let given = [
            ("--batch-size", self.batch_size.0.is_some()),
            ("--kv-memory", self.kv_memory.is_some()),
            ("--dtype", !matches!(self.dtype, Dtype::Auto)),
            ("--quantize", self.quantize.is_some()),
            ("--device", self.device != DeviceChoice::default()),
            ("--threads", self.threads.is_some()),
        ];
        let given = given
            .into_iter()
            .find_map(|(flag, is_given)| is_given.then_some(flag));
        match self.extras.adapter_flag().or(given) {
            Some(flag) => anyhow::bail!(
                "{flag} is for checkpoints that the program computes itself: leave it out (and its MWPBENCH_ variable) with --endpoint, the server decides"
            ),
            None => Ok(()),
        }
    }

    fn engine(&self, prompts: PromptKind) -> EngineOptions {
        EngineOptions {
            device: self.device,
            quantize: self.quantize.map(|QuantizeName::Q8_0| Quantization::Q8),
            dtype: match self.dtype {
                Dtype::Auto => WeightDtype::Auto,
                Dtype::F32 => WeightDtype::F32,
                Dtype::Bf16 => WeightDtype::Bf16,
            },
            threads: self.threads.map(usize::from),
            batch_size: self.batch_size.0.map(NonZeroUsize::get),
            kv_memory: self.kv_memory,
            prompts,
            digest_cache: data_folder::home().map(|home| home.join("weight-digests.jsonl")),
            ..EngineOptions::default()
        }
    }

    /// Facts of the computation that cannot change a completion.
    pub fn environment(&self) -> BTreeMap<String, String> {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let threads = self.threads.map_or(cores, usize::from);
        let batch_size = self
            .batch_size
            .0
            .map_or("auto".to_string(), |size| size.to_string());
        let of_answering = match self.endpoint.max_concurrency() {
            Some(requests) => vec![("max_concurrency", requests.to_string())],
            None => vec![("threads", threads.to_string()), ("batch_size", batch_size)],
        };
        let mut facts = BTreeMap::from([
            ("os".to_string(), std::env::consts::OS.to_string()),
            ("arch".to_string(), std::env::consts::ARCH.to_string()),
        ]);
        facts.extend(
            of_answering
                .into_iter()
                .map(|(name, value)| (name.to_string(), value)),
        );
        facts.extend(machine());
        facts.extend(
            option_env!("MWPBENCH_COMMIT").map(|commit| ("commit".to_string(), commit.to_string())),
        );
        facts
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Dtype {
    Auto,
    F32,
    Bf16,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum QuantizeName {
    #[value(name = "q8_0", alias = "int8")]
    Q8_0,
}

#[derive(Clone, Copy, Debug)]
struct BatchSize(Option<NonZeroUsize>);

fn batch_size(text: &str) -> Result<BatchSize, String> {
    match text {
        "auto" => Ok(BatchSize(None)),
        number => number
            .parse()
            .map(|size| BatchSize(Some(size)))
            .map_err(|_| "expected `auto` or a number from 1".to_string()),
    }
}

/// A device, and where there can be none of its kind, what to do instead.
fn device(text: &str) -> Result<DeviceChoice, String> {
    let device = text.parse::<DeviceChoice>();
    device.map_err(|error| exit::message(&error.into()))
}

/// A number of bytes: `512MiB`, `4GiB`, `4G`, or plain.
fn memory_size(text: &str) -> Result<usize, String> {
    // A lone letter is the binary unit, as tools that take sizes of memory read it.
    let unit = if text.ends_with(['k', 'K', 'm', 'M', 'g', 'G', 't', 'T']) {
        "iB"
    } else {
        ""
    };
    let size = format!("{text}{unit}").parse::<ByteSize>().ok();
    // What is too large to be counted comes back as the largest number.
    let size = size
        .map(|size| size.as_u64())
        .filter(|&size| size < u64::MAX);
    size.and_then(|size| usize::try_from(size).ok())
        .filter(|&size| size > 0)
        .ok_or_else(|| "expected a size such as 512MiB or 4GiB".to_string())
}

/// What the system says of the machine, under names that run folders keep.
fn machine() -> Vec<(String, String)> {
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
        .filter_map(|(name, value)| Some((name.to_string(), value?)))
        .collect()
}
