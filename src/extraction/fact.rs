//! One turn into candidate memories: which sentences stay, which belong together, and how each group reads.
//!
//! The orchestration of the files beside it; `mod.rs` walks the conversation and calls it once a turn.

use std::ops::Range;

use super::candidate::{Judged, TurnContext, candidate, finished};
use super::category::{self, Evidence};
use super::coreference::{self, Antecedents};
use super::correction;
use super::dialogue;
use super::foreign;
use super::kind;
use super::lexicon;
use super::lists::LineFact;
use super::non_fact::{self, SentenceKind};
use super::opening;
use super::person::{self, People};
use super::photo;
use super::preceding_turn;
use super::private;
use super::sentence;
use super::split::{self, Clause, Fate, Mentioned, ParsedSentence, Speaker};
use super::time::{self, TimeMention};
use super::word::{Word, words};
use super::{CandidateFact, ParsedTurn, Quote, SentenceEncoder, refine};
use crate::model::{Category, MemoryType, TimePrecision};
use crate::parser::{self, Parser};
use chrono::{DateTime, Utc};

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
    turn: &ParsedTurn<'_>,
    context_of_turn: TurnContext<'_>,
    antecedents: &mut Antecedents,
    mentioned: &mut Mentioned,
    encode: SentenceEncoder<'_>,
) -> Vec<CandidateFact> {
    let message = &turn.message;
    let all: Vec<Vec<Word<'_>>> = message.sentences.iter().map(|s| words(s.text)).collect();
    let mut out: Vec<CandidateFact> = turn
        .lines
        .iter()
        .map(|line| stated(content, line, context_of_turn, encode))
        .collect();
    if !turn.is_english {
        out.extend(foreign::untranslated(content, message, context_of_turn));
        return out;
    }
    let company = coreference::company(all.iter().flatten());
    let people = People {
        speaker: context_of_turn.speaker,
        listener: context_of_turn.listener,
        company: company.as_deref(),
    };
    let lower = content.to_lowercase();
    let is_own = |company: &&str| {
        ["my", "our"]
            .iter()
            .any(|owner| lower.contains(&format!("{owner} {company}")))
    };
    let people = People {
        company: people.company.filter(is_own),
        ..people
    };
    let speaker = Speaker {
        name: people.subject(),
        listener: people.listener,
        company: people.company,
    };

    let mut answered = vec![false; all.len()];
    for answer in answers(content, turn, &all, context_of_turn) {
        let statement = split::answer::as_sentence(&answer.statement);
        let parsed = parsed(&statement);
        mentioned.note(&parsed, speaker.name);
        let mut found = told(content, &parsed, speaker, mentioned, context_of_turn, encode).facts;
        for fact in &mut found {
            fact.quotes.clone_from(&answer.quotes);
        }
        if !found.is_empty() {
            answer.sentences.for_each(|at| answered[at] = true);
        }
        out.extend(found);
    }
    for at in 0..message.sentences.len() {
        let next = message.sentences.get(at + 1).map_or("", |next| next.text);
        let text = message.sentences[at].text;
        let by_next = correction::by_next(text, next);
        let is_by_next = by_next.is_some();
        let Some(meant) = correction::within(text).or(by_next).filter(|_| !answered[at]) else {
            continue;
        };
        let parsed = parsed(&meant);
        let mut found = told(content, &parsed, speaker, mentioned, context_of_turn, encode).facts;
        let last = if is_by_next { at + 1 } else { at };
        let span = message.sentences[at].span.start..message.sentences[last].span.end;
        for fact in &mut found {
            fact.quotes = vec![Quote {
                turn: context_of_turn.turn,
                text: content.get(span.clone()).unwrap_or("").to_owned(),
            }];
        }
        if !found.is_empty() {
            answered[at] = true;
            answered[last] = true;
        }
        out.extend(found);
    }
    for (at, (sentence, words)) in message.sentences.iter().zip(all).enumerate() {
        let parsed = &turn.sentences[at];
        mentioned.note(parsed, speaker.name);
        if answered[at] {
            continue;
        }
        if is_wish(&words, parsed, context_of_turn) {
            continue;
        }
        let mut found = told(content, parsed, speaker, mentioned, context_of_turn, encode);
        // Words of a secret must not come apart: a part of a password would be no longer private.
        let holds_secret = sentence.text.contains(|c: char| c.is_ascii_digit()) && private::is_private(sentence.text);
        if holds_secret && !split::are_whole_clauses(parsed) {
            found = Told {
                facts: Vec::new(),
                is_covered: false,
            };
        }
        // What people tell each other is kept whole rather than lost.
        let is_private = private::is_private(sentence.text) && !sentence.text.trim_end().ends_with('?');
        let keeps_whole = context_of_turn.listeners.are_people || is_private;
        let is_covered = found.is_covered && !(keeps_whole && found.facts.is_empty());
        out.extend(found.facts);
        if is_covered {
            continue;
        }
        let piece = piece(sentence.span.clone(), sentence.text, words, context_of_turn);
        let whole = piece.and_then(|piece| written(content, &piece, is_private, context_of_turn, people, antecedents));
        if let Some(mut whole) = whole {
            let said = whole.quotes[0].text.clone();
            if refine(&mut whole, &said, encode) || keeps_whole {
                out.push(whole);
            }
        }
    }
    if out.is_empty() && context_of_turn.listeners.are_people {
        out.extend(retold(content, message, context_of_turn, people, antecedents));
    }
    photo::add(content, message, context_of_turn, people, &mut out);
    out
}

