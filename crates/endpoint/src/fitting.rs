//! Whether prompts leave room for their completions.
//!
//! A prompt has at most as many tokens as bytes, beside some special ones: where that fits, it fits. Of the others a server that can is asked to
//! count; where none can, the usual four bytes a token are no proof, so that they only lead to a warning.

use std::collections::HashMap;

use generation::{Decoding, Prompt, PromptIssue};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::base_url::BaseUrl;
use crate::http::Http;
use crate::request::{Api, Form};
use crate::server::{Facts, ServerKind};

/// Special tokens, and the text that a chat template puts around, at most.
const SPECIAL_TOKENS: usize = 8;
const CHAT_TEMPLATE: usize = 1024;
/// Bytes of a token in plain English, as a rule.
const USUAL_BYTES: usize = 4;
/// Prompts counted at a time.
const AT_A_TIME: usize = 16;

/// What was found of the prompts.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) issues: Vec<PromptIssue>,
    pub(crate) warnings: Vec<String>,
}

/// Looks at all prompts.
pub(crate) async fn examine(
    http: &Http,
    url: &BaseUrl,
    facts: &Facts,
    form: &Form,
    prompts: &[Prompt],
    decoding: &Decoding,
) -> Findings {
    let Some(context) = facts.context else {
        let warning =
            "the server does not tell the length of its context: prompts that are too long will fail one by one";
        return Findings { issues: Vec::new(), warnings: vec![warning.to_string()] };
    };
    let around = SPECIAL_TOKENS
        + form.system_prompt.as_ref().map_or(0, String::len)
        + if form.api == Api::Chat { CHAT_TEMPLATE } else { 0 };
    let may_not_fit = |index: &usize| prompts[*index].text.len() + around + decoding.max_tokens > context;
    let open: Vec<usize> = (0..prompts.len()).filter(may_not_fit).collect();
    if open.is_empty() {
        return Findings::default();
    }
    match count_all(http, url, facts.kind, form, prompts, &open).await {
        Some(counts) => by_count(facts, context, &open, &counts, prompts, decoding),
        None => by_estimate(context, &open, prompts, decoding),
    }
}

fn by_count(
    facts: &Facts,
    context: usize,
    open: &[usize],
    counts: &HashMap<String, usize>,
    prompts: &[Prompt],
    decoding: &Decoding,
) -> Findings {
    let mut findings = Findings::default();
    let mut may_be_cut = 0;
    for &index in open {
        let prompt_tokens = counts[&prompts[index].text];
        let too_long = prompt_tokens + decoding.max_tokens > context;
        if too_long && (facts.kind.reserves_room() || prompt_tokens >= context) {
            let message = format!(
                "prompt of {prompt_tokens} tokens and up to {} new ones do not fit into the server's context of {context}",
                decoding.max_tokens
            );
            findings.issues.push(PromptIssue { index, prompt_tokens, message });
        } else if too_long {
            may_be_cut += 1;
        }
    }
    if may_be_cut > 0 {
        findings.warnings.push(format!(
            "{may_be_cut} of {} prompts leave less room than {} new tokens in the server's context of {context}: long completions will be cut",
            prompts.len(),
            decoding.max_tokens
        ));
    }
    findings
}

fn by_estimate(context: usize, open: &[usize], prompts: &[Prompt], decoding: &Decoding) -> Findings {
    let estimate = |index: &&usize| prompts[**index].text.len() / USUAL_BYTES + decoding.max_tokens;
    // A tenth for texts that have more tokens than usual.
    let near = open.iter().filter(|index| estimate(index) * 10 > context * 9).count();
    let warning = (near > 0).then(|| {
        format!(
            "{near} of {} prompts may not fit into the server's context of {context} with up to {} new tokens: this is an estimate, since the server does not count tokens",
            prompts.len(),
            decoding.max_tokens
        )
    });
    Findings { issues: Vec::new(), warnings: warning.into_iter().collect() }
}

/// The tokens of these prompts by their texts; `None` where the server cannot count.
async fn count_all(
    http: &Http,
    url: &BaseUrl,
    kind: ServerKind,
    form: &Form,
    prompts: &[Prompt],
    open: &[usize],
) -> Option<HashMap<String, usize>> {
    let mut counts = HashMap::new();
    let mut texts: Vec<&str> = open.iter().map(|index| prompts[*index].text.as_str()).collect();
    texts.sort_unstable();
    texts.dedup();
    for some in texts.chunks(AT_A_TIME) {
        let mut tasks = JoinSet::new();
        for text in some {
            let counter = Counter { http: http.clone(), url: url.clone(), kind, form: form.clone() };
            let text = text.to_string();
            tasks.spawn(async move { counter.count(&text).await.map(|count| (text, count)) });
        }
        while let Some(counted) = tasks.join_next().await {
            counts.extend([counted.ok()??]);
        }
    }
    Some(counts)
}

struct Counter {
    http: Http,
    url: BaseUrl,
    kind: ServerKind,
    form: Form,
}

impl Counter {
    async fn count(&self, text: &str) -> Option<usize> {
        let (kind, api) = (self.kind, self.form.api);
        let model = &self.form.model;
        match (kind, api) {
            (ServerKind::Vllm, Api::Completions) | (ServerKind::Sglang, Api::Completions) => {
                length(&self.ask("tokenize", json!({ "model": model, "prompt": text })).await?)
            }
            (ServerKind::Vllm, Api::Chat) => {
                let messages = self.form.messages(text);
                length(&self.ask("tokenize", json!({ "model": model, "messages": messages })).await?)
            }
            (ServerKind::Tgi, Api::Completions) => length(&self.ask("tokenize", json!({ "inputs": text })).await?),
            (ServerKind::LlamaCpp, Api::Completions) => self.count_by_llama_cpp(text).await,
            (ServerKind::LlamaCpp, Api::Chat) => {
                let rendered = self.ask("apply-template", json!({ "messages": self.form.messages(text) })).await?;
                self.count_by_llama_cpp(rendered["prompt"].as_str()?).await
            }
            (ServerKind::Sglang | ServerKind::Tgi, Api::Chat)
            | (ServerKind::LlamaCppPython | ServerKind::Unknown, _) => None,
        }
    }

    async fn count_by_llama_cpp(&self, text: &str) -> Option<usize> {
        length(&self.ask("tokenize", json!({ "content": text, "add_special": true, "parse_special": true })).await?)
    }

    /// Asks a route of the server's own, a second time where the first was in vain.
    async fn ask(&self, route: &str, body: Value) -> Option<Value> {
        let url = self.url.own(route);
        for _ in 0..2 {
            match self.http.json(self.http.post(&url, &body)).await {
                Ok((_, value)) => return Some(value),
                Err(trouble) if trouble.may_pass() => {}
                Err(_) => return None,
            }
        }
        None
    }
}

/// The count of a list of tokens, however the server puts it.
fn length(value: &Value) -> Option<usize> {
    let count = value["count"].as_u64().and_then(|count| usize::try_from(count).ok());
    count.or_else(|| value["tokens"].as_array().or(value.as_array()).map(Vec::len))
}
