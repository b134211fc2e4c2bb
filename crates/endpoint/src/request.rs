//! The body of a request, as JSON.
//!
//! Every sampling parameter for which a server has a default of its own is sent explicitly where
//! the server is known to understand it: vLLM and SGLang read top-k, top-p and the repetition
//! penalty from the checkpoint's `generation_config.json`, also for greedy decoding (Qwen2.5 has a
//! penalty of 1.05 there), and llama.cpp's server has 40, 0.95 and a min-p of 0.05. Servers that
//! are not known get a parameter beyond OpenAI's own only where it is not neutral, since OpenAI
//! rejects what it does not know.

use generation::{Decoding, Prompt, Sampling};
use serde_json::{Map, Value, json};

use crate::api::Api;
use crate::capabilities::Capabilities;
use crate::server::ServerKind;
use crate::special_tokens::SpecialTokenMode;

/// Tokens of a context whose length is not known, at most.
const MAX_TYPICAL_CONTEXT: usize = 1 << 17;

/// What all requests of a run have in common.
#[derive(Clone, Debug)]
pub(crate) struct RequestTemplate {
    pub(crate) api: Api,
    pub(crate) model: String,
    pub(crate) system_prompt: Option<String>,
    pub(crate) kind: ServerKind,
    /// Tokens that prompt and completion may have together, where the server states it.
    pub(crate) context: Option<usize>,
    pub(crate) stream: bool,
    /// Whether log-probabilities are requested.
    pub(crate) logprobs: bool,
    /// Who adds the special tokens of prompts.
    pub(crate) special_tokens: SpecialTokenMode,
    /// The form that completions are held to.
    pub(crate) response_format: Option<ResponseFormat>,
}

/// A JSON Schema that a server is to hold completions to (`response_format` of OpenAI's chat route).
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseFormat {
    /// A name for the schema: letters, digits and underscores.
    pub name: String,
    /// The schema.
    pub schema: Value,
}

/// The field in which a [`ResponseFormat`] is sent.
pub(crate) const RESPONSE_FORMAT: &str = "response_format";

impl ResponseFormat {
    fn json(&self) -> Value {
        let Self { name, schema } = self;
        json!({
            "type": "json_schema",
            "json_schema": { "name": name, "strict": true, "schema": schema },
        })
    }

    /// What identifies it: its name, and BLAKE3 (hex) of the schema.
    pub(crate) fn describe(&self) -> String {
        let digest = blake3::hash(self.schema.to_string().as_bytes());
        format!("{} (JSON Schema {})", self.name, digest.to_hex())
    }
}

/// What is sent for one prompt.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RequestBody {
    /// All fields.
    pub(crate) json: Value,
    /// Those that may be left out: their absence would change no completion, or the caller gets by
    /// without.
    pub(crate) optional: Vec<&'static str>,
    /// How many stop strings are among them.
    pub(crate) stop_strings: usize,
}

impl RequestTemplate {
    /// The body of a request for at most `max_tokens` new tokens.
    pub(crate) fn body(
        &self,
        prompt: &Prompt,
        decoding: &Decoding,
        max_tokens: usize,
        capabilities: &Capabilities,
    ) -> RequestBody {
        let mut body = BodyFields {
            capabilities,
            map: Map::new(),
            optional: Vec::new(),
        };
        body.set("model", json!(self.model));
        match self.api {
            Api::Completions => body.set("prompt", json!(self.special_tokens.sent(&prompt.text))),
            Api::Chat => body.set("messages", self.messages(&prompt.text)),
        };
        if !self.special_tokens.adds() {
            // Not optional: without it the server would add a second beginning-of-sequence token.
            body.set("add_special_tokens", json!(false));
        }
        let limit = if capabilities.max_completion_tokens {
            "max_completion_tokens"
        } else {
            "max_tokens"
        };
        body.set(limit, json!(max_tokens));
        let stops = stop_strings_sent(&decoding.stop, capabilities);
        if !stops.is_empty() {
            body.set("stop", json!(stops));
        }
        match &decoding.sampling {
            None => {
                body.set("temperature", json!(0.0));
                self.add_extras(&mut body, None);
            }
            Some(sampling) => {
                body.set("temperature", number(sampling.temperature));
                self.add_neutral_or_set(
                    &mut body,
                    "top_p",
                    sampling.top_p == 1.0,
                    number(sampling.top_p),
                );
                body.set_optional(
                    "seed",
                    json!(seed(sampling.seed, &prompt.id, prompt.sample)),
                );
                self.add_extras(&mut body, Some(sampling));
            }
        }
        if let Some(format) = &self.response_format {
            // Left out where the server refuses it: the prompt asks for the form in words as well.
            body.set_optional(RESPONSE_FORMAT, format.json());
        }
        if self.logprobs {
            // A number of alternatives on the one route, a yes on the other.
            body.set_optional(
                "logprobs",
                if self.api == Api::Chat {
                    json!(true)
                } else {
                    json!(1)
                },
            );
        }
        if self.stream {
            body.set("stream", json!(true));
            body.set_optional("stream_options", json!({ "include_usage": true }));
        }
        RequestBody {
            json: Value::Object(body.map),
            optional: body.optional,
            stop_strings: stops.len(),
        }
    }

