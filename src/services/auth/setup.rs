//! An account without a password gets one by a link that works once: that of the first start, or one that the command
//! line made.

use chrono::TimeDelta;
use subtle::ConstantTimeEq;

use super::accounts::normalise_email;
use super::{AuthService, Secret, Tokens, password, secret};
use crate::error::{Error, Result, Violation};
use crate::model::{AccountId, Origin, has_unseen};
use crate::services::Actor;
use crate::store::{Account, MadeBy, SetupLink};

const TOKEN: &str = "memsync_setup_";
/// Between the account and the random part of a token.
const SEPARATOR: char = '_';
const LIFETIME: TimeDelta = TimeDelta::minutes(15);

impl AuthService {
    /// The account that the first start made.
    pub async fn first_account(&self) -> Result<Option<Account>> {
        self.store.first_account_made_by(MadeBy::FirstStart).await
    }

    /// Makes the account that the first start needs.
    pub async fn create_first_account(&self, email: &str) -> Result<Account> {
        self.make_account(email, None, None, MadeBy::FirstStart).await
    }

    /// A token that sets the account up, once within 15 minutes; an earlier one ends. None where it has a password.
    pub async fn new_setup_token(&self, account: &Account) -> Result<Option<Secret>> {
        if account.password_hash.is_some() {
            return Ok(None);
        }
        let now = self.clock.now();
        let token = Secret::with_prefix(&format!("{TOKEN}{}{SEPARATOR}", account.id))?;
        let link = SetupLink {
            account_id: account.id.clone(),
            token_hash: token.hash(),
            expires_at: now + LIFETIME,
        };
        let transaction = self.store.begin().await?;
        transaction.put_setup_link(&link).await?;
        let event = Actor::operator().did("setup_link.created", None, &account.id, now);
        transaction.insert_audit_event(&event).await?;
        transaction.commit().await?;
        Ok(Some(token))
    }

    /// Gives the account of a token its address and password, and signs in. A token that is unknown, spent, replaced or
    /// over is [`Error::Unauthenticated`], as is one whose account got a password in another way.
    pub async fn set_up(&self, origin: &Origin, token: &str, email: &str, password: &str) -> Result<Tokens> {
        let now = self.clock.now();
        let account_id = account_of(token).ok_or(Error::Unauthenticated)?;
        let link = self.store.setup_link(&account_id).await?;
        let hash = secret::hash(token);
        let is_good = link.is_some_and(|link| link.expires_at > now && bool::from(link.token_hash.ct_eq(&hash)));
        if !is_good {
            return Err(Error::Unauthenticated);
        }
        let address = normalise_email(email).filter(|address| !has_unseen(address));
        let fault = password::fault(password, address.as_deref().unwrap_or_default());
        let (Some(address), None) = (&address, &fault) else {
            let email = address
                .is_none()
                .then(|| Violation::new("email", "must be an e-mail address"));
            let password = fault.map(|fault| Violation::new("password", fault));
            return Err(Error::Invalid(email.into_iter().chain(password).collect()));
        };
        let password_hash = self.passwords.hash(password).await?;
        let (session, tokens) = self.new_session(&account_id, address)?;
        let transaction = self.store.begin().await?;
        let is_first = transaction.delete_setup_link(&account_id, &hash).await?
            && transaction.set_up_account(&account_id, address, &password_hash).await?;
        if !is_first {
            return Err(Error::Unauthenticated);
        }
        transaction.insert_session(&session).await?;
        let event = Actor::person(address, origin).did("account.set_up", None, &account_id, now);
        transaction.insert_audit_event(&event).await?;
        transaction.commit().await?;
        // Its keys are remembered with the address from before.
        self.forget_all().await;
        Ok(tokens)
    }
}

fn account_of(token: &str) -> Option<AccountId> {
    let (account, _) = token.strip_prefix(TOKEN)?.rsplit_once(SEPARATOR)?;
    let is_plain = account.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_plain.then(|| AccountId::from_stored(account))
}
