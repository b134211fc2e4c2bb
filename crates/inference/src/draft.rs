//! Speculative decoding by prompt lookup: what followed the last tokens where they stood before is
//! drafted as what follows them now, and a single step checks all of it.
//!
//! With few sequences a step waits for the weights to come from memory, and further rows cost little.
//! Where a row does not depend on the rows beside it, a token that a draft led to is bit for bit the
//! one that would have been computed alone, so that no completion changes. On the completions of
//! several models to GSM8K's problems a step gives 1.4 to 1.8 tokens (`benches/README.md`).
//!
//! Source: <https://github.com/apoorvumang/prompt-lookup-decoding>; vLLM, `NgramProposer`.

/// Sequences up to which drafts are worth their rows.
pub(crate) const MAX_SEQUENCES: usize = 2;

/// Tokens of a draft.
pub(crate) const MAX_TOKENS: usize = 3;

/// Last tokens that are looked for, the longest first.
const MAX_NGRAM: usize = 3;

/// What may follow `prompt` and `tokens`: at most `max` tokens, none where the last one is new.
pub(crate) fn draft(prompt: &[u32], tokens: &[u32], max: usize) -> Vec<u32> {
    let length = prompt.len() + tokens.len();
    let at = |position: usize| match position.checked_sub(prompt.len()) {
        None => prompt[position],
        Some(position) => tokens[position],
    };
    // Tokens before position `end` that are the last ones, up to MAX_NGRAM.
    let common = |end: usize| {
        let pairs = (1..=end.min(MAX_NGRAM)).map(|back| at(end - back) == at(length - back));
        pairs.take_while(|same| *same).count()
    };
    // The latest of the longest: what was said last is likelier to be said again.
    let (mut longest, mut found) = (0, None);
    for end in (1..length).rev() {
        let common = common(end);
        if common > longest {
            (longest, found) = (common, Some(end));
        }
        if longest == MAX_NGRAM {
            break;
        }
    }
    let Some(start) = found else {
        return Vec::new();
    };
    (start..length.min(start + max)).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_what_followed_the_last_tokens_before() {
        // 1 2 3 4 … 1 2 3: what stands behind the longest of the same tokens.
        assert_eq!(draft(&[1, 2, 3, 4, 5, 6, 9], &[1, 2, 3], 3), [4, 5, 6]);
        // Across prompt and completion, no farther than the text goes.
        assert_eq!(draft(&[7, 8], &[9, 8, 9], 3), [8, 9]);
        // Three are better than one, however early.
        assert_eq!(draft(&[1, 2, 3, 4, 3, 5], &[1, 2, 3], 1), [4]);
        // Of equals the latest.
        assert_eq!(draft(&[3, 4, 3, 5], &[3], 1), [5]);
        assert_eq!(draft(&[1, 2, 3], &[4], 3), [0u32; 0]);
        assert_eq!(draft(&[5], &[], 3), [0u32; 0]);
        assert_eq!(draft(&[5, 5], &[5], 0), [0u32; 0]);
    }
}
