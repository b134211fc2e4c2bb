//! Attention on a device. Rows that decode are batched, padded to the longest of them; the rows of
//! a prefill are a batch of their own.

use std::ops::Range;

use candle_core::{DType, Device, Result, Tensor};

use crate::kv_cache::{KvCache, Pool};
use crate::ops::AttentionShape;
use crate::row::{Row, visible};

/// The rows of a step in the order in which they attend: those of sequences with a single row,
/// which decode or end their prefill, the farthest position first; then the others, sequence by
/// sequence.
#[derive(Debug)]
pub(super) struct Arrangement {
    /// Where each row was before.
    pub(super) order: Vec<usize>,
    /// The rows of each sequence with several, in that order; what is before the first is single.
    pub(super) runs: Vec<Range<usize>>,
    singles: usize,
}

impl Arrangement {
    pub(super) fn of(rows: &[Row]) -> Self {
        // The rows of a sequence stand together in a step (`Schedule::plan`), so that each is one
        // run.
        let (mut singles, mut others) = (Vec::new(), Vec::new());
        let mut start = 0;
        for run in rows.chunk_by(|left, right| left.seq == right.seq) {
            match run.len() {
                1 => singles.push(start),
                length => others.push(start..start + length),
            }
            start += run.len();
        }
        // A stable order, so that equal steps are equal computations.
        // The farthest first, so that neighbours see about as many positions and little is filled
        // up.
        singles.sort_by_key(|&row| std::cmp::Reverse(rows[row].position));
        let (mut order, singles) = (singles.clone(), singles.len());
        let mut runs = Vec::new();
        for run in others {
            runs.push(order.len()..order.len() + run.len());
            order.extend(run);
        }
        Self {
            order,
            runs,
            singles,
        }
    }

    /// The attention batches of a layer with this sliding window.
    ///
    /// # Errors
    /// Those of the device.
    pub(super) fn batches(
        &self,
        rows: &[Row],
        window: Option<usize>,
        cache: &KvCache<Pool>,
        limits: Limits,
        device: &Device,
    ) -> Result<Vec<AttentionBatch>> {
        let see = |row: &Row| visible(row.position, window);
        let mut batches = Vec::new();
        let mut start = 0;
        while start < self.singles {
            // The first one sees most.
            let count = limits
                .singles(see(&rows[start]).len())
                .min(self.singles - start);
            let members = start..start + count;
            let seen: Vec<SequenceRows> = rows[members.clone()]
                .iter()
                .map(|row| SequenceRows {
                    row,
                    each: 1,
                    visible: see(row),
                })
                .collect();
            batches.push(AttentionBatch::new(
                members.clone(),
                &seen,
                window,
                cache,
                device,
            )?);
            start = members.end;
        }
        for run in &self.runs {
            let mut start = run.start;
            while start < run.end {
                // As if each row saw what the last one sees: how many rows fit decides which is the
                // last.
                let last = &rows[run.end - 1];
                let count = limits
                    .run(see(&rows[start]).start..last.position + 1)
                    .min(run.end - start);
                let members = start..start + count;
                let visible = see(&rows[start]).start..rows[members.end - 1].position + 1;
                let seen = [SequenceRows {
                    row: &rows[start],
                    each: count,
                    visible,
                }];
                batches.push(AttentionBatch::new(
                    members.clone(),
                    &seen,
                    window,
                    cache,
                    device,
                )?);
                start = members.end;
            }
        }
        Ok(batches)
    }
}

/// How much is computed at a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Elements of the keys and values, or of the scores, that a batch may have.
    pub(super) elements: usize,
    pub(super) shape: AttentionShape,
}

impl Limits {
    /// Sequences with one row each that fit when the longest sees so many positions.
    fn singles(self, positions: usize) -> usize {
        let AttentionShape {
            heads,
            kv_heads,
            head_dim,
        } = self.shape;
        (self.elements / (positions * heads.max(2 * kv_heads * head_dim))).max(1)
    }

    /// Rows of one sequence that fit when they see these positions.
    fn run(self, positions: Range<usize>) -> usize {
        (self.elements / (positions.len() * self.shape.heads)).max(1)
    }
}

/// The first of the rows of a sequence, how many they are, and the positions that any of them sees.
struct SequenceRows<'a> {
    row: &'a Row,
    each: usize,
    visible: Range<usize>,
}

