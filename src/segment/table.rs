//! Growth of hash tables that store indices of items instead of the items.

use hashbrown::HashTable;

/// Initial capacity.
const MIN_CAPACITY: usize = 64;

/// Makes room for one more index. `hash` reads the item at an index; items with successive indices are adjacent in memory, so
/// they are rehashed in that order. The table itself would read them in random order when it grows.
pub(crate) fn make_room<Place: Copy + Ord>(table: &mut HashTable<Place>, hash: impl Fn(&Place) -> u64) {
    if table.len() < table.capacity() {
        return;
    }
    let mut places: Vec<Place> = table.iter().copied().collect();
    places.sort_unstable();
    let mut double = HashTable::with_capacity(2 * places.len().max(MIN_CAPACITY));
    for place in places {
        double.insert_unique(hash(&place), place, &hash);
    }
    *table = double;
}
