//! Sizes from which on something is done in another way, since that takes less time. What comes of it is the same, which tests show
//! with small sizes and with these.

/// One set of sizes for a whole forest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// A batch of changes that is larger than this part of the tree is linked as a whole.
    pub large_part: usize,
    /// Batches of up to so many changes are never large.
    pub small_batch: usize,
    /// Segments of which something is looked for together.
    pub together: usize,
    /// The segments of a chunk, as a power of two.
    #[cfg(test)]
    pub chunk_bits: u32,
    /// Children in a piece of a list, before it is divided.
    pub longest_siblings: usize,
    /// More nodes than these are not looked at again one by one after a change.
    pub few_concerned: usize,
    /// Rows in a piece, before it is divided.
    pub longest_piece: usize,
    /// Pieces of less than this part of the usual length, on the average, are too many.
    pub smallest_part: usize,
    /// Of more rows than these, a table of all nodes tells where each is.
    pub few_rows: usize,
    /// Bringing one node's rows up to date costs as much as listing so many rows anew.
    pub one_costs_rows: usize,
    /// Up to so many children are sorted at once: that takes no longer than a frame may.
    pub few_to_sort: usize,
    /// Up to so many segments are searched at once, for the same reason.
    pub few_to_search: usize,
}

impl Limits {
    /// What has proved fast.
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

    /// So little that everything is done in every way in a tree of a dozen segments.
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
