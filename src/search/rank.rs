//! The order of results: distance alone, or everything known about a memory against everything a question asks.
//!
//! `rerank` first scores every allowed memory by vectors and BM25, then re-scores a pool of the best and of those that
//! stand beside them in a conversation, then picks one by one so that a repeated thing does not fill the answer.

use std::cmp::Ordering;

use super::calibration::{Evidence, calibrate, strength};
use super::features::{self, Features, Own};
use super::lexical::as_f32;
use super::neighbours::Place;
use super::question::Question;
use super::vectors::distance;
use super::words::Analyzer;
use super::{Explanation, Hit, PersonIndex, Query};

/// Memories re-scored for their own words and vector, at least.
const POOL: usize = 120;
/// Best memories whose neighbours join the pool.
const LEADERS: usize = 40;
/// Memories that tell whether an answer speaks of the right person.
const FIRST: usize = 3;
/// Smallest spread of cosines taken for a real difference.
const LEAST_SPREAD: f32 = 0.05;
/// Smallest BM25 taken for a real match.
const LEAST_BM25: f32 = 1e-3;

/// How results are ranked.
#[derive(Clone, Debug)]
pub(crate) struct Weights {
    /// What each feature weighs.
    pub(crate) feature_weights: Features,
    /// Weight of the words before a memory beside its own, 0 to 1.
    pub(crate) context: f32,
    /// Taken off for likeness to a memory already chosen, at cosine 1.
    pub(crate) repeat: f32,
    /// Cosine from which that begins.
    pub(crate) alike: f32,
    /// Taken off for a memory whose turns are all covered already.
    pub(crate) same_turn: f32,
}

impl Weights {
    /// Fitted by `memsync eval recall --leave-one-out`; `docs/QUALITY.md` says how they do.
    pub(crate) const CHOSEN: Self = Self {
        feature_weights: Features {
            dense: 0.49,
            lexical: 1.06,
            before: [0.11, 0.41, 0.01, 0.13],
            after: [0.28, 0.33, 0.05, 0.03],
            thread: 0.74,
            subject: 0.3,
            mention: 0.17,
            phrase: 0.18,
            attribute: 0.1,
            date: 0.17,
            dated: 0.35,
            recency: 0.05,
            importance: 0.08,
            length: 0.18,
        },
        context: 0.6,
        repeat: 0.0,
        alike: 0.8,
        same_turn: 0.9,
    };
}

/// A memory of the pool.
#[derive(Clone, Debug)]
pub(crate) struct RankedMemory {
    pub(crate) slot: usize,
    pub(crate) features: Features,
    /// Sum of the features; after picking, less what repetition took off.
    pub(crate) score: f32,
}

/// Results by ascending distance; newer first where it is equal, then by id.
pub(super) fn by_distance(index: &PersonIndex, query: &Query<'_>) -> Vec<Hit> {
    let probe = index.vectors.probe(query.vector);
    let mut found: Vec<(f32, usize)> = index
        .passing(query.filter, query.now)
        .map(|slot| (distance(index.vectors.cosine(&probe, slot)), slot))
        .collect();
    keep_first(&mut found, query.limit, |a, b| {
        a.0.total_cmp(&b.0).then_with(|| index.newer_first(a.1, b.1))
    });
    found
        .into_iter()
        .filter_map(|(vector_distance, slot)| {
            Some(Hit {
                memory: index.memory(slot)?.clone(),
                vector_distance,
                rerank_score: None,
                explanation: None,
            })
        })
        .collect()
}

/// Results by descending relevance.
pub(crate) fn by_relevance(index: &PersonIndex, query: &Query<'_>, weights: &Weights) -> Vec<Hit> {
    let (evidence, ranked) = explain(index, query, weights);
    ranked
        .into_iter()
        .map(|(behind, hit)| Hit {
            rerank_score: Some(calibrate(&evidence, behind)),
            ..hit
        })
        .collect()
}

