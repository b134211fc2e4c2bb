//! The arguments of kernels, field by field as `kernels/*.cuh` declare them. Addresses are of the
//! memory of the device; numbers of rows and the like are in the grid.

/// Arguments of a kernel as C lays them out.
///
/// # Safety
/// The type is `repr(C)`, as the struct of the kernel, and has no padding.
pub(crate) unsafe trait Arguments: Copy {}

macro_rules! arguments {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[repr(C)]
            #[derive(Clone, Copy, Debug, Default)]
            pub(crate) struct $name { $(pub(crate) $field: $kind),* }

            // SAFETY: repr(C); the fields fill it, which the constant beside it checks.
            unsafe impl Arguments for $name {}
            const _: () = assert!(size_of::<$name>() == 0 $(+ size_of::<$kind>())*);
        )*
    };
}

arguments! {
    /// `kernels/norm.cuh`.
    NormArguments {
        x: u64, delta: u64, weight: u64, out: u64,
        width: u32, mode: u32, epsilon: f32, unused: u32,
    }

    /// Where keys and values lie: `kernels/pages.cuh`.
    PagesArguments { slabs: u64, slab_pages: u32, layer: u32, kv_heads: u32, head_dim: u32 }

    /// `kernels/pages.cuh`.
    CopyPageArguments {
        pages: PagesArguments,
        from: u32, to: u32, layer_bytes: u32, unused: u32,
    }

    /// `kernels/rope.cuh`.
    RopeArguments {
        qkv: u64, query_norm: u64, key_norm: u64, cos_sin: u64, queries: u64, turns: u64, slots: u64,
        pages: PagesArguments,
        heads: u32, pairs: u32, whole_row: u32, epsilon: f32,
    }

    /// `kernels/attention.cuh`.
    AttendArguments {
        queries: u64, out: u64, partials: u64, tables: u64, tiles: u64,
        pages: PagesArguments,
        heads: u32, chunk: u32, window: u32, splits: u32, scale: f32,
        first_tile: u32, first_row: u32, unused: u32,
    }

    /// `kernels/attention.cuh`.
    MergeArguments {
        partials: u64, out: u64, positions: u64,
        heads: u32, head_dim: u32, splits: u32, window: u32, first_row: u32, unused: u32,
    }

    /// `kernels/elementwise.cuh`.
    GatedArguments { gate_up: u64, bias: u64, out: u64, width: u32, gelu: u32 }

    /// `kernels/elementwise.cuh`.
    BiasArguments { x: u64, bias: u64, width: u32, unused: u32 }

    /// `kernels/tokens.cuh`.
    GatherArguments {
        table: u64, indices: u64, out: u64, chosen: u64,
        width: u32, count: u32, scale: f32, unused: u32,
    }

    /// `kernels/tokens.cuh`.
    ArgmaxArguments { logits: u64, tokens: u64, width: u32, none: u32 }

    /// `kernels/blocks.cuh`.
    QuantizeArguments { x: u64, integers: u64, scales: u64, inputs: u32, blocks: u32 }

    /// `kernels/blocks.cuh`.
    BlockProductArguments {
        integers: u64, scales: u64, weights: u64, weight_scales: u64, out: u64,
        rows: u32, outputs: u32, blocks: u32, add: u32,
    }

    /// `kernels/blocks.cuh`.
    GatherBlocksArguments {
        weights: u64, weight_scales: u64, indices: u64, out: u64, chosen: u64,
        width: u32, count: u32, blocks: u32, scale: f32,
    }

    /// `kernels/sample.cuh`.
    SampleArguments { logits: u64, draws: u64, tokens: u64, width: u32, none: u32 }
}
