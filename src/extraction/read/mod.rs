//! What each part of a user's message is: told, asked, quoted, invented, pasted.
//!
//! [`read`] comes before sentences are split into facts. What has a form is known by rules (`form.rs`, `prefix.rs`,
//! `forget.rs`); everything else is judged, stretch by stretch, by a classifier (`classifier.rs`) that looks at the
//! stretch (`features.rs`) and at the whole message. Whether a clause of a part is worth keeping is no concern here.

mod classifier;
mod features;
mod forget;
mod form;
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
const CAUTION: f32 = 0.4;
/// What the whole message says of each of its stretches counts so much beside what they say themselves.
const OF_MESSAGE: f32 = 1.0;
/// What it costs to change the kind, as a log-probability: between sentences, lines and paragraphs, and at a quotation.
const CHANGE: [f32; 4] = [3.0, 2.5, 1.5, 1.0];

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
    } else if is_english(&content[body.clone()]) {
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
    let whole = model.log_probabilities(&content[body.clone()], &Setting::whole(), &encode(&content[body]));
    let evidence: Vec<[f32; KINDS]> = if let [_] = units {
        vec![cautious(whole)]
    } else {
        let of_unit = |(at, unit): (usize, &Unit)| {
            if let Some(kind) = unit.fixed {
                return fixed(kind);
            }
            let text = &content[unit.range.clone()];
            let setting = Setting::of(content, units, at);
            let mut sums = model.log_probabilities(text, &setting, &encode(text));
            for (sum, of_whole) in sums.iter_mut().zip(whole) {
                *sum += OF_MESSAGE * of_whole.max(-8.0);
            }
            cautious(normalised(sums))
        };
        units.iter().enumerate().map(of_unit).collect()
    };
    let path = likeliest(units, &evidence);
    path.into_iter()
        .zip(&evidence)
        .map(|(kind, evidence)| (MessageKind::ALL[kind], evidence[kind].exp().min(1.0)))
        .collect()
}

fn fixed(kind: MessageKind) -> [f32; KINDS] {
    let mut evidence = [-100.0; KINDS];
    evidence[kind as usize] = 0.0;
    evidence
}

/// Log-probabilities that sum to one.
fn normalised(sums: [f32; KINDS]) -> [f32; KINDS] {
    let most = sums.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let total = sums.iter().map(|sum| (sum - most).exp()).sum::<f32>().ln() + most;
    sums.map(|sum| sum - total)
}

/// Takes [`CAUTION`] off the dropped kinds.
fn cautious(mut evidence: [f32; KINDS]) -> [f32; KINDS] {
    for kind in MessageKind::ALL.into_iter().filter(|kind| kind.is_dropped()) {
        evidence[kind as usize] -= CAUTION;
    }
    normalised(evidence)
}

/// The path through the kinds with the best sum of evidence and changes (Viterbi 1967).
fn likeliest(units: &[Unit], evidence: &[[f32; KINDS]]) -> Vec<usize> {
    let best_of = |scores: &[f32; KINDS]| (0..KINDS).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap_or(0);
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
        if *kind != MessageKind::Transform {
            is_asked = false;
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
    let text = &content[body.clone()];
    let mut stretches = vec![(body, features::kept(text, &Setting::whole(), encode(text)))];
    if units.len() > 1 {
        for (at, unit) in units.iter().enumerate().filter(|(_, unit)| unit.fixed.is_none()) {
            let text = &content[unit.range.clone()];
            let setting = Setting::of(content, &units, at);
            stretches.push((unit.range.clone(), features::kept(text, &setting, encode(text))));
        }
    }
    stretches
}
