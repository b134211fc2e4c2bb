//! Every operation beside the same by plain candle operations.

use std::cell::Cell;

use candle_core::{D, Device, Shape, Tensor};

use super::*;
use crate::config::{Activation, ModelConfig};
use crate::kernels::WeightFormat;
use crate::kernels::{Compute, Matrix};
use crate::kernels::{InstructionSet, Precision};
use crate::kv_cache::{KvCache, Slabs};
use crate::row::SeqId;
use crate::threads::Threads;

fn compute(precision: Precision, threads: usize) -> Compute {
    with_set(InstructionSet::best(), precision, threads)
}

fn with_set(set: InstructionSet, precision: Precision, threads: usize) -> Compute {
    Compute {
        threads: Threads::start(Some(threads)).unwrap(),
        set,
        precision,
    }
}

thread_local! {
    /// The state of SplitMix64: each test has a thread, and so the same numbers every time.
    static STATE: Cell<u64> = const { Cell::new(1) };
}

/// A number in (0, 1].
fn uniform() -> f64 {
    let state = STATE.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
    STATE.set(state);
    let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (((mixed ^ (mixed >> 31)) >> 11) + 1) as f64 / (1_u64 << 53) as f64
}

/// Numbers of the standard normal distribution (Box and Muller).
fn random(shape: impl Into<Shape>) -> Tensor {
    let shape = shape.into();
    let normal = |_| {
        let (radius, angle) = (
            (-2.0 * uniform().ln()).sqrt(),
            std::f64::consts::TAU * uniform(),
        );
        (radius * angle.cos()) as f32
    };
    let values: Vec<f32> = (0..shape.elem_count()).map(normal).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn bits(tensor: &Tensor) -> Vec<u32> {
    values(tensor).into_iter().map(f32::to_bits).collect()
}

fn assert_close(found: &Tensor, expected: &Tensor, tolerance: f32) {
    assert_eq!(found.shape(), expected.shape());
    let worst = values(found)
        .iter()
        .zip(values(expected))
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    assert!(
        worst <= tolerance,
        "differs by {worst}, more than {tolerance}"
    );
}

/// The tensor as products see it.
fn rounded(tensor: &Tensor, precision: Precision) -> Tensor {
    match precision {
        Precision::F32 => tensor.clone(),
        Precision::Bf16 => tensor
            .to_dtype(candle_core::DType::BF16)
            .unwrap()
            .to_dtype(candle_core::DType::F32)
            .unwrap(),
    }
}

/// A matrix of rows in the given order, `None` for rows of zeros.
fn matrix(compute: &Compute, dense: &Tensor, order: &[Option<usize>]) -> Matrix {
    matrix_of(
        WeightFormat::Numbers(compute.precision),
        compute,
        dense,
        order,
    )
}

fn matrix_of(
    format: WeightFormat,
    compute: &Compute,
    dense: &Tensor,
    order: &[Option<usize>],
) -> Matrix {
    let (dense, order) = (dense.to_vec2::<f32>().unwrap(), order.to_vec());
    let shape = (order.len(), dense[0].len());
    let zeros = vec![0.0; shape.1];
    let rows = move |output: usize, cells: &mut [u32]| {
        format.write_row(order[output].map_or(&zeros, |row| &dense[row]), cells);
    };
    let matrix = Matrix::new(rows, format, shape);
    matrix.prepack(&compute.threads).unwrap();
    matrix
}

fn linear(compute: &Compute, dense: &Tensor, bias: Option<Vec<f32>>) -> LinearWeights {
    let order: Vec<Option<usize>> = (0..dense.dims2().unwrap().0).map(Some).collect();
    LinearWeights {
        weight: matrix(compute, dense, &order),
        bias,
    }
}

/// A matrix of 8-bit blocks.
fn eight_bits(compute: &Compute, dense: &Tensor) -> LinearWeights {
    let order: Vec<Option<usize>> = (0..dense.dims2().unwrap().0).map(Some).collect();
    LinearWeights {
        weight: matrix_of(WeightFormat::Q8, compute, dense, &order),
        bias: None,
    }
}

fn plain_norm(x: &Tensor, weight: &Tensor, epsilon: f64) -> Tensor {
    let mean = x.sqr().unwrap().mean_keepdim(D::Minus1).unwrap();
    x.broadcast_div(&(mean + epsilon).unwrap().sqrt().unwrap())
        .unwrap()
        .broadcast_mul(weight)
        .unwrap()
}

const PRECISIONS: [Precision; 2] = [Precision::F32, Precision::Bf16];

#[test]
fn projections_agree_with_candle() {
    for precision in PRECISIONS {
        for (rows, inputs, outputs) in [
            (1, 8, 3),
            (7, 33, 50),
            (13, 64, 16),
            (70, 96, 257),
            (200, 192, 320),
            (401, 2100, 70),
        ] {
            let compute = compute(precision, 2);
            let (x, w) = (random((rows, inputs)), random((outputs, inputs)));
            let bias = random(outputs);
            let expected = rounded(&x, precision)
                .matmul(&rounded(&w, precision).t().unwrap())
                .unwrap();
            let expected = expected.broadcast_add(&bias).unwrap();
            let linear = linear(&compute, &w, Some(values(&bias)));
            let project = Linear {
                compute: &compute,
                norm: None,
                linear: &linear,
            };
            // Sums of up to 2,100 products of unit size in two orders: some units in the last place
            // of 150.
            assert_close(&project.apply(&x).unwrap(), &expected, 1e-3);
            let sum = random((rows, outputs));
            let expected = (&sum + expected).unwrap();
            project.add_to(&sum, &x).unwrap();
            assert_close(&sum, &expected, 1e-3);
            assert!(project.apply(&random((rows, inputs + 1))).is_err());
        }
    }
}

#[test]
fn norms_agree_with_candle() {
    let compute = compute(Precision::F32, 2);
    for hidden in [8, 48, 200] {
        let (x, weight) = (random((70, hidden)), random(hidden));
        let identity = linear(
            &compute,
            &Tensor::eye(hidden, candle_core::DType::F32, &Device::Cpu).unwrap(),
            None,
        );
        let weights = values(&weight);
        let norm = Some(Norm {
            weight: &weights,
            epsilon: 1e-5,
        });
        let found = Linear {
            compute: &compute,
            norm,
            linear: &identity,
        }
        .apply(&x)
        .unwrap();
        assert_close(&found, &plain_norm(&x, &weight, 1e-5), 1e-5);
    }
}

#[test]
fn gates_agree_with_candle() {
    for (precision, tolerance) in [(Precision::F32, 2e-3), (Precision::Bf16, 2.0)] {
        for (hidden, intermediate) in [(32, 16), (48, 50), (96, 129)] {
            let compute = compute(precision, 2);
            let (x, weight) = (random((40, hidden)), random(hidden));
            let (gate, up) = (
                random((intermediate, hidden)),
                random((intermediate, hidden)),
            );
            let order: Vec<Option<usize>> = (0..gate_up_outputs(intermediate))
                .map(|output| {
                    gate_or_up(output, intermediate)
                        .map(|(is_up, row)| row + if is_up { intermediate } else { 0 })
                })
                .collect();
            let gate_up = matrix(&compute, &Tensor::cat(&[&gate, &up], 0).unwrap(), &order);
            let gate_up = LinearWeights {
                weight: gate_up,
                bias: None,
            };
            let weights = values(&weight);
            let norm = Norm {
                weight: &weights,
                epsilon: 1e-5,
            };
            let found = |activation| {
                let gated = GatedLinear {
                    compute: &compute,
                    norm: Some(norm),
                    gate_up: &gate_up,
                    intermediate,
                    activation,
                };
                gated.apply(&x).unwrap()
            };
            let (silu, gelu) = (found(Activation::Silu), found(Activation::GeluTanh));
            let x = rounded(&plain_norm(&x, &weight, 1e-5), precision);
            let (gate, up) = (rounded(&gate, precision), rounded(&up, precision));
            let gates = x.matmul(&gate.t().unwrap()).unwrap();
            let ups = x.matmul(&up.t().unwrap()).unwrap();
            // Values up to 1,000, where one activation that is rounded the other way makes a
            // difference of one half.
            assert_close(&silu, &(gates.silu().unwrap() * &ups).unwrap(), tolerance);
            assert_close(&gelu, &(gates.gelu().unwrap() * &ups).unwrap(), tolerance);
        }
    }
}

#[test]
fn a_row_does_not_depend_on_its_neighbours_or_on_threads() {
    for precision in PRECISIONS {
        let (inputs, outputs) = (192, 2048 + 5);
        let (x, w) = (random((450, inputs)), random((outputs, inputs)));
        let one = compute(precision, 1);
        let whole_matrix = linear(&one, &w, None);
        let whole = Linear {
            compute: &one,
            norm: None,
            linear: &whole_matrix,
        }
        .apply(&x)
        .unwrap();
        for threads in [1, 3] {
            let compute = compute(precision, threads);
            let linear = linear(&compute, &w, None);
            for (first, count) in [
                (0, 1),
                (3, 8),
                (5, 9),
                (17, 63),
                (2, 64),
                (11, 139),
                (149, 1),
                (20, 400),
            ] {
                let part = x.narrow(0, first, count).unwrap().contiguous().unwrap();
                let part = Linear {
                    compute: &compute,
                    norm: None,
                    linear: &linear,
                }
                .apply(&part)
                .unwrap();
                assert_eq!(
                    bits(&part),
                    bits(&whole.narrow(0, first, count).unwrap()),
                    "{first}+{count}"
                );
            }
        }
    }
}

#[test]
fn instruction_sets_agree() {
    for precision in PRECISIONS {
        let (x, w) = (random((29, 301)), random((75, 301)));
        let product = |set| {
            let compute = with_set(set, precision, 1);
            let linear = linear(&compute, &w, None);
            Linear {
                compute: &compute,
                norm: None,
                linear: &linear,
            }
            .apply(&x)
            .unwrap()
        };
        let best = product(InstructionSet::best());
        for set in InstructionSet::available() {
            let found = product(set);
            let format = WeightFormat::Numbers(precision);
            if set.describe(format, precision) == InstructionSet::best().describe(format, precision)
            {
                assert_eq!(bits(&found), bits(&best), "{set:?} {precision:?}");
            }
            assert_close(&found, &best, 1e-4);
        }
    }
}

#[test]
fn the_most_likely_token_is_the_first_of_the_largest_logits() {
    for precision in PRECISIONS {
        let compute = compute(precision, 3);
        let (x, w) = (random((31, 24)), random((333, 24)));
        // Rows 40 and 300 are equal, and so are 7 and 8.
        let order: Vec<Option<usize>> = (0..333)
            .map(|row| {
                Some(match row {
                    300 => 40,
                    8 => 7,
                    row => row,
                })
            })
            .collect();
        let ones = vec![1.0; 24];
        let norm = Norm {
            weight: &ones,
            epsilon: 1e-5,
        };
        let linear = LinearWeights {
            weight: matrix(&compute, &w, &order),
            bias: None,
        };
        let logits = Linear {
            compute: &compute,
            norm: Some(norm),
            linear: &linear,
        }
        .apply(&x)
        .unwrap();
        let expected: Vec<u32> = logits
            .to_vec2::<f32>()
            .unwrap()
            .iter()
            .map(|row| {
                (0..333)
                    .rev()
                    .max_by(|&a, &b| row[a].total_cmp(&row[b]))
                    .unwrap() as u32
            })
            .collect();
        let likely = Argmax {
            compute: &compute,
            norm,
            output: &linear.weight,
        };
        assert_eq!(
            likely.apply(&x).unwrap().to_vec1::<u32>().unwrap(),
            expected
        );
        assert!(!expected.contains(&8) && !expected.contains(&300));
        let broken = (&x * f64::NAN).unwrap();
        assert_eq!(
            likely.apply(&broken).unwrap().to_vec1::<u32>().unwrap(),
            [NOT_A_TOKEN; 31]
        );
    }
}

fn config(heads: usize, kv_heads: usize, head_dim: usize) -> ModelConfig {
    let json = format!(
        r#"{{"model_type":"llama","hidden_size":8,"intermediate_size":8,"num_hidden_layers":1,"vocab_size":8,
        "num_attention_heads":{heads},"num_key_value_heads":{kv_heads},"head_dim":{head_dim}}}"#
    );
    ModelConfig::parse(json.as_bytes(), None).unwrap()
}

