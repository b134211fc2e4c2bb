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
