//! The layers that networks are composed of.

use super::matrix::{Matrix, dot, sum};
use super::{TensorError, Tensors};

const NORM_EPSILON: f32 = 1e-5;

/// A matrix product and a bias.
#[derive(Debug)]
pub(crate) struct Linear {
    /// A column for each output.
    weights: Matrix,
    bias: Vec<f32>,
}

impl Linear {
    /// Reads `NAME.weight` (a row for each output) and `NAME.bias`, which may be missing.
    pub(crate) fn read(tensors: &Tensors<'_>, name: &str) -> Result<Self, TensorError> {
        let weights = tensors.matrix(&format!("{name}.weight"))?.transposed();
        let bias_name = format!("{name}.bias");
        let bias = if tensors.has(&bias_name) {
            tensors.vector(&bias_name)?
        } else {
            vec![0.0; weights.columns()]
        };
        if bias.len() != weights.columns() {
            return Err(TensorError::shape(&bias_name));
        }
        Ok(Self { weights, bias })
    }

    pub(crate) fn inputs(&self) -> usize {
        self.weights.rows()
    }

    pub(crate) fn outputs(&self) -> usize {
        self.weights.columns()
    }

    pub(crate) fn apply(&self, input: &Matrix) -> Matrix {
        let mut output = Matrix::repeated(&self.bias, input.rows());
        output.add_product(input, &self.weights);
        output
    }
}

/// Brings each row to mean 0 and variance 1, then scales and shifts every column.
#[derive(Debug)]
pub(crate) struct LayerNorm {
    scale: Vec<f32>,
    shift: Vec<f32>,
}

impl LayerNorm {
    /// Reads `NAME.weight` and `NAME.bias`.
    pub(crate) fn read(tensors: &Tensors<'_>, name: &str) -> Result<Self, TensorError> {
        Ok(Self {
            scale: tensors.vector(&format!("{name}.weight"))?,
            shift: tensors.vector(&format!("{name}.bias"))?,
        })
    }

    pub(crate) fn columns(&self) -> usize {
        self.scale.len()
    }

    pub(crate) fn apply(&self, input: &Matrix) -> Matrix {
        let mut output = input.clone();
        let count = input.columns() as f32;
        for row in output.each_row_mut() {
            let mean = sum(row) / count;
            for x in &mut *row {
                *x -= mean;
            }
            let factor = (dot(row, row) / count + NORM_EPSILON).sqrt().recip();
            for ((x, scale), shift) in row.iter_mut().zip(&self.scale).zip(&self.shift) {
                *x = *x * factor * scale + shift;
            }
        }
        output
    }
}

/// A table of rows, kept as bytes and widened when a row is read.
#[derive(Debug)]
pub(crate) struct Embedding<'a> {
    columns: usize,
    scales: Vec<f32>,
    rows: &'a [u8],
}

impl<'a> Embedding<'a> {
    /// Reads `NAME.weight`.
    pub(crate) fn read(tensors: &Tensors<'a>, name: &str) -> Result<Self, TensorError> {
        let (scales, rows, columns) = tensors.bytes(&format!("{name}.weight"))?;
        Ok(Self { columns, scales, rows })
    }

    pub(crate) fn rows(&self) -> usize {
        self.scales.len()
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Appends a row; zeros for a row that the table lacks.
    pub(crate) fn push_row(&self, index: usize, output: &mut Vec<f32>) {
        match self.scales.get(index) {
            Some(scale) => {
                let row = &self.rows[index * self.columns..][..self.columns];
                output.extend(row.iter().map(|&byte| scale * f32::from(byte.cast_signed())));
            }
            None => output.resize(output.len() + self.columns, 0.0),
        }
    }
}

/// Replaces negative numbers by 0.
pub(crate) fn relu(values: &mut [f32]) {
    for x in values {
        *x = x.max(0.0);
    }
}

/// Turns scores into positive shares of 1.
pub(crate) fn softmax(scores: &mut [f32]) {
    let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for x in &mut *scores {
        *x = (*x - highest).exp();
    }
    let total = sum(scores);
    if total > 0.0 {
        for x in scores {
            *x /= total;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_one() {
        let mut scores = [1000.0, 1001.0, -1000.0];
        softmax(&mut scores);
        assert!((sum(&scores) - 1.0).abs() < 1e-6 && scores[1] > scores[0] && scores[2] == 0.0);
        softmax(&mut []);
    }

    #[test]
    fn a_norm_brings_rows_to_mean_zero_and_variance_one() {
        let norm = LayerNorm {
            scale: vec![1.0; 4],
            shift: vec![0.0; 4],
        };
        let output = norm.apply(&Matrix::from_values(4, vec![1.0, 2.0, 3.0, 4.0]));
        assert!(sum(output.row(0)).abs() < 1e-6);
        assert!((dot(output.row(0), output.row(0)) / 4.0 - 1.0).abs() < 1e-4);
    }
}
