//! A model behind a server, as a [`Generator`].

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
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

use crate::api::Api;
use crate::base_url::BaseUrl;
use crate::breaker::CircuitBreaker;
use crate::capabilities::Capabilities;
use crate::error::Error;
use crate::http::HttpClient;
use crate::key::ApiKey;
use crate::latency::LatencyRecorder;
use crate::limiter::ConcurrencyLimiter;
use crate::prompt_check::{PromptCheck, PromptCounter};
use crate::rejections::Rejections;
use crate::request::{RESPONSE_FORMAT, RequestTemplate, ResponseFormat, stop_strings_sent};
use crate::retry_loop::{PromptOutcome, RequestContext};
use crate::retry_policy::RetryPolicy;
use crate::server::ServerInfo;
use crate::special_tokens::{SpecialTokenMode, SpecialTokens};
use crate::token_counter::TokenCounter;

/// How often progress is reported, also where nothing happened: the receiver may want to stop.
const HEARTBEAT: Duration = Duration::from_millis(200);
/// Threads that read responses; the receiver works on the caller's.
const THREADS: usize = 2;
/// The maximum of requests in flight where nothing else is given.
pub const DEFAULT_MAX_CONCURRENCY: usize = 32;
/// The largest maximum of requests in flight: each may be a connection.
const MAX_CONCURRENCY: usize = 4096;

/// Which server, which model, and how to request completions.
#[derive(Clone, Debug)]
pub struct EndpointOptions {
    /// Where the server is.
    pub url: BaseUrl,
    /// The model's name as the server lists it.
    pub model: String,
    /// Which route answers.
    pub api: Api,
    /// Who adds the special tokens of prompts, on the completions route.
    pub special_tokens: SpecialTokens,
    /// Counts the tokens of a prompt as the checkpoint's own tokenizer does, so that a server that
    /// reads others is noticed.
    pub own_count: Option<PromptCounter>,
    /// The system message on the chat route; `None` for none.
    pub system_prompt: Option<String>,
    /// The key that the server wants.
    pub key: Option<ApiKey>,
    /// The maximum of requests in flight, in 1..=4096; the AIMD limit stays below it where the server
    /// cannot serve as many.
    pub max_concurrency: usize,
    /// Whether responses are streamed. Only then does a stop string that the server does not know
    /// end a response early.
    pub stream: bool,
    /// The form that the server is asked to hold completions to, on the chat route. A server that
    /// does not accept it is asked without, and there is a warning.
    pub response_format: Option<ResponseFormat>,
    /// Whether to request the log-probabilities of new tokens, which not every server gives.
    pub logprobs: bool,
    /// Attempts, timeouts and limits.
    pub policy: RetryPolicy,
}

impl EndpointOptions {
    /// The defaults: `/v1/completions`, streamed, 32 requests in flight.
    pub fn new(url: BaseUrl, model: impl Into<String>) -> Self {
        Self {
            url,
            model: model.into(),
            api: Api::Completions,
            special_tokens: SpecialTokens::AddedByServer,
            own_count: None,
            system_prompt: None,
            key: None,
            max_concurrency: DEFAULT_MAX_CONCURRENCY,
            stream: true,
            response_format: None,
            logprobs: false,
            policy: RetryPolicy::default(),
        }
    }

