//! A linear classifier over what is known of a fact: is it worth keeping, does it last, what is it about.
//!
//! One logistic regression for each answer over shared features: the words, pairs of them, the text's vector, and what
//! the rules of this room say. `memsync eval train` fits the weights, which are compiled in; `docs/QUALITY.md` says how
//! well they do. [`super::extract`] asks it about every candidate.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::category::Evidence;
use super::word::Word;
use crate::model::{Category, MemoryType};

/// The answers: each of the ten categories, "is semantic", "is worth keeping".
pub(crate) const OUTPUTS: usize = 12;
const SEMANTIC: usize = 10;
const KEEP: usize = 11;
/// Weights are written in hundredths.
const UNIT: f32 = 100.0;
/// A category is chosen from this probability on, and the likeliest one in any case.
const CHOSEN: f32 = 0.4;
/// The same of `private`, which hides a memory from profiles.
const CHOSEN_PRIVATE: f32 = 0.8;
/// A candidate that the rules keep is dropped below this probability.
const DROPPED: f32 = 0.4;

static WEIGHTS: &str = include_str!("../../assets/extraction/classifier.tsv");

static MODEL: LazyLock<Model> = LazyLock::new(|| Model::read(WEIGHTS));

/// What is known of a fact, by name.
pub(crate) type Features = Vec<(String, f32)>;

/// What the classifier makes of a fact.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) is_kept: bool,
    pub(crate) memory_type: MemoryType,
    /// One to three, the likeliest first, `private` last.
    pub(crate) categories: Vec<Category>,
}

/// The weights by feature.
pub(crate) struct Model {
    weights: HashMap<String, [f32; OUTPUTS]>,
}

impl Model {
    /// Reads a feature a line: its name and a weight for each answer, in hundredths, parted by tabs. What can't be read
    /// counts nothing.
    pub(crate) fn read(text: &str) -> Self {
        let line = |line: &str| {
            let mut fields = line.split('\t');
            let name = fields.next()?.to_owned();
            let mut weights = [0.0; OUTPUTS];
            for weight in &mut weights {
                *weight = fields.next()?.parse::<f32>().ok()? / UNIT;
            }
            Some((name, weights))
        };
        Self {
            weights: text.lines().filter_map(line).collect(),
        }
    }

    /// The probability of each answer.
    pub(crate) fn probabilities(&self, features: &Features) -> [f32; OUTPUTS] {
        let mut sums = [0.0_f32; OUTPUTS];
        for (name, value) in features {
            if let Some(weights) = self.weights.get(name) {
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum += weight * value;
                }
            }
        }
        sums.map(|sum| 1.0 / (1.0 + (-sum).exp()))
    }
}

/// A verdict of the compiled-in weights.
pub(super) fn judge(features: &Features, is_private: bool) -> Verdict {
    verdict(&MODEL.probabilities(features), is_private)
}

/// What probabilities mean. `is_private`: sensitive data was found by pattern.
pub(super) fn verdict(probabilities: &[f32; OUTPUTS], is_private: bool) -> Verdict {
    let is_private = is_private || probabilities[Category::Private as usize] >= CHOSEN_PRIVATE;
    let mut ranked: Vec<(Category, f32)> = Category::ALL
        .into_iter()
        .filter(|category| *category != Category::Private)
        .map(|category| (category, probabilities[category as usize]))
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let room = if is_private { 2 } else { 3 };
    let mut categories: Vec<Category> = ranked
        .iter()
        .enumerate()
        .filter(|(place, (_, probability))| *probability >= CHOSEN || *place == 0 && !is_private)
        .map(|(_, (category, _))| *category)
        .take(room)
        .collect();
    if is_private {
        categories.push(Category::Private);
    }
    Verdict {
        is_kept: is_private || probabilities[KEEP] >= DROPPED,
        memory_type: if probabilities[SEMANTIC] >= 0.5 {
            MemoryType::Semantic
        } else {
            MemoryType::Episodic
        },
        categories,
    }
}

