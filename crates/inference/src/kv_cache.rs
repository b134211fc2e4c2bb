//! Keys and values of the sequences in flight, in blocks of 16 positions that are handed out as
//! sequences grow and taken back when they end. Sequences that begin alike can share the blocks of
//! what they have in common.
//!
//! A block holds the keys and values of every layer and head at its positions: in the memory of
//! this machine in the layout in which [`attend`](crate::kernels::attend) reads them ([`Slabs`]),
//! on a device as rows of tensors ([`Pool`]). Blocks are used again without being cleared, so a
//! reader must never use a position that its own sequence has not written.

mod slabs; // in the memory of this machine

use std::ops::Range;

use self::slabs::Slabs;
use crate::config::ModelConfig;
use crate::device::Pool;
use crate::kernels::Precision;
use crate::kernels::attend::HeadLayout;
use crate::kernels::buffer::{Buffer, Shared};

pub(crate) use crate::kernels::attend::BLOCK;

/// Names a sequence in the cache from [`KvCache::open`] to [`KvCache::close`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(usize);

/// The cache of one model.
#[derive(Debug)]
pub(crate) struct KvCache {
    memory: Memory,
    /// Most blocks there may be.
    capacity: usize,
    /// For each block, how many sequences use it.
    users: Vec<usize>,
    /// Blocks that no sequence uses.
    free_blocks: Vec<usize>,
    /// For each slot, the blocks of its positions in order.
    tables: Vec<Vec<usize>>,
    free_slots: Vec<usize>,
}

/// Where the blocks lie.
#[derive(Debug)]
enum Memory {
    Host(Slabs),
    Device(Pool),
}

impl Memory {
    /// Makes sure that there is memory for so many blocks.
    fn hold(&mut self, blocks: usize, capacity: usize) -> Option<()> {
        match self {
            Self::Host(slabs) => slabs.hold(blocks).ok(),
            // What the device says shows again at the next operation, if it is more than a lack of
            // memory.
            Self::Device(pool) => pool.hold(blocks, capacity).ok(),
        }
    }

    fn copy_block(&mut self, from: usize, to: usize) -> Option<()> {
        match self {
            Self::Host(slabs) => {
                slabs.copy_block(from, to);
                Some(())
            }
            Self::Device(pool) => pool.copy_block(from, to).ok(),
        }
    }

    fn slabs(&self) -> &Slabs {
        match self {
            Self::Host(slabs) => slabs,
            Self::Device(_) => {
                unreachable!("kernels of this machine are only given caches of this machine")
            }
        }
    }

    fn slabs_mut(&mut self) -> &mut Slabs {
        match self {
            Self::Host(slabs) => slabs,
            Self::Device(_) => {
                unreachable!("kernels of this machine are only given caches of this machine")
            }
        }
    }
}

impl KvCache {
    /// A cache of at most `capacity` blocks, which are allocated as they are needed.
    pub(crate) fn new(config: &ModelConfig, precision: Precision, capacity: usize) -> Self {
        Self::of(
            Memory::Host(Slabs::new(config, precision, capacity)),
            capacity,
        )
    }

    /// A cache of at most `capacity` blocks on a device.
    pub(crate) fn on_device(pool: Pool, capacity: usize) -> Self {
        Self::of(Memory::Device(pool), capacity)
    }

    fn of(memory: Memory, capacity: usize) -> Self {
        let (users, free_blocks, tables, free_slots) = Default::default();
        Self {
            memory,
            capacity,
            users,
            free_blocks,
            tables,
            free_slots,
        }
    }

    /// Uses memory of an earlier cache first, as far as it is of the right size.
    pub(crate) fn with_memory(mut self, spare: Vec<Buffer>) -> Self {
        if let Memory::Host(slabs) = &mut self.memory {
            slabs.use_first(spare, self.capacity);
        }
        self
    }

    /// Gives the memory back, for another cache. That of a device is freed instead: others may want
    /// it meanwhile.
    pub(crate) fn take_memory(&mut self) -> Vec<Buffer> {
        match &mut self.memory {
            Memory::Host(slabs) => slabs.take(),
            Memory::Device(_) => Vec::new(),
        }
    }

    /// Memory of this machine that a block takes.
    pub(crate) fn block_bytes(config: &ModelConfig, precision: Precision) -> usize {
        Slabs::block_cells_of(
            config,
            HeadLayout {
                head_dim: config.head_dim,
                precision,
            },
        ) * size_of::<u32>()
    }

    pub(crate) fn layout(&self) -> HeadLayout {
        self.memory.slabs().layout()
    }

    /// Blocks that can still be had.
    pub(crate) fn available(&self) -> usize {
        self.capacity - self.users.len() + self.free_blocks.len()
    }

    /// Starts a sequence.
    pub(crate) fn open(&mut self) -> Slot {
        Slot(self.free_slots.pop().unwrap_or_else(|| {
            self.tables.push(Vec::new());
            self.tables.len() - 1
        }))
    }

