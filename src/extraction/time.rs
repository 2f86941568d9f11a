//! Times that a sentence speaks of, resolved against the day on which it was sent.
//!
//! This file reads what names a day, a month or a year and what is counted ("in two weeks"); `time_words.rs` what
//! points from today, `time_tense.rs` which way the clause looks, `calendar.rs` and `holiday.rs` find the days. A day
//! that was worked out goes with a fact as its time and never into its words.

use std::borrow::Cow;
use std::sync::LazyLock;

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use super::calendar::{
    Grain, Stretch, day_of_month, month_by_name, number, numeric_date, plus_days, plus_months, season_by_name,
    weekday_by_name, weekday_of_month, year,
};
use super::holiday;
use super::lexicon::is_function;
use super::time_tense::{Tense, clauses, is_counted_per_time};
use super::verb;
use super::word::Word;
use super::word_lists::WordLists;
use crate::model::{TimePrecision, is_servable};

pub(super) static LISTS: LazyLock<WordLists> =
    LazyLock::new(|| WordLists::parse(include_str!("../../assets/english/time.tsv")));

/// One expression of time in a sentence.
#[derive(Clone, Debug)]
pub(super) struct TimeMention {
    /// Index of its last word.
    pub(super) last: usize,
    /// What it means; absent where it is no single time: "since 2019", "every Friday".
    pub(super) stretch: Option<Stretch>,
}

impl TimeMention {
    pub(super) fn new(last: usize, stretch: Stretch) -> Self {
        Self {
            last,
            stretch: Some(stretch),
        }
    }

    /// A time that dates nothing.
    pub(super) fn of_no_event(last: usize) -> Self {
        Self { last, stretch: None }
    }
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
        plain: words.iter().map(|word| plain(&word.lower)).collect(),
        clauses: clauses(words),
        today,
        is_counted_per_time: is_counted_per_time(words),
    };
    let mut out: Vec<TimeMention> = Vec::new();
    let (mut at, mut year) = (0, None);
    while at < words.len() {
        match reader.read_in_row(at, year).or_else(|| reader.read(at)) {
            Some(mention) => {
                at = mention.last.max(at) + 1;
                year = mention.stretch.map(|stretch| stretch.start.year()).or(year);
                out.push(mention);
            }
            None => at += 1,
        }
    }
    out
}

/// The word as it is usually spelt, without a possessive or a short "is".
fn plain(lower: &str) -> Cow<'_, str> {
    let bare = lower.strip_suffix("'s").unwrap_or(lower);
    let bare = LISTS.meaning("spelt", bare).unwrap_or(bare);
    let is_time = bare != lower
        && (weekday_by_name(bare).is_some() || is_unit_or_day(bare) || LISTS.meaning("spelt", lower).is_some())
        || ["today", "tomorrow", "yesterday", "tonight"].contains(&bare);
    if is_time {
        Cow::Borrowed(bare)
    } else {
        Cow::Borrowed(LISTS.meaning("spelt", lower).unwrap_or(lower))
    }
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
    Hour,
    Day,
    Week,
    Fortnight,
    Month,
    Year,
    Decade,
}

/// The unit by its name.
pub(super) fn unit(lower: &str) -> Option<Unit> {
    Some(match lower.strip_suffix('s').unwrap_or(lower) {
        "minute" | "hour" => Unit::Hour,
        "day" | "night" => Unit::Day,
        "week" => Unit::Week,
        "fortnight" => Unit::Fortnight,
        "month" => Unit::Month,
        "year" | "yr" => Unit::Year,
        "decade" => Unit::Decade,
        _ => return None,
    })
}

/// A sentence read for times.
pub(super) struct Reader<'w, 'a> {
    pub(super) words: &'w [Word<'a>],
    /// The words as they are usually spelt.
    plain: Vec<Cow<'w, str>>,
    /// The clause that each word stands in.
    pub(super) clauses: Vec<usize>,
    pub(super) today: NaiveDate,
    /// "twice a week".
    pub(super) is_counted_per_time: bool,
}

