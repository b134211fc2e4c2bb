//! The crate from outside: checkpoints in folders, text in and out.

mod adapters; // merged as peft merges
mod as_found; // what tools leave behind, and what is read all the same
mod chat; // prompts of chat templates
mod checkpoints; // the tiny checkpoints, and how tests damage copies of them
mod damage; // arbitrary corruption never panics
mod demo; // the demo checkpoint against transformers
mod device; // the forward pass for devices against transformers
mod gguf; // GGUF files against transformers
mod gguf_writer; // GGUF files made by a test
mod loading; // what is refused, and in which words
mod logprobs; // how likely tokens were
mod parity; // the tiny checkpoints against transformers, in any batch
mod pre_tokenizers; // every way to split texts that a GGUF file can name
mod reference; // the demo checkpoint against candle's own model
mod replicas; // several copies of a model
mod text; // special tokens, stop strings, ends, events
mod variants; // every variant of configuration and tokenizer against transformers

/// Notes how much memory is asked for while damaged files are read.
#[global_allocator]
static ALLOCATOR: damage::Watched = damage::Watched;
