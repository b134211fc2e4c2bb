//! Numbers in vector registers: 16 running sums, and what is multiplied into them.
//!
//! Everything that a product reads is kept in *cells* of 32 bits: the bits of one f32, or a pair of
//! bf16 values, the one with the lower index in the low half. A cell of the input times a cell of
//! the weights is then one product, or the sum of two, and the same loops serve both precisions.

/// Sums that advance together.
pub(crate) const LANES: usize = 16;

/// Outputs of a matrix that are packed together as a panel.
pub(crate) const PANEL: usize = 2 * LANES;

/// How weights, activations and the KV cache enter a product. Sums are f32 in either case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Precision {
    F32,
    /// Both factors rounded to the nearest bf16.
    Bf16,
}

impl Precision {
    /// Cells that `length` numbers take.
    pub(crate) fn cells(self, length: usize) -> usize {
        match self {
            Self::F32 => length,
            Self::Bf16 => length.div_ceil(2),
        }
    }

    /// Numbers in a cell.
    pub(crate) fn per_cell(self) -> usize {
        match self {
            Self::F32 => 1,
            Self::Bf16 => 2,
        }
    }
}

/// The bits of a value rounded to the nearest bf16, ties to even; NaN stays NaN.
#[inline(always)]
pub(crate) fn bf16_bits(value: f32) -> u32 {
    let bits = value.to_bits();
    let rounded = bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16;
    if value.is_nan() { 0x7fc0 } else { rounded }
}

/// Two values in a cell.
#[inline(always)]
pub(crate) fn bf16_pair(low: f32, high: f32) -> u32 {
    bf16_bits(low) | bf16_bits(high) << 16
}

/// Numbers as cells; the last of an odd number of bf16 values is paired with 0.
///
/// # Shapes
/// `values` `[length]`, `cells` `[precision.cells(length)]`.
#[inline(always)]
pub(crate) fn write_cells(precision: Precision, values: &[f32], cells: &mut [u32]) {
    match precision {
        Precision::F32 => cells
            .iter_mut()
            .zip(values)
            .for_each(|(cell, value)| *cell = value.to_bits()),
        Precision::Bf16 => {
            let (pairs, rest) = values.as_chunks::<2>();
            cells
                .iter_mut()
                .zip(pairs)
                .for_each(|(cell, &[low, high])| *cell = bf16_pair(low, high));
            if let ([last], Some(cell)) = (rest, cells.get_mut(pairs.len())) {
                *cell = bf16_pair(*last, 0.0);
            }
        }
    }
}

/// The two values of a cell.
#[inline(always)]
pub(crate) fn pair_values(cell: u32) -> [f32; 2] {
    [
        f32::from_bits(cell << 16),
        f32::from_bits(cell & 0xffff_0000),
    ]
}

/// Products of cells in one instruction set and one precision.
///
/// # Safety
/// Every function may only run where the CPU has the instructions, and inlined into code compiled
/// for them. Pointers must be good for 16 elements; they need no alignment.
pub(crate) trait Arithmetic: Copy {
    /// Whether a multiply-add rounds once.
    const FUSED: bool;
    /// Rows of inputs that a tile takes, as many as leave its sums in registers.
    const TILE_ROWS: usize;
    /// Whether a tile is 32 columns wide; 16 where there are fewer registers.
    const WIDE: bool;
    const PRECISION: Precision;

    /// 16 sums.
    type Sums: Copy;
    /// One cell of an input, in every lane.
    type Input: Copy;
    /// 16 cells of weights.
    type Weights: Copy;

    unsafe fn zero() -> Self::Sums;
    unsafe fn load(from: *const f32) -> Self::Sums;
    unsafe fn store(sums: Self::Sums, to: *mut f32);
    unsafe fn input(cell: u32) -> Self::Input;
    unsafe fn weights(from: *const u32) -> Self::Weights;
    unsafe fn multiply_add(
        sums: Self::Sums,
        input: Self::Input,
        weights: Self::Weights,
    ) -> Self::Sums;
    /// Prefetches the cache line at an address, which need not be valid.
    unsafe fn prefetch(at: *const u32);
}

/// `x · y + z`, rounded once where `A` can.
#[inline(always)]
pub(crate) fn multiply_add<A: Arithmetic>(x: f32, y: f32, z: f32) -> f32 {
    if A::FUSED { x.mul_add(y, z) } else { x * y + z }
}

/// Loops over plain arrays, which the compiler turns into whatever vectors it knows.
#[derive(Clone, Copy)]
pub(crate) struct Portable<const FUSED: bool, const BF16: bool>;

