//! How many tokens a text may have, without a tokenizer.

/// A token of LLaMA's and Mistral's tokenizers is about four bytes of English prose and two to three
/// of formulas and numbers; three errs on the side of more tokens.
const BYTES_PER_TOKEN: usize = 3;

/// A token for every three bytes of UTF-8, rounded up.
pub fn estimated_tokens(text: &str) -> usize {
    text.len().div_ceil(BYTES_PER_TOKEN)
}
