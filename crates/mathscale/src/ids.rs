//! Many ids in little memory: one behind the other.

/// Ids by their numbers, from 0. Each takes its bytes and eight more.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ids {
    text: String,
    /// Where each ends.
    ends: Vec<u64>,
}

impl Ids {
    pub(crate) fn push(&mut self, id: &str) {
        self.text.push_str(id);
        self.ends.push(self.text.len() as u64);
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// # Panics
    /// If there is no id of this number.
    pub(crate) fn get(&self, number: usize) -> &str {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start as usize..self.ends[number] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_by_their_numbers() {
        let mut ids = Ids::default();
        let names = ["pair/1", "", "ä", "pair/20"];
        names.iter().for_each(|name| ids.push(name));
        let found: Vec<&str> = (0..ids.len()).map(|number| ids.get(number)).collect();
        assert_eq!(found, names);
    }
}
