//! What a question asks for besides its words: whom it names, which time it speaks of, whether it wants the present.
//!
//! Plain rules over the question's own text; nothing here sees a memory.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};

use super::attribute;
use super::lexical::QueryTerm;
use super::words::{Analyzer, MONTHS, is_stop_word, words};

/// Words that ask for how things stand now.
const PRESENT_WORDS: &[&str] = &[
    "current",
    "currently",
    "lately",
    "latest",
    "newest",
    "now",
    "nowadays",
    "presently",
    "recent",
    "recently",
];

/// How clients name the person in a question ("user interests"); memories speak of the person without it.
const ASKED_ABOUT: &str = "user";

/// Words that may stand before a month's name and make it one.
const BEFORE_MONTHS: &[&str] = &[
    "during", "early", "end", "in", "last", "late", "mid", "next", "of", "on", "since", "this", "until",
];

/// A question, read once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Question {
    /// Its index terms, each once.
    pub(super) terms: Vec<QueryTerm>,
    /// Lower-case words written with a capital inside the text: names of people, places, things.
    pub(super) names: Vec<String>,
    /// Index terms of memories that state what it asks for.
    pub(super) stated: Vec<String>,
    /// The time that it speaks of.
    pub(super) period: Option<Period>,
    /// Whether it asks for the present.
    pub(super) wants_present: bool,
    /// Whether it asks for a time.
    pub(super) asks_when: bool,
}

/// A time that a question speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Period {
    /// From the first day to the last, both included.
    Days(NaiveDate, NaiveDate),
    /// A month of any year, or one day of it.
    Yearly { month: u32, day: Option<u32> },
}

impl Question {
    pub(crate) fn read(text: &str, now: DateTime<Utc>, analyzer: &Analyzer) -> Self {
        let words: Vec<String> = words(text).collect();
        let mut terms: Vec<QueryTerm> = Vec::new();
        for word in words.iter().filter(|word| !is_stop_word(word) && *word != ASKED_ABOUT) {
            let term = analyzer.stem(word);
            match terms.iter_mut().find(|known| known.term == term) {
                Some(known) => known.weight += 0.5,
                None => terms.push(QueryTerm { term, weight: 1.0 }),
            }
        }
        Self {
            terms,
            names: names(text),
            stated: attribute::stated(&words).map(|word| analyzer.stem(word)).collect(),
            period: period(&words, now.date_naive()),
            wants_present: words.iter().any(|word| PRESENT_WORDS.contains(&word.as_str())),
            asks_when: asks_when(&words),
        }
    }
}

impl Period {
    /// How well `time` fits, 1 (inside) falling to 0 within some weeks around.
    pub(super) fn fit(self, time: DateTime<Utc>) -> f32 {
        let date = time.date_naive();
        let days_off = match self {
            Self::Days(first, last) => (first - date).num_days().max((date - last).num_days()).max(0),
            Self::Yearly { month, day } => {
                let same = date.month() == month && day.is_none_or(|day| day == date.day());
                let near = date.month() == month && day.is_some_and(|day| day.abs_diff(date.day()) <= 7);
                return if same {
                    1.0
                } else if near {
                    0.4
                } else {
                    0.0
                };
            }
        };
        #[expect(clippy::cast_precision_loss, reason = "days")]
        let off = days_off as f32;
        (-off / 7.0).exp()
    }
}

fn names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for word in text
        .split_whitespace()
        .filter(|word| word.starts_with(|c: char| c.is_uppercase()))
    {
        for part in words(word)
            .take(1)
            .filter(|part| !is_stop_word(part) && part.chars().count() > 1)
        {
            if !names.contains(&part) {
                names.push(part);
            }
        }
    }
    names
}

fn asks_when(words: &[String]) -> bool {
    let pairs = words.windows(2).any(|pair| {
        let first = ["what", "which"].contains(&pair[0].as_str());
        let second = ["date", "day", "month", "time", "week", "year"].contains(&pair[1].as_str());
        (first && second) || (pair[0] == "how" && pair[1] == "long")
    });
    pairs || words.iter().any(|word| word == "when")
}

fn period(words: &[String], today: NaiveDate) -> Option<Period> {
    named_period(words).or_else(|| relative_period(words, today))
}

/// "8 May 2023", "May 8", "in May", "2023".
fn named_period(words: &[String]) -> Option<Period> {
    let number = |at: Option<usize>| at.and_then(|at| words.get(at)).and_then(|word| leading_number(word));
    let day_in = |at| number(at).filter(|n| (1..=31).contains(n));
    let year_in = |at| number(at).filter(|n| (1900..2200).contains(n));
    for (at, word) in words.iter().enumerate() {
        let Some(month) = month_of(word) else { continue };
        let before = at.checked_sub(1);
        let day_before = day_in(before).or_else(|| {
            // "the 8th of May"
            before
                .filter(|b| words[*b] == "of")
                .and_then(|b| day_in(b.checked_sub(1)))
        });
        let day_after = day_in(Some(at + 1));
        let year = year_in(Some(at + 1)).or_else(|| year_in(Some(at + 2)));
        let introduced = before.is_some_and(|b| BEFORE_MONTHS.contains(&words[b].as_str()));
        let day = day_before.or(day_after);
        if day.is_none() && year.is_none() && !introduced {
            continue;
        }
        return match year {
            Some(year) => days(year, month, day),
            None => Some(Period::Yearly { month, day }),
        };
    }
    let year = (0..words.len()).find_map(|at| year_in(Some(at)).filter(|_| words[at].len() == 4))?;
    let first = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, 1, 1)?;
    Some(Period::Days(
        first,
        first.checked_add_months(Months::new(12))?.pred_opt()?,
    ))
}

