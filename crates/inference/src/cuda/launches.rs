//! Each kernel as a function of tensors: checks their shapes, makes what it returns, and launches.

use candle_core::{DType, Result, Tensor, bail};

use super::arguments::{
    ArgmaxArguments, AttendArguments, BiasArguments, BlockProductArguments, CopyPageArguments,
    GatedArguments, GatherArguments, GatherBlocksArguments, MergeArguments, NormArguments,
    PagesArguments, QuantizeArguments, RopeArguments, SampleArguments,
};
use super::matrix::{BLOCK_WORDS, BlockMatrix};
use super::runner::{Launch, Product, Runner, address, launch, unwritten};
use super::step::{AttendTiles, StepTensors};
use crate::config::Activation;
use crate::kv_cache::{BLOCK, Pages};
use crate::ops::{AttentionShape, NOT_A_TOKEN};
use crate::sampling::Draw;

/// Positions of a split of attention (`SPLIT` of `attention.cuh`).
pub(super) const SPLIT: usize = 256;

/// Pairs of row and head that a block of attention has at most (`QUERIES` of `attention.cuh`).
pub(super) const MAX_QUERIES: usize = 16;

/// The bit of an index that is a place among chosen tokens (`CHOSEN` of `tokens.cuh`).
pub(super) const CHOSEN: u32 = 1 << 31;

/// The widest head of attention.
pub(super) const MAX_HEAD_DIM: usize = 256;

/// Bytes that the partial sums of attention take at most, where a single tile needs no more.
const MAX_PARTIAL_BYTES: usize = 256 << 20;

/// The name of a kernel for activations of this dtype.
fn by_dtype(dtype: DType, bf16: &'static str, f32: &'static str) -> Result<&'static str> {
    match dtype {
        DType::BF16 => Ok(bf16),
        DType::F32 => Ok(f32),
        other => bail!("no kernel computes in {other:?}"),
    }
}

/// The address of an optional tensor, 0 for none.
fn optional(tensor: Option<&Tensor>) -> Result<u64> {
    tensor.map_or(Ok(0), address)
}

/// Bytes of shared memory for the sums over the threads of a block (`sum_of_threads`).
fn sums(threads: u32) -> u32 {
    4 * (threads + threads / 16)
}

/// What `norm.cuh` computes.
#[derive(Clone, Copy, Debug)]
pub(super) enum NormMode<'a> {
    /// `norm(x)`.
    Norm,
    /// `x += norm(delta)`.
    AddNorm(&'a Tensor),
    /// `x`, rounded.
    Round,
}

/// RMSNorm of rows, alone or with a sum; `None` where only `x` is changed.
///
/// # Shapes
/// `x` and `delta` `[rows, width]` f32, `weight` `[width]` f32, to `[rows, width]` in `dtype`.
pub(super) fn norm(
    runner: &dyn Runner,
    x: &Tensor,
    weight: Option<&Tensor>,
    epsilon: f32,
    mode: NormMode<'_>,
    dtype: DType,
) -> Result<Option<Tensor>> {
    let (rows, width) = x.dims2()?;
    let (number, delta) = match mode {
        NormMode::Norm => (0, None),
        NormMode::AddNorm(delta) => (1, Some(delta)),
        NormMode::Round => (2, None),
    };
    let fits = |delta: &Tensor| delta.dims() == x.dims() && delta.dtype() == DType::F32;
    let weighted = weight.map_or(number == 2, |weight| weight.dims() == [width]);
    if !width.is_multiple_of(4) || !delta.is_none_or(fits) || !weighted || x.dtype() != DType::F32 {
        bail!("rows of {width} do not fit a norm");
    }
    let out = match mode {
        NormMode::AddNorm(_) => None,
        _ => Some(unwritten(runner, (rows, width), dtype)?),
    };
    let arguments = NormArguments {
        x: address(x)?,
        delta: optional(delta)?,
        weight: optional(weight)?,
        out: optional(out.as_ref())?,
        width: width as u32,
        mode: number,
        epsilon,
        unused: 0,
    };
    let kernel = Launch {
        kernel: by_dtype(dtype, "norm_bf16", "norm_f32")?,
        grid: [rows, 1, 1],
        threads: 256,
        shared_bytes: sums(256),
    };
    // SAFETY: shapes were checked above; a block for each row.
    unsafe { launch(runner, kernel, &arguments)? };
    Ok(out)
}

