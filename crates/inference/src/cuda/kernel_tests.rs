//! Every kernel by itself at small and awkward shapes: against its formula in f64, with the threads
//! of a phase in either order, and with a mistake in it, which each check must find.

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use generation::Sampling;
use half::bf16;

use super::arguments;
use super::host::HostRunner;
use super::launches::{
    CHOSEN, NormMode, PagedLayer, SPLIT, Turn, add_bias, argmax, gated, gather, norm, product,
    sample,
};
use super::launches::{block_product, gather_blocks};
use super::matrix::{BlockMatrix, BlockTiles};
use super::runner::{Runner, address};
use super::step::StepTensors;
use crate::config::{Activation, ModelConfig};
use crate::kernels::{Precision, WeightFormat, q8_blocks};
use crate::kv_cache::{BLOCK, KvCache, Pages};
use crate::ops::{AttentionShape, NOT_A_TOKEN};
use crate::row::{Row, RowToken, SeqId};
use crate::sampling::{Draw, RandomStream, Sampler};

/// What a check finds, or where it fails.
type Outcome = Result<(), String>;

type Check = fn(&Arc<dyn Runner>) -> Outcome;

const DTYPES: [DType; 2] = [DType::F32, DType::BF16];

/// Numbers in -1..1 from a seed.
fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn tensor(runner: &Arc<dyn Runner>, values: &[f32], shape: (usize, usize), dtype: DType) -> Tensor {
    let tensor = Tensor::from_slice(values, shape, &Device::Cpu).unwrap();
    // Rounded on the CPU: no kernel but those that are tested runs on a GPU.
    tensor
        .to_dtype(dtype)
        .unwrap()
        .to_device(runner.device())
        .unwrap()
}

fn vector(runner: &Arc<dyn Runner>, values: &[f32]) -> Tensor {
    Tensor::from_slice(values, values.len(), runner.device()).unwrap()
}

thread_local! {
    /// Hashes of all values that were read on this thread.
    static READ: RefCell<Vec<u64>> = RefCell::default();
}

fn unrecorded(tensor: &Tensor) -> Vec<f32> {
    let on_cpu = tensor.to_device(&Device::Cpu).unwrap();
    let wide = on_cpu.to_dtype(DType::F32).unwrap();
    wide.flatten_all().unwrap().to_vec1().unwrap()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    let values = unrecorded(tensor);
    let mut hasher = DefaultHasher::new();
    values
        .iter()
        .for_each(|value| value.to_bits().hash(&mut hasher));
    READ.with_borrow_mut(|read| read.push(hasher.finish()));
    values
}

/// As a dtype holds them.
fn rounded(values: &[f32], dtype: DType) -> Vec<f32> {
    let round = |&value: &f32| match dtype {
        DType::BF16 => bf16::from_f32(value).to_f32(),
        _ => value,
    };
    values.iter().map(round).collect()
}

/// Each value within a unit of the dtype's last place and some of f32, for sums of numbers of about
/// the size of `scale`.
fn near(what: &str, found: &[f32], expected: &[f64], dtype: DType, scale: f64) -> Outcome {
    if found.len() != expected.len() {
        return Err(format!(
            "{what}: {} values of {}",
            found.len(),
            expected.len()
        ));
    }
    let unit = if dtype == DType::BF16 {
        1.0 / 256.0
    } else {
        0.0
    };
    for (at, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let tolerance = expected.abs() * unit + 4e-6 * scale.max(expected.abs());
        let close = (f64::from(found) - expected).abs() <= tolerance;
        if !(close || (found.is_nan() && expected.is_nan())) {
            return Err(format!("{what}: value {at} is {found}, not {expected}"));
        }
    }
    Ok(())
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(what()) }
}

