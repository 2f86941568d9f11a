//! Accounts and the sessions of the people behind them.

use chrono::TimeDelta;
use serde_json::json;
use subtle::ConstantTimeEq;

use super::sign_in::Asking;
use super::{AuthService, Secret, password, secret, signed_in, token};
use crate::error::{Error, Result, Violation};
use crate::model::{
    AccountId, Caller, MAX_EMAIL_BYTES, MAX_NAME_CHARS, OAuthClientId, Origin, ScopeSet, SessionId, has_unseen,
};
use crate::services::Actor;
use crate::store::{Account, MadeBy, Session};

const REFRESH_TOKEN: &str = "memsync_rt_";
/// Between the session and the random part of a refresh token.
const SEPARATOR: char = '_';
/// Between a refresh token and the mark of its session.
const MARK: char = '.';

/// What a session is used with. Its `Debug` hides the tokens.
pub struct Tokens {
    /// The account.
    pub account_id: AccountId,
    /// Its e-mail address.
    pub email: String,
    /// The Bearer token.
    pub access_token: String,
    /// The token that gets the next pair.
    pub refresh_token: Secret,
    /// Seconds that the Bearer token lives.
    pub expires_in: i64,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tokens of {}", self.account_id)
    }
}

impl AuthService {
    /// Makes an account and signs it in. [`Error::EmailTaken`] where the address has one.
    pub async fn register(&self, origin: &Origin, email: &str, password: &str, name: Option<String>) -> Result<Tokens> {
        if !self.settings.is_registration_open {
            return Err(Error::ForbiddenHere("Registration is closed"));
        }
        let address = checked(email, Some(password), name.as_deref())?;
        // Also where the address has an account already: that answer tells who has one.
        self.registrations.take(origin.address, self.clock.now())?;
        let account = self
            .new_account(address, Some(password), name, MadeBy::Registration)
            .await?;
        let (session, tokens) = self.new_session(&account.id, &account.email)?;
        let actor = Actor::person(&account.email, origin);
        let now = account.created_at;
        let transaction = self.store.begin().await?;
        transaction.insert_account(&account).await?;
        transaction.insert_session(&session).await?;
        self.remember_place(&transaction, &account.id, origin).await?;
        let event = actor.did("account.created", None, &account.id, now);
        transaction.insert_audit_event(&event).await?;
        transaction.commit().await?;
        Ok(tokens)
    }

    /// Makes an account for whoever runs the command line; without a password it can only be used by keys.
    pub async fn create_account(&self, email: &str, name: Option<String>, password: Option<&str>) -> Result<Account> {
        self.make_account(email, name, password, MadeBy::CommandLine).await
    }

    pub(super) async fn make_account(
        &self,
        email: &str,
        name: Option<String>,
        password: Option<&str>,
        made_by: MadeBy,
    ) -> Result<Account> {
        let address = checked(email, password, name.as_deref())?;
        let account = self.new_account(address, password, name, made_by).await?;
        let transaction = self.store.begin().await?;
        transaction.insert_account(&account).await?;
        let event = Actor::operator().did("account.created", None, &account.id, account.created_at);
        transaction.insert_audit_event(&event).await?;
        transaction.commit().await?;
        Ok(account)
    }

    async fn new_account(
        &self,
        address: String,
        password: Option<&str>,
        name: Option<String>,
        made_by: MadeBy,
    ) -> Result<Account> {
        // Before the costly hash; the unique index decides in the end.
        if self.store.account_by_email(&address).await?.is_some() {
            return Err(Error::EmailTaken);
        }
        let password_hash = match password {
            Some(password) => Some(self.passwords.hash(password).await?),
            None => None,
        };
        Ok(Account {
            id: AccountId::generate(),
            email: address,
            name,
            password_hash,
            created_at: self.clock.now(),
            made_by: Some(made_by),
        })
    }

    pub(super) fn new_session(&self, account_id: &AccountId, email: &str) -> Result<(Session, Tokens)> {
        let now = self.clock.now();
        let id = SessionId::generate();
        let family_key = secret::random()?;
        let refresh_token = new_refresh_token(&id, &family_key)?;
        let session = Session {
            family_key,
            account_id: account_id.clone(),
            client_id: None,
            scopes: ScopeSet::all(),
            refresh_hash: Some(refresh_token.hash()),
            created_at: now,
            expires_at: now + self.refresh_token_lifetime(),
            revoked_at: None,
            id,
        };
        let tokens = self.tokens_of(&session, email.to_owned(), refresh_token)?;
        Ok((session, tokens))
    }

    fn tokens_of(&self, session: &Session, email: String, refresh_token: Secret) -> Result<Tokens> {
        Ok(Tokens {
            account_id: session.account_id.clone(),
            email,
            access_token: self.access_token(&session.account_id, &session.id, None)?,
            refresh_token,
            expires_in: self.access_token_lifetime_s(),
        })
    }

