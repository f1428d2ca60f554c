//! A long list in pieces. The row at an index and the index of a row are found without a scan, and the cost of a change depends
//! on what is changed and on the size of a piece, not on the rows after it.

use std::ops::Range;

use crate::forest::arena::NodeIndex;

use super::Visible;
use super::homes::RowIndex;
use crate::forest::limits::Limits;

/// Rows in order, each node at most once.
#[derive(Debug, Clone, Default)]
pub(super) struct Pieces {
    /// The pieces by number, which is stable.
    rows: Vec<Vec<Visible>>,
    /// For each number, a depth that no row of the piece is above. Not always the greatest such depth.
    min_depths: Vec<u32>,
    /// Numbers that can be reused.
    free: Vec<u32>,
    /// The numbers in list order.
    order: Vec<u32>,
    /// The position of each number in `order`.
    ranks: Vec<u32>,
    /// The number of rows before each piece, in list order, followed by the total.
    starts: Vec<usize>,
    /// The number of the piece that each node is in.
    row_index: RowIndex,
    limits: &'static Limits,
}

/// Rows that were taken out of a list to be put back elsewhere: the numbers of their pieces.
#[derive(Debug)]
pub(super) struct Excised(Vec<u32>);

/// The rank of an unused piece.
const UNUSED: u32 = u32::MAX;

