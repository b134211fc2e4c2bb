//! Computing on a device: the operations of a forward pass in plain candle ones, behind the same
//! scheduler as the kernels of this crate.
//!
//! What differs by device is opened here and nowhere else, so that the code that runs on a GPU is
//! the code that tests run on candle's CPU backend. Rows of a step share products, whose library
//! may sum in another order for another number of rows: a completion can depend on the batch here.

mod attention; // attention in batches
mod backend; // the operations of a forward pass
mod choice; // which device computes

#[cfg(any(test, feature = "cuda"))]
use std::sync::Arc;

use candle_core::Device;

pub(crate) use backend::{DeviceBackend, DeviceLinear};
pub use choice::{DeviceChoice, Gpus};

#[cfg(feature = "cuda")]
use crate::cuda::GpuRunner;
#[cfg(test)]
use crate::cuda::HostRunner;
#[cfg(any(test, feature = "cuda"))]
use crate::cuda::Runner;
use crate::kernels::Precision;
#[cfg(any(test, feature = "cuda"))]
use crate::kernels::WeightFormat;
use crate::memory;

/// What a device is: of a GPU its model and not its number, since all of a model give the same bits.
pub(crate) fn name(device: &Device) -> String {
    match device {
        Device::Cpu => DeviceChoice::CandleCpu(1).to_string(),
        #[cfg(feature = "cuda")]
        Device::Cuda(cuda) => match cuda.cuda_stream().context().name() {
            Ok(model) => format!("cuda ({model})"),
            Err(_) => "cuda".to_string(),
        },
        other => format!("{:?}", other.location()),
    }
}

/// GPUs of this machine that the driver knows; none without a driver.
fn count_of_gpus() -> usize {
    #[cfg(feature = "cuda")]
    {
        use candle_core::cuda_backend::cudarc::driver::CudaContext;

        let count = CudaContext::device_count();
        count
            .ok()
            .and_then(|count| count.try_into().ok())
            .unwrap_or(0)
    }
    #[cfg(not(feature = "cuda"))]
    0
}

/// What runs the kernels of this crate on the device, `None` where candle's operations do.
///
/// # Errors
/// Those of the device.
#[cfg(any(test, feature = "cuda"))]
pub(crate) fn kernel_runner(
    choice: DeviceChoice,
    device: &Device,
) -> candle_core::Result<Option<Arc<dyn Runner>>> {
    match choice {
        #[cfg(feature = "cuda")]
        DeviceChoice::Cuda(_) => Ok(Some(Arc::new(GpuRunner::new(device)?))),
        #[cfg(test)]
        DeviceChoice::KernelsOnCpu(_) => Ok(HostRunner::new().map(|runner| Arc::new(runner) as _)),
        _ => {
            let _ = device;
            Ok(None)
        }
    }
}

/// What decides the bits of a completion where the kernels of this crate compute.
#[cfg(any(test, feature = "cuda"))]
pub(crate) fn describe_kernels(
    device: &Device,
    (precision, format): (Precision, WeightFormat),
    independent: bool,
) -> String {
    let products = match (format, precision) {
        (WeightFormat::Numbers(_), Precision::F32) => "f32",
        (WeightFormat::Numbers(_), Precision::Bf16) => "bf16 products, keys and values, f32 sums",
        (WeightFormat::Q8, Precision::F32) => "8-bit products, f32 keys and values",
        (WeightFormat::Q8, Precision::Bf16) => "8-bit products, bf16 keys and values, f32 sums",
    };
    let order = match independent {
        true => "the same bits in any batch",
        false => "bits may depend on the batch",
    };
    format!("kernels on {}, {products}, {order}", name(device))
}

/// What decides the bits of a completion beside the batch that its rows are in.
pub(crate) fn describe_arithmetic(device: &Device, precision: Precision) -> String {
    let products = match precision {
        Precision::F32 => "f32",
        Precision::Bf16 => "bf16 products, f32 sums, attention and logits",
    };
    format!("candle on {}, {products}", name(device))
}

/// Memory of the device that is free; `None` where it does not say.
pub(crate) fn free_bytes(device: &Device) -> Option<usize> {
    match device {
        Device::Cpu => memory::free_bytes(),
        #[cfg(feature = "cuda")]
        Device::Cuda(cuda) => cuda
            .cuda_stream()
            .context()
            .mem_get_info()
            .ok()
            .map(|(free, _)| free),
        _ => None,
    }
}
