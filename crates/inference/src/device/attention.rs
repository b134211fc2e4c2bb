//! Attention on a device. Rows that write are taken together, filled up to the longest of them; the
//! rows of a prompt being read are taken by themselves.

use std::ops::Range;

use candle_core::{DType, Device, Result, Tensor};

use super::Pool;
use crate::kv_cache::KvCache;
use crate::ops::AttentionShape;
use crate::row::Row;

/// The rows of a step in the order in which they attend: those of sequences with a single row,
/// which write or end their prompt, the farthest position first; then the others, sequence by
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
        let (mut singles, mut others) = (Vec::new(), Vec::new());
        let mut start = 0;
        for run in rows.chunk_by(|left, right| left.slot == right.slot) {
            match run.len() {
                1 => singles.push(start),
                length => others.push(start..start + length),
            }
            start += run.len();
        }
        // A stable order, so that equal steps are equal computations.
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

    /// What attends together in a layer with this window.
    ///
    /// # Errors
    /// Those of the device.
    pub(super) fn bands(
        &self,
        rows: &[Row],
        window: Option<usize>,
        cache: &KvCache,
        limits: Limits,
        device: &Device,
    ) -> Result<Vec<Band>> {
        let see = |row: &Row| visible(row.position, window);
        let mut bands = Vec::new();
        let mut start = 0;
        while start < self.singles {
            // The first one sees most.
            let count = limits
                .singles(see(&rows[start]).len())
                .min(self.singles - start);
            let members = start..start + count;
            let seen: Vec<Seen> = rows[members.clone()]
                .iter()
                .map(|row| Seen {
                    row,
                    each: 1,
                    places: see(row),
                })
                .collect();
            bands.push(Band::new(members.clone(), &seen, window, cache, device)?);
            start = members.end;
        }
        for run in &self.runs {
            let mut start = run.start;
            while start < run.end {
                let last = &rows[run.end - 1];
                let count = limits
                    .run(see(&rows[start]).start..last.position + 1)
                    .min(run.end - start);
                let members = start..start + count;
                let places = see(&rows[start]).start..rows[members.end - 1].position + 1;
                let seen = [Seen {
                    row: &rows[start],
                    each: count,
                    places,
                }];
                bands.push(Band::new(members.clone(), &seen, window, cache, device)?);
                start = members.end;
            }
        }
        Ok(bands)
    }
}

/// Positions that a row sees.
fn visible(position: usize, window: Option<usize>) -> Range<usize> {
    window.map_or(0, |window| (position + 1).saturating_sub(window))..position + 1
}

/// How much is computed at a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Most elements of the keys and values, or of the scores, of a band.
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
struct Seen<'a> {
    row: &'a Row,
    each: usize,
    places: Range<usize>,
}

/// Rows that attend together: as many of each of some sequences.
#[derive(Debug)]
pub(super) struct Band {
    /// In the arranged order, sequence by sequence.
    pub(super) rows: Range<usize>,
    sequences: usize,
    /// Where the keys and values are that they see: `[sequences · positions]`, u32.
    places: Tensor,
    /// Added to the scores: 0 where a row sees a position, else -∞;
    /// `[sequences, 1, rows of each, 1, positions]`, f32. `None` where every row sees all.
    mask: Option<Tensor>,
}

impl Band {
    fn new(
        rows: Range<usize>,
        seen: &[Seen<'_>],
        window: Option<usize>,
        cache: &KvCache,
        device: &Device,
    ) -> Result<Self> {
        let (sequences, each) = (seen.len(), seen[0].each);
        let positions = seen.iter().map(|seen| seen.places.len()).max().unwrap_or(0);
        let mut places = Vec::with_capacity(sequences * positions);
        let mut mask = Vec::with_capacity(sequences * each * positions);
        for Seen {
            row,
            each,
            places: range,
        } in seen
        {
            places.extend(cache.places(row.slot, range.clone()));
            // Filled up with a position of its own, so that nobody reads what another sequence has
            // written.
            let own = places.last().copied().unwrap_or_default();
            places.resize(places.len() + positions - range.len(), own);
            for position in row.position..row.position + each {
                let visible = visible(position, window);
                let weight = |place: usize| {
                    if visible.contains(&place) {
                        0.0
                    } else {
                        f32::NEG_INFINITY
                    }
                };
                mask.extend((range.start..range.start + positions).map(weight));
            }
        }
        let hidden = mask.iter().any(|&weight| weight != 0.0);
        let mask = hidden
            .then(|| Tensor::from_vec(mask, (sequences, 1, each, 1, positions), device))
            .transpose()?;
        let places = Tensor::from_vec(places, sequences * positions, device)?;
        Ok(Self {
            rows,
            sequences,
            places,
            mask,
        })
    }

    /// `softmax(q · Kᵀ) · V` of these rows over their own sequences, in f32.
    ///
    /// # Shapes
    /// `queries` `[rows, heads · head_dim]` of all rows of the step, scaled, f32; to
    /// `[rows of the band, heads · head_dim]`.
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
        let positions = self.places.dim(0)? / sequences;
        let problems = sequences * kv_heads;

        // [2, sequences · kv_heads, positions, head_dim]: keys, values.
        let keys_values = pool
            .read(layer, &self.places)?
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
