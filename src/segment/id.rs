//! [`SegmentId`]: an opaque id, small in memory.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const UUID_TEXT_LEN: usize = 36;

/// The id of a segment: any non-empty text, compared byte for byte.
///
/// Ids are opaque (the platform's own documentation has one that reads `segment`), yet nearly all are lower-case UUIDs. Those
/// are stored as 16 bytes, so that a million of them fit on a small machine; any other text is stored as received.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SegmentId(Repr);

#[derive(Clone, PartialEq, Eq)]
enum Repr {
    Uuid([u8; 16]),
    Text(Arc<str>),
}

/// A UUID is hashed as a single number, since ids are looked up more often than anything else.
impl Hash for Repr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Uuid(bytes) => state.write_u128(u128::from_ne_bytes(*bytes)),
            Self::Text(text) => text.hash(state),
        }
    }
}

impl SegmentId {
    /// Creates an id from any text; `None` if it is empty, which the API uses for "no id".
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(canonical_uuid(text).map_or_else(|| Repr::Text(text.into()), Repr::Uuid)))
    }

    /// Creates an id from a text that is known to be neither empty nor a UUID.
    pub(crate) fn of_text(text: &str) -> Self {
        Self(Repr::Text(text.into()))
    }

    /// The id as text. Borrowed unless it is a UUID.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match &self.0 {
            Repr::Uuid(_) => Cow::Owned(self.to_string()),
            Repr::Text(text) => Cow::Borrowed(text),
        }
    }

    /// Whether it is a UUID in its usual form: 36 characters of `0-9`, `a-f` and hyphens.
    #[must_use]
    pub const fn is_uuid(&self) -> bool {
        matches!(self.0, Repr::Uuid(_))
    }

    /// Passes the id as text to a function, without allocating.
    pub fn with_text<T>(&self, read: impl FnOnce(&str) -> T) -> T {
        match &self.0 {
            Repr::Uuid(bytes) => {
                let text = uuid_text(bytes);
                // Only hexadecimal digits and hyphens were written, so this is never the empty fallback.
                read(str::from_utf8(&text).unwrap_or_default())
            }
            Repr::Text(text) => read(text),
        }
    }
}

/// Returns the 16 bytes of a UUID in the one form that round-trips: 36 characters, lower case, hyphenated.
fn canonical_uuid(text: &str) -> Option<[u8; 16]> {
    let digits: &[u8; UUID_TEXT_LEN] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 16];
    let mut read = 0;
    // Branch-free per digit: a list has two ids per segment, and parsing them is most of the cost of reading it.
    for (byte, at) in bytes.iter_mut().zip(PAIRS) {
        let (high, low) = (NIBBLES[usize::from(digits[at])], NIBBLES[usize::from(digits[at + 1])]);
        read |= high | low;
        *byte = (high << 4) | (low & 0xf);
    }
    let hyphenated = HYPHENS.into_iter().all(|at| digits[at] == b'-');
    (hyphenated && read & NO_NIBBLE == 0).then_some(bytes)
}

const HYPHENS: [usize; 4] = [8, 13, 18, 23];
/// Index in the text at which each byte begins.
const PAIRS: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const DIGITS: [u8; 16] = *b"0123456789abcdef";
/// Marks a character that is not a lower-case hexadecimal digit.
const NO_NIBBLE: u8 = 0x80;
const NIBBLES: [u8; 256] = {
    let mut nibbles = [NO_NIBBLE; 256];
    let mut value = 0;
    while value < 16 {
        nibbles[DIGITS[value as usize] as usize] = value;
        value += 1;
    }
    nibbles
};

fn uuid_text(bytes: &[u8; 16]) -> [u8; UUID_TEXT_LEN] {
    let mut text = [b'-'; UUID_TEXT_LEN];
    for (byte, at) in bytes.iter().zip(PAIRS) {
        text[at] = DIGITS[usize::from(byte >> 4)];
        text[at + 1] = DIGITS[usize::from(byte & 0xf)];
    }
    text
}

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| f.pad(text))
    }
}

impl fmt::Debug for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| write!(f, "SegmentId({text})"))
    }
}

/// Ordered as text, regardless of the representation in memory.
impl Ord for SegmentId {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            // Lower-case hexadecimal sorts as the bytes do.
            (Repr::Uuid(a), Repr::Uuid(b)) => a.cmp(b),
            _ => self.with_text(|a| other.with_text(|b| a.cmp(b))),
        }
    }
}

impl PartialOrd for SegmentId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// As text in human-readable formats; elsewhere a UUID is its 16 bytes.
impl Serialize for SegmentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return self.with_text(|text| serializer.serialize_str(text));
        }
        match &self.0 {
            Repr::Uuid(bytes) => Compact::Uuid(*bytes).serialize(serializer),
            Repr::Text(text) => Compact::Text(text).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for SegmentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = if deserializer.is_human_readable() {
            Self::new(&Cow::<str>::deserialize(deserializer)?)
        } else {
            match Compact::deserialize(deserializer)? {
                Compact::Uuid(bytes) => Some(Self(Repr::Uuid(bytes))),
                Compact::Text(text) => Self::new(text),
            }
        };
        id.ok_or_else(|| serde::de::Error::custom("a segment ID can't be empty"))
    }
}

#[derive(Serialize, Deserialize)]
enum Compact<'a> {
    Uuid([u8; 16]),
    Text(&'a str),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_takes_24_bytes() {
        assert_eq!(size_of::<SegmentId>(), 24);
        assert_eq!(size_of::<Option<SegmentId>>(), 24);
    }

    #[test]
    fn an_empty_text_is_no_id() {
        assert_eq!(SegmentId::new(""), None);
    }

    #[test]
    fn ids_differ_by_case_even_for_uuids() {
        let lower = SegmentId::new("ab9e32db-48a1-47b3-9fda-975b9ed8a9d6");
        let upper = SegmentId::new("AB9E32DB-48A1-47B3-9FDA-975B9ED8A9D6");
        assert_ne!(lower, upper);
    }

    proptest! {
        #[test]
        fn any_text_reads_back_identically(text in "\\PC{1,40}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}") {
            let id = SegmentId::new(&text).unwrap();
            prop_assert_eq!(id.to_string(), text.clone());
            prop_assert_eq!(id.text(), text.as_str());
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<SegmentId>(&json).unwrap(), id.clone());
            let bytes = postcard::to_allocvec(&id).unwrap();
            prop_assert_eq!(postcard::from_bytes::<SegmentId>(&bytes).unwrap(), id);
        }

        #[test]
        fn ids_sort_as_their_texts_do(a in "[a-f0-9-]{1,3}|[0-9a-f]{8}-0000-4000-8000-[0-9a-f]{12}", b in "[a-f0-9-]{1,3}|[0-9a-f]{8}-0000-4000-8000-[0-9a-f]{12}") {
            let (first, second) = (SegmentId::new(&a).unwrap(), SegmentId::new(&b).unwrap());
            prop_assert_eq!(first.cmp(&second), a.cmp(&b));
        }
    }
}
