//! What a search may return.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::MemoryType;

/// Conditions that a memory must meet to be found, all of them; the default one lets every current memory through.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Set of [`super::Category::bit`]; a memory matches that has any of them. 0 asks for nothing.
    pub categories: u16,
    /// Lasting or of a time.
    pub memory_type: Option<MemoryType>,
    /// Only standing wishes about how the assistant behaves, or only others.
    pub is_instruction: Option<bool>,
    /// The agent that the conversation was held with.
    pub agent_id: Option<String>,
    /// The conversation.
    pub thread_id: Option<String>,
    /// First stored at this time or later.
    pub created_after: Option<DateTime<Utc>>,
    /// First stored at this time or earlier.
    pub created_before: Option<DateTime<Utc>>,
    /// Least importance, 0 to 1.
    pub min_importance: Option<f32>,
    /// Every key must stand in the memory's metadata with an equal value; 1 equals 1.0.
    pub metadata: Map<String, Value>,
    /// Also memories that a newer one replaced.
    pub include_superseded: bool,
}

impl Filter {
    /// Whether it lets most memories through.
    pub fn is_wide(&self) -> bool {
        let current = Self {
            include_superseded: self.include_superseded,
            ..Self::default()
        };
        *self == current
    }
}
