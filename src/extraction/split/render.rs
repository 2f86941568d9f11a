//! A clause's words into a sentence in the third person, and into the one that the speaker would have said.

use std::collections::{HashMap, HashSet};

use super::clauses::{Clause, Piece};
use super::people::Mentioned;
use super::sentence::ParsedSentence;
use super::words::{kin, meant};
use crate::extraction::verb;
use crate::parser::Upos;

/// Who speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Speaker<'n> {
    /// The name, or the word that stands for one.
    pub(crate) name: &'n str,
    /// Whom "you" means, where that is a person.
    pub(crate) listener: Option<&'n str>,
    /// Whom "we" means beside the speaker, in the form that follows "their".
    pub(crate) company: Option<&'n str>,
}

/// A clause as a sentence.
#[derive(Clone, Debug)]
pub(crate) struct Rendered {
    /// In the third person, without capital and stop.
    pub(crate) text: String,
    /// As the speaker would have said it alone.
    pub(crate) said: String,
    /// Whether it names the speaker.
    pub(crate) names_speaker: bool,
    /// Whether its subject is a pronoun of unknown meaning.
    pub(crate) is_loose: bool,
    /// Whether a pronoun of it was resolved.
    pub(crate) is_resolved: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Number {
    Singular,
    Plural,
}

struct Renderer<'s, 'a> {
    s: &'s ParsedSentence<'a>,
    clause: &'s Clause,
    speaker: Speaker<'s>,
    mentioned: &'s Mentioned,
    /// Words that agree with the speaker, by the subject's place; the place of an implied one is none.
    agreeing: HashMap<usize, Option<usize>>,
    numbers: HashMap<Option<usize>, Number>,
    names_speaker: bool,
    named: HashSet<String>,
    is_loose: bool,
    out: String,
    last: Option<usize>,
}

/// Renders a clause.
pub(crate) fn render(s: &ParsedSentence<'_>, clause: &Clause, speaker: Speaker<'_>, mentioned: &Mentioned) -> Rendered {
    let said = said(s, clause);
    let mut renderer = Renderer {
        s,
        clause,
        speaker,
        mentioned,
        agreeing: HashMap::new(),
        numbers: HashMap::new(),
        names_speaker: false,
        named: HashSet::new(),
        is_loose: false,
        out: String::new(),
        last: None,
    };
    renderer.find_agreement();
    let mut skip = false;
    for at in 0..clause.pieces.len() {
        if !std::mem::take(&mut skip) {
            skip = renderer.piece(at);
        }
    }
    Rendered {
        text: tidy(&renderer.out),
        said,
        names_speaker: renderer.names_speaker,
        is_loose: renderer.is_loose,
        is_resolved: !renderer.named.is_empty(),
    }
}

/// What the speaker would have said.
fn said(s: &ParsedSentence<'_>, clause: &Clause) -> String {
    let mut out = String::new();
    let mut last: Option<usize> = None;
    let speaks = clause.pieces.contains(&Piece::Speaker);
    for piece in &clause.pieces {
        let (form, is_joined): (&str, bool) = match piece {
            Piece::Speaker => ("I", false),
            Piece::Speakers => ("my", false),
            Piece::Text(text) => match text.as_str() {
                "has" if speaks => ("have", false),
                "is" if speaks => ("am", false),
                text => (text, false),
            },
            Piece::Word(at) => {
                let joined =
                    last.is_some_and(|last| last + 1 == *at && s.word(last).range.end == s.word(*at).range.start);
                (s.form(*at), joined)
            }
        };
        if !out.is_empty() && !is_joined {
            out.push(' ');
        }
        out.push_str(form);
        last = match piece {
            Piece::Word(at) => Some(*at),
            _ => None,
        };
    }
    out
}

impl Renderer<'_, '_> {
    fn find_agreement(&mut self) {
        let s = self.s;
        let words: Vec<usize> = self
            .clause
            .pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Word(at) => Some(*at),
                _ => None,
            })
            .collect();
        for at in words.iter().copied() {
            let Some(subject) = s.subject(at).filter(|subject| words.contains(subject)) else {
                continue;
            };
            let joint = s
                .kids(subject, &["conj"])
                .find(|kid| s.is_speaker(*kid) && words.contains(kid));
            let Some(subject) = joint.or(s.is_speaker(subject).then_some(subject)) else {
                continue;
            };
            if joint.is_some() {
                self.numbers.insert(Some(subject), Number::Plural);
            }
            if let Some(verb) = s.finite(at) {
                self.agreeing.insert(verb, Some(subject));
            }
            for kid in s.kids(at, &["conj"]).filter(|kid| words.contains(kid)) {
                if s.subject(kid).is_none()
                    && s.is_finite(kid)
                    && let Some(verb) = s.finite(kid)
                {
                    self.agreeing.insert(verb, Some(subject));
                }
            }
        }
        if let Some(verb) = self.clause.agrees {
            let subject = words.iter().copied().find(|word| s.is_speaker(*word));
            self.agreeing.insert(verb, subject);
        }
    }

    /// Writes a piece; true where it took the next one with it.
    fn piece(&mut self, nth: usize) -> bool {
        match &self.clause.pieces[nth] {
            Piece::Speaker => {
                let name = self.name_speaker("", "they");
                self.numbers.insert(None, Number::Singular);
                self.write(&name, None);
                false
            }
            Piece::Speakers => {
                let text = self.name_speaker("'s", "their");
                self.write(&text, None);
                false
            }
            Piece::Text(text) => {
                let is_plural = self.numbers.values().any(|number| *number == Number::Plural);
                let text = match text.as_str() {
                    "have" if !is_plural => "has".to_owned(),
                    "is" if is_plural => "are".to_owned(),
                    text => text.to_owned(),
                };
                self.write(&text, None);
                false
            }
            Piece::Word(at) => self.word(*at, nth),
        }
    }

    fn name_speaker(&mut self, suffix: &str, again: &str) -> String {
        if std::mem::replace(&mut self.names_speaker, true) {
            return again.to_owned();
        }
        format!("{}{suffix}", self.speaker.name)
    }

    fn word(&mut self, at: usize, nth: usize) -> bool {
        let s = self.s;
        let lower = s.lower(at);
        let next = self.clause.pieces.get(nth + 1).and_then(|piece| match piece {
            Piece::Word(at) => Some(*at),
            _ => None,
        });
        // "gon na", "wan na", "got ta"
        if let Some(next) = next
            && let Some(whole) = match (lower, s.lower(next)) {
                ("gon", "na") => Some("going to"),
                ("wan", "na") if self.agreeing.contains_key(&at) => Some("wants to"),
                ("wan", "na") => Some("want to"),
                ("got", "ta") if self.agreeing.contains_key(&at) => Some("has to"),
                ("got", "ta") => Some("have to"),
                _ => None,
            }
        {
            self.write(whole, None);
            self.last = Some(next);
            return true;
        }
        if s.is_speaker(at) {
            let is_subject =
                s.is_relation(at, &["nsubj"]) || s.is_relation(at, &["conj"]) && self.numbers.contains_key(&Some(at));
            let was_named = self.names_speaker;
            let mut text = match lower {
                "myself" | "ourselves" => "themselves".to_owned(),
                _ if is_subject => self.name_speaker("", "they"),
                _ => self.name_speaker("", "them"),
            };
            if lower == "we"
                && is_subject
                && !was_named
                && let Some(company) = self.speaker.company
            {
                text = format!("{text} and their {company}");
                self.numbers.insert(Some(at), Number::Plural);
            }
            if is_subject {
                let number = if was_named { Number::Plural } else { Number::Singular };
                self.numbers.entry(Some(at)).or_insert(number);
            }
            self.write(&text, Some(at));
            return false;
        }
        if s.is_speakers(at) {
            self.is_loose |= matches!(lower, "mine" | "ours") && s.is_relation(at, &["nsubj"]);
            let again = if matches!(lower, "mine" | "ours") {
                "theirs"
            } else {
                "their"
            };
            let text = self.name_speaker("'s", again);
            self.write(&text, Some(at));
            return false;
        }
        if let Some(subject) = self.agreeing.get(&at).copied() {
            let number = self.numbers.get(&subject).copied().unwrap_or(Number::Singular);
            let text = self.conjugated(at, number);
            self.write(&text, Some(at));
            return false;
        }
        if is_own_kin(s, at) {
            let owner = self.name_speaker("'s", "their");
            self.write(&owner, None);
            let text = self.plain(at).to_lowercase();
            self.write(&text, None);
            self.last = Some(at);
            return false;
        }
        let is_mentioned = self.clause.pieces.first() != Some(&Piece::Speakers);
        if is_mentioned && let Some(text) = self.somebody(at) {
            self.write(&text, Some(at));
            return false;
        }
        if matches!(lower, "you" | "u")
            && let Some(listener) = self.speaker.listener
        {
            let listener = listener.to_owned();
            self.write(&listener, Some(at));
            return false;
        }
        if lower == "there"
            && s.is_relation(at, &["advmod"])
            && let Some(place) = self.mentioned.there()
        {
            let place = place.to_owned();
            self.write(&place, Some(at));
            return false;
        }
        let text = self.plain(at);
        self.write(&text, Some(at));
        false
    }

    /// The word as it stands, written out.
    fn plain(&self, at: usize) -> String {
        let s = self.s;
        let lower = s.lower(at);
        match lower {
            "n't" | "nt" => return "n't".to_owned(),
            "'m" | "m" if s.upos(at) == Upos::Aux => return "am".to_owned(),
            "'re" | "re" if s.upos(at) == Upos::Aux => return "are".to_owned(),
            "'ve" | "ve" if s.upos(at) == Upos::Aux => return "have".to_owned(),
            "'ll" | "ll" if s.upos(at) == Upos::Aux => return "will".to_owned(),
            "'d" | "d" if s.upos(at) == Upos::Aux => return self.would_or_had(at).to_owned(),
            "'s" | "s" if s.upos(at) == Upos::Aux => {
                let head = s.word(at).head.unwrap_or(at);
                let is_perfect =
                    s.is_relation(at, &["aux"]) && !s.lower(head).ends_with("ing") && !s.is_relation(at, &["aux:pass"]);
                return if is_perfect { "has" } else { "is" }.to_owned();
            }
            _ => {}
        }
        let is_small = s.form(at).chars().all(|c| !c.is_uppercase());
        if is_small
            && s.upos(at) != Upos::Propn
            && let Some(meant) = meant(lower)
        {
            return meant.to_owned();
        }
        let form = s.form(at);
        let is_place = !s.text.contains(char::is_uppercase)
            && s.kids(at, &["case"])
                .any(|case| matches!(s.lower(case), "in" | "at" | "from" | "to" | "near" | "around"))
            && s.kid(at, &["det", "amod", "nmod:poss"]).is_none();
        let is_name = s.is_relation(at, &["flat", "appos"]) || is_place;
        if s.upos(at) == Upos::Propn && is_name && form.chars().all(char::is_lowercase) && form.chars().count() > 1 {
            return crate::extraction::word::capitalised(form);
        }
        let is_first = !(0..at).any(|word| s.is_spoken(word));
        let rest_is_small = form.chars().skip(1).all(|c| c.is_lowercase() || !c.is_alphabetic());
        if is_first && s.upos(at) != Upos::Propn && rest_is_small && !self.out.is_empty() && form != "I" {
            return form.to_lowercase();
        }
        form.to_owned()
    }

    fn is_told_in_past(&self) -> bool {
        let s = self.s;
        (0..s.len()).any(|at| matches!(s.lower(at), "ago" | "yesterday" | "last"))
    }

    fn would_or_had(&self, at: usize) -> &'static str {
        let s = self.s;
        let head = s.word(at).head.unwrap_or(at);
        let had = s.has(head, "VerbForm", "Part") && !verb::is_base(s.lower(head)) || s.lower(head) == "better";
        if had { "had" } else { "would" }
    }

    /// Whom a pronoun means, where this sentence has not named them yet.
    fn somebody(&mut self, at: usize) -> Option<String> {
        let s = self.s;
        let lower = s.lower(at);
        let is_possessive = matches!(lower, "his" | "her" | "its" | "their") && s.is_relation(at, &["nmod:poss"]);
        if !matches!(
            lower,
            "he" | "him" | "she" | "her" | "they" | "them" | "it" | "his" | "its" | "their"
        ) {
            return None;
        }
        let is_subject = s.is_relation(at, &["nsubj"]);
        if lower == "it" && !is_subject {
            return None;
        }
        let Some(meant) = self.mentioned.resolve(lower, at) else {
            self.is_loose |= is_subject && self.out.trim().is_empty() && !s.is_relation(at, &["expl"]);
            return None;
        };
        if s.is_relation(at, &["expl"]) {
            return None;
        }
        // Named in the words before: the pronoun is plain.
        if !self.named.insert(meant.to_owned()) || self.out.contains(meant) || self.was_said_before(at, meant) {
            return None;
        }
        let mut text = meant.to_owned();
        if let Some(rest) = meant.strip_prefix(&format!("{}'s ", self.speaker.name)) {
            text = format!("{} {rest}", self.name_speaker("'s", "their"));
        }
        Some(if is_possessive { format!("{text}'s") } else { text })
    }

    /// Whether the mention stands in this clause, before the pronoun.
    fn was_said_before(&self, at: usize, meant: &str) -> bool {
        let last = meant.rsplit(' ').next().unwrap_or(meant);
        self.clause
            .pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Word(word) if *word < at && self.s.lower(*word) == last.to_lowercase()))
    }

    fn conjugated(&self, at: usize, number: Number) -> String {
        let s = self.s;
        let lower = s.lower(at);
        let is_plural = number == Number::Plural;
        let pick = |singular: &str, plural: &str| if is_plural { plural } else { singular }.to_owned();
        match lower {
            "am" | "'m" | "m" | "are" | "'re" | "re" | "is" | "'s" | "s"
                if s.upos(at) == Upos::Aux || s.lemma(at) == "be" =>
            {
                pick("is", "are")
            }
            "was" | "were" => pick("was", "were"),
            "have" | "'ve" | "ve" | "has" => pick("has", "have"),
            "do" | "does" => pick("does", "do"),
            "'ll" | "ll" => "will".to_owned(),
            "'d" | "d" => self.would_or_had(at).to_owned(),
            "ca" | "wo" | "can" | "could" | "will" | "would" | "shall" | "should" | "may" | "might" | "must"
            | "did" | "had" | "ought" | "used" => lower.to_owned(),
            "ai" => pick("is", "are"),
            _ if (s.has(at, "Tense", "Past") || s.has(at, "VerbForm", "Part"))
                && (lower != s.lemma(at) || verb::is_past(lower)) =>
            {
                self.plain(at)
            }
            _ if verb::is_past(lower) && !verb::is_base(lower) => self.plain(at),
            // "I quit two years ago": where past and present look alike, only habits are present.
            _ if verb::is_unchanging(lower)
                && (!matches!(lower, "read" | "put" | "let" | "fit" | "spread") || self.is_told_in_past()) =>
            {
                self.plain(at)
            }
            // "knows" agrees already.
            _ if lower != s.lemma(at) && lower.ends_with('s') => self.plain(at),
            _ if is_plural => self.plain(at),
            _ if lower.ends_with("ing") && !verb::is_base(lower) => self.plain(at),
            _ if s.upos(at) != Upos::Verb && s.upos(at) != Upos::Aux => self.plain(at),
            _ => verb::third_person(lower),
        }
    }

    fn write(&mut self, text: &str, at: Option<usize>) {
        let s = self.s;
        let is_joined = match (self.last, at) {
            (Some(last), Some(at)) => last + 1 == at && s.word(last).range.end == s.word(at).range.start,
            _ => false,
        };
        let both_spoken =
            self.out.ends_with(|c: char| c.is_alphanumeric()) && text.starts_with(|c: char| c.is_alphanumeric());
        let attaches = text == "n't" || matches!(text, "," | "." | ";" | ":" | "!" | "?" | ")" | "%" | "'s" | "'");
        // Parts of one written word stay together: "two-person", "1,500".
        let is_one_word = is_joined && at.is_some_and(|at| text == s.form(at));
        let ends_in_digit = self.out.ends_with(|c: char| c.is_ascii_digit());
        let space = !self.out.is_empty()
            && !attaches
            && (!is_joined || both_spoken)
            && (!is_one_word || !both_spoken || !ends_in_digit)
            && !self.out.ends_with(['(', '$', '€', '£', '#']);
        if space {
            self.out.push(' ');
        }
        self.out.push_str(text);
        self.last = at;
    }
}

