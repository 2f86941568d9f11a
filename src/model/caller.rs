//! Who is asking, and for whom.

use super::{AccountId, ApiKeyId, Scope, ScopeSet};

/// The `user_id` under which the account's own person is kept.
pub const OWN_PERSON: &str = "";

/// How a caller proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthMethod {
    /// With this API key.
    ApiKey(ApiKeyId),
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
    pub scopes: ScopeSet,
}

impl Caller {
    /// Whether the caller holds `scope`.
    pub const fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(scope)
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
