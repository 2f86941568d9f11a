//! Times that a sentence speaks of, resolved against the moment it was sent.
//!
//! The words stay; a relative one gets its date beside it in parentheses, because that is what a later
//! question asks for. `calendar.rs` does the arithmetic.

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use super::calendar::{
    Grain, Stretch, day_of_month, month_by_name, number, numeric_date, plus_days, plus_months, season_by_name,
    weekday_by_name, year,
};
use super::verb;
use super::word::Word;
use crate::model::{TimePrecision, is_servable};

/// One expression of time in a sentence.
#[derive(Clone, Debug)]
pub(super) struct TimeMention {
    /// Index of its last word; a label goes behind it.
    pub(super) last: usize,
    /// What it means; absent for a mere duration.
    pub(super) stretch: Option<Stretch>,
    /// The date to add in words; absent where the words say it already.
    pub(super) label: Option<String>,
}

/// When the sentence's thing happens: its most exact time.
pub(super) fn event_time(mentions: &[TimeMention]) -> Option<(DateTime<Utc>, TimePrecision)> {
    mentions
        .iter()
        .filter_map(|m| m.stretch)
        .min_by_key(|s| s.grain)
        .map(|stretch| (stretch.instant(), stretch.precision()))
        // "Next year", said in 9999.
        .filter(|(time, _)| is_servable(*time))
}

