//! Elementary functions of binary floating-point numbers by power series in fixed point.
//!
//! A library that rounds every result correctly takes some twenty times longer; a stated bound on
//! the error is all that balls need. Fixed-point numbers are integers in units of `2^-scale`.
//! Arguments are first made small by halving, so that a series takes some dozen terms, and the
//! scale holds [`GUARD`] more bits than asked for. No function below makes more than 2,000
//! roundings of one unit each, and undoing the halvings multiplies errors by at most 2^8, so that
//! the error stays under `2^SLACK` units.

use std::sync::LazyLock;

use dashu_float::round::mode;
use dashu_float::{ConstCache, Repr};
use dashu_int::ops::{Abs, BitTest, SquareRoot};
use dashu_int::{IBig, Sign, UBig};

/// Bits carried beyond the working precision.
const GUARD: isize = 32;

/// Binary logarithm of the error bound, in units of the fixed-point scale.
const SLACK: isize = 20;

/// π and ln 2 are kept with that many binary places; results that need more are left to the
/// library.
const CONSTANT_SCALE: isize = 4_608;

/// π and ln 2 in units of `2^-CONSTANT_SCALE`, to the nearest unit or the one beside it.
static CONSTANTS: LazyLock<[IBig; 2]> = LazyLock::new(|| {
    let mut cache = ConstCache::new();
    let bits = CONSTANT_SCALE as usize + 8;
    let pi = cache.pi::<2, mode::HalfEven>(bits).value().into_repr();
    let ln2 = cache.ln2::<2, mode::HalfEven>(bits).into_repr();
    [fixed(&pi, CONSTANT_SCALE), fixed(&ln2, CONSTANT_SCALE)]
});

/// A value and the binary logarithm of a bound on its error.
pub(super) struct Approximate {
    pub value: Repr<2>,
    pub log2_error: f64,
}

impl Approximate {
    fn new(fixed: IBig, scale: isize) -> Self {
        Self {
            value: Repr::new(fixed, -scale),
            log2_error: (SLACK - scale) as f64,
        }
    }
}

/// π to at least that many bits, where the constants have them.
pub(super) fn pi(bits: usize) -> Option<Approximate> {
    let scale = bits as isize + GUARD;
    Some(Approximate::new(constant(0, scale)?, scale))
}

/// `e^x`, relatively to that many bits; `None` for arguments too large to be reduced here.
pub(super) fn exp(x: &Repr<2>, bits: usize) -> Option<Approximate> {
    const HALVINGS: usize = 8;
    let scale = scale_for(x, bits)?;
    let ln2 = constant(1, scale)?;
    let x = fixed(x, scale);
    // The multiple of ln 2 has at most 16 bits, and so has its error in units.
    let turns = isize::try_from(nearest_quotient(&x, &ln2))
        .ok()
        .filter(|turns| turns.unsigned_abs() < 1 << 16)?;
    let small = (x - ln2 * IBig::from(turns)) >> HALVINGS;
    let mut sum = one(scale) + &small;
    let mut term = small.clone();
    let mut index = 2_u32;
    while !is_negligible(&term) {
        term = ((term * &small) >> scale as usize) / index;
        sum += &term;
        index += 1;
    }
    for _ in 0..HALVINGS {
        sum = square(&sum, scale);
    }
    let result = Approximate::new(sum, scale);
    let (significand, exponent) = result.value.into_parts();
    Some(Approximate {
        value: Repr::new(significand, exponent + turns),
        log2_error: result.log2_error + turns as f64,
    })
}

/// `sin x` and `cos x`, absolutely to that many bits, and relatively for small arguments.
pub(super) fn sin_cos(x: &Repr<2>, bits: usize) -> Option<(Approximate, Approximate)> {
    const HALVINGS: usize = 4;
    let scale = scale_for(x, bits)?;
    // A quarter of π in half units is π/2 in whole ones.
    let quarter = constant(0, scale + 1)? >> 2;
    let x = fixed(x, scale);
    let quarters = nearest_quotient(&x, &quarter);
    let small = (x - quarter * &quarters) >> HALVINGS;
    let (mut sin, mut cos) = (small.clone(), one(scale));
    let mut term = small.clone();
    let mut index = 2_u32;
    while !is_negligible(&term) {
        term = ((term * &small) >> scale as usize) / index;
        let target = if index.is_multiple_of(2) {
            &mut cos
        } else {
            &mut sin
        };
        if index % 4 < 2 {
            *target += &term
        } else {
            *target -= &term
        }
        index += 1;
    }
    for _ in 0..HALVINGS {
        // sin 2φ = 2 sin φ cos φ, doubled by the shorter shift; cos 2φ = 1 - 2 sin² φ.
        let product: IBig = (&sin * &cos) >> (scale - 1) as usize;
        cos = one(scale) - (square(&sin, scale) << 1);
        sin = product;
    }
    let unturned = quarters.is_zero();
    // The two last bits in two's complement are the remainder modulo 4 of a negative number too.
    let place = (quarters & IBig::from(3)).try_into().unwrap_or(0_u8);
    let (sin, cos) = match place {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    };
    // The error of π/2 counts once for each quarter turn.
    let turned = |value| {
        let result = Approximate::new(value, scale);
        Approximate {
            log2_error: result.log2_error + (scale - bits as isize - GUARD) as f64,
            ..result
        }
    };
    Some(if unturned {
        (Approximate::new(sin, scale), Approximate::new(cos, scale))
    } else {
        (turned(sin), turned(cos))
    })
}

