//! A message into sentences, each with its place in the message, and the photo caption at its end.
//!
//! Code blocks and quoted lines are left out here. What a sentence means is no concern of this file.

use std::ops::Range;

use super::run_on;
use unicode_segmentation::UnicodeSegmentation;

/// Longer sentences are cut at a clause, else at a word, else anywhere.
const LONGEST_BYTES: usize = 420;

/// One sentence of a message.
#[derive(Clone, Debug)]
pub(super) struct Sentence<'a> {
    /// Its words without bullet marks around them.
    pub(super) text: &'a str,
    /// Where it stands in the message.
    pub(super) span: Range<usize>,
    /// Whether it is one of several pieces without a subject: "jo, 41, welder".
    pub(super) is_piece: bool,
}

/// A message taken apart.
#[derive(Debug, Default)]
pub(super) struct ParsedMessage<'a> {
    /// The sentences in order.
    pub(super) sentences: Vec<Sentence<'a>>,
    /// What a shared picture shows, with its place in the message.
    pub(super) photo: Option<(&'a str, Range<usize>)>,
}

/// Takes a message apart.
pub(super) fn parse(content: &str) -> ParsedMessage<'_> {
    parse_within(content, std::slice::from_ref(&(0..content.len())))
}

/// Takes stretches of a message apart, which are in its order.
pub(super) fn parse_within<'a>(content: &'a str, stretches: &[Range<usize>]) -> ParsedMessage<'a> {
    let photo = photo(content);
    let body_end = photo.as_ref().map_or(content.len(), |(_, span)| span.start);
    let mut sentences = Vec::new();
    for stretch in stretches {
        let end = stretch.end.min(body_end);
        let Some(text) = content.get(stretch.start..end.max(stretch.start)) else {
            continue;
        };
        let mut in_code = false;
        let mut at = stretch.start;
        for line in text.split_inclusive('\n') {
            let start = at;
            at += line.len();
            let trimmed = line.trim();
            if let Some(opened) = trimmed.strip_prefix("```") {
                in_code = !in_code && !opened.contains("```");
                continue;
            }
            if in_code || trimmed.is_empty() || trimmed.starts_with('>') {
                continue;
            }
            split_line(content, start..at, &mut sentences);
        }
    }
    ParsedMessage { sentences, photo }
}

/// The caption in a closing ` [shares a photo: …]`.
fn photo(content: &str) -> Option<(&str, Range<usize>)> {
    let end = content.trim_end();
    let inner_end = end.strip_suffix(']')?.len();
    let open = end[..inner_end].rfind('[')?;
    let inner = &end[open + 1..inner_end];
    let (head, caption) = inner.split_once(':')?;
    let head = head.to_ascii_lowercase();
    let is_share = (head.starts_with("share") || head.starts_with("sent") || head.starts_with("sends"))
        && ["photo", "image", "picture", "video", "screenshot", "gif"]
            .iter()
            .any(|kind| head.contains(kind));
    let caption = caption.trim();
    (is_share && !caption.is_empty()).then_some((caption, open..end.len()))
}

fn split_line<'a>(content: &'a str, line: Range<usize>, out: &mut Vec<Sentence<'a>>) {
    let mut start = line.start;
    let bytes = content.as_bytes();
    let mut chars = content[line.clone()].char_indices().peekable();
    while let Some((offset, c)) = chars.next() {
        let at = line.start + offset;
        let after = at + c.len_utf8();
        let ends = match c {
            '。' | '！' | '？' | '؟' | '।' => true,
            '!' | '?' | '…' => followed_by_gap(bytes, after) || glued_sentence(content, at, after),
            '.' => {
                (followed_by_gap(bytes, after) && !is_abbreviation(&content[start..at], &content[after..line.end]))
                    || glued_sentence(content, at, after)
            }
            _ => false,
        };
        if !ends {
            continue;
        }
        let mut end = after;
        while let Some(&(next, closing)) = chars.peek() {
            if !matches!(
                closing,
                '.' | '!' | '?' | '"' | '”' | '’' | ')' | ']' | '\'' | '…' | '！' | '？'
            ) {
                break;
            }
            end = line.start + next + closing.len_utf8();
            chars.next();
        }
        push(content, start..end, out);
        start = end;
    }
    push(content, start..line.end, out);
}

fn followed_by_gap(bytes: &[u8], at: usize) -> bool {
    bytes
        .get(at)
        .is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'"' | b')' | b'\'' | b'!' | b'?' | b'.' | 0xE2 | 0xF0))
}

/// "great.I went": a stop without a blank, between a small letter and a capital.
fn glued_sentence(content: &str, at: usize, after: usize) -> bool {
    let before = content[..at].chars().next_back().is_some_and(char::is_lowercase);
    let mut next = content[after..].chars();
    before
        && next.next().is_some_and(char::is_uppercase)
        && next.next().is_some_and(|c| c.is_lowercase() || c == ' ' || c == '\'')
}

