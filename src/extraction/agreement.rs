//! Verbs that agree with the subject that was written: "I … work" → "User … works".
//!
//! Part of the rewriting in `person.rs`; the forms themselves are `verb.rs`'s.

use super::lexicon::{follows_verb, is_adverb};
use super::person::{Agreement, Rewriter};
use super::verb;

impl Rewriter<'_, '_> {
    /// A word that is no pronoun of the speaker or listener: perhaps the verb that must agree.
    pub(super) fn other(&mut self, at: usize) {
        let word = &self.words[at];
        let lower = word.lower.as_str();
        match self.pending {
            Agreement::Singular => {
                if is_adverb(lower) || word.is_empty() {
                    return;
                }
                self.pending = Agreement::None;
                if let Some(verb) = self.conjugated(at) {
                    // "I moved to Ghent and work": a present verb may follow a past one, but not an auxiliary.
                    self.coordinates = !verb::MODALS.contains(&lower)
                        && ![
                            "is", "isn't", "doesn't", "used", "did", "didn't", "had", "hadn't", "was", "wasn't",
                        ]
                        .contains(&verb.as_str());
                    self.follows_past = verb::is_past(lower);
                    self.cores[at] = verb;
                }
                return;
            }
            Agreement::Plural => {
                if is_adverb(lower) {
                    return;
                }
                self.pending = Agreement::None;
                match lower {
                    "am" => self.cores[at] = "are".to_owned(),
                    "was" => self.cores[at] = "were".to_owned(),
                    "wasn't" => self.cores[at] = "weren't".to_owned(),
                    "gonna" => self.cores[at] = "are going to".to_owned(),
                    "gotta" => self.cores[at] = "have to".to_owned(),
                    "wanna" => self.cores[at] = "want to".to_owned(),
                    _ => {}
                }
                return;
            }
            Agreement::None => {}
        }
        match lower {
            "gonna" => self.cores[at] = "going to".to_owned(),
            "wanna" => self.cores[at] = "want to".to_owned(),
            "gotta" => self.cores[at] = "got to".to_owned(),
            "to" if self.words.get(at + 1).is_none_or(|next| !verb::is_base(&next.lower)) => {}
            "to" | "that" | "who" | "which" | "when" | "because" | "if" | "how" | "what" | "where" | "while" => {
                self.coordinates = false
            }
            _ if verb::MODALS.contains(&lower) => self.coordinates = false,
            "and" | "or" | "but" if self.coordinates => self.coordinate(at),
            _ => {}
        }
    }

    /// "loves hiking and work at a bank": the verb behind "and" agrees too.
    fn coordinate(&mut self, at: usize) {
        let Some(verb_at) = (at + 1..self.words.len()).find(|&i| !is_adverb(&self.words[i].lower)) else {
            return;
        };
        let verb = &self.words[verb_at];
        let next = self.words.get(verb_at + 1);
        if self.follows_past && !next.is_some_and(|w| follows_verb(&w.lower)) {
            return;
        }
        let is_verb = (verb::is_base(&verb.lower) || verb.is_one_of(&["am", "don't", "have"]))
            && (next.is_some_and(|w| follows_verb(&w.lower) || verb::is_ing(&w.lower))
                || verb.is_one_of(&[
                    "am", "don't", "have", "do", "eat", "own", "enjoy", "prefer", "collect", "go", "keep", "speak",
                    "teach", "write", "live", "know", "hate", "take", "make", "spend", "see", "try", "bake", "sing",
                    "attend", "listen",
                ]));
        if is_verb && let Some(made) = self.conjugated(verb_at) {
            self.cores[verb_at] = made;
            self.skip[verb_at] = true;
        }
    }

    pub(super) fn conjugated(&self, at: usize) -> Option<String> {
        let word = &self.words[at];
        let lower = word.lower.as_str();
        if !lower.bytes().all(|b| b.is_ascii_lowercase() || b == b'\'') || lower.is_empty() {
            return None;
        }
        if [
            "and", "or", "but", "to", "the", "in", "on", "at", "for", "of", "with", "who", "that", "as", "like",
            "from", "than", "by", "myself", "think", "if",
        ]
        .contains(&lower)
            && !["like", "think"].contains(&lower)
        {
            return None;
        }
        if verb::is_unchanging(lower) {
            let is_habit = ["read", "put", "let", "fit", "spread"].contains(&lower) && !self.told_in_past;
            return Some(if is_habit {
                verb::third_person(lower)
            } else {
                lower.to_owned()
            });
        }
        if verb::is_ing(lower) && !verb::is_base(lower) {
            return Some(format!("is {lower}"));
        }
        Some(verb::third_person(lower))
    }
}
