//! How many tokens a text may have, without a tokenizer.

/// Tokenizers of LLaMA and Mistral take about four bytes of English prose for a
/// token and two to three of formulas and numbers; three errs on the side of more tokens.
const BYTES_PER_TOKEN: usize = 3;

/// A token for every three bytes of UTF-8, rounded up.
pub fn estimated_tokens(text: &str) -> usize {
    text.len().div_ceil(BYTES_PER_TOKEN)
}