/// `arctan x`, absolutely to that many bits, and relatively for small arguments.
pub(super) fn arctan(x: &Repr<2>, bits: usize) -> Option<Approximate> {
    const HALVINGS: usize = 5;
    if x.significand().is_zero() {
        return None;
    }
    let scale = scale_for(x, bits)?;
    let negative = x.sign() == Sign::Negative;
    let mut tangent = fixed(x, scale).abs();
    let unit = one(scale);
    let steep = tangent > unit;
    if steep {
        // arctan t = π/2 - arctan(1/t), so that the series gets an argument of at most 1.
        tangent = (one(2 * scale)) / tangent;
    }
    for _ in 0..HALVINGS {
        // tan(φ/2) = tan φ / (1 + √(1 + tan² φ))
        let secant = root(&(square(&tangent, scale) + &unit), scale);
        tangent = (tangent << scale as usize) / (secant + &unit);
    }
    let mut angle = odd_series(&tangent, scale, true) << HALVINGS;
    if steep {
        angle = (constant(0, scale)? >> 1) - angle;
    }
    Some(Approximate::new(
        if negative { -angle } else { angle },
        scale,
    ))
}

/// `ln x` of a positive number, absolutely to that many bits, and relatively for arguments near 1.
pub(super) fn ln(x: &Repr<2>, bits: usize) -> Option<Approximate> {
    const HALVINGS: usize = 4;
    let length = x.significand().bit_len() as isize;
    // x = m 2^k with m in [3/4, 3/2), so that k = 0 near 1.
    let mut exponent = x.exponent() + length;
    let low_half = length < 2 || !x.significand().bit(length as usize - 2);
    if low_half {
        exponent -= 1;
    }
    if exponent.unsigned_abs() > 1 << 16 || length > 2 * CONSTANT_SCALE {
        return None;
    }
    let mantissa = Repr::new(x.significand().clone(), x.exponent() - exponent);
    let mut scale = bits as isize + GUARD;
    if exponent == 0 {
        // ln(1 + d) is about d: as many more bits as d has leading zeros.
        let places = (-mantissa.exponent()).max(0);
        let distance = fixed(&mantissa, places) - one(places);
        if distance.is_zero() {
            return Some(Approximate {
                value: Repr::zero(),
                log2_error: f64::NEG_INFINITY,
            });
        }
        scale += (places - distance.bit_len() as isize).max(0);
    }
    let ln2 = constant(1, scale)?;
    let unit = one(scale);
    let mut value = fixed(&mantissa, scale);
    for _ in 0..HALVINGS {
        value = root(&value, scale);
    }
    // ln v = 2 artanh((v − 1)/(v + 1))
    let ratio = ((&value - &unit) << scale as usize) / (value + &unit);
    let logarithm = odd_series(&ratio, scale, false) << (HALVINGS + 1);
    Some(Approximate::new(
        logarithm + ln2 * IBig::from(exponent),
        scale,
    ))
}

/// `t ∓ t³/3 + t⁵/5 ∓ …`: arctan with alternating signs, artanh without.
fn odd_series(t: &IBig, scale: isize, alternating: bool) -> IBig {
    let t_square = square(t, scale);
    let mut power = t.clone();
    let mut sum = t.clone();
    let mut index = 3_u32;
    while !is_negligible(&power) {
        power = (power * &t_square) >> scale as usize;
        let term = &power / index;
        if alternating && index % 4 == 3 {
            sum -= term
        } else {
            sum += term
        }
        index += 2;
    }
    sum
}

/// A scale that keeps the digits of small arguments, and of what large ones leave after reduction;
/// `None` beyond the digits of the constants.
fn scale_for(x: &Repr<2>, bits: usize) -> Option<isize> {
    let top = x.exponent() + x.significand().bit_len() as isize;
    let scale = bits as isize + GUARD + top.abs();
    (scale < CONSTANT_SCALE && x.significand().bit_len() < 2 * CONSTANT_SCALE as usize)
        .then_some(scale)
}

fn constant(which: usize, scale: isize) -> Option<IBig> {
    let surplus = usize::try_from(CONSTANT_SCALE - scale).ok()?;
    Some(&CONSTANTS[which] >> surplus)
}

fn one(scale: isize) -> IBig {
    IBig::ONE << scale as usize
}

/// The number in units of `2^-scale`, rounded down.
fn fixed(x: &Repr<2>, scale: isize) -> IBig {
    let shift = x.exponent() + scale;
    let significand = x.significand();
    if shift >= 0 {
        significand << shift as usize
    } else {
        significand >> shift.unsigned_abs()
    }
}

fn nearest_quotient(dividend: &IBig, divisor: &IBig) -> IBig {
    // Rounding down after adding a half; the shift rounds towards −∞, the division of positives
    // too.
    let doubled: IBig = (dividend << 1) + divisor;
    let divisor: IBig = divisor << 1;
    let quotient = &doubled / &divisor;
    if doubled.sign() == Sign::Negative {
        quotient - IBig::ONE
    } else {
        quotient
    }
}

fn root(value: &IBig, scale: isize) -> IBig {
    let radicand: UBig = (value << scale as usize).try_into().unwrap_or(UBig::ZERO);
    IBig::from(radicand.sqrt())
}

/// Whether a term is at most a unit, so that those after it sum to less than one more.
fn is_negligible(term: &IBig) -> bool {
    term.bit_len() <= 1
}

/// The square of a fixed-point number.
fn square(value: &IBig, scale: isize) -> IBig {
    (value * value) >> scale as usize
}
