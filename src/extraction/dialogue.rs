//! Facts that two turns make together: a question with its short answer, and what the user confirms.
//!
//! "Do you eat meat?" – "No." says that they don't eat meat. The statement comes out in the first person of the
//! one who answers; `person.rs` turns it into the third.

use super::elision;
use super::lexicon::follows_verb;
use super::non_fact::carries_topic;
use super::verb;
use super::word::{Word, words};

/// What an answer says to a yes-or-no question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Polarity {
    /// Yes.
    Yes,
    /// No.
    No,
    /// Neither: it answers what was asked for.
    Open,
}

/// Reads an answer's first words. Returns what it says and how many words that took.
pub(super) fn polarity(words: &[Word<'_>]) -> (Polarity, usize) {
    let (says, mut taken) = polarity_of_start(words);
    // "Yes, exactly."
    while says == Polarity::Yes && taken < words.len() && polarity_of_start(&words[taken..]) == (Polarity::Yes, 1) {
        taken += 1;
    }
    (says, taken)
}

/// The words behind "it sounds like", "so it seems that".
pub(super) fn without_hedge<'w, 'a>(words: &'w [Word<'a>]) -> &'w [Word<'a>] {
    let verb_at = words
        .iter()
        .take(4)
        .position(|w| w.is_one_of(&["sounds", "seems", "looks", "see", "understand", "gather"]));
    match verb_at {
        Some(at) if words.get(at + 1).is_some_and(|w| w.is_one_of(&["like", "that", "as"])) => &words[at + 2..],
        Some(at)
            if words
                .get(at + 1)
                .is_some_and(|w| w.is_one_of(&["you", "you're", "you've", "your"])) =>
        {
            &words[at + 1..]
        }
        _ => words,
    }
}

