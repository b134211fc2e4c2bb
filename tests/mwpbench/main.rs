//! The binary itself, and what holds the workspace together.

mod bad_input; // each wrong input: one message, the right exit code, nothing half-written
mod chat; // eval --prompt-template chat
mod checkpoint; // copies of the demo checkpoint to spoil
mod command; // runs the binary
mod data; // mwpbench data
mod endpoint; // mwpbench eval --endpoint
mod eval; // mwpbench eval on the demo checkpoint
mod export; // mwpbench export
mod fetch; // mwpbench data fetch and verify
mod further; // further sets, suites, few-shot prompts, tokens
mod gate; // mwpbench compare, gate and baseline
mod grading; // explanations, profiles, the rules' cases, the self-check
mod help; // --help of every command
mod hub; // checkpoints from a hub on loopback
mod import_run; // completions of other programs
mod inspect; // mwpbench inspect, adapters, 8 bits
mod interruption; // kills, signals, two writers, damaged journals
mod layers; // which crate may know which
mod leaderboard; // mwpbench leaderboard, and tags
mod mathscale; // mwpbench mathscale: extract, graph, compose
mod mathscale_model; // how its stages ask a server: schema, estimate, price, early end
mod mathscale_pairs; // mwpbench mathscale: generate, validate, screen, export
mod messages; // libraries name no flag
mod overlap; // mwpbench data overlap, eval --exclude-ids
mod recipe; // mwpbench mathscale recipe
mod report; // mwpbench report
mod schemas; // docs/schemas, from the types
mod score; // mwpbench score and show
mod serve; // mwpbench serve
mod shards; // eval --shard, mwpbench merge
mod stop; // eval --stop
mod sweep; // eval over several checkpoints
mod token_details; // eval --logprobs and --log-tokens
mod translate; // mwpbench data translate
mod watch; // eval --watch