fn text<T>(result: candle_core::Result<T>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

fn norms(runner: &Arc<dyn Runner>) -> Outcome {
    for (rows, width) in [(1, 4), (7, 48), (3, 100), (2, 2052)] {
        let (x, delta) = (numbers(1, rows * width), numbers(2, rows * width));
        let weight = numbers(3, width);
        let normed = |row: &[f32]| -> Vec<f64> {
            let squares: f64 = row.iter().map(|&x| f64::from(x).powi(2)).sum();
            let factor = 1.0 / (squares / width as f64 + 1e-5).sqrt();
            let scaled = row.iter().zip(&weight);
            scaled
                .map(|(&x, &w)| f64::from(x) * factor * f64::from(w))
                .collect()
        };
        let all = |x: &[f32]| -> Vec<f64> { x.chunks(width).flat_map(normed).collect() };
        let delta_tensor = tensor(runner, &delta, (rows, width), DType::F32);
        for dtype in DTYPES {
            let run = |mode| {
                let x = tensor(runner, &x, (rows, width), DType::F32);
                let out = norm(
                    runner.as_ref(),
                    &x,
                    Some(&vector(runner, &weight)),
                    1e-5,
                    mode,
                    dtype,
                );
                text(out).map(|out| (values(&x), out.map(|out| values(&out))))
            };
            let name = format!("{rows} rows of {width} in {dtype:?}");
            let (same, out) = run(NormMode::Norm)?;
            ensure(same == x, || format!("{name}: x changed"))?;
            near(&name, &out.unwrap_or_default(), &all(&x), dtype, 1.0)?;

            let (summed, out) = run(NormMode::AddNorm(&delta_tensor))?;
            let expected = all(&delta)
                .into_iter()
                .zip(&x)
                .map(|(n, &x)| n + f64::from(x));
            ensure(out.is_none(), || format!("{name}: something returned"))?;
            near(
                &name,
                &summed,
                &expected.collect::<Vec<_>>(),
                DType::F32,
                1.0,
            )?;

            let (_, out) = run(NormMode::Round)?;
            ensure(out.unwrap_or_default() == rounded(&x, dtype), || {
                format!("{name}: not as {dtype:?} rounds")
            })?;
        }
    }
    Ok(())
}

fn gates(runner: &Arc<dyn Runner>) -> Outcome {
    for (rows, width) in [(1, 8), (7, 80), (2, 2056)] {
        for dtype in DTYPES {
            // Far out too, where exponentials overflow and vanish.
            let mut both = numbers(4, rows * 2 * width);
            for (at, value) in both.iter_mut().enumerate() {
                *value *= [1.0, 8.0, 60.0, 300.0][at % 4];
            }
            let both = rounded(&both, dtype);
            let bias = numbers(5, 2 * width);
            for (activation, with_bias) in [
                (Activation::Silu, false),
                (Activation::Silu, true),
                (Activation::GeluTanh, false),
                (Activation::GeluTanh, true),
            ] {
                let biased = |row: &[f32], at: usize| {
                    let bias = if with_bias { bias[at] } else { 0.0 };
                    f64::from(row[at] + bias)
                };
                let one = |row: &[f32], at: usize| {
                    let (g, u) = (biased(row, at), biased(row, at + width));
                    let gelu = (2.0 / std::f64::consts::PI).sqrt() * (g + 0.044_715 * g.powi(3));
                    match activation {
                        Activation::Silu => g / (1.0 + (-g).exp()) * u,
                        Activation::GeluTanh => 0.5 * g * (1.0 + gelu.tanh()) * u,
                    }
                };
                let expected = both
                    .chunks(2 * width)
                    .flat_map(|row| (0..width).map(move |at| one(row, at)));
                let expected: Vec<f64> = expected.collect();
                let gate_up = tensor(runner, &both, (rows, 2 * width), dtype);
                let bias = vector(runner, &bias);
                let bias = with_bias.then_some(&bias);
                let out = text(gated(runner.as_ref(), &gate_up, bias, activation))?;
                let name = format!("{activation:?} of {rows} rows of {width} in {dtype:?}");
                near(&name, &values(&out), &expected, dtype, 1.0)?;
            }
        }
    }
    Ok(())
}

fn biases(runner: &Arc<dyn Runner>) -> Outcome {
    for (rows, width) in [(1, 1), (7, 300)] {
        let (x, bias) = (numbers(6, rows * width), numbers(7, width));
        let out = tensor(runner, &x, (rows, width), DType::F32);
        text(add_bias(runner.as_ref(), &out, &vector(runner, &bias)))?;
        let expected = x.iter().zip(bias.iter().cycle()).map(|(x, b)| x + b);
        ensure(values(&out) == expected.collect::<Vec<f32>>(), || {
            format!("{rows} rows of {width}: not the sums")
        })?;
    }
    Ok(())
}

fn products(runner: &Arc<dyn Runner>) -> Outcome {
    for (rows, inputs, outputs) in [(1, 3, 1), (7, 40, 33)] {
        for (dtype, out_dtype) in [
            (DType::F32, DType::F32),
            (DType::BF16, DType::F32),
            (DType::BF16, DType::BF16),
        ] {
            let x = rounded(&numbers(8, rows * inputs), dtype);
            let w = rounded(&numbers(9, outputs * inputs), dtype);
            let of = |row: usize, column: usize| -> f64 {
                let x = &x[row * inputs..][..inputs];
                let w = &w[column * inputs..][..inputs];
                x.iter()
                    .zip(w)
                    .map(|(&x, &w)| f64::from(x) * f64::from(w))
                    .sum()
            };
            let expected = (0..rows * outputs).map(|at| of(at / outputs, at % outputs));
            let expected: Vec<f64> = expected.collect();
            let (x, w) = (
                tensor(runner, &x, (rows, inputs), dtype),
                tensor(runner, &w, (outputs, inputs), dtype),
            );
            let out = text(product(runner.as_ref(), &x, &w, None, out_dtype))?;
            let name = format!("{rows}, {inputs}, {outputs}, {dtype:?}, {out_dtype:?}");
            near(&name, &values(&out), &expected, out_dtype, 4.0)?;
            if out_dtype == DType::F32 {
                text(product(runner.as_ref(), &x, &w, Some(&out), DType::F32))?;
                let twice: Vec<f64> = expected.iter().map(|value| 2.0 * value).collect();
                near(&name, &values(&out), &twice, out_dtype, 4.0)?;
            }
        }
    }
    Ok(())
}

fn gathers(runner: &Arc<dyn Runner>) -> Outcome {
    for dtype in DTYPES {
        for (count, width) in [(5, 1), (300, 260)] {
            let table = rounded(&numbers(10, count * width), dtype);
            let indices: Vec<u32> = vec![count as u32 - 1, 0, 3, 3, count as u32];
            let table_tensor = tensor(runner, &table, (count, width), dtype);
            let expected = indices.iter().flat_map(|&index| match index as usize {
                lacking if lacking == count => vec![f64::NAN; width],
                index => {
                    let row = &table[index * width..][..width];
                    row.iter().map(|&x| f64::from(x * 3.0)).collect()
                }
            });
            let expected: Vec<f64> = expected.collect();
            // The same, where some are the places of chosen ones.
            let chosen = Tensor::from_slice(&[3, 0, count as u32], 3, runner.device()).unwrap();
            let places = [indices[0], CHOSEN | 1, 3, CHOSEN, CHOSEN | 2];
            for (indices, chosen) in [(indices.as_slice(), None), (&places, Some(&chosen))] {
                let at = Tensor::from_slice(indices, 5, runner.device()).unwrap();
                let at = (text(address(&at))?, 5);
                // SAFETY: there are five indices, and three places.
                let out = unsafe { gather(runner.as_ref(), &table_tensor, at, chosen, 3.0) };
                near("rows", &values(&text(out)?), &expected, DType::F32, 1.0)?;
            }
        }
    }
    Ok(())
}

fn best_tokens(runner: &Arc<dyn Runner>) -> Outcome {
    let lowest = f32::NEG_INFINITY;
    let mut long = numbers(11, 1300);
    (long[700], long[701], long[1299]) = (5.0, 5.0, 5.0);
    let mut at_the_end = numbers(12, 1300);
    at_the_end[1299] = 2.0;
    let mut unsound = at_the_end.clone();
    unsound[513] = f32::NAN;
    for (rows, expected) in [
        (vec![vec![-3.0f32]], vec![0]),
        (vec![vec![1.0, 2.0, 2.0], vec![-0.0, 0.0, -1.0]], vec![1, 0]),
        (
            vec![vec![lowest; 600], vec![f32::NAN; 600]],
            vec![0, NOT_A_TOKEN],
        ),
        (
            vec![long, at_the_end, unsound],
            vec![700, 1299, NOT_A_TOKEN],
        ),
    ] {
        let (count, width) = (rows.len(), rows[0].len());
        let logits = tensor(runner, &rows.concat(), (count, width), DType::F32);
        let tokens = Tensor::zeros(count, DType::U32, runner.device()).unwrap();
        text(argmax(runner.as_ref(), &logits, &tokens))?;
        let found: Vec<u32> = tokens.to_vec1().unwrap();
        ensure(found == expected, || {
            format!("{found:?} are not {expected:?}")
        })?;
    }
    Ok(())
}

/// Tokens drawn by the kernel are those of the CPU's sampler, also where many are equal, where hardly
/// any stays, and in rows without a distribution.
fn draws(runner: &Arc<dyn Runner>) -> Outcome {
    let setting = |temperature, top_k, top_p, min_p| Sampling {
        temperature,
        top_k: NonZeroUsize::new(top_k),
        top_p,
        min_p,
        repetition_penalty: 1.0,
        seed: 3,
        samples: NonZeroU32::MIN,
    };
    let settings = [
        setting(1.0, 0, 1.0, 0.0),
        setting(0.6, 0, 0.95, 0.0),
        setting(0.6, 20, 0.95, 0.0),
        setting(2.0, 1, 1.0, 0.0),
        setting(1.0, 600, 0.999, 0.02),
        setting(0.01, 0, 1e-6, 0.0),
        setting(30.0, 0, 0.5, 0.9),
        setting(1.0, 5000, 1.0, 1.0),
    ];
    for (width, kind) in [
        (1, 0),
        (7, 1),
        (511, 0),
        (513, 2),
        (1300, 0),
        (1300, 1),
        (1300, 3),
        (4, 4),
    ] {
        for (number, sampling) in settings.iter().enumerate() {
            let row = |row: usize| -> Vec<f32> {
                let own = numbers((number * 100 + row) as u64, width).into_iter();
                let own = own.enumerate().map(|(token, x)| match kind {
                    0 => x * 9.0,
                    // Few values, many of them equal, zeros of both signs among them.
                    1 => [-1.0, -0.0, 0.0, 0.5][(x.abs() * 64.0) as usize % 4],
                    2 if (row, token) == (1, 400) => f32::NAN,
                    2 if (row, token) == (2, 512) => f32::INFINITY,
                    2 if row == 3 => f32::NEG_INFINITY,
                    2 => x,
                    // All equal: half of them are half of the weight.
                    4 => 2.0,
                    // Some that cannot be.
                    _ if token % 3 == row => f32::NEG_INFINITY,
                    _ => x * 40.0,
                });
                own.collect()
            };
            let rows: Vec<Vec<f32>> = (0..6).map(row).collect();
            let stream = RandomStream::new(3, "draws", number as u32);
            let mut sampler = Sampler::default();
            let expected = rows.iter().zip(0..).map(|(row, step)| match step {
                // Among the others one that decodes greedily.
                4 => crate::logprobs::argmax(row).unwrap_or(NOT_A_TOKEN),
                _ => sampler
                    .sample(row, &[], sampling, &stream, step)
                    .unwrap_or(NOT_A_TOKEN),
            });
            let expected: Vec<u32> = expected.collect();
            let draws = (0..6).map(|step| match step {
                4 => Draw::GREEDY,
                _ => Draw::of(sampling, &stream, step),
            });
            let draws: Vec<Draw> = draws.collect();
            let logits = tensor(runner, &rows.concat(), (6, width), DType::F32);
            let tokens = Tensor::zeros(6, DType::U32, runner.device()).unwrap();
            text(sample(runner.as_ref(), &logits, &draws, &tokens))?;
            let found: Vec<u32> = tokens.to_vec1().unwrap();
            ensure(found == expected, || {
                format!("{sampling:?}, {width} of kind {kind}: {found:?} are not {expected:?}")
            })?;
        }
    }
    Ok(())
}

/// A matrix of 8-bit blocks, and its values.
fn blocks_of(
    runner: &Arc<dyn Runner>,
    values: &[f32],
    (outputs, inputs): (usize, usize),
) -> (BlockMatrix, Vec<f32>) {
    let cells = |output: usize, to: &mut [u32]| {
        WeightFormat::Q8.write_row(&values[output * inputs..][..inputs], to);
    };
    let matrix = BlockMatrix::new(runner.as_ref(), (outputs, inputs)).unwrap();
    let tiles = BlockMatrix::tiles_of(outputs);
    for tile in 0..tiles {
        let piece = BlockTiles::of(tile..tile + 1, (outputs, inputs), &cells);
        matrix.write(runner.as_ref(), tile, &piece).unwrap();
    }
    let row = |output: usize| {
        let mut own = vec![0u32; WeightFormat::Q8.row_cells(inputs)];
        cells(output, &mut own);
        let mut values = vec![0f32; inputs];
        q8_blocks::read_row(&own, &mut values);
        values
    };
    (matrix, (0..outputs).flat_map(row).collect())
}

/// Rows as the kernels of the CPU round them to blocks.
fn in_blocks(row: &[f32]) -> Vec<f64> {
    let mut integers = [0i8; 32];
    let blocks = row.chunks(32).flat_map(|values| {
        let scale = f64::from(q8_blocks::quantize(values, &mut integers));
        let integers = integers[..values.len()].to_vec();
        integers
            .into_iter()
            .map(move |integer| f64::from(integer) * scale)
    });
    blocks.collect()
}

/// Products by 8-bit blocks of all tilings, and rows of such a matrix; a row has the same bits in any
/// company.
fn block_products(runner: &Arc<dyn Runner>) -> Outcome {
    // Weights of 0.001 have scales that are subnormal as f16.
    for (outputs, inputs, size) in [
        (1, 32, 1.0),
        (17, 40, 1e-3),
        (33, 352, 1.0),
        (70, 1000, 1.0),
    ] {
        let weights = numbers(50, outputs * inputs).into_iter();
        let weights: Vec<f32> = weights.map(|weight| weight * size).collect();
        let (matrix, weights) = blocks_of(runner, &weights, (outputs, inputs));
        let dtypes = [
            (DType::F32, DType::F32),
            (DType::BF16, DType::F32),
            (DType::F32, DType::BF16),
        ];
        for (dtype, out_dtype) in dtypes {
            let rows = 67;
            let x = rounded(&numbers(51, rows * inputs), dtype);
            let expected = x.chunks(inputs).flat_map(|row| {
                let row = in_blocks(row);
                let products = weights.chunks(inputs).map(move |weights| {
                    let products = row.iter().zip(weights).map(|(x, &w)| x * f64::from(w));
                    products.sum::<f64>()
                });
                products.collect::<Vec<f64>>()
            });
            let expected: Vec<f64> = expected.collect();
            let mut bits: Option<Vec<u32>> = None;
            for count in [rows, 32, 9, 8, 3, 1] {
                let x = tensor(runner, &x[..count * inputs], (count, inputs), dtype);
                let before = numbers(52, count * outputs);
                let sum = match out_dtype {
                    DType::F32 => Some(tensor(runner, &before, (count, outputs), out_dtype)),
                    _ => None,
                };
                let out = text(block_product(
                    runner.as_ref(),
                    &x,
                    &matrix,
                    sum.as_ref(),
                    out_dtype,
                ))?;
                let found = values(&out);
                let own = expected.iter().zip(&before);
                let own = own.map(|(x, sum)| match out_dtype {
                    DType::F32 => x + f64::from(*sum),
                    _ => *x,
                });
                let own: Vec<f64> = own.collect();
                near("products", &found, &own, out_dtype, (inputs as f64).sqrt())?;
                let found: Vec<u32> = found.iter().map(|x| x.to_bits()).collect();
                let all = bits.get_or_insert_with(|| found.clone());
                ensure(all[..found.len()] == found, || {
                    format!("{count} rows of {inputs} by {outputs} have other bits")
                })?;
            }
        }
        let indices = [outputs as u32 - 1, 0, outputs as u32];
        let at = Tensor::from_slice(&indices, 3, runner.device()).unwrap();
        let at = (text(address(&at))?, 3);
        // SAFETY: there are three indices.
        let out = unsafe { gather_blocks(runner.as_ref(), &matrix, at, None, 3.0) };
        let row = |&index: &u32| match weights.get(index as usize * inputs..) {
            Some(rest) if !rest.is_empty() => {
                rest[..inputs].iter().map(|&x| f64::from(x * 3.0)).collect()
            }
            _ => vec![f64::NAN; inputs],
        };
        let expected: Vec<f64> = indices.iter().flat_map(row).collect();
        near("rows", &values(&text(out)?), &expected, DType::F32, 1.0)?;
    }
    // What is no number stays none, and the other rows what they are.
    let (matrix, _) = blocks_of(runner, &numbers(53, 3 * 64), (3, 64));
    let mut x = numbers(54, 4 * 64);
    (x[64], x[2 * 64 + 40]) = (f32::NAN, f32::INFINITY);
    let x = tensor(runner, &x, (4, 64), DType::F32);
    let out = text(block_product(
        runner.as_ref(),
        &x,
        &matrix,
        None,
        DType::F32,
    ))?;
    let finite: Vec<bool> = values(&out).iter().map(|x| x.is_finite()).collect();
    ensure(
        finite == [[true; 3], [false; 3], [false; 3], [true; 3]].concat(),
        || format!("{finite:?}"),
    )
}

/// Dimensions of attention, and a cache for them.
struct Bench {
    runner: Arc<dyn Runner>,
    shape: AttentionShape,
    cache: KvCache<Pages>,
}

impl Bench {
    /// A cache of 80 blocks in two layers.
    fn new(runner: &Arc<dyn Runner>, shape: AttentionShape, dtype: DType) -> Self {
        let AttentionShape {
            heads,
            kv_heads,
            head_dim,
        } = shape;
        let json = format!(
            r#"{{"model_type": "llama", "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2,
            "vocab_size": 8, "num_attention_heads": {heads}, "num_key_value_heads": {kv_heads},
            "head_dim": {head_dim}}}"#
        );
        let config = ModelConfig::parse(json.as_bytes(), None).unwrap();
        let precision = match dtype {
            DType::BF16 => Precision::Bf16,
            _ => Precision::F32,
        };
        let pages = Pages::new(&config, precision, 80, Arc::clone(runner));
        let mut cache = KvCache::new(pages, 80);
        // So that no sequence begins at block 0 and its blocks are in no order.
        let others: Vec<SeqId> = (0..5).map(|_| cache.add_sequence()).collect();
        others
            .iter()
            .for_each(|&seq| assert!(cache.reserve(seq, 30)));
        [3, 0, 4, 2]
            .iter()
            .for_each(|&other: &usize| cache.free(others[other]));
        Self {
            runner: Arc::clone(runner),
            shape,
            cache,
        }
    }

    fn width(&self) -> usize {
        (self.shape.heads + 2 * self.shape.kv_heads) * self.shape.head_dim
    }

    /// Writes the keys and values of rows to layer 1 and lets them attend there.
    fn run(
        &mut self,
        rows: &[Row],
        qkv: &[f32],
        turn: &Turn<'_>,
        window: Option<usize>,
    ) -> Result<(Vec<f32>, Vec<f32>), String> {
        for row in rows {
            assert!(self.cache.reserve(row.seq, row.position + 1));
        }
        let turns = rows.iter().map(|row| row.position as u32 % 3).collect();
        let group = self.shape.heads / self.shape.kv_heads;
        let step = text(StepTensors::upload(
            rows,
            group,
            turns,
            &self.cache,
            self.runner.device(),
        ))?;
        let layer = PagedLayer {
            index: 1,
            pages: self.cache.memory(),
            shape: self.shape,
            step: &step,
        };
        let qkv = tensor(&self.runner, qkv, (rows.len(), self.width()), DType::F32);
        let queries = text(layer.rope(&qkv, turn))?;
        let out = text(layer.attend(&queries, window, 0.3))?;
        Ok((values(&queries), values(&out)))
    }

    /// The keys (0) or values (1) of a sequence's position in a layer, `[kv_heads · head_dim]`.
    fn cached(&self, seq: SeqId, position: usize, layer: usize, which: usize) -> Vec<f32> {
        let pages = self.cache.memory();
        let (dim, heads) = (pages.head_dim(), pages.kv_heads());
        let page = self.cache.page_at(seq, position);
        let slab = unrecorded(&pages.slabs()[page / pages.slab_pages()]);
        let index = layer * pages.slab_pages() + page % pages.slab_pages();
        let head = |head: usize| {
            let start = (((index * 2 + which) * heads + head) * BLOCK + position % BLOCK) * dim;
            slab[start..][..dim].to_vec()
        };
        (0..heads).flat_map(head).collect()
    }
}

