//! Times in other languages: months, weekdays and words such as "yesterday", by the lists of the language.
//!
//! One reading for all of them. English has more ways of saying it and its own files, `time.rs` and those beside it.

use chrono::{Datelike, NaiveDate, Weekday};

use super::calendar::{Stretch, plus_days, plus_months, weekday_after, weekday_before, year};
use super::language::Reading;

/// "on the 3rd" may stand this far before its month.
const JOINERS: usize = 2;

/// When the sentence's thing happens: its most exact time.
pub(super) fn event(reading: &Reading, today: NaiveDate) -> Option<Stretch> {
    let reader = Reader {
        reading,
        today,
        ahead: !reading.holds("past"),
    };
    (0..reading.words.len())
        .filter(|at| !reader.begins_or_recurs(*at))
        .filter_map(|at| reader.read(at))
        .min_by_key(|stretch| stretch.grain)
}

struct Reader<'r> {
    reading: &'r Reading,
    today: NaiveDate,
    /// The sentence tells nothing of the past.
    ahead: bool,
}

impl Reader<'_> {
    fn word(&self, at: usize) -> &str {
        self.reading.words.get(at).map_or("", String::as_str)
    }

    fn number(&self, at: usize) -> Option<i64> {
        let word = self.word(at);
        let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        // "1er", "3го", "2nd"
        if digits > 0 && digits <= 4 && word.len() - digits <= 4 {
            return word[..digits].parse().ok();
        }
        self.reading.meaning("number", at)?.0.parse().ok()
    }

    /// "seit Montag", "jeden Freitag", "desde 2019".
    fn begins_or_recurs(&self, at: usize) -> bool {
        let near = at.saturating_sub(3)..=at;
        self.reading
            .of("since")
            .any(|found| near.contains(&found.at) && found.at + found.length <= at + 1)
            || self.reading.holds("recurring")
    }

    fn read(&self, at: usize) -> Option<Stretch> {
        self.read_numeric(at)
            .or_else(|| self.read_marked(at))
            .or_else(|| self.read_day_and_month(at))
            .or_else(|| self.read_counted(at))
            .or_else(|| self.read_relative(at))
            .or_else(|| self.read_month_or_weekday(at))
            .or_else(|| self.read_year(at))
    }

    /// 3.5.2027 and 2027-05-03.
    fn read_numeric(&self, at: usize) -> Option<Stretch> {
        let part = |at: usize| self.word(at).parse::<u32>().ok();
        let (first, month, last) = (part(at)?, part(at + 1)?, part(at + 2)?);
        let (year, day) = if first > 1000 { (first, last) } else { (last, first) };
        (1900..2100).contains(&year).then_some(())?;
        NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day).map(Stretch::day)
    }

    /// 2027年5月3日, 5월 3일: numbers before the words for year, month and day.
    fn read_marked(&self, at: usize) -> Option<Stretch> {
        let marked = |at: usize, group: &str| {
            let number = self.word(at).parse::<u32>().ok()?;
            self.reading.meaning(group, at + 1).map(|_| number)
        };
        let year = marked(at, "year mark").filter(|year| (1900..2100).contains(year));
        let month_at = if year.is_some() { at + 2 } else { at };
        let given = year.and_then(|year| i32::try_from(year).ok());
        match (
            given,
            marked(month_at, "month mark").filter(|month| (1..=12).contains(month)),
        ) {
            (year, Some(month)) => match marked(month_at + 2, "day mark") {
                Some(day) => self.day(day, month, year).map(Stretch::day),
                None => self.month(month, year),
            },
            (Some(year), None) => Stretch::year(year),
            (None, None) => None,
        }
    }

    /// "am 3. Mai 2027", "el 3 de mayo", "3 мая".
    fn read_day_and_month(&self, at: usize) -> Option<Stretch> {
        let day = u32::try_from(self.number(at)?)
            .ok()
            .filter(|day| (1..=31).contains(day))?;
        let month_at = self.behind_joiners(at + 1);
        let (month, length) = self.reading.meaning("month", month_at)?;
        let year = year(self.word(self.behind_joiners(month_at + length)));
        self.day(day, month.parse().ok()?, year).map(Stretch::day)
    }

    fn behind_joiners(&self, at: usize) -> usize {
        (at..at + JOINERS)
            .take_while(|at| self.reading.meaning("joiner", *at).is_some())
            .last()
            .map_or(at, |last| last + 1)
    }

    /// "vor drei Jahren", "hace dos semanas", "三天前", "in zwei Wochen".
    fn read_counted(&self, at: usize) -> Option<Stretch> {
        let count = self.number(at)?;
        let length = self.reading.meaning("number", at).map_or(1, |(_, length)| length);
        let (unit, unit_length) = self.reading.meaning("unit", at + length)?;
        let end = at + length + unit_length;
        let beside = |group: &str| {
            self.reading
                .of(group)
                .any(|found| found.at + found.length == at || found.at == end)
        };
        let count = count.clamp(0, 2400);
        if beside("ago") {
            self.shifted(unit, -count)
        } else if beside("within") && self.ahead {
            self.shifted(unit, count)
        } else {
            None
        }
    }

    /// "gestern=day-1", "la semana que viene=week+1".
    fn read_relative(&self, at: usize) -> Option<Stretch> {
        let (meaning, _) = self.reading.meaning("time", at)?;
        let sign = meaning.find(['+', '-'])?;
        self.shifted(&meaning[..sign], meaning[sign..].parse().ok()?)
    }

    fn shifted(&self, unit: &str, count: i64) -> Option<Stretch> {
        let months = i32::try_from(count).ok()?;
        Some(match unit {
            "day" => Stretch::day(plus_days(self.today, count)),
            "week" => Stretch::week_of(plus_days(self.today, count * 7)),
            "weekend" => Stretch::weekend_of(plus_days(self.today, count * 7)),
            "month" => Stretch::month_of(plus_months(Stretch::month_of(self.today).start, months)),
            "year" => Stretch::year(self.today.year().saturating_add(months))?,
            _ => return None,
        })
    }

    fn read_month_or_weekday(&self, at: usize) -> Option<Stretch> {
        if let Some((month, length)) = self.reading.meaning("month", at) {
            let led = at > 0 && self.reading.of("month lead").any(|found| found.at + found.length == at);
            let year = year(self.word(self.behind_joiners(at + length)));
            return (led || year.is_some()).then(|| self.month(month.parse().ok()?, year))?;
        }
        let (number, _) = self.reading.meaning("weekday", at)?;
        let weekday = Weekday::try_from(number.parse::<u8>().ok()?.checked_sub(1)?).ok()?;
        Some(Stretch::day(if self.ahead {
            weekday_after(self.today, weekday)
        } else {
            weekday_before(self.today, weekday)
        }))
    }

    fn read_year(&self, at: usize) -> Option<Stretch> {
        let led = self.reading.of("year lead").any(|found| found.at + found.length == at);
        let tells_past = !self.ahead;
        Stretch::year(year(self.word(at)).filter(|_| led || tells_past)?)
    }

    fn day(&self, day: u32, month: u32, year: Option<i32>) -> Option<NaiveDate> {
        if let Some(year) = year {
            return NaiveDate::from_ymd_opt(year, month, day);
        }
        let this_year = self.today.year();
        (-1..=8)
            .map(|step| if self.ahead { this_year + step } else { this_year - step })
            .filter_map(|year| NaiveDate::from_ymd_opt(year, month, day))
            .find(|date| {
                if self.ahead {
                    *date >= self.today
                } else {
                    *date <= self.today
                }
            })
    }

    fn month(&self, month: u32, year: Option<i32>) -> Option<Stretch> {
        let start = NaiveDate::from_ymd_opt(year.unwrap_or(self.today.year()), month, 1)?;
        let this_month = Stretch::month_of(self.today).start;
        let moved = match year {
            None if self.ahead && start < this_month => 12,
            None if !self.ahead && start > this_month => -12,
            _ => 0,
        };
        Some(Stretch::month_of(plus_months(start, moved)))
    }
}
