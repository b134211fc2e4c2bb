//! Complex numbers over any arithmetic of reals with errors, and the elementary functions on them.
//!
//! Principal values throughout. A value on a branch cut within its error counts as lying on the
//! cut, where the argument is π: `ln(e^{iπ})` is then iπ although the computed imaginary part of
//! `e^{iπ}` is a ball around zero.

use std::cmp::Ordering;

use dashu_int::IBig;
use dashu_ratio::RBig;

use super::real::Real;

/// A complex number in Cartesian form. Real numbers have an imaginary part that is exactly zero.
#[derive(Clone, Debug)]
pub(super) struct Complex<R> {
    pub re: R,
    pub im: R,
}

/// Integer powers up to this exponent are multiplied out by repeated squaring; beyond it,
/// logarithms lose nothing.
const MAX_SQUARING_EXPONENT: u64 = 1 << 40;

impl<R: Real> Complex<R> {
    pub(super) fn real(re: R) -> Self {
        Self { re, im: R::zero() }
    }

    pub(super) fn rational(value: &RBig, context: &mut R::Context) -> Option<Self> {
        R::rational(value, context).map(Self::real)
    }

    pub(super) fn integer(value: i64, context: &mut R::Context) -> Option<Self> {
        Self::rational(&RBig::from(value), context)
    }

    pub(super) fn imaginary_unit(context: &mut R::Context) -> Option<Self> {
        Some(Self {
            re: R::zero(),
            im: R::rational(&RBig::ONE, context)?,
        })
    }

    pub(super) fn is_real(&self) -> bool {
        self.im.is_zero()
    }

    /// The real number, where the imaginary part is exactly zero.
    pub(super) fn as_real(&self) -> Option<&R> {
        self.is_real().then_some(&self.re)
    }

    pub(super) fn add(&self, other: &Self, context: &mut R::Context) -> Option<Self> {
        Some(Self {
            re: self.re.add(&other.re, context)?,
            im: self.im.add(&other.im, context)?,
        })
    }

    pub(super) fn subtract(&self, other: &Self, context: &mut R::Context) -> Option<Self> {
        self.add(&other.negated(), context)
    }

    pub(super) fn negated(&self) -> Self {
        Self {
            re: self.re.negated(),
            im: self.im.negated(),
        }
    }

    pub(super) fn conjugate(&self) -> Self {
        Self {
            re: self.re.clone(),
            im: self.im.negated(),
        }
    }

    pub(super) fn multiply(&self, other: &Self, context: &mut R::Context) -> Option<Self> {
        if let (Some(a), Some(b)) = (self.as_real(), other.as_real()) {
            return a.multiply(b, context).map(Self::real);
        }
        let re = self.re.multiply(&other.re, context)?;
        let re = re.add(&self.im.multiply(&other.im, context)?.negated(), context)?;
        let im = self.re.multiply(&other.im, context)?;
        let im = im.add(&self.im.multiply(&other.re, context)?, context)?;
        Some(Self { re, im })
    }

    fn scaled(&self, factor: &R, context: &mut R::Context) -> Option<Self> {
        Some(Self {
            re: self.re.multiply(factor, context)?,
            im: self.im.multiply(factor, context)?,
        })
    }

    fn halved(&self, context: &mut R::Context) -> Option<Self> {
        let half = R::rational(&RBig::from_parts(1.into(), 2u8.into()), context)?;
        self.scaled(&half, context)
    }

    /// `i · self`.
    fn turned(&self) -> Self {
        Self {
            re: self.im.negated(),
            im: self.re.clone(),
        }
    }

    pub(super) fn inverse(&self, context: &mut R::Context) -> Option<Self> {
        let one = R::rational(&RBig::ONE, context)?;
        if let Some(value) = self.as_real() {
            return one.divide(value, context).map(Self::real);
        }
        let square = self.square_magnitude(context)?;
        Some(Self {
            re: self.re.divide(&square, context)?,
            im: self.im.negated().divide(&square, context)?,
        })
    }

    pub(super) fn divide(&self, other: &Self, context: &mut R::Context) -> Option<Self> {
        if let (Some(a), Some(b)) = (self.as_real(), other.as_real()) {
            return a.divide(b, context).map(Self::real);
        }
        self.multiply(&other.inverse(context)?, context)
    }

    fn square_magnitude(&self, context: &mut R::Context) -> Option<R> {
        let re = self.re.multiply(&self.re, context)?;
        re.add(&self.im.multiply(&self.im, context)?, context)
    }

