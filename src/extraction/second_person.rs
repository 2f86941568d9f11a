//! "You" and "your" to a person: who is meant, and whether anybody is.
//!
//! Part of the rewriting in `person.rs`.

use super::lexicon::is_feeling;
use super::person::{Agreement, Rewriter};
use super::verb;

impl Rewriter<'_, '_> {
    /// Writes the listener's name for "you" and its kin, unless people in general are meant.
    pub(super) fn listener(&mut self, at: usize) {
        let word = &self.words[at];
        let previous = at.checked_sub(1).map(|i| &self.words[i]);
        let Some(name) = self.people.listener else {
            let told = previous
                .is_some_and(|w| w.is_one_of(&["told", "tell", "asked", "ask", "thank", "showed", "with", "gave"]));
            if word.lower == "you" && told {
                self.cores[at] = "the assistant".to_owned();
            }
            self.pending = Agreement::None;
            return;
        };
        let is_generic = previous.is_some_and(|w| {
            w.is_one_of(&[
                "when",
                "if",
                "as",
                "once",
                "until",
                "where",
                "before",
                "after",
                "how",
                "whenever",
                "things",
                "makes",
                "make",
                "lets",
                "everywhere",
                "anywhere",
                "anytime",
                "whatever",
                "wherever",
                "anything",
                "everything",
            ])
        }) || self
            .words
            .get(at + 1)
            .is_some_and(|w| w.is_one_of(&["never", "know"]) && self.words.len() > at + 2)
            || word.lower == "you'll" && self.words.get(at + 1).is_some_and(|w| w.lower == "never")
            || at > 0
                && self.words[..at]
                    .iter()
                    .any(|w| w.is_one_of(&["if", "when", "whenever"]))
                && self.words[..at].iter().any(|w| w.lower == "you");
        if is_generic {
            self.pending = Agreement::None;
            return;
        }
        let is_object = previous.is_some_and(|w| {
            !w.pauses()
                && (verb::is_base(&w.lower)
                    || w.is_one_of(&[
                        "of", "for", "to", "with", "about", "at", "on", "by", "from", "like", "around", "behind",
                    ])
                    || verb::is_ing(&w.lower))
                && !w.is_one_of(&[
                    "think", "hope", "know", "believe", "guess", "see", "feel", "wish", "mean",
                ])
        });
        self.pending = Agreement::None;
        // "Tom, you …" names him once.
        if let Some(called) = at.checked_sub(1).and_then(|i| self.cores.get_mut(i))
            && called.as_str() == name
        {
            called.clear();
        }
        self.cores[at] = match word.lower.as_str() {
            "you" => {
                if !is_object {
                    self.pending = Agreement::Singular;
                }
                name.to_owned()
            }
            "you're" | "youre" => format!("{name} is"),
            "you've" => format!("{name} has"),
            "you'll" => format!("{name} will"),
            "you'd" => format!("{name} {}", self.would_or_had(at)),
            "yourself" => "themselves".to_owned(),
            "ur" if self.words.get(at + 1).is_some_and(|w| is_feeling(&w.lower)) => format!("{name} is"),
            _ => format!("{name}'s"),
        };
    }
}
