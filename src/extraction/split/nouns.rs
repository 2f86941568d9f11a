//! What noun phrases tell by the way: "my wife Hana", "my son", "Leo (6)", "as a nurse".

use super::clauses::{Clause, Fate, Piece};
use super::people::{name_after, named_before};
use super::sentence::ParsedSentence;
use super::words::{Gender, is_role, kin};
use crate::parser::Upos;

/// How far a word for kin stands behind "my".
const FARTHEST: usize = 6;

/// Adds the facts of a sentence's noun phrases.
pub(super) fn facts(s: &ParsedSentence<'_>, out: &mut Vec<Clause>) {
    for at in 0..s.len() {
        if s.is_speakers(at) {
            own(s, at, out);
        }
        if s.lower(at) == "as" {
            role(s, at, out);
        }
        age_in_brackets(s, at, out);
    }
    home(s, out);
}

fn told(head: usize, own: Vec<usize>, pieces: Vec<Piece>, out: &mut Vec<Clause>) {
    out.push(Clause {
        pieces,
        head,
        own,
        agrees: None,
        fate: Fate::Tells,
        is_finished: true,
    });
}

fn text(words: &str) -> Piece {
    Piece::Text(words.to_owned())
}

/// "my brother Tom" → "User's brother is named Tom"; "my wife" → "User has a wife".
fn own(s: &ParsedSentence<'_>, my: usize, out: &mut Vec<Clause>) {
    let between = |at: &usize| {
        matches!(
            s.upos(*at),
            Upos::Adj | Upos::Num | Upos::Noun | Upos::Punct | Upos::Sym
        ) && kin(s.lower(*at)).is_none()
    };
    let noun = (my + 1..s.len().min(my + FARTHEST)).find(|at| !between(at));
    let Some((noun, known)) = noun.and_then(|noun| Some((noun, kin(s.lower(noun))?))) else {
        return;
    };
    let words: Vec<usize> = (my + 1..=noun).collect();
    if words.iter().any(|word| matches!(s.form(*word), "," | "." | ";" | ":")) {
        return;
    }
    let mut names = name_after(s, noun);
    if names.is_empty()
        && let Some(name) = named_before(s, noun)
    {
        names.push(name);
    }
    let is_plural = known.gender == Gender::Several;
    let possessive = |at: usize| matches!(s.lower(at), "'s" | "'");
    if is_plural && let Some(last) = names.last().copied() {
        // "my kids Ann, Ben and Cy"
        let mut next = last + 1;
        while next + 1 < s.len() && (s.form(next) == "," || s.lower(next) == "and") {
            let name = if s.form(next) == "," && s.lower(next + 1) == "and" {
                next + 2
            } else {
                next + 1
            };
            if name >= s.len() || s.upos(name) != Upos::Propn || names.len() > 8 {
                break;
            }
            names.push(name);
            next = name + 1;
        }
    }
    let first_after = names.iter().copied().max().unwrap_or(noun).max(noun) + 1;
    if !names.is_empty() {
        let mut pieces = vec![Piece::Word(my)];
        pieces.extend(words.iter().copied().map(Piece::Word));
        pieces.push(text(if is_plural { "are named" } else { "is named" }));
        for (nth, name) in names.iter().enumerate() {
            if is_plural && nth > 0 {
                pieces.push(text(if nth + 1 == names.len() { "and" } else { "," }));
            }
            pieces.push(Piece::Word(*name));
        }
        let own = (my..first_after).collect();
        told(noun, own, pieces, out);
        return;
    }
    // "My husband is Jan" says it.
    let is_named = s.word(noun).head.is_some_and(|head| {
        s.subject(head) == Some(noun)
            && (s.upos(head) == Upos::Propn && s.kid(head, &["cop"]).is_some()
                || matches!(s.lower(head), "called" | "named"))
    });
    if is_named {
        return;
    }
    if !known.is_told || noun + 1 < s.len() && possessive(noun + 1) && s.lower(noun) == "ex" {
        return;
    }
    let mut pieces = vec![Piece::Speaker, text("has")];
    let has_number = words.iter().any(|word| {
        s.upos(*word) == Upos::Num && s.is_relation(*word, &["nummod"]) && s.word(*word).head == Some(noun)
    });
    if !is_plural {
        let vowel = s.lower(words[0]).starts_with(['a', 'e', 'i', 'o', 'u', '8']) || s.lower(words[0]) == "11";
        pieces.push(text(if vowel { "an" } else { "a" }));
    } else if !has_number {
        // How many there are is not said.
    }
    pieces.extend(words.iter().copied().map(Piece::Word));
    told(noun, (my..=noun).collect(), pieces, out);
}

