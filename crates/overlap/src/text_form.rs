//! A text, read once for everything that it is compared by.

use std::sync::LazyLock;

use crate::deduplication::Fingerprint;
use crate::minhash::{BANDS, HashFunctions, SHINGLE, band_keys};
use crate::ngrams::RollingHashes;
use crate::normal_form::NormalForm;

static FUNCTIONS: LazyLock<HashFunctions> = LazyLock::new(HashFunctions::new);

/// A text as it is compared with others. It can take one text after another, in the same memory.
#[derive(Clone, Debug, Default)]
pub struct TextForm {
    pub(crate) normal: NormalForm,
    pub(crate) runs: RollingHashes,
    /// Of a text without words nothing.
    pub(crate) bands: [u64; BANDS],
}

impl TextForm {
    /// Of a text.
    pub fn of(text: &str) -> Self {
        let mut form = Self::default();
        form.read(text);
        form
    }

    /// Takes another text in place of the one before.
    pub fn read(&mut self, text: &str) {
        self.normal.read(text);
        self.runs.read(self.normal.words());
        let words = self.normal.words().len();
        self.bands = match words {
            0 => [0; BANDS],
            // As they come: a minimum minds neither order nor repetition.
            _ => band_keys(&FUNCTIONS.signature(self.runs.of(SHINGLE.min(words)))),
        };
    }

    /// What it is compared by with texts of a [`crate::Deduplicator`].
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_form(self)
    }
}
