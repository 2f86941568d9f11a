//! Word lists from `assets/`: groups of entries, read once and found in texts.
//!
//! A line is a group's name, a tab and its entries parted by ", ". Lines of the same group add up; "#" opens a comment.
//! An entry is a word or several, "word=meaning" where it stands for something, and "word*" where it may go on.

use std::collections::{HashMap, HashSet};

/// The groups of one file.
pub(super) struct WordLists(HashMap<&'static str, Group>);

/// The entries of one group, in their order and as a set.
#[derive(Default)]
struct Group {
    entries: Vec<&'static str>,
    set: HashSet<&'static str>,
    meanings: HashMap<&'static str, &'static str>,
}

impl WordLists {
    /// Reads a file.
    pub(super) fn parse(text: &'static str) -> Self {
        let mut groups: HashMap<&'static str, Group> = HashMap::new();
        for (name, entries) in text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once('\t'))
        {
            let group = groups.entry(name).or_default();
            for entry in entries.split(", ").map(str::trim).filter(|entry| !entry.is_empty()) {
                group.entries.push(entry);
                group.set.insert(entry);
                if let Some((word, meaning)) = entry.split_once('=') {
                    group.meanings.insert(word, meaning);
                }
            }
        }
        Self(groups)
    }

    /// Whether a group holds a word.
    pub(super) fn holds(&self, group: &str, word: &str) -> bool {
        self.0.get(group).is_some_and(|group| group.set.contains(word))
    }

    /// What a word stands for in a group whose entries are "word=meaning".
    pub(super) fn meaning(&self, group: &str, word: &str) -> Option<&'static str> {
        self.0.get(group).and_then(|group| group.meanings.get(word).copied())
    }

    /// Its entries, ready to be found among words that `split` makes of a text.
    pub(super) fn phrases(&self, split: fn(&str) -> Vec<String>) -> Phrases {
        let mut phrases = Phrases::default();
        for (name, group) in &self.0 {
            for entry in &group.entries {
                let (text, meaning) = entry
                    .split_once('=')
                    .map_or((*entry, ""), |(word, meaning)| (word, meaning));
                let (text, goes_on) = text.strip_suffix('*').map_or((text, false), |text| (text, true));
                let words = split(text);
                let Some(first) = words.first().cloned() else {
                    continue;
                };
                let phrase = Phrase {
                    group: name,
                    words,
                    meaning,
                };
                let map = if goes_on {
                    &mut phrases.beginnings
                } else {
                    &mut phrases.whole
                };
                map.entry(first).or_default().push(phrase);
            }
        }
        phrases
    }
}

/// Entries by their first word.
#[derive(Default)]
pub(super) struct Phrases {
    whole: HashMap<String, Vec<Phrase>>,
    /// Those that may go on: "arbeit*".
    beginnings: HashMap<String, Vec<Phrase>>,
}

struct Phrase {
    group: &'static str,
    words: Vec<String>,
    meaning: &'static str,
}

/// An entry found in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) group: &'static str,
    /// Index of its first word.
    pub(super) at: usize,
    /// How many words it has.
    pub(super) length: usize,
    /// What it stands for, where its list says so.
    pub(super) meaning: &'static str,
}

impl Phrases {
    /// All entries among these words.
    pub(super) fn find(&self, words: &[String]) -> Vec<Found> {
        let mut found = Vec::new();
        for at in 0..words.len() {
            let rest = &words[at..];
            let whole = self.whole.get(&rest[0]).into_iter().flatten().filter(|phrase| {
                rest.len() >= phrase.words.len() && rest.iter().zip(&phrase.words).all(|(word, own)| word == own)
            });
            // A beginning is one word, or several whose last one is unlike the rest complete.
            let ends = rest[0].char_indices().map(|(end, c)| end + c.len_utf8()).take(16);
            let begun = ends
                .filter_map(|end| self.beginnings.get(&rest[0][..end]))
                .flatten()
                .filter(|phrase| {
                    phrase.words.len() == 1
                        || rest.len() >= phrase.words.len()
                            && rest[1..]
                                .iter()
                                .zip(&phrase.words[1..])
                                .all(|(word, own)| word.starts_with(own.as_str()))
                });
            found.extend(whole.chain(begun).map(|phrase| Found {
                group: phrase.group,
                at,
                length: phrase.words.len(),
                meaning: phrase.meaning,
            }));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn groups_add_up_and_words_have_meanings() {
        let lists = WordLists::parse("# note\nday\tmon=1, tue=2\nfruit\tplum, sour cherry\nday\twed=3\n");
        assert_eq!(lists.meaning("day", "wed"), Some("3"));
        assert!(lists.holds("fruit", "sour cherry") && !lists.holds("fruit", "sour"));
    }

    #[test]
    fn entries_of_several_words_and_beginnings_are_found() {
        let phrases = WordLists::parse("fruit\tplum, sour cherry\nwork\tbak*\nday\tmon=1").phrases(split);
        let found: Vec<_> = phrases.find(&split("mon a baker ate sour cherry jam"));
        let short: Vec<_> = found.iter().map(|f| (f.group, f.at, f.length, f.meaning)).collect();
        assert_eq!(short, [("day", 0, 1, "1"), ("work", 2, 1, ""), ("fruit", 4, 2, "")]);
    }
}
