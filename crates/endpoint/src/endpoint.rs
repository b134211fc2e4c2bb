//! A model behind a server, as a [`Generator`].

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use generation::{
    Completion, Decoding, Event, GenerationError, Generator, GeneratorInfo, Prompt, PromptIssue,
    ServingReport,
};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::asking::{Asking, Outcome};
use crate::base_url::BaseUrl;
use crate::breaker::Breaker;
use crate::capabilities::Capabilities;
use crate::counting::Counter;
use crate::error::Error;
use crate::fitting::Examination;
use crate::http::Http;
use crate::key::ApiKey;
use crate::latency::Latencies;
use crate::limiter::Limiter;
use crate::patience::Patience;
use crate::refusals::Refusals;
use crate::request::{Api, Form, stop_strings_sent};
use crate::server::Facts;
use crate::special_tokens::{Sending, SpecialTokens};

/// How often the receiver hears something, also where nothing happened: it may want to stop.
const HEARTBEAT: Duration = Duration::from_millis(200);
/// Threads that read answers; the receiver works on the caller's.
const THREADS: usize = 2;
/// Requests at a time where nothing else is said.
pub const MAX_CONCURRENCY: usize = 32;
/// More requests at a time are refused: each may be a connection.
const MOST_AT_A_TIME: usize = 4096;

type Count = dyn Fn(&str) -> Option<usize> + Send + Sync;

/// Counts the tokens of a prompt, special ones included; `None` for a prompt that it cannot read.
#[derive(Clone)]
pub struct PromptCounter(Arc<Count>);

impl PromptCounter {
    /// Counts by this function.
    pub fn new(count: impl Fn(&str) -> Option<usize> + Send + Sync + 'static) -> Self {
        Self(Arc::new(count))
    }

    pub(crate) fn count(&self, prompt: &str) -> Option<usize> {
        (self.0)(prompt)
    }
}

impl std::fmt::Debug for PromptCounter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PromptCounter")
    }
}

/// Which server, which model, and how to ask.
#[derive(Clone, Debug)]
pub struct EndpointOptions {
    /// Where the server is.
    pub url: BaseUrl,
    /// The model's name as the server lists it.
    pub model: String,
    /// Which route answers.
    pub api: Api,
    /// Who writes the special tokens of prompts, on the completions route.
    pub special_tokens: SpecialTokens,
    /// Counts the tokens of a prompt as the checkpoint's own tokenizer does, so that a server that
    /// reads others is noticed.
    pub own_count: Option<PromptCounter>,
    /// What the chat route is told before the question; `None` for nothing.
    pub system_prompt: Option<String>,
    /// The key that the server wants.
    pub key: Option<ApiKey>,
    /// Most requests at a time, in 1..=4096; fewer are made as long as the server cannot do with so
    /// many.
    pub max_concurrency: usize,
    /// Whether answers come in pieces. A stop string that the server does not know ends an answer
    /// only then before its time.
    pub stream: bool,
    /// Whether to ask for the log-probabilities of new tokens, which not every server tells.
    pub logprobs: bool,
    /// How often, how long, how much.
    pub patience: Patience,
}

impl EndpointOptions {
    /// The usual way to ask a model: `/v1/completions`, streamed, 32 requests at a time.
    pub fn new(url: BaseUrl, model: impl Into<String>) -> Self {
        Self {
            url,
            model: model.into(),
            api: Api::Completions,
            special_tokens: SpecialTokens::AddedByServer,
            own_count: None,
            system_prompt: None,
            key: None,
            max_concurrency: MAX_CONCURRENCY,
            stream: true,
            logprobs: false,
            patience: Patience::default(),
        }
    }

