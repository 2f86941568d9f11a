//! Fitting and judging the message reader of `extraction/`: softmax regression by stochastic gradients with AdaGrad
//! (Duchi et al. 2011) and L2 regularisation. Seeded, so that the same messages give the same weights.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;

use super::SentenceError;
use crate::extraction::read::{self, Features, KINDS, Kinds, MessageKind, Model, OF_VECTOR, Part};
use crate::providers::StaticTable;

const ROUNDS: usize = 6;
const STEP: f32 = 0.1;
/// Features of fewer stretches say nothing reliable.
const LEAST_STRETCHES: usize = 2;
/// How little weights are pulled towards zero: the pull of each stretch is one over this times their number.
const FREEDOM: f32 = 0.3;
/// So many features with names are kept.
const MOST_FEATURES: usize = 6_000;

/// A message whose parts are labelled.
#[derive(Clone, Debug)]
pub struct LabelledMessage {
    text: String,
    parts: Vec<(Range<usize>, MessageKind)>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    parts: Vec<RowPart>,
    label: Option<String>,
    text: Option<String>,
}

#[derive(Deserialize)]
struct RowPart {
    label: String,
    text: String,
}

/// Reads a labelled message a line, as `tools/reader/README.md` describes them.
pub fn load_messages(path: &Path) -> Result<Vec<LabelledMessage>, SentenceError> {
    let text = std::fs::read_to_string(path)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| message(line).map_err(|fault| SentenceError::Line(at + 1, fault)))
        .collect()
}

fn message(line: &str) -> Result<LabelledMessage, String> {
    let row: Row = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let mut parts = row.parts;
    if let (Some(label), Some(text)) = (row.label, row.text) {
        parts.push(RowPart { label, text });
    }
    let mut message = LabelledMessage {
        text: String::new(),
        parts: Vec::new(),
    };
    for part in parts {
        let kind = MessageKind::ALL.into_iter().find(|kind| kind.as_str() == part.label);
        let kind = kind.ok_or_else(|| format!("unknown label {}", part.label))?;
        let start = message.text.len();
        message.text += &part.text;
        message.parts.push((start..message.text.len(), kind));
    }
    if message.parts.is_empty() {
        return Err("has no text".to_owned());
    }
    Ok(message)
}

fn encode(text: &str) -> Vec<f32> {
    StaticTable::built_in().encode(text)
}

fn common(a: &Range<usize>, b: &Range<usize>) -> usize {
    a.end.min(b.end).saturating_sub(a.start.max(b.start))
}

struct Example {
    named: Vec<(usize, f32)>,
    vector: Vec<f32>,
    /// The share of each kind.
    answer: Kinds,
}

/// Weights for these messages, as the file that is compiled in.
pub fn train_reader(messages: &[LabelledMessage]) -> String {
    let told: Vec<(Features, Kinds)> = messages.iter().flat_map(stretches).collect();
    let mut frequency: BTreeMap<&str, usize> = BTreeMap::new();
    for (features, _) in &told {
        let mut names: Vec<&str> = features.named.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            *frequency.entry(name).or_default() += 1;
        }
    }
    let frequent = frequency.into_iter().filter(|(_, count)| *count >= LEAST_STRETCHES);
    let names: Vec<&str> = frequent.map(|(name, _)| name).collect();
    let number: HashMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (*name, at)).collect();
    let examples: Vec<Example> = told
        .iter()
        .map(|(features, answer)| Example {
            named: features
                .named
                .iter()
                .filter_map(|(name, value)| Some((*number.get(name.as_str())?, *value)))
                .collect(),
            vector: features.vector.iter().map(|value| OF_VECTOR * value).collect(),
            answer: *answer,
        })
        .collect();
    let (named, vector) = fit(&examples, names.len());
    let named: Vec<(String, Kinds)> = names.iter().map(|name| (*name).to_owned()).zip(named).collect();
    read::write(&named, &vector, MOST_FEATURES)
}