fn rows_of(seq: SeqId, positions: std::ops::Range<usize>) -> Vec<Row> {
    let row = |position| Row {
        token: RowToken::Known(0),
        seq,
        position,
        length: position + 1,
    };
    positions.map(row).collect()
}

fn shape(heads: usize, kv_heads: usize, head_dim: usize) -> AttentionShape {
    AttentionShape {
        heads,
        kv_heads,
        head_dim,
    }
}

/// QK-norm in both forms, RoPE of whole heads and of a part, and where keys and values end up.
fn turns(runner: &Arc<dyn Runner>) -> Outcome {
    for dtype in DTYPES {
        for (of, pairs, norms) in [
            (shape(4, 2, 16), 8, None),
            (shape(3, 1, 80), 10, Some(false)),
            (shape(5, 5, 256), 128, Some(true)),
            (shape(2, 1, 8), 0, Some(false)),
        ] {
            let AttentionShape {
                heads,
                kv_heads,
                head_dim: dim,
            } = of;
            let mut bench = Bench::new(runner, of, dtype);
            let seq = bench.cache.add_sequence();
            let rows = rows_of(seq, 0..19);
            let qkv = numbers(20, rows.len() * bench.width());
            let angles = numbers(21, 3 * pairs);
            let cos_sin = angles.iter().flat_map(|angle| [angle.cos(), angle.sin()]);
            let cos_sin: Vec<f32> = cos_sin.collect();
            let table = (pairs > 0)
                .then(|| Tensor::from_slice(&cos_sin, (3, pairs, 2), runner.device()).unwrap());
            let whole_row = norms == Some(true);
            let widths = if whole_row {
                [heads * dim, kv_heads * dim]
            } else {
                [dim; 2]
            };
            let weights = [numbers(22, widths[0]), numbers(23, widths[1])];
            let tensors = weights.each_ref().map(|weight| vector(runner, weight));
            let turn = Turn {
                norms: norms.map(|_| [&tensors[0], &tensors[1]]),
                whole_row,
                epsilon: 1e-6,
                cos_sin: table.as_ref(),
            };
            let (queries, _) = bench.run(&rows, &qkv, &turn, None)?;

            let turned = |part: &[f32], row: usize, weight: &[f32]| -> Vec<f64> {
                let mean = |part: &[f32]| {
                    part.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / part.len() as f64
                };
                let whole = mean(part);
                let heads = part.chunks(dim).enumerate().flat_map(|(head, part)| {
                    let over = if whole_row { whole } else { mean(part) };
                    let first = if whole_row { head * dim } else { 0 };
                    let factor = 1.0 / (over + 1e-6).sqrt();
                    let x = part.iter().enumerate().map(|(at, &x)| match norms {
                        Some(_) => f64::from(x) * factor * f64::from(weight[first + at]),
                        None => f64::from(x),
                    });
                    let mut x: Vec<f64> = x.collect();
                    for pair in 0..pairs {
                        let at = 2 * ((row % 3) * pairs + pair);
                        let (cos, sin) = (f64::from(cos_sin[at]), f64::from(cos_sin[at + 1]));
                        let (left, right) = (x[pair], x[pair + pairs]);
                        x[pair] = left * cos - right * sin;
                        x[pair + pairs] = right * cos + left * sin;
                    }
                    x
                });
                heads.collect()
            };
            for row in 0..rows.len() {
                let (name, all) = (format!("{of:?} row {row}"), bench.width());
                let of_row = &qkv[row * all..][..all];
                let (q, rest) = of_row.split_at(heads * dim);
                let (k, v) = rest.split_at(kv_heads * dim);
                let found = &queries[row * heads * dim..][..heads * dim];
                near(&name, found, &turned(q, row, &weights[0]), dtype, 1.0)?;
                let keys = bench.cached(seq, row, 1, 0);
                near(&name, &keys, &turned(k, row, &weights[1]), dtype, 1.0)?;
                let stored = bench.cached(seq, row, 1, 1);
                ensure(stored == rounded(v, dtype), || {
                    format!("{name}: other values")
                })?;
                let other_layer = bench.cached(seq, row, 0, 0);
                ensure(other_layer.iter().all(|&x| x == 0.0), || {
                    format!("{name}: written to another layer")
                })?;
            }
        }
    }
    Ok(())
}

