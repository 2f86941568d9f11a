//! The object of a request about a text: what is to be translated, corrected, said otherwise.

use std::ops::Range;

use super::MessageKind;
use super::quotation::quotations;
use super::word_lists::{list, opening, stands_in};

/// Longer openings are no request before a text.
const LONGEST_REQUEST: usize = 240;
/// An object has so many words.
const LEAST_WORDS: usize = 2;

/// Whether a unit before a text is only the request about it.
pub(super) fn is_request(text: &str) -> bool {
    text.len() <= LONGEST_REQUEST && (text.ends_with([':', '?', '-', '—', '–']) || asks(text) || points(text))
}

/// A unit of [`MessageKind::Transform`]: the request before a colon or around a quotation, and the object.
pub(super) fn of_request(content: &str, range: Range<usize>) -> Vec<(Range<usize>, MessageKind)> {
    let text = &content[range.clone()];
    if let Some(parts) = quoted_object(text, range.start, MessageKind::Request) {
        return parts;
    }
    if let Some(colon) = text
        .find(": ")
        .filter(|colon| *colon <= LONGEST_REQUEST && asks(&text[..*colon]))
    {
        return split(content, range, colon + 1, MessageKind::Request);
    }
    vec![(range, MessageKind::Transform)]
}

/// A unit of another kind: where it asks for another wording of a quotation, that is parted from it.
pub(super) fn carve(content: &str, range: Range<usize>, kind: MessageKind) -> Vec<(Range<usize>, MessageKind)> {
    let may_ask = matches!(
        kind,
        MessageKind::Telling | MessageKind::Question | MessageKind::Request | MessageKind::Instruction
    );
    let text = &content[range.clone()];
    if may_ask {
        if asks(text)
            && let Some(parts) = quoted_object(text, range.start, kind)
        {
            return parts;
        }
        if let Some(after) = said(text) {
            return split(content, range, after, kind);
        }
    }
    vec![(range, kind)]
}

/// Cuts a unit in two: `kind` before, the object behind.
fn split(content: &str, range: Range<usize>, at: usize, kind: MessageKind) -> Vec<(Range<usize>, MessageKind)> {
    let rest = &content[range.start + at..range.end];
    let object = range.end - rest.trim_start().len();
    vec![
        (range.start..range.start + at, kind),
        (object..range.end, MessageKind::Transform),
    ]
}

/// The quotations of a text as objects of what stands around them, which is of `kind`.
fn quoted_object(text: &str, start: usize, kind: MessageKind) -> Option<Vec<(Range<usize>, MessageKind)>> {
    let quotations: Vec<Range<usize>> = quotations(text)
        .into_iter()
        .filter(|range| text[range.clone()].split_whitespace().take(LEAST_WORDS).count() >= LEAST_WORDS)
        .collect();
    if quotations.is_empty() {
        return None;
    }
    let mut parts = Vec::new();
    let mut at = 0;
    let around = |range: Range<usize>, parts: &mut Vec<(Range<usize>, MessageKind)>| {
        let outside = &text[range.clone()];
        let trimmed = outside.trim();
        if trimmed.contains(char::is_alphanumeric) {
            let from = range.start + (outside.len() - outside.trim_start().len());
            parts.push((start + from..start + from + trimmed.len(), kind));
        }
    };
    for quotation in quotations {
        around(at..quotation.start, &mut parts);
        parts.push((start + quotation.start..start + quotation.end, MessageKind::Transform));
        at = quotation.end;
    }
    around(at..text.len(), &mut parts);
    Some(parts)
}

/// Whether a text asks for another wording.
fn asks(text: &str) -> bool {
    let head = text[..text.floor_char_boundary(LONGEST_REQUEST)].to_lowercase();
    let bare = list("before")
        .iter()
        .find_map(|word| head.strip_prefix(word))
        .unwrap_or(&head)
        .trim_start();
    opening("object verb", bare).is_some() || stands_in("object question", &head)
}

/// Whether a text points at what follows it.
fn points(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric())
        .any(|word| list("pointer").iter().any(|pointer| word.eq_ignore_ascii_case(pointer)))
}

/// Where the words begin that are to be said in another language: "how do I say … in Thai".
fn said(text: &str) -> Option<usize> {
    let head = text[..text.floor_char_boundary(LONGEST_REQUEST)].to_ascii_lowercase();
    let (at, phrase) = list("say")
        .iter()
        .find_map(|phrase| Some((head.find(phrase)?, phrase)))?;
    let after = at + phrase.len();
    let (object, language) = head[after..]
        .rsplit_once(" in ")
        .or_else(|| head[after..].rsplit_once(" into "))?;
    let language = language
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    let is_object = object.split_whitespace().take(LEAST_WORDS).count() >= LEAST_WORDS;
    (is_object && list("language").contains(&language)).then_some(after)
}
