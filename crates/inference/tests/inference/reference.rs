//! The demo checkpoint against candle's own LLaMA: another implementation of the same arithmetic.

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::llama::{Cache, Llama, LlamaConfig};
use inference::{CheckpointFiles, EngineOptions, LocalModel, WeightDtype};

/// Both sum in f32 but in another order; logits of this model are within ±30, so that this is about
/// 3e-6 of their range.
const TOLERANCE: f32 = 1e-4;

#[test]
fn logits_agree_with_candle_transformers_after_every_token() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/demo");
    let ours = LocalModel::load(
        CheckpointFiles::open(&folder).unwrap(),
        &EngineOptions {
            dtype: WeightDtype::F32,
            ..Default::default()
        },
    )
    .unwrap();
    let prompt = ours
        .encode("A farmer has 12 rows of 8 trees and cuts down 17. How many trees are left?")
        .unwrap();
    let found = ours.logits(&prompt).unwrap();

    let config: LlamaConfig =
        serde_json::from_slice(&std::fs::read(folder.join("config.json")).unwrap()).unwrap();
    let config = config.into_config(false);
    let weights = std::fs::read(folder.join("model.safetensors")).unwrap();
    let weights = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu).unwrap();
    let theirs = Llama::load(weights, &config).unwrap();
    for length in 1..=prompt.len() {
        let mut cache = Cache::new(false, DType::F32, &config, &Device::Cpu).unwrap();
        let ids = Tensor::new(&prompt[..length], &Device::Cpu)
            .unwrap()
            .unsqueeze(0)
            .unwrap();
        let expected = theirs
            .forward(&ids, 0, &mut cache)
            .unwrap()
            .squeeze(0)
            .unwrap()
            .to_vec1::<f32>()
            .unwrap();
        let farthest = found[length - 1]
            .iter()
            .zip(&expected)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert_eq!(found[length - 1].len(), expected.len());
        assert!(
            farthest < TOLERANCE,
            "after {length} tokens: differs by {farthest}"
        );
    }
}