/// `x · Wᵀ`, or added to `sum`.
///
/// # Shapes
/// `x` `[rows, inputs]`, `weight` `[outputs, inputs]`, of one dtype, to `[rows, outputs]` in
/// `out_dtype`; `sum` f32.
pub(super) fn product(
    runner: &dyn Runner,
    x: &Tensor,
    weight: &Tensor,
    sum: Option<&Tensor>,
    out_dtype: DType,
) -> Result<Tensor> {
    let ((rows, inputs), (outputs, width)) = (x.dims2()?, weight.dims2()?);
    let out = match sum {
        Some(sum) => sum.clone(),
        None => unwritten(runner, (rows, outputs), out_dtype)?,
    };
    let fits = inputs == width && x.dtype() == weight.dtype() && out.dtype() == out_dtype;
    if !fits || out.dims() != [rows, outputs] {
        bail!("rows of {inputs} do not fit a matrix of {outputs} by {width}");
    }
    if rows == 0 {
        return Ok(out);
    }
    let product = Product {
        x: address(x)?,
        weight: address(weight)?,
        out: address(&out)?,
        rows,
        inputs,
        outputs,
        dtype: x.dtype(),
        out_dtype,
        add: sum.is_some(),
    };
    // SAFETY: shapes and dtypes were checked above.
    unsafe { runner.multiply(product)? };
    Ok(out)
}

/// Rows of a matrix of blocks that a block of threads takes, and its outputs: few while sequences
/// decode.
fn block_product_kernel(rows: usize, out: DType) -> Result<(&'static str, usize, usize)> {
    Ok(match rows {
        0..=8 => (
            by_dtype(out, "block_product_bf16_1", "block_product_f32_1")?,
            8,
            16,
        ),
        9..=32 => (
            by_dtype(out, "block_product_bf16_4", "block_product_f32_4")?,
            32,
            32,
        ),
        _ => (
            by_dtype(out, "block_product_bf16_8", "block_product_f32_8")?,
            64,
            32,
        ),
    })
}

/// `x · Wᵀ` by a matrix of 8-bit integers, rows rounded to such integers too; or added to `sum`.
///
/// # Shapes
/// `x` `[rows, inputs]` f32 or bf16, to `[rows, outputs]` in `out_dtype`; `sum` f32.
pub(super) fn block_product(
    runner: &dyn Runner,
    x: &Tensor,
    matrix: &BlockMatrix,
    sum: Option<&Tensor>,
    out_dtype: DType,
) -> Result<Tensor> {
    let ((rows, inputs), outputs) = (x.dims2()?, matrix.outputs);
    let out = match sum {
        Some(sum) => sum.clone(),
        None => unwritten(runner, (rows, outputs), out_dtype)?,
    };
    if inputs != matrix.inputs || out.dims() != [rows, outputs] || out.dtype() != out_dtype {
        bail!(
            "rows of {inputs} do not fit a matrix of {outputs} by {}",
            matrix.inputs
        );
    }
    if rows == 0 {
        return Ok(out);
    }
    let blocks = BlockMatrix::blocks_of(inputs);
    let integers = unwritten(runner, rows * blocks * BLOCK_WORDS, DType::U32)?;
    let scales = unwritten(runner, rows * blocks, DType::F32)?;
    let arguments = QuantizeArguments {
        x: address(x)?,
        integers: address(&integers)?,
        scales: address(&scales)?,
        inputs: inputs as u32,
        blocks: blocks as u32,
    };
    let kernel = Launch {
        kernel: by_dtype(x.dtype(), "quantize_bf16", "quantize_f32")?,
        grid: [blocks.div_ceil(128), rows, 1],
        threads: 128,
        shared_bytes: 0,
    };
    // SAFETY: shapes were checked above; a thread for each block.
    unsafe { launch(runner, kernel, &arguments)? };
    let (kernel, of_rows, of_outputs) = block_product_kernel(rows, out_dtype)?;
    let arguments = BlockProductArguments {
        integers: address(&integers)?,
        scales: address(&scales)?,
        weights: address(&matrix.integers)?,
        weight_scales: address(&matrix.scales)?,
        out: address(&out)?,
        rows: rows as u32,
        outputs: outputs as u32,
        blocks: blocks as u32,
        add: u32::from(sum.is_some()),
    };
    let kernel = Launch {
        kernel,
        grid: [outputs.div_ceil(of_outputs), rows.div_ceil(of_rows), 1],
        threads: 128,
        shared_bytes: (4 * 4 * of_rows * of_outputs) as u32,
    };
    // SAFETY: shapes were checked above; blocks cover rows and outputs, and the matrix has an even
    // number of tiles.
    unsafe { launch(runner, kernel, &arguments)? };
    Ok(out)
}

