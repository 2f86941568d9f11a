//! A conversation in, self-standing facts in the third person out, without a language model.
//!
//! [`extract`] walks the turns; `fact.rs` turns one turn into candidates; [`deduplicate`] and [`decide`] compare
//! them with each other and with what is known. Pure functions: no I/O, no clock, no store. The memory service calls it.

mod agreement;
mod attribute;
mod calendar;
mod candidate;
mod category;
mod category_words;
mod classifier;
mod coreference;
mod correction;
mod dialogue;
mod elision;
mod fact;
mod first_person;
mod foreign;
mod foreign_time;
mod holiday;
mod importance;
mod kind;
mod language;
mod lexicon;
mod lists;
mod non_fact;
mod non_fact_words;
mod opening;
mod person;
mod photo;
mod preceding_turn;
mod private;
pub(crate) mod read;
mod reconcile;
mod run_on;
mod second_person;
mod sentence;
mod split;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_foreign;
#[cfg(test)]
mod tests_hostile;
#[cfg(test)]
mod tests_private;
#[cfg(test)]
mod tests_time;
mod time;
mod time_tense;
mod time_words;
mod verb;
mod word;
mod word_lists;

/// English verbs and kin, for whoever writes of a person.
pub(crate) mod verbs {
    pub(crate) use super::lexicon::is_kin;
    pub(crate) use super::verb::{is_base, is_past, third_person};
}

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::Range;

use chrono::{DateTime, FixedOffset, Utc};

use crate::model::{Category, MemoryType, Role, SkipReason, TimePrecision};
use crate::parser::{self, Parser};
use candidate::TurnContext;
use coreference::Antecedents;
use opening::Listeners;
use preceding_turn::Previous;
use read::MessageKind;
use split::{Mentioned, ParsedSentence};

pub(crate) use classifier::{Features, Model, OUTPUTS, Verdict, answers, write as write_weights};
use reconcile::Distinct;
pub use reconcile::{Decision, Similar, decide, deduplicate};

/// How much of the turn before is kept for search.
const LONGEST_CONTEXT_CHARS: usize = 300;

/// One message of a conversation.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'a> {
    /// Who wrote it.
    pub role: Role,
    /// The speaker's name, where several people speak.
    pub name: Option<&'a str>,
    /// Its words.
    pub content: &'a str,
    /// When it was sent; relative times count from the day of its offset.
    pub sent_at: DateTime<FixedOffset>,
}

impl Turn<'_> {
    /// Whether it is part of what is said to one another.
    fn is_said(&self) -> bool {
        self.role != Role::System && !self.content.trim().is_empty()
    }
}

/// Words that a fact was taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Index of the turn.
    pub turn: usize,
    /// The words exactly as they stand there.
    pub text: String,
}

/// A fact found in a conversation, before it is compared with what is known.
#[derive(Clone, Debug, PartialEq)]
pub struct CandidateFact {
    /// The fact in the third person.
    pub text: String,
    /// Lasting or of a time.
    pub memory_type: MemoryType,
    /// One to three, the most fitting first.
    pub categories: Vec<Category>,
    /// 0.0 to 1.0.
    pub importance: f32,
    /// When the thing happened or will happen, where the words say so.
    pub event_time: Option<DateTime<Utc>>,
    /// How exactly the words say that; present with `event_time`.
    pub event_time_precision: Option<TimePrecision>,
    /// Whether it is a standing wish about how the assistant behaves.
    pub is_instruction: bool,
    /// Where it was taken from: the main source first, never empty.
    pub quotes: Vec<Quote>,
    /// The end of the turn before, for lexical search only; never shown.
    pub context: Option<String>,
}

/// What came of a conversation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extraction {
    /// The facts, in the order in which they were told.
    pub facts: Vec<CandidateFact>,
    /// The users' messages that left nothing, in their order.
    pub skipped: Vec<Skipped>,
}

/// A message that left no fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Index of the turn.
    pub turn: usize,
    /// Why.
    pub reason: SkipReason,
}

