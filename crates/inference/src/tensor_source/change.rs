//! What an adapter makes of the rows of a tensor.

use std::collections::BTreeMap;

/// A change of the rows of a matrix `[outputs, inputs]`.
#[derive(Debug)]
pub(crate) enum Change {
    LowRank(LowRank),
    /// Rows of their own, by number: `[inputs]` each.
    Rows(BTreeMap<usize, Vec<f32>>),
}

/// `W + scale · B · A`, with DoRA each row then given a length of its own.
#[derive(Debug)]
pub(crate) struct LowRank {
    /// `[rank, inputs]`.
    pub(crate) a: Vec<f32>,
    /// `[outputs, rank]`.
    pub(crate) b: Vec<f32>,
    pub(crate) rank: usize,
    pub(crate) scale: f32,
    /// Lengths of the rows, `[outputs]`.
    pub(crate) magnitude: Option<Vec<f32>>,
}

impl Change {
    /// Changes row `row` of the base, `[inputs]`.
    pub(crate) fn apply(&self, row: usize, values: &mut [f32]) {
        match self {
            Self::LowRank(low_rank) => low_rank.apply(row, values),
            Self::Rows(rows) => {
                if let Some(own) = rows.get(&row) {
                    values.copy_from_slice(own);
                }
            }
        }
    }

    /// What it asks of the matrix `[rows, columns]` that it changes and does not find; `None` where
    /// it fits.
    pub(crate) fn misfit(&self, rows: usize, columns: usize) -> Option<String> {
        match self {
            Self::LowRank(LowRank { a, b, rank, .. }) => {
                let wanted = [b.len() / rank, a.len() / rank];
                (wanted != [rows, columns]).then(|| format!("a matrix {wanted:?}"))
            }
            Self::Rows(own) => own.iter().find_map(|(row, values)| {
                let wanted = format!("a row {row} of {} columns", values.len());
                (*row >= rows || values.len() != columns).then_some(wanted)
            }),
        }
    }
}

impl LowRank {
    fn apply(&self, row: usize, values: &mut [f32]) {
        let Self {
            a,
            b,
            rank,
            scale,
            magnitude,
        } = self;
        // The product is summed up first and scaled once, as peft computes its delta.
        let mut delta = vec![0f32; values.len()];
        for (factor, a) in b[row * rank..][..*rank]
            .iter()
            .zip(a.chunks_exact(values.len()))
        {
            delta
                .iter_mut()
                .zip(a)
                .for_each(|(sum, a)| *sum = factor.mul_add(*a, *sum));
        }
        values
            .iter_mut()
            .zip(delta)
            .for_each(|(value, delta)| *value += delta * scale);
        if let Some(magnitude) = magnitude {
            // The length of the changed row, not of the base's: DoRA sets the length of what is
            // added up.
            let squares: f64 = values.iter().map(|value| f64::from(*value).powi(2)).sum();
            let factor = magnitude[row] / squares.sqrt() as f32;
            values.iter_mut().for_each(|value| *value *= factor);
        }
    }
}
