//! What all layers of a step have in common, uploaded at once: tokens, positions, slots, block
//! tables, and the tiles of attention.

use std::ops::Range;

use candle_core::{Device, Result, Tensor};

use super::launches::{CHOSEN, MAX_QUERIES, SPLIT};
use super::runner::address;
use crate::kv_cache::{BLOCK, KvCache, Pages};
use crate::row::{Row, RowToken};

/// Words of a tile's description (`AttendTile` of `attention.cuh`).
const TILE_WORDS: usize = 4;

/// Rows of one sequence that attend in one block.
#[derive(Clone, Copy, Debug)]
struct Tile {
    first_row: usize,
    rows: usize,
    first_position: usize,
    /// Where the pages of the sequence begin in the tables of the step.
    table: usize,
}

/// The tiles of a step.
#[derive(Debug)]
pub(super) struct AttendTiles {
    tiles: Vec<Tile>,
    /// Query heads of a block.
    pub(super) chunk: usize,
    /// Rows of a tile at most.
    pub(super) rows_of_tile: usize,
    /// Splits of the farthest row.
    pub(super) splits: usize,
}

/// Tiles that are computed in one launch, with the rows that they are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Band {
    pub(super) first_tile: usize,
    pub(super) tile_count: usize,
    pub(super) first_row: usize,
    pub(super) row_count: usize,
}

impl AttendTiles {
    /// The tiles of rows whose heads are grouped so, and the tables of their sequences.
    fn of(rows: &[Row], group: usize, cache: &KvCache<Pages>) -> (Self, Vec<u32>) {
        let chunk = group.min(MAX_QUERIES);
        let runs = || rows.chunk_by(|left, right| left.seq == right.seq);
        // Steps that only decode take smaller blocks.
        let rows_of_tile = match runs().all(|run| run.len() == 1) {
            true => 1,
            false => (MAX_QUERIES / chunk).max(1),
        };
        let (mut tiles, mut tables, mut start) = (Vec::new(), Vec::new(), 0);
        for run in runs() {
            let table = tables.len();
            let end = run[run.len() - 1].position + 1;
            tables.extend(cache.pages_of(run[0].seq, end));
            for (index, part) in run.chunks(rows_of_tile).enumerate() {
                tiles.push(Tile {
                    first_row: start + index * rows_of_tile,
                    rows: part.len(),
                    first_position: part[0].position,
                    table,
                });
            }
            start += run.len();
        }
        let farthest = rows.iter().map(|row| row.position).max().unwrap_or(0);
        let tiles = Self {
            tiles,
            chunk,
            rows_of_tile,
            splits: farthest / SPLIT + 1,
        };
        (tiles, tables)
    }

    /// All tiles, in bands of at most so many rows times splits, but of one tile at least; a single
    /// band where there are no partial sums. A launch has at most 65,535 tiles.
    pub(super) fn bands(&self, most: usize) -> Vec<Band> {
        let mut bands: Vec<Band> = Vec::new();
        for (index, tile) in self.tiles.iter().enumerate() {
            let fits = |band: &Band| {
                let rows = (band.row_count + tile.rows) * self.splits;
                (self.splits == 1 || rows <= most) && band.tile_count < 65_535
            };
            match bands.last_mut() {
                Some(band) if fits(band) => {
                    band.tile_count += 1;
                    band.row_count += tile.rows;
                }
                _ => bands.push(Band {
                    first_tile: index,
                    tile_count: 1,
                    first_row: tile.first_row,
                    row_count: tile.rows,
                }),
            }
        }
        bands
    }
}

/// A step as kernels read it.
#[derive(Debug)]
pub(super) struct StepTensors {
    pub(super) rows: usize,
    pub(super) tiles: AttendTiles,
    /// All of it, u32.
    words: Tensor,
    turns: Range<usize>,
    slots: Range<usize>,
    positions: Range<usize>,
    tokens: Range<usize>,
    tables: Range<usize>,
    descriptions: Range<usize>,
}

impl StepTensors {
    /// Uploads the step of these rows; row i is turned by row `turns[i]` of the RoPE tables.
    ///
    /// # Errors
    /// Those of the device.
    pub(super) fn upload(
        rows: &[Row],
        group: usize,
        turns: Vec<u32>,
        cache: &KvCache<Pages>,
        device: &Device,
    ) -> Result<Self> {
        let (tiles, table_words) = AttendTiles::of(rows, group, cache);
        let mut words: Vec<u32> = Vec::new();
        let mut add = |part: Vec<u32>| {
            let start = words.len();
            words.extend(part);
            start..words.len()
        };
        let turns = add(turns);
        let slots = rows.iter().map(|row| {
            let page = cache.page_at(row.seq, row.position);
            (page * BLOCK + row.position % BLOCK) as u32
        });
        let slots = add(slots.collect());
        let positions = add(rows.iter().map(|row| row.position as u32).collect());
        let tokens = rows.iter().map(|row| match row.token {
            RowToken::Known(token) => token,
            RowToken::Chosen(place) => CHOSEN | place,
        });
        let tokens = add(tokens.collect());
        let tables = add(table_words);
        let descriptions = tiles.tiles.iter().flat_map(|tile| -> [u32; TILE_WORDS] {
            let Tile {
                first_row,
                rows,
                first_position,
                table,
            } = *tile;
            [first_row, rows, first_position, table].map(|word| word as u32)
        });
        let descriptions = add(descriptions.collect());
        let count = words.len();
        Ok(Self {
            rows: rows.len(),
            tiles,
            words: Tensor::from_vec(words, count, device)?,
            turns,
            slots,
            positions,
            tokens,
            tables,
            descriptions,
        })
    }

    fn at(&self, part: &Range<usize>) -> Result<u64> {
        Ok(address(&self.words)? + (part.start * size_of::<u32>()) as u64)
    }

    /// For each row its row of the RoPE tables.
    pub(super) fn turns(&self) -> Result<u64> {
        self.at(&self.turns)
    }

    /// For each row where its keys and values go.
    pub(super) fn slots(&self) -> Result<u64> {
        self.at(&self.slots)
    }

    pub(super) fn positions(&self) -> Result<u64> {
        self.at(&self.positions)
    }

    pub(super) fn tokens(&self) -> Result<u64> {
        self.at(&self.tokens)
    }

    /// The pages of the sequences.
    pub(super) fn tables(&self) -> Result<u64> {
        self.at(&self.tables)
    }

    pub(super) fn tile_descriptions(&self) -> Result<u64> {
        self.at(&self.descriptions)
    }
}