fn cache(
    heads: usize,
    kv_heads: usize,
    head_dim: usize,
    precision: Precision,
    capacity: usize,
) -> KvCache<Slabs> {
    let slabs = Slabs::new(&config(heads, kv_heads, head_dim), precision, capacity);
    KvCache::new(slabs, capacity)
}

/// Attention of all rows of one sequence, by plain candle operations: `[rows, width]` to
/// `[rows, heads · head_dim]`.
fn plain_attention(x: &Tensor, shape: AttentionShape, window: usize) -> Tensor {
    let AttentionShape {
        heads,
        kv_heads,
        head_dim,
    } = shape;
    let rows = x.dims2().unwrap().0;
    let part = |start: usize, heads: usize| {
        let part = x.narrow(1, start * head_dim, heads * head_dim).unwrap();
        part.reshape((rows, heads, head_dim))
            .unwrap()
            .transpose(0, 1)
            .unwrap()
            .contiguous()
            .unwrap()
    };
    let (q, k, v) = (
        part(0, heads),
        part(heads, kv_heads),
        part(heads + kv_heads, kv_heads),
    );
    let group: Vec<u32> = (0..heads)
        .map(|head| (head * kv_heads / heads) as u32)
        .collect();
    let group = Tensor::new(group, &Device::Cpu).unwrap();
    let (k, v) = (
        k.index_select(&group, 0).unwrap(),
        v.index_select(&group, 0).unwrap(),
    );
    let mask: Vec<f32> = (0..rows)
        .flat_map(|q| {
            (0..rows).map(move |k| {
                if k <= q && k + window > q {
                    0.0
                } else {
                    f32::NEG_INFINITY
                }
            })
        })
        .collect();
    let mask = Tensor::from_vec(mask, (rows, rows), &Device::Cpu).unwrap();
    let scores = (q.matmul(&k.t().unwrap()).unwrap() / (head_dim as f64).sqrt()).unwrap();
    let scores = scores.broadcast_add(&mask).unwrap();
    let scores = scores
        .broadcast_sub(&scores.max_keepdim(D::Minus1).unwrap())
        .unwrap()
        .exp()
        .unwrap();
    let weights = scores
        .broadcast_div(&scores.sum_keepdim(D::Minus1).unwrap())
        .unwrap();
    weights
        .matmul(&v)
        .unwrap()
        .transpose(0, 1)
        .unwrap()
        .reshape((rows, heads * head_dim))
        .unwrap()
}

