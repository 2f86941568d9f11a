//! What small neural networks need: matrices, layers, and the file their weights come in.
//!
//! Everything runs on one thread, in `f32`, over all words of a batch at once. The matrix product is ndarray's, which
//! picks the processor's best instructions at run time. A model of its own (such as the parser) composes these.

mod layers;
mod matrix;
mod tensors;

pub(crate) use layers::{Embedding, LayerNorm, Linear, relu, softmax};
pub(crate) use matrix::{Matrix, add, dot};
pub use tensors::TensorError;
pub(crate) use tensors::Tensors;
