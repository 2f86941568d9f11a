//! What the turn before lends to a turn: the question that it answers, the statement that it leans on, the context.
//!
//! `dialogue.rs` knows how question and answer make a statement; this file finds them and builds the candidate.

use super::Quote;
use super::candidate::TurnContext;
use super::dialogue;
use super::non_fact::carries_topic;
use super::opening::{self, Listeners};
use super::sentence::{self, ParsedMessage};
use super::word::{Word, words};
use crate::model::Role;

/// Questions of one turn that are looked at.
const MOST_QUESTIONS: usize = 4;

/// The turn before, of whatever role.
#[derive(Clone, Copy)]
pub(super) struct Previous<'t> {
    pub(super) turn: usize,
    pub(super) role: Role,
    pub(super) name: Option<&'t str>,
    pub(super) content: &'t str,
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

/// An answer and the question before, as one statement.
pub(super) struct Answer {
    /// What the speaker says with it, in the first person.
    pub(super) statement: String,
    /// The words of both, the answer's first.
    pub(super) quotes: Vec<Quote>,
    /// How many sentences of the turn it took.
    pub(super) used: usize,
}

/// What the turn's first sentence says together with the question before.
pub(super) fn answer(
    content: &str,
    message: &ParsedMessage<'_>,
    all: &[Vec<Word<'_>>],
    context_of_turn: TurnContext<'_>,
) -> Option<Answer> {
    let (Some(previous), Some(first)) = (context_of_turn.previous, all.first()) else {
        return None;
    };
    if previous.role == Role::User && previous.name == context_of_turn.speaker {
        return None;
    }
    let asked = asked(previous, message, first)?;
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
        return None;
    }
    let carries = answer.iter().any(carries_topic_or_number);
    if (is_bare || !says_more) && !dialogue::asks_for_fact(question) || says == dialogue::Polarity::Open && !carries {
        return None;
    }
    let last = message.sentences.get(used - 1)?;
    let span = message.sentences[0].span.start..last.span.end;
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
    Some(Answer {
        statement: dialogue::statement(question, &answer)?,
        quotes,
        used,
    })
}

/// The last questions of the turn before, where somebody else asked them, without their hedges.
pub(super) fn questions(context_of_turn: TurnContext<'_>) -> Vec<String> {
    let Some(previous) = context_of_turn.previous else {
        return Vec::new();
    };
    if previous.role == Role::User && previous.name == context_of_turn.speaker {
        return Vec::new();
    }
    let message = sentence::parse(previous.content);
    let mut questions: Vec<String> = Vec::new();
    for asked in message.sentences.iter().filter(|s| s.text.ends_with('?')) {
        // "Which knee, and how long has it hurt?" is two.
        let text = asked.text;
        let cut = [
            ", and how ",
            ", and what ",
            ", and where ",
            ", and when ",
            ", and who ",
            ", and do ",
            ", and are ",
            ", and is ",
            ", and will ",
            ", and did ",
        ]
        .iter()
        .find_map(|mark| text.find(mark));
        match cut {
            Some(at) => {
                questions.push(format!("{}?", &text[..at]));
                questions.push(text[at + ", and ".len()..].to_owned());
            }
            None => questions.push(text.to_owned()),
        }
    }
    let surplus = questions.len().saturating_sub(MOST_QUESTIONS);
    questions.drain(..surplus);
    questions
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
