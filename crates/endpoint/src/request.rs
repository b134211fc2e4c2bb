//! What is asked, as JSON.
//!
//! Every setting that a server would otherwise take from a default of its own is said outright where the server is known to
//! understand it: vLLM and SGLang take top-k, top-p and the repetition penalty from the checkpoint's `generation_config.json`, also
//! for greedy decoding (Qwen2.5 has a penalty of 1.05 there), and llama.cpp's server has 40, 0.95 and a min-p of 0.05. Servers that are not
//! known get a setting beyond OpenAI's own only where it is not neutral, since OpenAI refuses what it does not know.

use generation::{Decoding, Prompt, Sampling};
use serde_json::{Map, Value, json};

use crate::server::ServerKind;

/// Most stop strings that OpenAI and TGI take; the client watches for all of them.
const MOST_STOPS: usize = 4;

/// Which route answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// `/v1/completions`: the model continues the prompt's text as it stands.
    Completions,
    /// `/v1/chat/completions`: the prompt's text becomes the message of a user, and the server applies the model's chat template.
    Chat,
}

impl Api {
    /// `completions` or `chat`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Completions => "completions",
            Self::Chat => "chat",
        }
    }

    pub(crate) fn route(self) -> &'static str {
        match self {
            Self::Completions => "completions",
            Self::Chat => "chat/completions",
        }
    }
}

/// What all requests of a run have in common.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) api: Api,
    pub(crate) model: String,
    pub(crate) system_prompt: Option<String>,
    pub(crate) kind: ServerKind,
    pub(crate) stream: bool,
    /// Whether log-probabilities are asked for.
    pub(crate) logprobs: bool,
}

/// What a server turned out not to understand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// It refuses `stream_options`.
    pub(crate) no_stream_options: bool,
    /// It wants `max_completion_tokens` in place of `max_tokens`, as OpenAI's newer models do.
    pub(crate) max_completion_tokens: bool,
}

impl Form {
    /// The body of a request.
    pub(crate) fn body(&self, prompt: &Prompt, decoding: &Decoding, dialect: Dialect) -> Value {
        let mut body = Map::new();
        body.insert("model".into(), json!(self.model));
        match self.api {
            Api::Completions => body.insert("prompt".into(), json!(prompt.text)),
            Api::Chat => body.insert("messages".into(), self.messages(&prompt.text)),
        };
        let limit = if dialect.max_completion_tokens { "max_completion_tokens" } else { "max_tokens" };
        body.insert(limit.into(), json!(decoding.max_tokens));
        let mut stops = needed(&decoding.stop);
        if !self.kind.says_all() {
            stops.truncate(MOST_STOPS);
        }
        if !stops.is_empty() {
            body.insert("stop".into(), json!(stops));
        }
        match &decoding.sampling {
            None => {
                body.insert("temperature".into(), json!(0.0));
                self.add_extras(&mut body, None);
            }
            Some(sampling) => {
                body.insert("temperature".into(), number(sampling.temperature));
                body.insert("top_p".into(), number(sampling.top_p));
                body.insert("seed".into(), json!(seed(sampling.seed, &prompt.id, prompt.sample)));
                self.add_extras(&mut body, Some(sampling));
            }
        }
        if self.logprobs {
            // A number of alternatives on the one route, a yes on the other.
            let asked = if self.api == Api::Chat { json!(true) } else { json!(1) };
            body.insert("logprobs".into(), asked);
        }
        if self.stream {
            body.insert("stream".into(), json!(true));
            if !dialect.no_stream_options {
                body.insert("stream_options".into(), json!({ "include_usage": true }));
            }
        }
        Value::Object(body)
    }

    pub(crate) fn messages(&self, text: &str) -> Value {
        let system = self.system_prompt.iter().map(|text| json!({ "role": "system", "content": text }));
        system.chain([json!({ "role": "user", "content": text })]).collect()
    }

