//! The current time, limited to a range that is safe to calculate with.

use std::time::SystemTime;

use jiff::Timestamp;

/// Within this range, adding or subtracting centuries never exceeds what a [`Timestamp`] can hold.
const EARLIEST: Timestamp = Timestamp::UNIX_EPOCH;
const LATEST: Timestamp = Timestamp::constant(221_845_392_000, 0);

/// The current time. A clock before 1970 or past the start of the year 9000 is clamped to these limits.
#[must_use]
pub fn now() -> Timestamp {
    within(SystemTime::now())
}

fn within(time: SystemTime) -> Timestamp {
    let beyond = if time < SystemTime::UNIX_EPOCH { EARLIEST } else { LATEST };
    Timestamp::try_from(time).unwrap_or(beyond).clamp(EARLIEST, LATEST)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_clock_outside_the_range_is_clamped() {
        let year = Duration::from_secs(31_557_600);
        let at = |years| SystemTime::UNIX_EPOCH + year * years;
        assert_eq!(within(SystemTime::UNIX_EPOCH - year * 100).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(within(at(8_030)).to_string(), "9000-01-01T00:00:00Z");
        assert_eq!(within(at(200_000)).to_string(), "9000-01-01T00:00:00Z");
        assert_eq!(within(SystemTime::UNIX_EPOCH + Duration::from_secs(5)).to_string(), "1970-01-01T00:00:05Z");
        for time in [EARLIEST, LATEST] {
            for years in [-500, 500] {
                let far = SignedDuration::from_hours(years * 8_766);
                assert!(time.checked_add(far).is_ok(), "{time} {years}");
            }
        }
    }
}
