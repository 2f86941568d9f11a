//! Where people signed in from before. Whoever guesses at a password from many places makes others wait, but not somebody
//! who comes from such a place.

use std::net::IpAddr;

use chrono::TimeDelta;
use sha2::{Digest, Sha256};

use super::{AuthService, network, secret};
use crate::error::Result;
use crate::model::{AccountId, Origin};
use crate::store::Transaction;

/// How long a place is remembered after the last sign-in from there.
pub(super) const REMEMBERED: TimeDelta = TimeDelta::days(180);

/// Gives places their names: marks that tell no address to whoever reads the database alone.
pub(super) struct Places {
    key: [u8; 32],
}

impl std::fmt::Debug for Places {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Places")
    }
}

impl Places {
    /// Under a key that is derived from this secret.
    pub(super) fn new(secret: &[u8]) -> Self {
        let hash = Sha256::new()
            .chain_update(b"memsync sign-in places")
            .chain_update(secret);
        Self {
            key: hash.finalize().into(),
        }
    }

    /// The name of the network that this address is in; none where there is no address.
    fn name(&self, address: Option<IpAddr>) -> Result<Option<String>> {
        let network = address.map(|address| network(address).to_string());
        network.map(|network| secret::mark(&network, &self.key)).transpose()
    }
}

impl AuthService {
    /// Whether somebody has signed in to the account with this address from here.
    pub(super) async fn knows_place(&self, email: &str, origin: &Origin) -> Result<bool> {
        match self.places.name(origin.address)? {
            Some(place) => self.store.is_sign_in_place(email, &place).await,
            None => Ok(false),
        }
    }

    /// Remembers where somebody proved that the account is theirs.
    pub(super) async fn remember_place(
        &self,
        transaction: &Transaction,
        account_id: &AccountId,
        origin: &Origin,
    ) -> Result<()> {
        match self.places.name(origin.address)? {
            Some(place) => {
                let now = self.clock.now();
                transaction.remember_sign_in_place(account_id, &place, now).await
            }
            None => Ok(()),
        }
    }
}
