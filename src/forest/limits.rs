//! Sizes at which a faster method is used. The result is the same, which tests check with small sizes and with these.

/// The sizes for one forest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// A batch of changes larger than the tree divided by this is linked as a whole.
    pub large_batch_divisor: usize,
    /// Batches of up to this many changes are never large.
    pub max_small_batch: usize,
    /// Number of segments whose memory accesses are done together.
    pub prefetch_block: usize,
    /// Number of segments in a chunk, as a power of two.
    #[cfg(test)]
    pub chunk_bits: u32,
    /// Number of children in a piece of a list before it is split.
    pub max_sibling_piece: usize,
    /// If a change affects more nodes than this, they are not matched again one by one.
    pub max_affected: usize,
    /// Number of rows in a piece before it is split.
    pub max_row_piece: usize,
    /// Pieces are merged when their average length is below the usual one divided by this.
    pub merge_divisor: usize,
    /// With more rows than this, a table of all nodes is used to find a row.
    pub max_rows_in_map: usize,
    /// Updating the rows of one node costs as much as listing this many rows.
    pub update_cost_in_rows: usize,
    /// Up to this many children are sorted synchronously, since that takes no longer than a frame.
    pub max_sync_sort: usize,
    /// Up to this many segments are searched synchronously, for the same reason.
    pub max_sync_search: usize,
}

impl Limits {
    /// The sizes that have proved fast.
    pub const DEFAULT: Self = Self {
        large_batch_divisor: 8,
        max_small_batch: 64,
        prefetch_block: 64,
        #[cfg(test)]
        chunk_bits: 8,
        max_sibling_piece: 2_048,
        max_affected: 4_096,
        max_row_piece: 1_024,
        merge_divisor: 4,
        max_rows_in_map: 65_536,
        update_cost_in_rows: 100,
        max_sync_sort: 20_000,
        max_sync_search: 20_000,
    };

    /// So small that a tree of a dozen segments uses every method.
    #[cfg(test)]
    pub const SMALL: Self = Self {
        large_batch_divisor: 1,
        max_small_batch: 2,
        prefetch_block: 4,
        chunk_bits: 2,
        max_sibling_piece: 4,
        max_affected: 6,
        max_row_piece: 6,
        merge_divisor: 1,
        max_rows_in_map: 4,
        update_cost_in_rows: 0,
        max_sync_sort: 3,
        max_sync_search: 3,
    };
}

impl Default for &Limits {
    fn default() -> Self {
        &Limits::DEFAULT
    }
}
