//! What has to be said of rows and figures, each once and under a letter.

use super::rows::Row;

/// Something to be said of a row or a figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    /// A sentence without a full stop.
    pub text: String,
    /// Whether figures with this note can still be compared with others.
    pub comparable: bool,
}

impl Note {
    /// Figures with this note can be compared with others.
    pub fn remark(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            comparable: true,
        }
    }

    /// Figures with this note can only be compared with others that have the same.
    pub fn apart(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            comparable: false,
        }
    }
}

/// All notes of a leaderboard in the order in which they first appear.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes(Vec<Note>);

impl Notes {
    /// The index of a note, which is added where it is new.
    pub fn index(&mut self, note: &Note) -> usize {
        self.0
            .iter()
            .position(|known| known == note)
            .unwrap_or_else(|| {
                self.0.push(note.clone());
                self.0.len() - 1
            })
    }

    /// Those of these rows alone, which get their new places.
    pub fn of_rows(&self, rows: &mut [Row]) -> Self {
        let mut own = Self::default();
        let mut place = |index: &mut usize| *index = own.index(&self.0[*index]);
        for row in rows {
            row.notes.iter_mut().for_each(&mut place);
            let figures = row.figures.iter_mut().flatten();
            figures
                .flat_map(|figure| &mut figure.notes)
                .for_each(&mut place);
        }
        own
    }

    /// Its letters and the note, for each.
    pub fn lettered(&self) -> impl Iterator<Item = (String, &Note)> {
        self.0
            .iter()
            .enumerate()
            .map(|(index, note)| (letters(index), note))
    }

    /// Letters of several notes, such as `a,c`; empty where there is none.
    pub fn marks(&self, indices: &[usize]) -> String {
        let mut indices = indices.to_vec();
        indices.sort_unstable();
        indices
            .into_iter()
            .map(letters)
            .collect::<Vec<_>>()
            .join(",")
    }
}

/// `a` to `z` without `q`, which has no raised form in Unicode; then `aa`, `ab` and so on.
fn letters(index: usize) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnoprstuvwxyz";
    let own = char::from(LETTERS[index % LETTERS.len()]);
    match index / LETTERS.len() {
        0 => own.to_string(),
        before => format!("{}{own}", letters(before - 1)),
    }
}

/// Letters as raised characters, for plain text.
pub(crate) fn raised(marks: &str) -> String {
    const RAISED: &str = "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖqʳˢᵗᵘᵛʷˣʸᶻ";
    let raise = |c: char| match c {
        'a'..='z' => RAISED.chars().nth(c as usize - 'a' as usize).unwrap_or(c),
        other => other,
    };
    marks.chars().map(raise).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_never_run_out_or_repeat() {
        let mut all: Vec<String> = (0..700).map(letters).collect();
        assert_eq!(
            (
                all[0].as_str(),
                all[24].as_str(),
                all[25].as_str(),
                all[26].as_str()
            ),
            ("a", "z", "aa", "ab")
        );
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 700);
        assert_eq!(raised("a,aap"), "ᵃ,ᵃᵃᵖ");
    }

    #[test]
    fn equal_notes_share_a_letter() {
        let mut notes = Notes::default();
        let indices = ["one", "two", "one"].map(|text| notes.index(&Note::apart(text)));
        assert_eq!(indices, [0, 1, 0]);
        assert_eq!(notes.marks(&[1, 0]), "a,b");
        assert_eq!(notes.lettered().count(), 2);
    }
}
