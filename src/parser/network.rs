//! The parser's network: word features, an encoder of convolutions and attention, scores for labels and arcs.
//!
//! `tools/parser/model.py` defines it. Rows of matrices are the words of all sentences of a batch, one after the other.

use std::ops::Range;

use crate::inference::{Embedding, LayerNorm, Linear, Matrix, TensorError, Tensors, add, dot, relu, softmax};

use super::features::{AFFIX_ROWS, AFFIXES, Rows, SHAPES};
use super::labels::Labels;

/// Static vectors have length 1: brought to the scale of the other inputs.
const STATIC_SCALE: f32 = 8.0;

/// A word as the network takes it.
pub(super) struct Input<'a> {
    pub(super) rows: Rows,
    /// Its vector in the built-in table.
    pub(super) vector: &'a [f32],
}

/// Scores for every word of a batch, a row each.
pub(super) struct Scores {
    pub(super) upos: Matrix,
    pub(super) features: Matrix,
    pub(super) lemmas: Matrix,
    dependents: Matrix,
    governors: Matrix,
    label_dependents: Matrix,
    label_governors: Matrix,
}

/// The weights.
#[derive(Debug)]
pub(super) struct Network {
    static_columns: usize,
    word: Embedding<'static>,
    affix: Embedding<'static>,
    shape: Embedding<'static>,
    input: Linear,
    blocks: Vec<Block>,
    norm: LayerNorm,
    upos: Linear,
    features: Linear,
    lemma: Linear,
    arc_dependent: Linear,
    arc_governor: Linear,
    arc: Linear,
    arc_distance: Distances,
    label_dependent: Linear,
    label_governor: Linear,
    label: Linear,
    /// What the root is as a governor of arcs and of labels.
    root_governor: Vec<f32>,
    root_label: Vec<f32>,
}

impl Network {
    /// Reads the weights, and checks that they fit the labels, the vocabulary and the static vectors.
    pub(super) fn read(
        file: &'static [u8],
        labels: &Labels,
        words: usize,
        static_columns: usize,
    ) -> Result<Self, TensorError> {
        let tensors = Tensors::read(file)?;
        let linear = |name: &str| Linear::read(&tensors, name);
        let mut blocks = Vec::new();
        while let Some(block) = Block::read(&tensors, &format!("blocks.{}", blocks.len()))? {
            blocks.push(block);
        }
        let root = Matrix::from_values(tensors.vector("root")?.len(), tensors.vector("root")?);
        let (arc_governor, label_governor) = (linear("arc_governor")?, linear("label_governor")?);
        if root.columns() != arc_governor.inputs() || root.columns() != label_governor.inputs() {
            return Err(TensorError::shape("root"));
        }
        let mut root_governor = arc_governor.apply(&root);
        relu(root_governor.values_mut());
        let root_label = label_governor.apply(&root).row(0).to_vec();
        let network = Self {
            static_columns,
            word: Embedding::read(&tensors, "word")?,
            affix: Embedding::read(&tensors, "affix")?,
            shape: Embedding::read(&tensors, "shape")?,
            input: linear("input")?,
            blocks,
            norm: LayerNorm::read(&tensors, "norm")?,
            upos: linear("upos")?,
            features: linear("features")?,
            lemma: linear("lemma")?,
            arc_dependent: linear("arc_dependent")?,
            arc_governor,
            arc: linear("arc")?,
            arc_distance: Distances(tensors.vector("arc_distance")?),
            label_dependent: linear("label_dependent")?,
            label_governor,
            label: linear("label")?,
            root_governor: root_governor.row(0).to_vec(),
            root_label,
        };
        network.check(labels, words)?;
        Ok(network)
    }

    /// That every part takes what the part before it gives.
    fn check(&self, labels: &Labels, words: usize) -> Result<(), TensorError> {
        let width = self.norm.columns();
        let embedded = self.word.columns() + AFFIXES * self.affix.columns() + self.shape.columns();
        let arc = self.arc.inputs();
        let fits = [
            ("word", self.word.rows() == words),
            ("affix", self.affix.rows() == AFFIX_ROWS),
            ("shape", self.shape.rows() == SHAPES),
            (
                "input",
                self.input.inputs() == self.static_columns + embedded && self.input.outputs() == width,
            ),
            ("blocks", self.blocks.iter().all(|block| block.fits(width))),
            ("upos", fits(&self.upos, width, labels.upos.len())),
            ("features", fits(&self.features, width, labels.features.len())),
            ("lemma", fits(&self.lemma, width, labels.lemmas.len())),
            (
                "arc",
                self.arc.outputs() == arc && fits(&self.arc_dependent, width, arc),
            ),
            ("arc_governor", fits(&self.arc_governor, width, arc)),
            ("arc_distance", self.arc_distance.are_odd()),
            ("label", self.label.outputs() == labels.relations.len()),
            (
                "label_dependent",
                fits(&self.label_dependent, width, self.label.inputs()),
            ),
            ("label_governor", fits(&self.label_governor, width, self.label.inputs())),
        ];
        match fits.iter().find(|(_, fits)| !fits) {
            Some((name, _)) => Err(TensorError::shape(name)),
            None => Ok(()),
        }
    }

