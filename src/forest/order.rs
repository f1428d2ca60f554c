//! By what siblings are sorted. Every order is total: no two segments are equal, so the same data always looks the same.

use std::cmp::Ordering;
use std::iter::Peekable;

use crate::segment::Segment;

use super::fold::folded;

/// By what siblings are sorted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// By name, as people sort: case and diacritics make no difference, numbers count as numbers.
    #[default]
    Name,
    /// By external id in the same way; those without come last.
    ExternalId,
    /// By the number of descendants, the largest first.
    Descendants,
}

/// Compares two segments with as many descendants each.
pub(super) fn compare(order: Order, (a, below_a): (&Segment, u32), (b, below_b): (&Segment, u32)) -> Ordering {
    let first = match order {
        Order::Name => Ordering::Equal,
        Order::ExternalId => match (&a.external_id, &b.external_id) {
            (Some(a), Some(b)) => natural(a, b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        },
        Order::Descendants => below_b.cmp(&below_a),
    };
    first.then_with(|| natural(&a.name, &b.name)).then_with(|| a.name.cmp(&b.name)).then_with(|| a.id.cmp(&b.id))
}

/// Compares two texts folded, runs of digits by their value.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (folded(a).peekable(), folded(b).peekable());
    loop {
        let ordering = match (a.peek(), b.peek()) {
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => numbers(&mut a, &mut b),
            _ => match (a.next(), b.next()) {
                (None, None) => return Ordering::Equal,
                (x, y) => x.cmp(&y),
            },
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
}

/// Takes a run of digits from both and compares their values: the longer number is the greater, however long it is.
fn numbers(a: &mut Peekable<impl Iterator<Item = char>>, b: &mut Peekable<impl Iterator<Item = char>>) -> Ordering {
    while a.next_if_eq(&'0').is_some() {}
    while b.next_if_eq(&'0').is_some() {}
    let mut first_difference = Ordering::Equal;
    loop {
        match (a.next_if(char::is_ascii_digit), b.next_if(char::is_ascii_digit)) {
            (Some(x), Some(y)) => first_difference = first_difference.then(x.cmp(&y)),
            (None, None) => return first_difference,
            (x, y) => return x.is_some().cmp(&y.is_some()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        assert_eq!(natural("VIP 2", "VIP 10"), Ordering::Less);
        assert_eq!(natural("VIP 10", "VIP 010"), Ordering::Equal);
        assert_eq!(natural("99999999999999999999999", "100000000000000000000000"), Ordering::Less);
        assert_eq!(natural("1.10", "1.9"), Ordering::Greater);
    }

    #[test]
    fn names_sort_as_in_a_dictionary() {
        assert_eq!(natural("Łódź", "Lublin"), Ordering::Less);
        assert_eq!(natural("ćma", "CNC"), Ordering::Less);
        assert_eq!(natural("Hurt", "Hurtownie"), Ordering::Less);
    }

    proptest! {
        #[test]
        fn comparing_is_a_total_order(a in "[aAąĄ0-3ßs]{0,5}", b in "[aAąĄ0-3ßs]{0,5}", c in "[aAąĄ0-3ßs]{0,5}") {
            prop_assert_eq!(natural(&a, &b), natural(&b, &a).reverse());
            if natural(&a, &b) != Ordering::Greater && natural(&b, &c) != Ordering::Greater {
                prop_assert_ne!(natural(&a, &c), Ordering::Greater);
            }
        }
    }
}