fn polarity_of_start(words: &[Word<'_>]) -> (Polarity, usize) {
    let first = words.first().map_or("", |w| w.lower.as_str());
    match first {
        "yes" | "yeah" | "yep" | "yup" | "correct" | "exactly" | "yea" | "indeed" | "right" | "absolutely"
        | "definitely" | "sure" | "true" => (Polarity::Yes, 1),
        "no" | "nope" | "nah" => (Polarity::No, 1),
        "that's" if words.get(1).is_some_and(|w| w.is_one_of(&["right", "correct", "true"])) => (Polarity::Yes, 2),
        "i" if words.len() == 2 && words[1].is_one_of(&["do", "am", "have", "did", "can", "will", "would", "was"]) => {
            (Polarity::Yes, 2)
        }
        "not" if words.get(1).is_some_and(|w| w.is_one_of(&["really", "yet", "anymore"])) => (Polarity::No, 2),
        _ => (Polarity::Open, 0),
    }
}

/// Whether an answer neither affirms nor denies.
pub(super) fn is_open(words: &[Word<'_>]) -> bool {
    polarity(words).0 == Polarity::Open
}

/// Whether the words can't stand alone: no subject, no finite verb, few of them.
pub(super) fn is_fragment(words: &[Word<'_>]) -> bool {
    if words.len() > 8 || words.is_empty() {
        return words.is_empty();
    }
    let finite = words.iter().any(|w| {
        w.is_one_of(&[
            "i", "i'm", "i've", "i'd", "i'll", "we", "we're", "it's", "that's", "it", "is", "are", "was", "were", "am",
            "he", "she", "they", "there's", "you", "you're", "let's", "my", "can", "can't", "will", "sounds", "looks",
            "has", "have",
        ]) || w.lower.ends_with("n't")
    });
    !finite && elision::find(words).is_none() && !words.iter().any(|w| verb::is_past(&w.lower) && !w.pauses())
}

/// The statement that question and answer make together, in the first person of the one who answers.
pub(super) fn statement(question: &[Word<'_>], answer: &[Word<'_>]) -> Option<String> {
    let (says, taken) = polarity(answer);
    let rest = &answer[taken..];
    let asked: Vec<String> = question.iter().map(from_asker).collect();
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    match says {
        Polarity::Yes | Polarity::No => {
            // "You live in Rome?" – "No, in Milan."
            if !rest.is_empty() && says == Polarity::No && is_fragment(rest) {
                let yes = yes_or_no(&asked, true)?;
                return super::correction::replaced(&super::word::words(&yes), rest);
            }
            if !rest.is_empty() && (says == Polarity::No || !is_fragment(rest)) {
                return None;
            }
            let mut asked = asked;
            if says == Polarity::Yes
                && let Some(any) = asked.iter().position(|w| w.eq_ignore_ascii_case("any"))
            {
                if !rest.is_empty() {
                    return open(&asked, rest);
                }
                asked[any] = "some";
            }
            let said = yes_or_no(&asked, says == Polarity::Yes)?;
            Some(if rest.is_empty() { said } else { append(&said, rest) })
        }
        Polarity::Open => open(&asked, answer),
    }
}

/// The asker's "you" is the answerer's "I".
fn from_asker(word: &Word<'_>) -> String {
    match word.lower.as_str() {
        "you" => "I".to_owned(),
        "your" => "my".to_owned(),
        "yours" => "mine".to_owned(),
        "yourself" => "myself".to_owned(),
        "you're" => "I'm".to_owned(),
        "you've" => "I've".to_owned(),
        "you'll" => "I'll".to_owned(),
        "you'd" => "I'd".to_owned(),
        _ => word.core.to_owned(),
    }
}

fn yes_or_no(asked: &[&str], yes: bool) -> Option<String> {
    let tail = |from: usize| asked[from..].join(" ");
    let first = asked.first()?.to_ascii_lowercase();
    let second = asked.get(1).copied().unwrap_or("");
    if second == "I" && asked.len() > 2 {
        return Some(match (first.as_str(), yes) {
            ("do" | "don't", true) => format!("I {}", tail(2)),
            ("do" | "don't", false) => format!("I don't {}", tail(2)),
            ("did" | "didn't", true) => format!("I {} {}", verb::past(&asked[2].to_lowercase()), tail(3)),
            ("did" | "didn't", false) => format!("I didn't {}", tail(2)),
            ("are" | "aren't", true) => format!("I am {}", tail(2)),
            ("are" | "aren't", false) => format!("I am not {}", tail(2)),
            ("were", true) => format!("I was {}", tail(2)),
            ("were", false) => format!("I was not {}", tail(2)),
            ("have" | "haven't", true) => format!("I have {}", without_ever(asked, 2)),
            ("have" | "haven't", false) => format!("I have not {}", without_ever(asked, 2)),
            ("can" | "will" | "would" | "could" | "should", true) => format!("I {first} {}", tail(2)),
            ("can" | "will" | "would" | "could" | "should", false) => format!("I {first} not {}", tail(2)),
            _ => return None,
        });
    }
    // "Is your sister a nurse": the noun after "your" is the subject.
    if second == "my" && asked.len() > 3 {
        let verb = match first.as_str() {
            "is" | "are" | "was" | "were" | "has" | "have" => first.clone(),
            "does" | "do" if yes => return Some(format!("my {} {}", asked[2], conjugated_tail(&first, asked))),
            "does" | "do" => return Some(format!("my {} {first} not {}", asked[2], tail(3))),
            _ => return None,
        };
        let not = if yes { "" } else { "not " };
        return Some(format!("my {} {verb} {not}{}", asked[2], tail(3)));
    }
    // A statement with a question mark or a tag: "You work at a bank, right?"
    let starts_as_statement = matches!(asked[0], "I" | "I'm" | "I've" | "my" | "I'll" | "I'd");
    if starts_as_statement && asked.len() > 2 {
        let end = asked.iter().rposition(|w| {
            !["right", "correct", "yes", "no", "huh", "eh"].contains(&w.to_ascii_lowercase().as_str())
        })? + 1;
        if yes {
            return Some(asked[..end].join(" "));
        }
        return match asked[0] {
            "I'm" => Some(format!("I'm not {}", asked[1..end].join(" "))),
            "I" if verb::is_base(&asked[1].to_lowercase()) => Some(format!("I don't {}", asked[1..end].join(" "))),
            _ => None,
        };
    }
    None
}

fn without_ever(asked: &[&str], from: usize) -> String {
    asked[from..]
        .iter()
        .filter(|w| !["ever", "already", "yet"].contains(&w.to_ascii_lowercase().as_str()))
        .copied()
        .collect::<Vec<_>>()
        .join(" ")
}

fn conjugated_tail(auxiliary: &str, asked: &[&str]) -> String {
    let verb = asked[3].to_lowercase();
    let verb = if auxiliary == "does" {
        verb::third_person(&verb)
    } else {
        verb
    };
    std::iter::once(verb.as_str())
        .chain(asked[4..].iter().copied())
        .collect::<Vec<_>>()
        .join(" ")
}

fn cores(words: &[Word<'_>]) -> String {
    let mut out = String::new();
    for (at, word) in words.iter().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        out.push_str(word.core);
        if at + 1 < words.len() && word.trail.starts_with(',') {
            out.push(',');
        }
    }
    out
}

fn append(said: &str, rest: &[Word<'_>]) -> String {
    let joins = rest[0].is_one_of(&[
        "since", "for", "in", "on", "at", "with", "from", "near", "every", "about", "almost", "twice", "once", "last",
        "next", "to", "by", "only", "because",
    ]);
    let comma = if joins { "" } else { "," };
    format!("{said}{comma} {}", super::person::lower_first(&cores(rest)))
}

/// Questions for a thing, a place, a time or a number.
fn open(asked: &[&str], answer: &[Word<'_>]) -> Option<String> {
    if answer.len() > 8 || !is_fragment(answer) {
        return None;
    }
    let lower: Vec<String> = asked.iter().map(|w| w.to_ascii_lowercase()).collect();
    let at = |i: usize| lower.get(i).map_or("", String::as_str);
    let given = cores(answer);
    let starts_with_preposition = answer[0].is_one_of(&[
        "in", "at", "near", "on", "to", "from", "with", "by", "for", "since", "about", "around", "as", "every",
    ]);
    let is_number =
        answer[0].core.starts_with(|c: char| c.is_ascii_digit()) || super::calendar::number(&answer[0].lower).is_some();
    let wh = at(0);
    if matches!(wh, "what's" | "who's")
        || (matches!(wh, "what" | "who" | "which" | "when" | "where") && matches!(at(1), "is" | "are" | "was"))
    {
        let (verb, from) = if wh.ends_with("'s") { ("is", 1) } else { (at(1), 2) };
        if at(from) == "my" && asked.len() > from + 1 {
            return Some(format!("{} {verb} {given}", asked[from..].join(" ")));
        }
        if at(from) == "i" && at(from + 1) == "from" {
            return Some(format!("I am from {given}"));
        }
    }
    if wh == "where" && at(1) == "are" && at(2) == "i" && at(3) == "from" {
        return Some(if starts_with_preposition {
            format!("I am {given}")
        } else {
            format!("I am from {given}")
        });
    }
    if wh == "how" && at(1) == "old" && at(2) == "are" {
        return Some(if answer.len() == 1 {
            format!("I am {given} years old")
        } else {
            format!("I am {given}")
        });
    }
    if wh == "how" && at(1) == "old" && at(2) == "is" && at(3) == "my" && asked.len() > 4 {
        let years = if answer.len() == 1 { " years old" } else { "" };
        return Some(format!("{} is {given}{years}", asked[3..].join(" ")));
    }
    // "Do you have any pets?" – "Two rabbits."
    if wh == "do" && at(1) == "i" && matches!(at(3), "any" | "a") && asked.len() > 4 {
        return Some(format!(
            "I {} {} ({})",
            asked[2],
            super::person::lower_first(&given),
            asked[4..].join(" ")
        ));
    }
    // Where the auxiliary and "I" stand splits what was asked for from what is done.
    let aux_at = (1..lower.len().saturating_sub(1)).find(|&i| {
        at(i + 1) == "i" && matches!(at(i), "do" | "did" | "have" | "are" | "were" | "will" | "can" | "would")
    })?;
    let mut done = match at(aux_at) {
        "do" => asked[aux_at + 2..].join(" "),
        "did" => format!(
            "{} {}",
            verb::past(at(aux_at + 2)),
            asked.get(aux_at + 3..).unwrap_or(&[]).join(" ")
        ),
        "have" => format!("have {}", asked[aux_at + 2..].join(" ")),
        "are" => format!("am {}", asked[aux_at + 2..].join(" ")),
        "were" => format!("was {}", asked[aux_at + 2..].join(" ")),
        other => format!("{other} {}", asked[aux_at + 2..].join(" ")),
    };
    done = done.trim().to_owned();
    if done.is_empty() {
        return None;
    }
    if wh == "what" && aux_at == 1 && (done == "do" || done.starts_with("do for")) {
        return Some(if starts_with_preposition {
            format!("I work {given}")
        } else {
            format!("I work as {}", super::person::lower_first(&given))
        });
    }
    match wh {
        "where" => {
            let preposition = if starts_with_preposition {
                ""
            } else if done.contains("work") {
                "at "
            } else if done.contains("go") || done.contains("went") || done.contains("move") {
                "to "
            } else {
                "in "
            };
            Some(format!("I {done} {preposition}{given}"))
        }
        "when" => Some(format!("I {done} {}", super::person::lower_first(&given))),
        "why" => Some(format!("I {done}: {}", super::person::lower_first(&given))),
        "how" if at(1) == "long" => {
            let preposition = if is_number && !starts_with_preposition {
                "for "
            } else {
                ""
            };
            Some(format!("I {done} {preposition}{}", super::person::lower_first(&given)))
        }
        "how" if at(1) == "many" && aux_at > 2 => Some(format!(
            "I {done} {} {}",
            super::person::lower_first(&given),
            asked[2..aux_at].join(" ")
        )),
        "how" if at(1) == "often" => Some(format!("I {done} {}", super::person::lower_first(&given))),
        "what" | "which" | "who" if !done.ends_with(" for") => {
            let verb_needs_object = words(&done).last().is_some_and(|w| {
                !follows_verb(&w.lower) || w.is_one_of(&["in", "at", "with", "to", "for", "about", "on"])
            });
            verb_needs_object.then(|| {
                format!(
                    "I {done} {}",
                    if answer[0].is_capitalised() && verb::is_base(&answer[0].lower) {
                        super::person::lower_first(&given)
                    } else {
                        given.clone()
                    }
                )
            })
        }
        _ => None,
    }
}

/// Whether a question is worth more than small talk, so that a bare "yes" to it is a fact.
pub(super) fn asks_for_fact(question: &[Word<'_>]) -> bool {
    let about_listener = question
        .iter()
        .any(|w| w.is_one_of(&["you", "your", "you're", "you've"]));
    about_listener && question.iter().filter(|w| carries_topic(w)).count() >= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(question: &str, answer: &str) -> Option<String> {
        statement(&words(question), &words(answer))
    }

    #[test]
    fn yes_and_no_take_their_meaning_from_the_question() {
        for (question, answer, want) in [
            ("Do you eat meat?", "No.", "I don't eat meat"),
            (
                "Are you a vegetarian?",
                "Yes, since 2019.",
                "I am a vegetarian since 2019",
            ),
            (
                "Have you ever been to Peru?",
                "Yes, in 2018!",
                "I have been to Peru in 2018",
            ),
            ("Did you visit Rome?", "Yep.", "I visited Rome"),
            ("You work at a bank, right?", "Exactly.", "I work at a bank"),
            ("Is your sister a nurse?", "Yes", "my sister is a nurse"),
        ] {
            assert_eq!(joined(question, answer).as_deref(), Some(want));
        }
    }

    #[test]
    fn a_short_answer_fills_the_gap() {
        for (question, answer, want) in [
            ("Where do you live?", "Berlin.", "I live in Berlin"),
            ("What do you do for work?", "A nurse.", "I work as A nurse"),
            ("What's your favorite color?", "Green", "my favorite color is Green"),
            ("How old are you?", "34", "I am 34 years old"),
            ("How many kids do you have?", "Two", "I have two kids"),
            ("When did you move to Lyon?", "In 2015.", "I moved to Lyon in 2015"),
            (
                "How long have you played the piano?",
                "Five years",
                "I have played the piano for five years",
            ),
            ("What instrument do you play?", "The cello", "I play The cello"),
            ("Do you have any pets?", "Two rabbits.", "I have two rabbits (pets)"),
            (
                "Do you have any siblings?",
                "Yes, two brothers.",
                "I have two brothers (siblings)",
            ),
            ("Where are you from?", "Ghana", "I am from Ghana"),
        ] {
            assert_eq!(
                joined(question, answer).map(|s| s.to_lowercase()).as_deref(),
                Some(want.to_lowercase().as_str())
            );
        }
    }

    #[test]
    fn a_full_sentence_is_no_fragment() {
        assert!(!is_fragment(&words("I moved there in May.")));
        assert!(is_fragment(&words("Only on weekends.")));
    }
}
