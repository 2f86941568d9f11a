//! "I", "my" and "we": the speaker by name once in a sentence, they and their from then on.
//!
//! Part of the rewriting in `person.rs`.

use super::person::{Agreement, Rewriter};
use super::verb;
use super::word::Word;

impl Rewriter<'_, '_> {
    /// Writes the speaker's name for "I", "we" and their kin, or "they" once it stands there. Whether the word is one of
    /// those.
    pub(super) fn speaker(&mut self, at: usize) -> bool {
        let lower = self.words[at].lower.as_str();
        let previous = at.checked_sub(1).map_or("", |i| self.words[i].lower.as_str());
        let core = match lower {
            "i" if ["war", "part", "volume", "chapter", "phase", "act"].contains(&previous) => return true,
            "i" => self.i(at),
            "i'm" | "im" => {
                let subject = self.subject(at);
                let verb = if self.pending == Agreement::Singular {
                    "is"
                } else {
                    "are"
                };
                self.pending = Agreement::None;
                format!("{subject} {verb}")
            }
            "i've" | "ive" => {
                let subject = self.subject(at);
                let verb = if self.pending == Agreement::Singular {
                    "has"
                } else {
                    "have"
                };
                self.pending = Agreement::None;
                format!("{subject} {verb}")
            }
            "i'll" => {
                let subject = self.subject(at);
                self.pending = Agreement::None;
                format!("{subject} will")
            }
            "i'd" => {
                let subject = self.subject(at);
                self.pending = Agreement::None;
                format!("{subject} {}", self.would_or_had(at))
            }
            "my" => {
                if let Some(and_at) = self.joint_subject(at) {
                    self.cores[and_at].clear();
                    self.cores[and_at + 1].clear();
                    self.skip[and_at] = true;
                    self.skip[and_at + 1] = true;
                    let subject = self.name_or("they");
                    format!("{subject} and their")
                } else {
                    self.possessive()
                }
            }
            "me" => self.name_or("them"),
            "mine" => {
                if self.mentioned {
                    "theirs".to_owned()
                } else {
                    self.possessive()
                }
            }
            "myself" => self.name_or("themselves"),
            "we" => self.group(at),
            "we're" => format!("{} are", self.group(at)),
            "we've" => format!("{} have", self.group(at)),
            "we'll" => format!("{} will", self.group(at)),
            "we'd" => {
                let group = self.group(at);
                format!("{group} {}", self.would_or_had(at))
            }
            "us" => {
                let group = self.group(at);
                if group == "they" { "them".to_owned() } else { group }
            }
            "our" => self.possessive(),
            "ours" => {
                if self.mentioned {
                    "theirs".to_owned()
                } else {
                    self.possessive()
                }
            }
            "ourselves" => "themselves".to_owned(),
            _ => return false,
        };
        if matches!(lower, "we're" | "we've" | "we'll" | "we'd" | "us" | "me" | "my" | "our") {
            self.pending = Agreement::None;
        }
        self.cores[at] = core;
        true
    }

    fn name_or(&mut self, pronoun: &str) -> String {
        if self.mentioned {
            return pronoun.to_owned();
        }
        self.mentioned = true;
        self.people.subject().to_owned()
    }

    fn subject(&mut self, at: usize) -> String {
        self.pending = if self.mentioned {
            Agreement::Plural
        } else {
            Agreement::Singular
        };
        let core = self.name_or("they");
        if core == "they" && at == 0 {
            "They".to_owned()
        } else {
            core
        }
    }

    fn group(&mut self, at: usize) -> String {
        self.pending = Agreement::Plural;
        if self.mentioned {
            return "they".to_owned();
        }
        self.mentioned = true;
        let subject = self.people.subject();
        let spoke = self.words[at + 1..]
            .iter()
            .take(2)
            .any(|w| w.is_one_of(&["spoke", "talked", "chatted", "met", "last"]));
        match self.people.company {
            _ if spoke && self.people.listener.is_some() => {
                format!("{subject} and {}", self.people.listener.unwrap_or("others"))
            }
            Some(company) => format!("{subject} and their {company}"),
            None => format!("{subject} and others"),
        }
    }

    fn possessive(&mut self) -> String {
        if self.mentioned {
            return "their".to_owned();
        }
        self.mentioned = true;
        format!("{}'s", self.people.subject())
    }

    fn i(&mut self, at: usize) -> String {
        let words = self.words;
        if at > 0 {
            let previous = &words[at - 1];
            let before = at.checked_sub(2).map_or("", |i| words[i].lower.as_str());
            let inverted = previous.is_one_of(&[
                "am", "do", "have", "did", "can", "could", "should", "will", "would", "had", "was",
            ]) && !previous.pauses()
                && (at == 1 || ["so", "neither", "nor", "only", "never", "too"].contains(&before));
            if inverted {
                let singular = !self.mentioned;
                let subject = self.name_or("they");
                if singular {
                    self.cores[at - 1] = verb::third_person(&previous.lower);
                }
                return subject;
            }
            let joint = previous.lower == "and"
                && (2..=5).contains(&at)
                && !words[at - 2].pauses()
                && !words[..at - 1].iter().any(is_finite);
            if joint {
                let subject = self.name_or("they");
                self.pending = Agreement::Plural;
                return if subject == "they" { "them".to_owned() } else { subject };
            }
        }
        self.subject(at)
    }

    /// "my brother and I": where the "and" stands.
    fn joint_subject(&self, at: usize) -> Option<usize> {
        (at + 2..(at + 6).min(self.words.len().saturating_sub(1)))
            .find(|&i| self.words[i].lower == "and" && self.words[i + 1].lower == "i")
            .filter(|&and_at| !self.words[at..and_at].iter().any(|w| w.pauses() || is_finite(w)))
    }
}

/// Whether a word holds a verb, so that "and I" behind it starts a clause.
fn is_finite(word: &Word<'_>) -> bool {
    let lower = word.lower.as_str();
    let third = lower.strip_suffix('s').is_some_and(verb::is_base);
    let contracted = lower
        .split_once('\'')
        .is_some_and(|(stem, _)| ["i", "we", "it", "he", "she", "they", "that"].contains(&stem));
    verb::is_base(lower)
        || third
        || contracted
        || verb::is_past(lower)
        || word.is_one_of(&["is", "are", "am", "has", "can", "will"])
}
