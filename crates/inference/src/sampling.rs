//! Sampling: which tokens may come next (top-k, top-p, min-p), how likely each is (temperature),
//! and one random number to choose among them.
//!
//! A token depends on its own row and position alone, not on the batch, the order or where a run
//! was resumed, and the same logits give the same token on every machine: the exponential is ours
//! and weights are whole numbers, whose sums are exact.

use std::cmp::Reverse;

use generation::Sampling;

use crate::kernels::elementwise::exp;

/// Weight of the likeliest token. Less likely ones are rounded to multiples of 2⁻⁴⁰ of it, so those
/// below 2⁻⁴¹ are never drawn, while 2²³ tokens cannot overflow a sum.
const ONE: u64 = 1 << 40;

/// Groups whose largest logits narrow the search for the k-th largest: a token belongs to group
/// `id % GROUPS`.
const GROUPS: usize = 1024;

/// The random numbers of one completion: a function of seed, problem and sample, and of nothing
/// that happens in a run.
pub(crate) struct RandomStream {
    key: [u8; blake3::KEY_LEN],
}

impl RandomStream {
    pub(crate) fn new(seed: u64, problem: &str, sample: u32) -> Self {
        let mut hasher =
            blake3::Hasher::new_derive_key("mwpbench sampling v1: seed, sample, problem id");
        // The id last: the others have fixed lengths, so that no two streams share their key
        // material.
        hasher
            .update(&seed.to_le_bytes())
            .update(&sample.to_le_bytes())
            .update(problem.as_bytes());
        Self {
            key: *hasher.finalize().as_bytes(),
        }
    }

    /// The number for new token `step`, counted from 0: uniform in 0..1, in units of 2⁻⁶⁴.
    fn number(&self, step: u64) -> u64 {
        let hash = blake3::keyed_hash(&self.key, &step.to_le_bytes());
        u64::from_le_bytes(hash.as_bytes().as_chunks().0[0])
    }
}

/// How a token is chosen where that is not done here: by the kernels of a device
/// (`cuda/kernels/sample.cuh`), which give the token of [`Sampler::sample`].
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(any(test, feature = "cuda")),
    expect(dead_code, reason = "only kernels of a GPU read it")
)]
pub(crate) struct Draw {
    /// Uniform in 0..1, in units of 2⁻⁶⁴.
    number: u64,
    /// Weight that a token must have.
    least: u64,
    /// The share that top-p drops at most; 0 for none.
    spare: f64,
    /// 0 for the likeliest token.
    temperature: f32,
    /// 0 for all.
    top_k: u32,
}

impl Draw {
    /// The likeliest token.
    pub(crate) const GREEDY: Self = Self {
        number: 0,
        least: 1,
        spare: 0.0,
        temperature: 0.0,
        top_k: 0,
    };

    /// Whether a draw says all of these settings: it knows no history.
    pub(crate) fn covers(sampling: &Sampling) -> bool {
        sampling.repetition_penalty == 1.0
    }

    /// The draw for new token `step`, counted from 0.
    pub(crate) fn of(sampling: &Sampling, stream: &RandomStream, step: u64) -> Self {
        Self {
            number: stream.number(step),
            least: least_weight(sampling.min_p),
            spare: spare_share(sampling.top_p),
            temperature: sampling.temperature,
            // No vocabulary has as many.
            top_k: sampling
                .top_k
                .map_or(0, |k| u32::try_from(k.get()).unwrap_or(0)),
        }
    }

    /// The struct of the kernel.
    #[cfg(any(test, feature = "cuda"))]
    pub(crate) fn words(&self) -> [i64; 4] {
        let last = u64::from(self.temperature.to_bits()) | u64::from(self.top_k) << 32;
        [self.number, self.least, self.spare.to_bits(), last].map(u64::cast_signed)
    }
}

