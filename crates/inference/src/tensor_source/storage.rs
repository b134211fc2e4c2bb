//! The forms in which files store the values of a tensor, and reading them.

use candle_core::quantized::GgmlDType;
use candle_core::quantized::k_quants::{
    BlockQ2K, BlockQ3K, BlockQ4_0, BlockQ4_1, BlockQ4K, BlockQ5_0, BlockQ5_1, BlockQ5K, BlockQ6K,
    BlockQ8_0, GgmlType,
};
use half::{bf16, f16};
use safetensors::tensor::Dtype;

/// How a weight is rounded between the file and the computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rounding {
    /// Widened exactly.
    None,
    /// Rounded to the nearest bf16, then widened.
    Bf16,
}

impl Rounding {
    pub(crate) fn round(self, values: &mut [f32]) {
        if self == Self::Bf16 {
            values
                .iter_mut()
                .for_each(|value| *value = bf16::from_f32(*value).to_f32());
        }
    }
}

/// How the values of a tensor lie in its file, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    F32,
    F16,
    Bf16,
    /// Blocks of small integers with scales, as GGML defines them; read by candle.
    Blocks(GgmlDType),
    /// What cannot be computed with.
    Other(Dtype),
}

impl From<Dtype> for Storage {
    fn from(dtype: Dtype) -> Self {
        match dtype {
            Dtype::F32 => Self::F32,
            Dtype::F16 => Self::F16,
            Dtype::BF16 => Self::Bf16,
            other => Self::Other(other),
        }
    }
}

impl Storage {
    pub(crate) const Q8_0: Self = Self::Blocks(GgmlDType::Q8_0);

    /// By the number that GGUF files give it (ggml, `ggml.h`, `enum ggml_type`).
    ///
    /// # Errors
    /// Its name where it is not supported.
    pub(crate) fn of_ggml(number: u32) -> Result<Self, String> {
        const UNSUPPORTED: [(u32, &str); 25] = [
            (9, "Q8_1"),
            (15, "Q8_K"),
            (16, "IQ2_XXS"),
            (17, "IQ2_XS"),
            (18, "IQ3_XXS"),
            (19, "IQ1_S"),
            (20, "IQ4_NL"),
            (21, "IQ3_S"),
            (22, "IQ2_S"),
            (23, "IQ4_XS"),
            (24, "I8"),
            (25, "I16"),
            (26, "I32"),
            (27, "I64"),
            (28, "F64"),
            (29, "IQ1_M"),
            (31, "Q4_0_4_4"),
            (32, "Q4_0_4_8"),
            (33, "Q4_0_8_8"),
            (34, "TQ1_0"),
            (35, "TQ2_0"),
            (39, "MXFP4"),
            (40, "NVFP4"),
            (41, "Q1_0"),
            (42, "Q2_0"),
        ];
        Ok(match number {
            0 => Self::F32,
            1 => Self::F16,
            2 => Self::Blocks(GgmlDType::Q4_0),
            3 => Self::Blocks(GgmlDType::Q4_1),
            6 => Self::Blocks(GgmlDType::Q5_0),
            7 => Self::Blocks(GgmlDType::Q5_1),
            8 => Self::Blocks(GgmlDType::Q8_0),
            10 => Self::Blocks(GgmlDType::Q2K),
            11 => Self::Blocks(GgmlDType::Q3K),
            12 => Self::Blocks(GgmlDType::Q4K),
            13 => Self::Blocks(GgmlDType::Q5K),
            14 => Self::Blocks(GgmlDType::Q6K),
            30 => Self::Bf16,
            other => {
                let known = UNSUPPORTED.iter().find(|(number, _)| *number == other);
                return Err(
                    known.map_or_else(|| format!("type {other}"), |(_, name)| (*name).to_string())
                );
            }
        })
    }

    /// As its users write it.
    pub(crate) fn name(self) -> String {
        match self {
            Self::F32 => "f32".to_string(),
            Self::F16 => "f16".to_string(),
            Self::Bf16 => "bf16".to_string(),
            Self::Blocks(GgmlDType::Q2K) => "q2_k".to_string(),
            Self::Blocks(GgmlDType::Q3K) => "q3_k".to_string(),
            Self::Blocks(GgmlDType::Q4K) => "q4_k".to_string(),
            Self::Blocks(GgmlDType::Q5K) => "q5_k".to_string(),
            Self::Blocks(GgmlDType::Q6K) => "q6_k".to_string(),
            Self::Blocks(other) => format!("{other:?}").to_lowercase(),
            Self::Other(other) => format!("{other:?}"),
        }
    }

