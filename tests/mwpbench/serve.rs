//! `mwpbench serve`: the demo behind the API.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::checkpoint::Checkpoint;
use crate::command::mwpbench;

const USAGE: i32 = 2;

/// A server that is killed at the end, if it has not ended before.
struct Serving {
    child: Child,
    address: String,
    stderr: BufReader<std::process::ChildStderr>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a server answered.
struct Response {
    status: u16,
    head: String,
    body: String,
}

impl Response {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The message of an error with this status.
    fn error(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.body);
        let error = &self.json()["error"];
        assert_eq!(error["code"], status);
        error["message"].as_str().unwrap().to_string()
    }

    /// The data of the events of a stream, but for its end.
    fn events(&self) -> Vec<Value> {
        assert_eq!(self.status, 200, "{}", self.body);
        let data: Vec<&str> = self
            .body
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .collect();
        let (last, events) = data.split_last().unwrap();
        assert_eq!(*last, "[DONE]");
        events
            .iter()
            .map(|event| serde_json::from_str(event).unwrap())
            .collect()
    }
}

impl Serving {
    fn start(folder: &Path, more: &[&str]) -> Self {
        Self::start_with(folder, more, &[])
    }

    fn start_with(folder: &Path, more: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::start_model(folder, "demo", more, variables)
    }

    fn start_model(folder: &Path, model: &str, more: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("mwpbench"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MWPBENCH_")) {
            command.env_remove(name);
        }
        let mut child = command
            .current_dir(folder)
            .env("MWPBENCH_HOME", folder.join("home"))
            .envs(variables.iter().copied())
            .args(["serve", "--model", model, "--port", "0"])
            .args(more)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let address = loop {
            let mut line = String::new();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it ended: {said}");
            said.push_str(&line);
            if let Some((_, address)) = line.split_once("http://") {
                break address.trim().trim_end_matches("/v1").to_string();
            }
        };
        Self {
            child,
            address,
            stderr,
        }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sends a request, whose response is still to be read.
    fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(120)))
            .unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        stream
    }

    fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> Response {
        read(self.send(method, path, headers, body))
    }

    fn get(&self, path: &str) -> Response {
        self.request("GET", path, "", "")
    }

    fn post(&self, path: &str, body: &Value) -> Response {
        self.request("POST", path, "", &body.to_string())
    }

    /// The value of a line of `/metrics`.
    fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").body;
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let value = line.unwrap_or_else(|| panic!("no {name} in {text}"));
        value.trim().parse().unwrap()
    }

    /// Waits until nothing is computed any more.
    fn wait_until_idle(&self) {
        let began = Instant::now();
        while self.metric("mwpbench_completions_pending ") != 0.0 {
            assert!(began.elapsed() < Duration::from_secs(60), "still computing");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn read(mut stream: TcpStream) -> Response {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = match head.to_lowercase().contains("transfer-encoding: chunked") {
        true => unchunked(body),
        false => body.to_string(),
    };
    Response {
        status,
        head: head.to_string(),
        body,
    }
}

fn unchunked(mut rest: &str) -> String {
    let mut body = String::new();
    while let Some((size, behind)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        if size == 0 {
            break;
        }
        body.push_str(&behind[..size]);
        rest = behind[size..].trim_start_matches("\r\n");
    }
    body
}

const PROMPT: &str = "Ben has 3 apples and buys 4 more. How many apples has he now?";

#[test]
fn a_run_through_the_server_is_the_run_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path(), &[]);
    let completions = |run: &str, more: &[&str]| {
        let common = ["eval", "--tasks", "gsm8k,math", "--limit", "6", "--quiet"];
        let output = ["--model", "demo", "--output-dir", run];
        mwpbench(folder.path(), common.iter().chain(&output).chain(more)).ok();
        let file = folder.path().join(run).join("completions.jsonl");
        let lines = std::fs::read_to_string(file).unwrap();
        let mut found: Vec<(String, Value, Value)> = lines
            .lines()
            .map(|line| {
                let line: Value = serde_json::from_str(line).unwrap();
                (
                    line["id"].to_string(),
                    line["completion"].clone(),
                    line["completion_tokens"].clone(),
                )
            })
            .collect();
        found.sort_by(|one, other| one.0.cmp(&other.0));
        assert!(!found.is_empty() && found.iter().all(|(_, text, _)| text.is_string()));
        found
    };
    let url = serving.url();
    let expected = completions("own", &[]);
    assert_eq!(completions("streamed", &["--endpoint", &url]), expected);
    assert_eq!(
        completions("whole", &["--endpoint", &url, "--no-stream"]),
        expected
    );
    serving.wait_until_idle();
}

