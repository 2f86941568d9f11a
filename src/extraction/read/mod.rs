//! What each part of a user's message is: told, asked, quoted, invented, pasted.
//!
//! [`read`] comes before sentences are split into facts. What has a form is known by rules (`form.rs`, `prefix.rs`,
//! `forget.rs`); everything else is judged, stretch by stretch, by a classifier (`classifier.rs`) that looks at the
//! stretch (`features.rs`) and at the whole message. Whether a clause of a part is worth keeping is no concern here.

mod classifier;
mod features;
mod foreign_text;
mod forget;
mod form;
mod frame;
mod object;
mod prefix;
mod quotation;
#[cfg(test)]
mod tests;
mod unit;
mod word_lists;

use std::ops::Range;

pub(crate) use classifier::{KINDS, Kinds, Model, OF_VECTOR, write};
pub(crate) use features::Features;
use features::Setting;

use super::SentenceEncoder;
use super::language;
use super::word;
use unit::{Break, Unit};

/// What a part of a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum MessageKind {
    /// Tells of the user, their people, life, opinions and plans.
    Telling,
    /// Asks something, with facts about the user in it.
    Question,
    /// Asks for something, with nothing of the user in it.
    Request,
    /// A standing wish about how the assistant behaves.
    Instruction,
    /// Somebody else's words: mail, articles, lyrics, reviews.
    Quoted,
    /// Role play and stories.
    Fiction,
    /// A text to translate, rewrite, summarise or correct.
    Transform,
    /// Code, logs, data, shell sessions.
    Code,
    /// Memory or context made for a model.
    Memory,
    /// The talk of a channel: several people's lines, device signatures.
    Chat,
    /// Greetings, thanks, reactions, tests.
    Idle,
    /// Asks that something is not kept.
    Forget,
}

impl MessageKind {
    /// Every kind, in the order of the classifier's answers.
    pub(crate) const ALL: [Self; KINDS] = [
        Self::Telling,
        Self::Question,
        Self::Request,
        Self::Instruction,
        Self::Quoted,
        Self::Fiction,
        Self::Transform,
        Self::Code,
        Self::Memory,
        Self::Chat,
        Self::Idle,
        Self::Forget,
    ];

    /// Its name in data sets.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Telling => "telling",
            Self::Question => "question",
            Self::Request => "request",
            Self::Instruction => "instruction",
            Self::Quoted => "quoted",
            Self::Fiction => "fiction",
            Self::Transform => "transform",
            Self::Code => "code",
            Self::Memory => "memory",
            Self::Chat => "chat",
            Self::Idle => "idle",
            Self::Forget => "forget",
        }
    }

    /// Whether nothing of such a part may become a fact of the user.
    pub(crate) fn is_dropped(self) -> bool {
        matches!(
            self,
            Self::Quoted | Self::Fiction | Self::Transform | Self::Code | Self::Memory | Self::Forget
        )
    }
}

/// A stretch of a message, in bytes: whole lines or sentences, or the quoted object of a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) range: Range<usize>,
    pub(crate) kind: MessageKind,
    /// 0.0 to 1.0; that of the least certain sentence.
    pub(crate) confidence: f32,
}

/// A dropped kind must be so much likelier, as a log-odds, than all others together.
const CAUTION: f32 = 0.7;
/// What is plainly the user's own is so much less likely to be of a dropped kind.
const OWN: f32 = 5.0;
/// What the whole message says of each of its stretches counts so much beside what they say themselves.
const OF_MESSAGE: f32 = 0.25;
/// What it costs to change the kind, as a log-probability: between sentences, lines and paragraphs, and at a quotation.
const CHANGE: [f32; 4] = [2.1, 1.75, 1.05, 0.7];

/// The parts of a message, in its order. Prefixes of a channel, marks of a device and blank lines belong to none.
pub(crate) fn read(content: &str, encode: SentenceEncoder<'_>) -> Vec<Part> {
    read_by(Model::built_in(), content, encode)
}