/// Rows of a matrix of blocks, as [`gather`] takes those of a table.
///
/// # Safety
/// As there.
pub(super) unsafe fn gather_blocks(
    runner: &dyn Runner,
    matrix: &BlockMatrix,
    (indices, rows): (u64, usize),
    chosen: Option<&Tensor>,
    scale: f32,
) -> Result<Tensor> {
    let out = unwritten(runner, (rows, matrix.inputs), DType::F32)?;
    let arguments = GatherBlocksArguments {
        weights: address(&matrix.integers)?,
        weight_scales: address(&matrix.scales)?,
        indices,
        out: address(&out)?,
        chosen: optional(chosen)?,
        width: matrix.inputs as u32,
        count: matrix.outputs as u32,
        blocks: BlockMatrix::blocks_of(matrix.inputs) as u32,
        scale,
    };
    let kernel = Launch {
        kernel: "gather_blocks",
        grid: [rows, 1, 1],
        threads: 256,
        shared_bytes: 0,
    };
    // SAFETY: the caller's promise; the kernel looks no further than `count`.
    unsafe { launch(runner, kernel, &arguments)? };
    Ok(out)
}

/// Adds a bias to rows.
///
/// # Shapes
/// `x` `[rows, width]` and `bias` `[width]`, both f32.
pub(super) fn add_bias(runner: &dyn Runner, x: &Tensor, bias: &Tensor) -> Result<()> {
    let (rows, width) = x.dims2()?;
    if bias.dims() != [width] || (x.dtype(), bias.dtype()) != (DType::F32, DType::F32) {
        bail!("rows of {width} do not fit a bias");
    }
    let (x, bias) = (address(x)?, address(bias)?);
    let arguments = BiasArguments {
        x,
        bias,
        width: width as u32,
        unused: 0,
    };
    let kernel = Launch {
        kernel: "bias",
        grid: [width.div_ceil(256), rows, 1],
        threads: 256,
        shared_bytes: 0,
    };
    // SAFETY: shapes were checked above; blocks cover each row.
    unsafe { launch(runner, kernel, &arguments) }
}

/// `activation(gates + bias) · (ups + bias)`.
///
/// # Shapes
/// `gate_up` `[rows, 2 · width]` and `bias` `[2 · width]`, f32, to `[rows, width]`.
pub(super) fn gated(
    runner: &dyn Runner,
    gate_up: &Tensor,
    bias: Option<&Tensor>,
    activation: Activation,
) -> Result<Tensor> {
    let (rows, both) = gate_up.dims2()?;
    let (width, dtype) = (both / 2, gate_up.dtype());
    let packed = width.is_multiple_of(16 / dtype.size_in_bytes());
    if !packed || bias.is_some_and(|bias| bias.dims() != [both]) {
        bail!("gates of {width} cannot be computed");
    }
    let out = unwritten(runner, (rows, width), dtype)?;
    let arguments = GatedArguments {
        gate_up: address(gate_up)?,
        bias: optional(bias)?,
        out: address(&out)?,
        width: width as u32,
        gelu: u32::from(activation == Activation::GeluTanh),
    };
    let packs = width / (16 / dtype.size_in_bytes());
    let kernel = Launch {
        kernel: by_dtype(dtype, "gated_bf16", "gated_f32")?,
        grid: [packs.div_ceil(256), rows, 1],
        threads: 256,
        shared_bytes: 0,
    };
    // SAFETY: shapes were checked above; blocks cover each row.
    unsafe { launch(runner, kernel, &arguments)? };
    Ok(out)
}

