//! What the turn before lends to a turn: the question that it answers, the statement that it leans on, the context.
//!
//! `dialogue.rs` knows how question and answer make a statement; this file finds them and builds the candidate.

use super::candidate::{Judged, TurnContext, candidate, finished};
use super::category;
use super::dialogue;
use super::kind;
use super::non_fact::{self, SentenceKind, carries_topic};
use super::opening::{self, Listeners};
use super::person::{self, People};
use super::sentence::{self, ParsedMessage, floor_boundary};
use super::time;
use super::word::{Word, words};
use super::{CandidateFact, Quote};
use crate::model::Role;

const LONGEST_QUOTED_BYTES: usize = 160;

/// The turn before, of whatever role.
#[derive(Clone, Copy)]
pub(super) struct Previous<'t> {
    pub(super) turn: usize,
    pub(super) role: Role,
    pub(super) name: Option<&'t str>,
    pub(super) content: &'t str,
}

/// What a leaning first sentence leans on: the question or statement before, in its words.
pub(super) fn prompt(previous: Previous<'_>, context_of_turn: TurnContext<'_>) -> Option<(String, Quote)> {
    if previous.name.is_some() && previous.name == context_of_turn.speaker {
        return None;
    }
    let message = sentence::parse(previous.content);
    let question = message
        .sentences
        .iter()
        .rev()
        .take(2)
        .find(|s| s.text.ends_with('?') && words(s.text).iter().filter(|w| carries_topic(w)).count() > 0);
    if let Some(question) = question {
        let text = shortened(question.text);
        return Some((
            format!("Asked \"{text}\", "),
            Quote {
                turn: previous.turn,
                text: question.text.to_owned(),
            },
        ));
    }
    if previous.role != Role::User {
        return None;
    }
    let statement = message.sentences.iter().rev().find(|s| {
        let all = words(s.text);
        let range = opening::trim(&all, context_of_turn.listeners);
        non_fact::classify(&all[range], s.text.ends_with('?'), context_of_turn.listeners) == SentenceKind::Fact
    })?;
    let owner = previous.name.map_or_else(String::new, |name| format!("{name}'s "));
    let text = shortened(statement.text);
    Some((
        format!("On {owner}\"{text}\", "),
        Quote {
            turn: previous.turn,
            text: statement.text.to_owned(),
        },
    ))
}

/// What the speaker said last, where the other one said nothing to lean on.
pub(super) fn own_prompt(own: Option<(usize, String)>, context_of_turn: TurnContext<'_>) -> Option<(String, Quote)> {
    let (turn, text) = own.filter(|(turn, _)| *turn != context_of_turn.turn && context_of_turn.turn - turn <= 3)?;
    let owner = context_of_turn
        .speaker
        .map_or_else(String::new, |name| format!("{name}'s "));
    Some((format!("On {owner}\"{}\", ", shortened(&text)), Quote { turn, text }))
}

fn shortened(text: &str) -> String {
    if text.len() <= LONGEST_QUOTED_BYTES {
        return text.replace('"', "'");
    }
    let head = &text[..floor_boundary(text, LONGEST_QUOTED_BYTES)];
    let end = head.rfind(char::is_whitespace).unwrap_or(head.len());
    format!("{}…", head[..end].replace('"', "'"))
}

/// The end of the turn before, for search only.
pub(super) fn context(previous: Previous<'_>) -> String {
    let text = previous.content.trim();
    let skip = text
        .char_indices()
        .rev()
        .nth(super::LONGEST_CONTEXT_CHARS - 1)
        .map_or(0, |(at, _)| at);
    if skip == 0 {
        return text.to_owned();
    }
    let tail = &text[skip..];
    let start = tail.find(char::is_whitespace).unwrap_or(0);
    tail[start..].trim_start().to_owned()
}