/// Rotates by nothing, stores and attends.
fn attend(
    x: &Tensor,
    shape: AttentionShape,
    window: Option<usize>,
    compute: &Compute,
    cache: &mut KvCache<Slabs>,
    seq: SeqId,
) -> Tensor {
    let x = x.copy().unwrap();
    let rows = x.dims2().unwrap().0;
    assert!(cache.reserve(seq, rows));
    let positions: Vec<(SeqId, usize)> = (0..rows).map(|position| (seq, position)).collect();
    let cos_sin = vec![(1.0, 0.0); rows * shape.head_dim / 2];
    let writer = cache.writer(&positions);
    RopeAndCacheWrite {
        compute,
        writer: &writer,
        layer: 0,
        shape,
        rows,
        cos_sin: &cos_sin,
        norms: None,
        query_factor: None,
    }
    .apply(&x)
    .unwrap();
    Attention {
        compute,
        cache,
        layer: 0,
        shape,
        window,
        rows: &positions,
    }
    .apply(&x)
    .unwrap()
}

#[test]
fn attention_agrees_with_candle() {
    for (precision, tolerance) in [(Precision::F32, 1e-5), (Precision::Bf16, 3e-2)] {
        for set in InstructionSet::available() {
            for (heads, kv_heads, head_dim, window) in [
                (4, 2, 8, None),
                (6, 2, 32, None),
                (5, 1, 20, Some(7)),
                (8, 8, 16, Some(16)),
                (2, 2, 48, Some(1)),
                (7, 1, 64, None),
            ] {
                let shape = AttentionShape {
                    heads,
                    kv_heads,
                    head_dim,
                };
                let compute = with_set(set, precision, 2);
                for rows in [1, 53, 150] {
                    let x = random((rows, (heads + 2 * kv_heads) * head_dim));
                    let mut cache = cache(heads, kv_heads, head_dim, precision, 10);
                    let seq = cache.add_sequence();
                    let found = attend(&x, shape, window, &compute, &mut cache, seq);
                    let expected = plain_attention(&x, shape, window.unwrap_or(usize::MAX - rows));
                    assert_close(&found, &expected, tolerance);
                }
            }
        }
    }
}

