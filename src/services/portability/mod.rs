//! Taking memories out, and taking them in: from here, and from elsewhere. Constant memory, whatever the size.

mod export;
mod foreign;
mod import;
mod items;
mod line;
mod mem0;
mod zep;

use std::sync::Arc;

use super::person_store::PersonStore;
use crate::model::Memory;
use crate::store::{MemoryRow, MemoryVersion};

pub use import::{Import, ImportFormat, ImportOptions, ImportReport};
pub use line::{FORMAT, Line};

/// Exports and imports of people's memories.
#[derive(Debug)]
pub struct PortabilityService {
    people: Arc<PersonStore>,
}

impl PortabilityService {
    /// Of these people.
    pub fn new(people: Arc<PersonStore>) -> Self {
        Self { people }
    }
}

/// A memory with its history.
#[derive(Clone, Debug)]
pub struct ExportedMemory {
    /// The memory.
    pub memory: Memory,
    /// Its versions, oldest first, the current one last.
    pub versions: Vec<MemoryVersion>,
}

/// A memory to take in.
#[derive(Clone, Debug)]
struct Imported {
    /// Whose it is.
    user_id: String,
    row: MemoryRow,
    /// The versions before the current one, oldest first.
    versions: Vec<MemoryVersion>,
}