    /// A request for one new token, whose usage has the prompt's number of tokens.
    pub(crate) fn probe(&self, text: &str) -> Value {
        // As little as can be asked for, no temperature either: only the usage is read.
        match self.api {
            Api::Completions => {
                json!({ "model": self.model, "prompt": self.special_tokens.sent(text), "max_tokens": 1 })
            }
            Api::Chat => {
                json!({ "model": self.model, "messages": self.messages(text), "max_tokens": 1 })
            }
        }
    }

    pub(crate) fn messages(&self, text: &str) -> Value {
        let system = self
            .system_prompt
            .iter()
            .map(|text| json!({ "role": "system", "content": text }));
        system
            .chain([json!({ "role": "user", "content": text })])
            .collect()
    }

    /// The parameters that OpenAI does not have. Greedy decoding needs none but the penalty, which
    /// must be off.
    fn add_extras(&self, body: &mut BodyFields<'_>, sampling: Option<&Sampling>) {
        if self.kind == ServerKind::Transformers {
            return add_extras_of_transformers(body, sampling);
        }
        let penalty = sampling.map_or(1.0, |sampling| sampling.repetition_penalty);
        self.add_neutral_or_set(
            body,
            self.kind.penalty_name(),
            penalty == 1.0,
            number(penalty),
        );
        if matches!(self.kind, ServerKind::LlamaCpp) && penalty != 1.0 {
            // The whole context and not the last 64 tokens; it holds a buffer of this length.
            body.set(
                "repeat_last_n",
                json!(self.context.unwrap_or(MAX_TYPICAL_CONTEXT)),
            );
        }
        if let Some(sampling) = sampling {
            let top_k = sampling.top_k.map(std::num::NonZeroUsize::get);
            let top_k_value = top_k.map_or(json!(self.kind.all_tokens()), |top_k| json!(top_k));
            self.add_neutral_or_set(body, "top_k", top_k.is_none(), top_k_value);
            self.add_neutral_or_set(body, "min_p", sampling.min_p == 0.0, number(sampling.min_p));
        }
    }

    /// A neutral parameter is sent only to servers whose own defaults it overrides, and may be
    /// omitted.
    fn add_neutral_or_set(
        &self,
        body: &mut BodyFields<'_>,
        name: &'static str,
        is_neutral: bool,
        value: Value,
    ) {
        match is_neutral {
            true if self.kind.takes_all_settings() => body.set_optional(name, value),
            true => {}
            false => body.set(name, value),
        }
    }
}

/// What `transformers serve` accepts in place of the fields of others. A temperature does not make it
/// sample: `do_sample` and what belongs to it are those of the checkpoint's
/// `generation_config.json` unless a configuration comes with the request; in greedy decoding a
/// frequency penalty of 0 overrides the checkpoint's repetition penalty (transformers,
/// `cli/serving`, 5.24).
fn add_extras_of_transformers(body: &mut BodyFields<'_>, sampling: Option<&Sampling>) {
    let Some(sampling) = sampling else {
        return body.set_optional("frequency_penalty", json!(0.0));
    };
    let configuration = json!({
        "do_sample": true,
        "temperature": number(sampling.temperature),
        "top_k": sampling.top_k.map_or(0, std::num::NonZeroUsize::get),
        "top_p": number(sampling.top_p),
        "min_p": number(sampling.min_p),
        "repetition_penalty": number(sampling.repetition_penalty),
    });
    body.set("generation_config", json!(configuration.to_string()));
}

/// The fields of a body.
struct BodyFields<'a> {
    capabilities: &'a Capabilities,
    map: Map<String, Value>,
    optional: Vec<&'static str>,
}

