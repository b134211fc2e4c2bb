//! From a checkpoint to a model that is ready to run: on the CPU or on devices, by kernels of this
//! crate or by candle's operations, where the memory can hold it.

#[cfg(any(test, feature = "cuda"))]
use std::sync::Arc;

use candle_core::Device;

use crate::backend::CpuBackend;
use crate::checkpoint::{Checkpoint, Prepack, WeightForm};
#[cfg(any(test, feature = "cuda"))]
use crate::cuda::{CudaBackend, Runner};
use crate::device::{self, DeviceBackend};
use crate::engine_options::EngineOptions;
use crate::error::{Error, ErrorKind};
use crate::kernels::{Compute, Precision, WeightFormat};
use crate::memory::{self, human_size};
use crate::model::Model;
use crate::replicas::Replicas;
use crate::runner::ModelRunner;
use crate::tensor_source::Rounding;

/// The model, a copy on each device, or on the CPU where there is none; and its arithmetic.
///
/// # Errors
/// Weights that do not fit, values that are not finite, and those of the device.
pub(crate) fn load_model(
    checkpoint: &Checkpoint,
    options: &EngineOptions,
    (rounding, precision): (Rounding, Precision),
    devices: &[Device],
) -> Result<(Box<dyn ModelRunner>, String), Error> {
    if !devices.is_empty() {
        return models_on(checkpoint, options, rounding, precision, devices);
    }
    let compute = options.compute(precision, 1)?;
    let format = options.weight_format(checkpoint, precision);
    let arithmetic = compute.set.describe(format, precision);
    let model = cpu_model(checkpoint, options, (rounding, format), compute)?;
    Ok((Box::new(model), arithmetic))
}

/// The model with its weights on the CPU, for the kernels of this crate.
fn cpu_model(
    checkpoint: &Checkpoint,
    options: &EngineOptions,
    (rounding, format): (Rounding, WeightFormat),
    compute: Compute,
) -> Result<Model<CpuBackend>, Error> {
    let (config, tensors) = (&checkpoint.config, &checkpoint.tensors);
    let laid_out = tensors.packed_bytes(config, format);
    let free = memory::free_bytes();
    // Mapped files are not counted: their pages can be given up and read again.
    if let Some(free) = free {
        let others = [
            ("bf16", WeightFormat::Numbers(Precision::Bf16)),
            ("q8_0", WeightFormat::Q8),
        ];
        let others = others.map(|(name, format)| (name, tensors.packed_bytes(config, format)));
        check_memory(laid_out, free, &others, ErrorKind::WeightsTooLarge)?;
    }
    // What an adapter changes, or rounding makes, or blocks of integers are widened to, is computed
    // once.
    let rounded = options.quantize.is_some() || tensors.quantization().is_some();
    let dear = checkpoint.adapter.is_some() || (rounded && tensors.format() != WeightFormat::Q8);
    let at_once =
        dear || free.is_some_and(|free| laid_out + checkpoint.weight_files.bytes() > free);
    let prepack = if at_once {
        Prepack::WhileLoading
    } else {
        Prepack::AfterFirstStep
    };
    let form = WeightForm {
        rounding,
        format,
        prepack,
    };
    let weights = tensors.load(config, form, &compute)?;
    Ok(Model::new(
        config.clone(),
        CpuBackend::new(config, compute),
        weights,
    ))
}

/// A copy of the model on each device, as one, and its arithmetic.
fn models_on(
    checkpoint: &Checkpoint,
    options: &EngineOptions,
    rounding: Rounding,
    precision: Precision,
    devices: &[Device],
) -> Result<(Box<dyn ModelRunner>, String), Error> {
    let mut copies = Vec::with_capacity(devices.len());
    let mut arithmetics = Vec::with_capacity(devices.len());
    for device in devices {
        let compute = options.compute(precision, devices.len())?;
        let (copy, arithmetic) = model_on(checkpoint, options, rounding, compute, device)?;
        copies.push(copy);
        arithmetics.push(arithmetic);
    }
    // GPUs of one model choose the same products. If they do not, bits depend on which one computes.
    if let Some(other) = arithmetics.iter().find(|other| **other != arithmetics[0]) {
        let message = format!(
            "one GPU computes by {} and another by {other}",
            arithmetics[0]
        );
        return Err(Error::new(ErrorKind::DifferentGpus, message));
    }
    Ok((Replicas::of(copies), arithmetics.swap_remove(0)))
}

