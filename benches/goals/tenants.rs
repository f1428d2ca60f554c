//! Made-up tenants.

use std::sync::Arc;

use segtui::segment::{Segment, SegmentId};

const BRANCHING: usize = 10;

/// Ten roots, and ten below each, in no order, as from a server.
pub fn shuffled(count: u32) -> Vec<Arc<Segment>> {
    let mut segments = regular(count);
    fastrand::Rng::with_seed(1).shuffle(&mut segments);
    // They are made one after the other as they come, so that is how they lie in memory.
    segments.iter().map(|segment| Arc::new(Segment::clone(segment))).collect()
}

/// Ten roots, and ten below each, parents first.
pub fn regular(count: u32) -> Vec<Arc<Segment>> {
    let ids = ids(count);
    (0..count as usize).map(|at| segment(&ids, at, parent_of(at))).collect()
}

/// The place of the parent in a regular tenant.
pub fn parent_of(at: usize) -> Option<usize> {
    at.checked_sub(BRANCHING).map(|at| at / BRANCHING)
}

/// Each below the one before.
pub fn chain(count: u32) -> Vec<Arc<Segment>> {
    let ids = ids(count);
    (0..count as usize).map(|at| segment(&ids, at, at.checked_sub(1))).collect()
}

/// All below one.
pub fn fan(count: u32) -> Vec<Arc<Segment>> {
    let ids = ids(count);
    (0..count as usize).map(|at| segment(&ids, at, (at > 0).then_some(0))).collect()
}

/// As the platform makes them: in no order, and the same for the same count.
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
