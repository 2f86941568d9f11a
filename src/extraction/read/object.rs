//! The object of a request about a text: what is to be translated, corrected, said otherwise.

use std::ops::Range;

use super::super::verb;
use super::MessageKind;
use super::quotation::quotations;
use super::word_lists::{is_listed, list, opening, stands_in};

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
pub(super) fn asks(text: &str) -> bool {
    let head = text[..text.floor_char_boundary(LONGEST_REQUEST)].to_lowercase();
    commands(&head) || stands_in("object question", &head)
}

/// Whether a text, in lower case, begins with the wish that another text is changed.
pub(super) fn commands(lower: &str) -> bool {
    opening("object verb", without_politeness(lower)).is_some()
}

/// Whether such a wish stands in a later clause: "here's my essay, please fix the grammar".
pub(super) fn commands_inside(lower: &str) -> bool {
    [", ", "please ", "can you ", "could you ", " - ", " and "]
        .iter()
        .any(|before| {
            lower
                .match_indices(before)
                .take(8)
                .any(|(at, _)| commands(&lower[at + before.len()..]))
        })
}

/// Whether a text, in lower case, asks about a text that it points at: "what's the tone of this message".
pub(super) fn refers(lower: &str) -> bool {
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let points = words.windows(2).any(|pair| {
        matches!(pair[0], "this" | "these" | "following") && is_listed("text noun", pair[1])
            || pair == ["the", "following"]
    });
    points && (lower.ends_with('?') || verb::is_base(without_politeness(lower).split(' ').next().unwrap_or_default()))
}

/// Where the object of a request begins that no colon and no quotation mark parts from it: after a dash, after the
/// language that it is to be in.
pub(super) fn start(text: &str) -> Option<usize> {
    let lower = text[..text.floor_char_boundary(LONGEST_REQUEST)].to_ascii_lowercase();
    if !commands(&lower) {
        return None;
    }
    let dash = [" - ", " – ", " — "]
        .iter()
        .find_map(|dash| Some(lower.find(dash)? + dash.len()));
    let language = || {
        let mut at = lower
            .find(" to ")
            .into_iter()
            .chain(lower.find(" into "))
            .chain(lower.find(" in "))
            .min()?;
        at += 1 + lower[at + 1..].find(' ')? + 1;
        let name = lower[at..].split(' ').next()?;
        let rest = text.get(at + name.len() + 1..)?;
        let is_text = rest.split_whitespace().take(3).count() == 3 && !rest.starts_with(['(', 'a', 'p', 'f', 'w']);
        (list("language").contains(&name) && is_text).then_some(at + name.len() + 1)
    };
    dash.or_else(language).filter(|from| text[*from..].trim().contains(' '))
}

/// "ok so can you please …"
pub(super) fn without_politeness(lower: &str) -> &str {
    let mut rest = lower.trim_start();
    for _ in 0..4 {
        let polite = list("before").iter().filter(|word| {
            rest.strip_prefix(**word)
                .is_some_and(|rest| rest.starts_with([' ', ',', '!', '.']))
        });
        let Some(longest) = polite.map(|word| word.len()).max() else {
            break;
        };
        rest = rest[longest..].trim_start_matches([' ', ',', '!', '.']);
    }
    rest
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