/// What the classifier sees of a message, with the share of each kind in it.
fn stretches(message: &LabelledMessage) -> Vec<(Features, Kinds)> {
    let stretches = read::stretches(&message.text, &encode);
    // Without its prefix a channel's line is like any other.
    let is_stripped = stretches.first().is_some_and(|(range, _)| range.start > 0);
    let is_chat = message.parts.iter().all(|(_, kind)| *kind == MessageKind::Chat);
    if is_stripped && is_chat {
        return Vec::new();
    }
    let answered = stretches.into_iter().map(|(range, features)| {
        let mut answer = Kinds::default();
        #[expect(clippy::cast_precision_loss, reason = "a length")]
        for (part, kind) in &message.parts {
            answer[*kind as usize] += common(part, &range) as f32 / range.len().max(1) as f32;
        }
        (features, answer)
    });
    answered.collect()
}

fn fit(examples: &[Example], features: usize) -> (Vec<Kinds>, Vec<Kinds>) {
    let dimensions = examples.iter().map(|example| example.vector.len()).max().unwrap_or(0);
    let mut weights = vec![Kinds::default(); features + dimensions];
    let mut squares = vec![[1e-4_f32; KINDS]; features + dimensions];
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    #[expect(clippy::cast_precision_loss, reason = "a count of stretches")]
    let pull = 1.0 / (FREEDOM * examples.len().max(1) as f32);
    for _ in 0..ROUNDS {
        for at in (1..order.len()).rev() {
            // xorshift64 (Marsaglia 2003)
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            order.swap(at, usize::try_from(seed % (at as u64 + 1)).unwrap_or(0));
        }
        for example in order.iter().map(|at| &examples[*at]) {
            let dense = example
                .vector
                .iter()
                .enumerate()
                .map(|(at, value)| (features + at, *value));
            let all = || example.named.iter().copied().chain(dense.clone());
            let mut sums = Kinds::default();
            for (feature, value) in all() {
                for (sum, weight) in sums.iter_mut().zip(&weights[feature]) {
                    *sum += weight * value;
                }
            }
            let most = sums.into_iter().fold(f32::NEG_INFINITY, f32::max);
            let powers = sums.map(|sum| (sum - most).exp());
            let total: f32 = powers.iter().sum();
            let mut errors = powers.map(|power| power / total);
            for (error, answer) in errors.iter_mut().zip(example.answer) {
                *error -= answer;
            }
            for (feature, value) in all() {
                let (weights, squares) = (&mut weights[feature], &mut squares[feature]);
                for kind in 0..KINDS {
                    let gradient = errors[kind] * value + pull * weights[kind];
                    squares[kind] += gradient * gradient;
                    weights[kind] -= STEP * gradient / squares[kind].sqrt();
                }
            }
        }
    }
    let vector = weights.split_off(features);
    (weights, vector)
}

/// How messages are read, against their labels.
#[derive(Clone, Debug, Default)]
pub struct ReaderFigures {
    /// How often a part that is labelled as one kind is read as another; `KINDS` is no part at all.
    read_as: [[usize; KINDS + 1]; KINDS],
}

impl LabelledMessage {
    /// Whether it is all of one kind.
    pub fn is_of_one_kind(&self) -> bool {
        self.parts.len() == 1
    }
}

/// Reads messages by the compiled-in weights: those of one kind, those of several.
pub fn judge_reader(messages: &[LabelledMessage]) -> [ReaderFigures; 2] {
    let mut figures = [ReaderFigures::default(), ReaderFigures::default()];
    for message in messages {
        figures[usize::from(!message.is_of_one_kind())].add(message, &read::read(&message.text, &encode));
    }
    figures
}

/// Reads messages that were left out of the fit, a `folds`th at a time. Neighbours, which are alike, are left out
/// together.
pub fn cross_validate_reader(messages: &[LabelledMessage], folds: usize) -> [ReaderFigures; 2] {
    let mut figures = [ReaderFigures::default(), ReaderFigures::default()];
    for fold in 0..folds {
        let part = |is_left_out: bool| {
            let numbered = messages.iter().enumerate();
            let part = numbered.filter(move |(at, _)| (at * folds / messages.len() == fold) == is_left_out);
            part.map(|(_, message)| message.clone()).collect::<Vec<_>>()
        };
        let model = Model::read(&train_reader(&part(false)));
        for message in part(true) {
            figures[usize::from(!message.is_of_one_kind())]
                .add(&message, &read::read_by(&model, &message.text, &encode));
        }
    }
    figures
}

