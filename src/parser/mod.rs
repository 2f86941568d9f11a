//! A tagger and dependency parser for English, trained to read chat as well: lower case, no apostrophes, no commas.
//!
//! [`Sentence::new`] cuts a sentence into words, and [`Parser::parse_batch`] gives each sentence a [`Tree`] after
//! Universal Dependencies. All sentences of a call go through the network together, so few calls with many sentences
//! are the fastest. Nothing here fails or panics, whatever the text is.
//!
//! The weights in `assets/parser` are made by `tools/parser` from UD English-EWT, and have a licence of their own.

mod contractions;
mod decoding;
mod features;
mod labels;
mod network;
#[cfg(test)]
mod tests;
mod tokenizer;
mod tree;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use crate::inference::{Matrix, TensorError};
use crate::providers::{Embedder, StaticTable};

use features::Vocabulary;
use labels::Labels;
use network::{Input, Network};

pub use labels::{Features, Relation, Upos};
pub use tokenizer::tokenize;
pub use tree::{Sentence, Tree, Word};

/// Words that are parsed together; what is longer is parsed in pieces.
const LONGEST_WINDOW: usize = 128;
/// Words that go through the network at once: their activations fit the processor's second cache.
const LARGEST_BATCH: usize = 256;

static WEIGHTS: &[u8] = include_bytes!("../../assets/parser/weights.bin");
static LABELS: &str = include_str!("../../assets/parser/labels.tsv");
static WORDS: &str = include_str!("../../assets/parser/words.txt");

/// The parser; loading takes milliseconds, so a process loads it once.
pub struct Parser {
    table: Arc<StaticTable>,
    vocabulary: Vocabulary,
    labels: Labels,
    network: Network,
    root: Option<usize>,
}

/// A part of a sentence that is parsed at once.
struct Window {
    sentence: usize,
    words: Range<usize>,
}

static BUILT_IN: LazyLock<Parser> = LazyLock::new(|| {
    let parser = Parser::load(StaticTable::built_in());
    parser.expect("invariant: the compiled-in weights fit their labels; tests parse with them")
});

impl Parser {
    /// The parser over the built-in table, loaded at first use.
    ///
    /// # Panics
    ///
    /// If the assets that it was compiled with are broken, which a test rules out.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// The parser that is compiled in. `table` is the built-in embedding table, on whose vectors it was trained.
    pub fn load(table: Arc<StaticTable>) -> Result<Self, TensorError> {
        let labels = Labels::parse(LABELS)?;
        let vocabulary = Vocabulary::new(WORDS);
        let network = Network::read(WEIGHTS, &labels, vocabulary.rows(), table.dimensions())?;
        Ok(Self {
            root: labels.relations.iter().position(|relation| *relation == Relation::ROOT),
            table,
            vocabulary,
            labels,
            network,
        })
    }

    /// A tree for each sentence, in the same order. A sentence without words gets a tree without words.
    pub fn parse_batch(&self, sentences: &[Sentence<'_>]) -> Vec<Tree> {
        let mut trees: Vec<Tree> = sentences.iter().map(|_| Tree::default()).collect();
        let (mut group, mut size) = (Vec::new(), 0);
        for window in sentences.iter().enumerate().flat_map(windows) {
            if size + window.words.len() > LARGEST_BATCH {
                self.parse(&group, sentences, &mut trees);
                group.clear();
                size = 0;
            }
            size += window.words.len();
            group.push(window);
        }
        self.parse(&group, sentences, &mut trees);
        trees
    }

    /// Parses windows together, and appends their words to the trees of their sentences.
    fn parse(&self, windows: &[Window], sentences: &[Sentence<'_>], trees: &mut [Tree]) {
        // Each form once, and for each word the number of its form.
        let (mut forms, mut numbers) = (Vec::new(), HashMap::new());
        let (mut places, mut ranges) = (Vec::new(), Vec::new());
        for window in windows {
            let start = places.len();
            for form in window.words.clone().map(|word| sentences[window.sentence].form(word)) {
                places.push(*numbers.entry(form).or_insert_with(|| {
                    forms.push(form);
                    forms.len() - 1
                }));
            }
            ranges.push(start..places.len());
        }
        if places.is_empty() {
            return;
        }
        let vectors: Vec<Vec<f32>> = forms.iter().map(|form| self.table.encode(form)).collect();
        let inputs: Vec<Input<'_>> = forms
            .iter()
            .enumerate()
            .map(|(number, form)| Input {
                rows: self.vocabulary.rows_of(form),
                vector: vectors.get(number).map_or(&[], Vec::as_slice),
            })
            .collect();
        let scores = self.network.scores(&inputs, &places, &ranges);
        let mut heads = Vec::with_capacity(places.len());
        for range in &ranges {
            let found = decoding::best_heads(&self.network.arcs(&scores, range));
            heads.extend(found.into_iter().map(|head| Some(range.start + head.checked_sub(1)?)));
        }
        let relations = self.network.relations(&scores, &heads);
        for (window, range) in windows.iter().zip(&ranges) {
            let sentence = &sentences[window.sentence];
            let words = range.clone().zip(window.words.clone()).map(|(row, word)| {
                let form = sentence.form(word);
                let upos = choose(&scores.upos, row, None).and_then(|n| self.labels.upos.get(n));
                let upos = upos.copied().unwrap_or(Upos::X);
                let script = choose(&scores.lemmas, row, None).and_then(|n| self.labels.lemmas.get(n));
                let relation = choose(&relations, row, self.root).and_then(|n| self.labels.relations.get(n));
                Word {
                    range: sentence.range(word),
                    upos,
                    features: choose(&scores.features, row, None)
                        .and_then(|n| self.labels.features.get(n).copied())
                        .unwrap_or_default(),
                    lemma: match script {
                        Some(script) if upos != Upos::Propn => script.apply(form),
                        _ => form.to_owned(),
                    },
                    head: heads[row].map(|head| head - range.start + window.words.start),
                    relation: match (heads[row], relation) {
                        (Some(_), Some(relation)) => *relation,
                        _ => Relation::ROOT,
                    },
                }
            });
            trees[window.sentence].append(words.collect());
        }
    }
}

impl std::fmt::Debug for Parser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parser")
            .field("table", &self.table.model())
            .finish_non_exhaustive()
    }
}

/// The pieces of a sentence that are parsed at once.
fn windows((sentence, words): (usize, &Sentence<'_>)) -> impl Iterator<Item = Window> + use<> {
    let count = words.len();
    (0..count).step_by(LONGEST_WINDOW).map(move |start| Window {
        sentence,
        words: start..count.min(start + LONGEST_WINDOW),
    })
}

/// The first column with a row's highest score, but not `except`.
fn choose(scores: &Matrix, row: usize, except: Option<usize>) -> Option<usize> {
    let columns = scores
        .row(row)
        .iter()
        .enumerate()
        .filter(|(column, _)| Some(*column) != except);
    let highest = columns.reduce(|best, next| if next.1 > best.1 { next } else { best });
    highest.map(|(column, _)| column)
}
