//! From tensors to the weights of a model.

use super::tensors::Tensors;
use crate::backend::{Backend, CpuBackend};
use crate::config::ModelConfig;
use crate::error::Error;
use crate::family::{self, EMBEDDING, FINAL_NORM, OUTPUT, Role};
use crate::kernels::{Compute, Matrix, Precision, WeightFormat, WeightRows};
use crate::model::{FeedForward, GatedBlock, Layer, Weights};
use crate::ops::{LinearWeights, gate_or_up, gate_up_outputs};
use crate::tensor_source::{Rounding, Stored};

/// When weights are packed for the kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prepack {
    /// While they are read: the memory cannot hold both forms, or the values take more than reading
    /// to compute.
    WhileLoading,
    /// After the first step, which computes from the files.
    AfterFirstStep,
}

/// Makes the weights of a backend from tensors that are known to be there.
pub(super) trait WeightLoader {
    type Backend: Backend;

    /// `[n]`, each value with `offset` added.
    fn vector(&self, name: &str, offset: f32) -> Result<<Self::Backend as Backend>::Vector, Error>;

    /// Matrices over the same inputs, one below the other, and their biases where they have some.
    fn linear(
        &self,
        names: &[String],
        bias: bool,
    ) -> Result<<Self::Backend as Backend>::Linear, Error>;

    /// Gates and ups, of two matrices or of one: gates, then ups, where the backend needs no other
    /// order.
    fn gate_up(
        &self,
        names: &[String],
        bias: bool,
    ) -> Result<<Self::Backend as Backend>::Linear, Error> {
        self.linear(names, bias)
    }

    /// A table `[rows, width]` whose rows are only looked up.
    fn table(&self, name: &str) -> Result<<Self::Backend as Backend>::Table, Error>;

    /// The matrix of the output layer.
    fn output(&self, name: &str) -> Result<<Self::Backend as Backend>::Linear, Error>;
}

/// All weights of a model, in the order in which they are used.
pub(super) fn load<L: WeightLoader>(
    loader: &L,
    config: &ModelConfig,
) -> Result<Weights<L::Backend>, Error> {
    let embedding = match config.tied {
        true => None,
        false => Some(loader.table(EMBEDDING)?),
    };
    let layers = (0..config.layers).map(|layer| {
        let names = |role| family::names(config.architecture, (layer, 0), role);
        let norm = |role| match names(role) {
            Some(names) => {
                let name = format!("{}.weight", names[0]);
                loader.vector(&name, config.norm_offset).map(Some)
            }
            None => Ok(None),
        };
        let linear = |role: Role| {
            let names = names(role).unwrap_or_default();
            match role {
                Role::GateUp => loader.gate_up(&names, role.has_bias(config)),
                _ => loader.linear(&names, role.has_bias(config)),
            }
        };
        let attention_norm = norm(Role::AttentionNorm)?;
        let qkv = linear(Role::Qkv)?;
        let qk_norms = [norm(Role::QueryNorm)?, norm(Role::KeyNorm)?];
        Ok(Layer {
            attention_norm,
            qkv,
            qk_norms: match qk_norms {
                [Some(queries), Some(keys)] => Some([queries, keys]),
                _ => None,
            },
            attention_out: linear(Role::AttentionOut)?,
            attention_post_norm: norm(Role::AttentionPostNorm)?,
            feed_forward_norm: norm(Role::FeedForwardNorm)?,
            feed_forward: match config.experts {
                0 => FeedForward::Dense(GatedBlock {
                    gate_up: linear(Role::GateUp)?,
                    down: linear(Role::Down)?,
                }),
                experts => FeedForward::Experts {
                    router: linear(Role::Router)?,
                    experts: (0..experts)
                        .map(|expert| load_expert(loader, config, (layer, expert)))
                        .collect::<Result<_, Error>>()?,
                },
            },
            feed_forward_post_norm: norm(Role::FeedForwardPostNorm)?,
        })
    });
    let layers = layers.collect::<Result<_, Error>>()?;
    let output = loader.output(if config.tied { EMBEDDING } else { OUTPUT })?;
    Ok(Weights {
        embedding,
        layers,
        final_norm: loader.vector(FINAL_NORM, config.norm_offset)?,
        output,
    })
}

fn load_expert<L: WeightLoader>(
    loader: &L,
    config: &ModelConfig,
    place: (usize, usize),
) -> Result<GatedBlock<L::Backend>, Error> {
    let names = |role| family::names(config.architecture, place, role).unwrap_or_default();
    Ok(GatedBlock {
        gate_up: loader.gate_up(&names(Role::ExpertGateUp), false)?,
        down: loader.linear(&names(Role::ExpertDown), false)?,
    })
}

impl Tensors {
    /// Checks all values, and packs them while loading where `form` says so.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`](crate::ErrorKind::Weights) naming the tensor when a value is not
    /// finite.
    pub(crate) fn load(
        &self,
        config: &ModelConfig,
        form: WeightForm,
        compute: &Compute,
    ) -> Result<Weights<CpuBackend>, Error> {
        let loader = Loader {
            tensors: self,
            form,
            compute,
        };
        load(&loader, config)
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
    pub(super) fn values(&self, name: &str) -> Result<Vec<f32>, Error> {
        Ok(self.checked(name)?.elements(self.form.rounding))
    }

    /// A matrix `[outputs, inputs]` and its bias `[outputs]`: `source` gives the named matrix and its
    /// row that an output is, `None` for zeros.
    fn linear_of(
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
                    .map(|name| self.values(&format!("{name}.bias")));
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

    /// The matrix of [`Self::linear_of`], packed at once where the form says so.
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

impl WeightLoader for Loader<'_> {
    type Backend = CpuBackend;

    fn vector(&self, name: &str, offset: f32) -> Result<Vec<f32>, Error> {
        let mut values = self.values(name)?;
        values.iter_mut().for_each(|value| *value += offset);
        Ok(values)
    }

    fn linear(&self, names: &[String], bias: bool) -> Result<LinearWeights, Error> {
        let ends: Vec<usize> = names
            .iter()
            .map(|name| self.stored(&format!("{name}.weight")).shape[0])
            .collect();
        let outputs = ends.iter().sum();
        self.linear_of(names, bias, outputs, move |mut output| {
            for (part, &rows) in ends.iter().enumerate() {
                if output < rows {
                    return Some((part, output));
                }
                output -= rows;
            }
            None
        })
    }

    /// Gates and ups in turn, as [`GatedLinear`](crate::ops::GatedLinear) needs them:
    /// `[gate_up_outputs(intermediate), hidden]`.
    fn gate_up(&self, names: &[String], bias: bool) -> Result<LinearWeights, Error> {
        let rows = self.stored(&format!("{}.weight", names[0])).shape[0];
        let fused = names.len() == 1;
        let intermediate = if fused { rows / 2 } else { rows };
        let source = move |output| {
            let (is_up, row) = gate_or_up(output, intermediate)?;
            Some(match fused {
                true => (0, row + usize::from(is_up) * intermediate),
                false => (usize::from(is_up), row),
            })
        };
        self.linear_of(names, bias, gate_up_outputs(intermediate), source)
    }

    /// Rows are read where they are stored: the table is never multiplied by.
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

    fn output(&self, name: &str) -> Result<LinearWeights, Error> {
        let outputs = self.stored(name).shape[0];
        let weight = self.matrix(&[name], outputs, |output| Some((0, output)))?;
        Ok(LinearWeights { weight, bias: None })
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
