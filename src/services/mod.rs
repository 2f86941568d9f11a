//! The use cases: rights, the order of steps, transactions. Called by `grpc/` and the command line; knows no transport
//! and no SQL.

mod as_of;
mod audit;
mod auth;
mod candidates;
mod changes;
mod cpu;
mod deletions;
mod idempotency;
mod indexes;
mod memories;
mod plan;
mod portability;
mod profiles;
mod quotas;
mod rate_limits;
mod receipts;
mod reembedding;
mod storing;
mod tasks;
mod usage;

use crate::providers::{Embedder, StaticTable};

pub use crate::store::BioVersion;
pub use crate::store::{
    Account, ApiKeyRow, ApiKeyStatus, AuditEvent, ErasedPerson, MadeBy, MemoryVersion, OAuthClient,
};
pub use audit::{Actor, AuditLog};
pub use auth::{
    ApiKeyChange, AuthService, AuthSettings, AuthorizationRequest, Consent, Credential, Introspection, NewApiKey,
    NewOAuthClient, OAuthError, OAuthTokens, ProgramCredentials, Secret, Tokens,
};
pub use candidates::CandidateBuild;
pub use changes::{History, MemoryChange};
pub use deletions::{Deletion, DeletionOptions};
pub use indexes::IndexSettings;
pub use memories::{
    ConversationMessage, ListQuery, ListRequest, ListSort, MemoryLimits, MemoryPage, MemoryService, SearchRequest,
    StoreOutcome, StoreRequest,
};
pub use portability::{ExportedMemory, FORMAT, Import, ImportFormat, ImportOptions, ImportReport, Line};
pub use profiles::{BioChange, BioQuery, BioView, Privacy, PrivacyChange, ProfileService, ProfileView};
pub use rate_limits::{Allowance, RateLimitClass, RateLimitSettings, RateLimiter};
pub use receipts::{Receipt, Receipts};
pub use reembedding::{EmbeddingCount, Pruning, Reembedded, Reembedding};
pub use tasks::{TaskReport, TaskResult, TaskRow};
pub use usage::{Granularity, RequestOutcome, Usage, UsagePoint, UsageQuery, UsageService};

/// The vector of a text for the classifier of `extraction/`, which was fitted with this table, whatever embedder is set.
pub(crate) fn sense(text: &str) -> Vec<f32> {
    StaticTable::built_in().embed_one(text).unwrap_or_default()
}