    pub(super) fn access_token(
        &self,
        account_id: &AccountId,
        session_id: &SessionId,
        program: Option<(&OAuthClientId, ScopeSet)>,
    ) -> Result<String> {
        let subject = token::Subject {
            account_id,
            session_id,
            program,
        };
        self.tokens
            .sign(&subject, self.clock.now(), self.access_token_lifetime_s())
    }

    pub(super) fn access_token_lifetime_s(&self) -> i64 {
        i64::try_from(self.settings.access_token_lifetime.as_secs()).unwrap_or(i64::MAX)
    }

    pub(super) fn refresh_token_lifetime(&self) -> TimeDelta {
        TimeDelta::from_std(self.settings.refresh_token_lifetime).unwrap_or(TimeDelta::days(30))
    }

    /// Spends a person's refresh token for a new pair.
    pub async fn refresh(&self, origin: &Origin, refresh_token: &str) -> Result<Tokens> {
        let (session, email) = self.refreshable(refresh_token).await?;
        if session.client_id.is_some() {
            return Err(Error::Unauthenticated);
        }
        let next = self.rotate(origin, &session, &email, refresh_token).await?;
        self.tokens_of(&session, email, next)
    }

    /// The living session that a refresh token was given by, and its account's address. Whether it was spent is judged
    /// by [`Self::rotate`].
    pub(super) async fn refreshable(&self, refresh_token: &str) -> Result<(Session, String)> {
        let id = session_of(refresh_token).ok_or(Error::Unauthenticated)?;
        let (session, email) = self.store.session(&id).await?.ok_or(Error::Unauthenticated)?;
        let has_ended = session.revoked_at.is_some() || session.expires_at <= self.clock.now();
        if has_ended || !is_of_family(refresh_token, &session.family_key) {
            return Err(Error::Unauthenticated);
        }
        Ok((session, email))
    }

    /// Puts a new refresh token in the place of the one that works. Any other one of the session was spent before, so
    /// that two hold it: it ends (RFC 9700, 4.14.2).
    pub(super) async fn rotate(
        &self,
        origin: &Origin,
        session: &Session,
        email: &str,
        refresh_token: &str,
    ) -> Result<Secret> {
        let now = self.clock.now();
        let next = new_refresh_token(&session.id, &session.family_key)?;
        let expires_at = now + self.refresh_token_lifetime();
        let transaction = self.store.begin().await?;
        let old = secret::hash(refresh_token);
        if transaction
            .rotate_session(&session.id, &old, &next.hash(), expires_at)
            .await?
        {
            if session.client_id.is_none() {
                self.remember_place(&transaction, &session.account_id, origin).await?;
            }
            transaction.commit().await?;
            self.forget_session(&session.id).await;
            return Ok(next);
        }
        transaction.revoke_session(&session.id, now).await?;
        let target = Some(session.id.as_str());
        let event = Actor::person(email, origin).did("session.reuse_detected", target, &session.account_id, now);
        transaction.insert_audit_event(&event).await?;
        transaction.commit().await?;
        self.forget_session(&session.id).await;
        Err(Error::Unauthenticated)
    }

    /// Ends the caller's session.
    pub async fn logout(&self, caller: &Caller, origin: &Origin) -> Result<()> {
        let (account_id, session_id) = signed_in(caller)?;
        let now = self.clock.now();
        let transaction = self.store.begin().await?;
        transaction.revoke_session(session_id, now).await?;
        let event = Actor::caller(caller, origin).did("session.ended", Some(session_id.as_str()), account_id, now);
        transaction.insert_audit_event(&event).await?;
        transaction.commit().await?;
        self.forget_session(session_id).await;
        Ok(())
    }

    /// Changes the caller's password; every other session of the account ends.
    pub async fn change_password(&self, caller: &Caller, origin: &Origin, current: &str, new: &str) -> Result<()> {
        let (account_id, session_id) = signed_in(caller)?;
        if let Some(fault) = password::fault(new, &caller.email) {
            return Err(Error::Invalid(vec![Violation::new("new_password", fault)]));
        }
        let account = self
            .check_password(origin, &caller.email, current, Asking::SignedIn)
            .await?;
        let new = self.passwords.hash(new).await?;
        let now = self.clock.now();
        let transaction = self.store.begin().await?;
        let old = account.password_hash.unwrap_or_default();
        if !transaction.replace_password(account_id, &old, &new).await? {
            return Err(Error::Conflict("The password was changed meanwhile"));
        }
        transaction
            .revoke_sessions_but(Some(session_id), account_id, now)
            .await?;
        transaction.delete_oauth_codes(account_id).await?;
        let event = Actor::caller(caller, origin).did("password.changed", None, account_id, now);
        transaction.insert_audit_event(&event).await?;
        transaction.commit().await?;
        self.forget_all().await;
        Ok(())
    }

