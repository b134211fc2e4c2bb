//! The series against the library's correctly rounded functions at a higher precision.

use dashu_float::round::mode;
use dashu_float::{Context, FBig, Repr};

use crate::equivalence::series::{self, Approximate};

/// Arguments of many sizes: integers, near 1, tiny, and some hundreds; both signs.
fn arguments() -> Vec<Repr<2>> {
    let mut arguments: Vec<Repr<2>> = (1_i64..60)
        .map(|n| Repr::new((n * n * n + 1).into(), -(n as isize % 17)))
        .collect();
    let near_one = [
        Repr::new(((1_i64 << 40) + 1).into(), -40),
        Repr::new(((1_i64 << 40) - 1).into(), -40),
    ];
    arguments.extend(
        [
            Repr::new(3.into(), -200),
            Repr::new(5.into(), -90),
            Repr::one(),
        ]
        .into_iter()
        .chain(near_one),
    );
    let negative: Vec<Repr<2>> = arguments
        .iter()
        .cloned()
        .map(|argument| -argument)
        .collect();
    arguments.extend(negative);
    arguments
}

fn assert_within(approximate: &Approximate, exact: &FBig<mode::HalfEven, 2>, what: &str) {
    let context = Context::<mode::HalfEven>::new(4_000);
    let difference = context
        .sub(&approximate.value, exact.repr())
        .unwrap()
        .value()
        .into_repr();
    if difference.significand().is_zero() {
        return;
    }
    use dashu_int::ops::BitTest;
    let size = difference.exponent() as f64 + difference.significand().bit_len() as f64;
    assert!(
        size <= approximate.log2_error,
        "{what}: off by 2^{size}, bound 2^{}",
        approximate.log2_error
    );
}

#[test]
fn errors_stay_within_the_stated_bound() {
    for bits in [128, 256, 1024] {
        let context = Context::<mode::HalfEven>::new(bits + 400);
        for x in arguments() {
            let what = format!("{bits} bits, {x:?}");
            // Large powers of e are left to the library.
            if let Some(exp) = series::exp(&x, bits) {
                assert_within(&exp, &context.exp(&x, None).unwrap().value(), &what);
            }
            let (sin, cos) = series::sin_cos(&x, bits).unwrap();
            let (exact_sin, exact_cos) = context.sin_cos(&x, None);
            assert_within(&sin, &exact_sin.unwrap().value(), &what);
            assert_within(&cos, &exact_cos.unwrap().value(), &what);
            assert_within(
                &series::arctan(&x, bits).unwrap(),
                &context.atan(&x, None).unwrap().value(),
                &what,
            );
            if x.sign() == dashu_int::Sign::Positive {
                assert_within(
                    &series::ln(&x, bits).unwrap(),
                    &context.ln(&x, None).unwrap().value(),
                    &what,
                );
            }
        }
        assert_within(&series::pi(bits).unwrap(), &context.pi(None).value(), "pi");
    }
}
