//! A message into units that are of one kind each: sentences, lines of a form, longer quotations.

use std::ops::Range;

use super::quotation::quotations;
use super::{MessageKind, form, frame, prefix};

/// What stands before a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Break {
    Sentence,
    Line,
    Paragraph,
    /// The edge of a quotation or a form.
    Edge,
}

/// A stretch of a message that is of one kind.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    pub(crate) range: Range<usize>,
    pub(crate) opens: Break,
    /// Whether it is a whole quotation, in its marks.
    pub(crate) is_quotation: bool,
    /// Known by its form.
    pub(crate) fixed: Option<MessageKind>,
}

/// A quotation of so many words is a unit of its own wherever it stands.
const LONG_QUOTATION_WORDS: usize = 14;

/// The units of a message, without prefixes and closing marks.
pub(crate) fn units(content: &str) -> Vec<Unit> {
    let body = prefix::body(content);
    let forms = form::forms(content, body.clone());
    let mut units = Vec::new();
    let mut at = body.start;
    for (range, kind) in forms {
        prose(content, at..range.start, &mut units);
        push(content, range.clone(), false, Some(kind), &mut units);
        at = range.end;
    }
    prose(content, at..body.end, &mut units);
    frame::mark(content, &mut units);
    units
}

/// Adds the sentences and quotations of a stretch.
fn prose(content: &str, stretch: Range<usize>, units: &mut Vec<Unit>) {
    let text = &content[stretch.clone()];
    let mut quotations = quotations(text)
        .into_iter()
        .map(|range| stretch.start + range.start..stretch.start + range.end)
        .peekable();
    let mut start = stretch.start;
    let mut at = stretch.start;
    while at < stretch.end {
        if let Some(range) = quotations.next_if(|range| range.start <= at) {
            if range.start < at {
                continue;
            }
            if stands_alone(content, start, &range, stretch.end) {
                push(content, start..range.start, false, None, units);
                let end = range.end + closing_marks(&content[range.end..stretch.end]);
                push(content, range.start..end, true, None, units);
                (start, at) = (end, end);
            } else {
                at = range.end;
                if ends_sentence(&content[start..at]) && is_at_blank(content, at, stretch.end) {
                    push(content, start..at, false, None, units);
                    start = at;
                }
            }
            continue;
        }
        let Some(c) = content[at..].chars().next() else { break };
        at += c.len_utf8();
        if c == '\n' {
            push(content, start..at, false, None, units);
            start = at;
            // A prefix may stand on every line.
            let line = content[at..stretch.end].split('\n').next().unwrap_or_default();
            let skipped = prefix::of_line(line);
            start += skipped;
            at += skipped;
        } else if is_end(c) && is_at_blank(content, at, stretch.end) && !is_abbreviation(&content[start..at]) {
            push(content, start..at, false, None, units);
            start = at;
        }
    }
    push(content, start..stretch.end, false, None, units);
}

/// Whether a quotation is a unit: a whole line or sentence, the object after a colon, or long.
fn stands_alone(content: &str, start: usize, range: &Range<usize>, end: usize) -> bool {
    let before = content[start..range.start].trim();
    let rest = content[range.end..end].trim_start_matches(is_end);
    let quoted = &content[range.clone()];
    let words = quoted.split_whitespace().take(LONG_QUOTATION_WORDS).count();
    let ends_line = rest.is_empty() || rest.starts_with('\n') || rest.trim_start_matches([' ', '\t']).starts_with('\n');
    let closes = ends_line
        || quoted.trim_end_matches(['"', '”', '»', '\'', '’']).ends_with(is_end)
        || rest.len() < content[range.end..end].len();
    words >= LONG_QUOTATION_WORDS
        || words >= 2 && closes && (before.is_empty() || before.ends_with([':', '.', '?', '!', '-', '–', '—']))
}

fn closing_marks(rest: &str) -> usize {
    rest.len() - rest.trim_start_matches(['.', ',', '!', '?', ';', ')']).len()
}

fn is_end(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…' | '。' | '！' | '？' | ':')
}

fn ends_sentence(text: &str) -> bool {
    text.trim_end_matches(['"', '”', '»', '\'', '’', ')'])
        .ends_with(['.', '!', '?', '…'])
}

fn is_at_blank(content: &str, at: usize, end: usize) -> bool {
    content[at..end].chars().next().is_none_or(char::is_whitespace)
}

/// "Mr.", "e.g.", "J.", "1."
fn is_abbreviation(text: &str) -> bool {
    let Some(text) = text.strip_suffix('.') else {
        return false;
    };
    let word = text.rsplit(char::is_whitespace).next().unwrap_or_default();
    let word = word.trim_start_matches(['(', '"']);
    word.contains('.') && word.len() <= 5
        || word.chars().count() == 1
            && word
                .chars()
                .all(|c| c.is_ascii_uppercase() && c != 'I' || c.is_ascii_digit())
        || matches!(
            word,
            "Mr" | "Mrs" | "Ms" | "Dr" | "St" | "Prof" | "vs" | "No" | "Jr" | "Sr"
        )
}

fn push(content: &str, range: Range<usize>, is_quotation: bool, fixed: Option<MessageKind>, units: &mut Vec<Unit>) {
    let text = &content[range.clone()];
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return;
    }
    let start = range.start + (text.len() - text.trim_start().len());
    let range = start..start + trimmed.len();
    let is_form = |unit: &Unit| unit.is_quotation || unit.fixed.is_some();
    let opens = match units.last() {
        None => Break::Paragraph,
        Some(last) if is_quotation || fixed.is_some() || is_form(last) => Break::Edge,
        Some(last) => match content[last.range.end..range.start].matches('\n').count() {
            0 => Break::Sentence,
            1 => Break::Line,
            _ => Break::Paragraph,
        },
    };
    // Dots and dashes alone belong to what is before them.
    if !trimmed.contains(char::is_alphanumeric)
        && trimmed.is_ascii()
        && let Some(last) = units.last_mut()
        && opens == Break::Sentence
    {
        last.range.end = range.end;
        return;
    }
    units.push(Unit {
        range,
        opens,
        is_quotation,
        fixed,
    });
}