/// "As a vegetarian, what should I cook?" → "User is a vegetarian"
fn role(s: &ParsedSentence<'_>, at: usize, out: &mut Vec<Clause>) {
    let Some(noun) = s.word(at).head.filter(|noun| *noun > at && s.upos(*noun) == Upos::Noun) else {
        return;
    };
    let is_indefinite = s.kids(noun, &["det"]).any(|det| matches!(s.lower(det), "a" | "an"));
    let phrase = s.noun_phrase(noun);
    let end = s.subtree(noun).last().copied().unwrap_or(noun);
    let stands_apart =
        (at == 0 || !s.is_spoken(at - 1)) && (s.form(end) == "," || s.form((end + 1).min(s.len() - 1)) == ",");
    let speaks = (0..s.len()).any(|word| s.is_speaker(word));
    if !is_indefinite || !stands_apart || !speaks || phrase.first().is_none_or(|first| *first < at) {
        return;
    }
    let mut pieces = vec![Piece::Speaker, text("is")];
    pieces.extend(phrase.iter().copied().filter(|word| *word != at).map(Piece::Word));
    told(noun, phrase, pieces, out);
}

/// "I'm a nurse in Ulm", "welder in Gent" → "User lives in Ulm"
fn home(s: &ParsedSentence<'_>, out: &mut Vec<Clause>) {
    let Some(root) = s
        .tree
        .root()
        .filter(|root| s.upos(*root) == Upos::Noun && is_role(s.lower(*root)))
    else {
        return;
    };
    let is_of_speaker = match s.subject(root) {
        Some(subject) => {
            s.is_speaker(subject)
                && s.kids(root, &["cop"])
                    .any(|cop| matches!(s.lower(cop), "am" | "'m" | "m"))
        }
        None => s.kid(root, &["det", "nmod:poss", "case", "cop"]).is_none(),
    };
    if !is_of_speaker || s.text.trim_end().ends_with('?') {
        return;
    }
    let place = s.kids(root, &["nmod", "obl"]).find(|kid| {
        s.upos(*kid) == Upos::Propn
            && *kid > root
            && s.kids(*kid, &["case"]).any(|case| s.lower(case) == "in")
            && s.kid(*kid, &["det", "nmod:poss"]).is_none()
    });
    if let Some(place) = place {
        let words: Vec<usize> = s
            .noun_phrase(place)
            .into_iter()
            .filter(|at| s.is_spoken(*at) && s.upos(*at) != Upos::Adp)
            .collect();
        let mut pieces = vec![Piece::Speaker, text("lives in")];
        pieces.extend(words.iter().copied().map(Piece::Word));
        told(place, words, pieces, out);
    }
}

/// "Leo (6)" → "Leo is 6 years old"
fn age_in_brackets(s: &ParsedSentence<'_>, at: usize, out: &mut Vec<Clause>) {
    if s.form(at) != "(" || at == 0 || at + 2 >= s.len() || s.form(at + 2) != ")" {
        return;
    }
    let (name, number) = (at - 1, at + 1);
    let is_age = s.form(number).parse::<u8>().is_ok_and(|age| (1..110).contains(&age));
    if is_age
        && s.form(name).chars().next().is_some_and(char::is_uppercase)
        && matches!(s.upos(name), Upos::Propn | Upos::Noun)
    {
        let pieces = vec![Piece::Word(name), text("is"), Piece::Word(number), text("years old")];
        told(name, vec![name, at, number, at + 2], pieces, out);
    }
}
