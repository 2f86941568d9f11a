//! `memsync person`.

use anyhow::Context;
use clap::{Args, Subcommand};
use memsync::app::App;
use memsync::config::Config;
use memsync::model::{AccountId, Clock, Owner, has_unseen};
use memsync::services::Actor;

/// People that are read at one time.
const PAGE: u64 = 100;

#[derive(Subcommand)]
pub enum PersonCommand {
    /// List an account's people with how many memories each has now. Characters that can't be seen are written as
    /// `\u00ad`, for use in `$'…'` of a shell.
    List {
        /// The account.
        #[arg(long)]
        email: String,
    },
    /// Erase every trace of a person, and print a receipt. Also of one whose `user_id` the API refuses today.
    Erase(Erase),
}

#[derive(Args)]
pub struct Erase {
    /// The account.
    #[arg(long)]
    email: String,
    /// The person, by `user_id` exactly as it is stored; the account's own person when empty.
    #[arg(long, allow_hyphen_values = true)]
    user_id: String,
}

pub async fn person(config: &Config, command: PersonCommand) -> anyhow::Result<()> {
    let app = App::open(config, Clock::system()).await?;
    match command {
        PersonCommand::List { email } => list(&app, &account(&app, &email).await?).await,
        PersonCommand::Erase(Erase { email, user_id }) => {
            let account_id = account(&app, &email).await?;
            let owner = Owner { account_id, user_id };
            let (erased, receipt) = app.memories.erase(&Actor::operator(), &owner).await?;
            eprintln!(
                "erased {} memories; this receipt can be checked with `memsync verify-receipt`:",
                erased.memories
            );
            println!("{receipt}");
            Ok(())
        }
    }
}

async fn list(app: &App, account_id: &AccountId) -> anyhow::Result<()> {
    let mut after: Option<String> = None;
    loop {
        let (people, has_more) = app.memories.people(account_id, &[], after.as_deref(), PAGE).await?;
        for (user_id, memories) in &people {
            println!("{}\t{memories}", escaped(user_id));
        }
        after = people.into_iter().next_back().map(|(user_id, _)| user_id);
        if !has_more {
            return Ok(());
        }
    }
}

fn escaped(user_id: &str) -> String {
    let mut text = String::with_capacity(user_id.len());
    for c in user_id.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            c if has_unseen(c.encode_utf8(&mut [0; 4])) => match u32::from(c) {
                code @ ..=0xffff => text.push_str(&format!("\\u{code:04x}")),
                code => text.push_str(&format!("\\U{code:08x}")),
            },
            c => text.push(c),
        }
    }
    text
}

async fn account(app: &App, email: &str) -> anyhow::Result<AccountId> {
    let account = app.auth.find_account(email).await?;
    Ok(account.with_context(|| format!("there is no account {email}"))?.id)
}
