//! `memsync user`.

use std::io::IsTerminal;

use anyhow::{Context, bail};
use clap::Subcommand;
use memsync::app::{self, App};
use memsync::config::Config;
use memsync::model::Clock;
use memsync::services::Account;
use serde_json::{Value, json};

use super::output::{note, print_list, say};
use super::{own_url, public_url, rfc3339};

#[derive(Subcommand)]
pub enum UserCommand {
    /// Create an account.
    Create {
        /// Its e-mail address.
        #[arg(long)]
        email: String,
        /// The person's name.
        #[arg(long)]
        name: Option<String>,
        /// Read the password from standard input. Without one, the account can only be used with keys.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Set an account's password and end its sessions. Asks at a terminal, or reads a line from standard input. The account
    /// of the first start has no password until then and can't sign in to the dashboard.
    Password {
        /// Its e-mail address.
        #[arg(long)]
        email: String,
    },
    /// Print a link for an account without a password: its owner can choose an address and a password in the dashboard. It
    /// works once, within 15 minutes, and replaces any earlier link.
    Link {
        /// Its e-mail address.
        #[arg(long)]
        email: String,
        /// The server's URL [default: the configured address].
        #[arg(long)]
        url: Option<String>,
    },
    /// List the accounts.
    List {
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
    },
    /// Erase an account with its keys and memories, and print a receipt.
    Delete {
        /// Its e-mail address.
        #[arg(long)]
        email: String,
    },
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
            say!("{}", auth.create_account(&email, name, password.as_deref()).await?.id)?;
        }
        UserCommand::Password { email } => {
            if !auth.set_password(&email, &read_password()?).await? {
                bail!("there is no account {email}");
            }
        }
        UserCommand::Link { email, url } => {
            if !config.dashboard {
                bail!("the link leads to the dashboard, which is switched off (dashboard = false)");
            }
            let account = auth.find_account(&email).await?;
            let account = account.with_context(|| format!("there is no account {email}"))?;
            let Some(token) = auth.new_setup_token(&account).await? else {
                bail!("{email} has a password; `memsync user password` sets a new one");
            };
            let url = url.or_else(|| public_url(config));
            let url = url.unwrap_or_else(|| own_url(config, config.listen));
            say!("{}", app::setup_url(&url, &token))?;
        }
        UserCommand::List { json } => {
            let accounts = auth.list_accounts().await?;
            let headers = ["ACCOUNT", "EMAIL", "NAME", "PASSWORD", "MADE BY", "CREATED"];
            print_list(&accounts, json, headers, cells, object)?;
        }
        UserCommand::Delete { email } => match auth.delete_account(&email).await? {
            Some(receipt) => {
                note!("erased {email}; this receipt can be checked with `memsync verify-receipt`:");
                say!("{receipt}")?;
            }
            None => bail!("there is no account {email}"),
        },
    }
    Ok(())
}

fn cells(account: &Account) -> [String; 6] {
    let password = if account.password_hash.is_some() { "yes" } else { "no" };
    [
        account.id.to_string(),
        account.email.clone(),
        account.name.clone().unwrap_or_default(),
        password.to_owned(),
        account
            .made_by
            .map(|made_by| made_by.as_str().to_owned())
            .unwrap_or_default(),
        rfc3339(account.created_at),
    ]
}

fn object(account: &Account) -> Value {
    let mut shown = json!({
        "account_id": account.id.as_str(), "email": account.email, "has_password": account.password_hash.is_some(),
        "created_at": rfc3339(account.created_at),
    });
    if let Some(made_by) = account.made_by {
        shown["made_by"] = made_by.as_str().into();
    }
    if let Some(name) = &account.name {
        shown["name"] = name.as_str().into();
    }
    shown
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
