//! Who and what was mentioned: what "he", "she", "they" and "it" mean.

use super::sentence::ParsedSentence;
use super::words::{Gender, kin};
use crate::parser::Upos;

/// Mentions that are remembered.
const MOST: usize = 32;
/// A thing is "it" only for so many sentences.
const THING_LASTS: usize = 2;
/// A person is "she" for so many sentences.
const PERSON_LASTS: usize = 8;

#[derive(Clone, Debug)]
struct Mention {
    text: String,
    gender: Option<Gender>,
    sentence: usize,
    at: usize,
}

/// What a speaker has mentioned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mentioned {
    mentions: Vec<Mention>,
    sentence: usize,
    /// The last place, and in which sentence.
    place: Option<(String, usize)>,
}

impl Mentioned {
    /// Notes the people and things of the next sentence. `speaker` is how the speaker is called.
    pub(crate) fn note(&mut self, s: &ParsedSentence<'_>, speaker: &str) {
        self.sentence += 1;
        for at in 0..s.len() {
            if let Some(place) = place(s, at) {
                self.place = Some((place, self.sentence));
            }
            let found = person(s, at, speaker)
                .or_else(|| organisation(s, at))
                .or_else(|| thing(s, at, speaker));
            let Some((text, gender)) = found else {
                continue;
            };
            // A name that was just given with its owner's place: "my brother Tom".
            let is_same = |known: &Mention| {
                known.sentence == self.sentence && (known.text == text || known.text.ends_with(&format!(" {text}")))
            };
            if self.mentions.last().is_some_and(is_same) {
                continue;
            }
            self.mentions.push(Mention {
                text,
                gender,
                sentence: self.sentence,
                at,
            });
        }
        let surplus = self.mentions.len().saturating_sub(MOST);
        self.mentions.drain(..surplus);
    }

    /// Where "there" is, in the sentence noted last.
    pub(super) fn there(&self) -> Option<&str> {
        let (place, sentence) = self.place.as_ref()?;
        (*sentence < self.sentence && self.sentence - sentence <= PERSON_LASTS).then_some(place.as_str())
    }

    /// Whom a pronoun of the sentence noted last means.
    pub(super) fn resolve(&self, pronoun: &str, at: usize) -> Option<&str> {
        let fits = |gender: Option<Gender>| match pronoun {
            "he" | "him" | "his" => matches!(gender, Some(Gender::Male | Gender::Either)),
            "she" | "her" | "hers" => matches!(gender, Some(Gender::Female | Gender::Either)),
            "they" | "them" | "their" | "theirs" => gender == Some(Gender::Several),
            "it" | "its" => gender.is_none(),
            _ => false,
        };
        let known = self.mentions.iter().rev().filter(|mention| fits(mention.gender));
        let mut near = known.filter(|mention| {
            let lasts = if mention.gender.is_none() {
                THING_LASTS
            } else {
                PERSON_LASTS
            };
            mention.sentence == self.sentence && mention.at < at
                || mention.sentence < self.sentence && self.sentence - mention.sentence <= lasts
        });
        near.next().map(|mention| mention.text.as_str())
    }
}

/// "my brother Tom" → "User's brother Tom"; "Alice".
fn person(s: &ParsedSentence<'_>, at: usize, speaker: &str) -> Option<(String, Option<Gender>)> {
    let known = kin(s.lower(at));
    if let Some(known) = known
        && (s.is_of_speaker(at)
            || s.word(at)
                .head
                .is_some_and(|head| s.is_of_speaker(head) && s.is_relation(at, &["compound"])))
    {
        if let Some(name) = named_before(s, at) {
            return Some((s.form(name).to_owned(), Some(known.gender)));
        }
        let name: Vec<&str> = name_after(s, at).into_iter().map(|word| s.form(word)).collect();
        let mut text = format!("{speaker}'s {}", s.lower(at));
        if !name.is_empty() {
            text = format!("{text} {}", name.join(" "));
        }
        return Some((text, Some(known.gender)));
    }
    let is_new = s
        .kids(at, &["det", "nummod"])
        .any(|det| matches!(s.lower(det), "a" | "an" | "one"));
    if let Some(known) = known.filter(|known| known.is_told && is_new) {
        return Some((format!("{speaker}'s {}", s.lower(at)), Some(known.gender)));
    }
    let is_name = s.upos(at) == Upos::Propn
        && s.form(at).chars().next().is_some_and(char::is_uppercase)
        && s.is_relation(at, &["nsubj"])
        && s.kid(at, &["case", "det"]).is_none();
    is_name.then(|| (s.form(at).to_owned(), Some(Gender::Either)))
}

