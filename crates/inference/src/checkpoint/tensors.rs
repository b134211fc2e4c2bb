//! The tensors of a checkpoint by name, known to be those of its configuration.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::files::WeightFiles;
use super::wrappers;
use crate::adapter::{self, Adapter};
use crate::config::ModelConfig;
#[cfg(any(test, feature = "cuda"))]
use crate::cuda::BlockMatrix;
use crate::error::{Error, ErrorKind};
use crate::family::{EMBEDDING, OUTPUT, tensor_shapes};
use crate::kernels::arithmetic::PANEL;
use crate::kernels::{Precision, WeightFormat};
#[cfg(any(test, feature = "cuda"))]
use crate::kv_cache::dtype;
use crate::tensor_source::Change;
use crate::tensor_source::Storage;
use crate::tensor_source::{Stored, ValueStats};
use crate::threads::Threads;

/// The tensors of a checkpoint, known to be those of its configuration.
pub(crate) struct Tensors {
    /// By the names that transformers gives them.
    pub(super) by_name: BTreeMap<String, Stored>,
    /// What was taken from the names in the files, or put before them.
    unwrapped: Vec<&'static str>,
}

/// Name and shape of every tensor that a model of this configuration has.
fn expected_tensors(config: &ModelConfig) -> BTreeMap<String, Vec<usize>> {
    tensor_shapes(config).into_iter().collect()
}

impl Tensors {
    /// Checks that the files hold exactly the tensors of such a model, after what the adapter
    /// replaces.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`] naming file, tensor, what was expected and what was found.
    pub(crate) fn of(
        files: &WeightFiles,
        config: &ModelConfig,
        adapter: Option<Adapter>,
    ) -> Result<Self, Error> {
        let stored = files.tensors(config)?;
        if let Some(lora) = stored
            .iter()
            .find(|stored| stored.name.contains(".lora_A."))
        {
            return Err(lora.error(
                "belongs to an adapter that is not merged: merge it (peft: merge_and_unload), or save it as an adapter of its own",
            ));
        }
        let (names, unwrapped) =
            wrappers::unwrapped(&stored.iter().map(Stored::name).collect::<Vec<_>>());
        let mut by_name: BTreeMap<String, Stored> = BTreeMap::new();
        for (name, stored) in names.into_iter().zip(stored) {
            if let Some(other) = by_name.get(&name) {
                return Err(match other.name == stored.name {
                    true => stored.error(format!("is also in {}", other.file.name)),
                    false => stored.error(format!("is another `{name}` beside `{}`", other.name)),
                });
            }
            by_name.insert(name, stored);
        }
        let mut tensors = Self { by_name, unwrapped };
        let adapter = adapter.unwrap_or_default();
        // Before the check, which then holds the adapter's tensors to shape and dtype too.
        for (name, stored) in adapter.replaced {
            if !expected_tensors(config).contains_key(&name) {
                return Err(stored.error("is not part of such a model"));
            }
            tensors.by_name.insert(name, stored);
        }
        // Changes come after it: they name tensors that must be there, and need their shapes.
        tensors.check(config, files.files.first().map_or("", |file| &file.name))?;
        for (name, change) in adapter.changed {
            // A tied output layer is the embedding, as peft too finds it.
            let name = if config.tied && name == OUTPUT {
                EMBEDDING
            } else {
                name.as_str()
            };
            tensors.change(name, change)?;
        }
        Ok(tensors)
    }

    /// What the user should know of the names of tensors.
    pub(crate) fn warning(&self) -> Option<String> {
        (!self.unwrapped.is_empty()).then(|| {
            format!(
                "names of tensors have {}, as training tools leave them; they are read as those of transformers",
                self.unwrapped.join(", ")
            )
        })
    }

    fn change(&mut self, name: &str, change: Change) -> Result<(), Error> {
        let failed = |message: &str| {
            Error::new(ErrorKind::Weights, message)
                .in_file(adapter::WEIGHTS_FILE)
                .of_tensor(name)
        };
        let Some(stored) = self.by_name.get_mut(name) else {
            return Err(failed("is changed by the adapter and is not in the base"));
        };
        let misfit = match stored.shape[..] {
            [rows, columns] => change.misfit(rows, columns),
            _ => Some("a matrix".to_string()),
        };
        if let Some(wanted) = misfit {
            let found = format!("{:?}", stored.shape);
            return Err(failed("does not fit the adapter's change").expected(wanted, found));
        }
        if stored.change.is_some() {
            return Err(failed(
                "is changed twice by the adapter: the base ties its output layer to the embedding",
            ));
        }
        stored.change = Some(Arc::new(change));
        Ok(())
    }

    fn check(&self, config: &ModelConfig, first_file: &str) -> Result<(), Error> {
        let expected = expected_tensors(config);
        for (name, shape) in &expected {
            let Some(tensor) = self.by_name.get(name) else {
                let error = Error::new(ErrorKind::Weights, "is missing")
                    .in_file(first_file)
                    .of_tensor(name);
                let like = self.by_name.keys().find(|other| other.ends_with(name));
                let found = match like {
                    Some(like) => format!("`{like}`"),
                    None => "no tensor of that name".to_string(),
                };
                return Err(error.expected(format!("shape {shape:?}"), found));
            };
            if &tensor.shape != shape {
                let found = format!("{:?}", tensor.shape);
                return Err(tensor
                    .error("has the wrong shape")
                    .expected(format!("{shape:?}"), found));
            }
            tensor.check_dtype()?;
        }
        for (name, tensor) in &self.by_name {
            // Buffers that transformers once saved and recomputes.
            let recomputed = name.ends_with(".rotary_emb.inv_freq");
            if expected.contains_key(name) || recomputed {
                continue;
            }
            if config.tied && name == OUTPUT {
                let embedding = &self.by_name[EMBEDDING];
                if tensor.data() != embedding.data() || tensor.storage != embedding.storage {
                    return Err(tensor.error(format!(
                        "differs from {EMBEDDING}, although config.json says that they are tied (tie_word_embeddings)"
                    )));
                }
                continue;
            }
            return Err(tensor.error("is not part of such a model"));
        }
        Ok(())
    }

