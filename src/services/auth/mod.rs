//! Who is asking: the way from a key or a token to a caller. Accounts, keys and OAuth each have a file beside this.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use moka::future::Cache;
use subtle::ConstantTimeEq;

use super::{AuditLog, Receipts};
use crate::error::{Error, Result};
use crate::model::{AccountId, AuthMethod, Caller, Clock, Grant, SessionId};
use crate::store::{Session, Store};
use attempts::SignInAttempts;
use password::PasswordHasher;
use places::Places;
use registrations::Registrations;
use token::TokenSigner;

mod accounts;
mod attempts;
mod keys;
mod oauth;
mod password;
mod places;
mod programs;
mod registrations;
mod secret;
mod setup;
mod sign_in;
mod token;

pub(super) use attempts::network;

pub use accounts::Tokens;
pub use keys::{ApiKeyChange, NewApiKey};
pub use oauth::{AuthorizationRequest, Consent, Introspection, OAuthError, OAuthTokens, ProgramCredentials};
pub use programs::NewOAuthClient;
pub use secret::Secret;

/// Keys and sessions that are remembered at one time.
const CACHED: u64 = 100_000;

/// How people and programs prove who they are.
#[derive(Clone, Debug)]
pub struct AuthSettings {
    /// How long a resolved key or session is believed, which is how long another process's revocation may take.
    pub cache: Duration,
    /// Signs access tokens; at least 32 bytes.
    pub jwt_secret: Vec<u8>,
    /// Signed access tokens until lately.
    pub jwt_previous_secret: Option<Vec<u8>>,
    /// Whether anybody can make an account.
    pub is_registration_open: bool,
    /// How long an access token lives.
    pub access_token_lifetime: Duration,
    /// How long a session lives that is not refreshed.
    pub refresh_token_lifetime: Duration,
    /// Accounts that may be made from an address; 0 for no limit.
    pub registrations_per_hour_per_address: u32,
    /// Accounts that may be made in all; 0 for no limit.
    pub registrations_per_hour: u32,
}

