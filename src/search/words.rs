//! Text to index terms: lower-case words, stop words out, stemmed (Snowball English, Porter 2001).
//!
//! Both sides of the lexical match come through here, so that "painted" in a question finds "paintings".

use chrono::{DateTime, Datelike, Utc};
use rust_stemmers::{Algorithm, Stemmer};
use unicode_segmentation::UnicodeSegmentation;

/// Words too common to tell one memory from another. Sorted, for binary search.
const STOP_WORDS: &[&str] = &[
    "a", "about", "after", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "because", "been",
    "before", "being", "both", "but", "by", "can", "could", "d", "did", "do", "does", "doing", "during", "each", "for",
    "from", "had", "has", "have", "having", "he", "her", "hers", "him", "his", "how", "i", "if", "in", "into", "is",
    "it", "its", "just", "ll", "m", "me", "my", "of", "on", "or", "our", "ours", "re", "s", "she", "should", "so",
    "some", "such", "t", "than", "that", "the", "their", "theirs", "them", "then", "there", "these", "they", "this",
    "those", "to", "too", "up", "us", "ve", "very", "was", "we", "were", "what", "when", "where", "which", "while",
    "who", "whom", "whose", "why", "will", "with", "would", "you", "your", "yours",
];

/// Words by which a text says when. Sorted.
const TIME_WORDS: &[&str] = &[
    "ago",
    "decade",
    "friday",
    "last",
    "later",
    "monday",
    "month",
    "months",
    "next",
    "recently",
    "saturday",
    "since",
    "soon",
    "summer",
    "sunday",
    "thursday",
    "today",
    "tomorrow",
    "tonight",
    "tuesday",
    "wednesday",
    "week",
    "weekend",
    "weeks",
    "winter",
    "year",
    "years",
    "yesterday",
];

/// Month names as they are indexed and as questions write them.
pub(super) const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Cuts text into index terms.
pub(crate) struct Analyzer {
    stemmer: Stemmer,
}

impl Analyzer {
    pub(crate) fn new() -> Self {
        Self {
            stemmer: Stemmer::create(Algorithm::English),
        }
    }

    /// The index terms of `text`, in order, repeats kept.
    pub(super) fn terms(&self, text: &str) -> Vec<String> {
        words(text)
            .filter(|word| !is_stop_word(word))
            .map(|word| self.stem(&word))
            .collect()
    }

    /// The index term of one lower-case word.
    pub(super) fn stem(&self, word: &str) -> String {
        self.stemmer.stem(word).into_owned()
    }

    /// The terms of a date, as the words of "8 May 2023" would give them.
    pub(super) fn date_terms(&self, time: DateTime<Utc>) -> [String; 3] {
        let month = MONTHS[time.month0() as usize % 12];
        [time.day().to_string(), self.stem(month), time.year().to_string()]
    }
}

/// The words of `text` in lower case, without possessive endings.
pub(super) fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.unicode_words().flat_map(|word| {
        let lower = word.to_lowercase();
        // UAX #29 keeps "don't" and "sister's" whole; the part before the apostrophe carries the meaning.
        lower
            .split(['\'', '’', '.', '_'])
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    })
}

/// Whether `text` says when something was or will be.
pub(super) fn tells_time(text: &str) -> bool {
    words(text).any(|word| {
        TIME_WORDS.binary_search(&word.as_str()).is_ok()
            || (word.len() == 4 && word.starts_with(['1', '2']) && word.parse::<u16>().is_ok())
    })
}

/// Whether a lower-case word says too little to be indexed.
pub(super) fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_words_are_sorted() {
        assert!(STOP_WORDS.is_sorted());
        assert!(TIME_WORDS.is_sorted());
    }

    #[test]
    fn word_forms_meet_in_one_term() {
        let analyzer = Analyzer::new();
        assert_eq!(
            analyzer.terms("She painted her sister's portraits"),
            analyzer.terms("paints sister portrait")
        );
    }
}