/// As in vLLM and in `eval`: what only a chat template names ends chats alone.
#[test]
fn plain_completions_go_on_where_only_the_template_ends_a_turn() {
    let folder = tempfile::tempdir().unwrap();
    let copy = Checkpoint::copy_to(folder.path());
    // The full stop becomes a special token, with which the template ends a turn.
    let mut tokenizer: Value = serde_json::from_slice(&copy.read("tokenizer.json")).unwrap();
    let stop = tokenizer["model"]["vocab"]["."].as_u64().unwrap();
    let token = json!({"id": stop, "content": ".", "special": true, "single_word": false,
        "lstrip": false, "rstrip": false, "normalized": false});
    tokenizer["added_tokens"]
        .as_array_mut()
        .unwrap()
        .push(token);
    copy.write("tokenizer.json", tokenizer.to_string());
    let template = "{% for message in messages %}{{ message.content }}{% if message.role == 'assistant' %}.{% endif %}{% endfor %}";
    std::fs::write(folder.path().join("chat.jinja"), template).unwrap();
    let serving = Serving::start_model(
        folder.path(),
        "model",
        &["--chat-template", "chat.jinja"],
        &[],
    );
    let plan = [
        "eval",
        "--model",
        "model",
        "--tasks",
        "gsm8k",
        "--limit",
        "2",
        "--max-tokens",
        "48",
        "--quiet",
    ];
    let own = ["--log-tokens", "--output-dir", "own"];
    mwpbench(folder.path(), plan.iter().chain(&own)).ok();
    let lines = |file: &str| -> Vec<Value> {
        let text = std::fs::read_to_string(folder.path().join("own").join(file)).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    };
    let tokens = |value: &Value| -> Vec<u64> {
        let ids = value["token_ids"].as_array().unwrap().iter();
        ids.map(|id| id.as_u64().unwrap()).collect()
    };
    let mut passed = 0;
    for completion in lines("completions.jsonl") {
        let expected = tokens(&completion);
        passed += usize::from(expected[..expected.len() - 1].contains(&stop));
        let prompts = lines("prompts.jsonl");
        let prompt = prompts
            .iter()
            .find(|prompt| prompt["id"] == completion["id"]);
        let ask = json!({"prompt": prompt.unwrap()["token_ids"], "temperature": 0, "max_tokens": 48,
            "stop": [], "return_token_ids": true});
        let answer = serving.post("/v1/completions", &ask).json();
        let found = tokens(&answer["choices"][0]);
        let common = found.len().min(expected.len());
        assert_eq!(found[..common], expected[..common]);
        assert!(found.len() >= expected.len(), "{found:?} {expected:?}");
        let text = prompt.unwrap()["prompt"].as_str().unwrap();
        let messages = json!([{"role": "user", "content": text}]);
        let ask = json!({"messages": messages, "temperature": 0, "max_tokens": 48,
            "return_token_ids": true});
        let answer = serving.post("/v1/chat/completions", &ask).json();
        let found = tokens(&answer["choices"][0]);
        assert!(!found[..found.len() - 1].contains(&stop), "{found:?}");
    }
    assert!(passed > 0, "no completion goes on behind a full stop");
}

