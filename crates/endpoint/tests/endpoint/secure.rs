//! HTTPS: the certificates that the environment names are trusted, and no others.
//!
//! The variable `SSL_CERT_FILE` is read in a process of its own, since tests share the environment
//! of theirs.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use endpoint::{ApiKey, BaseUrl, EndpointOptions};
use generation::Decoding;
use serde_json::json;

use crate::asking::{KEY, ask, patience, prompts};
use crate::server::MODEL;

/// Names the server to the process that asks.
const ADDRESS: &str = "ENDPOINT_TEST_ADDRESS";

/// A server with a certificate that it signed itself, for a list of models and one answer to every
/// prompt.
fn start() -> (SocketAddr, String) {
    let signed = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_string()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(signed.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .unwrap();
    let (listener, config) = (TcpListener::bind("127.0.0.1:0").unwrap(), Arc::new(config));
    let address = listener.local_addr().unwrap();
    // Ends with the process: at most twenty connections of 20 seconds.
    std::thread::spawn(move || {
        for stream in listener.incoming().take(20).flatten() {
            let config = config.clone();
            std::thread::spawn(move || answer(stream, config));
        }
    });
    (address, signed.cert.pem())
}

fn answer(mut stream: TcpStream, config: Arc<rustls::ServerConfig>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut connection = rustls::ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut tls = rustls::Stream::new(&mut connection, &mut stream);
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    // The body of a prompt ends with the options of its stream.
    while !request.ends_with(b"\r\n\r\n") && !request.ends_with(b"}}") {
        match tls.read(&mut buffer)? {
            0 => return Ok(()),
            count => request.extend(&buffer[..count]),
        }
    }
    let body = match request.starts_with(b"GET ") {
        true => json!({ "data": [{ "id": MODEL }] }),
        false => json!({ "choices": [{ "text": "4", "finish_reason": "stop" }] }),
    };
    let body = body.to_string();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
    tls.write_all(format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes())?;
    tls.flush()
}

/// Runs [`asks_the_server_named`] in a process that trusts this certificate.
fn asked(address: SocketAddr, certificate: &Path) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "secure::asks_the_server_named",
            "--ignored",
            "--nocapture",
        ])
        .env("SSL_CERT_FILE", certificate)
        .env_remove("SSL_CERT_DIR")
        .env(ADDRESS, format!("https://{address}"))
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
#[ignore = "the other half of the test below, which runs it"]
fn asks_the_server_named() {
    let url = BaseUrl::parse(&std::env::var(ADDRESS).unwrap()).unwrap();
    let key = Some(ApiKey::new(KEY, "a test").unwrap());
    let options = EndpointOptions {
        key,
        patience: patience(),
        ..EndpointOptions::new(url, MODEL)
    };
    match ask(options, &prompts(1), &Decoding::greedy(4)) {
        Ok(told) => println!("answer: {}", told.one().text),
        Err(error) => println!("error: {error}"),
    }
}

#[test]
fn a_certificate_that_the_environment_names_is_trusted_and_no_other() {
    let (address, certificate) = start();
    let folder = tempfile::tempdir().unwrap();
    let (own, foreign) = (
        folder.path().join("own.pem"),
        folder.path().join("foreign.pem"),
    );
    std::fs::write(&own, certificate).unwrap();
    let other = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_string()]).unwrap();
    std::fs::write(&foreign, other.cert.pem()).unwrap();
    let told = asked(address, &own);
    assert!(told.contains("answer: 4"), "{told}");
    let told = asked(address, &foreign);
    assert!(
        told.contains("error: ") && told.contains("certificate") && told.contains("SSL_CERT_FILE"),
        "{told}"
    );
}
