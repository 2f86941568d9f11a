//! Messages in other languages: whole sentences in their own words, under the speaker's name.
//!
//! `language.rs` tells which messages these are and reads them by the lists in `assets/languages/`; `foreign_time.rs`
//! finds their times. What thanks, greets, asks or wants something done leaves nothing.

use std::collections::HashSet;
use std::ops::Range;

use super::candidate::{Judged, TurnContext, candidate};
use super::category::{self, Evidence};
use super::foreign_time;
use super::language::{self, Language, Reading};
use super::sentence::ParsedMessage;
use super::time;
use super::word::words;
use super::{CandidateFact, Quote};
use crate::model::{Category, MemoryType, is_servable};

/// Evidence of one listed word for its category.
const LISTED: f32 = 2.0;

/// Of identity's words: "name" and "lives" stand beside much else.
const COMMON: f32 = 1.5;

/// Fewer words tell nothing, unless the speaker is among them.
const FEWEST_WORDS: usize = 3;
const FEWEST_WORDS_OF_SPEAKER: usize = 2;

/// The same in letters, where these are written without blanks.
const FEWEST_LETTERS: usize = 5;
const FEWEST_LETTERS_OF_SPEAKER: usize = 4;

/// Another language: whole sentences in their own words.
pub(super) fn untranslated(
    content: &str,
    message: &ParsedMessage<'_>,
    context_of_turn: TurnContext<'_>,
) -> Vec<CandidateFact> {
    let language = language::of(content);
    let mut out: Vec<CandidateFact> = Vec::new();
    for span in spans(content, message, language) {
        let text = &content[span];
        let reading = language.map(|language| language.read(text));
        if is_worth_keeping(text, reading.as_ref()) {
            out.push(kept(text, reading.as_ref(), context_of_turn));
        }
    }
    out
}

/// Where the sentences stand; "am 3." goes on with its month.
fn spans(content: &str, message: &ParsedMessage<'_>, language: Option<&Language>) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::with_capacity(message.sentences.len());
    for sentence in &message.sentences {
        let goes_on = |last: &Range<usize>| {
            let ends_in_day = content[last.clone()]
                .strip_suffix('.')
                .is_some_and(|text| text.ends_with(|c: char| c.is_ascii_digit()));
            ends_in_day && language.is_some_and(|language| language.read(sentence.text).meaning("month", 0).is_some())
        };
        match out.last_mut().filter(|last| goes_on(last)) {
            Some(last) => last.end = sentence.span.end,
            None => out.push(sentence.span.clone()),
        }
    }
    out
}

fn kept(text: &str, reading: Option<&Reading>, context_of_turn: TurnContext<'_>) -> CandidateFact {
    let all = words(text);
    let today = context_of_turn.sent_at.date_naive();
    let event_time = match reading {
        Some(reading) => foreign_time::event(reading, today)
            .map(|stretch| (stretch.instant(), stretch.precision()))
            .filter(|(time, _)| is_servable(*time)),
        None => time::event_time(&time::mentions(&all, today)),
    };
    let mut evidence = reading.map_or_else(Evidence::default, evidence);
    if evidence.strongest().is_none() {
        // "vegan", "Software": words of English too.
        evidence.merge(&category::evidence(&all));
    }
    let judged = Judged {
        event_time,
        memory_type: reading.map_or(MemoryType::Semantic, |reading| {
            memory_type(reading, event_time.is_some())
        }),
        evidence,
        names_speaker: true,
    };
    let told = context_of_turn
        .speaker
        .map_or_else(|| text.to_owned(), |name| format!("{name}: {text}"));
    let quotes = vec![Quote {
        turn: context_of_turn.turn,
        text: text.to_owned(),
    }];
    candidate(told, quotes, judged, all.iter(), context_of_turn)
}

/// Whether a sentence tells something: no question, thanks, greeting or request, and no fragment.
fn is_worth_keeping(text: &str, reading: Option<&Reading>) -> bool {
    let asks = text
        .trim_end_matches(['"', '”', '」', ')', '!', '！', ' '])
        .ends_with(['?', '？', '؟']);
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let is_dense = text.chars().any(|c| (0x2E80..0xFB00).contains(&(c as u32)));
    if asks || is_monotone(text) {
        return false;
    }
    let Some(reading) = reading else {
        return if is_dense {
            letters >= FEWEST_LETTERS
        } else {
            text.split_whitespace().count() >= FEWEST_WORDS
        };
    };
    // Without its polite words and what opens a request, the sentence must still say something.
    let polite: HashSet<usize> = ["polite", "request"]
        .into_iter()
        .flat_map(|group| reading.of(group))
        .flat_map(|found| found.at..found.at + found.length)
        .collect();
    let is_about_speaker = reading.holds("about speaker");
    let is_speakers = reading.of("first person").any(|found| !polite.contains(&found.at));
    let opening = (0..reading.words.len())
        .find(|at| !polite.contains(at))
        .unwrap_or(reading.words.len());
    let begins = |group: &str| {
        reading
            .of(group)
            .any(|found| found.at <= opening && (found.at == 0 || polite.contains(&(found.at - 1))))
    };
    let requests = begins("request") || reading.holds("request end");
    let thanks = begins("polite");
    if (requests || thanks) && !is_speakers || begins("question") || reading.holds("question end") {
        return false;
    }
    let left = reading.words.len() - polite.len();
    if is_dense {
        left >= if is_speakers {
            FEWEST_LETTERS_OF_SPEAKER
        } else {
            FEWEST_LETTERS
        }
    } else if is_speakers || is_about_speaker {
        left >= FEWEST_WORDS_OF_SPEAKER
    } else {
        left >= FEWEST_WORDS
    }
}

fn evidence(reading: &Reading) -> Evidence {
    let mut evidence = Evidence::default();
    for category in Category::ALL {
        for _ in reading.of(category.as_str()) {
            evidence.add(category, if category == Category::Identity { COMMON } else { LISTED });
        }
    }
    evidence
}

/// Of a time where a time or the past is spoken of, unless it lasts.
fn memory_type(reading: &Reading, is_dated: bool) -> MemoryType {
    let lasts = reading.holds("since") || reading.holds("recurring") || reading.holds("lasting");
    let passes = is_dated || reading.holds("past") || reading.holds("passing");
    if passes && !lasts {
        MemoryType::Episodic
    } else {
        MemoryType::Semantic
    }
}

/// Whether a text in another language holds secrets or sensitive data.
pub(super) fn is_private(text: &str) -> bool {
    if language::is_english(words(text).iter()) {
        return false;
    }
    language::of(text).is_some_and(|language| tells_private(language, text))
}

fn tells_private(language: &Language, text: &str) -> bool {
    let reading = language.read(text);
    let digits = text.chars().filter(|c| c.is_numeric()).count();
    reading.holds("private")
        || reading.holds("private with number") && digits >= 2
        || reading.holds("private with value") && (digits > 0 || text.contains([':', '：', '=']))
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