impl Pieces {
    pub fn with_limits(limits: &'static Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    pub const fn limits(&self) -> &'static Limits {
        self.limits
    }

    /// Number of rows in a new piece.
    const fn new_piece_len(&self) -> usize {
        self.limits.max_row_piece / 2
    }

    pub fn len(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    /// Replaces the whole list.
    pub fn fill(&mut self, rows: &[Visible]) {
        let row_index = RowIndex::of(rows.len(), self.limits.max_rows_in_map);
        *self = Self { row_index, starts: vec![0], ..Self::with_limits(self.limits) };
        let numbers = self.add_pieces(rows);
        self.replace_pieces(0..0, &numbers);
    }

    /// Returns the index of a node.
    pub fn position(&self, node: NodeIndex) -> Option<usize> {
        let number = self.row_index.get(node).filter(|number| self.is_used(*number))?;
        let within = self.rows[number as usize].iter().position(|row| row.node == node)?;
        Some(self.starts[self.ranks[number as usize] as usize] + within)
    }

    /// Whether a node is in the list.
    pub fn contains(&self, node: NodeIndex) -> bool {
        self.row_index.get(node).is_some_and(|number| self.is_used(number))
    }

    /// Returns the row at an index.
    pub fn get(&self, at: usize) -> Option<Visible> {
        self.from(at).next()
    }

    /// The rows from an index on.
    pub fn from(&self, at: usize) -> impl Iterator<Item = Visible> {
        let place = self.piece_at(at);
        let within = at.saturating_sub(self.starts.get(place).copied().unwrap_or(0));
        let mut pieces = self.order.get(place..).unwrap_or_default().iter().map(|number| &self.rows[*number as usize]);
        let first = pieces.next().and_then(|piece| piece.get(within..)).unwrap_or_default();
        first.iter().chain(pieces.flatten()).copied()
    }

    /// The rows before an index, nearest first.
    pub fn before(&self, at: usize) -> impl Iterator<Item = Visible> {
        let place = self.piece_at(at.min(self.len()));
        let start = self.starts.get(place).copied().unwrap_or(0);
        let piece = self.order.get(place).map_or(&[][..], |number| &self.rows[*number as usize]);
        let within = piece.get(..at.saturating_sub(start)).unwrap_or(piece);
        let earlier = self.order.get(..place).unwrap_or_default().iter().rev();
        within.iter().rev().chain(earlier.flat_map(|number| self.rows[*number as usize].iter().rev())).copied()
    }

    /// Returns how many consecutive rows from an index on are deeper than `depth`.
    pub fn deeper_from(&self, at: usize, depth: u32) -> usize {
        let mut place = self.piece_at(at);
        let mut from = at;
        while let Some(number) = self.order.get(place).copied() {
            let (start, end) = (self.starts[place], self.starts[place + 1]);
            if self.min_depths[number as usize] <= depth {
                let rows = self.rows[number as usize].get(from - start..).unwrap_or_default();
                if let Some(found) = rows.iter().position(|row| row.depth <= depth) {
                    return from + found - at;
                }
            }
            from = end;
            place += 1;
        }
        from - at
    }

    /// Replaces rows by others. The range has to be within the list.
    pub fn replace(&mut self, range: Range<usize>, new_rows: &[Visible]) {
        if self.order.is_empty() {
            return self.fill(new_rows);
        }
        let first = self.piece_at(range.start);
        let last = self.piece_at(range.end.saturating_sub(1).max(range.start));
        let start = range.start - self.starts[first];
        let end = range.end - self.starts[last];
        for place in first..=last {
            let piece = &self.rows[self.order[place] as usize];
            let from = if place == first { start } else { 0 };
            let to = if place == last { end } else { piece.len() };
            for row in &piece[from..to] {
                self.row_index.remove(row.node);
            }
        }
        let number = self.order[first];
        let room = self.limits.max_row_piece + range.len();
        let length = self.rows[number as usize].len() + new_rows.len();
        if first == last && (range.len() + 1..=room).contains(&length) {
            self.assign_rows(new_rows, number);
            self.min_depths[number as usize] = self.min_depths[number as usize].min(min_depth(new_rows));
            self.rows[number as usize].splice(start..end, new_rows.iter().copied());
            for start in &mut self.starts[first + 1..] {
                *start = *start + new_rows.len() - range.len();
            }
            return;
        }
        let mut rows = self.rows[number as usize][..start].to_vec();
        rows.extend_from_slice(new_rows);
        rows.extend_from_slice(&self.rows[self.order[last] as usize][end..]);
        for number in self.order[first..=last].iter().copied() {
            self.rows[number as usize] = Vec::new();
            self.free.push(number);
        }
        let numbers = self.add_pieces(&rows);
        self.replace_pieces(first..last + 1, &numbers);
    }

    /// Takes rows out without forgetting which pieces they are in. The range has to be within the list, and not empty.
    pub fn excise(&mut self, range: Range<usize>) -> Excised {
        let (first, last) = (self.piece_at(range.start), self.piece_at(range.end - 1));
        let mut taken = self.order[first..=last].to_vec();
        let (before, after) = (range.start - self.starts[first], range.end - self.starts[last]);
        let mut left = Vec::new();
        let rest = self.split_piece(self.order[last], after);
        if before > 0 {
            left.push(taken[0]);
            taken.splice(..1, self.split_piece(taken[0], before));
        }
        left.extend(rest);
        for number in &taken {
            self.ranks[*number as usize] = UNUSED;
        }
        self.replace_pieces(first..last + 1, &left);
        Excised(taken)
    }

    /// Puts rows back that were taken out.
    pub fn reinsert(&mut self, at: usize, Excised(numbers): Excised) {
        let place = if at < self.len() { self.piece_at(at) } else { self.order.len() };
        let within = at - self.starts[place];
        if within == 0 {
            return self.replace_pieces(place..place, &numbers);
        }
        let first = self.order[place];
        let rest = self.split_piece(first, within);
        let all: Vec<u32> = [first].into_iter().chain(numbers).chain(rest).collect();
        self.replace_pieces(place..place + 1, &all);
    }

    /// Merges the pieces if they have become too small. No rows may be taken out at that time.
    pub fn merge_if_fragmented(&mut self) {
        // Taking out and putting in split pieces, and nothing else merges them again.
        let part = self.limits.merge_divisor;
        if self.order.len() > part * (self.len() / self.new_piece_len() + part) {
            let rows: Vec<Visible> = self.from(0).collect();
            self.fill(&rows);
        }
    }

    /// Whether a piece is in the list.
    fn is_used(&self, number: u32) -> bool {
        self.ranks.get(number as usize).is_some_and(|rank| *rank != UNUSED)
    }

    /// Splits a piece after some rows. Returns the numbers of the pieces with the rest.
    fn split_piece(&mut self, number: u32, rows: usize) -> Vec<u32> {
        let rest = self.rows[number as usize].split_off(rows);
        self.add_pieces(&rest)
    }

    /// Returns the position in `order` of the piece with a row; that of the last piece for an index past the end.
    fn piece_at(&self, at: usize) -> usize {
        let after = self.starts.partition_point(|start| *start <= at);
        after.saturating_sub(1).min(self.order.len().saturating_sub(1))
    }

    /// Splits rows into new pieces and returns their numbers.
    fn add_pieces(&mut self, rows: &[Visible]) -> Vec<u32> {
        let mut numbers = Vec::with_capacity(rows.len() / self.new_piece_len() + 1);
        for rows in rows.chunks(self.new_piece_len()) {
            let number = self.free.pop().unwrap_or_else(|| {
                self.rows.push(Vec::new());
                self.min_depths.push(0);
                self.ranks.push(UNUSED);
                // There are fewer pieces than nodes, whose indices have the same size.
                u32::try_from(self.rows.len() - 1).unwrap_or(UNUSED)
            });
            self.assign_rows(rows, number);
            self.min_depths[number as usize] = min_depth(rows);
            self.rows[number as usize] = rows.to_vec();
            numbers.push(number);
        }
        numbers
    }

    fn assign_rows(&mut self, rows: &[Visible], number: u32) {
        self.row_index.assign(rows.iter().map(|row| row.node), number, self.limits.max_rows_in_map);
    }

    /// Replaces pieces in `order`, and updates the starts and ranks.
    fn replace_pieces(&mut self, places: Range<usize>, numbers: &[u32]) {
        let Self { rows, order, ranks, starts, .. } = self;
        let mut start = starts[places.start];
        let old_end = starts[places.end];
        let fresh = numbers.iter().map(|number| {
            start += rows[*number as usize].len();
            start - rows[*number as usize].len()
        });
        starts.splice(places.clone(), fresh);
        for later in &mut starts[places.start + numbers.len()..] {
            *later = *later - old_end + start;
        }
        order.splice(places.clone(), numbers.iter().copied());
        let same_places = places.len() == numbers.len();
        let moved = if same_places { &order[places.clone()] } else { &order[places.start..] };
        // The positions fit, as the numbers do.
        let first = u32::try_from(places.start).unwrap_or(UNUSED);
        for (rank, number) in (first..).zip(moved) {
            ranks[*number as usize] = rank;
        }
    }
}

/// Returns the smallest depth of some rows.
fn min_depth(rows: &[Visible]) -> u32 {
    rows.iter().map(|row| row.depth).min().unwrap_or(u32::MAX)
}
