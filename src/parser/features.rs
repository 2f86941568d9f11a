//! What the network sees of a word. `tools/parser/features.py` computes the same; change both together.

use std::collections::HashMap;

/// Rows of the hashed table of prefixes and suffixes.
pub(super) const AFFIX_ROWS: usize = 4096;
/// How many of them a word has.
pub(super) const AFFIXES: usize = 4;
/// Kinds of shapes.
pub(super) const SHAPES: usize = 24;

/// The numbers of a word's rows in the network's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) word: usize,
    pub(super) affixes: [usize; AFFIXES],
    pub(super) shape: usize,
}

/// The words that have a vector of their own; all others share row 0.
#[derive(Debug)]
pub(super) struct Vocabulary(HashMap<&'static str, usize>);

impl Vocabulary {
    /// A word each line, from row 1 on.
    pub(super) fn new(words: &'static str) -> Self {
        Self(words.lines().zip(1..).collect())
    }

    /// How many rows the words need.
    pub(super) fn rows(&self) -> usize {
        self.0.len() + 1
    }

    pub(super) fn rows_of(&self, form: &str) -> Rows {
        let key = key(form);
        Rows {
            word: self.0.get(key.as_str()).copied().unwrap_or(0),
            affixes: affixes(&key),
            shape: shape(form),
        }
    }
}

/// What words are looked up by: lower case, straight quotes, every ASCII digit a 0.
fn key(form: &str) -> String {
    form.to_lowercase()
        .chars()
        .map(|c| match c {
            '’' | '‘' | '`' => '\'',
            '“' | '”' => '"',
            '0'..='9' => '0',
            _ => c,
        })
        .collect()
}

/// The last two, three and four characters, and the first three.
fn affixes(key: &str) -> [usize; AFFIXES] {
    let start = |count: usize| key.char_indices().rev().nth(count - 1).map_or(0, |(at, _)| at);
    let end = key.char_indices().nth(3).map_or(key.len(), |(at, _)| at);
    [
        ("2", &key[start(2)..]),
        ("3", &key[start(3)..]),
        ("4", &key[start(4)..]),
        ("p", &key[..end]),
    ]
    .map(|(kind, part)| fnv1a([kind, part]) as usize % AFFIX_ROWS)
}

/// The 32-bit FNV-1a hash of the parts' bytes.
fn fnv1a(parts: [&str; 2]) -> u32 {
    let bytes = parts.iter().flat_map(|part| part.bytes());
    bytes.fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// How the word is written: its case, whether it has digits, ASCII punctuation.
fn shape(form: &str) -> usize {
    let upper = form.chars().filter(|c| c.is_uppercase()).count();
    let lower = form.chars().any(char::is_lowercase);
    let starts_upper = form.chars().next().is_some_and(char::is_uppercase);
    let case = match (upper, lower) {
        (0, false) => 0,
        (0, true) => 1,
        (1, true) if starts_upper => 2,
        (1, false) if starts_upper => 3,
        (_, false) => 4,
        (_, true) => 5,
    };
    let digit = form.bytes().any(|byte| byte.is_ascii_digit());
    let mark = form.bytes().any(|byte| byte.is_ascii_punctuation());
    case * 4 + usize::from(digit) * 2 + usize::from(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_lower_case_with_straight_quotes_and_no_digits() {
        assert_eq!(key("Don’T"), "don't");
        assert_eq!(key("7:30PM"), "0:00pm");
    }

    #[test]
    fn hashes_are_those_of_fnv() {
        assert_eq!(fnv1a(["", ""]), 0x811c_9dc5);
        assert_eq!(fnv1a(["foo", "bar"]), 0xbf9c_f968);
    }

    #[test]
    fn shapes_tell_case_digits_and_marks() {
        let shapes = ["!", "dog", "Dog", "I", "NASA", "iPhone", "e-mail", "20th", "A1"].map(shape);
        assert_eq!(shapes, [1, 4, 8, 12, 16, 20, 5, 6, 14]);
        assert!(
            ["", "É", "ß", "7:30", "McDonald's4", "你好"]
                .iter()
                .all(|form| shape(form) < SHAPES)
        );
    }

    #[test]
    fn short_words_are_their_own_affixes() {
        let [two, three, four, prefix] = affixes("é");
        assert_eq!(
            [two, three, four, prefix],
            ["2é", "3é", "4é", "pé"].map(|s| fnv1a([s, ""]) as usize % AFFIX_ROWS)
        );
        affixes("");
    }

    #[test]
    fn unknown_words_share_a_row() {
        let vocabulary = Vocabulary::new("the\ndog");
        assert_eq!(
            (
                vocabulary.rows(),
                vocabulary.rows_of("Dog").word,
                vocabulary.rows_of("cat").word
            ),
            (3, 2, 0)
        );
    }
}
