//! What answers are made of: pieces of completions as they come, and their JSON.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use generation::{Completion, FinishReason};
use inference::{GrowingText, LocalModel, PromptLogprob};
use serde_json::{Value, json};

use crate::api_error::ApiError;
use crate::engine::{Update, Updates};

/// A token.
struct Token {
    id: u32,
    logprob: Option<f32>,
    /// The likeliest one in its place, where that is another and known.
    top: Option<(String, f32)>,
    /// Whether it is of the prompt.
    is_prompt: bool,
    /// What it adds to the text; empty where no log-probabilities are wanted.
    text: String,
    /// Where that begins, in characters of all tokens' texts.
    offset: usize,
}

impl Token {
    /// The token and the likeliest one in its place; null for a first one, which follows nothing.
    fn top_logprobs(&self) -> Value {
        if self.is_prompt && self.logprob.is_none() {
            return Value::Null;
        }
        let mut found = json!({self.text.as_str(): self.logprob});
        if let Some((text, logprob)) = &self.top {
            found[text] = json!(logprob);
        }
        found
    }
}

/// The tokens of a completion so far, as far as the next one needs them.
#[derive(Default)]
struct SoFar {
    last: Option<u32>,
    characters: usize,
    /// Tokens whose text is not sure yet.
    held: Vec<Token>,
}

/// The next part of a completion.
struct Piece {
    choice: usize,
    text: String,
    tokens: Vec<Token>,
    /// The whole completion, where this is its last part.
    finished: Option<Box<Completion>>,
}

/// The completions of a request as they come.
pub(crate) struct Pieces {
    model: Arc<LocalModel>,
    updates: Updates,
    texts: Vec<GrowingText>,
    so_far: Vec<SoFar>,
    /// The text of each completion's prompt, where it was to come first.
    echoed: Vec<String>,
    logprobs: bool,
    open: usize,
    deadline: Instant,
    timeout: Duration,
}

impl Pieces {
    /// Those of `count` completions that end before the first of `stop`.
    pub(crate) fn new(
        model: Arc<LocalModel>,
        updates: Updates,
        (count, stop): (usize, &[String]),
        logprobs: bool,
        timeout: Duration,
    ) -> Self {
        Self {
            model,
            updates,
            texts: (0..count).map(|_| GrowingText::new(stop)).collect(),
            so_far: (0..count).map(|_| SoFar::default()).collect(),
            echoed: vec![String::new(); count],
            logprobs,
            open: count,
            deadline: Instant::now() + timeout,
            timeout,
        }
    }

    fn decode(&self, ids: &[u32]) -> Result<String, ApiError> {
        let text = self.model.decode(ids);
        text.map_err(|error| ApiError::failed(error.to_string()))
    }

    /// What a token adds to the text behind another one.
    fn text_behind(&self, last: Option<u32>, id: u32) -> Result<String, ApiError> {
        // In its context: many tokenizers decode a token alone without the space before it.
        let window: Vec<u32> = last.into_iter().chain([id]).collect();
        let before = self.decode(&window[..window.len() - 1])?;
        let whole = self.decode(&window)?;
        Ok(whole.strip_prefix(&before).unwrap_or(&whole).to_string())
    }

    /// Keeps a token until its text is sure.
    fn hold(
        &mut self,
        choice: usize,
        id: u32,
        said: PromptLogprob,
        is_prompt: bool,
    ) -> Result<(), ApiError> {
        let last = self.so_far[choice].last;
        let text = match self.logprobs {
            true => self.text_behind(last, id)?,
            false => String::new(),
        };
        let top = said.top.filter(|(top, _)| *top != id);
        let top = top.map(|(top, logprob)| Ok((self.text_behind(last, top)?, logprob)));
        let top = top.transpose()?;
        let so_far = &mut self.so_far[choice];
        let offset = so_far.characters;
        so_far.characters += text.chars().count();
        so_far.last = Some(id);
        so_far.held.push(Token {
            id,
            logprob: said.logprob,
            top,
            is_prompt,
            text,
            offset,
        });
        Ok(())
    }

    /// The prompt as the first part of its completion.
    fn echo(
        &mut self,
        choice: usize,
        ids: &[u32],
        said: Vec<PromptLogprob>,
    ) -> Result<Piece, ApiError> {
        for (&id, said) in ids.iter().zip(said) {
            self.hold(choice, id, said, true)?;
        }
        let text = self.decode(ids)?;
        self.echoed[choice].clone_from(&text);
        Ok(Piece {
            choice,
            text,
            tokens: std::mem::take(&mut self.so_far[choice].held),
            finished: None,
        })
    }