    /// Sets the password of an account and ends its sessions, for whoever runs the command line. False where there is no
    /// such account.
    pub async fn set_password(&self, email: &str, password: &str) -> Result<bool> {
        let Some(account) = self.find_account(email).await? else {
            return Ok(false);
        };
        if let Some(fault) = password::fault(password, &account.email) {
            return Err(Error::Invalid(vec![Violation::new("password", fault)]));
        }
        let hash = self.passwords.hash(password).await?;
        let now = self.clock.now();
        let transaction = self.store.begin().await?;
        transaction.set_password(&account.id, &hash).await?;
        transaction.revoke_sessions_but(None, &account.id, now).await?;
        transaction.delete_oauth_codes(&account.id).await?;
        let event = Actor::operator().did("password.changed", None, &account.id, now);
        transaction.insert_audit_event(&event).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Erases the caller's account with all that belongs to it. Gives a receipt.
    pub async fn delete_own_account(&self, caller: &Caller, origin: &Origin, password: &str) -> Result<String> {
        let (account_id, _) = signed_in(caller)?;
        self.check_password(origin, &caller.email, password, Asking::SignedIn)
            .await?;
        self.erase_account(account_id).await
    }

    /// Erases an account with all that belongs to it; nothing where there is none. Gives a receipt.
    pub async fn delete_account(&self, email: &str) -> Result<Option<String>> {
        match self.find_account(email).await? {
            Some(account) => self.erase_account(&account.id).await.map(Some),
            None => Ok(None),
        }
    }

    async fn erase_account(&self, account_id: &AccountId) -> Result<String> {
        let erased = self.store.delete_account(account_id).await?;
        self.store.scrub().await;
        self.forget_all().await;
        let counts = json!({
            "accounts": erased.accounts, "persons": erased.persons, "memories": erased.memories,
            "api_keys": erased.api_keys,
        });
        self.receipts.sign(account_id.as_str(), counts, self.clock.now())
    }

    /// The account with this address.
    pub async fn find_account(&self, email: &str) -> Result<Option<Account>> {
        match normalise_email(email) {
            Some(address) => self.store.account_by_email(&address).await,
            None => Ok(None),
        }
    }

    /// Every account, oldest first.
    pub async fn list_accounts(&self) -> Result<Vec<Account>> {
        self.store.accounts().await
    }

    /// Whether nobody has an account yet.
    pub async fn is_empty(&self) -> Result<bool> {
        self.store.has_no_accounts().await
    }
}

/// A refresh token names its session and carries a mark of it, so that a spent one is known for what it is and none can
/// be made up: `memsync_rt_{session}_{random}.{mark}`.
pub(super) fn new_refresh_token(session: &SessionId, family_key: &[u8; 32]) -> Result<Secret> {
    let token = Secret::with_prefix(&format!("{REFRESH_TOKEN}{session}{SEPARATOR}"))?;
    let mark = secret::mark(token.expose(), family_key)?;
    Ok(token.with_suffix(&format!("{MARK}{mark}")))
}

pub(super) fn session_of(refresh_token: &str) -> Option<SessionId> {
    let (unmarked, _) = refresh_token.rsplit_once(MARK)?;
    let (session, _) = unmarked.strip_prefix(REFRESH_TOKEN)?.rsplit_once(SEPARATOR)?;
    let is_plain = session.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_plain.then(|| SessionId::from_stored(session))
}

fn is_of_family(refresh_token: &str, family_key: &[u8; 32]) -> bool {
    let Some((unmarked, sent)) = refresh_token.rsplit_once(MARK) else {
        return false;
    };
    secret::mark(unmarked, family_key).is_ok_and(|mark| mark.as_bytes().ct_eq(sent.as_bytes()).into())
}

/// The normal form of a new account's address. Every field that is no good is named.
fn checked(email: &str, password: Option<&str>, name: Option<&str>) -> Result<String> {
    let mut violations = Vec::new();
    let address = normalise_email(email);
    match &address {
        None => violations.push(Violation::new("email", "must be an e-mail address")),
        Some(address) if has_unseen(address) => {
            violations.push(Violation::new("email", "must have no control or invisible characters"));
        }
        Some(_) => {}
    }
    let address = address.unwrap_or_default();
    if let Some(fault) = password.and_then(|password| password::fault(password, &address)) {
        violations.push(Violation::new("password", fault));
    }
    let is_name = |name: &str| {
        let chars = name.chars().count();
        (1..=MAX_NAME_CHARS).contains(&chars) && !name.chars().any(char::is_control) && !name.trim().is_empty()
    };
    if name.is_some_and(|name| !is_name(name)) {
        violations.push(Violation::new(
            "name",
            format!("must be 1 to {MAX_NAME_CHARS} visible characters"),
        ));
    }
    match violations.is_empty() {
        true => Ok(address),
        false => Err(Error::Invalid(violations)),
    }
}

/// Lower-case and trimmed; nothing where it is no address.
pub(super) fn normalise_email(email: &str) -> Option<String> {
    let email = email.trim().to_lowercase();
    let valid = email.len() <= MAX_EMAIL_BYTES
        && !email.contains(|c: char| c.is_whitespace() || c.is_control())
        && email
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && domain.len() > 2 && !domain.contains('@'));
    valid.then_some(email)
}
