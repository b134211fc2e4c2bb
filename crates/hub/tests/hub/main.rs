//! Repositories from a server on loopback that speaks the hub's API.

mod failing; // refusals, errors that pass, damage, a full disk
mod fetching; // what is downloaded, what is not, and where it lies
mod server; // the hub and its CDN