impl Reader<'_, '_> {
    pub(super) fn lower(&self, at: usize) -> &str {
        self.plain.get(at).map_or("", |lower| lower)
    }

    pub(super) fn lower_before(&self, at: usize) -> &str {
        at.checked_sub(1).map_or("", |at| self.lower(at))
    }

    /// Whether the word at `at` ends a clause or what follows belongs to no noun phrase with it.
    pub(super) fn stands_alone(&self, at: usize) -> bool {
        let Some(next) = self.words.get(at + 1) else {
            return true;
        };
        let lower = self.lower(at + 1);
        self.words[at].pauses()
            || is_function(lower)
            || LISTS.holds("parts of day", lower)
            || weekday_by_name(lower).is_some()
            || next.lower.starts_with(|c: char| c.is_ascii_digit())
            || ["@", "&", "+"].contains(&lower)
            || verb::is_past(lower)
            || verb::is_ing(lower)
            || lower.strip_suffix('s').is_some_and(verb::is_base)
    }

    fn read(&self, at: usize) -> Option<TimeMention> {
        match self.lower(at) {
            "since" => self.read_bound(at),
            // "before the 14th" is some other day.
            "before" | "after" if !["day", "week", "month", "year"].contains(&self.lower_before(at)) => {
                self.read_bound(at)
            }
            // "moved from Tuesday to Thursday"
            "from" if self.moves_a_date(at) => self.read_bound(at),
            _ => self.read_time(at),
        }
    }

    fn read_time(&self, at: usize) -> Option<TimeMention> {
        if at >= self.words.len() {
            return None;
        }
        self.read_part(at)
            .or_else(|| self.read_deictic(at))
            .or_else(|| self.read_holiday(at))
            .or_else(|| self.read_month(at))
            .or_else(|| self.read_day_of_month(at))
            .or_else(|| self.read_numeric(at))
            .or_else(|| self.read_season(at))
            .or_else(|| self.read_counted(at))
    }

    /// "since 2019", "since last spring", "before the 14th": where something begins or ends, no event.
    fn read_bound(&self, at: usize) -> Option<TimeMention> {
        let inner = (at + 1..at + 5)
            .take_while(|inner| {
                *inner == at + 1 || is_function(self.lower(inner - 1)) || self.lower(inner - 1).len() < 6
            })
            .find_map(|inner| self.read_time(inner))?;
        Some(TimeMention::of_no_event(inner.last))
    }

    /// "the same autumn": of the year that was spoken of before.
    fn read_in_row(&self, at: usize, year: Option<i32>) -> Option<TimeMention> {
        let year = year.filter(|_| self.lower(at) == "same" || self.lower(at) == "that")?;
        let name = self.lower(at + 1);
        if let Some(month) = season_by_name(name) {
            return Some(TimeMention::new(at + 1, Stretch::season(year, month)?));
        }
        if name == "year" {
            return Some(TimeMention::new(at + 1, Stretch::year(year)?));
        }
        let start = NaiveDate::from_ymd_opt(year, month_by_name(name)?, 1)?;
        Some(TimeMention::new(at + 1, Stretch::month_of(start)))
    }