/// [`read`] with other weights.
pub(crate) fn read_by(model: &Model, content: &str, encode: SentenceEncoder<'_>) -> Vec<Part> {
    let units = unit::units(content);
    let (Some(first), Some(last)) = (units.first(), units.last()) else {
        return Vec::new();
    };
    let body = first.range.start..last.range.end;
    let kinds = if units.iter().all(|unit| unit.fixed.is_some()) {
        units
            .iter()
            .map(|unit| (unit.fixed.unwrap_or(MessageKind::Telling), 1.0))
            .collect()
    } else if is_english(&content[first.range.clone()]) || is_english(&content[body.clone()]) {
        judge(model, content, body.clone(), &units, encode)
    } else {
        // The classifier knows English only.
        units
            .iter()
            .map(|unit| (unit.fixed.unwrap_or(MessageKind::Telling), 0.5))
            .collect()
    };
    if kinds.iter().any(|(kind, _)| *kind == MessageKind::Forget) || forget::is_asked(content, &units) {
        return vec![Part {
            range: body,
            kind: MessageKind::Forget,
            confidence: 1.0,
        }];
    }
    parts(content, &units, &kinds)
}

fn is_english(text: &str) -> bool {
    let sample = &text[..text.floor_char_boundary(2_000)];
    let words = word::words(sample);
    words.len() < 3 || language::is_english(words.iter())
}

/// The likeliest kinds of the units, each with its probability.
fn judge(
    model: &Model,
    content: &str,
    body: Range<usize>,
    units: &[Unit],
    encode: SentenceEncoder<'_>,
) -> Vec<(MessageKind, f32)> {
    let vectors = vectors(content, body.clone(), units, encode);
    let whole = model.log_probabilities(&content[body], &Setting::whole(), &vectors[0]);
    let evidence: Vec<Kinds> = if let [_] = units {
        vec![cautious(whole)]
    } else {
        let own = frame::own(content, units);
        let of_unit = |(at, unit): (usize, &Unit)| {
            if let Some(kind) = unit.fixed {
                return fixed(kind);
            }
            let text = &content[unit.range.clone()];
            let setting = Setting::of(content, units, at);
            let mut sums = model.log_probabilities(text, &setting, &vectors[at + 1]);
            if own[at] {
                for kind in MessageKind::ALL.into_iter().filter(|kind| kind.is_dropped()) {
                    sums[kind as usize] -= OWN;
                }
            } else {
                for (sum, of_whole) in sums.iter_mut().zip(whole) {
                    *sum += OF_MESSAGE * of_whole.max(-8.0);
                }
            }
            let may_be_told = names_user(text) || text.starts_with(['-', '•', '*']);
            if may_be_told && !text.contains(['{', '}', '=', ';', '<', '\\', '_', '$', '(', '[', '/']) {
                sums[MessageKind::Code as usize] -= OWN / 2.0;
            }
            cautious(normalised(sums))
        };
        units.iter().enumerate().map(of_unit).collect()
    };
    let path = likeliest(units, &evidence);
    let kind_of = |(at, kind): (usize, usize)| {
        let (kind, confidence) = (MessageKind::ALL[kind], evidence[at][kind].exp().min(1.0));
        let is_chatter = matches!(kind, MessageKind::Idle | MessageKind::Chat) && units[at].fixed.is_none();
        if is_chatter && names_user(&content[units[at].range.clone()]) {
            (MessageKind::Telling, confidence)
        } else {
            (kind, confidence)
        }
    };
    path.into_iter().enumerate().map(kind_of).collect()
}

/// The vectors of the whole and of its units, if these are several; each with that of the first unit behind it, which
/// says what comes after it.
fn vectors(content: &str, body: Range<usize>, units: &[Unit], encode: SentenceEncoder<'_>) -> Vec<Vec<f32>> {
    let mut vectors = vec![encode(&content[body])];
    if units.len() > 1 {
        let of_unit = |unit: &Unit| match unit.fixed {
            Some(_) => Vec::new(),
            None => encode(&content[unit.range.clone()]),
        };
        vectors.extend(units.iter().map(of_unit));
        let first = encode(&content[units[0].range.clone()]);
        for (at, vector) in vectors.iter_mut().enumerate().filter(|(_, vector)| !vector.is_empty()) {
            if at != 1 {
                vector.extend(&first);
            }
        }
    }
    vectors
}

/// Whether a text has a word for the user.
fn names_user(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).any(|word| {
        ["i", "im", "ive", "my", "me", "we", "our"]
            .iter()
            .any(|own| word.eq_ignore_ascii_case(own))
    })
}

fn fixed(kind: MessageKind) -> Kinds {
    let mut evidence = [-100.0; KINDS];
    evidence[kind as usize] = 0.0;
    evidence
}

