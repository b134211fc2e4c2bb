//! The binary itself, and what holds the workspace together.

mod bad_input; // each wrong input: one message, the right exit code, nothing half-written
mod chat; // eval --prompt-template chat
mod checkpoint; // copies of the demo checkpoint to spoil
mod command; // runs the binary
mod data; // mwpbench data
mod endpoint; // mwpbench eval --endpoint
mod eval; // mwpbench eval on the demo checkpoint
mod fetch; // mwpbench data fetch and verify
mod gate; // mwpbench compare, gate and baseline
mod grading; // explanations, profiles, the rules' cases, the self-check
mod help; // --help of every command
mod inspect; // mwpbench inspect, adapters, 8 bits
mod interruption; // kills, signals, two writers, damaged journals
mod layers; // which crate may know which
mod leaderboard; // mwpbench leaderboard, and tags
mod mathscale; // mwpbench mathscale: extract, graph, compose
mod mathscale_pairs; // mwpbench mathscale: generate, validate, screen, export
mod messages; // libraries name no flag
#[path = "../../crates/endpoint/tests/endpoint/server.rs"]
#[allow(dead_code)] // the endpoint's own tests use all of it
mod model_server; // a model behind a server on loopback, as a test wants it
mod overlap; // mwpbench data overlap, eval --exclude-ids
mod score; // mwpbench score and show
#[path = "../../crates/dataset-fetcher/tests/dataset_fetcher/server.rs"]
#[allow(dead_code)] // the fetcher's own tests use all of it
mod server; // a server on loopback that behaves badly
mod stop; // eval --stop
mod token_details; // eval --logprobs and --log-tokens
mod translate; // mwpbench data translate