    /// The next part; `None` when all completions are whole.
    async fn next(&mut self) -> Result<Option<Piece>, ApiError> {
        while self.open > 0 {
            let update = tokio::time::timeout_at(self.deadline.into(), self.updates.recv())
                .await
                .map_err(|_| ApiError::timed_out(self.timeout.as_secs()))?;
            let Some((choice, update)) = update else {
                return Err(ApiError::failed("the computation has ended"));
            };
            match update {
                Update::Prompt(ids, said) => {
                    return Ok(Some(self.echo(choice, &ids, said)?));
                }
                Update::Token(token, logprob) => {
                    let said = PromptLogprob { logprob, top: None };
                    self.hold(choice, token, said, false)?;
                    let text = self.model.grow(&mut self.texts[choice], token);
                    let text = text.map_err(|error| ApiError::failed(error.to_string()))?;
                    if !text.is_empty() {
                        let tokens = std::mem::take(&mut self.so_far[choice].held);
                        return Ok(Some(Piece {
                            choice,
                            text,
                            tokens,
                            finished: None,
                        }));
                    }
                }
                Update::Finished(completion) => {
                    self.open -= 1;
                    if let Some(error) = &completion.error {
                        return Err(ApiError::failed(error.clone()));
                    }
                    return Ok(Some(Piece {
                        choice,
                        text: self.texts[choice].rest(&completion.text),
                        tokens: std::mem::take(&mut self.so_far[choice].held),
                        finished: Some(completion),
                    }));
                }
            }
        }
        Ok(None)
    }
}

/// Which of the two kinds of answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Completion,
    Chat,
}

/// How a request is answered.
pub(crate) struct Reply {
    pub(crate) form: Form,
    pub(crate) id: String,
    /// Seconds since 1970.
    pub(crate) created: i64,
    /// The name of the model, as the server gives it.
    pub(crate) name: String,
    pub(crate) logprobs: bool,
    pub(crate) token_ids: bool,
    pub(crate) includes_usage: bool,
    /// The prompts, each with the number of its completions.
    pub(crate) prompts: Vec<Vec<u32>>,
    pub(crate) per_prompt: usize,
}

impl Reply {
    /// The whole answer.
    pub(crate) async fn whole(self, mut pieces: Pieces) -> Result<Response, ApiError> {
        let count = self.prompts.len() * self.per_prompt;
        let mut choices: Vec<(String, Vec<Token>, Option<Box<Completion>>)> =
            (0..count).map(|_| Default::default()).collect();
        while let Some(piece) = pieces.next().await? {
            let (text, tokens, finished) = &mut choices[piece.choice];
            text.push_str(&piece.text);
            tokens.extend(piece.tokens);
            *finished = piece.finished.or(finished.take());
        }
        let mut generated = 0;
        let choices = choices.into_iter().enumerate().map(|(index, choice)| {
            let (text, tokens, finished) = choice;
            let (text, reason) = match &finished {
                Some(completion) => {
                    generated += completion.completion_tokens;
                    let text = format!("{}{}", pieces.echoed[index], completion.text);
                    (text, reason(completion.finish_reason))
                }
                None => (text, Value::Null),
            };
            let mut choice = json!({"index": index});
            match self.form {
                Form::Completion => choice["text"] = json!(text),
                Form::Chat => choice["message"] = json!({"role": "assistant", "content": text}),
            }
            choice["logprobs"] = self.logprobs(&tokens);
            choice["finish_reason"] = reason;
            if self.token_ids {
                choice["prompt_token_ids"] = json!(self.prompts[index / self.per_prompt]);
                choice["token_ids"] = ids(&tokens);
            }
            choice
        });
        let choices: Vec<Value> = choices.collect();
        let mut body = self.frame(
            choices,
            match self.form {
                Form::Completion => "text_completion",
                Form::Chat => "chat.completion",
            },
        );
        body["usage"] = self.usage(generated);
        Ok(Json(body).into_response())
    }

    /// The answer as a stream of events.
    pub(crate) fn streamed(self, pieces: Pieces) -> Response {
        let events = stream::unfold(Streaming::new(self, pieces), |mut streaming| async {
            let event = streaming.next().await?;
            Some((Ok::<_, std::convert::Infallible>(event), streaming))
        });
        Sse::new(events)
            .keep_alive(KeepAlive::default())
            .into_response()
    }

    fn frame(&self, choices: Vec<Value>, object: &str) -> Value {
        json!({
            "id": self.id,
            "object": object,
            "created": self.created,
            "model": self.name,
            "choices": choices,
        })
    }

    fn usage(&self, generated: usize) -> Value {
        let prompts: usize = self.prompts.iter().map(Vec::len).sum();
        json!({
            "prompt_tokens": prompts,
            "completion_tokens": generated,
            "total_tokens": prompts + generated,
        })
    }

