//! The words by which forms are known, from `assets/english/reader.tsv`.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

static TEXT: &str = include_str!("../../../assets/english/reader.tsv");

static LISTS: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let mut lists: HashMap<&str, Vec<&str>> = HashMap::new();
    for (name, entries) in TEXT
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('\t'))
    {
        lists.entry(name).or_default().extend(entries.split(" | "));
    }
    lists
});

/// The entries of a list, in their order.
pub(super) fn list(name: &str) -> &'static [&'static str] {
    LISTS.get(name).map_or(&[], Vec::as_slice)
}

/// The entry with which a text begins, whose case does not count.
pub(super) fn opening(name: &str, text: &str) -> Option<&'static str> {
    list(name)
        .iter()
        .find(|entry| {
            text.get(..entry.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(entry))
        })
        .copied()
}

/// Whether one of the entries stands in a text, which is in lower case.
pub(super) fn stands_in(name: &str, lower: &str) -> bool {
    list(name).iter().any(|entry| lower.contains(entry))
}

static SETS: LazyLock<HashMap<&'static str, HashSet<&'static str>>> = LazyLock::new(|| {
    LISTS
        .iter()
        .map(|(name, entries)| (*name, entries.iter().copied().collect()))
        .collect()
});

/// Whether a word is an entry of a list.
pub(super) fn is_listed(name: &str, word: &str) -> bool {
    SETS.get(name).is_some_and(|set| set.contains(word))
}
