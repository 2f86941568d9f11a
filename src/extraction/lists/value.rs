//! The values of keys: whether they are filled in, and how they part into items.

use super::word_lists::{holds, lowered, tokens};

/// A longer value is prose.
const LONGEST_VALUE: usize = 240;
/// Of a value no more items are read.
const MOST_ITEMS: usize = 40;
/// A minus behind so few letters belongs to them.
const LONGEST_SIGNED: usize = 3;

/// What is left of a value without marks at its end and the sentence behind it, or nothing if nobody has filled it in.
pub(super) fn filled_in(value: &str) -> Option<&str> {
    let sentence = first_sentence(value);
    let value = sentence.trim_end_matches(|c: char| {
        !(c.is_alphanumeric()
            || matches!(
                c,
                ')' | ']' | '%' | '"' | '”' | '\'' | '’' | '+' | '#' | '€' | '$' | '£' | '?' | '*'
            ))
    });
    // "A-" and "0+" are whole.
    let value = if sentence.len() == value.len() + 1 && sentence.len() <= LONGEST_SIGNED && sentence.ends_with('-') {
        sentence
    } else {
        value
    };
    if value.len() > LONGEST_VALUE {
        return None;
    }
    let lower = lowered(value);
    let is_asked = value.contains('?') || value.ends_with('*');
    let is_gap = value.starts_with(['[', '<', '{', '_', '`']) || value.contains("___") || value.contains("{{");
    let is_address = lower.starts_with("http") || lower.contains("://");
    let is_filled = !value.is_empty() && value.chars().any(char::is_alphanumeric) && !holds("placeholder", &lower);
    (is_filled && !is_asked && !is_gap && !is_address).then_some(value)
}

/// The value up to a stop that ends a sentence.
fn first_sentence(value: &str) -> &str {
    let ends = value.char_indices().find(|&(at, c)| {
        if !matches!(c, '.' | '!') {
            return false;
        }
        let behind = &value[at + c.len_utf8()..];
        let starts_anew = behind.starts_with(' ') && behind.trim_start().starts_with(char::is_uppercase);
        let word = || value[..at].rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
        starts_anew && (word().len() > 3 || word().starts_with(|c: char| c.is_ascii_digit()))
    });
    ends.map_or(value, |(at, _)| &value[..at])
}

/// Whether the words speak of "I" or "we", so that they are a sentence of their own.
pub(super) fn speaks_of_self(text: &str) -> bool {
    tokens(&lowered(text)).iter().any(|word| {
        matches!(
            *word,
            "i" | "i'm"
                | "im"
                | "i've"
                | "ive"
                | "i'd"
                | "i'll"
                | "me"
                | "my"
                | "mine"
                | "myself"
                | "we"
                | "we're"
                | "we've"
                | "our"
                | "us"
        )
    })
}

/// The parts of "nuts, soy and eggs".
pub(super) fn items(value: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (at, c) in value.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let behind = &value[at + c.len_utf8()..];
        let parts_numbers = c == ',' && behind.starts_with(|c: char| c.is_ascii_digit());
        let parts_items = matches!(c, ',' | ';' | '，' | '、' | '•' | '·' | '|') && !parts_numbers
            || c == '/' && behind.starts_with(' ') && value[..at].ends_with(' ');
        if depth == 0 && parts_items && parts.len() < MOST_ITEMS {
            parts.push(&value[start..at]);
            start = at + c.len_utf8();
        }
    }
    let last = value[start..].trim();
    match last.split_once(" and ").or_else(|| last.split_once(" & ")) {
        Some((one, other)) if !parts.is_empty() => parts.extend([one, other]),
        _ => parts.push(last),
    }
    parts
        .into_iter()
        .map(|part| {
            let part = part.trim();
            let bare = part
                .strip_prefix("and ")
                .or_else(|| part.strip_prefix("& "))
                .unwrap_or(part);
            bare.trim_end_matches(['.', '!']).trim()
        })
        .filter(|part| part.chars().any(char::is_alphanumeric))
        .collect()
}
