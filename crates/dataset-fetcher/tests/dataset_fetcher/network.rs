use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use dataset_fetcher::{ErrorKind, Network, Origin};

use crate::kitchen::{Kitchen, refused, unpinned};
use crate::server::{Server, give, refuse};

const TAG: &str = "\"one\"";

fn network(variables: Vec<(&'static str, String)>) -> Network {
    Network::from_variables(move |name| {
        variables
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| OsString::from(value))
    })
}

#[test]
fn redirects_are_followed_a_few_times() {
    let mut kitchen = Kitchen::new(&[unpinned("a.json")]);
    let server = Server::start(|request, _, stream| match request.target.as_str() {
        "/a.json" => refuse(stream, "302 Found", &[("Location", "deeper/b.json")]),
        "/deeper/b.json" => refuse(
            stream,
            "307 Temporary Redirect",
            &[("Location", "../c.json?x=1")],
        ),
        _ => give(request, stream, b"content", TAG),
    });
    kitchen.fetch_from(&server).unwrap();
    assert_eq!(kitchen.read("a.json"), b"content");
    let targets: Vec<String> = server
        .requests()
        .into_iter()
        .map(|request| request.target)
        .collect();
    assert_eq!(targets, ["/a.json", "/deeper/b.json", "/c.json?x=1"]);
}

#[test]
fn redirects_in_a_circle_end() {
    let mut kitchen = Kitchen::new(&[unpinned("a.json")]);
    let server = Server::start(|_, _, stream| {
        refuse(stream, "301 Moved Permanently", &[("Location", "/a.json")])
    });
    refused(kitchen.fetch_from(&server), &["more than 5 redirects"]);
    assert_eq!(server.requests().len(), 6);
}

#[test]
fn redirects_elsewhere_than_to_http_are_not_followed() {
    for location in [
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "gopher://x",
        "http://user:secret@127.0.0.1/",
        "http://",
    ] {
        let mut kitchen = Kitchen::new(&[unpinned("a.json")]);
        let server = Server::start(move |_, _, stream| {
            refuse(stream, "302 Found", &[("Location", location)])
        });
        let error = refused(kitchen.fetch_from(&server), &["which is not followed"]);
        assert!(!error.to_string().contains("secret"), "{error}");
        assert_eq!(server.requests().len(), 1);
        assert!(kitchen.entries().is_empty());
    }
    let mut kitchen = Kitchen::new(&[unpinned("a.json")]);
    let server = Server::start(|_, _, stream| refuse(stream, "302 Found", &[]));
    refused(kitchen.fetch_from(&server), &["without a location"]);
}

/// Copies what comes from one side to the other, until it ends.
fn join(client: TcpStream, address: SocketAddr) {
    let server = TcpStream::connect(address).unwrap();
    let (mut from_client, mut to_server) =
        (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || std::io::copy(&mut from_client, &mut to_server));
    let (mut from_server, mut to_client) = (server, client);
    let _ = std::io::copy(&mut from_server, &mut to_client);
    let _ = to_client.shutdown(std::net::Shutdown::Both);
}

/// A proxy that connects everything with one server.
fn proxy(to: SocketAddr) -> Server {
    Server::start(move |request, _, stream| {
        if request.method != "CONNECT" {
            return refuse(stream, "405 Method Not Allowed", &[]);
        }
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
        join(stream.try_clone()?, to);
        Ok(())
    })
}

#[test]
fn a_proxy_is_used_where_the_environment_names_one_and_not_where_it_exempts() {
    let server = Server::start(|request, _, stream| give(request, stream, b"content", TAG));
    let proxy = proxy(server.address());
    let mut kitchen = Kitchen::new(&[unpinned("a.json")]);
    // A name that only the proxy can make something of.
    kitchen.order.from = Some(Origin::parse("http://mirror.invalid/folder").unwrap());
    kitchen.order.network = network(vec![(
        "http_proxy",
        format!("http://user:pass%40word@{}", proxy.address()),
    )]);
    kitchen.fetch().unwrap();
    assert_eq!(kitchen.read("a.json"), b"content");
    assert_eq!(server.requests()[0].target, "/folder/a.json");
    let asked = &proxy.requests()[0];
    assert_eq!(
        (asked.method.as_str(), asked.target.as_str()),
        ("CONNECT", "mirror.invalid:80")
    );
    // user:pass@word in base 64.
    assert_eq!(
        asked.header("proxy-authorization"),
        Some("Basic dXNlcjpwYXNzQHdvcmQ=")
    );

    let mut kitchen = Kitchen::new(&[unpinned("a.json")]);
    kitchen.order.network = network(vec![
        ("http_proxy", proxy.url()),
        ("no_proxy", "example.org, 127.0.0.0/8".to_string()),
    ]);
    kitchen.fetch_from(&server).unwrap();
    assert_eq!(proxy.requests().len(), 1);
}