/// A text's vector, of length 1 or 0, from the embedder that the classifier was fitted with.
pub type SentenceEncoder<'s> = &'s dyn Fn(&str) -> Vec<f32>;

/// The turn, by its index, with which a conversation goes beyond the facts that may be taken from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyFacts(pub usize);

/// Finds the facts of a conversation, in the order in which they were told.
pub fn extract(turns: &[Turn<'_>], encode: SentenceEncoder<'_>) -> Extraction {
    extract_at_most(usize::MAX, turns, encode).unwrap_or_default()
}

/// [`extract`], which stops at the turn that takes it beyond `most` facts.
pub fn extract_at_most(
    most: usize,
    turns: &[Turn<'_>],
    encode: SentenceEncoder<'_>,
) -> Result<Extraction, TooManyFacts> {
    let mut names: Vec<&str> = Vec::new();
    for turn in turns.iter().filter(|t| t.role == Role::User) {
        if let Some(name) = clean_name(turn.name)
            && !names.contains(&name)
            && names.len() < 64
        {
            names.push(name);
        }
    }
    let has_assistant = turns.iter().any(|t| t.role == Role::Assistant);
    let are_people = names.len() > 1 || (names.len() == 1 && !has_assistant);
    let listeners = Listeners {
        names: &names,
        are_people,
    };
    let mut antecedents: HashMap<Option<&str>, Antecedents> = HashMap::new();
    let mut mentioned: HashMap<Option<&str>, Mentioned> = HashMap::new();
    let mut parses = Parses::new(turns, are_people, encode);
    let mut reasons: HashMap<usize, SkipReason> = HashMap::new();
    let mut previous: Option<Previous<'_>> = None;
    let mut out = Vec::new();
    let mut distinct = Distinct::default();
    for (index, turn) in turns.iter().enumerate() {
        if !turn.is_said() {
            continue;
        }
        let speaker = clean_name(turn.name);
        match turn.role {
            Role::System | Role::Assistant => {}
            Role::User => {
                let context_of_turn = TurnContext {
                    turn: index,
                    speaker,
                    listener: listener(&names, speaker, previous),
                    listeners,
                    sent_at: turn.sent_at,
                    previous,
                };
                let message = parses.of(index);
                reasons.insert(index, message.reason);
                out.extend(fact::from_turn(
                    turn.content,
                    &message,
                    context_of_turn,
                    antecedents.entry(speaker).or_default(),
                    mentioned.entry(speaker).or_default(),
                    encode,
                ));
                if out.len() > most && distinct.count(&out) > most {
                    return Err(TooManyFacts(index));
                }
            }
        }
        previous = Some(Previous {
            turn: index,
            role: turn.role,
            name: speaker,
            content: turn.content,
        });
    }
    forget_private_contexts(turns, &mut out);
    let facts = deduplicate(out);
    let skipped = skipped(turns, &facts, &reasons);
    Ok(Extraction { facts, skipped })
}

/// The users' messages that no fact was taken from.
fn skipped(turns: &[Turn<'_>], facts: &[CandidateFact], reasons: &HashMap<usize, SkipReason>) -> Vec<Skipped> {
    let sources: HashSet<usize> = facts
        .iter()
        .flat_map(|fact| fact.quotes.iter().map(|quote| quote.turn))
        .collect();
    let of_users = turns.iter().enumerate().filter(|(_, turn)| turn.role == Role::User);
    of_users
        .filter(|(at, _)| !sources.contains(at))
        .map(|(turn, _)| Skipped {
            turn,
            reason: reasons.get(&turn).copied().unwrap_or(SkipReason::NothingToKeep),
        })
        .collect()
}

/// Takes away what was said before a fact where that is private: a context is kept in the clear.
fn forget_private_contexts(turns: &[Turn<'_>], candidates: &mut [CandidateFact]) {
    let private: Vec<usize> = candidates
        .iter()
        .filter(|candidate| candidate.categories.contains(&Category::Private))
        .flat_map(|candidate| candidate.quotes.iter().map(|quote| quote.turn))
        .collect();
    for candidate in candidates.iter_mut() {
        let own = candidate.quotes.first().map_or(0, |quote| quote.turn);
        let before = (0..own).rev().find(|turn| turns[*turn].is_said());
        if before.is_some_and(|turn| private.contains(&turn)) {
            candidate.context = None;
        }
    }
}

/// Lets the classifier judge a candidate by what was said; false where that is not worth keeping.
fn refine(candidate: &mut CandidateFact, said: &str, encode: SentenceEncoder<'_>) -> bool {
    let is_dated = candidate.event_time.is_some();
    let verdict = classifier::judge(
        &known(said, candidate.memory_type, is_dated, encode),
        candidate.categories.contains(&Category::Private),
    );
    candidate.memory_type = verdict.memory_type;
    candidate.categories = verdict.categories;
    verdict.is_kept
}

/// Whether nothing but blanks and marks stands there.
fn is_gap(content: &str, place: Range<usize>) -> bool {
    content
        .get(place)
        .is_some_and(|gap| !gap.contains(char::is_alphanumeric))
}

/// A part is taken for somebody else's words, fiction or data only where that is so likely.
const SURE: f32 = 0.5;

/// A short plain sentence, such as "I love hiking", gives a classifier little to go by.
const SURE_OF_PLAIN: f32 = 0.95;
const LONGEST_PLAIN_BYTES: usize = 120;

/// Whether a message is short, or each of its lines begins with the user, and without the marks of what is quoted or pasted.
fn is_plain(content: &str) -> bool {
    const OWN: &[&str] = &[
        "i", "i'm", "i’m", "im", "i've", "i’ve", "my", "we", "we're", "we’re", "our",
    ];
    let is_short = content.len() <= LONGEST_PLAIN_BYTES && !content.trim().contains('\n');
    let is_own = || {
        let mut lines = content.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.all(|line| {
            let first = line.split_whitespace().next().unwrap_or_default().to_lowercase();
            OWN.contains(&first.as_str())
        })
    };
    !content.contains(['"', '“', ':', '<', '{', '`', '*']) && (is_short || is_own())
}

/// Why a message of these parts left nothing: by the part that weighs most.
fn skip_reason(kinds: &[MessageKind]) -> SkipReason {
    let has = |kind: MessageKind| kinds.contains(&kind);
    for (kind, reason) in [
        (MessageKind::Forget, SkipReason::NotToBeRemembered),
        (MessageKind::Fiction, SkipReason::Fiction),
        (MessageKind::Transform, SkipReason::TextToTransform),
        (MessageKind::Quoted, SkipReason::Quoted),
        (MessageKind::Memory, SkipReason::GivenMemories),
        (MessageKind::Code, SkipReason::Code),
        (MessageKind::Telling, SkipReason::NothingToKeep),
        (MessageKind::Question, SkipReason::Question),
        (MessageKind::Request, SkipReason::Request),
        (MessageKind::Chat, SkipReason::SmallTalk),
        (MessageKind::Idle, SkipReason::SmallTalk),
    ] {
        if has(kind) {
            return reason;
        }
    }
    SkipReason::NothingToKeep
}

/// A stretch without others inside it, which are in order.
fn without(stretch: Range<usize>, used: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut kept = Vec::new();
    let mut start = stretch.start;
    for part in used {
        if part.start > start {
            kept.push(start..part.start);
        }
        start = start.max(part.end);
    }
    if stretch.end > start {
        kept.push(start..stretch.end);
    }
    kept
}

/// A user's message, taken apart and parsed.
struct ParsedTurn<'a> {
    message: sentence::ParsedMessage<'a>,
    /// Of each sentence; empty where the message is not English.
    sentences: Vec<ParsedSentence<'a>>,
    /// What its lists and forms state.
    lines: Vec<lists::LineFact>,
    is_english: bool,
    /// Why it left nothing, where it does.
    reason: SkipReason,
}

/// Sentences that go through the parser together.
const BATCH: usize = 64;

/// Words of one conversation that are parsed: half a second's work. What is beyond is read sentence by sentence, without clauses.
const MOST_PARSED_WORDS: usize = 12_000;

/// The parses of the users' turns, made a batch of turns at a time.
struct Parses<'t, 'a> {
    turns: &'t [Turn<'a>],
    /// Whether people talk with each other: what they tell is then all that is sorted out.
    are_people: bool,
    encode: SentenceEncoder<'t>,
    next: usize,
    /// How many words of the conversation are still parsed.
    words_left: usize,
    ready: VecDeque<(usize, ParsedTurn<'a>)>,
}

impl<'t, 'a> Parses<'t, 'a> {
    fn new(turns: &'t [Turn<'a>], are_people: bool, encode: SentenceEncoder<'t>) -> Self {
        Self {
            turns,
            are_people,
            encode,
            next: 0,
            words_left: MOST_PARSED_WORDS,
            ready: VecDeque::new(),
        }
    }

    /// The parse of a turn; turns are asked for in their order.
    fn of(&mut self, turn: usize) -> ParsedTurn<'a> {
        loop {
            match self.ready.pop_front() {
                Some((at, parsed)) if at == turn => return parsed,
                Some(_) => {}
                None => self.read_on(turn),
            }
        }
    }

    fn read_on(&mut self, turn: usize) {
        self.next = self.next.max(turn);
        let (mut messages, mut count) = (Vec::new(), 0);
        while count < BATCH && self.next < self.turns.len() {
            let at = self.next;
            self.next += 1;
            let said = &self.turns[at];
            if said.role != Role::User || !said.is_said() {
                continue;
            }
            let subject = clean_name(said.name).unwrap_or("User");
            let (mut lines, mut kept) = (Vec::new(), Vec::new());
            let mut kinds: Vec<MessageKind> = Vec::new();
            let mut stretches: Vec<Range<usize>> = Vec::new();
            for part in read::read(said.content, self.encode) {
                kinds.push(part.kind);
                let is_sure = part.kind == MessageKind::Forget
                    || part.confidence >= if is_plain(said.content) { SURE_OF_PLAIN } else { SURE };
                let is_dropped =
                    part.kind.is_dropped() && is_sure && !(self.are_people && part.kind != MessageKind::Forget);
                // A form or résumé of the writer's may look like somebody's text.
                let is_form = || {
                    matches!(part.kind, MessageKind::Quoted | MessageKind::Transform)
                        && lists::read(said.content, part.range.clone(), subject).facts.len() > 1
                };
                if is_dropped && !is_form() {
                    continue;
                }
                // A list stays with its heading.
                match stretches.last_mut() {
                    Some(last) if is_gap(said.content, last.end..part.range.start) => last.end = part.range.end,
                    _ => stretches.push(part.range),
                }
            }
            for stretch in stretches {
                let read = lists::read(said.content, stretch.clone(), subject);
                kept.extend(without(stretch, &read.used));
                lines.extend(read.facts);
            }
            let reason = skip_reason(&kinds);
            let message = sentence::parse_within(said.content, &kept);
            let words: Vec<word::Word<'_>> = message.sentences.iter().flat_map(|s| word::words(s.text)).collect();
            let is_english = language::is_english(words.iter());
            count += message.sentences.len();
            messages.push((at, message, lines, is_english, reason));
        }
        let mut sentences: Vec<parser::Sentence<'_>> = messages
            .iter()
            .filter(|(.., is_english, _)| *is_english)
            .flat_map(|(_, message, ..)| message.sentences.iter().map(|s| parser::Sentence::new(s.text)))
            .collect();
        for sentence in &mut sentences {
            self.words_left = self.words_left.saturating_sub(sentence.len());
            if self.words_left == 0 {
                *sentence = parser::Sentence::with_words(sentence.text(), []);
            }
        }
        let mut trees = Parser::built_in().parse_batch(&sentences).into_iter();
        for (at, message, lines, is_english, reason) in messages {
            let sentences = if is_english {
                let texts = message.sentences.iter();
                texts
                    .zip(trees.by_ref())
                    .map(|(s, tree)| ParsedSentence::new(s.text, s.span.start, s.is_piece, tree))
                    .collect()
            } else {
                Vec::new()
            };
            let parsed = ParsedTurn {
                message,
                sentences,
                lines,
                is_english,
                reason,
            };
            self.ready.push_back((at, parsed));
        }
    }
}

/// What is known of a text: [`classifier::features`].
fn known(text: &str, memory_type: MemoryType, is_dated: bool, encode: SentenceEncoder<'_>) -> Features {
    let words = word::words(text);
    let rule = classifier::Rule {
        memory_type,
        is_dated,
        is_private: private::is_private(text),
    };
    classifier::features(&words, &category::evidence(&words), rule, &encode(text))
}

/// What a fitted classifier makes of a sentence.
pub(crate) fn verdict(model: &Model, features: &Features, is_private: bool) -> Verdict {
    classifier::verdict(&model.probabilities(features), is_private)
}

/// What the classifier knows of a sentence that is said at this time; for fitting it.
pub(crate) fn features(text: &str, said_at: DateTime<Utc>, encode: SentenceEncoder<'_>) -> Features {
    let words = word::words(text);
    let times = time::mentions(&words, said_at.date_naive());
    known(
        text,
        kind::of(&words, &times),
        time::event_time(&times).is_some(),
        encode,
    )
}

/// Whether a text holds secrets or sensitive data, which always belong to [`Category::Private`].
pub fn is_private(text: &str) -> bool {
    private::is_private(text)
}

/// When the thing that a text tells of happens, where it says so; relative times count from `said_at`.
pub fn event_time(text: &str, said_at: DateTime<Utc>) -> Option<(DateTime<Utc>, TimePrecision)> {
    time::event_time(&time::mentions(&word::words(text), said_at.date_naive()))
}

/// What is found out about a fact from its text alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Lasting or of a time.
    pub memory_type: MemoryType,
    /// One to three, the most fitting first.
    pub categories: Vec<Category>,
    /// 0.0 to 1.0.
    pub importance: f32,
    /// When the thing happened or will happen, where the words say so.
    pub event_time: Option<DateTime<Utc>>,
    /// How exactly the words say that; present with `event_time`.
    pub event_time_precision: Option<TimePrecision>,
}

