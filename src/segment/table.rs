//! Hash tables that hold the places of things, not the things: how they grow.

use hashbrown::HashTable;

/// Entries for which there is room at first.
const ROOM: usize = 64;

/// Makes room for one more place. `hash` looks at the thing in a place; things whose places follow each other lie side by side in
/// memory, so all are looked at in that order. The table by itself would go from one end of the memory to the other for each.
pub(crate) fn make_room<Place: Copy + Ord>(table: &mut HashTable<Place>, hash: impl Fn(&Place) -> u64) {
    if table.len() < table.capacity() {
        return;
    }
    let mut places: Vec<Place> = table.iter().copied().collect();
    places.sort_unstable();
    let mut double = HashTable::with_capacity(2 * places.len().max(ROOM));
    for place in places {
        double.insert_unique(hash(&place), place, &hash);
    }
    *table = double;
}
