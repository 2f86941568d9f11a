//! One turn into candidate memories: which sentences stay, which belong together, and how each group reads.
//!
//! The orchestration of the files beside it; `mod.rs` walks the conversation and calls it once a turn.

use std::ops::Range;

use super::candidate::{Judged, LONGEST_GROUP_BYTES, TurnContext, candidate, finished};
use super::category::{self, Evidence};
use super::coreference::{self, Antecedents};
use super::foreign;
use super::kind;
use super::language;
use super::lexicon;
use super::non_fact::{self, SentenceKind, carries_topic};
use super::non_fact_words;
use super::opening;
use super::person::{self, People};
use super::photo;
use super::preceding_turn;
use super::sentence;
use super::time::{self, TimeMention};
use super::verb;
use super::word::{Word, words};
use super::{CandidateFact, Quote};

/// A group takes no further sentence beyond these.
const MOST_SENTENCES: usize = 4;

/// "I'm really excited." in front of a fact adds nothing to it.
const BARE_FEELING_WORDS: usize = 4;

/// A kept sentence.
struct Piece<'a> {
    words: Vec<Word<'a>>,
    span: Range<usize>,
    kind: SentenceKind,
    times: Vec<TimeMention>,
    evidence: Evidence,
}

/// The facts of one turn.
pub(super) fn from_turn(
    content: &str,
    context_of_turn: TurnContext<'_>,
    antecedents: &mut Antecedents,
) -> Vec<CandidateFact> {
    let message = sentence::parse(content);
    let all: Vec<Vec<Word<'_>>> = message.sentences.iter().map(|s| words(s.text)).collect();
    if !language::is_english(all.iter().flatten()) {
        return foreign::untranslated(content, &message, context_of_turn);
    }
    let company = coreference::company(all.iter().flatten());
    let people = People {
        speaker: context_of_turn.speaker,
        listener: context_of_turn.listener,
        company: company.as_deref(),
    };

    let (mut out, answered) = preceding_turn::answers(content, &message, &all, context_of_turn, people);
    let mut pieces = Vec::new();
    for (at, (sentence, words)) in message.sentences.iter().zip(all).enumerate() {
        if at < answered {
            continue;
        }
        if let Some(piece) = piece(sentence.span.clone(), sentence.text, words, context_of_turn) {
            pieces.push(piece);
        }
    }
    let groups = group(pieces);
    out.extend(
        groups
            .iter()
            .filter_map(|pieces| written(content, pieces, context_of_turn, people, antecedents)),
    );
    photo::add(content, &message, context_of_turn, people, &mut out);
    out
}

/// The sentence if it is worth keeping, without its small talk.
fn piece<'a>(
    span: Range<usize>,
    text: &str,
    words: Vec<Word<'a>>,
    context_of_turn: TurnContext<'_>,
) -> Option<Piece<'a>> {
    let mut range = opening::trim(&words, context_of_turn.listeners);
    let asks = text
        .trim_end_matches(['"', '”', ')', '\'', '!', '.', ' '])
        .ends_with('?')
        && !opening::tells_as_question(&words, range.start);
    let mut kind = non_fact::classify(&words[range.clone()], asks, context_of_turn.listeners);
    if kind == SentenceKind::Question {
        let cut = non_fact::statement_before_question(&words[range.clone()])?;
        range.end = range.start + cut;
        kind = non_fact::classify(&words[range.clone()], false, context_of_turn.listeners);
    }
    match kind {
        SentenceKind::Fact | SentenceKind::Feeling => {}
        SentenceKind::Question | SentenceKind::Reaction | SentenceKind::Instruction | SentenceKind::Hypothetical => {
            return None;
        }
    }
    let words: Vec<Word<'a>> = words.into_iter().skip(range.start).take(range.len()).collect();
    let times = time::mentions(&words, context_of_turn.sent_at.date_naive());
    let evidence = category::evidence(&words);
    Some(Piece {
        words,
        span,
        kind,
        times,
        evidence,
    })
}

/// Sentences that lean on the one before, feelings and fragments join it; a new statement of the speaker starts anew.
fn group(pieces: Vec<Piece<'_>>) -> Vec<Vec<Piece<'_>>> {
    let mut groups: Vec<Vec<Piece<'_>>> = Vec::new();
    for piece in pieces {
        match groups.last_mut() {
            Some(last) if joins(&piece, last) => last.push(piece),
            _ => groups.push(vec![piece]),
        }
    }
    // What only feels says nothing alone.
    groups.retain(|group| group.iter().any(|piece| piece.kind == SentenceKind::Fact));
    for group in &mut groups {
        let bare = |piece: &Piece<'_>| piece.kind == SentenceKind::Feeling && piece.words.len() <= BARE_FEELING_WORDS;
        let feelings = group.iter().take_while(|piece| bare(piece)).count();
        group.drain(..feelings.min(group.len() - 1));
    }
    groups
}

fn joins(piece: &Piece<'_>, group: &[Piece<'_>]) -> bool {
    let Some(first) = group.first() else {
        return false;
    };
    let bytes = piece.span.end.saturating_sub(first.span.start);
    let leans = coreference::leans_back(&piece.words) || coreference::holds_loose_pronoun(&piece.words);
    let room = group.len() < MOST_SENTENCES && bytes < LONGEST_GROUP_BYTES;
    if !room {
        return leans && group.len() <= MOST_SENTENCES && bytes < 2 * LONGEST_GROUP_BYTES;
    }
    if leans || piece.kind == SentenceKind::Feeling || group.iter().all(|p| p.kind == SentenceKind::Feeling) {
        return true;
    }
    let topics = piece.words.iter().filter(|w| carries_topic(w)).count();
    !speaks_of_self(&piece.words) || topics < 2 && !changes_subject(piece, group)
}

