//! Days with a name: the table in `assets/english/holidays.tsv` and the day on which each falls in a year.

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::{NaiveDate, Weekday};

use super::calendar::{plus_days, plus_months, weekday_by_name, weekday_of_month};
use super::word::Word;

/// No name has more words.
const LONGEST: usize = 4;

/// When a holiday is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holiday {
    /// Month and day.
    Fixed(u32, u32),
    /// Days from Easter Sunday.
    Easter(i64),
    /// The nth weekday of a month, the last one without a number, and days behind it.
    Weekday(Weekday, Option<u32>, u32, i64),
}

static HOLIDAYS: LazyLock<HashMap<&str, Holiday>> = LazyLock::new(|| {
    include_str!("../../assets/english/holidays.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('\t'))
        .filter_map(|(name, when)| Some((name, parse(when)?)))
        .collect()
});

fn parse(when: &str) -> Option<Holiday> {
    if let Some(days) = when.strip_prefix("easter") {
        return days.parse().ok().map(Holiday::Easter);
    }
    if let Some((month, day)) = when.split_once('-').filter(|_| !when.contains(' ')) {
        return Some(Holiday::Fixed(month.parse().ok()?, day.parse().ok()?));
    }
    let mut parts = when.split(' ');
    let weekday = weekday_by_name(parts.next()?)?;
    let nth: i32 = parts.next()?.parse().ok()?;
    let month = parts.next()?.parse().ok()?;
    let behind = parts.next().map_or(Some(0), |days| days.parse().ok())?;
    Some(Holiday::Weekday(weekday, u32::try_from(nth).ok(), month, behind))
}

impl Holiday {
    /// Its day in a year.
    pub(super) fn in_year(self, year: i32) -> Option<NaiveDate> {
        match self {
            Self::Fixed(month, day) => NaiveDate::from_ymd_opt(year, month, day),
            Self::Easter(days) => Some(plus_days(easter(year)?, days)),
            Self::Weekday(weekday, nth, month, behind) => {
                let month = NaiveDate::from_ymd_opt(year, month, 1)?;
                Some(plus_days(weekday_of_month(month, weekday, nth)?, behind))
            }
        }
    }
}

/// The holiday whose name begins at `at`, and how many words it has; the longest name wins.
pub(super) fn at(words: &[Word<'_>], at: usize) -> Option<(Holiday, usize)> {
    (1..=LONGEST).rev().find_map(|length| {
        let words = words.get(at..at + length)?;
        let inner_pause = words[..length - 1].iter().any(Word::pauses);
        if inner_pause || words[0].lower.len() > 16 {
            return None;
        }
        let name = words.iter().map(|w| w.lower.as_str()).collect::<Vec<_>>().join(" ");
        let name = if name == "xmas" { "christmas" } else { &name };
        let found = HOLIDAYS.get(name).or_else(|| HOLIDAYS.get(name.strip_suffix("'s")?))?;
        Some((*found, length))
    })
}

/// Easter Sunday in the Gregorian calendar: the anonymous computus of 1876.
fn easter(year: i32) -> Option<NaiveDate> {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let f = (b + 8) / 25;
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - b / 4 - g + 15) % 30;
    let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let days = h + l - 7 * m + 21;
    let march = NaiveDate::from_ymd_opt(year, 3, 1)?;
    Some(plus_days(plus_months(march, 0), i64::from(days)))
}

#[cfg(test)]
mod tests {
    use super::super::word::words;
    use super::*;

    fn day(name: &str, year: i32) -> String {
        let all = words(name);
        let (holiday, length) = at(&all, 0).unwrap();
        assert_eq!(length, all.len(), "{name}");
        holiday.in_year(year).unwrap().to_string()
    }

    #[test]
    fn fixed_and_moving_days_are_found() {
        for (name, year, want) in [
            ("Easter", 2026, "2026-04-05"),
            ("Easter", 2024, "2024-03-31"),
            ("Good Friday", 2025, "2025-04-18"),
            ("Thanksgiving", 2026, "2026-11-26"),
            ("Black Friday", 2026, "2026-11-27"),
            ("memorial day", 2026, "2026-05-25"),
            ("labor day", 2026, "2026-09-07"),
            ("New Year's Eve", 2026, "2026-12-31"),
            ("xmas", 2026, "2026-12-25"),
            ("All Souls", 2026, "2026-11-02"),
        ] {
            assert_eq!(day(name, year), want, "{name} {year}");
        }
    }
}