/// What is known of a sentence, whose `vector` has length 1 or 0, and what the rules say of it.
pub(super) fn features(words: &[Word<'_>], evidence: &Evidence, rule: Rule, vector: &[f32]) -> Features {
    let mut features: Features = vec![("bias".to_owned(), 1.0)];
    let mut add = |name: String, value: f32| features.push((name, value));
    let said: Vec<&str> = words
        .iter()
        .filter(|w| !w.is_empty())
        .map(|w| w.lower.as_str())
        .collect();
    // Long texts have more words, not more meaning.
    #[expect(clippy::cast_precision_loss, reason = "a count of words")]
    let share = 1.0 / (said.len().max(1) as f32).sqrt();
    for word in said.iter().filter(|word| word.len() <= 40) {
        if word.chars().any(|c| c.is_ascii_digit()) {
            add("number".to_owned(), 2.0 * share);
        } else {
            add(format!("word:{word}"), 2.0 * share);
            add(format!("stem:{}", super::category::stem(word)), 2.0 * share);
        }
    }
    for pair in said.windows(2).filter(|pair| pair[0].len() + pair[1].len() <= 60) {
        add(format!("pair:{} {}", pair[0], pair[1]), 2.0 * share);
    }
    for word in said.iter().take(2) {
        add(format!("start:{word}"), 1.0);
    }
    for category in Category::ALL {
        let weight = evidence.of(category);
        if weight > 0.0 {
            add(format!("rule:{}", category.as_str()), (weight / 3.0).tanh());
        }
    }
    if let Some(strongest) = evidence.strongest() {
        add(format!("strongest:{}", strongest.as_str()), 1.0);
    }
    add(format!("rule:{}", rule.memory_type.as_str()), 1.0);
    if rule.is_dated {
        add("rule:dated".to_owned(), 1.0);
    }
    if rule.is_private {
        add("rule:sensitive".to_owned(), 1.0);
    }
    if said.iter().any(|word| is_of_speaker(word)) {
        add("speaker".to_owned(), 1.0);
    }
    for (at, value) in vector.iter().enumerate() {
        add(format!("vector:{at}"), 2.0 * value);
    }
    features
}

/// What the rules say of a sentence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) memory_type: MemoryType,
    /// It says when.
    pub(super) is_dated: bool,
    /// It holds sensitive data, by pattern.
    pub(super) is_private: bool,
}

fn is_of_speaker(word: &str) -> bool {
    let stem = word.split('\'').next().unwrap_or(word);
    [
        "i", "im", "ive", "my", "me", "mine", "myself", "we", "us", "our", "ours",
    ]
    .contains(&stem)
}

/// The right answers of a labelled sentence, 0 or 1 each; those that a dropped one has none of are `None`.
pub(crate) fn answers(label: Option<(MemoryType, &[Category])>) -> [Option<f32>; OUTPUTS] {
    let mut answers = [None; OUTPUTS];
    answers[KEEP] = Some(f32::from(u8::from(label.is_some())));
    if let Some((memory_type, categories)) = label {
        for category in Category::ALL {
            answers[category as usize] = Some(f32::from(u8::from(categories.contains(&category))));
        }
        answers[SEMANTIC] = Some(f32::from(u8::from(memory_type == MemoryType::Semantic)));
    }
    answers
}

/// The weights as [`Model::read`] reads them; those that count nothing are left out.
pub(crate) fn write(weights: &[(String, [f32; OUTPUTS])]) -> String {
    let mut text = String::new();
    for (name, weights) in weights {
        let hundredths = weights.map(|weight| (weight * UNIT).round());
        if hundredths.iter().any(|weight| *weight != 0.0) {
            text += name;
            for weight in hundredths {
                text += &format!("\t{}", weight as i64);
            }
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_read_as_they_are_written_to_the_hundredth() {
        let mut weights = [0.0; OUTPUTS];
        weights[0] = 1.234;
        weights[KEEP] = -0.5;
        let rows = [
            ("word:it's a \"test\"".to_owned(), weights),
            ("none".to_owned(), [0.001; OUTPUTS]),
        ];
        let model = Model::read(&write(&rows));
        assert_eq!(model.weights.len(), 1);
        let read = model.weights["word:it's a \"test\""];
        assert_eq!((read[0], read[KEEP], read[1]), (1.23, -0.5, 0.0));
    }

    #[test]
    fn there_are_one_to_three_categories_and_private_is_last() {
        let mut probabilities = [0.9; OUTPUTS];
        let all = verdict(&probabilities, false).categories;
        assert_eq!((all.len(), all.last()), (3, Some(&Category::Private)));
        probabilities = [0.01; OUTPUTS];
        assert_eq!(verdict(&probabilities, false).categories.len(), 1);
        assert_eq!(verdict(&probabilities, true).categories, [Category::Private]);
        assert!(verdict(&probabilities, true).is_kept && !verdict(&probabilities, false).is_kept);
    }
}