/// What the question asks for.
pub(crate) fn read(query: &Query<'_>) -> Question {
    Question::read(query.text, query.now, &Analyzer::new())
}

/// The ranking before calibration: the evidence as a whole, and each hit with how far it scores behind the first.
pub(crate) fn explain(index: &PersonIndex, query: &Query<'_>, weights: &Weights) -> (Evidence, Vec<(f32, Hit)>) {
    let question = read(query);
    let (candidates, scale) = candidates(index, query, &question, weights);
    let chosen = pick(index, weights, candidates, query.limit);
    let Some(first) = chosen.first() else {
        return (Evidence::default(), Vec::new());
    };
    let evidence = Evidence {
        attainable: index.lexical.attainable(&question.terms),
        best_cosine: scale.best_cosine,
        best_bm25: first.features.lexical * scale.best_bm25,
        subject: (!features::named(index, &question).is_empty()).then(|| about_named(&chosen)),
    };
    let top = first.score;
    let probe = index.vectors.probe(query.vector);
    let strength = strength(&evidence);
    let explanation = |c: &RankedMemory| Explanation {
        parts: c.features.parts(&weights.feature_weights),
        repetition: c.features.score(&weights.feature_weights) - c.score,
        score: c.score,
        behind: top - c.score,
        strength,
    };
    let ranked = chosen.iter().filter_map(|c| {
        let vector_distance = distance(index.vectors.cosine(&probe, c.slot));
        Some((
            top - c.score,
            Hit {
                memory: index.memory(c.slot)?.clone(),
                vector_distance,
                rerank_score: None,
                explanation: query.explain.then(|| explanation(c)),
            },
        ))
    });
    (evidence, ranked.collect())
}

/// Share of the first three that are about whom the question names, or mention them.
fn about_named(chosen: &[RankedMemory]) -> f32 {
    let first = &chosen[..chosen.len().min(FIRST)];
    first
        .iter()
        .map(|c| c.features.subject + c.features.mention)
        .sum::<f32>()
        / as_f32(first.len().max(1))
}

/// What the relative scores of one question are relative to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scale {
    pub(crate) best_cosine: f32,
    pub(crate) best_bm25: f32,
}

/// The pool with its features, best first.
pub(crate) fn candidates(
    index: &PersonIndex,
    query: &Query<'_>,
    question: &Question,
    weights: &Weights,
) -> (Vec<RankedMemory>, Scale) {
    let probe = index.vectors.probe(query.vector);
    let mut own = Own {
        dense: vec![0.0; index.slots()],
        lexical: vec![0.0; index.slots()],
        joint: Vec::new(),
    };
    index.lexical.score(&question.terms, weights.context, &mut own.lexical);
    let mut best: Vec<(f32, u32)> = Vec::with_capacity(index.len());
    let (mut sum, mut scale) = (0.0, Scale::default());
    for slot in index.passing(query.filter, query.now) {
        let cosine = index.vectors.cosine(&probe, slot);
        own.dense[slot] = cosine;
        sum += cosine;
        scale.best_cosine = scale.best_cosine.max(cosine);
        scale.best_bm25 = scale.best_bm25.max(own.lexical[slot]);
        best.push((0.0, u32::try_from(slot).unwrap_or(u32::MAX)));
    }
    if best.is_empty() || query.limit == 0 {
        return (Vec::new(), Scale::default());
    }
    let mean = index.mean_cosine.unwrap_or(sum / as_f32(best.len()));
    let (dense_unit, lexical_unit) = (
        1.0 / (scale.best_cosine - mean).max(LEAST_SPREAD),
        1.0 / scale.best_bm25.max(LEAST_BM25),
    );
    own.joint = vec![0.0; index.slots()];
    for (joint, slot) in &mut best {
        let slot = *slot as usize;
        own.dense[slot] = ((own.dense[slot] - mean) * dense_unit).max(-0.5);
        own.lexical[slot] *= lexical_unit;
        *joint = (own.dense[slot] + own.lexical[slot]) / 2.0;
        own.joint[slot] = *joint;
    }
    let pool = pool(index, best, query);
    let features = features::read(index, question, &own, &pool);
    let mut candidates: Vec<RankedMemory> = pool
        .into_iter()
        .zip(features)
        .map(|(slot, features)| RankedMemory {
            slot,
            score: features.score(&weights.feature_weights),
            features,
        })
        .collect();
    candidates.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then_with(|| index.newer_first(a.slot, b.slot))
    });
    (candidates, scale)
}