/// Rows that attend together: equally many of each of some sequences.
#[derive(Debug)]
pub(super) struct AttentionBatch {
    /// In the arranged order, sequence by sequence.
    pub(super) rows: Range<usize>,
    sequences: usize,
    /// The slots that they see: `[sequences · positions]`, u32.
    slots: Tensor,
    /// Added to the scores: 0 where a row sees a position, else -∞;
    /// `[sequences, 1, rows of each, 1, positions]`, f32. `None` where every row sees all.
    mask: Option<Tensor>,
}

impl AttentionBatch {
    fn new(
        rows: Range<usize>,
        seen: &[SequenceRows<'_>],
        window: Option<usize>,
        cache: &KvCache<Pool>,
        device: &Device,
    ) -> Result<Self> {
        let (sequences, each) = (seen.len(), seen[0].each);
        let positions = seen
            .iter()
            .map(|seen| seen.visible.len())
            .max()
            .unwrap_or(0);
        let mut slots = Vec::with_capacity(sequences * positions);
        let mut mask = Vec::with_capacity(sequences * each * positions);
        for SequenceRows {
            row,
            each,
            visible: range,
        } in seen
        {
            slots.extend(cache.slots(row.seq, range.clone()));
            // Filled up with a position of its own, so that no sequence reads what another has
            // written.
            let own = slots.last().copied().unwrap_or_default();
            slots.resize(slots.len() + positions - range.len(), own);
            for position in row.position..row.position + each {
                let visible = visible(position, window);
                let weight = |position: usize| {
                    if visible.contains(&position) {
                        0.0
                    } else {
                        f32::NEG_INFINITY
                    }
                };
                mask.extend((range.start..range.start + positions).map(weight));
            }
        }
        // Each row sees its own position, so that no softmax is over −∞ alone.
        let hidden = mask.iter().any(|&weight| weight != 0.0);
        let mask = hidden
            .then(|| Tensor::from_vec(mask, (sequences, 1, each, 1, positions), device))
            .transpose()?;
        let slots = Tensor::from_vec(slots, sequences * positions, device)?;
        Ok(Self {
            rows,
            sequences,
            slots,
            mask,
        })
    }

    /// `softmax(q · Kᵀ) · V` of these rows over their own sequences, in f32.
    ///
    /// # Shapes
    /// `queries` `[rows, heads · head_dim]` of all rows of the step, scaled, f32; to
    /// `[rows of the batch, heads · head_dim]`.
    ///
    /// # Errors
    /// Those of the device.
    pub(super) fn attend(
        &self,
        queries: &Tensor,
        pool: &Pool,
        layer: usize,
        shape: AttentionShape,
    ) -> Result<Tensor> {
        let AttentionShape {
            heads,
            kv_heads,
            head_dim,
        } = shape;
        let (sequences, group) = (self.sequences, heads / kv_heads);
        let each = self.rows.len() / sequences;
        let positions = self.slots.dim(0)? / sequences;
        let problems = sequences * kv_heads;

        // [2, sequences · kv_heads, positions, head_dim]: keys, values.
        let keys_values = pool
            .read(layer, &self.slots)?
            .reshape((sequences, positions, 2, kv_heads, head_dim))?;
        let keys_values = keys_values
            .permute((2, 0, 3, 1, 4))?
            .to_dtype(DType::F32)?
            .contiguous()?;
        let keys_values = keys_values.reshape((2, problems, positions, head_dim))?;
        let (keys, values) = (keys_values.get(0)?, keys_values.get(1)?);

        // [sequences · kv_heads, rows of each · group, head_dim].
        let queries = queries.narrow(0, self.rows.start, self.rows.len())?;
        let queries = queries
            .reshape((sequences, each, kv_heads, group, head_dim))?
            .permute((0, 2, 1, 3, 4))?;
        let queries = queries
            .contiguous()?
            .reshape((problems, each * group, head_dim))?;
        let scores = queries.matmul(&keys.t()?)?;
        let scores = match &self.mask {
            None => scores,
            Some(mask) => scores
                .reshape((sequences, kv_heads, each, group, positions))?
                .broadcast_add(mask)?
                .reshape((problems, each * group, positions))?,
        };
        let attended = candle_nn::ops::softmax_last_dim(&scores)?.matmul(&values)?;
        let attended = attended
            .reshape((sequences, kv_heads, each, group, head_dim))?
            .permute((0, 2, 1, 3, 4))?;
        attended
            .contiguous()?
            .reshape((self.rows.len(), heads * head_dim))
    }
}
