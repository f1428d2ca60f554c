//! Tests of the sync actor with an in-memory server that is slow, loses responses, and changes while it is read; on paused
//! time.

mod apart;
mod client;
mod evidence;
mod feed;
mod following;
mod listing;
mod restoring;
mod schedule;
mod server;
mod waiting;
mod writing;

use crate::segment::{Draft, Segment, SegmentId};
use crate::sync::Settings;

fn id(text: &str) -> SegmentId {
    SegmentId::new(text).unwrap()
}

fn segment(id: &str, name: &str, parent: Option<&str>) -> Segment {
    let id = SegmentId::new(id).unwrap();
    Segment { id, name: name.into(), external_id: None, parent: parent.and_then(SegmentId::new) }
}

fn draft(name: &str, parent: Option<&str>) -> Draft {
    Draft::of(&segment("any", name, parent))
}

fn many(count: usize) -> Vec<Segment> {
    (0..count).map(|at| segment(&format!("{at:05}"), "one of many", None)).collect()
}

fn settings(page_size: u32) -> Settings {
    Settings { page_size, ..Settings::default() }
}
