//! The figures of retrieval: recall, mean reciprocal rank, nDCG (Järvelin & Kekäläinen 2002), AUROC.

use std::collections::BTreeMap;

use serde::Serialize;

use super::dataset::Question;
use crate::search::Hit;

const CUTS: [usize; 3] = [5, 10, 20];

/// What is counted while questions are asked.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    sums: BTreeMap<u8, Sums>,
    scores: Vec<(bool, f32)>,
    /// Each memory of an answer: its score, and whether it holds evidence for a question that has an answer.
    judged: Vec<(f32, bool)>,
}

/// What memories with scores in one band are worth.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Band {
    /// The band's lowest score; it ends at the next one's.
    pub from: f32,
    /// Memories with such a score.
    pub n: usize,
    /// Their mean score.
    pub mean_score: f64,
    /// Share of them that hold evidence for a question that has an answer.
    pub evidence: f64,
}

/// The bands of the public contract, the two below them parted.
const BANDS: [f32; 5] = [0.8, 0.6, 0.4, 0.2, 0.0];

#[derive(Clone, Debug, Default)]
struct Sums {
    questions: usize,
    any: [f64; 3],
    all: [f64; 3],
    fraction: [f64; 3],
    reciprocal_rank: f64,
    ndcg: f64,
    score: f64,
}

/// Means over the questions of one category; each between 0 and 1.
#[derive(Clone, Debug, Serialize)]
pub struct CategoryFigures {
    /// LoCoMo's category; 0 for all answerable ones together.
    pub category: u8,
    /// Questions.
    pub n: usize,
    /// Share of the evidence found, at 5, 10 and 20 memories.
    pub recall: [f64; 3],
    /// Share of questions with any evidence found, at 5, 10 and 20.
    pub recall_any: [f64; 3],
    /// Share of questions with all evidence found, at 5, 10 and 20.
    pub recall_all: [f64; 3],
    /// Mean reciprocal rank of the first memory with evidence.
    pub mrr: f64,
    /// nDCG at 10, each piece of evidence gaining once.
    pub ndcg_10: f64,
    /// Mean score of the best memory.
    pub best_score: f64,
}

impl Figures {
    /// Counts the answer to a question.
    pub(super) fn add_hits(&mut self, question: &Question, hits: &[Hit]) {
        let scores: Vec<f32> = hits.iter().map(|hit| hit.rerank_score.unwrap_or(0.0)).collect();
        let found = hits
            .iter()
            .map(|hit| hit.memory.sources.iter().map(|s| s.message_id.as_str()).collect());
        self.add(question, &scores, &found.collect::<Vec<_>>());
    }

    /// Counts what `other` has counted.
    pub(super) fn merge(&mut self, other: Self) {
        for (category, sums) in &other.sums {
            self.sums.entry(*category).or_default().add(sums);
        }
        self.scores.extend(other.scores);
        self.judged.extend(other.judged);
    }

    /// Counts the answer to a question: for each memory, best first, the messages that it was taken from.
    pub fn add(&mut self, question: &Question, scores: &[f32], found: &[Vec<&str>]) {
        let best_score = scores.first().copied().unwrap_or(0.0);
        for (score, sources) in scores.iter().zip(found).take(10) {
            let is_evidence = sources
                .iter()
                .any(|id| question.evidence.iter().any(|wanted| wanted == id));
            self.judged.push((*score, is_evidence && question.is_answerable()));
        }
        let sums = self.sums.entry(question.category).or_default();
        let mut missing: Vec<&str> = question.evidence.iter().map(String::as_str).collect();
        let mut gain = 0.0;
        let mut first = None;
        let mut left_after = Vec::with_capacity(found.len());
        for (rank, sources) in found.iter().enumerate() {
            let before = missing.len();
            missing.retain(|id| !sources.contains(id));
            if missing.len() < before {
                first = first.or(Some(rank));
                if rank < 10 {
                    gain += (before - missing.len()) as f64 / discount(rank);
                }
            }
            left_after.push(missing.len());
        }
        let n = question.evidence.len();
        for (place, cut) in CUTS.iter().enumerate() {
            let left = left_after.iter().take(*cut).next_back().copied().unwrap_or(n);
            sums.fraction[place] += (n - left) as f64 / n as f64;
            sums.any[place] += f64::from(u8::from(left < n));
            sums.all[place] += f64::from(u8::from(left == 0));
        }
        let ideal: f64 = (0..n.min(10)).map(|rank| 1.0 / discount(rank)).sum();
        sums.questions += 1;
        sums.reciprocal_rank += first.map_or(0.0, |rank| 1.0 / (rank + 1) as f64);
        sums.ndcg += (gain / ideal).min(1.0);
        sums.score += f64::from(best_score);
        self.scores.push((question.is_answerable(), best_score));
    }