    /// Starts a sequence whose first `positions` positions are those of another one.
    ///
    /// Whole blocks are shared; the rest is copied. `None` when there is no block left for the
    /// rest.
    pub(crate) fn open_like(&mut self, other: Slot, positions: usize) -> Option<Slot> {
        if !positions.is_multiple_of(BLOCK) && self.available() == 0 {
            return None;
        }
        let slot = self.open();
        for index in 0..positions / BLOCK {
            let block = self.tables[other.0][index];
            self.users[block] += 1;
            self.tables[slot.0].push(block);
        }
        if !positions.is_multiple_of(BLOCK) {
            let from = self.tables[other.0][positions / BLOCK];
            let copied = self.take_block().and_then(|to| {
                self.tables[slot.0].push(to);
                self.memory.copy_block(from, to)
            });
            if copied.is_none() {
                self.close(slot);
                return None;
            }
        }
        Some(slot)
    }

    /// Ends a sequence; blocks that no other one shares serve others.
    pub(crate) fn close(&mut self, slot: Slot) {
        for block in self.tables[slot.0].drain(..) {
            self.users[block] -= 1;
            if self.users[block] == 0 {
                self.free_blocks.push(block);
            }
        }
        self.free_slots.push(slot.0);
    }

    /// Makes room for the positions below `end` of a sequence; `false` when there are no blocks
    /// left for it.
    #[must_use]
    pub(crate) fn reserve(&mut self, slot: Slot, end: usize) -> bool {
        while self.tables[slot.0].len() * BLOCK < end {
            let Some(block) = self.take_block() else {
                return false;
            };
            self.tables[slot.0].push(block);
        }
        true
    }

    fn take_block(&mut self) -> Option<usize> {
        let block = match self.free_blocks.pop() {
            Some(block) => block,
            None if self.users.len() < self.capacity => {
                let block = self.users.len();
                if self.memory.hold(block + 1, self.capacity).is_none() {
                    // There is less than was asked for: nobody may count on more.
                    self.capacity = block;
                    return None;
                }
                self.users.push(0);
                block
            }
            None => return None,
        };
        self.users[block] = 1;
        Some(block)
    }

    /// A way for several threads to write keys and values of rows at their places, each thread
    /// heads of its own.
    ///
    /// # Panics
    /// When a place was not reserved.
    pub(crate) fn writer<'a>(&'a mut self, places: &[(Slot, usize)]) -> CacheWriter<'a> {
        let (slabs, tables) = (self.memory.slabs_mut(), &self.tables);
        let rows = places.iter().map(|&(slot, position)| {
            let block = tables[slot.0][position / BLOCK];
            (Shared::new(slabs.block_mut(block)), position % BLOCK)
        });
        let rows = rows.collect();
        CacheWriter { rows, slabs }
    }

    /// The blocks of the positions below `end`, for one layer and head.
    pub(crate) fn head_blocks(
        &self,
        slot: Slot,
        end: usize,
        layer: usize,
        head: usize,
    ) -> impl Iterator<Item = &[u32]> {
        let slabs = self.memory.slabs();
        let range = slabs.head(layer, head);
        self.tables[slot.0][..end.div_ceil(BLOCK)]
            .iter()
            .map(move |&block| &slabs.block(block)[range.clone()])
    }

    /// Where positions of a sequence lie in the tensors of [`Self::pool`].
    ///
    /// # Panics
    /// When a position was not reserved.
    pub(crate) fn places(&self, slot: Slot, positions: Range<usize>) -> impl Iterator<Item = u32> {
        let table = &self.tables[slot.0];
        positions.map(|position| (table[position / BLOCK] * BLOCK + position % BLOCK) as u32)
    }

    /// The keys and values on the device.
    pub(crate) fn pool(&self) -> &Pool {
        match &self.memory {
            Memory::Device(pool) => pool,
            Memory::Host(_) => unreachable!("a model on a device is only given caches on it"),
        }
    }
}

/// Places of some rows, open for writing.
pub(crate) struct CacheWriter<'a> {
    /// For each row its block and its lane there.
    rows: Vec<(Shared<u32>, usize)>,
    slabs: &'a Slabs,
}

impl CacheWriter<'_> {
    /// Stores the key (rotated) and the value of one row.
    ///
    /// # Shapes
    /// Both `[head_dim]`.
    ///
    /// # Safety
    /// No other thread writes to the same layer and head.
    #[inline(always)]
    pub(crate) unsafe fn store(
        &self,
        row: usize,
        layer: usize,
        head: usize,
        key: &[f32],
        value: &[f32],
    ) {
        let (block, lane) = &self.rows[row];
        let range = self.slabs.head(layer, head);
        // SAFETY: the block lives as long as the cache, and the caller alone uses this part of it.
        let cells = unsafe { block.slice(range.start, range.len()) };
        self.slabs.layout().store(cells, *lane, key, value);
    }
}
