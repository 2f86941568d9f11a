//! Names of months and days, dates in digits, and arithmetic on days. `time.rs` finds the words, this file the days.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, Utc, Weekday};

use crate::model::TimePrecision;

/// How exactly a time is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grain {
    /// A day.
    Day,
    /// Saturday and Sunday.
    Weekend,
    /// A week from Monday.
    Week,
    /// A month.
    Month,
    /// Three months from March, June, September or December.
    Season,
    /// A year.
    Year,
}

/// A stretch of time by its first day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Its first day.
    pub(super) start: NaiveDate,
    /// Its kind.
    pub(super) grain: Grain,
}

impl Stretch {
    /// The precision that goes with [`Stretch::instant`].
    pub(super) fn precision(self) -> TimePrecision {
        match self.grain {
            Grain::Day => TimePrecision::Day,
            Grain::Weekend | Grain::Week => TimePrecision::Week,
            Grain::Month => TimePrecision::Month,
            Grain::Season => TimePrecision::Season,
            Grain::Year => TimePrecision::Year,
        }
    }

    pub(super) fn day(start: NaiveDate) -> Self {
        Self {
            start,
            grain: Grain::Day,
        }
    }

    pub(super) fn week_of(day: NaiveDate) -> Self {
        Self {
            start: monday(day),
            grain: Grain::Week,
        }
    }

    pub(super) fn weekend_of(day: NaiveDate) -> Self {
        Self {
            start: plus_days(monday(day), 5),
            grain: Grain::Weekend,
        }
    }

    pub(super) fn month_of(day: NaiveDate) -> Self {
        Self {
            start: day.with_day(1).unwrap_or(day),
            grain: Grain::Month,
        }
    }

    pub(super) fn year(year: i32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, 1, 1).map(|start| Self {
            start,
            grain: Grain::Year,
        })
    }

    /// Midnight at its start.
    pub(super) fn instant(self) -> DateTime<Utc> {
        self.start.and_time(NaiveTime::MIN).and_utc()
    }

    /// A season by the year in which it begins and its first month.
    pub(super) fn season(year: i32, month: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, 1).map(|start| Self {
            start,
            grain: Grain::Season,
        })
    }

    /// What is left of its exactness where the words are vague: "a few days ago".
    pub(super) fn coarser(self) -> Self {
        match self.grain {
            Grain::Day => Self::week_of(self.start),
            Grain::Weekend | Grain::Week => Self::month_of(self.start),
            Grain::Month => {
                let into = self.start.month() % 3;
                Self {
                    start: plus_months(self.start, -i32::try_from(into).unwrap_or(0)),
                    grain: Grain::Season,
                }
            }
            Grain::Season | Grain::Year => self,
        }
    }
}

/// The number of a month by its name or a usual short form.
pub(super) fn month_by_name(lower: &str) -> Option<u32> {
    Some(match lower {
        "january" | "jan" => 1,
        "february" | "feb" => 2,
        "march" | "mar" => 3,
        "april" | "apr" => 4,
        "may" => 5,
        "june" | "jun" => 6,
        "july" | "jul" => 7,
        "august" | "aug" => 8,
        "september" | "sept" | "sep" => 9,
        "october" | "oct" => 10,
        "november" | "nov" => 11,
        "december" | "dec" => 12,
        _ => return None,
    })
}

/// The weekday by its name or a usual short form.
pub(super) fn weekday_by_name(lower: &str) -> Option<Weekday> {
    Some(match lower {
        "monday" => Weekday::Mon,
        "tuesday" | "tues" | "tue" => Weekday::Tue,
        "wednesday" => Weekday::Wed,
        "thursday" | "thurs" | "thu" => Weekday::Thu,
        "friday" | "fri" => Weekday::Fri,
        "saturday" => Weekday::Sat,
        "sunday" => Weekday::Sun,
        _ => return None,
    })
}

/// The season's first month.
pub(super) fn season_by_name(lower: &str) -> Option<u32> {
    Some(match lower {
        "spring" => 3,
        "summer" => 6,
        "autumn" | "fall" => 9,
        "winter" => 12,
        _ => return None,
    })
}

/// The nth such weekday of the month that begins with `month`, or the last one.
pub(super) fn weekday_of_month(month: NaiveDate, wanted: Weekday, nth: Option<u32>) -> Option<NaiveDate> {
    match nth {
        Some(nth) => {
            let first = weekday_after(plus_days(month, -1), wanted);
            Some(plus_days(first, 7 * (i64::from(nth) - 1))).filter(|day| day.month() == month.month())
        }
        None => Some(weekday_before(plus_months(month, 1), wanted)),
    }
}