/// What tasks that compare log-probabilities of choices ask of a server.
#[test]
fn an_echoed_prompt_has_the_log_probabilities_that_its_tokens_had_as_completions() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path(), &[]);
    // Longer than what is computed at a time.
    let prompt = format!("{} {PROMPT}", "One and two are three. ".repeat(12));
    let prompt = json!({"prompt": prompt});
    let prompt = serving.post("/tokenize", &prompt).json()["tokens"].clone();
    let prompt: Vec<u64> = serde_json::from_value(prompt).unwrap();
    assert!(prompt.len() > 64, "{}", prompt.len());
    let ask = |prompt: &[u64], more: Value| {
        let mut body = json!({"prompt": prompt, "temperature": 0, "logprobs": 1,
            "return_token_ids": true});
        let more = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(more);
        let answer = serving.post("/v1/completions", &body);
        answer.json()["choices"][0].clone()
    };
    let list = |choice: &Value, name: &str| -> Vec<Value> {
        choice["logprobs"][name].as_array().unwrap().clone()
    };
    let generated = ask(&prompt, json!({"max_tokens": 8}));
    let new: Vec<u64> = serde_json::from_value(generated["token_ids"].clone()).unwrap();
    let whole = [prompt.clone(), new.clone()].concat();
    let echoed = ask(&whole, json!({"max_tokens": 1, "echo": true}));
    let (tokens, own) = (list(&echoed, "tokens"), list(&echoed, "token_logprobs"));
    let top = list(&echoed, "top_logprobs");
    assert_eq!(
        (tokens.len(), own.len(), top.len()),
        (whole.len() + 1, whole.len() + 1, whole.len() + 1)
    );
    assert_eq!((&own[0], &top[0]), (&Value::Null, &Value::Null));
    assert_eq!(echoed["token_ids"].as_array().unwrap().len(), 1);
    // Prefill and decode compute the same bits.
    let expected = list(&generated, "token_logprobs");
    assert_eq!(own[prompt.len()..whole.len()], expected[..]);
    let largest = |at: usize| {
        let found = top[at].as_object().unwrap().values();
        found
            .map(|it| it.as_f64().unwrap())
            .fold(f64::MIN, f64::max)
    };
    for at in 1..whole.len() {
        let own = own[at].as_f64().unwrap();
        assert!(own <= largest(at), "{at}");
        // Greedy completions are the likeliest; a prompt of ours is not everywhere.
        assert!(at < prompt.len() || own == largest(at), "{at}");
    }
    assert!((1..prompt.len()).any(|at| own[at].as_f64().unwrap() < largest(at)));
    let joined: String = tokens.iter().map(|token| token.as_str().unwrap()).collect();
    assert_eq!(echoed["text"], joined);
    // Of a part of the prompt they are the same.
    let part = ask(&prompt[..40], json!({"max_tokens": 1, "echo": true}));
    assert_eq!(list(&part, "token_logprobs")[..40], own[..40]);

    let body =
        json!({"prompt": whole, "temperature": 0, "max_tokens": 1, "echo": true, "stream": true});
    let events = serving.post("/v1/completions", &body).events();
    let streamed: String = events
        .iter()
        .filter_map(|event| event["choices"][0]["text"].as_str())
        .collect();
    assert_eq!(echoed["text"], streamed);
    serving.wait_until_idle();
}

