//! Candidates against each other and against what is known: new, told again, or newer.
//!
//! Nothing is deleted here; the caller links what is superseded. When unsure a candidate is added.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::LazyLock;

use rust_stemmers::{Algorithm, Stemmer};

use super::CandidateFact;
use super::attribute::{self, AttributeValue};
use super::lexicon::is_function;
use super::word::words;
use crate::model::{Memory, MemoryId, MemoryType};

/// A known memory near a candidate.
#[derive(Clone, Copy, Debug)]
pub struct Similar<'a> {
    /// The memory in its current version.
    pub memory: &'a Memory,
    /// How near its vector is.
    pub cosine: f32,
}

/// What a candidate means for what is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is new.
    Add,
    /// This memory says it already.
    Unchanged(MemoryId),
    /// It is the newer value of these memories, or contradicts them; never empty.
    Supersede(Vec<MemoryId>),
}

static STEMMER: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));

/// What a text says, in a form that can be compared.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ContentWords {
    stems: BTreeSet<String>,
    is_negative: bool,
    looks_ahead: bool,
}

fn content_words(text: &str) -> ContentWords {
    let all = words(text);
    let is_negative = all
        .iter()
        .filter(|w| w.is_one_of(&["not", "no", "never", "without", "stopped", "quit"]) || w.lower.ends_with("n't"))
        .count()
        % 2
        == 1;
    let looks_ahead = super::time::speaks_of_future(&all);
    let stems = all
        .iter()
        .filter(|w| {
            !w.is_empty() && (!is_function(&w.lower) || super::calendar::number(&w.lower).is_some_and(|n| n > 1))
        })
        .map(|w| {
            let bare = w.lower.strip_suffix("'s").unwrap_or(&w.lower);
            if bare.len() > 40 {
                bare.to_owned()
            } else {
                STEMMER.stem(bare).into_owned()
            }
        })
        .collect();
    ContentWords {
        stems,
        is_negative,
        looks_ahead,
    }
}

/// A known memory and what it says.
struct Known<'a> {
    memory: &'a Memory,
    cosine: f32,
    content_words: ContentWords,
    readings: Vec<AttributeValue>,
}

/// Compares a candidate with the nearest known, current memories of the same person, best first.
pub fn decide(candidate: &CandidateFact, similar: &[Similar<'_>]) -> Decision {
    let new = content_words(&candidate.text);
    let known: Vec<Known<'_>> = similar
        .iter()
        .map(|known| Known {
            memory: known.memory,
            cosine: known.cosine,
            content_words: content_words(&known.memory.text),
            readings: attribute::read(&known.memory.text),
        })
        .collect();
    let told_again = known.iter().find(|known| {
        let same_date = candidate.event_time == known.memory.event_time || candidate.event_time.is_none();
        says_same(&new, &known.content_words) && same_date
    });
    if let Some(known) = told_again {
        return Decision::Unchanged(known.memory.id.clone());
    }
    let readings = attribute::read(&candidate.text);
    let is_newer = |known: &&Known<'_>| {
        let mut pairs = readings
            .iter()
            .flat_map(|new| known.readings.iter().map(move |old| (new, old)));
        pairs.any(|(new, old)| replaces(new, old)) && is_one_fact(&known.memory.text)
    };
    let older: Vec<MemoryId> = known
        .iter()
        .filter(is_newer)
        .map(|known| known.memory.id.clone())
        .collect();
    if !older.is_empty() {
        return Decision::Supersede(older);
    }
    let closed = known
        .iter()
        .find(|known| contradicts(candidate, &new, known) || is_more_exact(candidate, &new, known));
    closed.map_or(Decision::Add, |known| {
        Decision::Supersede(vec![known.memory.id.clone()])
    })
}

/// The same words of content, or fewer of them. A fact of elsewhere may leave out that it is the user's.
fn says_same(new: &ContentWords, old: &ContentWords) -> bool {
    let said = |stem: &&String| *stem != "user";
    let same = || new.stems.iter().filter(said).eq(old.stems.iter().filter(said));
    new.is_negative == old.is_negative
        && new.looks_ahead == old.looks_ahead
        && !new.stems.is_empty()
        && (same() || new.stems.len() >= 4 && new.stems.is_subset(&old.stems))
}