#[test]
fn a_reused_block_leaks_nothing() {
    for precision in PRECISIONS {
        let compute = compute(precision, 2);
        let shape = AttentionShape {
            heads: 2,
            kv_heads: 1,
            head_dim: 8,
        };
        let x = random((19, 32));
        let mut cache = cache(2, 1, 8, precision, 2);
        let seq = cache.add_sequence();
        let clean = values(&attend(&x, shape, None, &compute, &mut cache, seq));
        cache.free(seq);
        let seq = cache.add_sequence();
        let poison = Tensor::full(f32::NAN, (32, 32), &Device::Cpu).unwrap();
        attend(&poison, shape, None, &compute, &mut cache, seq);
        assert!(!cache.reserve(seq, 33), "there are only two blocks");
        cache.free(seq);
        let seq = cache.add_sequence();
        assert_eq!(
            values(&attend(&x, shape, None, &compute, &mut cache, seq)),
            clean
        );
    }
}

#[test]
fn rotation_agrees_with_candle() {
    let shape = AttentionShape {
        heads: 2,
        kv_heads: 1,
        head_dim: 8,
    };
    let x = random((4, 32));
    let angles: Vec<f32> = (0..16).map(|index| index as f32 * 0.7 - 3.0).collect();
    let cos_sin: Vec<(f32, f32)> = angles
        .iter()
        .map(|angle| (angle.cos(), angle.sin()))
        .collect();
    let found = x.copy().unwrap();
    let mut cache = cache(2, 1, 8, Precision::F32, 1);
    let seq = cache.add_sequence();
    assert!(cache.reserve(seq, 4));
    let writer = cache.writer(&[(seq, 0), (seq, 1), (seq, 2), (seq, 3)]);
    let compute = compute(Precision::F32, 2);
    RopeAndCacheWrite {
        compute: &compute,
        writer: &writer,
        layer: 0,
        shape,
        rows: 4,
        cos_sin: &cos_sin,
        norms: None,
        query_factor: None,
    }
    .apply(&found)
    .unwrap();

    let angles = Tensor::from_vec(angles, (4, 4), &Device::Cpu).unwrap();
    let angles = Tensor::cat(&[&angles, &angles], 1)
        .unwrap()
        .unsqueeze(1)
        .unwrap();
    let heads = x.narrow(1, 0, 24).unwrap().reshape((4, 3, 8)).unwrap();
    let (first, second) = (
        heads.narrow(2, 0, 4).unwrap(),
        heads.narrow(2, 4, 4).unwrap(),
    );
    let with_rope = Tensor::cat(&[&second.neg().unwrap(), &first], D::Minus1).unwrap();
    let expected = (heads.broadcast_mul(&angles.cos().unwrap()).unwrap()
        + with_rope.broadcast_mul(&angles.sin().unwrap()).unwrap())
    .unwrap();
    let expected = Tensor::cat(
        &[
            &expected.reshape((4, 24)).unwrap(),
            &x.narrow(1, 24, 8).unwrap(),
        ],
        1,
    )
    .unwrap();
    assert_close(&found, &expected, 1e-5);
}