    fn validate(&self) -> Result<(), Error> {
        let refused = |reason: &str| Err(Error::Options(reason.to_string()));
        if self.model.trim().is_empty() {
            return refused("a server needs the name of a model");
        }
        if !(1..=MOST_AT_A_TIME).contains(&self.max_concurrency) {
            return Err(Error::Options(format!(
                "requests at a time must be 1 to {MOST_AT_A_TIME}, not {}",
                self.max_concurrency
            )));
        }
        if self.system_prompt.is_some() && self.api == Api::Completions {
            return refused(
                "a system prompt needs the chat route: /v1/completions has no messages",
            );
        }
        if self.special_tokens != SpecialTokens::AddedByServer && self.api == Api::Chat {
            return refused(
                "a prompt with its special tokens written out needs the completions route",
            );
        }
        self.patience.validate()
    }
}

/// A model behind an OpenAI-compatible server.
///
/// It is synchronous and has an asynchronous runtime inside: it must not be used, nor dropped, on a
/// thread of another runtime.
pub struct Endpoint {
    runtime: Runtime,
    http: Http,
    options: EndpointOptions,
    facts: Facts,
    form: Form,
    /// What the server turned out not to take.
    capabilities: Arc<Mutex<Capabilities>>,
    latencies: Arc<Latencies>,
    /// New tokens that fit, by the text of a prompt that was checked, where that is less than asked
    /// for.
    rooms: Mutex<Arc<HashMap<String, usize>>>,
    /// Stop strings of the last call.
    stops: Vec<String>,
    on_warning: Box<dyn Fn(&str)>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("options", &self.options)
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    /// Asks the server for its models and for what it says of itself. `on_warning` is told, on the
    /// caller's thread and at any time during a call, what the user should know.
    ///
    /// # Errors
    /// Options outside their range; a server that does not answer, refuses the key, has no model of
    /// this name, or does not say what it makes of the special tokens that prompts hold.
    pub fn connect(
        mut options: EndpointOptions,
        on_warning: impl Fn(&str) + 'static,
    ) -> Result<Self, Error> {
        options.validate()?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("endpoint")
            .enable_all()
            .build()
            .map_err(|error| Error::Client(error.to_string()))?;
        let http = Http::new(&options.url, options.key.as_ref(), &options.patience)?;
        if options.key.is_some() && !options.url.is_https() && !options.url.is_loopback() {
            on_warning(
                "the API key travels readable for all between here and the server: its address begins with http: and not https:",
            );
        }
        let facts = runtime.block_on(Facts::ask(&http, &options.url, &options.model))?;
        if facts.is_unlisted {
            on_warning(&format!(
                "the server does not list its models: it is asked for {:?} all the same, and what it says of the model is missing in run.json",
                options.model
            ));
        }
        if let Some(most) = facts
            .kind
            .max_concurrency()
            .filter(|most| *most < options.max_concurrency)
        {
            let name = facts.kind.name().unwrap_or_default();
            let requests = if most == 1 {
                "one request".to_string()
            } else {
                format!("{most} requests")
            };
            on_warning(&format!(
                "{name} works on {requests} at a time, and is asked so"
            ));
            options.max_concurrency = most;
        }
        let mut form = Form {
            api: options.api,
            model: options.model.clone(),
            system_prompt: options.system_prompt.clone(),
            kind: facts.kind,
            context: facts.context,
            stream: options.stream,
            logprobs: options.logprobs,
            special_tokens: Sending::Plain,
        };
        let counter = Counter {
            http: http.clone(),
            url: options.url.clone(),
            form: form.clone(),
        };
        form.special_tokens = runtime.block_on(Sending::find(&options.special_tokens, &counter))?;
        Ok(Self {
            runtime,
            http,
            options,
            facts,
            form,
            capabilities: Arc::default(),
            latencies: Arc::default(),
            rooms: Mutex::default(),
            stops: Vec::new(),
            on_warning: Box::new(on_warning),
        })
    }

    /// Tokens that prompt and completion may have together, where the server tells.
    pub fn context_length(&self) -> Option<usize> {
        self.facts.context
    }

