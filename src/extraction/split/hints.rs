//! What a clause's grammar says of its category and type.

use super::clauses::{Clause, Piece};
use super::sentence::ParsedSentence;
use super::words::{is_role, kin};
use crate::model::{Category, MemoryType};
use crate::parser::Upos;

/// Verbs in the past that tell what lasts.
const LASTING: &[&str] = &[
    "grow", "raise", "bear", "study", "work", "live", "use", "know", "love", "hate", "like", "have", "be", "want",
    "speak", "inherit", "serve", "teach", "own", "belong", "major", "join", "start", "become", "adopt",
];
/// Verbs of having one's home somewhere.
const HOME: &[&str] = &[
    "live",
    "move",
    "relocate",
    "settle",
    "reside",
    "grow",
    "bear",
    "immigrate",
    "emigrate",
];
/// Roles that are no occupation.
const NO_WORK: &[&str] = &[
    "vegan",
    "vegetarian",
    "pescatarian",
    "mom",
    "mum",
    "dad",
    "mother",
    "father",
    "parent",
    "introvert",
    "extrovert",
    "native",
    "immigrant",
    "expat",
    "widow",
    "widower",
    "person",
    "guy",
    "girl",
    "man",
    "woman",
    "survivor",
    "diabetic",
    "celiac",
    "coeliac",
    "insomniac",
    "fan",
    "lover",
    "nerd",
    "geek",
    "owner",
    "swimmer",
    "knitter",
    "runner",
    "walker",
    "reader",
    "eater",
    "drinker",
    "smoker",
    "sleeper",
    "beginner",
    "foreigner",
    "teenager",
    "christian",
    "muslim",
    "hindu",
    "buddhist",
    "atheist",
    "agnostic",
    "catholic",
    "jew",
    "sikh",
    "homeowner",
    "lefty",
];

impl Clause {
    /// Categories that the grammar makes sure of, the surest first.
    pub(crate) fn categories(&self, s: &ParsedSentence<'_>) -> Vec<Category> {
        let mut out = Vec::new();
        if self.pieces.contains(&Piece::Text("lives in".to_owned())) {
            out.push(Category::Identity);
        }
        let head = self.head;
        let by_speaker = self.pieces.first() == Some(&Piece::Speaker)
            || s.subject(head).is_some_and(|subject| s.is_speaker(subject));
        let is_copular = s.kid(head, &["cop"]).is_some() || self.pieces.contains(&Piece::Text("is".to_owned()));
        if by_speaker
            && is_copular
            && s.upos(head) == Upos::Noun
            && is_role(s.lower(head))
            && s.kid(head, &["case"]).is_none()
        {
            out.push(if NO_WORK.contains(&s.lower(head)) {
                Category::Identity
            } else {
                Category::Career
            });
        }
        let is_age = is_copular
            && (s.upos(head) == Upos::Num
                || s.lower(head) == "old" && s.children(head).iter().any(|kid| s.lower(*kid).starts_with("year")));
        if by_speaker && is_age {
            out.push(Category::Identity);
        }
        let is_somewhere = s.kids(head, &["obl"]).any(|place| {
            s.kids(place, &["case"])
                .any(|case| matches!(s.lower(case), "in" | "to" | "from" | "near" | "at"))
        });
        if by_speaker && HOME.contains(&s.lemma(head)) && is_somewhere {
            out.push(Category::Identity);
        }
        let subject = s.subject(head).or(match self.pieces.first() {
            Some(Piece::Word(word)) if !s.is_speaker(*word) => Some(*word),
            _ => None,
        });
        let is_of_people = self
            .pieces
            .iter()
            .take(4)
            .any(|piece| matches!(piece, Piece::Word(word) if kin(s.lower(*word)).is_some_and(|kin| kin.is_close)))
            || subject.is_some_and(|subject| {
                matches!(s.lower(subject), "he" | "she" | "they")
                    || kin(s.lower(subject)).is_some_and(|kin| kin.is_close)
            });
        if is_of_people && !by_speaker {
            out.push(Category::Relationships);
        }
        out
    }

    /// The type that the grammar makes sure of.
    pub(crate) fn memory_type(&self, s: &ParsedSentence<'_>) -> Option<MemoryType> {
        let head = self.head;
        let is_past = s.upos(head) == Upos::Verb
            && (s.has(head, "Tense", "Past") && s.kid(head, &["aux", "cop"]).is_none()
                || s.kids(head, &["aux"]).any(|aux| s.lower(aux) == "did"));
        if matches!(
            s.lemma(head),
            "grow" | "raise" | "bear" | "inherit" | "marry" | "retire"
        ) && !self.is_finished
        {
            return Some(MemoryType::Semantic);
        }
        // "I read to her on Sundays": its past looks like its present.
        let is_past = is_past && s.lower(head) != s.lemma(head);
        let repeats = s
            .children(head)
            .iter()
            .any(|kid| matches!(s.lower(*kid), "always" | "never" | "usually" | "often"));
        if is_past && !LASTING.contains(&s.lemma(head)) && !repeats && !self.is_finished {
            return Some(MemoryType::Episodic);
        }
        let is_copular_now = s
            .kids(head, &["cop"])
            .any(|cop| matches!(s.lower(cop), "am" | "'m" | "m" | "is" | "'s" | "are"));
        if is_copular_now && s.upos(head) == Upos::Noun && is_role(s.lower(head)) {
            return Some(MemoryType::Semantic);
        }
        None
    }
}