/// "to Valencia"
fn place(s: &ParsedSentence<'_>, at: usize) -> Option<String> {
    let is_place = s.upos(at) == Upos::Propn
        && s.form(at).chars().next().is_some_and(char::is_uppercase)
        && s.kids(at, &["case"])
            .any(|case| matches!(s.lower(case), "in" | "to" | "from"))
        && s.kid(at, &["det"]).is_none()
        && crate::extraction::calendar::month_by_name(s.lower(at)).is_none();
    is_place.then(|| {
        let words: Vec<&str> = s
            .noun_phrase(at)
            .into_iter()
            .filter(|word| s.upos(*word) != Upos::Adp)
            .map(|word| s.form(word))
            .collect();
        format!("in {}", words.join(" "))
    })
}

/// "at Google": who "they" may be.
fn organisation(s: &ParsedSentence<'_>, at: usize) -> Option<(String, Option<Gender>)> {
    let is_one = s.upos(at) == Upos::Propn
        && s.form(at).chars().next().is_some_and(char::is_uppercase)
        && s.kids(at, &["case"]).any(|case| matches!(s.lower(case), "at" | "for"))
        && s.kid(at, &["det"]).is_none();
    is_one.then(|| (s.form(at).to_owned(), Some(Gender::Several)))
}

/// "Yevgenia, my oldest friend".
pub(super) fn named_before(s: &ParsedSentence<'_>, kin: usize) -> Option<usize> {
    let head = s.word(kin).head?;
    let is_name =
        head < kin && s.upos(head) == Upos::Propn && s.form(head).chars().next().is_some_and(char::is_uppercase);
    (is_name && s.is_relation(kin, &["appos"])).then_some(head)
}

/// The name behind a word for kin.
pub(super) fn name_after(s: &ParsedSentence<'_>, kin: usize) -> Vec<usize> {
    let mut next = kin + 1;
    if matches!(s.lower(next.min(s.len() - 1)), "," | "(") && next < s.len() {
        next += 1;
    }
    let is_joined = next == kin + 1;
    let mut names = Vec::new();
    while next < s.len()
        && names.len() < 3
        && s.upos(next) == Upos::Propn
        && (s.form(next).chars().next().is_some_and(char::is_uppercase)
            || is_joined && s.is_relation(next, &["appos", "flat"]))
    {
        names.push(next);
        next += 1;
    }
    names
}

/// "a bike" → "the bike", "my car" → "User's car".
fn thing(s: &ParsedSentence<'_>, at: usize, speaker: &str) -> Option<(String, Option<Gender>)> {
    if s.upos(at) != Upos::Noun
        || !s.is_relation(at, &["obj", "root", "nsubj", "conj"])
        || s.has(at, "Number", "Plur")
        || kin(s.lower(at)).is_some()
    {
        return None;
    }
    let is_new = s
        .kids(at, &["det"])
        .any(|det| matches!(s.lower(det), "a" | "an" | "the" | "this"));
    let is_own = s.is_of_speaker(at);
    if !is_new && !is_own {
        return None;
    }
    let words: Vec<&str> = s
        .kids(at, &["amod", "compound"])
        .filter(|word| *word < at)
        .chain([at])
        .map(|word| s.form(word))
        .collect();
    let owner = if is_own {
        format!("{speaker}'s")
    } else {
        "the".to_owned()
    };
    Some((format!("{owner} {}", words.join(" ")), None))
}
