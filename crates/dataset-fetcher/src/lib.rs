//! Fetches published data, verified.
