//! Products by cuBLASLt, each with an algorithm that gives a row the same bits whatever rows are
//! beside it.

use std::collections::HashMap;
use std::ffi::c_void;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::cuda_backend::cudarc::cublaslt::result::{
    create_handle, create_matmul_desc, create_matmul_pref, create_matrix_layout, destroy_handle,
    destroy_matmul_desc, destroy_matmul_pref, destroy_matrix_layout, matmul,
    set_matmul_desc_attribute, set_matmul_pref_attribute,
};
use candle_core::cuda_backend::cudarc::cublaslt::sys::{
    cublasComputeType_t, cublasLtHandle_t, cublasLtMatmulAlgo_t,
    cublasLtMatmulAlgoConfigAttributes_t, cublasLtMatmulAlgoConfigGetAttribute,
    cublasLtMatmulAlgoGetHeuristic, cublasLtMatmulDesc_t, cublasLtMatmulDescAttributes_t,
    cublasLtMatmulHeuristicResult_t, cublasLtMatmulPreferenceAttributes_t, cublasLtMatrixLayout_t,
    cublasStatus_t, cudaDataType_t,
};
use candle_core::cuda_backend::cudarc::driver::CudaStream;
use candle_core::cuda_backend::cudarc::driver::result::memcpy_dtoh_sync;
use candle_core::{DType, Device, Error, Result, Tensor, bail};

use super::super::runner::{Product, address};
use super::choice::{Bits, bucket, choose};

/// Numbers of rows up to which an algorithm is chosen. A step has at most 512 rows.
const BUCKETS: [usize; 6] = [1, 16, 64, 128, 256, 512];

/// Algorithms that are looked at for each bucket.
const CANDIDATES: usize = 12;

/// Memory that an algorithm may use beside its factors.
const WORKSPACE: usize = 32 << 20;

/// A product, all but its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Kind {
    inputs: usize,
    outputs: usize,
    is_bf16: bool,
    out_is_bf16: bool,
    add: bool,
}

impl Kind {
    fn of(product: &Product) -> Result<Self> {
        let is_bf16 = |dtype| match dtype {
            DType::BF16 => Ok(true),
            DType::F32 => Ok(false),
            other => bail!("no product of {other:?}"),
        };
        Ok(Self {
            inputs: product.inputs,
            outputs: product.outputs,
            is_bf16: is_bf16(product.dtype)?,
            out_is_bf16: is_bf16(product.out_dtype)?,
            add: product.add,
        })
    }
}

/// Descriptions of a product and its matrices, freed with it.
#[derive(Debug)]
struct Description {
    product: cublasLtMatmulDesc_t,
    weight: cublasLtMatrixLayout_t,
    x: cublasLtMatrixLayout_t,
    out: cublasLtMatrixLayout_t,
}

// SAFETY: descriptions are only read once they are made.
unsafe impl Send for Description {}

impl Drop for Description {
    fn drop(&mut self) {
        // SAFETY: made by `Description::new` and freed nowhere else. An error leaks some bytes.
        unsafe {
            let _ = destroy_matrix_layout(self.weight);
            let _ = destroy_matrix_layout(self.x);
            let _ = destroy_matrix_layout(self.out);
            let _ = destroy_matmul_desc(self.product);
        }
    }
}

impl Description {
    /// cuBLAS counts matrices by columns: the rows of `x` are columns to it, and the product is
    /// `W · xᵀ`, `[outputs, rows]`, whose columns are our rows.
    fn new(kind: Kind, rows: usize) -> Result<Self> {
        let types = |is_bf16| match is_bf16 {
            true => cudaDataType_t::CUDA_R_16BF,
            false => cudaDataType_t::CUDA_R_32F,
        };
        let (factor, out) = (types(kind.is_bf16), types(kind.out_is_bf16));
        let (inputs, outputs) = (kind.inputs as u64, kind.outputs as u64);
        let layout = |dtype, height: u64, width: usize| {
            create_matrix_layout(dtype, height, width as u64, height as i64).map_err(Error::wrap)
        };
        let compute = cublasComputeType_t::CUBLAS_COMPUTE_32F;
        let product =
            create_matmul_desc(compute, cudaDataType_t::CUDA_R_32F).map_err(Error::wrap)?;
        let description = Self {
            product,
            weight: layout(factor, inputs, kind.outputs)?,
            x: layout(factor, inputs, rows)?,
            out: layout(out, outputs, rows)?,
        };
        // CUBLAS_OP_T.
        let transposed: i32 = 1;
        // SAFETY: the description lives; the attribute is an i32.
        unsafe {
            set_matmul_desc_attribute(
                description.product,
                cublasLtMatmulDescAttributes_t::CUBLASLT_MATMUL_DESC_TRANSA,
                std::ptr::from_ref(&transposed).cast(),
                size_of::<i32>(),
            )
            .map_err(Error::wrap)?;
        }
        Ok(description)
    }
}