/// `softmax(q · Kᵀ · 0.3) · V` of a row in f64, from what the cache holds.
fn attended(bench: &Bench, row: &Row, queries: &[f32], window: Option<usize>) -> Vec<f64> {
    let AttentionShape {
        heads,
        kv_heads,
        head_dim: dim,
    } = bench.shape;
    let visible = crate::row::visible(row.position, window);
    let cached = |which| -> Vec<Vec<f32>> {
        visible
            .clone()
            .map(|position| bench.cached(row.seq, position, 1, which))
            .collect()
    };
    let (keys, values) = (cached(0), cached(1));
    let of_head = |head: usize| -> Vec<f64> {
        let first = head / (heads / kv_heads) * dim;
        let query = &queries[head * dim..][..dim];
        let score = |key: &Vec<f32>| -> f64 {
            let products = key[first..].iter().zip(query);
            products
                .map(|(&k, &q)| f64::from(k) * f64::from(q))
                .sum::<f64>()
                * 0.3
        };
        let scores: Vec<f64> = keys.iter().map(score).collect();
        let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = scores.iter().map(|score| (score - most).exp()).collect();
        let total: f64 = weights.iter().sum();
        let element = |at: usize| -> f64 {
            let weighted = values.iter().zip(&weights);
            weighted
                .map(|(value, w)| f64::from(value[first + at]) * w)
                .sum::<f64>()
                / total
        };
        (0..dim).map(element).collect()
    };
    (0..heads).flat_map(of_head).collect()
}