    /// "end of July", "the second week of August", "the last day of the month", "the week of the 17th".
    fn read_part(&self, at: usize) -> Option<TimeMention> {
        let word = self.lower(at);
        let skip_the = |at: usize| if self.lower(at) == "the" { at + 1 } else { at };
        if ["end", "start", "beginning", "middle", "close"].contains(&word) {
            let whole_at = skip_the(if self.lower(at + 1) == "of" { at + 2 } else { at + 1 });
            if self.recurs(at) {
                return Some(TimeMention::of_no_event(whole_at));
            }
            return self.read_whole(whole_at, at);
        }
        if word == "week" && self.lower(at + 1) == "of" {
            let day_at = skip_the(at + 2);
            let day = self.read_day_of_month(day_at).or_else(|| self.read_month(day_at))?;
            let stretch = day.stretch.filter(|stretch| stretch.grain == Grain::Day)?;
            return Some(TimeMention::new(day.last, Stretch::week_of(stretch.start)));
        }
        let is_last = word == "last";
        let nth = LISTS
            .meaning("ordinals", word)
            .and_then(|n| n.parse::<u32>().ok())
            .or_else(|| day_of_month(word).filter(|_| !word.ends_with(|c: char| c.is_ascii_digit())));
        if !is_last && nth.is_none_or(|nth| nth > 5) {
            return None;
        }
        let name = self.lower(at + 1);
        let month_at = skip_the(at + 3);
        if !["of", "in"].contains(&self.lower(at + 2)) {
            return None;
        }
        if LISTS.holds("each", self.lower(month_at)) {
            return Some(TimeMention::of_no_event(month_at + 1));
        }
        let whole = self.read_whole(month_at, at)?;
        if self.recurs(at) {
            return Some(TimeMention::of_no_event(whole.last));
        }
        let month = whole.stretch.filter(|stretch| stretch.grain == Grain::Month)?.start;
        let week = if is_last { None } else { nth };
        let stretch = match name {
            "day" => Stretch::day(match week {
                Some(nth) => plus_days(month, i64::from(nth) - 1),
                None => plus_days(plus_months(month, 1), -1),
            }),
            "week" => Stretch::week_of(weekday_of_month(month, chrono::Weekday::Mon, week)?),
            "weekend" => Stretch::weekend_of(weekday_of_month(month, chrono::Weekday::Sat, week)?),
            _ => Stretch::day(weekday_of_month(month, weekday_by_name(name)?, week)?),
        };
        Some(TimeMention::new(whole.last, stretch))
    }

    /// A month, a year or a week that something is a part of; `first` is where the expression begins.
    fn read_whole(&self, at: usize, first: usize) -> Option<TimeMention> {
        let today = self.today;
        let this = match self.lower(at) {
            "month" => Some(Stretch::month_of(today)),
            "year" => Stretch::year(today.year()),
            "week" => Some(Stretch::week_of(today)),
            _ => None,
        };
        if let Some(stretch) = this.filter(|_| self.lower_before(at) == "the") {
            return Some(TimeMention::new(at, stretch));
        }
        if let Some(month) = month_by_name(self.lower(at)) {
            if let Some(year) = year(self.lower(at + 1)) {
                let start = NaiveDate::from_ymd_opt(year, month, 1)?;
                return Some(TimeMention::new(at + 1, Stretch::month_of(start)));
            }
            let start = self.month_near(month, self.is_ahead(first, at))?;
            return Some(TimeMention::new(at, Stretch::month_of(start)));
        }
        if let Some(year) = year(self.lower(at)) {
            return Some(TimeMention::new(at, Stretch::year(year)?));
        }
        self.read_deictic(at)
            .or_else(|| self.read_season(at))
            .filter(|whole| whole.stretch.is_some_and(|stretch| stretch.grain != Grain::Day))
    }

    /// "May 7", "May 7th, 2023", "May 2023", "in May".
    fn read_month(&self, at: usize) -> Option<TimeMention> {
        let word = self.lower(at);
        let (prefix, name) = word.split_once('-').unwrap_or(("", word));
        let name = if LISTS.holds("month leads", prefix) { name } else { word };
        let month = month_by_name(name)?;
        let next = self.lower(at + 1);
        if let Some(day) = first_day(next).filter(|_| !self.words[at].pauses()) {
            if LISTS.holds("measures", self.lower(at + 2)) && !self.words[at + 1].pauses() {
                return None;
            }
            return self.dated(day, month, at + 2, at, at + 1);
        }
        let year_at = if next == "of" { at + 2 } else { at + 1 };
        if let Some(year) = year(self.lower(year_at)) {
            let start = NaiveDate::from_ymd_opt(year, month, 1)?;
            return Some(TimeMention::new(year_at, Stretch::month_of(start)));
        }
        let lead = self.lower_before(at);
        let is_lead = match LISTS.holds("doubtful", name) {
            true => {
                LISTS.holds("sure leads", lead)
                    || LISTS.holds("sure leads", prefix)
                    || LISTS.holds("month leads", lead) && LISTS.holds("goes on", next)
            }
            false => LISTS.holds("month leads", lead) || !prefix.is_empty(),
        };
        if !is_lead {
            return None;
        }
        if self.recurs(at) || self.tense(at, at) == Tense::Habit {
            return Some(TimeMention::of_no_event(at));
        }
        let start = self.month_near(month, self.is_ahead(at, at))?;
        Some(TimeMention::new(at, Stretch::month_of(start)))
    }