/// Values rounded to 8-bit blocks by candle, with the scale as `scale_as` leaves it.
fn through_eight_bits(x: &Tensor, scale_as: impl Fn(f32) -> f32) -> Tensor {
    let rows = x.to_vec2::<f32>().unwrap().into_iter().map(|row| {
        let blocks = row.chunks(32).flat_map(|block| {
            let scale = block.iter().fold(0f32, |largest, x| largest.max(x.abs())) / 127.0;
            let kept = scale_as(scale);
            block
                .iter()
                .map(move |x| (x / scale).round_ties_even() * kept)
                .collect::<Vec<_>>()
        });
        blocks.collect::<Vec<f32>>()
    });
    Tensor::new(rows.collect::<Vec<_>>(), &Device::Cpu).unwrap()
}

#[test]
fn eight_bit_products_are_those_of_the_rounded_numbers() {
    for (rows, inputs, outputs) in [
        (1, 32, 3),
        (5, 40, 50),
        (6, 64, 64),
        (70, 96, 257),
        (401, 2112, 70),
    ] {
        let compute = compute(Precision::F32, 2);
        let (x, w) = (random((rows, inputs)), random((outputs, inputs)));
        let weights = through_eight_bits(&w, |scale| half::f16::from_f32(scale).to_f32());
        let expected = through_eight_bits(&x, |scale| scale)
            .matmul(&weights.t().unwrap())
            .unwrap();
        let linear = eight_bits(&compute, &w);
        let found = Linear {
            compute: &compute,
            norm: None,
            linear: &linear,
        }
        .apply(&x)
        .unwrap();
        // A value that lies in the middle between two integers may fall either way.
        assert_close(&found, &expected, 0.1);
        let error = (&found - &expected)
            .unwrap()
            .sqr()
            .unwrap()
            .mean_all()
            .unwrap()
            .to_scalar::<f32>()
            .unwrap()
            .sqrt();
        assert!(error < 3e-3, "{rows} {inputs} {outputs}: {error}");
        let plain = x.matmul(&w.t().unwrap()).unwrap();
        let lost = (&found - &plain)
            .unwrap()
            .sqr()
            .unwrap()
            .mean_all()
            .unwrap()
            .to_scalar::<f32>()
            .unwrap()
            .sqrt();
        // The mean of a few random errors may be far from what it is of many.
        let slack = 1.0 + 3.0 / ((rows * outputs) as f32).sqrt();
        assert!(
            lost > 1e-3 && lost < 0.012 * slack * (inputs as f32).sqrt(),
            "{rows} {inputs} {outputs}: {lost}"
        );
    }
}

