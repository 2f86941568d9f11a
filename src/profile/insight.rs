//! What many memories say together: themes, likes, work style, values, traits. Counted, never guessed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::clause::Clause;
use super::select::as_f32;
use super::text::{base, content, third_person};
use crate::model::{Category, Memory, MemoryId};

/// Memories that must agree before anything is said.
const LEAST: usize = 3;
/// Items of a list, at most.
const MOST_ITEMS: usize = 8;

/// Something that several memories show.
#[derive(Clone, Debug, PartialEq)]
pub struct Insight {
    /// What it is about.
    pub title: String,
    /// What was counted.
    pub description: String,
    /// The category that most of the memories have.
    pub category: Category,
    /// 1 − 1 / (1 + n / 3) for n memories.
    pub confidence: f32,
    /// The memories.
    pub memories: Vec<MemoryId>,
}

/// A trait of character that several memories show.
#[derive(Clone, Debug, PartialEq)]
pub struct Trait {
    /// What it is called.
    pub name: &'static str,
    /// n / (n + 4) for n memories.
    pub strength: f32,
    /// The category that most of the memories have.
    pub category: Category,
    /// The memories.
    pub memories: Vec<MemoryId>,
}

/// What the memories of one category show together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Leanings {
    /// Words that come up in several memories.
    pub common_topics: Vec<String>,
    /// How the person writes, where enough of their words are kept.
    pub communication_tone: Option<&'static str>,
    /// What they are interested in.
    pub interests: Vec<String>,
    /// What they like.
    pub likes: Vec<String>,
    /// What they dislike.
    pub dislikes: Vec<String>,
}

/// A trait, and word beginnings that show it.
const TRAITS: [(&str, &[&str]); 10] = [
    (
        "active",
        &[
            "run", "marathon", "gym", "hik", "climb", "swim", "cycl", "yoga", "boulder", "bike", "sport", "training",
        ],
    ),
    (
        "creative",
        &[
            "paint",
            "draw",
            "sketch",
            "writ",
            "music",
            "photograph",
            "compos",
            "ceramic",
            "knit",
            "craft",
            "drum",
            "sing",
            "choir",
        ],
    ),
    (
        "curious",
        &[
            "learn", "study", "studies", "course", "read", "book", "museum", "lectur", "research",
        ],
    ),
    (
        "family-oriented",
        &[
            "mother", "father", "sister", "brother", "parent", "daughter", "son", "grand", "niece", "nephew", "cousin",
            "family",
        ],
    ),
    (
        "sociable",
        &[
            "friend",
            "party",
            "dinner",
            "neighbour",
            "neighbor",
            "host",
            "club",
            "team",
        ],
    ),
    (
        "caring",
        &["volunteer", "help", "rescue", "adopt", "care", "donat", "mentor"],
    ),
    (
        "ambitious",
        &["promot", "goal", "want", "launch", "qualif", "exam", "certif"],
    ),
    (
        "organised",
        &[
            "plan",
            "notebook",
            "calendar",
            "list",
            "routine",
            "schedul",
            "tidy",
            "spreadsheet",
        ],
    ),
    (
        "adventurous",
        &["travel", "trip", "flew", "abroad", "backpack", "explor", "journey"],
    ),
    ("thrifty", &["sav", "budget", "second-hand", "secondhand", "frugal"]),
];
/// Traits that one such word in a memory does not prove by itself are counted only with these categories.
const TRAIT_CATEGORIES: [(&str, &[Category]); 4] = [
    ("active", &[Category::Interests, Category::Health]),
    ("curious", &[Category::Learning, Category::Interests]),
    ("thrifty", &[Category::Finance]),
    (
        "ambitious",
        &[Category::Career, Category::Learning, Category::Productivity],
    ),
];
/// Words that come up everywhere and say nothing of anybody.
const COMMON: &str = "day days week weeks month months year years time times morning evening night weekend today one two three four five \
first last new old small big good great best long little every thing things lot way people person home work works working day go goes \
going went get gets got make makes made take takes took like likes love loves enjoy enjoys want wants need needs use uses start started \
plan plans feel feels felt think thinks find finds found keep keeps kept give gave buy bought see saw meet met come came live lives \
january february march april may june july august september october november december monday tuesday wednesday thursday friday saturday \
sunday euros pounds dollars hour hours minutes kilometres km half since around name called says said has been";

