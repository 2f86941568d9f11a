//! A model directory: its files, what they say, and the name of the model that they make up.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use candle_transformers::models::bert::Config;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokenizers::{PostProcessor, Tokenizer, TruncationParams};

/// The file of the weights.
pub(super) const WEIGHTS: &str = "model.safetensors";
const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
const INPUT: &str = "sentence_bert_config.json";
const MODULES: &str = "modules.json";
const POOLING: &str = "1_Pooling/config.json";
/// Bytes of the hash that are in a model's name.
const NAME_HASH_BYTES: usize = 6;

/// Why a directory gives no embedder.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file is not there, or may not be read.
    #[error("{} can't be read", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// A file is not what its name promises.
    #[error("{} is damaged or of another kind", .file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What its reader says.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A model that would get wrong vectors here.
    #[error("{}: {reason}", .file.display())]
    Unsupported {
        /// The file that says so.
        file: PathBuf,
        /// What is not supported.
        reason: String,
    },
}

/// How the vectors of tokens become that of their text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pooling {
    /// The first token's, `[CLS]`.
    FirstToken,
    /// The mean of all.
    Mean,
}

/// What the model takes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Input {
    pub(super) max_tokens: usize,
    pub(super) is_lower_cased: bool,
}

/// A model directory that is being read. Every file that is read counts for the model's name.
#[derive(Debug)]
pub(super) struct ModelDirectory {
    path: PathBuf,
    hash: Sha256,
}

#[derive(Deserialize)]
struct ModelType {
    model_type: Option<String>,
}

#[derive(Deserialize)]
struct Module {
    r#type: String,
}

#[derive(Default, Deserialize)]
struct InputFile {
    max_seq_length: Option<usize>,
    #[serde(default)]
    do_lower_case: bool,
}

impl ModelDirectory {
    pub(super) fn open(path: &Path) -> Result<Self, LoadError> {
        // The name of the model is the directory's own, whatever path leads to it.
        let path = path.canonicalize().map_err(|cause| LoadError::Unreadable {
            file: path.to_owned(),
            cause,
        })?;
        let hash = Sha256::new();
        Ok(Self { path, hash })
    }

    pub(super) fn config(&mut self) -> Result<Config, LoadError> {
        let bytes = self.read(CONFIG)?;
        let ModelType { model_type } = self.parse(CONFIG, &bytes)?;
        if let Some(other) = model_type.filter(|model_type| model_type != "bert") {
            return Err(self.unsupported(CONFIG, format!("model_type must be bert, not {other}")));
        }
        let config: Config = self.parse(CONFIG, &bytes)?;
        if config.num_attention_heads == 0 || !config.hidden_size.is_multiple_of(config.num_attention_heads) {
            return Err(self.unsupported(CONFIG, "num_attention_heads must divide hidden_size"));
        }
        Ok(config)
    }

    /// A vector's way after the pooling is to length 1 and no farther; that step is done for every model.
    pub(super) fn check_modules(&mut self) -> Result<(), LoadError> {
        let modules: Vec<Module> = self.read_json_if_there(MODULES)?.unwrap_or_default();
        for Module { r#type } in modules {
            let name = r#type.rsplit('.').next().unwrap_or_default();
            if !["Transformer", "Pooling", "Normalize"].contains(&name) {
                return Err(self.unsupported(MODULES, format!("the module {} is not supported", r#type)));
            }
        }
        Ok(())
    }

    pub(super) fn pooling(&mut self) -> Result<Pooling, LoadError> {
        let Some(settings) = self.read_json_if_there::<BTreeMap<String, Value>>(POOLING)? else {
            return Ok(Pooling::Mean);
        };
        let modes = settings.iter().filter(|(_, value)| **value == Value::Bool(true));
        let modes: Vec<&str> = modes
            .filter_map(|(name, _)| name.strip_prefix("pooling_mode_"))
            .collect();
        match modes.as_slice() {
            ["cls_token"] => Ok(Pooling::FirstToken),
            ["mean_tokens"] => Ok(Pooling::Mean),
            other => {
                let reason = format!("the one pooling_mode_ must be cls_token or mean_tokens, not {other:?}");
                Err(self.unsupported(POOLING, reason))
            }
        }
    }

    pub(super) fn input(&mut self, config: &Config) -> Result<Input, LoadError> {
        let file: InputFile = self.read_json_if_there(INPUT)?.unwrap_or_default();
        let positions = config.max_position_embeddings;
        Ok(Input {
            max_tokens: file.max_seq_length.unwrap_or(positions).min(positions),
            is_lower_cased: file.do_lower_case,
        })
    }

    pub(super) fn tokenizer(&mut self, config: &Config, max_tokens: usize) -> Result<Tokenizer, LoadError> {
        let bytes = self.read(TOKENIZER)?;
        let mut tokenizer = Tokenizer::from_bytes(&bytes).map_err(|error| self.malformed(TOKENIZER, error))?;
        if tokenizer
            .get_vocab(true)
            .values()
            .any(|&id| id as usize >= config.vocab_size)
        {
            return Err(self.unsupported(TOKENIZER, "has tokens beyond the vocab_size of config.json"));
        }
        let added = tokenizer.get_post_processor().map_or(0, |p| p.added_tokens(false));
        if max_tokens <= added {
            return Err(self.unsupported(INPUT, format!("max_seq_length must be more than {added}")));
        }
        // The file's own settings are those of whoever exported it.
        let truncation = TruncationParams {
            max_length: max_tokens,
            ..TruncationParams::default()
        };
        tokenizer
            .with_truncation(Some(truncation))
            .map_err(|error| self.malformed(TOKENIZER, error))?;
        tokenizer.with_padding(None);
        Ok(tokenizer)
    }

    pub(super) fn read(&mut self, name: &str) -> Result<Vec<u8>, LoadError> {
        let file = self.path.join(name);
        let bytes = std::fs::read(&file).map_err(|cause| LoadError::Unreadable { file, cause })?;
        self.hash.update(name);
        self.hash.update((bytes.len() as u64).to_le_bytes());
        self.hash.update(&bytes);
        Ok(bytes)
    }

    fn read_json_if_there<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, LoadError> {
        match self.read(name) {
            Ok(bytes) => self.parse(name, &bytes).map(Some),
            Err(LoadError::Unreadable { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn parse<T: DeserializeOwned>(&self, name: &str, bytes: &[u8]) -> Result<T, LoadError> {
        serde_json::from_slice(bytes).map_err(|error| self.malformed(name, error))
    }

    pub(super) fn malformed(
        &self,
        name: &str,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> LoadError {
        LoadError::Malformed {
            file: self.path.join(name),
            cause: cause.into(),
        }
    }

    fn unsupported(&self, name: &str, reason: impl Into<String>) -> LoadError {
        LoadError::Unsupported {
            file: self.path.join(name),
            reason: reason.into(),
        }
    }

    /// The directory's name with a hash of what was read: whoever changes a file has another model.
    pub(super) fn model_name(self) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let hash = self.hash.finalize();
        let hash: String = hash[..NAME_HASH_BYTES]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("{name}@{hash}")
    }
}
