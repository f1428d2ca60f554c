//! The orders of siblings. Each is total: no two segments compare equal, so the same data always looks the same.

use std::cmp::Ordering;

use crate::segment::Segment;

use crate::collation::{self, beginning};

/// The order of siblings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// By name, collated for the chosen language, with numbers by value.
    #[default]
    Name,
    /// By external id, collated in the same way; segments without one come last.
    ExternalId,
    /// By number of descendants, largest first.
    Descendants,
    /// By when they were seen to change, latest first; those that were not come last, by name.
    Recent,
}

/// Compares two segments, each with its figure: the number of descendants, or that of the change it was last seen in.
pub(super) fn compare(order: Order, (a, value_a): (&Segment, u32), (b, value_b): (&Segment, u32)) -> Ordering {
    let first = match order {
        Order::Name => Ordering::Equal,
        Order::ExternalId => match (&a.external_id, &b.external_id) {
            (Some(a), Some(b)) => collation::compare(a, b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        },
        Order::Descendants | Order::Recent => value_b.cmp(&value_a),
    };
    first
        .then_with(|| collation::compare(&a.name, &b.name))
        .then_with(|| a.name.cmp(&b.name))
        .then_with(|| a.id.cmp(&b.id))
}

/// A key that decides most comparisons quickly: the segment with the smaller key comes first. Equal keys decide nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u128);

impl Key {
    /// The key of a node that is sorted only by id.
    pub const UNDECIDED: Self = Self(0);

    /// Returns the key of a segment with its figure.
    pub fn of(order: Order, segment: &Segment, sort_value: u32) -> Self {
        Self(match order {
            Order::Name => beginning(&segment.name),
            Order::ExternalId => match &segment.external_id {
                // The top bit marks segments without an external id, so the text has one bit less.
                Some(external_id) => beginning(external_id) >> 1,
                None => 1 << 127,
            },
            Order::Descendants | Order::Recent => {
                u128::from(u32::MAX - sort_value) << 96 | beginning(&segment.name) >> 32
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        assert_eq!(collation::compare("VIP 2", "VIP 10"), Ordering::Less);
        assert_eq!(collation::compare("99999999999999999999999", "100000000000000000000000"), Ordering::Less);
        assert_eq!(collation::compare("1.10", "1.9"), Ordering::Greater);
        assert_eq!(collation::compare("Hurt", "Hurtownie"), Ordering::Less);
    }

    proptest! {
        #[test]
        fn keys_never_contradict_comparing(a in "[aAąĄ0-3ßs ]{0,24}", b in "[aAąĄ0-3ßs ]{0,24}", below in 0_u32..3) {
            let segment = |text: &str| Segment {
                id: crate::segment::SegmentId::new("x").unwrap(),
                name: text.into(),
                external_id: (!text.starts_with('a')).then(|| text.into()),
                parent: None,
            };
            let (first, second) = (segment(&a), segment(&b));
            for order in [Order::Name, Order::ExternalId, Order::Descendants, Order::Recent] {
                let keys = Key::of(order, &first, below).cmp(&Key::of(order, &second, 1));
                let comparison = compare(order, (&first, below), (&second, 1));
                prop_assert!(keys == Ordering::Equal || keys == comparison, "{:?} {:?}", keys, comparison);
            }
        }

        #[test]
        fn comparing_is_a_total_order(a in "[aAąĄ0-3ßs]{0,5}", b in "[aAąĄ0-3ßs]{0,5}", c in "[aAąĄ0-3ßs]{0,5}") {
            prop_assert_eq!(collation::compare(&a, &b), collation::compare(&b, &a).reverse());
            if collation::compare(&a, &b) != Ordering::Greater && collation::compare(&b, &c) != Ordering::Greater {
                prop_assert_ne!(collation::compare(&a, &c), Ordering::Greater);
            }
        }
    }
}
