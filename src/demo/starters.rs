//! The initial segments of a demo tenant.

use crate::segment::{Segment, SegmentId};

/// A wholesaler with customers all over Poland and Europe, made up for this demo.
const WHOLESALE: &str = include_str!("../../assets/demo-tenant.json");

/// Returns the segments of the wholesale tenant.
pub(super) fn demo_wholesale() -> Result<Vec<Segment>, serde_json::Error> {
    serde_json::from_str(WHOLESALE)
}

/// Children of each generated segment: a hundred thousand segments are six levels deep.
const BRANCHING: usize = 8;

/// Generates `count` segments with random IDs; the same seed gives the same segments.
pub(super) fn generated(count: usize, seed: u64) -> Vec<Segment> {
    const KINDS: [&str; 8] =
        ["Hurtownia", "Sklep", "Sieć", "Oddział", "Grupa zakupowa", "Großhandel", "Partner", "Dystrybutor"];
    let mut random = fastrand::Rng::with_seed(seed);
    let ids: Vec<SegmentId> = std::iter::repeat_with(|| random_id(&mut random)).flatten().take(count).collect();
    let mut segments: Vec<Segment> = ids
        .iter()
        .enumerate()
        .map(|(at, id)| Segment {
            id: id.clone(),
            name: format!("{} {at}", KINDS[at % KINDS.len()]).into(),
            external_id: (at % 10 != 9).then(|| format!("S-{at}").into()),
            parent: at.checked_sub(BRANCHING).map(|at| ids[at / BRANCHING].clone()),
        })
        .collect();
    fastrand::Rng::with_seed(seed).shuffle(&mut segments);
    segments
}

/// Returns a random version 4 UUID.
pub(super) fn random_id(random: &mut fastrand::Rng) -> Option<SegmentId> {
    let bits = random.u128(..);
    let bits = (bits & !(0xf << 76)) | (0x4 << 76);
    let bits = (bits & !(0x3 << 62)) | (0x2 << 62);
    let text = format!("{bits:032x}");
    let parts = [text.get(0..8)?, text.get(8..12)?, text.get(12..16)?, text.get(16..20)?, text.get(20..32)?];
    SegmentId::new(&parts.join("-"))
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    #[test]
    fn the_wholesale_tenant_is_plausible() {
        let segments = demo_wholesale().unwrap();
        assert!((280..=340).contains(&segments.len()), "{}", segments.len());
        let parents: HashMap<_, _> = segments.iter().map(|segment| (&segment.id, segment.parent.as_ref())).collect();
        assert_eq!(parents.len(), segments.len(), "each id once");
        let orphans =
            segments.iter().filter_map(|segment| segment.parent.as_ref()).filter(|id| !parents.contains_key(id));
        assert_eq!(orphans.count(), 1);
        let depth = |segment: &Segment| {
            let mut depth = 0;
            let mut at = segment.parent.as_ref();
            while let Some(id) = at {
                depth += 1;
                at = parents.get(id).copied().flatten();
            }
            depth
        };
        assert!(segments.iter().map(depth).max() >= Some(4));
        let external_ids: Vec<_> = segments.iter().filter_map(|segment| segment.external_id.as_ref()).collect();
        let distinct: HashSet<_> = external_ids.iter().collect();
        assert_eq!(external_ids.len() - distinct.len(), 1, "one external id is borne by two");
        assert!(segments.iter().all(|segment| !segment.has_blank_name()));
    }

    #[test]
    fn generated_segments_depend_only_on_count_and_seed() {
        let segments = generated(1_000, 7);
        assert_eq!(segments.len(), 1_000);
        assert_eq!(segments, generated(1_000, 7));
        let ids: HashSet<_> = segments.iter().map(|segment| &segment.id).collect();
        assert!(segments.iter().filter_map(|segment| segment.parent.as_ref()).all(|parent| ids.contains(parent)));
        assert_eq!(segments.iter().filter(|segment| segment.parent.is_none()).count(), BRANCHING);
    }
}
