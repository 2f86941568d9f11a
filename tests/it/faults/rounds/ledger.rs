//! What was acknowledged, held against what the servers say in the end.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::WRITERS;
use super::world::World;
use crate::process::Rest;

/// Writers, the last ones, that store for one person together; the others have one each.
const SHARING: usize = 4;
const SYLLABLES: [&str; 32] = [
    "ba", "be", "bi", "bo", "da", "de", "di", "do", "ka", "ke", "ki", "ko", "la", "le", "li", "lo", "ma", "me", "mi",
    "mo", "na", "ne", "ni", "no", "ra", "re", "ri", "ro", "ta", "te", "ti", "to",
];

/// What one writer tells once, with a word that nobody else ever says.
#[derive(Clone, Debug)]
pub struct Fact {
    pub person: String,
    pub word: String,
    /// The server to begin with.
    pub turn: usize,
    /// Of its memory, once it is acknowledged.
    pub id: String,
}

impl Fact {
    pub fn new(writer: usize, number: usize) -> Self {
        let mut rest = number * WRITERS + writer;
        let mut word = "Z".to_owned();
        for _ in 0..4 {
            word += SYLLABLES[rest % SYLLABLES.len()];
            rest /= SYLLABLES.len();
        }
        Self {
            person: format!("person {}", writer.min(WRITERS - SHARING)),
            word,
            turn: writer + number,
            id: String::new(),
        }
    }

    pub fn told(&self) -> String {
        format!("I bought a kayak called {} in the town of Porto.", self.word)
    }

    /// The id that an answer gives; it must be of this fact's memory alone.
    pub fn acknowledged(&self, answer: &Value) -> String {
        let memories = answer["memories"].as_array().unwrap();
        assert_eq!(memories.len(), 1, "{}: {answer}", self.word);
        let text = memories[0]["memory"].as_str().unwrap();
        assert!(text.contains(&self.word), "{}: {answer}", self.word);
        memories[0]["id"].as_str().unwrap().to_owned()
    }
}

/// What is wrong in the end.
#[derive(Debug, Default)]
pub struct Report {
    /// Acknowledged, and not there; by word.
    pub lost: BTreeSet<String>,
    /// There more than once.
    pub duplicated: BTreeSet<String>,
    /// Shown to another person.
    pub leaked: BTreeSet<String>,
    /// There, and never told.
    pub strange: BTreeSet<String>,
}

impl Report {
    #[track_caller]
    pub fn assert_clean(&self) {
        let Self {
            lost,
            duplicated,
            leaked,
            strange,
        } = self;
        let is_clean = [lost, duplicated, leaked, strange].iter().all(|words| words.is_empty());
        assert!(is_clean, "{self:?}");
    }
}

/// Asks each server for everything of everybody.
pub async fn judge(world: &World, facts: &[Fact]) -> Report {
    let mut report = Report::default();
    let mut people: BTreeMap<&str, Vec<&Fact>> = BTreeMap::new();
    for fact in facts {
        people.entry(&fact.person).or_default().push(fact);
    }
    let owners: BTreeMap<&str, &str> = facts.iter().map(|fact| (&*fact.word, &*fact.person)).collect();
    for server in 0..world.servers() {
        let rest = world.shared.server(server);
        for (person, told) in &people {
            let listed = list(&rest, person).await;
            report.compare(told, &listed);
            report.look_for_others(&owners, person, listed.iter().map(|(_, text)| text.as_str()));
            // The last fact of everybody: their own must be found, and what is like the others' is their own.
            for fact in people.values().filter_map(|told| told.last()) {
                let found = search(&rest, person, &fact.told()).await;
                if fact.person == *person && !found.iter().any(|(id, _)| *id == fact.id) {
                    report.lost.insert(fact.word.clone());
                }
                report.look_for_others(&owners, person, found.iter().map(|(_, text)| text.as_str()));
            }
        }
    }
    report
}

impl Report {
    /// Each fact is there exactly once, as the memory that was acknowledged, and nothing else is.
    fn compare(&mut self, told: &[&Fact], listed: &[(String, String)]) {
        let mut ids: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (id, text) in listed {
            ids.entry(word_of(text)).or_default().push(id);
        }
        for fact in told {
            let found = ids.remove(&*fact.word).unwrap_or_default();
            if !found.contains(&&*fact.id) {
                self.lost.insert(fact.word.clone());
            }
            if found.len() > 1 {
                self.duplicated.insert(fact.word.clone());
            }
        }
        self.strange.extend(ids.into_keys().map(str::to_owned));
    }

    fn look_for_others<'t>(
        &mut self,
        owners: &BTreeMap<&str, &str>,
        person: &str,
        texts: impl Iterator<Item = &'t str>,
    ) {
        let others = texts.map(word_of).filter(|word| owners.get(word) != Some(&person));
        self.leaked.extend(others.map(str::to_owned));
    }
}

/// The word of a fact in its memory; the whole text where there is none.
fn word_of(text: &str) -> &str {
    let word = text
        .split([' ', '.'])
        .find(|word| word.len() == 9 && word.starts_with('Z'));
    word.unwrap_or(text)
}

async fn list(rest: &Rest, person: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for page in 1.. {
        let person = person.replace(' ', "%20");
        let path = format!("/v1/memories?user_id={person}&page_size=100&page={page}");
        let (status, answer) = rest.get(&path).await.unwrap();
        assert_eq!(status, 200, "{answer}");
        all.extend(ids_and_texts(&answer["data"]));
        if answer["pagination"]["has_next"] == false {
            break;
        }
    }
    all
}

async fn search(rest: &Rest, person: &str, query: &str) -> Vec<(String, String)> {
    let body = json!({"query": query, "user_id": person, "limit": 20, "rerank": true});
    let (status, answer) = rest.post("/v1/memories/search", &body).await.unwrap();
    assert_eq!(status, 200, "{answer}");
    ids_and_texts(&answer["memories"])
}

fn ids_and_texts(memories: &Value) -> Vec<(String, String)> {
    let text = |memory: &Value, name: &str| memory[name].as_str().unwrap().to_owned();
    let pair = |memory: &Value| (text(memory, "id"), text(memory, "memory"));
    memories.as_array().unwrap().iter().map(pair).collect()
}
