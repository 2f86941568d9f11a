//! The small talk around a sentence: openers ("Wow, …") and names called ("…, Sam."), taken off both ends.
//!
//! Also knows questions that tell ("Did I tell you …"). The vocabulary is in `non_fact_words.rs`.

use std::ops::Range;

use super::lexicon::{is_feeling, is_reaction};
use super::non_fact_words;
use super::word::Word;

/// Who may be called by name in a message.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Listeners<'a> {
    /// Names of everybody in the conversation.
    pub(super) names: &'a [&'a str],
    /// Whether the messages go to a person rather than to an assistant.
    pub(super) are_people: bool,
}

impl Listeners<'_> {
    fn is_called(&self, word: &Word<'_>) -> bool {
        if word.is_one_of(&[
            "man",
            "buddy",
            "dude",
            "bro",
            "mate",
            "guys",
            "everyone",
            "everybody",
            "friend",
            "folks",
            "all",
            "there",
            "girl",
            "pal",
            "claude",
            "chatgpt",
            "gemini",
            "assistant",
        ]) {
            return true;
        }
        word.is_capitalised() && self.names.iter().any(|name| is_name_or_short_form(word.core, name))
    }
}

/// "Vik" for "Viktor", "Tommy" for "Tom".
fn is_name_or_short_form(word: &str, name: &str) -> bool {
    let first = name.split_whitespace().next().unwrap_or(name);
    let (word, first) = (word.to_lowercase(), first.to_lowercase());
    (word.len() >= 2 && first.starts_with(&word))
        || (first.len() >= 3 && word.starts_with(&first) && word.len() <= first.len() + 2)
}

/// Whether the words begin with these.
pub(super) fn starts_with(words: &[Word<'_>], phrase: &[&str]) -> bool {
    words.len() >= phrase.len() && words.iter().zip(phrase).all(|(word, want)| word.lower == *want)
}

/// "Did I tell you my …": what follows is told, not asked.
fn tells_in_question(phrase: &[&str]) -> bool {
    matches!(
        phrase,
        ["did" | "have", "i" | "you", "tell" | "mention" | "told" | "know", ..]
    )
}

const OWN_SUBJECTS: &[&str] = &["i", "i'm", "i've", "i'll", "my", "we", "we're", "we've", "our"];

/// Whether the sentence only looks like a question: "Did I tell you my brother got engaged?"
pub(super) fn tells_as_question(words: &[Word<'_>], trimmed_from: usize) -> bool {
    words.get(trimmed_from).is_some_and(|w| w.is_one_of(OWN_SUBJECTS))
        && non_fact_words::opening_phrases()
            .iter()
            .filter(|p| tells_in_question(p))
            .any(|phrase| {
                (0..trimmed_from).any(|at| at + phrase.len() == trimmed_from && starts_with(&words[at..], phrase))
            })
}

/// The words left when openers ("Wow, …"), and names called ("…, Sam.") are taken off both ends.
pub(super) fn trim(words: &[Word<'_>], listeners: Listeners<'_>) -> Range<usize> {
    let (mut start, mut end) = (0, words.len());
    while start < end {
        let rest = &words[start..end];
        let first = &rest[0];
        let phrase = non_fact_words::opening_phrases().iter().find(|phrase| {
            starts_with(rest, phrase)
                && (rest.len() == phrase.len()
                    || rest[phrase.len() - 1].pauses()
                    || phrase.last() == Some(&"that")
                    || phrase.len() > 2 && phrase[0] == "thank"
                    || tells_in_question(phrase)
                        && rest.get(phrase.len()).is_some_and(|next| next.is_one_of(OWN_SUBJECTS))
                    || rest
                        .get(phrase.len())
                        .is_some_and(|next| next.pauses() && listeners.is_called(next))
                    || phrase.contains(&"remember")
                        && rest
                            .get(phrase.len())
                            .is_some_and(|next| next.lower.starts_with(['i', 'm'])))
        });
        if let Some(phrase) = phrase {
            start += phrase.len();
            continue;
        }
        let next_called = rest.len() > 1
            && (listeners.is_called(&rest[1]) && (rest[1].pauses() || rest.len() == 2)
                || rest.len() == 2
                    && rest[1].is_capitalised()
                    && first.is_one_of(&["hi", "hey", "hello", "thanks", "bye", "cheers", "congrats"]));
        let is_opener = non_fact_words::is_opener(&first.lower)
            && (first.pauses() || rest.len() == 1 || next_called || non_fact_words::is_loose_opener(&first.lower));
        // "So cool": here "so" belongs to what follows.
        let is_opener = is_opener
            && !(first.lower == "so"
                && !first.pauses()
                && rest.get(1).is_some_and(|w| {
                    is_reaction(&w.lower) || is_feeling(&w.lower) || w.is_one_of(&["much", "many", "far"])
                }));
        let is_called = listeners.is_called(first) && (first.pauses() || rest.len() == 1);
        let is_thanked = start > 0
            && rest.len() == 1
            && first.is_capitalised()
            && words[start - 1].is_one_of(&[
                "thanks", "hi", "hey", "hello", "bye", "cheers", "congrats", "goodbye", "you", "morning", "sorry",
            ]);
        if is_thanked || first.is_empty() || is_opener || is_called {
            start += 1;
            continue;
        }
        break;
    }
    while end > start {
        let last = &words[end - 1];
        let after_pause = end - 1 > start && words[end - 2].pauses();
        let is_closer = after_pause
            && last.is_one_of(&[
                "too", "lol", "haha", "right", "thanks", "though", "btw", "yay", "please", "tbh",
            ])
            && !last.is_one_of(&["too", "though"]);
        if last.is_empty() && !last.lead.contains('"') || is_closer || (after_pause && listeners.is_called(last)) {
            end -= 1;
        } else {
            break;
        }
    }
    start..end
}
