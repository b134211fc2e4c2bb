//! Ape210k as published (Chenny0808/ape210k): JSON Lines in Chinese with Math23k's fields and
//! `segmented_text`. Answers are numbers, `(3/5)`, `15%`, `1(1/2)` (one and a half), and now and
//! then an expression that was not worked out, such as `50/(1-(1/3))`; they stay as they are.

use super::{PublishedFormat, belongs_to_split, has_extension, math23k};

pub(crate) const FORMAT: PublishedFormat = PublishedFormat {
    form: "Ape210k as published: original_text, equation, ans",
    file_names: "test.ape.json, train.ape.json, valid.ape.json",
    belongs: |path, split| has_extension(path, &["json", "jsonl"]) && belongs_to_split(path, split),
    read: math23k::read,
};
