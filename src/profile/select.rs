//! Which facts are worth telling: weighty, often heard of, fresh, and each thing once.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use super::clause::{Clause, Section, Subject};
use crate::model::{Memory, MemoryType};

/// Days in which freshness halves.
const HALF_LIFE_DAYS: f32 = 180.0;
/// Clauses that can be told at all, at most.
const MOST_RANKED: usize = 500;
/// Share of the shorter one's words from which two clauses say the same.
const SAME: f32 = 0.6;

/// A clause with what it is worth telling.
#[derive(Clone, Debug)]
pub(super) struct Ranked {
    pub(super) clause: Clause,
    pub(super) score: f32,
    content: HashSet<String>,
}

/// All clauses, the worthiest first; of those that say the same only the worthiest.
pub(super) fn rank(clauses: Vec<Clause>, now: DateTime<Utc>) -> Vec<Ranked> {
    let contents: Vec<HashSet<String>> = clauses.iter().map(|c| c.content().into_iter().collect()).collect();
    let mut told: HashMap<&str, usize> = HashMap::new();
    for word in contents.iter().flatten() {
        *told.entry(word).or_default() += 1;
    }
    let score = |clause: &Clause, content: &HashSet<String>| {
        // How much the clause's own subject matter is heard of: its most repeated words.
        let mut counts: Vec<usize> = content.iter().map(|word| told[word.as_str()]).collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let repeated: usize = counts.iter().take(2).sum();
        let frequency = (as_f32(repeated).ln_1p() / 4.0).min(1.0);
        let lasting = if clause.memory.memory_type == MemoryType::Semantic {
            0.25
        } else {
            0.0
        };
        let of_person = match clause.subject {
            Subject::Person => 0.1,
            Subject::Own | Subject::With(_) | Subject::Whole => 0.0,
        };
        let is_origin = ["grew up", "was born", "is from", "comes from"]
            .iter()
            .any(|start| clause.said.starts_with(start));
        let over = match (is_origin, clause.is_past) {
            (true, _) => -0.1,
            (false, true) => 0.15,
            (false, false) => 0.0,
        };
        let goal = if clause.section == Section::Goals { 0.05 } else { 0.0 };
        let length = as_f32(clause.said.split(' ').count());
        let wordy = ((length - 16.0) / 40.0).max(0.0);
        0.5 * clause.memory.importance.clamp(0.0, 1.0)
            + 0.25 * frequency
            + 0.1 * freshness(&clause.memory, now)
            + lasting
            + of_person
            + goal
            - wordy
            - over
    };
    let scores: Vec<f32> = clauses
        .iter()
        .zip(&contents)
        .map(|(clause, content)| score(clause, content))
        .collect();
    let mut ranked: Vec<Ranked> = clauses
        .into_iter()
        .zip(scores)
        .zip(contents)
        .map(|((clause, score), content)| Ranked { clause, score, content })
        .collect();
    ranked.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then_with(|| a.clause.memory.created_at.cmp(&b.clause.memory.created_at))
            .then_with(|| a.clause.memory.id.cmp(&b.clause.memory.id))
    });
    // Every one is held against those before it.
    ranked.truncate(MOST_RANKED);
    let mut kept: Vec<Ranked> = Vec::new();
    for one in ranked {
        if !kept.iter().any(|known| says_the_same(&known.content, &one.content)) {
            kept.push(one);
        }
    }
    kept
}

/// The best of these, as many of each section as it may have.
pub(super) fn choose(ranked: &[Ranked], quota: impl Fn(Section) -> usize) -> Vec<&Ranked> {
    let mut taken: HashMap<Section, usize> = HashMap::new();
    let mut chosen: Vec<&Ranked> = Vec::new();
    for one in ranked {
        let count = taken.entry(one.clause.section).or_default();
        if *count < quota(one.clause.section) {
            *count += 1;
            chosen.push(one);
        }
    }
    chosen
}

fn says_the_same(a: &HashSet<String>, b: &HashSet<String>) -> bool {
    let fewer = a.len().min(b.len());
    fewer > 0 && as_f32(a.intersection(b).count()) / as_f32(fewer) >= SAME
}

/// 1 for today, halved every [`HALF_LIFE_DAYS`].
pub(super) fn freshness(memory: &Memory, now: DateTime<Utc>) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "days")]
    let age = (now - memory.updated_at).num_days().max(0) as f32;
    (-age / HALF_LIFE_DAYS).exp2()
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
pub(super) fn as_f32(count: usize) -> f32 {
    count as f32
}