/// Rows of a table, times `scale`; NaN for a row that it lacks.
///
/// # Shapes
/// `table` `[count, width]`, `rows` indices (u32) from `indices` on, to `[rows, width]` f32. Where
/// `chosen` `[any]` u32 is given, an index with the bit [`CHOSEN`] is a place in it.
///
/// # Safety
/// There are so many indices, and the places are within `chosen`.
pub(super) unsafe fn gather(
    runner: &dyn Runner,
    table: &Tensor,
    (indices, rows): (u64, usize),
    chosen: Option<&Tensor>,
    scale: f32,
) -> Result<Tensor> {
    let (count, width) = table.dims2()?;
    let out = unwritten(runner, (rows, width), DType::F32)?;
    let arguments = GatherArguments {
        table: address(table)?,
        indices,
        out: address(&out)?,
        chosen: optional(chosen)?,
        width: width as u32,
        count: count as u32,
        scale,
        unused: 0,
    };
    let kernel = Launch {
        kernel: by_dtype(table.dtype(), "gather_bf16", "gather_f32")?,
        grid: [rows, 1, 1],
        threads: 256,
        shared_bytes: 0,
    };
    // SAFETY: the caller's promise; the kernel looks no further than `count`.
    unsafe { launch(runner, kernel, &arguments)? };
    Ok(out)
}

/// The best token of each row, the lowest of equals, [`NOT_A_TOKEN`] where a logit is NaN.
///
/// # Shapes
/// `logits` `[rows, vocab]` f32 to `tokens` `[rows]` u32.
pub(super) fn argmax(runner: &dyn Runner, logits: &Tensor, tokens: &Tensor) -> Result<()> {
    let (rows, width) = logits.dims2()?;
    if logits.dtype() != DType::F32 || tokens.dtype() != DType::U32 || tokens.dims() != [rows] {
        bail!("{:?} are no logits of {:?}", logits.shape(), tokens.shape());
    }
    let arguments = ArgmaxArguments {
        logits: address(logits)?,
        tokens: address(tokens)?,
        width: width as u32,
        none: NOT_A_TOKEN,
    };
    let kernel = Launch {
        kernel: "argmax",
        grid: [rows, 1, 1],
        threads: 512,
        shared_bytes: 12 * (512 + 32),
    };
    // SAFETY: shapes were checked above; a block for each row.
    unsafe { launch(runner, kernel, &arguments) }
}

/// A token of each row by its distribution; [`NOT_A_TOKEN`] where it has none.
///
/// # Shapes
/// `logits` `[rows, vocab]` f32, which are overwritten, and as many draws, to `tokens` `[rows]` u32.
pub(super) fn sample(
    runner: &dyn Runner,
    logits: &Tensor,
    draws: &[Draw],
    tokens: &Tensor,
) -> Result<()> {
    let (rows, width) = logits.dims2()?;
    let fits = logits.dtype() == DType::F32 && tokens.dtype() == DType::U32;
    if !fits || tokens.dims() != [rows] || draws.len() != rows {
        bail!("{} draws do not fit {:?}", draws.len(), logits.shape());
    }
    let words: Vec<i64> = draws.iter().flat_map(Draw::words).collect();
    let count = words.len();
    let draws = Tensor::from_vec(words, count, runner.device())?;
    let arguments = SampleArguments {
        logits: address(logits)?,
        draws: address(&draws)?,
        tokens: address(tokens)?,
        width: width as u32,
        none: NOT_A_TOKEN,
    };
    let kernel = Launch {
        kernel: "sample",
        grid: [rows, 1, 1],
        threads: 512,
        shared_bytes: (12 + 8) * (512 + 32) + 16,
    };
    // SAFETY: shapes were checked above; a block and a draw for each row.
    unsafe { launch(runner, kernel, &arguments) }
}

/// The pages of a layer as kernels take them.
fn pages_of(pages: &Pages, layer: usize) -> Result<PagesArguments> {
    Ok(PagesArguments {
        slabs: address(pages.addresses()?)?,
        slab_pages: pages.slab_pages() as u32,
        layer: layer as u32,
        kv_heads: pages.kv_heads() as u32,
        head_dim: pages.head_dim() as u32,
    })
}

