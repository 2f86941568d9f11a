//! The features of relevance: what is known about one memory in the light of one question, and the weight of each.
//!
//! A memory's score is the sum of every feature times its weight, so that a score can be taken apart again.

use std::collections::HashMap;

use super::PersonIndex;
use super::lexical::as_f32;
use super::neighbours::REACH;
use super::question::Question;
use super::words::Analyzer;

/// How many turns to either side lend their scores.
const SIDE: usize = REACH as usize;
/// Index terms from which a longer memory gains nothing more.
const LONG_TERMS: usize = 30;
/// Days in which newness halves.
const HALF_LIFE_DAYS: f32 = 60.0;

/// Features of one memory, or the weight of each: the same shape, so that neither can miss a field.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Features {
    /// Cosine, from the mean of all memories (0) to the best (1).
    pub(crate) dense: f32,
    /// BM25, as a share of the best.
    pub(crate) lexical: f32,
    /// `dense` + `lexical`, halved, of the best memory 1, 2, 3, 4 turns before.
    pub(crate) before: [f32; SIDE],
    /// The same of the turns after.
    pub(crate) after: [f32; SIDE],
    /// The same on average over the three best memories of the conversation.
    pub(crate) thread: f32,
    /// 1 when it is about whom the question names.
    pub(crate) subject: f32,
    /// 1 when it mentions them, being about someone else.
    pub(crate) mention: f32,
    /// Share of the question's neighbouring words that stand together here too.
    pub(crate) phrase: f32,
    /// 1 when it states what the question asks for, though in other words.
    pub(crate) attribute: f32,
    /// How well its time fits the question's date, 0 to 1.
    pub(crate) date: f32,
    /// 1 when it says when, and the question asks that.
    pub(crate) dated: f32,
    /// Newness, 1 falling to 0, when the question asks for the present.
    pub(crate) recency: f32,
    /// Importance, 0 to 1.
    pub(crate) importance: f32,
    /// Wealth of words, 0 to 1, by logarithm.
    pub(crate) length: f32,
}

impl Features {
    /// How many numbers they are.
    pub(crate) const COUNT: usize = 12 + 2 * SIDE;

    /// What each of [`Self::values`] is called.
    pub(crate) const NAMES: [&str; Self::COUNT] = [
        "dense",
        "lexical",
        "before_1",
        "before_2",
        "before_3",
        "before_4",
        "after_1",
        "after_2",
        "after_3",
        "after_4",
        "thread",
        "subject",
        "mention",
        "phrase",
        "attribute",
        "date",
        "dated",
        "recency",
        "importance",
        "length",
    ];

    /// All of them in the order of [`Self::NAMES`].
    pub(crate) const fn values(&self) -> [f32; Self::COUNT] {
        let Self {
            dense,
            lexical,
            before,
            after,
            thread,
            subject,
            mention,
            phrase,
            attribute,
            date,
            dated,
            recency,
            importance,
            length,
        } = *self;
        [
            dense, lexical, before[0], before[1], before[2], before[3], after[0], after[1], after[2], after[3], thread,
            subject, mention, phrase, attribute, date, dated, recency, importance, length,
        ]
    }

    /// The features with these [`Self::values`].
    pub(crate) const fn of(values: [f32; Self::COUNT]) -> Self {
        let [dense, lexical, b1, b2, b3, b4, a1, a2, a3, a4, rest @ ..] = values;
        let [
            thread,
            subject,
            mention,
            phrase,
            attribute,
            date,
            dated,
            recency,
            importance,
            length,
        ] = rest;
        Self {
            dense,
            lexical,
            before: [b1, b2, b3, b4],
            after: [a1, a2, a3, a4],
            thread,
            subject,
            mention,
            phrase,
            attribute,
            date,
            dated,
            recency,
            importance,
            length,
        }
    }

    /// The sum of these features at these weights.
    pub(crate) fn score(&self, weights: &Self) -> f32 {
        self.values()
            .iter()
            .zip(weights.values())
            .map(|(feature, weight)| feature * weight)
            .sum()
    }

    /// What each feature is called, shows, and weighs; without those that show nothing. Value times weight add up to
    /// [`Self::score`].
    pub(super) fn parts(&self, weights: &Self) -> Vec<Part> {
        let parts = Self::NAMES.into_iter().zip(self.values()).zip(weights.values());
        let parts = parts.map(|((name, value), weight)| Part { name, value, weight });
        parts.filter(|part| part.value != 0.0 && part.weight != 0.0).collect()
    }
}

/// One feature of one memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// What it is called; the fields of `Features` say what each means.
    pub name: &'static str,
    /// What it shows.
    pub value: f32,
    /// Its weight.
    pub weight: f32,
}