/// What a caller shows.
#[derive(Clone, Copy)]
pub enum Credential<'a> {
    /// The header `X-API-Key`.
    ApiKey(&'a str),
    /// The token of `Authorization: Bearer`; or a key, of a client that can send no other header.
    Bearer(&'a str),
}

/// Accounts, sessions, keys and the programs that act for people.
#[derive(Debug)]
pub struct AuthService {
    store: Store,
    clock: Clock,
    settings: AuthSettings,
    receipts: Arc<Receipts>,
    audit: Arc<AuditLog>,
    passwords: PasswordHasher,
    attempts: SignInAttempts,
    places: Places,
    registrations: Registrations,
    tokens: TokenSigner,
    keys: Cache<[u8; 32], Arc<Caller>>,
    sessions: Cache<SessionId, Arc<ResolvedSession>>,
    revocations: AtomicU64,
}

#[derive(Debug)]
struct ResolvedSession {
    session: Session,
    caller: Arc<Caller>,
}

impl AuthService {
    /// The service over one database.
    pub fn new(
        store: Store,
        clock: Clock,
        settings: AuthSettings,
        receipts: Arc<Receipts>,
        audit: Arc<AuditLog>,
    ) -> Self {
        Self {
            store,
            clock,
            receipts,
            audit,
            passwords: PasswordHasher::new(),
            attempts: SignInAttempts::new(),
            places: Places::new(&settings.jwt_secret),
            registrations: Registrations::new(&settings),
            tokens: TokenSigner::new(&settings.jwt_secret, settings.jwt_previous_secret.as_deref()),
            keys: Cache::builder()
                .max_capacity(CACHED)
                .time_to_live(settings.cache)
                .build(),
            sessions: Cache::builder()
                .max_capacity(CACHED)
                .time_to_live(settings.cache)
                .build(),
            revocations: AtomicU64::new(0),
            settings,
        }
    }

    /// The caller behind a credential. Every one that does not work gets the same [`Error::Unauthenticated`].
    pub async fn authenticate(&self, credential: Credential<'_>, address: Option<IpAddr>) -> Result<Arc<Caller>> {
        match credential {
            Credential::ApiKey(key) => self.authenticate_key(key, address).await,
            Credential::Bearer(key) if secret::is_api_key(key) => self.authenticate_key(key, address).await,
            Credential::Bearer(token) => self.authenticate_token(token).await,
        }
    }

    async fn authenticate_key(&self, key: &str, address: Option<IpAddr>) -> Result<Arc<Caller>> {
        if !secret::is_api_key(key) {
            return Err(Error::Unauthenticated);
        }
        let hash = secret::hash(key);
        let caller = match self.keys.get(&hash).await {
            Some(caller) => caller,
            None => self.resolve_key(hash).await?,
        };
        let is_over = caller.grant.expires_at.is_some_and(|at| at <= self.clock.now());
        if is_over || !caller.grant.covers_address(address) {
            return Err(Error::Unauthenticated);
        }
        Ok(caller)
    }

    async fn resolve_key(&self, hash: [u8; 32]) -> Result<Arc<Caller>> {
        let revocations = self.revocations.load(Ordering::Acquire);
        let (row, email) = self.store.api_key_by_hash(&hash).await?.ok_or(Error::Unauthenticated)?;
        if row.revoked_at.is_some() || !bool::from(row.key_hash.ct_eq(&hash)) {
            return Err(Error::Unauthenticated);
        }
        let caller = Arc::new(Caller {
            account_id: row.account_id,
            email,
            method: AuthMethod::ApiKey(row.id),
            grant: row.grant,
        });
        self.keys.insert(hash, Arc::clone(&caller)).await;
        // A revocation between the query and the insert must not be forgotten.
        if self.revocations.load(Ordering::Acquire) != revocations {
            self.keys.invalidate(&hash).await;
        }
        Ok(caller)
    }

    async fn authenticate_token(&self, token: &str) -> Result<Arc<Caller>> {
        let now = self.clock.now();
        let claims = self.tokens.verify(token, now)?;
        let session_id = SessionId::from_stored(claims.sid);
        let resolved = match self.sessions.get(&session_id).await {
            Some(resolved) => resolved,
            None => self.resolve_session(session_id).await?,
        };
        let ResolvedSession { session, caller } = &*resolved;
        if session.account_id.as_str() != claims.sub || session.expires_at <= now {
            return Err(Error::Unauthenticated);
        }
        match claims.scope {
            None if session.client_id.is_none() => Ok(Arc::clone(caller)),
            // A program may have asked for less than it was granted.
            Some(scope) if session.client_id.is_some() => {
                let scopes = scope.parse().map_err(|_| Error::Unauthenticated)?;
                Ok(Arc::new(Caller {
                    grant: Grant::of(session.scopes.intersection(scopes)),
                    ..(**caller).clone()
                }))
            }
            None | Some(_) => Err(Error::Unauthenticated),
        }
    }

    async fn resolve_session(&self, id: SessionId) -> Result<Arc<ResolvedSession>> {
        let revocations = self.revocations.load(Ordering::Acquire);
        let (session, email) = self.store.session(&id).await?.ok_or(Error::Unauthenticated)?;
        if session.revoked_at.is_some() {
            return Err(Error::Unauthenticated);
        }
        let (method, grant) = match &session.client_id {
            None => (AuthMethod::Session(id.clone()), Grant::everything()),
            Some(client_id) => {
                let method = AuthMethod::OAuth {
                    client_id: client_id.clone(),
                    session_id: id.clone(),
                };
                (method, Grant::of(session.scopes))
            }
        };
        let caller = Arc::new(Caller {
            account_id: session.account_id.clone(),
            email,
            method,
            grant,
        });
        let resolved = Arc::new(ResolvedSession { session, caller });
        self.sessions.insert(id.clone(), Arc::clone(&resolved)).await;
        if self.revocations.load(Ordering::Acquire) != revocations {
            self.sessions.invalidate(&id).await;
        }
        Ok(resolved)
    }

    /// The time by which this service judges what has ended.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Forgets one key that was changed or revoked.
    async fn forget_key(&self, hash: &[u8; 32]) {
        self.revocations.fetch_add(1, Ordering::AcqRel);
        self.keys.invalidate(hash).await;
    }

    /// Forgets one session that was ended.
    async fn forget_session(&self, id: &SessionId) {
        self.revocations.fetch_add(1, Ordering::AcqRel);
        self.sessions.invalidate(id).await;
    }

    /// Forgets every key and session, because many of them may have ended.
    async fn forget_all(&self) {
        self.revocations.fetch_add(1, Ordering::AcqRel);
        self.keys.invalidate_all();
        self.sessions.invalidate_all();
        self.keys.run_pending_tasks().await;
        self.sessions.run_pending_tasks().await;
    }

    /// Forgets what has ended: sessions, links, and codes that nobody fetched.
    pub async fn purge(&self) -> Result<()> {
        let now = self.clock.now();
        self.store.purge_sessions(now).await?;
        self.store.purge_sign_in_places(now - places::REMEMBERED).await?;
        self.store.purge_setup_links(now).await?;
        self.store.purge_oauth_codes(now).await
    }
}

/// The account of a caller who is a signed-in person, and the session.
fn signed_in(caller: &Caller) -> Result<(&AccountId, &SessionId)> {
    match &caller.method {
        AuthMethod::Session(id) => Ok((&caller.account_id, id)),
        AuthMethod::ApiKey(_) | AuthMethod::OAuth { .. } => Err(Error::Unauthenticated),
    }
}
