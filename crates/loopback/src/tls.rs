//! A server with a certificate for 127.0.0.1 that it signed itself.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection};

/// Connections that are answered; the server ends with the process.
const MAX_CONNECTIONS: usize = 20;
/// How long a connection may stay silent.
const READ_TIMEOUT: Duration = Duration::from_secs(20);

/// The server. Each connection is for one request.
#[derive(Debug)]
pub struct TlsServer {
    address: SocketAddr,
    certificate: String,
}

impl TlsServer {
    /// Answers each request by the bytes that `answer` gives for its own: a whole response, status
    /// line included.
    ///
    /// # Panics
    /// Where there is no free port.
    pub fn start(answer: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let (config, certificate) = self_signed();
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener.local_addr().expect("the listener is bound");
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming().take(MAX_CONNECTIONS).flatten() {
                let (config, answer) = (config.clone(), answer.clone());
                thread::spawn(move || serve(stream, config, answer.as_ref()));
            }
        });
        Self {
            address,
            certificate,
        }
    }

    /// Its address, `https://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Its certificate, as PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }
}

/// Another certificate for 127.0.0.1, as PEM, which no server has.
///
/// # Panics
/// Where no key can be made.
pub fn foreign_certificate() -> String {
    self_signed().1
}

fn self_signed() -> (Arc<ServerConfig>, String) {
    let signed = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_string()])
        .expect("a key can be made");
    let key = PrivateKeyDer::Pkcs8(signed.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has the usual ciphers")
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .expect("key and certificate belong together");
    (Arc::new(config), signed.cert.pem())
}

fn serve(
    mut stream: TcpStream,
    config: Arc<ServerConfig>,
    answer: &dyn Fn(&[u8]) -> Vec<u8>,
) -> io::Result<()> {
    stream.set_read_timeout(Some(READ_TIMEOUT))?;
    let mut connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut tls = rustls::Stream::new(&mut connection, &mut stream);
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    while !is_whole(&request) {
        match tls.read(&mut buffer)? {
            0 => return Ok(()),
            count => request.extend(&buffer[..count]),
        }
    }
    tls.write_all(&answer(&request))?;
    tls.flush()
}

/// Whether head and body of a request are there.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .and_then(|length| length.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}
