//! The word lists of this room, read once from `assets/english`.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Whether one may be called "he", "she" or "they".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gender {
    Female,
    Male,
    Either,
    Several,
}

/// A word for somebody's own person or animal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kin {
    pub(super) gender: Gender,
    /// Whether having one is worth noting.
    pub(super) is_told: bool,
    /// Whether what they do is a matter of relationships.
    pub(super) is_close: bool,
}

static KIN: LazyLock<HashMap<&str, Kin>> = LazyLock::new(|| {
    lines(include_str!("../../../assets/english/kin.tsv"))
        .filter_map(|line| {
            let mut fields = line.split('\t');
            let word = fields.next()?;
            let gender = match fields.next()? {
                "f" => Gender::Female,
                "m" => Gender::Male,
                "p" => Gender::Several,
                _ => Gender::Either,
            };
            let mark = fields.next();
            let kin = Kin {
                gender,
                is_told: mark == Some("+"),
                is_close: mark != Some("~"),
            };
            Some((word, kin))
        })
        .collect()
});
static CHAT: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    lines(include_str!("../../../assets/english/chat.tsv"))
        .filter_map(|line| line.split_once('\t'))
        .collect()
});
static FILLERS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| lines(include_str!("../../../assets/english/fillers.txt")).collect());
static TRANSPARENT: LazyLock<HashSet<&str>> =
    LazyLock::new(|| lines(include_str!("../../../assets/english/transparent_verbs.txt")).collect());
static DISTRIBUTIVE: LazyLock<HashSet<&str>> =
    LazyLock::new(|| lines(include_str!("../../../assets/english/distributive.txt")).collect());
static ROLES: LazyLock<HashSet<&str>> =
    LazyLock::new(|| lines(include_str!("../../../assets/english/roles.txt")).collect());

static STANDING: LazyLock<Vec<&str>> =
    LazyLock::new(|| lines(include_str!("../../../assets/english/standing.txt")).collect());
static STYLE: LazyLock<HashSet<&str>> =
    LazyLock::new(|| lines(include_str!("../../../assets/english/style.txt")).collect());
static MANNER_VERBS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| lines(include_str!("../../../assets/english/manner_verbs.txt")).collect());

static IDLE: LazyLock<HashSet<&str>> =
    LazyLock::new(|| lines(include_str!("../../../assets/english/idle.txt")).collect());

static SELF_VERBS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| lines(include_str!("../../../assets/english/self_verbs.txt")).collect());

/// The longest filler, in words.
pub(super) const LONGEST_FILLER: usize = 5;

fn lines(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// What a word says of the speaker's own people and animals.
pub(super) fn kin(lower: &str) -> Option<Kin> {
    KIN.get(lower).copied()
}

/// The word that is meant by one of chats.
pub(super) fn meant(lower: &str) -> Option<&'static str> {
    CHAT.get(lower).copied()
}

/// Whether a word or phrase says nothing at the edge of a clause.
pub(super) fn is_filler(lower: &str) -> bool {
    FILLERS.contains(lower)
}

/// Whether the telling is what stands behind this verb.
pub(super) fn is_transparent(lemma: &str) -> bool {
    TRANSPARENT.contains(lemma)
}

/// Whether each of a word's objects holds alone.
pub(super) fn is_distributive(lemma: &str) -> bool {
    DISTRIBUTIVE.contains(lemma)
}

/// Whether words joined by blanks say that a wish holds for all answers to come.
pub(super) fn stands(words: &str) -> bool {
    let padded = format!(" {words} ");
    STANDING.iter().any(|phrase| padded.contains(&format!(" {phrase} ")))
}

/// Whether a word speaks of the manner of answers.
pub(super) fn is_of_style(lower: &str) -> bool {
    STYLE.contains(lower)
}

/// Whether a verb tells of oneself where "I" is left out.
pub(super) fn tells_of_self(lemma: &str) -> bool {
    SELF_VERBS.contains(lemma)
}

/// Whether one is this only for the moment of a chat.
pub(super) fn is_idle(lower: &str) -> bool {
    IDLE.contains(lower)
}

/// Whether a verb says what an assistant does about its manner.
pub(super) fn is_manner_verb(lemma: &str) -> bool {
    MANNER_VERBS.contains(lemma)
}

/// Whether a noun says what somebody is.
pub(super) fn is_role(lower: &str) -> bool {
    ROLES.contains(lower)
        || lower.len() > 5
            && ["er", "or", "ist", "ian", "ant", "eer", "man", "woman"]
                .iter()
                .any(|ending| lower.ends_with(ending))
            && ![
                "computer",
                "water",
                "summer",
                "winter",
                "dinner",
                "weather",
                "number",
                "letter",
                "paper",
                "power",
                "order",
                "restaurant",
                "plant",
                "answer",
                "colour",
                "color",
                "december",
                "november",
                "october",
                "september",
                "monster",
            ]
            .contains(&lower)
}
