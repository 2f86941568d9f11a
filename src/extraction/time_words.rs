//! Words that point from the day of the message: "yesterday", "last week", "this Friday", "next summer".
//!
//! Part of the reading in `time.rs`.

use chrono::{Datelike, NaiveDate, Weekday};

use super::calendar::{
    Stretch, day_of_month, month_by_name, plus_days, plus_months, season_by_name, weekday_after, weekday_before,
    weekday_by_name,
};
use super::time::{LISTS, Reader, TimeMention, Unit, unit};
use super::time_tense::Tense;

impl Reader<'_, '_> {
    /// Words that point from today: "yesterday", "last week", "this Friday", "tonight".
    pub(super) fn read_deictic(&self, at: usize) -> Option<TimeMention> {
        let today = self.today;
        let day = |last: usize, days: i64| {
            Some(TimeMention::new(
                self.with_part_of_day(last),
                Stretch::day(plus_days(today, days)),
            ))
        };
        match (self.lower(at), self.lower(at + 1), self.lower(at + 2)) {
            ("day", "after", "tomorrow") => return day(at + 2, 2),
            ("day", "before", "yesterday") => return day(at + 2, -2),
            // The next one, and seen from another day.
            ("week" | "weekend", "after", "next") => return self.read_after_next(at),
            ("weekend" | "week" | "day" | "month" | "year", "after" | "before", _) => {
                return Some(TimeMention::of_no_event(at + 1));
            }
            ("overmorrow", ..) => return day(at, 2),
            ("yesterday", ..) => return day(at, -1),
            ("tomorrow", ..) => return day(at, 1),
            ("today" | "tonight", ..) => return day(at, 0),
            ("last" | "past" | "previous", ..) => return self.read_last(at),
            ("next" | "coming", ..) => return self.read_next(at),
            ("this", ..) => return self.read_this(at),
            ("weekend", ..) => return self.read_weekend(at),
            _ => {}
        }
        self.read_weekday(at)
    }

    fn read_after_next(&self, at: usize) -> Option<TimeMention> {
        let fortnight = plus_days(self.today, 14);
        let stretch = match self.lower(at) {
            "week" => Stretch::week_of(fortnight),
            _ => Stretch::weekend_of(fortnight),
        };
        Some(TimeMention::new(at + 2, stretch))
    }

    /// "over the weekend": the tense says which.
    fn read_weekend(&self, at: usize) -> Option<TimeMention> {
        if self.lower_before(at) != "the" || !["over", "at", "on", "for", "during"].contains(&self.lead(at)) {
            return None;
        }
        if self.recurs(at) || self.tense(at, at) == Tense::Habit {
            return Some(TimeMention::of_no_event(at));
        }
        let this = Stretch::weekend_of(self.today);
        let is_over = !self.is_ahead(at, at) && this.start > self.today;
        let stretch = if is_over {
            Stretch::weekend_of(plus_days(self.today, -7))
        } else {
            this
        };
        Some(TimeMention::new(at, stretch))
    }

