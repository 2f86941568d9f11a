//! What values look like: an age, a name, a post, a number with its unit.

use super::word_lists::{holds, lowered, tokens};
use crate::extraction::{lexicon, verb};

const MOST_WORDS: usize = 24;
const MOST_WORDS_SHORT: usize = 8;
const OLDEST: u32 = 120;

/// What a value must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Years of life.
    Age,
    /// Holds one of the animals.
    Animal,
    /// An opaque word or two.
    Code,
    /// A number and what is counted: "two boys".
    Count,
    /// Holds a day, a month or a year.
    Dated,
    /// Starts with a verb: "learn the banjo".
    Deed,
    /// A name with more about it: "Rex, beagle, 5".
    Described,
    /// A number of months or years.
    Duration,
    Email,
    /// One word.
    Handle,
    /// A person's post.
    Job,
    /// One of several things.
    List,
    /// A number with one of these units, from the least to the most that a person may have.
    Measure(&'static str),
    /// A person's name.
    Name,
    /// The name of a school or company.
    NameOf,
    Never,
    No,
    /// "none" or "0".
    Nothing,
    /// A number alone.
    Number,
    /// A name, and maybe kind and age behind it.
    Person,
    Phone,
    Place,
    /// Holds a number.
    Quantity,
    /// A few words.
    Short,
    /// Starts with one of these words.
    Starts(&'static str),
    Text,
    /// Is one of these phrases.
    Words(&'static str),
    Year,
    Yes,
    /// Not in the list above.
    Unknown,
}

impl Shape {
    pub(super) fn read(name: &'static str) -> Self {
        match name {
            "age" => Self::Age,
            "animal" => Self::Animal,
            "code" => Self::Code,
            "count" => Self::Count,
            "dated" => Self::Dated,
            "deed" => Self::Deed,
            "described" => Self::Described,
            "duration" => Self::Duration,
            "email" => Self::Email,
            "handle" => Self::Handle,
            "job" => Self::Job,
            "list" => Self::List,
            "name" => Self::Name,
            "name of" => Self::NameOf,
            "never" => Self::Never,
            "no" => Self::No,
            "none" => Self::Nothing,
            "number" => Self::Number,
            "person" => Self::Person,
            "phone" => Self::Phone,
            "place" => Self::Place,
            "quantity" => Self::Quantity,
            "short" => Self::Short,
            "text" => Self::Text,
            "year" => Self::Year,
            "yes" => Self::Yes,
            _ => match name.split_once(':') {
                Some(("measure", units)) => Self::Measure(units),
                Some(("words", words)) => Self::Words(words),
                Some(("starts", words)) => Self::Starts(words),
                _ => Self::Unknown,
            },
        }
    }

    /// Whether the value looks like this.
    pub(super) fn fits(self, value: &str) -> bool {
        let lower = lowered(value);
        let words: Vec<&str> = lower.split_whitespace().collect();
        let first = tokens(&lower).first().copied().unwrap_or("");
        let digits = value.chars().filter(char::is_ascii_digit).count();
        let letters = value.chars().filter(|c| c.is_alphabetic()).count();
        let is_none = holds("no", &lower);
        let is_short = words.len() <= MOST_WORDS_SHORT;
        let one_of = |list: &str, word: &str| list.split(',').any(|entry| entry.trim() == word);
        match self {
            Self::Age => age(value).is_some(),
            Self::Animal => {
                is_short
                    && tokens(&lower).iter().any(|word| holds("animal", word))
                    && !value.starts_with(char::is_uppercase)
                    && !tokens(&lower)
                        .iter()
                        .any(|word| matches!(*word, "to" | "but" | "not" | "of"))
            }
            Self::Code => words.len() <= 3,
            Self::Count => {
                is_short && (is_number(first) || first == "a" || first == "an") && {
                    words
                        .get(1)
                        .is_some_and(|word| word.starts_with(|c: char| c.is_alphabetic()))
                }
            }
            Self::Dated => is_short && (digits > 0 || words.iter().any(|word| is_month(word))),
            Self::Deed => words.len() <= MOST_WORDS && (first == "to" || verb::is_base(first)),
            Self::Duration => {
                is_short && digits > 0 && (lower.contains("year") || lower.contains("yr") || lower.contains("month"))
            }
            Self::Email => words.len() == 1 && value.split_once('@').is_some_and(|(_, host)| host.contains('.')),
            Self::Handle => words.len() == 1 && letters > 0,
            Self::Job => words.len() <= 12 && tokens(&lower).iter().any(|word| is_role(word) || looks_like_role(word)),
            Self::List | Self::Text => letters > 0 && !is_none && words.len() <= MOST_WORDS,
            Self::Measure(units) => words.len() <= 6 && !value.contains(['→', '>']) && is_measure(&lower, units),
            Self::Name => is_name(value),
            Self::NameOf => is_short && letters > 0 && !verb::is_base(first) && !first.is_empty(),
            Self::Never => words.len() <= 4 && (holds("never", &lower) || holds("never", first)),
            Self::No => words.len() <= 4 && (holds("no", first) || holds("no", &lower)),
            Self::Nothing => words.len() <= 4 && (holds("no", first) || first == "0" || lower == "not any"),
            Self::Number => words.len() == 1 && is_number(first) && first != "0",
            Self::Person => is_short && is_called(value),
            Self::Described => words.len() <= MOST_WORDS && is_called(value) && !name_and_rest(value).1.is_empty(),
            Self::Phone => {
                digits >= 6
                    && value
                        .chars()
                        .all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '(' | ')' | ' ' | '.' | '/' | 'x'))
            }
            Self::Place => {
                words.len() <= 7
                    && digits == 0
                    && letters > 1
                    && ![
                        "remote",
                        "online",
                        "zoom",
                        "virtual",
                        "tbd",
                        "here",
                        "see",
                        "anywhere",
                        "everywhere",
                    ]
                    .contains(&first)
                    && (!lexicon::is_function(first) || first == "the")
            }
            Self::Quantity => digits > 0 && words.len() <= 10,
            Self::Short => is_short && !is_none && (letters > 0 || digits > 0),
            Self::Starts(list) => is_short && one_of(list, first),
            Self::Words(list) => one_of(list, lower.split(" (").next().unwrap_or(&lower).trim()),
            Self::Year => digits == 4 && value.len() == 4,
            Self::Yes => words.len() <= 4 && (holds("yes", first) || holds("yes", &lower)),
            Self::Unknown => false,
        }
    }
}