    /// "7 May", "7th of May 2023", "from the 3rd to the 11th of October", "the 29th".
    fn read_day_of_month(&self, at: usize) -> Option<TimeMention> {
        let word = self.lower(at);
        let spelt = LISTS.meaning("ordinals", word).and_then(|n| n.parse().ok());
        let day = first_day(word).or(spelt)?;
        if self.words[at].trail.contains([':', '%']) {
            return None;
        }
        let month_at = if self.lower(at + 1) == "of" { at + 2 } else { at + 1 };
        if let Some(month) = self.month_beside(month_at) {
            return self.dated(day, month, month_at + 1, at, month_at);
        }
        if ["to", "until", "through", "-", "–", "and", "or"].contains(&self.lower(at + 1)) {
            let end_at = if self.lower(at + 2) == "the" { at + 3 } else { at + 2 };
            let month_at = if self.lower(end_at + 1) == "of" {
                end_at + 2
            } else {
                end_at + 1
            };
            if let Some(month) = first_day(self.lower(end_at)).and_then(|_| self.month_beside(month_at)) {
                return self.dated(day, month, month_at + 1, at, month_at);
            }
        }
        let is_ordinal = spelt.is_none() && !word.ends_with(|c: char| c.is_ascii_digit());
        let lead = self.lower_before(at);
        let led = lead == "the"
            || LISTS.holds("day leads", lead) && !["of", "is", "to"].contains(&lead)
            || weekday_by_name(lead).is_some();
        if !is_ordinal || !led || lead == "last" || lead == "next" || lead == "this" {
            return None;
        }
        let next = self.lower(at + 1);
        if next == "of" && !self.words[at].pauses() {
            let whole = self.read_whole(if self.lower(at + 2) == "the" { at + 3 } else { at + 2 }, at)?;
            let month = whole.stretch.filter(|stretch| stretch.grain == Grain::Month)?.start;
            return Some(TimeMention::new(whole.last, Stretch::day(month.with_day(day)?)));
        }
        if LISTS.holds("measures", next) && !self.words[at].pauses() || !self.stands_alone(at) || self.recurs(at) {
            return None;
        }
        let start = self.day_near(day, self.is_ahead(at, at))?;
        Some(TimeMention::new(at, Stretch::day(start)))
    }

    /// The month that belongs to a day before it.
    fn month_beside(&self, at: usize) -> Option<u32> {
        let name = self.lower(at);
        let month = month_by_name(name)?;
        // "3 may come", "the 2nd march"
        let is_of = self.lower_before(at) == "of" || self.lower_before(at).ends_with(|c: char| c.is_alphabetic());
        let is_verb = name == "may" && !is_of && !self.stands_alone(at) && !self.words[at].is_capitalised();
        (!is_verb).then_some(month)
    }