/// Copies a page to another one, in all layers.
///
/// # Errors
/// Those of the device.
pub(crate) fn copy_page(pages: &Pages, from: usize, to: usize) -> Result<()> {
    let elements = 2 * pages.kv_heads() * BLOCK * pages.head_dim();
    let arguments = CopyPageArguments {
        pages: pages_of(pages, 0)?,
        from: from as u32,
        to: to as u32,
        layer_bytes: (elements * pages.dtype().size_in_bytes()) as u32,
        unused: 0,
    };
    let kernel = Launch {
        kernel: "copy_page",
        grid: [pages.layers(), 1, 1],
        threads: 256,
        shared_bytes: 0,
    };
    // SAFETY: both pages were allocated; a block for each layer.
    unsafe { launch(pages.runner(), kernel, &arguments) }
}

/// A layer, as far as attention over pages goes.
pub(super) struct PagedLayer<'a> {
    pub(super) index: usize,
    pub(super) pages: &'a Pages,
    pub(super) shape: AttentionShape,
    pub(super) step: &'a StepTensors,
}

/// What queries and keys go through.
#[derive(Default)]
pub(super) struct Turn<'a> {
    /// QK-norm of queries and of keys, f32; over each head, or over all heads of a row.
    pub(super) norms: Option<[&'a Tensor; 2]>,
    pub(super) whole_row: bool,
    pub(super) epsilon: f32,
    /// Cosines and sines, `[turns, pairs, 2]` f32; `None` for no RoPE.
    pub(super) cos_sin: Option<&'a Tensor>,
}

impl PagedLayer<'_> {
    /// QK-norm and RoPE; keys and values go to their pages.
    ///
    /// # Shapes
    /// `qkv` `[rows, (heads + 2 · kv_heads) · head_dim]` f32 to queries `[rows, heads · head_dim]`.
    ///
    /// # Errors
    /// Those of the device.
    pub(super) fn rope(&self, qkv: &Tensor, turn: &Turn<'_>) -> Result<Tensor> {
        let Self {
            pages, shape, step, ..
        } = self;
        let AttentionShape {
            heads,
            kv_heads,
            head_dim,
        } = *shape;
        let (runner, rows) = (pages.runner(), step.rows);
        let all = heads + 2 * kv_heads;
        let pairs = turn.cos_sin.map_or(Ok(0), |cos_sin| cos_sin.dim(1))?;
        if qkv.dims() != [rows, all * head_dim] || qkv.dtype() != DType::F32 || 2 * pairs > head_dim
        {
            bail!("{:?} does not fit attention over {rows} rows", qkv.shape());
        }
        let queries = unwritten(runner, (rows, heads * head_dim), pages.dtype())?;
        let arguments = RopeArguments {
            qkv: address(qkv)?,
            query_norm: optional(turn.norms.map(|[queries, _]| queries))?,
            key_norm: optional(turn.norms.map(|[_, keys]| keys))?,
            cos_sin: optional(turn.cos_sin)?,
            queries: address(&queries)?,
            turns: step.turns()?,
            slots: step.slots()?,
            pages: pages_of(pages, self.index)?,
            heads: heads as u32,
            pairs: pairs as u32,
            whole_row: u32::from(turn.whole_row),
            epsilon: turn.epsilon,
        };
        let kernel = Launch {
            kernel: by_dtype(pages.dtype(), "rope_bf16", "rope_f32")?,
            grid: [all, rows, 1],
            threads: 64,
            shared_bytes: sums(64).next_multiple_of(16)
                + (4 * head_dim as u32).next_multiple_of(16),
        };
        // SAFETY: shapes were checked above; the step has a slot of an allocated page and a turn
        // within the table for each row.
        unsafe { launch(runner, kernel, &arguments)? };
        Ok(queries)
    }

    /// `softmax(q · Kᵀ · scale) · V` of each row over its own sequence.
    ///
    /// # Shapes
    /// `queries` `[rows, heads · head_dim]` in the dtype of the pages, and so the result.
    ///
    /// # Errors
    /// Those of the device.
    pub(super) fn attend(
        &self,
        queries: &Tensor,
        window: Option<usize>,
        scale: f32,
    ) -> Result<Tensor> {
        let Self {
            pages, shape, step, ..
        } = self;
        let AttentionShape {
            heads,
            kv_heads,
            head_dim,
        } = *shape;
        let (runner, tiles) = (pages.runner(), &step.tiles);
        if queries.dims() != [step.rows, heads * head_dim] || queries.dtype() != pages.dtype() {
            bail!("{:?} does not fit attention", queries.shape());
        }
        let out = unwritten(runner, (step.rows, heads * head_dim), pages.dtype())?;
        let (kernel, most_queries) = attend_kernel(pages.dtype(), head_dim, tiles)?;
        let window = window.unwrap_or(0) as u32;
        let chunks = (heads / kv_heads).div_ceil(tiles.chunk);
        for band in tiles.bands(MAX_PARTIAL_BYTES / (heads * (head_dim + 2) * 4)) {
            let partials = match tiles.splits {
                1 => None,
                splits => {
                    let elements = band.row_count * heads * splits * (head_dim + 2);
                    Some(unwritten(runner, elements, DType::F32)?)
                }
            };
            let arguments = AttendArguments {
                queries: address(queries)?,
                out: address(&out)?,
                partials: optional(partials.as_ref())?,
                tables: step.tables()?,
                tiles: step.tile_descriptions()?,
                pages: pages_of(pages, self.index)?,
                heads: heads as u32,
                chunk: tiles.chunk as u32,
                window,
                splits: tiles.splits as u32,
                scale,
                first_tile: band.first_tile as u32,
                first_row: band.first_row as u32,
                unused: 0,
            };
            let launched = Launch {
                kernel,
                grid: [kv_heads * chunks, band.tile_count, tiles.splits],
                threads: 128,
                shared_bytes: attend_shared_bytes(pages.dtype(), head_dim, most_queries),
            };
            // SAFETY: shapes were checked above; tiles and tables are those of the step, whose rows
            // have pages up to their positions.
            unsafe { launch(runner, launched, &arguments)? };
            let Some(partials) = partials else { continue };
            let arguments = MergeArguments {
                partials: address(&partials)?,
                out: address(&out)?,
                positions: step.positions()?,
                heads: heads as u32,
                head_dim: head_dim as u32,
                splits: tiles.splits as u32,
                window,
                first_row: band.first_row as u32,
                unused: 0,
            };
            let launched = Launch {
                kernel: by_dtype(pages.dtype(), "merge_bf16", "merge_f32")?,
                grid: [heads, band.row_count, 1],
                threads: 128,
                shared_bytes: 0,
            };
            // SAFETY: the launch before wrote the partial sums of these rows.
            unsafe { launch(runner, launched, &arguments)? };
        }
        Ok(out)
    }
}

