//! A generator that may be left out: `--model` is asked for only where a model is needed.

use clap::{ArgMatches, Command, Error, FromArgMatches};

use crate::generator::GeneratorArgs;

/// The flags of a generator, where `--model` is given.
pub struct OptionalGenerator(pub Option<GeneratorArgs>);

const MODEL: &str = "model";

impl clap::Args for OptionalGenerator {
    fn augment_args(command: Command) -> Command {
        GeneratorArgs::augment_args(command).mut_arg(MODEL, |model| model.required(false))
    }

    fn augment_args_for_update(command: Command) -> Command {
        GeneratorArgs::augment_args_for_update(command)
    }
}

impl FromArgMatches for OptionalGenerator {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Ok(Self(match matches.contains_id(MODEL) {
            true => Some(GeneratorArgs::from_arg_matches(matches)?),
            false => None,
        }))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
