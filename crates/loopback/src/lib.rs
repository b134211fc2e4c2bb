//! Servers on loopback for tests, which answer as a test wants it, byte by byte.
//!
//! * [`files`]: a server of files, whose handler writes to the connection itself.
//! * [`completions`]: an OpenAI-compatible server, whose handler gives a list of acts.
//! * [`tls`]: a server with a certificate that it signed itself.
//!
//! All of them misbehave only where the test's handler does: they refuse to know what is tested.

pub mod completions; // a model behind an OpenAI-compatible server
pub mod files; // a server of files
pub mod tls; // a server with a certificate of its own
