//! From ranking scores, which only compare within one question, to a relevance between 0 and 1.
//!
//! How strong the answer is as a whole comes from absolute features, so that a question that nothing answers scores low
//! everywhere; how far a memory falls behind the first spreads the scores below. Called by [`super::rank`].

/// Logit of the relevance of a first memory with no feature of strength.
///
/// This and the next three are round figures near a logistic regression on first results: questions that the memories
/// answer, against questions about the wrong person and questions put to another person's memories. They are flatter than
/// the regression, whose intercept is lower too, since most questions asked in earnest have an answer.
const INTERCEPT: f32 = -7.6;
/// Worth of a first memory that has every word of the question.
const COVERAGE: f32 = 2.0;
/// Worth of the nearest memory's cosine.
const COSINE: f32 = 4.5;
/// Worth of first memories that speak of whom the question names.
const SUBJECT: f32 = 5.0;
/// What counts as [`Evidence::subject`] when the question names nobody: about the mean of answered questions.
const NOBODY_NAMED: f32 = 0.95;
/// Loss for each unit of ranking score behind the first, fitted on answered questions.
pub(super) const BEHIND: f32 = 3.1;
/// More than every word of the question at average length is no better answer.
const MOST_COVERAGE: f32 = 1.5;

/// What a question's answer as a whole shows, in absolute terms.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Evidence {
    /// BM25 that a memory with every term of the question would have.
    pub(crate) attainable: f32,
    /// Cosine of the nearest memory, −1 to 1.
    pub(crate) best_cosine: f32,
    /// BM25 of the first memory.
    pub(crate) best_bm25: f32,
    /// Share of the first memories that are about whom the question names, or mention them; none when nobody known is
    /// named.
    pub(crate) subject: Option<f32>,
}

/// Relevance, 0 to 1, of a memory that scores `behind` less than the first of the same question.
pub(super) fn calibrate(evidence: &Evidence, behind: f32) -> f32 {
    let logit = strength(evidence) - BEHIND * behind.max(0.0);
    1.0 / (1.0 + (-logit).exp())
}

/// Log-odds of the relevance of the first memory.
pub(super) fn strength(evidence: &Evidence) -> f32 {
    let Evidence {
        attainable,
        best_cosine,
        best_bm25,
        subject,
    } = evidence;
    let coverage = if *attainable > 0.0 {
        (best_bm25 / attainable).min(MOST_COVERAGE)
    } else {
        0.0
    };
    INTERCEPT + COVERAGE * coverage + COSINE * best_cosine + SUBJECT * subject.unwrap_or(NOBODY_NAMED)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRONG: Evidence = Evidence {
        attainable: 10.0,
        best_cosine: 0.8,
        best_bm25: 10.0,
        subject: Some(1.0),
    };

    #[test]
    fn a_full_match_is_excellent_and_no_match_is_poor() {
        assert!(calibrate(&STRONG, 0.0) >= 0.8);
        assert!(
            calibrate(
                &Evidence {
                    best_cosine: 0.2,
                    best_bm25: 0.0,
                    ..STRONG
                },
                0.0
            ) < 0.4
        );
        assert!(calibrate(&Evidence::default(), 0.0) < 0.4);
    }

    #[test]
    fn relevance_falls_with_the_distance_behind_the_first() {
        let scores: Vec<f32> = (0..10).map(|step| calibrate(&STRONG, step as f32 * 0.3)).collect();
        assert!(scores.is_sorted_by(|a, b| a > b) && scores.iter().all(|score| (0.0..=1.0).contains(score)));
    }
}
