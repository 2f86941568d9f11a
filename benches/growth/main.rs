//! What requests cost as memories and people grow, and what a start costs.
//! `cargo bench --bench growth -- [sizes] [persons] [startup]`; `--help` tells what can be set.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program that measures prints, and ends when it can't"
)]

use std::time::Duration;

use clap::{Parser, ValueEnum};

mod persons;
mod rounds;
mod sizes;
mod startup;
#[expect(dead_code, reason = "other benches need the rest")]
#[path = "../support/mod.rs"]
mod support;

#[derive(Parser)]
struct Options {
    /// What to measure; all when absent.
    parts: Vec<Part>,
    /// How long a round lasts.
    #[arg(long, default_value = "3s", value_parser = humantime::parse_duration)]
    round: Duration,
    /// `sizes`: memories of each person.
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000")]
    sizes: Vec<usize>,
    /// `sizes`: people that the clients are spread over.
    #[arg(long, default_value_t = 8)]
    people: usize,
    /// `persons`: people at most; from 10 on, ten times as many each time.
    #[arg(long, default_value_t = 1_000)]
    persons: usize,
    /// `persons`: the large cache of indexes, in MiB. A person of 1,000 memories takes about 1.5.
    #[arg(long, default_value_t = 4_096)]
    large_cache_mb: usize,
    /// `startup`: memories in the database at most; from 10,000 on, ten times as many each time.
    #[arg(long, default_value_t = 1_000_000)]
    memories: usize,
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Searches and stores as a person's memories grow.
    Sizes,
    /// Requests as people grow.
    Persons,
    /// Starts and resident memory as the database grows.
    Startup,
}

#[tokio::main]
async fn main() {
    let options = Options::parse();
    let is_wanted = |part| options.parts.is_empty() || options.parts.contains(&part);
    if is_wanted(Part::Sizes) {
        sizes::measure(&options).await;
    }
    if is_wanted(Part::Persons) {
        persons::measure(&options).await;
    }
    if is_wanted(Part::Startup) {
        startup::measure(&options).await;
    }
}
