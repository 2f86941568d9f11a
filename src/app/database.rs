//! Opening the database.

use super::keys::master_keys;
use crate::config::Config;
use crate::error::Result;
use crate::store::{ReadMasterKeys, Store, StoreOptions, Vault};

/// Opens the database as it is.
pub async fn connect(config: &Config) -> Result<Store> {
    connect_with(config, master_keys(config)).await
}

/// Why the database does not answer, where more can be said than that it does not.
pub async fn why_away(config: &Config) -> Option<String> {
    Store::why_away(&config.database.url).await
}

/// Opens it with these master keys.
pub(super) async fn connect_with(config: &Config, keys: ReadMasterKeys) -> Result<Store> {
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
