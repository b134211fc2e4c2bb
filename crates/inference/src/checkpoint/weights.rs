//! From tensors to the weights of a model.

use super::stored::{Rounding, Stored};
use super::tensors::{EMBEDDING, FINAL_NORM, OUTPUT, Tensors};
use crate::config::ModelConfig;
use crate::error::Error;
use crate::kernels::{Compute, Matrix, Precision, WeightFormat, WeightRows};
use crate::model::{Layer, Weights};
use crate::ops::{LinearWeights, gate_or_up, gate_up_outputs};

/// When weights are packed for the kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prepack {
    /// While they are read: the memory cannot hold both forms, or the values take more than reading
    /// to compute.
    WhileLoading,
    /// After the first step, which computes from the files.
    AfterFirstStep,
}

impl Tensors {
    /// Checks all values, and packs them while loading where `form` says so.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`] naming the tensor when a value is not finite.
    pub(crate) fn load(
        &self,
        config: &ModelConfig,
        form: WeightForm,
        compute: &Compute,
    ) -> Result<Weights, Error> {
        let loader = Loader {
            tensors: self,
            form,
            compute,
        };
        let layers = (0..config.layers).map(|layer| {
            let attention =
                |projection: &str| format!("model.layers.{layer}.self_attn.{projection}");
            let feed_forward = |projection: &str| format!("model.layers.{layer}.mlp.{projection}");
            let norm = |norm: &str| loader.vector(&format!("model.layers.{layer}.{norm}.weight"));
            let ModelConfig {
                qkv_bias,
                attention_output_bias,
                mlp_bias,
                qk_norm,
                ..
            } = *config;
            let qk_norms = qk_norm.then_some(["self_attn.q_norm", "self_attn.k_norm"]);
            let qk_norms = match qk_norms.map(|names| names.map(norm)) {
                Some([queries, keys]) => Some([queries?, keys?]),
                None => None,
            };
            Ok(Layer {
                attention_norm: norm("input_layernorm")?,
                qkv: loader.stacked(&["q_proj", "k_proj", "v_proj"].map(attention), qkv_bias)?,
                qk_norms,
                attention_out: loader.stacked(&[attention("o_proj")], attention_output_bias)?,
                feed_forward_norm: norm("post_attention_layernorm")?,
                gate_up: loader.gate_up(&["gate_proj", "up_proj"].map(feed_forward), mlp_bias)?,
                down: loader.stacked(&[feed_forward("down_proj")], mlp_bias)?,
            })
        });
        let (embedding, output) = if config.tied {
            (None, EMBEDDING)
        } else {
            (Some(EMBEDDING), OUTPUT)
        };
        let embedding = embedding.map(|name| loader.table(name)).transpose()?;
        let layers = layers.collect::<Result<_, Error>>()?;
        let output = loader.matrix(&[output], config.vocab_size, |output| Some((0, output)))?;
        let output = LinearWeights {
            weight: output,
            bias: None,
        };
        Ok(Weights {
            embedding,
            layers,
            final_norm: loader.vector(FINAL_NORM)?,
            output,
        })
    }
}

/// How weights are loaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WeightForm {
    pub(crate) rounding: Rounding,
    pub(crate) format: WeightFormat,
    pub(crate) prepack: Prepack,
}

pub(super) struct Loader<'a> {
    pub(super) tensors: &'a Tensors,
    pub(super) form: WeightForm,
    pub(super) compute: &'a Compute,
}