/// One sequence of `length` positions: at once, in pieces, its last row by itself, and beside
/// another sequence give the same bits; and rows at edges are near the formula.
fn sequence(
    runner: &Arc<dyn Runner>,
    of: AttentionShape,
    dtype: DType,
    length: usize,
    window: Option<usize>,
) -> Outcome {
    let name = format!("{of:?} {dtype:?}, {length} positions, window {window:?}");
    let mut bench = Bench::new(runner, of, dtype);
    let (all, width) = (bench.width(), of.heads * of.head_dim);
    // Scores differ by some units.
    let qkv: Vec<f32> = numbers(30, length * all).iter().map(|x| 2.0 * x).collect();
    let turn = Turn::default();
    let whole = bench.cache.add_sequence();
    let rows = rows_of(whole, 0..length);
    let (queries, out) = bench.run(&rows, &qkv, &turn, window)?;
    let edges = |row: usize| {
        let last = row + 1 == length;
        last || row < 2
            || [BLOCK, 32, 64, SPLIT]
                .iter()
                .any(|edge| (row + 1) % edge < 2 && row % 7 < 3)
    };
    for row in (0..length).filter(|&row| edges(row)) {
        let query = &queries[row * width..][..width];
        let expected = attended(&bench, &rows[row], query, window);
        let found = &out[row * width..][..width];
        near(&format!("{name}: row {row}"), found, &expected, dtype, 1.0)?;
    }
    // Again in pieces, with the first row of another sequence beside each of them.
    let (pieces, beside) = (bench.cache.add_sequence(), bench.cache.add_sequence());
    let other = numbers(31, all);
    let mut start = 0;
    for piece in [1, 5, 16, 1, 40, 255, 1, length].iter() {
        let end = (start + piece).min(length);
        if start == end {
            break;
        }
        let mut rows = rows_of(pieces, start..end);
        let mut of_rows = qkv[start * all..end * all].to_vec();
        rows.extend(rows_of(beside, 0..1));
        of_rows.extend_from_slice(&other);
        let (_, found) = bench.run(&rows, &of_rows, &turn, window)?;
        let expected = &out[start * width..end * width];
        let same = found
            .iter()
            .zip(expected)
            .all(|(one, two)| one.to_bits() == two.to_bits());
        ensure(same, || format!("{name}: rows {start} to {end} in pieces"))?;
        start = end;
    }
    // The last row by itself, as decode computes it.
    let last = &rows[length - 1..];
    let (_, found) = bench.run(last, &qkv[(length - 1) * all..], &turn, window)?;
    let expected = &out[(length - 1) * width..];
    let same = found
        .iter()
        .zip(expected)
        .all(|(one, two)| one.to_bits() == two.to_bits());
    ensure(same, || format!("{name}: the last row by itself"))
}