    fn asking(&self, decoding: &Decoding) -> Arc<Asking> {
        let patience = &self.options.patience;
        Arc::new(Asking {
            http: self.http.clone(),
            url: self.options.url.api(self.options.api.route()),
            form: self.form.clone(),
            decoding: decoding.clone(),
            rooms: self.rooms().clone(),
            limiter: Arc::new(Limiter::new(self.options.max_concurrency)),
            breaker: Mutex::new(Breaker::new(
                patience.gone_after,
                patience.attempts,
                Instant::now(),
            )),
            capabilities: self.capabilities.clone(),
            latencies: self.latencies.clone(),
            pieces: AtomicUsize::new(0),
            uncounted: AtomicBool::new(false),
            without_logprobs: AtomicBool::new(false),
            interrupts: AtomicBool::new(false),
        })
    }

    fn rooms(&self) -> std::sync::MutexGuard<'_, Arc<HashMap<String, usize>>> {
        self.rooms
            .lock()
            .expect("nothing panics while the rooms are held")
    }

    /// What the user should know after a call.
    fn warnings(&self, asking: &Asking) -> Vec<&'static str> {
        let takes_seeds = asking.capabilities().takes("seed");
        let uncounted = asking.uncounted.load(Ordering::Relaxed).then_some(
            "the server did not count the tokens of all answers: where it did not, completion_tokens are the pieces of text that came, and prompt_tokens are 0",
        );
        let without_logprobs = asking
            .without_logprobs
            .load(Ordering::Relaxed)
            .then_some("the server did not tell the log-probabilities of all answers");
        let seedless = (!takes_seeds).then_some(
            "the server takes no seed: completions drawn another time will be others with the same seed too",
        );
        [uncounted, without_logprobs, seedless]
            .into_iter()
            .flatten()
            .collect()
    }
}

impl Generator for Endpoint {
    fn info(&self) -> GeneratorInfo {
        let mut details = self.facts.details();
        details.insert("url".to_string(), self.options.url.as_str().to_string());
        details.insert("api".to_string(), self.options.api.name().to_string());
        if let Some(system_prompt) = &self.options.system_prompt {
            details.insert("system_prompt".to_string(), system_prompt.clone());
        }
        if let Some(special_tokens) = self.form.special_tokens.describe() {
            details.insert("special_tokens".to_string(), special_tokens);
        }
        GeneratorInfo {
            name: self.facts.model.clone(),
            kind: "endpoint".to_string(),
            details,
        }
    }

    /// Counts the tokens of prompts that may be too long, where the server can, and remembers what
    /// room they leave; looks whether the server reads prompts as they are meant. What is only
    /// likely is told as a warning.
    fn check(
        &self,
        prompts: &[Prompt],
        decoding: &Decoding,
    ) -> Result<Vec<PromptIssue>, GenerationError> {
        let counter = Counter {
            http: self.http.clone(),
            url: self.options.url.clone(),
            form: self.form.clone(),
        };
        let own_count = self.options.own_count.as_ref();
        let examination = Examination {
            counter: &counter,
            facts: &self.facts,
            own_count,
            prompts,
            decoding,
        };
        let findings = self.runtime.block_on(examination.examine());
        findings
            .warnings
            .iter()
            .for_each(|warning| (self.on_warning)(warning));
        *self.rooms() = Arc::new(findings.rooms);
        Ok(findings.issues)
    }

    /// Asks for all prompts, so many at a time as the server can do with. Tokens are reported as
    /// they come, as pieces of text; whoever listens hears something five times a second.
    fn generate(
        &mut self,
        prompts: &[Prompt],
        decoding: &Decoding,
        on_event: &mut dyn FnMut(Event) -> Result<(), GenerationError>,
    ) -> Result<(), GenerationError> {
        if let Some(sampling) = &decoding.sampling {
            sampling
                .validate()
                .map_err(|reason| GenerationError::Backend(Error::Options(reason).into()))?;
        }
        self.stops = decoding.stop.clone();
        let asking = self.asking(decoding);
        let mut run = Run {
            asking: asking.clone(),
            refusals: Refusals::default(),
            on_event,
            on_warning: &*self.on_warning,
        };
        let outcome = self
            .runtime
            .block_on(run.ask_all(prompts, self.options.max_concurrency));
        self.warnings(&asking)
            .into_iter()
            .for_each(|warning| (self.on_warning)(warning));
        outcome
    }