#[test]
fn streams_give_what_whole_answers_give() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path(), &["--served-model-name", "small"]);
    let ask = |more: &Value| {
        let mut body =
            json!({"model": "small", "prompt": PROMPT, "max_tokens": 60, "temperature": 0});
        let fields = body.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        body
    };
    let whole = |more: &Value| serving.post("/v1/completions", &ask(more)).json();
    for more in [
        json!({}),
        json!({"logprobs": 1, "return_token_ids": true}),
        json!({"temperature": 0.9, "seed": 3, "n": 3}),
        json!({"stop": ["e", "er"]}),
        json!({"stop": " t"}),
        json!({"prompt": [PROMPT, "1 + 1 ="], "repetition_penalty": 1.1, "temperature": 0.5, "seed": -4}),
    ] {
        let expected = whole(&more);
        assert_eq!(expected["object"], "text_completion", "{expected}");
        let mut streamed = ask(&more);
        streamed["stream"] = json!(true);
        streamed["stream_options"] = json!({"include_usage": true});
        let events = serving.post("/v1/completions", &streamed).events();
        let (usage, events) = events.split_last().unwrap();
        assert_eq!(usage["usage"], expected["usage"], "{more}");
        for (index, choice) in expected["choices"].as_array().unwrap().iter().enumerate() {
            let parts: Vec<&Value> = events
                .iter()
                .map(|event| &event["choices"][0])
                .filter(|part| part["index"] == index)
                .collect();
            let text: String = parts
                .iter()
                .map(|part| part["text"].as_str().unwrap())
                .collect();
            assert_eq!(choice["text"], text, "{more}");
            let (last, others) = parts.split_last().unwrap();
            assert_eq!(last["finish_reason"], choice["finish_reason"]);
            assert!(others.iter().all(|part| part["finish_reason"].is_null()));
            for list in ["tokens", "token_logprobs", "text_offset"] {
                let joined = parts.iter().map(|part| part["logprobs"][list].as_array());
                let joined = joined.collect::<Option<Vec<_>>>();
                let joined = joined.map(|lists| lists.into_iter().flatten().collect::<Vec<_>>());
                let expected = choice["logprobs"][list].as_array();
                assert_eq!(joined, expected.map(|list| list.iter().collect()), "{list}");
            }
        }
    }
    // A stop string is no part of the text, nor of a part of it.
    let stopped = whole(&json!({"stop": ["e"]}));
    assert!(
        !stopped["choices"][0]["text"]
            .as_str()
            .unwrap()
            .contains('e')
    );
    // The ids are those of the text.
    let ids = whole(&json!({"return_token_ids": true}));
    let choice = &ids["choices"][0];
    let text = serving.post("/detokenize", &json!({"tokens": choice["token_ids"]}));
    assert_eq!(text.json()["prompt"], choice["text"]);
    let counted = serving.post("/tokenize", &json!({"prompt": PROMPT})).json();
    assert_eq!(counted["tokens"], choice["prompt_token_ids"]);
    assert_eq!(counted["count"], ids["usage"]["prompt_tokens"]);
    // The same prompt as ids.
    let again = whole(&json!({"prompt": counted["tokens"]}));
    assert_eq!(again["choices"][0]["text"], choice["text"]);
    let models = serving.get("/v1/models").json();
    assert_eq!(models["data"][0]["id"], "small");
    assert!(serving.metric("mwpbench_generated_tokens_total ") > 100.0);
}

