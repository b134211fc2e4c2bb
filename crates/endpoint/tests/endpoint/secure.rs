//! HTTPS: the certificates that the environment names are trusted, and no others.
//!
//! The variable `SSL_CERT_FILE` is read in a process of its own, since tests share the environment
//! of theirs.

use std::path::Path;
use std::process::Command;

use endpoint::{ApiKey, BaseUrl, EndpointOptions};
use generation::Decoding;
use loopback::tls::{TlsServer, foreign_certificate};
use serde_json::json;

use crate::asking::{KEY, ask, policy, prompts};
use loopback::completions::MODEL;

/// Names the server to the process that asks.
const ADDRESS: &str = "ENDPOINT_TEST_ADDRESS";

/// A server with a certificate that it signed itself, with a list of models and one completion for
/// every prompt.
fn start() -> TlsServer {
    TlsServer::start(|request| {
        let body = match request.starts_with(b"GET ") {
            true => json!({ "data": [{ "id": MODEL }] }),
            false => json!({ "choices": [{ "text": "4", "finish_reason": "stop" }] }),
        };
        let body = body.to_string();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
        let length = body.len();
        format!("{head}\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
    })
}

/// Runs [`asks_the_server_named`] in a process that trusts this certificate.
fn asked(url: &str, certificate: &Path) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "secure::asks_the_server_named",
            "--ignored",
            "--nocapture",
        ])
        .env("SSL_CERT_FILE", certificate)
        .env_remove("SSL_CERT_DIR")
        .env(ADDRESS, url)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
// Certificates are read from the environment once a process: the test below starts this one in a
// process of its own, with the variables set, and reads what it prints.
#[ignore = "needs the environment that the next test starts it in"]
fn asks_the_server_named() {
    let url = BaseUrl::parse(&std::env::var(ADDRESS).unwrap()).unwrap();
    let key = Some(ApiKey::new(KEY, "a test").unwrap());
    let options = EndpointOptions {
        key,
        policy: policy(),
        ..EndpointOptions::new(url, MODEL)
    };
    match ask(options, &prompts(1), &Decoding::greedy(4)) {
        Ok(told) => println!("answer: {}", told.one().text),
        Err(error) => println!("error: {error}"),
    }
}

#[test]
fn a_certificate_that_the_environment_names_is_trusted_and_no_other() {
    let server = start();
    let folder = tempfile::tempdir().unwrap();
    let (own, foreign) = (
        folder.path().join("own.pem"),
        folder.path().join("foreign.pem"),
    );
    std::fs::write(&own, server.certificate()).unwrap();
    std::fs::write(&foreign, foreign_certificate()).unwrap();
    let told = asked(&server.url(), &own);
    assert!(told.contains("answer: 4"), "{told}");
    let told = asked(&server.url(), &foreign);
    assert!(
        told.contains("error: ") && told.contains("certificate") && told.contains("SSL_CERT_FILE"),
        "{told}"
    );
}