fn attention(runner: &Arc<dyn Runner>) -> Outcome {
    for (of, dtype, length, window) in [
        (shape(1, 1, 8), DType::F32, 1, None),
        (shape(2, 1, 12), DType::F32, 70, Some(1)),
        (shape(4, 1, 64), DType::BF16, 65, None),
        (shape(7, 1, 64), DType::BF16, 17, Some(16)),
        (shape(14, 2, 64), DType::BF16, 258, None),
        (shape(5, 5, 80), DType::BF16, 64, None),
        (shape(4, 1, 96), DType::F32, 63, Some(24)),
        (shape(4, 1, 128), DType::BF16, 257, Some(255)),
        (shape(7, 1, 128), DType::BF16, 33, None),
        (shape(16, 1, 128), DType::BF16, 15, None),
        (shape(35, 1, 16), DType::BF16, 20, None),
        (shape(2, 1, 256), DType::BF16, 130, Some(65)),
        (shape(2, 2, 256), DType::F32, 40, None),
        (shape(2, 1, 8), DType::F32, 530, Some(300)),
        (shape(2, 1, 16), DType::BF16, 513, None),
    ] {
        sequence(runner, of, dtype, length, window)?;
    }
    Ok(())
}

/// A start that is shared in part is copied, in all layers, and only that.
fn copies(runner: &Arc<dyn Runner>) -> Outcome {
    for dtype in DTYPES {
        let mut bench = Bench::new(runner, shape(4, 2, 64), dtype);
        let first = bench.cache.add_sequence();
        let rows = rows_of(first, 0..40);
        let qkv = numbers(40, rows.len() * bench.width());
        bench.run(&rows, &qkv, &Turn::default(), None)?;
        let Some(second) = bench.cache.fork(first, 20) else {
            return Err("there is no block for a copy".to_string());
        };
        ensure(
            bench.cache.page_at(first, 16) != bench.cache.page_at(second, 16),
            || "a block that is written to is shared".to_string(),
        )?;
        for (position, which) in (0..20).flat_map(|position| [(position, 0), (position, 1)]) {
            let [one, two] = [first, second].map(|seq| bench.cached(seq, position, 1, which));
            ensure(one == two && one.iter().any(|&x| x != 0.0), || {
                format!("position {position} is not copied")
            })?;
        }
    }
    Ok(())
}

