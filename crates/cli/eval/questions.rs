//! What is asked, whoever answers: read, selected and checked once for all models of a command.

use std::cell::RefCell;
use std::num::NonZeroUsize;

use dataset_loader::{Benchmark, Data, DataOrigin, Problem};
use evaluation::{
    ComparedRun, Excluded, Exclusion, FewShot, Grader, LongPrompts, Protocol, RunPlan, Selection,
    Suite, Suites, Template, TokenDetails,
};
use generation::Decoding;

use super::{Args, OnLongPrompt, ProtocolName};
use crate::data_folder;
use crate::suites::suites;

/// The problems of a command, and what they are judged by and compared with.
pub(super) struct Questions {
    pub benchmark: Benchmark,
    pub grader: Grader,
    data: Data,
    /// Those that are asked.
    problems: Vec<Problem>,
    protocol: Protocol,
    limit: Option<usize>,
    suites: Vec<Suite>,
    excluded: Option<Excluded>,
    origin: DataOrigin,
    data_digest: String,
    is_published: bool,
    baseline: Option<ComparedRun>,
    /// The examples that were chosen last, and whether their answers stand in boxes.
    few_shot: RefCell<Option<(bool, Option<FewShot>)>>,
}

impl Questions {
    /// Everything that can be wrong with them is found before a model is opened.
    pub fn of(args: &Args) -> anyhow::Result<Self> {
        let benchmark = args.source.benchmark()?;
        let grader = args.scoring.grader(&benchmark)?;
        let protocol = match args.protocol {
            ProtocolName::Official => Protocol::Official,
            ProtocolName::Full => Protocol::Full,
        };
        let limit = args.limit.map(NonZeroUsize::get);
        let names = args.tasks.as_deref();
        let suites = match names {
            Some(_) => suites(&benchmark)?,
            None => Suites::known(&benchmark),
        };
        let asks_further = names.is_some_and(|names| suites.asks_further(&benchmark, names));
        let data = match asks_further {
            true => args.source.load_all(&benchmark)?,
            false => args.source.load(&benchmark)?,
        };
        let asked = suites.resolve(names, &data.problems)?;
        let selection = Selection {
            tasks: asked.tasks,
            limit,
            protocol,
        };
        let selected = selection.apply(&benchmark, data.problems.clone())?;
        let (problems, excluded) = match &args.exclude_ids {
            Some(file) => Exclusion::load(file)?.apply(&benchmark, &data.problems, selected)?,
            None => (selected, None),
        };
        data.check_language(&benchmark, &problems)?;
        let (origin, data_digest) = data.identity(&benchmark, &problems);
        let baseline = args.output.baseline.as_deref();
        Ok(Self {
            is_published: data_folder::is_published(&benchmark, &origin),
            baseline: baseline.map(ComparedRun::open).transpose()?,
            benchmark,
            grader,
            data,
            problems,
            protocol,
            limit,
            suites: asked.suites,
            excluded,
            origin,
            data_digest,
            few_shot: RefCell::default(),
        })
    }

    /// The plan of the model that the arguments name now, checked against the baseline.
    pub fn plan(&self, args: &Args) -> anyhow::Result<RunPlan> {
        let template = args.prompt.template(&args.generator)?;
        let few_shot = self.few_shot(args, &template)?;
        let plan = RunPlan {
            problems: self.problems.clone(),
            origin: self.origin.clone(),
            data_digest: self.data_digest.clone(),
            suites: self.suites.clone(),
            decoding: Decoding {
                max_tokens: args.max_tokens.get(),
                stop: args.stop.strings(match args.generator.is_chat_server() {
                    // Where the server makes a chat of the prompt, the end of its turn ends the
                    // answer.
                    true => Vec::new(),
                    false if few_shot.is_some() => template.few_shot_stop_strings(),
                    false => template.stop_strings(),
                }),
                sampling: args.sampling.sampling(args.samples)?,
            },
            template,
            protocol: self.protocol,
            limit: self.limit,
            excluded: self.excluded.clone(),
            few_shot,
            thinking_budget: args.thinking_budget()?,
            shard: None,
            long_prompts: match args.on_long_prompt {
                OnLongPrompt::Refuse => LongPrompts::Refuse,
                OnLongPrompt::Fail => LongPrompts::Fail,
            },
            retry_failed: args.output.retry_failed,
            token_details: TokenDetails {
                token_ids: args.output.log_tokens,
                logprobs: args.output.logprobs,
            },
            version: env!("CARGO_PKG_VERSION").to_string(),
            environment: args.environment(self.is_published),
            tags: args.output.tags.tags()?,
        };
        if let Some(baseline) = &self.baseline {
            baseline.check_suits(&self.benchmark, &self.grader, &plan)?;
        }
        Ok(plan)
    }

    /// The examples before each question; of the template only the form of answers matters to them.
    fn few_shot(&self, args: &Args, template: &Template) -> anyhow::Result<Option<FewShot>> {
        let boxed = template.asks_for_a_box();
        let mut last = self.few_shot.borrow_mut();
        if let Some((_, chosen)) = last.as_ref().filter(|(as_boxed, _)| *as_boxed == boxed) {
            return Ok(chosen.clone());
        }
        let chosen = args.few_shot.choose(
            &self.benchmark,
            &args.source,
            &self.data,
            &self.problems,
            template,
        )?;
        *last = Some((boxed, chosen.clone()));
        Ok(chosen)
    }
}
