//! The children of one node: a list that is sorted when it is first read in order, and kept sorted from then on.
//!
//! In a sorted list, a child is found by binary search. A long list is kept in pieces, so that changing a parent of a million
//! children costs no more than changing one of ten.

use std::cmp::Ordering;

use super::NodeIndex;

/// The distinct children of one node.
#[derive(Debug, Clone)]
pub(in crate::forest) struct Siblings {
    list: List,
    sorted: bool,
}

#[derive(Debug, Clone)]
enum List {
    Whole(Vec<NodeIndex>),
    /// Only if sorted. No piece is empty, unless it is the only one.
    Pieces(Vec<Vec<NodeIndex>>),
}

/// The place of a child in a list.
#[derive(Debug, Clone, Copy)]
pub(in crate::forest) struct Place {
    piece: usize,
    offset: usize,
}

impl Default for Siblings {
    fn default() -> Self {
        Self::from_unsorted(Vec::new())
    }
}

impl Siblings {
    /// Creates an unsorted list.
    pub const fn from_unsorted(children: Vec<NodeIndex>) -> Self {
        Self { list: List::Whole(children), sorted: false }
    }

    /// Creates a list of sorted children, with at most `max_piece_len` in a piece.
    pub fn from_sorted(children: Vec<NodeIndex>, max_piece_len: usize) -> Self {
        let list = if children.len() <= max_piece_len {
            List::Whole(children)
        } else {
            List::Pieces(children.chunks(max_piece_len / 2).map(<[NodeIndex]>::to_vec).collect())
        };
        Self { list, sorted: true }
    }

    pub fn len(&self) -> usize {
        self.pieces().iter().map(Vec::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.pieces().iter().all(Vec::is_empty)
    }

    /// Whether the list is sorted.
    pub const fn is_sorted(&self) -> bool {
        self.sorted
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = NodeIndex> {
        self.pieces().iter().flatten().copied()
    }

    /// The children after a place.
    pub fn after(&self, place: Place) -> impl Iterator<Item = NodeIndex> {
        let (piece, later) = self.piece_and_later(place);
        piece.get(place.offset + 1..).unwrap_or_default().iter().chain(later.iter().flatten()).copied()
    }

    /// The children before a place, nearest first.
    pub fn before(&self, place: Place) -> impl Iterator<Item = NodeIndex> {
        let earlier = self.pieces().get(..place.piece).unwrap_or_default();
        let piece = self.pieces().get(place.piece).and_then(|piece| piece.get(..place.offset)).unwrap_or_default();
        piece.iter().rev().chain(earlier.iter().rev().flat_map(|piece| piece.iter().rev())).copied()
    }

    /// Returns the nearest children on both sides of a place.
    pub fn neighbours(&self, place: Place) -> (Option<NodeIndex>, Option<NodeIndex>) {
        (self.before(place).next(), self.after(place).next())
    }

    /// Finds a child by linear search.
    pub fn find_linear(&self, child: NodeIndex) -> Option<Place> {
        let mut pieces = self.pieces().iter().enumerate();
        pieces.find_map(|(piece, children)| {
            children.iter().position(|other| *other == child).map(|offset| Place { piece, offset })
        })
    }

    /// Returns the place of a child in a sorted list, or else where it belongs. `compare` compares another child with it.
    pub fn search(&self, compare: impl Fn(NodeIndex) -> Ordering) -> Result<Place, Place> {
        let pieces = self.pieces();
        let ends_before = |piece: &Vec<NodeIndex>| piece.last().is_some_and(|last| compare(*last).is_lt());
        let piece = pieces.partition_point(ends_before).min(pieces.len() - 1);
        match pieces[piece].binary_search_by(|other| compare(*other)) {
            Ok(offset) => Ok(Place { piece, offset }),
            Err(offset) => Err(Place { piece, offset }),
        }
    }

    /// Adds a child to an unsorted list.
    pub fn push(&mut self, child: NodeIndex) {
        let mut children = self.take();
        children.push(child);
        *self = Self::from_unsorted(children);
    }

    /// Inserts a child into a sorted list, with at most `max_piece_len` in a piece.
    pub fn insert(&mut self, place: Place, child: NodeIndex, max_piece_len: usize) {
        match &mut self.list {
            List::Whole(list) => {
                list.insert(place.offset, child);
                if list.len() > max_piece_len {
                    *self = Self::from_sorted(std::mem::take(list), max_piece_len);
                }
            }
            List::Pieces(pieces) => {
                let piece = &mut pieces[place.piece];
                piece.insert(place.offset, child);
                if piece.len() > max_piece_len {
                    let second = piece.split_off(max_piece_len / 2);
                    pieces.insert(place.piece + 1, second);
                }
            }
        }
    }

    /// Removes a child.
    pub fn remove(&mut self, place: Place) {
        match &mut self.list {
            List::Whole(list) => drop(list.remove(place.offset)),
            List::Pieces(pieces) => {
                pieces[place.piece].remove(place.offset);
                if pieces[place.piece].is_empty() && pieces.len() > 1 {
                    pieces.remove(place.piece);
                }
            }
        }
    }

    /// Marks the list as unsorted.
    pub fn mark_unsorted(&mut self) {
        *self = Self::from_unsorted(self.take());
    }

    /// Takes all children out.
    pub fn take(&mut self) -> Vec<NodeIndex> {
        match std::mem::replace(&mut self.list, List::Whole(Vec::new())) {
            List::Whole(list) => list,
            List::Pieces(pieces) => pieces.concat(),
        }
    }

    /// All children, in pieces.
    pub fn pieces(&self) -> &[Vec<NodeIndex>] {
        match &self.list {
            List::Whole(list) => std::slice::from_ref(list),
            List::Pieces(pieces) => pieces,
        }
    }

    /// Returns the piece of a place, and the pieces after it.
    fn piece_and_later(&self, place: Place) -> (&[NodeIndex], &[Vec<NodeIndex>]) {
        let pieces = self.pieces().get(place.piece..).unwrap_or_default();
        pieces.split_first().map_or((&[], &[]), |(piece, later)| (piece.as_slice(), later))
    }
}
