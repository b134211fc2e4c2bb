//! Which test problems occur in training files.
