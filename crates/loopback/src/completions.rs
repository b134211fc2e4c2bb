//! An OpenAI-compatible server that answers as a test wants it, byte by byte.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

/// The model that the server has.
pub const MODEL: &str = "tiny";

/// Requests that are recorded.
const MAX_RECORDED: usize = 2_000;
/// Why a lock is never poisoned.
const HELD: &str = "nothing panics while it is held";

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct ModelRequest {
    /// Method and path, such as `GET /v1/models`.
    pub route: String,
    /// The `Authorization` header, empty where there was none.
    pub authorization: String,
    /// The body; null where there was none.
    pub body: Value,
    /// How often this prompt was requested before, on this route.
    pub before: usize,
}

impl ModelRequest {
    /// Whether only the prompt's tokens are to be counted: such a request has no temperature.
    fn is_probe(&self) -> bool {
        self.route.ends_with("completions") && self.body["temperature"].is_null()
    }

    fn is_for_a_completion(&self) -> bool {
        self.route.ends_with("completions") && !self.is_probe()
    }

    /// The prompt of either route, empty for others.
    pub fn prompt(&self) -> &str {
        let chat = self.body["messages"]
            .as_array()
            .and_then(|messages| messages.last());
        self.body["prompt"]
            .as_str()
            .or(chat.and_then(|message| message["content"].as_str()))
            .unwrap_or_default()
    }
}

/// What the server does in answer to a request, in order.
#[derive(Clone)]
pub enum Act {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Waits.
    Wait(Duration),
    /// Closes the connection, also in the middle of an answer.
    Close,
    /// Closes it where this says so when its turn comes.
    CloseIf(Arc<dyn Fn() -> bool + Send + Sync>),
    /// Stays silent until the client goes away.
    Hang,
}

type Behaviour = dyn Fn(&ModelRequest) -> Vec<Act> + Send + Sync;

/// The server; it ends with the value.
pub struct ModelServer {
    /// Address without `/v1`.
    pub url: String,
    address: SocketAddr,
    asked: Arc<Mutex<Vec<ModelRequest>>>,
    completions: Arc<AtomicUsize>,
    runtime: Option<Runtime>,
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl ModelServer {
    /// Answers requests for completions by `behaviour`, probes as usual, and the list of models
    /// with [`MODEL`].
    pub fn start(behaviour: impl Fn(&ModelRequest) -> Vec<Act> + Send + Sync + 'static) -> Self {
        Self::start_with_list(
            json!({ "object": "list", "data": [{ "id": MODEL, "object": "model", "owned_by": "test" }] }),
            move |asked| match asked.is_probe() {
                true => good_answer(asked),
                false => behaviour(asked),
            },
        )
    }

    /// As [`ModelServer::start`], with the list of models given.
    pub fn start_with_list(
        list: Value,
        behaviour: impl Fn(&ModelRequest) -> Vec<Act> + Send + Sync + 'static,
    ) -> Self {
        Self::start_bare(move |asked| match asked.route.as_str() {
            "GET /v1/models" => json_answer(200, &list),
            _ => behaviour(asked),
        })
    }

    /// As [`ModelServer::start`], with every route in the hands of `behaviour`.
    pub fn start_bare(
        behaviour: impl Fn(&ModelRequest) -> Vec<Act> + Send + Sync + 'static,
    ) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("loopback has a free port");
        let address = listener.local_addr().expect("the listener is bound");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let completions = Arc::new(AtomicUsize::new(0));
        let times = Arc::new(Mutex::new(HashMap::new()));
        let behaviour: Arc<Behaviour> = Arc::new(behaviour);
        runtime.spawn({
            let (asked, completions) = (asked.clone(), completions.clone());
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let connection = Connection {
                        stream,
                        behaviour: behaviour.clone(),
                        asked: asked.clone(),
                        completions: completions.clone(),
                        times: times.clone(),
                    };
                    tokio::spawn(connection.serve());
                }
            }
        });
        Self {
            url: format!("http://{address}"),
            address,
            asked,
            completions,
            runtime: Some(runtime),
        }
    }

    /// How many requests for completions there were.
    pub fn count(&self) -> usize {
        self.completions.load(Ordering::SeqCst)
    }

    /// The first requests.
    pub fn requests(&self) -> Vec<ModelRequest> {
        self.asked.lock().expect(HELD).clone()
    }

    /// The first requests for completions.
    pub fn completion_requests(&self) -> Vec<ModelRequest> {
        self.requests()
            .into_iter()
            .filter(ModelRequest::is_for_a_completion)
            .collect()
    }

    /// Address and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

struct Connection {
    stream: TcpStream,
    behaviour: Arc<Behaviour>,
    asked: Arc<Mutex<Vec<ModelRequest>>>,
    completions: Arc<AtomicUsize>,
    times: Arc<Mutex<HashMap<(String, String), usize>>>,
}

impl Connection {
    async fn serve(mut self) {
        let _ = self.stream.set_nodelay(true);
        let mut buffer = Vec::new();
        while let Some(mut asked) = self.read(&mut buffer).await {
            {
                let mut times = self.times.lock().expect(HELD);
                let count = times
                    .entry((asked.route.clone(), asked.prompt().to_string()))
                    .or_insert(0);
                asked.before = *count;
                *count += 1;
            }
            let acts = (self.behaviour)(&asked);
            {
                let mut kept = self.asked.lock().expect(HELD);
                if asked.is_for_a_completion() {
                    self.completions.fetch_add(1, Ordering::SeqCst);
                }
                if kept.len() < MAX_RECORDED {
                    kept.push(asked);
                }
            }
            for act in acts {
                match act {
                    Act::Send(bytes) => {
                        if self.stream.write_all(&bytes).await.is_err() {
                            return;
                        }
                        let _ = self.stream.flush().await;
                    }
                    Act::Wait(time) => tokio::time::sleep(time).await,
                    Act::Close => return,
                    Act::CloseIf(is_over) => {
                        if is_over() {
                            return;
                        }
                    }
                    Act::Hang => {
                        let mut rest = [0; 1024];
                        while self
                            .stream
                            .read(&mut rest)
                            .await
                            .is_ok_and(|count| count > 0)
                        {}
                        return;
                    }
                }
            }
        }
    }