fn replaces(new: &AttributeValue, old: &AttributeValue) -> bool {
    if new.subject != old.subject || new.attribute != old.attribute {
        return false;
    }
    if new.is_over {
        // "no longer at Acme" closes "at Acme", not "at Bolt".
        return !old.is_over && new.value == old.value;
    }
    // Mastery follows learning, not the other way round.
    let goes_back = matches!(new.attribute, attribute::Attribute::Skill(_)) && new.value == "learning";
    (old.is_over || new.value != old.value) && !goes_back
}

fn is_one_fact(text: &str) -> bool {
    text.matches(". ").count() + text.matches("! ").count() <= 1
}

/// "no longer plays tennis" against "plays tennis": same subject, opposite sense, all of its content known.
fn contradicts(candidate: &CandidateFact, new: &ContentWords, known: &Known<'_>) -> bool {
    let lower = candidate.text.to_lowercase();
    let ends = [
        "no longer",
        "anymore",
        "any more",
        "stopped",
        "quit ",
        "gave up",
        "doesn't",
        "isn't",
        " not ",
    ]
    .iter()
    .any(|mark| lower.contains(mark));
    let old = &known.content_words;
    if !ends || !new.is_negative && !lower.contains("gave up") || old.is_negative || !is_one_fact(&known.memory.text) {
        return false;
    }
    let marks = [
        "longer", "anymor", "stop", "quit", "gave", "give", "no", "doesn't", "isn't", "more",
    ];
    let left: BTreeSet<&String> = new.stems.iter().filter(|s| !marks.contains(&s.as_str())).collect();
    let shared = left.iter().filter(|s| old.stems.contains(s.as_str())).count();
    // The subject alone is no common ground.
    shared >= 2 && shared == left.len().min(old.stems.len()) && same_subject(&candidate.text, &known.memory.text)
}

/// Everything that the old memory says and more.
fn is_more_exact(candidate: &CandidateFact, new: &ContentWords, known: &Known<'_>) -> bool {
    let old = &known.content_words;
    candidate.memory_type == MemoryType::Semantic
        && known.memory.memory_type == MemoryType::Semantic
        && old.stems.len() >= 3
        && old.stems.is_subset(&new.stems)
        && old.is_negative == new.is_negative
        && known.cosine >= 0.5
        && is_one_fact(&known.memory.text)
        && same_subject(&candidate.text, &known.memory.text)
}