#[test]
fn eight_bit_weights_are_those_of_candle() {
    use candle_core::quantized::{GgmlDType, QTensor};
    let w = random((70, 96));
    let expected = QTensor::quantize(&w, GgmlDType::Q8_0)
        .unwrap()
        .dequantize(&Device::Cpu)
        .unwrap();
    let expected = expected.to_vec2::<f32>().unwrap();
    let matrix = eight_bits(&compute(Precision::F32, 2), &w).weight;
    let mut differing = 0;
    for (row, expected) in expected.iter().enumerate() {
        let mut found = vec![0.0; 96];
        matrix.row(row, &mut found);
        let scale = expected
            .iter()
            .fold(0f32, |largest, x| largest.max(x.abs()))
            / 127.0;
        for (found, expected) in found.iter().zip(expected) {
            // A value in the middle between two integers may fall either way.
            assert!(
                (found - expected).abs() <= 1.01 * scale,
                "{found} {expected}"
            );
            differing += usize::from(found != expected);
        }
    }
    assert!(differing <= 3, "{differing} of 6720 values");
}

#[test]
fn an_eight_bit_row_depends_on_nothing_but_itself() {
    let (x, w) = (random((61, 192)), random((2048 + 5, 192)));
    let product = |set, threads, x: &Tensor| {
        let compute = with_set(set, Precision::F32, threads);
        let linear = eight_bits(&compute, &w);
        bits(
            &Linear {
                compute: &compute,
                norm: None,
                linear: &linear,
            }
            .apply(x)
            .unwrap(),
        )
    };
    let whole = product(InstructionSet::best(), 1, &x);
    for set in InstructionSet::available().filter(|set| *set != InstructionSet::Portable) {
        for (first, count, threads) in [(0, 61, 3), (0, 1, 1), (3, 8, 2), (17, 44, 2)] {
            let part = x.narrow(0, first, count).unwrap().contiguous().unwrap();
            let outputs = 2048 + 5;
            let expected = whole[first * outputs..(first + count) * outputs].to_vec();
            assert_eq!(
                product(set, threads, &part),
                expected,
                "{set:?} {first}+{count}"
            );
        }
    }
}

#[test]
fn norms_by_themselves_are_those_of_candle() {
    for precision in PRECISIONS {
        let compute = compute(precision, 2);
        let (sum, x) = (random((5, 40)), random((5, 40)));
        let (first, second) = (random(24), random(12));
        let weights = [values(&first), values(&second)];
        let norm = |weight: &'static [f32]| Norm {
            weight,
            epsilon: 1e-5,
        };
        let [first_norm, second_norm] = weights.map(|weight| norm(weight.leak()));
        let found = x.copy().unwrap();
        let norms = [first_norm, second_norm];
        let parts = NormParts {
            compute: &compute,
            norms,
        };
        parts.apply(&found).unwrap();
        let part = |start, length| x.narrow(1, start, length).unwrap().contiguous().unwrap();
        let expected = [
            plain_norm(&part(0, 24), &first, 1e-5),
            plain_norm(&part(24, 12), &second, 1e-5),
            part(36, 4),
        ];
        assert_close(&found, &Tensor::cat(&expected, 1).unwrap(), 1e-5);

        let whole = random(40);
        let norm = norm(values(&whole).leak());
        let found = sum.copy().unwrap();
        let add = NormAdd {
            compute: &compute,
            norm,
        };
        add.add_to(&found, &x).unwrap();
        let expected = (&sum + plain_norm(&x, &whole, 1e-5)).unwrap();
        assert_close(&found, &expected, 1e-5);
        // Rows of another width.
        assert!(add.add_to(&found, &random((5, 39))).is_err());
        assert!(parts.apply(&random((5, 30))).is_err());
    }
}
