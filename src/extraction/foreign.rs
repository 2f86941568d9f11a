//! Messages in other languages: whole sentences in their own words, under the speaker's name.
//!
//! `language.rs` tells which messages these are.

use super::candidate::{Judged, TurnContext, candidate};
use super::category;
use super::sentence::ParsedMessage;
use super::time;
use super::word::words;
use super::{CandidateFact, Quote};
use crate::model::MemoryType;

/// Another language: whole sentences in their own words.
pub(super) fn untranslated(
    content: &str,
    message: &ParsedMessage<'_>,
    context_of_turn: TurnContext<'_>,
) -> Vec<CandidateFact> {
    let mut out: Vec<CandidateFact> = Vec::new();
    for sentence in &message.sentences {
        let text = sentence.text;
        let asks = text.ends_with(['?', '？', '؟']);
        let letters = text.chars().filter(|c| c.is_alphabetic()).count();
        let spaced = text.split_whitespace().count();
        let is_dense = text.chars().any(|c| (0x2E80..0xFB00).contains(&(c as u32)));
        let too_short = if is_dense { letters < 5 } else { spaced < 3 };
        if asks || too_short || is_monotone(text) {
            continue;
        }
        let all = words(text);
        let evidence = category::evidence(&all);
        let judged = Judged {
            event_time: time::event_time(&time::mentions(&all, context_of_turn.sent_at.date_naive())),
            memory_type: MemoryType::Semantic,
            evidence,
            names_speaker: true,
        };
        let text = context_of_turn
            .speaker
            .map_or_else(|| text.to_owned(), |name| format!("{name}: {text}"));
        let quotes = vec![Quote {
            turn: context_of_turn.turn,
            text: content[sentence.span.clone()].to_owned(),
        }];
        out.push(candidate(text, quotes, judged, all.iter(), context_of_turn));
    }
    out
}

/// One or two characters over and over.
fn is_monotone(text: &str) -> bool {
    let mut seen: Vec<char> = Vec::with_capacity(4);
    for c in text.chars().filter(|c| c.is_alphanumeric()) {
        if !seen.contains(&c) {
            seen.push(c);
            if seen.len() > 3 {
                return false;
            }
        }
    }
    true
}
