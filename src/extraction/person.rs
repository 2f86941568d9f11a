//! First person into third: "I've moved with my dog" → "Priya has moved with their dog".
//!
//! Each sentence names its speaker once and says they/their from then on, so that it stands alone. Words inside
//! quotation marks stay. What "it" or "there" mean is `coreference.rs`'s, which hands its findings in as `fixed`.

use super::elision::{self, Elided};
use super::lexicon::is_adverb;
use super::time::TimeMention;
use super::verb;
use super::word::{Word, join};

/// The words for whoever is spoken to.
const YOU: [&str; 10] = [
    "you", "you're", "you've", "you'll", "you'd", "your", "yours", "yourself", "ur", "youre",
];

/// Who speaks and who is spoken to.
#[derive(Clone, Copy, Debug)]
pub(super) struct People<'a> {
    /// The speaker's name; `None` is the unnamed user.
    pub(super) speaker: Option<&'a str>,
    /// The person spoken to; `None` is an assistant or a whole group.
    pub(super) listener: Option<&'a str>,
    /// Whom "we" means beside the speaker, in the form that follows "their": "kids".
    pub(super) company: Option<&'a str>,
}

impl<'a> People<'a> {
    /// The speaker's name, or the word that stands for one.
    pub(super) fn subject(&self) -> &'a str {
        self.speaker.unwrap_or("User")
    }
}

/// A sentence in the third person.
#[derive(Clone, Debug)]
pub(super) struct Rewritten {
    /// Its words.
    pub(super) text: String,
    /// Whether it names the speaker.
    pub(super) names_speaker: bool,
}