/// "mum thinks so", "I live with dad": the speaker's own, without "my".
fn is_own_kin(s: &ParsedSentence<'_>, at: usize) -> bool {
    kin(s.lower(at)).is_some_and(|kin| !kin.is_told || s.lower(at) != "baby")
        && s.is_relation(at, &["nsubj", "obj", "iobj", "obl"])
        && s.kid(at, &["det", "nmod:poss", "amod", "nummod", "compound", "flat", "nmod"])
            .is_none()
        && !s.has(at, "Number", "Plur")
        && is_parent_or_named_by_role(s.lower(at))
}

fn is_parent_or_named_by_role(lower: &str) -> bool {
    kin(lower).is_some_and(|kin| !kin.is_told)
        && !matches!(
            lower,
            "friend"
                | "friends"
                | "teacher"
                | "coach"
                | "doctor"
                | "parent"
                | "mate"
                | "manager"
                | "assistant"
                | "trainer"
                | "tutor"
                | "dentist"
                | "therapist"
                | "landlord"
        )
}

/// Without doubled blanks and brackets that nothing closes.
fn tidy(text: &str) -> String {
    let mut out = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace(" ,", ",")
        .replace(",,", ",");
    if out.matches('(').count() > out.matches(')').count() {
        out.push(')');
    }
    if out.matches('"').count() == 1 {
        out = out.replace('"', "");
    }
    out.trim_matches([' ', ',', ';', ':', '-', '–', '—']).to_owned()
}
