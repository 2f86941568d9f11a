//! Counts: of memories, by category and type, of people and places.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::text::is_kin;
use crate::model::{Category, Memory, MemoryType};

/// People and places named, at most.
const MOST_NAMED: usize = 5;
const BEFORE_PLACES: [&str; 9] = [
    "in", "to", "from", "near", "around", "across", "visited", "visits", "outside",
];
const BEFORE_PEOPLE: [&str; 9] = [
    "with",
    "friend",
    "friends",
    "named",
    "called",
    "colleague",
    "boss",
    "neighbour",
    "neighbor",
];
const NO_NAMES: &str = "january february march april may june july august september october november december monday tuesday wednesday \
thursday friday saturday sunday spring summer autumn winter user english german french spanish portuguese italian japanese i";

/// What there is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats {
    /// Memories, private ones included.
    pub total_memories: usize,
    /// Memories of each category; one of two categories counts in both.
    pub by_category: BTreeMap<&'static str, usize>,
    /// Memories of each type.
    pub by_type: BTreeMap<&'static str, usize>,
    /// When the first and the last one were stored.
    pub date_range: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// Mean importance, 0 to 1.
    pub avg_importance: f32,
    /// People named most, most first.
    pub top_participants: Vec<String>,
    /// Places named most, most first.
    pub top_locations: Vec<String>,
}

/// `name`: what the person is called, who is no participant.
pub(super) fn count(memories: &[Arc<Memory>], name: Option<&str>) -> Stats {
    let mut by_category: BTreeMap<&str, usize> = BTreeMap::new();
    let mut by_type: BTreeMap<&str, usize> = BTreeMap::new();
    for memory in memories {
        for category in Category::ALL
            .into_iter()
            .filter(|category| memory.categories.contains(category))
        {
            *by_category.entry(category.as_str()).or_default() += 1;
        }
        *by_type.entry(memory.memory_type.as_str()).or_default() += 1;
    }
    for kind in [MemoryType::Semantic, MemoryType::Episodic] {
        by_type.entry(kind.as_str()).or_default();
    }
    let times = || memories.iter().map(|memory| memory.created_at);
    let is_other = |found: &String| name.is_none_or(|name| !name.split(' ').any(|part| part == found));
    let participants: Vec<String> = named(memories, is_person).into_iter().filter(is_other).collect();
    let subjects: HashSet<&str> = memories
        .iter()
        .filter_map(|memory| memory.text.split(' ').next())
        .collect();
    let importance: f32 = memories.iter().map(|memory| memory.importance).sum();
    Stats {
        total_memories: memories.len(),
        by_category,
        by_type,
        date_range: times().min().zip(times().max()),
        avg_importance: importance / super::select::as_f32(memories.len().max(1)),
        top_locations: named(memories, |before, _| BEFORE_PLACES.contains(&before))
            .into_iter()
            .filter(|place| !participants.contains(place) && !subjects.contains(place.as_str()))
            .take(MOST_NAMED)
            .collect(),
        top_participants: participants.into_iter().take(MOST_NAMED).collect(),
    }
}

fn is_person(before: &str, before_that: &str) -> bool {
    is_kin(before)
        || BEFORE_PEOPLE.contains(&before)
        || before == "and" && (is_kin(before_that) || before_that.starts_with(char::is_uppercase))
}

/// Names that stand where people or places do, those in most memories first.
fn named(memories: &[Arc<Memory>], is_wanted: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for memory in memories.iter().filter(|memory| !memory.is_private()) {
        let words: Vec<&str> = memory.text.split_whitespace().collect();
        let mut here: Vec<String> = Vec::new();
        for at in 1..words.len() {
            let before = words[at - 1];
            let before_that = at.checked_sub(2).map_or("", |b| words[b]);
            if !is_name(words[at]) || ends(before) || !is_wanted(&before.to_lowercase(), before_that) {
                continue;
            }
            let rest = words[at..]
                .iter()
                .enumerate()
                .take_while(|(n, word)| is_name(word) && (*n == 0 || !ends(words[at + n - 1])));
            let name: Vec<&str> = rest.map(|(_, word)| clean(word)).take(3).collect();
            let name = name.join(" ");
            if !here.contains(&name) {
                here.push(name);
            }
        }
        for name in here {
            *counts.entry(name).or_default() += 1;
        }
    }
    let mut names: Vec<(String, usize)> = counts.into_iter().collect();
    names.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    names.into_iter().map(|(name, _)| name).collect()
}

/// Whether a name can't go on behind this word.
fn ends(word: &str) -> bool {
    word.ends_with(|c: char| !c.is_alphanumeric())
}

fn is_name(word: &str) -> bool {
    let word = clean(word);
    word.starts_with(char::is_uppercase)
        && word.chars().count() > 1
        && !super::text::is_function(&word.to_lowercase())
        && !NO_NAMES.split_whitespace().any(|no| no == word.to_lowercase())
}

fn clean(word: &str) -> &str {
    word.trim_end_matches("'s").trim_matches(|c: char| !c.is_alphanumeric())
}
