//! What has no subject, or no verb, told of oneself: "Moved to Bern", "vegan", "two cats", "nurse in Ulm".

use super::clauses::Piece;
use super::sentence::ParsedSentence;
use super::words::{is_role, tells_of_self};
use crate::extraction::verb;
use crate::parser::Upos;

/// Participles that tell a state: "married with three kids".
const STATES: &[&str] = &[
    "married",
    "based",
    "divorced",
    "engaged",
    "separated",
    "widowed",
    "retired",
    "employed",
    "located",
    "blessed",
    "stuck",
    "interested",
    "obsessed",
    "addicted",
    "trained",
    "qualified",
    "vaccinated",
    "insured",
];
/// Participles that tell how something came about.
const PASSIVE_PAST: &[&str] = &["born", "raised", "diagnosed", "laid", "fired"];

/// What a fragment lacks.
pub(super) struct Complete {
    /// The words in front of it.
    pub(super) before: Vec<Piece>,
    /// The verb that agrees with the speaker.
    pub(super) agrees: Option<usize>,
}

fn with(words: &str) -> Option<Complete> {
    Some(Complete {
        before: vec![Piece::Speaker, Piece::Text(words.to_owned())],
        agrees: None,
    })
}

/// "they/them"
pub(super) fn is_pronouns(text: &str) -> bool {
    let lower = text.trim().to_lowercase();
    let mut parts = lower.split('/').map(str::trim);
    let is_known = |part: &str| {
        matches!(
            part,
            "he" | "him" | "his" | "she" | "her" | "hers" | "they" | "them" | "theirs" | "any" | "xe" | "ze"
        )
    };
    lower.contains('/') && parts.all(is_known)
}

/// A sentence of pronouns, completed.
pub(super) fn pronouns(words: usize) -> Vec<Piece> {
    let mut pieces = vec![Piece::Speakers, Piece::Text("pronouns are".to_owned())];
    pieces.extend((0..words).map(Piece::Word));
    pieces
}

/// "17 yo", "34 years old"
fn age(s: &ParsedSentence<'_>, first: usize) -> Option<Complete> {
    let is_number = s.lower(first).parse::<u8>().is_ok_and(|age| (5..110).contains(&age));
    let unit = s.lower(first + 1);
    let is_age =
        matches!(unit, "yo" | "y/o") || matches!(unit, "years" | "yrs" | "year") && s.lower(first + 2) == "old";
    (is_number && is_age).then(|| with("is")).flatten()
}