    fn validate(&self) -> Result<(), Error> {
        let refused = |reason: &str| Err(Error::Options(reason.to_string()));
        if self.model.trim().is_empty() {
            return refused("a server needs the name of a model");
        }
        if !(1..=MAX_CONCURRENCY).contains(&self.max_concurrency) {
            return Err(Error::Options(format!(
                "the maximum of requests in flight must be 1 to {MAX_CONCURRENCY}, not {}",
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
        if self.response_format.is_some() && self.api == Api::Completions {
            return refused("a response format needs the chat route");
        }
        self.policy.validate()
    }
}

/// A model behind an OpenAI-compatible server.
///
/// It is synchronous and has an asynchronous runtime inside: it must not be used, nor dropped, on a
/// thread of another runtime.
pub struct Endpoint {
    runtime: Runtime,
    http: HttpClient,
    options: EndpointOptions,
    server: ServerInfo,
    template: RequestTemplate,
    /// What the server turned out not to accept.
    capabilities: Arc<Mutex<Capabilities>>,
    latencies: Arc<LatencyRecorder>,
    /// Whether a request with a response format has succeeded.
    format_accepted: Arc<AtomicBool>,
    /// New tokens that fit into the context, by the text of a prompt that was checked, where that is
    /// less than requested.
    token_budgets: Mutex<Arc<HashMap<String, usize>>>,
    /// Stop strings of the last call.
    stops: Vec<String>,
    on_warning: Box<dyn Fn(&str)>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("options", &self.options)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    /// Queries the server for its models and for what it states about itself. `on_warning` is called,
    /// on the caller's thread and at any time during a call, with what the user should know, once
    /// with each.
    ///
    /// # Errors
    /// Options outside their range; a server that does not answer, rejects the key, has no model of
    /// this name, or does not show what it makes of the special tokens in prompts.
    pub fn connect(
        mut options: EndpointOptions,
        on_warning: impl Fn(&str) + 'static,
    ) -> Result<Self, Error> {
        options.validate()?;
        let on_warning = once_each(on_warning);
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("endpoint")
            .enable_all()
            .build()
            .map_err(|error| Error::Client(error.to_string()))?;
        let http = HttpClient::new(&options.url, options.key.as_ref(), &options.policy)?;
        // Before the first request, which already carries the key.
        if options.key.is_some() && !options.url.is_https() && !options.url.is_loopback() {
            on_warning(
                "the API key is sent without encryption: the server's address begins with http: and not https:",
            );
        }
        let server = runtime.block_on(ServerInfo::query(&http, &options.url, &options.model))?;
        if server.is_unlisted {
            on_warning(&format!(
                "the server does not list its models: {:?} is requested all the same, and what it would state about the model is missing in run.json",
                options.model
            ));
        }
        if let Some(max) = server
            .kind
            .max_concurrency()
            .filter(|max| *max < options.max_concurrency)
        {
            let name = server.kind.name().unwrap_or_default();
            let requests = if max == 1 {
                "one request".to_string()
            } else {
                format!("{max} requests")
            };
            on_warning(&format!(
                "{name} serves {requests} at a time, and gets no more"
            ));
            options.max_concurrency = max;
        }
        let mut template = RequestTemplate {
            api: options.api,
            model: options.model.clone(),
            system_prompt: options.system_prompt.clone(),
            kind: server.kind,
            context: server.context,
            stream: options.stream,
            logprobs: options.logprobs,
            special_tokens: SpecialTokenMode::Plain,
            response_format: options.response_format.clone(),
        };
        // With the template as it is before the mode is known: the text of the token must reach the
        // server whole.
        let counter = TokenCounter {
            http: http.clone(),
            url: options.url.clone(),
            template: template.clone(),
        };
        template.special_tokens =
            runtime.block_on(counter.special_token_mode(&options.special_tokens))?;
        Ok(Self {
            runtime,
            http,
            options,
            server,
            template,
            capabilities: Arc::default(),
            latencies: Arc::default(),
            format_accepted: Arc::default(),
            token_budgets: Mutex::default(),
            stops: Vec::new(),
            on_warning: Box::new(on_warning),
        })
    }

    /// Tokens that prompt and completion may have together, where the server states it.
    pub fn context_length(&self) -> Option<usize> {
        self.server.context
    }

    fn context(&self, decoding: &Decoding) -> Arc<RequestContext> {
        let policy = &self.options.policy;
        Arc::new(RequestContext {
            http: self.http.clone(),
            url: self.options.url.api(self.options.api.route()),
            template: self.template.clone(),
            decoding: decoding.clone(),
            token_budgets: self.token_budgets().clone(),
            // Load and outages pass, so that limiter and breaker begin anew with each call. What
            // the server refuses stays, and is learned once.
            limiter: Arc::new(ConcurrencyLimiter::new(self.options.max_concurrency)),
            breaker: Mutex::new(CircuitBreaker::new(
                policy.give_up_after,
                policy.max_attempts,
                Instant::now(),
            )),
            capabilities: self.capabilities.clone(),
            latencies: self.latencies.clone(),
            new_tokens: AtomicUsize::new(0),
            uncounted: AtomicBool::new(false),
            without_logprobs: AtomicBool::new(false),
            interrupts: AtomicBool::new(false),
            format_accepted: self.format_accepted.clone(),
        })
    }

    fn token_budgets(&self) -> std::sync::MutexGuard<'_, Arc<HashMap<String, usize>>> {
        self.token_budgets
            .lock()
            .expect("nothing panics while the budgets are held")
    }

    /// What the user should know after a call.
    fn warnings(&self, context: &RequestContext) -> Vec<&'static str> {
        let accepts_seeds = context.capabilities().accepts("seed");
        let uncounted = context.uncounted.load(Ordering::Relaxed).then_some(
            "the server did not count the tokens of all answers: where it did not, completion_tokens are the chunks of text that came, and prompt_tokens are 0",
        );
        let without_logprobs = context
            .without_logprobs
            .load(Ordering::Relaxed)
            .then_some("the server did not give the log-probabilities of all answers");
        let seedless = (!accepts_seeds).then_some(
            "the server accepts no seed: another run with the same seed will sample other completions",
        );
        let formless = self.template.response_format.is_some()
            && !context.capabilities().accepts(RESPONSE_FORMAT);
        let formless = formless.then_some(
            "the server accepts no response_format with a JSON Schema: the form of replies is asked for in words alone",
        );
        [uncounted, without_logprobs, seedless, formless]
            .into_iter()
            .flatten()
            .collect()
    }
}

impl Generator for Endpoint {
    fn info(&self) -> GeneratorInfo {
        let mut details = self.server.details();
        details.insert("url".to_string(), self.options.url.as_str().to_string());
        details.insert("api".to_string(), self.options.api.name().to_string());
        if let Some(system_prompt) = &self.options.system_prompt {
            details.insert("system_prompt".to_string(), system_prompt.clone());
        }
        if let Some(format) = &self.options.response_format {
            details.insert(RESPONSE_FORMAT.to_string(), format.describe());
        }
        if let Some(special_tokens) = self.template.special_tokens.describe() {
            details.insert("special_tokens".to_string(), special_tokens);
        }
        GeneratorInfo {
            name: self.server.model.clone(),
            kind: "endpoint".to_string(),
            details,
        }
    }

    /// Counts the tokens of prompts that may be too long, where the server can, and records how many
    /// new tokens fit; checks whether the server reads prompts as they are meant. What is only likely
    /// is a warning.
    fn check(
        &self,
        prompts: &[Prompt],
        decoding: &Decoding,
    ) -> Result<Vec<PromptIssue>, GenerationError> {
        let counter = TokenCounter {
            http: self.http.clone(),
            url: self.options.url.clone(),
            template: self.template.clone(),
        };
        let own_count = self.options.own_count.as_ref();
        let check = PromptCheck {
            counter: &counter,
            server: &self.server,
            own_count,
            prompts,
            decoding,
        };
        let findings = self.runtime.block_on(check.run());
        findings
            .warnings
            .iter()
            .for_each(|warning| (self.on_warning)(warning));
        *self.token_budgets() = Arc::new(findings.token_budgets);
        Ok(findings.issues)
    }

    /// Requests completions for all prompts, as many at a time as the server can serve. Tokens are
    /// reported as they arrive, as chunks of text; there is a report five times a second.
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
        let context = self.context(decoding);
        let mut call = GenerateCall {
            context: context.clone(),
            rejections: Rejections::default(),
            on_event,
            on_warning: &*self.on_warning,
        };
        let outcome = self
            .runtime
            .block_on(call.run_all(prompts, self.options.max_concurrency));
        self.warnings(&context)
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
            fields_refused: capabilities.rejected(),
            latency: self.latencies.summary(),
        })
    }
}