fn same_subject(one: &str, other: &str) -> bool {
    let of = |text: &str| attribute::subject(&words(text)).map(|(subject, _)| subject);
    match (of(one), of(other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// Counts how many candidates [`deduplicate`] would leave of those that come one after the other.
#[derive(Default)]
pub(super) struct Distinct {
    looked_at: usize,
    says_nothing: usize,
    gists: HashSet<ContentWords>,
}

impl Distinct {
    /// How many are left of all; those that were counted before stand first.
    pub(super) fn count(&mut self, candidates: &[CandidateFact]) -> usize {
        for candidate in &candidates[self.looked_at..] {
            let content_words = content_words(&candidate.text);
            if content_words.stems.is_empty() {
                self.says_nothing += 1;
            } else {
                self.gists.insert(content_words);
            }
        }
        self.looked_at = candidates.len();
        self.says_nothing + self.gists.len()
    }
}

/// Folds candidates of one request that say the same thing; sources are joined and importance grows a little.
pub fn deduplicate(candidates: Vec<CandidateFact>) -> Vec<CandidateFact> {
    let mut out: Vec<CandidateFact> = Vec::with_capacity(candidates.len());
    let mut places: HashMap<ContentWords, usize> = HashMap::new();
    for candidate in candidates {
        let content_words = content_words(&candidate.text);
        if content_words.stems.is_empty() {
            out.push(candidate);
            continue;
        }
        match places.entry(content_words) {
            Entry::Occupied(place) => {
                let kept = &mut out[*place.get()];
                kept.importance = (kept.importance + 0.05).min(1.0);
                for quote in candidate.quotes {
                    if !kept.quotes.iter().any(|q| q.turn == quote.turn) {
                        kept.quotes.push(quote);
                    }
                }
            }
            Entry::Vacant(place) => {
                place.insert(out.len());
                out.push(candidate);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone, Utc};

    use super::super::Quote;
    use super::*;
    use crate::model::{Category, Source};

    fn candidate(text: &str, memory_type: MemoryType) -> CandidateFact {
        CandidateFact {
            text: text.to_owned(),
            memory_type,
            categories: vec![Category::Interests],
            importance: 0.5,
            event_time: None,
            event_time_precision: None,
            is_instruction: false,
            quotes: vec![Quote {
                turn: 0,
                text: text.to_owned(),
            }],
            context: None,
        }
    }

    fn memory(text: &str) -> Memory {
        let now = Utc.with_ymd_and_hms(2024, 1, 1, 0, 0, 0).unwrap();
        Memory {
            id: MemoryId::from_stored("mem_1"),
            text: text.to_owned(),
            memory_type: MemoryType::Semantic,
            categories: vec![Category::Interests],
            importance: 0.5,
            source: String::new(),
            agent_id: String::new(),
            thread_id: String::new(),
            user_id: None,
            metadata: None,
            event_time: None,
            event_time_precision: None,
            is_instruction: false,
            sources: vec![Source {
                message_id: String::new(),
                position: 0,
                quote: String::new(),
            }],
            expires_at: None,
            superseded_by: None,
            reinforced: 0,
            context: None,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    fn decided(old: &str, new: &str) -> &'static str {
        let memory = memory(old);
        match decide(
            &candidate(new, MemoryType::Semantic),
            &[Similar {
                memory: &memory,
                cosine: 0.8,
            }],
        ) {
            Decision::Add => "add",
            Decision::Unchanged(_) => "unchanged",
            Decision::Supersede(_) => "supersede",
        }
    }

    #[test]
    fn the_same_told_again_changes_nothing() {
        for (old, new) in [
            ("User works at Acme.", "User works at Acme!"),
            ("User has two cats.", "User has two cats."),
            (
                "User really loves rock climbing and jazz music.",
                "User loves rock climbing and jazz music.",
            ),
        ] {
            assert_eq!(decided(old, new), "unchanged", "{old} / {new}");
        }
    }

    #[test]
    fn a_newer_value_supersedes() {
        for (old, new) in [
            ("User works at Acme.", "User works at Bolt."),
            (
                "User is a software engineer at Acme working on search.",
                "User now works at Bolt.",
            ),
            ("User lives in Lyon.", "User moved to Oslo last month."),
            ("Works at Acme as a senior engineer", "User joined Bolt as a director."),
            ("User is learning React.", "User is proficient in React."),
            ("User is a vegetarian.", "User is no longer a vegetarian."),
            ("User is vegan.", "User is vegetarian now."),
            ("User is single.", "User got engaged in May."),
            (
                "User works at Google as an engineer.",
                "User just got promoted to senior engineer at Google!",
            ),
            (
                "User just got promoted to senior engineer at Google!",
                "User joined Meta last week.",
            ),
            ("User is a vegetarian.", "User started eating meat again."),
            ("User is 34 years old.", "User is 35 years old."),
            ("User's favorite color is green.", "User's favorite color is blue."),
            ("User plays tennis.", "User no longer plays tennis."),
            ("User's sister lives in Oslo.", "User's sister moved to Bergen."),
        ] {
            assert_eq!(decided(old, new), "supersede", "{old} / {new}");
        }
    }

    #[test]
    fn a_newer_value_supersedes_every_older_one() {
        let (mut one, mut other) = (memory("User works at Acme."), memory("User is a nurse at Acme."));
        (one.id, other.id) = (MemoryId::from_stored("mem_1"), MemoryId::from_stored("mem_2"));
        let similar = [&one, &other].map(|memory| Similar { memory, cosine: 0.8 });
        let new = candidate("User joined Bolt as a director.", MemoryType::Episodic);
        let both = Decision::Supersede(vec![one.id.clone(), other.id.clone()]);
        assert_eq!(decide(&new, &similar), both);
    }

    #[test]
    fn different_things_stand_beside_each_other() {
        for (old, new) in [
            ("User has a dog.", "User has two cats."),
            ("User works at Acme.", "User's brother works at Bolt."),
            ("Priya lives in Lyon.", "Tom lives in Oslo."),
            ("User is learning React.", "User is learning Spanish."),
            ("User loves tea.", "User loves coffee."),
            ("User works at Acme.", "User would love to work at Bolt."),
            ("User ran a marathon in 2019.", "User ran a marathon in 2021."),
            ("User plays tennis.", "User doesn't play golf."),
            ("User is proficient in React.", "User is learning Rust."),
        ] {
            assert_eq!(decided(old, new), "add", "{old} / {new}");
        }
    }

    #[test]
    fn one_request_tells_a_fact_once() {
        let mut again = candidate("User has two cats!", MemoryType::Semantic);
        again.quotes[0].turn = 4;
        let kept = deduplicate(vec![candidate("User has two cats.", MemoryType::Semantic), again]);
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].quotes.len(), 2);
    }
}