/// Completes a clause without a subject; nothing where it can't be told what is meant.
pub(super) fn complete(s: &ParsedSentence<'_>, head: usize, body: &[usize]) -> Option<Complete> {
    let first = body.iter().copied().find(|word| s.is_spoken(*word))?;
    let lower = s.lower(head);
    if matches!(s.lower(first), "dear" | "hi" | "hey" | "hello") {
        return None;
    }
    if s.text.trim_end().ends_with('?') {
        return None;
    }
    let is_named = s.form(head).chars().next().is_some_and(char::is_uppercase);
    if s.is_piece && body.len() == 1 && s.upos(head) == Upos::Propn && is_named {
        return Some(Complete {
            before: vec![Piece::Speakers, Piece::Text("name is".to_owned())],
            agrees: None,
        });
    }
    if let Some(age) = age(s, first) {
        return Some(age);
    }
    // "never been on a plane", "been sober for years"
    let begins = body
        .iter()
        .copied()
        .find(|word| s.is_spoken(*word) && !matches!(s.lower(*word), "never" | "just" | "always" | "only" | "also"));
    if begins.is_some_and(|word| s.lower(word) == "been") {
        return with("has");
    }
    // "allergic to nuts", "on the swimming team"
    if s.is_piece
        && s.subject(head).is_none()
        && s.kid(head, &["cop", "aux"]).is_none()
        && (s.upos(first) == Upos::Adj && !s.is_relation(first, &["amod"])
            || s.upos(first) == Upos::Adp
                && s.word(first).head == Some(head)
                && matches!(s.lower(first), "on" | "in" | "from" | "into" | "at"))
    {
        return with("is");
    }
    match s.upos(head) {
        Upos::Verb => {
            if STATES.contains(&lower) && s.kid(head, &["obj", "aux"]).is_none() {
                return with("is");
            }
            if PASSIVE_PAST.contains(&lower) && s.kid(head, &["obj", "aux"]).is_none() {
                return with("was");
            }
            if lower.ends_with("ing") && s.kid(head, &["aux", "cop"]).is_none() {
                return with("is");
            }
            let is_past = s.has(head, "Tense", "Past") && s.kid(head, &["aux", "cop"]).is_none();
            if is_past && s.kid(head, &["mark"]).is_none() {
                return Some(Complete {
                    before: vec![Piece::Speaker],
                    agrees: None,
                });
            }
            let is_bare = s.kid(head, &["aux", "cop", "mark"]).is_none();
            let is_past_by_time = verb::is_unchanging(lower)
                && s.lower
                    .iter()
                    .any(|word| matches!(word.as_str(), "ago" | "yesterday" | "last"));
            if is_bare && is_past_by_time {
                return Some(Complete {
                    before: vec![Piece::Speaker],
                    agrees: None,
                });
            }
            let is_denied = s
                .kids(head, &["aux"])
                .any(|aux| matches!(s.lower(aux), "do" | "can" | "ca" | "did" | "could" | "have"))
                && s.kids(head, &["advmod"])
                    .any(|kid| matches!(s.lower(kid), "n't" | "nt" | "not" | "never"));
            if tells_of_self(s.lemma(head)) || is_denied {
                return Some(Complete {
                    before: vec![Piece::Speaker],
                    agrees: s.finite(head),
                });
            }
            None
        }
        Upos::Adj => {
            let is_alone = s.kid(head, &["det", "nsubj", "cop", "case"]).is_none();
            let is_said_of_people = s.kid(head, &["obl", "advmod"]).is_some() || body.len() < 4;
            if is_alone && is_said_of_people {
                with("is")
            } else {
                None
            }
        }
        Upos::Noun | Upos::Propn => {
            let determiner = s.kid(head, &["det", "nmod:poss"]);
            if s.kid(head, &["cop", "nsubj"]).is_some() {
                return None;
            }
            if let Some(case) = s.kid(head, &["case"]).filter(|case| *case < head) {
                let is_home = s.upos(head) == Upos::Propn && matches!(s.lower(case), "from" | "in");
                // "still in school", "in remission"
                let is_state = determiner.is_none() && s.lower(case) == "in" && body.len() <= 4;
                return if is_home || is_state { with("is") } else { None };
            }
            let is_number = s.kid(head, &["nummod"]).is_some_and(|number| number < head);
            if is_number && lower != "years" && lower != "yrs" && lower != "yo" && s.kid(head, &["obl"]).is_none() {
                let is_of_life = super::words::kin(lower).is_some() || s.kid(head, &["acl", "appos", "nmod"]).is_some();
                return if is_of_life { with("has") } else { None };
            }
            if s.has(head, "Number", "Plur") || s.upos(head) == Upos::Propn {
                return None;
            }
            let has_kin = super::words::kin(lower).is_some_and(|kin| kin.is_told);
            if has_kin && determiner.is_some_and(|det| matches!(s.lower(det), "a" | "an")) {
                return with("has");
            }
            if is_role(lower) && !has_kin {
                return match determiner {
                    Some(det) if matches!(s.lower(det), "a" | "an") => with("is"),
                    Some(_) => None,
                    None => {
                        let start = s.lower(first);
                        let article = if start.starts_with(['a', 'e', 'i', 'o', 'u']) {
                            "is an"
                        } else {
                            "is a"
                        };
                        with(article)
                    }
                };
            }
            None
        }
        Upos::Num => {
            let is_age = lower.parse::<u8>().is_ok_and(|age| (13..100).contains(&age));
            if is_age && s.is_piece && body.len() == 1 {
                with("is")
            } else {
                None
            }
        }
        _ => None,
    }
}
