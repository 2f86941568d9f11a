//! Accounts, people, keys, backups, background tasks, exports, vectors, receipts and measurements on the command line.

use std::io::{IsTerminal, Read};
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Subcommand};
use ipnet::IpNet;
use memsync::app::{self, App};
use memsync::config::Config;
use memsync::model::{ApiKeyId, Clock, ScopeSet};
use memsync::services::{ApiKeyRow, ApiKeyStatus, NewApiKey, Secret};

mod eval;
mod operations;
mod people;
mod portability;
mod reembedding;
mod tasks;

pub use eval::{EvalCommand, eval};
pub use operations::{Restore, backup, restore};
pub use people::{PersonCommand, person};
pub use portability::{Export, Import, export, import};
pub use reembedding::{Reembed, reembed};
pub use tasks::{TaskCommand, task};

#[derive(Subcommand)]
pub enum UserCommand {
    /// Make an account.
    Create {
        /// Its e-mail address.
        #[arg(long)]
        email: String,
        /// What to call the person.
        #[arg(long)]
        name: Option<String>,
        /// Read the password from standard input; without one the account can only be used by keys.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Set an account's password, and end its sessions: asks at a terminal, else reads a line of standard input. The account of the first start has no
    /// password until then, and can't sign in to the dashboard.
    Password {
        /// Its e-mail address.
        #[arg(long)]
        email: String,
    },
    /// List the accounts.
    List,
    /// Erase an account with its keys and memories, and print a receipt.
    Delete {
        /// Its e-mail address.
        #[arg(long)]
        email: String,
    },
}

#[derive(Subcommand)]
pub enum KeyCommand {
    /// Make a key and print it, this once.
    Create(CreateKey),
    /// List the keys.
    List {
        /// Only this account's.
        #[arg(long)]
        email: Option<String>,
    },
    /// Revoke a key.
    Revoke {
        /// The key's id, `key_…`.
        key_id: String,
    },
}

#[derive(Args)]
pub struct CreateKey {
    /// The account.
    #[arg(long)]
    email: String,
    /// What to call the key.
    #[arg(long)]
    name: String,
    /// What it may do, comma-separated; memories, profile and integrations when absent.
    #[arg(long, value_delimiter = ',')]
    scopes: Vec<String>,
    /// How long it lives, such as 30d; for ever when absent.
    #[arg(long, value_parser = humantime::parse_duration)]
    expires_in: Option<Duration>,
    /// Requests that it may make in a minute, beside the account's limits.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate_limit_per_minute: Option<u32>,
    /// The only people that it may touch, by `user_id`, comma-separated.
    #[arg(long, value_delimiter = ',')]
    allowed_user_ids: Vec<String>,
    /// The only addresses that it works from, as IP addresses or CIDR blocks, comma-separated.
    #[arg(long, value_delimiter = ',', value_parser = network)]
    allowed_ips: Vec<IpNet>,
    /// Make the account where there is none.
    #[arg(long)]
    create_account: bool,
    /// Print one JSON object instead of the key alone.
    #[arg(long)]
    json: bool,
}

fn network(text: &str) -> Result<IpNet, String> {
    let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network.map_err(|_| "must be an IP address or a CIDR block".to_owned())
}

pub async fn user(config: &Config, command: UserCommand) -> anyhow::Result<()> {
    let auth = App::open(config, Clock::system()).await?.auth;
    match command {
        UserCommand::Create {
            email,
            name,
            password_stdin,
        } => {
            let password = password_stdin.then(read_password).transpose()?;
            println!("{}", auth.create_account(&email, name, password.as_deref()).await?.id);
        }
        UserCommand::Password { email } => {
            if !auth.set_password(&email, &read_password()?).await? {
                bail!("there is no account {email}");
            }
        }
        UserCommand::List => {
            for account in auth.list_accounts().await? {
                println!("{}\t{}\t{}", account.id, account.email, rfc3339(account.created_at));
            }
        }
        UserCommand::Delete { email } => match auth.delete_account(&email).await? {
            Some(receipt) => {
                eprintln!("erased {email}; this receipt can be checked with `memsync verify-receipt`:");
                println!("{receipt}");
            }
            None => bail!("there is no account {email}"),
        },
    }
    Ok(())
}

/// What is typed at a terminal, unseen; else one line of standard input, without its end.
fn read_password() -> anyhow::Result<String> {
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password("Password: ").context("the password");
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("the password")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

pub async fn key(config: &Config, command: KeyCommand) -> anyhow::Result<()> {
    let auth = App::open(config, Clock::system()).await?.auth;
    match command {
        KeyCommand::Create(create) => {
            let scopes = match create.scopes.as_slice() {
                [] => None,
                words => Some(words.join(" ").parse::<ScopeSet>().context("--scopes")?),
            };
            let account = match auth.find_account(&create.email).await? {
                Some(account) => account,
                None if create.create_account => auth.create_account(&create.email, None, None).await?,
                None => bail!("there is no account {}; --create-account makes it", create.email),
            };
            let new = NewApiKey {
                name: create.name,
                scopes,
                expires_in: create.expires_in,
                requests_per_minute: create.rate_limit_per_minute,
                user_ids: create.allowed_user_ids,
                networks: create.allowed_ips,
            };
            let (row, secret) = auth.issue_api_key(&account.id, new).await?;
            eprintln!(
                "made {} ({}) for {}; it is shown this once",
                row.id, row.name, account.email
            );
            if create.json {
                println!("{}", shown(&row, &secret));
            } else {
                println!("{}", secret.expose());
            }
        }
        KeyCommand::List { email } => {
            let account = match email {
                Some(email) => Some(
                    auth.find_account(&email)
                        .await?
                        .with_context(|| format!("there is no account {email}"))?,
                ),
                None => None,
            };
            for key in auth.all_api_keys(account.as_ref().map(|a| &a.id)).await? {
                let status = match key.status(auth.now()) {
                    ApiKeyStatus::Active => "active",
                    ApiKeyStatus::Expired => "expired",
                    ApiKeyStatus::Revoked => "revoked",
                };
                println!(
                    "{}\t{}\t{}\t{}\t{}",
                    key.id, key.key_hint, status, key.name, key.grant.scopes
                );
            }
        }
        KeyCommand::Revoke { key_id } => {
            auth.revoke_api_key(&ApiKeyId::from_stored(&key_id)).await?;
            eprintln!("revoked {key_id}");
        }
    }
    Ok(())
}

fn shown(row: &ApiKeyRow, secret: &Secret) -> serde_json::Value {
    let scopes: Vec<String> = row.grant.scopes.iter().map(|s| s.to_string()).collect();
    let mut shown = serde_json::json!({
        "api_key_id": row.id.as_str(), "key": secret.expose(), "name": row.name, "scopes": scopes,
        "created_at": rfc3339(row.created_at),
    });
    if let Some(expires_at) = row.grant.expires_at {
        shown["expires_at"] = rfc3339(expires_at).into();
    }
    shown
}

pub fn verify_receipt(config: &Config, file: &Path) -> anyhow::Result<()> {
    let mut receipt = String::new();
    if file == "-" {
        std::io::stdin().read_to_string(&mut receipt)?;
    } else {
        receipt = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    }
    let receipt = app::receipts(config)?.verify(&receipt)?;
    println!("{}", serde_json::to_string_pretty(&receipt)?);
    Ok(())
}

pub async fn rotate_master_key(config: &Config) -> anyhow::Result<()> {
    let count = app::rotate_master_key(config).await?;
    eprintln!("wrapped the keys of {count} accounts with the new master key");
    Ok(())
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
