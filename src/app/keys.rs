//! The secrets of an installation: those of the settings, else those of the data directory.

use super::database::{connect, connect_with};
use crate::config::{Config, Hidden};
use crate::error::{Error, Result};
use crate::secrets;
use crate::services::{AuthSettings, Receipts};
use crate::store::{MasterKey, ReadMasterKeys, fingerprint};

/// The file of the master key, and of the one that takes its place.
const MASTER_KEY: &str = "master_key";
const NEW_MASTER_KEY: &str = "master_key.new";
const RECEIPT_KEY: &str = "receipt_key";
const JWT_SECRET: &str = "jwt_secret";

/// What others than the owner may do with the data directory and the secrets in it, for the operator to read.
pub fn exposed_secrets(config: &Config) -> Vec<String> {
    let names = [MASTER_KEY, NEW_MASTER_KEY, RECEIPT_KEY, JWT_SECRET, "memsync.db"];
    secrets::exposed(&config.data_dir, &names)
}

/// The master keys of the settings, else those of the data directory. While one takes the place of another there are
/// two, and the database names the one in use.
pub(super) fn master_keys(config: &Config) -> ReadMasterKeys {
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

/// Whether the installation has the master key with this fingerprint. Makes none.
pub fn has_master_key(config: &Config, id: &str) -> std::io::Result<bool> {
    let encryption = &config.encryption;
    let mut keys: Vec<MasterKey> = match &encryption.master_key {
        Some(key) => [Some(key), encryption.previous_master_key.as_ref()]
            .into_iter()
            .flatten()
            .map(|key| key.0)
            .collect(),
        None => Vec::new(),
    };
    if keys.is_empty() {
        keys.extend(secrets::load(&config.data_dir, MASTER_KEY)?);
        keys.extend(secrets::load(&config.data_dir, NEW_MASTER_KEY)?);
    }
    Ok(keys.iter().any(|key| fingerprint(key) == id))
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

/// What signs and checks receipts of erasure.
pub fn receipts(config: &Config) -> Result<Receipts> {
    Receipts::new(&secret(config, RECEIPT_KEY)?)
}

pub(super) fn auth_settings(config: &Config) -> Result<AuthSettings> {
    let bytes = |secret: &Hidden| secret.0.as_bytes().to_vec();
    let jwt_secret = match &config.auth.jwt_secret {
        Some(given) => bytes(given),
        None => secret(config, JWT_SECRET)?.to_vec(),
    };
    Ok(AuthSettings {
        cache: config.auth.key_cache,
        jwt_secret,
        jwt_previous_secret: config.auth.jwt_previous_secret.as_ref().map(bytes),
        is_registration_open: config.auth.is_registration_open,
        access_token_lifetime: config.auth.access_token_lifetime,
        refresh_token_lifetime: config.auth.refresh_token_lifetime,
        registrations_per_hour_per_address: config.limits.registrations_per_hour_per_address,
        registrations_per_hour: config.limits.registrations_per_hour,
    })
}

fn secret(config: &Config, name: &str) -> Result<[u8; secrets::SECRET_BYTES]> {
    secrets::load_or_create(&config.data_dir, name).map_err(|e| Error::Unavailable(Box::new(e)))
}
