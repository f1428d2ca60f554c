//! Made-up tenants.

use std::sync::Arc;

use segtui::segment::{Segment, SegmentId};

const BRANCHING: usize = 10;

/// Ten roots, and ten children for each segment, in random order, as from a server.
pub fn shuffled(count: u32) -> Vec<Arc<Segment>> {
    let mut segments = regular(count);
    fastrand::Rng::with_seed(1).shuffle(&mut segments);
    // Allocated in the order of the list, as segments are when they arrive.
    segments.iter().map(|segment| Arc::new(Segment::clone(segment))).collect()
}

/// Ten roots, and ten children for each segment, parents first.
pub fn regular(count: u32) -> Vec<Arc<Segment>> {
    let ids = ids(count);
    (0..count as usize).map(|at| segment(&ids, at, parent_of(at))).collect()
}

/// The index of the parent in a regular tenant.
pub fn parent_of(at: usize) -> Option<usize> {
    at.checked_sub(BRANCHING).map(|at| at / BRANCHING)
}

/// A chain, in which each segment is the child of the one before.
pub fn chain(count: u32) -> Vec<Arc<Segment>> {
    let ids = ids(count);
    (0..count as usize).map(|at| segment(&ids, at, at.checked_sub(1))).collect()
}

/// One root with all others as its children.
pub fn fan(count: u32) -> Vec<Arc<Segment>> {
    let ids = ids(count);
    (0..count as usize).map(|at| segment(&ids, at, (at > 0).then_some(0))).collect()
}

/// Random IDs as the platform makes them, the same for the same count.
fn ids(count: u32) -> Vec<SegmentId> {
    let mut random = fastrand::Rng::with_seed(u64::from(count));
    let uuid = |number: u128| {
        let digits = format!("{number:032x}");
        [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
    };
    (0..count).filter_map(|_| SegmentId::new(&uuid(random.u128(..)))).collect()
}

fn segment(ids: &[SegmentId], at: usize, parent: Option<usize>) -> Arc<Segment> {
    const KINDS: [&str; 4] = ["Hurtownia", "Sklep", "Oddział", "Großhandel"];
    Arc::new(Segment {
        id: ids[at].clone(),
        name: format!("{} {at}", KINDS[at % KINDS.len()]).into(),
        external_id: (at % 10 != 9).then(|| format!("S-{at}").into()),
        parent: parent.map(|parent| ids[parent].clone()),
    })
}
