//! A time in the formats that a signature needs.

use std::time::{SystemTime, UNIX_EPOCH};

use chatcore::{Error, ErrorKind};

/// A time in UTC.
#[derive(Debug, PartialEq)]
pub(super) struct Date {
    /// `20150830`
    pub(super) day: String,
    /// `20150830T123600Z`
    pub(super) time: String,
}

impl Date {
    pub(super) fn of(now: SystemTime) -> Result<Self, Error> {
        let since = now.duration_since(UNIX_EPOCH).map_err(|error| {
            let message = "this machine's clock is set before 1970, and AWS rejects such a \
                           signature; correct the clock";
            Error::new(ErrorKind::Config, message).with_source(error)
        })?;
        let seconds = since.as_secs();
        let (year, month, day) = civil(seconds / 86_400);
        let [hour, minute, second] = [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60];
        let day = format!("{year:04}{month:02}{day:02}");
        let time = format!("{day}T{hour:02}{minute:02}{second:02}Z");
        Ok(Self { day, time })
    }
}

/// Year, month and day of the Gregorian calendar, from the days since 1 January 1970. The
/// calculation starts each year in March, so that the leap day is its last day.
fn civil(days: u64) -> (u64, u64, u64) {
    // Days since 1 March of the year 0, split into eras of 400 years.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * day + 2) / 153;
    let day = day - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    (400 * era + year + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, time) in [
            (0, "19700101T000000Z"),
            (951_782_399, "20000228T235959Z"),
            (951_782_400, "20000229T000000Z"),
            (951_868_800, "20000301T000000Z"),
            (1_440_938_160, "20150830T123600Z"),
            (1_735_689_599, "20241231T235959Z"),
            (1_735_689_600, "20250101T000000Z"),
            (4_107_542_399, "21000228T235959Z"),
            (4_107_542_400, "21000301T000000Z"),
        ] {
            let date = Date::of(UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
            assert_eq!(date.time, time);
            assert_eq!(date.day, time[..8]);
        }
    }

    #[test]
    fn a_clock_before_1970_is_an_error() {
        let error = Date::of(UNIX_EPOCH - Duration::from_secs(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}