/// Scores of every allowed memory by its own words and vector, by slot.
pub(super) struct Own {
    pub(super) dense: Vec<f32>,
    pub(super) lexical: Vec<f32>,
    /// Mean of both.
    pub(super) joint: Vec<f32>,
}

/// Reads the features of all memories in `pool` (slots).
pub(super) fn read(index: &PersonIndex, question: &Question, own: &Own, pool: &[usize]) -> Vec<Features> {
    let analyzer = Analyzer::new();
    let named = named(index, question);
    let named_terms: Vec<String> = named.iter().map(|name| analyzer.stem(name)).collect();
    let named_numbers: Vec<u32> = named_terms.iter().filter_map(|term| index.lexical.find(term)).collect();
    let pairs: Vec<Option<(u32, u32)>> = question
        .terms
        .windows(2)
        .map(|pair| index.lexical.find(&pair[0].term).zip(index.lexical.find(&pair[1].term)))
        .collect();
    let stated: Vec<u32> = question
        .stated
        .iter()
        .filter_map(|term| index.lexical.find(term))
        .collect();
    let threads = threads(index, own, pool);
    let newest = pool
        .iter()
        .filter_map(|slot| index.memory(*slot))
        .map(|memory| memory.created_at)
        .max();
    pool.iter()
        .map(|slot| {
            let slot = *slot;
            let mut features = Features {
                dense: own.dense[slot],
                lexical: own.lexical[slot],
                ..Features::default()
            };
            let Some(row) = index.row(slot) else { return features };
            let memory = &row.memory;
            index.neighbours.visit(&row.places, |other, offset| {
                let distance = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
                let side = if offset < 0 {
                    &mut features.before
                } else {
                    &mut features.after
                };
                if other != slot
                    && let Some(held) = distance.checked_sub(1).and_then(|at| side.get_mut(at))
                {
                    *held = held.max(own.joint[other]);
                }
            });
            features.thread = row
                .places
                .first()
                .and_then(|place| threads.get(&place.0))
                .map_or(0.0, |best| best.iter().sum::<f32>() / 3.0);
            if row.subject.as_ref().is_some_and(|subject| named.contains(&subject)) {
                features.subject = 1.0;
            } else if named_numbers
                .iter()
                .any(|number| index.lexical.own(slot).contains(number))
            {
                features.mention = 1.0;
            }
            features.phrase = phrase(&pairs, index.lexical.own(slot));
            let states = index.lexical.own(slot).iter().any(|term| stated.contains(term));
            features.attribute = if states { 1.0 } else { 0.0 };
            features.date = question
                .period
                .map_or(0.0, |period| period.fit(memory.event_time.unwrap_or(memory.created_at)));
            features.dated = if question.asks_when && row.dated { 1.0 } else { 0.0 };
            features.recency = newest
                .filter(|_| question.wants_present)
                .map_or(0.0, |newest| freshness((newest - memory.created_at).num_days()));
            features.importance = if memory.importance.is_finite() {
                memory.importance.clamp(0.0, 1.0)
            } else {
                0.0
            };
            let length = as_f32(index.lexical.own(slot).len().clamp(1, LONG_TERMS));
            features.length = length.ln() / as_f32(LONG_TERMS).ln();
            features
        })
        .collect()
}

/// The names in the question that memories are about.
pub(super) fn named<'q>(index: &PersonIndex, question: &'q Question) -> Vec<&'q String> {
    question
        .names
        .iter()
        .filter(|name| index.subjects.contains_key(*name))
        .collect()
}

/// Share of `pairs` whose terms stand at most one word apart in `terms`, in either order.
fn phrase(pairs: &[Option<(u32, u32)>], terms: &[u32]) -> f32 {
    if pairs.is_empty() {
        return 0.0;
    }
    let together = |a: u32, b: u32| {
        terms
            .iter()
            .enumerate()
            .any(|(at, term)| *term == a && terms[at.saturating_sub(2)..terms.len().min(at + 3)].contains(&b))
    };
    as_f32(pairs.iter().flatten().filter(|(a, b)| together(*a, *b)).count()) / as_f32(pairs.len())
}

/// The three best joint scores of each conversation.
fn threads(index: &PersonIndex, own: &Own, pool: &[usize]) -> HashMap<u64, [f32; 3]> {
    let mut best: HashMap<u64, [f32; 3]> = HashMap::new();
    for slot in pool {
        let Some(place) = index.row(*slot).and_then(|row| row.places.first()) else {
            continue;
        };
        let mut score = own.joint[*slot];
        for held in best.entry(place.0).or_default() {
            if score > *held {
                std::mem::swap(held, &mut score);
            }
        }
    }
    best
}

/// 1 for today, halved every [`HALF_LIFE_DAYS`].
fn freshness(age_days: i64) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "days")]
    let age = age_days.max(0) as f32;
    (-age / HALF_LIFE_DAYS).exp2()
}