    /// The log-probabilities of tokens; null where they were not asked for.
    fn logprobs(&self, tokens: &[Token]) -> Value {
        if !self.logprobs {
            return Value::Null;
        }
        match self.form {
            Form::Chat => {
                let content = tokens.iter().map(|token| {
                    json!({
                        "token": token.text,
                        "logprob": token.logprob,
                        "bytes": token.text.as_bytes(),
                        "top_logprobs": [],
                    })
                });
                json!({"content": content.collect::<Vec<Value>>()})
            }
            Form::Completion => {
                let list = |of: &dyn Fn(&Token) -> Value| tokens.iter().map(of).collect::<Value>();
                json!({
                    "tokens": list(&|token| json!(token.text)),
                    "token_logprobs": list(&|token| json!(token.logprob)),
                    "top_logprobs": list(&Token::top_logprobs),
                    "text_offset": list(&|token| json!(token.offset)),
                })
            }
        }
    }
}

/// A stream of events on its way.
struct Streaming {
    reply: Reply,
    pieces: Pieces,
    /// Completions of the request.
    count: usize,
    generated: usize,
    stage: Stage,
}

/// What comes next in a stream.
enum Stage {
    /// The roles of these messages and of those behind them.
    Roles(usize),
    Pieces,
    Usage,
    Done,
    Over,
}

impl Streaming {
    fn new(reply: Reply, pieces: Pieces) -> Self {
        let count = reply.prompts.len() * reply.per_prompt;
        Self {
            stage: match reply.form {
                Form::Chat => Stage::Roles(0),
                Form::Completion => Stage::Pieces,
            },
            reply,
            pieces,
            count,
            generated: 0,
        }
    }

    async fn next(&mut self) -> Option<Event> {
        match self.stage {
            Stage::Roles(index) => {
                self.stage = match index + 1 < self.count {
                    true => Stage::Roles(index + 1),
                    false => Stage::Pieces,
                };
                let delta = json!({"role": "assistant", "content": ""});
                let choice = json!({
                    "index": index,
                    "delta": delta,
                    "logprobs": null,
                    "finish_reason": null,
                });
                Some(self.event(vec![choice]))
            }
            Stage::Pieces => match self.pieces.next().await {
                Ok(Some(piece)) => Some(self.piece(piece)),
                Ok(None) => {
                    self.stage = Stage::Usage;
                    Box::pin(self.next()).await
                }
                // The status is sent already: the last event says what went wrong.
                Err(error) => {
                    self.stage = Stage::Done;
                    Some(Event::default().data(error.body().to_string()))
                }
            },
            Stage::Usage => {
                self.stage = Stage::Done;
                match self.reply.includes_usage {
                    true => {
                        let mut body = self.body(Vec::new());
                        body["usage"] = self.reply.usage(self.generated);
                        Some(Event::default().data(body.to_string()))
                    }
                    false => Box::pin(self.next()).await,
                }
            }
            Stage::Done => {
                self.stage = Stage::Over;
                Some(Event::default().data("[DONE]"))
            }
            Stage::Over => None,
        }
    }

    fn piece(&mut self, piece: Piece) -> Event {
        let Piece {
            choice: index,
            text,
            tokens,
            finished,
        } = piece;
        let logprobs = self.reply.logprobs(&tokens);
        let reason = finished.as_ref().map_or(Value::Null, |completion| {
            self.generated += completion.completion_tokens;
            reason(completion.finish_reason)
        });
        let mut choice = json!({"index": index});
        match self.reply.form {
            Form::Completion => choice["text"] = json!(text),
            Form::Chat => choice["delta"] = json!({"content": text}),
        }
        choice["logprobs"] = logprobs;
        choice["finish_reason"] = reason;
        if self.reply.token_ids {
            choice["token_ids"] = ids(&tokens);
        }
        self.event(vec![choice])
    }

    fn event(&self, choices: Vec<Value>) -> Event {
        Event::default().data(self.body(choices).to_string())
    }

    fn body(&self, choices: Vec<Value>) -> Value {
        self.reply.frame(
            choices,
            match self.reply.form {
                Form::Completion => "text_completion",
                Form::Chat => "chat.completion.chunk",
            },
        )
    }
}

/// The new ones among tokens.
fn ids(tokens: &[Token]) -> Value {
    let new = tokens.iter().filter(|token| !token.is_prompt);
    new.map(|token| json!(token.id)).collect()
}

fn reason(reason: FinishReason) -> Value {
    match reason {
        FinishReason::Eos | FinishReason::Stop => json!("stop"),
        FinishReason::Length => json!("length"),
        FinishReason::Error => json!("error"),
    }
}