/// The kernel for heads and tiles like these, and its `QUERIES`.
fn attend_kernel(
    dtype: DType,
    head_dim: usize,
    tiles: &AttendTiles,
) -> Result<(&'static str, usize)> {
    let queries = match tiles.rows_of_tile * tiles.chunk {
        0..=4 => 4,
        5..=8 => 8,
        _ => MAX_QUERIES,
    };
    Ok(match (dtype, head_dim, queries) {
        (DType::BF16, 64, 4) => ("attend_bf16_64_4", 4),
        (DType::BF16, 64, 8) => ("attend_bf16_64_8", 8),
        (DType::BF16, 64, _) => ("attend_bf16_64_16", 16),
        (DType::BF16, 128, 4) => ("attend_bf16_128_4", 4),
        (DType::BF16, 128, 8) => ("attend_bf16_128_8", 8),
        (DType::BF16, 128, _) => ("attend_bf16_128_16", 16),
        _ => (by_dtype(dtype, "attend_bf16", "attend_f32")?, MAX_QUERIES),
    })
}

/// What a block of `attend_body` takes, in its order.
fn attend_shared_bytes(dtype: DType, head_dim: usize, queries: usize) -> u32 {
    let (tile, elements) = match dtype {
        DType::BF16 => (64, 8),
        _ => (32, 4),
    };
    let keys_or_values = tile * (head_dim / elements + 1) * 16;
    let (scaled, weights) = (4 * queries * head_dim, 4 * queries * tile);
    let (lanes, largest, each) = (4 * queries * 8, 4 * 2 * queries, 4 * queries);
    let parts = [
        keys_or_values,
        keys_or_values,
        scaled,
        weights,
        lanes,
        lanes,
        largest,
        each,
        each,
    ];
    parts
        .iter()
        .map(|part| part.next_multiple_of(16) as u32)
        .sum()
}

/// Shared memory that a block of attention takes at most.
#[cfg(feature = "cuda")]
pub(super) fn most_shared_bytes(dtype: DType) -> u32 {
    attend_shared_bytes(dtype, MAX_HEAD_DIM, MAX_QUERIES)
}
