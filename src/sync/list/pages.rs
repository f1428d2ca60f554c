//! Tracks which pages of a list came, how full they were, and whether that proves its end.
//!
//! Pages are slices of one list, so all but the last are full, and all after the last are empty. If not, a page was lost or
//! the list changed, and the page is requested again before the result is trusted.

use std::collections::BTreeMap;

/// How full the pages of a list are.
#[derive(Debug)]
pub(super) struct Pages {
    /// Entries requested per page.
    size: usize,
    /// Number of entries on each page that came, by page number.
    entries: Vec<u32>,
    /// Number of entries on the fullest page: a server may send fewer than requested.
    fullest: usize,
    /// Number of non-empty pages.
    filled: u32,
    /// The last non-empty page.
    last_filled: u32,
    /// Empty pages, and how often each came.
    empty: BTreeMap<u32, u32>,
}

/// What to request before the list is taken to have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EndProof {
    /// Nothing.
    Proven,
    /// Another page.
    Page(u32),
    /// An empty page, once more.
    RetryPage(u32),
}

/// How many times in total an empty page is requested that precedes a non-empty one.
const MAX_EMPTY_RESPONSES: u32 = 3;

impl Pages {
    pub fn with_size(size: u32) -> Self {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        Self { size, entries: Vec::new(), fullest: 0, filled: 0, last_filled: 0, empty: BTreeMap::new() }
    }

    /// Records a page and its number of entries.
    pub fn record(&mut self, number: u32, entries: usize) {
        if entries == 0 {
            *self.empty.entry(number).or_default() += 1;
            return;
        }
        self.empty.remove(&number);
        let index = number as usize;
        if self.entries.len() <= index {
            self.entries.resize(index + 1, 0);
        }
        self.filled += u32::from(self.entries[index] == 0);
        self.entries[index] = u32::try_from(entries).unwrap_or(u32::MAX);
        self.fullest = self.fullest.max(entries);
        self.last_filled = self.last_filled.max(number);
    }

    /// Number of non-empty pages.
    pub const fn count(&self) -> u32 {
        self.filled
    }

    /// The first empty page after the last non-empty one. Pages after it are only requested as proof.
    pub fn first_empty(&self) -> Option<u32> {
        self.empty.range(self.last_filled..).next().map(|(number, _)| *number)
    }

    /// The first empty page before the last non-empty one.
    pub fn first_gap(&self) -> Option<u32> {
        self.empty.range(..self.last_filled).next().map(|(number, _)| *number)
    }

    /// Whether the fullest page has as many entries as were requested.
    pub const fn has_full_page(&self) -> bool {
        self.fullest >= self.size
    }

    /// Returns what to request when all requests so far have been answered. `matches_total` means that the number of entries
    /// matches the server's total.
    pub fn next_proof(&self, matches_total: bool) -> EndProof {
        let first_gap = self.empty.range(..self.last_filled).find(|(_, times)| **times < MAX_EMPTY_RESPONSES);
        if let Some((first_gap, _)) = first_gap {
            return EndProof::RetryPage(*first_gap);
        }
        let end = self.last_filled + 1;
        let Some(times) = self.empty.get(&end) else { return EndProof::Page(end) };
        let last = self.entries.get(self.last_filled as usize).map_or(0, |entries| *entries as usize);
        let full = last >= self.size || (self.filled > 1 && last >= self.fullest);
        if matches_total || (self.filled > 1 && !full) {
            return EndProof::Proven;
        }
        if !self.empty.contains_key(&(end + 1)) {
            return EndProof::Page(end + 1);
        }
        // The list may end with a full page, or both empty pages may have been lost.
        if full && *times < 2 { EndProof::RetryPage(end) } else { EndProof::Proven }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pages through a list of `entries` until its end is proven. `lost` is the number of first responses to each page that
    /// are empty. Returns the number of requests and the pages.
    fn listed(entries: usize, size: usize, cap: usize, lost: &BTreeMap<u32, u32>) -> (usize, Pages) {
        let mut pages = Pages::with_size(u32::try_from(size).unwrap());
        let (mut lost, mut next, mut asked) = (lost.clone(), 1, 0);
        let mut request_page = |pages: &mut Pages, number: u32| {
            asked += 1;
            let before = (number as usize - 1) * size.min(cap);
            let there = entries.saturating_sub(before).min(size.min(cap));
            let is_lost = lost.get_mut(&number).filter(|left| **left > 0);
            let entries = if let Some(left) = is_lost {
                *left -= 1;
                0
            } else {
                there
            };
            pages.record(number, entries);
        };
        loop {
            // Several are in flight at once.
            for _ in 0..3 {
                if pages.first_empty().is_none_or(|empty| next <= empty) {
                    request_page(&mut pages, next);
                    next += 1;
                }
            }
            if pages.first_empty().is_none() {
                continue;
            }
            match pages.next_proof(false) {
                EndProof::Proven => return (asked, pages),
                EndProof::RetryPage(number) => request_page(&mut pages, number),
                EndProof::Page(number) => {
                    request_page(&mut pages, number);
                    next = next.max(number + 1);
                }
            }
        }
    }

    fn entries(pages: &Pages) -> usize {
        pages.entries.iter().map(|entries| *entries as usize).sum()
    }

    #[test]
    fn a_short_page_and_an_empty_one_end_a_list() {
        let (asked, pages) = listed(1_050, 500, 100, &BTreeMap::new());
        assert_eq!((entries(&pages), pages.count(), pages.first_gap()), (1_050, 11, None));
        assert!(asked <= 11 + 3, "{asked}");
        let (asked, pages) = listed(5, 500, 500, &BTreeMap::new());
        assert_eq!((asked, entries(&pages)), (3, 5));
        let (asked, pages) = listed(0, 500, 500, &BTreeMap::new());
        assert_eq!((asked, entries(&pages)), (2, 0));
    }

    #[test]
    fn a_page_that_stays_empty_is_a_hole_among_listed_pages() {
        let (_, pages) = listed(3_001, 500, 500, &[(2, 9)].into());
        assert_eq!((entries(&pages), pages.first_gap()), (2_501, Some(2)));
    }

    proptest! {
        #[test]
        fn a_page_lost_once_or_twice_is_still_listed(
            entries_in_all in 0_usize..400,
            size in 1_usize..40,
            cap in 1_usize..40,
            lost in 1_u32..20,
            times in 1_u32..3,
        ) {
            // A page that is not the last one is lost.
            let pages_in_all = entries_in_all.div_ceil(size.min(cap));
            prop_assume!((lost as usize) < pages_in_all);
            let (asked, pages) = listed(entries_in_all, size, cap, &[(lost, times)].into());
            prop_assert_eq!(entries(&pages), entries_in_all);
            prop_assert_eq!(pages.first_gap(), None);
            prop_assert!(asked <= pages_in_all + 8, "{} questions for {} pages", asked, pages_in_all);
        }
    }
}