fn monday(day: NaiveDate) -> NaiveDate {
    plus_days(day, -i64::from(day.weekday().num_days_from_monday()))
}

/// `day` moved by days; stays where the calendar ends.
pub(super) fn plus_days(day: NaiveDate, days: i64) -> NaiveDate {
    let moved = if days >= 0 {
        day.checked_add_days(Days::new(days.unsigned_abs()))
    } else {
        day.checked_sub_days(Days::new(days.unsigned_abs()))
    };
    moved.unwrap_or(day)
}

/// `day` moved by months; stays where the calendar ends.
pub(super) fn plus_months(day: NaiveDate, months: i32) -> NaiveDate {
    let moved = if months >= 0 {
        day.checked_add_months(Months::new(months.unsigned_abs()))
    } else {
        day.checked_sub_months(Months::new(months.unsigned_abs()))
    };
    moved.unwrap_or(day)
}

/// The last such weekday before `day`.
pub(super) fn weekday_before(day: NaiveDate, wanted: Weekday) -> NaiveDate {
    let back = (day.weekday().num_days_from_monday() + 7 - wanted.num_days_from_monday()) % 7;
    plus_days(day, -i64::from(if back == 0 { 7 } else { back }))
}

/// The next such weekday after `day`.
pub(super) fn weekday_after(day: NaiveDate, wanted: Weekday) -> NaiveDate {
    let ahead = (wanted.num_days_from_monday() + 7 - day.weekday().num_days_from_monday()) % 7;
    plus_days(day, i64::from(if ahead == 0 { 7 } else { ahead }))
}

/// A number written in digits or as a small word; "couple" is 2 and "few" 3.
pub(super) fn number(lower: &str) -> Option<i64> {
    const WORDS: [&str; 13] = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    ];
    match lower {
        "a" | "an" => return Some(1),
        "couple" => return Some(2),
        "few" => return Some(3),
        "several" => return Some(4),
        "fifteen" => return Some(15),
        "twenty" => return Some(20),
        "thirty" => return Some(30),
        _ => {}
    }
    WORDS
        .iter()
        .position(|word| *word == lower)
        .and_then(|at| i64::try_from(at).ok())
        .or_else(|| {
            (lower.len() <= 4 && lower.bytes().all(|b| b.is_ascii_digit()))
                .then(|| lower.parse().ok())
                .flatten()
        })
}

/// "7", "7th", "1st" as a day of a month.
pub(super) fn day_of_month(lower: &str) -> Option<u32> {
    let digits = lower.trim_end_matches(['s', 't', 'n', 'd', 'r', 'h']);
    if digits.is_empty() || digits.len() > 2 || lower.len() - digits.len() > 2 {
        return None;
    }
    digits.parse().ok().filter(|day| (1..=31).contains(day))
}

/// A year written in four digits.
pub(super) fn year(lower: &str) -> Option<i32> {
    (lower.len() == 4 && lower.bytes().all(|b| b.is_ascii_digit()))
        .then(|| lower.parse().ok())
        .flatten()
        .filter(|year| (1900..2100).contains(year))
}

/// 2023-05-07, 7.5.2023, 5/7/2023 (month first unless that can't be).
pub(super) fn numeric_date(core: &str) -> Option<NaiveDate> {
    if core.len() > 10 || core.len() < 6 {
        return None;
    }
    let separator = ['-', '/', '.'].into_iter().find(|c| core.contains(*c))?;
    let mut parts = core.split(separator).map(|part| part.parse::<u32>().ok());
    let (first, second, third) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() {
        return None;
    }
    if first > 1000 {
        return NaiveDate::from_ymd_opt(i32::try_from(first).ok()?, second, third);
    }
    // "1.2.30" may be a version.
    if third < 100 && separator != '/' {
        return None;
    }
    let year = i32::try_from(if third < 100 { third + 2000 } else { third }).ok()?;
    let month_first = separator == '/' && first <= 12;
    if month_first {
        NaiveDate::from_ymd_opt(year, first, second)
    } else {
        NaiveDate::from_ymd_opt(year, second, first)
    }
    .filter(|date| (1900..2100).contains(&date.year()))
}
