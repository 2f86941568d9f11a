//! What is kept encrypted: XChaCha20-Poly1305 under a key per account, which is itself kept encrypted under the master
//! key of the installation. An account that is deleted takes its key with it, and what it sealed is noise.

use std::fmt;

use chacha20poly1305::aead::{Aead, Generate, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use chrono::{DateTime, Utc};

use crate::error::{Error, Result};
use crate::model::AccountId;
use crate::store::Transaction;

/// Bytes of a nonce, which stands before what it sealed.
const NONCE: usize = 24;

/// Seals and opens.
pub struct Vault {
    master: XChaCha20Poly1305,
}

/// Seals and opens for one account.
pub(super) struct AccountVault {
    account: String,
    cipher: XChaCha20Poly1305,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// With this master key.
    pub fn new(master_key: &[u8; 32]) -> Self {
        Self {
            master: XChaCha20Poly1305::new(&Key::from(*master_key)),
        }
    }

    /// The vault of an account; its key is made where there is none.
    pub(super) async fn of(
        &self,
        transaction: &Transaction,
        account: &AccountId,
        now: DateTime<Utc>,
    ) -> Result<AccountVault> {
        let aad = account.as_str();
        let wrapped = match transaction.account_key(account).await? {
            Some(wrapped) => wrapped,
            None => {
                let wrapped = seal(&self.master, Key::generate().as_slice(), aad)?;
                transaction.insert_account_key(account, &wrapped, now).await?
            }
        };
        let key: [u8; 32] = open(&self.master, &wrapped, aad)?
            .try_into()
            .map_err(|_| Error::Internal("an account's key is not 32 bytes".into()))?;
        Ok(AccountVault {
            account: aad.to_owned(),
            cipher: XChaCha20Poly1305::new(&Key::from(key)),
        })
    }
}

impl AccountVault {
    /// `what` says what is sealed: it opens under no other name.
    pub(super) fn seal(&self, plain: &[u8], what: &str) -> Result<Vec<u8>> {
        seal(&self.cipher, plain, &format!("{}/{what}", self.account))
    }

    pub(super) fn open(&self, sealed: &[u8], what: &str) -> Result<Vec<u8>> {
        open(&self.cipher, sealed, &format!("{}/{what}", self.account))
    }
}

fn seal(cipher: &XChaCha20Poly1305, plain: &[u8], aad: &str) -> Result<Vec<u8>> {
    let nonce = XNonce::generate();
    let payload = Payload {
        msg: plain,
        aad: aad.as_bytes(),
    };
    let sealed = cipher
        .encrypt(&nonce, payload)
        .map_err(|_| Error::Internal("encryption failed".into()))?;
    Ok([nonce.as_slice(), &sealed].concat())
}

fn open(cipher: &XChaCha20Poly1305, sealed: &[u8], aad: &str) -> Result<Vec<u8>> {
    let broken =
        || Error::Internal("what was sealed does not open: the master key is another one, or it was changed".into());
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or_else(broken)?;
    let payload = Payload {
        msg: sealed,
        aad: aad.as_bytes(),
    };
    cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| broken())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_its_key_and_name_only() {
        let cipher = XChaCha20Poly1305::new(&Key::from([1; 32]));
        let sealed = seal(&cipher, b"a memory", "user_1/backup_1").expect("sealed");
        assert!(!sealed.windows(8).any(|window| window == b"a memory"));
        assert_eq!(open(&cipher, &sealed, "user_1/backup_1").expect("opened"), b"a memory");
        assert!(open(&cipher, &sealed, "user_1/backup_2").is_err());
        let other = XChaCha20Poly1305::new(&Key::from([2; 32]));
        assert!(open(&other, &sealed, "user_1/backup_1").is_err());
        let mut changed = sealed.clone();
        changed[NONCE] ^= 1;
        assert!(open(&cipher, &changed, "user_1/backup_1").is_err());
        assert!(open(&cipher, &sealed[..10], "user_1/backup_1").is_err());
    }
}