    /// "on Friday", "Friday", "Friday next week": the tense says which, where the words don't.
    fn read_weekday(&self, at: usize) -> Option<TimeMention> {
        let word = self.lower(at);
        // Recurring: "Fridays", "on Friday evenings".
        if word
            .strip_suffix('s')
            .is_some_and(|day| day.ends_with("day") && weekday_by_name(day).is_some())
        {
            return Some(TimeMention::of_no_event(at));
        }
        let weekday = self.weekday(at)?;
        let next = self.lower(at + 1);
        if LISTS.holds("times of days", next) || self.recurs(at) {
            return Some(TimeMention::of_no_event(at));
        }
        if LISTS.holds("titles", self.lower_before(at)) {
            return None;
        }
        let led = LISTS.holds("day leads", self.lower_before(at)) && self.lower_before(at) != "the";
        if !led && !self.stands_alone(at) && !["week", "next", "last", "this"].contains(&next) {
            return None;
        }
        let the = usize::from(next == "the");
        // The date itself follows: "Friday the 13th", "Friday, 13 March".
        let date_follows = day_of_month(self.lower(at + 1 + the)).is_some()
            && (the == 1 || month_by_name(self.lower(at + 2)).is_some() || self.lower(at + 2) == "of")
            || month_by_name(next).is_some() && day_of_month(self.lower(at + 2)).is_some();
        if date_follows {
            return None;
        }
        let today = self.today;
        let end_at = at + 2;
        let is_range = ["to", "through", "thru", "-", "–", "until"].contains(&next)
            && self.weekday(end_at).is_some()
            && !self.moves_a_date(at);
        let tense = self.tense(at, at);
        if is_range && tense == Tense::Habit {
            return Some(TimeMention::of_no_event(end_at));
        }
        let last = if is_range { end_at } else { at };
        let pointer_at = if self.lower(last + 1) == "of" {
            last + 2
        } else {
            last + 1
        };
        if self.lower(pointer_at + 1) == "week" && ["next", "this", "last"].contains(&self.lower(pointer_at)) {
            let weeks = match self.lower(pointer_at) {
                "next" => 7,
                "last" => -7,
                _ => 0,
            };
            let monday = Stretch::week_of(plus_days(today, weeks)).start;
            let day = plus_days(monday, i64::from(weekday.num_days_from_monday()));
            return Some(TimeMention::new(pointer_at + 1, Stretch::day(day)));
        }
        let ahead = self.is_ahead(at, at);
        let day = if ahead {
            weekday_after(today, weekday)
        } else {
            weekday_before(today, weekday)
        };
        // "Tuesday week"
        if next == "week" && ahead {
            return Some(TimeMention::new(at + 1, Stretch::day(plus_days(day, 7))));
        }
        Some(TimeMention::new(self.with_part_of_day(last), Stretch::day(day)))
    }

    /// The weekday named at `at`; "sat" and "sun" only behind a word of time.
    fn weekday(&self, at: usize) -> Option<Weekday> {
        let word = self.lower(at);
        let Some(doubtful) = LISTS.meaning("doubtful weekday", word) else {
            return weekday_by_name(word);
        };
        let led = ["on", "this", "next", "last", "coming", "until"].contains(&self.lower_before(at));
        weekday_by_name(doubtful).filter(|_| led)
    }

    /// The next day of a name, or today and tomorrow.
    pub(super) fn next_day_named(&self, at: usize) -> Option<NaiveDate> {
        Some(match self.lower(at) {
            "today" => self.today,
            "tomorrow" => plus_days(self.today, 1),
            name => weekday_after(self.today, weekday_by_name(name)?),
        })
    }

    fn with_part_of_day(&self, at: usize) -> usize {
        if LISTS.holds("parts of day", self.lower(at + 1)) && !self.words[at].pauses() {
            at + 1
        } else {
            at
        }
    }

    fn read_last(&self, at: usize) -> Option<TimeMention> {
        let today = self.today;
        let unit_at = at + 1;
        let word = self.lower(unit_at);
        // "over the last month" is a span up to now, not the month before.
        let spans = self.lower_before(at) == "the"
            && at >= 2
            && ["in", "over", "for", "during", "of", "throughout"].contains(&self.lower(at - 2));
        if self.words[at].pauses() || spans {
            return None;
        }
        let stretch = match word {
            "night" | "evening" => Stretch::day(plus_days(today, -1)),
            "weekend" => Stretch::weekend_of(plus_days(today, -7)),
            _ => match unit(word) {
                Some(Unit::Week) if !word.ends_with('s') => Stretch::week_of(plus_days(today, -7)),
                Some(Unit::Month) if !word.ends_with('s') => {
                    Stretch::month_of(plus_months(Stretch::month_of(today).start, -1))
                }
                Some(Unit::Year) if !word.ends_with('s') => Stretch::year(today.year() - 1)?,
                Some(_) => return None,
                None => {
                    if let Some(weekday) = self.weekday(unit_at) {
                        Stretch::day(weekday_before(today, weekday))
                    } else if let Some(month) = month_by_name(word) {
                        let start = NaiveDate::from_ymd_opt(today.year(), month, 1)?;
                        let this_month = Stretch::month_of(today).start;
                        Stretch::month_of(if start >= this_month {
                            plus_months(start, -12)
                        } else {
                            start
                        })
                    } else if let Some(month) = season_by_name(word) {
                        // The one that is over.
                        (0..3)
                            .filter_map(|years| Stretch::season(today.year() - years, month))
                            .find(|season| plus_months(season.start, 3) <= today)?
                    } else {
                        return None;
                    }
                }
            },
        };
        Some(TimeMention::new(self.with_part_of_day(unit_at), stretch))
    }