const CHECKS: [(&str, Check); 11] = [
    ("norms", norms),
    ("gates", gates),
    ("biases", biases),
    ("products", products),
    ("gathers", gathers),
    ("best tokens", best_tokens),
    ("block products", block_products),
    ("draws", draws),
    ("turns", turns),
    ("attention", attention),
    ("copies", copies),
];

#[test]
fn kernels_agree_with_their_formulas_in_either_order_of_threads() {
    let Some(mut runner) = HostRunner::new() else {
        return;
    };
    for descending in [false, true] {
        runner.descending = descending;
        let runner: Arc<dyn Runner> = Arc::new(runner.clone());
        for (name, check) in CHECKS {
            check(&runner).unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
        }
    }
}

/// What the checks read on a GPU and on the CPU, products apart, whose sums a library orders.
#[cfg(feature = "cuda")]
#[test]
#[ignore = "needs an NVIDIA GPU"]
fn kernels_on_a_gpu_agree_with_their_formulas_and_give_the_bits_of_the_cpu() {
    let gpu = super::gpu::GpuRunner::new(&Device::new_cuda(0).unwrap()).unwrap();
    let gpu: Arc<dyn Runner> = Arc::new(gpu);
    let read = |runner: &Arc<dyn Runner>, check: Check| {
        READ.take();
        let outcome = check(runner);
        (outcome, READ.take())
    };
    for (name, check) in CHECKS {
        let (outcome, on_gpu) = read(&gpu, check);
        outcome.unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
        if name == "products" {
            continue;
        }
        let Some(host) = HostRunner::new() else {
            return;
        };
        let host: Arc<dyn Runner> = Arc::new(host);
        assert!(
            read(&host, check).1 == on_gpu,
            "{name}: other bits than on the CPU"
        );
    }
}

