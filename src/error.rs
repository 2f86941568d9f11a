//! The one error type, by meaning. It knows no transport: `grpc/status.rs` turns it into a gRPC status, and REST
//! reads that.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::model::Scope;

/// A result with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Anything that can go wrong in a request.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields are missing or out of range; every one of them is named.
    #[error("invalid request: {}", .0.first().map_or("", |v| v.reason.as_ref()))]
    Invalid(Vec<Violation>),
    /// A field names none of the ten categories.
    #[error("{0} is not a category")]
    InvalidCategory(String),
    /// No credentials, or bad ones; which of these is nobody's business.
    #[error("Invalid authentication credentials")]
    Unauthenticated,
    /// The caller lacks a scope.
    #[error("Insufficient permissions")]
    Forbidden(Scope),
    /// The caller's key may not touch this person.
    #[error("Insufficient permissions")]
    ForbiddenPerson,
    /// A setting of the server forbids it.
    #[error("{0}")]
    ForbiddenHere(&'static str),
    /// The key of this very request can't be deleted by it.
    #[error("An API key can't delete itself")]
    CannotDeleteActiveKey,
    /// No such memory in this account and person.
    #[error("Memory not found")]
    MemoryNotFound,
    /// No such backup, or its time is over.
    #[error("Backup not found")]
    BackupNotFound,
    /// No such key in this account.
    #[error("API key not found")]
    ApiKeyNotFound,
    /// No such OAuth client in this account.
    #[error("OAuth client not found")]
    OAuthClientNotFound,
    /// No such background task in this account.
    #[error("Task not found")]
    TaskNotFound,
    /// There are too few memories for a profile: so many.
    #[error("There are not enough memories for a profile")]
    ProfileNotFound {
        /// How many memories there are.
        current_memory_count: usize,
    },
    /// There are too few memories for a biography, or it is not public: so many memories.
    #[error("There is no bio")]
    BioNotFound {
        /// How many memories there are.
        current_memory_count: usize,
    },
    /// A field names no format of a biography.
    #[error("{0} is not a format")]
    InvalidFormat(String),
    /// A biography by hand has more characters than it may: so many, and at most so many.
    #[error("The bio is longer than {max} characters")]
    BioTooLong {
        /// What it has.
        length: usize,
        /// What it may have.
        max: usize,
    },
    /// The address has an account already.
    #[error("There is already an account with this e-mail address")]
    EmailTaken,
    /// Too many requests, or too many failed sign-ins.
    #[error("Rate limit exceeded")]
    RateLimited(RateLimited),
    /// The account, or the person, may have no more memories.
    #[error("{whose} may have {limit} memories and has {current}")]
    QuotaExceeded {
        /// Whose quota it is.
        whose: Quota,
        /// How many there may be.
        limit: u64,
        /// How many there are.
        current: u64,
    },
    /// A conversation would store more than one request may.
    #[error("{field}: {reason}")]
    TooMuch {
        /// What it has too much of.
        field: &'static str,
        /// How much that is, in words that none of the request's are among.
        reason: String,
        /// How much there may be.
        limit: usize,
    },
    /// The request contradicts what is stored.
    #[error("{0}")]
    Conflict(&'static str),
    /// The memory to delete has another version by now.
    #[error("The memory has changed in the meantime")]
    DeletionConflict,
    /// The request is larger than the limit, in MiB.
    #[error("Request is larger than {0} MiB")]
    TooLarge(usize),
    /// The caller's deadline passed.
    #[error("Deadline exceeded")]
    DeadlineExceeded,
    /// The request's body did not arrive in time.
    #[error("The request body did not arrive in time")]
    BodyTimeout,
    /// The database or another dependency does not answer.
    #[error("Service unavailable")]
    Unavailable(#[source] Cause),
    /// A fault of ours.
    #[error("Internal error")]
    Internal(#[source] Cause),
}

/// Whose memories a quota counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// Those of everybody in the account.
    Account,
    /// Those of one person.
    Person,
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Account => "The account",
            Self::Person => "This person",
        })
    }
}

/// How much is too much, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimited {
    /// What is allowed in a minute, or in the time that the limit is for.
    pub limit: u32,
    /// When the next request is allowed, in Unix seconds.
    pub reset_time: i64,
    /// How long until then.
    pub retry_after: Duration,
}

/// What lies behind an error; for the log, never for the caller.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// One bad field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Its path, such as `messages[2].content`.
    pub field: Cow<'static, str>,
    /// What is wrong with it.
    pub reason: Cow<'static, str>,
}

impl Violation {
    /// A violation of one field.
    pub fn new(field: impl Into<Cow<'static, str>>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            field: field.into(),
            reason: reason.into(),
        }
    }
}
