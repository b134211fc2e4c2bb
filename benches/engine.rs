//! The engine's parts: products and attention at the shapes of real models, a step of the demo
//! checkpoint, its load.
//!
//! Products and attention are compared with plain candle operations before they are measured, and
//! completions of the demo checkpoint with those of one row at a time. Threads: all cores.

use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use inference::{CheckpointFiles, EngineOptions, LocalModel, WeightDtype, benching};

const DTYPES: [(&str, WeightDtype); 2] = [("bf16", WeightDtype::Bf16), ("f32", WeightDtype::F32)];

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get())
}

/// Throughput is in multiply-adds: half as many as floating-point operations.
fn products(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("product");
    for (name, dtype) in DTYPES {
        for (outputs, inputs) in [(2304, 768), (768, 2048), (11264, 2048)] {
            for rows in [1, 8, 32, 64, 256] {
                let mut run = benching::product(dtype, threads(), rows, (outputs, inputs))
                    .expect("a sound product");
                group.throughput(Throughput::Elements((rows * outputs * inputs) as u64));
                let id = BenchmarkId::new(format!("{name} {outputs}x{inputs}"), rows);
                group.bench_function(id, |bencher| bencher.iter(&mut run));
            }
        }
    }
    group.finish();
}

/// Throughput is in bytes of keys and values read.
fn attention(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("attention");
    for ((name, dtype), size) in DTYPES.into_iter().zip([2, 4]) {
        for (heads, kv_heads, head_dim) in [(12, 12, 64), (32, 4, 64), (32, 8, 128)] {
            for (sequences, positions) in [(1, 2000), (64, 200)] {
                let shape = (heads, kv_heads, head_dim);
                let run = benching::attention(dtype, threads(), (sequences, positions), shape);
                let mut run = run.expect("sound attention");
                group.throughput(Throughput::Bytes(
                    (sequences * positions * 2 * kv_heads * head_dim * size) as u64,
                ));
                let id = BenchmarkId::new(
                    format!("{name} {heads}/{kv_heads}x{head_dim}"),
                    format!("{sequences}x{positions}"),
                );
                group.bench_function(id, |bencher| bencher.iter(&mut run));
            }
        }
    }
    group.finish();
}

fn load(options: &EngineOptions) -> LocalModel {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/demo");
    let files = CheckpointFiles::open(&folder).expect("the demo checkpoint");
    LocalModel::load(files, options).expect("the demo checkpoint loads")
}

/// Sixteen new tokens for each of several prompts; throughput is in new tokens.
fn steps(criterion: &mut Criterion) {
    let alone = |prompts: &[Vec<u32>]| {
        load(&EngineOptions {
            batch_size: Some(1),
            ..Default::default()
        })
        .generate_ids(prompts, 16)
        .expect("completions")
    };
    let mut group = criterion.benchmark_group("demo, 16 new tokens");
    for rows in [1, 8, 64] {
        let mut model = load(&EngineOptions {
            batch_size: Some(rows),
            ignore_eos: true,
            ..Default::default()
        });
        let question = |index| {
            format!("Tom has {index} apples and buys 7 more. How many apples does he have now?")
        };
        let prompts: Vec<Vec<u32>> = (0..rows)
            .map(|index| model.encode(&question(index)).expect("ids"))
            .collect();
        let found = model.generate_ids(&prompts, 16).expect("completions");
        assert!(
            alone(&prompts)
                .iter()
                .zip(&found)
                .all(|(alone, found)| found.starts_with(alone))
        );
        group.throughput(Throughput::Elements(16 * rows as u64));
        group.bench_function(BenchmarkId::from_parameter(rows), |bencher| {
            bencher.iter(|| model.generate_ids(&prompts, 16).expect("completions"));
        });
    }
    group.finish();
}

fn loading(criterion: &mut Criterion) {
    criterion.bench_function("load the demo checkpoint", |bencher| {
        bencher.iter(|| load(&EngineOptions::default()));
    });
}

criterion_group!(benches, products, attention, steps, loading);
criterion_main!(benches);
