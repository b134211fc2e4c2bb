//! One program for all CPUs: every loop is compiled once for each instruction set, and picked at
//! run time.

use std::sync::LazyLock;

#[cfg(target_arch = "x86_64")]
use super::arithmetic::x86::{Avx2, Avx512, Avx512Bf16};
use super::arithmetic::{Arithmetic, Portable, Precision};
#[cfg(target_arch = "x86_64")]
use super::bytes::x86::{Avx2Bytes, Avx512Vnni};
use super::bytes::{Bytes, PortableBytes};
use super::weight_format::WeightFormat;

/// A computation that is compiled once for each instruction set and precision.
pub(crate) trait Kernel {
    fn run<A: Arithmetic>(self);
}

/// A computation on bytes that is compiled once for each instruction set.
pub(crate) trait ByteKernel {
    fn run<B: Bytes>(self);
}

/// The vector instructions of a CPU, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InstructionSet {
    #[cfg(target_arch = "x86_64")]
    Avx512Bf16,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

/// Whether portable code has a fused multiply-add: always on 64-bit ARM.
const PORTABLE_FUSED: bool = cfg!(target_arch = "aarch64");

impl InstructionSet {
    /// The best that this CPU has.
    pub(crate) fn best() -> Self {
        static BEST: LazyLock<InstructionSet> = LazyLock::new(|| {
            InstructionSet::available()
                .next()
                .unwrap_or(InstructionSet::Portable)
        });
        *BEST
    }

    /// All that this CPU has, best first.
    pub(crate) fn available() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let sets = {
            let avx512 = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("fma");
            let vnni = is_x86_feature_detected!("avx512vnni");
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let avx2 = avx2 && is_x86_feature_detected!("f16c");
            [
                (
                    Self::Avx512Bf16,
                    avx512 && vnni && is_x86_feature_detected!("avx512bf16"),
                ),
                (Self::Avx512, avx512 && avx2),
                (Self::Avx2, avx2),
                (Self::Portable, true),
            ]
        };
        #[cfg(not(target_arch = "x86_64"))]
        let sets = [(Self::Portable, true)];
        sets.into_iter()
            .filter(|(_, there)| *there)
            .map(|(set, _)| set)
    }

    /// Rows that a tile of a product takes with these instructions.
    pub(crate) fn tile_rows(self, precision: Precision) -> usize {
        struct TileRows<'a>(&'a mut usize);
        impl Kernel for TileRows<'_> {
            #[inline(always)]
            fn run<A: Arithmetic>(self) {
                *self.0 = A::TILE_ROWS;
            }
        }
        let mut rows = 1;
        self.run(precision, TileRows(&mut rows));
        rows
    }

    /// Rows that a tile of a product of bytes takes with these instructions.
    pub(crate) fn byte_tile_rows(self) -> usize {
        struct TileRows<'a>(&'a mut usize);
        impl ByteKernel for TileRows<'_> {
            #[inline(always)]
            fn run<B: Bytes>(self) {
                *self.0 = B::TILE_ROWS;
            }
        }
        let mut rows = 1;
        self.run_bytes(TileRows(&mut rows));
        rows
    }

    /// What decides the last bits of a completion: equal descriptions, equal bits.
    pub(crate) fn describe(self, format: WeightFormat, precision: Precision) -> String {
        let products = match (format, precision) {
            (WeightFormat::Q8, Precision::F32) => "8-bit products, f32 attention, f32 sums",
            (WeightFormat::Q8, Precision::Bf16) => "8-bit products, bf16 attention, f32 sums",
            (WeightFormat::Numbers(_), Precision::F32) => "f32",
            (WeightFormat::Numbers(_), Precision::Bf16) => "bf16 products in f32 sums",
        };
        let fused = PORTABLE_FUSED || self != Self::Portable;
        format!(
            "{products}{}",
            if fused { ", fused multiply-add" } else { "" }
        )
    }

    /// Runs a kernel with these instructions, which this CPU must have.
    #[inline]
    pub(crate) fn run<K: Kernel>(self, precision: Precision, kernel: K) {
        debug_assert!(Self::available().any(|set| set == self));
        match (self, precision) {
            // SAFETY: an instruction set is only ever one of those that `available` found.
            #[cfg(target_arch = "x86_64")]
            (Self::Avx512Bf16, Precision::Bf16) => unsafe { run_avx512_bf16(kernel) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            (Self::Avx512Bf16 | Self::Avx512, Precision::F32) => unsafe {
                run_avx512::<K, false>(kernel)
            },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            (Self::Avx512, Precision::Bf16) => unsafe { run_avx512::<K, true>(kernel) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            (Self::Avx2, Precision::F32) => unsafe { run_avx2::<K, false>(kernel) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            (Self::Avx2, Precision::Bf16) => unsafe { run_avx2::<K, true>(kernel) },
            (Self::Portable, Precision::F32) => kernel.run::<Portable<PORTABLE_FUSED, false>>(),
            (Self::Portable, Precision::Bf16) => kernel.run::<Portable<PORTABLE_FUSED, true>>(),
        }
    }
}

impl InstructionSet {
    /// Runs a kernel on bytes with these instructions, which this CPU must have.
    #[inline]
    pub(crate) fn run_bytes<K: ByteKernel>(self, kernel: K) {
        debug_assert!(Self::available().any(|set| set == self));
        match self {
            // SAFETY: an instruction set is only ever one of those that `available` found.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Bf16 => unsafe { run_avx512_vnni(kernel) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 | Self::Avx2 => unsafe { run_avx2_bytes(kernel) },
            Self::Portable => kernel.run::<PortableBytes<Portable<PORTABLE_FUSED, false>>>(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vnni,avx2,fma,f16c")]
fn run_avx512_vnni<K: ByteKernel>(kernel: K) {
    kernel.run::<Avx512Vnni>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c")]
fn run_avx2_bytes<K: ByteKernel>(kernel: K) {
    kernel.run::<Avx2Bytes>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bf16,fma")]
fn run_avx512_bf16<K: Kernel>(kernel: K) {
    kernel.run::<Avx512Bf16>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,fma")]
fn run_avx512<K: Kernel, const BF16: bool>(kernel: K) {
    kernel.run::<Avx512<BF16>>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<K: Kernel, const BF16: bool>(kernel: K) {
    kernel.run::<Avx2<BF16>>();
}