/// Log-probabilities that sum to one.
fn normalised(sums: Kinds) -> Kinds {
    let most = sums.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let total = sums.iter().map(|sum| (sum - most).exp()).sum::<f32>().ln() + most;
    sums.map(|sum| sum - total)
}

/// Takes [`CAUTION`] off the kinds that nothing is learnt from.
fn cautious(mut evidence: Kinds) -> Kinds {
    let is_lost = |kind: &MessageKind| kind.is_dropped() || matches!(kind, MessageKind::Chat | MessageKind::Idle);
    for kind in MessageKind::ALL.into_iter().filter(is_lost) {
        evidence[kind as usize] -= CAUTION;
    }
    normalised(evidence)
}

/// The path through the kinds with the best sum of evidence and changes (Viterbi 1967).
fn likeliest(units: &[Unit], evidence: &[Kinds]) -> Vec<usize> {
    let best_of = |scores: &Kinds| (0..KINDS).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap_or(0);
    let mut scores = [0.0_f32; KINDS];
    let mut from: Vec<[usize; KINDS]> = Vec::with_capacity(units.len());
    for (unit, evidence) in units.iter().zip(evidence) {
        let best = best_of(&scores);
        let changed = scores[best] - CHANGE[unit.opens as usize];
        let mut origins = [best; KINDS];
        for kind in 0..KINDS {
            if from.is_empty() || scores[kind] >= changed {
                origins[kind] = kind;
            } else {
                scores[kind] = changed;
            }
            scores[kind] += evidence[kind];
        }
        from.push(origins);
    }
    let mut kind = best_of(&scores);
    let mut path = vec![0; units.len()];
    for (place, origins) in path.iter_mut().zip(&from).rev() {
        *place = kind;
        kind = origins[kind];
    }
    path
}

/// Joins neighbours of a kind, and parts requests from their objects.
fn parts(content: &str, units: &[Unit], kinds: &[(MessageKind, f32)]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut add = |range: Range<usize>, kind: MessageKind, confidence: f32| match parts.last_mut() {
        Some(last) if last.kind == kind && content[last.range.end..range.start].trim().is_empty() => {
            last.range.end = range.end;
            last.confidence = last.confidence.min(confidence);
        }
        _ => parts.push(Part {
            range,
            kind,
            confidence,
        }),
    };
    let mut is_asked = false;
    for (at, (unit, (kind, confidence))) in units.iter().zip(kinds).enumerate() {
        if *kind != MessageKind::Transform || unit.fixed.is_some() {
            is_asked = *kind == MessageKind::Transform;
            if unit.fixed.is_some() {
                add(unit.range.clone(), *kind, *confidence);
                continue;
            }
            for (range, kind) in object::carve(content, unit.range.clone(), *kind) {
                add(range, kind, *confidence);
            }
            continue;
        }
        let next = units.get(at + 1).zip(kinds.get(at + 1));
        let goes_on = next.is_some_and(|(next, (kind, _))| {
            *kind == MessageKind::Transform && (next.opens != Break::Sentence || next.is_quotation)
        });
        if !is_asked && goes_on && !unit.is_quotation && object::is_request(&content[unit.range.clone()]) {
            add(unit.range.clone(), MessageKind::Request, *confidence);
        } else {
            for (range, kind) in object::of_request(content, unit.range.clone()) {
                add(range, kind, *confidence);
            }
        }
        is_asked = true;
    }
    parts
}

/// The stretches of a message that the classifier judges, with their features, for fitting it: first the whole, then,
/// where it has several, the units without a form.
pub(crate) fn stretches(content: &str, encode: SentenceEncoder<'_>) -> Vec<(Range<usize>, Features)> {
    let units = unit::units(content);
    let (Some(first), Some(last)) = (units.first(), units.last()) else {
        return Vec::new();
    };
    if units.iter().all(|unit| unit.fixed.is_some()) {
        return Vec::new();
    }
    let body = first.range.start..last.range.end;
    let mut vectors = vectors(content, body.clone(), &units, encode).into_iter();
    let whole = features::kept(
        &content[body.clone()],
        &Setting::whole(),
        vectors.next().unwrap_or_default(),
    );
    let mut stretches = vec![(body, whole)];
    for ((at, unit), vector) in units.iter().enumerate().zip(vectors) {
        if unit.fixed.is_none() {
            let text = &content[unit.range.clone()];
            let setting = Setting::of(content, &units, at);
            stretches.push((unit.range.clone(), features::kept(text, &setting, vector)));
        }
    }
    stretches
}
