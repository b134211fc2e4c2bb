//! Streams records from files: JSON Lines, a JSON array, JSON objects one after the other, parquet.
