//! Copies of the demo checkpoint to spoil.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde_json::Value;

/// The demo checkpoint's folder.
pub fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/demo")
}

/// A copy of the demo checkpoint in a folder of its own.
pub struct Checkpoint {
    folder: PathBuf,
}

/// A tensor taken out of a file.
pub struct Tensor {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub data: Vec<u8>,
}

impl Checkpoint {
    /// Copies the demo checkpoint to `parent/model`.
    pub fn copy_to(parent: &Path) -> Self {
        let folder = parent.join("model");
        fs::create_dir(&folder).unwrap();
        for entry in fs::read_dir(demo()).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
        }
        Self { folder }
    }

    pub fn path(&self) -> &Path {
        &self.folder
    }

    pub fn remove(&self, file: &str) {
        fs::remove_file(self.folder.join(file)).unwrap();
    }

    pub fn write(&self, file: &str, content: impl AsRef<[u8]>) {
        fs::write(self.folder.join(file), content).unwrap();
    }

    pub fn read(&self, file: &str) -> Vec<u8> {
        fs::read(self.folder.join(file)).unwrap()
    }

    pub fn edit_config(&self, edit: impl FnOnce(&mut Value)) {
        let mut config: Value = serde_json::from_slice(&self.read("config.json")).unwrap();
        edit(&mut config);
        self.write("config.json", config.to_string());
    }

    pub fn edit_tensors(&self, edit: impl FnOnce(&mut BTreeMap<String, Tensor>)) {
        let mut tensors = self.tensors();
        edit(&mut tensors);
        self.write("model.safetensors", serialized(&tensors));
    }

    /// Splits the weights over two files with an index, as large checkpoints come.
    pub fn shard(&self) {
        let mut first = self.tensors();
        let middle = first.keys().nth(first.len() / 2).unwrap().clone();
        let second = first.split_off(&middle);
        let mut weight_map = serde_json::Map::new();
        for (file, tensors) in [
            ("model-00001-of-00002.safetensors", &first),
            ("model-00002-of-00002.safetensors", &second),
        ] {
            self.write(file, serialized(tensors));
            weight_map.extend(tensors.keys().map(|name| (name.clone(), Value::from(file))));
        }
        let index = serde_json::json!({ "metadata": {}, "weight_map": weight_map });
        self.write("model.safetensors.index.json", index.to_string());
        self.remove("model.safetensors");
    }

    /// Moves it to another folder.
    pub fn rename(&mut self, to: &Path) {
        fs::rename(&self.folder, to).unwrap();
        self.folder = to.to_path_buf();
    }

    fn tensors(&self) -> BTreeMap<String, Tensor> {
        let content = self.read("model.safetensors");
        let file = SafeTensors::deserialize(&content).unwrap();
        file.iter()
            .map(|(name, view)| {
                let tensor = Tensor {
                    dtype: view.dtype(),
                    shape: view.shape().to_vec(),
                    data: view.data().to_vec(),
                };
                (name.to_string(), tensor)
            })
            .collect()
    }
}

/// Writes a LoRA adapter of the demo checkpoint that adds `value` to each element of the first
/// layer's query projection.
pub fn adapter(folder: &Path, value: f32) {
    const WIDTH: usize = 192;
    fs::create_dir_all(folder).unwrap();
    let config = serde_json::json!({
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": "demo",
        "r": 1, "lora_alpha": 1, "lora_dropout": 0.0, "bias": "none", "target_modules": ["q_proj"],
    });
    fs::write(folder.join("adapter_config.json"), config.to_string()).unwrap();
    let tensor = |shape: [usize; 2], value: f32| Tensor {
        dtype: Dtype::F32,
        shape: shape.to_vec(),
        data: value.to_le_bytes().repeat(WIDTH),
    };
    let name =
        |part: &str| format!("base_model.model.model.layers.0.self_attn.q_proj.lora_{part}.weight");
    let tensors = BTreeMap::from([
        (name("A"), tensor([1, WIDTH], 1.0)),
        (name("B"), tensor([WIDTH, 1], value)),
    ]);
    fs::write(
        folder.join("adapter_model.safetensors"),
        serialized(&tensors),
    )
    .unwrap();
}

fn serialized(tensors: &BTreeMap<String, Tensor>) -> Vec<u8> {
    let views: Vec<(&String, TensorView)> = tensors
        .iter()
        .map(|(name, tensor)| {
            (
                name,
                TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.data).unwrap(),
            )
        })
        .collect();
    safetensors::serialize(views, None).unwrap()
}
