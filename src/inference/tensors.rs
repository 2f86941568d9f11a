//! The file of a network's weights.
//!
//! All numbers are little-endian. The magic `MSTENSR1`; how many tensors (u32); for each its kind (u8), rows (u32),
//! columns (u32) and name (length as u8, UTF-8); then the tensors' data in the same order. Kind 0 is `f32`, row after row.
//! Kind 1 is a scale (`f32`) for each row, then signed bytes, row after row: an entry is its byte times its row's scale.
//! A vector is a tensor of one row.

use std::collections::HashMap;

use super::matrix::Matrix;

const MAGIC: &[u8; 8] = b"MSTENSR1";
const FLOATS: u8 = 0;
const BYTES: u8 = 1;

/// Why weights could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad weights: {0}")]
pub struct TensorError(String);

impl TensorError {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }

    pub(crate) fn shape(name: &str) -> Self {
        Self(format!("{name} has an unexpected shape"))
    }
}

#[derive(Clone, Copy, Debug)]
struct Tensor<'a> {
    kind: u8,
    rows: usize,
    columns: usize,
    data: &'a [u8],
}

/// The tensors of a file, by name; the data stays where it lies.
#[derive(Debug)]
pub(crate) struct Tensors<'a>(HashMap<&'a str, Tensor<'a>>);

impl<'a> Tensors<'a> {
    pub(crate) fn read(file: &'a [u8]) -> Result<Self, TensorError> {
        let mut rest = file.strip_prefix(MAGIC).ok_or_else(|| TensorError::new("no weights"))?;
        let count = take_u32(&mut rest)?;
        let mut directory = Vec::new();
        for _ in 0..count {
            let kind = take(&mut rest, 1)?[0];
            let (rows, columns) = (take_u32(&mut rest)?, take_u32(&mut rest)?);
            let length = usize::from(take(&mut rest, 1)?[0]);
            let name = str::from_utf8(take(&mut rest, length)?).map_err(|error| TensorError::new(error.to_string()))?;
            directory.push((name, kind, rows, columns));
        }
        let mut tensors = HashMap::with_capacity(directory.len());
        for (name, kind, rows, columns) in directory {
            let entries = rows.checked_mul(columns);
            let size = match kind {
                FLOATS => entries.and_then(|n| n.checked_mul(4)),
                BYTES => entries.and_then(|n| n.checked_add(rows.checked_mul(4)?)),
                _ => None,
            };
            let data = take(&mut rest, size.ok_or_else(|| TensorError::shape(name))?)?;
            let tensor = Tensor {
                kind,
                rows,
                columns,
                data,
            };
            tensors.insert(name, tensor);
        }
        if !rest.is_empty() {
            return Err(TensorError::new("more data than the directory names"));
        }
        Ok(Self(tensors))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A tensor widened to `f32`.
    pub(crate) fn matrix(&self, name: &str) -> Result<Matrix, TensorError> {
        let tensor = self.get(name)?;
        if tensor.kind == FLOATS {
            return Ok(Matrix::from_values(tensor.columns, floats(tensor.data)));
        }
        let (scales, bytes) = tensor.data.split_at(4 * tensor.rows);
        let values = bytes.iter().map(|&byte| f32::from(byte.cast_signed())).collect();
        let mut matrix = Matrix::from_values(tensor.columns, values);
        for (row, scale) in matrix.each_row_mut().zip(floats(scales)) {
            for x in row {
                *x *= scale;
            }
        }
        Ok(matrix)
    }

    /// A tensor of one row, widened.
    pub(crate) fn vector(&self, name: &str) -> Result<Vec<f32>, TensorError> {
        let matrix = self.matrix(name)?;
        if matrix.rows() != 1 {
            return Err(TensorError::shape(name));
        }
        Ok(matrix.row(0).to_vec())
    }

    /// A tensor of bytes as it lies: scales, bytes, columns.
    pub(crate) fn bytes(&self, name: &str) -> Result<(Vec<f32>, &'a [u8], usize), TensorError> {
        let tensor = self.get(name)?;
        if tensor.kind != BYTES {
            return Err(TensorError::shape(name));
        }
        let (scales, rows) = tensor.data.split_at(4 * tensor.rows);
        Ok((floats(scales), rows, tensor.columns))
    }

    fn get(&self, name: &str) -> Result<Tensor<'a>, TensorError> {
        let found = self.0.get(name).copied();
        found.ok_or_else(|| TensorError::new(format!("{name} is missing")))
    }
}

fn floats(data: &[u8]) -> Vec<f32> {
    data.as_chunks::<4>()
        .0
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect()
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], TensorError> {
    let (taken, after) = rest
        .split_at_checked(count)
        .ok_or_else(|| TensorError::new("cut short"))?;
    *rest = after;
    Ok(taken)
}

fn take_u32(rest: &mut &[u8]) -> Result<usize, TensorError> {
    let bytes = take(rest, 4)?;
    let number = bytes
        .iter()
        .rev()
        .fold(0, |number, &byte| number << 8 | u32::from(byte));
    Ok(number as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Vec<u8> {
        let mut file = MAGIC.to_vec();
        file.extend(2u32.to_le_bytes());
        for (kind, rows, columns, name) in [(FLOATS, 1u32, 2u32, "a"), (BYTES, 2, 1, "b")] {
            file.push(kind);
            file.extend(rows.to_le_bytes());
            file.extend(columns.to_le_bytes());
            file.push(1);
            file.extend(name.as_bytes());
        }
        file.extend([1.5f32, -2.0, 0.5, 2.0].iter().flat_map(|x| x.to_le_bytes()));
        file.extend([3i8, -4].map(i8::cast_unsigned));
        file
    }

    #[test]
    fn tensors_are_read_back() {
        let file = file();
        let tensors = Tensors::read(&file).unwrap();
        assert_eq!(tensors.vector("a").unwrap(), [1.5, -2.0]);
        let b = tensors.matrix("b").unwrap();
        assert_eq!((b.row(0), b.row(1)), (&[1.5][..], &[-8.0][..]));
        assert!(tensors.vector("b").is_err() && tensors.bytes("a").is_err() && tensors.matrix("c").is_err());
    }

    #[test]
    fn damaged_files_are_refused() {
        let file = file();
        for end in 0..file.len() {
            assert!(Tensors::read(&file[..end]).is_err());
        }
        let longer = [&file[..], &[0]].concat();
        assert!(Tensors::read(&longer).is_err());
        let mut huge = file;
        huge[13..21].fill(0xff);
        assert!(Tensors::read(&huge).is_err());
    }
}
