//! Words that point from the day of the message: "yesterday", "last week", "this Friday", "next summer".
//!
//! Part of the reading in `time.rs`.

use chrono::{Datelike, NaiveDate};

use super::calendar::{
    Grain, Stretch, month_by_name, plus_days, plus_months, season_by_name, weekday_after, weekday_before,
    weekday_by_name,
};
use super::time::{Reader, TimeMention, Unit, unit};

impl Reader<'_, '_> {
    /// Words that point from today: "yesterday", "last week", "this Friday", "tonight".
    pub(super) fn read_deictic(&self, at: usize) -> Option<TimeMention> {
        let today = self.today;
        let word = self.lower(at);
        match word {
            "yesterday" if self.lower_before(at) == "before" => {
                return self.relative(at, Stretch::day(plus_days(today, -2)));
            }
            "yesterday" => return self.relative(self.with_part_of_day(at), Stretch::day(plus_days(today, -1))),
            "tomorrow" if self.lower_before(at) == "after" => {
                return self.relative(at, Stretch::day(plus_days(today, 2)));
            }
            "tomorrow" => return self.relative(self.with_part_of_day(at), Stretch::day(plus_days(today, 1))),
            "today" | "tonight" => return self.relative(at, Stretch::day(today)),
            "last" | "past" | "previous" => return self.read_last(at),
            "next" | "coming" | "following" => return self.read_next(at),
            "this" => return self.read_this(at),
            _ => {}
        }
        // "on Friday", "Friday": the tense says which.
        let weekday = weekday_by_name(word).filter(|_| self.words[at].is_capitalised())?;
        if self.recurs
            || ["every", "each", "on"].contains(&self.lower_before(at)) && self.words[at].lower.ends_with("days")
        {
            return None;
        }
        let day = if self.future {
            weekday_after(today, weekday)
        } else {
            weekday_before(today, weekday)
        };
        self.relative(self.with_part_of_day(at), Stretch::day(day))
    }

    fn with_part_of_day(&self, at: usize) -> usize {
        let next_is_part = ["morning", "afternoon", "evening", "night"].contains(&self.lower(at + 1));
        if next_is_part && !self.words[at].pauses() {
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
                    if let Some(weekday) = weekday_by_name(word) {
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
                        let start = NaiveDate::from_ymd_opt(today.year(), month, 1)?;
                        let over = plus_months(start, 3) <= today;
                        Stretch {
                            start: if over { start } else { plus_months(start, -12) },
                            grain: Grain::Season,
                        }
                    } else {
                        return None;
                    }
                }
            },
        };
        self.relative(self.with_part_of_day(unit_at), stretch)
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
                None => {
                    if let Some(weekday) = weekday_by_name(word) {
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
                        let start = NaiveDate::from_ymd_opt(today.year(), month, 1)?;
                        Stretch {
                            start: if start <= today { plus_months(start, 12) } else { start },
                            grain: Grain::Season,
                        }
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
        self.relative(unit_at, stretch)
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
            "morning" | "afternoon" | "evening" => Stretch::day(today),
            "weekend" => Stretch::weekend_of(today),
            "week" => Stretch::week_of(today),
            "month" => Stretch::month_of(today),
            "year" => Stretch::year(today.year())?,
            _ => {
                if let Some(weekday) = weekday_by_name(word) {
                    Stretch::day(if self.future || today.weekday() == weekday {
                        plus_days(weekday_after(plus_days(today, -1), weekday), 0)
                    } else {
                        weekday_before(today, weekday)
                    })
                } else if let Some(month) = season_by_name(word) {
                    Stretch {
                        start: NaiveDate::from_ymd_opt(today.year(), month, 1)?,
                        grain: Grain::Season,
                    }
                } else if let Some(month) = month_by_name(word) {
                    Stretch::month_of(NaiveDate::from_ymd_opt(today.year(), month, 1)?)
                } else {
                    return None;
                }
            }
        };
        self.relative(unit_at, stretch)
    }
}
