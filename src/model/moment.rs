//! Times as clients write them, and which of them can be served.

use chrono::{DateTime, Datelike, FixedOffset, Utc};

/// From here on a number counts milliseconds, up to the year 5138.
const FIRST_MILLISECONDS: f64 = 1e11;
const TOO_LARGE: f64 = 1e14;
/// Digits of seconds, and of milliseconds, from 2001 to 2286. Texts of other lengths are dates or years as often.
const EPOCH_DIGITS: [usize; 2] = [10, 13];

/// Whether RFC 3339 can write it: from the year 1 on, in four digits.
pub fn is_servable(time: DateTime<Utc>) -> bool {
    (1..=9999).contains(&time.year())
}

/// The time that a text says: RFC 3339, or seconds or milliseconds since 1970.
pub fn time_of_text(text: &str) -> Option<DateTime<FixedOffset>> {
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => Some(time).filter(|time| is_servable(time.to_utc())),
        Err(_) => {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
            let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let is_epoch = EPOCH_DIGITS.contains(&whole.len()) && are_digits(whole) && are_digits(fraction);
            let number = is_epoch.then(|| text.parse().ok()).flatten()?;
            time_of_number(number).map(|time| time.fixed_offset())
        }
    }
}

/// The time that is so many seconds, or milliseconds, after 1970.
pub fn time_of_number(number: f64) -> Option<DateTime<Utc>> {
    let seconds = match number.abs() {
        size if size < FIRST_MILLISECONDS => number,
        size if size < TOO_LARGE => number / 1000.0,
        _ => return None,
    };
    DateTime::from_timestamp_micros((seconds * 1e6).round() as i64).filter(|time| is_servable(*time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_milliseconds_are_told_apart_by_their_size() {
        let text = |text: &str| time_of_text(text).map(|time| time.to_utc().to_rfc3339());
        let number = |number: f64| time_of_number(number).map(|time| time.to_rfc3339());
        let expected = Some("2026-01-15T16:30:00+00:00".to_owned());
        assert_eq!(number(1_768_494_600.0), expected);
        assert_eq!(number(1_768_494_600_000.0), expected);
        assert_eq!(text("1768494600"), expected);
        assert_eq!(text("1768494600000"), expected);
        assert_eq!(
            number(1_768_494_600.25),
            Some("2026-01-15T16:30:00.250+00:00".to_owned())
        );
        assert_eq!(text("1768494600.25"), number(1_768_494_600.25));
        assert_eq!(number(0.0), Some("1970-01-01T00:00:00+00:00".to_owned()));
        assert_eq!(number(-86_400.0), Some("1969-12-31T00:00:00+00:00".to_owned()));
    }

    #[test]
    fn what_may_be_something_else_is_no_time() {
        for text in [
            "",
            "2026",
            "20260115",
            "20260115163000",
            "1e9",
            "-1768494600",
            "1768494600.",
            "inf",
            "+262142-01-01T00:00:00Z",
            "0000-06-01T00:00:00Z",
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-01:00",
            "2026-01-15",
        ] {
            assert_eq!(time_of_text(text), None, "{text}");
        }
        for number in [1e14, 1.8e18, -99_999_999_999_999.0, f64::NAN, f64::INFINITY] {
            assert_eq!(time_of_number(number), None, "{number}");
        }
    }
}
