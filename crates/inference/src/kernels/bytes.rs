//! Products of 8-bit integers in vector registers: what [`arithmetic`](super::arithmetic) is for
//! floating-point numbers.

use half::f16;

use super::arithmetic::{Arithmetic, LANES, multiply_add};

/// Products of bytes in one instruction set.
///
/// # Safety
/// As for [`Arithmetic`].
pub(crate) trait Bytes: Copy {
    /// The arithmetic of what comes before and after.
    type Floats: Arithmetic;
    /// Rows of inputs that a tile takes.
    const TILE_ROWS: usize;
    /// Whether a tile is 32 columns wide; 16 where there are fewer registers.
    const WIDE: bool;

    /// 16 sums of integers.
    type Sums: Copy;
    /// 16 cells of weights.
    type Weights: Copy;

    unsafe fn start(value: i32) -> Self::Sums;
    unsafe fn weights(from: *const u32) -> Self::Weights;
    /// Adds the products of four unsigned bytes of each weight cell and the four signed ones of
    /// `input`.
    unsafe fn add(sums: Self::Sums, weights: Self::Weights, input: u32) -> Self::Sums;
    /// `to += sums · scales · scale`: 16 sums, 16 scales as f16.
    unsafe fn add_scaled(
        sums: Self::Sums,
        scales: *const u16,
        scale: f32,
        to: &mut <Self::Floats as Arithmetic>::Sums,
    );
}

/// Loops over plain arrays.
#[derive(Clone, Copy)]
pub(crate) struct PortableBytes<A>(std::marker::PhantomData<A>);

impl<A: Arithmetic<Sums = [f32; LANES]>> Bytes for PortableBytes<A> {
    type Floats = A;
    const TILE_ROWS: usize = 2;
    const WIDE: bool = false;

    type Sums = [i32; LANES];
    type Weights = [u32; LANES];

    #[inline(always)]
    unsafe fn start(value: i32) -> Self::Sums {
        [value; LANES]
    }

    #[inline(always)]
    unsafe fn weights(from: *const u32) -> Self::Weights {
        // SAFETY: good for 16 elements, by the trait's contract.
        unsafe { from.cast::<Self::Weights>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn add(mut sums: Self::Sums, weights: Self::Weights, input: u32) -> Self::Sums {
        let input = input.to_le_bytes().map(|byte| i32::from(byte as i8));
        for (sum, weights) in sums.iter_mut().zip(weights) {
            let weights = weights.to_le_bytes().map(i32::from);
            for (weight, input) in weights.into_iter().zip(input) {
                *sum += weight * input;
            }
        }
        sums
    }

    #[inline(always)]
    unsafe fn add_scaled(sums: Self::Sums, scales: *const u16, scale: f32, to: &mut [f32; LANES]) {
        for (lane, (to, sum)) in to.iter_mut().zip(sums).enumerate() {
            // SAFETY: good for 16 elements, by the trait's contract.
            let own = f16::from_bits(unsafe { scales.add(lane).read_unaligned() }).to_f32();
            *to = multiply_add::<A>(sum as f32, own * scale, *to);
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) mod x86 {
    use std::arch::x86_64::*;

    use super::Bytes;
    use crate::kernels::arithmetic::x86::{Avx2, Avx512};

    /// AVX-512 with its dot product of bytes.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx512Vnni;

    /// AVX2: products of 16-bit halves.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2Bytes;

    impl Bytes for Avx512Vnni {
        type Floats = Avx512<false>;
        const TILE_ROWS: usize = 6;
        const WIDE: bool = true;

        type Sums = __m512i;
        type Weights = __m512i;

        #[inline(always)]
        unsafe fn start(value: i32) -> __m512i {
            // SAFETY: AVX-512F is there, by the trait's contract.
            unsafe { _mm512_set1_epi32(value) }
        }

        #[inline(always)]
        unsafe fn weights(from: *const u32) -> __m512i {
            // SAFETY: AVX-512F is there and the pointer good, by the trait's contract.
            unsafe { _mm512_loadu_si512(from.cast()) }
        }

        #[inline(always)]
        unsafe fn add(sums: __m512i, weights: __m512i, input: u32) -> __m512i {
            // SAFETY: AVX-512 VNNI is there, by the trait's contract.
            unsafe { _mm512_dpbusd_epi32(sums, weights, _mm512_set1_epi32(input as i32)) }
        }

        #[inline(always)]
        unsafe fn add_scaled(sums: __m512i, scales: *const u16, scale: f32, to: &mut __m512) {
            // SAFETY: AVX-512F is there and the pointer good, by the trait's contract.
            unsafe {
                let own = _mm512_cvtph_ps(_mm256_loadu_si256(scales.cast()));
                *to = _mm512_fmadd_ps(
                    _mm512_cvtepi32_ps(sums),
                    _mm512_mul_ps(own, _mm512_set1_ps(scale)),
                    *to,
                );
            }
        }
    }

    impl Bytes for Avx2Bytes {
        type Floats = Avx2<false>;
        const TILE_ROWS: usize = 2;
        const WIDE: bool = false;

        type Sums = [__m256i; 2];
        type Weights = [__m256i; 2];

        #[inline(always)]
        unsafe fn start(value: i32) -> [__m256i; 2] {
            // SAFETY: AVX is there, by the trait's contract.
            unsafe { [_mm256_set1_epi32(value); 2] }
        }

        #[inline(always)]
        unsafe fn weights(from: *const u32) -> [__m256i; 2] {
            // SAFETY: AVX is there and the pointer good, by the trait's contract.
            unsafe {
                [
                    _mm256_loadu_si256(from.cast()),
                    _mm256_loadu_si256(from.add(8).cast()),
                ]
            }
        }

        #[inline(always)]
        unsafe fn add(sums: [__m256i; 2], weights: [__m256i; 2], input: u32) -> [__m256i; 2] {
            // SAFETY: AVX2 is there, by the trait's contract.
            unsafe {
                let input = _mm256_set1_epi32(input as i32);
                let (even, odd) = (
                    _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(input)),
                    _mm256_srai_epi16::<8>(input),
                );
                [
                    half(sums[0], weights[0], even, odd),
                    half(sums[1], weights[1], even, odd),
                ]
            }
        }

        #[inline(always)]
        unsafe fn add_scaled(
            sums: [__m256i; 2],
            scales: *const u16,
            scale: f32,
            to: &mut [__m256; 2],
        ) {
            // SAFETY: AVX2, FMA and F16C are there and the pointer good, by the trait's contract.
            unsafe {
                for (half, sums) in sums.into_iter().enumerate() {
                    let own = _mm256_cvtph_ps(_mm_loadu_si128(scales.add(8 * half).cast()));
                    let scale = _mm256_mul_ps(own, _mm256_set1_ps(scale));
                    to[half] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums), scale, to[half]);
                }
            }
        }
    }

    /// 8 of the 16 lanes: the bytes of even places, then those of odd ones.
    #[inline(always)]
    unsafe fn half(sums: __m256i, weights: __m256i, even: __m256i, odd: __m256i) -> __m256i {
        // SAFETY: the caller has AVX2.
        unsafe {
            let low = _mm256_and_si256(weights, _mm256_set1_epi16(0xff));
            let high = _mm256_srli_epi16::<8>(weights);
            let sums = _mm256_add_epi32(sums, _mm256_madd_epi16(low, even));
            _mm256_add_epi32(sums, _mm256_madd_epi16(high, odd))
        }
    }
}