#[test]
fn a_proxy_that_refuses_is_named_by_its_variable() {
    let proxy =
        Server::start(|_, _, stream| refuse(stream, "407 Proxy Authentication Required", &[]));
    let mut kitchen = Kitchen::new(&[unpinned("a.json")]);
    kitchen.order.from = Some(Origin::parse("https://mirror.invalid").unwrap());
    kitchen.order.network = network(vec![("HTTPS_PROXY", proxy.url())]);
    let error = refused(kitchen.fetch(), &["HTTPS_PROXY", "407"]);
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert_eq!(proxy.requests().len(), 1);
}

/// A server with a certificate for 127.0.0.1 that it signed itself: redirects `/down/a.json` to
/// http, gives everything else.
struct Secure {
    address: SocketAddr,
    certificate: String,
}

impl Secure {
    fn start() -> Self {
        let signed = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_string()]).unwrap();
        let key =
            rustls::pki_types::PrivateKeyDer::Pkcs8(signed.signing_key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![signed.cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let config = Arc::new(config);
        // Ends with the process: at most four connections of 20 seconds.
        thread::spawn(move || {
            for stream in listener.incoming().take(4).flatten() {
                let config = config.clone();
                thread::spawn(move || answer_securely(stream, config));
            }
        });
        Self {
            address,
            certificate: signed.cert.pem(),
        }
    }

    fn url(&self) -> String {
        format!("https://{}", self.address)
    }
}

fn answer_securely(
    mut stream: TcpStream,
    config: Arc<rustls::ServerConfig>,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut connection = rustls::ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut tls = rustls::Stream::new(&mut connection, &mut stream);
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    while !request.ends_with(b"\r\n\r\n") {
        match tls.read(&mut buffer)? {
            0 => break,
            count => request.extend(&buffer[..count]),
        }
    }
    match request.starts_with(b"GET /down/") {
        true => tls.write_all(
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        )?,
        false => tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\ncontent")?,
    }
    tls.flush()
}

#[test]
fn a_certificate_that_the_environment_names_is_trusted_and_no_other() {
    let secure = Secure::start();
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.pem");
    std::fs::write(&own, &secure.certificate).unwrap();
    let mut kitchen = Kitchen::new(&[unpinned("a.json")]);
    kitchen.order.from = Some(Origin::parse(&secure.url()).unwrap());

    let other = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_string()]).unwrap();
    let foreign = folder.path().join("foreign.pem");
    std::fs::write(&foreign, other.cert.pem()).unwrap();
    kitchen.order.network = network(vec![("SSL_CERT_FILE", foreign.display().to_string())]);
    let error = refused(
        kitchen.fetch(),
        &["no trusted connection", "certificate", "SSL_CERT_FILE"],
    );
    assert_eq!(error.kind(), ErrorKind::Integrity);
    // Not tried again: it would not become another certificate.
    assert!(kitchen.told.is_empty(), "{:?}", kitchen.told);

    kitchen.order.network = network(vec![("SSL_CERT_FILE", own.display().to_string())]);
    kitchen.fetch().unwrap();
    assert_eq!(kitchen.read("a.json"), b"content");
}

#[test]
fn a_redirect_from_https_to_http_is_not_followed() {
    let secure = Secure::start();
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.pem");
    std::fs::write(&own, &secure.certificate).unwrap();
    let mut kitchen = Kitchen::new(&[unpinned("a.json")]);
    kitchen.order.from = Some(Origin::parse(&format!("{}/down", secure.url())).unwrap());
    kitchen.order.network = network(vec![("SSL_CERT_FILE", own.display().to_string())]);
    refused(
        kitchen.fetch(),
        &["/down/a.json", "http://127.0.0.1:9/x", "from https to http"],
    );
}
