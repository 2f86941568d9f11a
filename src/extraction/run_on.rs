//! Sentences that run on: "I came home, she made soup, we ate" is three, "nurse, 34, living in Ulm" is three pieces.
//!
//! Works on words alone, before anything is parsed. A sentence that is one stays whole.

use std::ops::Range;

use super::word::{Word, words};

/// A subject that begins a sentence of its own behind a comma.
const SUBJECTS: &[&str] = &[
    "i", "i'm", "im", "i've", "ive", "i'd", "i'll", "we", "we're", "we've", "weve", "we'll", "we'd", "she", "she's",
    "shes", "he", "he's", "hes", "they", "they're", "theyre", "they've", "it's", "that's", "thats", "there's",
    "theres",
];
/// Words that may stand between the comma and that subject.
const JOINS: &[&str] = &["and", "but", "so", "plus", "also", "then", "now", "anyway", "or", "&"];
/// What begins a part that needs the one behind it.
const SUBORDINATORS: &[&str] = &[
    "if",
    "when",
    "whenever",
    "while",
    "as",
    "since",
    "because",
    "although",
    "though",
    "even",
    "after",
    "before",
    "once",
    "until",
    "till",
    "unless",
    "where",
    "wherever",
    "whether",
    "in",
    "on",
    "at",
    "for",
    "by",
    "with",
    "during",
    "from",
    "to",
    "despite",
    "given",
    "instead",
    "not",
    "what",
    "which",
    "who",
    "how",
    "why",
    "every",
    "last",
    "next",
    "this",
    "being",
    "having",
    "of",
    "without",
    "say",
    "says",
    "said",
    "like",
    "bc",
    "cuz",
    "now",
    "today",
    "tomorrow",
    "yesterday",
    "sometimes",
    "usually",
    "imagine",
    "suppose",
    "let's",
    "lets",
    "to",
];
/// What begins a question behind a comma.
const ASKING: &[&str] = &[
    "any",
    "what",
    "what's",
    "whats",
    "how",
    "how's",
    "which",
    "where",
    "when",
    "who",
    "why",
    "can",
    "could",
    "do",
    "does",
    "did",
    "should",
    "would",
    "is",
    "are",
    "will",
    "wdyt",
    "thoughts",
    "suggestions",
    "ideas",
    "recommendations",
    "tips",
];
/// Words behind which a reason begins.
const CAUSES: &[&str] = &["because", "bc", "cuz", "coz"];
/// Words that end a sentence like a comma where a subject follows.
const LAUGHS: &[&str] = &["lol", "haha", "hahaha", "lmao", "tho", "though", "btw"];
/// A list of pieces has pieces of at most so many words.
const LONGEST_PIECE: usize = 10;
/// The first piece of one.
const LONGEST_FIRST_PIECE: usize = 6;
/// A longer sentence is none.
const MOST_PIECE_WORDS: usize = 60;

/// The places of the sentences in a text, in bytes, and whether they are pieces without a subject.
pub(super) fn split(text: &str) -> (Vec<Range<usize>>, bool) {
    let all = words(text);
    let places = places(text, &all);
    let pieces = pieces_without_subject(&all);
    let are_pieces = !pieces.is_empty();
    let cuts = if are_pieces { pieces } else { cuts(&all) };
    let mut out = Vec::with_capacity(cuts.len() + 1);
    let mut start = 0;
    for cut in cuts {
        let at = places.get(cut).copied().unwrap_or(text.len());
        out.push(start..at);
        start = at;
    }
    out.push(start..text.len());
    (out, are_pieces)
}