    fn matrices(&self) -> impl Iterator<Item = &Stored> {
        self.by_name
            .values()
            .filter(|tensor| tensor.shape.len() == 2)
    }

    /// `f32`, `f16`, `bf16`, or `mixed`; of quantized matrices their forms, the most frequent
    /// first: `q4_k, q6_k`.
    pub(crate) fn dtype(&self) -> String {
        if let Some(quantization) = self.quantization() {
            return quantization;
        }
        let mut storages = self
            .by_name
            .values()
            .filter(|tensor| !tensor.name.ends_with(".inv_freq"));
        let first = storages
            .next()
            .map_or(Storage::F32, |tensor| tensor.storage);
        match storages.all(|tensor| tensor.storage == first) {
            true => first.name(),
            false => "mixed".to_string(),
        }
    }

    /// How matrices are quantized in their files, if any is.
    pub(crate) fn quantization(&self) -> Option<String> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for tensor in self
            .matrices()
            .filter(|tensor| tensor.storage.is_quantized())
        {
            *counts.entry(tensor.storage.name()).or_default() += 1;
        }
        let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let names: Vec<String> = counts.into_iter().map(|(name, _)| name).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// The precision to compute in where none is chosen: bf16 where all matrices are stored so or
    /// quantized.
    pub(crate) fn precision(&self) -> Precision {
        let narrow =
            |tensor: &Stored| tensor.storage == Storage::Bf16 || tensor.storage.is_quantized();
        if self.matrices().all(narrow) {
            Precision::Bf16
        } else {
            Precision::F32
        }
    }

    /// The format of packed weights where none is chosen: blocks of 8-bit integers as they are,
    /// where no adapter changes them.
    pub(crate) fn format(&self) -> WeightFormat {
        match self
            .matrices()
            .all(|tensor| tensor.storage == Storage::Q8_0 && tensor.change.is_none())
        {
            true => WeightFormat::Q8,
            false => WeightFormat::Numbers(self.precision()),
        }
    }

    /// Bytes of the packed weights; an embedding that is not the output matrix stays in its file.
    pub(crate) fn packed_bytes(&self, config: &ModelConfig, format: WeightFormat) -> usize {
        let matrices = expected_tensors(config)
            .into_iter()
            .filter(|(name, shape)| shape.len() == 2 && (config.tied || name != EMBEDDING));
        matrices
            .map(|(_, shape)| {
                shape[0].div_ceil(PANEL) * format.panel_cells(shape[1]) * size_of::<u32>()
            })
            .sum()
    }

    /// Bytes of the weights on a device, after [`Self::upload`](super::upload); the output matrix
    /// may have a precision of its own.
    pub(crate) fn device_bytes(
        &self,
        config: &ModelConfig,
        precision: Precision,
        of_output: Precision,
    ) -> usize {
        let output = if config.tied { EMBEDDING } else { OUTPUT };
        let bytes = |name: &str| match if name == output { of_output } else { precision } {
            Precision::Bf16 => size_of::<u16>(),
            Precision::F32 => size_of::<f32>(),
        };
        let tensors = expected_tensors(config).into_iter();
        tensors
            .map(|(name, shape)| shape.iter().product::<usize>() * bytes(&name))
            .sum()
    }

    /// The same where matrices are in blocks of 8-bit integers and all else has this precision.
    #[cfg(any(test, feature = "cuda"))]
    pub(crate) fn block_bytes(&self, config: &ModelConfig, precision: Precision) -> usize {
        let tensors = expected_tensors(config).into_iter();
        let bytes = tensors.map(|(name, shape)| match shape[..] {
            [outputs, inputs] if config.tied || name != EMBEDDING => {
                BlockMatrix::bytes((outputs, inputs))
            }
            _ => shape.iter().product::<usize>() * dtype(precision).size_in_bytes(),
        });
        bytes.sum()
    }

    /// Number of weights; a tied output layer counts once.
    pub(crate) fn parameters(&self, config: &ModelConfig) -> usize {
        expected_tensors(config)
            .values()
            .map(|shape| shape.iter().product::<usize>())
            .sum()
    }

    /// Statistics of each tensor's values, by name.
    pub(crate) fn value_stats(&self, threads: &Threads) -> Vec<(String, ValueStats)> {
        self.by_name
            .iter()
            .map(|(name, tensor)| (name.clone(), tensor.value_stats(threads)))
            .collect()
    }

    /// Rows of the embedding that are zero or equal to another one.
    pub(crate) fn untrained_rows(&self) -> Vec<usize> {
        let Some(embedding) = self.by_name.get(EMBEDDING) else {
            return Vec::new();
        };
        let (rows, width) = (embedding.shape[0], embedding.shape[1]);
        let mut alike: HashMap<&[u8], Vec<usize>> = HashMap::new();
        for row in 0..rows {
            alike
                .entry(embedding.row_bytes(row, width))
                .or_default()
                .push(row);
        }
        let is_zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
        let untrained = alike
            .into_iter()
            .filter(|(bytes, rows)| rows.len() > 1 || is_zero(bytes));
        let mut untrained: Vec<usize> = untrained.flat_map(|(_, rows)| rows).collect();
        untrained.sort_unstable();
        untrained
    }
}
