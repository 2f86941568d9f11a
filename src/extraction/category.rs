//! Which of the ten categories a fact belongs to, by weighted word stems.
//!
//! The vocabulary is in `category_words.rs`; sensitive data found by pattern comes from `private.rs`.

use std::collections::HashMap;
use std::sync::LazyLock;

use rust_stemmers::{Algorithm, Stemmer};

use super::category_words::{PHRASES, VOCABULARY};
use super::word::Word;
use crate::model::Category;

const COUNT: usize = Category::ALL.len();
/// Less evidence chooses no category.
const ENOUGH: f32 = 1.0;

/// Evidence for each category, in the order of [`Category::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Evidence([f32; COUNT]);

impl Evidence {
    /// The evidence for one category.
    pub(super) fn of(&self, category: Category) -> f32 {
        self.0[category as usize]
    }

    /// The category with the most evidence, where any has enough to be chosen.
    pub(super) fn strongest(&self) -> Option<Category> {
        let best = Category::ALL
            .into_iter()
            .max_by(|a, b| self.of(*a).total_cmp(&self.of(*b)))?;
        (self.of(best) >= ENOUGH).then_some(best)
    }

    pub(super) fn add(&mut self, category: Category, weight: f32) {
        self.0[category as usize] += weight;
    }

    /// Adds the evidence of another sentence of the same fact.
    pub(super) fn merge(&mut self, other: &Self) {
        for (own, more) in self.0.iter_mut().zip(other.0) {
            *own += more;
        }
    }
}

static STEMMER: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));

static STEMS: LazyLock<HashMap<String, Vec<(Category, f32)>>> = LazyLock::new(|| {
    let mut stems: HashMap<String, Vec<(Category, f32)>> = HashMap::new();
    for (category, weight, words) in VOCABULARY {
        for word in words.split_whitespace() {
            let entry = stems.entry(STEMMER.stem(word).into_owned()).or_default();
            if !entry.iter().any(|(known, _)| known == category) {
                entry.push((*category, *weight));
            }
        }
    }
    stems
});

/// What the words of one sentence say about its category.
pub(super) fn evidence(words: &[Word<'_>]) -> Evidence {
    let mut evidence = Evidence::default();
    let mut text = String::with_capacity(words.len() * 6 + 2);
    text.push(' ');
    for word in words {
        if word.core.is_empty() || word.core.len() > 40 {
            continue;
        }
        text.push_str(&word.lower);
        text.push(' ');
        let bare = word.lower.strip_suffix("'s").unwrap_or(&word.lower);
        weigh(bare, &mut evidence);
        if bare.contains('-') {
            bare.split('-').for_each(|part| weigh(part, &mut evidence));
        }
    }
    for (category, weight, phrase) in PHRASES {
        if text.contains(phrase) {
            evidence.add(*category, *weight);
        }
    }
    evidence
}

/// The stem that the vocabulary knows a word by.
pub(super) fn stem(word: &str) -> std::borrow::Cow<'_, str> {
    STEMMER.stem(word)
}

fn weigh(word: &str, evidence: &mut Evidence) {
    if let Some(found) = STEMS.get(STEMMER.stem(word).as_ref()) {
        for (category, weight) in found {
            evidence.add(*category, *weight);
        }
    }
}

/// One to three categories, the most fitting first. `is_lasting` steers where nothing else tells.
pub(super) fn choose(evidence: &Evidence, is_private: bool, is_lasting: bool) -> Vec<Category> {
    let mut ranked: Vec<(Category, f32)> = Category::ALL
        .into_iter()
        .filter(|c| *c != Category::Private)
        .map(|c| (c, evidence.of(c)))
        .filter(|(_, weight)| *weight >= ENOUGH)
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let best = ranked.first().map_or(0.0, |r| r.1);
    ranked.retain(|(_, weight)| *weight >= best * 0.6);
    let room = if is_private { 2 } else { 3 };
    let mut chosen: Vec<Category> = ranked.into_iter().take(room).map(|r| r.0).collect();
    if is_private {
        chosen.push(Category::Private);
    }
    if chosen.is_empty() {
        chosen.push(if is_lasting {
            Category::Interests
        } else {
            Category::Productivity
        });
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::super::word::words;
    use super::*;

    fn first(text: &str) -> Category {
        choose(&evidence(&words(text)), false, true)[0]
    }

    #[test]
    fn everyday_sentences_find_their_category() {
        for (text, want) in [
            ("I work as a welder at a shipyard", Category::Career),
            (
                "My grandmother turned ninety and my cousins came",
                Category::Relationships,
            ),
            ("I love board games and old westerns", Category::Interests),
            ("I'm allergic to penicillin", Category::Health),
            ("I put 200 euros into my savings account every month", Category::Finance),
            (
                "I'm taking a course on statistics at the university",
                Category::Learning,
            ),
            ("We flew to Lisbon for a week of vacation", Category::Travel),
            ("I get up at six and plan my day in a notebook", Category::Productivity),
            ("I am 34 years old and grew up in Ghana", Category::Identity),
        ] {
            assert_eq!(first(text), want, "{text}");
        }
    }

    #[test]
    fn there_are_one_to_three() {
        for text in [
            "",
            "xyz",
            "my wife and I took our kids on a trip to a hospital job course with savings",
        ] {
            let chosen = choose(&evidence(&words(text)), true, false);
            assert!((1..=3).contains(&chosen.len()));
        }
    }
}
