//! Who is asking, and for whom.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use ipnet::IpNet;

use super::{AccountId, ApiKeyId, OAuthClientId, Scope, ScopeSet, SessionId};

/// The `user_id` under which the account's own person is kept.
pub const OWN_PERSON: &str = "";

/// How a caller proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthMethod {
    /// With this API key.
    ApiKey(ApiKeyId),
    /// With a token of this session: the person of the account, signed in by password.
    Session(SessionId),
    /// With a token of this session, which the person granted to a program.
    OAuth {
        /// The program.
        client_id: OAuthClientId,
        /// What it was granted.
        session_id: SessionId,
    },
}

/// What a caller may do. An API key carries one; a signed-in person has [`Grant::everything`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Permissions.
    pub scopes: ScopeSet,
    /// The only people that may be touched, by `user_id`; everybody of the account when empty.
    pub user_ids: Vec<String>,
    /// The only networks that it may come from; any when empty.
    pub networks: Vec<IpNet>,
    /// Requests a minute, beside the account's limits.
    pub requests_per_minute: Option<u32>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Grant {
    /// What the person of an account may do.
    pub fn everything() -> Self {
        Self::of(ScopeSet::all())
    }

    /// These permissions, without further bounds.
    pub const fn of(scopes: ScopeSet) -> Self {
        Self {
            scopes,
            user_ids: Vec::new(),
            networks: Vec::new(),
            requests_per_minute: None,
            expires_at: None,
        }
    }

    /// Whether it may touch this person.
    pub fn covers_person(&self, user_id: &str) -> bool {
        self.user_ids.is_empty() || self.user_ids.iter().any(|allowed| allowed == user_id)
    }

    /// Whether it may come from this address.
    pub fn covers_address(&self, address: Option<IpAddr>) -> bool {
        self.networks.is_empty()
            || address.is_some_and(|address| self.networks.iter().any(|network| network.contains(&address)))
    }
}

/// An authenticated caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account that everything is confined to.
    pub account_id: AccountId,
    /// The account's e-mail address.
    pub email: String,
    /// How they proved it.
    pub method: AuthMethod,
    /// What they may do.
    pub grant: Grant,
}

impl Caller {
    /// Whether the caller holds `scope`.
    pub const fn may(&self, scope: Scope) -> bool {
        self.grant.scopes.contains(scope)
    }

    /// The key that the caller used.
    pub const fn api_key_id(&self) -> Option<&ApiKeyId> {
        match &self.method {
            AuthMethod::ApiKey(id) => Some(id),
            AuthMethod::Session(_) | AuthMethod::OAuth { .. } => None,
        }
    }

    /// The id of the key or of the session, as histories keep it.
    pub fn credential(&self) -> &str {
        match &self.method {
            AuthMethod::ApiKey(id) => id.as_str(),
            AuthMethod::Session(id) | AuthMethod::OAuth { session_id: id, .. } => id.as_str(),
        }
    }
}

/// Whose data a request touches. Every query on user data takes one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The account.
    pub account_id: AccountId,
    /// The contract's `user_id`, or [`OWN_PERSON`].
    pub user_id: String,
}
