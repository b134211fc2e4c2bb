use std::ffi::OsString;
use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;

use dataset_fetcher::{Network, Origin};
use fault::{Class, Fault};
use loopback::files::{FileServer, give, refuse};
use loopback::tls::{TlsServer, foreign_certificate};

use crate::fixture::{Fixture, refused, unpinned};

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
    let mut fixture = Fixture::new(&[unpinned("a.json")]);
    let server = FileServer::start(|request, _, stream| match request.target.as_str() {
        "/a.json" => refuse(stream, "302 Found", &[("Location", "deeper/b.json")]),
        "/deeper/b.json" => refuse(
            stream,
            "307 Temporary Redirect",
            &[("Location", "../c.json?x=1")],
        ),
        _ => give(request, stream, b"content", TAG),
    });
    fixture.fetch_from(&server).unwrap();
    assert_eq!(fixture.read("a.json"), b"content");
    let targets: Vec<String> = server
        .requests()
        .into_iter()
        .map(|request| request.target)
        .collect();
    assert_eq!(targets, ["/a.json", "/deeper/b.json", "/c.json?x=1"]);
}

#[test]
fn redirects_in_a_circle_end() {
    let mut fixture = Fixture::new(&[unpinned("a.json")]);
    let server = FileServer::start(|_, _, stream| {
        refuse(stream, "301 Moved Permanently", &[("Location", "/a.json")])
    });
    refused(fixture.fetch_from(&server), &["more than 5 redirects"]);
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
        let mut fixture = Fixture::new(&[unpinned("a.json")]);
        let server = FileServer::start(move |_, _, stream| {
            refuse(stream, "302 Found", &[("Location", location)])
        });
        let error = refused(fixture.fetch_from(&server), &["which is not followed"]);
        assert!(!error.to_string().contains("secret"), "{error}");
        assert_eq!(server.requests().len(), 1);
        assert!(fixture.entries().is_empty());
    }
    let mut fixture = Fixture::new(&[unpinned("a.json")]);
    let server = FileServer::start(|_, _, stream| refuse(stream, "302 Found", &[]));
    refused(fixture.fetch_from(&server), &["without a location"]);
}

#[test]
fn a_proxy_is_used_where_the_environment_names_one_and_not_where_it_exempts() {
    let server = FileServer::start(|request, _, stream| give(request, stream, b"content", TAG));
    let proxy = FileServer::start(|request, _, stream| give(request, stream, b"proxied", TAG));
    let mut fixture = Fixture::new(&[unpinned("a.json")]);
    // A name that only the proxy can make something of.
    let url = "http://mirror.invalid/folder";
    fixture.request.from = Some(Origin::parse(url).unwrap());
    fixture.request.network = network(vec![(
        "http_proxy",
        format!("http://user:pass%40word@{}", proxy.address()),
    )]);
    fixture.fetch().unwrap();
    assert_eq!(fixture.read("a.json"), b"proxied");
    let seen = &proxy.requests()[0];
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str()),
        ("GET", "http://mirror.invalid/folder/a.json")
    );
    // user:pass@word in base 64.
    assert_eq!(
        seen.header("proxy-authorization"),
        Some("Basic dXNlcjpwYXNzQHdvcmQ=")
    );

    for exempt in ["example.org, 127.0.0.0/8", "example.org 127.0.0.1", "*"] {
        let mut fixture = Fixture::new(&[unpinned("a.json")]);
        fixture.request.network = network(vec![
            ("http_proxy", proxy.url()),
            ("no_proxy", exempt.to_string()),
        ]);
        fixture.fetch_from(&server).unwrap();
        assert_eq!(fixture.read("a.json"), b"content");
        assert_eq!(proxy.requests().len(), 1, "{exempt}");
    }
}

