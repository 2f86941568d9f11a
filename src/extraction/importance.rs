//! How much a fact matters, from 0 to 1: kind, topic, weight of the words, specificity.

use super::category::Evidence;
use super::non_fact::carries_topic;
use super::word::Word;
use crate::model::{Category, MemoryType};

/// What is known of a fact besides its words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// Lasting or of a time.
    pub(super) memory_type: MemoryType,
    /// Holds sensitive data.
    pub(super) is_private: bool,
    /// Says something of its speaker rather than of the world.
    pub(super) names_speaker: bool,
}

/// Turns in a life.
const LANDMARKS: &[&str] = &[
    "married",
    "engaged",
    "divorced",
    "born",
    "died",
    "death",
    "pregnant",
    "promoted",
    "fired",
    "graduated",
    "diagnosed",
    "moved",
    "adopted",
    "retired",
    "hired",
    "wedding",
    "funeral",
    "quit",
    "accident",
    "surgery",
    "won",
    "founded",
    "launched",
    "allergic",
    "proposed",
    "baby",
];

const STRESSED: &[&str] = &[
    "really",
    "very",
    "most",
    "important",
    "always",
    "never",
    "love",
    "hate",
    "favorite",
    "favourite",
    "extremely",
    "absolutely",
    "passionate",
    "dream",
    "biggest",
    "best",
    "must",
    "remember",
    "essential",
    "crucial",
    "life",
];

/// The importance of a fact made of these sentences.
pub(super) fn of<'w, 'a: 'w>(
    words: impl Iterator<Item = &'w Word<'a>>,
    evidence: &Evidence,
    standing: Standing,
) -> f32 {
    let (mut topics, mut exact, mut stressed, mut landmarks) = (0_u16, 0_u16, 0_u16, 0_u16);
    for (at, word) in words.enumerate() {
        let lower = word.lower.as_str();
        topics += u16::from(carries_topic(word));
        exact += u16::from(
            (at > 0 && word.is_capitalised() && lower != "i" && !lower.starts_with("i'"))
                || word.core.contains(|c: char| c.is_ascii_digit()),
        );
        stressed += u16::from(STRESSED.contains(&lower));
        landmarks += u16::from(LANDMARKS.contains(&lower));
    }
    let kind = match standing.memory_type {
        MemoryType::Semantic => 0.42,
        MemoryType::Episodic => 0.36,
    };
    let topic = if [
        Category::Identity,
        Category::Relationships,
        Category::Health,
        Category::Career,
    ]
    .iter()
    .any(|c| evidence.of(*c) >= 3.0)
    {
        0.08
    } else {
        0.0
    };
    let sum = kind
        + topic
        + 0.015 * f32::from(topics.min(8))
        + 0.03 * f32::from(exact.min(4))
        + 0.03 * f32::from(stressed.min(3))
        + 0.12 * f32::from(landmarks.min(2))
        + if standing.is_private { 0.12 } else { 0.0 }
        - if standing.names_speaker { 0.0 } else { 0.15 }
        - if topics < 2 { 0.12 } else { 0.0 };
    sum.clamp(0.05, 1.0)
}

#[cfg(test)]
mod tests {
    use super::super::category;
    use super::super::word::words;
    use super::*;

    fn weigh(text: &str) -> f32 {
        let all = words(text);
        of(
            all.iter(),
            &category::evidence(&all),
            Standing {
                memory_type: MemoryType::Semantic,
                is_private: false,
                names_speaker: true,
            },
        )
    }

    #[test]
    fn turns_in_a_life_outweigh_trifles() {
        assert!(weigh("I got married to Anna in Prague and we moved to Brno.") > weigh("I had some soup.") + 0.2);
    }
}
