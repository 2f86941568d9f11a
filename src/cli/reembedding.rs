//! Vectors of another embedder on the command line.

use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::HumanDuration;
use memsync::app::App;
use memsync::config::Config;
use memsync::error::Error;
use memsync::model::Clock;
use memsync::services::{EmbeddingService, Pruning, Reembedding};

use super::output::{note, say};
use super::portability::bar;

/// How often the log says how far it is, where there is no terminal for a bar.
const TOLD_EVERY: Duration = Duration::from_secs(5);
/// How often a step is tried again, and after what time, where the database did not answer.
const ATTEMPTS: usize = 5;
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Args)]
pub struct Reembed {
    /// Store nothing, and report how many memories lack a vector.
    #[arg(long, conflicts_with = "prune")]
    dry_run: bool,
    /// Afterwards delete the vectors of other models. Don't use this while a server with another model is running: it would
    /// compute them again.
    #[arg(long)]
    prune: bool,
}

pub async fn reembed(config: &Config, options: Reembed) -> anyhow::Result<()> {
    let embeddings = App::open(config, Clock::system()).await?.embeddings;
    let model = embeddings.model().to_owned();
    let count = embeddings.count().await?;
    if options.dry_run {
        say!(
            "{} of {} memories have no vector of {model}",
            count.missing,
            count.total
        )?;
        return Ok(());
    }
    let mut stored = 0;
    let mut missing = count.missing;
    while missing > 0 {
        let changed = walk(&embeddings, missing, &mut stored).await?;
        if changed == 0 {
            break;
        }
        missing = embeddings.count().await?.missing;
    }
    say!("embedded {stored} memories with {model}")?;
    let left = embeddings.count().await?.missing;
    if left > 0 {
        note!(
            "{left} have none still: just stored by a server with another model, or sealed under a key that is not here"
        );
    }
    if options.prune {
        say!("forgot {} vectors of other models", prune(embeddings).await?)?;
    }
    Ok(())
}

/// One walk through all memories; gives how many changed under its hands.
async fn walk(embeddings: &Arc<EmbeddingService>, missing: u64, stored: &mut u64) -> anyhow::Result<u64> {
    let bar = bar(
        missing,
        "{bar:40} {human_pos}/{human_len} memories, {per_sec}, {eta} left",
    );
    let (started, mut told) = (Instant::now(), Instant::now());
    let (mut changed, mut failures) = (0, 0);
    let mut walk = Reembedding::new(Arc::clone(embeddings));
    loop {
        match walk.step().await {
            Ok(None) => break,
            Ok(Some(step)) => {
                *stored += step.stored;
                changed += step.changed;
                failures = 0;
                bar.inc(step.memories);
            }
            Err(Error::Unavailable(cause)) if failures < ATTEMPTS => {
                failures += 1;
                tracing::warn!("trying again: {cause}");
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(error.into()),
        }
        if told.elapsed() >= TOLD_EVERY && !stderr().is_terminal() {
            told = Instant::now();
            let per_second = bar.position() as f64 / started.elapsed().as_secs_f64();
            let left = missing.saturating_sub(bar.position()) as f64 / per_second.max(1.0);
            let left = HumanDuration(Duration::from_secs_f64(left));
            tracing::info!(
                "{} of {missing} memories, {per_second:.0} a second, {left} left",
                bar.position()
            );
        }
    }
    bar.finish_and_clear();
    Ok(changed)
}

async fn prune(embeddings: Arc<EmbeddingService>) -> anyhow::Result<u64> {
    let mut deleted = 0;
    let mut pruning = Pruning::new(embeddings);
    while let Some(step) = pruning.step().await? {
        deleted += step;
    }
    Ok(deleted)
}
