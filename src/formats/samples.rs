//! Sample trees for the tests of exports.

use std::sync::Arc;

use crate::forest::Forest;
use crate::segment::{Segment, SegmentId};

use super::part::Part;

/// A segment from its id, name, external id and parent; an empty text means none.
pub(super) fn segment([id, name, external_id, parent]: [&str; 4]) -> Arc<Segment> {
    Arc::new(Segment {
        id: SegmentId::new(id).unwrap(),
        name: name.into(),
        external_id: Some(external_id).filter(|text| !text.is_empty()).map(Into::into),
        parent: SegmentId::new(parent),
    })
}

/// A small tree with every irregularity: orphan, cycle, shared external id, blank name.
pub(super) fn faulty_forest() -> Forest {
    [
        ["pl", "Polska", "PL", ""],
        ["pl-10", "Łódzkie", "PL-10", "pl"],
        ["pl-10-1", "Łódź", "PL-10-1", "pl-10"],
        ["pl-24", "Śląskie", "", "pl"],
        ["vip", "A & B \"VIP\" <new>", "V#1", ""],
        ["blank", " ", "", "vip"],
        ["twin-1", "Twin", "TWIN", "vip"],
        ["twin-2", "Twin", "TWIN", "vip"],
        ["orphan", "Orphan", "", "gone"],
        ["c1", "Egg", "", "c2"],
        ["c2", "Chicken", "", "c1"],
    ]
    .into_iter()
    .map(segment)
    .collect()
}

/// Each segment is a child of the one before.
pub(super) fn chain(length: usize) -> Forest {
    let ids: Vec<String> = (0..length).map(|at| format!("s{at}")).collect();
    let parents = std::iter::once("").chain(ids.iter().map(String::as_str));
    ids.iter().zip(parents).map(|(id, parent)| segment([id, id, "", parent])).collect()
}

/// All segments are children of one.
pub(super) fn parent_with_children(children: usize) -> Forest {
    let ids: Vec<String> = (0..children).map(|at| format!("s{at}")).collect();
    let children = ids.iter().map(|id| segment([id, id, "", "top"]));
    std::iter::once(segment(["top", "Top", "", ""])).chain(children).collect()
}

/// A segment whose texts would do harm if they were not escaped.
pub(super) fn hostile() -> Forest {
    let name = "</script><script>alert(1)</script>\u{0}\u{1b}[2J\n'\"\\`]]>&lt;";
    [["<i id=\"x\" onload='y'>", name, "\"><img src=x onerror=alert(1)>", ""]].into_iter().map(segment).collect()
}

/// The export of a tree in some format.
pub(super) fn rendered(mut forest: Forest, write: impl FnOnce(&mut String, &Part<'_>) -> std::fmt::Result) -> String {
    let part = Part::whole(&mut forest);
    let mut out = String::new();
    write(&mut out, &part).unwrap();
    out
}
