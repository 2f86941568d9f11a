//! Memories in, the picture of a person out: biography, summaries by category, insights, traits, counts.
//!
//! Without a language model: facts are chosen, joined and put in order, and nothing is said that no memory says. Pure
//! functions of the memories and the time; `services::profiles` keeps what they write. Private memories are left out of
//! everything but the counts.

mod bio;
mod clause;
mod insight;
mod select;
mod stats;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use clause::Clause;

use crate::model::{Category, Memory, UnknownWord};

pub use bio::{Bio, Sentence};
pub use insight::{Insight, Leanings, Trait};
pub use stats::Stats;

/// A biography needs so many memories that are not private …
pub const LEAST_MEMORIES: usize = 5;
/// … in so many categories.
pub const LEAST_CATEGORIES: usize = 2;
/// Memories that sentences are made of and that insights are counted among, at most: the weightiest, then the newest.
const MOST_READ: usize = 5_000;
/// Clauses of a category's summary, and its key items, at most.
const SUMMARY_CLAUSES: usize = 4;
const KEY_ITEMS: usize = 5;

/// How long a biography is and what it looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BioFormat {
    /// 150 to 200 words, where there is enough to say.
    #[default]
    Full,
    /// 30 to 50 words.
    Short,
    /// Points, one a line.
    Bullets,
    /// Work, skills and plans.
    Professional,
}

/// How a biography is worded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BioStyle {
    /// Sentences that join what belongs together.
    #[default]
    Narrative,
    /// A fact a sentence.
    Factual,
    /// With contractions.
    Casual,
    /// Without contractions, by name.
    Formal,
}

impl BioFormat {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Full, Self::Short, Self::Bullets, Self::Professional];

    /// The lower-case word used in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Short => "short",
            Self::Bullets => "bullets",
            Self::Professional => "professional",
        }
    }
}

impl BioStyle {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Narrative, Self::Factual, Self::Casual, Self::Formal];

    /// The lower-case word used in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Narrative => "narrative",
            Self::Factual => "factual",
            Self::Casual => "casual",
            Self::Formal => "formal",
        }
    }
}

impl FromStr for BioFormat {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let found = Self::ALL.into_iter().find(|format| format.as_str() == word);
        found.ok_or_else(|| UnknownWord(word.to_owned()))
    }
}

impl FromStr for BioStyle {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let found = Self::ALL.into_iter().find(|style| style.as_str() == word);
        found.ok_or_else(|| UnknownWord(word.to_owned()))
    }
}

/// What biography is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct BioRequest {
    /// How long.
    pub format: BioFormat,
    /// How worded.
    pub style: BioStyle,
    /// Only memories with one of these categories; all where there are none.
    pub include: Vec<Category>,
    /// No memory with one of these categories.
    pub exclude: Vec<Category>,
}

impl BioRequest {
    /// Whether a memory may be told.
    fn covers(&self, memory: &Memory) -> bool {
        !memory.is_private()
            && !memory.categories.iter().any(|category| self.exclude.contains(category))
            && (self.include.is_empty() || memory.categories.iter().any(|category| self.include.contains(category)))
    }
}

/// What is told of one category.
#[derive(Clone, Debug, PartialEq)]
pub struct CategoryProfile {
    /// A few sentences.
    pub summary: String,
    /// What the person is, in the category `career`, where it is known.
    pub title: Option<String>,
    /// The main points.
    pub key_items: Vec<String>,
    /// Memories with this category.
    pub memory_count: usize,
    /// When one of them last changed.
    pub last_updated: DateTime<Utc>,
    /// What they lean to.
    pub leanings: Leanings,
}

/// Everything that is derived from a person's memories at one time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Derived {
    /// By category, `private` never.
    pub categories: BTreeMap<Category, CategoryProfile>,
    /// What many memories say together.
    pub insights: Vec<Insight>,
    /// Traits of character.
    pub traits: Vec<Trait>,
    /// Counts.
    pub stats: Stats,
}

/// Whether these memories are enough for a biography.
pub fn is_enough(memories: &[Arc<Memory>]) -> bool {
    let open: Vec<&Arc<Memory>> = memories.iter().filter(|memory| !memory.is_private()).collect();
    let has = |category: &Category| open.iter().any(|memory| memory.categories.contains(category));
    open.len() >= LEAST_MEMORIES && Category::ALL.iter().filter(|category| has(category)).count() >= LEAST_CATEGORIES
}

/// Writes a biography from a person's current memories; empty where nothing can be said. `superseded`: memories that newer
/// ones took the place of.
pub fn bio(memories: &[Arc<Memory>], request: &BioRequest, superseded: usize, now: DateTime<Utc>) -> Bio {
    bio::write(memories, request, superseded, now)
}