/// Weight that min-p leaves, at least 1.
fn least_weight(min_p: f32) -> u64 {
    ((f64::from(min_p) * ONE as f64).ceil() as u64).max(1)
}

/// The share that top-p drops at most.
fn spare_share(top_p: f32) -> f64 {
    1.0 - f64::from(top_p)
}

/// Weight and id of a token. The greater of two is the likelier one or, of equals, that with the
/// lower id.
type Candidate = (u64, Reverse<u32>);

/// Samples tokens. Holds nothing between calls but memory, up to 32 bytes for each token of the
/// vocabulary.
#[derive(Default)]
pub(crate) struct Sampler {
    /// Logits after the repetition penalty, then probabilities relative to the likeliest,
    /// `[vocab]`.
    scores: Vec<f32>,
    /// Largest score of each group, `[min(GROUPS, vocab)]`.
    maxima: Vec<f32>,
    /// Scores that may be the k-th largest.
    pool: Vec<f32>,
    /// The latter in units of `1 / ONE`, 0 for dropped tokens, `[vocab]`.
    weights: Vec<u64>,
    /// Tokens that may be the last to stay.
    candidates: Vec<Candidate>,
}

impl Sampler {
    /// The token at place `step` of a completion, counted from 0; `None` if a logit is NaN or +∞,
    /// or all are −∞.
    ///
    /// `history` holds the ids of prompt and completion so far; those outside the vocabulary are
    /// passed over. Settings must be valid; their seed is already in the stream.
    ///
    /// # Shapes
    /// `logits` `[vocab]`, with vocab at most 2²³.
    pub(crate) fn sample(
        &mut self,
        logits: &[f32],
        history: &[u32],
        sampling: &Sampling,
        stream: &RandomStream,
        step: u64,
    ) -> Option<u32> {
        let total = self.weigh(logits, history, sampling)?;
        // Below `total`, as the number is below 2⁶⁴.
        let place = (u128::from(stream.number(step)) * u128::from(total)) >> 64;
        token_at(&self.weights, place as u64)
    }

    /// Sets the weights and returns their sum; `None` if the logits give no distribution.
    fn weigh(&mut self, logits: &[f32], history: &[u32], sampling: &Sampling) -> Option<u64> {
        debug_assert_eq!(sampling.validate(), Ok(()));
        self.penalise(logits, history, sampling.repetition_penalty);
        let largest = self.largest()?;
        let floor = sampling
            .top_k
            .map_or(f32::NEG_INFINITY, |k| self.kth_largest(k.get()));
        // With the temperature at hand and in two loops, so that the compiler makes full use of
        // vectors.
        let temperature = sampling.temperature;
        for score in &mut self.scores {
            // The difference first: the likeliest then has weight 1 at any temperature.
            let weight = exp((*score - largest) / temperature);
            *score = if *score < floor { 0.0 } else { weight };
        }
        self.weights.clear();
        self.weights
            .extend(self.scores.iter().map(|&weight| whole(weight)));
        if sampling.top_p < 1.0 || sampling.min_p > 0.0 {
            let cut = self.cut(sampling.top_p, sampling.min_p);
            for (token, weight) in (0..).zip(&mut self.weights) {
                *weight = if (*weight, Reverse(token)) < cut {
                    0
                } else {
                    *weight
                };
            }
        }
        Some(self.weights.iter().sum())
    }

    fn penalise(&mut self, logits: &[f32], history: &[u32], penalty: f32) {
        self.scores.clear();
        self.scores.extend_from_slice(logits);
        for &token in history {
            let token = token as usize;
            // From the logits, so that a token that occurs twice is penalised once.
            if let (Some(score), Some(&logit)) = (self.scores.get_mut(token), logits.get(token)) {
                *score = if logit < 0.0 {
                    logit * penalty
                } else {
                    logit / penalty
                };
            }
        }
    }