    /// 2023-05-07, and years: "in 2019", "2011–2017".
    fn read_numeric(&self, at: usize) -> Option<TimeMention> {
        let word = &self.words[at];
        if let Some(date) = numeric_date(word.core) {
            return Some(TimeMention::new(at, Stretch::day(date)));
        }
        if let Some((first, end)) = word.lower.split_once(['-', '–']) {
            let years = (year(first), year(end));
            return match years {
                (Some(first), Some(end)) if first <= end => Some(TimeMention::new(at, Stretch::year(first)?)),
                (Some(_), None) if ["present", "now", "today", "current"].contains(&end) => {
                    Some(TimeMention::of_no_event(at))
                }
                (None, Some(year)) if LISTS.holds("month leads", first) => {
                    Some(TimeMention::new(at, Stretch::year(year)?))
                }
                _ => None,
            };
        }
        let stretch = Stretch::year(year(&word.lower)?)?;
        let lead = self.lower_before(at);
        let led = [
            "in", "from", "until", "of", "during", "by", "around", "early", "late", "back", "between",
        ]
        .contains(&lead);
        let ends = at + 1 == self.words.len() || word.pauses();
        // "Past injuries: ankle, 2022", "graduated 2015"
        let closes =
            ends && at > 0 && (self.words[at - 1].trail.ends_with(',') || verb::is_past(lead) || lead == "here");
        let is_count = !ends
            && !self.stands_alone(at)
            && self
                .words
                .get(at + 1)
                .is_some_and(|next| !next.is_capitalised() && !verb::is_base(&next.lower));
        (led && !is_count || closes).then(|| TimeMention::new(at, stretch))
    }

    /// A month and a day of it; the year may stand at `year_at`.
    fn dated(&self, day: u32, month: u32, year_at: usize, first: usize, last: usize) -> Option<TimeMention> {
        let year_at = if ["of", "in"].contains(&self.lower(year_at)) {
            year_at + 1
        } else {
            year_at
        };
        if let Some(year) = year(self.lower(year_at)) {
            let start = NaiveDate::from_ymd_opt(year, month, day)?;
            return Some(TimeMention::new(year_at, Stretch::day(start)));
        }
        let own = self.clauses[first];
        let is_yearly = (first.saturating_sub(12)..self.words.len().min(first + 12))
            .any(|at| self.clauses[at] == own && LISTS.holds("yearly", self.lower(at)));
        if is_yearly || self.recurs(first) {
            return Some(TimeMention::of_no_event(last));
        }
        if ["next", "last"].contains(&self.lower(last + 1)) && self.lower(last + 2) == "year" {
            let years = if self.lower(last + 1) == "next" { 1 } else { -1 };
            let start = NaiveDate::from_ymd_opt(self.today.year() + years, month, day)?;
            return Some(TimeMention::new(last + 2, Stretch::day(start)));
        }
        let ahead = self.is_ahead(first, last);
        let start = self.nearest_year(ahead, |year| NaiveDate::from_ymd_opt(year, month, day))?;
        Some(TimeMention::new(last, Stretch::day(start)))
    }

    /// The next or last occurrence of a yearly date, today among them.
    pub(super) fn nearest_year(&self, ahead: bool, date_in: impl Fn(i32) -> Option<NaiveDate>) -> Option<NaiveDate> {
        let this_year = self.today.year();
        // Eight years hold a leap day.
        (-1..=8)
            .map(|step| if ahead { this_year + step } else { this_year - step })
            .filter_map(date_in)
            .find(|date| {
                if ahead {
                    *date >= self.today
                } else {
                    *date <= self.today
                }
            })
    }

    pub(super) fn month_near(&self, month: u32, ahead: bool) -> Option<NaiveDate> {
        let this_month = self.today.with_day(1)?;
        let this_year = NaiveDate::from_ymd_opt(self.today.year(), month, 1)?;
        Some(if ahead && this_year < this_month {
            plus_months(this_year, 12)
        } else if !ahead && this_year > this_month {
            plus_months(this_year, -12)
        } else {
            this_year
        })
    }

    fn day_near(&self, day: u32, ahead: bool) -> Option<NaiveDate> {
        let this_month = self.today.with_day(1)?;
        (0..12)
            .filter_map(|months| plus_months(this_month, if ahead { months } else { -months }).with_day(day))
            .find(|date| {
                if ahead {
                    *date >= self.today
                } else {
                    *date <= self.today
                }
            })
    }

