//! One attempt at one prompt.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use tokio::time::{Instant, timeout};

use crate::events::EventDecoder;
use crate::http::{Http, too_large};
use crate::limiter::Pace;
use crate::reply::{Answer, Reply, Step};
use crate::request::Body;
use crate::trouble::Trouble;

/// How long to wait for the count of tokens when the text has come to its end.
const AFTER_THE_END: Duration = Duration::from_secs(10);

/// What an attempt needs.
pub(crate) struct Attempt<'a> {
    pub(crate) http: &'a Http,
    /// Address of the route.
    pub(crate) url: &'a str,
    pub(crate) body: &'a Body,
    /// Strings at which the text ends, whoever notices.
    pub(crate) stops: &'a [String],
    /// Told of every piece of text, with the number of pieces.
    pub(crate) on_pieces: &'a (dyn Fn(usize) + Send + Sync),
}

impl Attempt<'_> {
    /// Asks once.
    pub(crate) async fn make(&self) -> Result<(Answer, Pace), Trouble> {
        let patience = &self.http.patience;
        let outcome = timeout(patience.whole, self.ask())
            .await
            .unwrap_or_else(|_| Err(self.http.endless()));
        match outcome {
            Ok((answer, pace)) => Ok((
                Answer {
                    text: self.http.scrubber().scrub_completion(answer.text),
                    ..answer
                },
                pace,
            )),
            Err(trouble) => Err(Trouble {
                reason: self.http.quote(&trouble.reason),
                ..trouble
            }),
        }
    }

    async fn ask(&self) -> Result<(Answer, Pace), Trouble> {
        let started = Instant::now();
        let mut response = self
            .http
            .send(self.http.post(self.url, &self.body.json))
            .await?;
        let mut reply = Reply::new(self.stops);
        let first_word = match is_stream(&response) {
            true => self.read_stream(&mut response, &mut reply).await?,
            false => {
                let text = self
                    .http
                    .text(&mut response, self.http.patience.largest_answer)
                    .await?;
                self.read_whole(&text, &mut reply)?;
                None
            }
        };
        let to_first_word = first_word.map(|time| time.duration_since(started));
        Ok((
            reply.finish()?,
            Pace {
                to_first_word,
                whole: started.elapsed(),
            },
        ))
    }

    /// Takes an answer that came at once. Some servers send events and call them something else.
    fn read_whole(&self, text: &str, reply: &mut Reply<'_>) -> Result<(), Trouble> {
        if !text.trim_start().starts_with("data:") {
            return reply.take(text).map(|_| ());
        }
        let mut decoder = EventDecoder::new(self.http.patience.largest_event);
        for event in decoder.feed(text.as_bytes()).map_err(Trouble::broken)? {
            if reply.take(&event)? == Step::Done {
                break;
            }
        }
        Ok(())
    }

    /// Reads events to the end of the answer; when the first piece of text came. Dropping the
    /// response closes the connection where a stop string of ours ends the text before the server
    /// does.
    async fn read_stream(
        &self,
        response: &mut Response,
        reply: &mut Reply<'_>,
    ) -> Result<Option<Instant>, Trouble> {
        let patience = &self.http.patience;
        let mut decoder = EventDecoder::new(patience.largest_event);
        let (mut bytes, mut first_word) = (0, None);
        loop {
            let next = self.http.more(response);
            let next = match reply.is_finished() {
                true => timeout(AFTER_THE_END, next).await.unwrap_or(Ok(None)),
                false => next.await,
            };
            let more = match next {
                Ok(Some(more)) => more,
                Ok(None) => return Ok(first_word),
                // Only the count of tokens is missing.
                Err(_) if reply.is_finished() => return Ok(first_word),
                Err(trouble) => return Err(trouble),
            };
            bytes += more.len();
            if bytes > patience.largest_answer {
                return Err(too_large(patience.largest_answer));
            }
            for event in decoder.feed(&more).map_err(Trouble::broken)? {
                match reply.take(&event)? {
                    Step::Done => return Ok(first_word),
                    Step::ReadOn { pieces: 0 } => {}
                    Step::ReadOn { pieces } => {
                        first_word.get_or_insert_with(Instant::now);
                        (self.on_pieces)(pieces);
                    }
                }
            }
        }
    }
}

/// Servers that cannot stream answer with plain JSON, whatever was asked.
fn is_stream(response: &Response) -> bool {
    let kind = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    kind.trim_start()
        .to_ascii_lowercase()
        .starts_with("text/event-stream")
}
