//! Counts as bars side by side in one line of text.

use crate::ui::theme::Symbols;

/// One bar per count: zero is the lowest, the maximum the highest, and any other count is visibly more than zero.
pub(in crate::ui) fn sparkline(counts: &[usize], max_count: usize, symbols: &Symbols) -> String {
    let highest = symbols.heights.len() - 1;
    let height = |count: usize| count.saturating_mul(highest).div_ceil(max_count.max(1)).min(highest);
    counts.iter().map(|count| symbols.heights[height(*count)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_count_looks_different_from_zero() {
        assert_eq!(sparkline(&[0, 1, 50, 100], 100, &Symbols::UNICODE), "▁▂▅█");
        assert_eq!(sparkline(&[0, 1, 50, 100], 100, &Symbols::ASCII), "_.=#");
        assert_eq!(sparkline(&[0, 0], 0, &Symbols::UNICODE), "▁▁");
        assert_eq!(sparkline(&[], 7, &Symbols::UNICODE), "");
    }
}
