//! The local embedder: a BERT model that lies in a directory, as sentence-transformers writes them.
//!
//! `directory` reads and checks the files; this file turns texts into vectors. Only binaries built with the feature
//! `local-embedder` have it. The composition root calls [`LocalModel::load`] and hands the result on as an
//! [`Embedder`].

mod directory;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::BertModel;
use tokenizers::Tokenizer;

use super::embedder::normalise;
use super::{EmbedError, Embedder};
use crate::cpu;
use directory::{ModelDirectory, Pooling, WEIGHTS};

pub use directory::LoadError;

/// Tokens that go through the model at one time, padding included: bounds its memory, at some tens of MiB.
const BATCH_TOKENS: usize = 4096;
/// Bytes of a text that are looked at for each token that counts: more than text has, few enough that a huge one costs
/// milliseconds.
const BYTES_PER_TOKEN: usize = 32;

/// A BERT model with its tokenizer.
///
/// A text is read up to the model's longest input. Vectors of one text differ in their last bits with the texts that it
/// is embedded beside.
#[derive(Debug)]
pub struct LocalModel(Arc<Model>);

struct Model {
    name: String,
    model: BertModel,
    tokenizer: Tokenizer,
    /// Tokens that stand for no word: those around every text, and the one for everything unknown.
    special: HashSet<u32>,
    is_lower_cased: bool,
    pooling: Pooling,
    dimensions: usize,
    max_tokens: usize,
}

impl LocalModel {
    /// See [`Model::load`].
    pub fn load(directory: &Path) -> Result<Self, LoadError> {
        Ok(Self(Arc::new(Model::load(directory)?)))
    }
}

impl Model {
    /// Reads `config.json`, `tokenizer.json` and `model.safetensors` of the directory and, where they are there,
    /// `sentence_bert_config.json`, `modules.json` and `1_Pooling/config.json`. Computes for some hundred milliseconds.
    pub fn load(directory: &Path) -> Result<Self, LoadError> {
        let mut directory = ModelDirectory::open(directory)?;
        let config = directory.config()?;
        directory.check_modules()?;
        let pooling = directory.pooling()?;
        let input = directory.input(&config)?;
        let tokenizer = directory.tokenizer(&config, input.max_tokens)?;
        let weights = directory.read(WEIGHTS)?;
        let model = VarBuilder::from_slice_safetensors(&weights, DType::F32, &Device::Cpu)
            .and_then(|weights| BertModel::load(weights, &config))
            .map_err(|error| directory.malformed(WEIGHTS, error))?;
        let added = tokenizer.get_added_tokens_decoder();
        Ok(Self {
            name: directory.model_name(),
            model,
            special: added
                .into_iter()
                .filter(|(_, token)| token.special)
                .map(|(id, _)| id)
                .collect(),
            tokenizer,
            is_lower_cased: input.is_lower_cased,
            pooling,
            dimensions: config.hidden_size,
            max_tokens: input.max_tokens,
        })
    }

    /// The text as the model takes it; nothing where the model knows nothing in it.
    fn token_ids(&self, text: &str) -> Result<Vec<u32>, EmbedError> {
        let text = &text[..text.floor_char_boundary(self.max_tokens.saturating_mul(BYTES_PER_TOKEN))];
        let encoded = if self.is_lower_cased {
            self.tokenizer.encode_fast(text.to_lowercase(), true)
        } else {
            self.tokenizer.encode_fast(text, true)
        };
        let encoded = encoded.map_err(|error| self.failed(error))?;
        let ids = encoded.get_ids();
        Ok(if ids.iter().all(|id| self.special.contains(id)) {
            Vec::new()
        } else {
            ids.to_vec()
        })
    }

