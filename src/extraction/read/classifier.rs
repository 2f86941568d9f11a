//! A linear classifier over the features of a stretch: the softmax of a weight for each kind.
//!
//! `memsync eval train-reader` fits the weights, which are compiled in.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::features::{Setting, sum};

/// How many kinds there are.
pub(crate) const KINDS: usize = 12;
/// A number for each kind.
pub(crate) type Kinds = [f32; KINDS];
/// Weights are written in hundredths.
const UNIT: f32 = 100.0;
/// How much a vector of length 1 counts beside the words.
pub(crate) const OF_VECTOR: f32 = 3.0;
/// A line of the vector's weights begins so.
const DIMENSION: &str = "vector:";

static WEIGHTS: &str = include_str!("../../../assets/extraction/reader.tsv");

static MODEL: LazyLock<Model> = LazyLock::new(|| Model::read(WEIGHTS));

/// The weights.
pub(crate) struct Model {
    named: HashMap<String, Kinds>,
    vector: Vec<Kinds>,
}

impl Model {
    /// The compiled-in weights.
    pub(crate) fn built_in() -> &'static Self {
        &MODEL
    }

    /// Reads a feature a line: its name and a weight for each kind, in hundredths, parted by tabs. What can't be read
    /// counts nothing.
    pub(crate) fn read(text: &str) -> Self {
        let line = |line: &str| {
            let mut fields = line.split('\t');
            let name = fields.next()?.to_owned();
            let mut weights = Kinds::default();
            for (weight, field) in weights.iter_mut().zip(fields) {
                *weight = if field.is_empty() {
                    0.0
                } else {
                    field.parse::<f32>().ok()? / UNIT
                };
            }
            Some((name, weights))
        };
        let mut named: HashMap<String, Kinds> = text.lines().filter_map(line).collect();
        let vector = (0..)
            .map_while(|at| named.remove(&format!("{DIMENSION}{at}")))
            .collect();
        Self { named, vector }
    }

    /// The log-probability of each kind for a text with its vector.
    pub(crate) fn log_probabilities(&self, text: &str, setting: &Setting<'_>, vector: &[f32]) -> Kinds {
        let mut sums = sum(text, setting, |name| self.named.get(name).copied());
        for (weights, value) in self.vector.iter().zip(vector) {
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum += OF_VECTOR * weight * value;
            }
        }
        super::normalised(sums)
    }
}

/// The weights as [`Model::read`] reads them: of the named features the `most` with the largest weights.
pub(crate) fn write(named: &[(String, Kinds)], vector: &[Kinds], most: usize) -> String {
    let size = |weights: &Kinds| weights.iter().map(|weight| weight.abs()).fold(0.0, f32::max);
    let mut by_size: Vec<&(String, Kinds)> = named.iter().collect();
    by_size.sort_by(|a, b| size(&b.1).total_cmp(&size(&a.1)).then_with(|| a.0.cmp(&b.0)));
    by_size.truncate(most);
    by_size.sort_by(|a, b| a.0.cmp(&b.0));
    let mut text = String::new();
    let mut line = |name: &str, weights: &Kinds| {
        text += name;
        for weight in weights.map(|weight| (weight * UNIT).round()) {
            text.push('\t');
            if weight != 0.0 {
                text += &format!("{}", weight as i64);
            }
        }
        text.push('\n');
    };
    for (name, weights) in by_size {
        line(name, weights);
    }
    for (at, weights) in vector.iter().enumerate() {
        line(&format!("{DIMENSION}{at}"), weights);
    }
    text
}