    /// The settings that OpenAI does not have. Greedy decoding has no use for any but the penalty, which must be off.
    fn add_extras(&self, body: &mut Map<String, Value>, sampling: Option<&Sampling>) {
        let says_all = self.kind.says_all();
        let penalty = sampling.map_or(1.0, |sampling| sampling.repetition_penalty);
        let mut add = |name: &str, neutral: bool, value: Value| {
            if says_all || !neutral {
                body.insert(name.into(), value);
            }
        };
        add(self.kind.penalty_name(), penalty == 1.0, number(penalty));
        if matches!(self.kind, ServerKind::LlamaCpp) && penalty != 1.0 {
            // The whole context and not the last 64 tokens.
            add("repeat_last_n", false, json!(-1));
        }
        if let Some(sampling) = sampling {
            let top_k = sampling.top_k.map(std::num::NonZeroUsize::get);
            add("top_k", top_k.is_none(), top_k.map_or(json!(self.kind.all_tokens()), |top_k| json!(top_k)));
            add("min_p", sampling.min_p == 0.0, number(sampling.min_p));
        }
    }
}

/// The stop strings without those that another one always forestalls, such as `Question:` beside `Question`.
fn needed(stops: &[String]) -> Vec<&str> {
    let begins = |stop: &str| stop.char_indices().next_back().map_or("", |(at, _)| &stop[..at]).to_string();
    let forestalled =
        |stop: &String| stops.iter().any(|other| !other.is_empty() && begins(stop).contains(other.as_str()));
    stops.iter().filter(|stop| !stop.is_empty() && !forestalled(stop)).map(String::as_str).collect()
}

/// The decimal number that a setting was given as: 0.7 and not 0.699999988079071.
fn number(value: f32) -> Value {
    json!(value.to_string().parse::<f64>().unwrap_or(f64::from(value)))
}

