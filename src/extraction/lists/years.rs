//! The years of a post or a course, as a résumé writes them.

use std::ops::{Range, RangeInclusive};

use super::shape::is_month;
use super::word_lists::{holds, lowered, tokens};

/// A month before a year takes at most so many bytes: " September ".
const LONGEST_MONTH: usize = 14;
const YEARS: RangeInclusive<u32> = 1940..=2100;

/// When a post or a course began and ended, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Years {
    /// "2012".
    In(String),
    /// "2015–2019".
    FromTo(String, String),
    /// "2019–present".
    Since(String),
}

/// The years of an entry and where they stand, with the months beside them.
pub(super) fn years(text: &str) -> Option<(Range<usize>, Years)> {
    let (first, from) = year(text, 0)?;
    let before = tokens(&text[..first.start])
        .last()
        .map(|word| lowered(word))
        .unwrap_or_default();
    let behind = &text[first.end..];
    let gap = behind.trim_start();
    let dash = ["–", "—", "-", "to ", "until ", "till "]
        .iter()
        .find(|mark| gap.starts_with(**mark));
    let Some(dash) = dash else {
        let span = widened(text, first);
        if before == "since" {
            let start = text[..span.start]
                .to_ascii_lowercase()
                .rfind("since")
                .unwrap_or(span.start);
            return Some((start..span.end, Years::Since(from)));
        }
        return Some((span, Years::In(from)));
    };
    let tail_start = text.len() - gap.len() + dash.len();
    let tail = &text[tail_start..];
    let word = tokens(tail).first().copied().unwrap_or("");
    if holds("present", &lowered(word)) {
        let end = tail_start + tail.find(word).unwrap_or(0) + word.len();
        return Some((widened(text, first.start..end), Years::Since(from)));
    }
    match year(text, tail_start) {
        Some((second, to)) if second.start <= tail_start + LONGEST_MONTH => {
            Some((widened(text, first.start..second.end), Years::FromTo(from, to)))
        }
        _ if tail.trim().is_empty() || tail.trim_start().starts_with([')', ',', '|']) => {
            Some((widened(text, first.start..tail_start), Years::Since(from)))
        }
        _ => Some((widened(text, first), Years::In(from))),
    }
}

/// The first year from `start` on, with a month in words before it.
fn year(text: &str, start: usize) -> Option<(Range<usize>, String)> {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    (start..bytes.len().saturating_sub(3)).find_map(|at| {
        let is_four = (at..at + 4).all(is_digit) && !is_digit(at + 4) && (at == 0 || !is_digit(at - 1));
        let number = is_four.then(|| text.get(at..at + 4)).flatten()?;
        number.parse().ok().filter(|year| YEARS.contains(year))?;
        Some((at..at + 4, number.to_owned()))
    })
}

/// With the month before the years, and the brackets around them.
fn widened(text: &str, span: Range<usize>) -> Range<usize> {
    let mut start = span.start;
    let head = text[..start].trim_end_matches([' ', '/', '.', '\'']);
    let word = head
        .rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | '|' | ','))
        .next()
        .unwrap_or("");
    let is_number = !word.is_empty()
        && word.len() <= 2
        && word.bytes().all(|b| b.is_ascii_digit())
        && text[..start].ends_with(['/', '.']);
    if is_number || is_month(&lowered(word)) {
        start = head.len() - word.len();
    }
    let mut end = span.end;
    if text[..start].ends_with('(') {
        start -= 1;
        let close = text[end..].find(')').unwrap_or(0);
        end += if close <= LONGEST_MONTH { close } else { 0 };
        end += usize::from(text[end..].starts_with(')'));
    }
    start..end
}
