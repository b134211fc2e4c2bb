//! Computing on NVIDIA GPUs with kernels of our own: the operations of a forward pass over a KV
//! cache in pages, which are read where they lie.
//!
//! The kernels are in `cuda/kernels/`, each with its shapes, tiling and memory traffic. Their
//! bodies are sequences of phases without barriers, which any C++ compiler builds too: so a
//! [`Runner`] is a GPU, or, in tests, the CPU, and everything above it (block tables, tiles,
//! splits, arguments) is proven without a GPU. What a GPU alone has is in `cuda/gpu.rs`: loading,
//! launching, and the products of cuBLASLt.
//!
//! A row comes out bit for bit the same whatever rows are beside it, as far as products do: see
//! [`Runner::rows_are_independent`].

mod arguments; // what kernels are given
mod backend; // the operations of a forward pass
#[cfg(all(test, not(feature = "cuda")))]
#[path = "cuda/gpu/choice.rs"]
mod choice; // of products; tested without a GPU
#[cfg(feature = "cuda")]
mod gpu; // kernels on a GPU
#[cfg(test)]
mod host; // kernels on the CPU
#[cfg(test)]
mod kernel_tests; // each kernel by itself
mod launches; // each kernel as a function of tensors
mod matrix; // numbers, or integers in blocks
mod runner; // who runs kernels
mod step; // what all layers of a step have in common

pub(crate) use backend::CudaBackend;
#[cfg(feature = "cuda")]
pub(crate) use gpu::GpuRunner;
#[cfg(test)]
pub(crate) use host::HostRunner;
pub(crate) use launches::copy_page;
pub(crate) use matrix::{BlockMatrix, BlockTiles, CudaLinear, CudaMatrix};
pub(crate) use runner::{Runner, address};
