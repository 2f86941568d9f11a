//! Fitting the classifier of `extraction/`: logistic regression by stochastic gradients with AdaGrad (Duchi et al. 2011)
//! and L2 regularisation. Seeded, so that the same sentences give the same weights.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::sentences::{Label, Sentence, SentenceError};
use crate::extraction::{self, Features, Model, OUTPUTS};
use crate::model::Category;
use crate::providers::StaticTable;

const ROUNDS: usize = 40;
const STEP: f32 = 0.12;
/// Features of fewer sentences say nothing reliable.
const LEAST_SENTENCES: usize = 2;
/// How little weights are pulled towards zero: the pull of each sentence is one over this times their number.
const FREEDOM: f32 = 1.5;

/// Reads sentences of `type`, `categories` (comma-separated) and text, parted by tabs; `drop` for a type where nothing of
/// it is worth keeping.
pub fn load_training(path: &Path) -> Result<Vec<Sentence>, SentenceError> {
    let text = std::fs::read_to_string(path)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| {
            let mut fields = line.splitn(3, '\t');
            let (kind, categories, text) = (fields.next(), fields.next(), fields.next());
            sentence(kind.zip(categories).zip(text)).map_err(|fault| SentenceError::Line(at + 1, fault))
        })
        .collect()
}

fn sentence(fields: Option<((&str, &str), &str)>) -> Result<Sentence, String> {
    let ((kind, categories), text) = fields.ok_or("must be type, categories and text, parted by tabs")?;
    let text = text.trim().to_owned();
    if kind == "drop" {
        return Ok(Sentence { text, label: None });
    }
    let word = |e: crate::model::UnknownWord| e.to_string();
    let categories: Result<Vec<Category>, _> = categories.split(',').map(|c| c.trim().parse()).collect();
    Ok(Sentence {
        text,
        label: Some(Label {
            memory_type: kind.parse().map_err(word)?,
            categories: categories.map_err(word)?,
            days: None,
        }),
    })
}

/// Keep-or-drop accuracy, type accuracy and micro-F1 of categories over sentences that were left out of the fit, a
/// `folds`th at a time: of the classifier alone, without the rules that drop sentences before it.
pub fn cross_validate(sentences: &[Sentence], folds: usize) -> [f64; 3] {
    let (mut kept, mut types, mut labelled, mut both, mut all) = (0, 0, 0, 0, 0);
    for fold in 0..folds {
        let part = |is_left_out: bool| {
            let numbered = sentences.iter().enumerate();
            let part = numbered.filter(move |(at, _)| (at % folds == fold) == is_left_out);
            part.map(|(_, sentence)| sentence.clone()).collect::<Vec<_>>()
        };
        let model = Model::read(&train(&part(false)));
        for sentence in part(true) {
            let features = extraction::features(&sentence.text, super::sentences::said_at(), &|text| {
                StaticTable::built_in().encode(text)
            });
            let verdict = extraction::verdict(&model, &features, extraction::is_private(&sentence.text));
            kept += usize::from(verdict.is_kept == sentence.label.is_some());
            let Some(label) = sentence.label else { continue };
            labelled += 1;
            types += usize::from(verdict.memory_type == label.memory_type);
            both += 2 * label
                .categories
                .iter()
                .filter(|c| verdict.categories.contains(c))
                .count();
            all += label.categories.len() + verdict.categories.len();
        }
    }
    let share = |part: usize, all: usize| part as f64 / all.max(1) as f64;
    [share(kept, sentences.len()), share(types, labelled), share(both, all)]
}

struct Example {
    features: Vec<(usize, f32)>,
    answers: [Option<f32>; OUTPUTS],
}

/// Weights for these sentences, as the file that is compiled in.
pub fn train(sentences: &[Sentence]) -> String {
    let told: Vec<Features> = sentences
        .iter()
        .map(|sentence| {
            extraction::features(&sentence.text, super::sentences::said_at(), &|text| {
                StaticTable::built_in().encode(text)
            })
        })
        .collect();
    let mut frequency: BTreeMap<&str, usize> = BTreeMap::new();
    for features in &told {
        let mut names: Vec<&str> = features.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            *frequency.entry(name).or_default() += 1;
        }
    }
    let names: Vec<&str> = frequency
        .into_iter()
        .filter(|(_, count)| *count >= LEAST_SENTENCES)
        .map(|(name, _)| name)
        .collect();
    let number: HashMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (*name, at)).collect();
    let examples: Vec<Example> = told
        .iter()
        .zip(sentences)
        .map(|(features, sentence)| {
            let known = features.iter();
            let known = known.filter_map(|(name, value)| Some((*number.get(name.as_str())?, *value)));
            let label = sentence.label.as_ref();
            Example {
                features: known.collect(),
                answers: extraction::answers(label.map(|label| (label.memory_type, label.categories.as_slice()))),
            }
        })
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "a count of sentences")]
    let pull = 1.0 / (FREEDOM * examples.len().max(1) as f32);
    let pulls: Vec<f32> = names
        .iter()
        .map(|name| if *name == "bias" { 0.0 } else { pull })
        .collect();
    let weights = fit(&examples, &pulls);
    let rows: Vec<(String, [f32; OUTPUTS])> = names.iter().map(|name| (*name).to_owned()).zip(weights).collect();
    extraction::write_weights(&rows)
}

fn fit(examples: &[Example], pulls: &[f32]) -> Vec<[f32; OUTPUTS]> {
    let mut weights = vec![[0.0_f32; OUTPUTS]; pulls.len()];
    let mut squares = vec![[1e-6_f32; OUTPUTS]; pulls.len()];
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..ROUNDS {
        for at in (1..order.len()).rev() {
            // xorshift64 (Marsaglia 2003)
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            order.swap(at, usize::try_from(seed % (at as u64 + 1)).unwrap_or(0));
        }
        for example in order.iter().map(|at| &examples[*at]) {
            let mut sums = [0.0_f32; OUTPUTS];
            for (feature, value) in &example.features {
                for (sum, weight) in sums.iter_mut().zip(&weights[*feature]) {
                    *sum += weight * value;
                }
            }
            let mut errors = [0.0_f32; OUTPUTS];
            for ((error, sum), answer) in errors.iter_mut().zip(sums).zip(example.answers) {
                *error = answer.map_or(0.0, |answer| 1.0 / (1.0 + (-sum).exp()) - answer);
            }
            for (feature, value) in &example.features {
                let pull = pulls[*feature];
                for output in 0..OUTPUTS {
                    if example.answers[output].is_none() {
                        continue;
                    }
                    let weight = &mut weights[*feature][output];
                    let gradient = errors[output] * value + pull * *weight;
                    let square = &mut squares[*feature][output];
                    *square += gradient * gradient;
                    *weight -= STEP * gradient / square.sqrt();
                }
            }
        }
    }
    weights
}