    /// The means of each category, then (as category 0) of all answerable questions.
    pub fn by_category(&self) -> Vec<CategoryFigures> {
        let mut all = Sums::default();
        let answerable = |category: u8| (1..=4).contains(&category);
        for (_, sums) in self.sums.iter().filter(|(category, _)| answerable(**category)) {
            all.add(sums);
        }
        let each = self.sums.iter().map(|(category, sums)| sums.means(*category));
        each.chain(std::iter::once(all.means(0))).collect()
    }

    /// How scores of the ten best memories relate to evidence, best band first.
    pub fn reliability(&self) -> Vec<Band> {
        let mut above = f32::INFINITY;
        BANDS
            .into_iter()
            .map(|from| {
                let band = self.judged.iter().filter(|(score, _)| (from..above).contains(score));
                let (mut n, mut sum, mut evidence) = (0, 0.0, 0);
                for (score, is_evidence) in band {
                    n += 1;
                    sum += f64::from(*score);
                    evidence += usize::from(*is_evidence);
                }
                above = from;
                let of = |sum: f64| if n == 0 { 0.0 } else { sum / n as f64 };
                Band {
                    from,
                    n,
                    mean_score: of(sum),
                    evidence: of(evidence as f64),
                }
            })
            .collect()
    }

    /// Probability that the best score of an answerable question beats that of one without an answer.
    pub fn auroc(&self) -> Option<f64> {
        let of = |wanted: bool| {
            self.scores
                .iter()
                .filter(move |(answerable, _)| *answerable == wanted)
                .map(|(_, s)| *s)
        };
        let pairs = of(true).count() * of(false).count();
        let wins = |a: f32| {
            of(false)
                .map(|b| {
                    if a > b {
                        1.0
                    } else if a < b {
                        0.0
                    } else {
                        0.5
                    }
                })
                .sum::<f64>()
        };
        (pairs > 0).then(|| of(true).map(wins).sum::<f64>() / pairs as f64)
    }
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.questions += other.questions;
        for place in 0..CUTS.len() {
            self.any[place] += other.any[place];
            self.all[place] += other.all[place];
            self.fraction[place] += other.fraction[place];
        }
        self.reciprocal_rank += other.reciprocal_rank;
        self.ndcg += other.ndcg;
        self.score += other.score;
    }

    fn means(&self, category: u8) -> CategoryFigures {
        let mean = |sum: f64| {
            if self.questions == 0 {
                0.0
            } else {
                sum / self.questions as f64
            }
        };
        CategoryFigures {
            category,
            n: self.questions,
            recall: self.fraction.map(mean),
            recall_any: self.any.map(mean),
            recall_all: self.all.map(mean),
            mrr: mean(self.reciprocal_rank),
            ndcg_10: mean(self.ndcg),
            best_score: mean(self.score),
        }
    }
}

fn discount(rank: usize) -> f64 {
    ((rank + 2) as f64).log2()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(category: u8, evidence: &[&str]) -> Question {
        Question {
            text: String::new(),
            category,
            evidence: evidence.iter().map(|e| (*e).to_owned()).collect(),
        }
    }

    #[test]
    fn recall_counts_the_evidence_among_the_best_memories() {
        let mut figures = Figures::default();
        figures.add(
            &question(4, &["a", "b"]),
            &[0.9, 0.8, 0.3],
            &[vec!["x"], vec!["a", "x"], vec!["a"]],
        );
        let four = &figures.by_category()[0];
        assert_eq!(
            (four.recall[1], four.recall_any[1], four.recall_all[1], four.mrr),
            (0.5, 1.0, 0.0, 0.5)
        );
        assert!(four.ndcg_10 > 0.0 && four.ndcg_10 < 1.0);
        let bands = figures.reliability();
        assert_eq!((bands[0].n, bands[0].evidence), (2, 0.5));
        assert_eq!((bands[3].n, bands[3].evidence), (1, 1.0));
    }

    #[test]
    fn auroc_is_one_when_answerable_questions_always_score_higher() {
        let mut figures = Figures::default();
        figures.add(&question(1, &["a"]), &[0.8], &[]);
        figures.add(&question(5, &["a"]), &[0.2], &[]);
        assert_eq!(figures.auroc(), Some(1.0));
    }

    #[test]
    fn questions_without_an_answer_stay_out_of_the_mean_of_all() {
        let mut figures = Figures::default();
        figures.add(&question(1, &["a"]), &[0.8], &[vec!["a"]]);
        figures.add(&question(5, &["a"]), &[0.2], &[]);
        let all = figures
            .by_category()
            .pop()
            .map(|all| (all.category, all.n, all.recall[1]));
        assert_eq!(all, Some((0, 1, 1.0)));
    }
}
