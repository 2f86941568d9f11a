//! Copies of the whole database, and deleted memories brought back, on the command line.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};
use chrono::Utc;
use clap::Args;
use indicatif::HumanBytes;
use memsync::app::{self, App};
use memsync::config::Config;
use memsync::model::{BackupId, Clock};
use memsync::store::{Snapshot, restore_snapshot, write_snapshot};
use tokio::signal::unix::{SignalKind, signal};
use url::Url;

use super::output::{note, say};

#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Restore {
    /// The backup's id, `backup_…`, from the answer to the deletion.
    backup_id: Option<String>,
    /// A file written by `memsync backup`. It replaces the whole database.
    #[arg(long)]
    from: Option<PathBuf>,
}

pub async fn backup(config: &Config, file: &Path) -> anyhow::Result<()> {
    if let Some(url) = postgres(config) {
        bail!(
            "use PostgreSQL's own tools to back it up:\n  pg_dump --format=custom --file={} '{url}'",
            file.display()
        );
    }
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let is_stopped = Arc::new(AtomicBool::new(false));
    tokio::spawn({
        let is_stopped = Arc::clone(&is_stopped);
        async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            is_stopped.store(true, Ordering::Relaxed);
        }
    });
    let written = write_snapshot(&config.database.url, file, is_stopped).await;
    let snapshot = written.context("no backup was made")?;
    say!("{}: {}", file.display(), contents(&snapshot))?;
    let key = match &config.encryption.master_key {
        Some(_) => "encryption.master_key of the settings".to_owned(),
        None => config.data_dir.join("master_key").display().to_string(),
    };
    note!(
        "The master key is not in it: {key}. Keep a copy of that too, in another place: without it nobody can read \
         private memories, nor what was deleted with a backup. Everything else can be read by whoever has the file."
    );
    Ok(())
}

pub async fn restore(config: &Config, restore: Restore) -> anyhow::Result<()> {
    match (restore.backup_id, restore.from) {
        (Some(id), _) => restore_memories(config, id).await,
        (None, Some(file)) => restore_database(config, &file).await,
        (None, None) => bail!("name a backup, or a file with --from"),
    }
}

async fn restore_memories(config: &Config, backup_id: String) -> anyhow::Result<()> {
    let memories = App::open(config, Clock::system()).await?.memories;
    let ids = memories.restore(&BackupId::from_stored(backup_id)).await?;
    note!("brought back {} memories", ids.len());
    for id in ids {
        say!("{id}")?;
    }
    Ok(())
}

async fn restore_database(config: &Config, file: &Path) -> anyhow::Result<()> {
    if let Some(url) = postgres(config) {
        bail!(
            "use PostgreSQL's own tools to restore it, into an empty database:\n  \
             pg_restore --exit-on-error --no-owner --dbname='{url}' {}",
            file.display()
        );
    }
    let restored = restore_snapshot(&config.database.url, file, Utc::now()).await;
    let restored = restored.context("nothing was restored")?;
    say!("{}: {}", restored.database.display(), contents(&restored.snapshot))?;
    if let Some(replaced) = restored.replaced {
        note!("The previous database is kept as {}.", replaced.display());
    }
    if let Some(id) = restored.snapshot.master_key_id
        && !app::has_master_key(config, &id)?
    {
        note!(
            "Its private memories are sealed under the master key {id}, which is not here: put it into {} or into \
             encryption.master_key before you start.",
            config.data_dir.join("master_key").display()
        );
    }
    Ok(())
}

fn contents(snapshot: &Snapshot) -> String {
    format!(
        "{}, {} accounts, {} memories",
        HumanBytes(snapshot.bytes),
        snapshot.accounts,
        snapshot.memories
    )
}

/// The URL of a PostgreSQL as others may see it.
fn postgres(config: &Config) -> Option<String> {
    if config.database.url.starts_with("sqlite:") {
        return None;
    }
    let shown = Url::parse(&config.database.url).ok().and_then(|mut url| {
        url.set_password(None).ok()?;
        Some(url.to_string())
    });
    Some(shown.unwrap_or_else(|| "postgres://…".to_owned()))
}
