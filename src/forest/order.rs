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
    /// By when they were seen to change, the last one first; those that were not come after that, by name.
    Recent,
}

/// Compares two segments with the figure that each has besides: the number of descendants, or of the change that it was seen in.
pub(super) fn compare(order: Order, (a, figure_a): (&Segment, u32), (b, figure_b): (&Segment, u32)) -> Ordering {
    let first = match order {
        Order::Name => Ordering::Equal,
        Order::ExternalId => match (&a.external_id, &b.external_id) {
            (Some(a), Some(b)) => natural(a, b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        },
        Order::Descendants | Order::Recent => figure_b.cmp(&figure_a),
    };
    first.then_with(|| natural(&a.name, &b.name)).then_with(|| a.name.cmp(&b.name)).then_with(|| a.id.cmp(&b.id))
}

/// What decides most comparisons at a glance: of two segments, the one with the smaller key comes first. Equal keys decide
/// nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u128);

impl Key {
    /// The key of what has no other order than that of its id.
    pub const UNDECIDED: Self = Self(0);

    /// The key of a segment with the figure that it has besides.
    pub fn of(order: Order, segment: &Segment, figure: u32) -> Self {
        Self(match order {
            Order::Name => beginning(&segment.name),
            Order::ExternalId => match &segment.external_id {
                // One bit tells whether there is any, so the text has one less.
                Some(external_id) => beginning(external_id) >> 1,
                None => 1 << 127,
            },
            Order::Descendants | Order::Recent => u128::from(u32::MAX - figure) << 96 | beginning(&segment.name) >> 32,
        })
    }
}

/// The beginning of a text, as a number that sorts as [`natural`] does: folded, runs of digits by their length and then by what
/// they are.
fn beginning(text: &str) -> u128 {
    if text.is_ascii() {
        return beginning_of_ascii(text.as_bytes());
    }
    let mut bytes = [0; 16];
    let mut room = bytes.iter_mut();
    let mut put = |byte: u8| room.next().map(|free| *free = byte).is_some();
    let mut characters = folded(text).peekable();
    while let Some(character) = characters.next() {
        let fits = if character.is_ascii_digit() {
            put_number(character, &mut characters, &mut put)
        } else {
            put_character(character, &mut put)
        };
        if !fits {
            break;
        }
    }
    u128::from_be_bytes(bytes)
}

/// The same where nothing has to be folded but case.
fn beginning_of_ascii(text: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    let mut at = 0;
    let mut rest = text;
    while let Some((first, later)) = rest.split_first()
        && at < bytes.len()
    {
        if !first.is_ascii_digit() {
            bytes[at] = first.to_ascii_lowercase();
            at += 1;
            rest = later;
            continue;
        }
        let end = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
        let zeros = rest[..end].iter().position(|digit| *digit != b'0').unwrap_or(end);
        let number = &rest[zeros..end];
        let length = u8::try_from(number.len()).unwrap_or(u8::MAX);
        bytes[at] = b'0';
        if let Some(place) = bytes.get_mut(at + 1) {
            *place = length;
        }
        if length == u8::MAX {
            break;
        }
        at = bytes.len().min(at + 2);
        let told = number.len().min(bytes.len() - at);
        bytes[at..at + told].copy_from_slice(&number[..told]);
        at += told;
        rest = &rest[end..];
    }
    u128::from_be_bytes(bytes)
}

fn put_character(character: char, put: &mut impl FnMut(u8) -> bool) -> bool {
    // UTF-8 sorts as the characters do.
    character.encode_utf8(&mut [0; 4]).bytes().all(put)
}

/// A number: leading zeros count for nothing. A digit goes before its length, so that numbers sort among other characters.
fn put_number(
    first: char,
    rest: &mut Peekable<impl Iterator<Item = char> + Clone>,
    put: &mut impl FnMut(u8) -> bool,
) -> bool {
    if first == '0' {
        while rest.next_if_eq(&'0').is_some() {}
    }
    let leads = first != '0';
    let further = rest.clone().take_while(char::is_ascii_digit).count();
    let length = u8::try_from(further + usize::from(leads)).unwrap_or(u8::MAX);
    // Of numbers longer than can be told, nothing more is told: they are equal here.
    let mut fits = put(b'0') && put(length) && length < u8::MAX && (!leads || put_character(first, put));
    for digit in rest.take(further) {
        fits = fits && put_character(digit, put);
    }
    fits
}

/// Compares two texts folded, runs of digits by their value.
fn natural(a: &str, b: &str) -> Ordering {
    // What begins alike is compared from where it differs, but not from within a number or a character.
    let alike = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b && a.is_ascii() && !a.is_ascii_digit()).count();
    let (a, b) = (&a[alike..], &b[alike..]);
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

    #[test]
    fn numbers_longer_than_a_key_can_tell_are_left_to_comparing() {
        let long = |digits: usize| "9".repeat(digits);
        assert_eq!(beginning(&long(300)), beginning(&long(400)));
        assert!(beginning(&long(3)) < beginning(&long(300)));
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
        fn ascii_has_the_same_key_on_either_way(text in "[aA0-3 .]{0,24}|[0-2]{200,300}a") {
            // A combining accent is folded to nothing, so it changes the way and nothing else.
            prop_assert_eq!(beginning(&text), beginning(&format!("\u{301}{text}")));
        }

        #[test]
        fn comparing_is_a_total_order(a in "[aAąĄ0-3ßs]{0,5}", b in "[aAąĄ0-3ßs]{0,5}", c in "[aAąĄ0-3ßs]{0,5}") {
            prop_assert_eq!(natural(&a, &b), natural(&b, &a).reverse());
            if natural(&a, &b) != Ordering::Greater && natural(&b, &c) != Ordering::Greater {
                prop_assert_ne!(natural(&a, &c), Ordering::Greater);
            }
        }
    }
}
