//! Counts as bars beside each other in one line of text.

use crate::ui::theme::Symbols;

/// One sign for each count: none has the lowest, the largest the highest, and whatever is there is told from nothing.
pub(in crate::ui) fn sparkline(counts: &[usize], most: usize, symbols: &Symbols) -> String {
    let highest = symbols.heights.len() - 1;
    let height = |count: usize| count.saturating_mul(highest).div_ceil(most.max(1)).min(highest);
    counts.iter().map(|count| symbols.heights[height(*count)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_told_from_nothing() {
        assert_eq!(sparkline(&[0, 1, 50, 100], 100, &Symbols::UNICODE), "▁▂▅█");
        assert_eq!(sparkline(&[0, 1, 50, 100], 100, &Symbols::ASCII), "_.=#");
        assert_eq!(sparkline(&[0, 0], 0, &Symbols::UNICODE), "▁▁");
        assert_eq!(sparkline(&[], 7, &Symbols::UNICODE), "");
    }
}
