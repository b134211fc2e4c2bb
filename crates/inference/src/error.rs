//! What can go wrong with a model: the one error type of the crate.

use std::fmt;

use fault::{Class, Fault};
use generation::GenerationError;

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A file or folder that the checkpoint needs is not there.
    Missing,
    /// A file is there but could not be read.
    Io,
    /// The checkpoint asks for something that this crate does not implement: another architecture,
    /// a quantization, a kind of position encoding, a file format.
    Unsupported,
    /// The tokenizer that a GGUF file holds is one that this crate does not implement. Another one
    /// can be given in its place
    /// ([`CheckpointFiles::open_with_tokenizer`](crate::CheckpointFiles::open_with_tokenizer)).
    UnsupportedTokenizer,
    /// `config.json` or `generation_config.json` contradicts itself or cannot be parsed.
    Config,
    /// A weight file is damaged, or a tensor is missing, unknown, of another shape or dtype, or not
    /// finite.
    Weights,
    /// The tokenizer cannot be used, or does not belong to the model.
    Tokenizer,
    /// An option has no meaning.
    Options,
    /// 8-bit products are computed by the kernels of this crate, and there are none for the device and the
    /// model.
    QuantizedOnGpu,
    /// This program was built without support for GPUs.
    NoGpuSupport,
    /// The machine has no such GPU, or no driver for it.
    GpuUnavailable,
    /// GPUs of several models were chosen, which give different bits.
    DifferentGpus,
    /// The memory of this machine cannot hold the weights.
    WeightsTooLarge,
    /// The memory of the GPU cannot hold the weights.
    WeightsTooLargeForGpu,
    /// The KV cache cannot hold the longest prompt and its completion.
    KvCacheTooSmall,
    /// The system has less memory for the KV cache than it may take.
    KvCacheUnavailable,
    /// The computation itself failed.
    Backend,
}

/// Why a model could not be loaded or could not go on.
#[derive(Debug)]
pub struct Error {
    detail: Box<Detail>,
}

#[derive(Debug)]
struct Detail {
    kind: ErrorKind,
    message: String,
    file: Option<String>,
    tensor: Option<String>,
    expected: Option<String>,
    found: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let (file, tensor, expected, found, source) = (None, None, None, None, None);
        Self {
            detail: Box::new(Detail {
                kind,
                message: message.into(),
                file,
                tensor,
                expected,
                found,
                source,
            }),
        }
    }

    pub(crate) fn in_file(mut self, file: impl Into<String>) -> Self {
        self.detail.file = Some(file.into());
        self
    }

    pub(crate) fn of_tensor(mut self, tensor: impl Into<String>) -> Self {
        self.detail.tensor = Some(tensor.into());
        self
    }

    pub(crate) fn expected(
        mut self,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        self.detail.expected = Some(expected.into());
        self.detail.found = Some(found.into());
        self
    }

    pub(crate) fn caused_by(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.detail.source = Some(source.into());
        self
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.detail.kind
    }

    /// The file at fault.
    pub fn file(&self) -> Option<&str> {
        self.detail.file.as_deref()
    }

    /// The tensor at fault, by its name in the checkpoint.
    pub fn tensor(&self) -> Option<&str> {
        self.detail.tensor.as_deref()
    }

    /// What should have been there.
    pub fn expected_value(&self) -> Option<&str> {
        self.detail.expected.as_deref()
    }

    /// What was there instead.
    pub fn found_value(&self) -> Option<&str> {
        self.detail.found.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let detail = &self.detail;
        if let Some(file) = &detail.file {
            write!(f, "{file}: ")?;
        }
        if let Some(tensor) = &detail.tensor {
            write!(f, "tensor `{tensor}`: ")?;
        }
        f.write_str(&detail.message)?;
        match (&detail.expected, &detail.found) {
            (Some(expected), Some(found)) => write!(f, ": expected {expected}, found {found}"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.detail.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        }
    }
}

impl Fault for Error {
    fn class(&self) -> Class {
        match self.detail.kind {
            ErrorKind::Missing
            | ErrorKind::Io
            | ErrorKind::Unsupported
            | ErrorKind::UnsupportedTokenizer
            | ErrorKind::Config
            | ErrorKind::Weights
            | ErrorKind::Tokenizer => Class::Integrity,
            ErrorKind::Options
            | ErrorKind::QuantizedOnGpu
            | ErrorKind::NoGpuSupport
            | ErrorKind::DifferentGpus => Class::Usage,
            ErrorKind::GpuUnavailable
            | ErrorKind::WeightsTooLarge
            | ErrorKind::WeightsTooLargeForGpu
            | ErrorKind::KvCacheTooSmall
            | ErrorKind::KvCacheUnavailable
            | ErrorKind::Backend => Class::Backend,
        }
    }
}

impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Self {
        Self::new(ErrorKind::Backend, "the computation failed").caused_by(error)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::new(ErrorKind::Backend, format!("there is no memory: {error}")).caused_by(error)
    }
}

impl From<Error> for GenerationError {
    fn from(error: Error) -> Self {
        Self::Backend(Box::new(error))
    }
}
