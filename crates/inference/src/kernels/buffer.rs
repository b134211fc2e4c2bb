//! The memory of weights and of the KV cache.

use memmap2::MmapMut;

/// Memory for weights or for the KV cache: zeros at first, on large pages where the system has
/// them.
#[derive(Debug)]
pub(crate) struct Buffer {
    map: MmapMut,
    length: usize,
}

impl Buffer {
    pub(crate) fn new(length: usize) -> std::io::Result<Self> {
        let map = MmapMut::map_anon((length * size_of::<u32>()).max(1))?;
        // Only a hint: without large pages the CPU looks up more addresses.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage);
        Ok(Self { map, length })
    }

    pub(crate) fn cells(&self) -> &[u32] {
        // SAFETY: a mapping is aligned to pages, alive as long as `self`, of this length, and any
        // bits are a `u32`.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().cast(), self.length) }
    }

    pub(crate) fn cells_mut(&mut self) -> &mut [u32] {
        // SAFETY: as in `cells`, and borrowed alone.
        unsafe { std::slice::from_raw_parts_mut(self.map.as_mut_ptr().cast(), self.length) }
    }
}

/// A slice that several tasks write to, each a part of its own.
pub(crate) struct Shared<T> {
    start: *mut T,
    length: usize,
}

// SAFETY: access goes through `slice`, whose callers keep their parts apart.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub(crate) fn new(slice: &mut [T]) -> Self {
        Self {
            start: slice.as_mut_ptr(),
            length: slice.len(),
        }
    }

    /// A part.
    ///
    /// # Safety
    /// The slice that this was made of is alive, and no other part in use overlaps this one.
    ///
    /// # Panics
    /// When the part is not within the slice.
    #[expect(clippy::mut_from_ref, reason = "each caller has a part of its own")]
    pub(crate) unsafe fn slice(&self, start: usize, length: usize) -> &mut [T] {
        assert!(
            start
                .checked_add(length)
                .is_some_and(|end| end <= self.length)
        );
        // SAFETY: within the slice; alone and alive, as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), length) }
    }
}
