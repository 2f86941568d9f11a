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
    /// Set an account's password, and end its sessions: asks at a terminal, else reads a line of standard input. The
    /// account of the first start has no password until then, and can't sign in to the dashboard.
    Password {
        /// Its e-mail address.
        #[arg(long)]
        email: String,
    },
    /// Print a link by which the owner of an account without a password chooses an address and a password in the
    /// dashboard. It works once, for 15 minutes; an earlier one ends.
    Link {
        /// Its e-mail address.
        #[arg(long)]
        email: String,
        /// The server; the configured address when absent.
        #[arg(long)]
        url: Option<String>,
    },
    /// List the accounts.
    List {
        /// Print one JSON object a line.
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
                bail!("the link is to the dashboard, which is switched off");
            }
            let account = auth.find_account(&email).await?;
            let account = account.with_context(|| format!("there is no account {email}"))?;
            let Some(token) = auth.new_setup_token(&account).await? else {
                bail!("{email} has a password; `memsync user password` sets another one");
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
