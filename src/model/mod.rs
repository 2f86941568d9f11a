//! Plain data that every room shares: ids, categories, memories, callers.
//!
//! Nothing here does I/O or knows a wire format, and nothing here imports another room.

mod caller;
mod category;
mod clock;
mod filter;
mod id;
mod identifier;
mod limits;
mod memory;
mod moment;
mod origin;
mod scope;
mod task;
mod vector;

pub use caller::{AuthMethod, Caller, Grant, OWN_PERSON, Owner};
pub use category::{Category, UnknownWord};
pub use clock::Clock;
pub use filter::Filter;
pub use id::{AccountId, ApiKeyId, AuditEventId, BackupId, MemoryId, OAuthClientId, PersonId, SessionId, TaskId};
pub use identifier::{has_unseen, id_fault};
pub use limits::{
    MAX_CATEGORIES, MAX_EMAIL_BYTES, MAX_METADATA_BYTES, MAX_NAME_CHARS, MAX_PASSWORD_CHARS, MAX_REDIRECT_URIS,
    MAX_TEXT_BYTES, MAX_URI_BYTES, MIN_PASSWORD_CHARS,
};
pub use memory::{Memory, MemoryType, Operation, Role, SkipReason, Source, TimePrecision};
pub use moment::{is_servable, time_of_number, time_of_text};
pub use origin::{Accepted, JudgeOnly, Origin, SignedInOnly};
pub use scope::{Scope, ScopeSet};
pub use task::TaskState;
pub use vector::quantised;
