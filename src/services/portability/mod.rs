//! Taking memories out, and taking them in: from here, and from elsewhere. Constant memory, whatever the size.

mod export;
mod foreign;
mod import;
mod items;
mod line;
mod mem0;
mod zep;

use crate::model::Memory;
use crate::store::{MemoryRow, MemoryVersion};

pub use import::{Import, ImportFormat, ImportOptions, ImportReport};
pub use line::{FORMAT, Line};

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
