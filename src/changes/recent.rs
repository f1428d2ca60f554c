//! Values written in the last hour, to detect when someone else reverts them, such as a nightly ERP import.

use hashbrown::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::segment::{Field, Segment, SegmentId};

/// The values that were written recently.
#[derive(Debug, Clone, Default)]
pub struct RecentWrites {
    values: HashMap<(SegmentId, Field), WatchedValue>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct WatchedValue {
    before: Option<String>,
    written: Option<String>,
    expires_at: Timestamp,
}

/// A value that someone else reverted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reverted {
    /// The field.
    pub field: Field,
    /// The value before our write, which it has again.
    pub to: Option<String>,
    /// The value that was written here.
    pub from: Option<String>,
}

/// How long a value is watched.
const WATCH_DURATION: SignedDuration = SignedDuration::from_hours(1);
/// Maximum number of watched values; beyond it, the oldest half is dropped.
const MAX_WATCHED: usize = 10_000;

impl RecentWrites {
    /// Records that fields of a segment were written.
    pub fn record(&mut self, before: &Segment, after: &Segment, fields: &[Field], now: Timestamp) {
        if self.values.len() >= MAX_WATCHED {
            self.values.retain(|_, value| value.expires_at > now);
        }
        if self.values.len() >= MAX_WATCHED {
            let mut expiries: Vec<Timestamp> = self.values.values().map(|value| value.expires_at).collect();
            let (_, median, _) = expiries.select_nth_unstable(MAX_WATCHED / 2);
            let median = *median;
            self.values.retain(|_, value| value.expires_at > median);
        }
        for field in fields {
            let value = WatchedValue {
                before: before.field(*field),
                written: after.field(*field),
                expires_at: now + WATCH_DURATION,
            };
            self.values.insert((after.id.clone(), *field), value);
        }
    }

    /// Returns the recently written values that this change of a segment reverts, each only once. `is_own` returns whether an
    /// operation in flight sets the field.
    pub fn reverted(
        &mut self,
        before: &Segment,
        now: &Segment,
        is_own: impl Fn(Field) -> bool,
        at: Timestamp,
    ) -> Vec<Reverted> {
        let mut reverts = Vec::new();
        for field in before.differing_fields(now).into_iter().filter(|field| !is_own(*field)) {
            let key = (now.id.clone(), field);
            let Some(value) = self.values.get(&key) else { continue };
            if value.expires_at > at && value.written == before.field(field) && value.before == now.field(field) {
                reverts.push(Reverted { field, to: value.before.clone(), from: value.written.clone() });
            }
            self.values.remove(&key);
        }
        reverts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Segment {
        Segment { id: SegmentId::new("vip").unwrap(), name: name.into(), external_id: None, parent: None }
    }

    #[test]
    fn a_revert_within_the_hour_is_reported_once() {
        let start = Timestamp::UNIX_EPOCH;
        let mut kept = RecentWrites::default();
        kept.record(&named("old"), &named("new"), &[Field::Name], start);
        let later = start + SignedDuration::from_mins(59);
        let found = kept.reverted(&named("new"), &named("old"), |_| false, later);
        assert_eq!(found, [Reverted { field: Field::Name, to: Some("old".into()), from: Some("new".into()) }]);
        assert_eq!(kept.reverted(&named("new"), &named("old"), |_| false, later), []);
    }

    #[test]
    fn another_value_or_a_later_change_is_not_a_revert() {
        let start = Timestamp::UNIX_EPOCH;
        let mut kept = RecentWrites::default();
        kept.record(&named("old"), &named("new"), &[Field::Name], start);
        assert_eq!(kept.reverted(&named("new"), &named("third"), |_| false, start), []);
        kept.record(&named("old"), &named("new"), &[Field::Name], start);
        assert_eq!(kept.reverted(&named("new"), &named("old"), |_| false, start + SignedDuration::from_hours(2)), []);
    }
}
