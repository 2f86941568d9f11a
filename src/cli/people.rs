//! `memsync person`.

use clap::{Args, Subcommand};
use memsync::app::App;
use memsync::config::Config;
use memsync::model::{AccountId, Clock, Owner, has_unseen};
use memsync::services::Actor;
use serde_json::json;

use super::account;
use super::output::{note, print_list, say};

/// People that are read at one time.
const PAGE: u64 = 100;

#[derive(Subcommand)]
pub enum PersonCommand {
    /// List an account's people and how many memories each has. Invisible characters are written as `\u00ad`, ready for
    /// `$'…'` in a shell.
    List {
        /// The account.
        #[arg(long)]
        email: String,
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
    },
    /// Erase every trace of a person and print a receipt. This works even for a `user_id` that the API now refuses.
    Erase(Erase),
}

#[derive(Args)]
pub struct Erase {
    /// The account.
    #[arg(long)]
    email: String,
    /// The person, by `user_id` exactly as stored; empty for the account's own person.
    #[arg(long, allow_hyphen_values = true)]
    user_id: String,
}

pub async fn person(config: &Config, command: PersonCommand) -> anyhow::Result<()> {
    let app = App::open(config, Clock::system()).await?;
    match command {
        PersonCommand::List { email, json } => list(&app, &account(&app, &email).await?, json).await,
        PersonCommand::Erase(Erase { email, user_id }) => {
            let account_id = account(&app, &email).await?;
            let owner = Owner { account_id, user_id };
            let (erased, receipt) = app.memories.erase(&Actor::operator(), &owner).await?;
            note!(
                "erased {} memories; this receipt can be checked with `memsync verify-receipt`:",
                erased.memories
            );
            say!("{receipt}")?;
            Ok(())
        }
    }
}

async fn list(app: &App, account_id: &AccountId, is_json: bool) -> anyhow::Result<()> {
    let mut people = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let (page, has_more) = app.memories.people(account_id, &[], after.as_deref(), PAGE).await?;
        people.extend(page);
        if !has_more {
            break;
        }
        after = people.last().map(|(user_id, _)| user_id.clone());
    }
    print_list(
        &people,
        is_json,
        ["PERSON", "MEMORIES"],
        |(user_id, memories)| [escaped(user_id), memories.to_string()],
        |(user_id, memories)| json!({"user_id": user_id, "memories": memories}),
    )?;
    Ok(())
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