/// A proxy that connects everything with one server.
fn tunnel(to: SocketAddr) -> FileServer {
    FileServer::start(move |_, _, stream| {
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
        let (mut from_client, mut to_server) = (stream.try_clone()?, TcpStream::connect(to)?);
        let mut from_server = to_server.try_clone()?;
        thread::spawn(move || std::io::copy(&mut from_client, &mut to_server));
        std::io::copy(&mut from_server, stream)?;
        stream.shutdown(Shutdown::Both)
    })
}

#[test]
fn https_goes_through_a_tunnel() {
    let secure = secure();
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.pem");
    std::fs::write(&own, secure.certificate()).unwrap();
    let proxy = tunnel(secure.url()["https://".len()..].parse().unwrap());
    let mut fixture = Fixture::new(&[unpinned("a.json")]);
    fixture.request.from = Some(Origin::parse(&secure.url()).unwrap());
    fixture.request.network = network(vec![
        ("SSL_CERT_FILE", own.display().to_string()),
        ("https_proxy", proxy.url()),
    ]);
    fixture.fetch().unwrap();
    assert_eq!(fixture.read("a.json"), b"content");
    assert_eq!(proxy.requests()[0].method, "CONNECT");
}

#[test]
fn a_proxy_that_refuses_is_named_by_its_variable() {
    let proxy =
        FileServer::start(|_, _, stream| refuse(stream, "407 Proxy Authentication Required", &[]));
    let mut fixture = Fixture::new(&[unpinned("a.json")]);
    fixture.request.from = Some(Origin::parse("https://mirror.invalid").unwrap());
    fixture.request.network = network(vec![("HTTPS_PROXY", proxy.url())]);
    let error = refused(fixture.fetch(), &["HTTPS_PROXY", "407"]);
    assert_eq!(error.class(), Class::Usage);
    assert_eq!(proxy.requests().len(), 1);
    // The same where the proxy speaks for itself, without a tunnel.
    fixture.request.from = Some(Origin::parse("http://mirror.invalid").unwrap());
    fixture.request.network = network(vec![("HTTP_PROXY", proxy.url())]);
    let error = refused(fixture.fetch(), &["HTTP_PROXY", "407"]);
    assert_eq!(error.class(), Class::Usage);
}

/// A TLS server that redirects `/down/a.json` to http and gives everything else.
fn secure() -> TlsServer {
    TlsServer::start(|request| {
        let response: &[u8] = match request.starts_with(b"GET /down/") {
            true => b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            false => b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\ncontent",
        };
        response.to_vec()
    })
}

#[test]
fn a_certificate_that_the_environment_names_is_trusted_and_no_other() {
    let secure = secure();
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.pem");
    std::fs::write(&own, secure.certificate()).unwrap();
    let mut fixture = Fixture::new(&[unpinned("a.json")]);
    fixture.request.from = Some(Origin::parse(&secure.url()).unwrap());

    let foreign = folder.path().join("foreign.pem");
    std::fs::write(&foreign, foreign_certificate()).unwrap();
    fixture.request.network = network(vec![("SSL_CERT_FILE", foreign.display().to_string())]);
    let error = refused(
        fixture.fetch(),
        &["no trusted connection", "certificate", "SSL_CERT_FILE"],
    );
    assert_eq!(error.class(), Class::Integrity);
    // Not tried again: it would not become another certificate.
    assert!(fixture.events.is_empty(), "{:?}", fixture.events);

    fixture.request.network = network(vec![("SSL_CERT_FILE", own.display().to_string())]);
    fixture.fetch().unwrap();
    assert_eq!(fixture.read("a.json"), b"content");
}

#[test]
fn a_redirect_from_https_to_http_is_not_followed() {
    let secure = secure();
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.pem");
    std::fs::write(&own, secure.certificate()).unwrap();
    let mut fixture = Fixture::new(&[unpinned("a.json")]);
    fixture.request.from = Some(Origin::parse(&format!("{}/down", secure.url())).unwrap());
    fixture.request.network = network(vec![("SSL_CERT_FILE", own.display().to_string())]);
    refused(
        fixture.fetch(),
        &["/down/a.json", "http://127.0.0.1:9/x", "from https to http"],
    );
}
