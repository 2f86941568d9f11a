//! Secrets and sensitive data: what must carry `private` wherever it is stored.
//!
//! Found by topic, by words beside a number or a value, and by pattern, with checksums where they exist. The words are
//! in `assets/english/private.tsv`, those of other languages come from `foreign.rs`. What to do with it is decided
//! elsewhere.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use super::foreign;
use super::word_lists::{Found, Phrases, WordLists};

static LISTS: LazyLock<WordLists> =
    LazyLock::new(|| WordLists::parse(include_str!("../../assets/english/private.tsv")));

/// Numbers of papers and accounts have at least these.
const LEAST_DIGITS: usize = 6;

/// A value stands within this many words of what it belongs to.
const NEAR: usize = 9;

static PATTERNS: LazyLock<HashMap<&str, Regex>> = LazyLock::new(|| {
    include_str!("../../assets/english/private-patterns.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('\t'))
        .filter_map(|(name, pattern)| Some((name, Regex::new(pattern).ok()?)))
        .collect()
});

static PHRASES: LazyLock<Phrases> =
    LazyLock::new(|| LISTS.phrases(|entry| entry.split(' ').map(str::to_owned).collect()));

/// The words of a text as the lists write them, and the entries among them.
struct Text<'a> {
    words: Vec<String>,
    /// Each word as written, with the marks that may belong to a secret.
    raw: Vec<&'a str>,
    found: Vec<Found>,
}

impl<'a> Text<'a> {
    fn read(text: &'a str) -> Self {
        let mut words = Vec::new();
        let mut raw = Vec::new();
        for piece in text.split_whitespace() {
            let lower = piece.to_lowercase().replace(['\'', '’'], "");
            for part in lower
                .split(|c: char| !c.is_alphanumeric())
                .filter(|part| !part.is_empty())
            {
                words.push(part.to_owned());
                raw.push(piece);
            }
        }
        let found = PHRASES.find(&words);
        Self { words, raw, found }
    }

    /// Where the entries of a group stand: first word and how many.
    fn finds<'t>(&'t self, group: &'t str) -> impl Iterator<Item = (usize, usize)> + 't {
        self.found
            .iter()
            .filter(move |found| found.group == group)
            .map(|found| (found.at, found.length))
    }

    fn holds(&self, group: &str) -> bool {
        self.finds(group).next().is_some()
    }

    fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", String::as_str)
    }

    fn digits(&self, at: usize) -> usize {
        self.word(at).bytes().filter(u8::is_ascii_digit).count()
    }
}

/// Whether a sentence holds secrets or sensitive data.
pub(super) fn is_private(text: &str) -> bool {
    let read = Text::read(text);
    tells_of_health(text, &read)
        || tells_of_person(&read)
        || tells_secret(text, &read)
        || {
            text.bytes().any(|b| b.is_ascii_digit())
                && (holds_account(text, &read) || tells_address(text) || tells_money(text, &read))
        }
        || foreign::is_private(text)
}

/// An illness, medicine, fertility or blood.
fn tells_of_health(text: &str, read: &Text<'_>) -> bool {
    let condition = read.finds("condition").any(|(at, length)| {
        let is_subject = LISTS.holds("about condition", read.word(at + length))
            || at > 0 && LISTS.holds("before condition", read.word(at - 1));
        !is_subject
    });
    let reading = read.holds("reading") && read.holds("high");
    (condition || reading) && !read.holds("family history")
        || ["care", "medicine", "blood", "violence"]
            .iter()
            .any(|group| read.holds(group))
        || read.holds("fertility") && !read.holds("no fertility")
        || tells_dose(text)
}

/// "65 mg iron", and not "300 mg of sodium".
fn tells_dose(text: &str) -> bool {
    let doses = PATTERNS
        .get("dose")
        .into_iter()
        .flat_map(|regex| regex.captures_iter(text));
    doses.into_iter().any(|dose| {
        let word = |group: usize| dose.get(group).map_or_else(String::new, |m| m.as_str().to_lowercase());
        let (first, second) = (word(1), word(2));
        !LISTS.holds("no dose", &first) && !LISTS.holds("no dose", &format!("{first} {second}"))
    })
}