    /// Finds the largest score of each group, and of all; `None` if that is infinite or any is NaN.
    fn largest(&mut self) -> Option<f32> {
        self.maxima.clear();
        self.maxima
            .resize(GROUPS.min(self.scores.len()), f32::NEG_INFINITY);
        let mut nan = false;
        for scores in self.scores.chunks(GROUPS) {
            for (largest, &score) in self.maxima.iter_mut().zip(scores) {
                nan |= score.is_nan();
                *largest = if score > *largest { score } else { *largest };
            }
        }
        let largest = self
            .maxima
            .iter()
            .copied()
            .fold(f32::NEG_INFINITY, f32::max);
        (largest.is_finite() && !nan).then_some(largest)
    }

    /// The k-th largest score, −∞ where there are no more than k. Needs the maxima, and leaves them
    /// in another order.
    fn kth_largest(&mut self, k: usize) -> f32 {
        if k >= self.scores.len() {
            return f32::NEG_INFINITY;
        }
        // As k groups have their largest score at or above this, so have k tokens: few are left to
        // search.
        let bound = if k <= self.maxima.len() {
            kth_largest(&mut self.maxima, k)
        } else {
            f32::NEG_INFINITY
        };
        self.pool.clear();
        self.pool
            .extend(self.scores.iter().copied().filter(|&score| score >= bound));
        kth_largest(&mut self.pool, k)
    }

    /// The least candidate that both top-p and min-p keep.
    fn cut(&mut self, top_p: f32, min_p: f32) -> Candidate {
        let least = least_weight(min_p);
        if top_p >= 1.0 {
            return (least, Reverse(u32::MAX));
        }
        let total: u64 = self.weights.iter().sum();
        // What may be dropped: never all, also where the product is rounded up.
        let spare = ((spare_share(top_p) * total as f64) as u64).min(total - 1);
        let needed = total - spare;
        // All tokens up to this weight together weigh no more than `spare`, so top-p drops them:
        // few are left to order.
        let dropped = spare / self.weights.len() as u64;
        let least = least.max(dropped + 1);
        self.candidates.clear();
        let tokens = self.weights.iter().copied().zip((0..).map(Reverse));
        self.candidates
            .extend(tokens.filter(|&(weight, _)| weight >= least));

        // Halves the part that holds the one that crosses `needed`, counted from the top; the
        // lowest if none does.
        let mut above = 0;
        let mut part = self.candidates.as_mut_slice();
        while part.len() > 1 {
            let middle = part.len() / 2;
            part.select_nth_unstable(middle);
            let (lower, upper) = part.split_at_mut(middle);
            let weight: u64 = upper.iter().map(|&(weight, _)| weight).sum();
            if above + weight >= needed {
                part = upper;
            } else {
                above += weight;
                part = lower;
            }
        }
        // There is one: the likeliest weighs `ONE`, which no bound exceeds.
        part[0]
    }
}

/// The token whose share holds `place` when weights are laid end to end in the order of ids; `None`
/// past the last.
fn token_at(weights: &[u64], place: u64) -> Option<u32> {
    let mut rest = place;
    (0..).zip(weights).find_map(|(token, &weight)| {
        if rest < weight {
            return Some(token);
        }
        rest -= weight;
        None
    })
}

/// A weight in 0..=1 in units of `1 / ONE`, rounded to the nearest, halves to even.
#[inline(always)]
fn whole(weight: f32) -> u64 {
    // Numbers from 2¹² to 2¹³ are 2⁻⁴⁰ apart. Unlike a conversion to integers, this becomes vector
    // code everywhere.
    const SHIFT: f64 = 4096.0;
    (f64::from(weight) + SHIFT).to_bits() - SHIFT.to_bits()
}

/// The k-th largest value, 1 ≤ k ≤ len. Reorders the values.
fn kth_largest(values: &mut [f32], k: usize) -> f32 {
    *values
        .select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a))
        .1
}

#[cfg(test)]
mod tests; // draws against their definitions and against recorded ones