/// Puts a sentence into the third person. `fixed` are words whose meaning is known already (index, replacement).
pub(super) fn third_person(
    words: &[Word<'_>],
    people: People<'_>,
    times: &[TimeMention],
    fixed: &[(usize, String)],
) -> Rewritten {
    let mut rewriter = Rewriter {
        words,
        people,
        cores: words.iter().map(|w| w.core.to_owned()).collect(),
        mentioned: false,
        pending: Agreement::None,
        coordinates: false,
        follows_past: false,
        told_in_past: words.iter().any(|w| verb::is_past(&w.lower))
            || times.iter().any(|t| t.stretch.is_some()) && !super::time::speaks_of_future(words),
        in_quotes: false,
        skip: vec![false; words.len()],
    };
    rewriter.run(fixed);
    Rewritten {
        text: join(words, &rewriter.cores),
        names_speaker: rewriter.mentioned,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Agreement {
    None,
    Singular,
    Plural,
}

/// A sentence on its way into the third person.
pub(super) struct Rewriter<'w, 'a> {
    pub(super) words: &'w [Word<'a>],
    pub(super) people: People<'w>,
    pub(super) cores: Vec<String>,
    /// The speaker has been named in this sentence.
    pub(super) mentioned: bool,
    /// A subject was written and its verb is still to come.
    pub(super) pending: Agreement,
    /// The verb just written governs later ones behind "and".
    pub(super) coordinates: bool,
    /// Whether the verb before it was past: only a clear case then agrees.
    pub(super) follows_past: bool,
    pub(super) told_in_past: bool,
    in_quotes: bool,
    pub(super) skip: Vec<bool>,
}

impl Rewriter<'_, '_> {
    fn run(&mut self, fixed: &[(usize, String)]) {
        if let Some(elided) = elision::find(self.words) {
            self.restore_subject(elided);
        }
        for at in 0..self.words.len() {
            if self.skip[at] {
                continue;
            }
            let word = &self.words[at];
            if word.lead.contains(['"', '“']) {
                self.in_quotes = true;
            }
            if let Some((_, replacement)) = fixed.iter().find(|(index, _)| *index == at) {
                self.cores[at].clone_from(replacement);
                self.pending = Agreement::None;
            } else if !self.in_quotes {
                self.rewrite(at);
            }
            if word.trail.contains(['"', '”']) {
                self.in_quotes = false;
            }
        }
    }

    fn restore_subject(&mut self, elided: Elided) {
        let subject = self.people.subject();
        self.mentioned = true;
        let core = &self.cores[elided.at];
        let mut rest = if elided.at == 0 {
            lower_first(core)
        } else {
            core.clone()
        };
        self.skip[elided.at] = true;
        if elided.agrees && elided.verb == elided.at {
            rest = self.conjugated(elided.at).unwrap_or(rest);
            let lower = self.words[elided.at].lower.as_str();
            self.coordinates = !verb::is_past(lower)
                && !verb::MODALS.contains(&lower)
                && !["gonna", "gotta", "wanna"].contains(&lower);
        } else if elided.agrees {
            self.pending = Agreement::Singular;
        }
        self.cores[elided.at] = match elided.auxiliary {
            Some(auxiliary) => format!("{subject} {auxiliary} {rest}"),
            None => format!("{subject} {rest}"),
        };
    }

    fn rewrite(&mut self, at: usize) {
        if YOU.contains(&self.words[at].lower.as_str()) {
            self.listener(at);
        } else if !self.speaker(at) {
            self.other(at);
        }
    }

    pub(super) fn would_or_had(&self, at: usize) -> &'static str {
        let next = self.words[at + 1..].iter().find(|w| !is_adverb(&w.lower));
        match next {
            Some(w) if w.lower == "better" || (verb::is_participle(&w.lower) && !verb::is_base(&w.lower)) => "had",
            _ => "would",
        }
    }
}

/// The text with its first letter in lower case, unless it is an abbreviation.
pub(super) fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) if !chars.clone().next().is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::word::words;
    use super::*;

    fn said(speaker: Option<&str>, listener: Option<&str>, text: &str) -> String {
        third_person(
            &words(text),
            People {
                speaker,
                listener,
                company: None,
            },
            &[],
            &[],
        )
        .text
    }

    #[test]
    fn the_unnamed_speaker_is_user() {
        for (text, want) in [
            ("I work at a bakery.", "User works at a bakery."),
            ("I'm a nurse.", "User is a nurse."),
            ("I've got two cats.", "User has got two cats."),
            ("I don't eat meat.", "User doesn't eat meat."),
            ("I was born in Riga.", "User was born in Riga."),
            ("My brother lives in Oslo.", "User's brother lives in Oslo."),
            (
                "I really love jazz and play the trumpet.",
                "User really loves jazz and plays the trumpet.",
            ),
            ("I love to cook and clean.", "User loves to cook and clean."),
            (
                "I go running because I like it.",
                "User goes running because they like it.",
            ),
            ("I think I'm good at chess.", "User thinks they are good at chess."),
            ("I'd never been abroad.", "User had never been abroad."),
            ("I'd love to visit Peru.", "User would love to visit Peru."),
            ("I'm gonna quit.", "User is going to quit."),
            (
                "I have a dog and live in a flat.",
                "User has a dog and lives in a flat.",
            ),
        ] {
            assert_eq!(said(None, None, text), want);
        }
    }

    #[test]
    fn a_named_speaker_is_named_once() {
        assert_eq!(
            said(Some("Priya"), Some("Tom"), "I took my sister to my favourite place."),
            "Priya took their sister to their favourite place."
        );
        assert_eq!(
            said(Some("Priya"), Some("Tom"), "My husband and I were married in Goa."),
            "Priya and their husband were married in Goa."
        );
        assert_eq!(
            said(Some("Priya"), Some("Tom"), "She told me that I was right."),
            "She told Priya that they were right."
        );
    }

    #[test]
    fn the_listener_is_named() {
        assert_eq!(
            said(Some("Priya"), Some("Tom"), "You'd be a great teacher."),
            "Tom would be a great teacher."
        );
        assert_eq!(
            said(Some("Priya"), Some("Tom"), "Your garden reminded me of home."),
            "Tom's garden reminded Priya of home."
        );
        assert_eq!(
            said(Some("Priya"), Some("Tom"), "You have a gift for this."),
            "Tom has a gift for this."
        );
    }

    #[test]
    fn a_missing_subject_is_put_back() {
        for (text, want) in [
            ("Mended my tent.", "Priya mended their tent."),
            ("Just got back from Rome.", "Priya just got back from Rome."),
            ("Waiting for a parcel.", "Priya is waiting for a parcel."),
            ("Gonna paint the shed.", "Priya is going to paint the shed."),
            ("Can't wait to see the sea.", "Priya can't wait to see the sea."),
            ("Still love my bike.", "Priya still loves their bike."),
            ("Love hiking in the hills.", "Priya loves hiking in the hills."),
        ] {
            assert_eq!(said(Some("Priya"), None, text), want);
        }
    }

    #[test]
    fn quoted_words_stay() {
        assert_eq!(
            said(None, None, "She said \"I love my job\" to me."),
            "She said \"I love my job\" to User."
        );
    }
}
