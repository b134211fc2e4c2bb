//! Kernels and products on an NVIDIA GPU.

mod choice; // which algorithms give the same bits
mod products; // products by cuBLASLt

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::driver::result::device::get_default_mem_pool;
use candle_core::cuda_backend::cudarc::driver::result::{
    mem_pool, memcpy_dtoh_async, memcpy_htod_sync,
};
use candle_core::cuda_backend::cudarc::driver::sys::{
    CUfunction_attribute_enum, CUmemPool_attribute,
};
use candle_core::cuda_backend::cudarc::driver::{
    CudaContext, CudaEvent, CudaFunction, CudaStream, DevicePtr, DeviceRepr, LaunchConfig,
    PinnedHostSlice, PushKernelArg,
};
use candle_core::cuda_backend::cudarc::nvrtc::Ptx;
use candle_core::{CudaStorage, DType, Device, Error, Result, bail};

use self::products::Products;
use super::launches::most_shared_bytes;
use super::runner::{Fetched, Launch, Product, Runner};

/// Machine code of the kernels for several generations, and PTX for later ones.
const KERNELS: &[u8] = include_bytes!(env!("MWPBENCH_KERNELS"));

/// The kernels by name: `KERNEL(name, …` at the beginning of a line.
fn names() -> impl Iterator<Item = &'static str> {
    let lines = include_str!("kernels/kernels.cu").lines();
    lines.filter_map(|line| Some(line.strip_prefix("KERNEL(")?.split_once(',')?.0))
}

/// An NVIDIA GPU with the kernels of this crate.
pub(crate) struct GpuRunner {
    device: Device,
    context: Arc<CudaContext>,
    stream: Arc<CudaStream>,
    functions: HashMap<&'static str, CudaFunction>,
    products: Products,
    /// Memory of the host that the GPU writes to, between one use and the next.
    pinned: Arc<Mutex<Vec<PinnedHostSlice<u32>>>>,
}

impl fmt::Debug for GpuRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GpuRunner")
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}

impl GpuRunner {
    /// Loads the kernels on a GPU.
    ///
    /// # Errors
    /// Those of the driver, among them that of a GPU older than the kernels.
    pub(crate) fn new(device: &Device) -> Result<Self> {
        let cuda = device.as_cuda_device()?;
        let stream = cuda.cuda_stream();
        let context = Arc::clone(stream.context());
        // SAFETY: everything here runs on one stream, in order, so no event is needed between its
        // uses; the two that every tensor would make cost as much as launching a kernel.
        unsafe { cuda.disable_event_tracking() };
        keep_freed_memory(&context);
        let module = context
            .load_module(Ptx::from_binary(KERNELS.to_vec()))
            .map_err(Error::wrap)?;
        let mut functions = HashMap::new();
        for name in names() {
            let function = module.load_function(name).map_err(Error::wrap)?;
            if name.starts_with("attend") {
                // More than the 48 KiB that a kernel has without asking.
                let dtype = if name.contains("f32") {
                    DType::F32
                } else {
                    DType::BF16
                };
                let attribute =
                    CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
                let bytes = most_shared_bytes(dtype) as i32;
                function
                    .set_attribute(attribute, bytes)
                    .map_err(Error::wrap)?;
            }
            functions.insert(name, function);
        }
        let products = Products::new(device, &stream)?;
        Ok(Self {
            device: device.clone(),
            context,
            stream,
            functions,
            products,
            pinned: Arc::default(),
        })
    }
}

/// Bytes that are kept when they are freed, for what is allocated next. Without that the driver
/// gives all of them back whenever the host waits for the GPU, which it does in every step.
const KEPT_MEMORY: u64 = 2 << 30;

fn keep_freed_memory(context: &CudaContext) {
    let mut kept = KEPT_MEMORY;
    // SAFETY: the pool is that of the device, and the attribute a u64.
    // A device without a pool fails here, allocates without one, and has nothing to keep.
    let _ = unsafe {
        get_default_mem_pool(context.cu_device()).and_then(|pool| {
            let threshold = CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
            mem_pool::set_attribute(pool, threshold, std::ptr::from_mut(&mut kept).cast())
        })
    };
}

/// Words of a piece of pinned memory at least: a step has no more rows.
const PINNED_WORDS: usize = 512;

/// Words that the GPU copies to the host.
struct Copied {
    /// Until they were waited for.
    memory: Option<PinnedHostSlice<u32>>,
    words: usize,
    /// Behind the copy.
    event: CudaEvent,
    /// Where the memory goes back to.
    pinned: Arc<Mutex<Vec<PinnedHostSlice<u32>>>>,
}

