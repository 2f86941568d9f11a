//! Sentences that leave out "I": "Mended my tent", "Waiting for a parcel", "Love sailing".
//!
//! Finds where the subject belongs and which auxiliary is missing; `person.rs` writes it.

use super::lexicon::{follows_verb, is_adverb, is_feeling, is_kin};
use super::verb;
use super::word::Word;

/// A subject that was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Elided {
    /// The word before which it belongs.
    pub(super) at: usize,
    /// The auxiliary that is missing with it.
    pub(super) auxiliary: Option<&'static str>,
    /// The word that shows the subject is missing.
    pub(super) verb: usize,
    /// Whether that word is a verb that must agree.
    pub(super) agrees: bool,
}

/// Finds the place of a left-out "I".
pub(super) fn find(words: &[Word<'_>]) -> Option<Elided> {
    let lead = words.iter().take(3).take_while(|w| is_opening_adverb(w)).count();
    let word = words.get(lead)?;
    let next = words.get(lead + 1);
    let next_lower = next.map_or("", |w| w.lower.as_str());
    let lower = word.lower.as_str();
    // The subject goes before "just", "still" and the like, behind "recently,".
    let at = if lead > 0 && words[lead - 1].pauses() { lead } else { 0 };
    let plain = |auxiliary, agrees| {
        Some(Elided {
            at,
            auxiliary,
            verb: lead,
            agrees,
        })
    };
    if word.pauses() && words.len() > lead + 1 && !is_feeling(lower) {
        return None;
    }
    let next_is_object = next.is_some_and(|w| {
        follows_verb(&w.lower)
            || is_adverb(&w.lower)
            || verb::is_ing(&w.lower)
            || is_kin(&w.lower)
            || w.core.starts_with(|c: char| c.is_ascii_digit())
    });
    if is_feeling(lower) && !next_lower.is_empty() && !finite_later(words, lead) {
        return plain(Some("is"), false);
    }
    if ["so", "very", "super", "pretty"].contains(&lower) && is_feeling(next_lower) {
        return Some(Elided {
            at: lead,
            auxiliary: Some("is"),
            verb: lead,
            agrees: false,
        });
    }
    match lower {
        "gonna" => return plain(None, true),
        "wanna" | "gotta" => return plain(None, true),
        "been" => return plain(Some("has"), false),
        "not" if ["sure", "a", "much", "gonna", "into"].contains(&next_lower) && !finite_later(words, lead) => {
            return Some(Elided {
                at: lead,
                auxiliary: Some("is"),
                verb: lead,
                agrees: false,
            });
        }
        "can't" | "couldn't" | "won't" | "will" | "would" | "didn't" | "haven't" | "wouldn't" | "could" | "cant" => {
            let asks = ["you", "he", "she", "it", "they", "we", "i", "that"].contains(&next_lower);
            return if asks || next_lower.is_empty() {
                None
            } else {
                plain(None, true)
            };
        }
        "don't"
            if [
                "know", "think", "like", "want", "have", "really", "eat", "drink", "smoke", "get", "feel", "even",
                "own",
            ]
            .contains(&next_lower) =>
        {
            return plain(None, true);
        }
        "was" => {
            let fits = verb::is_ing(next_lower) || ["in", "at", "born", "on"].contains(&next_lower);
            return if fits { plain(None, true) } else { None };
        }
        "did" | "had" | "were" | "could've" => {
            let fits = follows_verb(next_lower)
                && !["it", "i", "this", "that", "there", "the", "they"].contains(&next_lower)
                || lower == "had" && next_is_object;
            return if fits { plain(None, true) } else { None };
        }
        _ => {}
    }
    if verb::is_past(lower) {
        let fits = next_is_object || verb::is_base(lower) || !finite_later(words, lead) && !lower.ends_with("ed");
        return if fits || (lower.ends_with("ed") && !finite_later(words, lead) && words.len() > lead + 1) {
            plain(None, true)
        } else {
            None
        };
    }
    if verb::is_ing(lower) {
        let is_subject = finite_later(words, lead);
        return if is_subject || next_lower.is_empty() {
            None
        } else {
            plain(Some("is"), false)
        };
    }
    let loves = ["love", "hate", "enjoy", "prefer", "adore", "like", "miss", "dislike"].contains(&lower);
    let holds = [
        "want", "need", "wish", "hope", "plan", "have", "own", "live", "work", "play", "study", "feel", "think",
        "know", "believe", "guess", "use", "drive", "teach", "speak",
    ]
    .contains(&lower);
    let next_is_verb = ["is", "are", "was", "has", "can", "will", "at", "of"].contains(&next_lower)
        && lower != "work"
        && lower != "live"
        && lower != "study";
    // "Love and acceptance should be …": a noun.
    if next_lower == "and" && finite_later(words, lead) {
        return None;
    }
    if (loves && !next_lower.is_empty() && !next_is_verb) || (holds && next_is_object && !next_is_verb) {
        return plain(None, true);
    }
    None
}

fn is_opening_adverb(word: &Word<'_>) -> bool {
    word.is_one_of(&[
        "just",
        "finally",
        "recently",
        "also",
        "still",
        "never",
        "always",
        "already",
        "currently",
        "lately",
        "usually",
        "actually",
        "sometimes",
        "really",
        "even",
        "once",
        "then",
        "only",
        "mostly",
    ]) || (is_adverb(&word.lower) && word.lower.ends_with("ly"))
}

/// Plural nouns that look like verbs of the third person.
const NOUNS_WITH_S: &[&str] = &[
    "books",
    "dances",
    "plans",
    "works",
    "shows",
    "photos",
    "plays",
    "games",
    "hikes",
    "walks",
    "runs",
    "looks",
    "changes",
    "visits",
    "watches",
    "hopes",
    "dreams",
    "friends",
    "steps",
    "needs",
    "skills",
    "tests",
    "questions",
    "records",
    "gardens",
    "goals",
    "reviews",
    "designs",
    "ideas",
    "views",
    "posts",
    "groups",
    "places",
    "minds",
    "arts",
    "rides",
    "cooks",
    "tracks",
    "offers",
    "rests",
    "shares",
    "fans",
    "hosts",
    "moves",
    "touches",
    "covers",
    "drinks",
    "talks",
    "orders",
    "hands",
    "parts",
    "parks",
    "shops",
    "presents",
    "experiences",
    "programs",
    "battles",
    "challenges",
    "homes",
    "trips",
];

/// Whether a finite verb stands later in the main clause, so that the first word is its subject.
fn finite_later(words: &[Word<'_>], from: usize) -> bool {
    for (at, word) in words.iter().enumerate().skip(from + 1) {
        let lower = word.lower.as_str();
        // "Seeing it come alive is great": an object, no clause of its own.
        if at == from + 1 && ["it", "you"].contains(&lower) {
            continue;
        }
        if [
            "because", "when", "while", "if", "but", "how", "what", "where", "so", "after", "before", "until", "since",
            "i", "we", "i'm", "they", "it", "he", "she", "you", "it's",
        ]
        .contains(&lower)
        {
            return false;
        }
        if [
            "is", "are", "was", "were", "has", "have", "can", "will", "would", "must", "might", "could", "should",
            "helps", "makes", "made", "gives", "keeps", "takes", "brings", "isn't", "aren't", "wasn't", "weren't",
            "hasn't", "can't", "won't", "doesn't", "means", "matters", "seems", "feels", "sounds", "lets", "does",
            "really",
        ]
        .contains(&lower)
            && lower != "really"
            || lower
                .strip_suffix('s')
                .is_some_and(|base| verb::is_base(base) && (at == from + 1 || !NOUNS_WITH_S.contains(&lower)))
            || (lower.ends_with("'s")
                && words.get(at + 1).is_some_and(|next| {
                    next.is_one_of(&[
                        "a", "an", "the", "so", "such", "been", "not", "my", "really", "very", "always",
                    ])
                }))
        {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::word::words;
    use super::*;

    #[test]
    fn a_gerund_subject_is_left_alone() {
        for text in [
            "Running is fun.",
            "Cooking with friends makes me calm.",
            "Used books are cheap.",
            "Seeing it all come alive on a stage is a joy.",
            "Moving abroad wasn't easy.",
            "Love and patience should be taught.",
            "I run.",
        ] {
            assert_eq!(find(&words(text)), None, "{text}");
        }
    }

    #[test]
    fn a_left_out_subject_is_found() {
        for text in [
            "Went to Rome.",
            "Working on a novel.",
            "Been to Cork twice.",
            "Just finished my thesis.",
            "So excited about the trip.",
        ] {
            assert!(find(&words(text)).is_some(), "{text}");
        }
    }
}