/// Orientation, trouble with the law and with papers, debts.
fn tells_of_person(read: &Text<'_>) -> bool {
    let orientation = read.finds("orientation").any(|(at, length)| {
        let said = (1..=3).any(|back| {
            at.checked_sub(back)
                .is_some_and(|from| LISTS.holds("said of", &read.words[from..at].join(" ")))
        });
        // "a gay bar" is a bar.
        let ends = at + length == read.words.len()
            || [
                "and", "or", "but", "so", "man", "woman", "guy", "person", "since", "too", "with", "to", "which", "if",
            ]
            .contains(&read.word(at + length));
        said && ends
    });
    orientation
        || read.holds("sure orientation")
        || read.holds("law") && !read.holds("no law")
        || read.holds("papers") && !read.holds("no papers")
        || read.holds("debt") && !read.holds("no debt")
        || read.holds("maiden")
}

/// A secret beside its value, or a value whose form tells.
fn tells_secret(text: &str, read: &Text<'_>) -> bool {
    if matches("token", text) {
        return true;
    }
    let named = !read.holds("no secret")
        && read
            .finds("secret")
            .any(|(at, length)| has_value(read, at, at + length));
    named || !read.holds("no code") && tells_code(read)
}

/// "password for Netflix is Sunflower22", "pw: admin123"; the secret's name stands from `at` to `end`.
fn has_value(read: &Text<'_>, at: usize, end: usize) -> bool {
    let mut values = end..read.words.len().min(end + NEAR);
    if read.word(end - 1) == "pin" {
        return values.any(|value| (4..=8).contains(&read.digits(value)));
    }
    let is_own = at > 0 && ["my", "our"].contains(&read.word(at - 1));
    values.any(|value| {
        let word = read.word(value);
        let is_shown = shows(read, at, value);
        // "my password is the name of my dog"
        let is_described = is_own
            && ["the", "my"].contains(&word)
            && ["name", "birthday", "dogs", "cats"].contains(&read.word(value + 1));
        let is_beside = value == end && read.raw[value].len() > 5;
        is_shown && (!LISTS.holds("no value", word) || is_described)
            || (is_shown || is_beside) && looks_made_up(read, value)
    })
}

/// Whether the word before says that a value follows: "is", a colon, "changed … to".
fn shows(read: &Text<'_>, at: usize, value: usize) -> bool {
    const VERBS: [&str; 3] = ["is", "are", "was"];
    let before = read.word(value - 1);
    let changed = || (at.saturating_sub(4)..at).any(|i| ["changed", "set", "reset"].contains(&read.word(i)));
    VERBS.contains(&before)
        || read.raw[value - 1].ends_with([':', '='])
        || value >= 2
            && ["now", "currently", "still", "always"].contains(&before)
            && VERBS.contains(&read.word(value - 2))
        || before == "to" && changed()
}

/// "hunter2", "still!Pending", "aB3".
fn looks_made_up(read: &Text<'_>, value: usize) -> bool {
    let bare = read.raw[value].trim_matches(|c: char| !c.is_alphanumeric());
    let mut inner = bare.chars().skip(1);
    let is_marked = |c: char| c.is_ascii_punctuation() && !matches!(c, '\'' | '.' | '-' | '/');
    read.digits(value) >= 3
        || matches("mixed", bare)
        || inner.clone().any(is_marked)
        || inner.any(char::is_uppercase) && bare.chars().any(char::is_lowercase)
}

/// "the code on the shed is 8062-star", "gate combination 4471".
fn tells_code(read: &Text<'_>) -> bool {
    let guarded: Vec<usize> = read.finds("guarded").map(|(at, _)| at).take(64).collect();
    read.finds("code").take(64).any(|(at, length)| {
        let end = at + length;
        // Behind too: "the code is 4471 and the alarm one 90218".
        let is_near = guarded
            .iter()
            .any(|guarded| (at.saturating_sub(5)..end + NEAR + 4).contains(guarded));
        let digits: usize = (end..read.words.len().min(end + NEAR))
            .map(|value| read.digits(value))
            .sum();
        is_near && (3..=10).contains(&digits)
    })
}

/// Numbers of cards, accounts, papers and telephones.
fn holds_account(text: &str, read: &Text<'_>) -> bool {
    let is_harmless = read.holds("no account");
    holds_card(text) && (!is_harmless || matches("grouped", text))
        || !is_harmless && has_number(read, "account")
        || holds_iban(text)
        || has_number(read, "paper")
        || matches("social security", text)
        || !is_harmless && read.holds("phone") && matches("phone", &without_dotted(text))
}

