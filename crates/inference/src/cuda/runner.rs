//! Who runs kernels: a GPU, or, in tests, the CPU.

use std::fmt::Debug;

use candle_core::{CpuStorage, DType, Device, Result, Storage, Tensor, bail};

use super::arguments::Arguments;

/// A kernel and how many threads compute it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Launch {
    /// Its name in `kernels/kernels.cu`.
    pub(crate) kernel: &'static str,
    /// Blocks along x, y and z; none launches nothing.
    pub(crate) grid: [usize; 3],
    /// Threads of a block.
    pub(crate) threads: u32,
    /// Shared memory of a block.
    pub(crate) shared_bytes: u32,
}

/// A product `x · Wᵀ`: where its factors lie and what becomes of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product {
    /// `[rows, inputs]`.
    pub(crate) x: u64,
    /// `[outputs, inputs]`.
    pub(crate) weight: u64,
    /// `[rows, outputs]`.
    pub(crate) out: u64,
    pub(crate) rows: usize,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// Of both factors: f32 or bf16.
    pub(crate) dtype: DType,
    /// Of the product: that of the factors, or f32.
    pub(crate) out_dtype: DType,
    /// Whether it is added to what `out` holds.
    pub(crate) add: bool,
}

/// Runs kernels and products one after the other on a device.
pub(crate) trait Runner: Debug + Send + Sync {
    /// Where tensors lie.
    fn device(&self) -> &Device;

    /// Runs a kernel.
    ///
    /// # Errors
    /// Those of the device, now or at a later call.
    ///
    /// # Safety
    /// `arguments` points to the [`Arguments`] of this kernel, `bytes` long, and every address in
    /// them to memory of the device that is as large as the kernel and its grid take it to be and
    /// lives until the kernel has run (freeing waits for that).
    unsafe fn launch(&self, launch: Launch, arguments: *const u8, bytes: usize) -> Result<()>;

    /// Computes a product. Each sum is f32.
    ///
    /// # Errors
    /// Those of the device.
    ///
    /// # Safety
    /// As for [`Self::launch`].
    unsafe fn multiply(&self, product: Product) -> Result<()>;

    /// Copies to the memory of the device.
    ///
    /// # Errors
    /// Those of the device.
    ///
    /// # Safety
    /// There are as many bytes at this address.
    unsafe fn write(&self, to: u64, bytes: &[u8]) -> Result<()>;

    /// Begins to copy words to the host, behind everything that was launched before.
    ///
    /// # Errors
    /// Those of the device.
    ///
    /// # Safety
    /// There are as many words at this address, which live until this copy was waited for or
    /// dropped (freeing waits for that).
    unsafe fn fetch(&self, from: u64, words: usize) -> Result<Box<dyn Fetched>>;

    /// Chooses how to compute a kind of product before the first one, of any number of rows by a
    /// matrix like this; `out` and `x` are not looked at.
    ///
    /// # Errors
    /// Those of the device.
    ///
    /// # Safety
    /// The matrix lies where the product says.
    unsafe fn prepare(&self, product: Product) -> Result<()>;

    /// Whether the sums of a product are taken in one order whatever its number of rows.
    fn rows_are_independent(&self) -> bool;
}

/// Words on their way to the host.
pub(crate) trait Fetched: Send {
    /// Waits for them, and for nothing that was launched later.
    ///
    /// # Errors
    /// Those of the device, of everything that was launched before.
    fn wait(self: Box<Self>) -> Result<Vec<u32>>;
}

/// Runs a kernel with its arguments.
///
/// # Errors
/// Those of the device.
///
/// # Safety
/// As for [`Runner::launch`].
pub(super) unsafe fn launch<A: Arguments>(
    runner: &dyn Runner,
    launch: Launch,
    arguments: &A,
) -> Result<()> {
    if launch.grid.contains(&0) {
        return Ok(());
    }
    // SAFETY: the caller's promise; the arguments are as long as their type.
    unsafe { runner.launch(launch, std::ptr::from_ref(arguments).cast(), size_of::<A>()) }
}

/// Where the elements of a contiguous tensor lie.
///
/// # Errors
/// When it is not contiguous, or of a dtype that no kernel reads.
pub(crate) fn address(tensor: &Tensor) -> Result<u64> {
    let (storage, layout) = tensor.storage_and_layout();
    let Some((start, _)) = layout.contiguous_offsets() else {
        bail!("kernels read contiguous tensors")
    };
    let start = (start * tensor.dtype().size_in_bytes()) as u64;
    let base = match &*storage {
        Storage::Cpu(CpuStorage::F32(values)) => values.as_ptr() as u64,
        Storage::Cpu(CpuStorage::BF16(values)) => values.as_ptr() as u64,
        Storage::Cpu(CpuStorage::U32(values)) => values.as_ptr() as u64,
        Storage::Cpu(CpuStorage::I64(values)) => values.as_ptr() as u64,
        #[cfg(feature = "cuda")]
        Storage::Cuda(storage) => super::gpu::address(storage)?,
        _ => bail!("no kernel reads {:?}", tensor.dtype()),
    };
    Ok(base + start)
}

/// A tensor whose elements are yet to be written, all of them.
///
/// # Errors
/// When the device has no memory.
pub(super) fn unwritten(
    runner: &dyn Runner,
    shape: impl Into<candle_core::Shape>,
    dtype: DType,
) -> Result<Tensor> {
    // SAFETY: the kernel that it is made for writes every element before another one reads it.
    unsafe { Tensor::empty(shape, dtype, runner.device()) }
}