/// Facts that the turn's first sentence makes together with the question before, and how many sentences it used up.
pub(super) fn answers(
    content: &str,
    message: &ParsedMessage<'_>,
    all: &[Vec<Word<'_>>],
    context_of_turn: TurnContext<'_>,
    people: People<'_>,
) -> (Vec<CandidateFact>, usize) {
    let nothing = (Vec::new(), 0);
    let (Some(previous), Some(first)) = (context_of_turn.previous, all.first()) else {
        return nothing;
    };
    if previous.role == Role::User && previous.name == context_of_turn.speaker {
        return nothing;
    }
    let Some(asked) = asked(previous, message, first) else {
        return nothing;
    };
    let question_words = words(&asked);
    let range = opening::trim(
        &question_words,
        Listeners {
            names: context_of_turn.listeners.names,
            are_people: true,
        },
    );
    let question = dialogue::without_hedge(&question_words[range]);
    // "Yes! Since 2019." is one answer in two sentences.
    let (says, taken) = dialogue::polarity(first);
    let mut answer = first.clone();
    let mut used = 1;
    if says == dialogue::Polarity::Yes
        && taken == first.len()
        && let Some(second) = all.get(1)
        && dialogue::is_fragment(second)
        && !second.is_empty()
        && second.iter().any(carries_topic_or_number)
    {
        answer.extend(second.iter().cloned());
        used = 2;
    }
    let says_more = taken < answer.len();
    if says == dialogue::Polarity::Open {
        let range = opening::trim(&answer, context_of_turn.listeners);
        answer = answer[range].to_vec();
    }
    let is_bare = answer.len() <= taken;
    if answer.is_empty() || !dialogue::is_fragment(&answer[taken.min(answer.len())..]) {
        return nothing;
    }
    let carries = answer.iter().any(carries_topic_or_number);
    if (is_bare || !says_more) && !dialogue::asks_for_fact(question) || says == dialogue::Polarity::Open && !carries {
        return nothing;
    }
    let Some(span) = message
        .sentences
        .get(used - 1)
        .map(|s| message.sentences[0].span.start..s.span.end)
    else {
        return nothing;
    };
    let own = content.get(span).unwrap_or("").to_owned();
    let quotes = vec![
        Quote {
            turn: context_of_turn.turn,
            text: own.clone(),
        },
        Quote {
            turn: previous.turn,
            text: asked.clone(),
        },
    ];
    let (text, statement, names_speaker) = match dialogue::statement(question, &answer) {
        Some(statement) => {
            let said = words(&statement);
            let times = time::mentions(&said, context_of_turn.sent_at.date_naive());
            let rewritten = person::third_person(&said, people, &times, &[]);
            (finished(&rewritten.text), statement, rewritten.names_speaker)
        }
        None if carries && says == dialogue::Polarity::Open && !is_bare => {
            let text = format!(
                "Asked \"{}\", {} answered \"{}\".",
                shortened(&asked),
                people.subject(),
                own.trim_end_matches(['.', '!', ','])
            );
            (text, format!("{asked} {own}"), true)
        }
        None => return nothing,
    };
    let said = words(&statement);
    let times = time::mentions(&said, context_of_turn.sent_at.date_naive());
    let judged = Judged {
        event_time: time::event_time(&times),
        memory_type: kind::of(&said, &times),
        evidence: category::evidence(&said),
        names_speaker,
    };
    (
        vec![candidate(text, quotes, judged, said.iter(), context_of_turn)],
        used,
    )
}

fn carries_topic_or_number(word: &Word<'_>) -> bool {
    carries_topic(word)
        || word.core.contains(|c: char| c.is_ascii_digit())
        || super::calendar::number(&word.lower).is_some_and(|n| n > 1)
}

/// The question that the turn answers: the last one before, or what the assistant said and the user confirms.
fn asked(previous: Previous<'_>, message: &ParsedMessage<'_>, first: &[Word<'_>]) -> Option<String> {
    let before = sentence::parse(previous.content);
    let last = before.sentences.last()?;
    if last.text.ends_with('?') {
        return Some(last.text.to_owned());
    }
    let (says, taken) = dialogue::polarity(first);
    let confirms = says == dialogue::Polarity::Yes
        && (taken == first.len() || message.sentences.len() == 1 && dialogue::is_fragment(&first[taken..]));
    let states = words(last.text);
    let about_user = dialogue::without_hedge(&states)
        .iter()
        .take(3)
        .any(|w| w.is_one_of(&["you", "you're", "you've", "your"]));
    let advises = states.iter().any(|w| {
        w.is_one_of(&[
            "should", "could", "can", "might", "may", "if", "you'll", "try", "would", "need", "want",
        ])
    });
    (previous.role == Role::Assistant && confirms && about_user && !advises).then(|| last.text.to_owned())
}