/// The model with its weights on a device, and its arithmetic: by the kernels of this crate where
/// there are some for the device and the model, else by candle's operations.
fn model_on(
    checkpoint: &Checkpoint,
    options: &EngineOptions,
    rounding: Rounding,
    compute: Compute,
    device: &Device,
) -> Result<(Box<dyn ModelRunner>, String), Error> {
    let precision = compute.precision;
    #[cfg(any(test, feature = "cuda"))]
    if CudaBackend::supports(&checkpoint.config, precision)
        && let Some(runner) = device::kernel_runner(options.device, device)?
    {
        let format = options.weight_format(checkpoint, precision);
        let forms = (rounding, format);
        let model = kernel_model(checkpoint, forms, compute, Arc::clone(&runner))?;
        let independent = runner.rows_are_independent();
        let arithmetic = device::describe_kernels(device, (precision, format), independent);
        return Ok((Box::new(model), arithmetic));
    }
    if options.quantize.is_some() {
        let message = format!(
            "8-bit products (q8_0) are computed by kernels of this program, and on {} there are none for this model",
            options.device
        );
        return Err(Error::new(ErrorKind::QuantizedOnGpu, message));
    }
    let model = device_model(checkpoint, rounding, compute, device)?;
    let arithmetic = device::describe_arithmetic(device, precision);
    Ok((Box::new(model), arithmetic))
}

/// The model with its weights where the kernels of a GPU read them.
#[cfg(any(test, feature = "cuda"))]
fn kernel_model(
    checkpoint: &Checkpoint,
    (rounding, format): (Rounding, WeightFormat),
    compute: Compute,
    runner: Arc<dyn Runner>,
) -> Result<Model<CudaBackend>, Error> {
    let (config, tensors) = (&checkpoint.config, &checkpoint.tensors);
    let device = runner.device();
    if let Some(free) = device::free_bytes(device) {
        let bytes = |format| match format {
            WeightFormat::Numbers(precision) => tensors.device_bytes(config, precision, precision),
            // Tables that no product reads keep their precision.
            WeightFormat::Q8 => tensors.block_bytes(config, compute.precision),
        };
        let bf16 = WeightFormat::Numbers(Precision::Bf16);
        let others = [("bf16", bytes(bf16)), ("q8_0", bytes(WeightFormat::Q8))];
        let refusal = ErrorKind::WeightsTooLargeForGpu;
        check_memory(bytes(format), free, &others, refusal)?;
    }
    let form = WeightForm {
        rounding,
        format,
        prepack: Prepack::WhileLoading,
    };
    let weights = tensors.upload_for_kernels(config, form, &compute, runner.as_ref())?;
    let backend = CudaBackend::new(config, runner, compute);
    backend.prepare(&weights)?;
    Ok(Model::new(config.clone(), backend, weights))
}

/// The model with its weights on a device, for candle's operations.
fn device_model(
    checkpoint: &Checkpoint,
    rounding: Rounding,
    compute: Compute,
    device: &Device,
) -> Result<Model<DeviceBackend>, Error> {
    let (config, tensors) = (&checkpoint.config, &checkpoint.tensors);
    if let Some(free) = device::free_bytes(device) {
        let bytes = |precision| tensors.device_bytes(config, precision, Precision::F32);
        let others = [("bf16", bytes(Precision::Bf16))];
        let refusal = ErrorKind::WeightsTooLargeForGpu;
        check_memory(bytes(compute.precision), free, &others, refusal)?;
    }
    let format = WeightFormat::Numbers(compute.precision);
    let form = WeightForm {
        rounding,
        format,
        prepack: Prepack::WhileLoading,
    };
    let weights = tensors.upload(config, form, &compute, device)?;
    let backend = DeviceBackend::new(config, device, compute)?;
    Ok(Model::new(config.clone(), backend, weights))
}

/// Refuses weights that the memory cannot hold, before they are read, with what they would need in
/// other forms.
fn check_memory(
    needed: usize,
    free: usize,
    others: &[(&str, usize)],
    refusal: ErrorKind,
) -> Result<(), Error> {
    if needed <= free {
        return Ok(());
    }
    let (all, room) = (human_size(needed), human_size(free));
    let mut message = format!("the weights need {all} of memory and {room} are free");
    for (form, bytes) in others.iter().filter(|(_, bytes)| *bytes < needed) {
        let size = human_size(*bytes);
        let fits = if *bytes <= free {
            ""
        } else {
            ", which is too much too"
        };
        message += &format!("; in {form} they need {size}{fits}");
    }
    Err(Error::new(refusal, message))
}
