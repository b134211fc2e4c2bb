//! Values that occur often, by number.

use std::collections::HashMap;
use std::hash::Hash;

pub(crate) struct Table<T> {
    pub(crate) numbers: HashMap<T, usize>,
    pub(crate) values: Vec<T>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            numbers: HashMap::new(),
            values: Vec::new(),
        }
    }
}

impl<T: Clone + Eq + Hash> Table<T> {
    /// The number of a value, which is a new one's place among the values.
    pub(crate) fn number(&mut self, value: &T) -> usize {
        if let Some(number) = self.numbers.get(value) {
            return *number;
        }
        self.values.push(value.clone());
        self.numbers.insert(value.clone(), self.values.len() - 1);
        self.values.len() - 1
    }
}
