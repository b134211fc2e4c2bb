//! A recipe: the export and a base model → a folder from which a trainer fine-tunes, and from whose
//! result the evaluation begins.
//!
//! The trainer is another program ([`Trainer`]); the folder holds its configuration, the export in
//! the form that it reads, scripts that launch and continue it, and the commands that judge what
//! comes out. Whatever the trainer, it is trained on the tokens that the evaluation asks with, then
//! the solution, then the end-of-sequence token, with the loss on solution and end alone.
//!
//! What the paper states (batch, epochs, learning rate, Alpaca template) is the default, and what is
//! our choice is marked as such in the folder's README.

mod base; // what is read of the base model's files
mod data; // the export, in the form that the trainer reads
mod fault; // what can be wrong with a recipe
mod memory; // how much memory the training takes
mod plan; // what is asked for, and the batch it comes to
mod render; // the templates of the files
mod torchtune; // the builder that a model has in torchtune
mod trainer; // the trainers, and what each is like
mod write; // the folder

pub use base::BaseModel;
pub use fault::RecipeFault;
pub use memory::{MemoryEstimate, ModelShape};
pub use plan::{Batch, LoraOptions, RecipePlan};
pub use trainer::Trainer;
pub use write::{RecipeCommands, RecipeOutcome, recipe};
