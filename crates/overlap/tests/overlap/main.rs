//! Test items in texts and in training files.

/// What a text has in common with items.
mod looking_up;

/// Training files of every kind: what is read, counted, found and refused.
mod scanning;

/// Published sets, where they are at hand.
mod real;

use overlap::{Index, OverlapOptions, TestItem};

/// Items `set/1`, `set/2`, … with these texts.
pub(crate) fn items(set: &str, texts: &[&str]) -> Vec<TestItem> {
    let item = |(number, text): (usize, &&str)| TestItem {
        id: format!("{set}/{}", number + 1),
        set: set.to_owned(),
        text: (*text).to_owned(),
    };
    texts.iter().enumerate().map(item).collect()
}

pub(crate) fn index(texts: &[&str], options: OverlapOptions) -> Index {
    Index::new(items("set", texts), options).unwrap()
}