/// Whether a short sentence is clearly about another part of life than those before it.
fn changes_subject(piece: &Piece<'_>, group: &[Piece<'_>]) -> bool {
    let before = group.iter().fold(Evidence::default(), |mut all, p| {
        all.merge(&p.evidence);
        all
    });
    match (piece.evidence.strongest(), before.strongest()) {
        (Some(own), Some(_)) => before.of(own) == 0.0,
        (Some(_), None) | (None, _) => false,
    }
}

/// Whether the sentence's subject is the speaker or something of theirs.
fn speaks_of_self(words: &[Word<'_>]) -> bool {
    words.iter().take(4).any(|w| {
        w.is_one_of(&[
            "i", "i'm", "i've", "i'd", "i'll", "im", "ive", "my", "we", "we're", "we've", "we'd", "we'll", "our",
        ])
    }) || super::elision::find(words).is_some()
}

fn written(
    content: &str,
    pieces: &[Piece<'_>],
    context_of_turn: TurnContext<'_>,
    people: People<'_>,
    antecedents: &mut Antecedents,
) -> Option<CandidateFact> {
    let main = pieces.iter().find(|p| p.kind == SentenceKind::Fact)?;
    let mut texts = Vec::with_capacity(pieces.len());
    let mut names_speaker = false;
    let mut evidence = Evidence::default();
    let mut first_names = false;
    for (at, piece) in pieces.iter().enumerate() {
        let fixed = antecedents.resolve(&piece.words);
        antecedents.note(&piece.words);
        let rewritten = person::third_person(&piece.words, people, &piece.times, &fixed);
        names_speaker |= rewritten.names_speaker;
        first_names |= at == 0 && rewritten.names_speaker;
        evidence.merge(&piece.evidence);
        texts.push(finished(&rewritten.text));
    }
    let mut text = texts.join(" ");
    let mut quotes = vec![Quote {
        turn: context_of_turn.turn,
        text: content.get(quoted(pieces)).unwrap_or("").to_owned(),
    }];
    let first = &pieces[0];
    let answers_no = content
        .get(..first.span.end)
        .is_some_and(|head| head.trim_start().to_ascii_lowercase().starts_with("no,"));
    let leans = coreference::leans_back(&first.words)
        && !first.words[0].is_one_of(&["also", "even", "then", "especially", "one", "both", "each"])
        || answers_no && coreference::holds_loose_pronoun(&first.words);
    let own = antecedents.last_fact.take();
    antecedents.last_fact = quotes.first().map(|quote| (context_of_turn.turn, quote.text.clone()));
    let prompt = if leans {
        context_of_turn
            .previous
            .and_then(|previous| preceding_turn::prompt(previous, context_of_turn))
            .or_else(|| preceding_turn::own_prompt(own, context_of_turn))
    } else {
        None
    };
    if let Some((lead, quote)) = prompt {
        let starts_with_name =
            text.starts_with(people.subject()) || people.listener.is_some_and(|name| text.starts_with(name));
        let body = match (first_names, starts_with_name) {
            (true, true) => text,
            (true, false) => person::lower_first(&text),
            (false, _) => attributed(&text, &first.words, people),
        };
        text = format!("{lead}{body}");
        quotes.push(quote);
    } else if !names_speaker || first.words[0].lower == "let's" {
        text = attributed(&text, &pieces[0].words, people);
    }
    let event_time = pieces.iter().find_map(|p| time::event_time(&p.times));
    let memory_type = kind::of(&main.words, &main.times);
    Some(candidate(
        text,
        quotes,
        Judged {
            event_time,
            memory_type,
            evidence,
            names_speaker,
        },
        pieces.iter().flat_map(|p| &p.words),
        context_of_turn,
    ))
}

fn quoted(pieces: &[Piece<'_>]) -> Range<usize> {
    let start = pieces.first().map_or(0, |p| p.span.start);
    let end = pieces.last().map_or(start, |p| p.span.end);
    start..end
}

/// Who says it, where the words themselves don't name the speaker.
fn attributed(text: &str, first: &[Word<'_>], people: People<'_>) -> String {
    let subject = people.subject();
    let is_advice = first.first().is_some_and(|w| {
        non_fact_words::is_command(&w.lower) && !lexicon::is_reaction(&w.lower)
            || w.is_one_of(&["let's", "try", "check"])
    });
    if is_advice {
        let verb = if people.speaker.is_some() { "suggests" } else { "says" };
        return format!("{subject} {verb}: {}", person::lower_first(text));
    }
    let keeps_capital = first.first().is_some_and(|w| {
        w.is_capitalised()
            && !lexicon::is_function(w.lower.split('\'').next().unwrap_or_default())
            && !lexicon::is_reaction(&w.lower)
            && !verb::is_ing(&w.lower)
            && !lexicon::is_adverb(&w.lower)
    });
    let starts_with_name = people.listener.is_some_and(|name| text.starts_with(name)) || text.starts_with(subject);
    if starts_with_name {
        format!("{subject} says {text}")
    } else if keeps_capital {
        // A name, or a word that only the beginning makes a capital of: the colon suits both.
        format!("{subject} says: {text}")
    } else {
        format!("{subject} says {}", person::lower_first(text))
    }
}
