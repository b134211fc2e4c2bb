//! Which device computes, as it is named on a command line.

use std::fmt;
use std::str::FromStr;

use candle_core::Device;

use crate::error::{Error, ErrorKind};

/// The device to compute on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The CPU, with the kernels of this crate.
    #[default]
    Cpu,
    /// NVIDIA GPUs, each with a copy of the model, in a program built with the feature `cuda`.
    Cuda(Gpus),
    /// What runs on a GPU, on the CPU, with so many copies of the model: for tests.
    #[doc(hidden)]
    CandleCpu(usize),
    /// The kernels of a GPU, built for the CPU, with so many copies of the model: for tests.
    #[cfg(test)]
    KernelsOnCpu(usize),
}

/// NVIDIA GPUs by number, from 0 to 63; at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gpus(Numbers);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Numbers {
    All,
    /// A bit for each.
    These(u64),
}

impl Gpus {
    /// Those that the machine has.
    pub const ALL: Self = Self(Numbers::All);

    /// The GPU of this number; `None` above 63.
    pub fn one(number: usize) -> Option<Self> {
        (number < 64).then(|| Self(Numbers::These(1 << number)))
    }

    /// The numbers on a machine with so many GPUs, ascending.
    fn numbers(self, count: usize) -> Vec<usize> {
        match self.0 {
            Numbers::All => (0..count).collect(),
            Numbers::These(bits) => (0..64).filter(|number| bits >> number & 1 == 1).collect(),
        }
    }
}

impl FromStr for Gpus {
    type Err = ();

    /// `all`, or numbers between commas, none of them twice.
    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "all" {
            return Ok(Self::ALL);
        }
        let mut bits = 0_u64;
        for number in text.split(',') {
            // Digits alone: `parse` would take a sign.
            let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
            let number: u32 = number.parse().map_err(drop)?;
            if !is_number || number >= 64 || bits >> number & 1 == 1 {
                return Err(());
            }
            bits |= 1 << number;
        }
        Ok(Self(Numbers::These(bits)))
    }
}

impl fmt::Display for Gpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Numbers::All => f.write_str("all"),
            Numbers::These(_) => {
                let numbers = self
                    .numbers(64)
                    .into_iter()
                    .map(|number| number.to_string());
                f.write_str(&numbers.collect::<Vec<_>>().join(","))
            }
        }
    }
}

impl DeviceChoice {
    /// The devices, each for a copy of the model; none for the kernels of this crate on the CPU.
    ///
    /// # Errors
    /// [`ErrorKind::NoGpuSupport`] when this program was built without it,
    /// [`ErrorKind::GpuUnavailable`] when the machine has no such device or no driver, and
    /// [`ErrorKind::DifferentGpus`].
    pub(crate) fn open(self) -> Result<Vec<Device>, Error> {
        match self {
            Self::Cpu => Ok(Vec::new()),
            Self::CandleCpu(copies) => Ok(vec![Device::Cpu; copies]),
            #[cfg(test)]
            Self::KernelsOnCpu(copies) => Ok(vec![Device::Cpu; copies]),
            Self::Cuda(gpus) => {
                refuse_without_cuda()?;
                let numbers = gpus.numbers(super::count_of_gpus());
                if numbers.is_empty() {
                    let message = "this machine has no GPU that can be used";
                    return Err(Error::new(ErrorKind::GpuUnavailable, message));
                }
                let devices = numbers.into_iter().map(open_gpu);
                let devices = devices.collect::<Result<Vec<_>, _>>()?;
                refuse_different(&devices)?;
                Ok(devices)
            }
        }
    }
}

fn open_gpu(number: usize) -> Result<Device, Error> {
    Device::new_cuda(number).map_err(|error| {
        let message = format!("cuda:{number} cannot be used");
        Error::new(ErrorKind::GpuUnavailable, message).caused_by(error)
    })
}

/// # Errors
/// [`ErrorKind::DifferentGpus`]: which one computed a completion would show in its bits.
fn refuse_different(devices: &[Device]) -> Result<(), Error> {
    let names: Vec<String> = devices.iter().map(super::name).collect();
    match names.iter().find(|name| **name != names[0]) {
        None => Ok(()),
        Some(other) => {
            let first = &names[0];
            let message = format!("one GPU is {first} and another {other}");
            Err(Error::new(ErrorKind::DifferentGpus, message))
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
            Self::Cuda(gpus) => write!(f, "cuda:{gpus}"),
            Self::CandleCpu(_) => f.write_str("cpu, by candle"),
            #[cfg(test)]
            Self::KernelsOnCpu(_) => f.write_str("cpu, by the kernels of a GPU"),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = Error;

    /// `cpu`, `cuda` (the first GPU), `cuda:N`, several as in `cuda:0,1`, or `cuda:all`.
    ///
    /// # Errors
    /// [`ErrorKind::Options`] for anything else, [`ErrorKind::NoGpuSupport`] for a GPU in a program
    /// that was built without support for them.
    fn from_str(text: &str) -> Result<Self, Error> {
        let gpus = match text.split_once(':') {
            None if text == "cpu" => return Ok(Self::Cpu),
            None if text == "cuda" => Gpus::one(0),
            Some(("cuda", gpus)) => gpus.parse().ok(),
            _ => None,
        };
        let gpus = gpus.ok_or_else(|| {
            Error::new(
                ErrorKind::Options,
                "expected `cpu`, `cuda`, `cuda:N`, several GPUs such as `cuda:0,1`, or `cuda:all`",
            )
        })?;
        refuse_without_cuda()?;
        Ok(Self::Cuda(gpus))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_named() {
        assert_eq!("cpu".parse::<DeviceChoice>().unwrap(), DeviceChoice::Cpu);
        for wrong in [
            "", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:+1", "cpu:0", "CUDA", "cuda:64",
            "cuda:0,0", "cuda:0,", "cuda:0-3",
        ] {
            let error = wrong.parse::<DeviceChoice>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Options, "{wrong}");
            assert!(
                error
                    .to_string()
                    .starts_with("expected `cpu`, `cuda`, `cuda:N`"),
                "{wrong}: {error}"
            );
        }
        for (text, name) in [
            ("cuda", "cuda:0"),
            ("cuda:3", "cuda:3"),
            ("cuda:5,0", "cuda:0,5"),
            ("cuda:all", "cuda:all"),
        ] {
            match text.parse::<DeviceChoice>() {
                Ok(choice) => {
                    assert_eq!(
                        (choice.to_string().as_str(), cfg!(feature = "cuda")),
                        (name, true)
                    );
                }
                Err(error) => {
                    assert!(!cfg!(feature = "cuda") && error.kind() == ErrorKind::NoGpuSupport);
                }
            }
        }
    }

    #[test]
    fn gpus_are_those_that_are_named_or_all() {
        let gpus = |text: &str| text.parse::<Gpus>().unwrap();
        assert_eq!(gpus("3,1").numbers(8), [1, 3]);
        assert_eq!(gpus("all").numbers(2), [0, 1]);
        assert!(gpus("all").numbers(0).is_empty());
        assert_eq!(Gpus::one(63).unwrap().numbers(0), [63]);
        assert_eq!(Gpus::one(64), None);
    }
}