impl<const FUSED: bool, const BF16: bool> Arithmetic for Portable<FUSED, BF16> {
    const FUSED: bool = FUSED;
    const TILE_ROWS: usize = 4;
    const WIDE: bool = false;
    const PRECISION: Precision = if BF16 {
        Precision::Bf16
    } else {
        Precision::F32
    };

    type Sums = [f32; LANES];
    type Input = [f32; 2];
    type Weights = [u32; LANES];

    #[inline(always)]
    unsafe fn zero() -> Self::Sums {
        [0.0; LANES]
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self::Sums {
        // SAFETY: good for 16 elements, by the trait's contract.
        unsafe { from.cast::<Self::Sums>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn store(sums: Self::Sums, to: *mut f32) {
        // SAFETY: good for 16 elements, by the trait's contract.
        unsafe { to.cast::<Self::Sums>().write_unaligned(sums) }
    }

    #[inline(always)]
    unsafe fn input(cell: u32) -> Self::Input {
        if BF16 {
            pair_values(cell)
        } else {
            [f32::from_bits(cell); 2]
        }
    }

    #[inline(always)]
    unsafe fn weights(from: *const u32) -> Self::Weights {
        // SAFETY: good for 16 elements, by the trait's contract.
        unsafe { from.cast::<Self::Weights>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn multiply_add(
        mut sums: Self::Sums,
        input: Self::Input,
        weights: Self::Weights,
    ) -> Self::Sums {
        for lane in 0..LANES {
            if BF16 {
                let [low, high] = pair_values(weights[lane]);
                // The order of the CPU's own instruction.
                sums[lane] = multiply_add::<Self>(input[1], high, sums[lane]);
                sums[lane] = multiply_add::<Self>(input[0], low, sums[lane]);
            } else {
                sums[lane] =
                    multiply_add::<Self>(input[0], f32::from_bits(weights[lane]), sums[lane]);
            }
        }
        sums
    }

    #[inline(always)]
    unsafe fn prefetch(_: *const u32) {}
}

#[cfg(target_arch = "x86_64")]
pub(crate) mod x86 {
    use std::arch::x86_64::*;

    use super::{Arithmetic, Precision};

    /// AVX-512F: 32 registers of 16 lanes.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx512<const BF16: bool>;

    /// AVX-512 with its dot product of bf16 pairs.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx512Bf16;

    /// AVX2 and FMA: 16 registers of 8 lanes.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2<const BF16: bool>;

    macro_rules! avx512_sums {
        () => {
            type Sums = __m512;

            #[inline(always)]
            unsafe fn zero() -> __m512 {
                // SAFETY: AVX-512F is there, by the trait's contract.
                unsafe { _mm512_setzero_ps() }
            }

            #[inline(always)]
            unsafe fn load(from: *const f32) -> __m512 {
                // SAFETY: AVX-512F is there and the pointer good, by the trait's contract.
                unsafe { _mm512_loadu_ps(from) }
            }

            #[inline(always)]
            unsafe fn store(sums: __m512, to: *mut f32) {
                // SAFETY: AVX-512F is there and the pointer good, by the trait's contract.
                unsafe { _mm512_storeu_ps(to, sums) }
            }

            #[inline(always)]
            unsafe fn prefetch(at: *const u32) {
                // SAFETY: a prefetch of any address is harmless.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
            }
        };
    }

    impl Arithmetic for Avx512Bf16 {
        const FUSED: bool = true;
        const TILE_ROWS: usize = 14;
        const WIDE: bool = true;
        const PRECISION: Precision = Precision::Bf16;

        type Input = __m512bh;
        type Weights = __m512bh;

        avx512_sums!();

        #[inline(always)]
        unsafe fn input(cell: u32) -> __m512bh {
            // SAFETY: AVX-512F is there; both types are 512 bits of anything.
            unsafe { std::mem::transmute(_mm512_set1_epi32(cell as i32)) }
        }

        #[inline(always)]
        unsafe fn weights(from: *const u32) -> __m512bh {
            // SAFETY: AVX-512F is there and the pointer good; both types are 512 bits of anything.
            unsafe { std::mem::transmute(_mm512_loadu_si512(from.cast())) }
        }

        #[inline(always)]
        unsafe fn multiply_add(sums: __m512, input: __m512bh, weights: __m512bh) -> __m512 {
            // SAFETY: AVX-512 BF16 is there, by the trait's contract.
            unsafe { _mm512_dpbf16_ps(sums, input, weights) }
        }
    }

    impl<const BF16: bool> Arithmetic for Avx512<BF16> {
        const FUSED: bool = true;
        const TILE_ROWS: usize = if BF16 { 6 } else { 14 };
        const WIDE: bool = true;
        const PRECISION: Precision = if BF16 {
            Precision::Bf16
        } else {
            Precision::F32
        };

        type Input = [__m512; 2];
        type Weights = [__m512; 2];

        avx512_sums!();

        #[inline(always)]
        unsafe fn input(cell: u32) -> [__m512; 2] {
            // SAFETY: AVX-512F is there, by the trait's contract.
            unsafe {
                let whole = _mm512_castsi512_ps(_mm512_set1_epi32(cell as i32));
                if BF16 { halves(whole) } else { [whole; 2] }
            }
        }

        #[inline(always)]
        unsafe fn weights(from: *const u32) -> [__m512; 2] {
            // SAFETY: AVX-512F is there and the pointer good, by the trait's contract.
            unsafe {
                let whole = _mm512_loadu_ps(from.cast());
                if BF16 { halves(whole) } else { [whole; 2] }
            }
        }

        #[inline(always)]
        unsafe fn multiply_add(sums: __m512, input: [__m512; 2], weights: [__m512; 2]) -> __m512 {
            // SAFETY: AVX-512F is there, by the trait's contract.
            unsafe {
                let sums = if BF16 {
                    _mm512_fmadd_ps(input[1], weights[1], sums)
                } else {
                    sums
                };
                _mm512_fmadd_ps(input[0], weights[0], sums)
            }
        }
    }

    /// The low and the high values of 16 pairs.
    #[inline(always)]
    unsafe fn halves(pairs: __m512) -> [__m512; 2] {
        // SAFETY: the caller has AVX-512F.
        unsafe {
            let bits = _mm512_castps_si512(pairs);
            let high = _mm512_and_si512(bits, _mm512_set1_epi32(0xffff_0000_u32 as i32));
            [
                _mm512_castsi512_ps(_mm512_slli_epi32::<16>(bits)),
                _mm512_castsi512_ps(high),
            ]
        }
    }

    impl<const BF16: bool> Arithmetic for Avx2<BF16> {
        const FUSED: bool = true;
        const TILE_ROWS: usize = if BF16 { 3 } else { 6 };
        const WIDE: bool = false;
        const PRECISION: Precision = if BF16 {
            Precision::Bf16
        } else {
            Precision::F32
        };

        type Sums = [__m256; 2];
        type Input = [__m256; 2];
        type Weights = [__m256i; 2];

        #[inline(always)]
        unsafe fn zero() -> [__m256; 2] {
            // SAFETY: AVX is there, by the trait's contract.
            unsafe { [_mm256_setzero_ps(); 2] }
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> [__m256; 2] {
            // SAFETY: AVX is there and the pointer good, by the trait's contract.
            unsafe { [_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))] }
        }

        #[inline(always)]
        unsafe fn store(sums: [__m256; 2], to: *mut f32) {
            // SAFETY: AVX is there and the pointer good, by the trait's contract.
            unsafe {
                _mm256_storeu_ps(to, sums[0]);
                _mm256_storeu_ps(to.add(8), sums[1]);
            }
        }

        #[inline(always)]
        unsafe fn input(cell: u32) -> [__m256; 2] {
            // SAFETY: AVX is there, by the trait's contract.
            unsafe {
                let low = if BF16 { cell << 16 } else { cell };
                let high = cell & 0xffff_0000;
                [
                    _mm256_set1_ps(f32::from_bits(low)),
                    _mm256_set1_ps(f32::from_bits(high)),
                ]
            }
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
        unsafe fn multiply_add(
            sums: [__m256; 2],
            input: [__m256; 2],
            weights: [__m256i; 2],
        ) -> [__m256; 2] {
            // SAFETY: AVX2 and FMA are there, by the trait's contract.
            unsafe {
                [
                    half(sums[0], input, weights[0], BF16),
                    half(sums[1], input, weights[1], BF16),
                ]
            }
        }

        #[inline(always)]
        unsafe fn prefetch(at: *const u32) {
            // SAFETY: a prefetch of any address is harmless.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
        }
    }

    /// 8 of the 16 lanes.
    #[inline(always)]
    unsafe fn half(sums: __m256, input: [__m256; 2], weights: __m256i, bf16: bool) -> __m256 {
        // SAFETY: the caller has AVX2 and FMA.
        unsafe {
            if !bf16 {
                return _mm256_fmadd_ps(input[0], _mm256_castsi256_ps(weights), sums);
            }
            let high = _mm256_and_si256(weights, _mm256_set1_epi32(0xffff_0000_u32 as i32));
            let low = _mm256_slli_epi32::<16>(weights);
            let sums = _mm256_fmadd_ps(input[1], _mm256_castsi256_ps(high), sums);
            _mm256_fmadd_ps(input[0], _mm256_castsi256_ps(low), sums)
        }
    }
}