impl BodyFields<'_> {
    fn set(&mut self, name: &'static str, value: Value) {
        self.map.insert(name.to_string(), value);
    }

    /// A field that changes no completion: omitted where the server rejected it before.
    fn set_optional(&mut self, name: &'static str, value: Value) {
        if self.capabilities.accepts(name) {
            self.set(name, value);
            self.optional.push(name);
        }
    }
}

/// The stop strings that are sent: the first ones of those that make a difference, as many as the
/// server accepts.
pub(crate) fn stop_strings_sent<'a>(
    stops: &'a [String],
    capabilities: &Capabilities,
) -> Vec<&'a str> {
    let mut sent = needed(stops);
    sent.truncate(capabilities.max_stop_strings);
    sent
}

/// The stop strings without those that another one always forestalls, such as `Question:` beside
/// `Question`.
fn needed(stops: &[String]) -> Vec<&str> {
    // All but the last character: of two strings that become whole together the longer one cuts
    // more, so that neither forestalls the other.
    let begins = |stop: &str| {
        stop.char_indices()
            .next_back()
            .map_or("", |(at, _)| &stop[..at])
            .to_string()
    };
    let forestalled = |stop: &String| {
        stops
            .iter()
            .any(|other| !other.is_empty() && begins(stop).contains(other.as_str()))
    };
    stops
        .iter()
        .filter(|stop| !stop.is_empty() && !forestalled(stop))
        .map(String::as_str)
        .collect()
}

/// The decimal number that a setting was given as: 0.7 and not 0.699999988079071.
fn number(value: f32) -> Value {
    json!(value.to_string().parse::<f64>().unwrap_or(f64::from(value)))
}

