//! Stop strings, watched by the client.
//!
//! The string that is whole first ends the text; of several that become whole with the same
//! character, the one that began first. Said so, the cut does not depend on the pieces in which a
//! server sends its text.

/// Collects a text and cuts it at the first stop string.
#[derive(Debug)]
pub(crate) struct StoppedText<'a> {
    text: String,
    stops: Vec<&'a str>,
    longest: usize,
}

impl<'a> StoppedText<'a> {
    /// Empty stop strings never match.
    pub(crate) fn new(stops: &'a [String]) -> Self {
        let stops: Vec<&str> = stops
            .iter()
            .map(String::as_str)
            .filter(|stop| !stop.is_empty())
            .collect();
        let longest = stops.iter().map(|stop| stop.len()).max().unwrap_or(0);
        Self {
            text: String::new(),
            stops,
            longest,
        }
    }

    /// Adds a piece; true where a stop string is in the text now, which then ends before it.
    pub(crate) fn push(&mut self, piece: &str) -> bool {
        // A string that is whole only now has its last character in the new piece.
        let start = self
            .text
            .floor_char_boundary(self.text.len().saturating_sub(self.longest));
        self.text.push_str(piece);
        let found = |stop: &&str| {
            self.text[start..]
                .find(*stop)
                .map(|at| (start + at + stop.len(), start + at))
        };
        // The pairs are in order of the end first, the beginning second: the rule of this module.
        match self.stops.iter().filter_map(found).min() {
            Some((_, begin)) => {
                self.text.truncate(begin);
                true
            }
            None => false,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(pieces: &[&str], stops: &[&str]) -> (String, bool) {
        let stops: Vec<String> = stops.iter().map(|stop| stop.to_string()).collect();
        let mut text = StoppedText::new(&stops);
        let stopped = pieces.iter().any(|piece| text.push(piece));
        (text.into_text(), stopped)
    }

    #[test]
    fn a_stop_string_over_several_pieces_is_found() {
        for pieces in [
            vec!["42\n### Instruction:\nnext"],
            vec!["42\n##", "# Instr", "uction", ":\nnext"],
        ] {
            assert_eq!(
                cut(&pieces, &["### Instruction:", "</s>"]),
                ("42\n".to_string(), true)
            );
        }
        assert_eq!(cut(&["abc"], &["", "x"]), ("abc".to_string(), false));
        assert_eq!(
            cut(&["abcdef"], &["abcdef", "cd"]),
            ("ab".to_string(), true)
        );
        assert_eq!(cut(&["xab"], &["b", "ab"]), ("x".to_string(), true));
    }

    proptest! {
        #[test]
        fn the_pieces_do_not_matter(text in "[abé]{0,20}", stops in prop::collection::vec("[abé]{0,4}", 0..4), size in 1..5usize) {
            let stops: Vec<&str> = stops.iter().map(String::as_str).collect();
            let characters: Vec<char> = text.chars().collect();
            let pieces: Vec<String> = characters.chunks(size).map(|piece| piece.iter().collect()).collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            let (found, stopped) = cut(&pieces, &stops);
            prop_assert_eq!((found.clone(), stopped), cut(&[&text], &stops));
            prop_assert!(text.starts_with(&found));
            prop_assert_eq!(stopped, stops.iter().any(|stop| !stop.is_empty() && text.contains(stop)));
        }
    }
}