/// A product with its algorithm.
#[derive(Debug)]
struct Plan {
    description: Description,
    algorithm: cublasLtMatmulAlgo_t,
}

/// Products on a stream.
pub(super) struct Products {
    handle: cublasLtHandle_t,
    stream: Arc<CudaStream>,
    device: Device,
    workspace: Tensor,
    plans: Mutex<HashMap<(Kind, usize), Arc<Plan>>>,
    /// For each kind its algorithm in each bucket.
    chosen: Mutex<HashMap<Kind, Vec<cublasLtMatmulAlgo_t>>>,
    independent: AtomicBool,
}

// SAFETY: cuBLASLt's handle may be used by several threads; a plan is only read.
unsafe impl Send for Products {}
// SAFETY: as above.
unsafe impl Sync for Products {}
// SAFETY: a plan is only read once it is made.
unsafe impl Send for Plan {}
// SAFETY: as above.
unsafe impl Sync for Plan {}

impl Drop for Products {
    fn drop(&mut self) {
        // SAFETY: made by `Products::new` and freed nowhere else.
        let _ = unsafe { destroy_handle(self.handle) };
    }
}

impl Products {
    pub(super) fn new(device: &Device, stream: &Arc<CudaStream>) -> Result<Self> {
        Ok(Self {
            handle: create_handle().map_err(Error::wrap)?,
            stream: Arc::clone(stream),
            device: device.clone(),
            workspace: Tensor::zeros(WORKSPACE / 4, DType::F32, device)?,
            plans: Mutex::default(),
            chosen: Mutex::default(),
            independent: AtomicBool::new(true),
        })
    }

    /// Whether every kind of product that was prepared has one order of sums.
    pub(super) fn rows_are_independent(&self) -> bool {
        self.independent.load(Ordering::Relaxed)
    }

    /// Chooses the algorithms of a kind of product.
    ///
    /// # Errors
    /// Those of the device.
    ///
    /// # Safety
    /// The matrix lies where the product says.
    pub(super) unsafe fn prepare(&self, product: Product) -> Result<()> {
        // SAFETY: the caller's promise.
        unsafe { self.algorithms(Kind::of(&product)?, product.weight)? };
        Ok(())
    }

    /// # Errors
    /// Those of the device.
    ///
    /// # Safety
    /// As for [`Runner::multiply`](super::super::runner::Runner::multiply).
    pub(super) unsafe fn multiply(&self, product: Product) -> Result<()> {
        let kind = Kind::of(&product)?;
        // SAFETY: the caller's promise.
        unsafe {
            let plan = self.plan(kind, &product)?;
            self.run(&plan.description, &plan.algorithm, kind, &product)
        }
    }

    /// # Safety
    /// The matrix lies where the product says.
    unsafe fn plan(&self, kind: Kind, product: &Product) -> Result<Arc<Plan>> {
        let rows = product.rows;
        let known = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = known.get(&(kind, rows)) {
            return Ok(Arc::clone(plan));
        }
        drop(known);
        // SAFETY: the caller's promise.
        let algorithms = unsafe { self.algorithms(kind, product.weight)? };
        let plan = Arc::new(Plan {
            description: Description::new(kind, rows)?,
            algorithm: algorithms[bucket(&BUCKETS, rows)],
        });
        let mut known = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert((kind, rows), Arc::clone(&plan));
        Ok(plan)
    }