/// The best memories by their own score, and the neighbours of the very best.
fn pool(index: &PersonIndex, mut best: Vec<(f32, u32)>, query: &Query<'_>) -> Vec<usize> {
    let mut outside = vec![false; index.slots()];
    for (_, slot) in &best {
        outside[*slot as usize] = true;
    }
    let size = POOL.max(query.limit.saturating_mul(3));
    keep_first(&mut best, size, |a, b| {
        b.0.total_cmp(&a.0)
            .then_with(|| index.newer_first(a.1 as usize, b.1 as usize))
    });
    let mut pool: Vec<usize> = best.into_iter().map(|(_, slot)| slot as usize).collect();
    for slot in &pool {
        outside[*slot] = false;
    }
    for at in 0..pool.len().min(LEADERS) {
        let Some(row) = index.row(pool[at]) else { continue };
        index.neighbours.visit(&row.places, |slot, _| {
            if outside[slot] {
                outside[slot] = false;
                pool.push(slot);
            }
        });
    }
    pool
}

/// Picks greedily, each time the best of what is left after taking off for repeating what is chosen already
/// (maximal marginal relevance, Carbonell & Goldstein 1998). Scores come out descending, for penalties only grow.
fn pick(index: &PersonIndex, weights: &Weights, mut left: Vec<RankedMemory>, limit: usize) -> Vec<RankedMemory> {
    left.truncate(limit.saturating_mul(4).max(60));
    let turns: Vec<&[Place]> = left
        .iter()
        .map(|c| index.row(c.slot).map_or(&[][..], |row| &row.places))
        .collect();
    let mut penalties = vec![0.0_f32; left.len()];
    let mut taken = vec![false; left.len()];
    let mut covered = Vec::new();
    let mut chosen = Vec::with_capacity(limit.min(left.len()));
    while chosen.len() < limit {
        let best = (0..left.len())
            .filter(|at| !taken[*at])
            .map(|at| (left[at].score - penalties[at], at))
            .max_by(|a, b| {
                a.0.total_cmp(&b.0)
                    .then_with(|| index.newer_first(left[b.1].slot, left[a.1].slot))
            });
        let Some((score, at)) = best else { break };
        taken[at] = true;
        covered.extend(turns[at]);
        let probe = index.vectors.probe_of(left[at].slot);
        for other in (0..left.len()).filter(|other| !taken[*other]) {
            let likeness = index.vectors.cosine(&probe, left[other].slot);
            let repeat = weights.repeat * ((likeness - weights.alike) / (1.0 - weights.alike)).max(0.0);
            let same = !turns[other].is_empty() && turns[other].iter().all(|turn| covered.contains(turn));
            let penalty = repeat + if same { weights.same_turn } else { 0.0 };
            penalties[other] = penalties[other].max(penalty);
        }
        chosen.push(RankedMemory {
            score,
            ..left[at].clone()
        });
    }
    chosen
}

/// Sorts the first `count` of `items` by `order` and drops the rest, without sorting all.
pub(super) fn keep_first<T>(items: &mut Vec<T>, count: usize, order: impl Fn(&T, &T) -> Ordering) {
    if count == 0 {
        items.clear();
    } else if count < items.len() {
        items.select_nth_unstable_by(count - 1, &order);
        items.truncate(count);
    }
    items.sort_unstable_by(order);
}
