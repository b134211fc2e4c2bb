//! Computing on a device: the operations of a forward pass in plain candle ones, behind the same
//! scheduler as the kernels of this crate.
//!
//! What differs by device is opened here and nowhere else, so that the code that runs on a GPU is
//! the code that tests run on candle's CPU backend. Rows of a step share products, whose library
//! may sum in another order for another number of rows: a completion can depend on the batch here.

mod attention; // attention in batches
mod backend; // the operations of a forward pass

use std::fmt;
use std::str::FromStr;
#[cfg(any(test, feature = "cuda"))]
use std::sync::Arc;

use candle_core::{Device, DeviceLocation};

pub(crate) use backend::{DeviceBackend, DeviceLinear};

#[cfg(feature = "cuda")]
use crate::cuda::GpuRunner;
#[cfg(test)]
use crate::cuda::HostRunner;
#[cfg(any(test, feature = "cuda"))]
use crate::cuda::Runner;
use crate::error::{Error, ErrorKind};
use crate::kernels::Precision;
use crate::memory;

/// The device to compute on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The CPU, with the kernels of this crate.
    #[default]
    Cpu,
    /// The NVIDIA GPU of this number, from 0, in a program built with the feature `cuda`.
    Cuda(usize),
    /// What runs on a GPU, on the CPU: for tests.
    #[doc(hidden)]
    CandleCpu,
    /// The kernels of a GPU, built for the CPU: for tests.
    #[cfg(test)]
    KernelsOnCpu,
}

impl DeviceChoice {
    /// The device, or `None` for the kernels of this crate.
    ///
    /// # Errors
    /// [`ErrorKind::NoGpuSupport`] when this program was built without it,
    /// [`ErrorKind::GpuUnavailable`] when the machine has no such device or no driver.
    pub(crate) fn open(self) -> Result<Option<Device>, Error> {
        match self {
            Self::Cpu => Ok(None),
            Self::CandleCpu => Ok(Some(Device::Cpu)),
            #[cfg(test)]
            Self::KernelsOnCpu => Ok(Some(Device::Cpu)),
            Self::Cuda(number) => {
                refuse_without_cuda()?;
                let device = Device::new_cuda(number).map_err(|error| {
                    let message = format!("{self} cannot be used");
                    Error::new(ErrorKind::GpuUnavailable, message).caused_by(error)
                })?;
                Ok(Some(device))
            }
        }
    }
}

fn refuse_without_cuda() -> Result<(), Error> {
    match cfg!(feature = "cuda") {
        true => Ok(()),
        false => {
            let message = "this program was built without support for GPUs";
            Err(Error::new(ErrorKind::NoGpuSupport, message))
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
            Self::CandleCpu => f.write_str("cpu, by candle"),
            #[cfg(test)]
            Self::KernelsOnCpu => f.write_str("cpu, by the kernels of a GPU"),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = Error;

    /// `cpu`, `cuda` (the first GPU) or `cuda:N`.
    ///
    /// # Errors
    /// [`ErrorKind::Options`] for anything else, [`ErrorKind::NoGpuSupport`] for a GPU in a program
    /// that was built without support for them.
    fn from_str(text: &str) -> Result<Self, Error> {
        let number = match text.split_once(':') {
            None if text == "cpu" => return Ok(Self::Cpu),
            None if text == "cuda" => Some(0),
            Some(("cuda", number)) => number.parse().ok(),
            _ => None,
        };
        let number = number.ok_or_else(|| {
            Error::new(
                ErrorKind::Options,
                "expected `cpu`, `cuda` or `cuda:N`, such as `cuda:0`",
            )
        })?;
        refuse_without_cuda()?;
        Ok(Self::Cuda(number))
    }
}

/// The name of a device, as [`DeviceChoice`] parses it.
pub(crate) fn name(device: &Device) -> String {
    match device.location() {
        DeviceLocation::Cpu => DeviceChoice::CandleCpu.to_string(),
        DeviceLocation::Cuda { gpu_id } => DeviceChoice::Cuda(gpu_id).to_string(),
        other @ DeviceLocation::Metal { .. } => format!("{other:?}"),
    }
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
        DeviceChoice::KernelsOnCpu => Ok(HostRunner::new().map(|runner| Arc::new(runner) as _)),
        _ => {
            let _ = device;
            Ok(None)
        }
    }
}

/// What decides the bits of a completion where the kernels of this crate compute.
#[cfg(any(test, feature = "cuda"))]
pub(crate) fn describe_kernels(device: &Device, precision: Precision, independent: bool) -> String {
    let products = match precision {
        Precision::F32 => "f32",
        Precision::Bf16 => "bf16 products, keys and values, f32 sums",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_named() {
        assert_eq!("cpu".parse::<DeviceChoice>().unwrap(), DeviceChoice::Cpu);
        for wrong in ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0", "CUDA"] {
            let error = wrong.parse::<DeviceChoice>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Options);
            assert!(
                error
                    .to_string()
                    .starts_with("expected `cpu`, `cuda` or `cuda:N`"),
                "{wrong}: {error}"
            );
        }
        for (text, number) in [("cuda", 0), ("cuda:0", 0), ("cuda:3", 3)] {
            match text.parse::<DeviceChoice>() {
                Ok(choice) => assert_eq!(
                    (choice, cfg!(feature = "cuda")),
                    (DeviceChoice::Cuda(number), true)
                ),
                Err(error) => {
                    assert!(!cfg!(feature = "cuda") && error.kind() == ErrorKind::NoGpuSupport);
                }
            }
        }
    }
}
