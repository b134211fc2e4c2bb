//! What `benches/engine.rs` measures: products and attention of given shapes. Each checks its
//! result before it is measured.

use candle_core::{Device, Result, Tensor};

use crate::WeightDtype;
use crate::config::ModelConfig;
use crate::kernels::{Compute, InstructionSet, Matrix, Precision, WeightFormat};
use crate::kv_cache::{BLOCK, KvCache, Slabs};
use crate::ops::{Attention, AttentionShape, Linear, LinearWeights, RopeAndCacheWrite};
use crate::row::SeqId;
use crate::threads::Threads;

fn compute(dtype: WeightDtype, threads: usize) -> Compute {
    let precision = if dtype == WeightDtype::F32 {
        Precision::F32
    } else {
        Precision::Bf16
    };
    let threads = Threads::start(Some(threads)).expect("threads can be started");
    Compute {
        threads,
        set: InstructionSet::best(),
        precision,
    }
}

/// Relative to the size of the values: what rounding to bf16 or another order of sums may make.
const TOLERANCE: f32 = 0.03;

fn check(found: &Tensor, expected: &Tensor) -> Result<()> {
    let worst = (found - expected)?.abs()?.max_all()?.to_scalar::<f32>()?;
    let size = expected.abs()?.max_all()?.to_scalar::<f32>()?;
    assert!(
        worst <= TOLERANCE * size,
        "differs by {worst} at values of size {size}"
    );
    Ok(())
}

/// A product of random rows `[rows, inputs]` by a random matrix `[outputs, inputs]`.
///
/// # Errors
/// Those of the computation.
pub fn product(
    dtype: WeightDtype,
    threads: usize,
    rows: usize,
    (outputs, inputs): (usize, usize),
) -> Result<impl FnMut()> {
    let compute = compute(dtype, threads);
    let x = Tensor::randn(0f32, 1f32, (rows, inputs), &Device::Cpu)?;
    let w = Tensor::randn(0f32, 1f32, (outputs, inputs), &Device::Cpu)?;
    let dense = w.to_vec2::<f32>()?;
    let format = WeightFormat::Numbers(compute.precision);
    let row = move |output: usize, cells: &mut [u32]| format.write_row(&dense[output], cells);
    let weight = Matrix::new(row, format, (outputs, inputs));
    weight.prepack(&compute.threads)?;
    let linear = LinearWeights { weight, bias: None };
    let expected = x.matmul(&w.t()?)?;
    let run = move || {
        Linear {
            compute: &compute,
            norm: None,
            linear: &linear,
        }
        .apply(&x)
    };
    check(&run()?, &expected)?;
    Ok(move || {
        run().expect("it worked before");
    })
}

/// Attention of one new position for each of `sequences` that hold `positions` already, with a
/// random KV cache.
///
/// # Errors
/// Those of the computation.
pub fn attention(
    dtype: WeightDtype,
    threads: usize,
    (sequences, positions): (usize, usize),
    (heads, kv_heads, head_dim): (usize, usize, usize),
) -> Result<impl FnMut()> {
    let compute = compute(dtype, threads);
    let json = format!(
        r#"{{"model_type":"llama","hidden_size":8,"intermediate_size":8,"num_hidden_layers":1,"vocab_size":8,
        "num_attention_heads":{heads},"num_key_value_heads":{kv_heads},"head_dim":{head_dim}}}"#
    );
    let config = ModelConfig::parse(json.as_bytes(), None).expect("a sound configuration");
    let capacity = sequences * (positions / BLOCK + 1);
    let slabs = Slabs::new(&config, compute.precision, capacity);
    let mut cache = KvCache::new(slabs, capacity);
    let shape = AttentionShape {
        heads,
        kv_heads,
        head_dim,
    };
    let width = (heads + 2 * kv_heads) * head_dim;
    let cos_sin = vec![(1.0, 0.0); (positions + 1) * head_dim / 2];
    let (mut last, mut rows, mut expected) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..sequences {
        let qkv = Tensor::randn(0f32, 1f32, (positions + 1, width), &Device::Cpu)?;
        let seq = cache.add_sequence();
        assert!(
            cache.reserve(seq, positions + 1),
            "the cache was made for it"
        );
        let all: Vec<(SeqId, usize)> = (0..=positions).map(|position| (seq, position)).collect();
        let writer = cache.writer(&all);
        RopeAndCacheWrite {
            compute: &compute,
            writer: &writer,
            layer: 0,
            shape,
            rows: positions + 1,
            cos_sin: &cos_sin,
            norms: None,
            query_factor: None,
        }
        .apply(&qkv)?;
        let row = qkv.narrow(0, positions, 1)?;
        for head in 0..heads {
            let part = |start: usize| qkv.narrow(1, start * head_dim, head_dim)?.contiguous();
            let kv_head = head / (heads / kv_heads);
            let query = row.narrow(1, head * head_dim, head_dim)?.contiguous()?;
            let scores =
                (query.matmul(&part(heads + kv_head)?.t()?)? / (head_dim as f64).sqrt())?.exp()?;
            let weights = scores.broadcast_div(&scores.sum_keepdim(1)?)?;
            expected.push(weights.matmul(&part(heads + kv_heads + kv_head)?)?);
        }
        last.push(row);
        rows.push((seq, positions));
    }
    let qkv = Tensor::cat(&last, 0)?;
    let expected = Tensor::cat(&expected, 0)?.reshape((sequences, heads * head_dim))?;
    let run = move || {
        Attention {
            compute: &compute,
            cache: &cache,
            layer: 0,
            shape,
            window: None,
            rows: &rows,
        }
        .apply(&qkv)
    };
    check(&run()?, &expected)?;
    Ok(move || {
        run().expect("it worked before");
    })
}
