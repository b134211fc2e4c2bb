//! Fetching from servers that behave badly, and verifying what is there.

mod archives; // a publisher's tar file
mod broken; // connections that break, stall, lie or never end
mod digests; // git blob ids
mod fixture; // a data folder and a request with short timeouts
mod network; // proxies, certificates, redirects
mod real; // real files, where they are there
mod refused; // what must not be kept or replaced
mod verify; // hashing again