    /// Scores for the words of `places`, each the number of its input; a sentence is a range of places.
    pub(super) fn scores(&self, inputs: &[Input<'_>], places: &[usize], sentences: &[Range<usize>]) -> Scores {
        let entering = self.input.apply(&self.features_of(inputs));
        let mut x = Matrix::zeros(places.len(), entering.columns());
        for (row, &place) in x.each_row_mut().zip(places) {
            row.copy_from_slice(entering.row(place));
        }
        for block in &self.blocks {
            block.apply(&mut x, sentences);
        }
        let x = self.norm.apply(&x);
        let mut dependents = self.arc_dependent.apply(&x);
        let mut governors = self.arc_governor.apply(&x);
        relu(dependents.values_mut());
        relu(governors.values_mut());
        Scores {
            upos: self.upos.apply(&x),
            features: self.features.apply(&x),
            lemmas: self.lemma.apply(&x),
            dependents: self.arc.apply(&dependents),
            governors,
            label_dependents: self.label_dependent.apply(&x),
            label_governors: self.label_governor.apply(&x),
        }
    }

    fn features_of(&self, inputs: &[Input<'_>]) -> Matrix {
        let mut values = Vec::with_capacity(inputs.len() * self.input.inputs());
        for input in inputs {
            let start = values.len();
            values.extend(input.vector.iter().take(self.static_columns).map(|x| x * STATIC_SCALE));
            values.resize(start + self.static_columns, 0.0);
            self.word.push_row(input.rows.word, &mut values);
            for row in input.rows.affixes {
                self.affix.push_row(row, &mut values);
            }
            self.shape.push_row(input.rows.shape, &mut values);
        }
        Matrix::from_values(self.input.inputs(), values)
    }

    /// How well each word of a sentence hangs under the root and under each of its words.
    pub(super) fn arcs(&self, scores: &Scores, sentence: &Range<usize>) -> Vec<Vec<f32>> {
        let arcs = |place: usize| {
            let dependent = scores.dependents.row(sentence.start + place);
            let heads = sentence.clone().map(|head| dot(dependent, scores.governors.row(head)));
            std::iter::once(dot(dependent, &self.root_governor))
                .chain(heads)
                .enumerate()
                // The root counts as the word before the first.
                .map(|(head, score)| score + self.arc_distance.between(place + 1, head))
                .collect()
        };
        (0..sentence.len()).map(arcs).collect()
    }

    /// Scores of every word's relation to its head: the head's place in the batch, or `None` under the root.
    pub(super) fn relations(&self, scores: &Scores, heads: &[Option<usize>]) -> Matrix {
        let mut hidden = scores.label_dependents.clone();
        for (row, head) in hidden.each_row_mut().zip(heads) {
            add(
                row,
                head.map_or(&self.root_label, |head| scores.label_governors.row(head)),
            );
        }
        relu(hidden.values_mut());
        self.label.apply(&hidden)
    }
}

fn fits(linear: &Linear, inputs: usize, outputs: usize) -> bool {
    linear.inputs() == inputs && linear.outputs() == outputs
}

/// A number for each distance from a word to another; far ones share the last.
#[derive(Debug)]
struct Distances(Vec<f32>);

impl Distances {
    /// As many distances to the left as to the right, and one for none.
    fn are_odd(&self) -> bool {
        self.0.len() % 2 == 1
    }

    fn between(&self, from: usize, to: usize) -> f32 {
        let farthest = self.0.len() / 2;
        let place = (to + farthest).saturating_sub(from).min(2 * farthest);
        self.0.get(place).copied().unwrap_or(0.0)
    }
}

/// A step of the encoder.
#[derive(Debug)]
enum Block {
    Convolution { norm: LayerNorm, mix: Linear },
    Attention(Box<Attention>),
}

#[derive(Debug)]
struct Attention {
    norm: LayerNorm,
    qkv: Linear,
    out: Linear,
    /// For each head.
    distances: Vec<Distances>,
    norm2: LayerNorm,
    up: Linear,
    down: Linear,
}

impl Block {
    fn read(tensors: &Tensors<'_>, name: &str) -> Result<Option<Self>, TensorError> {
        let linear = |part: &str| Linear::read(tensors, &format!("{name}.{part}"));
        let norm = |part: &str| LayerNorm::read(tensors, &format!("{name}.{part}"));
        if tensors.has(&format!("{name}.mix.weight")) {
            return Ok(Some(Self::Convolution {
                norm: norm("norm")?,
                mix: linear("mix")?,
            }));
        }
        if !tensors.has(&format!("{name}.qkv.weight")) {
            return Ok(None);
        }
        let distances = tensors.matrix(&format!("{name}.distance"))?;
        Ok(Some(Self::Attention(Box::new(Attention {
            norm: norm("norm")?,
            qkv: linear("qkv")?,
            out: linear("out")?,
            distances: distances.each_row().map(|row| Distances(row.to_vec())).collect(),
            norm2: norm("norm2")?,
            up: linear("up")?,
            down: linear("down")?,
        }))))
    }

    fn fits(&self, width: usize) -> bool {
        match self {
            Self::Convolution { norm, mix } => norm.columns() == width && fits(mix, 3 * width, 2 * width),
            Self::Attention(attention) => {
                let heads = attention.distances.len();
                heads > 0
                    && width.is_multiple_of(heads)
                    && attention.distances.iter().all(Distances::are_odd)
                    && attention.norm.columns() == width
                    && attention.norm2.columns() == width
                    && fits(&attention.qkv, width, 3 * width)
                    && fits(&attention.out, width, width)
                    && fits(&attention.up, width, attention.down.inputs())
                    && attention.down.outputs() == width
            }
        }
    }

    fn apply(&self, x: &mut Matrix, sentences: &[Range<usize>]) {
        match self {
            Self::Convolution { norm, mix } => {
                let mixed = mix.apply(&windows(&norm.apply(x), sentences));
                let width = x.columns();
                for (row, mixed) in x.each_row_mut().zip(mixed.each_row()) {
                    let (a, b) = mixed.split_at(width);
                    for ((x, a), b) in row.iter_mut().zip(a).zip(b) {
                        *x += a.max(*b);
                    }
                }
            }
            Self::Attention(attention) => attention.apply(x, sentences),
        }
    }
}

/// Each word's row between those of its neighbours; zeros beyond the ends of its sentence.
fn windows(x: &Matrix, sentences: &[Range<usize>]) -> Matrix {
    let width = x.columns();
    let mut result = Matrix::zeros(x.rows(), 3 * width);
    for sentence in sentences {
        for place in sentence.clone() {
            let row = result.row_mut(place);
            if place > sentence.start {
                row[..width].copy_from_slice(x.row(place - 1));
            }
            row[width..2 * width].copy_from_slice(x.row(place));
            if place + 1 < sentence.end {
                row[2 * width..].copy_from_slice(x.row(place + 1));
            }
        }
    }
    result
}

impl Attention {
    fn apply(&self, x: &mut Matrix, sentences: &[Range<usize>]) {
        let qkv = self.qkv.apply(&self.norm.apply(x));
        let mut mixed = Matrix::zeros(x.rows(), x.columns());
        for sentence in sentences {
            self.attend(&qkv, sentence, &mut mixed);
        }
        x.add(&self.out.apply(&mixed));
        let mut inner = self.up.apply(&self.norm2.apply(x));
        relu(inner.values_mut());
        x.add(&self.down.apply(&inner));
    }

    /// Each word's mixture of its sentence's words, head by head.
    fn attend(&self, qkv: &Matrix, sentence: &Range<usize>, mixed: &mut Matrix) {
        let width = mixed.columns();
        let size = width / self.distances.len();
        let scale = (size as f32).sqrt().recip();
        let mut shares = vec![0.0; sentence.len()];
        for place in sentence.clone() {
            for (head, distances) in self.distances.iter().enumerate() {
                let part = |start: usize| start + head * size..start + (head + 1) * size;
                let query = &qkv.row(place)[part(0)];
                for (share, other) in shares.iter_mut().zip(sentence.clone()) {
                    *share = dot(query, &qkv.row(other)[part(width)]) * scale + distances.between(place, other);
                }
                softmax(&mut shares);
                let output = &mut mixed.row_mut(place)[part(0)];
                for (share, other) in shares.iter().zip(sentence.clone()) {
                    for (sum, value) in output.iter_mut().zip(&qkv.row(other)[part(2 * width)]) {
                        *sum += share * value;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_cut_at_the_farthest() {
        let distances = Distances(vec![-2.0, -1.0, 0.0, 1.0, 2.0]);
        let found = [(5, 5), (5, 6), (5, 9), (5, 4), (9, 0)].map(|(from, to)| distances.between(from, to));
        assert_eq!(found, [0.0, 1.0, 2.0, -1.0, -2.0]);
    }

    #[test]
    fn windows_end_with_their_sentences() {
        let x = Matrix::from_values(1, vec![1.0, 2.0, 3.0]);
        let windows = windows(&x, &[0..2, 2..3]);
        let rows: Vec<_> = windows.each_row().collect();
        assert_eq!(rows, [[0.0, 1.0, 2.0], [1.0, 2.0, 0.0], [0.0, 3.0, 0.0]]);
    }
}
