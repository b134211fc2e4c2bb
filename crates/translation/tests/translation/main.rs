//! Checks against published translations, and whole translations by scripted generators.

mod published; // the authors' own translations
mod whole; // from a file to a file
