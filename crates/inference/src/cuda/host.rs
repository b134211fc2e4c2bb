//! The kernels on the CPU, for tests: `kernels/host.cc` built by the C++ compiler of the machine.

use std::cell::Cell;
use std::ffi::c_void;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock};

use candle_core::{DType, Device, Result, bail};
use libloading::Library;

use super::runner::{Fetched, Launch, Product, Runner};

/// How `run_on_host` of `kernels/block.cuh` is told to launch.
#[repr(C)]
struct HostLaunch {
    grid: [u32; 3],
    threads: u32,
    shared_bytes: u32,
    descending: u32,
    memory: *mut u8,
}

/// Bytes behind shared memory that no kernel may write (`GUARD`).
const GUARD: usize = 256;

type Kernel = unsafe extern "C" fn(*const u8, *const HostLaunch, usize) -> i32;
type Multiply =
    unsafe extern "C" fn(*const c_void, *const c_void, *mut c_void, u64, u64, u64, i32, i32, i32);

/// The CPU as a device for the kernels of a GPU.
#[derive(Clone, Debug)]
pub(crate) struct HostRunner {
    library: Arc<Library>,
    /// Whether the threads of a phase run in descending order.
    pub(crate) descending: bool,
}

impl HostRunner {
    /// Builds the kernels, once; `None`, said on stderr, where there is no C++ compiler.
    pub(crate) fn new() -> Option<Self> {
        static LIBRARY: OnceLock<Option<Arc<Library>>> = OnceLock::new();
        let library = LIBRARY.get_or_init(|| build(&[])).clone()?;
        Some(Self {
            library,
            descending: false,
        })
    }

    /// Kernels in which a text of a file is replaced, to see that a test finds out.
    pub(crate) fn mutated(file: &str, from: &str, to: &str) -> Option<Self> {
        Some(Self {
            library: build(&[(file, from, to)])?,
            descending: false,
        })
    }
}

/// The library of the kernels, with some replacements (file, what, by what).
fn build(changes: &[(&str, &str, &str)]) -> Option<Arc<Library>> {
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_string());
    if Command::new(&compiler)
        .arg("-dumpversion")
        .output()
        .is_err()
    {
        eprintln!("SKIPPED: there is no C++ compiler ({compiler}) to build the GPU's kernels with");
        return None;
    }
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cuda/kernels");
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(sources).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let mut text = std::fs::read_to_string(&path).unwrap();
        for (_, from, to) in changes.iter().filter(|(file, ..)| *file == name) {
            assert_eq!(text.matches(from).count(), 1, "{name}: {from}");
            text = text.replace(from, to);
        }
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let library = folder.path().join("kernels.so");
    // What has a mistake in it runs once, and may have a variable that nothing uses.
    let options: &[&str] = match changes {
        [] => &["-O2", "-Wall", "-Wextra", "-Werror"],
        _ => &["-O1"],
    };
    let built = Command::new(&compiler)
        .args(["-std=c++17", "-fPIC", "-shared", "-ffp-contract=off"])
        // Fused multiply-adds of the machine: a library's are slow. Other CPUs have them anyway.
        .args(cfg!(target_arch = "x86_64").then_some("-march=native"))
        .args(options)
        .arg(folder.path().join("host.cc"))
        .arg("-o")
        .arg(&library)
        .output()
        .unwrap();
    let messages = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{messages}");
    // SAFETY: a library of ours, without initialisers.
    Some(Arc::new(unsafe { Library::new(library) }.unwrap()))
}

thread_local! {
    /// Kernels that this thread launched.
    static LAUNCHED: Cell<usize> = const { Cell::new(0) };
    /// How often this thread waited for words, and how often behind later launches.
    static WAITED: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// How often this thread waited for words since it was last asked, and how often something was
/// launched between their copy and that.
pub(crate) fn take_waits() -> (usize, usize) {
    WAITED.take()
}

/// Words that are here.
struct Words {
    words: Vec<u32>,
    /// Kernels that were launched before.
    launched: usize,
}

impl Fetched for Words {
    fn wait(self: Box<Self>) -> Result<Vec<u32>> {
        let (waited, behind) = WAITED.get();
        let is_behind = LAUNCHED.get() > self.launched;
        WAITED.set((waited + 1, behind + usize::from(is_behind)));
        Ok(self.words)
    }
}

impl Runner for HostRunner {
    fn device(&self) -> &Device {
        &Device::Cpu
    }

    unsafe fn launch(&self, launch: Launch, arguments: *const u8, bytes: usize) -> Result<()> {
        LAUNCHED.set(LAUNCHED.get() + 1);
        // SAFETY: `KERNEL` of block.cuh gives every kernel this signature.
        let kernel = unsafe { self.library.get::<Kernel>(launch.kernel) };
        let Ok(kernel) = kernel else {
            bail!("there is no kernel {}", launch.kernel)
        };
        // In units of 16 bytes, for their alignment.
        let mut memory = vec![0u128; (launch.shared_bytes as usize + GUARD) / 16 + 1];
        let host = HostLaunch {
            grid: launch.grid.map(|blocks| blocks as u32),
            threads: launch.threads,
            shared_bytes: launch.shared_bytes,
            descending: u32::from(self.descending),
            memory: memory.as_mut_ptr().cast(),
        };
        // SAFETY: the caller's promise; the memory is as large as the launch says.
        match unsafe { kernel(arguments, &host, bytes) } {
            1 => Ok(()),
            _ => bail!("{} was launched wrongly: {launch:?}", launch.kernel),
        }
    }

    unsafe fn multiply(&self, product: Product) -> Result<()> {
        let Product {
            x,
            weight,
            out,
            rows,
            inputs,
            outputs,
            dtype,
            out_dtype,
            add,
        } = product;
        // SAFETY: host.cc gives it this signature.
        let multiply = unsafe { self.library.get::<Multiply>("host_product") };
        let Ok(multiply) = multiply else {
            bail!("there is no product")
        };
        let is_bf16 = |dtype| i32::from(dtype == DType::BF16);
        // SAFETY: the caller's promise.
        unsafe {
            multiply(
                x as *const c_void,
                weight as *const c_void,
                out as *mut c_void,
                rows as u64,
                inputs as u64,
                outputs as u64,
                is_bf16(dtype),
                is_bf16(out_dtype),
                i32::from(add),
            );
        }
        Ok(())
    }

    unsafe fn write(&self, to: u64, bytes: &[u8]) -> Result<()> {
        // SAFETY: the caller's promise.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to as *mut u8, bytes.len()) };
        Ok(())
    }

    unsafe fn fetch(&self, from: u64, words: usize) -> Result<Box<dyn Fetched>> {
        // SAFETY: the caller's promise.
        let words = unsafe { std::slice::from_raw_parts(from as *const u32, words) };
        Ok(Box::new(Words {
            words: words.to_vec(),
            launched: LAUNCHED.get(),
        }))
    }

    unsafe fn prepare(&self, _: Product) -> Result<()> {
        Ok(())
    }

    fn rows_are_independent(&self) -> bool {
        true
    }
}