    fn serving_report(&self) -> Option<ServingReport> {
        let capabilities = self
            .capabilities
            .lock()
            .expect("nothing panics while the capabilities are held");
        Some(ServingReport {
            stop_strings_sent: stop_strings_sent(&self.stops, &capabilities)
                .into_iter()
                .map(str::to_string)
                .collect(),
            fields_refused: capabilities.refused(),
            latency: self.latencies.summary(),
        })
    }
}

/// One call of `generate`.
struct Run<'a> {
    asking: Arc<Asking>,
    refusals: Refusals,
    on_event: &'a mut dyn FnMut(Event) -> Result<(), GenerationError>,
    on_warning: &'a dyn Fn(&str),
}

type Finished = Result<Outcome, JoinError>;

impl Run<'_> {
    /// Keeps so many prompts open and delivers what becomes final, here on the caller's thread. A
    /// finished task holds its completion until it is taken, so that no more than `at_a_time` are
    /// ever in memory, however slow the receiver is.
    async fn ask_all(
        &mut self,
        prompts: &[Prompt],
        at_a_time: usize,
    ) -> Result<(), GenerationError> {
        let mut tasks = JoinSet::new();
        let mut heartbeat = interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next = 0;
        loop {
            while next < prompts.len() && tasks.len() < at_a_time {
                let (index, prompt, asking) = (next, prompts[next].clone(), self.asking.clone());
                tasks.spawn(async move { asking.answer(index, &prompt).await });
                next += 1;
            }
            tokio::select! {
                finished = tasks.join_next() => match finished {
                    None => break,
                    Some(finished) => self.take(finished, &mut tasks)?,
                },
                _ = heartbeat.tick() => self.tell_progress()?,
            }
        }
        self.settle()
    }

    fn take(
        &mut self,
        finished: Finished,
        tasks: &mut JoinSet<Outcome>,
    ) -> Result<(), GenerationError> {
        match finished.map_err(|error| GenerationError::Backend(error.into()))? {
            Outcome::Final(completion) => {
                self.settle()?;
                self.deliver(completion)
            }
            Outcome::Refused {
                status,
                reason,
                completion,
            } => {
                let settled = self
                    .refusals
                    .add(&self.asking.url, status, reason, completion);
                settled
                    .map_err(|error| GenerationError::Backend(error.into()))?
                    .into_iter()
                    .try_for_each(|completion| self.deliver(completion))
            }
            Outcome::Over(error) => {
                self.deliver_the_rest(tasks)?;
                Err(GenerationError::Backend(error.into()))
            }
        }
    }

    /// What was answered before the run ended is not lost.
    fn deliver_the_rest(&mut self, tasks: &mut JoinSet<Outcome>) -> Result<(), GenerationError> {
        while let Some(finished) = tasks.try_join_next() {
            if let Ok(Outcome::Final(completion)) = finished {
                self.settle()?;
                self.deliver(completion)?;
            }
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<(), GenerationError> {
        self.refusals
            .settle()
            .into_iter()
            .try_for_each(|completion| self.deliver(completion))
    }

    fn deliver(&mut self, completion: Completion) -> Result<(), GenerationError> {
        self.tell_progress()?;
        if completion.prompt_tokens > 0 {
            (self.on_event)(Event::Prefilled(completion.prompt_tokens))?;
        }
        (self.on_event)(Event::Finished(completion))
    }

    fn tell_progress(&mut self) -> Result<(), GenerationError> {
        if self.asking.interrupts.swap(false, Ordering::Relaxed) {
            (self.on_warning)(
                "the server gives requests up when newer ones come: from here on it is asked one at a time",
            );
        }
        (self.on_event)(Event::Running(self.asking.limiter.under_way()))?;
        (self.on_event)(Event::Decoded(
            self.asking.pieces.swap(0, Ordering::Relaxed),
        ))
    }
}
