//! From ranking scores, which only compare within one question, to a relevance between 0 and 1.

/// What a question's answer as a whole shows, in absolute terms.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Evidence {
    /// BM25 that a memory with every term of the question would have.
    pub(crate) attainable: f32,
    /// Cosine of the nearest memory.
    pub(crate) best_cosine: f32,
    /// BM25 of the first memory.
    pub(crate) best_bm25: f32,
    /// Whether the first memory is about whom the question names: 1, 0.5 (mentions) or 0.
    pub(crate) subject: f32,
}

/// Relevance, 0 to 1, of a memory that scores `behind` less than the first of the same question.
pub(super) fn calibrate(evidence: &Evidence, behind: f32) -> f32 {
    let coverage = if evidence.attainable > 0.0 {
        (evidence.best_bm25 / evidence.attainable).min(1.5)
    } else {
        0.0
    };
    let strength = -3.0 + 3.0 * coverage + 3.0 * evidence.best_cosine + 0.5 * evidence.subject;
    let logit = strength - 3.0 * behind.max(0.0);
    1.0 / (1.0 + (-logit).exp())
}