    pub(crate) fn is_quantized(self) -> bool {
        matches!(self, Self::Blocks(_))
    }

    /// Values that are stored together; a row is whole blocks.
    pub(crate) fn block_values(self) -> usize {
        match self {
            Self::Blocks(dtype) => dtype.block_size(),
            _ => 1,
        }
    }

    /// Bytes of a block.
    pub(crate) fn block_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::Blocks(dtype) => dtype.type_size(),
            Self::Other(dtype) => dtype.bitsize().div_ceil(8),
        }
    }

    /// Bytes of `values` values, which are whole blocks; `None` beyond what can be addressed.
    pub(crate) fn bytes(self, values: usize) -> Option<usize> {
        (values / self.block_values()).checked_mul(self.block_bytes())
    }

    /// Values, widened exactly to f32; `bytes` are those of as many values as `to` has.
    pub(crate) fn widen(self, bytes: &[u8], to: &mut [f32]) {
        match self {
            Self::F32 => widen_each(bytes.as_chunks().0, to, f32::from_le_bytes),
            Self::F16 => widen_each(bytes.as_chunks().0, to, |bytes| {
                f16::from_le_bytes(bytes).to_f32()
            }),
            Self::Bf16 => widen_each(bytes.as_chunks().0, to, |bytes| {
                bf16::from_le_bytes(bytes).to_f32()
            }),
            Self::Blocks(dtype) => match dtype {
                GgmlDType::Q4_0 => decode::<BlockQ4_0>(bytes, to),
                GgmlDType::Q4_1 => decode::<BlockQ4_1>(bytes, to),
                GgmlDType::Q5_0 => decode::<BlockQ5_0>(bytes, to),
                GgmlDType::Q5_1 => decode::<BlockQ5_1>(bytes, to),
                GgmlDType::Q8_0 => decode::<BlockQ8_0>(bytes, to),
                GgmlDType::Q2K => decode::<BlockQ2K>(bytes, to),
                GgmlDType::Q3K => decode::<BlockQ3K>(bytes, to),
                GgmlDType::Q4K => decode::<BlockQ4K>(bytes, to),
                GgmlDType::Q5K => decode::<BlockQ5K>(bytes, to),
                GgmlDType::Q6K => decode::<BlockQ6K>(bytes, to),
                other => unreachable!("{other:?} is refused when a file is opened"),
            },
            Self::Other(dtype) => unreachable!("{dtype:?} is refused before a value is read"),
        }
    }

    /// Whether the values of whole blocks are all finite, after rounding too. Of blocks the scales
    /// decide: f16 scales times small integers are far from the ends of bf16.
    pub(crate) fn all_finite(self, rounding: Rounding, bytes: &[u8]) -> bool {
        let all_16_bits_below = |infinity: u16| {
            let values = bytes
                .as_chunks::<2>()
                .0
                .iter()
                .map(|bytes| u16::from_le_bytes(*bytes) & 0x7fff);
            // No early exit, which would keep the loop from becoming vector code: sound files are
            // the rule.
            values.fold(true, |sound, value| sound & (value < infinity))
        };
        match self {
            Self::F32 => {
                // From the latter on, bf16 rounds to infinity.
                let infinity = if rounding == Rounding::None {
                    0x7f80_0000
                } else {
                    0x7f7f_8000
                };
                let values = bytes
                    .as_chunks::<4>()
                    .0
                    .iter()
                    .map(|bytes| u32::from_le_bytes(*bytes) & 0x7fff_ffff);
                values.fold(true, |sound, value| sound & (value < infinity))
            }
            Self::Bf16 => all_16_bits_below(0x7f80),
            // The largest f16 is far from the ends of bf16: rounding makes none infinite.
            Self::F16 | Self::Other(_) => all_16_bits_below(F16_INFINITY),
            Self::Blocks(dtype) => {
                let scales = scales(dtype);
                let finite = |block: &[u8], at: usize| {
                    (u16::from_le_bytes([block[at], block[at + 1]]) & 0x7fff) < F16_INFINITY
                };
                bytes
                    .chunks_exact(dtype.type_size())
                    .all(|block| scales.iter().all(|&at| finite(block, at)))
            }
        }
    }

    /// How many values of whole blocks are not finite; a block whose scale is not counts whole.
    pub(crate) fn not_finite(self, bytes: &[u8]) -> usize {
        let blocks = bytes.chunks_exact(self.block_bytes());
        blocks
            .filter(|block| !self.all_finite(Rounding::None, block))
            .count()
            * self.block_values()
    }
}

