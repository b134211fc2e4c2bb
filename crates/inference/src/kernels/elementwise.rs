//! What happens to each row or element by itself: norms, activations, exponentials.

use super::arithmetic::{Arithmetic, LANES, multiply_add};

/// RMSNorm of a row: `x / sqrt(mean(x²) + epsilon) · weight`.
///
/// # Shapes
/// All `[hidden]`.
#[inline(always)]
pub(crate) fn rms_norm<A: Arithmetic>(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
    let (chunks, rest) = x.as_chunks::<LANES>();
    let mut squares = [0f32; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            squares[lane] = multiply_add::<A>(chunk[lane], chunk[lane], squares[lane]);
        }
    }
    for (square, &x) in squares.iter_mut().zip(rest) {
        *square = multiply_add::<A>(x, x, *square);
    }
    let mean = squares.iter().sum::<f32>() / x.len() as f32;
    let scale = 1.0 / (mean + epsilon).sqrt();
    for ((y, &x), &weight) in out.iter_mut().zip(x).zip(weight) {
        *y = weight * (x * scale);
    }
}

/// `silu(x) = x / (1 + e⁻ˣ)`.
#[inline(always)]
pub(crate) fn silu(x: f32) -> f32 {
    x / (1.0 + exp(-x))
}

/// `gelu(x)` by the tangent: `x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))`, which is `x / (1 +
/// e⁻²ʸ)` for that argument `y`.
#[inline(always)]
pub(crate) fn gelu_tanh(x: f32) -> f32 {
    const SCALE: f32 = std::f32::consts::FRAC_2_SQRT_PI * std::f32::consts::FRAC_1_SQRT_2;
    let y = SCALE * (x + 0.044_715 * x * x * x);
    x / (1.0 + exp(-2.0 * y))
}

/// `eˣ` with a relative error below 2e-7 where the result is a normal number; 0 below −87.3,
/// infinite above 88.7, and NaN for NaN.
///
/// Ours rather than the C library's, because a loop over it becomes vector code and because its
/// result does not change with the C library that a binary is linked to.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // Adding and subtracting 1.5·2²³ rounds to the nearest integer without needing SSE4.1.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts: the first has few enough bits that its product with any exponent is exact.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let clamped = x.clamp(-87.3, 88.7);
    let rounded = clamped * std::f32::consts::LOG2_E + ROUND;
    let exponent = rounded - ROUND;
    let r = clamped - exponent * LN2_HIGH - exponent * LN2_LOW;
    // The Taylor series: |r| ≤ ln 2 / 2, so that its first term left out, r⁸/8!, is below 6e-9.
    let mut p = 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    // Two factors, because 2¹²⁸ alone is not a finite number.
    let whole = (rounded.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    let half = whole >> 1;
    let result = p * power_of_two(half) * power_of_two(whole - half);
    let result = if x < -87.3 { 0.0 } else { result };
    if x > 88.7 { f32::INFINITY } else { result }
}

/// `2ⁿ` for −126 ≤ n ≤ 127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_is_accurate_over_its_whole_range() {
        let mut worst = 0f64;
        for step in -872_000..=887_000 {
            let x = step as f32 * 1e-4;
            let expected = f64::from(x).exp();
            worst = worst.max((f64::from(exp(x)) - expected).abs() / expected);
        }
        assert!(worst < 2e-7, "relative error {worst}");
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-1000.0), 0.0);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(1000.0), f32::INFINITY);
        assert!(exp(f32::NAN).is_nan());
    }
}
