//! The matrix of memory vectors: one contiguous block of signed bytes, one row a slot.
//!
//! Only cosines live here; which rows may be seen is the caller's business. Used by [`super::PersonIndex`].

use crate::model::quantised;

/// Quantised unit vectors by slot. A byte a component costs about 0.005 of cosine and a quarter of the memory of `f32`.
#[derive(Debug)]
pub(super) struct Vectors {
    dimensions: usize,
    components: Vec<i8>,
    /// 1 / length of the quantised row, or 0 for a row without direction.
    inverse_lengths: Vec<f32>,
}

/// A query quantised as the rows are, so that an equal vector has cosine 1 exactly.
#[derive(Debug)]
pub(super) struct Probe {
    components: Vec<i16>,
    inverse_length: f32,
}

impl Vectors {
    pub(super) const fn new(dimensions: usize) -> Self {
        Self {
            dimensions,
            components: Vec::new(),
            inverse_lengths: Vec::new(),
        }
    }

    /// Writes the row of `slot`. A vector of another length or with a NaN counts as having no direction.
    pub(super) fn set(&mut self, slot: usize, vector: &[f32]) {
        if self.inverse_lengths.len() <= slot {
            self.components.resize((slot + 1) * self.dimensions, 0);
            self.inverse_lengths.resize(slot + 1, 0.0);
        }
        let probe = self.probe(vector);
        self.inverse_lengths[slot] = probe.inverse_length;
        let row = &mut self.components[slot * self.dimensions..(slot + 1) * self.dimensions];
        for (to, from) in row.iter_mut().zip(&probe.components) {
            *to = i8::try_from(*from).unwrap_or(0);
        }
    }

    /// Forgets the row of `slot`.
    pub(super) fn clear(&mut self, slot: usize) {
        self.set(slot, &[]);
    }

    /// Prepares `vector` for comparison with many rows.
    pub(super) fn probe(&self, vector: &[f32]) -> Probe {
        if vector.len() != self.dimensions {
            return Probe {
                components: vec![0; self.dimensions],
                inverse_length: 0.0,
            };
        }
        let components: Vec<i16> = quantised(vector).into_iter().map(i16::from).collect();
        let squares: i64 = components.iter().map(|x| i64::from(*x) * i64::from(*x)).sum();
        #[expect(clippy::cast_precision_loss, reason = "a length needs no more than 24 bits")]
        let inverse_length = if squares > 0 {
            1.0 / (squares as f32).sqrt()
        } else {
            0.0
        };
        Probe {
            components,
            inverse_length,
        }
    }

    /// The row of `slot` as a query.
    pub(super) fn probe_of(&self, slot: usize) -> Probe {
        let components = self.row(slot).iter().map(|x| i16::from(*x)).collect();
        Probe {
            components,
            inverse_length: self.inverse_lengths[slot],
        }
    }

    /// The row of `slot` as it is kept; setting it again makes the same row.
    pub(super) fn vector_of(&self, slot: usize) -> Vec<f32> {
        self.row(slot).iter().map(|x| f32::from(*x)).collect()
    }

    /// Cosine between `probe` and the row of `slot`, −1 to 1; 0 where either has no direction.
    #[inline]
    pub(super) fn cosine(&self, probe: &Probe, slot: usize) -> f32 {
        let dot = dot(self.row(slot), &probe.components);
        #[expect(clippy::cast_precision_loss, reason = "a cosine needs no more than 24 bits")]
        let cosine = dot as f32 * self.inverse_lengths[slot] * probe.inverse_length;
        cosine.clamp(-1.0, 1.0)
    }

    /// Bytes held.
    pub(super) fn size_bytes(&self) -> usize {
        self.components.capacity() + self.inverse_lengths.capacity() * size_of::<f32>()
    }

    fn row(&self, slot: usize) -> &[i8] {
        &self.components[slot * self.dimensions..(slot + 1) * self.dimensions]
    }
}

/// Components widened at once: a block of 16-bit products compiles to `pmaddwd`, part of every x86-64.
const BLOCK: usize = 32;

#[inline]
fn dot(row: &[i8], probe: &[i16]) -> i32 {
    let (blocks, rest) = row.as_chunks::<BLOCK>();
    let (probe_blocks, probe_rest) = probe.as_chunks::<BLOCK>();
    let mut total = 0;
    for (a, b) in blocks.iter().zip(probe_blocks) {
        let mut wide = [0_i16; BLOCK];
        for at in 0..BLOCK {
            wide[at] = i16::from(a[at]);
        }
        for at in 0..BLOCK {
            total += i32::from(wide[at]) * i32::from(b[at]);
        }
    }
    for (a, b) in rest.iter().zip(probe_rest) {
        total += i32::from(*a) * i32::from(*b);
    }
    total
}

/// Cosine distance as the public contract has it: 0 (same direction) to 1 (unrelated or opposite).
pub(super) fn distance(cosine: f32) -> f32 {
    (1.0 - cosine).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_equal_vector_has_distance_zero() {
        let mut vectors = Vectors::new(3);
        vectors.set(0, &[0.3, -0.5, 0.8]);
        let cosine = vectors.cosine(&vectors.probe(&[0.3, -0.5, 0.8]), 0);
        assert!(distance(cosine) < 1e-6, "{cosine}");
    }

    #[test]
    fn a_vector_without_direction_is_unrelated_to_everything() {
        let mut vectors = Vectors::new(2);
        vectors.set(0, &[1.0, 0.0]);
        for bad in [&[0.0, 0.0][..], &[f32::NAN, 1.0], &[f32::INFINITY, 0.0], &[1.0], &[]] {
            assert_eq!(vectors.cosine(&vectors.probe(bad), 0), 0.0);
        }
    }

    #[test]
    fn quantised_cosines_stay_close_to_exact_ones() {
        let (a, b): (Vec<f32>, Vec<f32>) = (0..256)
            .map(|i| ((i as f32 * 0.7).sin(), (i as f32 * 0.7 + 0.9).sin()))
            .unzip();
        let exact = a.iter().zip(&b).map(|(x, y)| x * y).sum::<f32>()
            / (a.iter().map(|x| x * x).sum::<f32>() * b.iter().map(|x| x * x).sum::<f32>()).sqrt();
        let mut vectors = Vectors::new(256);
        vectors.set(0, &a);
        assert!((vectors.cosine(&vectors.probe(&b), 0) - exact).abs() < 0.01);
    }
}