const F16_INFINITY: u16 = 0x7c00;

/// Where the f16 scales and minima of a block lie in it, in bytes (ggml, `ggml-common.h`).
fn scales(dtype: GgmlDType) -> &'static [usize] {
    match dtype {
        GgmlDType::Q4_1 | GgmlDType::Q5_1 | GgmlDType::Q4K | GgmlDType::Q5K => &[0, 2],
        GgmlDType::Q2K => &[80, 82],
        GgmlDType::Q3K => &[108],
        GgmlDType::Q6K => &[208],
        _ => &[0],
    }
}

fn widen_each<const N: usize>(bytes: &[[u8; N]], to: &mut [f32], widen: impl Fn([u8; N]) -> f32) {
    to.iter_mut()
        .zip(bytes)
        .for_each(|(to, bytes)| *to = widen(*bytes));
}

fn decode<B: GgmlType>(bytes: &[u8], to: &mut [f32]) {
    assert_eq!(
        bytes.len(),
        to.len() / B::BLCK_SIZE * size_of::<B>(),
        "rows are whole blocks"
    );
    assert!(
        bytes.as_ptr().cast::<B>().is_aligned(),
        "blocks lie at even addresses, as the reader checks"
    );
    // SAFETY: the bytes are as many as the blocks need and aligned; a block is integers and f16
    // numbers without padding between them, for which every pattern of bits is a value.
    let blocks = unsafe {
        std::slice::from_raw_parts(bytes.as_ptr().cast::<B>(), bytes.len() / size_of::<B>())
    };
    B::to_float(blocks, to);
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCKS: [GgmlDType; 10] = [
        GgmlDType::Q4_0,
        GgmlDType::Q4_1,
        GgmlDType::Q5_0,
        GgmlDType::Q5_1,
        GgmlDType::Q8_0,
        GgmlDType::Q2K,
        GgmlDType::Q3K,
        GgmlDType::Q4K,
        GgmlDType::Q5K,
        GgmlDType::Q6K,
    ];

    /// A block of `dtype` whose scales are `scale` and whose other bytes are all alike.
    fn block(dtype: GgmlDType, scale: f16, fill: u8) -> Vec<u8> {
        let mut bytes = vec![fill; dtype.type_size()];
        scales(dtype)
            .iter()
            .for_each(|&at| bytes[at..at + 2].copy_from_slice(&scale.to_le_bytes()));
        bytes
    }

    #[test]
    fn values_are_finite_exactly_where_scales_are() {
        for dtype in BLOCKS {
            let storage = Storage::Blocks(dtype);
            for fill in [0x00, 0x5a, 0xff] {
                let mut values = vec![0.0; storage.block_values()];
                let sound = block(dtype, f16::MAX, fill);
                storage.widen(&sound, &mut values);
                assert!(storage.all_finite(Rounding::Bf16, &sound), "{dtype:?}");
                assert!(
                    values
                        .iter()
                        .all(|value| bf16::from_f32(*value).is_finite()),
                    "{dtype:?}"
                );
                // One bit more, in each of the scales alone.
                for &at in scales(dtype) {
                    let mut damaged = sound.clone();
                    damaged[at..at + 2].copy_from_slice(&f16::INFINITY.to_le_bytes());
                    assert!(!storage.all_finite(Rounding::None, &damaged), "{dtype:?}");
                    assert_eq!(
                        storage.not_finite(&damaged),
                        storage.block_values(),
                        "{dtype:?}"
                    );
                    storage.widen(&damaged, &mut values);
                    assert!(
                        fill == 0 || values.iter().any(|value| !value.is_finite()),
                        "{dtype:?} at {at}"
                    );
                }
            }
        }
    }

    #[test]
    fn numbers_of_types_are_those_of_ggml() {
        let known = [
            (0, "f32"),
            (1, "f16"),
            (2, "q4_0"),
            (7, "q5_1"),
            (8, "q8_0"),
            (12, "q4_k"),
            (14, "q6_k"),
            (30, "bf16"),
        ];
        for (number, name) in known {
            assert_eq!(Storage::of_ggml(number).unwrap().name(), name);
        }
        assert_eq!(Storage::of_ggml(20), Err("IQ4_NL".to_string()));
        assert_eq!(Storage::of_ggml(77), Err("type 77".to_string()));
    }
}
