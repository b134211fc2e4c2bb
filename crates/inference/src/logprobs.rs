//! What a row of logits says when all of it is stored: its argmax, and the log-probability of a
//! token.
//!
//! Each result depends on its row alone and is summed in one order, so that it is the same bit for
//! bit in any batch.

use crate::kernels::arithmetic::LANES;
use crate::kernels::elementwise::exp;

/// What a model says of a token of a prompt, given those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PromptLogprob {
    /// The token's own log-probability; `None` for the first one, which follows nothing, and where
    /// it is no finite number.
    pub logprob: Option<f32>,
    /// The likeliest token there, and its log-probability.
    pub top: Option<(u32, f32)>,
}

impl PromptLogprob {
    /// Of a token, from the logits behind the token before it.
    ///
    /// # Shapes
    /// `logits` `[vocab]`.
    pub(crate) fn of(token: u32, logits: &[f32]) -> Self {
        let top = argmax(logits);
        Self {
            logprob: logprob(logits, token),
            top: top.and_then(|top| Some((top, logprob(logits, top)?))),
        }
    }
}

/// The token with the largest logit, the lowest id of equals; `None` if a logit is NaN. The same as
/// [`Argmax`](crate::ops::Argmax) finds without storing logits.
///
/// # Shapes
/// `logits` `[vocab]`.
pub(crate) fn argmax(logits: &[f32]) -> Option<u32> {
    let most = largest(logits);
    let sound = logits
        .iter()
        .fold(true, |sound, logit| sound & !logit.is_nan());
    let token = if sound {
        logits.iter().position(|&logit| logit == most)
    } else {
        None
    };
    token.map(|token| token as u32)
}

/// Natural logarithm of the probability of a token, at most 0: its log-softmax over all logits,
/// before temperature, penalties and anything else that sampling does. `None` where that is no
/// finite number: a logit is NaN or infinite.
///
/// The exponentials are f32 with a relative error below 2e-7, their sum and the logarithm f64, so
/// the absolute error is below 3e-7 and half a unit in the last place of the result.
///
/// # Shapes
/// `logits` `[vocab]`.
pub(crate) fn logprob(logits: &[f32], token: u32) -> Option<f32> {
    let largest = largest(logits);
    let (chunks, rest) = logits.as_chunks::<LANES>();
    let mut sums = [0f64; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            sums[lane] += f64::from(exp(chunk[lane] - largest));
        }
    }
    for (sum, &logit) in sums.iter_mut().zip(rest) {
        *sum += f64::from(exp(logit - largest));
    }
    // At least 1, since the largest logit adds exp(0), so that the result is at most 0. A logit of
    // +∞ makes it NaN.
    let total: f64 = sums.iter().sum();
    let logit = *logits.get(token as usize)?;
    let logprob = (f64::from(logit) - f64::from(largest) - total.ln()) as f32;
    logprob.is_finite().then_some(logprob)
}

/// The largest logit, those that are NaN passed over; −∞ where there is none.
fn largest(logits: &[f32]) -> f32 {
    let larger = |most: f32, logit: f32| if logit > most { logit } else { most };
    let (chunks, rest) = logits.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] = larger(lanes[lane], chunk[lane]);
        }
    }
    lanes
        .into_iter()
        .chain(rest.iter().copied())
        .fold(f32::NEG_INFINITY, larger)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, in f64.
    fn reference(logits: &[f32], token: usize) -> f64 {
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let difference = |logit: f32| f64::from(logit) - f64::from(largest);
        difference(logits[token])
            - logits
                .iter()
                .map(|&logit| difference(logit).exp())
                .sum::<f64>()
                .ln()
    }

    /// Logits of several sizes, in an order without pattern.
    fn rows() -> Vec<Vec<f32>> {
        let row = |length: u64, size: f32| {
            let value = |i: u64| (i * 2_654_435_761 % 10_007) as f32 / 10_007.0 - 0.5;
            (0..length).map(|i| size * value(i * 31 + length)).collect()
        };
        [1, 2, 15, 16, 17, 300, 2048, 32_003]
            .into_iter()
            .flat_map(|length| [0.1, 5.0, 60.0].map(|size| row(length, size)))
            .collect()
    }

    #[test]
    fn log_probabilities_are_those_of_the_definition() {
        for logits in rows() {
            for token in (0..logits.len()).step_by(1 + logits.len() / 7) {
                let (found, expected) = (
                    logprob(&logits, token as u32).unwrap(),
                    reference(&logits, token),
                );
                let worst = 3e-7 + expected.abs() * f64::from(f32::EPSILON) / 2.0;
                assert!(
                    (f64::from(found) - expected).abs() <= worst,
                    "{found} for {expected} among {}",
                    logits.len()
                );
                assert!(found <= 0.0);
            }
        }
    }

    #[test]
    fn a_certain_token_has_the_log_probability_0_and_not_its_negative() {
        assert_eq!(logprob(&[3.0], 0).map(f32::to_bits), Some(0));
        assert_eq!(
            logprob(&[-200.0, 3.0, -200.0], 1).map(f32::to_bits),
            Some(0)
        );
    }

    #[test]
    fn what_is_dropped_by_the_model_takes_no_part() {
        let logits = [1.0, f32::NEG_INFINITY, 2.0];
        let expected = reference(&[1.0, 2.0], 1) as f32;
        assert_eq!(logprob(&logits, 2), Some(expected));
        assert_eq!(logprob(&logits, 1), None);
    }

    #[test]
    fn without_a_distribution_there_is_no_log_probability() {
        assert_eq!(logprob(&[1.0, f32::NAN], 0), None);
        assert_eq!(logprob(&[1.0, f32::INFINITY], 1), None);
        assert_eq!(logprob(&[f32::NEG_INFINITY; 20], 3), None);
        assert_eq!(logprob(&[1.0, 2.0], 2), None);
    }

    #[test]
    fn the_lowest_of_equals_is_the_most_likely_and_nan_is_none() {
        for logits in rows() {
            let expected = logits
                .iter()
                .enumerate()
                .rev()
                .max_by(|(_, a), (_, b)| a.total_cmp(b))
                .unwrap();
            assert_eq!(argmax(&logits), Some(expected.0 as u32));
        }
        assert_eq!(argmax(&[1.0, 7.0, 7.0, 0.0]), Some(1));
        for place in [0, 5, 30] {
            let mut logits = vec![1.0; 31];
            logits[place] = f32::NAN;
            assert_eq!(argmax(&logits), None);
        }
    }
}
