//! Exports and imports on the command line, with bars that show how far they are.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Read, Write, stderr, stdin};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use futures::TryStreamExt;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use memsync::app::App;
use memsync::config::Config;
use memsync::model::{Clock, Grant, Memory};
use memsync::services::{self, Actor, ImportFormat, ImportOptions, ImportReport, Line};

use super::account;
use super::output::{Stdout, note, print_columns};

/// Bytes that are read at one time.
const PIECE: usize = 256 << 10;

#[derive(Args)]
pub struct Export {
    /// The account.
    #[arg(long)]
    email: String,
    /// The person, by `user_id`; empty for the account's own person [default: everybody in the account].
    #[arg(long)]
    user_id: Option<String>,
    /// The file to write [default: standard output].
    #[arg(long, short)]
    output: Option<PathBuf>,
}

#[derive(Args)]
pub struct Import {
    /// The account.
    #[arg(long)]
    email: String,
    /// The person to import the memories for, by `user_id` [default: the people named in the file].
    #[arg(long)]
    user_id: Option<String>,
    /// The format of the file: memsync, mem0 or zep.
    #[arg(long, default_value = "memsync", value_parser = str::parse::<ImportFormat>)]
    format: ImportFormat,
    /// Store nothing, and report what an import would do.
    #[arg(long)]
    dry_run: bool,
    /// The file; `-` for standard input.
    file: PathBuf,
}

pub async fn export(config: &Config, export: Export) -> anyhow::Result<()> {
    let app = App::open(config, Clock::system()).await?;
    let account = account(&app, &export.email).await?;
    let total = app
        .portability
        .count_exported(&account, export.user_id.as_deref())
        .await?;
    let bar = bar(total, "{bar:40} {human_pos}/{human_len} memories, {eta} left");
    let mut out: Box<dyn Write> = match &export.output {
        Some(file) => Box::new(BufWriter::new(create(file)?)),
        None => Box::new(BufWriter::new(Stdout)),
    };
    let memories = Arc::clone(&app.portability)
        .export(&Actor::operator(), account, export.user_id)
        .await?;
    let mut memories = pin!(memories);
    let mut count = 0_u64;
    while let Some(memory) = memories.try_next().await? {
        serde_json::to_writer(&mut out, &Line::from(memory)).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
        count += 1;
        bar.inc(1);
    }
    out.flush()?;
    bar.finish_and_clear();
    note!("exported {count} memories");
    Ok(())
}

pub async fn import(config: &Config, import: Import) -> anyhow::Result<()> {
    let app = App::open(config, Clock::system()).await?;
    let options = ImportOptions {
        account_id: account(&app, &import.email).await?,
        user_id: import.user_id,
        grant: Grant::everything(),
        format: import.format,
        is_dry_run: import.dry_run,
    };
    let (mut file, size): (Box<dyn Read>, u64) = if import.file == *"-" {
        (Box::new(stdin()), 0)
    } else {
        let name = || import.file.display().to_string();
        let file = File::open(&import.file).with_context(name)?;
        let size = file.metadata().with_context(name)?.len();
        (Box::new(file), size)
    };
    let bar = bar(size, "{bar:40} {bytes}/{total_bytes}, {msg} memories, {eta} left");
    let mut importing = services::Import::new(Arc::clone(&app.portability), options)?;
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            break;
        }
        importing.feed(&piece[..read]).await?;
        bar.inc(read as u64);
        bar.set_message(importing.done().to_string());
    }
    let report = importing.finish(&Actor::operator()).await?;
    bar.finish_and_clear();
    tell(&report, import.dry_run)?;
    if report.failed > 0 {
        bail!("{} lines could not be imported", report.failed);
    }
    Ok(())
}

fn tell(report: &ImportReport, is_dry_run: bool) -> io::Result<()> {
    for (line, reason) in &report.errors {
        note!("line {line}: {reason}");
    }
    if is_dry_run {
        print_columns(&report.preview, ["TYPE", "CATEGORIES", "MEMORY"], cells)?;
    }
    let would = if is_dry_run { "would import" } else { "imported" };
    note!(
        "{would} {}, skipped {}, failed {}",
        report.imported,
        report.skipped,
        report.failed
    );
    Ok(())
}

fn cells(memory: &Memory) -> [String; 3] {
    let categories: Vec<&str> = memory.categories.iter().map(|category| category.as_str()).collect();
    [
        memory.memory_type.as_str().to_owned(),
        categories.join(","),
        memory.text.clone(),
    ]
}

/// Readable by its owner alone: an export is in the clear.
fn create(file: &Path) -> anyhow::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).with_context(|| file.display().to_string())
}

/// A bar on a terminal, nothing elsewhere.
pub(super) fn bar(length: u64, template: &str) -> ProgressBar {
    let target = match stderr().is_terminal() {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let bar = ProgressBar::with_draw_target(Some(length), target);
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