    /// The algorithms of a kind of product, one a bucket.
    ///
    /// # Safety
    /// A matrix of this kind lies at `weight`.
    unsafe fn algorithms(&self, kind: Kind, weight: u64) -> Result<Vec<cublasLtMatmulAlgo_t>> {
        let known = self.chosen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(algorithms) = known.get(&kind) {
            return Ok(algorithms.clone());
        }
        drop(known);
        // SAFETY: the caller's promise.
        let algorithms = unsafe { self.compare(kind, weight)? };
        let mut known = self.chosen.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(kind, algorithms.clone());
        Ok(algorithms)
    }

    /// Runs the algorithms of each bucket on equal rows and chooses those of one order of sums.
    /// Where there is no such order, the fastest of each bucket, and rows are not independent.
    ///
    /// # Safety
    /// A matrix of this kind lies at `weight`.
    unsafe fn compare(&self, kind: Kind, weight: u64) -> Result<Vec<cublasLtMatmulAlgo_t>> {
        let x = equal_rows(kind, &self.device)?;
        let (mut offered, mut found) = (Vec::new(), Vec::new());
        for rows in BUCKETS {
            let description = Description::new(kind, rows)?;
            let algorithms = self.offered(&description)?;
            if algorithms.is_empty() {
                bail!("cuBLASLt has no product for {kind:?} and {rows} rows");
            }
            let bits = algorithms.iter().map(|algorithm| {
                // An algorithm that cannot be used is one that is not chosen.
                // SAFETY: there are as many rows; the matrix by the caller's promise.
                unsafe { self.bits((&x, weight), kind, (&description, algorithm), rows) }
                    .unwrap_or(None)
            });
            found.push(bits.collect::<Vec<Bits>>());
            offered.push(algorithms);
        }
        let places = choose(&found).unwrap_or_else(|| {
            self.independent.store(false, Ordering::Relaxed);
            let sound = |bits: &Vec<Bits>| bits.iter().position(Option::is_some).unwrap_or(0);
            found.iter().map(sound).collect()
        });
        let pairs = offered.iter().zip(places);
        Ok(pairs.map(|(algorithms, place)| algorithms[place]).collect())
    }

    /// The algorithms that cuBLASLt offers, fastest first, that do not split sums.
    fn offered(&self, description: &Description) -> Result<Vec<cublasLtMatmulAlgo_t>> {
        let preference = create_matmul_pref().map_err(Error::wrap)?;
        // SAFETY: zeros are a valid value of every field.
        let mut results: [cublasLtMatmulHeuristicResult_t; CANDIDATES] =
            unsafe { std::mem::zeroed() };
        let mut count = 0;
        // SAFETY: descriptions and the preference live; there is room for so many results.
        let status = unsafe {
            let set = set_matmul_pref_attribute(
                preference,
                cublasLtMatmulPreferenceAttributes_t::CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                std::ptr::from_ref(&WORKSPACE).cast(),
                size_of::<usize>(),
            );
            // CUBLASLT_REDUCTION_SCHEME_NONE: a sum is one thread's from beginning to end.
            let schemes: u32 = 0;
            let set = set.and(set_matmul_pref_attribute(
                preference,
                cublasLtMatmulPreferenceAttributes_t::CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
                std::ptr::from_ref(&schemes).cast(),
                size_of::<u32>(),
            ));
            let status = cublasLtMatmulAlgoGetHeuristic(
                self.handle,
                description.product,
                description.weight,
                description.x,
                description.out,
                description.out,
                preference,
                CANDIDATES as i32,
                results.as_mut_ptr(),
                &mut count,
            );
            let _ = destroy_matmul_pref(preference);
            set.map_err(Error::wrap)?;
            status
        };
        status.result().map_err(Error::wrap)?;
        let sound = results[..(count as usize).min(CANDIDATES)]
            .iter()
            .filter(|result| {
                result.state == cublasStatus_t::CUBLAS_STATUS_SUCCESS
                    && result.workspaceSize <= WORKSPACE
                    && splits(&result.algo) <= 1
            });
        Ok(sound.map(|result| result.algo).collect())
    }