    /// One vector a text, of any length. The shorter texts are filled up, and the model is told what not to look at.
    fn pooled(&self, batch: &[&[u32]]) -> candle_core::Result<Vec<Vec<f32>>> {
        let longest = batch.iter().map(|ids| ids.len()).max().unwrap_or(0);
        let shape = (batch.len(), longest);
        let mut tokens = vec![0; batch.len() * longest];
        let mut mask = vec![0.0_f32; batch.len() * longest];
        for (row, ids) in batch.iter().enumerate() {
            let place = row * longest..row * longest + ids.len();
            tokens[place.clone()].copy_from_slice(ids);
            mask[place].fill(1.0);
        }
        let tokens: Tensor = Tensor::from_vec::<_, u32>(tokens, shape, &Device::Cpu)?;
        let mask = Tensor::from_vec(mask, shape, &Device::Cpu)?;
        let hidden = self.model.forward(&tokens, &tokens.zeros_like()?, Some(&mask))?;
        let pooled = match self.pooling {
            Pooling::FirstToken => hidden.narrow(1, 0, 1)?.squeeze(1)?,
            // The sum points where the mean does.
            Pooling::Mean => hidden.broadcast_mul(&mask.unsqueeze(2)?)?.sum(1)?,
        };
        pooled.to_vec2()
    }

    fn encode(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let ids: Vec<Vec<u32>> = texts
            .iter()
            .map(|text| self.token_ids(text))
            .collect::<Result<_, _>>()?;
        let mut places: Vec<usize> = (0..ids.len()).filter(|&place| !ids[place].is_empty()).collect();
        places.sort_by_key(|&place| ids[place].len());
        let mut vectors = vec![vec![0.0; self.dimensions]; texts.len()];
        for batch in batches(&places, |place| ids[place].len()) {
            let tokens: Vec<&[u32]> = batch.iter().map(|&place| ids[place].as_slice()).collect();
            let pooled = self.pooled(&tokens).map_err(|error| self.failed(error))?;
            for (&place, mut vector) in batch.iter().zip(pooled) {
                normalise(&mut vector);
                if !vector.iter().all(|x| x.is_finite()) {
                    return Err(self.failed("the vector has numbers that are not finite"));
                }
                vectors[place] = vector;
            }
        }
        Ok(vectors)
    }

    fn failed(&self, reason: impl ToString) -> EmbedError {
        EmbedError {
            model: self.name.clone(),
            reason: reason.to_string(),
        }
    }
}

#[async_trait]
impl Embedder for LocalModel {
    fn model(&self) -> &str {
        &self.0.name
    }

    fn dimensions(&self) -> usize {
        self.0.dimensions
    }

    async fn encode_documents(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let model = Arc::clone(&self.0);
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        let encoded = cpu::compute(move || model.encode(&texts)).await;
        encoded.map_err(|error| self.0.failed(error))?
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("name", &self.name)
            .field("pooling", &self.pooling)
            .field("max_tokens", &self.max_tokens)
            .finish_non_exhaustive()
    }
}

/// Cuts places, those of the shortest texts first, into batches that hold [`BATCH_TOKENS`] when each text is as long as
/// the batch's last. A longer text is a batch of its own.
fn batches(places: &[usize], length: impl Fn(usize) -> usize) -> impl Iterator<Item = &[usize]> {
    let mut rest = places;
    std::iter::from_fn(move || {
        let fitting = rest
            .iter()
            .enumerate()
            .take_while(|&(before, &place)| (before + 1) * length(place) <= BATCH_TOKENS)
            .count();
        let (batch, after) = rest.split_at(fitting.max(1).min(rest.len()));
        rest = after;
        (!batch.is_empty()).then_some(batch)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_every_text_once_and_are_bounded() {
        let lengths = [1, 2, 100, 1000, 2000, 2048, 2048, 4096, 5000];
        let places: Vec<usize> = (0..lengths.len()).collect();
        let batches: Vec<&[usize]> = batches(&places, |place| lengths[place]).collect();
        assert_eq!(batches, [&[0, 1, 2, 3][..], &[4, 5], &[6], &[7], &[8]]);
    }

    #[test]
    fn no_texts_are_no_batches() {
        assert_eq!(batches(&[], |_| 1).count(), 0);
    }
}