/// A mistake in each kernel, and the check that finds it.
const MISTAKES: [(&str, &str, &str, &str); 23] = [
    ("norms", "norm.cuh", "mean + a.epsilon", "mean"),
    (
        "norms",
        "norm.cuh",
        "put<float>(sum, e, element<float>(sum, e) + scaled)",
        "put<float>(sum, e, scaled)",
    ),
    (
        "gates",
        "numbers.cuh",
        "fused(n, 2.12194440e-4f, r)",
        "fused(n, 1.0e-4f, r)",
    ),
    (
        "biases",
        "elementwise.cuh",
        "x[i] += bias[i];",
        "x[i] += bias[thread];",
    ),
    (
        "products",
        "host.cc",
        "add ? widen(to) + sums[c] : sums[c]",
        "sums[c]",
    ),
    (
        "gathers",
        "tokens.cuh",
        "index < a.count ?",
        "index <= a.count ?",
    ),
    ("gathers", "tokens.cuh", "[index & ~CHOSEN]", "[0]"),
    (
        "best tokens",
        "tokens.cuh",
        "other.token < one.token",
        "other.token > one.token",
    ),
    (
        "block products",
        "blocks.cuh",
        "size <= largest || largest != largest ? largest : size",
        "size <= largest ? largest : size",
    ),
    (
        "block products",
        "blocks.cuh",
        "row = 2 * t + i % 2;\n                        int sum",
        "row = t + i % 2;\n                        int sum",
    ),
    (
        "block products",
        "blocks.cuh",
        "lane = g * 4 + rest % 16 / 4",
        "lane = g * 4 + rest % 4",
    ),
    (
        "block products",
        "blocks.cuh",
        "a.blocks) * warp / WARPS; };",
        "a.blocks) * warp / (WARPS + 1); };",
    ),
    (
        "block products",
        "blocks.cuh",
        "return from_bits(sign | to_bits(from_bits(rest << 13) * from_bits(0x77800000u)));",
        "return from_bits(sign | (rest << 13) + 0x38000000u);",
    ),
    (
        "draws",
        "sample.cuh",
        "static_cast<int>(bits >> 23) - 110",
        "static_cast<int>(bits >> 23) - 109",
    ),
    (
        "draws",
        "sample.cuh",
        "(rest - 1) / crossing",
        "rest / crossing",
    ),
    (
        "draws",
        "sample.cuh",
        "if (floor == 0x80000000u)",
        "if (floor == 1u)",
    ),
    ("draws", "sample.cuh", "&& weight >= draw.least", ""),
    (
        "turns",
        "rope.cuh",
        "(head - first_of_kind) * dim : 0",
        "0 : 0",
    ),
    (
        "attention",
        "attention.cuh",
        "position <= own_position &&",
        "",
    ),
    (
        "attention",
        "attention.cuh",
        "static_cast<int>(window);",
        "static_cast<int>(window) - 1;",
    ),
    (
        "attention",
        "attention.cuh",
        "split = first + 1; split <= last",
        "split = first + 1; split < last",
    ),
    (
        "attention",
        "attention.cuh",
        "(which ? values : keys)",
        "(keys)",
    ),
    (
        "copies",
        "pages.cuh",
        "i += block.threads)\n            to[i]",
        "i += 2 * block.threads)\n            to[i]",
    ),
];

#[test]
#[ignore = "needs a minute to build kernels with mistakes in them"]
fn each_mistake_in_a_kernel_is_found() {
    for (name, file, from, to) in MISTAKES {
        let Some(runner) = HostRunner::mutated(file, from, to) else {
            return;
        };
        let (_, check) = CHECKS.iter().find(|(known, _)| *known == name).unwrap();
        let runner: Arc<dyn Runner> = Arc::new(runner);
        let outcome = check(&runner);
        println!("{file}: {from} → {to}: {outcome:?}");
        assert!(
            outcome.is_err(),
            "{file}: {from} → {to} is not found by {name}"
        );
    }
}

/// A launch with other arguments than the kernel's, or other threads, is refused.
#[test]
fn a_wrong_launch_is_refused() {
    let Some(runner) = HostRunner::new() else {
        return;
    };
    let arguments = arguments::BiasArguments::default();
    let launch = super::runner::Launch {
        kernel: "bias",
        grid: [1, 1, 1],
        threads: 256,
        shared_bytes: 0,
    };
    let run = |launch, bytes| {
        // SAFETY: a launch that is refused reads nothing but the number of bytes.
        unsafe { runner.launch(launch, std::ptr::from_ref(&arguments).cast(), bytes) }
    };
    assert!(run(launch, size_of_val(&arguments) - 4).is_err());
    let threads = super::runner::Launch {
        threads: 128,
        ..launch
    };
    assert!(run(threads, size_of_val(&arguments)).is_err());
}
