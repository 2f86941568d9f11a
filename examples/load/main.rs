//! Puts load on a running server: fills it with invented people, then lets clients search and store for a while, and
//! says how that went.
//!
//! `cargo run --release --example load -- --url http://127.0.0.1:8080 --key memsync_sk_…`; `--help` tells the rest. The
//! people (`bench-0`, `bench-1`, …) stay in the key's account; filling again changes nothing.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that measures prints, and says why it can't"
)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::{Parser, ValueEnum};
use client::Client;
use rand::{random, random_bool, random_range};
use report::{Operation, Report};
use tokio::sync::watch;
use tokio::task::JoinSet;

mod client;
#[expect(dead_code, reason = "benches need the rest")]
#[path = "../../benches/support/grpc.rs"]
mod grpc;
mod report;
#[expect(dead_code, reason = "benches need the rest")]
#[path = "../../benches/support/rest.rs"]
mod rest;
#[path = "../../benches/support/sentences.rs"]
mod sentences;

use sentences::{memory_line, person_name, question, sentence};

/// Puts load on a MemSync server.
#[derive(Clone, Parser)]
struct Options {
    /// The server.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// A key that may read and write memories; that of MEMSYNC_KEY when absent.
    #[arg(long)]
    key: Option<String>,
    /// Clients that each wait for an answer before they ask again, on a connection of their own.
    #[arg(long, default_value_t = 8, value_parser = at_least_one)]
    clients: usize,
    /// How long the load lasts.
    #[arg(long, default_value = "30s", value_parser = humantime::parse_duration)]
    duration: Duration,
    /// People that the requests are about.
    #[arg(long, default_value_t = 10, value_parser = at_least_one)]
    persons: usize,
    /// Memories that each of them is given first.
    #[arg(long, default_value_t = 1_000, value_parser = at_least_one)]
    memories: usize,
    /// The share of searches among the requests, 0 to 1; the others store.
    #[arg(long, default_value_t = 0.8, value_parser = share)]
    search_share: f64,
    /// How to talk to the server.
    #[arg(long, value_enum, default_value_t = Transport::Grpc)]
    transport: Transport,
    /// Give every store an idempotency key of its own.
    #[arg(long)]
    idempotent: bool,
    /// A PEM file with the authority that signed the server's certificate, for https.
    #[arg(long)]
    ca: Option<PathBuf>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Transport {
    Grpc,
    Rest,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "must be a whole number from 1".to_owned())
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "must be a number from 0 to 1".to_owned())
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> anyhow::Result<()> {
    let mut clients = vec![Client::connect(&options).await?];
    warn_of_limits(&clients[0]).await?;
    fill(&clients[0], &options).await?;
    while clients.len() < options.clients {
        clients.push(Client::connect(&options).await?);
    }
    let (stop, stopped) = watch::channel(false);
    let started = Instant::now();
    let mut running: JoinSet<_> = clients
        .into_iter()
        .map(|client| load(client, options.clone(), stopped.clone()))
        .collect();
    tokio::select! {
        () = tokio::time::sleep(options.duration) => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    let elapsed = started.elapsed();
    stop.send_replace(true);
    let mut report = Report::default();
    while let Some(measured) = running.join_next().await {
        report.add(&measured?)?;
    }
    report.print(elapsed, options.json);
    Ok(())
}

/// Proves the key, and says where the server's limits would be all that is measured.
async fn warn_of_limits(client: &Client) -> anyhow::Result<()> {
    let limits = client.limits().await?;
    for (what, per_minute, setting) in [
        ("requests", limits.requests_per_minute, "REQUESTS"),
        ("searches", limits.searches_per_minute, "SEARCHES"),
    ] {
        if per_minute > 0 {
            eprintln!(
                "the server allows {per_minute} {what} a minute and refuses others: start it with \
                 MEMSYNC_LIMITS__{setting}_PER_MINUTE=0 to measure what it can do"
            );
        }
    }
    Ok(())
}

async fn fill(client: &Client, options: &Options) -> anyhow::Result<()> {
    let started = Instant::now();
    for person in 0..options.persons {
        let lines = (0..options.memories).map(|n| memory_line(person, n)).collect();
        client.import(lines).await.context("filling")?;
    }
    eprintln!(
        "filled: {} people with {} memories each, in {:.1} s",
        options.persons,
        options.memories,
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Searches and stores until it is told to stop; what is under way then is dropped and not counted.
async fn load(client: Client, options: Options, mut stopped: watch::Receiver<bool>) -> Report {
    let mut report = Report::default();
    tokio::select! {
        () = ask_for_ever(&client, &options, &mut report) => {}
        _ = stopped.changed() => {}
    }
    report
}

async fn ask_for_ever(client: &Client, options: &Options, report: &mut Report) {
    loop {
        let person = person_name(random_range(0..options.persons));
        let operation = match random_bool(options.search_share) {
            true => Operation::Search,
            false => Operation::Store,
        };
        let started = Instant::now();
        let outcome = match operation {
            Operation::Search => client.search(person, question(random_range(0..options.memories))).await,
            Operation::Store => {
                let key = options.idempotent.then(|| format!("{:032x}", random::<u128>()));
                // Hardly ever told before, by this run or another one.
                let said = sentence(random_range(options.memories..usize::MAX));
                client.store(person, said, key.as_deref()).await
            }
        };
        report.record(operation, started.elapsed(), outcome);
    }
}
