//! What is kept encrypted, and the tables `account_keys` and `master_keys`: XChaCha20-Poly1305 under a key per account,
//! which is itself kept encrypted under the master key of the installation. An account that is deleted takes its key
//! with it, and what it sealed is noise.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chacha20poly1305::aead::{Aead, Generate, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use chrono::{DateTime, Utc};
use moka::sync::Cache;
use parking_lot::RwLock;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, QuerySelect};
use sha2::{Digest, Sha256};

use super::{Store, Transaction, db_error};
use crate::error::{Cause, Error, Result};
use crate::model::AccountId;

/// Bytes of a nonce, which stands before what it sealed.
const NONCE: usize = 24;
/// How long an account's key is kept in memory, and how many of them.
const ACCOUNT_KEY_CACHE: (Duration, u64) = (Duration::from_secs(60), 10_000);
/// The only row of `master_keys`.
const ONLY: i32 = 1;

mod account_keys {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "account_keys")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: String,
        pub wrapped_key: Vec<u8>,
        pub master_key_id: String,
        pub created_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod master_keys {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "master_keys")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        pub master_key_id: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A master key as it is given, 32 random bytes.
pub type MasterKey = [u8; 32];

/// Reads the master keys that the installation has now: the one to use first, then those that it replaces.
pub type ReadMasterKeys = Box<dyn Fn() -> Result<Vec<MasterKey>, Cause> + Send + Sync>;

/// The keys.
pub struct Vault {
    read_masters: ReadMasterKeys,
    masters: RwLock<Vec<Arc<Master>>>,
    accounts: Cache<AccountId, Arc<AccountCipher>>,
}

/// A master key, ready for use.
struct Master {
    id: String,
    cipher: XChaCha20Poly1305,
}

/// Seals and opens for one account.
pub(super) struct AccountCipher {
    account: String,
    cipher: XChaCha20Poly1305,
}

impl Master {
    fn new(key: &MasterKey) -> Self {
        Self {
            id: fingerprint(key),
            cipher: XChaCha20Poly1305::new(&Key::from(*key)),
        }
    }
}

