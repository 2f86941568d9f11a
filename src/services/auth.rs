//! Who is asking: accounts, keys, and the way from a key to a caller.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use moka::future::Cache;
use subtle::ConstantTimeEq;

use super::ApiKeySecret;
use crate::error::{Error, Result, Violation};
use crate::model::{AccountId, ApiKeyId, AuthMethod, Caller, Clock, ScopeSet};
use crate::store::{Account, ApiKeyRow, Store};

/// Keys that are remembered at one time.
const CACHED_KEYS: u64 = 100_000;

/// Accounts and keys.
#[derive(Debug)]
pub struct AuthService {
    store: Store,
    clock: Clock,
    keys: Cache<[u8; 32], Arc<ResolvedKey>>,
    revocations: AtomicU64,
}

#[derive(Debug)]
struct ResolvedKey {
    row: ApiKeyRow,
    caller: Arc<Caller>,
}

/// What a new key is to be.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// The account that it belongs to.
    pub account_id: AccountId,
    /// What to call it.
    pub name: String,
    /// What it may do.
    pub scopes: ScopeSet,
    /// How long it lives; for ever when absent.
    pub expires_in: Option<Duration>,
}

impl AuthService {
    /// `key_cache`: how long a resolved key is believed, which is how long another process's revocation may take.
    pub fn new(store: Store, clock: Clock, key_cache: Duration) -> Self {
        let keys = Cache::builder()
            .max_capacity(CACHED_KEYS)
            .time_to_live(key_cache)
            .build();
        Self {
            store,
            clock,
            keys,
            revocations: AtomicU64::new(0),
        }
    }

    /// The caller behind a key. Every key that does not work gets the same [`Error::Unauthenticated`].
    pub async fn authenticate(&self, key: &str) -> Result<Arc<Caller>> {
        if !ApiKeySecret::is_well_formed(key) {
            return Err(Error::Unauthenticated);
        }
        let hash = ApiKeySecret::hash(key);
        let resolved = match self.keys.get(&hash).await {
            Some(resolved) => resolved,
            None => self.resolve(hash).await?,
        };
        if resolved.row.expires_at.is_some_and(|at| at <= self.clock.now()) {
            return Err(Error::Unauthenticated);
        }
        Ok(Arc::clone(&resolved.caller))
    }

    async fn resolve(&self, hash: [u8; 32]) -> Result<Arc<ResolvedKey>> {
        let revocations = self.revocations.load(Ordering::Acquire);
        let (row, email) = self.store.api_key_by_hash(&hash).await?.ok_or(Error::Unauthenticated)?;
        if row.revoked_at.is_some() || !bool::from(row.key_hash.ct_eq(&hash)) {
            return Err(Error::Unauthenticated);
        }
        let caller = Arc::new(Caller {
            account_id: row.account_id.clone(),
            email,
            method: AuthMethod::ApiKey(row.id.clone()),
            scopes: row.scopes,
        });
        let resolved = Arc::new(ResolvedKey { row, caller });
        self.keys.insert(hash, Arc::clone(&resolved)).await;
        // A revocation between the query and the insert must not be forgotten.
        if self.revocations.load(Ordering::Acquire) != revocations {
            self.keys.invalidate(&hash).await;
        }
        Ok(resolved)
    }

    /// Makes an account. [`Error::Conflict`] where the address is taken.
    pub async fn create_account(&self, email: &str, name: Option<String>) -> Result<Account> {
        let email = normalise_email(email)?;
        let account = Account {
            id: AccountId::generate(),
            email,
            name,
            created_at: self.clock.now(),
        };
        self.store.insert_account(&account).await?;
        Ok(account)
    }

    /// The account with this address.
    pub async fn find_account(&self, email: &str) -> Result<Option<Account>> {
        self.store.account_by_email(&normalise_email(email)?).await
    }

    /// Every account, oldest first.
    pub async fn list_accounts(&self) -> Result<Vec<Account>> {
        self.store.accounts().await
    }

    /// Whether nobody has an account yet.
    pub async fn is_empty(&self) -> Result<bool> {
        self.store.has_no_accounts().await
    }

    /// Deletes an account with its keys, persons and memories; false where there is none.
    pub async fn delete_account(&self, email: &str) -> Result<bool> {
        let Some(account) = self.find_account(email).await? else {
            return Ok(false);
        };
        let deleted = self.store.delete_account(&account.id).await?;
        self.forget_keys().await;
        Ok(deleted)
    }

    /// Makes a key; the secret is given this once.
    pub async fn create_api_key(&self, new: NewApiKey) -> Result<(ApiKeyRow, ApiKeySecret)> {
        let secret = ApiKeySecret::generate()?;
        let created_at = self.clock.now();
        let expires_at = match new.expires_in.map(TimeDelta::from_std) {
            None => None,
            Some(Ok(lifetime)) => created_at.checked_add_signed(lifetime),
            Some(Err(_)) => return Err(Error::Invalid(vec![Violation::new("expires_in", "is too long")])),
        };
        let row = ApiKeyRow {
            id: ApiKeyId::generate(),
            account_id: new.account_id,
            name: new.name,
            key_hash: ApiKeySecret::hash(secret.expose()),
            key_hint: secret.hint(),
            scopes: new.scopes,
            created_at,
            expires_at,
            revoked_at: None,
        };
        self.store.insert_api_key(&row).await?;
        Ok((row, secret))
    }

    /// The keys of an account, or of all, newest first.
    pub async fn list_api_keys(&self, account_id: Option<&AccountId>) -> Result<Vec<ApiKeyRow>> {
        self.store.api_keys(account_id).await
    }

    /// Revokes a key, in this process at once, in others when their cache forgets it. [`Error::ApiKeyNotFound`]
    /// where no such key works.
    pub async fn revoke_api_key(&self, id: &ApiKeyId) -> Result<()> {
        let revoked = self.store.revoke_api_key(id, self.clock.now()).await?;
        let hash = revoked.ok_or(Error::ApiKeyNotFound)?;
        self.revocations.fetch_add(1, Ordering::AcqRel);
        self.keys.invalidate(&hash).await;
        Ok(())
    }

    async fn forget_keys(&self) {
        self.revocations.fetch_add(1, Ordering::AcqRel);
        self.keys.invalidate_all();
        self.keys.run_pending_tasks().await;
    }
}

fn normalise_email(email: &str) -> Result<String> {
    let email = email.trim().to_lowercase();
    let valid = email.len() <= 254
        && !email.contains(|c: char| c.is_whitespace() || c.is_control())
        && email
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && domain.len() > 2 && !domain.contains('@'));
    if valid {
        Ok(email)
    } else {
        Err(Error::Invalid(vec![Violation::new(
            "email",
            "must be an e-mail address",
        )]))
    }
}