fn days(year: u32, month: u32, day: Option<u32>) -> Option<Period> {
    let year = i32::try_from(year).ok()?;
    if let Some(date) = day.and_then(|day| NaiveDate::from_ymd_opt(year, month, day)) {
        return Some(Period::Days(date, date));
    }
    let first = NaiveDate::from_ymd_opt(year, month, 1)?;
    Some(Period::Days(
        first,
        first.checked_add_months(Months::new(1))?.pred_opt()?,
    ))
}

/// "yesterday", "last week", "this month": as seen from the day of the search.
fn relative_period(words: &[String], today: NaiveDate) -> Option<Period> {
    let back = |days| today.checked_sub_days(Days::new(days));
    for (at, word) in words.iter().enumerate() {
        let before = at.checked_sub(1).map_or("", |b| words[b].as_str());
        let period = match (before, word.as_str()) {
            (_, "today") => Some((today, today)),
            (_, "yesterday") => back(1).map(|day| (day, day)),
            (_, "tomorrow") => today.succ_opt().map(|day| (day, day)),
            ("this", "week") => back(6).map(|first| (first, today)),
            ("last", "week") => back(13).map(|first| (first, back(6).unwrap_or(today))),
            ("this", "month") => today.with_day(1).map(|first| (first, today)),
            ("last", "month") => today
                .with_day(1)
                .and_then(|first| Some((first.checked_sub_months(Months::new(1))?, first.pred_opt()?))),
            ("this", "year") => today.with_ordinal(1).map(|first| (first, today)),
            ("last", "year") => today
                .with_ordinal(1)
                .and_then(|first| Some((first.checked_sub_months(Months::new(12))?, first.pred_opt()?))),
            _ => None,
        };
        if let Some((first, last)) = period {
            return Some(Period::Days(first, last));
        }
    }
    None
}

/// 1 to 12 for a month's name or its usual short form.
fn month_of(word: &str) -> Option<u32> {
    let at = MONTHS.iter().position(|month| {
        *month == word || (word.len() == 3 && month.starts_with(word)) || (word == "sept" && month.starts_with(word))
    })?;
    u32::try_from(at + 1).ok()
}

/// The number of "8", "8th" or "2023"; none for other words.
fn leading_number(word: &str) -> Option<u32> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let suffix = &word[digits.len()..];
    (!digits.is_empty() && digits.len() <= 4 && ["", "st", "nd", "rd", "th"].contains(&suffix))
        .then(|| digits.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Question {
        let now = DateTime::parse_from_rfc3339("2024-03-15T12:00:00Z").unwrap().to_utc();
        Question::read(text, now, &Analyzer::new())
    }

    fn date(y: i32, m: u32, d: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(y, m, d).unwrap()
    }

    #[test]
    fn dates_are_read_in_the_usual_spellings() {
        let may_8 = Some(Period::Days(date(2023, 5, 8), date(2023, 5, 8)));
        for text in [
            "on 8 May 2023?",
            "on May 8, 2023",
            "on May 8th 2023",
            "the 8th of May, 2023",
        ] {
            assert_eq!(read(text).period, may_8, "{text}");
        }
        assert_eq!(
            read("in May 2023").period,
            Some(Period::Days(date(2023, 5, 1), date(2023, 5, 31)))
        );
        assert_eq!(
            read("trips in 2022").period,
            Some(Period::Days(date(2022, 1, 1), date(2022, 12, 31)))
        );
        assert_eq!(read("in June?").period, Some(Period::Yearly { month: 6, day: None }));
        assert_eq!(
            read("last month").period,
            Some(Period::Days(date(2024, 2, 1), date(2024, 2, 29)))
        );
    }

    #[test]
    fn a_verb_is_no_month() {
        assert_eq!(read("What may help her march on?").period, None);
    }

    #[test]
    fn impossible_dates_are_no_panic() {
        for text in [
            "31 February 2023",
            "0 May",
            "99 June 9999",
            "in May 0000",
            "May",
            "٣ May",
            "8thth May",
        ] {
            read(text);
        }
    }

    #[test]
    fn names_are_capitalised_words() {
        assert_eq!(
            read("When did Anna-Maria visit Rome's old town?").names,
            ["anna", "rome"]
        );
    }

    #[test]
    fn the_present_and_times_are_recognised() {
        assert!(read("Where does she live now?").wants_present);
        assert!(read("When did he move?").asks_when);
        assert!(!read("Where did he move?").asks_when);
    }
}
