//! What an evaluation promises, with scripted generators in place of a model.

mod averages; // the paper's table 5 from its own accuracies
mod elsewhere; // completions made elsewhere
mod excluding; // ids that a run leaves out
mod folder; // the run folder: resumption, other runs, damage
mod intervals; // Wilson's interval against published values
mod scripted; // the generator that answers from a script
mod selecting; // tasks, cap and limit
mod templates; // named templates and users' files
