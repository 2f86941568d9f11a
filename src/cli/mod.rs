//! Accounts, people, keys, backups, background tasks, exports, vectors, receipts and measurements on the command line.

use std::collections::HashMap;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use chrono::{DateTime, SecondsFormat, Utc};
use memsync::app::{self, App};
use memsync::config::Config;
use memsync::model::AccountId;

mod accounts;
mod eval;
mod keys;
mod operations;
pub mod output;
mod people;
mod portability;
mod reembedding;
mod shell;
mod tasks;

use output::{note, say};

pub use accounts::{UserCommand, user};
pub use eval::{EvalCommand, eval};
pub use keys::{KeyCommand, key};
pub use operations::{Restore, backup, restore};
pub use people::{PersonCommand, person};
pub use portability::{Export, Import, export, import};
pub use reembedding::{Reembed, reembed};
pub use shell::{completions, man};
pub use tasks::{TaskCommand, task};

pub fn verify_receipt(config: &Config, file: &Path) -> anyhow::Result<()> {
    let mut receipt = String::new();
    if file == "-" {
        std::io::stdin().read_to_string(&mut receipt)?;
    } else {
        receipt = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    }
    let receipt = app::receipts(config)?.verify(&receipt)?;
    say!("{}", serde_json::to_string_pretty(&receipt)?)?;
    Ok(())
}

pub async fn rotate_master_key(config: &Config) -> anyhow::Result<()> {
    let count = app::rotate_master_key(config).await?;
    note!("wrapped the keys of {count} accounts with the new master key");
    Ok(())
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// The server's URL, as it listens.
pub fn own_url(config: &Config, address: SocketAddr) -> String {
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    format!("{scheme}://{address}")
}

/// The server's URL for others, where one is set.
pub fn public_url(config: &Config) -> Option<String> {
    config.public_url.as_ref().map(ToString::to_string)
}

/// The addresses of accounts, by which people know them.
async fn addresses(app: &App) -> anyhow::Result<HashMap<AccountId, String>> {
    let accounts = app.auth.list_accounts().await?.into_iter();
    Ok(accounts.map(|account| (account.id, account.email)).collect())
}

/// The id of the account with this address.
async fn account(app: &App, email: &str) -> anyhow::Result<AccountId> {
    let account = app.auth.find_account(email).await?;
    Ok(account.with_context(|| format!("there is no account {email}"))?.id)
}