    /// "in the spring", "summer of 2023", "over the winter".
    fn read_season(&self, at: usize) -> Option<TimeMention> {
        let word = self.lower(at);
        let (prefix, name) = word.split_once('-').unwrap_or(("", word));
        let name = if LISTS.holds("season leads", prefix) {
            name
        } else {
            word
        };
        let month = season_by_name(name)?;
        let year_at = if self.lower(at + 1) == "of" { at + 2 } else { at + 1 };
        let written = self.lower(year_at);
        if let Some(year) = year(written.get(..4).unwrap_or("")).filter(|_| written.len() == 4 || written.contains('/'))
        {
            return Some(TimeMention::new(year_at, Stretch::season(year, month)?));
        }
        let lead = self.lead(at);
        if !LISTS.holds("season leads", lead) && !LISTS.holds("season leads", prefix) || !self.stands_alone(at) {
            return None;
        }
        let tense = self.tense(at, at);
        // "in winter" alone comes back unless the sentence says that it is one to come.
        let is_one = self.lower_before(at) == "the" || tense != Tense::Ahead || speaks_of_future(self.words);
        if self.recurs(at) || tense == Tense::Habit || !is_one {
            return Some(TimeMention::of_no_event(at));
        }
        let ahead = self.is_ahead(at, at);
        let start = self.nearest_season(month, ahead)?;
        Some(TimeMention::new(at, start))
    }

    /// The season that runs now, or the next or last one.
    pub(super) fn nearest_season(&self, month: u32, ahead: bool) -> Option<Stretch> {
        let year = self.today.year();
        let years = if ahead {
            [year - 1, year, year + 1]
        } else {
            [year, year - 1, year - 2]
        };
        years
            .into_iter()
            .filter_map(|year| Stretch::season(year, month))
            .find(|season| {
                if ahead {
                    plus_months(season.start, 3) > self.today
                } else {
                    season.start <= self.today
                }
            })
    }

    /// "over Christmas", "on Halloween", "Easter's at my parents'".
    fn read_holiday(&self, at: usize) -> Option<TimeMention> {
        let (holiday, length) = holiday::at(self.words, at)?;
        let last = at + length - 1;
        let lead = self.lead(at);
        let given = year(self.lower(last + 1));
        let before = self.lower_before(at);
        let pointed = ["this", "last", "next"].contains(&before);
        let next = self.lower(last + 1);
        let hosts = (self.words[last].lower.ends_with("'s") || LISTS.holds("be", next))
            && ["at", "in", "with", "on", "is", "next"]
                .iter()
                .any(|place| [self.lower(last + 1), self.lower(last + 2)].contains(place));
        let led = LISTS.holds("holiday leads", lead) || pointed || hosts || given.is_some();
        let is_thing = !self.stands_alone(last) && given.is_none() && !LISTS.holds("holiday nouns", next);
        if !led || is_thing {
            return None;
        }
        let last = if given.is_some() { last + 1 } else { last };
        let start = match given {
            Some(year) => holiday.in_year(year)?,
            None if self.recurs(at) || self.tense(at, last) == Tense::Habit => {
                return Some(TimeMention::of_no_event(last));
            }
            None => {
                let ahead = before == "next" || before != "last" && self.is_ahead(at, last);
                self.nearest_year(ahead, |year| holiday.in_year(year))?
            }
        };
        Some(TimeMention::new(last, Stretch::day(start)))
    }