fn is_abbreviation(before: &str, after: &str) -> bool {
    let word = before
        .rsplit(|c: char| c.is_whitespace() || c == '(')
        .next()
        .unwrap_or("");
    let lower = word.to_ascii_lowercase();
    if [
        "mr", "mrs", "ms", "dr", "prof", "st", "sr", "jr", "vs", "e.g", "i.e", "approx", "dept", "mt", "ft",
    ]
    .contains(&lower.as_str())
    {
        return true;
    }
    let next_is_small = after
        .trim_start()
        .chars()
        .next()
        .is_some_and(|c| c.is_lowercase() || c == ',');
    // "St. Louis, Mo. for", "approx. ten"
    let is_short_name = next_is_small && word.len() == 2 && word.chars().next().is_some_and(char::is_uppercase);
    if is_short_name {
        return true;
    }
    let is_dotted = lower.len() <= 5
        && (lower.contains('.')
            || [
                "etc", "inc", "ltd", "co", "no", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct",
                "nov", "dec", "p.m", "a.m", "approx",
            ]
            .contains(&lower.as_str()));
    if is_dotted && (next_is_small || after.trim_start().starts_with(|c: char| c.is_ascii_digit())) {
        return true;
    }
    // An initial, as in "J. Smith"; "I." ends a sentence.
    let mut letters = word.chars();
    let initial = letters.next().is_some_and(|c| c.is_uppercase() && c != 'I') && letters.next().is_none();
    initial && !after.trim().is_empty()
}

fn push<'a>(content: &'a str, span: Range<usize>, out: &mut Vec<Sentence<'a>>) {
    let raw = &content[span.clone()];
    let text = raw.trim_start_matches(|c: char| {
        c.is_whitespace() || matches!(c, '-' | '*' | '•' | '#' | '–' | '—' | '·' | '_' | '|')
    });
    let start = span.end - text.len();
    let text = text.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '_' | '|'));
    if !text.chars().any(char::is_alphanumeric) {
        // Stray emoji and marks belong to the sentence before only as decoration: dropped.
        return;
    }
    let mut text = text;
    let mut start = start;
    while text.len() > LONGEST_BYTES {
        let cut = cut_point(text);
        let head = text[..cut].trim_end();
        out.push(Sentence {
            text: head,
            span: start..start + head.len(),
            is_piece: false,
        });
        let tail = text[cut..].trim_start();
        start += text.len() - tail.len();
        text = tail;
    }
    let (pieces, is_piece) = run_on::split(text);
    for piece in pieces {
        let raw = &text[piece.clone()];
        let piece_text = without_cause(
            raw.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '-' | '–' | '—')),
        );
        if piece_text.chars().any(char::is_alphanumeric) {
            let start = start + piece.start;
            out.push(Sentence {
                text: piece_text,
                span: start..start + piece_text.len(),
                is_piece,
            });
        }
    }
}

/// "I left because", before the reason that is a sentence of its own.
fn without_cause(text: &str) -> &str {
    let last = text.rsplit(' ').next().unwrap_or_default();
    if matches!(last.to_ascii_lowercase().as_str(), "because" | "bc" | "cuz" | "coz") {
        text[..text.len() - last.len()].trim_end()
    } else {
        text
    }
}

fn cut_point(text: &str) -> usize {
    let window = &text[..floor_boundary(text, LONGEST_BYTES)];
    let late = |at: usize| at > window.len() / 3;
    let clause = ["; ", ", and ", ", but ", ", so ", " because ", ", "]
        .iter()
        .find_map(|mark| {
            window
                .rfind(mark)
                .filter(|&at| late(at))
                .map(|at| at + mark.len().min(2))
        });
    clause
        .or_else(|| window.rfind(char::is_whitespace).filter(|&at| late(at)))
        .unwrap_or_else(|| {
            window
                .grapheme_indices(true)
                .next_back()
                .map_or(window.len(), |(at, _)| at)
        })
        .max(1)
}

/// The greatest character boundary not above `at`.
pub(super) fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|&i| text.is_char_boundary(i))
        .unwrap_or(0)
}

/// "My hobbies:" and the lines of its list are one sentence.
#[cfg(test)]
mod tests {
    use super::*;

    fn texts(content: &str) -> Vec<&str> {
        parse(content).sentences.iter().map(|s| s.text).collect()
    }

    #[test]
    fn abbreviations_and_numbers_do_not_end_a_sentence() {
        assert_eq!(
            texts("I saw Dr. Brown at 3.30 p.m. on Monday. He fixed it, e.g. the crown."),
            [
                "I saw Dr. Brown at 3.30 p.m. on Monday.",
                "He fixed it, e.g. the crown."
            ]
        );
    }

    #[test]
    fn a_missing_blank_still_parts_sentences() {
        assert_eq!(
            texts("The film was great.I went twice!Really?"),
            ["The film was great.", "I went twice!", "Really?"]
        );
    }

    #[test]
    fn code_and_quoted_lines_are_left_out() {
        assert_eq!(
            texts("Look:\n```\nlet a = 1. Two.\n```\n> old mail\nI use Rust."),
            ["Look:", "I use Rust."]
        );
    }

    #[test]
    fn a_photo_caption_is_taken_from_the_end() {
        let message = parse("Here we are! [shares a photo: a red boat]");
        assert_eq!(message.photo.map(|p| p.0), Some("a red boat"));
        assert_eq!(message.sentences.len(), 1);
    }

    #[test]
    fn every_sentence_is_found_at_its_span() {
        let content = "- One thing. “Two” – three?!\n* Four… 五。六！ ".repeat(30);
        for sentence in parse(&content).sentences {
            assert_eq!(sentence.text, &content[sentence.span.clone()]);
        }
    }

    #[test]
    fn endless_text_is_cut() {
        let content = "é".repeat(20_000);
        let message = parse(&content);
        assert!(message.sentences.iter().all(|s| s.text.len() <= LONGEST_BYTES));
    }
}
