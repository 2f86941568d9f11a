//! A line into the pairs of key and value that stand in it.
//!
//! Knows the marks between key and value and between pairs. What a key means is in `keys.rs`.

use std::ops::Range;

use super::keys;
use super::word_lists::lowered;
use crate::extraction::sentence::floor_boundary;

/// A longer key is a sentence.
const LONGEST_KEY: usize = 48;
const MOST_KEY_WORDS: usize = 6;
/// Of a line no more pairs are read.
const MOST_PAIRS: usize = 40;

/// A key with its value, as places in the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) key: Range<usize>,
    pub(super) value: Range<usize>,
    /// Whether a question mark parts them.
    pub(super) is_asked: bool,
}

/// The pairs of a line: "Name: Ben | Age: 31".
pub(super) fn of_line(text: &str) -> Vec<Pair> {
    if text.starts_with('|') {
        return of_row(text);
    }
    let mut pairs = Vec::new();
    let mut start = 0;
    for (at, mark) in text.char_indices() {
        if pairs.len() == MOST_PAIRS {
            break;
        }
        if at < start || !parts_pairs(text, at, mark) {
            continue;
        }
        pairs.extend(of_part(text, start..at));
        start = at + mark.len_utf8();
    }
    pairs.extend(of_part(text, start..text.len()));
    pairs
}

/// Whether the mark at `at` has a pair behind it: "|", ";" and "/" before any, "," and "." only before a known key.
fn parts_pairs(text: &str, at: usize, mark: char) -> bool {
    let behind = &text[at + mark.len_utf8()..];
    let head = &behind[..floor_boundary(behind, LONGEST_KEY + 4)];
    let key = || colon(head).map(|(end, _)| &head[..end]);
    match mark {
        '|' | ';' | '；' | '•' | '·' => key().is_some_and(is_key),
        '/' | ',' | '.' | '，' if behind.starts_with(char::is_whitespace) || mark == '，' => {
            key().is_some_and(|key| keys::rows(&name(key)).is_some())
        }
        _ => false,
    }
}

/// "| Name | Ben |".
fn of_row(text: &str) -> Vec<Pair> {
    let cells = cells(text);
    let [key, value] = &cells[..] else {
        return Vec::new();
    };
    let written = &text[key.clone()];
    let holds_key = is_key(written) && keys::rows(&name(&text[value.clone()])).is_none();
    let has_value = text[value.clone()].chars().any(char::is_alphanumeric);
    if holds_key && has_value {
        vec![Pair {
            key: key.clone(),
            value: value.clone(),
            is_asked: false,
        }]
    } else {
        Vec::new()
    }
}

/// The cells of a table's row, trimmed.
pub(super) fn cells(text: &str) -> Vec<Range<usize>> {
    let mut cells = Vec::new();
    let mut at = 0;
    for cell in text.split('|') {
        let range = trimmed(text, at..at + cell.len());
        at += cell.len() + 1;
        cells.push(range);
    }
    // What stands before the first bar and behind the last.
    if cells.first().is_some_and(Range::is_empty) {
        cells.remove(0);
    }
    if cells.last().is_some_and(Range::is_empty) {
        cells.pop();
    }
    cells
}

fn of_part(text: &str, part: Range<usize>) -> Option<Pair> {
    let part = trimmed(text, part);
    let words = &text[part.clone()];
    let (key_end, value_start) = cut(words)?;
    let is_asked = words[key_end..value_start].contains('?');
    let key = trimmed(text, part.start..part.start + key_end);
    // What is left of a row of dots.
    let dots = words[value_start..].bytes().take_while(|&b| b == b'.').count();
    let value = trimmed(text, part.start + value_start + dots..part.end);
    let is_whole = !value.is_empty() && is_key(&text[key.clone()]);
    is_whole.then_some(Pair { key, value, is_asked })
}

/// Where the key ends and where the value begins. A colon or an arrow makes a key of any words; before other marks only
/// a known one is a key.
fn cut(words: &str) -> Option<(usize, usize)> {
    let head = &words[..floor_boundary(words, LONGEST_KEY + 4)];
    let first_of = |marks: &[&str]| {
        marks
            .iter()
            .filter_map(|mark| head.find(mark).map(|at| (at, at + mark.len())))
            .min()
    };
    let is_known = |key: &str| keys::rows(&name(key)).is_some();
    if let Some(ends) = colon(head).or_else(|| first_of(&["→", "->", "=>", "⇒"])) {
        return Some(ends);
    }
    let mark = first_of(&[" - ", " – ", " — ", "\t", "? ", "..."]).filter(|&(at, _)| is_known(&head[..at]));
    // "Height 162 cm".
    let number = || {
        let at = head.find(|c: char| c.is_ascii_digit() || matches!(c, '$' | '€' | '£'))?;
        let is_apart = head[..at].ends_with(' ');
        (is_apart && keys::rows(lowered(&head[..at]).trim()).is_some()).then_some((at, at))
    };
    mark.or_else(number)
}

/// Where a colon ends the key, and where the value begins. The colon of a time or an address is none.
fn colon(head: &str) -> Option<(usize, usize)> {
    let (at, mark) = head.char_indices().find(|(_, c)| matches!(c, ':' | '：'))?;
    let end = at + mark.len_utf8();
    let is_free = mark == '：'
        || head[end..]
            .chars()
            .next()
            .is_none_or(|c| c.is_whitespace() || matches!(c, '*' | '_') || c.is_alphabetic() && !c.is_ascii());
    is_free.then_some((at, end))
}

/// Whether the words may be a key at all.
fn is_key(words: &str) -> bool {
    let words = words.trim_matches(is_decoration);
    !words.is_empty()
        && words.len() <= LONGEST_KEY
        && words.starts_with(char::is_alphabetic)
        && words.split_whitespace().count() <= MOST_KEY_WORDS
        && words
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, ' ' | '\'' | '’' | '-' | '/' | '&' | '(' | ')' | '.'))
}

fn is_decoration(c: char) -> bool {
    c.is_whitespace() || matches!(c, '*' | '_' | '#' | '`')
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let inner = part.trim_start_matches(is_decoration);
    let start = range.start + part.len() - inner.len();
    start..start + inner.trim_end_matches(is_decoration).len()
}

/// A key as the table writes it: in lower case, without "my", "(optional)" and "are".
pub(super) fn name(key: &str) -> String {
    let lower = lowered(key.trim_matches(is_decoration));
    let bare = lower.split('(').next().unwrap_or(&lower).trim();
    let bare = ["my ", "your ", "do you ", "any "]
        .iter()
        .find_map(|lead| bare.strip_prefix(lead))
        .unwrap_or(bare);
    let bare = [" are", " is", " include", " includes"]
        .iter()
        .find_map(|tail| bare.strip_suffix(tail))
        .unwrap_or(bare);
    let short = ["fav ", "fave ", "top "]
        .iter()
        .find_map(|short| bare.strip_prefix(short));
    if let Some(rest) = short {
        // "My top 3 films" are favourites too.
        return format!(
            "favourite {}",
            rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ')
        );
    }
    let words = bare.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.strip_prefix("current ") {
        Some(rest) if keys::rows(&words).is_none() => rest.to_owned(),
        _ => words,
    }
}

/// What stands in brackets behind a key: "cm" of "Height (cm)".
pub(super) fn unit(key: &str) -> Option<&str> {
    let (_, rest) = key.split_once('(')?;
    let (unit, _) = rest.split_once(')')?;
    (!unit.is_empty() && unit.len() <= 4).then_some(unit)
}