/// Likes and dislikes, by how a clause about the person begins.
const LIKES: [&str; 9] = [
    "loves ",
    "likes ",
    "enjoys ",
    "adores ",
    "is fond of ",
    "really likes ",
    "is passionate about ",
    "is a fan of ",
    "collects ",
];
const DISLIKES: [&str; 8] = [
    "dislikes ",
    "hates ",
    "can't stand ",
    "doesn't like ",
    "doesn't enjoy ",
    "avoids ",
    "is tired of ",
    "detests ",
];
const VALUES: [&str; 5] = ["cares ", "believes ", "values ", "it matters to ", "stands up for "];
const WORK_STYLE: [&str; 6] = [
    "prefers to work",
    "works best",
    "does their best",
    "prefers ",
    "plans each",
    "likes to work",
];

/// The words that most memories share, most first.
pub(super) fn themes(memories: &[Arc<Memory>], limit: usize) -> Vec<String> {
    topics(memories).into_iter().take(limit).map(|(word, _)| word).collect()
}

fn topics(memories: &[Arc<Memory>]) -> Vec<(String, Vec<&Arc<Memory>>)> {
    let common: HashSet<&str> = COMMON.split_whitespace().collect();
    let mut by_word: HashMap<String, (String, Vec<&Arc<Memory>>)> = HashMap::new();
    for memory in memories.iter().filter(|memory| !memory.is_private()) {
        let mut seen = HashSet::new();
        for word in content(&memory.text) {
            let stem = word.trim_end_matches('s').to_owned();
            let is_name = memory.text.contains(&capitalised(&word));
            if word.len() > 3
                && !is_name
                && !common.contains(word.as_str())
                && !word.contains(|c: char| c.is_ascii_digit())
                && seen.insert(stem.clone())
            {
                by_word.entry(stem).or_insert_with(|| (word, Vec::new())).1.push(memory);
            }
        }
    }
    let mut topics: Vec<(String, Vec<&Arc<Memory>>)> =
        by_word.into_values().filter(|(_, of)| of.len() >= LEAST).collect();
    topics.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(&b.0)));
    topics
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// What is worth noticing, the best supported first.
pub(super) fn insights(memories: &[Arc<Memory>], clauses: &[Clause]) -> Vec<Insight> {
    let mut found = Vec::new();
    for (word, of) in topics(memories).into_iter().take(5) {
        let description = format!("{} comes up in {} memories.", capitalised(&word), of.len());
        found.push(insight(format!("Often speaks of {word}"), description, &of));
    }
    let lists = [
        ("Likes", &LIKES[..], "likes", 2),
        ("Dislikes", &DISLIKES[..], "dislikes", 2),
        ("Values", &VALUES[..], "values", 2),
        ("Work style", &WORK_STYLE[..], "ways of working", 2),
    ];
    for (title, beginnings, what, least) in lists {
        let of: Vec<&Clause> = clauses
            .iter()
            .filter(|c| begins(c, beginnings) && (title != "Work style" || is_of_work(c)))
            .collect();
        if of.len() >= least {
            let named: Vec<String> = of.iter().take(3).map(|clause| object(clause, beginnings)).collect();
            let description = format!("{} {what} are remembered, such as: {}.", of.len(), named.join("; "));
            found.push(insight(
                title.to_owned(),
                description,
                &of.iter().map(|c| &c.memory).collect::<Vec<_>>(),
            ));
        }
    }
    found.sort_by_key(|insight| std::cmp::Reverse(insight.memories.len()));
    found
}

fn is_of_work(clause: &Clause) -> bool {
    clause
        .memory
        .categories
        .iter()
        .any(|c| matches!(c, Category::Career | Category::Productivity))
}

fn insight(title: String, description: String, of: &[&Arc<Memory>]) -> Insight {
    Insight {
        title,
        description,
        category: majority(of),
        confidence: 1.0 - 1.0 / (1.0 + as_f32(of.len()) / 3.0),
        memories: of.iter().map(|memory| memory.id.clone()).collect(),
    }
}

