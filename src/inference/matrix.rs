//! Matrices of `f32`, row after row.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

/// Numbers that are added up side by side, so that the compiler can keep them in one register.
const LANES: usize = 8;

/// A matrix whose rows lie one behind the other. A row is a word of a batch.
#[derive(Clone, Debug)]
pub(crate) struct Matrix {
    columns: usize,
    values: Vec<f32>,
}

impl Matrix {
    /// Zeros.
    pub(crate) fn zeros(rows: usize, columns: usize) -> Self {
        Self {
            columns,
            values: vec![0.0; rows * columns],
        }
    }

    /// The values, row after row; those that do not fill a row are dropped.
    pub(crate) fn from_values(columns: usize, mut values: Vec<f32>) -> Self {
        let rows = values.len().checked_div(columns).unwrap_or(0);
        values.truncate(rows * columns);
        Self { columns, values }
    }

    /// `count` copies of a row.
    pub(crate) fn repeated(row: &[f32], count: usize) -> Self {
        Self {
            columns: row.len(),
            values: row.repeat(count),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.values.len().checked_div(self.columns).unwrap_or(0)
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    pub(crate) fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.columns..][..self.columns]
    }

    pub(crate) fn row_mut(&mut self, index: usize) -> &mut [f32] {
        &mut self.values[index * self.columns..][..self.columns]
    }

    /// Every row in turn.
    pub(crate) fn each_row(&self) -> std::slice::ChunksExact<'_, f32> {
        self.values.chunks_exact(self.columns.max(1))
    }

    /// Every row in turn, to be changed.
    pub(crate) fn each_row_mut(&mut self) -> std::slice::ChunksExactMut<'_, f32> {
        self.values.chunks_exact_mut(self.columns.max(1))
    }

    /// All values, row after row.
    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// Adds another matrix of the same shape.
    pub(crate) fn add(&mut self, other: &Self) {
        add(&mut self.values, &other.values);
    }

    /// The transposed matrix.
    pub(crate) fn transposed(&self) -> Self {
        let mut result = Self::zeros(self.columns, self.rows());
        for (row, values) in self.each_row().enumerate() {
            for (column, &value) in values.iter().enumerate() {
                result.values[column * result.columns + row] = value;
            }
        }
        result
    }

    /// Adds `left` times `right` to this matrix. Nothing happens where the shapes do not fit.
    pub(crate) fn add_product(&mut self, left: &Self, right: &Self) {
        let shape = (left.rows(), right.columns);
        let Ok(mut sum) = ArrayViewMut2::from_shape(shape, &mut self.values) else {
            return;
        };
        let (Some(left), Some(right)) = (left.view(), right.view()) else {
            return;
        };
        if left.ncols() == right.nrows() {
            general_mat_mul(1.0, &left, &right, 1.0, &mut sum);
        }
    }

    fn view(&self) -> Option<ArrayView2<'_, f32>> {
        ArrayView2::from_shape((self.rows(), self.columns), &self.values).ok()
    }
}

/// Adds `other` to `sum`, number by number.
pub(crate) fn add(sum: &mut [f32], other: &[f32]) {
    for (sum, other) in sum.iter_mut().zip(other) {
        *sum += other;
    }
}

/// The sum of products, number by number.
pub(crate) fn dot(left: &[f32], right: &[f32]) -> f32 {
    let (left, left_rest) = left.as_chunks::<LANES>();
    let (right, right_rest) = right.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (left, right) in left.iter().zip(right) {
        for lane in 0..LANES {
            sums[lane] += left[lane] * right[lane];
        }
    }
    let rest: f32 = left_rest.iter().zip(right_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// The sum of the numbers.
pub(crate) fn sum(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            sums[lane] += chunk[lane];
        }
    }
    sums.iter().sum::<f32>() + rest.iter().sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_the_definition() {
        let left = Matrix::from_values(3, (0..6).map(|x| x as f32).collect());
        let right = Matrix::from_values(2, (0..6).map(|x| x as f32 - 2.0).collect());
        let mut product = Matrix::repeated(&[1.0, 0.0], 2);
        product.add_product(&left, &right);
        assert_eq!(product.row(0), [5.0, 7.0]);
        assert_eq!(product.row(1), [5.0, 16.0]);
    }

    #[test]
    fn sums_do_not_depend_on_the_length() {
        for length in [0, 1, 7, 8, 9, 40] {
            let ones = vec![1.0; length];
            assert_eq!(sum(&ones), length as f32);
            assert_eq!(dot(&ones, &ones), length as f32);
        }
    }

    #[test]
    fn shapes_that_do_not_fit_change_nothing() {
        let mut product = Matrix::zeros(2, 2);
        product.add_product(&Matrix::repeated(&[1.0; 3], 2), &Matrix::repeated(&[1.0; 2], 2));
        product.add_product(&Matrix::repeated(&[1.0; 2], 3), &Matrix::repeated(&[1.0; 2], 2));
        assert!(product.each_row().flatten().all(|&x| x == 0.0));
        assert_eq!(Matrix::zeros(0, 0).transposed().rows(), 0);
    }

    #[test]
    fn transposing_twice_gives_the_same() {
        let matrix = Matrix::from_values(3, (0..6).map(|x| x as f32).collect());
        assert_eq!(matrix.transposed().row(1), [1.0, 4.0]);
        assert_eq!(matrix.transposed().transposed().row(1), matrix.row(1));
    }
}
