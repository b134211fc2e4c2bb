//! Whether the server reads prompts as they are meant, and what room they leave for completions.
//!
//! A prompt has at most as many tokens as bytes, beside some special ones: where that fits, it
//! fits. Of the others a server that can is asked to count, and the completion's limit is clipped
//! to what the context leaves; where none can, the usual four bytes a token are no proof, so that
//! they only lead to a warning, and the server's own rejection says how many tokens are left (`context.rs`).

use std::collections::HashMap;
use std::sync::Arc;

use generation::{Decoding, Prompt, PromptIssue};

use crate::api::Api;
use crate::server::{ServerInfo, ServerKind};
use crate::token_counter::TokenCounter;

/// The most special tokens, and the most tokens that a chat template adds.
const MAX_SPECIAL_TOKENS: usize = 8;
const MAX_TEMPLATE_TOKENS: usize = 1024;
/// Bytes of a token in plain English, as a rule.
const TYPICAL_BYTES_PER_TOKEN: usize = 4;
/// Prompts whose tokens are compared with the count of the checkpoint's own tokenizer.
const MAX_COMPARED: usize = 8;
/// A text of one character has at most so many tokens, the special ones included, where nothing is
/// added around it.
const MAX_BARE_TOKENS: usize = 4;

type CountTokens = dyn Fn(&str) -> Option<usize> + Send + Sync;

/// Counts the tokens of a prompt, special ones included; `None` for a prompt that it cannot read.
#[derive(Clone)]
pub struct PromptCounter(Arc<CountTokens>);

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

/// What was found of the prompts.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) issues: Vec<PromptIssue>,
    pub(crate) warnings: Vec<String>,
    /// New tokens that fit, by the prompt's text, where that is less than asked for.
    pub(crate) token_budgets: HashMap<String, usize>,
}

/// What is checked.
#[derive(Clone, Copy)]
pub(crate) struct PromptCheck<'a> {
    pub(crate) counter: &'a TokenCounter,
    pub(crate) server: &'a ServerInfo,
    /// Counts tokens as the checkpoint's own tokenizer does.
    pub(crate) own_count: Option<&'a PromptCounter>,
    pub(crate) prompts: &'a [Prompt],
    pub(crate) decoding: &'a Decoding,
}

impl PromptCheck<'_> {
    /// Looks at all prompts.
    pub(crate) async fn run(&self) -> Findings {
        let mut findings = self.fit().await;
        findings.warnings.extend(self.template_around().await);
        findings.warnings.extend(self.other_count().await);
        let texts = self.prompts.iter().map(|prompt| prompt.text.as_str());
        findings
            .warnings
            .extend(self.counter.template.special_tokens.warning(texts));
        findings
    }

    async fn fit(&self) -> Findings {
        let Self {
            counter,
            server,
            prompts,
            decoding,
            ..
        } = self;
        let Some(context) = server.context else {
            let warning = "the server does not state its context length: a prompt that is too long fails when it is sent";
            return Findings {
                warnings: vec![warning.to_string()],
                ..Findings::default()
            };
        };
        let template = &counter.template;
        let around = MAX_SPECIAL_TOKENS
            + template.system_prompt.as_ref().map_or(0, String::len)
            + if template.api == Api::Chat {
                MAX_TEMPLATE_TOKENS
            } else {
                0
            };
        let may_not_fit =
            |index: &usize| prompts[*index].text.len() + around + decoding.max_tokens > context;
        let open: Vec<usize> = (0..prompts.len()).filter(may_not_fit).collect();
        if open.is_empty() {
            return Findings::default();
        }
        match counter
            .count_all(open.iter().map(|index| prompts[*index].text.as_str()))
            .await
        {
            Some(counts) => self.by_count(context, &open, &counts),
            None => self.by_estimate(context, &open),
        }
    }

    fn by_count(
        &self,
        context: usize,
        open: &[usize],
        counts: &HashMap<String, usize>,
    ) -> Findings {
        let max_tokens = self.decoding.max_tokens;
        let mut findings = Findings::default();
        let mut clipped = 0;
        for &index in open {
            let text = &self.prompts[index].text;
            // `count_all` has an entry for each text, or gives no map at all.
            let prompt_tokens = counts[text];
            if prompt_tokens >= context {
                let message = format!(
                    "the prompt has {prompt_tokens} tokens and the server's context only {context}"
                );
                findings.issues.push(PromptIssue {
                    index,
                    prompt_tokens,
                    message,
                });
            } else if prompt_tokens + max_tokens > context {
                clipped += 1;
                findings
                    .token_budgets
                    .insert(text.clone(), context - prompt_tokens);
            }
        }
        if let Some(least) = findings.token_budgets.values().min() {
            findings.warnings.push(format!(
                "{clipped} of {} prompts leave less room than {max_tokens} new tokens in the server's context of {context}: their \
                 completions have what is left, {least} tokens at least",
                self.prompts.len(),
            ));
        }
        findings
    }

    fn by_estimate(&self, context: usize, open: &[usize]) -> Findings {
        let max_tokens = self.decoding.max_tokens;
        let estimate = |index: &&usize| {
            self.prompts[**index].text.len() / TYPICAL_BYTES_PER_TOKEN + max_tokens
        };
        // A tenth for texts that have more tokens than usual.
        let near = open
            .iter()
            .filter(|index| estimate(index) * 10 > context * 9)
            .count();
        let warning = (near > 0).then(|| {
            format!(
                "{near} of {} prompts may leave less room than {max_tokens} new tokens in the server's context of {context}: this is an \
                 estimate, since the server does not count tokens",
                self.prompts.len(),
            )
        });
        Findings {
            warnings: warning.into_iter().collect(),
            ..Findings::default()
        }
    }

    /// Some servers, Ollama among them, wrap prompts of `/v1/completions` in the model's chat
    /// template too.
    async fn template_around(&self) -> Option<String> {
        let template = &self.counter.template;
        // Servers that are known continue a prompt as it stands, and need not be asked for a token.
        if template.api != Api::Completions || template.kind != ServerKind::Unknown {
            return None;
        }
        let count = self.counter.count_or_probe("1").await?;
        (count > MAX_BARE_TOKENS).then(|| {
            format!(
                "the server reads {count} tokens in a prompt of one character: it adds text of its own around prompts of /v1/completions, \
                 probably a chat template, so that the model does not read the prompt as it stands"
            )
        })
    }

    /// Whether the server reads as many tokens as the checkpoint's own tokenizer, in some prompts
    /// that stand apart.
    async fn other_count(&self) -> Option<String> {
        let own_count = self
            .own_count
            .filter(|_| self.counter.template.api == Api::Completions)?;
        // Spread over the list: neighbours are often alike.
        let step = self.prompts.len().div_ceil(MAX_COMPARED).max(1);
        let (mut compared, mut others) = (0, Vec::new());
        for prompt in self.prompts.iter().step_by(step) {
            let counts = (
                self.counter.count_or_probe(&prompt.text).await,
                own_count.count(&prompt.text),
            );
            if let (Some(server), Some(own)) = counts {
                compared += 1;
                others.extend((server != own).then_some((&prompt.id, server, own)));
            }
        }
        let (id, server, own) = others.first()?;
        Some(format!(
            "the server reads other tokens than the tokenizer given: {server} in the prompt of {id} where that has {own} ({} of \
             {compared} prompts compared differ); completions may differ from those of the checkpoint itself",
            others.len(),
        ))
    }
}