/// Where each word begins, with the marks before it.
fn places(text: &str, all: &[Word<'_>]) -> Vec<usize> {
    let base = text.as_ptr() as usize;
    all.iter()
        .map(|word| (word.lead.as_ptr() as usize).wrapping_sub(base).min(text.len()))
        .collect()
}

fn cuts(all: &[Word<'_>]) -> Vec<usize> {
    let mut cuts = Vec::new();
    let mut start = 0;
    let is_question = all.last().is_some_and(|word| word.trail.contains('?'));
    let mut has_passed = false;
    let mut open = 0_i32;
    for at in 1..all.len() {
        let before = &all[at - 1];
        open += count(before, ['(', '[', '"', '“']) - count(before, [')', ']', '”', ']']);
        let quoted = all[..at]
            .iter()
            .flat_map(|word| word.lead.chars().chain(word.trail.chars()))
            .filter(|c| *c == '"')
            .count()
            % 2
            == 1;
        if open > 0
            && all[..at].iter().any(|word| word.lead.contains('('))
            && !all[..at].iter().any(|word| word.trail.contains(')'))
            || quoted
        {
            continue;
        }
        let semicolon = before.trail.contains(';') || before.lead.chars().chain(before.trail.chars()).any(is_emoji);
        let pauses = before.trail.contains(',')
            || before.is_empty()
            || before.trail.contains(['–', '—'])
            || LAUGHS.contains(&before.lower.as_str());
        if at < start + 2 && !semicolon {
            continue;
        }
        let mut subject = at;
        while subject < all.len()
            && subject < at + 2
            && JOINS.contains(&all[subject].lower.as_str())
            && !all[subject].pauses()
        {
            subject += 1;
        }
        let begins = all
            .get(subject)
            .is_some_and(|word| SUBJECTS.contains(&word.lower.as_str()) && !word.pauses());
        // "when I was small, I …": the first pause belongs to what leans on the rest; the next may end a sentence.
        // "my son turns five, any ideas?"
        let asks = is_question
            && before.trail.contains(',')
            && ASKING.contains(&all[at].lower.as_str())
            && at > start + 2
            && tells_of_self(&all[start..at]);
        if asks {
            cuts.push(at);
            start = at;
            continue;
        }
        let leans = !has_passed
            && all[start..at]
                .iter()
                .find(|word| !word.is_empty() && !JOINS[..3].contains(&word.lower.as_str()))
                .is_some_and(|word| SUBORDINATORS.contains(&word.lower.as_str()));
        if pauses && begins && leans {
            has_passed = true;
            continue;
        }
        // "I teach and they learn", "I left because it rained"
        let tells = all[start..at]
            .iter()
            .any(|word| SUBJECTS.contains(&word.lower.as_str()));
        let joined = subject > at && (tells && at > start + 2) && !leans
            || subject == at && tells && CAUSES.contains(&before.lower.as_str()) && at > start + 3 && !leans;
        if semicolon || (pauses || joined) && begins && !leans && subject + 1 < all.len() {
            has_passed = false;
            cuts.push(at);
            start = at;
        }
    }
    cuts
}

/// A pictogram ends a sentence.
fn is_emoji(c: char) -> bool {
    matches!(u32::from(c), 0x1F300..=0x1FAFF | 0x2600..=0x27BF)
}

fn tells_of_self(words: &[Word<'_>]) -> bool {
    words
        .iter()
        .any(|word| SUBJECTS.contains(&word.lower.as_str()) || word.is_one_of(&["my", "our"]))
}

fn count<const N: usize>(word: &Word<'_>, marks: [char; N]) -> i32 {
    let all = word.lead.chars().chain(word.trail.chars());
    i32::try_from(all.filter(|c| marks.contains(c)).count()).unwrap_or(0)
}

/// Where "alex, 29, nurse, living in leeds" is cut: behind short pieces without a subject, at least two of them. What comes
/// behind the last such piece stays together.
fn pieces_without_subject(all: &[Word<'_>]) -> Vec<usize> {
    const SAYING: &[&str] = &[
        "my", "our", "you", "your", "me", "is", "are", "was", "were", "it", "this", "that", "can", "has", "had",
        "please", "it's",
    ];
    if all.len() > MOST_PIECE_WORDS
        || all.last().is_some_and(|word| word.trail.contains('?'))
        || all
            .first()
            .is_none_or(|word| SUBORDINATORS.contains(&word.lower.as_str()))
    {
        return Vec::new();
    }
    let mut cuts = Vec::new();
    let mut start = 0;
    for at in 0..all.len() {
        let word = &all[at];
        if SUBJECTS.contains(&word.lower.as_str()) || word.is_one_of(SAYING) || at - start >= LONGEST_PIECE {
            break;
        }
        if word.trail.starts_with(',') && at + 1 < all.len() {
            cuts.push(at + 1);
            start = at + 1;
        }
    }
    // A list of short things behind a verb is one sentence: "bake bread, cakes and pies".
    if cuts.len() < 2 || cuts[0] > LONGEST_FIRST_PIECE {
        Vec::new()
    } else {
        cuts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<&str> {
        split(text).0.into_iter().map(|range| text[range].trim()).collect()
    }

    #[test]
    fn a_subject_behind_a_comma_begins_a_sentence() {
        for (text, want) in [
            (
                "I got home, she cooked, and we ate.",
                vec!["I got home,", "she cooked,", "and we ate."],
            ),
            ("he bakes bread; I sell it", vec!["he bakes bread;", "I sell it"]),
            (
                "my back hurts lol i sit all day",
                vec!["my back hurts lol", "i sit all day"],
            ),
        ] {
            assert_eq!(pieces(text), want);
        }
    }

    #[test]
    fn a_part_that_needs_the_next_stays_with_it() {
        for text in [
            "When I was small, I lived in Pisa.",
            "As a baker, I get up at three.",
            "I like tea, coffee and cake.",
            "If it rains, we stay in.",
            "She said (quietly, I think) no.",
        ] {
            assert_eq!(pieces(text), [text]);
        }
    }

    #[test]
    fn pieces_without_a_subject_are_parted() {
        assert_eq!(
            pieces("jo, 41, welder, living in Gent"),
            ["jo,", "41,", "welder,", "living in Gent"]
        );
    }
}
