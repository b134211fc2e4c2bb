//! `/metrics`: what the server has done, in the text format of OpenMetrics.

use generation::FinishReason;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// The labels of a response.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfResponse {
    path: String,
    status: u16,
}

/// The label of a completion.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfCompletion {
    finish_reason: &'static str,
}

pub(crate) struct Metrics {
    registry: Registry,
    responses: Family<OfResponse, Counter>,
    completions: Family<OfCompletion, Counter>,
    /// Completions that wait or are computed.
    pub(crate) pending: Gauge,
    pub(crate) prompt_tokens: Counter,
    pub(crate) generated_tokens: Counter,
    /// Seconds from a request to its first token.
    pub(crate) first_token: Histogram,
    /// Seconds from a request to the end of a completion.
    pub(crate) duration: Histogram,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let seconds = || {
            Histogram::new([
                0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0,
                600.0,
            ])
        };
        let metrics = Self {
            registry: Registry::default(),
            responses: Family::default(),
            completions: Family::default(),
            pending: Gauge::default(),
            prompt_tokens: Counter::default(),
            generated_tokens: Counter::default(),
            first_token: seconds(),
            duration: seconds(),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let registry = self.registry.sub_registry_with_prefix("mwpbench");
        registry.register(
            "responses",
            "Responses by path and status",
            self.responses.clone(),
        );
        registry.register(
            "completions",
            "Completions by what ended them",
            self.completions.clone(),
        );
        registry.register(
            "completions_pending",
            "Completions that wait or are computed",
            self.pending.clone(),
        );
        registry.register(
            "prompt_tokens",
            "Tokens of the prompts of finished completions",
            self.prompt_tokens.clone(),
        );
        registry.register(
            "generated_tokens",
            "New tokens",
            self.generated_tokens.clone(),
        );
        registry.register_with_unit(
            "time_to_first_token",
            "From a request to its first token",
            Unit::Seconds,
            self.first_token.clone(),
        );
        registry.register_with_unit(
            "completion_duration",
            "From a request to the end of a completion",
            Unit::Seconds,
            self.duration.clone(),
        );
        self
    }

    pub(crate) fn count_response(&self, path: &str, status: u16) {
        let labels = OfResponse {
            path: path.to_string(),
            status,
        };
        self.responses.get_or_create(&labels).inc();
    }

    pub(crate) fn count_completion(&self, reason: FinishReason) {
        let finish_reason = match reason {
            FinishReason::Eos => "eos",
            FinishReason::Stop => "stop",
            FinishReason::Length => "length",
            FinishReason::Error => "error",
        };
        let labels = OfCompletion { finish_reason };
        self.completions.get_or_create(&labels).inc();
    }

    /// All of them as text.
    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