    /// The next request of the connection.
    async fn read(&mut self, buffer: &mut Vec<u8>) -> Option<ModelRequest> {
        let head_ends = loop {
            if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            if self.stream.read_buf(buffer).await.ok()? == 0 {
                return None;
            }
        };
        let head = String::from_utf8(buffer[..head_ends].to_vec()).ok()?;
        let header = |name: &str| {
            let lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
            let found = lines
                .into_iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name));
            found
                .map(|(_, value)| value.trim().to_string())
                .unwrap_or_default()
        };
        let length: usize = header("content-length").parse().unwrap_or(0);
        while buffer.len() < head_ends + length {
            if self.stream.read_buf(buffer).await.ok()? == 0 {
                return None;
            }
        }
        let body =
            serde_json::from_slice(&buffer[head_ends..head_ends + length]).unwrap_or(Value::Null);
        buffer.drain(..head_ends + length);
        let mut words = head.split(' ');
        let route = format!("{} {}", words.next()?, words.next()?);
        Some(ModelRequest {
            route,
            authorization: header("authorization"),
            body,
            before: 0,
        })
    }
}

/// An answer in one piece.
pub fn answer(status: u16, headers: &str, body: &[u8]) -> Vec<Act> {
    let mut bytes = format!(
        "HTTP/1.1 {status} Test\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    vec![Act::Send(bytes)]
}

/// JSON in one piece.
pub fn json_answer(status: u16, body: &Value) -> Vec<Act> {
    answer(
        status,
        "content-type: application/json\r\n",
        body.to_string().as_bytes(),
    )
}

/// An error as OpenAI's servers put it.
pub fn refusal(status: u16, headers: &str, message: &str) -> Vec<Act> {
    let body = json!({ "error": { "message": message, "type": "test" } }).to_string();
    answer(
        status,
        &format!("{headers}content-type: application/json\r\n"),
        body.as_bytes(),
    )
}

/// The head of a stream.
pub fn stream_head() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n".to_vec()
}

/// Bytes as one chunk of a chunked body.
pub fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut framed = format!("{:x}\r\n", bytes.len()).into_bytes();
    framed.extend_from_slice(bytes);
    framed.extend_from_slice(b"\r\n");
    framed
}

/// A stream's body, in pieces of `size` bytes with a chunk each, and its end.
pub fn stream_of(body: &[u8], size: usize) -> Vec<Act> {
    let mut acts = vec![Act::Send(stream_head())];
    acts.extend(body.chunks(size).map(|piece| Act::Send(chunk(piece))));
    acts.push(Act::Send(chunk(b"")));
    acts
}

/// What the model answers to a prompt: a text with characters of one to four bytes, the same each
/// time.
pub fn model_answer(prompt: &str) -> String {
    let number = prompt.bytes().fold(7_u32, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u32::from(byte))
    });
    let places = ["apples", "jabłek", "个苹果", "🍎"];
    format!(
        "There are {} {}.\nThe answer is {}.",
        number % 97,
        places[number as usize % 4],
        number % 1009
    )
}

/// Events that stream a text, a character each, with the usage last.
pub fn events(asked: &ModelRequest, text: &str, line_end: &str) -> String {
    let is_chat = asked.route.contains("/chat/");
    let event = |value: Value| format!("data: {value}{line_end}{line_end}");
    let choice = |piece: &str, finish: Value| match is_chat {
        true => {
            json!({ "choices": [{ "index": 0, "delta": { "content": piece }, "finish_reason": finish }] })
        }
        false => json!({ "choices": [{ "index": 0, "text": piece, "finish_reason": finish }] }),
    };
    let mut body: String = text
        .chars()
        .map(|c| event(choice(&c.to_string(), Value::Null)))
        .collect();
    body.push_str(&event(choice("", json!("stop"))));
    if !asked.body["stream_options"].is_null() {
        let usage = json!({ "prompt_tokens": prompt_tokens(asked), "completion_tokens": text.chars().count() + 1 });
        body.push_str(&event(json!({ "choices": [], "usage": usage })));
    }
    body.push_str(&format!("data: [DONE]{line_end}{line_end}"));
    body
}

/// Five for every prompt of more than a character.
fn prompt_tokens(asked: &ModelRequest) -> usize {
    if asked.prompt().len() > 1 { 5 } else { 2 }
}

/// The model's answer, streamed where that was asked.
pub fn good_answer(asked: &ModelRequest) -> Vec<Act> {
    let text = model_answer(asked.prompt());
    match asked.body["stream"].as_bool() {
        Some(true) => stream_of(events(asked, &text, "\n").as_bytes(), 4096),
        _ => json_answer(200, &whole_answer(asked, &text)),
    }
}

/// An answer that is not streamed.
pub fn whole_answer(asked: &ModelRequest, text: &str) -> Value {
    let choice = match asked.route.contains("/chat/") {
        true => {
            json!({ "index": 0, "message": { "role": "assistant", "content": text }, "finish_reason": "stop" })
        }
        false => json!({ "index": 0, "text": text, "finish_reason": "stop" }),
    };
    json!({ "choices": [choice], "usage": { "prompt_tokens": prompt_tokens(asked), "completion_tokens": text.chars().count() + 1 } })
}