    pub(super) fn magnitude(&self, context: &mut R::Context) -> Option<R> {
        if self.is_real() {
            return Some(match self.re.sign() {
                Some(Ordering::Less) => self.re.negated(),
                Some(_) => self.re.clone(),
                None => R::zero().blurred(&self.re),
            });
        }
        self.square_magnitude(context)?.root(2, context)
    }

    /// The argument, in (−π, π]; `None` where zero is within the error.
    fn argument(&self, context: &mut R::Context) -> Option<R> {
        match (self.re.sign(), self.im.sign()) {
            (Some(Ordering::Greater), _) => self.im.divide(&self.re, context)?.arctan(context),
            // Near the imaginary axis the real part may be zero within its error: the imaginary one
            // divides.
            (re, Some(side @ (Ordering::Greater | Ordering::Less)))
                if re != Some(Ordering::Greater) =>
            {
                let quarter = Self::half_pi(context)?;
                let quarter = if side == Ordering::Less {
                    quarter.negated()
                } else {
                    quarter
                };
                quarter.add(
                    &self
                        .re
                        .divide(&self.im, context)?
                        .arctan(context)?
                        .negated(),
                    context,
                )
            }
            (Some(Ordering::Less), _) => {
                let deviation = self.im.divide(&self.re, context)?.arctan(context)?;
                Some(R::pi(context)?.blurred(&deviation))
            }
            _ => None,
        }
    }

    fn half_pi(context: &mut R::Context) -> Option<R> {
        let half = R::rational(&RBig::from_parts(1.into(), 2u8.into()), context)?;
        R::pi(context)?.multiply(&half, context)
    }

    pub(super) fn exp(&self, context: &mut R::Context) -> Option<Self> {
        if self.re.is_zero() && self.is_real() {
            return Self::integer(1, context);
        }
        let magnitude = self.re.exp(context)?;
        if self.is_real() {
            return Some(Self::real(magnitude));
        }
        let (sin, cos) = self.im.sin_cos(context)?;
        Self { re: cos, im: sin }.scaled(&magnitude, context)
    }

    pub(super) fn ln(&self, context: &mut R::Context) -> Option<Self> {
        if self.is_real() && self.re.sign() == Some(Ordering::Greater) {
            return self.re.ln(context).map(Self::real);
        }
        let half = R::rational(&RBig::from_parts(1.into(), 2u8.into()), context)?;
        let re = match self.as_real() {
            Some(value) => value.negated().ln(context)?,
            None => self
                .square_magnitude(context)?
                .ln(context)?
                .multiply(&half, context)?,
        };
        Some(Self {
            re,
            im: self.argument(context)?,
        })
    }

    pub(super) fn square_root(&self, context: &mut R::Context) -> Option<Self> {
        if self.is_real() {
            match self.re.sign() {
                Some(Ordering::Less) => {
                    return Some(Self {
                        re: R::zero(),
                        im: self.re.negated().root(2, context)?,
                    });
                }
                Some(_) => return self.re.root(2, context).map(Self::real),
                None => {}
            }
        }
        if self.re.sign().is_none() && self.im.sign().is_none_or(Ordering::is_eq) {
            // Zero within the error: the root lies in a disc around zero.
            let size = R::zero()
                .blurred(&self.re)
                .blurred(&self.im)
                .root(2, context)?;
            let disc = R::zero().blurred(&size);
            return Some(Self {
                re: disc.clone(),
                im: disc,
            });
        }
        self.power_by_logarithm(
            &Self::rational(&RBig::from_parts(1.into(), 2u8.into()), context)?,
            context,
        )
    }

    pub(super) fn integer_power(&self, exponent: &IBig, context: &mut R::Context) -> Option<Self> {
        let (sign, magnitude) = exponent.clone().into_parts();
        let mut remaining = u64::try_from(magnitude)
            .ok()
            .filter(|exponent| *exponent <= MAX_SQUARING_EXPONENT)?;
        let mut power: Option<Self> = None;
        let mut square = self.clone();
        while remaining > 0 {
            if remaining & 1 == 1 {
                power = Some(match power {
                    Some(power) => power.multiply(&square, context)?,
                    None => square.clone(),
                });
            }
            remaining >>= 1;
            if remaining > 0 {
                square = square.multiply(&square, context)?;
            }
        }
        let power = match power {
            Some(power) => power,
            None => Self::integer(1, context)?,
        };
        if sign == dashu_int::Sign::Negative {
            power.inverse(context)
        } else {
            Some(power)
        }
    }

