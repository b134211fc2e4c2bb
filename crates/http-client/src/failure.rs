//! What went wrong with a request.

use std::error::Error;
use std::io;

/// What the tunnel through a proxy says when the proxy wants another user name or password (407).
const PROXY_REFUSAL: &str = "proxy authorization required";

/// What went wrong, in words: without the address, which may be long, and with the causes, which
/// say what happened.
pub fn describe(error: &reqwest::Error) -> String {
    let mut text = match error {
        error if error.is_timeout() => "no answer in time".to_string(),
        error if error.is_connect() => "no connection".to_string(),
        _ => "the request failed".to_string(),
    };
    for cause in causes(error) {
        let message = cause.to_string();
        // Many errors already say what their cause says.
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
    }
    text
}

/// Whether TLS failed, most often for a certificate that is not trusted: another attempt would
/// fail in the same way.
pub fn is_tls_failure(error: &reqwest::Error) -> bool {
    error.is_connect() && causes(error).any(is_handshake)
}

/// rustls reports a handshake that fails as invalid data, and its connector wraps that in another
/// error of its kind, which `Error::source` passes over.
fn is_handshake(cause: &(dyn Error + 'static)) -> bool {
    cause.downcast_ref::<io::Error>().is_some_and(|error| {
        error.kind() == io::ErrorKind::InvalidData
            || error.get_ref().is_some_and(|inner| is_handshake(inner))
    })
}

/// Whether the proxy, and not the server, refused the connection for want of a password.
pub fn is_proxy_refusal(error: &reqwest::Error) -> bool {
    // The type of this error is private to the library: its text is all there is.
    error.is_connect() && causes(error).any(|cause| cause.to_string().contains(PROXY_REFUSAL))
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}