/// The seed of one completion, below 2³¹ since some servers take no larger one: a function of the run's seed, the problem and the sample.
fn seed(seed: u64, problem: &str, sample: u32) -> u32 {
    let mut hasher = blake3::Hasher::new_derive_key("mwpbench endpoint seed v1: seed, sample, problem id");
    hasher.update(&seed.to_le_bytes()).update(&sample.to_le_bytes()).update(problem.as_bytes());
    let digest = hasher.finalize();
    let bytes = digest.as_bytes();
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) >> 1
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU32, NonZeroUsize};

    use proptest::prelude::*;

    use super::*;
    use crate::stop::StoppedText;

    fn form(api: Api, kind: ServerKind) -> Form {
        Form { api, model: "m".into(), system_prompt: None, kind, stream: true, logprobs: false }
    }

    fn prompt(sample: u32) -> Prompt {
        Prompt { id: "gsm8k/1".into(), sample, text: "1 + 1 =".into() }
    }

    fn sampling() -> Sampling {
        Sampling {
            temperature: 0.7,
            top_k: None,
            top_p: 1.0,
            min_p: 0.0,
            repetition_penalty: 1.0,
            seed: 3,
            samples: NonZeroU32::MIN,
        }
    }

    fn text(form: &Form, decoding: &Decoding) -> String {
        form.body(&prompt(0), decoding, Dialect::default()).to_string()
    }

    #[test]
    fn greedy_decoding_is_temperature_0_and_no_penalty() {
        let decoding = Decoding { max_tokens: 16, stop: vec!["\n\n".into(), String::new()], sampling: None };
        assert_eq!(
            text(&form(Api::Completions, ServerKind::Unknown), &decoding),
            r#"{"model":"m","prompt":"1 + 1 =","max_tokens":16,"stop":["\n\n"],"temperature":0.0,"stream":true,"stream_options":{"include_usage":true}}"#
        );
        assert!(text(&form(Api::Completions, ServerKind::Vllm), &decoding).contains(r#""repetition_penalty":1.0"#));
        assert!(text(&form(Api::Completions, ServerKind::LlamaCpp), &decoding).contains(r#""repeat_penalty":1.0"#));
    }

    #[test]
    fn a_system_prompt_comes_before_the_question() {
        let form = Form { system_prompt: Some("Be brief.".into()), ..form(Api::Chat, ServerKind::Unknown) };
        let body = form.body(&prompt(0), &Decoding::greedy(1), Dialect::default());
        assert_eq!(
            body["messages"].to_string(),
            r#"[{"role":"system","content":"Be brief."},{"role":"user","content":"1 + 1 ="}]"#
        );
    }

    #[test]
    fn an_unknown_server_gets_only_what_is_not_neutral() {
        let neutral = Decoding { sampling: Some(sampling()), ..Decoding::greedy(1) };
        let set = Sampling { top_k: NonZeroUsize::new(5), min_p: 0.1, repetition_penalty: 1.1, ..sampling() };
        let set = Decoding { sampling: Some(set), ..Decoding::greedy(1) };
        let names = ["top_k", "min_p", "repetition_penalty"];
        let has = |kind, decoding: &Decoding| {
            let body = text(&form(Api::Completions, kind), decoding);
            names.map(|name| body.contains(&format!("\"{name}\"")))
        };
        assert_eq!(has(ServerKind::Unknown, &neutral), [false; 3]);
        assert_eq!(has(ServerKind::Unknown, &set), [true; 3]);
        assert_eq!(has(ServerKind::Vllm, &neutral), [true; 3]);
        let body = text(&form(Api::Completions, ServerKind::Vllm), &neutral);
        assert!(body.contains(r#""temperature":0.7,"top_p":1.0"#) && body.contains(r#""top_k":-1"#), "{body}");
    }

    #[test]
    fn at_most_four_stop_strings_are_sent_where_a_server_may_not_take_more() {
        let stop = ["a:", "", "a", "b", "xb", "c", "d", "cd"].map(String::from).to_vec();
        let decoding = Decoding { stop, ..Decoding::greedy(1) };
        let sent = |kind| form(Api::Chat, kind).body(&prompt(0), &decoding, Dialect::default())["stop"].clone();
        assert_eq!(sent(ServerKind::Unknown), json!(["a", "b", "xb", "c"]));
        assert_eq!(sent(ServerKind::Tgi), sent(ServerKind::Unknown));
        assert_eq!(sent(ServerKind::Vllm), json!(["a", "b", "xb", "c", "d"]));
    }

    #[test]
    fn what_a_server_does_not_understand_is_said_otherwise() {
        let dialect = Dialect { no_stream_options: true, max_completion_tokens: true };
        let body = form(Api::Chat, ServerKind::Unknown).body(&prompt(0), &Decoding::greedy(7), dialect).to_string();
        assert!(body.contains(r#""max_completion_tokens":7"#), "{body}");
        assert!(!body.contains("stream_options") && !body.contains("\"max_tokens\""), "{body}");
    }

    #[test]
    fn seeds_depend_on_seed_problem_and_sample_and_fit_31_bits() {
        let seeds = [seed(0, "a", 0), seed(1, "a", 0), seed(0, "b", 0), seed(0, "a", 1)];
        assert!(seeds.iter().all(|seed| *seed < 1 << 31));
        assert!((1..4).all(|other| seeds[other] != seeds[0]), "{seeds:?}");
        assert_eq!(seed(0, "a", 0), seeds[0]);
    }

    proptest! {
        #[test]
        fn the_stop_strings_that_are_not_sent_would_change_nothing(text in "[ab]{0,12}", stops in prop::collection::vec("[ab]{0,4}", 0..5)) {
            let cut = |stops: &[String]| {
                let mut stopped = StoppedText::new(stops);
                let is_cut = stopped.push(&text);
                (stopped.into_text(), is_cut)
            };
            let sent: Vec<String> = needed(&stops).into_iter().map(String::from).collect();
            prop_assert_eq!(cut(&sent), cut(&stops));
        }
    }
}
