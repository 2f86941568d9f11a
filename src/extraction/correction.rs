//! Words taken back in the same breath: "on Monday, no, Tuesday" → "on Tuesday".

use super::word::{Word, words};

/// What announces the right words.
const MARKERS: &[&[&str]] = &[
    &["no", "wait"],
    &["no", "sorry"],
    &["sorry", "i", "meant"],
    &["sorry", "i", "mean"],
    &["i", "meant"],
    &["i", "mean"],
    &["or", "rather"],
    &["scratch", "that"],
    &["make", "that"],
    &["wait", "no"],
    &["correction"],
    &["sorry"],
    &["wait"],
    &["oops"],
    &["no"],
];
/// Right words are few.
const MOST_WORDS: usize = 5;

/// The marker at a place, in words.
fn marker(all: &[Word<'_>], at: usize) -> Option<usize> {
    MARKERS
        .iter()
        .find(|marker| {
            marker
                .iter()
                .enumerate()
                .all(|(nth, word)| all.get(at + nth).is_some_and(|found| found.lower == *word))
        })
        .map(|marker| marker.len())
}

/// A sentence that takes words back, as it is meant; nothing where it takes none back.
pub(super) fn within(sentence: &str) -> Option<String> {
    let all = words(sentence);
    for at in 2..all.len() {
        let pauses = all[at - 1].pauses() || all[at - 1].is_empty();
        let Some(length) = marker(&all, at).filter(|_| pauses) else {
            continue;
        };
        let is_no = length == 1 && all[at].lower == "no";
        let right = &all[at + length..];
        // "I have no idea", "no, really"
        if right.is_empty() || is_no && !all[at].pauses() {
            continue;
        }
        return replaced(&all[..at], right);
    }
    None
}

/// What a sentence meant that the next one corrects: "I'm a nurse." "I mean a midwife."
pub(super) fn by_next(sentence: &str, next: &str) -> Option<String> {
    let (all, correcting) = (words(sentence), words(next));
    let length = marker(&correcting, 0)?;
    let right = &correcting[length..];
    // "No, I'm fine." says something of its own.
    if right.is_empty()
        || length == 1 && matches!(correcting[0].lower.as_str(), "no" | "sorry" | "wait") && !correcting[0].pauses()
    {
        return None;
    }
    replaced(&all, right)
}

/// The end of a statement with other words: as many as these, or from the same preposition or article on.
pub(super) fn replaced(said: &[Word<'_>], right: &[Word<'_>]) -> Option<String> {
    let right: Vec<&Word<'_>> = right
        .iter()
        .filter(|word| !word.is_empty() && word.lower != "actually")
        .collect();
    let is_statement = right.iter().any(|word| {
        word.is_one_of(&[
            "i", "i'm", "im", "we", "he", "she", "it's", "it", "is", "are", "was", "they",
        ])
    });
    if right.is_empty() || right.len() > MOST_WORDS || is_statement || said.len() <= right.len() {
        return None;
    }
    let first = right[0].lower.as_str();
    let same = said
        .iter()
        .rposition(|word| word.lower == first)
        .filter(|at| said.len() - at <= MOST_WORDS);
    let from = same.unwrap_or(said.len() - right.len());
    if from == 0 {
        return None;
    }
    let mut out: Vec<&str> = said[..from].iter().map(|word| word.core).collect();
    out.extend(right.iter().map(|word| word.core));
    Some(format!("{}.", out.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_words_take_the_place_of_the_wrong_ones() {
        assert_eq!(
            within("My train is on Friday, no, Sunday.").as_deref(),
            Some("My train is on Sunday.")
        );
        assert_eq!(
            within("We live in Graz, sorry, in Linz.").as_deref(),
            Some("We live in Linz.")
        );
        assert_eq!(
            by_next("I'm a baker.", "I mean a butcher.").as_deref(),
            Some("I'm a butcher.")
        );
        assert_eq!(
            by_next("I was born in 1971...", "no wait, 1972.").as_deref(),
            Some("I was born in 1972.")
        );
    }

    #[test]
    fn what_takes_nothing_back_stays() {
        for text in [
            "I have no idea what to do.",
            "I said no, I am busy today.",
            "I'm sorry about the noise.",
        ] {
            assert_eq!(within(text), None, "{text}");
        }
        assert_eq!(by_next("I like it.", "No, I really do."), None);
    }
}