    /// "three weeks ago", "in two months", "2 weeks today", "a week from Tuesday".
    fn read_counted(&self, at: usize) -> Option<TimeMention> {
        let mut count_at = at;
        let opens = self.lower(at);
        if ["in", "for", "past", "last", "within"].contains(&opens) {
            count_at += 1;
        }
        while [
            "about", "around", "almost", "nearly", "over", "the", "past", "last", "just", "like", "roughly", "maybe",
            "exactly", "some", "only", "another",
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
        let is_vague = ["few", "several"].contains(&self.lower(count_at));
        let mut unit_at = count_at + 1;
        while ["of", "more", "good", "short", "long", "full"].contains(&self.lower(unit_at)) && unit_at < count_at + 3 {
            unit_at += 1;
        }
        let unit = unit(self.lower(unit_at))?;
        let after = self.lower(unit_at + 1);
        let behind = self.lower(unit_at + 2);
        if ["on", "from"].contains(&after) && matches!(unit, Unit::Week | Unit::Fortnight) {
            let pointed_at = if behind == "the" { unit_at + 3 } else { unit_at + 2 };
            let days = if unit == Unit::Week { 7 } else { 14 } * count;
            if weekday_by_name(self.lower(pointed_at)).is_some()
                || ["today", "tomorrow"].contains(&self.lower(pointed_at))
            {
                let from = self.next_day_named(pointed_at)?;
                return Some(TimeMention::new(pointed_at, Stretch::day(plus_days(from, days))));
            }
        }
        if matches!(after, "today" | "tomorrow") && matches!(unit, Unit::Day | Unit::Week | Unit::Fortnight) {
            let days = self.exact_days(count, unit) + i64::from(after == "tomorrow");
            return Some(TimeMention::new(unit_at + 1, Stretch::day(plus_days(self.today, days))));
        }
        let ago =
            ["ago", "prior"].contains(&after) || after == "back" && self.stands_alone(unit_at + 1) && opens != "in";
        if ago && behind == "today" {
            let days = self.exact_days(-count, unit);
            return Some(TimeMention::new(unit_at + 2, Stretch::day(plus_days(self.today, days))));
        }
        if unit == Unit::Hour && !ago {
            return None;
        }
        let last = if ago {
            Some(unit_at + 1)
        } else if after == "from" && behind == "now" || after == "to" && behind == "go" {
            Some(unit_at + 2)
        } else if after == "until" && opens != "for" {
            Some(unit_at + 1)
        } else {
            let is_age = after == "old" || after == "older";
            (opens == "in" && !is_age && self.tense(at, unit_at) == Tense::Ahead).then_some(unit_at)
        };
        let last = last?;
        let stretch = self.shifted(if ago { -count } else { count }, unit)?;
        Some(TimeMention::new(
            last,
            if is_vague { stretch.coarser() } else { stretch },
        ))
    }

    fn exact_days(&self, count: i64, unit: Unit) -> i64 {
        let count = count.clamp(-5000, 5000);
        match unit {
            Unit::Hour => 0,
            Unit::Day => count,
            Unit::Week => count * 7,
            Unit::Fortnight => count * 14,
            Unit::Month | Unit::Year | Unit::Decade => {
                let months = i32::try_from(if unit == Unit::Month { count } else { count * 12 }).unwrap_or(0);
                (plus_months(self.today, months) - self.today).num_days()
            }
        }
    }

    fn shifted(&self, count: i64, unit: Unit) -> Option<Stretch> {
        let months = i32::try_from(count.clamp(-2400, 2400)).ok()?;
        Some(match unit {
            Unit::Hour => Stretch::day(self.today),
            Unit::Day => Stretch::day(plus_days(self.today, count)),
            Unit::Week => Stretch::week_of(plus_days(self.today, count.saturating_mul(7))),
            Unit::Fortnight => Stretch::week_of(plus_days(self.today, count.saturating_mul(14))),
            Unit::Month => Stretch::month_of(plus_months(Stretch::month_of(self.today).start, months)),
            Unit::Year => Stretch::year(self.today.year().saturating_add(months))?,
            Unit::Decade => Stretch::year(self.today.year().saturating_add(months.saturating_mul(10)))?,
        })
    }
}

/// "7", "7th", and of "3-11" and "3rd–5th" the first.
fn first_day(lower: &str) -> Option<u32> {
    match lower.split_once(['-', '–', '/']) {
        Some((first, end)) => day_of_month(end).and_then(|_| day_of_month(first)),
        None => day_of_month(lower),
    }
}
