//! Progress of long operations: a bar, the rate, and the time left once it can be estimated.

use std::time::Duration;

use super::theme::Symbols;

/// Minimum time before a rate is shown.
const MIN_ELAPSED: Duration = Duration::from_secs(1);

/// A bar of `cells` cells. It has at least one full cell once started, and all of them only when finished.
pub(super) fn gauge(done: usize, all: usize, cells: usize, symbols: &Symbols) -> String {
    let full = match done {
        0 => 0,
        done if done >= all => cells,
        done => (done.saturating_mul(cells) / all.max(1)).clamp(1, cells.saturating_sub(1).max(1)).min(cells),
    };
    format!("{}{}", symbols.block.repeat(full), symbols.shade.repeat(cells - full))
}

/// The rate per second; `None` while it can't be estimated.
pub(super) fn rate(done: usize, elapsed: Duration) -> Option<String> {
    if done == 0 || elapsed < MIN_ELAPSED {
        return None;
    }
    let tenths = (done as u128).saturating_mul(10_000) / elapsed.as_millis().max(1);
    Some(if tenths < 100 { format!("{}.{}/s", tenths / 10, tenths % 10) } else { format!("{}/s", tenths / 10) })
}

/// The time left at the pace so far; `None` while it can't be estimated.
pub(super) fn time_left(done: usize, all: usize, elapsed: Duration) -> Option<String> {
    if done == 0 || done >= all || elapsed < MIN_ELAPSED {
        return None;
    }
    let millis = elapsed.as_millis().saturating_mul((all - done) as u128) / done as u128;
    let seconds = u64::try_from(millis.div_ceil(1_000)).unwrap_or(u64::MAX);
    Some(match seconds {
        0..=90 => format!("{seconds} s left"),
        91..=5_400 => format!("{} min left", seconds.div_ceil(60)),
        _ => format!("{} h left", seconds.div_ceil(3_600)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_finished_gauge_is_full() {
        let of = |done| gauge(done, 1_000, 5, &Symbols::UNICODE);
        assert_eq!([of(0), of(1), of(500), of(999), of(1_000)], ["░░░░░", "█░░░░", "██░░░", "████░", "█████"]);
        assert_eq!(gauge(500, 1_000, 4, &Symbols::ASCII), "==..");
        assert_eq!(gauge(1, 1_000, 0, &Symbols::ASCII), "");
    }

    #[test]
    fn a_small_rate_is_shown_with_one_decimal() {
        let of = |done, millis| rate(done, Duration::from_millis(millis));
        assert_eq!(of(5, 2_000).as_deref(), Some("2.5/s"));
        assert_eq!(of(500, 2_000).as_deref(), Some("250/s"));
        assert_eq!([of(0, 2_000), of(5, 900)], [None, None]);
    }

    #[test]
    fn the_time_left_is_shown_once_it_can_be_estimated() {
        let left = |done, seconds| time_left(done, 1_000, Duration::from_secs(seconds));
        assert_eq!(left(250, 10).as_deref(), Some("30 s left"));
        assert_eq!(left(100, 60).as_deref(), Some("9 min left"));
        assert_eq!(left(1, 60).as_deref(), Some("17 h left"));
        assert_eq!([left(0, 60), left(1_000, 60), left(10, 0)], [None, None, None]);
    }
}
