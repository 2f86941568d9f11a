//! Putting a candidate together from what the files beside it found out.

use chrono::{DateTime, FixedOffset, Utc};

use super::attribute;
use super::category::{self, Evidence};
use super::importance::{self, Standing};
use super::opening::Listeners;
use super::preceding_turn::{self, Previous};
use super::private;
use super::word::{Word, capitalised};
use super::{CandidateFact, Quote};
use crate::model::{MemoryType, TimePrecision};

/// Evidence for the category of an attribute that a fact states: as clear as a clear word.
const STATED: f32 = 2.0;

/// What surrounds a turn.
#[derive(Clone, Copy)]
pub(super) struct TurnContext<'t> {
    pub(super) turn: usize,
    pub(super) speaker: Option<&'t str>,
    pub(super) listener: Option<&'t str>,
    pub(super) listeners: Listeners<'t>,
    pub(super) sent_at: DateTime<FixedOffset>,
    pub(super) previous: Option<Previous<'t>>,
}

/// What was found out about a fact besides its words.
pub(super) struct Judged {
    pub(super) event_time: Option<(DateTime<Utc>, TimePrecision)>,
    pub(super) memory_type: MemoryType,
    pub(super) evidence: Evidence,
    pub(super) names_speaker: bool,
}

/// Puts a candidate together from its text, sources and judgement.
pub(super) fn candidate<'w, 'a: 'w>(
    text: String,
    quotes: Vec<Quote>,
    judged: Judged,
    words: impl Iterator<Item = &'w Word<'a>>,
    context_of_turn: TurnContext<'_>,
) -> CandidateFact {
    let Judged {
        event_time,
        memory_type,
        mut evidence,
        names_speaker,
    } = judged;
    for category in attribute::read(&text).iter().filter_map(|r| r.attribute.category()) {
        evidence.add(category, STATED);
    }
    let is_private = quotes.iter().any(|quote| private::is_private(&quote.text));
    let importance = importance::of(
        words,
        &evidence,
        Standing {
            memory_type,
            is_private,
            names_speaker,
        },
    );
    let (event_time, event_time_precision) = event_time.unzip();
    let categories = category::choose(&evidence, is_private, memory_type == MemoryType::Semantic);
    CandidateFact {
        text,
        memory_type,
        categories,
        importance,
        event_time,
        event_time_precision,
        is_instruction: false,
        quotes,
        // What it was said after is kept in the clear beside the fact.
        context: context_of_turn
            .previous
            .map(preceding_turn::context)
            .filter(|said| !private::is_private(said)),
    }
}

/// A sentence with a capital in front and a stop behind.
pub(super) fn finished(text: &str) -> String {
    let text = text.trim_end_matches([',', ' ', '-', '–', '—', ';']);
    let mut out = capitalised(text);
    // Only statements come here; a question mark is left from what was told as a question.
    let bare = out.trim_end_matches(['?', '!', '.']).len();
    if out[bare..].contains('?') {
        out.truncate(bare);
    }
    if !out.ends_with(['.', '!', '…', '"', '”', ':']) {
        out.push('.');
    }
    out
}