/// Whether a number in one of the units opens the value, which is in lower case: "kg 30 300" takes "71.5 kg".
fn is_measure(lower: &str, units: &str) -> bool {
    let digits = lower.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, rest) = lower.split_at(digits);
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | ' '));
    let unit = rest.split(|c: char| !c.is_alphabetic()).next().unwrap_or("");
    let is_within = |entry: &str| {
        let mut parts = entry.split_whitespace();
        let (Some(name), Some(least), Some(most)) = (parts.next(), parts.next(), parts.next()) else {
            return false;
        };
        let is_unit = if unit.is_empty() {
            rest.starts_with(name)
        } else {
            unit == name
        };
        let bounds = least.parse::<u32>().ok().zip(most.parse::<u32>().ok());
        let number = whole.parse::<u32>().ok();
        is_unit
            && bounds
                .zip(number)
                .is_some_and(|((least, most), number)| (least..=most).contains(&number))
    };
    units.split(',').any(is_within)
}

/// The years in "31", "31 years old" and "31yo".
pub(super) fn age(value: &str) -> Option<&str> {
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = value.split_at(digits);
    let years: u32 = number.parse().ok()?;
    let rest = lowered(rest);
    let is_years = matches!(
        rest.trim().trim_end_matches('.'),
        "" | "years" | "years old" | "yrs" | "yo" | "y/o" | "y.o" | "yrs old" | "y"
    );
    (is_years && (1..=OLDEST).contains(&years)).then_some(number)
}

/// Whether a name opens the value: one or two words, of which the first has a capital where there are two.
fn is_called(value: &str) -> bool {
    let (name, _) = name_and_rest(value);
    let words = name.split(' ').count();
    let bare = name.strip_suffix('.').unwrap_or(name);
    is_name(bare) && (words == 1 || words <= 3 && bare.starts_with(char::is_uppercase))
}

pub(super) fn name_and_rest(value: &str) -> (&str, &str) {
    let cut = value.find([',', '(']).unwrap_or(value.len());
    (value[..cut].trim(), &value[cut..])
}

pub(super) fn is_month(word: &str) -> bool {
    holds("month", word.trim_end_matches(['.', ',']))
}

pub(super) fn is_number(word: &str) -> bool {
    !word.is_empty() && word.len() <= 4 && word.bytes().all(|b| b.is_ascii_digit())
        || matches!(
            word,
            "one"
                | "two"
                | "three"
                | "four"
                | "five"
                | "six"
                | "seven"
                | "eight"
                | "nine"
                | "ten"
                | "eleven"
                | "twelve"
        )
}

/// Whether the word, in lower case, is a trade or post.
pub(super) fn is_role(word: &str) -> bool {
    holds("role", word)
        || word.strip_suffix('s').is_some_and(|one| holds("role", one))
        || word.len() > 6
            && ["ologist", "ician", "maker", "keeper", "worker", "smith", "woman"]
                .iter()
                .any(|end| word.ends_with(end))
}

/// The same with less certainty, where a post is expected.
fn looks_like_role(word: &str) -> bool {
    word.len() > 4
        && ["er", "or", "ist", "man", "ian", "ant"]
            .iter()
            .any(|end| word.ends_with(end))
}

/// Whether the words may be a person's name.
pub(super) fn is_name(value: &str) -> bool {
    let words: Vec<&str> = value.split_whitespace().collect();
    let has_letters = value
        .chars()
        .all(|c| c.is_alphabetic() || matches!(c, ' ' | '.' | '\'' | '’' | '-' | ','));
    let is_capital = |word: &&str| word.starts_with(|c: char| c.is_uppercase() || !c.is_lowercase());
    let is_particle = |word: &&str| {
        [
            "van", "von", "de", "der", "den", "da", "di", "du", "la", "le", "bin", "al", "el", "y", "dos", "ter",
        ]
        .contains(word)
    };
    let all_small = words.len() <= 3
        && words
            .iter()
            .all(|word| !is_capital(word) && !lexicon::is_function(word));
    has_letters
        && (1..=6).contains(&words.len())
        && (words.iter().all(|word| is_capital(word) || is_particle(word)) || all_small)
}

/// Whether a name is one beyond doubt: two words or more, with capitals.
pub(super) fn is_full_name(value: &str) -> bool {
    is_name(value) && value.contains(' ') && value.starts_with(char::is_uppercase)
}