    /// A hash of what an algorithm makes of equal rows; `None` where the first, the middle and the
    /// last one differ.
    ///
    /// # Safety
    /// `x` has as many rows, and a matrix of this kind lies at `weight`.
    unsafe fn bits(
        &self,
        (x, weight): (&Tensor, u64),
        kind: Kind,
        (description, algorithm): (&Description, &cublasLtMatmulAlgo_t),
        rows: usize,
    ) -> Result<Bits> {
        let dtype = dtype(kind.out_is_bf16);
        // Zeros, so that a sum that is added to them is itself.
        let out = Tensor::zeros((rows, kind.outputs), dtype, &self.device)?;
        let product = Product {
            x: address(x)?,
            weight,
            out: address(&out)?,
            rows,
            inputs: kind.inputs,
            outputs: kind.outputs,
            dtype: x.dtype(),
            out_dtype: dtype,
            add: kind.add,
        };
        // SAFETY: the caller's promise.
        unsafe { self.run(description, algorithm, kind, &product)? };
        self.stream.synchronize().map_err(Error::wrap)?;
        let mut bytes = vec![0u8; kind.outputs * dtype.size_in_bytes()];
        let mut of = |row: usize| -> Result<u64> {
            let at = product.out + (row * bytes.len()) as u64;
            // SAFETY: the row is within the tensor.
            unsafe { memcpy_dtoh_sync(&mut bytes, at) }.map_err(Error::wrap)?;
            let mut hasher = DefaultHasher::new();
            bytes.hash(&mut hasher);
            Ok(hasher.finish())
        };
        let [first, middle, last] = [of(0)?, of(rows / 2)?, of(rows - 1)?];
        Ok((first == middle && first == last).then_some(first))
    }

    /// # Safety
    /// As for [`Runner::multiply`](super::super::runner::Runner::multiply).
    unsafe fn run(
        &self,
        description: &Description,
        algorithm: &cublasLtMatmulAlgo_t,
        kind: Kind,
        product: &Product,
    ) -> Result<()> {
        self.stream
            .context()
            .bind_to_thread()
            .map_err(Error::wrap)?;
        let (alpha, beta) = (1f32, if kind.add { 1f32 } else { 0f32 });
        // SAFETY: the caller's promise; the workspace is as large as was said when algorithms were
        // asked for.
        unsafe {
            matmul(
                self.handle,
                description.product,
                std::ptr::from_ref(&alpha).cast(),
                std::ptr::from_ref(&beta).cast(),
                product.weight as *const c_void,
                description.weight,
                product.x as *const c_void,
                description.x,
                product.out as *const c_void,
                description.out,
                product.out as *mut c_void,
                description.out,
                algorithm,
                address(&self.workspace)? as *mut c_void,
                WORKSPACE,
                self.stream.cu_stream().cast(),
            )
            .map_err(Error::wrap)
        }
    }
}

/// Into how many parts an algorithm splits each sum.
fn splits(algorithm: &cublasLtMatmulAlgo_t) -> u32 {
    let (mut splits, mut written) = (0u32, 0);
    // SAFETY: the attribute is a u32.
    let status = unsafe {
        cublasLtMatmulAlgoConfigGetAttribute(
            algorithm,
            cublasLtMatmulAlgoConfigAttributes_t::CUBLASLT_ALGO_CONFIG_SPLITK_NUM,
            std::ptr::from_mut(&mut splits).cast(),
            size_of::<u32>(),
            &mut written,
        )
    };
    match status {
        cublasStatus_t::CUBLAS_STATUS_SUCCESS => splits,
        // An algorithm that does not say is not taken.
        _ => u32::MAX,
    }
}

fn dtype(is_bf16: bool) -> DType {
    if is_bf16 { DType::BF16 } else { DType::F32 }
}

/// As many equal rows as the last bucket has.
fn equal_rows(kind: Kind, device: &Device) -> Result<Tensor> {
    let most = BUCKETS[BUCKETS.len() - 1];
    let rows = numbers(1, kind.inputs).repeat(most);
    // Rounded on the CPU: no kernel of candle is needed then.
    Tensor::from_vec(rows, (most, kind.inputs), &Device::Cpu)?
        .to_dtype(dtype(kind.is_bf16))?
        .to_device(device)
}

/// Numbers in -1..1 of many sizes, so that an order of sums shows in the last bits.
fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let value = (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0;
        value * value * value
    };
    (0..count).map(|_| next()).collect()
}