/// The seed of one completion, below 2³¹ since some servers take no larger one: a function of the
/// run's seed, the problem and the sample.
fn seed(seed: u64, problem: &str, sample: u32) -> u32 {
    let mut hasher =
        blake3::Hasher::new_derive_key("mwpbench endpoint seed v1: seed, sample, problem id");
    // The id last: the others have fixed lengths, so that no two completions share their input.
    hasher
        .update(&seed.to_le_bytes())
        .update(&sample.to_le_bytes())
        .update(problem.as_bytes());
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

    fn template(api: Api, kind: ServerKind) -> RequestTemplate {
        RequestTemplate {
            api,
            model: "m".into(),
            system_prompt: None,
            kind,
            context: None,
            stream: true,
            logprobs: false,
            special_tokens: SpecialTokenMode::Plain,
            response_format: None,
        }
    }

    fn prompt(sample: u32) -> Prompt {
        Prompt {
            id: "gsm8k/1".into(),
            sample,
            text: "1 + 1 =".into(),
        }
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

    fn body(
        template: &RequestTemplate,
        decoding: &Decoding,
        capabilities: &Capabilities,
    ) -> RequestBody {
        template.body(&prompt(0), decoding, decoding.max_tokens, capabilities)
    }

    fn text(template: &RequestTemplate, decoding: &Decoding) -> String {
        body(template, decoding, &Capabilities::default())
            .json
            .to_string()
    }

    #[test]
    fn greedy_decoding_is_temperature_0_and_no_penalty() {
        let decoding = Decoding {
            max_tokens: 16,
            stop: vec!["\n\n".into(), String::new()],
            sampling: None,
        };
        assert_eq!(
            text(&template(Api::Completions, ServerKind::Unknown), &decoding),
            r#"{"model":"m","prompt":"1 + 1 =","max_tokens":16,"stop":["\n\n"],"temperature":0.0,"stream":true,"stream_options":{"include_usage":true}}"#
        );
        assert!(
            text(&template(Api::Completions, ServerKind::Vllm), &decoding)
                .contains(r#""repetition_penalty":1.0"#)
        );
        assert!(
            text(&template(Api::Completions, ServerKind::LlamaCpp), &decoding)
                .contains(r#""repeat_penalty":1.0"#)
        );
    }

    #[test]
    fn a_system_prompt_comes_before_the_question() {
        let template = RequestTemplate {
            system_prompt: Some("Be brief.".into()),
            ..template(Api::Chat, ServerKind::Unknown)
        };
        let body = body(&template, &Decoding::greedy(1), &Capabilities::default());
        assert_eq!(
            body.json["messages"].to_string(),
            r#"[{"role":"system","content":"Be brief."},{"role":"user","content":"1 + 1 ="}]"#
        );
    }

    #[test]
    fn an_unknown_server_gets_only_what_is_not_neutral() {
        let neutral = Decoding {
            sampling: Some(sampling()),
            ..Decoding::greedy(1)
        };
        let set = Sampling {
            top_k: NonZeroUsize::new(5),
            min_p: 0.1,
            repetition_penalty: 1.1,
            ..sampling()
        };
        let set = Decoding {
            sampling: Some(set),
            ..Decoding::greedy(1)
        };
        let names = ["top_k", "min_p", "repetition_penalty"];
        let has = |kind, decoding: &Decoding| {
            let body = text(&template(Api::Completions, kind), decoding);
            names.map(|name| body.contains(&format!("\"{name}\"")))
        };
        assert_eq!(has(ServerKind::Unknown, &neutral), [false; 3]);
        assert_eq!(has(ServerKind::Unknown, &set), [true; 3]);
        assert_eq!(has(ServerKind::Vllm, &neutral), [true; 3]);
        assert!(
            !text(&template(Api::Completions, ServerKind::Unknown), &neutral).contains("top_p")
        );
        let body = text(&template(Api::Completions, ServerKind::Vllm), &neutral);
        assert!(
            body.contains(r#""temperature":0.7,"top_p":1.0"#) && body.contains(r#""top_k":-1"#),
            "{body}"
        );
    }

    #[test]
    fn transformers_serve_is_told_to_sample() {
        let template = template(Api::Completions, ServerKind::Transformers);
        let decoding = Decoding {
            sampling: Some(sampling()),
            ..Decoding::greedy(1)
        };
        let drawn = body(&template, &decoding, &Capabilities::default()).json;
        let configuration: Value =
            serde_json::from_str(drawn["generation_config"].as_str().unwrap()).unwrap();
        let expected = json!({
            "do_sample": true, "temperature": 0.7, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "repetition_penalty": 1.0
        });
        assert_eq!(configuration, expected);
        assert!(
            ["top_k", "min_p", "repetition_penalty"]
                .iter()
                .all(|name| drawn.get(name).is_none()),
            "{drawn}"
        );
        let greedy = body(&template, &Decoding::greedy(1), &Capabilities::default()).json;
        assert_eq!(
            (
                &greedy["frequency_penalty"],
                greedy.get("generation_config")
            ),
            (&json!(0.0), None)
        );
    }

    #[test]
    fn a_repetition_penalty_reaches_over_the_whole_context_of_llama_cpp() {
        let penalty = Sampling {
            repetition_penalty: 1.1,
            ..sampling()
        };
        let decoding = Decoding {
            sampling: Some(penalty),
            ..Decoding::greedy(1)
        };
        let template = RequestTemplate {
            context: Some(2048),
            ..template(Api::Completions, ServerKind::LlamaCpp)
        };
        let body = body(&template, &decoding, &Capabilities::default()).json;
        assert_eq!(
            (&body["repeat_penalty"], &body["repeat_last_n"]),
            (&json!(1.1), &json!(2048))
        );
    }

    #[test]
    fn no_server_is_sent_more_than_four_stop_strings() {
        let stop = ["a:", "", "a", "b", "xb", "c", "d", "cd"]
            .map(String::from)
            .to_vec();
        let decoding = Decoding {
            stop,
            ..Decoding::greedy(1)
        };
        for kind in [
            ServerKind::Unknown,
            ServerKind::Tgi,
            ServerKind::Vllm,
            ServerKind::Sglang,
            ServerKind::LlamaCpp,
        ] {
            let sent = body(
                &template(Api::Chat, kind),
                &decoding,
                &Capabilities::default(),
            );
            assert_eq!(
                (&sent.json["stop"], sent.stop_strings),
                (&json!(["a", "b", "xb", "c"]), 4),
                "{kind:?}"
            );
        }
        let fewer = |max_stop_strings| {
            let mut capabilities = Capabilities::default();
            capabilities.max_stop_strings = max_stop_strings;
            body(
                &template(Api::Chat, ServerKind::Vllm),
                &decoding,
                &capabilities,
            )
        };
        assert_eq!(fewer(2).json["stop"], json!(["a", "b"]));
        assert_eq!(
            (fewer(0).json.get("stop"), fewer(0).stop_strings),
            (None, 0)
        );
    }

    #[test]
    fn what_a_server_refused_is_left_out_or_said_otherwise() {
        let mut capabilities = Capabilities::default();
        capabilities.max_completion_tokens = true;
        let template = template(Api::Chat, ServerKind::Unknown);
        let decoding = Decoding {
            sampling: Some(sampling()),
            ..Decoding::greedy(7)
        };
        let first = body(&template, &decoding, &Capabilities::default());
        assert_eq!(first.optional, ["seed", "stream_options"]);
        capabilities.learn(
            "seed, stream_options",
            &Capabilities::default(),
            &first.optional,
            0,
        );
        let body = body(&template, &decoding, &capabilities).json.to_string();
        assert!(body.contains(r#""max_completion_tokens":7"#), "{body}");
        for left_out in ["stream_options", "\"max_tokens\"", "seed"] {
            assert!(!body.contains(left_out), "{body}");
        }
    }

    #[test]
    fn only_fields_that_change_no_completion_are_optional() {
        let greedy = body(
            &template(Api::Completions, ServerKind::Vllm),
            &Decoding::greedy(1),
            &Capabilities::default(),
        );
        assert_eq!(greedy.optional, ["repetition_penalty", "stream_options"]);
        let set = Sampling {
            top_k: NonZeroUsize::new(5),
            min_p: 0.1,
            repetition_penalty: 1.1,
            top_p: 0.5,
            ..sampling()
        };
        let set = Decoding {
            sampling: Some(set),
            ..Decoding::greedy(1)
        };
        let set = body(
            &template(Api::Completions, ServerKind::Vllm),
            &set,
            &Capabilities::default(),
        );
        assert_eq!(set.optional, ["seed", "stream_options"]);
    }

    #[test]
    fn a_response_format_is_sent_until_it_is_refused() {
        let template = RequestTemplate {
            response_format: Some(ResponseFormat {
                name: "list".into(),
                schema: json!({"type": "array"}),
            }),
            ..template(Api::Chat, ServerKind::Unknown)
        };
        let sent = body(&template, &Decoding::greedy(1), &Capabilities::default());
        let schema = json!({"name": "list", "strict": true, "schema": {"type": "array"}});
        let expected = json!({"type": "json_schema", "json_schema": schema});
        assert_eq!(sent.json["response_format"], expected);
        for reason in [
            "Invalid parameter: 'response_format' of type 'json_schema' is not supported",
            "Structured output is not supported by this backend",
            "guided_json: unknown field",
        ] {
            let mut capabilities = Capabilities::default();
            let known = capabilities.clone();
            assert!(
                capabilities.learn(reason, &known, &sent.optional, 0),
                "{reason}"
            );
            let without = body(&template, &Decoding::greedy(1), &capabilities).json;
            assert_eq!(without.get("response_format"), None, "{reason}");
        }
        let mut capabilities = Capabilities::default();
        let known = capabilities.clone();
        assert!(!capabilities.learn("the prompt is not allowed", &known, &sent.optional, 0));
        assert!(capabilities.try_without(RESPONSE_FORMAT, &sent.optional));
        assert!(!capabilities.accepts(RESPONSE_FORMAT));
        assert!(!Capabilities::default().try_without(RESPONSE_FORMAT, &["seed"]));
    }

    #[test]
    fn a_server_that_can_be_told_to_add_no_special_tokens_is_told() {
        let template = |special_tokens| RequestTemplate {
            special_tokens,
            ..template(Api::Completions, ServerKind::Vllm)
        };
        let sent = |sending| {
            let body = body(
                &template(sending),
                &Decoding::greedy(1),
                &Capabilities::default(),
            )
            .json;
            (
                body["prompt"].as_str().unwrap().to_string(),
                body.get("add_special_tokens").cloned(),
            )
        };
        assert_eq!(
            sent(SpecialTokenMode::AddNone),
            ("1 + 1 =".to_string(), Some(json!(false)))
        );
        assert_eq!(
            sent(SpecialTokenMode::Without("1 ".into())),
            ("+ 1 =".to_string(), None)
        );
        assert_eq!(
            sent(SpecialTokenMode::Without("2".into())),
            sent(SpecialTokenMode::AsWritten)
        );
    }

    #[test]
    fn seeds_depend_on_seed_problem_and_sample_and_fit_31_bits() {
        let seeds = [
            seed(0, "a", 0),
            seed(1, "a", 0),
            seed(0, "b", 0),
            seed(0, "a", 1),
        ];
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