/// Each warning once, however often there is a cause.
fn once_each(on_warning: impl Fn(&str) + 'static) -> impl Fn(&str) + 'static {
    let given = RefCell::new(HashSet::new());
    move |warning| {
        if given.borrow_mut().insert(warning.to_string()) {
            on_warning(warning);
        }
    }
}

/// One call of `generate`.
struct GenerateCall<'a> {
    context: Arc<RequestContext>,
    rejections: Rejections,
    on_event: &'a mut dyn FnMut(Event) -> Result<(), GenerationError>,
    on_warning: &'a dyn Fn(&str),
}

type Finished = Result<PromptOutcome, JoinError>;

impl GenerateCall<'_> {
    /// Runs `max_concurrency` prompts at a time and delivers what becomes final, here on the caller's
    /// thread. A finished task holds its completion until it is joined, so no more completions than
    /// that are ever in memory, however slow the receiver is.
    async fn run_all(
        &mut self,
        prompts: &[Prompt],
        max_concurrency: usize,
    ) -> Result<(), GenerationError> {
        let mut tasks = JoinSet::new();
        let mut heartbeat = interval(HEARTBEAT);
        // After a receiver that took long there is one report, and not one for each tick missed.
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next = 0;
        loop {
            while next < prompts.len() && tasks.len() < max_concurrency {
                let (index, prompt, context) = (next, prompts[next].clone(), self.context.clone());
                tasks.spawn(async move { context.complete(index, &prompt).await });
                next += 1;
            }
            tokio::select! {
                finished = tasks.join_next() => match finished {
                    // The set is empty only where no prompt is left: it was filled above.
                    None => break,
                    // An error here drops the set, which aborts all requests in flight.
                    Some(finished) => self.handle(finished, &mut tasks)?,
                },
                _ = heartbeat.tick() => self.report_progress()?,
            }
        }
        // What is still held back was too little to concern all prompts.
        self.release()
    }

    fn handle(
        &mut self,
        finished: Finished,
        tasks: &mut JoinSet<PromptOutcome>,
    ) -> Result<(), GenerationError> {
        match finished.map_err(|error| GenerationError::Backend(error.into()))? {
            PromptOutcome::Final(completion) => {
                self.release()?;
                self.deliver(completion)
            }
            PromptOutcome::Rejected {
                status,
                reason,
                completion,
            } => {
                let released = self
                    .rejections
                    .add(&self.context.url, status, reason, completion);
                released
                    .map_err(|error| GenerationError::Backend(error.into()))?
                    .into_iter()
                    .try_for_each(|completion| self.deliver(completion))
            }
            PromptOutcome::Fatal(error) => {
                self.deliver_completed(tasks)?;
                Err(GenerationError::Backend(error.into()))
            }
        }
    }

    /// What was completed before the run ended is not lost.
    fn deliver_completed(
        &mut self,
        tasks: &mut JoinSet<PromptOutcome>,
    ) -> Result<(), GenerationError> {
        while let Some(finished) = tasks.try_join_next() {
            // Rejections are left to the next run: nobody knows yet whether they concern all
            // prompts.
            if let Ok(PromptOutcome::Final(completion)) = finished {
                self.release()?;
                self.deliver(completion)?;
            }
        }
        Ok(())
    }

    fn release(&mut self) -> Result<(), GenerationError> {
        self.rejections
            .release()
            .into_iter()
            .try_for_each(|completion| self.deliver(completion))
    }

    fn deliver(&mut self, completion: Completion) -> Result<(), GenerationError> {
        // The tokens of a completion are reported before its end.
        self.report_progress()?;
        if completion.prompt_tokens > 0 {
            (self.on_event)(Event::Prefilled(completion.prompt_tokens))?;
        }
        (self.on_event)(Event::Finished(completion))
    }

    fn report_progress(&mut self) -> Result<(), GenerationError> {
        if self.context.interrupts.swap(false, Ordering::Relaxed) {
            (self.on_warning)(
                "the server aborts requests when newer ones arrive: from here on there is one at a time",
            );
        }
        (self.on_event)(Event::Running(self.context.limiter.in_flight()))?;
        (self.on_event)(Event::Decoded(
            self.context.new_tokens.swap(0, Ordering::Relaxed),
        ))
    }
}