fn majority(of: &[&Arc<Memory>]) -> Category {
    let mut counts: BTreeMap<usize, (usize, Category)> = BTreeMap::new();
    for category in of.iter().filter_map(|memory| memory.categories.first()) {
        counts.entry(*category as usize).or_insert((0, *category)).0 += 1;
    }
    counts
        .into_values()
        .max_by_key(|(count, _)| *count)
        .map_or(Category::Identity, |(_, category)| category)
}

/// Traits with enough evidence, the strongest first.
pub(super) fn traits(memories: &[Arc<Memory>]) -> Vec<Trait> {
    let mut found: Vec<Trait> = TRAITS
        .iter()
        .filter_map(|(name, beginnings)| {
            let categories = TRAIT_CATEGORIES
                .iter()
                .find(|(of, _)| of == name)
                .map(|(_, categories)| *categories);
            let shows = |memory: &&Arc<Memory>| {
                !memory.is_private()
                    && categories.is_none_or(|allowed| memory.categories.iter().any(|c| allowed.contains(c)))
                    && content(&memory.text)
                        .iter()
                        .any(|word| beginnings.iter().any(|start| word.starts_with(start)))
            };
            let of: Vec<&Arc<Memory>> = memories.iter().filter(shows).collect();
            (of.len() >= LEAST).then(|| Trait {
                name,
                strength: as_f32(of.len()) / as_f32(of.len() + 4),
                category: majority(&of),
                memories: of.iter().map(|memory| memory.id.clone()).collect(),
            })
        })
        .collect();
    found.sort_by(|a, b| b.memories.len().cmp(&a.memories.len()).then_with(|| a.name.cmp(b.name)));
    found
}

/// What the memories of one category lean to.
pub(super) fn leanings(memories: &[Arc<Memory>], clauses: &[&Clause]) -> Leanings {
    let list = |beginnings: &[&str]| {
        let of = clauses.iter().filter(|clause| begins(clause, beginnings));
        of.map(|clause| object(clause, beginnings))
            .take(MOST_ITEMS)
            .collect::<Vec<_>>()
    };
    let likes = list(&LIKES);
    let topics = themes(memories, MOST_ITEMS);
    Leanings {
        communication_tone: tone(memories),
        interests: topics
            .iter()
            .filter(|topic| likes.iter().any(|like| like.contains(topic.as_str())))
            .cloned()
            .collect(),
        common_topics: topics,
        likes,
        dislikes: list(&DISLIKES),
    }
}

fn begins(clause: &Clause, beginnings: &[&str]) -> bool {
    beginnings.iter().any(|start| clause.said.starts_with(start))
}

fn object(clause: &Clause, beginnings: &[&str]) -> String {
    let start = beginnings
        .iter()
        .find(|start| clause.said.starts_with(**start))
        .copied()
        .unwrap_or_default();
    let said = if VALUES.contains(&start) || WORK_STYLE.contains(&start) {
        &clause.said
    } else {
        &clause.said[start.len()..]
    };
    let second = said
        .match_indices(" and ")
        .chain(said.match_indices(" but "))
        .map(|(at, _)| at)
        .find(|at| {
            let next = said[at + 5..].split(' ').next().unwrap_or_default();
            base(next).is_some_and(|base| base != next && third_person(&base).is_some())
        });
    said[..second.unwrap_or(said.len())].replace("{}", "them")
}

/// From the words that were kept with the memories; nothing from fewer than ten sentences.
fn tone(memories: &[Arc<Memory>]) -> Option<&'static str> {
    let quotes: Vec<&str> = memories
        .iter()
        .filter(|memory| !memory.is_private())
        .flat_map(|memory| memory.sources.iter().map(|source| source.quote.as_str()))
        .filter(|quote| !quote.is_empty())
        .collect();
    if quotes.len() < 10 {
        return None;
    }
    let share =
        |of: &dyn Fn(&str) -> bool| as_f32(quotes.iter().filter(|quote| of(quote)).count()) / as_f32(quotes.len());
    let words = quotes.iter().map(|quote| quote.split(' ').count()).sum::<usize>() / quotes.len();
    if share(&|quote| quote.contains('!')) >= 0.4 {
        Some("enthusiastic")
    } else if share(&|quote| quote.to_lowercase().contains("please") || quote.to_lowercase().contains("thank")) >= 0.2 {
        Some("polite")
    } else if words <= 7 {
        Some("concise")
    } else if words >= 25 {
        Some("detailed")
    } else {
        Some("matter-of-fact")
    }
}