/// Whether a long number, in one piece or several, stands behind a word of a group.
fn has_number(read: &Text<'_>, group: &str) -> bool {
    read.finds(group).any(|(at, length)| {
        let end = at + length;
        let pieces: Vec<usize> = (end..read.words.len().min(end + NEAR))
            .skip_while(|value| read.digits(*value) == 0)
            .take_while(|value| read.digits(*value) > 0)
            .collect();
        let digits: usize = pieces.iter().map(|value| read.digits(*value)).sum();
        let is_mixed = pieces
            .iter()
            .any(|value| read.digits(*value) >= 3 && read.word(*value).len() >= LEAST_DIGITS);
        digits >= LEAST_DIGITS || is_mixed
    })
}

fn without_dotted(text: &str) -> Cow<'_, str> {
    PATTERNS
        .get("dotted")
        .map_or(Cow::Borrowed(text), |pattern| pattern.replace_all(text, ""))
}

/// The exact address of a home.
fn tells_address(text: &str) -> bool {
    let text = without_dotted(text);
    matches("street", &text) && matches("home", &text) || matches("address is", &text)
}

/// What somebody earns, owes or has saved.
fn tells_money(text: &str, read: &Text<'_>) -> bool {
    let salary = read.holds("salary")
        && !read.holds("no salary")
        && (matches("money", text)
            || read
                .words
                .iter()
                .any(|w| (2..=7).contains(&w.len()) && w.bytes().all(|b| b.is_ascii_digit())));
    salary
        || matches("earns", text)
        || matches("earns k", text)
        || matches("owes", text)
        || read.holds("saving") && matches("saved", text) && matches("money", text)
}

fn matches(pattern: &str, text: &str) -> bool {
    PATTERNS.get(pattern).is_some_and(|pattern| pattern.is_match(text))
}

/// 13 to 19 digits in groups, with a right Luhn check digit.
fn holds_card(text: &str) -> bool {
    digit_runs(text).any(|digits| (13..=19).contains(&digits.len()) && luhn(&digits))
}

/// Runs of digits, parted by single blanks or hyphens only.
fn digit_runs(text: &str) -> impl Iterator<Item = Vec<u8>> + '_ {
    text.split(|c: char| !c.is_ascii_digit() && c != ' ' && c != '-')
        .flat_map(|run| {
            // Two blanks, or a lone hyphen, end a number.
            run.split("  ")
                .map(|part| {
                    part.bytes()
                        .filter(u8::is_ascii_digit)
                        .map(|b| b - b'0')
                        .collect::<Vec<_>>()
                })
                .collect::<Vec<_>>()
        })
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let value = u32::from(*digit) * if at % 2 == 1 { 2 } else { 1 };
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|d| *d != 0)
}

/// An IBAN with a right checksum, blanks allowed.
fn holds_iban(text: &str) -> bool {
    let pieces: Vec<&str> = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|p| !p.is_empty())
        .collect();
    (0..pieces.len()).any(|start| {
        let head = pieces[start].as_bytes();
        let opens = head.len() >= 4
            && head[..2].iter().all(u8::is_ascii_uppercase)
            && head[2..4].iter().all(u8::is_ascii_digit);
        if !opens {
            return false;
        }
        let mut joined = String::new();
        for piece in pieces[start..].iter().take(10) {
            joined.push_str(piece);
            if joined.len() > 34 {
                return false;
            }
            if joined.len() >= 15 && iban_checks(&joined) {
                return true;
            }
        }
        false
    })
}

fn iban_checks(iban: &str) -> bool {
    let (head, body) = iban.split_at(4);
    let mut remainder = 0_u32;
    for c in body.chars().chain(head.chars()) {
        remainder = match c.to_digit(36) {
            Some(value) if value >= 10 => (remainder * 100 + value) % 97,
            Some(value) => (remainder * 10 + value) % 97,
            None => return false,
        };
    }
    remainder == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_a_pattern() {
        let lines = include_str!("../../assets/english/private-patterns.tsv").lines();
        assert_eq!(PATTERNS.len(), lines.filter(|line| line.contains('\t')).count());
    }
}