/// Tells master keys apart and says nothing of them.
pub fn fingerprint(key: &MasterKey) -> String {
    let digest = Sha256::new()
        .chain_update(b"memsync master key")
        .chain_update(key)
        .finalize();
    digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Vault {
    /// With the keys that `read_masters` gives; it is asked when one is needed, and again when the database names another.
    pub fn new(read_masters: ReadMasterKeys) -> Self {
        Self {
            read_masters,
            masters: RwLock::default(),
            accounts: Cache::builder()
                .time_to_live(ACCOUNT_KEY_CACHE.0)
                .max_capacity(ACCOUNT_KEY_CACHE.1)
                .build(),
        }
    }

    fn read_again(&self) -> Result<()> {
        let keys = (self.read_masters)().map_err(Error::Unavailable)?;
        *self.masters.write() = keys.iter().map(|key| Arc::new(Master::new(key))).collect();
        Ok(())
    }

    fn current(&self) -> Result<Arc<Master>> {
        if self.masters.read().is_empty() {
            self.read_again()?;
        }
        let current = self.masters.read().first().cloned();
        current.ok_or_else(|| Error::Internal("there is no master key".into()))
    }

    /// The master key with this fingerprint.
    fn master(&self, id: &str) -> Result<Arc<Master>> {
        let find = || self.masters.read().iter().find(|master| master.id == id).cloned();
        if let Some(master) = find() {
            return Ok(master);
        }
        self.read_again()?;
        find().ok_or_else(|| {
            let fault =
                format!("the database is encrypted with the master key {id}, which is not among the given ones");
            Error::Unavailable(fault.into())
        })
    }

    fn unwrap(&self, row: &account_keys::Model) -> Result<AccountCipher> {
        let master = self.master(&row.master_key_id)?;
        let key: [u8; 32] = open(&master.cipher, &row.wrapped_key, &row.account_id)?
            .try_into()
            .map_err(|_| Error::Internal("an account's key is not 32 bytes".into()))?;
        Ok(AccountCipher {
            account: row.account_id.clone(),
            cipher: XChaCha20Poly1305::new(&Key::from(key)),
        })
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

impl AccountCipher {
    /// `what` says what is sealed: it opens under no other name.
    pub(super) fn seal(&self, plain: &[u8], what: &str) -> Result<Vec<u8>> {
        seal(&self.cipher, plain, &format!("{}/{what}", self.account))
    }

    pub(super) fn open(&self, sealed: &[u8], what: &str) -> Result<Vec<u8>> {
        open(&self.cipher, sealed, &format!("{}/{what}", self.account))
    }
}

impl Store {
    /// Fails where the database was sealed with a master key that is not among the given ones.
    pub async fn check_master_key(&self) -> Result<()> {
        let transaction = self.begin().await?;
        transaction.master().await?;
        transaction.commit().await
    }

    /// Wraps every account's key with the first of the given master keys, all or none; says how many.
    pub async fn rotate_master_key(&self) -> Result<usize> {
        self.vault.read_again()?;
        let new = self.vault.current()?;
        let transaction = self.begin().await?;
        // Whoever makes an account's key waits here.
        transaction.master().await?;
        let rows = account_keys::Entity::find()
            .filter(account_keys::Column::MasterKeyId.ne(&new.id))
            .all(&transaction.0)
            .await
            .map_err(db_error)?;
        let count = rows.len();
        for row in rows {
            let old = self.vault.master(&row.master_key_id)?;
            let key = open(&old.cipher, &row.wrapped_key, &row.account_id)?;
            let wrapped = seal(&new.cipher, &key, &row.account_id)?;
            account_keys::Entity::update_many()
                .col_expr(account_keys::Column::WrappedKey, Expr::value(wrapped))
                .col_expr(account_keys::Column::MasterKeyId, Expr::value(&new.id))
                .filter(account_keys::Column::AccountId.eq(&row.account_id))
                .exec(&transaction.0)
                .await
                .map_err(db_error)?;
        }
        master_keys::Entity::update_many()
            .col_expr(master_keys::Column::MasterKeyId, Expr::value(&new.id))
            .filter(master_keys::Column::Id.eq(ONLY))
            .exec(&transaction.0)
            .await
            .map_err(db_error)?;
        transaction.commit().await?;
        self.scrub().await;
        Ok(count)
    }

    /// Opens what an account has sealed.
    pub(super) async fn cipher(&self, account_id: &AccountId) -> Result<Arc<AccountCipher>> {
        if let Some(cipher) = self.vault.accounts.get(account_id) {
            return Ok(cipher);
        }
        let row = account_key(&self.read, account_id).await?;
        let row = row.ok_or_else(|| Error::Internal("the account's key is gone".into()))?;
        let cipher = Arc::new(self.vault.unwrap(&row)?);
        self.vault.accounts.insert(account_id.clone(), Arc::clone(&cipher));
        Ok(cipher)
    }
}

impl Transaction {
    /// Seals and opens for an account; its key is made where there is none.
    pub(super) async fn cipher(&self, account_id: &AccountId, now: DateTime<Utc>) -> Result<Arc<AccountCipher>> {
        if let Some(cipher) = self.1.accounts.get(account_id) {
            return Ok(cipher);
        }
        // Kept in memory by readers only, who see what was committed.
        if let Some(row) = account_key(&self.0, account_id).await? {
            return Ok(Arc::new(self.1.unwrap(&row)?));
        }
        let master = self.master().await?;
        let wrapped = seal(&master.cipher, Key::generate().as_slice(), account_id.as_str())?;
        let row = account_keys::ActiveModel {
            account_id: Set(account_id.to_string()),
            wrapped_key: Set(wrapped),
            master_key_id: Set(master.id.clone()),
            created_at: Set(now),
        };
        let first = OnConflict::column(account_keys::Column::AccountId)
            .do_nothing()
            .to_owned();
        let inserted = account_keys::Entity::insert(row)
            .on_conflict(first)
            .exec_without_returning(&self.0)
            .await;
        match inserted {
            Ok(_) | Err(DbErr::RecordNotInserted) => {}
            Err(e) => return Err(db_error(e)),
        }
        let row = account_key(&self.0, account_id).await?;
        let row = row.ok_or_else(|| Error::Internal("the account's key is gone".into()))?;
        Ok(Arc::new(self.1.unwrap(&row)?))
    }

    /// The master key that the database names, which nobody changes until this transaction ends; on a new database the
    /// first of the given ones.
    async fn master(&self) -> Result<Arc<Master>> {
        let named = master_keys::Entity::find_by_id(ONLY)
            .lock_exclusive()
            .one(&self.0)
            .await
            .map_err(db_error)?;
        if let Some(row) = named {
            return self.1.master(&row.master_key_id);
        }
        let row = master_keys::ActiveModel {
            id: Set(ONLY),
            master_key_id: Set(self.1.current()?.id.clone()),
        };
        let first = OnConflict::column(master_keys::Column::Id).do_nothing().to_owned();
        let inserted = master_keys::Entity::insert(row)
            .on_conflict(first)
            .exec_without_returning(&self.0)
            .await;
        match inserted {
            Ok(_) | Err(DbErr::RecordNotInserted) => {}
            Err(e) => return Err(db_error(e)),
        }
        let row = master_keys::Entity::find_by_id(ONLY)
            .one(&self.0)
            .await
            .map_err(db_error)?;
        let row = row.ok_or_else(|| Error::Internal("the master key's name is gone".into()))?;
        self.1.master(&row.master_key_id)
    }
}

async fn account_key<C: ConnectionTrait>(
    connection: &C,
    account_id: &AccountId,
) -> Result<Option<account_keys::Model>> {
    let row = account_keys::Entity::find_by_id(account_id.as_str());
    row.one(connection).await.map_err(db_error)
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
    let broken = || Error::Internal("can't decrypt: the master key is a different one, or the data was changed".into());
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