#[test]
fn chats_are_put_into_the_template() {
    let folder = tempfile::tempdir().unwrap();
    let template = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}";
    std::fs::write(folder.path().join("chat.jinja"), template).unwrap();
    let serving = Serving::start(folder.path(), &["--chat-template", "chat.jinja"]);
    let messages = json!([
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": [{"type": "text", "text": "1 + 1?"}]},
    ]);
    let chat = json!({"messages": messages, "temperature": 0, "max_tokens": 12, "logprobs": true});
    let answer = serving.post("/v1/chat/completions", &chat).json();
    let choice = &answer["choices"][0];
    let rendered = "system: Be short.\nuser: 1 + 1?\nassistant:";
    let ids = serving.post(
        "/tokenize",
        &json!({"prompt": rendered, "add_special_tokens": false}),
    );
    let of_messages = serving.post("/tokenize", &json!({"messages": messages}));
    assert_eq!(ids.json()["tokens"], of_messages.json()["tokens"]);
    let plain = json!({"prompt": ids.json()["tokens"], "temperature": 0, "max_tokens": 12});
    let plain = serving.post("/v1/completions", &plain).json();
    assert_eq!(choice["message"]["content"], plain["choices"][0]["text"]);
    assert_eq!(choice["message"]["role"], "assistant");
    assert!(
        choice["logprobs"]["content"][0]["logprob"]
            .as_f64()
            .unwrap()
            <= 0.0
    );
    let mut streamed = chat.clone();
    streamed["stream"] = json!(true);
    let events = serving.post("/v1/chat/completions", &streamed).events();
    assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
    let text: String = events
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(choice["message"]["content"], text);
    for (body, part) in [
        (json!({"messages": []}), "empty"),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}),
            "image_url",
        ),
        (
            json!({"messages": messages, "tools": [{"type": "function"}]}),
            "tools",
        ),
        (
            json!({"messages": messages, "continue_final_message": true}),
            "/v1/completions",
        ),
        (
            json!({"messages": messages, "top_logprobs": 5}),
            "top_logprobs",
        ),
    ] {
        let message = serving.post("/v1/chat/completions", &body).error(400);
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn requests_that_cannot_be_answered_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(
        folder.path(),
        &["--max-request-size", "64KiB", "--max-pending", "4"],
    );
    let long = "word ".repeat(4000);
    for (body, status, part) in [
        (json!({}), 400, "prompt"),
        (json!({"prompt": 7}), 400, "body cannot be read"),
        (json!({"prompt": "x", "model": "other"}), 404, "`demo`"),
        (json!({"prompt": "x", "suffix": "y"}), 400, "suffix"),
        (json!({"prompt": "x", "logprobs": 5}), 400, "logprobs"),
        (
            json!({"prompt": "x", "n": 2, "temperature": 0}),
            400,
            "`n` must be 1",
        ),
        (json!({"prompt": "x", "n": 0}), 400, "`n`"),
        (json!({"prompt": "x", "n": 5}), 429, "ask again later"),
        (
            json!({"prompt": "x", "temperature": -1}),
            400,
            "temperature",
        ),
        (json!({"prompt": "x", "top_p": 0}), 400, "top-p"),
        (json!({"prompt": "x", "top_k": -7}), 400, "top_k"),
        (
            json!({"prompt": "x", "max_tokens": 0}),
            400,
            "no new tokens",
        ),
        (json!({"prompt": "x", "stop": ""}), 400, "stop string"),
        (
            json!({"prompt": "x", "presence_penalty": 0.5}),
            400,
            "presence_penalty",
        ),
        (
            json!({"prompt": "x", "logit_bias": {"5": 1}}),
            400,
            "logit_bias",
        ),
        (
            json!({"prompt": "x", "response_format": {"type": "json_object"}}),
            400,
            "response_format",
        ),
        (json!({"prompt": []}), 400, "no prompt"),
        (json!({"prompt": [[]]}), 400, "no tokens"),
        (json!({"prompt": [4_000_000]}), 400, "embedding has"),
        (json!({"prompt": long}), 400, "context"),
        (json!({"prompt": "x".repeat(70_000)}), 413, "length limit"),
    ] {
        let message = serving.post("/v1/completions", &body).error(status);
        assert!(message.contains(part), "{body:.80}: {message}");
    }
    let broken = serving.request("POST", "/v1/completions", "", r#"{"prompt": "x", "#);
    assert!(broken.error(400).contains("line 1"));
    let latin = serving.request("POST", "/v1/completions", "", "{\"prompt\": \"\u{fffd}");
    assert!(latin.error(400).contains("cannot be read"));
    assert!(serving.get("/v2/models").error(404).contains("/v2/models"));
    assert!(serving.get("/v1/completions").error(404).contains("GET"));
    let full = serving.post("/v1/completions", &json!({"prompt": "x", "n": 5}));
    assert!(full.head.to_lowercase().contains("retry-after: 1"));
    let message = serving.post("/v1/chat/completions", &json!({"messages": []}));
    assert!(message.error(400).contains("no chat template"));
    // Nothing of this keeps a place.
    assert_eq!(serving.metric("mwpbench_completions_pending "), 0.0);
    // What nobody knows is left alone, as clients send all kinds of fields.
    let odd = json!({"prompt": "x", "max_tokens": 2, "user": "me", "metadata": {}});
    assert_eq!(serving.post("/v1/completions", &odd).status, 200);
}

#[test]
fn keys_are_asked_for_and_others_kept_out() {
    let folder = tempfile::tempdir().unwrap();
    mwpbench(
        folder.path(),
        ["serve", "--model", "demo", "--host", "0.0.0.0"],
    )
    .refused(
        USAGE,
        &["0.0.0.0:8000", "MWPBENCH_SERVE_API_KEY", "--api-key-file"],
    );
    std::fs::write(folder.path().join("key"), "\n").unwrap();
    mwpbench(
        folder.path(),
        ["serve", "--model", "demo", "--api-key-file", "key"],
    )
    .refused(USAGE, &["the key in key"]);
    let variables = [("MWPBENCH_SERVE_API_KEY", "secret")];
    let serving = Serving::start_with(folder.path(), &[], &variables);
    let ask = |headers: &str| {
        let body = r#"{"prompt": "x", "max_tokens": 1}"#;
        serving.request("POST", "/v1/completions", headers, body)
    };
    for headers in [
        "",
        "Authorization: Bearer secre\r\n",
        "Authorization: Bearer secret2\r\n",
        "Authorization: secret\r\n",
    ] {
        assert!(ask(headers).error(401).contains("Bearer"), "{headers}");
    }
    assert_eq!(ask("Authorization: Bearer secret\r\n").status, 200);
    assert_eq!(serving.get("/metrics").status, 401);
    assert_eq!(serving.get("/health").status, 200);
    let port = serving.address.rsplit(':').next().unwrap();
    mwpbench(folder.path(), ["serve", "--model", "demo", "--port", port])
        .refused(USAGE, &["cannot listen at", "--port"]);
}

/// Hours of work for the demo: sampled, so that no end-of-sequence token comes for long.
fn endless() -> Value {
    json!({"prompt": PROMPT, "max_tokens": 1900, "temperature": 2.0, "seed": 5, "n": 3, "stream": true})
}

#[test]
fn a_request_that_nobody_waits_for_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path(), &[]);
    let body = endless().to_string();
    let mut stream = serving.send("POST", "/v1/completions", "", &body);
    let mut first = [0; 600];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(serving.metric("mwpbench_completions_pending "), 3.0);
    drop(stream);
    serving.wait_until_idle();
    let short = json!({"prompt": PROMPT, "max_tokens": 3, "temperature": 0});
    assert_eq!(serving.post("/v1/completions", &short).status, 200);
}

#[test]
#[cfg(unix)]
fn a_signal_lets_the_server_finish_what_it_computes() {
    let folder = tempfile::tempdir().unwrap();
    let mut serving = Serving::start(folder.path(), &[]);
    let body =
        json!({"prompt": PROMPT, "max_tokens": 300, "temperature": 2.0, "seed": 5, "stream": true});
    let mut stream = serving.send("POST", "/v1/completions", "", &body.to_string());
    let mut first = [0; 200];
    stream.read_exact(&mut first).unwrap();
    let id = serving.child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(
        rest.contains("[DONE]") && rest.contains(r#""finish_reason":""#),
        "{rest}"
    );
    assert_eq!(serving.child.wait().unwrap().code(), Some(0));
    let mut said = String::new();
    serving.stderr.read_to_string(&mut said).unwrap();
    assert!(said.contains("stopping"), "{said}");
    assert!(TcpStream::connect(&serving.address).is_err());
}