impl Loader<'_> {
    fn stored(&self, name: &str) -> &Stored {
        self.tensors
            .by_name
            .get(name)
            .expect("every expected tensor was checked to be there")
    }

    /// A tensor, checked to hold only finite values.
    pub(super) fn checked(&self, name: &str) -> Result<&Stored, Error> {
        let stored = self.stored(name);
        stored.check_finite(self.form.rounding, &self.compute.threads)?;
        Ok(stored)
    }

    /// `[n]`, f32.
    pub(super) fn vector(&self, name: &str) -> Result<Vec<f32>, Error> {
        Ok(self.checked(name)?.elements(self.form.rounding))
    }

    /// A table `[rows, width]` whose rows are read where they are stored: it is never multiplied by.
    fn table(&self, name: &str) -> Result<Matrix, Error> {
        // As f32, which holds any stored value exactly: no product reads these rows.
        let (stored, format) = (self.checked(name)?, WeightFormat::Numbers(Precision::F32));
        let shape = (stored.shape[0], stored.shape[1]);
        let rows = StoredRows {
            parts: vec![stored.clone()],
            source: |output| Some((0, output)),
            rounding: self.form.rounding,
            format,
        };
        Ok(Matrix::new(rows, format, shape))
    }

    /// Matrices over the same inputs, one below the other: `[sum of outputs, inputs]`.
    fn stacked(&self, names: &[String], bias: bool) -> Result<LinearWeights, Error> {
        let ends: Vec<usize> = names
            .iter()
            .map(|name| self.stored(&format!("{name}.weight")).shape[0])
            .collect();
        let outputs = ends.iter().sum();
        self.linear(names, bias, outputs, move |mut output| {
            for (part, &rows) in ends.iter().enumerate() {
                if output < rows {
                    return Some((part, output));
                }
                output -= rows;
            }
            None
        })
    }

    /// Gates and ups in turn, as [`SwiGlu`](crate::ops::SwiGlu) needs them:
    /// `[gate_up_outputs(intermediate), hidden]`.
    fn gate_up(&self, names: &[String; 2], bias: bool) -> Result<LinearWeights, Error> {
        let intermediate = self.stored(&format!("{}.weight", names[0])).shape[0];
        let source = move |output| {
            gate_or_up(output, intermediate).map(|(is_up, row)| (usize::from(is_up), row))
        };
        self.linear(names, bias, gate_up_outputs(intermediate), source)
    }

    /// A matrix `[outputs, inputs]` and its bias `[outputs]`: `source` gives the named matrix and its
    /// row that an output is, `None` for zeros.
    fn linear(
        &self,
        names: &[String],
        bias: bool,
        outputs: usize,
        source: impl Fn(usize) -> Option<(usize, usize)> + Send + Sync + 'static,
    ) -> Result<LinearWeights, Error> {
        let weights: Vec<String> = names.iter().map(|name| format!("{name}.weight")).collect();
        let weights: Vec<&str> = weights.iter().map(String::as_str).collect();
        let bias = match bias {
            false => None,
            true => {
                let parts = names
                    .iter()
                    .map(|name| self.vector(&format!("{name}.bias")));
                let parts = parts.collect::<Result<Vec<_>, _>>()?;
                let value = |output| {
                    source(output).map_or(0.0, |(part, row): (usize, usize)| parts[part][row])
                };
                Some((0..outputs).map(value).collect())
            }
        };
        Ok(LinearWeights {
            weight: self.matrix(&weights, outputs, source)?,
            bias,
        })
    }

    /// The matrix of [`Self::linear`], packed at once where the form says so.
    fn matrix(
        &self,
        names: &[&str],
        outputs: usize,
        source: impl Fn(usize) -> Option<(usize, usize)> + Send + Sync + 'static,
    ) -> Result<Matrix, Error> {
        let parts = names
            .iter()
            .map(|name| self.checked(name).cloned())
            .collect::<Result<Vec<_>, _>>()?;
        let WeightForm {
            rounding,
            format,
            prepack,
        } = self.form;
        let shape = (outputs, parts[0].shape[1]);
        let matrix = Matrix::new(
            StoredRows {
                parts,
                source,
                rounding,
                format,
            },
            format,
            shape,
        );
        if prepack == Prepack::WhileLoading {
            matrix.prepack(&self.compute.threads)?;
        }
        Ok(matrix)
    }
}

/// The rows of a matrix in their files.
struct StoredRows<S> {
    parts: Vec<Stored>,
    /// The part and its row that an output is, `None` for zeros.
    source: S,
    rounding: Rounding,
    format: WeightFormat,
}

impl<S: Fn(usize) -> Option<(usize, usize)> + Send + Sync> WeightRows for StoredRows<S> {
    fn write(&self, output: usize, cells: &mut [u32]) {
        match (self.source)(output) {
            Some((part, row)) => self.parts[part].cells(row, self.rounding, self.format, cells),
            // Zeros in any format: of 8-bit blocks the scales.
            None => cells.fill(0),
        }
    }

    fn release(&self) {
        self.parts.iter().for_each(Stored::release);
    }
}