/// Judges a fact that was written elsewhere; relative times count from `said_at`.
pub fn judge(text: &str, said_at: DateTime<Utc>, encode: SentenceEncoder<'_>) -> Judgement {
    let words = word::words(text);
    let times = time::mentions(&words, said_at.date_naive());
    let evidence = category::evidence(&words);
    let is_private = private::is_private(text);
    let classifier::Verdict {
        is_kept: _,
        memory_type,
        categories,
    } = classifier::judge(&features(text, said_at, encode), is_private);
    let standing = importance::Standing {
        memory_type,
        is_private,
        names_speaker: true,
    };
    let (event_time, event_time_precision) = time::event_time(&times).unzip();
    Judgement {
        memory_type,
        categories,
        importance: importance::of(words.iter(), &evidence, standing),
        event_time,
        event_time_precision,
    }
}

/// A usable name: visible, short, one line.
fn clean_name(name: Option<&str>) -> Option<&str> {
    name.map(str::trim).filter(|n| {
        !n.is_empty() && n.len() <= 64 && !n.contains(|c: char| c.is_control()) && n.chars().any(char::is_alphanumeric)
    })
}

/// Whom "you" means: the other of two, or the one who spoke just before.
fn listener<'t>(names: &[&'t str], speaker: Option<&str>, previous: Option<Previous<'t>>) -> Option<&'t str> {
    let speaker = speaker?;
    let mut others = names.iter().copied().filter(|name| *name != speaker);
    match (others.next(), others.next()) {
        (Some(only), None) => Some(only),
        (Some(_), Some(_)) => previous
            .filter(|p| p.role == Role::User)
            .and_then(|p| p.name)
            .filter(|name| *name != speaker),
        (None, _) => None,
    }
}
