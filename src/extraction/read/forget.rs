//! Wishes that something is not kept, known by their wording.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::super::word;
use super::unit::Unit;
use super::word_lists::list;

/// A wish's words, and whether nothing but a closing word may follow.
struct Wish {
    words: Vec<&'static str>,
    is_all: bool,
}

static WISHES: LazyLock<HashMap<&'static str, Vec<Wish>>> = LazyLock::new(|| {
    let mut wishes: HashMap<&str, Vec<Wish>> = HashMap::new();
    for entry in list("forget") {
        let (text, is_all) = entry.strip_suffix('*').map_or((*entry, false), |text| (text, true));
        let words: Vec<&str> = text.split(' ').collect();
        if let Some(first) = words.first() {
            wishes.entry(first).or_default().push(Wish { words, is_all });
        }
    }
    wishes
});

/// Whether the user asks, in what is not known to be another's words, that something is not kept.
pub(super) fn is_asked(content: &str, units: &[Unit]) -> bool {
    let own = units.iter().filter(|unit| unit.fixed.is_none() && !unit.is_quotation);
    own.into_iter().any(|unit| is_wish(&content[unit.range.clone()]))
}

fn is_wish(text: &str) -> bool {
    // Most messages have none of these words.
    if ![
        "record",
        "don",
        "do not",
        "forget",
        "stop",
        "delete",
        "erase",
        "wipe",
        "strike",
        "scrap",
        "unlearn",
        "remove",
        "keep",
        "not for",
        "not be",
        "n't be",
        "not to be",
        "hold on to",
        "never said",
        "memory",
        "notes",
        "bin it",
    ]
    .iter()
    .any(|word| contains_ignoring_case(text, word))
    {
        return false;
    }
    let words: Vec<(String, bool)> = word::words(text)
        .iter()
        .filter(|word| !word.is_empty())
        .map(|word| (word.lower.replace('\'', ""), word.pauses()))
        .collect();
    stands_inside(&words)
        || (0..words.len()).any(|at| {
            let wishes = WISHES.get(words[at].0.as_str()).into_iter().flatten();
            let found = wishes.filter(|wish| {
                words.len() - at >= wish.words.len()
                    && wish.words.iter().zip(&words[at..]).all(|(own, (word, _))| own == word)
            });
            found
                .into_iter()
                .any(|wish| opens_clause(&words[..at]) && (!wish.is_all || ends(&words[at + wish.words.len() - 1..])))
        })
}

/// Whether a wish stands anywhere in these words.
fn stands_inside(words: &[(String, bool)]) -> bool {
    let mut joined = String::new();
    for (word, _) in words {
        joined.push(' ');
        joined += word;
    }
    joined.push(' ');
    list("forget inside")
        .iter()
        .any(|wish| joined.contains(&format!(" {wish} ")))
}

fn contains_ignoring_case(text: &str, word: &str) -> bool {
    text.as_bytes()
        .windows(word.len())
        .any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

/// Whether a command may follow these words.
fn opens_clause(before: &[(String, bool)]) -> bool {
    let Some((last, pauses)) = before.last() else {
        return true;
    };
    let mut phrase = String::new();
    *pauses
        || before.iter().rev().take(3).any(|(word, _)| {
            phrase = if phrase.is_empty() {
                word.clone()
            } else {
                format!("{word} {phrase}")
            };
            list("before").contains(&phrase.as_str())
        })
        || last == "also"
}

/// Whether a clause ends after the first of these words.
fn ends(rest: &[(String, bool)]) -> bool {
    let Some(((_, pauses), after)) = rest.split_first() else {
        return true;
    };
    let next: Vec<&str> = after.iter().take(3).map(|(word, _)| word.as_str()).collect();
    *pauses || next.is_empty() || (1..=next.len()).any(|count| list("tail").contains(&next[..count].join(" ").as_str()))
}
