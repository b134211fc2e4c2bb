//! Named, typed, checked rows of tensors: what safetensors files, shards, GGUF files and adapters
//! have in common.

mod change; // what an adapter makes of rows
mod storage; // how values are stored
mod stored; // a tensor in its file
mod weight_file; // a file, mapped or embedded

pub(crate) use change::{Change, LowRank};
pub(crate) use storage::{Rounding, Storage};
pub(crate) use stored::{RowOrder, Stored, ValueStats};
pub(crate) use weight_file::WeightFile;