impl ReaderFigures {
    fn add(&mut self, message: &LabelledMessage, read: &[Part]) {
        let is_forgotten = message.parts.iter().any(|(_, kind)| *kind == MessageKind::Forget);
        for (range, label) in &message.parts {
            // With a wish to forget, the whole message is to be forgotten.
            if is_forgotten && *label != MessageKind::Forget {
                continue;
            }
            let kind = read_as(range, *label, read);
            self.read_as[*label as usize][kind] += 1;
        }
    }

    fn share(part: usize, all: usize) -> f64 {
        part as f64 / all.max(1) as f64
    }

    /// The share of parts of dropped kinds that are read as a dropped kind, and of telling ones that are.
    pub fn dropped(&self) -> [f64; 2] {
        let dropped = |row: &[usize; KINDS + 1]| -> usize {
            MessageKind::ALL
                .iter()
                .filter(|kind| kind.is_dropped())
                .map(|kind| row[*kind as usize])
                .sum()
        };
        let (mut right, mut all) = (0, 0);
        for kind in MessageKind::ALL.into_iter().filter(|kind| kind.is_dropped()) {
            let row = &self.read_as[kind as usize];
            right += dropped(row);
            all += row.iter().sum::<usize>();
        }
        let telling = &self.read_as[MessageKind::Telling as usize];
        [
            Self::share(right, all),
            Self::share(dropped(telling), telling.iter().sum()),
        ]
    }

    /// The share of parts that are read as labelled.
    pub fn accuracy(&self) -> f64 {
        let right: usize = (0..KINDS).map(|kind| self.read_as[kind][kind]).sum();
        Self::share(right, self.read_as.iter().flatten().sum())
    }
}

/// The kind that most of a labelled part is read as; [`KINDS`] for none.
fn read_as(range: &Range<usize>, label: MessageKind, read: &[Part]) -> usize {
    let mut bytes = [0; KINDS];
    for part in read {
        bytes[part.kind as usize] += common(range, &part.range);
    }
    let transform = MessageKind::Transform as usize;
    // A labelled text comes with the request about it.
    if label == MessageKind::Transform && bytes[transform] > 0 {
        bytes[MessageKind::Request as usize] = 0;
    }
    // Of a channel's line it is the prefix that has to go.
    let first = read
        .iter()
        .filter(|part| common(range, &part.range) > 0)
        .map(|part| part.range.start)
        .min();
    let last = read.iter().map(|part| part.range.end).max().unwrap_or(0);
    if label == MessageKind::Chat && (first.is_none_or(|first| first > range.start) || last + 3 < range.end) {
        return label as usize;
    }
    let most = (0..KINDS)
        .max_by_key(|kind| bytes[*kind])
        .filter(|kind| bytes[*kind] > 0);
    most.unwrap_or(KINDS)
}

impl fmt::Display for ReaderFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "label           n  prec. recall dropped  read as")?;
        for label in MessageKind::ALL {
            let row = &self.read_as[label as usize];
            let n: usize = row.iter().sum();
            let right = row[label as usize];
            let read: usize = self.read_as.iter().map(|row| row[label as usize]).sum();
            let dropped: usize = MessageKind::ALL
                .iter()
                .filter(|kind| kind.is_dropped())
                .map(|kind| row[*kind as usize])
                .sum();
            write!(
                f,
                "{:<11} {n:>5} {:>6.3} {:>6.3} {:>7.3} ",
                label.as_str(),
                Self::share(right, read),
                Self::share(right, n),
                Self::share(dropped, n)
            )?;
            for other in MessageKind::ALL
                .into_iter()
                .filter(|other| *other != label && row[*other as usize] > 0)
            {
                write!(f, " {} {}", other.as_str(), row[other as usize])?;
            }
            if row[KINDS] > 0 {
                write!(f, " none {}", row[KINDS])?;
            }
            writeln!(f)?;
        }
        let [dropped, lost] = self.dropped();
        writeln!(
            f,
            "accuracy {:.3}; of dropped kinds {dropped:.3} are dropped, of telling {lost:.3}",
            self.accuracy()
        )
    }
}
