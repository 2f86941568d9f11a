//! A shared picture: what it shows is kept with the fact that it was shared for, or alone.

use super::candidate::{Judged, TurnContext, candidate};
use super::category;
use super::person::People;
use super::sentence::ParsedMessage;
use super::word::words;
use super::{CandidateFact, Quote};
use crate::model::MemoryType;

/// Of what was said beside a picture, so much.
const LONGEST_GROUP_BYTES: usize = 420;

/// Keeps what a shared picture shows, with the fact it was shared for.
pub(super) fn add(
    content: &str,
    message: &ParsedMessage<'_>,
    context_of_turn: TurnContext<'_>,
    people: People<'_>,
    out: &mut Vec<CandidateFact>,
) {
    let Some((caption, span)) = message.photo.clone() else {
        return;
    };
    let shown = [
        "a photo of ",
        "a photography of ",
        "a picture of ",
        "an image of ",
        "photo of ",
        "picture of ",
        "a screenshot of ",
    ]
    .iter()
    .find_map(|head| caption.strip_prefix(head))
    .unwrap_or(caption);
    let sentence = format!(
        "{} shares a photo of {}.",
        people.subject(),
        shown.trim_end_matches('.')
    );
    let caption_words = words(caption);
    let evidence = category::evidence(&caption_words);
    match out.last_mut().filter(|last| last.text.len() < 2 * LONGEST_GROUP_BYTES) {
        Some(last) => {
            last.text.push(' ');
            last.text.push_str(&sentence);
            if let Some(quote) = last.quotes.first_mut()
                && let Some(at) = content.find(quote.text.as_str())
            {
                quote.text = content[at..span.end].to_owned();
            }
        }
        None => {
            let quotes = vec![Quote {
                turn: context_of_turn.turn,
                text: content[span].to_owned(),
            }];
            let judged = Judged {
                event_time: None,
                memory_type: MemoryType::Episodic,
                evidence,
                names_speaker: true,
            };
            out.push(candidate(
                sentence,
                quotes,
                judged,
                caption_words.iter(),
                context_of_turn,
            ));
        }
    }
}
