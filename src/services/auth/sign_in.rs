//! Signing in: a password is right, and what is done where it is not.

use super::accounts::normalise_email;
use super::attempts::Wait;
use super::{AuthService, Tokens};
use crate::error::{Error, Result};
use crate::model::Origin;
use crate::services::Actor;
use crate::store::Account;

/// Who shows a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asking {
    /// Somebody who wants to sign in.
    Stranger,
    /// Somebody with a session of the account.
    SignedIn,
}

impl AuthService {
    /// Signs in. An unknown address and a wrong password are told apart by nothing: not by words, not by time.
    pub async fn login(&self, origin: &Origin, email: &str, password: &str) -> Result<Tokens> {
        let account = self.check_password(origin, email, password, Asking::Stranger).await?;
        let (session, tokens) = self.new_session(&account.id, &account.email)?;
        let event = Actor::person(&account.email, origin).did(
            "session.created",
            Some(session.id.as_str()),
            &account.id,
            session.created_at,
        );
        let transaction = self.store.begin().await?;
        // A password that was changed meanwhile ended every session but one; this one must not come after.
        if !transaction.has_same_password(&account).await? {
            return Err(Error::Unauthenticated);
        }
        transaction.insert_session(&session).await?;
        self.remember_place(&transaction, &account.id, origin).await?;
        transaction.insert_audit_event(&event).await?;
        transaction.commit().await?;
        Ok(tokens)
    }

    /// The account with this address and password. Failures are counted and, where there is such an account, told in
    /// its audit log: with its next flush, since a write that only known addresses cost would tell which they are.
    pub(super) async fn check_password(
        &self,
        origin: &Origin,
        email: &str,
        password: &str,
        asking: Asking,
    ) -> Result<Account> {
        let now = self.clock.now();
        // What is no address has no account; it takes its time all the same.
        let address = normalise_email(email).unwrap_or_default();
        let begun = self.attempts.begin(&address, origin.address, now);
        match begun {
            Ok(()) => {}
            // Those who guess elsewhere make nobody wait who was here before.
            Err(Wait::Everywhere(_)) if asking == Asking::SignedIn => {}
            Err(Wait::Everywhere(_)) if self.knows_place(&address, origin).await? => {}
            Err(Wait::Here(limited) | Wait::Everywhere(limited)) => return Err(Error::RateLimited(limited)),
        }
        let account = self.store.account_by_email(&address).await?;
        let hash = account.as_ref().and_then(|account| account.password_hash.as_deref());
        let is_right = self.passwords.verify(password, hash).await?;
        match account {
            Some(account) if is_right => {
                self.attempts.succeeded(&address, origin.address, begun.is_ok());
                Ok(account)
            }
            Some(account) => {
                let event = Actor::person(&address, origin).did("session.refused", None, &account.id, now);
                self.audit.defer(event);
                Err(Error::Unauthenticated)
            }
            None => Err(Error::Unauthenticated),
        }
    }
}
