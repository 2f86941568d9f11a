//! The use cases: rights, the order of steps, transactions. Called by `grpc/`, `jobs/` and the command line; knows no
//! transport and no SQL.

mod audit;
mod auth;
mod candidates;
mod cpu;
mod embeddings;
mod leases;
mod memories;
mod person_store;
mod portability;
mod profiles;
mod rate_limits;
mod receipts;
mod tasks;
mod usage;

pub use crate::store::BioVersion;
pub use crate::store::{
    Account, ApiKeyRow, ApiKeyStatus, AuditEvent, ErasedPerson, MadeBy, MemoryVersion, OAuthClient,
};
pub use audit::{Actor, AuditLog};
pub use auth::{
    ApiKeyChange, AuthService, AuthSettings, AuthorizationRequest, Consent, Credential, Introspection, NewApiKey,
    NewOAuthClient, OAuthError, OAuthTokens, ProgramCredentials, Secret, Tokens,
};
pub use candidates::{CandidateBuild, CandidateService};
pub use embeddings::{EmbeddingCount, EmbeddingService, Pruning, Reembedded, Reembedding};
pub use leases::Lease;
pub use memories::{
    ConversationMessage, Deletion, DeletionOptions, History, ListQuery, ListRequest, ListSort, MemoryChange,
    MemoryPage, MemoryService, STORE_CONVERSATION, SearchAnswer, SearchRequest, SkippedMessage, StoreOutcome,
    StoreRequest, StoreTask, StoreTaskResult,
};
pub use person_store::{BioView, IndexSettings, MemoryQuotas, PersonStore, Privacy};
pub use portability::{
    ExportedMemory, FORMAT, Import, ImportFormat, ImportOptions, ImportReport, Line, PortabilityService,
};
pub use profiles::{BioChange, BioQuery, PrivacyChange, ProfileService, ProfileView};
pub use rate_limits::{Allowance, RateLimitClass, RateLimitSettings, RateLimiter};
pub use receipts::{Receipt, Receipts};
pub use tasks::{ClaimedTask, TaskProgress, TaskQueue, TaskReport, TaskRow, TaskStep, failure};
pub use usage::{Granularity, RequestOutcome, Usage, UsagePoint, UsageQuery, UsageService};