/// Derives everything else.
pub fn derive(memories: &[Arc<Memory>], now: DateTime<Utc>) -> Derived {
    // What is remembered of others says nothing of the person's own leanings.
    let (read, name) = told_of(weightiest(memories));
    let own: Vec<Arc<Memory>> = read.iter().filter(|memory| is_of_person(memory)).cloned().collect();
    let clauses: Vec<Clause> = read.iter().filter_map(|memory| Clause::of(memory, now)).collect();
    let mut categories = BTreeMap::new();
    for category in Category::ALL
        .into_iter()
        .filter(|category| *category != Category::Private)
    {
        let of: Vec<Arc<Memory>> = memories
            .iter()
            .filter(|m| m.categories.contains(&category) && !m.is_private())
            .cloned()
            .collect();
        let Some(last_updated) = of.iter().map(|memory| memory.updated_at).max() else {
            continue;
        };
        let clauses_of: Vec<&Clause> = clauses
            .iter()
            .filter(|clause| clause.memory.categories.contains(&category))
            .collect();
        let ranked = select::rank(clauses_of.iter().map(|clause| (*clause).clone()).collect(), now);
        let best: Vec<_> = ranked.iter().take(SUMMARY_CLAUSES).collect();
        let summary: Vec<String> = bio::summary(&best, name.as_deref())
            .into_iter()
            .map(|s| s.text)
            .collect();
        let profile = CategoryProfile {
            summary: summary.join(" "),
            title: (category == Category::Career).then(|| title(&ranked)).flatten(),
            key_items: ranked.iter().take(KEY_ITEMS).map(|one| item(&one.clause)).collect(),
            memory_count: of.len(),
            last_updated,
            leanings: insight::leanings(&of, &clauses_of),
        };
        categories.insert(category, profile);
    }
    Derived {
        categories,
        insights: insight::insights(&own, &clauses),
        traits: insight::traits(&own),
        stats: stats::count(memories, name.as_deref()),
    }
}

/// The memories that are read word by word.
fn weightiest(memories: &[Arc<Memory>]) -> Vec<Arc<Memory>> {
    let mut read: Vec<Arc<Memory>> = memories.iter().filter(|memory| !memory.is_private()).cloned().collect();
    if read.len() > MOST_READ {
        read.select_nth_unstable_by(MOST_READ, |a, b| {
            let newer = || b.updated_at.cmp(&a.updated_at).then_with(|| a.id.cmp(&b.id));
            b.importance.total_cmp(&a.importance).then_with(newer)
        });
        read.truncate(MOST_READ);
        read.sort_by(|a, b| a.created_at.cmp(&b.created_at).then_with(|| a.id.cmp(&b.id)));
    }
    read
}

/// The memories with the person as "User", and what they are called.
///
/// Where everybody in a chat has a name, nobody is the user: then the person is whoever has the name that the memories are
/// kept under, else whom most of them are about.
fn told_of(read: Vec<Arc<Memory>>) -> (Vec<Arc<Memory>>, Option<String>) {
    if read.iter().any(|memory| is_of_person(memory)) {
        let name = clause::name(&read);
        return (read, name);
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for memory in &read {
        let mut words = memory.text.split(' ');
        if let (Some(first), Some(second)) = (words.next(), words.next())
            && first.starts_with(char::is_uppercase)
            && second.starts_with(char::is_lowercase)
            && text::is_verb(second)
        {
            *counts.entry(first).or_default() += 1;
        }
    }
    counts.retain(|_, count| *count >= LEAST_MEMORIES);
    let user_id = read
        .first()
        .and_then(|memory| memory.user_id.as_deref())
        .unwrap_or_default();
    let named = counts.keys().find(|name| name.eq_ignore_ascii_case(user_id)).copied();
    let most = || counts.iter().max_by_key(|(_, count)| **count).map(|(name, _)| *name);
    let Some(name) = named.or_else(most).map(str::to_owned) else {
        return (read, None);
    };
    let as_user = |memory: Arc<Memory>| {
        let words = memory
            .text
            .split(' ')
            .map(|word| match word.strip_prefix(name.as_str()) {
                Some(rest) if !rest.starts_with(char::is_alphanumeric) => format!("User{rest}"),
                Some(_) | None => word.to_owned(),
            });
        let text = words.collect::<Vec<_>>().join(" ");
        Arc::new(Memory {
            text,
            ..Memory::clone(&memory)
        })
    };
    (read.into_iter().map(as_user).collect(), Some(name))
}

/// Whether a memory tells of the person, and not of somebody whom they know.
fn is_of_person(memory: &Memory) -> bool {
    memory.text.starts_with("User") || memory.text.contains(" User")
}

fn item(clause: &Clause) -> String {
    let text = match &clause.subject {
        clause::Subject::Person => clause.said.clone(),
        clause::Subject::With(other) => format!("with {other}, {}", clause.said),
        clause::Subject::Own => format!("their {}", clause.said),
        clause::Subject::Whole => clause.said.replace("{}", "them"),
    };
    text::sentence(&text).trim_end_matches('.').to_owned()
}

/// "works as a senior data scientist at …" → "senior data scientist".
fn title(ranked: &[select::Ranked]) -> Option<String> {
    ranked.iter().filter(|one| !one.clause.is_past).find_map(|one| {
        let said = one.clause.said.as_str();
        let rest = ["works as ", "is "].iter().find_map(|start| said.strip_prefix(start))?;
        let rest = rest
            .strip_prefix("a ")
            .or_else(|| rest.strip_prefix("an "))
            .or_else(|| rest.strip_prefix("the "))?;
        let end = [" at ", " for ", " in ", " with ", " and ", " who ", ","]
            .iter()
            .filter_map(|stop| rest.find(stop))
            .min();
        let title = &rest[..end.unwrap_or(rest.len())];
        (title.split(' ').count() <= 5).then(|| title.to_owned())
    })
}
