//! Dates in headers, as seconds since 1970.
//!
//! Both parsers are written by hand, because a crate for each format would be larger than this
//! file. The tests compare [`http_date`] with the crate `httpdate`.

const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

/// A date in HTTP's format (RFC 9110, 5.6.7), or in one of its two obsolete formats:
/// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`.
pub(crate) fn http_date(text: &str) -> Option<i64> {
    let text = text.as_bytes();
    let comma = text.iter().position(|byte| *byte == b',');
    // Where the day, the month, the time and the year begin, and how many digits the year has.
    let (day, month, time, year, digits) = match comma {
        None => (8, 4, 11, 20, 4),
        Some(3) => (5, 8, 17, 12, 4),
        Some(at) => (at + 2, at + 5, at + 12, at + 9, 2),
    };
    if comma.is_some() && text.get(time + 8..)? != b" GMT" {
        return None;
    }
    let name = text.get(month..month + 3)?;
    let month = MONTHS.chunks_exact(3).position(|known| known == name)? as i64 + 1;
    let year = match number(text, year, digits)? {
        year @ 0..70 => 2000 + year,
        year @ 70..100 => 1900 + year,
        year => year,
    };
    let day = match text.get(day)? {
        b' ' => number(text, day + 1, 1)?,
        _ => number(text, day, 2)?,
    };
    seconds([year, month, day], clock(text, time)?)
}

/// `2026-11-23T10:00:00Z`, with or without a fraction of a second, or with an offset. The fraction
/// is dropped.
pub(crate) fn rfc3339(text: &str) -> Option<i64> {
    let text = text.as_bytes();
    if !matches!(
        (text.get(4)?, text.get(7)?, text.get(10)?),
        (b'-', b'-', b'T' | b't' | b' ')
    ) {
        return None;
    }
    let date = [
        number(text, 0, 4)?,
        number(text, 5, 2)?,
        number(text, 8, 2)?,
    ];
    let local = seconds(date, clock(text, 11)?)?;
    let mut zone = 19;
    while let Some(b'.' | b'0'..=b'9') = text.get(zone) {
        zone += 1;
    }
    let offset = match text.get(zone)? {
        b'Z' | b'z' if text.len() == zone + 1 => 0,
        sign @ (b'+' | b'-') if text.get(zone + 3) == Some(&b':') && text.len() == zone + 6 => {
            let minutes = number(text, zone + 1, 2)? * 60 + number(text, zone + 4, 2)?;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    Some(local - offset * 60)
}

/// The number of `digits` digits at `from`.
fn number(text: &[u8], from: usize, digits: usize) -> Option<i64> {
    let mut number = 0;
    for byte in text.get(from..from + digits)? {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number * 10 + i64::from(byte - b'0');
    }
    Some(number)
}

/// Reads `10:00:00` at `from`, in seconds. A leap second counts as the first second of the next
/// minute.
fn clock(text: &[u8], from: usize) -> Option<i64> {
    let mut seconds = 0;
    for (at, most) in [(0, 23), (3, 59), (6, 60)] {
        let part = number(text, from + at, 2)?;
        if part > most || (at > 0 && text[from + at - 1] != b':') {
            return None;
        }
        seconds = seconds * 60 + part;
    }
    Some(seconds)
}

/// Seconds since 1970 in the proleptic Gregorian calendar.
fn seconds([year, month, day]: [i64; 3], clock: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Here a year begins in March, so that the leap day is the last day of its year.
    let (y, m) = (year - i64::from(month <= 2), (month + 9) % 12);
    let days = y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 719_469;
    (year >= 1970).then_some(days * 86_400 + clock)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use proptest::prelude::*;

    use super::*;

    fn reference(text: &str) -> Option<i64> {
        let date: SystemTime = httpdate::parse_http_date(text).ok()?;
        Some(date.duration_since(UNIX_EPOCH).ok()?.as_secs() as i64)
    }

    #[test]
    fn the_three_forms_of_http() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Thu Nov 10 08:49:37 1994",
            "Thursday, 29-Feb-24 23:59:59 GMT",
        ] {
            assert!(reference(text).is_some(), "{text}");
            assert_eq!(http_date(text), reference(text), "{text}");
        }
        assert_eq!(
            http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(784_111_777)
        );
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "",
            ",",
            "soon",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08-49-37 GMT",
            "Sun, 32 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1900 08:49:37 GMT",
            "Sun, 06 anF 1994 08:49:37 GMT",
            "Sun, é6 Nov 1994 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(http_date(text), None, "{text}");
        }
    }

    #[test]
    fn dates_of_rfc_3339() {
        for (text, expected) in [
            ("2026-11-23T10:00:00Z", "Mon, 23 Nov 2026 10:00:00 GMT"),
            ("2024-02-29T23:59:59.123Z", "Thu, 29 Feb 2024 23:59:59 GMT"),
            ("2026-11-23t10:00:00z", "Mon, 23 Nov 2026 10:00:00 GMT"),
            ("2026-11-23 10:00:00Z", "Mon, 23 Nov 2026 10:00:00 GMT"),
            ("2026-01-01T01:00:00+02:00", "Wed, 31 Dec 2025 23:00:00 GMT"),
            ("2026-01-01T01:00:00-01:30", "Thu, 01 Jan 2026 02:30:00 GMT"),
        ] {
            assert_eq!(rfc3339(text), reference(expected), "{text}");
        }
        for text in [
            "",
            "2026-11-23",
            "2026-13-23T10:00:00Z",
            "2026-11-23T10:00:00",
            "2026-11-23T10:00:00Zulu",
            "2026-11-23T10:00:00+2",
            "2026/11/23T10:00:00Z",
            "2026-11:23T10:00:00Z",
            "2026a11-23T10:00:00Z",
            "2026-11-23_10:00:00Z",
            "2026-11-23T10:00:00+02.00",
            "2026-11-23T10:00:00+02:00Z",
        ] {
            assert_eq!(rfc3339(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn all_dates_are_read_as_httpdate_reads_them(seconds in 0u64..253_402_300_800) {
            let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
            prop_assert_eq!(http_date(&text), Some(seconds as i64));
        }

        #[test]
        fn any_text_is_taken(text in "\\PC{0,40}", cut in 0usize..30, byte in 32u8..127) {
            let _ = (http_date(&text), rfc3339(&text));
            let mut date = b"Sun, 06 Nov 1994 08:49:37 GMT".to_vec();
            let end = date.len() - 1;
            date[cut.min(end)] = byte;
            let date = String::from_utf8(date).unwrap();
            let _ = (http_date(&date), http_date(&date[..cut.min(end)]));
            let mut date = "2026-11-23T10:00:00+01:00".to_owned();
            date.truncate(cut);
            let _ = rfc3339(&date);
        }
    }
}
