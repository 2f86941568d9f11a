//! Opaque, prefixed, time-sortable ids.

use std::fmt;

use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// A new id; ids made later sort later (UUIDv7, RFC 9562).
            pub fn generate() -> Self {
                Self(format!(concat!($prefix, "{}"), Uuid::now_v7().simple()))
            }

            /// Takes an id as it stands in the database or in a request; it need not exist.
            pub fn from_stored(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

id!(
    /// An account, the contract's `user_…`: the owner of keys and of everything stored with them.
    AccountId,
    "user_"
);
id!(
    /// An API key's public id.
    ApiKeyId,
    "key_"
);
id!(
    /// A memory.
    MemoryId,
    "mem_"
);
id!(
    /// A person inside an account, internal: clients name a person by `user_id`.
    PersonId,
    "person_"
);
id!(
    /// The session of a signed-in person, or of a program that a person let act for them.
    SessionId,
    "sess_"
);
id!(
    /// An OAuth client.
    OAuthClientId,
    "client_"
);
id!(
    /// An event of the audit log.
    AuditEventId,
    "evt_"
);
id!(
    /// A backup of deleted memories.
    BackupId,
    "backup_"
);
id!(
    /// A background task.
    TaskId,
    "task_"
);