    fn read_next(&self, at: usize) -> Option<TimeMention> {
        let today = self.today;
        let unit_at = at + 1;
        let word = self.lower(unit_at);
        if self.words[at].pauses() || word.ends_with('s') {
            return None;
        }
        let stretch = match word {
            "weekend" => Stretch::weekend_of(plus_days(today, 7)),
            _ => match unit(word) {
                Some(Unit::Day) => Stretch::day(plus_days(today, 1)),
                Some(Unit::Week) => Stretch::week_of(plus_days(today, 7)),
                Some(Unit::Month) => Stretch::month_of(plus_months(Stretch::month_of(today).start, 1)),
                Some(Unit::Year) => Stretch::year(today.year() + 1)?,
                Some(_) => return None,
                None => {
                    if let Some(weekday) = self.weekday(unit_at) {
                        let soonest = weekday_after(today, weekday);
                        let is_this_week = soonest.iso_week() == today.iso_week();
                        Stretch::day(if is_this_week && self.lower(at) == "next" {
                            plus_days(soonest, 7)
                        } else {
                            soonest
                        })
                    } else if let Some(month) = month_by_name(word) {
                        let start = NaiveDate::from_ymd_opt(today.year(), month, 1)?;
                        Stretch::month_of(if start <= today { plus_months(start, 12) } else { start })
                    } else if let Some(month) = season_by_name(word) {
                        (0..2)
                            .filter_map(|years| Stretch::season(today.year() + years, month))
                            .find(|season| season.start > today)?
                    } else {
                        return None;
                    }
                }
            },
        };
        // "the next day" counts from elsewhere.
        if word == "day" || word == "morning" {
            return None;
        }
        Some(TimeMention::new(self.with_part_of_day(unit_at), stretch))
    }

    fn read_this(&self, at: usize) -> Option<TimeMention> {
        let today = self.today;
        let unit_at = at + 1;
        let word = self.lower(unit_at);
        if ["past", "last"].contains(&word) {
            return self.read_last(unit_at);
        }
        if ["coming", "upcoming"].contains(&word) {
            return self.read_next(unit_at);
        }
        let stretch = match word {
            "morning" | "afternoon" | "evening" | "arvo" => Stretch::day(today),
            "weekend" if !self.is_ahead(at, unit_at) && Stretch::weekend_of(today).start > today => {
                Stretch::weekend_of(plus_days(today, -7))
            }
            "weekend" => Stretch::weekend_of(today),
            "week" => Stretch::week_of(today),
            "month" => Stretch::month_of(today),
            "year" => Stretch::year(today.year())?,
            _ => {
                if let Some(weekday) = self.weekday(unit_at) {
                    Stretch::day(if self.is_ahead(at, unit_at) || today.weekday() == weekday {
                        weekday_after(plus_days(today, -1), weekday)
                    } else {
                        weekday_before(today, weekday)
                    })
                } else if let Some(month) = season_by_name(word) {
                    self.nearest_season(month, self.is_ahead(at, unit_at))?
                } else if let Some(month) = month_by_name(word) {
                    Stretch::month_of(self.month_near(month, self.is_ahead(at, unit_at))?)
                } else {
                    return None;
                }
            }
        };
        Some(TimeMention::new(self.with_part_of_day(unit_at), stretch))
    }
}