impl Copied {
    /// Waits for the words, and gives the memory back.
    fn take(&mut self) -> Result<Vec<u32>> {
        let Some(memory) = self.memory.take() else {
            return Ok(Vec::new());
        };
        // Where this fails the memory is freed, which waits once more.
        self.event.synchronize().map_err(Error::wrap)?;
        let words = memory.as_slice().map_err(Error::wrap)?[..self.words].to_vec();
        let mut pinned = self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        pinned.push(memory);
        Ok(words)
    }
}

impl Fetched for Copied {
    fn wait(mut self: Box<Self>) -> Result<Vec<u32>> {
        self.take()
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        // The memory may not be used again while the GPU still writes to it.
        let _ = self.take();
    }
}

/// The first byte of a kernel's arguments; the driver knows how many they are.
#[repr(transparent)]
struct FirstByte(u8);

// SAFETY: only its address is taken.
unsafe impl DeviceRepr for FirstByte {}

impl Runner for GpuRunner {
    fn device(&self) -> &Device {
        &self.device
    }

    unsafe fn launch(&self, launch: Launch, arguments: *const u8, _: usize) -> Result<()> {
        let Some(function) = self.functions.get(launch.kernel) else {
            bail!("there is no kernel {}", launch.kernel)
        };
        let [x, y, z] = launch.grid.map(|blocks| blocks as u32);
        let config = LaunchConfig {
            grid_dim: (x, y, z),
            block_dim: (launch.threads, 1, 1),
            shared_mem_bytes: launch.shared_bytes,
        };
        // SAFETY: the caller's promise.
        let first = unsafe { &*arguments.cast::<FirstByte>() };
        let mut builder = self.stream.launch_builder(function);
        builder.arg(first);
        // LAUNCH: the one argument is the struct of this kernel, by the caller's promise; all
        // launches, copies and frees are on this stream, in order.
        unsafe { builder.launch(config) }.map_err(Error::wrap)?;
        Ok(())
    }

    unsafe fn multiply(&self, product: Product) -> Result<()> {
        // cuBLASLt computes on the GPU of the thread, and each copy of a model has a thread.
        self.context.bind_to_thread().map_err(Error::wrap)?;
        // SAFETY: the caller's promise.
        unsafe { self.products.multiply(product) }
    }

    unsafe fn write(&self, to: u64, bytes: &[u8]) -> Result<()> {
        self.context.bind_to_thread().map_err(Error::wrap)?;
        // The memory may have been allocated on the stream a moment ago.
        self.stream.synchronize().map_err(Error::wrap)?;
        // SAFETY: the caller's promise.
        unsafe { memcpy_htod_sync(to, bytes) }.map_err(Error::wrap)
    }

    unsafe fn fetch(&self, from: u64, words: usize) -> Result<Box<dyn Fetched>> {
        self.context.bind_to_thread().map_err(Error::wrap)?;
        let lock = || self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = lock().pop().filter(|memory| memory.len() >= words);
        let mut memory = match kept {
            Some(memory) => memory,
            // SAFETY: nobody reads it before the copy has written it.
            None => unsafe {
                let words = words.max(PINNED_WORDS);
                self.context.alloc_pinned_with_flags(words, 0)
            }
            .map_err(Error::wrap)?,
        };
        let to = &mut memory.as_mut_slice().map_err(Error::wrap)?[..words];
        // SAFETY: the caller's promise; the memory lives until the event behind the copy, which all
        // ways out of `Copied` wait for.
        unsafe { memcpy_dtoh_async(to, from, self.stream.cu_stream()) }.map_err(Error::wrap)?;
        Ok(Box::new(Copied {
            memory: Some(memory),
            words,
            event: self.stream.record_event(None).map_err(Error::wrap)?,
            pinned: Arc::clone(&self.pinned),
        }))
    }

    unsafe fn prepare(&self, product: Product) -> Result<()> {
        self.context.bind_to_thread().map_err(Error::wrap)?;
        // SAFETY: the caller's promise.
        unsafe { self.products.prepare(product) }
    }

    fn rows_are_independent(&self) -> bool {
        self.products.rows_are_independent()
    }
}

/// Where the elements of a storage begin.
///
/// # Errors
/// When no kernel reads its dtype.
pub(super) fn address(storage: &CudaStorage) -> Result<u64> {
    let stream = storage.device.cuda_stream();
    macro_rules! of {
        ($kind:ty) => {
            storage.as_cuda_slice::<$kind>()?.device_ptr(&stream).0
        };
    }
    Ok(match storage.dtype() {
        DType::F32 => of!(f32),
        DType::BF16 => of!(half::bf16),
        DType::U32 => of!(u32),
        DType::I64 => of!(i64),
        other => bail!("no kernel reads {other:?}"),
    })
}
