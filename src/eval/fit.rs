//! Fitting what the features of relevance are worth: a softmax over the candidates of each question (ListNet's top-one loss,
//! Cao et al. 2007), by gradient descent with Adam (Kingma & Ba 2015). Nothing is random.

use crate::search::features::Features;

const ROUNDS: usize = 300;
const STEP: f32 = 0.02;
/// Pull towards [`START`], by the square.
const PULL: f32 = 0.3;
/// Scores are spread by this before the softmax, so that weights_of stay at the size at which `repeat` and `same_turn`, which
/// are taken off the same scores, are given.
const SPREAD: f32 = 3.0;
/// Where the fit begins and what it is pulled towards: round figures set by hand.
const START: Features = Features {
    dense: 0.5,
    lexical: 0.9,
    before: [0.1, 0.15, 0.0, 0.05],
    after: [0.1, 0.25, 0.1, 0.05],
    thread: 0.3,
    subject: 0.25,
    mention: 0.0,
    phrase: 0.15,
    attribute: 0.1,
    date: 0.25,
    dated: 0.25,
    recency: 0.05,
    importance: 0.03,
    length: 0.15,
};

/// A question's candidates.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranking {
    /// Their features, and whether they hold evidence.
    pub(super) candidates: Vec<([f32; Features::COUNT], bool)>,
}

/// The weights_of that put evidence first. None falls below zero: no feature counts against a memory.
pub(super) fn weights_of(rankings: &[Ranking]) -> Features {
    let usable: Vec<&Ranking> = rankings
        .iter()
        .filter(|r| r.candidates.iter().any(|(_, is_evidence)| *is_evidence))
        .collect();
    let start = START.values();
    let mut weights_of = start;
    let (mut first, mut second) = ([0.0_f32; Features::COUNT], [0.0_f32; Features::COUNT]);
    for round in 1..=ROUNDS {
        let mut gradient: [f32; Features::COUNT] = std::array::from_fn(|at| PULL * (weights_of[at] - start[at]));
        for ranking in &usable {
            add_gradient(ranking, &weights_of, 1.0 / as_f32(usable.len()), &mut gradient);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_possible_wrap,
            reason = "at most ROUNDS"
        )]
        let power = round as i32;
        for at in 0..Features::COUNT {
            first[at] = 0.9 * first[at] + 0.1 * gradient[at];
            second[at] = 0.999 * second[at] + 0.001 * gradient[at] * gradient[at];
            let mean = first[at] / (1.0 - 0.9_f32.powi(power));
            let spread = second[at] / (1.0 - 0.999_f32.powi(power));
            weights_of[at] = (weights_of[at] - STEP * mean / (spread.sqrt() + 1e-8)).max(0.0);
        }
    }
    Features::of(weights_of)
}

fn add_gradient(
    ranking: &Ranking,
    weights_of: &[f32; Features::COUNT],
    share: f32,
    gradient: &mut [f32; Features::COUNT],
) {
    let score =
        |features: &[f32; Features::COUNT]| SPREAD * features.iter().zip(weights_of).map(|(s, w)| s * w).sum::<f32>();
    let scores: Vec<f32> = ranking.candidates.iter().map(|(features, _)| score(features)).collect();
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = scores.iter().map(|score| (score - most).exp()).collect();
    let all: f32 = powers.iter().sum();
    let evidence = ranking
        .candidates
        .iter()
        .filter(|(_, is_evidence)| *is_evidence)
        .count();
    for ((features, is_evidence), power) in ranking.candidates.iter().zip(powers) {
        let wanted = if *is_evidence { 1.0 / as_f32(evidence) } else { 0.0 };
        let error = share * SPREAD * (power / all - wanted);
        for (slope, feature) in gradient.iter_mut().zip(features) {
            *slope += error * feature;
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn as_f32(count: usize) -> f32 {
    count as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_marks_evidence_gains_worth_and_what_marks_anything_else_loses_it() {
        let features = |dense: f32, lexical: f32| {
            Features {
                dense,
                lexical,
                ..Features::default()
            }
            .values()
        };
        let ranking = Ranking {
            candidates: vec![
                (features(1.0, 0.1), true),
                (features(0.1, 0.9), false),
                (features(0.2, 0.8), false),
            ],
        };
        let fitted = weights_of(&[ranking, Ranking::default()]);
        assert!(
            fitted.dense > START.dense && fitted.lexical < START.lexical,
            "{fitted:?}"
        );
    }
}
