//! What an evaluation promises, with scripted generators in place of a model.

mod averages; // the paper's table 5 from its own accuracies
mod best; // the best of several runs
mod chat; // chat templates around the question
mod comparing; // two runs, baselines, and what is wrong with either
mod deduplicated; // each problem counted once
mod excluding; // ids that a run leaves out
mod few_shot; // examples before each question
mod folder; // the run folder: resumption, other runs, damage
mod further; // the further sets on the publishers' own files
mod gating; // the gate's rules and verdicts
mod intervals; // Wilson's interval against published values
mod offline; // completions from elsewhere
mod sampled; // intervals of averages, pass@k and maj@k
mod scripted; // runs with a scripted generator
mod selecting; // tasks, cap and limit
mod shards; // a run dealt to several machines, and merged
mod suites; // sets under one name, and their averages
mod templates; // named templates and users' files
mod thinking; // budgets of thinking, and what it took
