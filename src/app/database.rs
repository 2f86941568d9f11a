//! Opening the database, with the keys that seal what is private in it.

use super::secret;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::secrets;
use crate::store::{ReadMasterKeys, Store, StoreOptions, Vault};

/// The file of the master key, and of the one that takes its place.
const MASTER_KEY: &str = "master_key";
const NEW_MASTER_KEY: &str = "master_key.new";

/// Opens the database as it is.
pub async fn connect(config: &Config) -> Result<Store> {
    connect_with(config, master_keys(config)).await
}

async fn connect_with(config: &Config, keys: ReadMasterKeys) -> Result<Store> {
    let options = StoreOptions {
        url: config.database.url.clone(),
        replica_url: config.database.replica_url.clone(),
        min_connections: config.database.min_connections,
        max_connections: config.database.max_connections,
        timeout: config.database.timeout,
        statement_timeout: config.database.statement_timeout,
        idle_timeout: config.database.idle_timeout,
        max_lifetime: config.database.max_lifetime,
    };
    Store::connect(&options, Vault::new(keys)).await
}

/// The master keys of the settings, else those of the data directory. While one takes the place of another there are
/// two, and the database names the one in use.
fn master_keys(config: &Config) -> ReadMasterKeys {
    let encryption = config.encryption.clone();
    let directory = config.data_dir.clone();
    Box::new(move || {
        if let Some(key) = &encryption.master_key {
            let previous = encryption.previous_master_key.iter();
            return Ok(std::iter::once(key).chain(previous).map(|key| key.0).collect());
        }
        let mut keys = vec![secrets::load_or_create(&directory, MASTER_KEY)?];
        keys.extend(secrets::load(&directory, NEW_MASTER_KEY)?);
        Ok(keys)
    })
}

/// Wraps every account's key with another master key: that of the settings, else a new one in the data directory. Says
/// how many there were. Doing it again finishes one that was interrupted.
pub async fn rotate_master_key(config: &Config) -> Result<usize> {
    let away = |e: std::io::Error| Error::Unavailable(Box::new(e));
    if config.encryption.master_key.is_some() {
        return connect(config).await?.rotate_master_key().await;
    }
    let old = secret(config, MASTER_KEY)?;
    let new = secret(config, NEW_MASTER_KEY)?;
    let keys: ReadMasterKeys = Box::new(move || Ok(vec![new, old]));
    let count = connect_with(config, keys).await?.rotate_master_key().await?;
    secrets::replace(&config.data_dir, MASTER_KEY, NEW_MASTER_KEY).map_err(away)?;
    Ok(count)
}
