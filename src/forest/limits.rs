//! Sizes at which a faster method is used. The result is the same, which tests check with small sizes and with these.

/// The sizes for one forest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// A batch of changes larger than the tree divided by this is linked as a whole.
    pub large_part: usize,
    /// Batches of up to this many changes are never large.
    pub small_batch: usize,
    /// Number of segments whose memory accesses are done together.
    pub together: usize,
    /// Number of segments in a chunk, as a power of two.
    #[cfg(test)]
    pub chunk_bits: u32,
    /// Number of children in a piece of a list before it is split.
    pub longest_siblings: usize,
    /// If a change affects more nodes than this, they are not matched again one by one.
    pub few_concerned: usize,
    /// Number of rows in a piece before it is split.
    pub longest_piece: usize,
    /// Pieces are merged when their average length is below the usual one divided by this.
    pub smallest_part: usize,
    /// With more rows than this, a table of all nodes is used to find a row.
    pub few_rows: usize,
    /// Updating the rows of one node costs as much as listing this many rows.
    pub one_costs_rows: usize,
    /// Up to this many children are sorted synchronously, since that takes no longer than a frame.
    pub few_to_sort: usize,
    /// Up to this many segments are searched synchronously, for the same reason.
    pub few_to_search: usize,
}

impl Limits {
    /// The sizes that have proved fast.
    pub const USUAL: Self = Self {
        large_part: 8,
        small_batch: 64,
        together: 64,
        #[cfg(test)]
        chunk_bits: 8,
        longest_siblings: 2_048,
        few_concerned: 4_096,
        longest_piece: 1_024,
        smallest_part: 4,
        few_rows: 65_536,
        one_costs_rows: 100,
        few_to_sort: 20_000,
        few_to_search: 20_000,
    };

    /// So small that a tree of a dozen segments uses every method.
    #[cfg(test)]
    pub const SMALL: Self = Self {
        large_part: 1,
        small_batch: 2,
        together: 4,
        chunk_bits: 2,
        longest_siblings: 4,
        few_concerned: 6,
        longest_piece: 6,
        smallest_part: 1,
        few_rows: 4,
        one_costs_rows: 0,
        few_to_sort: 3,
        few_to_search: 3,
    };
}

impl Default for &Limits {
    fn default() -> Self {
        &Limits::USUAL
    }
}
