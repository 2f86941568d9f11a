//! `memsync key`.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use ipnet::IpNet;
use memsync::app::App;
use memsync::config::Config;
use memsync::model::{ApiKeyId, Clock, ScopeSet};
use memsync::services::{Account, ApiKeyRow, ApiKeyStatus, MadeBy, NewApiKey, Secret};
use serde_json::{Value, json};

use super::output::{note, print_list, say};
use super::{account, addresses, rfc3339};

#[derive(Subcommand)]
pub enum KeyCommand {
    /// Create a key and print it. It is shown only once.
    Create(CreateKey),
    /// List the keys.
    List {
        /// Only the keys of this account.
        #[arg(long)]
        email: Option<String>,
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
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
    /// The key's name.
    #[arg(long)]
    name: String,
    /// Its scopes, separated by commas [default: memories, profile and integrations].
    #[arg(long, value_delimiter = ',')]
    scopes: Vec<String>,
    /// How long it is valid, such as 30d [default: forever].
    #[arg(long, value_parser = humantime::parse_duration)]
    expires_in: Option<Duration>,
    /// Requests it may make per minute, in addition to the account's limits.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate_limit_per_minute: Option<u32>,
    /// The only people it may access, by `user_id`, separated by commas.
    #[arg(long, value_delimiter = ',')]
    allowed_user_ids: Vec<String>,
    /// The only addresses it works from, as IP addresses or CIDR blocks, separated by commas.
    #[arg(long, value_delimiter = ',', value_parser = network)]
    allowed_ips: Vec<IpNet>,
    /// Create the account if it doesn't exist. An existing account with a password is refused, because somebody else may
    /// have registered it.
    #[arg(long)]
    create_account: bool,
    /// With --create-account: use the existing account even if it has a password.
    #[arg(long, requires = "create_account")]
    existing_account: bool,
    /// Print one JSON object instead of the key alone.
    #[arg(long)]
    json: bool,
}

fn network(text: &str) -> Result<IpNet, String> {
    let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network.map_err(|_| "must be an IP address or a CIDR block".to_owned())
}

pub async fn key(config: &Config, command: KeyCommand) -> anyhow::Result<()> {
    let app = App::open(config, Clock::system()).await?;
    let auth = &app.auth;
    match command {
        KeyCommand::Create(create) => {
            let scopes = match create.scopes.as_slice() {
                [] => None,
                words => Some(words.join(" ").parse::<ScopeSet>().context("--scopes")?),
            };
            let account = match auth.find_account(&create.email).await? {
                Some(account) => {
                    if create.create_account {
                        take_existing(&account, create.existing_account)?;
                    }
                    account
                }
                None if create.create_account => auth.create_account(&create.email, None, None).await?,
                None => bail!("there is no account {}; --create-account creates it", create.email),
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
            note!(
                "created {} ({}) for {}; it is shown only once",
                row.id,
                row.name,
                account.email
            );
            if create.json {
                say!("{}", shown(&row, &secret))?;
            } else {
                say!("{}", secret.expose())?;
            }
        }
        KeyCommand::List { email, json } => {
            let account = match email {
                Some(email) => Some(account(&app, &email).await?),
                None => None,
            };
            let keys = auth.all_api_keys(account.as_ref()).await?;
            let (emails, now) = (addresses(&app).await?, auth.now());
            let email = |key: &ApiKeyRow| emails.get(&key.account_id).cloned().unwrap_or_default();
            let headers = ["KEY", "HINT", "STATUS", "ACCOUNT", "NAME", "SCOPES", "CREATED"];
            let cells = |key: &ApiKeyRow| cells(key, email(key), now);
            print_list(&keys, json, headers, cells, |key| object(key, &email(key), now))?;
        }
        KeyCommand::Revoke { key_id } => {
            auth.revoke_api_key(&ApiKeyId::from_stored(&key_id)).await?;
            note!("revoked {key_id}");
        }
    }
    Ok(())
}

/// Says that an account was there before, and refuses one whose password somebody else may know.
fn take_existing(account: &Account, even_with_password: bool) -> anyhow::Result<()> {
    let how = match account.made_by {
        Some(MadeBy::FirstStart) => "it was made by the first start",
        Some(MadeBy::CommandLine) => "it was made on the command line",
        Some(MadeBy::Registration) => "somebody registered it over the API",
        None => "it was made by an earlier version",
    };
    let told = format!(
        "{} already had an account: {how} at {}",
        account.email,
        rfc3339(account.created_at)
    );
    if account.password_hash.is_some() && !even_with_password {
        bail!(
            "{told}. Anyone who knows its password can see everything this key stores. If that is right, add \
             --existing-account"
        );
    }
    note!("{told}");
    Ok(())
}

fn status(key: &ApiKeyRow, now: DateTime<Utc>) -> &'static str {
    match key.status(now) {
        ApiKeyStatus::Active => "active",
        ApiKeyStatus::Expired => "expired",
        ApiKeyStatus::Revoked => "revoked",
    }
}

fn cells(key: &ApiKeyRow, email: String, now: DateTime<Utc>) -> [String; 7] {
    [
        key.id.to_string(),
        key.key_hint.clone(),
        status(key, now).to_owned(),
        email,
        key.name.clone(),
        key.grant.scopes.to_string(),
        rfc3339(key.created_at),
    ]
}

fn object(key: &ApiKeyRow, email: &str, now: DateTime<Utc>) -> Value {
    let networks: Vec<String> = key.grant.networks.iter().map(IpNet::to_string).collect();
    let mut shown = json!({
        "api_key_id": key.id.as_str(), "account_id": key.account_id.as_str(), "email": email, "name": key.name,
        "key_hint": key.key_hint, "status": status(key, now), "scopes": scopes(key),
        "allowed_user_ids": key.grant.user_ids, "allowed_ips": networks, "created_at": rfc3339(key.created_at),
    });
    if let Some(limit) = key.grant.requests_per_minute {
        shown["rate_limit_per_minute"] = limit.into();
    }
    for (name, time) in [
        ("expires_at", key.grant.expires_at),
        ("revoked_at", key.revoked_at),
        ("last_used", key.last_used),
    ] {
        if let Some(time) = time {
            shown[name] = rfc3339(time).into();
        }
    }
    shown
}

fn scopes(key: &ApiKeyRow) -> Vec<String> {
    key.grant.scopes.iter().map(|scope| scope.to_string()).collect()
}

/// A new key with its secret.
fn shown(row: &ApiKeyRow, secret: &Secret) -> Value {
    let mut shown = json!({
        "api_key_id": row.id.as_str(), "key": secret.expose(), "name": row.name, "scopes": scopes(row),
        "created_at": rfc3339(row.created_at),
    });
    if let Some(expires_at) = row.grant.expires_at {
        shown["expires_at"] = rfc3339(expires_at).into();
    }
    shown
}