/// A sentence that greets, thanks or wishes, whatever it says beside: "Happy new year, if one can still say that."
fn is_wish(words: &[Word<'_>], sentence: &ParsedSentence<'_>, context_of_turn: TurnContext<'_>) -> bool {
    non_fact::classify(words, false, context_of_turn.listeners) == SentenceKind::Reaction
        && !sentence.speaks_of_speaker()
}

fn parsed(text: &str) -> ParsedSentence<'_> {
    let tree = Parser::built_in().parse_batch(&[parser::Sentence::new(text)]).pop();
    ParsedSentence::new(text, 0, false, tree.unwrap_or_default())
}

/// What the first sentences of a turn say together with the questions before.
struct Answered {
    statement: String,
    quotes: Vec<Quote>,
    sentences: Range<usize>,
}

fn answers(
    content: &str,
    turn: &ParsedTurn<'_>,
    all: &[Vec<Word<'_>>],
    context_of_turn: TurnContext<'_>,
) -> Vec<Answered> {
    let mut out = Vec::new();
    let Some(first) = all.first() else {
        return out;
    };
    let mut questions = preceding_turn::questions(context_of_turn);
    let mut at = 0;
    if !dialogue::is_open(first)
        && let Some(answer) = preceding_turn::answer(content, &turn.message, all, context_of_turn)
    {
        at = answer.used;
        questions.retain(|question| {
            answer
                .quotes
                .iter()
                .all(|quote| !quote.text.contains(question.as_str()))
        });
        out.push(Answered {
            statement: answer.statement,
            quotes: answer.quotes,
            sentences: 0..answer.used,
        });
    }
    while at < turn.sentences.len() && !questions.is_empty() && split::answer::is_fragment(&turn.sentences[at]) {
        let said = &turn.message.sentences[at];
        let is_reaction = non_fact::classify(&all[at], false, context_of_turn.listeners) == SentenceKind::Reaction
            && !all[at].iter().any(|word| {
                word.is_capitalised() && !lexicon::is_reaction(&word.lower)
                    || non_fact::carries_topic(word)
                    || word.core.contains(|c: char| c.is_ascii_digit())
            });
        if is_reaction {
            at += 1;
            continue;
        }
        let answer = split::answer::text(&turn.sentences[at]);
        let found = questions
            .iter()
            .enumerate()
            .find_map(|(nth, question)| Some((nth, split::answer::statement(&parsed(question), &answer)?)));
        if let Some((nth, statement)) = found {
            let question = questions.remove(nth);
            let quote = |turn: usize, text: &str| Quote {
                turn,
                text: text.to_owned(),
            };
            let mut quotes = vec![quote(context_of_turn.turn, said.text)];
            quotes.extend(context_of_turn.previous.map(|previous| quote(previous.turn, &question)));
            out.push(Answered {
                statement,
                quotes,
                sentences: at..at + 1,
            });
        }
        at += 1;
    }
    out
}

/// What the clauses of a sentence tell.
struct Told {
    facts: Vec<CandidateFact>,
    /// Whether they hold what the sentence says, so that it need not be kept whole.
    is_covered: bool,
}

/// A longer sentence says other things first.
const LONGEST_SAYING_AS_MUCH: usize = 7;

/// Whether a short text has every word of another that carries a topic.
fn says_as_much(text: &str, other: &str) -> bool {
    let known: Vec<String> = words(text).into_iter().map(|word| word.lower).collect();
    if known.len() > LONGEST_SAYING_AS_MUCH {
        return false;
    }
    words(other).iter().all(|word| {
        word.is_one_of(&["user", "user's", "has", "is", "are", "named", "a", "an", "their"])
            || known.contains(&word.lower)
            || known.iter().any(|known| known.trim_end_matches("'s") == word.lower)
    })
}

/// The share of a sentence's words that clauses must hold.
const COVERED: f32 = 0.5;

fn told(
    content: &str,
    sentence: &ParsedSentence<'_>,
    speaker: Speaker<'_>,
    mentioned: &Mentioned,
    context_of_turn: TurnContext<'_>,
    encode: SentenceEncoder<'_>,
) -> Told {
    let mut facts = Vec::new();
    let mut covered = vec![false; sentence.len()];
    let wish = split::instruction(sentence, speaker);
    if let Some(wish) = &wish {
        wish.own.iter().for_each(|word| covered[*word] = true);
        facts.push(standing(content, sentence, wish, context_of_turn, encode));
    }
    // What noun phrases tell, unless a clause says as much: "my sister Anna lives in Bergen".
    let mut by_the_way: Vec<CandidateFact> = Vec::new();
    // When the clause before it happened, which a clause joined to it shares.
    let mut dated: Option<(usize, DateTime<Utc>, TimePrecision)> = None;
    for clause in split::clauses(sentence) {
        // The wish, read again.
        let is_wish = wish.as_ref().is_some_and(|wish| wish.verb == clause.head);
        if is_wish && !clause.is_finished {
            continue;
        }
        let fate = judged(content, sentence, &clause, speaker, mentioned, context_of_turn, encode);
        let is_settled = !matches!(fate, Judgment::Unclear);
        if let Judgment::Kept(mut fact) = fate {
            match (fact.event_time, fact.event_time_precision, dated) {
                (Some(time), Some(precision), _) => dated = Some((clause.head, time, precision)),
                (None, _, Some((before, time, precision)))
                    if clause.is_joined_to(sentence, before) && fact.memory_type == MemoryType::Episodic =>
                {
                    fact.event_time = Some(time);
                    fact.event_time_precision = Some(precision);
                }
                _ => {}
            }
            if clause.is_finished {
                by_the_way.push(*fact);
            } else {
                if let Some(first) = facts.first() {
                    share_topic(&mut fact, first);
                }
                facts.push(*fact);
            }
        }
        if is_settled && !clause.is_finished {
            clause.own.iter().for_each(|word| covered[*word] = true);
        }
    }
    by_the_way.retain(|fact| !facts.iter().any(|said| says_as_much(&said.text, &fact.text)));
    facts.extend(by_the_way);
    let topics = sentence.topics();
    let held = topics.iter().filter(|word| covered[**word]).count();
    Told {
        facts,
        is_covered: sentence.len() > 0 && held as f32 >= COVERED * topics.len() as f32,
    }
}

/// What a line of a list or form states, as a fact.
fn stated(
    content: &str,
    line: &LineFact,
    context_of_turn: TurnContext<'_>,
    encode: SentenceEncoder<'_>,
) -> CandidateFact {
    let said = words(&line.text);
    let times = time::mentions(&said, context_of_turn.sent_at.date_naive());
    let quote = Quote {
        turn: context_of_turn.turn,
        text: content.get(line.range.clone()).unwrap_or("").to_owned(),
    };
    let judged = Judged {
        event_time: time::event_time(&times),
        memory_type: MemoryType::Semantic,
        evidence: category::evidence(&said),
        names_speaker: true,
    };
    let mut fact = candidate(line.text.clone(), vec![quote], judged, said.iter(), context_of_turn);
    refine(&mut fact, &line.text, encode);
    put_first(&mut fact.categories, line.category.as_slice());
    fact
}

/// A memory has at most so many categories.
const MOST_CATEGORIES: usize = 3;

/// "… and dropped a whole tray": a clause without a topic of its own has that of its sentence.
fn share_topic(fact: &mut CandidateFact, first: &CandidateFact) {
    let has_topic = category::evidence(&words(&fact.text)).strongest().is_some();
    let is_private = |fact: &CandidateFact| fact.categories.contains(&Category::Private);
    if !has_topic && !is_private(fact) && !is_private(first) && !fact.is_instruction && !first.is_instruction {
        fact.categories.clone_from(&first.categories);
    }
}

/// Puts categories before others. What is private stays so, whatever has to make way.
fn put_first(categories: &mut Vec<Category>, sure: &[Category]) {
    let is_private = categories.contains(&Category::Private);
    categories.retain(|known| *known != Category::Private && !sure.contains(known));
    categories.splice(0..0, sure.iter().copied());
    categories.truncate(MOST_CATEGORIES - usize::from(is_private));
    if is_private {
        categories.push(Category::Private);
    }
}

/// A standing wish as a fact.
fn standing(
    content: &str,
    sentence: &ParsedSentence<'_>,
    wish: &split::Instruction,
    context_of_turn: TurnContext<'_>,
    encode: SentenceEncoder<'_>,
) -> CandidateFact {
    let said = words(sentence.text);
    let quote = Quote {
        turn: context_of_turn.turn,
        text: content.get(sentence.span(&wish.own)).unwrap_or("").to_owned(),
    };
    let judged = Judged {
        event_time: None,
        memory_type: MemoryType::Semantic,
        evidence: category::evidence(&said),
        names_speaker: true,
    };
    let mut fact = candidate(finished(&wish.text), vec![quote], judged, said.iter(), context_of_turn);
    refine(&mut fact, sentence.text, encode);
    fact.memory_type = MemoryType::Semantic;
    fact.is_instruction = true;
    fact
}

enum Judgment {
    Kept(Box<CandidateFact>),
    Dropped,
    /// Can't be told from the clause alone.
    Unclear,
}

fn judged(
    content: &str,
    sentence: &ParsedSentence<'_>,
    clause: &Clause,
    speaker: Speaker<'_>,
    mentioned: &Mentioned,
    context_of_turn: TurnContext<'_>,
    encode: SentenceEncoder<'_>,
) -> Judgment {
    match clause.fate {
        Fate::Asks | Fate::Orders => return Judgment::Dropped,
        Fate::Tells => {}
    }
    if clause.says_nothing(sentence) || clause.is_idle(sentence) || clause.is_of_the_chat(sentence) {
        return Judgment::Dropped;
    }
    let rendered = split::render(sentence, clause, speaker, mentioned);
    let said = words(&rendered.said);
    if !clause.is_finished {
        let kind = if rendered.is_resolved {
            non_fact::classify(&words(&rendered.text), false, context_of_turn.listeners)
        } else {
            non_fact::classify(&said, false, context_of_turn.listeners)
        };
        match kind {
            SentenceKind::Fact => {}
            SentenceKind::Reaction
                if clause.tells_of_somebody(sentence) || rendered.is_resolved && rendered.names_speaker => {}
            SentenceKind::Feeling
            | SentenceKind::Question
            | SentenceKind::Reaction
            | SentenceKind::Instruction
            | SentenceKind::Hypothetical => {
                return Judgment::Dropped;
            }
        }
        if rendered.is_loose && !rendered.names_speaker || !clause.is_complete(sentence) {
            return Judgment::Unclear;
        }
    }
    let is_private = private::is_private(&rendered.said);
    if clause.is_of_the_world(sentence) && !rendered.names_speaker && !rendered.is_resolved && !is_private {
        return Judgment::Dropped;
    }
    let times = time::mentions(&said, context_of_turn.sent_at.date_naive());
    let quote = Quote {
        turn: context_of_turn.turn,
        text: content.get(sentence.quoted(&clause.own)).unwrap_or("").to_owned(),
    };
    let judged = Judged {
        event_time: time::event_time(&times),
        memory_type: kind::of(&said, &times),
        evidence: category::evidence(&said),
        names_speaker: rendered.names_speaker,
    };
    let mut fact = candidate(
        finished(&rendered.text),
        vec![quote],
        judged,
        said.iter(),
        context_of_turn,
    );
    let is_kept = refine(&mut fact, &rendered.said, encode) || context_of_turn.listeners.are_people;
    if let Some(memory_type) = clause.memory_type(sentence) {
        fact.memory_type = memory_type;
    }
    put_first(&mut fact.categories, &clause.categories(sentence));
    if is_kept || clause.is_finished {
        Judgment::Kept(Box::new(fact))
    } else {
        Judgment::Dropped
    }
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

/// What a person told others, where no fact was found in it: its first sentence that tells something.
fn retold(
    content: &str,
    message: &sentence::ParsedMessage<'_>,
    context_of_turn: TurnContext<'_>,
    people: People<'_>,
    antecedents: &Antecedents,
) -> Option<CandidateFact> {
    let told = message.sentences.iter().find_map(|sentence| {
        let piece = piece(
            sentence.span.clone(),
            sentence.text,
            words(sentence.text),
            context_of_turn,
        )?;
        (piece.kind == SentenceKind::Fact).then_some(piece)
    })?;
    let fixed = antecedents.resolve(&told.words);
    let rewritten = person::third_person(&told.words, people, &told.times, &fixed);
    let text = if rewritten.names_speaker {
        rewritten.text
    } else {
        format!("{} said: {}", people.subject(), rewritten.text)
    };
    Some(whole(content, &told, &text, rewritten.names_speaker, context_of_turn))
}

/// A fact of a whole sentence, as it reads in the third person.
fn whole(
    content: &str,
    piece: &Piece<'_>,
    text: &str,
    names_speaker: bool,
    context_of_turn: TurnContext<'_>,
) -> CandidateFact {
    let quotes = vec![Quote {
        turn: context_of_turn.turn,
        text: content.get(piece.span.clone()).unwrap_or("").to_owned(),
    }];
    let judged = Judged {
        event_time: time::event_time(&piece.times),
        memory_type: kind::of(&piece.words, &piece.times),
        evidence: piece.evidence,
        names_speaker,
    };
    candidate(finished(text), quotes, judged, piece.words.iter(), context_of_turn)
}

/// A sentence as a whole, where its clauses say less.
fn written(
    content: &str,
    piece: &Piece<'_>,
    is_private: bool,
    context_of_turn: TurnContext<'_>,
    people: People<'_>,
    antecedents: &mut Antecedents,
) -> Option<CandidateFact> {
    if piece.kind != SentenceKind::Fact {
        return None;
    }
    let fixed = antecedents.resolve(&piece.words);
    antecedents.note(&piece.words);
    let rewritten = person::third_person(&piece.words, people, &piece.times, &fixed);
    let leans =
        coreference::leans_back(&piece.words) || coreference::holds_loose_pronoun(&piece.words) && fixed.is_empty();
    if (!rewritten.names_speaker || leans) && !is_private {
        return None;
    }
    Some(whole(
        content,
        piece,
        &rewritten.text,
        rewritten.names_speaker,
        context_of_turn,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_private_stays_so_whatever_is_sure() {
        let mut categories = vec![Category::Health, Category::Identity, Category::Private];
        put_first(&mut categories, &[Category::Relationships]);
        assert_eq!(
            categories,
            [Category::Relationships, Category::Health, Category::Private]
        );
        let mut categories = vec![Category::Interests];
        put_first(&mut categories, &[Category::Career, Category::Identity]);
        assert_eq!(categories, [Category::Career, Category::Identity, Category::Interests]);
    }
}