    /// `e^{exponent · ln self}`.
    pub(super) fn power_by_logarithm(
        &self,
        exponent: &Self,
        context: &mut R::Context,
    ) -> Option<Self> {
        exponent.multiply(&self.ln(context)?, context)?.exp(context)
    }

    pub(super) fn sin_cos(&self, context: &mut R::Context) -> Option<(Self, Self)> {
        if let Some(value) = self.as_real() {
            let (sin, cos) = value.sin_cos(context)?;
            return Some((Self::real(sin), Self::real(cos)));
        }
        let rising = self.turned().exp(context)?;
        let falling = self.turned().negated().exp(context)?;
        let cos = rising.add(&falling, context)?.halved(context)?;
        let sin = rising
            .subtract(&falling, context)?
            .halved(context)?
            .turned()
            .negated();
        Some((sin, cos))
    }

    pub(super) fn sinh(&self, context: &mut R::Context) -> Option<Self> {
        self.exp(context)?
            .subtract(&self.negated().exp(context)?, context)?
            .halved(context)
    }

    pub(super) fn cosh(&self, context: &mut R::Context) -> Option<Self> {
        self.exp(context)?
            .add(&self.negated().exp(context)?, context)?
            .halved(context)
    }

    pub(super) fn arctan(&self, context: &mut R::Context) -> Option<Self> {
        if let Some(value) = self.as_real() {
            return value.arctan(context).map(Self::real);
        }
        // arctan z = (i/2) (ln(1 − iz) − ln(1 + iz))
        let one = Self::integer(1, context)?;
        let turned = self.turned();
        let minus = one.subtract(&turned, context)?.ln(context)?;
        let plus = one.add(&turned, context)?.ln(context)?;
        Some(minus.subtract(&plus, context)?.halved(context)?.turned())
    }

    pub(super) fn arcsin(&self, context: &mut R::Context) -> Option<Self> {
        let one = Self::integer(1, context)?;
        let square = one.subtract(&self.multiply(self, context)?, context)?;
        if self.is_real() {
            match square.re.sign() {
                Some(Ordering::Greater) => {
                    // arcsin x = arctan(x / √(1 - x²)): an arithmetic has to offer only one inverse
                    // function.
                    let tangent = self.re.divide(&square.re.root(2, context)?, context)?;
                    return tangent.arctan(context).map(Self::real);
                }
                // At ±1, perhaps within the error, the angle is off by about the root of the error.
                Some(Ordering::Equal) | None => {
                    let quarter = Self::half_pi(context)?;
                    let quarter = if self.re.sign()? == Ordering::Less {
                        quarter.negated()
                    } else {
                        quarter
                    };
                    let deviation = square.re.blurred(&square.re);
                    let deviation = R::zero().blurred(&deviation).root(2, context)?;
                    return Some(Self::real(quarter.blurred(&deviation).blurred(&deviation)));
                }
                Some(Ordering::Less) => {}
            }
        }
        // arcsin z = −i ln(iz + √(1 − z²))
        let argument = self.turned().add(&square.square_root(context)?, context)?;
        Some(argument.ln(context)?.turned().negated())
    }

    /// The complement `π/2 − self` of an angle.
    pub(super) fn complement(&self, context: &mut R::Context) -> Option<Self> {
        Self::real(Self::half_pi(context)?).subtract(self, context)
    }

    pub(super) fn arsinh(&self, context: &mut R::Context) -> Option<Self> {
        let one = Self::integer(1, context)?;
        let root = self
            .multiply(self, context)?
            .add(&one, context)?
            .square_root(context)?;
        self.add(&root, context)?.ln(context)
    }

    pub(super) fn arcosh(&self, context: &mut R::Context) -> Option<Self> {
        let one = Self::integer(1, context)?;
        // Two roots and not one of the product: these give the principal value for all arguments.
        let below = self.subtract(&one, context)?.square_root(context)?;
        let above = self.add(&one, context)?.square_root(context)?;
        self.add(&below.multiply(&above, context)?, context)?
            .ln(context)
    }

    pub(super) fn artanh(&self, context: &mut R::Context) -> Option<Self> {
        let one = Self::integer(1, context)?;
        let above = one.add(self, context)?.ln(context)?;
        let below = one.subtract(self, context)?.ln(context)?;
        above.subtract(&below, context)?.halved(context)
    }
}