/// All expressions of time, said on this day.
pub(super) fn mentions(words: &[Word<'_>], today: NaiveDate) -> Vec<TimeMention> {
    let reader = Reader {
        words,
        today,
        future: speaks_of_future(words) || is_present(words),
        recurs: recurs(words),
    };
    let mut out = Vec::new();
    let mut at = 0;
    while at < words.len() {
        match reader.read(at) {
            Some(mention) => {
                at = mention.last + 1;
                out.push(mention);
            }
            None => at += 1,
        }
    }
    out
}

/// Whether the sentence looks ahead.
pub(super) fn speaks_of_future(words: &[Word<'_>]) -> bool {
    let marked = words.iter().enumerate().any(|(at, w)| {
        let lower = w.lower.as_str();
        w.is_one_of(&[
            "will", "won't", "gonna", "tomorrow", "upcoming", "planning", "plan", "plans", "soon", "hoping", "shall",
        ]) || lower.ends_with("'ll")
            || (lower == "going" && words.get(at + 1).is_some_and(|n| n.lower == "to"))
            || (w.is_one_of(&["next", "coming"]) && words.get(at + 1).is_some_and(|n| is_unit_or_day(&n.lower)))
    });
    let progressive = words.iter().zip(words.iter().skip(1)).any(|(a, b)| {
        (a.is_one_of(&["i'm", "am", "are", "is", "im"]) || a.lower.ends_with("'s") || a.lower.ends_with("'re"))
            && verb::is_ing(&b.lower)
    });
    marked || progressive
}

/// "It lands on 12 June", "the wedding is on Saturday": the present tells of what is fixed ahead.
fn is_present(words: &[Word<'_>]) -> bool {
    let past = words
        .iter()
        .any(|w| verb::is_past(&w.lower) || w.is_one_of(&["been", "since"]) || w.lower.ends_with("'ve"));
    let present = words
        .iter()
        .skip(1)
        .any(|w| w.is_one_of(&["is", "are", "have", "has"]) || w.lower.strip_suffix('s').is_some_and(verb::is_base));
    let proposes = words.first().is_some_and(|w| w.is_one_of(&["let's", "i'm", "it's"]));
    !past && (present || proposes)
}

/// Yearly or weekly things carry no single date.
fn recurs(words: &[Word<'_>]) -> bool {
    words
        .iter()
        .any(|w| w.is_one_of(&["birthday", "anniversary", "every", "each", "born"]))
}

fn is_unit_or_day(lower: &str) -> bool {
    unit(lower).is_some()
        || lower == "weekend"
        || weekday_by_name(lower).is_some()
        || month_by_name(lower).is_some()
        || season_by_name(lower).is_some()
}

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Day,
    Week,
    Month,
    Year,
}

/// The unit by its name.
pub(super) fn unit(lower: &str) -> Option<Unit> {
    Some(match lower.strip_suffix('s').unwrap_or(lower) {
        "day" => Unit::Day,
        "week" => Unit::Week,
        "month" => Unit::Month,
        "year" | "yr" => Unit::Year,
        _ => return None,
    })
}

/// A sentence read for times.
pub(super) struct Reader<'w, 'a> {
    pub(super) words: &'w [Word<'a>],
    pub(super) today: NaiveDate,
    /// The sentence looks ahead.
    pub(super) future: bool,
    /// It tells of something that comes back.
    pub(super) recurs: bool,
}

impl Reader<'_, '_> {
    pub(super) fn lower(&self, at: usize) -> &str {
        self.words.get(at).map_or("", |w| w.lower.as_str())
    }

    pub(super) fn lower_before(&self, at: usize) -> &str {
        at.checked_sub(1).map_or("", |at| self.lower(at))
    }

    /// A relative time: the label is added.
    pub(super) fn relative(&self, last: usize, stretch: Stretch) -> Option<TimeMention> {
        Some(TimeMention {
            last,
            stretch: Some(stretch),
            label: Some(stretch.label()),
        })
    }

    fn read(&self, at: usize) -> Option<TimeMention> {
        self.read_absolute(at)
            .or_else(|| self.read_deictic(at))
            .or_else(|| self.read_counted(at))
    }

    fn read_absolute(&self, at: usize) -> Option<TimeMention> {
        let word = &self.words[at];
        if let Some(date) = numeric_date(word.core) {
            return Some(TimeMention {
                last: at,
                stretch: Some(Stretch::day(date)),
                label: None,
            });
        }
        // "May 7", "May 7th, 2023", "May 2023", "in May"
        if let Some(month) = month_by_name(&word.lower).filter(|_| word.is_capitalised()) {
            let next = self.lower(at + 1);
            if let Some(day) = day_of_month(next).filter(|_| !word.pauses()) {
                let year_at = at + 2;
                return self.dated(day, month, year(self.lower(year_at)).map(|y| (y, year_at)), at + 1);
            }
            if let Some(y) = year(next) {
                let start = NaiveDate::from_ymd_opt(y, month, 1)?;
                return Some(TimeMention {
                    last: at + 1,
                    stretch: Some(Stretch::month_of(start)),
                    label: None,
                });
            }
            let before = self.lower_before(at);
            if ![
                "in", "since", "by", "until", "early", "late", "mid", "from", "of", "around", "for", "during", "end",
            ]
            .contains(&before)
            {
                return None;
            }
            if self.recurs {
                return None;
            }
            let bounds = ["from", "until", "by"].contains(&before);
            let ahead = self.future || bounds && !self.words.iter().any(|w| w.is_one_of(&["was", "were", "had"]));
            let start = self.month_near(month, ahead)?;
            return self.relative(at, Stretch::month_of(start));
        }
        // "7 May", "7th of May 2023"
        if let Some(day) = day_of_month(&word.lower) {
            let month_at = if self.lower(at + 1) == "of" { at + 2 } else { at + 1 };
            if let Some(month) = month_by_name(self.lower(month_at))
                .filter(|_| self.words.get(month_at).is_some_and(|w| w.is_capitalised()))
            {
                let year_at = month_at + 1;
                return self.dated(day, month, year(self.lower(year_at)).map(|y| (y, year_at)), month_at);
            }
            let is_ordinal = !word.lower.ends_with(|c: char| c.is_ascii_digit());
            if is_ordinal
                && self.lower_before(at) == "the"
                && at >= 2
                && ["on", "by", "until"].contains(&self.lower(at - 2))
                && !self.recurs
            {
                let start = self.day_near(day)?;
                return self.relative(at, Stretch::day(start));
            }
        }
        if let Some(y) = year(&word.lower) {
            let before = self.lower_before(at);
            if [
                "in", "since", "from", "until", "of", "during", "by", "around", "early", "late", "back",
            ]
            .contains(&before)
                || season_by_name(before).is_some()
            {
                return Some(TimeMention {
                    last: at,
                    stretch: Stretch::year(y),
                    label: None,
                });
            }
        }
        None
    }

    fn dated(&self, day: u32, month: u32, year: Option<(i32, usize)>, last: usize) -> Option<TimeMention> {
        if let Some((y, year_at)) = year {
            let start = NaiveDate::from_ymd_opt(y, month, day)?;
            return Some(TimeMention {
                last: year_at,
                stretch: Some(Stretch::day(start)),
                label: None,
            });
        }
        if self.recurs {
            return None;
        }
        let this_year = NaiveDate::from_ymd_opt(self.today.year(), month, day)?;
        let start = self.nearer(this_year, |date, years| {
            NaiveDate::from_ymd_opt(date.year() + years, month, day)
        });
        self.relative(last, Stretch::day(start))
    }

    /// The occurrence of a yearly date that the tense of the sentence means.
    fn nearer(&self, date: NaiveDate, shift: impl Fn(NaiveDate, i32) -> Option<NaiveDate>) -> NaiveDate {
        if self.future && date < self.today {
            shift(date, 1).unwrap_or(date)
        } else if !self.future && date > self.today {
            shift(date, -1).unwrap_or(date)
        } else {
            date
        }
    }

    fn month_near(&self, month: u32, ahead: bool) -> Option<NaiveDate> {
        let this_year = NaiveDate::from_ymd_opt(self.today.year(), month, 1)?;
        let this_month = self.today.with_day(1)?;
        Some(if ahead && this_year < this_month {
            plus_months(this_year, 12)
        } else if !ahead && this_year > this_month {
            plus_months(this_year, -12)
        } else {
            this_year
        })
    }

    fn day_near(&self, day: u32) -> Option<NaiveDate> {
        let this_month = self.today.with_day(day);
        match this_month {
            Some(date) if self.future && date < self.today => plus_months(self.today.with_day(1)?, 1).with_day(day),
            Some(date) if !self.future && date > self.today => plus_months(self.today.with_day(1)?, -1).with_day(day),
            other => other,
        }
    }

    /// "three weeks ago", "in two months", "for five years".
    fn read_counted(&self, at: usize) -> Option<TimeMention> {
        let mut count_at = at;
        let opens = self.lower(at);
        if ["in", "for", "past", "last"].contains(&opens) {
            count_at += 1;
        }
        while [
            "about", "around", "almost", "nearly", "over", "the", "past", "last", "just",
        ]
        .contains(&self.lower(count_at))
            && count_at < at + 4
        {
            count_at += 1;
        }
        if self.lower(count_at) == "a" && ["couple", "few"].contains(&self.lower(count_at + 1)) {
            count_at += 1;
        }
        let count = number(self.lower(count_at))?;
        let vague = ["couple", "few", "several"].contains(&self.lower(count_at)) || count_at > at + 1;
        let mut unit_at = count_at + 1;
        while ["of", "more", "good"].contains(&self.lower(unit_at)) {
            unit_at += 1;
        }
        let unit = unit(self.lower(unit_at))?;
        let after = self.lower(unit_at + 1);
        let ago = after == "ago" || after == "back" && unit_at + 2 == self.words.len();
        let ahead =
            (opens == "in" && !ago && self.looks_ahead()) || after == "from" && self.lower(unit_at + 2) == "now";
        if ago || ahead {
            let last = if ago {
                unit_at + 1
            } else if after == "from" {
                unit_at + 2
            } else {
                unit_at
            };
            let stretch = self.shifted(if ago { -count } else { count }, unit)?;
            let label = if vague && stretch.grain <= Grain::Week {
                format!("around {}", stretch.label())
            } else {
                stretch.label()
            };
            return Some(TimeMention {
                last,
                stretch: Some(stretch),
                label: Some(label),
            });
        }
        let verb =
            self.words[..at].iter().rev().take(6).find(|w| {
                w.is_one_of(&["have", "has", "been", "was", "were", "did", "had"]) || w.lower.ends_with("'ve")
            });
        let perfect = verb.is_some_and(|w| !w.is_one_of(&["was", "were", "did", "had"]));
        if opens == "for" && perfect && matches!(unit, Unit::Year | Unit::Month) && after != "old" && !vague {
            let since = self.shifted(-count, unit)?;
            return Some(TimeMention {
                last: unit_at,
                stretch: None,
                label: Some(format!("since about {}", since.label())),
            });
        }
        None
    }

    /// "in two weeks" means a time ahead unless the sentence tells of the past.
    fn looks_ahead(&self) -> bool {
        self.future || !self.words.iter().any(|w| verb::is_past(&w.lower))
    }

    fn shifted(&self, count: i64, unit: Unit) -> Option<Stretch> {
        let months = i32::try_from(count.clamp(-2400, 2400)).ok()?;
        Some(match unit {
            Unit::Day => Stretch::day(plus_days(self.today, count)),
            Unit::Week => Stretch::week_of(plus_days(self.today, count.saturating_mul(7))),
            Unit::Month => Stretch::month_of(plus_months(Stretch::month_of(self.today).start, months)),
            Unit::Year => Stretch::year(self.today.year().saturating_add(months))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::word::words;
    use super::*;

    /// Sent on Monday 8 May 2023.
    fn labels(text: &str) -> Vec<String> {
        let sent_on = NaiveDate::from_ymd_opt(2023, 5, 8).unwrap();
        mentions(&words(text), sent_on)
            .into_iter()
            .map(|m| m.label.unwrap_or_else(|| "-".to_owned()))
            .collect()
    }

    #[test]
    fn relative_times_resolve_against_the_message() {
        for (text, want) in [
            ("I ran yesterday.", "7 May 2023"),
            ("We met last week.", "week of 1 May 2023"),
            ("She called last Friday", "5 May 2023"),
            ("They married last year", "2022"),
            ("I flew home last month.", "April 2023"),
            ("I quit two weeks ago.", "week of 24 April 2023"),
            ("I bought it 3 days ago", "5 May 2023"),
            ("We moved ten years ago", "2013"),
            ("I'm flying next month", "June 2023"),
            ("I'll see her tomorrow morning", "9 May 2023"),
            ("We're camping this weekend", "13–14 May 2023"),
            ("I cook tonight", "8 May 2023"),
            ("I slept badly last night", "7 May 2023"),
            ("I started in March", "March 2023"),
            ("We'll go in July", "July 2023"),
            ("He's been made dispatcher from September", "September 2023"),
            ("I'm leaving on Friday", "12 May 2023"),
            ("We danced all night last weekend", "6–7 May 2023"),
            ("A few days ago I fell", "around 5 May 2023"),
            ("I'll be done in two weeks", "week of 22 May 2023"),
            ("We met last summer", "summer 2022"),
            ("I've lived here for 3 years", "since about 2020"),
            ("It happened on June 3", "3 June 2022"),
        ] {
            assert_eq!(labels(text).first().map(String::as_str), Some(want), "{text}");
        }
    }

    #[test]
    fn absolute_times_need_no_label() {
        for text in [
            "I was there on 7 May 2023.",
            "since 2019",
            "On May 7th, 2021 we met",
            "due 2024-01-31",
            "in June 2020",
        ] {
            assert_eq!(labels(text), ["-"], "{text}");
        }
    }

    #[test]
    fn habits_ages_and_names_are_no_dates() {
        for text in [
            "I swim every Friday",
            "my birthday is on May 7",
            "I may go",
            "he is two years old",
            "June is my sister",
            "march on",
            "I learned it in two weeks",
        ] {
            assert!(labels(text).is_empty(), "{text}: {:?}", labels(text));
        }
    }
}
