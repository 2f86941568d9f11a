//! The words and phrases by which lists, forms, résumés and signatures are known, from `assets/english/list_words.tsv`.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

static TEXT: &str = include_str!("../../../assets/english/list_words.tsv");

static LISTS: LazyLock<HashMap<&'static str, HashSet<&'static str>>> = LazyLock::new(|| {
    TEXT.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('\t'))
        .map(|(name, words)| (name, words.split(',').map(str::trim).collect()))
        .collect()
});

/// A phrase of a list has at most so many words.
const LONGEST_PHRASE: usize = 4;

/// Whether the list holds the phrase, which is in lower case.
pub(super) fn holds(list: &str, phrase: &str) -> bool {
    LISTS.get(list).is_some_and(|words| words.contains(phrase))
}

/// Whether one of the list's phrases stands in the text, which is in lower case.
pub(super) fn stands_in(list: &str, lower: &str) -> bool {
    let Some(phrases) = LISTS.get(list) else {
        return false;
    };
    let words = tokens(lower);
    (0..words.len()).any(|at| {
        let mut phrase = String::new();
        words[at..].iter().take(LONGEST_PHRASE).any(|word| {
            if !phrase.is_empty() {
                phrase.push(' ');
            }
            phrase.push_str(word);
            phrases.contains(phrase.as_str())
        })
    })
}

/// The words of a text, without the punctuation around them.
pub(super) fn tokens(text: &str) -> Vec<&str> {
    text.split(|c: char| c.is_whitespace() || matches!(c, '/' | ',' | '(' | ')'))
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '&'))
        .filter(|word| !word.is_empty())
        .collect()
}

/// The text in lower case with plain apostrophes.
pub(super) fn lowered(text: &str) -> String {
    text.to_lowercase().replace('’', "'")
}
