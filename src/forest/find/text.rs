//! A text to search for in the name, the external id or the id.

use crate::segment::Segment;

use super::Rank;
use super::needle::{Hit, Needle, Scratch};

/// A text and the fields to search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub fields: SearchedFields,
    pub needle: Needle,
    /// For ids, where case is ignored and nothing matches fuzzily.
    pub id_needle: Needle,
}

/// The fields to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SearchedFields {
    Anywhere,
    /// In the name or the external id.
    Readable,
    Name,
    ExternalId,
    Id,
}

impl SearchedFields {
    /// The prefixes of the fields.
    pub const NAMED: [(&'static str, Self); 3] = [("name:", Self::Name), ("ext:", Self::ExternalId), ("id:", Self::Id)];

    pub const fn includes_names(self) -> bool {
        matches!(self, Self::Anywhere | Self::Readable | Self::Name)
    }

    pub const fn includes_external_ids(self) -> bool {
        matches!(self, Self::Anywhere | Self::Readable | Self::ExternalId)
    }

    const fn includes_ids(self) -> bool {
        matches!(self, Self::Anywhere | Self::Id)
    }
}

impl Text {
    pub fn rank(&self, segment: &Segment, scratch: &mut Scratch) -> Option<Rank> {
        self.literal_rank(segment).or_else(|| {
            let mut is_fuzzy_in = |text: &str| self.needle.matches_fuzzily(text, scratch);
            let found = self.fields.includes_names() && is_fuzzy_in(&segment.name)
                || self.fields.includes_external_ids() && segment.external_id.as_deref().is_some_and(is_fuzzy_in);
            found.then_some(Rank::Fuzzy)
        })
    }

    pub fn literal_rank(&self, segment: &Segment) -> Option<Rank> {
        let rank = |hit, inside| match hit {
            Hit::Exact => Rank::Exact,
            Hit::Prefix => Rank::Prefix,
            Hit::Inside => inside,
        };
        let name = self.fields.includes_names().then(|| self.needle.hit(&segment.name)).flatten();
        let name = name.map(|hit| rank(hit, Rank::Substring));
        if name == Some(Rank::Exact) {
            return name;
        }
        let external_id = segment.external_id.as_deref().filter(|_| self.fields.includes_external_ids());
        let external_id = external_id.and_then(|text| self.needle.hit(text)).map(|hit| rank(hit, Rank::OtherField));
        let found = [name, external_id].into_iter().flatten().min();
        found.or_else(|| Some(rank(self.hit_in_id(segment)?, Rank::OtherField)))
    }

    fn hit_in_id(&self, segment: &Segment) -> Option<Hit> {
        let possible = self.fields.includes_ids() && (self.id_needle.fits_uuid() || !segment.id.is_uuid());
        if possible { segment.id.with_text(|id| self.id_needle.hit(id)) } else { None }
    }

    /// Returns the matcher's score: a name weighs more than an external id, and ids don't score.
    pub fn score(&self, segment: &Segment, scratch: &mut Scratch) -> u32 {
        let name = if self.fields.includes_names() { self.needle.score(&segment.name, scratch) } else { 0 };
        let external_id = segment.external_id.as_deref().filter(|_| self.fields.includes_external_ids());
        let external_id = external_id.map_or(0, |text| self.needle.score(text, scratch));
        (3 * u32::from(name)).max(2 * u32::from(external_id))
    }
}
