//! The account of the first start: its key, the link by which its owner signs in, and no limits while somebody tries the
//! service on their own machine.

use std::net::SocketAddr;

use super::App;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::services::{NewApiKey, Secret};

/// The account of the first start, until its owner chooses another address.
const EMAIL: &str = "local@memsync.dev";

impl App {
    /// On an empty database, makes an account with a key.
    pub async fn bootstrap(&self) -> Result<Option<Secret>> {
        if !self.auth.is_empty().await? {
            return Ok(None);
        }
        let account = match self.auth.create_first_account(EMAIL).await {
            // Another instance on the same database was first.
            Err(Error::EmailTaken) => return Ok(None),
            account => account?,
        };
        let new = NewApiKey {
            name: "first key".to_owned(),
            ..NewApiKey::default()
        };
        let (_, secret) = self.auth.issue_api_key(&account.id, new).await?;
        Ok(Some(secret))
    }

    /// A token that gives the account of the first start an owner, while nobody can sign in to it.
    pub async fn new_setup_token(&self) -> Result<Option<Secret>> {
        match self.auth.first_account().await? {
            Some(account) => self.auth.new_setup_token(&account).await,
            None => Ok(None),
        }
    }

    /// Takes the limits off the account of the first start where only this machine reaches the server, at `address`,
    /// and nobody has set any.
    pub async fn lift_local_limits(&self, config: &Config, address: SocketAddr) -> Result<()> {
        let is_behind_proxy = !config.trusted_proxies.is_empty() || config.public_url.is_some();
        if !address.ip().is_loopback() || is_behind_proxy || config.limits.are_set {
            return Ok(());
        }
        if let Some(account) = self.auth.first_account().await? {
            tracing::info!(
                "the account of the first start has no rate limits, since only this machine reaches the server; \
                 limits.* would set some"
            );
            self.limits.lift_for(account.id);
        }
        Ok(())
    }
}

/// The page of the dashboard where the owner of an account without a password sets it up. The token is in the part of
/// the URL that browsers don't send.
pub fn setup_url(base: &str, token: &Secret) -> String {
    format!("{}/dashboard/welcome#{}", base.trim_end_matches('/'), token.expose())
}
